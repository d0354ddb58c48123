/**
 * What guessing a password costs. A wrong one shows on the client only, so every start counts as a
 * failure, before it is answered, until it is validly finished; three in a row lock the account for
 * a while.
 */
import * as v from 'valibot';
import { count } from '../crdt/records.ts';
import { ClchatError } from '../errors.ts';
import type { Clock } from '../lifecycle.ts';

/** Failures in a row that lock. */
export const MAX_FAILURES = 3;
/** How long an attempt may keep the others waiting, in milliseconds. */
const TURN_MS = 10_000;
/** How long an attempt waits for its turn. */
const PATIENCE_MS = 15_000;
/** Attempts on one account that may wait. */
const MAX_WAITING = 16;

export const lockSchema = v.strictObject({
  /** Starts since the last success that have not been validly finished. */
  failures: count,
  /** When the lock ends, in milliseconds on the clock of the run that made it; 0: no lock. */
  lockedUntil: v.number(),
  /** When that run of the server began: wall time, in milliseconds. */
  run: v.number(),
});
/** Where an account stands. Plain data, kept by the caller. */
export type Lock = v.InferOutput<typeof lockSchema>;

export interface LockoutOptions {
  readonly clock: Clock;
  /** Seconds that a lock lasts. */
  readonly blockDuration: number;
  /** Milliseconds; for tests. */
  readonly turnMs?: number;
  readonly patienceMs?: number;
}

export class Lockout {
  readonly #clock: Clock;
  readonly #duration: number;
  readonly #turnMs: number;
  readonly #patienceMs: number;
  /** Wall time when this run began, and the steady clock at that moment. */
  readonly #run: number;
  readonly #began: number;
  /** By account: who waits for a turn, while somebody has it. */
  readonly #queues = new Map<string, ((end: () => void) => void)[]>();

  constructor(options: LockoutOptions) {
    this.#clock = options.clock;
    this.#duration = options.blockDuration * 1_000;
    this.#turnMs = options.turnMs ?? TURN_MS;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#run = this.#clock.now();
    this.#began = this.#clock.monotonic();
  }

  /** Wall time as it would be had nobody set the clock since this run began. */
  #now(): number {
    return this.#run + this.#clock.monotonic() - this.#began;
  }

  /** Milliseconds for which the account is still locked. */
  #left({ lockedUntil, run }: Lock): number {
    // The clock may have been set since an earlier run: what that run locked lasts no longer than if
    // it had been locked when this one began.
    const until =
      run === this.#run ? lockedUntil : Math.min(lockedUntil, this.#run + this.#duration);
    return Math.min(Math.max(0, until - this.#now()), this.#duration);
  }

  /** Whole seconds for which the account is still locked; 0 when it is not. */
  remaining(lock: Lock): number {
    return Math.ceil(this.#left(lock) / 1_000);
  }

  /**
   * An attempt begins: to be stored before it is answered.
   * @throws LOCKED, with `lockedSeconds` in its data
   */
  begin(lock: Lock): Lock {
    const lockedSeconds = this.remaining(lock);
    if (lockedSeconds > 0)
      throw new ClchatError(
        'LOCKED',
        `The account is locked after ${MAX_FAILURES} wrong passwords. Try again in ${lockedSeconds} seconds.`,
        { data: { lockedSeconds } },
      );
    // A lock that has run out starts the count anew.
    const failures = lock.failures >= MAX_FAILURES ? 1 : lock.failures + 1;
    const lockedUntil = failures >= MAX_FAILURES ? this.#now() + this.#duration : 0;
    return { failures, lockedUntil, run: this.#run };
  }

  /** The attempt was validly finished: nothing is held against the account. */
  succeed(): Lock {
    return { failures: 0, lockedUntil: 0, run: this.#run };
  }

  /**
   * Waits until no other attempt on the account is under way, so that many at once do not pass
   * between the reading and the storing of a lock.
   * @returns ends the turn; after a while it ends by itself
   * @throws RATE_LIMITED when too many wait, or for too long
   */
  async turn(account: string): Promise<() => void> {
    const queue = this.#queues.get(account);
    if (queue === undefined) {
      this.#queues.set(account, []);
      return this.#begin(account);
    }
    if (queue.length >= MAX_WAITING) throw new ClchatError('RATE_LIMITED');
    return new Promise((resolve, reject) => {
      const take = (end: () => void): void => {
        clearTimeout(timer);
        resolve(end);
      };
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(take), 1);
        reject(new ClchatError('RATE_LIMITED'));
      }, this.#patienceMs);
      timer.unref();
      queue.push(take);
    });
  }

  #begin(account: string): () => void {
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      const next = this.#queues.get(account)?.shift();
      if (next === undefined) this.#queues.delete(account);
      else next(this.#begin(account));
    };
    const timer = setTimeout(end, this.#turnMs);
    timer.unref();
    return end;
  }
}
