/**
 * How much of what was written the terminal has really taken. Between the program and a terminal far
 * away much can wait, and what is typed meanwhile would appear seconds later. So it is asked every
 * so often for an answer that costs nothing, and no more is written than a little beyond what is
 * answered: so little that nothing waits on the way for long.
 */
import type { Clock } from '../../lifecycle.ts';

/** Asks any terminal whether it is well. */
export const QUESTION = '\u001b[5n';
/** What it answers. */
export const CONFIRMATION = '\u001b[0n';

/** Bytes that may be on their way unanswered: at first, at least and at most. */
export const AHEAD = 16 * 1024;
export const LEAST_AHEAD = 4 * 1024;
export const MOST_AHEAD = 256 * 1024;
/** How much longer than the quickest an answer may take, in milliseconds: so long things wait. */
export const MOST_QUEUED_MS = 100;
/** After how many bytes it is asked at the latest. */
const ASK_AFTER = 16 * 1024;
/** By what part of the bytes answered in time more may be ahead, once there was too much. */
const GROWTH = 1 / 4;
/** Questions that may be unanswered. */
const MOST_ASKED = 32;
/** After how long an answer is not waited for any more, in milliseconds. */
export const PATIENCE_MS = 2_000;
/** How often a terminal that has never answered is asked in vain. */
const MOST_MISSED = 3;

interface Asked {
  readonly bytes: number;
  readonly at: number;
}

export class Confirmations {
  readonly #clock: Clock;
  /** The questions that are not answered, oldest first. */
  readonly #asked: Asked[] = [];
  #ahead = 0;
  #most = AHEAD;
  /** How long the quickest answer took: the way there and back, when nothing waits on it. */
  #quickest = Infinity;
  #sinceAsked = 0;
  /** When less than before was allowed for the last time; undefined: never. */
  #lessened: number | undefined;
  /** Answers that are not waited for any more, but may come yet. */
  #stale = 0;
  /** Undefined once it has answered. */
  #missed: number | undefined = 0;
  #isOn: boolean;

  /** @param isOn whether answers arrive here at all */
  constructor(clock: Clock, isOn: boolean) {
    this.#clock = clock;
    this.#isOn = isOn;
  }

  /** Bytes that are on their way, as far as it is known. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Bytes that may be on their way at present. */
  get most(): number {
    return this.#isOn ? this.#most : Infinity;
  }

  /** Bytes that are well written at once: the next can be on its way while one is answered. */
  get portion(): number {
    return this.most / 2;
  }

  /**
   * Counts what is written.
   * @param isLast whether nothing follows it soon
   * @returns the question to be written behind it; empty for none
   */
  wrote(bytes: number, isLast: boolean): string {
    if (!this.#isOn) return '';
    this.#ahead += bytes;
    this.#sinceAsked += bytes;
    const isEnough =
      this.#sinceAsked >= Math.min(ASK_AFTER, this.portion) || this.#ahead >= this.#most;
    if (!isEnough && !isLast) return '';
    this.#asked.push({ bytes: this.#sinceAsked, at: this.#clock.monotonic() });
    this.#sinceAsked = 0;
    return QUESTION;
  }

  /** Takes an answer. */
  answered(): void {
    this.#missed = undefined;
    if (this.#stale > 0) {
      this.#stale -= 1;
      return;
    }
    const first = this.#asked.shift();
    if (first === undefined) return;
    this.#ahead -= first.bytes;
    const took = this.#clock.monotonic() - first.at;
    this.#quickest = Math.min(this.#quickest, took);
    // Little by little more, and much less at once: what waits already has to be waited for.
    if (took - this.#quickest <= MOST_QUEUED_MS) {
      const more = first.bytes * (this.#lessened === undefined ? 1 : GROWTH);
      this.#most = Math.min(MOST_AHEAD, this.#most + more);
    } else if (first.at >= (this.#lessened ?? 0)) this.#lessen();
  }

  /** What was asked before says nothing about what this brings. */
  #lessen(): void {
    this.#lessened = this.#clock.monotonic();
    this.#most = Math.max(LEAST_AHEAD, this.#most / 2);
  }

  /** How long to wait before more may be written, in milliseconds; an answer may end it sooner. */
  get wait(): number {
    if (!this.#isOn) return 0;
    if (this.#ahead < this.#most && this.#asked.length < MOST_ASKED) return 0;
    const [first] = this.#asked;
    if (first === undefined) return 0;
    const left = first.at + PATIENCE_MS - this.#clock.monotonic();
    if (left > 0) return left;
    this.#giveUp();
    return 0;
  }

  /** The terminal does not answer, is very slow, or what was asked has been lost on the way. */
  #giveUp(): void {
    this.#stale = this.#asked.length;
    this.#asked.length = 0;
    this.#ahead = 0;
    this.#sinceAsked = 0;
    this.#lessen();
    if (this.#missed === undefined) return;
    this.#missed += 1;
    this.#isOn = this.#missed < MOST_MISSED;
  }
}
