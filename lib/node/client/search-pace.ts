/** How fast the search index is made: never at the cost of whoever else has something to do. */
import { performance as clockwork } from 'node:perf_hooks';
import { sleep } from '../../lifecycle.ts';

/** Longest stretch of work after which others have their turn, in milliseconds. */
const STRETCH_MS = 5;
/** Rest after each stretch, and while batches come in. */
const REST_MS = 5;
const BUSY_REST_MS = 45;
/** …and while this thread has hardly any time left: what waits is indexed when somebody searches. */
const OVERLOADED_REST_MS = 10_000;
/** From which share of its time on it has not. */
const OVERLOADED = 0.8;
/** How long after a batch more of them are expected. */
const BUSY_MS = 250;

/** Work in stretches. */
export interface Stretches {
  /** Whether it is time for a rest. */
  readonly isDue: boolean;
  rest(): Promise<void>;
}

export class Pace {
  #busyUntil = 0;
  #waiting = 0;
  #resting = new AbortController();
  readonly #load: () => number;

  /** @param load the share of its time, from 0 to 1, that this thread was at work since it was last asked */
  constructor(load = threadLoad()) {
    this.#load = load;
  }

  /** Others have much to do just now. */
  busy(): void {
    this.#busyUntil = performance.now() + BUSY_MS;
  }

  /** Rests no longer than it takes to let others have their turn while somebody waits for `run`. */
  async hurry<T>(run: () => Promise<T>): Promise<T> {
    this.#waiting++;
    this.#resting.abort();
    try {
      return await run();
    } finally {
      if (--this.#waiting === 0) this.#resting = new AbortController();
    }
  }

  /** Nobody is to wait for the end of a rest any more. */
  stop(): void {
    void this.hurry(() => new Promise(() => undefined));
  }

  stretches(): Stretches {
    let until = performance.now() + STRETCH_MS;
    const rest = async (): Promise<void> => {
      await this.#rest();
      until = performance.now() + STRETCH_MS;
    };
    return {
      get isDue() {
        return performance.now() >= until;
      },
      rest,
    };
  }

  #rest(): Promise<void> {
    if (this.#waiting > 0) return new Promise((resolve) => setImmediate(resolve));
    return sleep(this.#restMs(), this.#resting.signal);
  }

  #restMs(): number {
    const load = this.#load();
    if (performance.now() >= this.#busyUntil) return REST_MS;
    return load < OVERLOADED ? BUSY_REST_MS : OVERLOADED_REST_MS;
  }
}

function threadLoad(): () => number {
  let before = clockwork.eventLoopUtilization();
  return () => {
    const now = clockwork.eventLoopUtilization();
    const { utilization } = clockwork.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}
