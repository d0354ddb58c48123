import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Bitmap, bitmapBytes } from '../../../lib/node/blobs/bitmap.ts';

describe('a bitmap of chunks', () => {
  it('knows what was set, like a set of numbers', () => {
    const steps = fc.array(fc.tuple(fc.nat(60), fc.boolean()));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), steps, (length, changes) => {
        const bitmap = new Bitmap(length);
        const model = new Set<number>();
        for (const [index, isThere] of changes.filter(([at]) => at < length)) {
          bitmap.set(index, isThere);
          if (isThere) model.add(index);
          else model.delete(index);
        }
        const all = Array.from({ length }, (_, index) => index);
        for (const index of [...all, length, length + 9])
          assert.equal(bitmap.has(index), model.has(index));
        assert.equal(bitmap.count, model.size);
        assert.equal(bitmap.isFull, model.size === length);
        assert.deepEqual(
          bitmap.missing(),
          all.filter((index) => !model.has(index)),
        );
        assert.deepEqual(new Bitmap(length, bitmap.toBytes()).missing(), bitmap.missing());
      }),
    );
  });

  it('takes bytes of the right length only, and nothing of what is beyond the last', () => {
    assert.equal(bitmapBytes(0), 0);
    assert.equal(bitmapBytes(8), 1);
    assert.equal(bitmapBytes(9), 2);
    for (const length of [0, 1, 3])
      assert.throws(() => new Bitmap(9, new Uint8Array(length)), { code: 'BAD_MESSAGE' });
    const bitmap = new Bitmap(9, Uint8Array.of(0, 0x7f));
    assert.equal(bitmap.count, 0);
    assert.equal(bitmap.has(9), false);
    assert.ok(new Bitmap(9, Uint8Array.of(0xff, 0x80)).isFull);
  });

  it('is full of nothing, and of all', () => {
    assert.ok(new Bitmap(0).isFull);
    for (const length of [0, 1, 8, 13]) assert.ok(Bitmap.full(length).isFull);
    assert.equal(Bitmap.full(13).count, 13);
  });

  it('gives its bytes away, not itself', () => {
    const bitmap = new Bitmap(3);
    bitmap.toBytes().fill(0xff);
    assert.equal(bitmap.count, 0);
  });
});
