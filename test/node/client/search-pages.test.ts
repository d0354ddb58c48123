import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  levelIn,
  LEVELS,
  messageOf,
  packed,
  PAGE_BYTES,
  PageReader,
  PageWriter,
  PIECE_POSTINGS,
} from '../../../lib/node/client/search-pages.ts';

const message = fc.nat({ max: 2 ** 24 });
const posting = fc.tuple(message, fc.nat({ max: LEVELS - 1 }));
const piece = fc.record({
  hash: fc.nat({ max: 2 ** 48 - 1 }),
  postings: fc
    .uniqueArray(posting, { selector: ([of]) => of, minLength: 1, maxLength: 50 })
    .map((all) => all.sort(([a], [b]) => a - b).map(([of, level]) => packed(of, level))),
});

function read(page: Uint8Array): { hash: number; postings: number[] }[] {
  const pieces: { hash: number; postings: number[] }[] = [];
  const postings = new Uint32Array(PIECE_POSTINGS);
  for (const reader = new PageReader(page); reader.next();) {
    const { hash } = reader;
    // Those that are passed by do not have to be read.
    const count = hash % 2 === 0 ? reader.count : reader.into(postings);
    pieces.push({ hash, postings: hash % 2 === 0 ? [] : [...postings.subarray(0, count)] });
  }
  return pieces;
}

describe('pages of postings', () => {
  it('pack a message and a level', () => {
    fc.assert(
      fc.property(posting, ([of, level]) => {
        assert.equal(messageOf(packed(of, level)), of);
        assert.equal(levelIn(packed(of, level)), level);
      }),
    );
  });

  it('give back what was written', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const writer = new PageWriter();
        for (const { hash, postings } of pieces) writer.add(hash, postings, 0, postings.length);
        const expected = pieces.map(({ hash, postings }) => ({
          hash,
          postings: hash % 2 === 0 ? [] : postings,
        }));
        assert.deepEqual(read(writer.take()), expected);
        assert.equal(writer.length, 0);
      }),
    );
  });

  it('copy pieces from others', () => {
    const writer = new PageWriter();
    for (const hash of [1, 3, 5]) writer.add(hash, [packed(hash, 1), packed(hash + 9, 2)], 0, 2);
    const reader = new PageReader(Uint8Array.from(writer.take()));
    while (reader.next()) if (reader.hash !== 3) writer.copy(reader);
    assert.deepEqual(read(writer.take()), [
      { hash: 1, postings: [packed(1, 1), packed(10, 2)] },
      { hash: 5, postings: [packed(5, 1), packed(14, 2)] },
    ]);
  });

  it('take the greatest piece when they are almost full', () => {
    const writer = new PageWriter();
    let hash = 1;
    while (writer.length < PAGE_BYTES - 1) {
      const room = PAGE_BYTES - 1 - writer.length;
      if (room < 9) break;
      writer.add((hash += 2), [packed(0, 7)], 0, 1);
    }
    assert.ok(!writer.isFull);
    const far = Array.from({ length: PIECE_POSTINGS }, (_, n) => packed(n * 4_000, n % LEVELS));
    writer.add(2 ** 48 - 1, far, 0, far.length);
    assert.ok(writer.isFull);
    assert.deepEqual(read(writer.take()).at(-1), { hash: 2 ** 48 - 1, postings: far });
  });

  it('write a part of what there is', () => {
    const writer = new PageWriter();
    const postings = [1, 2, 3, 4, 5].map((of) => packed(of * 100, 3));
    writer.add(7, postings, 1, 4);
    assert.deepEqual(read(writer.take()), [{ hash: 7, postings: postings.slice(1, 4) }]);
  });
});
