/** What lies between whatever makes frames and whoever takes them: the newest few wait. */
import { ClchatError } from '../../errors.ts';

export class FrameQueue<Frame> {
  /** Settles with the first frame, or with the end where that comes first. */
  readonly begun: Promise<void>;
  readonly #most: number;
  readonly #waiting: Frame[] = [];
  #end: { readonly error?: Error } | undefined;
  #isTaken = false;
  #wake: (() => void) | undefined;
  #begin!: { resolve(): void; reject(error: Error): void };

  /** @param most frames that wait; the oldest make room */
  constructor(most: number) {
    this.#most = most;
    this.begun = new Promise((resolve, reject) => (this.#begin = { resolve, reject }));
    // Not everybody wants to know.
    this.begun.catch(() => undefined);
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  put(frame: Frame): void {
    if (this.#end !== undefined) return;
    if (this.#waiting.length === this.#most) this.#waiting.shift();
    this.#waiting.push(frame);
    this.#begin.resolve();
    this.#wake?.();
  }

  /** Nothing more comes; what waits may still be taken. The first end counts. */
  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    this.#begin.reject(error ?? new ClchatError('CLOSED'));
    this.#wake?.();
  }

  /** Nobody wants any more of it: what waits is gone too. */
  close(): void {
    this.end();
    this.#end = {};
    this.#waiting.length = 0;
  }

  /** To be asked for once. */
  frames(): AsyncIterable<Frame> {
    if (this.#isTaken) throw new ClchatError('INTERNAL', 'The frames of a source are taken once.');
    this.#isTaken = true;
    return this.#take();
  }

  async *#take(): AsyncGenerator<Frame, void> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (frame !== undefined) yield frame;
      else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
