/** Pictures for tests, and what befalls them on their way. */
import { pictureBytes, type VideoFrame } from '../../../lib/media/frames.ts';

/** Numbers from 0 to below 1, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function flatPicture(
  width: number,
  height: number,
  luma: number,
  blue = 128,
  red = 128,
): VideoFrame {
  const data = new Uint8Array(pictureBytes(width, height)).fill(luma);
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
  data.fill(blue, width * height, width * height + chroma);
  data.fill(red, width * height + chroma);
  return { width, height, data, time: 1_000 };
}

export function randomPicture(width: number, height: number, seed: number): VideoFrame {
  const next = randomNumbers(seed);
  const data = Uint8Array.from({ length: pictureBytes(width, height) }, () => next() * 256);
  return { width, height, data, time: 1_000 };
}

export function pixel({ width, data }: VideoFrame, x: number, y: number): number {
  return data[y * width + x]!;
}

/** Each luma sample is off by up to so much. */
export function withNoise(frame: VideoFrame, most: number, seed: number): VideoFrame {
  const next = randomNumbers(seed);
  const data = frame.data.slice();
  for (let n = 0; n < frame.width * frame.height; n++)
    data[n] = Math.max(0, Math.min(255, data[n]! + Math.round((2 * next() - 1) * most)));
  return { ...frame, data };
}

const SIDE = 8;
const COSINES = Array.from({ length: SIDE }, (_, frequency) =>
  Array.from({ length: SIDE }, (_, at) =>
    frequency === 0
      ? Math.sqrt(1 / SIDE)
      : Math.sqrt(2 / SIDE) * Math.cos((Math.PI * (2 * at + 1) * frequency) / (2 * SIDE)),
  ),
);

/** What compression leaves of luma: of each block of 8×8, frequencies in so coarse steps. */
export function withBlocks(frame: VideoFrame, step: number): VideoFrame {
  const { width, height } = frame;
  const data = frame.data.slice();
  for (let top = 0; top + SIDE <= height; top += SIDE)
    for (let left = 0; left + SIDE <= width; left += SIDE) {
      const block = Array.from({ length: SIDE }, (_, y) =>
        Array.from({ length: SIDE }, (_, x) => pixel(frame, left + x, top + y)),
      );
      const coarse = turned(block, true).map((row, down) =>
        row.map((value, across) => {
          // Higher frequencies get fewer bits.
          const by = step * (1 + down + across);
          return Math.round(value / by) * by;
        }),
      );
      turned(coarse, false).forEach((row, y) =>
        row.forEach((value, x) => {
          data[(top + y) * width + left + x] = Math.max(0, Math.min(255, Math.round(value)));
        }),
      );
    }
  return { ...frame, data };
}

/** To frequencies or back, in both directions. */
function turned(block: number[][], forward: boolean): number[][] {
  const cosine = (one: number, other: number): number =>
    forward ? COSINES[one]![other]! : COSINES[other]![one]!;
  const across = block.map((row) =>
    row.map((_, x) => row.reduce((sum, value, n) => sum + value * cosine(x, n), 0)),
  );
  return across.map((row, y) =>
    row.map((_, x) => across.reduce((sum, other, n) => sum + other[x]! * cosine(y, n), 0)),
  );
}
