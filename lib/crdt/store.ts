/**
 * What the log and the roles need of a database: ordered byte keys, atomic batches, durability on
 * demand. Implemented over LevelDB (`store-level.ts`) and in memory (`store-memory.ts`); one
 * contract suite runs against both.
 *
 * Keys are text of printable ASCII, compared by code unit; a key begins with the name of its table.
 */

export type StoreOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: string };

export interface Range {
  /** First key, included. */
  readonly from: string;
  /** End, not included. */
  readonly until: string;
  /** From the end to the beginning. */
  readonly reverse?: boolean;
  /** At most so many. */
  readonly limit?: number;
}

export interface Store {
  /** Synchronous, as reads are short and in the cache as a rule. */
  get(key: string): Uint8Array | undefined;
  /** Pairs in order of their keys, read in bounded portions; sees a snapshot as of the call. */
  entries(range: Range): AsyncIterable<readonly [key: string, value: Uint8Array]>;
  /**
   * Writes all or nothing. With `sync` it resolves only once the batch would survive a power cut;
   * without, a crash of the machine may lose it, but no later batch without it.
   * @throws DISK_FULL, DATA_READ_ONLY, DATA_CORRUPT, CLOSED
   */
  write(operations: readonly StoreOperation[], options: { sync: boolean }): Promise<void>;
  /**
   * Rewrites the files that hold keys of the range, so that bytes overwritten or deleted there are
   * gone from the disk and not just hidden.
   */
  purge(range: { from: string; until: string }): Promise<void>;
  close(): Promise<void>;
}

/** The range of all keys that begin with `prefix`. */
export function prefixed(prefix: string): { from: string; until: string } {
  return { from: prefix, until: `${prefix}\u007f` };
}

/** A number as it sorts in a key: 13 decimal digits. */
export function ordinal(value: number): string {
  return value.toString().padStart(13, '0');
}
