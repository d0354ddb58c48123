import assert from 'node:assert/strict';
import { MemoryDisk } from '../../../lib/crdt/store-memory.ts';
import type { StreamName } from '../../../lib/crdt/stream.ts';
import { LostRooms } from '../../../lib/node/client/lost-rooms.ts';

const [A, B]: StreamName[] = [`room/${'a'.repeat(32)}`, `room/${'b'.repeat(32)}`];

describe('rooms that are lost', () => {
  it('are remembered until they are given again, and are news but once', async () => {
    const disk = new MemoryDisk();
    const faults: unknown[] = [];
    const open = (): Promise<LostRooms> =>
      LostRooms.open(disk.open(), (error) => faults.push(error));
    const lost = await open();
    assert.ok(lost.add(A!));
    assert.ok(lost.add(B!));
    assert.equal(lost.add(A!), false);
    lost.delete(B!);
    lost.delete(B!);
    assert.deepEqual([lost.has(A!), lost.has(B!)], [true, false]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    disk.crash(disk.unsynced);
    const again = await open();
    assert.deepEqual([...again.all], [A]);
    assert.equal(again.add(A!), false);
    assert.deepEqual(faults, []);
  });

  it('are so in this run at least where nothing can be written', async () => {
    const disk = new MemoryDisk();
    const faults: unknown[] = [];
    const store = disk.open();
    const lost = await LostRooms.open(store, (error) => faults.push(error));
    await store.close();
    assert.ok(lost.add(A!));
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(lost.has(A!));
    assert.equal(faults.length, 1);
  });
});
