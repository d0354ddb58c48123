/** What comes in from one other device, and what can be told of it. */
import type { Clock } from '../../lifecycle.ts';
import { frameTime, LARGEST, type VideoFrame } from '../frames.ts';
import { readPattern } from '../video/pattern.ts';
import { isPicture } from '../video/picture.ts';
import type { PictureStats } from './messages.ts';
import { Rate } from './pace.ts';

/** Pictures that do not come for so long are none, in milliseconds. */
const GONE_MS = 3_000;
/** A picture that is older than that, or from the future, was not made by a clock like this one. */
const MOST_LATENCY_MS = 60_000;

export class IncomingPictures {
  readonly #clock: Clock;
  readonly #rate = new Rate();
  #frame: VideoFrame | undefined;
  #decoded = 0;
  #last = -Infinity;
  #pattern: { readonly number: number; readonly latency: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether it is one to be shown: the other side may send anything */
  note(frame: VideoFrame): boolean {
    const { width, height } = frame;
    // Whatever the library makes of what came: a recording is made of all that is let in here.
    if (width > LARGEST.width || height > LARGEST.height || !isPicture(frame)) return false;
    const now = this.#clock.monotonic();
    this.#decoded += 1;
    this.#last = now;
    this.#rate.note(now);
    this.#frame = frame;
    const pattern = readPattern(frame);
    this.#pattern = pattern && { number: pattern.number, latency: frameTime() - pattern.time };
    return true;
  }

  /** The last picture; undefined where there are none. */
  get last(): VideoFrame | undefined {
    const isGone = this.#clock.monotonic() - this.#last > GONE_MS;
    return isGone ? undefined : this.#frame;
  }

  /** @returns undefined where there are none */
  get stats(): PictureStats | undefined {
    const now = this.#clock.monotonic();
    const frame = this.last;
    if (frame === undefined) return undefined;
    const { number, latency } = this.#pattern ?? {};
    const isSane = latency !== undefined && latency > -MOST_LATENCY_MS && latency < MOST_LATENCY_MS;
    return {
      width: frame.width,
      height: frame.height,
      fps: this.#rate.at(now),
      framesDecoded: this.#decoded,
      ...(number === undefined ? {} : { frameNumber: number }),
      ...(isSane ? { latencyMs: Math.round(latency * 10) / 10 } : {}),
    };
  }
}
