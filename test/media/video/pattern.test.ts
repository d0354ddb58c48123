import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../lib/errors.ts';
import { pictureBytes, type VideoFrame } from '../../../lib/media/frames.ts';
import { drawPattern, patternColours, readPattern } from '../../../lib/media/video/pattern.ts';
import { scale } from '../../../lib/media/video/scale.ts';
import { ffmpeg, FFMPEG_MS } from './ffmpeg.ts';
import { flatPicture, randomPicture, withBlocks, withNoise } from './pictures.ts';

const NOW = 1_795_358_679_222;

function pattern(width: number, height: number, number = 1, time = NOW): VideoFrame {
  return { width, height, data: drawPattern(width, height, number, time), time };
}

/** How far the worst of the colours is off. */
function worstColour(frame: VideoFrame): number {
  const colours = patternColours(frame);
  assert.equal(colours.length, 8);
  return Math.max(
    ...colours.flatMap(({ drawn, seen }) =>
      (['luma', 'blue', 'red'] as const).map((part) => Math.abs(seen[part] - drawn[part])),
    ),
  );
}

const number = fc.integer({ min: 0, max: 2 ** 24 - 1 });
const time = fc.oneof(fc.integer({ min: 0, max: 2 ** 44 - 1 }), fc.constantFrom(0, 2 ** 44 - 1));
const width = fc.integer({ min: 80, max: 700 });
const height = fc.integer({ min: 48, max: 500 });
const seed = fc.nat();

