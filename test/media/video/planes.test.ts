import assert from 'node:assert/strict';
import fc from 'fast-check';
import { scalePlane } from '../../../lib/media/video/planes.ts';
import { randomNumbers } from './pictures.ts';

function randomPlane(width: number, height: number, seed: number, start = 0) {
  const next = randomNumbers(seed);
  const data = Uint8Array.from({ length: start + width * height }, () => next() * 256);
  return { data, start, width, height };
}

function scaled(from: ReturnType<typeof randomPlane>, width: number, height: number): Uint8Array {
  const data = new Uint8Array(width * height);
  scalePlane(from, { data, start: 0, stride: width, width, height });
  return data;
}

/** How much of each of so many pixels there is in the one at `x`. */
function shares(from: number, to: number, x: number): number[] {
  const parts = Array.from({ length: from }, () => 0);
  if (to > from) {
    const middle = Math.min(from - 1, Math.max(0, ((x + 0.5) * from) / to - 0.5));
    const first = Math.floor(middle);
    parts[first] = 1 - (middle - first);
    if (first + 1 < from) parts[first + 1] = middle - first;
    return parts;
  }
  const [left, right] = [(x * from) / to, ((x + 1) * from) / to];
  return parts.map(
    (_, n) => Math.max(0, Math.min(right, n + 1) - Math.max(left, n)) / (right - left),
  );
}

/** The same, as it is defined. */
function byDefinition(
  { data, start, width, height }: ReturnType<typeof randomPlane>,
  newWidth: number,
  newHeight: number,
): number[] {
  const rows = Array.from({ length: newHeight }, (_, y) => shares(height, newHeight, y));
  const columns = Array.from({ length: newWidth }, (_, x) => shares(width, newWidth, x));
  return rows.flatMap((downs) =>
    columns.map((acrosses) =>
      downs.reduce(
        (sum, down, y) =>
          down === 0
            ? sum
            : sum +
              acrosses.reduce(
                (line, across, x) => line + across * down * data[start + y * width + x]!,
                0,
              ),
        0,
      ),
    ),
  );
}

const side = fc.integer({ min: 1, max: 40 });

describe('a plane of a picture', () => {
  it('becomes smaller by the mean of what each pixel covers, and larger linearly', () => {
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.nat(),
        fc.nat(3),
        (w, h, width, height, seed, start) => {
          const from = randomPlane(w, h, seed, start);
          const expected = byDefinition(from, width, height);
          // Weights of rows have 8 bits: of dozens of rows, each is off by a little.
          scaled(from, width, height).forEach((value, n) =>
            assert.ok(Math.abs(value - expected[n]!) <= 4, `${value} for ${expected[n]} at ${n}`),
          );
        },
      ),
    );
  });

  it('stays as bright as it was', () => {
    const mean = (values: Uint8Array): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const [width, height] of [
      [30, 30],
      [15, 40],
      [60, 60],
      [50, 50],
      [33, 33],
      [150, 130],
    ] as const) {
      const from = randomPlane(100, 100, width);
      const change = mean(scaled(from, width, height)) - mean(from.data);
      assert.ok(Math.abs(change) < 0.3, `${width}×${height}: ${change}`);
    }
  });

  it('is averaged exactly where pixels become whole blocks of them', () => {
    for (const [across, down] of [
      [2, 2],
      [4, 4],
      [4, 5],
      [6, 1],
      [8, 3],
      [2, 64],
    ] as const)
      for (const start of [0, 1, 2, 3]) {
        const from = randomPlane(10 * across, 6 * down, across + down, start);
        const expected = byDefinition(from, 10, 6);
        scaled(from, 10, 6).forEach((value, n) =>
          assert.ok(Math.abs(value - expected[n]!) <= 0.5001, `${across}×${down}`),
        );
      }
  });

  it('stays as it is in its own size', () => {
    const from = randomPlane(33, 17, 1, 5);
    assert.deepEqual(scaled(from, 33, 17), from.data.subarray(5));
  });

  it('of one colour keeps it exactly, in whatever size', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.nat(255), (w, h, width, height, value) => {
        const from = { data: new Uint8Array(w * h).fill(value), start: 0, width: w, height: h };
        assert.ok(scaled(from, width, height).every((one) => one === value));
      }),
    );
  });

  it('does not overflow where thousands of rows become few', () => {
    for (const [height, rows] of [
      [4_320, 2],
      [4_320, 16],
      [4_096, 16],
      [4_319, 7],
    ] as const) {
      const from = { data: new Uint8Array(8 * height).fill(255), start: 0, width: 8, height };
      for (const width of [2, 3, 4])
        assert.ok(
          scaled(from, width, rows).every((value) => value === 255),
          `${height} to ${rows}`,
        );
    }
  });

  it('is drawn where it belongs and nowhere else', () => {
    for (const [width, height] of [
      [4, 4],
      [16, 16],
      [7, 9],
      [20, 3],
    ] as const) {
      const data = new Uint8Array(40 * 30).fill(9);
      const from = { data: new Uint8Array(256).fill(200), start: 0, width: 16, height: 16 };
      scalePlane(from, { data, start: 5 * 40 + 11, stride: 40, width, height });
      data.forEach((value, n) => {
        const [x, y] = [(n % 40) - 11, Math.floor(n / 40) - 5];
        const isInside = x >= 0 && x < width && y >= 0 && y < height;
        assert.equal(value, isInside ? 200 : 9, `${x}, ${y}`);
      });
    }
  });
});
