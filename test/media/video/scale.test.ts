import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../lib/errors.ts';
import { pictureBytes } from '../../../lib/media/frames.ts';
import { fit, proportional, scale, scaleInto } from '../../../lib/media/video/scale.ts';
import { flatPicture, pixel, randomPicture } from './pictures.ts';

const side = fc.integer({ min: 1, max: 100 });

describe('a scaled picture', () => {
  it('has the size that was asked for, its colours and its time', () => {
    fc.assert(
      fc.property(side, side, side, side, (w, h, halfWidth, halfHeight) => {
        const [width, height] = [2 * halfWidth, 2 * halfHeight];
        const scaled = scale(flatPicture(w, h, 90, 40, 210), width, height);
        assert.deepEqual(scaled, flatPicture(width, height, 90, 40, 210));
      }),
    );
  });

  it('shows the same, smaller or larger', () => {
    const frame = flatPicture(64, 48, 20);
    for (let y = 0; y < 24; y++) frame.data.fill(220, y * 64 + 32, y * 64 + 64);
    for (const [width, height] of [
      [32, 24],
      [16, 16],
      [40, 30],
      [128, 96],
      [100, 20],
    ] as const) {
      const scaled = scale(frame, width, height);
      const at = (x: number, y: number) =>
        pixel(scaled, Math.floor(x * width), Math.floor(y * height));
      assert.deepEqual([at(0.2, 0.2), at(0.8, 0.2), at(0.2, 0.8), at(0.8, 0.8)], [20, 220, 20, 20]);
    }
  });

  it('is the same frame where it has that size already, also an odd one', () => {
    const even = flatPicture(64, 48, 1);
    assert.equal(scale(even, 64, 48), even);
    const odd = flatPicture(63, 47, 1);
    assert.equal(scale(odd, 63, 47), odd);
  });

  it('is of an even size', () => {
    const { width, height, data } = scale(flatPicture(99, 77, 50), 33, 21);
    assert.deepEqual([width, height, data.length], [32, 20, pictureBytes(32, 20)]);
    const least = scale(flatPicture(99, 77, 50), 1, 1);
    assert.deepEqual([least.width, least.height], [2, 2]);
  });

  it('does not depend on where its bytes lie in memory', () => {
    const frame = randomPicture(48, 32, 7);
    const moved = new Uint8Array(frame.data.length + 8);
    for (const [width, height] of [
      [24, 16],
      [12, 8],
      [20, 14],
      [96, 50],
    ] as const)
      for (const offset of [1, 2, 3, 4]) {
        moved.set(frame.data, offset);
        const data = moved.subarray(offset, offset + frame.data.length);
        assert.deepEqual(
          scale({ ...frame, data }, width, height).data,
          scale(frame, width, height).data,
        );
      }
  });

  it('leaves the picture that it is made of as it was', () => {
    const frame = randomPicture(48, 32, 7);
    const before = frame.data.slice();
    scale(frame, 24, 16);
    scale(frame, 100, 70);
    assert.deepEqual(frame.data, before);
  });

  it('may come from one of 8K', () => {
    const frame = flatPicture(7_680, 4_320, 77, 60, 200);
    assert.deepEqual(scale(frame, 160, 90), flatPicture(160, 90, 77, 60, 200));
  });

  it('is refused where there is none, or would be none', () => {
    const frame = flatPicture(64, 48, 1);
    const bad = [
      () => scale({ ...frame, data: frame.data.subarray(1) }, 32, 24),
      () => scale({ ...frame, data: new Uint8Array(0) }, 64, 48),
      () => scale({ ...frame, width: 65 }, 32, 24),
      () => scale({ ...frame, width: 7_682 }, 32, 24),
      () => scale(frame, 0, 24),
      () => scale(frame, 32, NaN),
      () => scale(frame, 7_680, 4_322),
    ];
    for (const [n, run] of bad.entries())
      assert.throws(run, (error) => hasCode(error, 'BAD_MESSAGE'), `${n}`);
  });

  it('is drawn into a part of another one, in all planes', () => {
    const canvas = flatPicture(40, 30, 10, 20, 30);
    scaleInto(flatPicture(16, 12, 100, 110, 120), canvas, {
      left: 8,
      top: 6,
      width: 20,
      height: 14,
    });
    const expected = (x: number, y: number, inside: number, outside: number, by: number): number =>
      x >= 8 / by && x < 28 / by && y >= 6 / by && y < 20 / by ? inside : outside;
    for (let y = 0; y < 30; y++)
      for (let x = 0; x < 40; x++)
        assert.equal(pixel(canvas, x, y), expected(x, y, 100, 10, 1), `${x}, ${y}`);
    for (let y = 0; y < 15; y++)
      for (let x = 0; x < 20; x++) {
        const at = 1_200 + y * 20 + x;
        assert.equal(canvas.data[at], expected(x, y, 110, 20, 2), `blue ${x}, ${y}`);
        assert.equal(canvas.data[at + 300], expected(x, y, 120, 30, 2), `red ${x}, ${y}`);
      }
  });
});

describe('the size that a picture gets', () => {
  it('keeps its proportions within the limit', () => {
    const cases = [
      [640, 480, 160, 96, 128, 96],
      [1_920, 1_080, 320, 240, 320, 180],
      [1_366, 768, 320, 240, 320, 180],
      [480, 640, 320, 240, 180, 240],
      [320, 240, 320, 240, 320, 240],
      [320, 240, 1_000, 1_000, 320, 240],
    ] as const;
    for (const [w, h, limitWidth, limitHeight, width, height] of cases)
      assert.deepEqual(fit(w, h, { width: limitWidth, height: limitHeight }), { width, height });
  });

  it('is at least 16×16, unless the picture is smaller', () => {
    assert.deepEqual(fit(4_000, 100, { width: 320, height: 240 }), { width: 320, height: 16 });
    assert.deepEqual(fit(640, 480, { width: 1, height: 1 }), { width: 16, height: 16 });
    assert.deepEqual(fit(8, 10, { width: 320, height: 240 }), { width: 8, height: 10 });
  });

  it('is even, within limit and picture, and of their proportions, whatever they are', () => {
    const long = fc.integer({ min: 16, max: 7_680 });
    fc.assert(
      fc.property(long, long, long, long, (w, h, width, height) => {
        const size = fit(w, h, { width, height });
        for (const [got, own, limit] of [
          [size.width, w, width],
          [size.height, h, height],
        ] as const) {
          assert.equal(got % 2, 0);
          assert.ok(got >= 16 && got <= own);
          assert.ok(got <= Math.max(16, limit));
        }
        if (Math.min(size.width, size.height) === 16) return;
        // One of them is as long as it may be, the other off by a pixel at most.
        const factor = Math.min(1, width / w, height / h);
        assert.ok(Math.abs(size.width - w * factor) <= 2, `${size.width}`);
        assert.ok(Math.abs(size.height - h * factor) <= 2, `${size.height}`);
      }),
    );
  });

  it('may be more than its own where it is to fill a place', () => {
    assert.deepEqual(proportional(160, 120, { width: 640, height: 360 }), {
      width: 480,
      height: 360,
    });
    assert.deepEqual(proportional(160, 120, { width: 641, height: 2_000 }), {
      width: 640,
      height: 480,
    });
  });
});
