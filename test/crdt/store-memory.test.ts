import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MemoryDisk, openMemoryStore } from '../../lib/crdt/store-memory.ts';
import { ALL, collect, describeStore, put, remove, text } from '../support/store-contract.ts';

describe('store in memory', () => {
  describeStore(async () => {
    const disk = new MemoryDisk();
    return { open: async () => disk.open(), discard: async () => undefined };
  });

  it('opens on a disk of its own', async () => {
    const [one, other] = [openMemoryStore(), openMemoryStore()];
    await one.write([put('a', '')], { sync: true });
    assert.equal(other.get('a'), undefined);
  });

  it('loses in a crash what was not synced, latest first', async () => {
    for (const [survivors, expected] of [
      [
        0,
        [
          ['a', '1'],
          ['b', '1'],
        ],
      ],
      [
        1,
        [
          ['a', '2'],
          ['b', '1'],
        ],
      ],
      [
        2,
        [
          ['a', '2'],
          ['c', '3'],
        ],
      ],
      [
        9,
        [
          ['a', '2'],
          ['c', '3'],
          ['d', '4'],
        ],
      ],
    ] as const) {
      const disk = new MemoryDisk();
      const store = disk.open();
      await store.write([put('a', '1')], { sync: false });
      await store.write([put('b', '1')], { sync: true });
      await store.write([put('a', '2')], { sync: false });
      await store.write([remove('b'), put('c', '3')], { sync: false });
      await store.write([put('d', '4')], { sync: false });
      assert.equal(disk.unsynced, 3);
      disk.crash(survivors);
      assert.throws(() => store.get('a'), { code: 'CLOSED' });
      assert.deepEqual(await collect(disk.open(), ALL), expected);
    }
  });

  it('keeps through any crash a prefix of its writes that holds all synced ones', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 20 }),
        fc.nat(20),
        async (syncs, keep) => {
          const disk = new MemoryDisk();
          const store = disk.open();
          for (const [i, sync] of syncs.entries())
            await store.write([put(`k${i % 3}`, `${i}`), put('last', `${i}`)], { sync });
          disk.crash(keep);
          const survivor = disk.open();
          const last = Number(text(survivor.get('last')) ?? -1);
          assert.ok(last >= syncs.lastIndexOf(true));
          const expected = new Map<string, string>();
          for (let i = 0; i <= last; i += 1) {
            expected.set(`k${i % 3}`, `${i}`);
            expected.set('last', `${i}`);
          }
          assert.deepEqual(new Map(await collect(survivor, ALL)), expected);
        },
      ),
    );
  });

  it('fails what a crash interrupts', async () => {
    const disk = new MemoryDisk();
    const written = disk.open().write([put('a', '')], { sync: true });
    disk.crash();
    await assert.rejects(written, { code: 'CLOSED' });
    assert.equal(disk.open().get('a'), undefined);
  });

  it('fills up: the batch that does not fit is not there, nor any later one until it is reopened', async () => {
    const disk = new MemoryDisk();
    disk.capacity = 20;
    const store = disk.open();
    await store.write([put('a', '0123456789')], { sync: true });
    const full = { code: 'DISK_FULL' };
    await assert.rejects(store.write([put('b', ''), put('c', '0123456789')], { sync: true }), full);
    await assert.rejects(store.write([put('d', '')], { sync: true }), full);
    assert.equal(text(store.get('a')), '0123456789');
    await store.close();
    disk.capacity = 100;
    const again = disk.open();
    await again.write([put('c', '0123456789')], { sync: true });
    assert.deepEqual(
      (await collect(again, ALL)).map(([key]) => key),
      ['a', 'c'],
    );
  });
});
