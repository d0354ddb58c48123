/** How much is asked of a peer at once: as much as it answers quickly. */

/** Chunks under way at most: 2 MiB, which fill any network and let other things through. */
const MAX_CHUNKS = 8;
const FIRST_CHUNKS = 2;
/** Answers within so long let more be asked for at once; such as take so long, less: milliseconds. */
const QUICK_MS = 400;
const SLOW_MS = 1_200;

export class Window {
  #size = FIRST_CHUNKS;

  /** Chunks that may be under way. */
  get size(): number {
    return Math.floor(this.#size);
  }

  /** @param milliseconds that an answer took */
  note(milliseconds: number): void {
    if (milliseconds <= QUICK_MS) this.#size = Math.min(MAX_CHUNKS, this.#size + 1 / this.#size);
    else if (milliseconds >= SLOW_MS) this.#size = Math.max(1, this.#size / 2);
  }
}
