/** Bounds a rate: so many at once, and then so many a second. */
import type { Clock } from '../lifecycle.ts';

export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  /** @param clock its monotonic time is used */
  constructor(burst: number, perSecond: number, clock: Clock) {
    this.#burst = this.#tokens = burst;
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  /** Whether one more is within the rate; counts it if so. */
  take(): boolean {
    const now = this.#clock.monotonic();
    const refill = ((now - this.#at) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + refill);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
