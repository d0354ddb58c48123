import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encode } from '../../../lib/crdt/codec.ts';
import { addInterval } from '../../../lib/crdt/stream-head.ts';
import { MemoryDisk } from '../../../lib/crdt/store-memory.ts';
import type { Store } from '../../../lib/crdt/store.ts';
import {
  CoverageBook,
  missingOf,
  withDone,
  withoutDone,
  withoutInterval,
  type Interval,
} from '../../../lib/node/client/search-coverage.ts';
import { roomNumber } from '../../support/search-stage.ts';

const room = roomNumber(1);
const interval = fc
  .tuple(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 10 }))
  .map(([from, length]): Interval => [from, from + length]);
const intervals = fc
  .array(interval, { maxLength: 6 })
  .map((all) => all.reduce<Interval[]>((sum, [a, b]) => addInterval(sum, a, b), []));

const numbersIn = (all: readonly Interval[]): Set<number> =>
  new Set(all.flatMap(([a, b]) => Array.from({ length: b - a }, (_, n) => a + n)));

describe('what of a stream is in the search index', () => {
  let store: Store;
  let book: CoverageBook;
  const disk = (): MemoryDisk => new MemoryDisk();
  beforeEach(() => {
    store = disk().open();
    book = new CoverageBook(store);
  });

  /** Positions from one to before another are indexed. */
  const index = (from: number, until: number, fresh = book): Promise<void> =>
    fresh.change(new Map([[room, withDone(fresh.of(room), from, until)]]), (operations) =>
      store.write(operations, { sync: false }),
    );

  it('is told by intervals', () => {
    fc.assert(
      fc.property(intervals, intervals, interval, (have, done, [from, until]) => {
        const [all, known] = [numbersIn(have), numbersIn(done)];
        assert.deepEqual(
          numbersIn(missingOf(have, done)),
          new Set([...all].filter((n) => !known.has(n))),
        );
        assert.deepEqual(
          numbersIn(withoutInterval(have, from, until)),
          new Set([...all].filter((n) => n < from || n >= until)),
        );
        for (const [a, b] of missingOf(have, done)) assert.ok(a < b);
      }),
    );
  });

  it('is nothing at first, and then what was stored', async () => {
    assert.deepEqual(book.of(room), { generation: 0, done: [] });
    await index(3, 5);
    await index(5, 9);
    const expected = { generation: 0, done: [[3, 9]] };
    assert.deepEqual(book.of(room), expected);
    assert.deepEqual(new CoverageBook(store).of(room), expected);
    assert.deepEqual(withoutDone(book.of(room), 4).done, [
      [3, 4],
      [5, 9],
    ]);
    assert.deepEqual(book.of(roomNumber(2)).done, []);
  });

  it('is what it was where nothing could be stored', async () => {
    await index(0, 2);
    const failing = book.change(new Map([[room, withDone(book.of(room), 2, 9)]]), () =>
      Promise.reject(new Error('full')),
    );
    assert.deepEqual(book.of(room).done, [[0, 9]], 'as it is about to be');
    await assert.rejects(failing, /full/);
    assert.deepEqual(book.of(room).done, [[0, 2]]);
  });

  it('is nothing where an older version kept it otherwise', async () => {
    for (const value of [encode([[0, 5]]), encode('what'), new Uint8Array([255])]) {
      await store.write([{ type: 'put', key: `y!${room}`, value }], { sync: false });
      assert.deepEqual(new CoverageBook(store).of(room), { generation: 0, done: [] });
    }
  });

  describe('of a stream that is taken back', () => {
    it('is nothing, in a generation of its own', async () => {
      await index(0, 9);
      assert.ok(book.isPresent({ name: room, generation: 0 }));
      const operation = book.rewind(room);
      assert.ok(book.isMoving(room));
      assert.deepEqual(book.of(room).done, [[0, 9]], 'until it has been');
      await store.write([operation], { sync: false });
      assert.ok(!book.isMoving(room));
      assert.deepEqual(book.of(room), { generation: 1, done: [] });
      assert.ok(!book.isPresent({ name: room, generation: 0 }));
      assert.ok(book.isPresent({ name: room, generation: 1 }));
      assert.ok(!book.isMoving(roomNumber(2)));
    });

    it('is so also where the first attempt came to nothing', async () => {
      await index(0, 9);
      book.rewind(room);
      const again = book.rewind(room);
      assert.ok(book.isMoving(room));
      await store.write([again], { sync: false });
      assert.ok(!book.isMoving(room));
      assert.deepEqual(book.of(room), { generation: 1, done: [] });
      await index(0, 1);
      assert.deepEqual(book.of(room), { generation: 1, done: [[0, 1]] });
    });

    it('takes account of what was just being stored', async () => {
      await index(0, 9);
      await store.write([book.rewind(room)], { sync: false });
      const storing = index(0, 4);
      const operation = book.rewind(room);
      await storing;
      await store.write([operation], { sync: false });
      assert.deepEqual(new CoverageBook(store).of(room), { generation: 2, done: [] });
    });
  });

  describe('when the index is removed', () => {
    it('is nothing', async () => {
      await index(0, 9);
      await book.remove();
      assert.deepEqual(book.of(room), { generation: 0, done: [] });
      assert.deepEqual(new CoverageBook(store).of(room), { generation: 0, done: [] });
    });

    it('stays that of a stream that is being taken back', async () => {
      await index(0, 9);
      const operation = book.rewind(room);
      await book.remove();
      assert.ok(book.isMoving(room));
      await store.write([operation], { sync: false });
      assert.ok(!book.isMoving(room));
      assert.deepEqual(book.of(room), { generation: 1, done: [] });
      // The other way round: it had been by then.
      const next = book.rewind(room);
      await store.write([next], { sync: false });
      await book.remove();
      assert.ok(!book.isMoving(room));
      assert.deepEqual(book.of(room), { generation: 2, done: [] });
    });
  });
});
