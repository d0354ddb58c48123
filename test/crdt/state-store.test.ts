import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHex, utf8 } from '../../lib/crdt/bytes.ts';
import { State, type Change } from '../../lib/crdt/state.ts';
import {
  changeOperations,
  clearOperations,
  loadSpace,
  loadStates,
  stateOperations,
} from '../../lib/crdt/state-store.ts';
import { MemoryDisk, openMemoryStore } from '../../lib/crdt/store-memory.ts';
import { prefixed, type Store } from '../../lib/crdt/store.ts';
import { LOBBY_STREAM, roomStream, type StreamName } from '../../lib/crdt/stream.ts';

const table = fc.constantFrom('account', 'head', 'name');
const id = fc.constantFrom('a', 'b', 'zoë', '100%', 'a!b', '世界');
const value = fc.oneof(fc.nat(3), fc.constant(undefined), fc.record({ seq: fc.nat(2) }));
const changes: fc.Arbitrary<Change[]> = fc.array(fc.record({ table, id, value }), {
  maxLength: 12,
});

function contents(state: State): string[] {
  return [...state.records()].map((record) => JSON.stringify(record)).sort();
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const [key] of store.entries(prefixed('r!'))) keys.push(key);
  return keys;
}

const isPage = (key: string): boolean => key.startsWith('r!space!!');

/** Many records, of two tables. */
function many(amount: number): Change[] {
  return Array.from({ length: amount }, (_, n) => ({
    table: n % 2 === 0 ? 'account' : 'head',
    id: `id${n}`,
    value: { seq: n, text: 'x'.repeat(100) },
  }));
}

describe('the space in a store', () => {
  it('is read as it was, whatever changed, was folded or lost by a crash meanwhile', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ act: fc.constant('change' as const), changes }) },
      { weight: 2, arbitrary: fc.record({ act: fc.constant('open' as const), at: fc.nat(6) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('crash' as const), at: fc.nat(6) }) },
    );
    let folded = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const disk = new MemoryDisk();
        let store = disk.open();
        const model = new State();
        for (const one of steps) {
          if (one.act === 'change') {
            await store.write(changeOperations('space', one.changes), { sync: true });
            model.apply(one.changes);
            continue;
          }
          if (one.act === 'crash') {
            // In the middle of a folding, which may have been written or not.
            await loadSpace(store, undefined, one.at);
            disk.crash(one.at % 2);
            store = disk.open();
          }
          const state = await loadSpace(store, undefined, one.at);
          assert.deepEqual(contents(state), contents(model));
          assert.equal(toHex(state.rehash()), toHex(model.rehash()));
          if ((await keysOf(store)).some(isPage)) folded++;
        }
      }),
    );
    assert.ok(folded > 50, `${folded} readings of pages`);
  });

  it('lies in few values when it is large, and changes are folded in once there are many', async () => {
    const store = openMemoryStore();
    const model = new State();
    const records = many(5_000);
    model.apply(records);
    await store.write(stateOperations('space', records), { sync: true });
    const pages = (await keysOf(store)).length;
    assert.ok(pages > 2 && pages < 20, `${pages} pages`);
    assert.deepEqual(contents(await loadSpace(store, undefined)), contents(model));
    const put = async (made: Change[]): Promise<void> => {
      await store.write(changeOperations('space', made), { sync: true });
      model.apply(made);
    };
    await put(many(2_000).map((record) => ({ ...record, value: undefined })));
    assert.deepEqual(contents(await loadSpace(store, undefined)), contents(model));
    assert.equal((await keysOf(store)).length, pages + 2_000);
    await put(many(2_100).map((record) => ({ ...record, id: `new ${record.id}` })));
    assert.deepEqual(contents(await loadSpace(store, undefined)), contents(model));
    assert.ok((await keysOf(store)).every(isPage));
    assert.deepEqual(contents(await loadSpace(store, undefined)), contents(model));
  });

  it('is all gone when it is cleared', async () => {
    const store = openMemoryStore();
    await store.write(stateOperations('space', many(5_000)), { sync: true });
    await store.write(changeOperations('space', many(10)), { sync: true });
    await store.write(await clearOperations(store, 'space'), { sync: true });
    assert.deepEqual(await keysOf(store), []);
  });

  it('can be read on a disk that is full', async () => {
    const disk = new MemoryDisk();
    const store = disk.open();
    await store.write(changeOperations('space', many(3_000)), { sync: true });
    disk.capacity = 1;
    assert.equal([...(await loadSpace(store, undefined)).records()].length, 3_000);
    assert.ok(!(await keysOf(store)).some(isPage));
  });

  it('is said to be damaged when a page is', async () => {
    const store = openMemoryStore();
    const [page] = stateOperations('space', many(5_000));
    assert.ok(page?.type === 'put');
    for (const cut of [1, 5, 9, 12, page.value.length - 1]) {
      await store.write([{ ...page, value: page.value.subarray(0, cut) }], { sync: true });
      await assert.rejects(loadSpace(store, undefined), { code: 'DATA_CORRUPT' });
    }
    const bytes = Uint8Array.from(page.value).fill(0xff, 20);
    await store.write([{ ...page, value: bytes }], { sync: true });
    await assert.rejects(loadSpace(store, undefined), { code: 'DATA_CORRUPT' });
    await store.write([{ type: 'put', key: 'r!space!head!x', value: utf8('?') }], { sync: true });
    await store.write([{ type: 'delete', key: page.key }], { sync: true });
    const state = await loadSpace(store, undefined);
    assert.throws(() => state.get('head', 'x'), { code: 'DATA_CORRUPT' });
  });
});

describe('states of other streams in a store', () => {
  it('are the same read together as one by one, whatever lies between them', async () => {
    const names = [
      LOBBY_STREAM,
      ...['0', '1', '2', '3', 'f'].map((digit) => roomStream(digit.repeat(32))),
    ];
    const sizes = fc.tuple(...names.map(() => fc.constantFrom(0, 1, 3, 63, 64, 200)));
    await fc.assert(
      fc.asyncProperty(sizes, fc.subarray(names), async (amounts, wanted) => {
        const store = openMemoryStore();
        for (const [n, name] of names.entries())
          await store.write(changeOperations(name, many(amounts[n]!)), { sync: true });
        const heads = new Map<StreamName, object>(wanted.map((name) => [name, {}]));
        const together = await loadStates(store, heads);
        assert.deepEqual([...together.keys()].sort(), wanted.toSorted());
        for (const [n, name] of names.entries()) {
          const state = together.get(name);
          assert.equal(state !== undefined, wanted.includes(name));
          if (state === undefined) continue;
          const model = new State();
          model.apply(many(amounts[n]!));
          assert.deepEqual(contents(state), contents(model));
        }
      }),
      { numRuns: 50 },
    );
  });
});
