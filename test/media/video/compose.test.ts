import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../lib/errors.ts';
import { frameTime, pictureBytes, type VideoFrame } from '../../../lib/media/frames.ts';
import { compose } from '../../../lib/media/video/compose.ts';
import { flatPicture, pixel } from './pictures.ts';

interface Found {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly count: number;
}

/** Where luma has that value. */
function find(frame: VideoFrame, luma: number): Found | undefined {
  let [left, right, top, bottom, count] = [Infinity, -1, Infinity, -1, 0];
  for (let y = 0; y < frame.height; y++)
    for (let x = 0; x < frame.width; x++)
      if (pixel(frame, x, y) === luma) {
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
        count++;
      }
  if (count === 0) return undefined;
  return { left, top, width: right - left + 1, height: bottom - top + 1, count };
}

describe('pictures in one', () => {
  it('are all there, whole, of their own proportions and in their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 8, max: 60 }), fc.integer({ min: 8, max: 60 })), {
          minLength: 1,
          maxLength: 16,
        }),
        (sizes) => {
          const tiles = sizes.map(([width, height], n) => flatPicture(width, height, 60 + 10 * n));
          const whole = compose(tiles, 320, 240);
          let before = { left: -1, top: -1 };
          for (const [n, { width, height }] of tiles.entries()) {
            const found = find(whole, 60 + 10 * n);
            assert.ok(found !== undefined, `the picture ${n} is missing`);
            assert.equal(found.count, found.width * found.height, `something is on picture ${n}`);
            // Each side may be off by the rounding to an even number.
            const off = Math.abs(found.width * height - found.height * width);
            assert.ok(off <= 2 * (width + height), `it is ${found.width}×${found.height}`);
            // Pictures of different heights in a row begin at different heights, but none where
            // the one before it in the row is.
            const isBeside = found.left > before.left;
            assert.ok(isBeside || found.top > before.top, 'it is out of order');
            before = found;
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are as large as the place lets them be', () => {
    const one = find(compose([flatPicture(160, 120, 200)], 640, 360), 200);
    assert.deepEqual(one, { left: 80, top: 0, width: 480, height: 360, count: 480 * 360 });
    const two = [flatPicture(320, 240, 150), flatPicture(320, 240, 200)];
    assert.equal(find(compose(two, 640, 360), 200)?.width, 320);
    const four = [120, 140, 160, 180].map((luma) => flatPicture(64, 36, luma));
    for (const [n, { luma }] of [120, 140, 160, 180].map((luma) => ({ luma })).entries())
      assert.deepEqual(find(compose(four, 640, 360), luma), {
        left: n % 2 === 0 ? 0 : 320,
        top: n < 2 ? 0 : 180,
        width: 320,
        height: 180,
        count: 320 * 180,
      });
  });

  it('stand in the middle of a row that is not full', () => {
    const tiles = [120, 140, 160].map((luma) => flatPicture(64, 48, luma));
    assert.deepEqual(find(compose(tiles, 640, 480), 160), {
      ...{ left: 160, top: 240, width: 320, height: 240 },
      count: 320 * 240,
    });
  });

  it('keep their colours', () => {
    const whole = compose(
      [flatPicture(32, 24, 100, 60, 200), flatPicture(32, 24, 90, 210, 50)],
      64,
      24,
    );
    assert.deepEqual([pixel(whole, 4, 12), pixel(whole, 60, 12)], [100, 90]);
    const chroma = 64 * 24 + 6 * 32;
    assert.deepEqual([whole.data[chroma + 2], whole.data[chroma + 30]], [60, 210]);
    assert.deepEqual([whole.data[chroma + 386], whole.data[chroma + 414]], [200, 50]);
  });

  it('have a plain tile for each who has none, apart from the next', () => {
    const whole = compose([undefined, undefined], 128, 48);
    const grey = find(whole, 48);
    assert.ok(grey !== undefined);
    assert.equal(pixel(whole, 32, 24), 48);
    assert.equal(pixel(whole, 96, 24), 48);
    assert.equal(pixel(whole, 64, 24), 16);
    assert.ok(whole.data.subarray(128 * 48).every((value) => value === 128));
  });

  it('are black where there is nobody', () => {
    const before = frameTime();
    const whole = compose([], 64, 48);
    assert.deepEqual(whole.data, flatPicture(64, 48, 16).data);
    assert.ok(whole.time >= before);
  });

  it('bear the time of the newest', () => {
    const tiles = [10, 30, 20].map((time) => ({ ...flatPicture(16, 16, 99), time }));
    assert.equal(compose([undefined, ...tiles], 160, 120).time, 30);
  });

  it('are as many as there is room for, 64 at most', () => {
    const tiles = Array.from({ length: 70 }, (_, n) => flatPicture(16, 16, 60 + n));
    const whole = compose(tiles, 640, 480);
    for (let n = 0; n < 70; n++)
      assert.equal(find(whole, 60 + n) !== undefined, n < 64, `picture ${n}`);
    assert.equal(compose(tiles, 16, 16).data.length, pictureBytes(16, 16));
    assert.equal(compose(tiles, 2, 2).data.length, pictureBytes(2, 2));
  });

  it('are an even picture', () => {
    const { width, height, data } = compose([flatPicture(33, 21, 99)], 101, 77);
    assert.deepEqual([width, height, data.length], [100, 76, pictureBytes(100, 76)]);
  });

  it('are refused with one among them that is none, and in a size that none has', () => {
    const good = flatPicture(16, 16, 99);
    const bad = { ...good, data: good.data.subarray(1) };
    for (const run of [
      () => compose([good, bad], 64, 48),
      () => compose([good], 0, 48),
      () => compose([good], 64, 9_000),
    ])
      assert.throws(run, (error) => hasCode(error, 'BAD_MESSAGE'));
  });
});
