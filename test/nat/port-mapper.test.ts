import assert from 'node:assert/strict';
import { ClchatError, hasCode } from '../../lib/errors.ts';
import { sleep, systemClock } from '../../lib/lifecycle.ts';
import type { GatewayClient, MappingProtocol } from '../../lib/nat/gateway-client.ts';
import {
  createPortMapper,
  type Mapping,
  type MappingNews,
  type PortMapper,
  type PortMapperOptions,
  type PortRequest,
} from '../../lib/nat/port-mapper.ts';
import type { Route } from '../../lib/nat/route.ts';
import { FakeTime } from '../support/time.ts';
import { FakeGateway, type FakeHost } from './fake-gateway.ts';
import { portMapperContract, type MapperStage } from './port-mapper-contract.ts';

const OWN = '192.168.1.7';
const ROUTE: Route = { gateway: '192.168.1.1', own: OWN, card: 'eth0', family: 4 };
const never = new AbortController().signal;
const request: PortRequest = { transport: 'tcp', internalPort: 4_000 };

/** Hours, in which whatever is waited for comes about. */
const PATIENCE_MS = 3 * 3_600_000;

async function stageIn(time: FakeTime, gateway: FakeGateway): Promise<MapperStage> {
  return {
    lifetimeS: 7_200,
    address: gateway.address,
    async start() {
      const host: FakeHost = { address: OWN, isDead: false };
      const news: MappingNews[] = [];
      const mapper = createPortMapper({
        discover: (signal, without) => gateway.discover(host, signal, without),
        route: async () => ROUTE,
        onNews: (one) => news.push(one),
        clock: systemClock,
      });
      return {
        map: (wish) => mapper.map(wish, { signal: never }),
        news: () => news,
        mappings: async () => mapper.mappings,
        stop: () => mapper.stop(),
        crash: async () => {
          host.isDead = true;
          await time.until(mapper.stop());
        },
      };
    },
    mappings: async () =>
      gateway.entries.map(({ transport, externalPort, internalPort, host }) => {
        return { transport, externalPort, internalPort, isOurs: host === OWN };
      }),
    occupy: async (transport, port) => gateway.occupy(transport, port),
    exhaust: async () => void (gateway.ports = [1, 0]),
    refuse: async (refuses) => void (gateway.refuses = refuses),
    reboot: async (taken) => {
      gateway.reboot();
      if (taken !== undefined) gateway.occupy(taken.transport, taken.externalPort);
    },
    readdress: async () => (gateway.address = '11.0.0.99'),
    hide: async () => void (gateway.address = '100.64.1.2'),
    takeAway: async (isAway) => {
      gateway.isAway = isAway;
      gateway.reboot();
    },
    until: async (isSo) => {
      for (const end = time.passed + PATIENCE_MS; !(await isSo()); await time.pass(100))
        assert.ok(time.passed < end, 'it does not come about');
    },
    pass: (milliseconds) => time.pass(milliseconds),
    settled: (promise) => time.until(promise),
    close: async () => {
      assert.equal(gateway.open, 0, 'clients are left open');
      time.restore();
    },
  };
}

for (const protocol of ['pcp', 'nat-pmp', 'upnp'] as const)
  describe(`a port mapper at a gateway that behaves as by ${protocol}`, () => {
    portMapperContract(() => stageIn(new FakeTime(), new FakeGateway(protocol)));
  });

