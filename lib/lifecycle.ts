/**
 * Start and stop in order. Children belong to a parent, close with it, in reverse, each step guarded
 * and timed.
 */
import { ClchatError } from './errors.ts';

/** How long one step of a stop may take before the next begins, in milliseconds. */
export const STOP_STEP_MS = 3_000;

export interface StopReport {
  readonly step: string;
  readonly error: unknown;
}

type StopStep = (reason: string) => void | Promise<void>;

/**
 * A stack of things to undo. What is added last is undone first. `stop` may be called any number of
 * times; all calls share the one run.
 */
export class Lifecycle {
  readonly #steps: { name: string; undo: StopStep }[] = [];
  readonly #abort = new AbortController();
  #stopping: Promise<StopReport[]> | undefined;

  /** Aborts when the stop begins, so that work under way can end itself. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Registers what undoes something already done. */
  add(name: string, undo: StopStep): void {
    if (this.#stopping !== undefined)
      throw new ClchatError('CLOSED', `"${name}" was started while stopping`);
    this.#steps.push({ name, undo });
  }

  /** Runs `start`; what it returns is registered to be undone by `undo`. */
  async start<T>(
    name: string,
    start: () => Promise<T> | T,
    undo: (value: T, reason: string) => void | Promise<void>,
  ): Promise<T> {
    const value = await start();
    if (this.#stopping !== undefined) {
      await undo(value, 'stopping');
      throw new ClchatError('CLOSED', `"${name}" was started while stopping`);
    }
    this.#steps.push({ name, undo: (reason) => undo(value, reason) });
    return value;
  }

  /**
   * Undoes everything in reverse order.
   * @returns what failed or took longer than `STOP_STEP_MS`; never rejects
   */
  stop(reason = 'stopped'): Promise<StopReport[]> {
    this.#stopping ??= this.#run(reason);
    return this.#stopping;
  }

  async #run(reason: string): Promise<StopReport[]> {
    this.#abort.abort();
    const reports: StopReport[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const { name, undo } = step;
      try {
        await within(STOP_STEP_MS, Promise.resolve(undo(reason)), `stopping "${name}"`);
      } catch (error) {
        reports.push({ step: name, error });
      }
    }
    return reports;
  }
}

/**
 * Runs a whole start; if it fails, what had been started is stopped before the error passes on.
 */
export async function startAll<T>(run: (lifecycle: Lifecycle) => Promise<T>): Promise<T> {
  const lifecycle = new Lifecycle();
  try {
    return await run(lifecycle);
  } catch (error) {
    await lifecycle.stop('start failed');
    throw error;
  }
}

/** Rejects with TIMEOUT when `promise` takes longer than `milliseconds`. */
export async function within<T>(
  milliseconds: number,
  promise: Promise<T>,
  what: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new ClchatError('TIMEOUT', `${what} took longer than ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits; ends early, without error, when `signal` aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/**
 * How long to wait before an attempt.
 * @param attempt from 0 on
 * @param waits before each, in milliseconds; the last one repeats
 */
export function waitBefore(attempt: number, waits: readonly number[]): number {
  return waits[Math.min(attempt, waits.length - 1)] ?? 0;
}

/** How often it is looked whether something has come about, in milliseconds. */
const LOOK_MS = 10;

/**
 * Waits until something is so that nothing tells of.
 * @returns whether it came about in so many milliseconds
 */
export async function until(
  milliseconds: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<boolean> {
  for (let waited = 0; !(await isSo()); waited += LOOK_MS) {
    if (waited >= milliseconds) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/** A signal that aborts after so many milliseconds, or when one of the others does. */
export function deadline(milliseconds: number, ...others: AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  // On ordinary timers, unlike AbortSignal.timeout, so that a simulation owns its time too.
  const timer = setTimeout(() => controller.abort(new ClchatError('TIMEOUT')), milliseconds);
  timer.unref();
  return AbortSignal.any([controller.signal, ...others]);
}

/** Runs for each of a list, so many at the same time, begun in their order. Rejects with the first failure. */
export async function inParallel<T>(
  list: readonly T[],
  most: number,
  run: (one: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < list.length) await run(list[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(most, list.length) }, worker));
}

/** Time and randomness are handed in, so that tests and the simulation own them. */
export interface Clock {
  /** Wall time in milliseconds since 1970; may step back. */
  now(): number;
  /** Time that never steps back, in milliseconds from an arbitrary start. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/**
 * Gathers what is asked for into few runs: the first comes soon, those that follow are apart, so
 * that one who is alone hears at once and a crowd does not cost a run for each.
 */
export class Gather {
  readonly #run: () => void;
  readonly #soon: number;
  readonly #apart: number;
  #timer: NodeJS.Timeout | undefined;
  #resting = false;
  #asked = false;

  /**
   * @param soon milliseconds from being asked to the run
   * @param apart least milliseconds between the ends of two runs
   */
  constructor(run: () => void, soon: number, apart: number) {
    this.#run = run;
    this.#soon = soon;
    this.#apart = apart;
  }

  /** Asks for a run. */
  ask(): void {
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#fire(), this.#soon);
    else if (this.#resting) this.#asked = true;
  }

  #fire(): void {
    this.#asked = false;
    this.#resting = true;
    this.#timer = setTimeout(() => {
      this.#resting = false;
      if (this.#asked) this.#fire();
      else this.#timer = undefined;
    }, this.#apart);
    this.#run();
  }

  /** What was asked for and has not run is given up. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#resting = false;
    this.#asked = false;
  }
}
