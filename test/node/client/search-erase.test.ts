import assert from 'node:assert/strict';
import fc from 'fast-check';
import { takeOut } from '../../../lib/node/client/search-erase.ts';
import { Segment } from '../../../lib/node/client/search-segment.ts';
import {
  IndexBench,
  roomNumber,
  stretchesOf,
  type IndexedText,
} from '../../support/search-stage.ts';

const WORDS = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox'];

describe('taking messages out of the search index', () => {
  const message = (room: number, position: number, text: string): IndexedText => ({
    stream: roomNumber(room),
    position,
    text,
  });
  /** @param hint words by which the messages are looked for */
  const remove = async (
    bench: IndexBench,
    gone: readonly Pick<IndexedText, 'stream' | 'position'>[],
    hint: readonly string[],
  ): Promise<string[]> => {
    const positions = new Map(
      gone.map(({ stream }) => [
        stream,
        new Set(gone.filter((one) => one.stream === stream).map(({ position }) => position)),
      ]),
    );
    const wanted = { positions, hashes: new Set(hint.map((word) => bench.seal.hash(word))) };
    const { instead, operations } = await takeOut(
      bench.catalog.segments,
      wanted,
      stretchesOf(true),
    );
    await bench.catalog.change(instead, undefined, async (manifest) => {
      await bench.store.write([...operations, manifest], { sync: false });
      return true;
    });
    return operations.map(({ key }) => key);
  };

  it('takes out every word of them and none of others, whatever the words are thought to be', async () => {
    const text = fc
      .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 6 })
      .map((words) => words.join(' '));
    const one = fc.record({ room: fc.nat({ max: 2 }), text, isGone: fc.boolean() });
    const parts = fc.array(fc.array(one, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(parts, fc.subarray(WORDS), async (all, hint) => {
        const bench = await IndexBench.open();
        const gone: IndexedText[] = [];
        const left: Record<string, string[]> = {};
        let position = 0;
        for (const part of all) {
          const messages = part.map(({ room, text: said, isGone }) => {
            const own = message(room, position++, said);
            if (isGone) gone.push(own);
            else
              for (const word of new Set(said.split(' ')))
                (left[word] ??= []).push(`${room}/${own.position}`);
            return own;
          });
          await bench.add(messages);
        }
        await remove(bench, gone, hint);
        const sorted = (words: Record<string, string[]>): [string, string[]][] =>
          Object.entries(words)
            .map(([word, places]): [string, string[]] => [word, places.toSorted()])
            .sort();
        assert.deepEqual(sorted(bench.words(WORDS)), sorted(left));
        for (const segment of bench.catalog.segments) {
          const again = Segment.read({ store: bench.store, seal: bench.seal }, segment.id);
          for (const word of WORDS)
            assert.equal(
              again.frequency(bench.seal.hash(word)),
              segment.frequency(bench.seal.hash(word)),
            );
        }
      }),
    );
  });

  it('rewrites few pages where the words are known, and leaves no hash of a word behind', async () => {
    const bench = await IndexBench.open();
    const texts = Array.from({ length: 3_000 }, (_, n) => `word${n} other${n} all`);
    const segment = await bench.add(texts.map((text, n) => message(1, n, text)));
    assert.ok(segment.pages > 6);
    // The first word of a page: its hash is in the header too.
    const names = new Map(
      texts.flatMap((text, n) => text.split(' ').map((word) => [bench.seal.hash(word), n])),
    );
    const hash = segment.firstOf(3);
    const n = names.get(hash)!;
    const keys = await remove(bench, [message(1, n, '')], [...texts[n]!.split(' ')]);
    assert.ok(keys.length <= 6, keys.join());
    const [now] = bench.catalog.segments;
    assert.notEqual(now!.firstOf(3), hash);
    assert.equal(now!.frequency(hash), 0);
    const stored = Segment.read({ store: bench.store, seal: bench.seal }, segment.id);
    assert.equal(stored.firstOf(3), now!.firstOf(3));
    // All others are found as before.
    for (const [other, at] of names)
      if (at !== n && at % 50 === 0)
        assert.equal(stored.frequency(other), other === bench.seal.hash('all') ? 2_999 : 1);
  });

  it('empties pages and a whole segment', async () => {
    const bench = await IndexBench.open();
    const texts = Array.from({ length: 2_000 }, (_, n) => `word${n}`);
    const messages = texts.map((text, n) => message(1, n, text));
    await bench.add(messages);
    await bench.add([message(2, 7, 'word7')]);
    const [first] = bench.catalog.segments;
    assert.ok(first!.pages > 2);
    await remove(bench, messages.slice(0, -1), []);
    assert.deepEqual(bench.words(texts), { word1999: ['1/1999'], word7: ['2/7'] });
    const [now] = bench.catalog.segments;
    assert.equal(now!.frequency(bench.seal.hash('word1999')), 1);
    assert.equal(now!.frequency(bench.seal.hash('word7')), 0);
    const gone = new Set(texts.slice(0, -1).map((word) => bench.seal.hash(word)));
    const firsts = Array.from({ length: now!.pages }, (_, page) => now!.firstOf(page));
    assert.deepEqual(
      firsts.filter((hash) => gone.has(hash)),
      [],
    );
    assert.deepEqual(
      firsts,
      firsts.toSorted((a, b) => a - b),
    );
    await remove(bench, messages.slice(-1), ['word1999']);
    assert.deepEqual(bench.words(texts), { word7: ['2/7'] });
  });

  it('does nothing where there is nothing of them', async () => {
    const bench = await IndexBench.open();
    await bench.add([message(1, 0, 'ant')]);
    assert.deepEqual(await remove(bench, [], ['ant']), []);
    assert.deepEqual(await remove(bench, [message(1, 1, ''), message(2, 0, '')], ['ant']), []);
    await remove(bench, [message(1, 0, '')], ['ant']);
    assert.deepEqual(await remove(bench, [message(1, 0, '')], ['ant']), [], 'a second time');
  });
});
