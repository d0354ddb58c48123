/** Text to a stream whose reader may be slow, or gone: bounded, and never an unhandled error. */
import type { Writable } from 'node:stream';

/** Bytes that may wait for a slow reader before optional text is left out. */
export const MAX_WAITING_BYTES = 16 << 20;

export class BoundedOutput {
  readonly #stream: Writable;
  #left = 0;
  #gone = false;
  readonly #onGone: () => void;
  readonly #onLeftOut: (count: number) => string;

  /**
   * @param onGone called once when nobody reads any more
   * @param onLeftOut the text that tells that so many had to be left out
   */
  constructor(
    stream: Writable,
    handlers: { onGone?: () => void; onLeftOut: (count: number) => string },
  ) {
    this.#stream = stream;
    this.#onGone = handlers.onGone ?? (() => undefined);
    this.#onLeftOut = handlers.onLeftOut;
    const gone = (): void => {
      if (this.#gone) return;
      this.#gone = true;
      this.#onGone();
    };
    // The listener stays for good: a late error must find somebody.
    stream.on('error', gone);
    stream.on('close', gone);
    stream.on('drain', () => this.#tellLeftOut());
  }

  /** Text that somebody else holds back when `room` says so. */
  write(text: string): void {
    if (!this.#gone) this.#stream.write(text);
  }

  /** Text that comes by itself: left out, and counted, while too much is waiting. */
  offer(text: string): void {
    if (this.#stream.writableLength > MAX_WAITING_BYTES) this.#left += 1;
    else this.write(text);
  }

  /** Resolves when the reader keeps up, or is gone. */
  room(): Promise<void> {
    if (this.#gone || !this.#stream.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#stream.off('drain', done).off('close', done).off('error', done);
        resolve();
      };
      this.#stream.on('drain', done).on('close', done).on('error', done);
    });
  }

  /** Resolves when everything written has left the process, or cannot any more. */
  flush(): Promise<void> {
    if (this.#gone || this.#stream.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stream.on('close', resolve).on('error', resolve);
      this.#stream.write('', () => resolve());
    });
  }

  #tellLeftOut(): void {
    if (this.#left === 0) return;
    const count = this.#left;
    this.#left = 0;
    this.write(this.#onLeftOut(count));
  }
}
