import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ClchatError, hasCode } from '../../lib/errors.ts';
import { KeptPort, type Mapping } from '../../lib/nat/kept-port.ts';
import { FakeGateway } from './fake-gateway.ts';

const request = { transport: 'tcp', internalPort: 4_000 } as const;
const mapping = (port = 4_000, ip = '11.0.0.2'): Mapping => ({
  ...request,
  protocol: 'pcp',
  external: { ip, port },
  lifetime: 7_200,
});
const never = new AbortController().signal;

describe('a port that is kept mapped', () => {
  it('tries its own number or the preferred one, and then the next ones', () => {
    const plain = [...new KeptPort(request).candidates()];
    assert.equal(plain.length, 32);
    assert.deepEqual(plain.slice(0, 3), [4_000, 4_001, 4_002]);
    const preferred = [...new KeptPort({ ...request, preferred: 9_000 }).candidates()];
    assert.deepEqual(preferred.slice(0, 4), [9_000, 4_000, 9_001, 9_002]);
    const last = [...new KeptPort({ ...request, internalPort: 65_535 }).candidates()];
    assert.deepEqual(last.slice(0, 3), [65_535, 1_024, 1_025]);
    const ports = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(ports, ports, (internalPort, wanted) => {
        const kept = new KeptPort({ ...request, internalPort, preferred: wanted });
        const candidates = [...kept.candidates()];
        assert.equal(candidates.length, 32);
        assert.ok(candidates.every((port) => port >= 1 && port <= 65_535));
      }),
    );
  });

  it('tries the one first that it had', () => {
    const kept = new KeptPort(request);
    kept.succeed(mapping(4_007));
    kept.fail(new ClchatError('NO_GATEWAY'));
    assert.deepEqual([...kept.candidates()].slice(0, 3), [4_007, 4_000, 4_008]);
  });

  it('tells what changes: mapped, renewed, mapped elsewhere, lost', () => {
    const kept = new KeptPort(request);
    assert.equal(kept.succeed(mapping()).state, 'mapped');
    assert.equal(kept.succeed(mapping()).state, 'renewed');
    assert.equal(kept.succeed(mapping(4_001)).state, 'mapped');
    assert.equal(kept.succeed(mapping(4_001, '11.0.0.3')).state, 'mapped');
    assert.deepEqual(kept.mapping, mapping(4_001, '11.0.0.3'));
    assert.deepEqual(kept.fail(new ClchatError('TIMEOUT')), {
      ...request,
      state: 'lost',
      code: 'TIMEOUT',
    });
    assert.equal(kept.mapping, undefined);
    assert.equal(kept.succeed(mapping(4_001, '11.0.0.3')).state, 'mapped');
  });

  it('tells a failure once, and again when it is another', () => {
    const kept = new KeptPort(request);
    const fail = (code: 'NO_GATEWAY' | 'MAPPING_REFUSED') =>
      kept.fail(new ClchatError(code))?.state;
    assert.deepEqual([fail('NO_GATEWAY'), fail('NO_GATEWAY')], ['failed', undefined]);
    assert.deepEqual([fail('MAPPING_REFUSED'), fail('NO_GATEWAY')], ['failed', 'failed']);
    assert.equal(kept.failures, 4);
    kept.startAfresh();
    assert.equal(kept.failures, 0);
    assert.equal(fail('NO_GATEWAY'), undefined);
    kept.succeed(mapping());
    assert.deepEqual([fail('NO_GATEWAY'), fail('NO_GATEWAY')], ['lost', undefined]);
  });

  it('lets those who wait know', async () => {
    const kept = new KeptPort(request);
    const first = [kept.wait(never), kept.wait(never)];
    kept.fail(new ClchatError('NO_GATEWAY'));
    for (const waiting of first)
      await assert.rejects(waiting, (error) => hasCode(error, 'NO_GATEWAY'));
    const second = [kept.wait(never), kept.wait(never)];
    kept.succeed(mapping());
    assert.deepEqual(await Promise.all(second), [mapping(), mapping()]);
    const third = kept.wait(never);
    kept.giveUp(new ClchatError('CLOSED'));
    await assert.rejects(third, (error) => hasCode(error, 'CLOSED'));
    const controller = new AbortController();
    const fourth = kept.wait(controller.signal);
    controller.abort(new ClchatError('TIMEOUT'));
    await assert.rejects(fourth, (error) => hasCode(error, 'TIMEOUT'));
    await assert.rejects(kept.wait(AbortSignal.abort()), { name: 'AbortError' });
    kept.fail('no error at all');
  });

  it('knows where it was asked for last', () => {
    const kept = new KeptPort({ ...request, preferred: 9_000 });
    assert.equal(kept.client, undefined);
    assert.deepEqual(kept.mapped, { ...request, externalPort: 9_000 });
    const client = new FakeGateway('pcp').clientOf({ address: '192.168.1.7', isDead: false });
    kept.asking(client, 9_003);
    assert.equal(kept.client, client);
    assert.deepEqual(kept.mapped, { ...request, externalPort: 9_003 });
    kept.notThere();
    assert.equal(kept.client, undefined);
  });
});
