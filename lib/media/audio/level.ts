/** How loud somebody is, as it is shown to people, and whether they are talking. */
import { SOUND_MS, type Sound } from '../frames.ts';
import { Loudness, SILENCE } from './samples.ts';

/** The level at which the bar that people see is empty, in dBFS; it is full at 0. */
const SHOWN_FROM = -60;
/** How much of a rise is shown at once; and how fast it falls, in dB for each sound. */
const RISE = 0.6;
const FALL = 0.4;

// What is talking is told from the noise of the room by being louder than it. Noise that stays is
// learned: the floor rises slowly to it and falls quickly to what is quieter, as each pause in
// talking is. It never rises so far that a clear tone, however long it lasts, would pass for noise.
const FLOOR = { least: -75, first: -60, most: -42 };
const FLOOR_RISE = 0.03;
const FLOOR_FALL = 0.1;
/** How far above the floor talking begins and ends, in dB, and the least level of either. */
const BEGIN = { above: 9, least: -55 };
const END = { above: 6, least: -58 };

/** Sounds in a row that must be loud: a click is no talking. */
const LOUD_SOUNDS = 3;
/** For how long it counts as talking when nothing is heard any more. */
const HANGOVER = 400 / SOUND_MS;
/** Sounds between two changes: not more than four in a second. */
const BETWEEN_CHANGES = 250 / SOUND_MS;

export class LevelMeter {
  readonly #loudness = new Loudness();
  #level = SILENCE;
  #floor = FLOOR.first;
  #loudInRow = 0;
  #hangover = 0;
  #isTalking = false;
  #sinceChange = BETWEEN_CHANGES;

  /** The next 10 ms; undefined where nothing came in that time. */
  hear(sound: Sound | undefined): void {
    const now = sound === undefined ? SILENCE : this.#loudness.measure(sound);
    if (now > this.#level) this.#level += (now - this.#level) * RISE;
    else this.#level = Math.max(now, this.#level - FALL);
    this.#judge(now);
    // Where nothing comes nothing is learned of the noise, either.
    if (now > SILENCE) this.#learn(now);
  }

  /** In dBFS, from −100 to 0: rises at once and falls slowly. */
  get decibels(): number {
    return this.#level;
  }

  /** For a bar: 0 is nothing worth hearing, 1 as loud as can be. */
  get share(): number {
    return Math.min(1, Math.max(0, 1 - this.#level / SHOWN_FROM));
  }

  /** Does not flutter: changes at most four times a second. */
  get isTalking(): boolean {
    return this.#isTalking;
  }

  #judge(now: number): void {
    const { above, least } = this.#isTalking ? END : BEGIN;
    const isLoud = now >= Math.max(least, this.#floor + above);
    this.#loudInRow = isLoud ? this.#loudInRow + 1 : 0;
    if (this.#loudInRow >= LOUD_SOUNDS) this.#hangover = HANGOVER;
    else this.#hangover = Math.max(0, this.#hangover - 1);
    this.#sinceChange++;
    if (this.#hangover > 0 === this.#isTalking || this.#sinceChange < BETWEEN_CHANGES) return;
    this.#isTalking = !this.#isTalking;
    this.#sinceChange = 0;
  }

  #learn(now: number): void {
    const change = now < this.#floor ? (now - this.#floor) * FLOOR_FALL : FLOOR_RISE;
    this.#floor = Math.min(FLOOR.most, Math.max(FLOOR.least, this.#floor + change));
  }
}
