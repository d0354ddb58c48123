/**
 * Merging of segments, so that a query has few to look through: eight neighbours of one size make one
 * of the next, and so each message is written anew a handful of times however many there are.
 */
import type { Catalog } from './search-catalog.ts';
import type { CoverageBook } from './search-coverage.ts';
import { levelIn, messageOf, packed, PIECE_POSTINGS, type PageReader } from './search-pages.ts';
import type { Stretches } from './search-pace.ts';
import type { Segment, SegmentWriter } from './search-segment.ts';

/** Neighbours of one size that are merged, and how many times as large the next size is. */
const FANOUT = 8;
/** Messages of a segment of the least size. */
const LEAST = 64;
/** The size from which on segments are left alone. */
const GREATEST = 5;
/** Bytes written in one batch. */
const BATCH_BYTES = 256 << 10;
/** Words, and postings of one word, after which it is seen whether a rest is due. */
const WORDS_APART = 64;
const POSTINGS_APART = 4_096;

function sizeOf({ messages }: Segment): number {
  let size = 0;
  for (let most = LEAST; messages >= most && size < GREATEST; most *= FANOUT) size++;
  return size;
}

/** Neighbours that are to be one segment; undefined where there is nothing to merge. */
export function mergeable(segments: readonly Segment[]): readonly Segment[] | undefined {
  const sizes = segments.map(sizeOf);
  for (let size = 0; size < GREATEST; size++) {
    const begin = sizes.findLastIndex((one) => one > size) + 1;
    const first = sizes.indexOf(size, begin);
    if (sizes.slice(begin).filter((one) => one === size).length >= FANOUT)
      return segments.slice(first);
  }
  return undefined;
}

/**
 * Writes segments as one; what does not count in them any more is left out.
 * @returns false where it was given up because of `signal`
 */
export async function merge(
  segments: readonly Segment[],
  options: {
    catalog: Catalog;
    coverage: CoverageBook;
    stretches: Stretches;
    signal: AbortSignal;
  },
): Promise<boolean> {
  const { catalog, coverage, stretches, signal } = options;
  const { store } = catalog.base;
  const writer = catalog.write();
  const pause = async (): Promise<void> => {
    if (writer.size > BATCH_BYTES) await store.write(writer.take(), { sync: false });
    if (stretches.isDue) await stretches.rest();
    signal.throwIfAborted();
  };
  try {
    const sources: Source[] = [];
    for (const segment of segments)
      sources.push(new Source(segment, await copyMessages(segment, writer, coverage, pause)));
    await copyWords(sources, writer, pause);
    const { segment, operations } = writer.finish();
    const merged = segment.messages > 0 ? segment : undefined;
    const instead = new Map(segments.map((one, index) => [one, index === 0 ? merged : undefined]));
    await catalog.change(instead, undefined, async (manifest) => {
      signal.throwIfAborted();
      await store.write([...(merged === undefined ? [] : operations), manifest], { sync: false });
      return true;
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    await catalog.discard(writer.id);
    return false;
  }
  await catalog.delete(segments);
  return true;
}

const LEFT_OUT = -1;

/** @returns the numbers of the messages in the new segment */
async function copyMessages(
  segment: Segment,
  writer: SegmentWriter,
  coverage: CoverageBook,
  pause: () => Promise<void>,
): Promise<Int32Array> {
  const numbers = new Int32Array(segment.messages).fill(LEFT_OUT);
  const placeOf = segment.places();
  const timeOf = segment.times();
  const isPresent = segment.streams.map((one) => coverage.isPresent(one));
  for (let message = 0; message < segment.messages; message++) {
    if (message % PIECE_POSTINGS === 0) await pause();
    const { stream, position, words } = placeOf(message);
    if (words === 0 || isPresent[stream] !== true) continue;
    numbers[message] = writer.message(
      segment.streams[stream]!,
      { position, words },
      timeOf(message) * 1_000,
    );
  }
  return numbers;
}

async function copyWords(
  sources: readonly Source[],
  writer: SegmentWriter,
  pause: () => Promise<void>,
): Promise<void> {
  const most = sources.reduce((sum, { segment }) => sum + segment.messages, 0);
  const postings = new Uint32Array(most);
  for (let words = 0; ; words++) {
    if (words % WORDS_APART === 0) await pause();
    const hash = sources.reduce((least, source) => Math.min(least, source.hash), Infinity);
    if (hash === Infinity) return;
    let count = 0;
    for (const source of sources) while (source.hash === hash) count = source.take(postings, count);
    if (count > 0) writer.word(hash, postings.subarray(0, count));
    if (count > POSTINGS_APART) await pause();
  }
}

/** Goes through the pieces of a segment. */
class Source {
  readonly segment: Segment;
  /** New numbers of the messages. */
  readonly #numbers: Int32Array;
  readonly #piece = new Uint32Array(PIECE_POSTINGS);
  #page: PageReader | undefined;
  #pages = 0;

  constructor(segment: Segment, numbers: Int32Array) {
    this.segment = segment;
    this.#numbers = numbers;
    this.#next();
  }

  /** Of the word that comes next; `Infinity` where there is none. */
  get hash(): number {
    return this.#page?.hash ?? Infinity;
  }

  /** Adds the postings of a piece, by their new numbers. @returns how many there are now */
  take(postings: Uint32Array, from: number): number {
    const count = this.#page!.into(this.#piece);
    let at = from;
    for (let index = 0; index < count; index++) {
      const posting = this.#piece[index]!;
      const number = this.#numbers[messageOf(posting)]!;
      if (number !== LEFT_OUT) postings[at++] = packed(number, levelIn(posting));
    }
    this.#next();
    return at;
  }

  #next(): void {
    while (this.#page?.next() !== true) {
      this.#page = undefined;
      if (this.#pages >= this.segment.pages) return;
      this.#page = this.segment.page(this.#pages++);
    }
  }
}
