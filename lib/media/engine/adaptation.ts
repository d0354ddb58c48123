/**
 * Makes pictures smaller and fewer where the network or the computer cannot keep up with them, since
 * the WebRTC library itself never makes them smaller; and larger again when it can.
 */
import type { PictureSize } from '../frames.ts';

/** How it went since the last time. */
export interface Sample {
  /** Pictures a second that were given to the encoder, and that came out of it. */
  readonly given: number;
  readonly encoded: number;
  /** Of what the other side was sent, from 0 to 1. */
  readonly fractionLost: number;
  /** Bits a second that may be sent, and that the network is thought to carry; undefined: not known. */
  readonly limit: number;
  readonly available: number | undefined;
  /** How late this process is with its own work, in milliseconds. */
  readonly lag: number;
}

/** Each step: how much of the width and height, and of the pictures a second. */
const STEPS = [
  [1, 1],
  [1, 0.8],
  [1, 0.7],
  [0.8, 0.67],
  [0.65, 0.5],
  [0.5, 0.4],
  [0.5, 0.33],
] as const;

/** Samples in a row that make it step down, and up again at first. */
const BAD_IN_A_ROW = 2;
const GOOD_IN_A_ROW = 4;
/** Most samples before it steps up again, where that has failed before. */
const MOST_GOOD = 30;

const MOST_LOST = 0.1;
const LEAST_ENCODED = 0.85;
/** Of the limit: with less the encoder makes poorer pictures first, which is no reason to make fewer. */
const LEAST_AVAILABLE = 0.4;
const MOST_LAG_MS = 120;
/** Beneath it there is nothing that could be told of. */
const LEAST_GIVEN = 2;

export class Adaptation {
  #step = 0;
  #bad = 0;
  #good = 0;
  #patience = GOOD_IN_A_ROW;
  /** It has just stepped up, and has not proved to be right. */
  #isOnTrial = false;

  /** 0: all that is wanted. */
  get step(): number {
    return this.#step;
  }

  note(sample: Sample): void {
    const [size, rate] = STEPS[this.#step]!;
    if (isBad(sample, size * size * rate)) {
      this.#good = 0;
      if (++this.#bad < BAD_IN_A_ROW) return;
      this.#bad = 0;
      this.#step = Math.min(this.#step + 1, STEPS.length - 1);
      if (this.#isOnTrial) this.#patience = Math.min(this.#patience * 2, MOST_GOOD);
      this.#isOnTrial = false;
      return;
    }
    this.#bad = 0;
    this.#good += 1;
    if (this.#good < this.#patience) return;
    this.#good = 0;
    if (this.#isOnTrial) this.#patience = GOOD_IN_A_ROW;
    this.#isOnTrial = this.#step > 0;
    this.#step = Math.max(0, this.#step - 1);
  }

  /** What is to be sent of what is wanted. */
  apply({ width, height, fps }: PictureSize): PictureSize {
    const [size, rate] = STEPS[this.#step]!;
    return {
      width: Math.round(width * size),
      height: Math.round(height * size),
      fps: Math.max(1, Math.round(fps * rate)),
    };
  }
}

/** @param share of the pixels that are wanted, which is left of them now: it needs as much of the limit */
function isBad(sample: Sample, share: number): boolean {
  const { given, encoded, fractionLost, limit, available, lag } = sample;
  if (given < LEAST_GIVEN) return false;
  return (
    encoded < given * LEAST_ENCODED ||
    fractionLost > MOST_LOST ||
    (available !== undefined && available < limit * LEAST_AVAILABLE * share) ||
    lag > MOST_LAG_MS
  );
}
