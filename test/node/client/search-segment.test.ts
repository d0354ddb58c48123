import assert from 'node:assert/strict';
import { openMemoryStore } from '../../../lib/crdt/store-memory.ts';
import type { StreamName } from '../../../lib/crdt/stream.ts';
import {
  levelIn,
  messageOf,
  packed,
  PIECE_POSTINGS,
} from '../../../lib/node/client/search-pages.ts';
import { SearchSeal } from '../../../lib/node/client/search-seal.ts';
import {
  Segment,
  segmentRange,
  SegmentWriter,
  type SegmentBase,
} from '../../../lib/node/client/search-segment.ts';
import { roomNumber } from '../../support/search-stage.ts';
import { collect } from '../../support/store-contract.ts';

describe('a segment of the search index', () => {
  const base: SegmentBase = {
    store: openMemoryStore(),
    seal: new SearchSeal(new Uint8Array(32).fill(1)),
  };
  const MESSAGES = 10_000;
  const one = { name: roomNumber(1), generation: 0 };
  const other = { name: roomNumber(2), generation: 3 };
  /** Hash by hash, in which messages a word is. */
  const words = new Map<number, number[]>([
    // In every message: over many pieces and pages.
    [50, Array.from({ length: MESSAGES }, (_, n) => n)],
    [51, [7]],
    [2 ** 47, Array.from({ length: 3_000 }, (_, n) => n * 3)],
  ]);
  // Very many words before and after: over many pages.
  for (let n = 0; n < 3_000; n++) words.set(100 + n * 1_000, [n, n + 1, 9_999]);
  let segment: Segment;

  before(async () => {
    const writer = new SegmentWriter(base, 3);
    for (let n = 0; n < MESSAGES; n++) {
      const place = { position: n * 2, words: (n % 500) + 1 };
      assert.equal(writer.message(n % 3 === 0 ? one : other, place, n * 1_000 + 999), n);
    }
    for (const hash of [...words.keys()].sort((a, b) => a - b)) {
      writer.word(
        hash,
        words.get(hash)!.map((of) => packed(of, of % 8)),
      );
      if (hash % 7 === 0) await base.store.write(writer.take(), { sync: false });
    }
    const { operations } = writer.finish();
    await base.store.write(operations, { sync: false });
    segment = Segment.read(base, 3);
  });

  /** In which messages a word is, by its pieces. */
  const messagesOf = (hash: number): number[] => {
    const found: number[] = [];
    const postings = new Uint32Array(PIECE_POSTINGS);
    const [from, until] = segment.pagesOf(hash);
    for (let page = from; page < until; page++)
      for (const reader = segment.page(page); reader.next();) {
        if (reader.hash !== hash) continue;
        for (const posting of postings.subarray(0, reader.into(postings))) {
          assert.equal(levelIn(posting), messageOf(posting) % 8);
          found.push(messageOf(posting));
        }
      }
    return found;
  };

  it('tells in which messages a word is', () => {
    assert.ok(segment.pages > 5);
    for (const [hash, messages] of words) {
      if (hash % 5_000 > 1_000) continue;
      assert.deepEqual(messagesOf(hash), messages, `${hash}`);
      assert.equal(segment.frequency(hash), messages.length);
    }
  });

  it('tells of a word that is in none', () => {
    for (const hash of [0, 1, 49, 52, 101, 2 ** 46, 2 ** 48 - 1]) {
      assert.deepEqual(messagesOf(hash), [], `${hash}`);
      assert.equal(segment.frequency(hash), 0);
    }
  });

  it('tells where and when messages were written', () => {
    assert.equal(segment.messages, MESSAGES);
    assert.deepEqual(segment.streams, [one, other]);
    const [placeOf, timeOf] = [segment.places(), segment.times()];
    for (const n of [0, 1, 4_095, 4_096, 8_191, 8_192, 9_999, 3]) {
      const stream = n % 3 === 0 ? 0 : 1;
      assert.deepEqual(placeOf(n), { stream, position: n * 2, words: (n % 500) + 1 });
      assert.equal(timeOf(n), n);
    }
  });

  it('takes a time and a position of any size', async () => {
    const writer = new SegmentWriter(base, 4);
    const far = Number.MAX_SAFE_INTEGER;
    writer.message(one, { position: far, words: 1 }, far);
    const { segment: small, operations } = writer.finish();
    await base.store.write(operations, { sync: false });
    assert.equal(small.places()(0).position, far);
    assert.equal(small.times()(0), 2 ** 32 - 1);
    assert.equal(small.pages, 0);
    assert.equal(small.frequency(50), 0);
  });

  it('lists its keys, all of which are in its range', async () => {
    const keys = (await collect(base.store, segmentRange(3, 4))).map(([key]) => key);
    assert.deepEqual([...segment.keys()].sort(), keys);
    assert.ok(keys.length > 10);
  });

  it('is nowhere to be read', async () => {
    const [, ...values] = (await collect(base.store, segmentRange(3, 4))).map(([, value]) => value);
    const name: StreamName = one.name;
    for (const value of values) assert.ok(!Buffer.from(value).includes(name.slice(5)));
  });

  it('lets messages go', async () => {
    const writer = new SegmentWriter(base, 5);
    for (let n = 0; n < 5_000; n++) writer.message(one, { position: n, words: 2 }, 0);
    const { segment: own, operations } = writer.finish();
    await base.store.write(operations, { sync: false });
    await base.store.write(own.withoutMessages([1, 4_999]), { sync: false });
    const placeOf = own.places();
    const left = Array.from({ length: 5_000 }, (_, n) => n).filter((n) => placeOf(n).words > 0);
    assert.equal(left.length, 4_998);
    assert.ok(!left.includes(1) && !left.includes(4_999));
    assert.deepEqual(placeOf(1), { stream: 0, position: 0, words: 0 });
  });

  it('is damaged where something is missing', async () => {
    const writer = new SegmentWriter(base, 6);
    writer.message(one, { position: 0, words: 1 }, 0);
    const { segment: own, operations } = writer.finish();
    assert.throws(() => Segment.read(base, 6), { code: 'DATA_CORRUPT' });
    await base.store.write(operations.slice(-1), { sync: false });
    assert.throws(() => own.places()(0), { code: 'DATA_CORRUPT' });
  });
});
