import assert from 'node:assert/strict';
import { Internet, type MappingEvent } from '../../lib/app/internet.ts';
import { ClchatError } from '../../lib/errors.ts';
import type { Mapping, MappingNews, PortMapper, PortRequest } from '../../lib/nat/port-mapper.ts';
import { FakeTime } from '../support/time.ts';

const PORT = 49_152;
const TCP = { transport: 'tcp', port: PORT } as const;

const mappingTo = (ip: string, port = PORT, transport: 'tcp' | 'udp' = 'tcp'): Mapping => ({
  transport,
  internalPort: transport === 'tcp' ? PORT : port,
  protocol: 'pcp',
  external: { ip, port },
  lifetime: 7_200,
});

describe('the way in from the internet', () => {
  let time: FakeTime;
  let told: MappingEvent[];
  let news: (one: MappingNews) => void;
  let asked: PortRequest[];
  let isStopped: boolean;
  /** Under which addresses peers see this host. */
  let observed: string[];
  let internet: Internet;

  beforeEach(() => {
    [told, asked, isStopped, observed] = [[], [], false, []];
    time = new FakeTime();
  });
  afterEach(async () => {
    await internet.stop();
    assert.ok(isStopped);
    time.restore();
  });

  /** @param map what the attempts come to */
  const open = async (
    map: (request: PortRequest) => Promise<Mapping>,
    udpPorts: readonly number[] = [],
  ): Promise<void> => {
    internet = new Internet({
      port: PORT,
      udpPorts,
      observed: async () => observed,
      tell: (event) => told.push(event),
      mapper: (onNews): PortMapper => {
        news = onNews;
        return {
          map: (request, { signal }) => {
            asked.push(request);
            return Promise.race([
              map(request),
              new Promise<never>((_, reject) => {
                signal.addEventListener('abort', () => reject(signal.reason as Error));
              }),
            ]);
          },
          mappings: [],
          stop: async () => void (isStopped = true),
        };
      },
    });
    await time.until(internet.settled);
  };

  const mapped = ({ transport, internalPort }: PortRequest): Promise<Mapping> => {
    const mapping = mappingTo('11.0.0.2', internalPort, transport);
    news({ state: 'mapped', mapping });
    return Promise.resolve(mapping);
  };

  it('is a port of the gateway, the same as here where it can be', async () => {
    await open(mapped);
    assert.deepEqual(asked, [{ transport: 'tcp', internalPort: PORT, preferred: PORT }]);
    assert.equal(internet.external, '11.0.0.2:49152');
    const external = '11.0.0.2:49152';
    const event = { event: 'mapping', state: 'mapped', external, protocol: 'pcp', ...TCP };
    assert.deepEqual(told, [event]);
  });

  it('is told of when it changes, ends and comes back', async () => {
    await open(mapped);
    told = [];
    news({ state: 'mapped', mapping: mappingTo('11.0.0.9', 5_000) });
    assert.equal(internet.external, '11.0.0.9:5000');
    news({ state: 'renewed', mapping: mappingTo('11.0.0.9', 5_000) });
    news({ state: 'lost', transport: 'tcp', internalPort: PORT, code: 'TIMEOUT' });
    assert.equal(internet.external, undefined);
    news({ state: 'failed', transport: 'tcp', internalPort: PORT, code: 'NO_GATEWAY' });
    const external = '11.0.0.9:5000';
    assert.deepEqual(told, [
      { event: 'mapping', state: 'mapped', external, protocol: 'pcp', ...TCP },
      { event: 'mapping', state: 'renewed', external, protocol: 'pcp', ...TCP },
      { event: 'mapping', state: 'lost', code: 'TIMEOUT', external, ...TCP },
      { event: 'mapping', state: 'failed', code: 'NO_GATEWAY', ...TCP },
    ]);
  });

  it('is not there without a gateway, which holds nothing up', async () => {
    await open(() => {
      news({ state: 'failed', transport: 'tcp', internalPort: PORT, code: 'NO_GATEWAY' });
      return Promise.reject(new ClchatError('NO_GATEWAY'));
    });
    assert.equal(internet.external, undefined);
    assert.deepEqual(told, [{ event: 'mapping', state: 'failed', code: 'NO_GATEWAY', ...TCP }]);
  });

  it('is waited for less than two seconds, and taken when it comes later', async () => {
    await open(() => new Promise<never>(() => undefined));
    assert.ok(time.passed < 2_000, `${time.passed}`);
    assert.equal(internet.external, undefined);
    news({ state: 'mapped', mapping: mappingTo('11.0.0.2') });
    assert.equal(internet.external, '11.0.0.2:49152');
  });

  it('has ports for UDP beside it, each for itself', async () => {
    await open(
      (request) => {
        const { transport, internalPort } = request;
        if (internalPort !== 50_001) return mapped(request);
        news({ state: 'failed', transport, internalPort, code: 'PORT_EXHAUSTED' });
        return Promise.reject(new ClchatError('PORT_EXHAUSTED'));
      },
      [PORT, 50_000, 50_001],
    );
    assert.deepEqual(
      asked.map(({ transport, internalPort }) => `${transport} ${internalPort}`),
      ['tcp 49152', 'udp 49152', 'udp 50000', 'udp 50001'],
    );
    assert.equal(internet.external, '11.0.0.2:49152');
    assert.deepEqual(internet.udp, [
      { port: PORT, external: '11.0.0.2:49152' },
      { port: 50_000, external: '11.0.0.2:50000' },
    ]);
    const failed = { event: 'mapping', state: 'failed', code: 'PORT_EXHAUSTED' };
    assert.deepEqual(told.at(-1), { ...failed, transport: 'udp', port: 50_001 });
    news({ state: 'lost', transport: 'udp', internalPort: PORT, code: 'TIMEOUT' });
    assert.equal(internet.external, '11.0.0.2:49152');
    assert.equal(internet.udp.length, 1);
  });

  describe('and what peers see', () => {
    const lost = {
      event: 'mapping',
      state: 'lost',
      code: 'CARRIER_NAT',
      external: '11.0.0.2:49152',
      ...TCP,
    };

    it('agree where one of them says the same as the gateway', async () => {
      observed = ['21.64.1.2', '11.0.0.2:5000', '192.168.1.7'];
      await open(mapped);
      await time.pass(60_000);
      assert.equal(internet.external, '11.0.0.2:49152');
    });

    it('are not held against one another where only the own network sees it', async () => {
      observed = ['192.168.1.7:1', '100.64.1.2', 'fe80::1', '[2a0e:c1a7::1]:5', 'nonsense'];
      await open(mapped);
      await time.pass(60_000);
      assert.equal(internet.external, '11.0.0.2:49152');
    });

    it('differ behind a carrier that the gateway knows nothing of', async () => {
      observed = ['21.64.1.2:5000'];
      await open(mapped);
      await time.pass(10);
      assert.equal(internet.external, undefined);
      assert.deepEqual(told.slice(1), [lost]);
      // Renewed, or found again, it is told once.
      news({ state: 'renewed', mapping: mappingTo('11.0.0.2') });
      await time.pass(120_000);
      assert.equal(told.length, 2);
      // What is mapped only now is known to lead nowhere.
      told = [];
      const udp = { transport: 'udp', port: 50_000 };
      news({ state: 'mapped', mapping: mappingTo('11.0.0.2', 50_000, 'udp') });
      const external = '11.0.0.2:50000';
      assert.deepEqual(told, [{ ...lost, state: 'failed', external, ...udp }]);
    });

    it('may turn out to differ, and to agree after all', async () => {
      await open(mapped);
      told = [];
      observed = ['21.64.1.2'];
      await time.pass(60_000);
      assert.equal(internet.external, undefined);
      assert.deepEqual(told, [lost]);
      observed.push('11.0.0.2');
      await time.pass(60_000);
      assert.equal(internet.external, '11.0.0.2:49152');
      const external = '11.0.0.2:49152';
      const back = { event: 'mapping', state: 'mapped', external, protocol: 'pcp', ...TCP };
      assert.deepEqual(told, [lost, back]);
    });
  });
});
