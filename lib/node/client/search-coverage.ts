/**
 * What of each stream is in the search index.
 *
 *   y!<stream>   [generation, positions that are done]
 *
 * A stream that is taken back begins a new generation and is indexed anew as a whole: an edit of what
 * stays may be among what is lost. What the index has of generations before does not count.
 */
import * as v from 'valibot';
import { encode, parse } from '../../crdt/codec.ts';
import { addInterval } from '../../crdt/stream-head.ts';
import { count } from '../../crdt/records.ts';
import { prefixed, type Store, type StoreOperation } from '../../crdt/store.ts';
import type { StreamName } from '../../crdt/stream.ts';
import type { StreamVersion } from './search-segment.ts';

export type Interval = readonly [from: number, until: number];

const schema = v.tuple([count, v.array(v.tuple([count, count]))]);

export interface Coverage {
  readonly generation: number;
  /** Positions that need not be looked at, as intervals in order. */
  readonly done: readonly Interval[];
}

const NOTHING: Coverage = { generation: 0, done: [] };

const COVERAGE_RANGE = prefixed('y!');

/** Intervals in order without what is in [from, until). */
export function withoutInterval(
  intervals: readonly Interval[],
  from: number,
  until: number,
): Interval[] {
  return intervals.flatMap(([a, b]): Interval[] => {
    const parts: Interval[] = [
      [a, Math.min(b, from)],
      [Math.max(a, until), b],
    ];
    return parts.filter(([low, high]) => low < high);
  });
}

/** What of `have` is not in `done`. */
export function missingOf(have: readonly Interval[], done: readonly Interval[]): Interval[] {
  let missing: Interval[] = [...have];
  for (const [from, until] of done) missing = withoutInterval(missing, from, until);
  return missing;
}

/** The coverage of all streams, as it is once what is under way has been stored. */
export class CoverageBook {
  readonly #store: Store;
  readonly #known = new Map<StreamName, Coverage>();
  /** What is to be stored with the taking back of a stream, by somebody else. */
  readonly #coming = new Map<StreamName, Coverage>();

  constructor(store: Store) {
    this.#store = store;
  }

  of(stream: StreamName): Coverage {
    const coming = this.#coming.get(stream);
    if (coming !== undefined && this.#read(stream).generation >= coming.generation) {
      this.#coming.delete(stream);
      this.#known.delete(stream);
    }
    let coverage = this.#known.get(stream);
    if (coverage === undefined) this.#known.set(stream, (coverage = this.#read(stream)));
    return coverage;
  }

  #read(stream: StreamName): Coverage {
    const bytes = this.#store.get(`y!${stream}`);
    if (bytes === undefined) return NOTHING;
    try {
      const [generation, done] = parse(schema, bytes);
      return { generation, done };
    } catch {
      // As an older version wrote it, whose index is made anew.
      return NOTHING;
    }
  }

  /**
   * What is to be stored with the taking back of a stream. Until that has happened nothing of the
   * stream is to be indexed.
   */
  rewind(stream: StreamName): StoreOperation {
    const coverage: Coverage = { generation: this.of(stream).generation + 1, done: [] };
    this.#coming.set(stream, coverage);
    return operationOf(stream, coverage);
  }

  /** Whether a stream is about to be taken back. */
  isMoving(stream: StreamName): boolean {
    this.of(stream);
    return this.#coming.has(stream);
  }

  /** Whether what was read of a stream in a generation of it counts. */
  isPresent({ name, generation }: StreamVersion): boolean {
    return this.of(name).generation === generation;
  }

  /** Changes coverage by what `write` stores: all or nothing. */
  async change(
    changes: ReadonlyMap<StreamName, Coverage>,
    write: (operations: StoreOperation[]) => Promise<void>,
  ): Promise<void> {
    for (const [stream, coverage] of changes) this.#known.set(stream, coverage);
    try {
      await write([...changes].map(([stream, coverage]) => operationOf(stream, coverage)));
    } catch (error) {
      for (const stream of changes.keys()) this.#known.delete(stream);
      throw error;
    }
  }

  /** Removes it all: there is no index any more. Not of streams that are being taken back, whose comes. */
  async remove(): Promise<void> {
    const operations: StoreOperation[] = [];
    for await (const [key] of this.#store.entries(COVERAGE_RANGE))
      if (!this.#coming.has(key.slice(COVERAGE_RANGE.from.length) as StreamName))
        operations.push({ type: 'delete', key });
    if (operations.length > 0) await this.#store.write(operations, { sync: false });
    this.#known.clear();
  }
}

/** The coverage once positions have been looked at. */
export function withDone(coverage: Coverage, from: number, until: number): Coverage {
  return { ...coverage, done: addInterval(coverage.done, from, until) };
}

/** The coverage with a position that is to be looked at again. */
export function withoutDone(coverage: Coverage, position: number): Coverage {
  return { ...coverage, done: withoutInterval(coverage.done, position, position + 1) };
}

function operationOf(stream: StreamName, { generation, done }: Coverage): StoreOperation {
  return { type: 'put', key: `y!${stream}`, value: encode([generation, done]) };
}
