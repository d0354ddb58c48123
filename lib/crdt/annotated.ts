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

export class Annotated {
  readonly #most: number;
  readonly #targets = new Set<string>();
  /** Length of a stream when it was first asked about: what is done about later messages was noted. */
  readonly #since = new Map<StreamName, number>();

  constructor(most = MOST) {
    this.#most = most;
  }

  /** Looks at what is about to be written: all that is, from the beginning on. */
  note(operations: readonly StoreOperation[]): void {
    for (const { key } of operations) {
      if (!key.startsWith(TABLE)) continue;
      if (this.#targets.size >= this.#most) {
        this.#targets.clear();
        this.#since.clear();
      }
      // n!<stream>!<target>!<position>
      this.#targets.add(key.slice(key.indexOf('!', TABLE.length) + 1, key.lastIndexOf('!')));
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
