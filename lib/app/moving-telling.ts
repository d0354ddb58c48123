/** Tells how far something long has got. */
import type { HandlerContext } from './handling.ts';

/** Milliseconds between two words on it: who waits wants to see it move, and not to be flooded. */
const APART_MS = 3_000;

export class Telling {
  readonly #context: Pick<HandlerContext, 'tell' | 'now'>;
  readonly #what: string;
  #told: number;

  /** @param what it is, such as `Export of #lobby` */
  constructor(context: Pick<HandlerContext, 'tell' | 'now'>, what: string) {
    this.#context = context;
    this.#what = what;
    this.#told = context.now();
  }

  /** Tells it now and then: `done` of `all` are, say, `written`. */
  tell(how: string, done: number, all: number): void {
    const { now, tell } = this.#context;
    // The clock may have been put back.
    if (Math.abs(now() - this.#told) < APART_MS) return;
    this.#told = now();
    const share = Math.floor((100 * done) / Math.max(1, all));
    tell({ event: 'notice', text: `${this.#what}: ${share} % ${how}.` });
  }
}
