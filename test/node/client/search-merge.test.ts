import assert from 'node:assert/strict';
import fc from 'fast-check';
import { prefixed } from '../../../lib/crdt/store.ts';
import { merge, mergeable } from '../../../lib/node/client/search-merge.ts';
import type { Segment } from '../../../lib/node/client/search-segment.ts';
import {
  IndexBench,
  roomNumber,
  stretchesOf,
  type IndexedText,
} from '../../support/search-stage.ts';
import { collect } from '../../support/store-contract.ts';

const WORDS = ['ant', 'bee', 'cat', 'dog', 'eel'];

describe('the merging of segments', () => {
  const run = (
    bench: IndexBench,
    segments = bench.catalog.segments,
    signal = new AbortController().signal,
  ): Promise<boolean> => {
    const { catalog, book: coverage } = bench;
    return merge(segments, { catalog, coverage, stretches: stretchesOf(true), signal });
  };
  const keysOf = async (bench: IndexBench): Promise<string[]> =>
    (await collect(bench.store, prefixed('x!'))).map(([key]) => key);
  const message = (room: number, position: number, text: string): IndexedText => ({
    stream: roomNumber(room),
    position,
    text,
    time: position,
  });

  it('makes one of them that says the same', async () => {
    const text = fc
      .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 6 })
      .map((words) => words.join(' '));
    const part = fc.array(fc.record({ room: fc.nat({ max: 2 }), text }), {
      minLength: 1,
      maxLength: 9,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), async (parts) => {
        const bench = await IndexBench.open();
        let position = 0;
        for (const one of parts)
          await bench.add(one.map(({ room, text: said }) => message(room, position++, said)));
        const before = bench.words(WORDS);
        assert.equal(await run(bench), true);
        const [merged, ...others] = bench.catalog.segments;
        assert.deepEqual(others, []);
        assert.equal(merged!.messages, position);
        assert.deepEqual(bench.words(WORDS), before);
        const [placeOf, timeOf] = [merged!.places(), merged!.times()];
        const positions = Array.from({ length: position }, (_, n) => placeOf(n).position);
        assert.deepEqual(new Set(positions).size, position);
        positions.forEach((one, n) => assert.equal(timeOf(n), one));
        // Nothing of the others is left.
        const keys = [...merged!.keys(), 'x!manifest'];
        assert.deepEqual(await keysOf(bench), keys.sort());
      }),
    );
  });

  it('puts together what is in very many messages', async () => {
    const bench = await IndexBench.open();
    for (let part = 0; part < 3; part++)
      await bench.add(Array.from({ length: 5_000 }, (_, n) => message(1, part * 5_000 + n, 'ant')));
    await run(bench);
    const [merged] = bench.catalog.segments;
    assert.equal(merged!.frequency(bench.seal.hash('ant')), 15_000);
    const expected = Array.from({ length: 15_000 }, (_, n) => `1/${n}`);
    assert.deepEqual(bench.words(['ant']).ant, expected);
  });

  it('leaves out what does not count any more', async () => {
    const bench = await IndexBench.open();
    const first = await bench.add([message(1, 0, 'ant bee'), message(2, 0, 'ant cat')]);
    await bench.add([message(1, 1, 'ant'), message(2, 1, 'dog')]);
    await bench.store.write([bench.book.rewind(roomNumber(1))], { sync: false });
    await bench.store.write(first.withoutMessages([1]), { sync: false });
    await run(bench);
    assert.deepEqual(bench.words(WORDS), { dog: ['2/1'] });
    assert.equal(bench.catalog.segments[0]!.messages, 1);
    await bench.store.write([bench.book.rewind(roomNumber(2))], { sync: false });
    await run(bench);
    assert.deepEqual(bench.catalog.segments, [], 'of nothing no segment is made');
    assert.deepEqual(await keysOf(bench), ['x!manifest']);
  });

  it('merges neighbours, and leaves those before and behind as they are', async () => {
    const bench = await IndexBench.open();
    for (const n of [0, 1, 2, 3, 4]) await bench.add([message(1, n, 'ant')]);
    const { segments } = bench.catalog;
    await run(bench, segments.slice(1, 4));
    assert.deepEqual(
      bench.catalog.segments.map(({ id }) => id),
      [0, 5, 4],
    );
    assert.deepEqual(bench.words(['ant']).ant, ['1/0', '1/1', '1/2', '1/3', '1/4']);
  });

  it('goes on beside new segments', async () => {
    const bench = await IndexBench.open();
    for (const n of [0, 1, 2]) await bench.add([message(1, n, 'ant')]);
    const merging = run(bench);
    await bench.add([message(1, 3, 'ant')]);
    await merging;
    assert.deepEqual(
      bench.catalog.segments.map(({ messages }) => messages),
      [3, 1],
    );
    assert.deepEqual(bench.words(['ant']).ant, ['1/0', '1/1', '1/2', '1/3']);
  });

  it('leaves everything as it was where it is given up', async () => {
    const bench = await IndexBench.open();
    for (const n of [0, 1, 2]) await bench.add([message(1, n, WORDS.join(' '))]);
    const before = await keysOf(bench);
    const abort = new AbortController();
    const merging = run(bench, bench.catalog.segments, abort.signal);
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    assert.equal(await merging, false);
    assert.equal(bench.catalog.segments.length, 3);
    assert.deepEqual(await keysOf(bench), before);
  });

  describe('is due', () => {
    const sizes = (...all: number[]): Segment[] =>
      all.map((messages) => ({ messages }) as unknown as Segment);
    const due = (...all: number[]): number[] | undefined =>
      mergeable(sizes(...all))?.map(({ messages }) => messages);

    it('where there are eight of a size', () => {
      assert.equal(due(), undefined);
      assert.equal(due(1, 1, 1, 1, 1, 1, 1), undefined);
      assert.deepEqual(due(1, 1, 1, 1, 1, 1, 1, 63), [1, 1, 1, 1, 1, 1, 1, 63]);
      assert.deepEqual(due(64, 1, 1, 1, 1, 1, 1, 1, 1), [1, 1, 1, 1, 1, 1, 1, 1]);
      assert.equal(due(5_000, 600, 70, 1, 1, 1, 1, 1, 1, 1), undefined);
    });

    it('also for what is smaller between them', () => {
      const all = [70, 70, 70, 1, 70, 70, 70, 70, 70];
      assert.deepEqual(due(900, 3, ...all, 2), [...all, 2]);
    });

    it('never for the greatest', () => {
      assert.equal(due(...Array.from({ length: 20 }, () => 300_000)), undefined);
    });

    it('so seldom that each message is written a handful of times', () => {
      let segments: number[] = [];
      let written = 0;
      for (let n = 0; n < 100_000; n++) {
        segments.push(1);
        for (let part = due(...segments); part !== undefined; part = due(...segments)) {
          const sum = part.reduce((all, one) => all + one, 0);
          written += sum;
          segments = [...segments.slice(0, -part.length), sum];
        }
      }
      assert.ok(segments.length <= 40, `${segments.length}`);
      assert.ok(written / 100_000 < 12, `${written}`);
    });
  });
});
