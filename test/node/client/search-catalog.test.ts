import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLevelStore } from '../../../lib/crdt/store-level.ts';
import { MemoryDisk } from '../../../lib/crdt/store-memory.ts';
import { prefixed, type Store } from '../../../lib/crdt/store.ts';
import { Catalog } from '../../../lib/node/client/search-catalog.ts';
import { SearchSeal } from '../../../lib/node/client/search-seal.ts';
import { IndexBench, roomNumber } from '../../support/search-stage.ts';
import { collect } from '../../support/store-contract.ts';
import { temporary } from '../../support/temporary.ts';

const room = roomNumber(1);
const keysOf = async (store: Store): Promise<string[]> =>
  (await collect(store, prefixed('x!'))).map(([key]) => key);

describe('the catalog of the search index', () => {
  let disk: MemoryDisk;
  let bench: IndexBench;
  beforeEach(async () => {
    disk = new MemoryDisk();
    bench = await IndexBench.open(disk.open());
  });

  const reopen = async (): Promise<void> => {
    await bench.store.close();
    bench = await IndexBench.open(disk.open());
  };
  const say = (position: number, text: string): ReturnType<IndexBench['add']> =>
    bench.add([{ stream: room, position, text }]);
  const ids = (): number[] => bench.catalog.segments.map(({ id }) => id);

  it('lists segments in the order in which they were made, over a restart', async () => {
    assert.deepEqual(ids(), []);
    for (const n of [0, 1, 2]) await say(n, `word ${n}`);
    assert.deepEqual(ids(), [0, 1, 2]);
    await reopen();
    assert.deepEqual(ids(), [0, 1, 2]);
    await say(3, 'word 3');
    assert.deepEqual(ids(), [0, 1, 2, 3]);
    assert.deepEqual(bench.words(['word']).word, ['1/0', '1/1', '1/2', '1/3']);
  });

  it('puts one segment in the place of others', async () => {
    for (const n of [0, 1, 2, 3]) await say(n, `word ${n}`);
    const [, second, third] = bench.catalog.segments;
    const writer = bench.catalog.write();
    writer.message({ name: room, generation: 0 }, { position: 9, words: 1 }, 0);
    const { segment, operations } = writer.finish();
    const instead = new Map([
      [second!, segment],
      [third!, undefined],
    ]);
    await bench.catalog.change(instead, undefined, async (manifest) => {
      await bench.store.write([...operations, manifest], { sync: false });
      return true;
    });
    assert.deepEqual(ids(), [0, 4, 3]);
    await bench.catalog.delete([second!, third!]);
    await reopen();
    assert.deepEqual(ids(), [0, 4, 3]);
    assert.equal((await keysOf(bench.store)).filter((key) => /0[12]!/.test(key)).length, 0);
  });

  it('stays as it is where nothing was stored', async () => {
    await say(0, 'word');
    const [segment] = bench.catalog.segments;
    const instead = new Map([[segment!, undefined]]);
    assert.equal(
      await bench.catalog.change(instead, undefined, () => Promise.resolve(false)),
      false,
    );
    const failing = bench.catalog.change(instead, undefined, () => Promise.reject(new Error('no')));
    await assert.rejects(failing, /no/);
    assert.deepEqual(ids(), [0]);
  });

  it('deletes at opening what a crash left behind, and nothing else', async () => {
    await say(0, 'word 0');
    const begun = bench.catalog.write();
    begun.message({ name: room, generation: 0 }, { position: 9, words: 1 }, 0);
    await say(1, 'word 1');
    const last = bench.catalog.write();
    last.message({ name: room, generation: 0 }, { position: 9, words: 1 }, 0);
    const before = await keysOf(bench.store);
    for (const writer of [begun, last])
      await bench.store.write(writer.finish().operations, { sync: false });
    assert.equal((await keysOf(bench.store)).length, before.length + 6);
    await reopen();
    assert.deepEqual(ids(), [0, 2]);
    assert.deepEqual(await keysOf(bench.store), before);
  });

  it('deletes a segment that is not to be', async () => {
    await say(0, 'word 0');
    const before = await keysOf(bench.store);
    const writer = bench.catalog.write();
    writer.message({ name: room, generation: 0 }, { position: 9, words: 1 }, 0);
    await bench.store.write(writer.finish().operations, { sync: false });
    await bench.catalog.discard(writer.id);
    assert.deepEqual(await keysOf(bench.store), before);
  });

  it('deletes no segment while somebody reads it', async () => {
    const segment = await say(0, 'word 0');
    let done = (): void => undefined;
    const reading = bench.catalog.reading(async ([first]) => {
      await new Promise<void>((resolve) => (done = resolve));
      return first!.places()(0).position;
    });
    await bench.catalog.change(new Map([[segment, undefined]]), undefined, async (manifest) => {
      await bench.store.write([manifest], { sync: false });
      return true;
    });
    const deleting = bench.catalog.delete([segment]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok((await keysOf(bench.store)).length > 1);
    done();
    assert.equal(await reading, 0);
    await deleting;
    assert.deepEqual(await keysOf(bench.store), ['x!manifest']);
  });

  it('purges what is in use no more once, and what was written over', async () => {
    const purged: { from: string; until: string }[] = [];
    bench.store.purge = (range) => Promise.resolve(void purged.push(range));
    const isPurged = (key: string): boolean =>
      purged.some(({ from, until }) => from <= key && key < until);
    const [first, second] = [await say(0, 'word 0'), await say(1, 'word 1')];
    await bench.catalog.purge([]);
    purged.length = 0;
    await bench.catalog.purge([]);
    assert.equal(purged.length, 0);
    await bench.catalog.change(new Map([[first, undefined]]), undefined, async (manifest) => {
      await bench.store.write([manifest], { sync: false });
      return true;
    });
    await bench.catalog.delete([first]);
    await reopen();
    bench.store.purge = (range) => Promise.resolve(void purged.push(range));
    const [page] = [...second.keys()];
    await bench.catalog.purge([page!]);
    for (const key of [...first.keys(), page!]) assert.ok(isPurged(key), key);
    assert.ok([...second.keys()].some((key) => !isPurged(key)));
    purged.length = 0;
    await reopen();
    bench.store.purge = (range) => Promise.resolve(void purged.push(range));
    await bench.catalog.purge([]);
    assert.equal(purged.length, 0);
  });

  describe('makes the index anew', () => {
    const isGone = async (): Promise<void> => {
      assert.deepEqual(ids(), []);
      assert.deepEqual(await keysOf(bench.store), []);
      assert.deepEqual(bench.book.of(room).done, []);
      await say(0, 'fresh');
      await reopen();
      assert.deepEqual(bench.words(['fresh']), { fresh: ['1/0'] });
    };

    it('where it is under another key', async () => {
      await say(0, 'word');
      const seal = new SearchSeal(new Uint8Array(32).fill(99));
      let removed = 0;
      const base = { store: bench.store, seal };
      const other = await Catalog.open(base, () => Promise.resolve(void removed++));
      assert.deepEqual(other.segments, []);
      assert.equal(removed, 1);
      assert.deepEqual(await keysOf(bench.store), []);
    });

    it('where it was kept otherwise', async () => {
      await bench.store.write(
        [
          {
            type: 'put',
            key: `x!0123456789abcdef0123!${room}!0000000000001`,
            value: new Uint8Array(),
          },
          { type: 'put', key: `y!${room}`, value: new Uint8Array([0x81, 0x82, 0, 9]) },
        ],
        { sync: false },
      );
      await reopen();
      await isGone();
    });

    for (const part of ['h', 'manifest'])
      it(`where it is damaged (${part})`, async () => {
        await say(0, 'word');
        const key = (await keysOf(bench.store)).find((one) => one.includes(`!${part}`))!;
        await bench.store.write([{ type: 'put', key, value: new Uint8Array(40) }], { sync: false });
        await reopen();
        await isGone();
      });

    it('where a part is gone', async () => {
      await say(0, 'word');
      const key = (await keysOf(bench.store)).find((one) => one.includes('!h'))!;
      await bench.store.write([{ type: 'delete', key }], { sync: false });
      await reopen();
      await isGone();
    });
  });

  describe('on a disk', () => {
    const { newDirectory } = temporary();

    const isOnDisk = async (directory: string, value: Uint8Array): Promise<boolean> => {
      for (const name of await readdir(directory))
        if ((await readFile(join(directory, name))).includes(Buffer.from(value))) return true;
      return false;
    };

    it('leaves nothing of what was deleted or written over once it is purged', async () => {
      const directory = await newDirectory();
      const again = async (): Promise<void> => {
        await bench.store.close();
        bench = await IndexBench.open(await openLevelStore(directory, { create: true }));
      };
      // Each goes into files of its own.
      for (const n of [0, 1, 2]) {
        await again();
        await say(n, `word ${n}`);
      }
      await again();
      const { store, catalog } = bench;
      const values = new Map<string, Uint8Array>();
      for (const key of await keysOf(store)) values.set(key, store.get(key)!);
      // One is written over, one deleted, one stays.
      const [first, second, third] = catalog.segments;
      const over = first!.withoutMessages([0]);
      await store.write(over, { sync: false });
      await catalog.change(new Map([[second!, undefined]]), undefined, async (manifest) => {
        await store.write([manifest], { sync: false });
        return true;
      });
      await catalog.delete([second!]);
      const gone = [...second!.keys(), ...over.map(({ key }) => key)];
      for (const key of gone) assert.ok(await isOnDisk(directory, values.get(key)!), key);
      await catalog.purge(over.map(({ key }) => key));
      for (const key of gone) assert.ok(!(await isOnDisk(directory, values.get(key)!)), key);
      for (const key of third!.keys()) assert.ok(await isOnDisk(directory, values.get(key)!), key);
      await again();
      assert.deepEqual(ids(), [0, 2]);
      await bench.store.close();
    });
  });
});
