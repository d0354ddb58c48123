import assert from 'node:assert/strict';
import { ClchatError } from '../../../lib/errors.ts';
import { Ending } from '../../../lib/media/sinks/ending.ts';

const soon = (): Promise<void> => new Promise(setImmediate);

describe('the end of a sink', () => {
  it('is told once, after whatever is going on', async () => {
    const ending = new Ending();
    const told: Error[] = [];
    ending.listen((error) => told.push(error));
    ending.fail(new ClchatError('DISK_FULL'));
    ending.fail(new ClchatError('NO_DEVICE'));
    assert.deepEqual([ending.isOver, told.length], [true, 0]);
    await soon();
    assert.deepEqual(
      told.map((error) => (error as ClchatError).code),
      ['DISK_FULL'],
    );
    assert.equal(ending.close(), false);
  });

  it('is told to whoever listens later', async () => {
    const ending = new Ending();
    ending.fail(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    const told: Error[] = [];
    ending.listen((error) => told.push(error));
    await soon();
    assert.equal((told[0] as ClchatError).code, 'DISK_FULL');
    ending.listen((error) => told.push(error));
    await soon();
    assert.equal(told.length, 1);
  });

  it('is not told where it was closed before', async () => {
    const ending = new Ending();
    ending.listen(() => assert.fail('told'));
    assert.equal(ending.close(), true);
    ending.fail(new ClchatError('NO_DEVICE'));
    await soon();
    assert.equal(ending.isOver, true);
  });
});
