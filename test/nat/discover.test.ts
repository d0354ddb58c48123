import assert from 'node:assert/strict';
import { ClchatError, hasCode } from '../../lib/errors.ts';
import { deadline, sleep, until } from '../../lib/lifecycle.ts';
import { discoverGateway, SEARCH_MS, type DiscoverOptions } from '../../lib/nat/discover.ts';
import type { GatewayClient } from '../../lib/nat/gateway-client.ts';
import type { Route } from '../../lib/nat/route.ts';
import { FakeIgd } from './fake-igd.ts';
import { FakePmp, FakeUdp } from './fake-pmp.ts';

const route: Route = { gateway: '127.0.0.1', own: '127.0.0.1', card: 'lo', family: 4 };
const request = {
  transport: 'tcp',
  internalPort: 4_000,
  externalPort: 5_000,
  lifetime: 7_200,
} as const;
const never = new AbortController().signal;

describe('the search for a gateway by all protocols', () => {
  let gateway: FakePmp;
  let igd: FakeIgd;
  let pmp: FakeUdp;
  /** How late datagrams are answered, in milliseconds; Infinity: not at all. Of PCP in particular. */
  let lateMs: number;
  let latePcpMs: number;
  const clients: GatewayClient[] = [];

  beforeEach(async () => {
    gateway = new FakePmp();
    lateMs = latePcpMs = 0;
    igd = await FakeIgd.open(2);
    pmp = await FakeUdp.open((bytes, { port }) => {
      const answers = gateway.answer(bytes);
      const late = bytes[0] === 2 ? Math.max(lateMs, latePcpMs) : lateMs;
      if (late === 0) return answers;
      if (late < Infinity) setTimeout(() => answers.forEach((each) => pmp.send(each, port)), late);
      return [];
    });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await sleep(lateMs < Infinity ? lateMs : 0);
    await Promise.all([pmp.close(), igd.close()]);
  });

  const discover = async (
    options: Partial<DiscoverOptions> = {},
    signal: AbortSignal = never,
  ): Promise<GatewayClient> => {
    const client = await discoverGateway(
      {
        route: async () => route,
        description: 'clchat',
        nonce: new Uint8Array(12).fill(7),
        whyNot: () => undefined,
        ports: { pmp: pmp.port, ssdp: igd.ssdpPort },
        ...options,
      },
      signal,
    );
    clients.push(client);
    return client;
  };
  const udpSockets = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
  const isNone = (error: unknown): boolean => hasCode(error, 'NO_GATEWAY');

  it('prefers PCP to NAT-PMP to UPnP where all are spoken', async () => {
    const client = await discover();
    assert.equal(client.protocol, 'pcp');
    assert.equal((await client.map(request, deadline(2_000))).externalPort, 5_000);
    gateway.speaks = ['nat-pmp'];
    assert.equal((await discover()).protocol, 'nat-pmp');
    gateway.speaks = [];
    lateMs = Infinity;
    assert.equal((await discover()).protocol, 'upnp');
  });

  it('takes the first, unless a better one comes soon after', async () => {
    lateMs = 1_500;
    assert.equal((await discover()).protocol, 'upnp');
  });

  it('tries those only that it is told', async () => {
    for (const protocol of ['pcp', 'nat-pmp', 'upnp'] as const)
      assert.equal((await discover({ protocols: [protocol] })).protocol, protocol);
    const started = performance.now();
    await assert.rejects(discover({ protocols: [] }), isNone);
    assert.ok(performance.now() - started < SEARCH_MS / 2);
  });

  it('gives up in time where nobody answers, and leaves nothing open', async () => {
    const before = udpSockets();
    lateMs = Infinity;
    igd.location = '';
    const started = performance.now();
    await assert.rejects(discover(), isNone);
    const took = performance.now() - started;
    assert.ok(took >= SEARCH_MS - 50 && took < SEARCH_MS + 2_000, `${took}`);
    assert.ok(await until(3_000, () => udpSockets() === before));
  });

  it('leaves nothing open of those that were not taken', async () => {
    const before = udpSockets();
    const client = await discover();
    assert.ok(await until(3_000, () => udpSockets() === before + 1));
    client.close();
    assert.ok(await until(3_000, () => udpSockets() === before));
    assert.ok(await until(3_000, () => igd.connections === 0));
    // Also of one that was the first, but not the best.
    latePcpMs = 15;
    const another = await discover({ protocols: ['nat-pmp', 'pcp'] });
    another.close();
    assert.ok(await until(3_000, () => udpSockets() === before));
  });

  it('says what is wrong with a gateway that shows itself', async () => {
    lateMs = Infinity;
    igd.description = '<!DOCTYPE x>';
    await assert.rejects(discover(), (error) => {
      assert(isNone(error));
      assert.match((error as Error).message, /offers UPnP, but it cannot be used/);
      assert(hasCode((error as Error).cause, 'BAD_MESSAGE'));
      return true;
    });
  });

  it('waits longer for a gateway that shows itself and is slow', async () => {
    lateMs = Infinity;
    let asked = 0;
    igd.override = (_, response) => {
      if (asked++ > 0) return false;
      setTimeout(() => response.end(igd.description), SEARCH_MS + 200);
      igd.description = `<root><device><serviceList><service><serviceType>${igd.serviceType}</serviceType><controlURL>/control</controlURL></service></serviceList></device></root>`;
      return true;
    };
    assert.equal((await discover()).protocol, 'upnp');
  });

  it('does not wait for ever for one that hangs', async () => {
    lateMs = Infinity;
    igd.override = () => true;
    await assert.rejects(discover(), (error) => {
      assert(hasCode((error as Error).cause, 'TIMEOUT'));
      return isNone(error);
    });
    assert.ok(await until(3_000, () => igd.connections === 0));
  });

  it('takes the first place that a gateway tells of which is good', async () => {
    lateMs = Infinity;
    igd.location = 'http://127.0.0.2/root.xml';
    const found = discover();
    setTimeout(() => (igd.location = undefined), 100);
    assert.equal((await found).protocol, 'upnp');
  });

  it('asks no gateway that is not to be spoken to, and says why', async () => {
    await assert.rejects(discover({ whyNot: () => 'because' }), (error) => {
      return isNone(error) && (error as Error).message === 'because';
    });
    // The loopback is in no private range.
    const usual = discoverGateway(
      {
        route: async () => route,
        description: 'clchat',
        nonce: new Uint8Array(12),
        ports: { pmp: pmp.port, ssdp: igd.ssdpPort },
      },
      never,
    );
    await assert.rejects(usual, (error) => {
      return isNone(error) && /private range/.test((error as Error).message);
    });
    const lost = discover({ route: async () => undefined });
    await assert.rejects(lost, (error) => {
      return isNone(error) && /no default route/.test((error as Error).message);
    });
    assert.deepEqual([pmp.received.length, igd.paths.length], [0, 0]);
  });

  it('ends with its signal, and leaves nothing open', async () => {
    const before = udpSockets();
    lateMs = Infinity;
    igd.override = () => true;
    const controller = new AbortController();
    const found = discover({}, controller.signal);
    await sleep(50);
    controller.abort(new ClchatError('CLOSED'));
    await assert.rejects(found, (error) => hasCode(error, 'CLOSED'));
    assert.ok(await until(3_000, () => udpSockets() === before && igd.connections === 0));
    await assert.rejects(discover({}, AbortSignal.abort()), { name: 'AbortError' });
  });
});
