/**
 * Which messages something may have been done about, for those that came in since the program began:
 * to look into the store for each of them costs more than all else that is done with it.
 */
import type { EntryId } from './keys.ts';
import type { StoreOperation } from './store.ts';
import type { StreamName } from './stream.ts';

/** Messages that are remembered; beyond it is begun anew. */
const MOST = 20_000;
const TABLE = 'n!';
const HEADS = 'h!';

export class Annotated {
  readonly #most: number;
  readonly #targets = new Set<string>();
  /** Length of a stream when it was first written to, or asked about: what is done later was noted. */
  readonly #since = new Map<StreamName, number>();

  constructor(most = MOST) {
    this.#most = most;
  }

  /**
   * Looks at what is about to be written: all that is, from the beginning on.
   * @param lengthOf the length of a stream before that
   */
  note(operations: readonly StoreOperation[], lengthOf: (stream: StreamName) => number): void {
    if (this.#targets.size >= this.#most) {
      this.#targets.clear();
      this.#since.clear();
    }
    for (const { key } of operations) {
      // n!<stream>!<target>!<position>
      if (key.startsWith(TABLE))
        this.#targets.add(key.slice(key.indexOf('!', TABLE.length) + 1, key.lastIndexOf('!')));
      else if (key.startsWith(HEADS)) {
        const stream = key.slice(HEADS.length) as StreamName;
        if (!this.#since.has(stream)) this.#since.set(stream, lengthOf(stream));
      }
    }
  }

  /**
   * Whether something that is stored may have been done about a message.
   * @param length of its stream now
   */
  mayBe(stream: StreamName, position: number, target: EntryId, length: number): boolean {
    const since = this.#since.get(stream);
    if (since === undefined) this.#since.set(stream, length);
    return since === undefined || position < since || this.#targets.has(target);
  }
}
