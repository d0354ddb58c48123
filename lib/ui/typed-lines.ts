/**
 * Lines that were typed ahead of whoever takes them: they become the answers to the questions that
 * come meanwhile, else the next lines, in the order in which they were typed.
 */

/** Lines that may wait. */
const MAX_WAITING = 64;

export class TypedLines {
  #waiting: string[] = [];
  #take: ((line: string) => void | Promise<void>) | undefined;
  #busy = false;

  /** Begins to hand over lines; none while the promise of the one before is pending. */
  attach(take: (line: string) => void | Promise<void>): void {
    this.#take = take;
    this.#hand();
  }

  /** @returns whether there was room */
  push(line: string): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(line);
    this.#hand();
    return true;
  }

  /** The oldest line that waits, for a question. */
  shift(): string | undefined {
    return this.#waiting.shift();
  }

  /** Takes out all that wait. */
  clear(): string[] {
    return this.#waiting.splice(0);
  }

  #hand(): void {
    while (this.#take !== undefined && !this.#busy) {
      const line = this.#waiting.shift();
      if (line === undefined) return;
      const taken = this.#take(line);
      if (taken === undefined) continue;
      this.#busy = true;
      const done = (): void => {
        this.#busy = false;
        this.#hand();
      };
      void taken.then(done, done);
    }
  }
}
