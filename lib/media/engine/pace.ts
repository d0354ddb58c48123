/** How often something came lately, and whether the next may come. */

const WINDOW_MS = 2_000;
/** How much of the time between two may be missing. */
const EARLY = 0.35;

/** Counts what comes, over the last two seconds. */
export class Rate {
  readonly #times: number[] = [];

  note(now: number): void {
    this.#times.push(now);
    this.#forget(now);
  }

  /** A second. */
  at(now: number): number {
    this.#forget(now);
    return (this.#times.length * 1_000) / WINDOW_MS;
  }

  #forget(now: number): void {
    let old = 0;
    while (old < this.#times.length && this.#times[old]! <= now - WINDOW_MS) old++;
    if (old > 0) this.#times.splice(0, old);
  }
}

/** Lets so many a second through, evenly. */
export class Pacer {
  #due = -Infinity;

  /** @param now in milliseconds. @param fps at most; less than one a second counts as one */
  isDue(now: number, fps: number): boolean {
    const apart = 1_000 / Math.max(1, fps);
    // What comes a little early is not to wait for the next, which would halve the rate.
    if (now < this.#due - apart * EARLY) return false;
    // Behind by more than one, it begins anew: what was left out does not come in a bunch.
    this.#due = this.#due < now - apart ? now + apart : this.#due + apart;
    return true;
  }
}
