/** Work of which one part must be done before the next begins. */

export class Turn {
  #last: Promise<unknown> = Promise.resolve();

  /** In the order in which it came; what fails gives way as well. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Settles when all that has come so far is done. Never rejects. */
  get over(): Promise<unknown> {
    return this.#last;
  }
}
