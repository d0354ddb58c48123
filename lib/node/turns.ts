/** Work that takes turns, in the order in which it came. What fails gives way as well. */

/** Lets so many through at once; the others wait. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** For each key one after the other; nothing is kept of a key that nobody waits for. */
export class KeyedTurns<K> {
  readonly #last = new Map<K, Promise<unknown>>();

  /** Keys for which something is under way. */
  get size(): number {
    return this.#last.size;
  }

  run<T>(key: K, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const quiet = result.catch(() => undefined);
    this.#last.set(key, quiet);
    void quiet.then(() => {
      if (this.#last.get(key) === quiet) this.#last.delete(key);
    });
    return result;
  }
}
