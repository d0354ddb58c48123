import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LEVELS } from '../../../lib/node/client/search-pages.ts';
import { levelOf, rank, type Hit } from '../../../lib/node/client/search-rank.ts';
import { countsOf, tokensOf } from '../../../lib/node/client/search-words.ts';
import {
  IndexBench,
  roomNumber,
  stretchesOf,
  type IndexedText,
} from '../../support/search-stage.ts';

const WORDS = ['ant', 'bee', 'cat', 'dog'];
const room = roomNumber(1);

/** BM25 as it is written down, over all messages one by one. */
function naive(messages: readonly IndexedText[], words: readonly string[]): number[] {
  const counts = messages.map(({ text }) => countsOf(tokensOf(text)));
  const weights = words.map((word) => {
    const frequency = counts.filter((count) => count.has(word)).length;
    return Math.log(1 + (messages.length - frequency + 0.5) / (frequency + 0.5)) / LEVELS;
  });
  const scored = counts.flatMap((count, message) => {
    if (!words.every((word) => count.has(word))) return [];
    const length = [...count.values()].reduce((sum, one) => sum + one, 0);
    const levels = words.map((word) => levelOf(count.get(word)!, length) + 0.5);
    const score = levels.reduce((sum, level, word) => sum + weights[word]! * level, 0);
    return [{ message, score, time: messages[message]!.time! }];
  });
  scored.sort((a, b) => b.score - a.score || b.time - a.time || b.message - a.message);
  return scored.map(({ message }) => message);
}

const text = fc
  .array(fc.constantFrom(...WORDS, 'x', 'y'), { minLength: 1, maxLength: 12 })
  .map((words) => words.join(' '));
const segments = fc.array(
  fc.array(fc.record({ text, time: fc.nat({ max: 5 }) }), { minLength: 1, maxLength: 12 }),
  { minLength: 1, maxLength: 6 },
);

describe('the ranking of a search', () => {
  /** Positions of the messages found, the best first. */
  const ranked = async (
    bench: IndexBench,
    words: readonly string[],
    limit = 1_000,
    isGood: (position: number) => boolean = () => true,
  ): Promise<number[]> => {
    const hashes = words.map((word) => bench.seal.hash(word));
    const positionOf = ({ segment, message }: Pick<Hit, 'segment' | 'message'>): number =>
      segment.places()(message).position;
    const hits = await rank(
      bench.catalog.segments,
      hashes,
      limit,
      (segment) => (message) => isGood(positionOf({ segment, message })),
      stretchesOf(true),
    );
    return hits.map(positionOf);
  };

  it('is BM25, and by time among equals', async () => {
    await fc.assert(
      fc.asyncProperty(
        segments,
        fc.uniqueArray(fc.constantFrom(...WORDS), { minLength: 1 }),
        fc.integer({ min: 1, max: 20 }),
        async (all, words, limit) => {
          const bench = await IndexBench.open();
          const messages: IndexedText[] = [];
          for (const part of all) {
            const own = part.map((one, n) => ({
              ...one,
              stream: room,
              position: messages.length + n,
            }));
            messages.push(...own);
            await bench.add(own);
          }
          const expected = naive(messages, words);
          assert.deepEqual(await ranked(bench, words), expected);
          assert.deepEqual(await ranked(bench, words, limit), expected.slice(0, limit));
          const even = expected.filter((position) => position % 2 === 0);
          const isEven = (position: number): boolean => position % 2 === 0;
          assert.deepEqual(await ranked(bench, words, limit, isEven), even.slice(0, limit));
        },
      ),
    );
  });

  it('goes through words of which there are very many', async () => {
    const bench = await IndexBench.open();
    const messages = Array.from({ length: 12_000 }, (_, position) => {
      const words = [
        'all',
        position % 3 === 0 ? 'third' : 'x',
        position % 2_500 === 9 ? 'rare' : 'y',
      ];
      return { stream: room, position, text: words.join(' '), time: position };
    });
    await bench.add(messages.slice(0, 9_000));
    await bench.add(messages.slice(9_000));
    const all = (of: (n: number) => boolean): number[] =>
      messages
        .map(({ position }) => position)
        .filter(of)
        .reverse();
    assert.deepEqual(
      await ranked(bench, ['all', 'third'], 20_000),
      all((n) => n % 3 === 0),
    );
    assert.deepEqual(await ranked(bench, ['all'], 100), all(() => true).slice(0, 100));
    const isRare = (n: number): boolean => n % 2_500 === 9;
    assert.deepEqual(await ranked(bench, ['all', 'rare']), all(isRare));
    assert.deepEqual(
      await ranked(bench, ['third', 'rare', 'all']),
      all((n) => isRare(n) && n % 3 === 0),
    );
    assert.deepEqual(await ranked(bench, ['all', 'missing']), []);
    assert.deepEqual(await ranked(bench, ['missing']), []);
  });

  it('counts more what is rarer', async () => {
    const bench = await IndexBench.open();
    const texts = ['often seldom', ...Array.from({ length: 9 }, () => 'often x'), 'seldom x'];
    await bench.add([
      { stream: room, position: 20, text: 'often often seldom x' },
      { stream: room, position: 21, text: 'often seldom seldom x' },
      ...texts.map((one, position) => ({ stream: room, position, text: one })),
    ]);
    assert.deepEqual((await ranked(bench, ['often', 'seldom'])).slice(0, 2), [21, 20]);
  });

  it('counts more what occurs more often, and what is shorter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat({ max: 500 }), (count, others) => {
        const level = levelOf(count, count + others);
        assert.ok(Number.isInteger(level) && level >= 0 && level < LEVELS);
        assert.ok(levelOf(count + 1, count + others + 1) >= level);
        assert.ok(levelOf(count, count + others + 1) <= level);
      }),
    );
    assert.ok(levelOf(3, 10) > levelOf(1, 10));
    assert.ok(levelOf(1, 3) > levelOf(1, 60));
  });
});
