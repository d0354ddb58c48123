/** How a sink tells, once, that it has ended by itself. */
import { translate } from '../../errors.ts';

export class Ending {
  #error: Error | undefined;
  #isOver = false;
  #listener: ((error: Error) => void) | undefined;

  /** Nothing is taken any more: it was closed, or has ended by itself. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** One that comes too late hears of it too. */
  listen(listener: (error: Error) => void): void {
    this.#listener = listener;
    if (this.#error !== undefined) this.#tell();
  }

  /** It was closed: nobody has to be told. @returns whether that is new */
  close(): boolean {
    const isNew = !this.#isOver;
    this.#isOver = true;
    return isNew;
  }

  /** It has ended by itself. What comes after an end is its consequence, and not told. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = translate(error);
    this.#tell();
  }

  #tell(): void {
    const error = this.#error;
    const listener = this.#listener;
    if (error === undefined || listener === undefined) return;
    this.#error = undefined;
    // Not while whoever writes is still at it.
    queueMicrotask(() => listener(error));
  }
}