describe('the test pattern', () => {
  it('bears its number and its time, in whatever size', () => {
    fc.assert(
      fc.property(width, height, number, time, (width, height, number, time) => {
        const frame = pattern(width, height, number, time);
        assert.equal(frame.data.length, pictureBytes(width, height));
        assert.deepEqual(readPattern(frame), { number, time });
      }),
    );
  });

  it('is read when it has become noisy', () => {
    fc.assert(
      fc.property(width, height, number, time, seed, (width, height, number, time, seed) => {
        const frame = withNoise(pattern(width, height, number, time), 20, seed);
        assert.deepEqual(readPattern(frame), { number, time });
      }),
    );
  });

  it('is read when it has become smaller or larger, and stretched', () => {
    fc.assert(
      fc.property(width, height, width, height, number, time, (w, h, newWidth, newHeight, n, t) => {
        const frame = scale(
          pattern(w, h, n, t),
          newWidth + (newWidth % 2),
          newHeight + (newHeight % 2),
        );
        assert.deepEqual(readPattern(frame), { number: n, time: t });
      }),
    );
  });

  it('is read when all that was done to it', () => {
    fc.assert(
      fc.property(number, time, seed, (number, time, seed) => {
        for (const [width, height] of [
          [640, 480],
          [320, 240],
          [160, 96],
        ] as const) {
          const sent = withNoise(pattern(width, height, number, time), 20, seed);
          assert.deepEqual(readPattern(scale(sent, 80, 48)), { number, time });
        }
      }),
    );
  });

  it('is read when compression has left blocks of it', () => {
    for (const [width, height, step] of [
      [320, 240, 60],
      [160, 96, 40],
      [80, 48, 20],
    ] as const)
      for (let n = 0; n < 20; n++) {
        const frame = withBlocks(pattern(width, height, n * 838_861, NOW + n * 66), step);
        assert.notDeepEqual(frame.data, pattern(width, height, n * 838_861, NOW + n * 66).data);
        assert.deepEqual(
          readPattern(frame),
          { number: n * 838_861, time: NOW + n * 66 },
          `${width}×${height}`,
        );
      }
  });

  it('goes through VP8 at 60 kbit/s, with its colours', () => {
    const [width, height, fps, count] = [160, 96, 15, 45];
    const format = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`];
    const sent = Array.from({ length: count }, (_, n) =>
      drawPattern(width, height, n, NOW + Math.round((n * 1_000) / fps)),
    );
    const coded = ffmpeg(
      [...format, '-r', `${fps}`, '-i', '-', '-c:v', 'libvpx', '-deadline', 'realtime']
        .concat(['-cpu-used', '8', '-b:v', '60k', '-maxrate', '60k', '-bufsize', '30k'])
        .concat(['-f', 'ivf', '-']),
      Buffer.concat(sent),
    );
    assert.ok((coded.length * 8) / (count / fps) < 90_000, `${coded.length} bytes`);
    const decoded = ffmpeg(['-f', 'ivf', '-i', '-', ...format.slice(0, 4), '-'], coded);
    const bytes = pictureBytes(width, height);
    const frames = Array.from({ length: decoded.length / bytes }, (_, n) => ({
      ...{ width, height, time: 0 },
      data: decoded.subarray(n * bytes, (n + 1) * bytes),
    }));
    assert.ok(frames.length > count / 2, `${frames.length} pictures`);
    for (const frame of frames) {
      const read = readPattern(frame);
      assert.ok(read !== undefined);
      assert.equal(read.time, NOW + Math.round((read.number * 1_000) / fps));
      assert.deepEqual(readPattern(scale(frame, 80, 48)), read);
      assert.ok(worstColour(frame) <= 25, `${worstColour(frame)} off`);
    }
  }).timeout(3 * FFMPEG_MS);

  it('moves', () => {
    const [first, second] = [pattern(160, 96, 5).data, pattern(160, 96, 6).data];
    const strip = (data: Uint8Array) => data.subarray(160 * 16, 160 * 32);
    assert.notDeepEqual(strip(first), strip(second));
    assert.deepEqual(strip(first), strip(pattern(160, 96, 125).data));
  });

  it('is drawn anew each time', () => {
    const first = drawPattern(80, 48, 1, NOW);
    const before = first.slice();
    first.fill(0);
    assert.deepEqual(drawPattern(80, 48, 1, NOW), before);
    // Sizes that are many are drawn as well as few.
    for (let width = 80; width < 100; width++)
      assert.deepEqual(readPattern(pattern(width, 48, width)), { number: width, time: NOW });
  });

  it('bears the lowest bits of what is too large for it', () => {
    assert.deepEqual(readPattern(pattern(80, 48, 2 ** 24 + 3, 2 ** 44 + 7)), {
      number: 3,
      time: 7,
    });
    assert.deepEqual(readPattern(pattern(80, 48, 1, 1_000.6)), { number: 1, time: 1_001 });
  });

  it('is refused in a size that no picture has', () => {
    for (const [width, height] of [
      [0, 48],
      [80, -1],
      [80.5, 48],
      [9_000, 48],
    ] as const)
      assert.throws(
        () => drawPattern(width, height, 1, NOW),
        (error) => hasCode(error, 'BAD_MESSAGE'),
      );
  });
});

describe('what is not the test pattern', () => {
  it('is not read: pictures of one colour', () => {
    for (let luma = 0; luma <= 255; luma++)
      assert.equal(readPattern(flatPicture(160, 96, luma)), undefined);
  });

  it('is not read: pictures of anything', () => {
    for (let seed = 0; seed < 300; seed++)
      assert.equal(readPattern(randomPicture(80, 48, seed)), undefined, `${seed}`);
  });

  it('is not read: pictures of light and dark in large pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        fc.constantFrom(2, 3, 5, 6),
        (pieces, columns) => {
          const frame = flatPicture(160, 96, 40);
          for (let y = 0; y < 96; y++)
            for (let x = 0; x < 160; x++) {
              const piece = Math.floor((y * 5) / 96) * columns + Math.floor((x * columns) / 160);
              if (pieces[piece] === true) frame.data[y * 160 + x] = 208;
            }
          assert.equal(readPattern(frame), undefined);
        },
      ),
    );
  });

  it('is not read: a pattern of which cells are wrong', () => {
    const frame = pattern(140, 90);
    // Cells of 10×10 from a third of the height on.
    const flipped = (cells: readonly number[]): VideoFrame => {
      const data = frame.data.slice();
      for (const cell of cells)
        for (let y = 0; y < 10; y++)
          for (let x = 0; x < 10; x++) {
            const at = (30 + Math.floor(cell / 14) * 10 + y) * 140 + (cell % 14) * 10 + x;
            data[at] = data[at]! > 124 ? 40 : 208;
          }
      return { ...frame, data };
    };
    assert.deepEqual(readPattern(flipped([])), { number: 1, time: NOW });
    for (let one = 0; one < 84; one++) {
      assert.equal(readPattern(flipped([one])), undefined, `${one}`);
      for (let other = one + 1; other < 84; other += 5)
        assert.equal(readPattern(flipped([one, other])), undefined, `${one}, ${other}`);
    }
  });

  it('is not read: a pattern that has faded away', () => {
    const faint = pattern(160, 96);
    for (let n = 0; n < 160 * 96; n++) faint.data[n] = 100 + Math.round(0.2 * faint.data[n]!);
    assert.equal(readPattern(faint), undefined);
  });

  it('is not read: pictures that are too small, or none at all', () => {
    assert.equal(readPattern(pattern(78, 48)), undefined);
    assert.equal(readPattern(pattern(80, 46)), undefined);
    const frame = pattern(160, 96);
    assert.equal(readPattern({ ...frame, data: frame.data.subarray(1) }), undefined);
    assert.equal(readPattern({ ...frame, height: NaN }), undefined);
    assert.deepEqual(patternColours({ ...frame, data: new Uint8Array(0) }), []);
  });
});

describe('the colours of the test pattern', () => {
  it('are there in whatever size', () => {
    fc.assert(
      fc.property(width, height, (width, height) => {
        assert.ok(worstColour(pattern(width, height)) < 2);
      }),
    );
  });

  it('are there when it has become smaller', () => {
    for (const [width, height] of [
      [160, 96],
      [128, 96],
      [80, 48],
    ] as const)
      assert.ok(worstColour(scale(pattern(640, 480), width, height)) < 3, `${width}×${height}`);
  });

  it('are known to be wrong when they are', () => {
    const grey = pattern(160, 96);
    grey.data.fill(128, 160 * 96);
    assert.ok(worstColour(grey) > 60);
    const { data, ...rest } = pattern(160, 96);
    const swapped = Buffer.concat([
      data.subarray(0, 160 * 96),
      data.subarray(160 * 120),
      data.subarray(160 * 96, 160 * 120),
    ]);
    assert.ok(worstColour({ ...rest, data: swapped }) > 60);
    // Number and time are read all the same.
    assert.deepEqual(readPattern(grey), { number: 1, time: NOW });
  });
});
