/**
 * What a command has done is told twice: by its result, and by an event that all who are concerned
 * hear. Where both are the same words, whoever gave the command reads them once.
 */
import type { Clock } from '../lifecycle.ts';

/** How far apart the two may come, in milliseconds. */
const APART_MS = 5_000;
/** Sentences that are kept in mind. */
const MAX_KEPT = 64;

/** By which of the two a sentence is told. */
export type Teller = 'result' | 'event';

export class Once {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** When each was told, and by what; the oldest first. */
  readonly #told = new Map<string, { readonly by: Teller; readonly at: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Whether a sentence has just been told by the other of the two; if not, it is now. */
  isRepeated(sentence: string, by: Teller): boolean {
    const now = this.#clock.monotonic();
    const before = this.#told.get(sentence);
    this.#told.delete(sentence);
    if (before !== undefined && before.by !== by && now - before.at <= APART_MS) return true;
    this.#told.set(sentence, { by, at: now });
    const [oldest] = this.#told.keys();
    if (this.#told.size > MAX_KEPT && oldest !== undefined) this.#told.delete(oldest);
    return false;
  }
}
