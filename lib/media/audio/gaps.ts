/** Gaps in a tone that should never stop: what those hear whose sound does not come in time. */
import { SAMPLE_RATE, SOUND_MS, SOUND_SAMPLES, type Sound } from '../frames.ts';
import { FULL_SCALE, requireSound } from './samples.ts';

/** What is judged as one: 1 ms. A tone of 80 Hz passes through zero faster. */
const PART = SAMPLE_RATE / 1_000;
/** It is there while it has this share of the height that it usually has: −20 dB. */
const LOST = 0.1;
/** From this amplitude on it has begun: −50 dBFS. */
const BEGINS = FULL_SCALE * 10 ** (-50 / 20);
/** How fast the usual height follows what is heard. */
const FOLLOWING = 0.02;

export interface Gaps {
  /** How many there were of at least the length that was given. */
  readonly count: number;
  /** Milliseconds of the longest, and of all of them. */
  readonly longest: number;
  readonly total: number;
  /** Milliseconds since the tone began, with its gaps. */
  readonly heard: number;
}

export class GapMeter {
  readonly #least: number;
  #usual = 0;
  #missing = 0;
  #heard = 0;
  #gaps = { count: 0, longest: 0, total: 0 };

  /** @param least milliseconds from which on it counts as a gap */
  constructor(least = 3) {
    this.#least = least;
  }

  /** The next 10 ms; undefined where nothing came in that time. */
  hear(sound: Sound | undefined): void {
    if (sound !== undefined) requireSound(sound);
    if (this.#usual === 0 && sound === undefined) return;
    if (sound === undefined) {
      this.#heard += SOUND_MS;
      this.#missing += SOUND_MS;
      return;
    }
    for (let start = 0; start < SOUND_SAMPLES; start += PART) {
      let height = 0;
      for (let n = start; n < start + PART; n++) height = Math.max(height, Math.abs(sound[n]!));
      this.#judge(height);
    }
  }

  /** So far; a gap that has not ended counts. Silence before the tone has begun is none. */
  get gaps(): Gaps {
    const gaps = { ...this.#gaps, heard: this.#heard };
    return this.#missing < this.#least ? gaps : { ...gaps, ...withGap(gaps, this.#missing) };
  }

  #judge(height: number): void {
    if (this.#usual === 0) {
      if (height < BEGINS) return;
      this.#usual = height;
    }
    this.#heard++;
    if (height < this.#usual * LOST) {
      this.#missing++;
      return;
    }
    if (this.#missing >= this.#least) this.#gaps = withGap(this.#gaps, this.#missing);
    this.#missing = 0;
    this.#usual += (height - this.#usual) * FOLLOWING;
  }
}

function withGap(
  { count, longest, total }: Omit<Gaps, 'heard'>,
  length: number,
): Omit<Gaps, 'heard'> {
  return { count: count + 1, longest: Math.max(longest, length), total: total + length };
}