describe('a port mapper', () => {
  let time: FakeTime;
  let gateway: FakeGateway;
  let host: FakeHost;
  let route: Route | undefined;
  let news: MappingNews[];
  let mapper: PortMapper;

  const make = (options: Partial<PortMapperOptions> = {}): PortMapper =>
    createPortMapper({
      discover: (signal, without) => gateway.discover(host, signal, without),
      route: async () => route,
      onNews: (one) => news.push(one),
      clock: systemClock,
      random: () => 0.5,
      ...options,
    });
  beforeEach(() => {
    time = new FakeTime();
    gateway = new FakeGateway('upnp');
    host = { address: OWN, isDead: false };
    route = ROUTE;
    news = [];
    mapper = make();
  });
  afterEach(async () => {
    await time.until(mapper.stop());
    assert.equal(gateway.open, 0);
    time.restore();
  });
  const map = (wish = request, signal = never): Promise<Mapping> =>
    time.until(mapper.map(wish, { signal }));
  const failsWith = (promise: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(promise, { code });
  const states = (): string[] => news.map(({ state }) => state);

  it('asks at most for 32 ports', async () => {
    for (let port = 4_000; port < 4_100; port++) gateway.occupy('tcp', port);
    await failsWith(map(), 'PORT_EXHAUSTED');
    assert.equal(gateway.done.filter((what) => what.startsWith('map')).length, 32);
    // What is not ours is not asked to be removed.
    await time.until(mapper.stop());
    assert.ok(!gateway.done.some((what) => what.startsWith('unmap')));
  });

  it('renews at half of what was granted, though that is less than was asked for', async () => {
    gateway.longest = 600;
    await map();
    await time.pass(299_000);
    assert.deepEqual(states(), ['mapped']);
    await time.pass(1_100);
    assert.deepEqual(states(), ['mapped', 'renewed']);
  });

  it('does not renew all the time, however short the lease', async () => {
    gateway.longest = 1;
    await map();
    await time.pass(60_000);
    assert.ok(states().length <= 8, states().join());
  });

  it('looks every ten seconds, however many ports it keeps', async () => {
    await map();
    for (const internalPort of [4_001, 4_002]) await map({ transport: 'udp', internalPort });
    const looks = (): number => gateway.done.filter((what) => what === 'isThere').length;
    await time.pass(9_000);
    assert.equal(looks(), 0);
    await time.pass(1_100);
    assert.equal(looks(), 1);
    await time.pass(100_000);
    assert.equal(looks(), 11);
    assert.deepEqual(states(), ['mapped', 'mapped', 'mapped']);
  });

  it('looks at each in its turn, and maps all anew where one is gone', async () => {
    await map();
    await map({ transport: 'udp', internalPort: 4_001 });
    gateway.forget('udp', 4_001);
    await time.pass(22_000);
    assert.equal(gateway.entries.length, 2);
    assert.deepEqual(states(), ['mapped', 'mapped', 'renewed', 'renewed']);
  });

  it('finds out within ten seconds, and a little more, what has changed', async () => {
    await map();
    gateway.reboot();
    await time.pass(12_000);
    assert.equal(gateway.entries.length, 1);
    assert.deepEqual(states(), ['mapped', 'renewed']);
    gateway.address = '11.0.0.99';
    await time.pass(34_000);
    assert.equal(mapper.mappings[0]?.external.ip, '11.0.0.99');
    assert.deepEqual(states(), ['mapped', 'renewed', 'mapped']);
  });

  it('leaves more and more time between attempts, up to a minute', async () => {
    gateway.refuses = true;
    await failsWith(map(), 'MAPPING_REFUSED');
    const attempts = (): number => gateway.done.filter((what) => what.startsWith('map')).length;
    for (const [seconds, expected] of [
      [4, 1],
      [4, 2],
      [12, 3],
      [22, 4],
      [42, 5],
    ] as const) {
      await time.pass(seconds * 1_000);
      assert.equal(attempts(), expected, `${time.passed}`);
    }
    await time.pass(620_000);
    const many = attempts();
    assert.ok(many >= 14 && many <= 16, `${many}`);
    assert.deepEqual(states(), ['failed']);
  });

  it('gives up an operation that hangs, and an attempt', async () => {
    await map();
    gateway.isAway = true;
    await time.until(
      (async () => {
        while (states().at(-1) !== 'lost') await sleep(100);
      })(),
    );
    // A look every 30 s that hangs for 3 s, and a search of 2 s.
    assert.ok(time.passed < 36_000, `${time.passed}`);
    assert.deepEqual(news.at(-1), { state: 'lost', ...request, code: 'NO_GATEWAY' });
  });

  it('lets those who wait go when they want to, and goes on', async () => {
    gateway.isAway = true;
    const waiting = mapper.map(request, { signal: AbortSignal.abort(new ClchatError('TIMEOUT')) });
    await failsWith(waiting, 'TIMEOUT');
    gateway.isAway = false;
    await time.pass(10_000);
    assert.deepEqual(states(), ['failed', 'mapped']);
    assert.equal(mapper.mappings.length, 1);
  });

  it('tries at once when it is asked again', async () => {
    gateway.isAway = true;
    await failsWith(map(), 'NO_GATEWAY');
    gateway.isAway = false;
    const before = time.passed;
    await map();
    assert.ok(time.passed - before < 100);
  });

  it('finds a gateway again that has answered wrongly, for all that it mapped', async () => {
    gateway.longest = 600;
    await map();
    await map({ ...request, internalPort: 4_001 });
    const searches = (): number => gateway.done.filter((what) => what === 'discover').length;
    // To a look, and to an attempt.
    gateway.failsNext = { what: 'isThere', code: 'BAD_MESSAGE' };
    await time.pass(35_000);
    assert.equal(searches(), 2);
    assert.deepEqual(states(), ['mapped', 'mapped', 'renewed', 'renewed']);
    gateway.failsNext = { what: 'map 4001', code: 'TIMEOUT' };
    await time.pass(310_000);
    assert.equal(searches(), 3);
    assert.ok(
      states()
        .slice(2)
        .every((state) => state === 'renewed'),
    );
    assert.equal(mapper.mappings.length, 2);
    await time.until(mapper.stop());
    assert.deepEqual(gateway.entries, []);
  });

  it('searches once for all ports', async () => {
    gateway.isAway = true;
    const wishes = [1, 2, 3, 4].map(
      (n) => ({ transport: 'udp', internalPort: 5_000 + n }) as const,
    );
    const all = wishes.map((wish) => mapper.map(wish, { signal: never }));
    for (const one of await time.until(Promise.allSettled(all)))
      assert.ok(one.status === 'rejected' && hasCode(one.reason, 'NO_GATEWAY'));
    assert.deepEqual(gateway.done, ['discover']);
  });

  it('begins anew within seconds where another way leads out', async () => {
    await map();
    route = undefined;
    host.isDead = true;
    await time.pass(8_000);
    assert.deepEqual(news.at(-1), { state: 'lost', ...request, code: 'NO_GATEWAY' });
    route = { ...ROUTE, own: '192.168.1.8' };
    host = { address: '192.168.1.8', isDead: false };
    gateway.reboot();
    await time.pass(5_100);
    assert.deepEqual(states(), ['mapped', 'lost', 'mapped']);
    assert.deepEqual(gateway.entries[0]?.host, '192.168.1.8');
  });

  it('is as quick to try again there as at first', async () => {
    gateway.refuses = true;
    await failsWith(map(), 'MAPPING_REFUSED');
    await time.pass(600_000);
    route = { ...ROUTE, gateway: '192.168.1.2' };
    await time.pass(5_100);
    const attempts = (): number => gateway.done.filter((what) => what.startsWith('map')).length;
    const before = attempts();
    await time.pass(20_000);
    assert.equal(attempts() - before, 2);
  });

  it('removes also what it was just asking for when it is stopped', async () => {
    const waiting = mapper.map(request, { signal: never });
    const closed = assert.rejects(waiting, (error) => hasCode(error, 'CLOSED'));
    while (!gateway.done.includes('map 4000')) await time.pass(1);
    // Its answer does not come, but it was heard.
    gateway.occupy('tcp', 4_000);
    Object.assign(gateway.entries[0]!, { host: OWN, internalPort: 4_000 });
    await time.until(mapper.stop());
    await closed;
    assert.deepEqual(gateway.entries, []);
    await assert.rejects(mapper.map(request, { signal: never }), (e) => hasCode(e, 'CLOSED'));
  });

  it('stops in time though the gateway hangs', async () => {
    for (const internalPort of [4_000, 4_001, 4_002]) await map({ ...request, internalPort });
    gateway.isAway = true;
    const before = time.passed;
    await time.until(mapper.stop());
    assert.ok(time.passed - before <= 1_600, `${time.passed - before}`);
    assert.deepEqual(mapper.mappings, []);
  });

  it('does nothing at all when nothing is to be mapped', async () => {
    await time.pass(100_000);
    assert.deepEqual(gateway.done, []);
  });
});

describe('a port mapper at a gateway of several protocols', () => {
  let time: FakeTime;
  let mapper: PortMapper;
  let gateways: Map<MappingProtocol, FakeGateway>;
  let asked: string[];
  const host: FakeHost = { address: OWN, isDead: false };

  beforeEach(() => {
    time = new FakeTime();
    asked = [];
    gateways = new Map(
      (['pcp', 'nat-pmp', 'upnp'] as const).map((protocol) => [
        protocol,
        new FakeGateway(protocol),
      ]),
    );
    mapper = createPortMapper({
      discover: async (signal, without): Promise<GatewayClient> => {
        asked.push(without.join('+'));
        const [first] = [...gateways.values()].filter((one) => !without.includes(one.protocol));
        if (first === undefined) throw new ClchatError('NO_GATEWAY');
        return first.discover(host, signal, without);
      },
      route: async () => ROUTE,
      onNews: () => undefined,
      clock: systemClock,
    });
  });
  afterEach(async () => {
    await time.until(mapper.stop());
    for (const gateway of gateways.values()) {
      assert.equal(gateway.open, 0);
      assert.deepEqual(gateway.entries, []);
    }
    time.restore();
  });
  const map = (internalPort = 4_000): Promise<Mapping> =>
    time.until(mapper.map({ ...request, internalPort }, { signal: never }));

  it('takes the next protocol where one refuses', async () => {
    gateways.get('pcp')!.refuses = true;
    gateways.get('nat-pmp')!.refuses = true;
    assert.equal((await map()).protocol, 'upnp');
    assert.deepEqual(asked, ['', 'pcp', 'pcp+nat-pmp']);
  });

  it('leaves what is mapped with the protocol by which it is, and removes all', async () => {
    assert.equal((await map()).protocol, 'pcp');
    gateways.get('pcp')!.refuses = true;
    assert.equal((await map(4_001)).protocol, 'nat-pmp');
    gateways.get('pcp')!.refuses = false;
    await time.pass(100_000);
    assert.deepEqual(
      mapper.mappings.map(({ protocol }) => protocol),
      ['pcp', 'nat-pmp'],
    );
  });

  it('fails as the best of them where all refuse', async () => {
    for (const gateway of gateways.values()) gateway.refuses = true;
    await assert.rejects(map(), (error) => hasCode(error, 'MAPPING_REFUSED'));
    assert.deepEqual(asked, ['', 'pcp', 'pcp+nat-pmp', 'pcp+nat-pmp+upnp']);
  });
});
