import assert from 'node:assert/strict';
import { Internet } from '../../lib/app/internet.ts';
import type { AppEvent } from '../../lib/app/types.ts';
import { ClchatError } from '../../lib/errors.ts';
import type { Mapping, MappingNews, PortMapper } from '../../lib/nat/port-mapper.ts';

const mappingTo = (ip: string, port = 49_152): Mapping => ({
  transport: 'tcp',
  internalPort: 49_152,
  protocol: 'pcp',
  external: { ip, port },
  lifetime: 7_200,
});

describe('the way in from the internet', () => {
  let told: AppEvent[];
  let news: (one: MappingNews) => void;
  let asked: unknown[];
  let isStopped: boolean;

  beforeEach(() => {
    [told, asked, isStopped] = [[], [], false];
  });

  /** @param first what the first attempt comes to */
  const open = (first: (hear: (one: MappingNews) => void) => Promise<Mapping>): Promise<Internet> =>
    Internet.open({
      port: 49_152,
      tell: (event) => told.push(event),
      mapper: (onNews): PortMapper => {
        news = onNews;
        return {
          map: (request) => {
            asked.push(request);
            return first(onNews);
          },
          mappings: [],
          stop: async () => void (isStopped = true),
        };
      },
    });

  const mapped = (hear: (one: MappingNews) => void): Promise<Mapping> => {
    const mapping = mappingTo('11.0.0.2');
    hear({ state: 'mapped', mapping });
    return Promise.resolve(mapping);
  };

  it('is a port of the gateway, the same as here where it can be', async () => {
    const internet = await open(mapped);
    assert.deepEqual(asked, [{ transport: 'tcp', internalPort: 49_152, preferred: 49_152 }]);
    assert.equal(internet.external, '11.0.0.2:49152');
    const external = '11.0.0.2:49152';
    assert.deepEqual(told, [{ event: 'mapping', state: 'mapped', external, protocol: 'pcp' }]);
    await internet.stop();
    assert.ok(isStopped);
  });

  it('is told of when it changes, ends and comes back', async () => {
    const internet = await open(mapped);
    told = [];
    news({ state: 'mapped', mapping: mappingTo('11.0.0.9', 5_000) });
    assert.equal(internet.external, '11.0.0.9:5000');
    news({ state: 'renewed', mapping: mappingTo('11.0.0.9', 5_000) });
    news({ state: 'lost', transport: 'tcp', internalPort: 49_152, code: 'TIMEOUT' });
    assert.equal(internet.external, undefined);
    news({ state: 'failed', transport: 'tcp', internalPort: 49_152, code: 'NO_GATEWAY' });
    const external = '11.0.0.9:5000';
    assert.deepEqual(told, [
      { event: 'mapping', state: 'mapped', external, protocol: 'pcp' },
      { event: 'mapping', state: 'renewed', external, protocol: 'pcp' },
      { event: 'mapping', state: 'lost', code: 'TIMEOUT', external },
      { event: 'mapping', state: 'failed', code: 'NO_GATEWAY' },
    ]);
  });

  it('is not there without a gateway, which holds nothing up', async () => {
    const internet = await open((hear) => {
      hear({ state: 'failed', transport: 'tcp', internalPort: 49_152, code: 'NO_GATEWAY' });
      return Promise.reject(new ClchatError('NO_GATEWAY'));
    });
    assert.equal(internet.external, undefined);
    assert.deepEqual(told, [{ event: 'mapping', state: 'failed', code: 'NO_GATEWAY' }]);
  });
});
