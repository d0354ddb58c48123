/** How fast the search index is made: never at the cost of whoever else has something to do. */
import { sleep } from '../../lifecycle.ts';

/** Longest stretch of work after which others have their turn, in milliseconds. */
const STRETCH_MS = 5;
/** Rest after each stretch, and while batches come in. */
const REST_MS = 5;
const BUSY_REST_MS = 45;
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
    const isBusy = performance.now() < this.#busyUntil;
    return sleep(isBusy ? BUSY_REST_MS : REST_MS, this.#resting.signal);
  }
}
