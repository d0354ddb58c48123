/** What people of the simulation try, and what must never come of it. */
import { codeOf, isAbort, type ErrorCode } from '../../lib/errors.ts';

/** Whatever is tried, by whomever, and whatever the network does meanwhile. */
const FAULTS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BAD_ENTRY',
  'BAD_MESSAGE',
  'DATA_CORRUPT',
  'INTERNAL',
  'OUT_OF_ORDER',
  'VERSION',
]);

export class Attempts {
  /** Each with what was tried. */
  readonly faults: [what: string, error: unknown][] = [];
  /** How often each came about. */
  readonly done = new Map<string, number>();
  /** Those who are at something for which one takes one's time. */
  readonly #busy = new WeakSet<object>();

  /** Begins something that may be refused, or cut short. */
  start(what: string, run: () => Promise<unknown>): void {
    void this.try(what, run);
  }

  /** The same, of what nobody does twice at a time; while `who` is at it nothing is begun. */
  startAlone(who: object, what: string, run: () => Promise<unknown>): void {
    if (this.#busy.has(who)) return;
    this.#busy.add(who);
    void this.try(what, run).then(() => this.#busy.delete(who));
  }

  /** @returns whether it came about; never rejects */
  async try(what: string, run: () => Promise<unknown>): Promise<boolean> {
    try {
      await run();
      this.done.set(what, (this.done.get(what) ?? 0) + 1);
      return true;
    } catch (error) {
      if (!isAbort(error) && FAULTS.has(codeOf(error))) this.faults.push([what, error]);
      return false;
    }
  }
}
