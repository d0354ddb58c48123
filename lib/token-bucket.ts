/** Bounds a rate: so many at once, and then so many a second. */
import type { Clock } from './lifecycle.ts';

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
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Counts one more, whether it is within the rate or not. @returns milliseconds until it is */
  reserve(): number {
    this.#refill();
    this.#tokens--;
    return (Math.max(0, -this.#tokens) / this.#perSecond) * 1_000;
  }

  /** Whether nothing is held against it any more: a new one would do the same. */
  get isFull(): boolean {
    this.#refill();
    return this.#tokens >= this.#burst;
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    const refill = ((now - this.#at) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + refill);
    this.#at = now;
  }
}

/** Buckets that are kept before those are looked for that need not be. */
const FEW_BUCKETS = 1_024;

/** A rate for each of many who come and go. */
export class TokenBuckets<K> {
  readonly #make: () => TokenBucket;
  readonly #buckets = new Map<K, TokenBucket>();
  #sweepAt = FEW_BUCKETS;

  /** As of `TokenBucket`, for each. */
  constructor(burst: number, perSecond: number, clock: Clock) {
    this.#make = () => new TokenBucket(burst, perSecond, clock);
  }

  /** Those of whom something is remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Whether one more of `key` is within its rate; counts it if so. */
  take(key: K): boolean {
    return this.#of(key).take();
  }

  /** As of `TokenBucket`. */
  reserve(key: K): number {
    return this.#of(key).reserve();
  }

  #of(key: K): TokenBucket {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#sweepAt) this.#forgetFull();
      this.#buckets.set(key, (bucket = this.#make()));
    }
    return bucket;
  }

  #forgetFull(): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull) this.#buckets.delete(key);
    this.#sweepAt = Math.max(FEW_BUCKETS, 2 * this.#buckets.size);
  }
}
