/** Even beats, by which sources that make their frames themselves keep the time. */
import { systemClock, type Clock } from '../../lifecycle.ts';

export interface MetronomeOptions {
  /** Milliseconds from one beat to the next; with fractions. */
  readonly interval: number;
  /** Beats that are made up for at once where the process was late; those before are left out. */
  readonly most: number;
  /** @param number of the beat, from 0 on; the numbers of those left out are missing */
  readonly beat: (number: number) => void;
  readonly clock?: Clock;
}

/** Beats at once, and from then on at times counted from that first one: what is late adds up to nothing. */
export class Metronome {
  readonly #options: MetronomeOptions;
  readonly #clock: Clock;
  readonly #start: number;
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: MetronomeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#start = this.#clock.monotonic();
    this.#run();
  }

  #run(): void {
    const { interval, most, beat } = this.#options;
    const due = Math.floor((this.#clock.monotonic() - this.#start) / interval);
    this.#next = Math.max(this.#next, due - most + 1);
    while (this.#next <= due && !this.#isStopped) beat(this.#next++);
    if (this.#isStopped) return;
    // Rounded up: a timer that is early would have to be set again.
    const wait = this.#start + this.#next * interval - this.#clock.monotonic();
    this.#timer = setTimeout(() => this.#run(), Math.max(1, Math.ceil(wait)));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
