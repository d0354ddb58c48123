/** Making segments of the search index out of messages. */
import type { StoreOperation } from '../../crdt/store.ts';
import type { StreamName } from '../../crdt/stream.ts';
import type { Catalog } from './search-catalog.ts';
import { withDone, withoutDone, type Coverage, type CoverageBook } from './search-coverage.ts';
import { takeOut, type Wanted } from './search-erase.ts';
import { packed } from './search-pages.ts';
import type { Stretches } from './search-pace.ts';
import { levelOf } from './search-rank.ts';
import type { Segment } from './search-segment.ts';
import { countsOf, tokensOf, wordsOf } from './search-words.ts';

/** Messages or words after which it is seen whether a rest is due. */
const APART = 64;

interface Message {
  readonly time: number;
  /** How often each word occurs, by its hash. */
  readonly occurrences: ReadonlyMap<number, number>;
  /** Occurrences of all words. */
  readonly length: number;
}

/** What has been read of the streams, and is in the index once it has been written. */
export class Draft {
  readonly #catalog: Catalog;
  readonly #book: CoverageBook;
  readonly #coverage = new Map<StreamName, Coverage>();
  readonly #messages = new Map<StreamName, Map<number, Message>>();
  #size = 0;
  /** Messages that have to be read again. */
  readonly #outdated = new Map<StreamName, Set<number>>();
  /** Of these, what is in the index and goes out of it; and the words that it is there by. */
  readonly #wanted = new Map<StreamName, Set<number>>();
  readonly #hashes = new Set<number>();

  constructor(catalog: Catalog, book: CoverageBook) {
    this.#catalog = catalog;
    this.#book = book;
  }

  /** How many messages. */
  get size(): number {
    return this.#size;
  }

  /** The streams that were looked at. */
  get streams(): Iterable<StreamName> {
    return this.#coverage.keys();
  }

  /** The streams of which something has to be read again. */
  get outdated(): Iterable<StreamName> {
    return this.#outdated.keys();
  }

  /** The coverage of a stream once this is in the index. */
  coverageOf(stream: StreamName): Coverage {
    return this.#coverage.get(stream) ?? this.#book.of(stream);
  }

  /** Positions from one to before another are being looked at. */
  begin(stream: StreamName, from: number, until: number): void {
    this.#coverage.set(stream, withDone(this.coverageOf(stream), from, until));
  }

  /** @param time when it was written, in milliseconds since 1970 */
  add(stream: StreamName, position: number, time: number, text: string): void {
    if (this.#outdated.get(stream)?.has(position) === true) return;
    const occurrences = new Map<number, number>();
    let length = 0;
    for (const [word, count] of countsOf(tokensOf(text))) {
      const hash = this.#catalog.base.seal.hash(word);
      occurrences.set(hash, (occurrences.get(hash) ?? 0) + count);
      length += count;
    }
    if (length === 0) return;
    valueOf(this.#messages, stream, () => new Map<number, Message>()).set(position, {
      time,
      occurrences,
      length,
    });
    this.#size++;
  }

  /** A message has another text than was read before: it is to be read again. */
  again(stream: StreamName, position: number, texts: readonly string[]): void {
    valueOf(this.#outdated, stream, () => new Set<number>()).add(position);
    this.#coverage.set(stream, withoutDone(this.coverageOf(stream), position));
    if (this.#messages.get(stream)?.delete(position) === true) this.#size--;
    else this.takeOut(stream, position, texts);
  }

  /**
   * A message goes out of the index.
   * @param texts by which it may be there
   */
  takeOut(stream: StreamName, position: number, texts: readonly string[]): void {
    valueOf(this.#wanted, stream, () => new Set<number>()).add(position);
    for (const word of texts.flatMap(wordsOf)) this.#hashes.add(this.#catalog.base.seal.hash(word));
  }

  /** Whether segments are changed by it: none of them may be changed otherwise meanwhile. */
  get changesSegments(): boolean {
    return this.#wanted.size > 0;
  }

  /**
   * Writes it all in one batch.
   * @param options.isErasing what is taken out goes for good, and in any case
   * @returns the keys that were written over; undefined where a stream has been taken back meanwhile,
   *   and nothing was written
   */
  async write(
    stretches: Stretches,
    { isErasing = false }: { isErasing?: boolean } = {},
  ): Promise<string[] | undefined> {
    if (this.#coverage.size === 0 && this.#wanted.size === 0) return [];
    const { base, segments } = this.#catalog;
    const wanted: Wanted = { positions: this.#wanted, hashes: this.#hashes };
    const { instead, operations: over } = await takeOut(segments, wanted, stretches);
    const { segment, operations } = await this.#segment(stretches);
    const isWritten = await this.#catalog.change(instead, segment, async (manifest) => {
      const isPresent = [...this.#coverage].every(
        ([name, { generation }]) =>
          !this.#book.isMoving(name) && this.#book.isPresent({ name, generation }),
      );
      if (!isPresent && !isErasing) return false;
      await this.#book.change(isPresent ? this.#coverage : new Map(), (coverage) =>
        base.store.write([...over, ...operations, ...coverage, manifest], { sync: isErasing }),
      );
      return true;
    });
    return isWritten ? over.map(({ key }) => key) : undefined;
  }

  async #segment(
    stretches: Stretches,
  ): Promise<{ segment: Segment | undefined; operations: readonly StoreOperation[] }> {
    if (this.#size === 0) return { segment: undefined, operations: [] };
    const writer = this.#catalog.write();
    const postings = new Map<number, number[]>();
    let steps = 0;
    for (const [name, messages] of this.#messages) {
      const version = { name, generation: this.coverageOf(name).generation };
      for (const [position, { time, occurrences, length }] of messages) {
        if (++steps % APART === 0 && stretches.isDue) await stretches.rest();
        const number = writer.message(version, { position, words: occurrences.size }, time);
        for (const [hash, count] of occurrences)
          valueOf(postings, hash, () => []).push(packed(number, levelOf(count, length)));
      }
    }
    for (const hash of Float64Array.from(postings.keys()).sort()) {
      if (++steps % APART === 0 && stretches.isDue) await stretches.rest();
      writer.word(hash, postings.get(hash)!);
    }
    return writer.finish();
  }
}

function valueOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
