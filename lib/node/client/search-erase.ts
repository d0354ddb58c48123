/** Taking messages out of the search index, with every word of theirs. */
import type { StoreOperation } from '../../crdt/store.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { messageOf, PageWriter, PIECE_POSTINGS } from './search-pages.ts';
import type { Stretches } from './search-pace.ts';
import type { Segment } from './search-segment.ts';

/** Messages of which it is seen whether a rest is due. */
const APART = 4_096;

export interface Wanted {
  /** Of the messages, by their streams. */
  readonly positions: ReadonlyMap<StreamName, ReadonlySet<number>>;
  /**
   * Of the words that they are likely to be indexed by. Where there are others, all that the index
   * has of a segment is gone through.
   */
  readonly hashes: ReadonlySet<number>;
}

/** What takes messages out of segments. */
export interface Taking {
  /** What those that change are then. */
  readonly instead: ReadonlyMap<Segment, Segment>;
  readonly operations: readonly StoreOperation[];
}

export async function takeOut(
  segments: readonly Segment[],
  wanted: Wanted,
  stretches: Stretches,
): Promise<Taking> {
  const instead = new Map<Segment, Segment>();
  const operations: StoreOperation[] = [];
  if (wanted.positions.size > 0)
    for (const segment of segments) {
      const messages = await messagesOf(segment, wanted, stretches);
      if (messages.size === 0) continue;
      const stripping = new Stripping(segment, messages);
      await stripping.run(wanted.hashes, stretches);
      const { changed, operations: own } = stripping.end();
      instead.set(segment, changed);
      operations.push(...own);
    }
  return { instead, operations };
}

/** The messages in a segment, with how many words of each are in the index. */
async function messagesOf(
  segment: Segment,
  { positions }: Wanted,
  stretches: Stretches,
): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  const sought = segment.streams.map(({ name }) => positions.get(name));
  if (sought.every((one) => one === undefined)) return found;
  const placeOf = segment.places();
  for (let message = 0; message < segment.messages; message++) {
    if (message % APART === 0 && stretches.isDue) await stretches.rest();
    const { stream, position, words } = placeOf(message);
    if (words > 0 && sought[stream]?.has(position) === true) found.set(message, words);
  }
  return found;
}

class Stripping {
  readonly #segment: Segment;
  readonly #messages: ReadonlyMap<number, number>;
  /** Postings that have to be found still. */
  #left: number;
  readonly #writer = new PageWriter();
  readonly #piece = new Uint32Array(PIECE_POSTINGS);
  /** Pages that have changed; their first hashes, where anything is left in them. */
  readonly #pages = new Map<number, { bytes: Uint8Array; first: number | undefined }>();

  constructor(segment: Segment, messages: ReadonlyMap<number, number>) {
    this.#segment = segment;
    this.#messages = messages;
    this.#left = [...messages.values()].reduce((sum, words) => sum + words, 0);
  }

  async run(hashes: ReadonlySet<number>, stretches: Stretches): Promise<void> {
    const likely = new Set<number>();
    for (const hash of hashes) {
      const [from, until] = this.#segment.pagesOf(hash);
      for (let page = from; page < until; page++) likely.add(page);
    }
    for (const page of likely) {
      if (stretches.isDue) await stretches.rest();
      this.#strip(page, hashes);
    }
    for (let page = 0; page < this.#segment.pages && this.#left > 0; page++) {
      if (stretches.isDue) await stretches.rest();
      this.#strip(page);
    }
  }

  /** Takes the messages out of a page: out of the pieces of some words, or of all. */
  #strip(page: number, hashes?: ReadonlySet<number>): void {
    const reader = this.#segment.page(page, this.#pages.get(page)?.bytes);
    const before = this.#left;
    let first: number | undefined;
    while (reader.next()) {
      const { hash } = reader;
      const isSought = hashes === undefined || hashes.has(hash);
      const kept = isSought ? this.#keep(reader.into(this.#piece)) : reader.count;
      if (kept === reader.count) this.#writer.copy(reader);
      else if (kept > 0) this.#writer.add(hash, this.#piece, 0, kept);
      if (kept > 0) first ??= hash;
    }
    const bytes = this.#writer.take();
    if (this.#left < before) this.#pages.set(page, { bytes: Uint8Array.from(bytes), first });
  }

  /** Moves the postings of other messages to the front. @returns how many they are */
  #keep(count: number): number {
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const posting = this.#piece[index]!;
      if (this.#messages.has(messageOf(posting))) this.#left--;
      else this.#piece[kept++] = posting;
    }
    return kept;
  }

  /** What is to be written, and the segment as it is then. */
  end(): { changed: Segment; operations: StoreOperation[] } {
    const segment = this.#segment;
    const operations = segment.withoutMessages(this.#messages.keys());
    const firsts = new Map<number, number>();
    for (const page of [...this.#pages.keys()].sort((a, b) => b - a)) {
      const { bytes, first } = this.#pages.get(page)!;
      operations.push(segment.pageOperation(page, bytes));
      // Not even the hash of a word that is gone stays.
      firsts.set(page, first ?? firsts.get(page + 1) ?? segment.firstOf(page + 1));
    }
    if ([...firsts].every(([page, first]) => first === segment.firstOf(page)))
      return { changed: segment, operations };
    const changed = segment.with(firsts);
    return { changed, operations: [...operations, changed.headerOperation()] };
  }
}
