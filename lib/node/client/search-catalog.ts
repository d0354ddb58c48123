/**
 * Which segments the search index consists of, oldest first.
 *
 *   x!manifest   [version, next id, ids of segments, ids that are in use no more and may be on the disk]
 *
 * What belongs to no segment of the manifest is what a crash left behind, and is deleted at opening.
 */
import * as v from 'valibot';
import { encode, parse } from '../../crdt/codec.ts';
import { addInterval } from '../../crdt/stream-head.ts';
import { count } from '../../crdt/records.ts';
import { prefixed, type StoreOperation } from '../../crdt/store.ts';
import { hasCode } from '../../errors.ts';
import { Turns } from '../turns.ts';
import { withoutInterval, type Interval } from './search-coverage.ts';
import { Segment, segmentRange, SegmentWriter, type SegmentBase } from './search-segment.ts';

/** To be raised with the layout and with what a word is: the index is then made anew. */
const VERSION = 1;
/** Sorts behind all segments. */
const MANIFEST = 'x!manifest';
const INDEX_RANGE = prefixed('x!');
/** Keys deleted in one batch. */
const DELETE_PORTION = 1_000;
const ALL_IDS: Interval = [0, Number.MAX_SAFE_INTEGER];

const manifest = v.tuple([
  v.literal(VERSION),
  count,
  v.array(count),
  v.array(v.tuple([count, count])),
]);

export class Catalog {
  readonly base: SegmentBase;
  #segments: readonly Segment[];
  #next: number;
  /** Ids in use no more, as intervals, what was stored under which may be in the store's files. */
  #dead: readonly Interval[];
  /** Changes come one after the other. */
  readonly #turns = new Turns(1);
  readonly #readings = new Set<Promise<unknown>>();

  private constructor(
    base: SegmentBase,
    content: { next: number; segments: readonly Segment[]; dead: readonly Interval[] },
  ) {
    this.base = base;
    this.#next = content.next;
    this.#segments = content.segments;
    this.#dead = content.dead;
  }

  /**
   * Opens the index of a store. One of another version or under another key, and one that is damaged,
   * is removed, so that it is made anew.
   * @param onRemoved called when there is no index any more
   */
  static async open(base: SegmentBase, onRemoved: () => Promise<void>): Promise<Catalog> {
    const known = read(base);
    const catalog = new Catalog(base, known ?? { next: 0, segments: [], dead: [ALL_IDS] });
    if (known === undefined) {
      await catalog.#delete(INDEX_RANGE);
      await onRemoved();
    } else await catalog.#deleteLeftBehind();
    return catalog;
  }

  async #deleteLeftBehind(): Promise<void> {
    let unused: readonly Interval[] = [ALL_IDS];
    for (const { id } of this.#segments) unused = withoutInterval(unused, id, id + 1);
    let dead = this.#dead;
    for (const [from, until] of unused)
      if (await this.#delete(segmentRange(from, until))) dead = addInterval(dead, from, until);
    if (dead === this.#dead) return;
    this.#dead = dead;
    await this.#writeManifest();
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Begins a segment. */
  write(): SegmentWriter {
    return new SegmentWriter(this.base, this.#next++);
  }

  /**
   * Changes which segments there are.
   * @param instead what comes in the place of a segment: another, or none
   * @param add what comes behind all others
   * @param store stores the manifest and what goes with it in one batch; false: nothing was stored
   * @returns what `store` did
   */
  change(
    instead: ReadonlyMap<Segment, Segment | undefined>,
    add: Segment | undefined,
    store: (manifest: StoreOperation) => Promise<boolean>,
  ): Promise<boolean> {
    return this.#turns.run(async () => {
      const kept = this.#segments.map((one) => (instead.has(one) ? instead.get(one) : one));
      const segments = [...kept, add].filter((one) => one !== undefined);
      const isStored = await store(this.#manifest(segments, this.#segments));
      if (!isStored) return false;
      this.#dead = this.#deadAfter(segments, this.#segments);
      this.#segments = segments;
      return true;
    });
  }

  #deadAfter(segments: readonly Segment[], before: readonly Segment[]): readonly Interval[] {
    let dead = this.#dead;
    for (const { id } of before) dead = addInterval(dead, id, id + 1);
    for (const { id } of segments) dead = withoutInterval(dead, id, id + 1);
    return dead;
  }

  #manifest(segments: readonly Segment[], before = segments): StoreOperation {
    const ids = segments.map(({ id }) => id);
    const value = encode([VERSION, this.#next, ids, this.#deadAfter(segments, before)]);
    return { type: 'put', key: MANIFEST, value: this.base.seal.seal(MANIFEST, value) };
  }

  /** Reads the segments that there are now: none of them is deleted before `run` is done. */
  async reading<T>(run: (segments: readonly Segment[]) => Promise<T>): Promise<T> {
    const reading = run(this.#segments);
    this.#readings.add(reading);
    try {
      return await reading;
    } finally {
      this.#readings.delete(reading);
    }
  }

  /** Deletes the keys of segments that have been removed, once nobody reads them any more. */
  async delete(segments: readonly Segment[]): Promise<void> {
    await Promise.allSettled(this.#readings);
    for (const segment of segments) await this.#deleteKeys(segment.keys());
  }

  /** Deletes the keys of a segment that was begun and is not to be. */
  async discard(id: number): Promise<void> {
    if (await this.#delete(segmentRange(id, id + 1)))
      this.#dead = addInterval(this.#dead, id, id + 1);
  }

  /**
   * Removes from the files of the store what was overwritten under the keys given, and all that has
   * been deleted of the index.
   */
  async purge(keys: readonly string[]): Promise<void> {
    const { store } = this.base;
    const dead = this.#dead;
    for (const [from, until] of dead) await store.purge(segmentRange(from, until));
    const sorted = [...keys].sort();
    if (sorted.length > 0)
      await store.purge({ from: sorted[0]!, until: prefixed(sorted.at(-1)!).until });
    if (dead.length === 0) return;
    await this.#turns.run(async () => {
      for (const [from, until] of dead) this.#dead = withoutInterval(this.#dead, from, until);
      await this.#writeManifest();
    });
  }

  #writeManifest(): Promise<void> {
    return this.base.store.write([this.#manifest(this.#segments)], { sync: false });
  }

  /** @returns whether there was anything */
  async #delete(range: { from: string; until: string }): Promise<boolean> {
    const keys: string[] = [];
    for await (const [key] of this.base.store.entries(range)) keys.push(key);
    await this.#deleteKeys(keys);
    return keys.length > 0;
  }

  async #deleteKeys(keys: Iterable<string>): Promise<void> {
    const operations = [...keys].map((key): StoreOperation => ({ type: 'delete', key }));
    for (let from = 0; from < operations.length; from += DELETE_PORTION)
      await this.base.store.write(operations.slice(from, from + DELETE_PORTION), { sync: false });
  }
}

function read(
  base: SegmentBase,
): { next: number; segments: Segment[]; dead: Interval[] } | undefined {
  try {
    const box = base.store.get(MANIFEST);
    if (box === undefined) return undefined;
    const [, next, ids, dead] = parse(manifest, base.seal.open(MANIFEST, box));
    return { next, segments: ids.map((id) => Segment.read(base, id)), dead };
  } catch (error) {
    if (hasCode(error, 'DATA_CORRUPT') || hasCode(error, 'BAD_MESSAGE')) return undefined;
    throw error;
  }
}
