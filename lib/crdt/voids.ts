/**
 * Which items of the log are void on a replica: sealed against the rules.
 *
 *   v!<stream>!<position>   code
 */
import { utf8 } from './bytes.ts';
import type { ErrorCode } from '../errors.ts';
import { ordinal, prefixed, type Store, type StoreOperation } from './store.ts';
import type { StreamName } from './stream.ts';

const TABLE = 'v!';

export function voidKey(stream: StreamName, position: number): string {
  return `${TABLE}${stream}!${ordinal(position)}`;
}

export function voidOperation(
  stream: StreamName,
  position: number,
  code: ErrorCode,
): StoreOperation {
  return { type: 'put', key: voidKey(stream, position), value: utf8(code) };
}

function streamOf(key: string): StreamName {
  return key.slice(TABLE.length, key.indexOf('!', TABLE.length)) as StreamName;
}

export class Voids {
  readonly #store: Store;
  /** Streams in which something may be: none as a rule, and everything is asked about several times. */
  readonly #streams = new Set<StreamName>();

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(store: Store): Promise<Voids> {
    const voids = new Voids(store);
    const { until } = prefixed(TABLE);
    for (let from: string | undefined = TABLE; from !== undefined;) {
      const range = { from, until, limit: 1 };
      from = undefined;
      for await (const [key] of store.entries(range)) {
        const stream = streamOf(key);
        voids.#streams.add(stream);
        from = prefixed(`${TABLE}${stream}!`).until;
      }
    }
    return voids;
  }

  /** Looks at what is about to be written. */
  note(operations: readonly StoreOperation[]): void {
    for (const { type, key } of operations)
      if (type === 'put' && key.startsWith(TABLE)) this.#streams.add(streamOf(key));
  }

  has(stream: StreamName, position: number): boolean {
    return this.#streams.has(stream) && this.#store.get(voidKey(stream, position)) !== undefined;
  }
}
