/**
 * A segment of the search index: messages that were indexed one after the other, by numbers from 0,
 * and the words in them. It is written once; only an erasure changes it. All values are sealed.
 *
 *   x!<segment>!h             how many messages, of which streams, and the first hash of each page
 *   x!<segment>!p<number>     pages of postings (`search-pages.ts`), in order of the hashes
 *   x!<segment>!t<number>     when the messages were written: seconds since 1970, 4 bytes each
 *   x!<segment>!m<number>     where they stand: stream, position, how many words; 14 bytes each
 */
import * as v from 'valibot';
import { encode, parse } from '../../crdt/codec.ts';
import { bytesUpTo, count } from '../../crdt/records.ts';
import { ordinal, type Store, type StoreOperation } from '../../crdt/store.ts';
import { isStreamName, type StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import { PageReader, PageWriter, PIECE_POSTINGS } from './search-pages.ts';
import { HASH_LENGTH, type SearchSeal } from './search-seal.ts';

/** Messages in one block of times or places. */
const BLOCK = 4_096;
const TIME_LENGTH = 4;
const PLACE_LENGTH = 14;
const LATEST = 2 ** 32 - 1;
const MAX_HEADER = 16 << 20;

const header = v.strictObject({
  messages: count,
  streams: v.array(v.tuple([v.custom<StreamName>(isStreamName), count])),
  pages: bytesUpTo(MAX_HEADER),
});

/** What a segment lies in. */
export interface SegmentBase {
  readonly store: Store;
  readonly seal: SearchSeal;
}

/** Of which stream, in which of its generations (see `Coverage`), a message of a segment is. */
export interface StreamVersion {
  readonly name: StreamName;
  readonly generation: number;
}

/** Where a message stands. */
export interface MessagePlace {
  /** Index in the segment's `streams`. */
  readonly stream: number;
  readonly position: number;
  /** How many words of it are in the index; 0: none any more. */
  readonly words: number;
}

/** The range of all keys of segments from one number to before another. */
export function segmentRange(from: number, until: number): { from: string; until: string } {
  return { from: `x!${ordinal(from)}!`, until: `x!${ordinal(until)}!` };
}

export class Segment {
  readonly id: number;
  /** How many messages. */
  readonly messages: number;
  readonly streams: readonly StreamVersion[];
  readonly #base: SegmentBase;
  /** Not above any hash of each page, in order. */
  readonly #pages: readonly number[];

  constructor(
    base: SegmentBase,
    id: number,
    content: { messages: number; streams: readonly StreamVersion[]; pages: readonly number[] },
  ) {
    this.#base = base;
    this.id = id;
    this.messages = content.messages;
    this.streams = content.streams;
    this.#pages = content.pages;
  }

  /** @throws DATA_CORRUPT */
  static read(base: SegmentBase, id: number): Segment {
    const content = parse(header, readSealed(base, partKey(id, 'h')), { maxBytes: MAX_HEADER });
    const { messages, streams, pages } = content;
    const directory = Buffer.from(pages.buffer, pages.byteOffset, pages.byteLength);
    const firsts: number[] = [];
    for (let at = 0; at < directory.length; at += HASH_LENGTH)
      firsts.push(directory.readUIntBE(at, HASH_LENGTH));
    const named = streams.map(([name, generation]) => ({ name, generation }));
    return new Segment(base, id, { messages, streams: named, pages: firsts });
  }

  get pages(): number {
    return this.#pages.length;
  }

  /** The same with other first hashes of its pages. */
  with(pages: ReadonlyMap<number, number>): Segment {
    const { messages, streams } = this;
    const firsts = this.#pages.map((first, page) => pages.get(page) ?? first);
    return new Segment(this.#base, this.id, { messages, streams, pages: firsts });
  }

  headerOperation(): StoreOperation {
    const pages = Buffer.alloc(this.#pages.length * HASH_LENGTH);
    this.#pages.forEach((hash, page) => pages.writeUIntBE(hash, page * HASH_LENGTH, HASH_LENGTH));
    const streams = this.streams.map(({ name, generation }) => [name, generation]);
    const value = encode({ messages: this.messages, streams, pages });
    return sealedOperation(this.#base.seal, partKey(this.id, 'h'), value);
  }

  pageOperation(page: number, bytes: Uint8Array): StoreOperation {
    return sealedOperation(this.#base.seal, partKey(this.id, 'p', page), bytes);
  }

  /** @param bytes of the page, where they are to be others than those stored */
  page(page: number, bytes?: Uint8Array): PageReader {
    return new PageReader(bytes ?? this.#read('p', page));
  }

  /** First hash that the pages from this one on may hold. */
  firstOf(page: number): number {
    return this.#pages[page] ?? 2 ** (8 * HASH_LENGTH) - 1;
  }

  /** The pages that may hold postings of a word: the first, and the first that cannot. */
  pagesOf(hash: number): [from: number, until: number] {
    const from = this.#below(hash);
    let until = from + 1;
    while (until < this.pages && this.#pages[until]! <= hash) until++;
    return [from, Math.min(until, this.pages)];
  }

  /** The last page that begins below a hash: a word's postings may begin at its end. */
  #below(hash: number): number {
    let low = 0;
    let high = this.pages;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pages[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** How many messages hold a word. */
  frequency(hash: number): number {
    let frequency = 0;
    const [from, until] = this.pagesOf(hash);
    for (let page = from; page < until; page++)
      for (const piece = this.page(page); piece.next() && piece.hash <= hash;)
        if (piece.hash === hash) frequency += piece.count;
    return frequency;
  }

  /** When messages were written, by their numbers. */
  times(): (message: number) => number {
    const read = this.#blocks('t');
    return (message) => read(message).readUInt32LE((message % BLOCK) * TIME_LENGTH);
  }

  /** Where messages stand, by their numbers. */
  places(): (message: number) => MessagePlace {
    const read = this.#blocks('m');
    return (message) => {
      const block = read(message);
      const at = (message % BLOCK) * PLACE_LENGTH;
      const stream = block.readUInt32LE(at);
      const position = block.readDoubleLE(at + 4);
      return { stream, position, words: block.readUInt16LE(at + 12) };
    };
  }

  /** Gives the block of a message; the last one is at hand still. */
  #blocks(part: 't' | 'm'): (message: number) => Buffer {
    let known: { number: number; block: Buffer } | undefined;
    return (message) => {
      const number = Math.floor(message / BLOCK);
      if (known?.number !== number) known = { number, block: this.#read(part, number) };
      return known.block;
    };
  }

  /** What takes messages out: they stand nowhere any more. */
  withoutMessages(messages: Iterable<number>): StoreOperation[] {
    const blocks = new Map<number, Buffer>();
    for (const message of messages) {
      const number = Math.floor(message / BLOCK);
      let block = blocks.get(number);
      if (block === undefined) blocks.set(number, (block = this.#read('m', number)));
      block.fill(0, (message % BLOCK) * PLACE_LENGTH, ((message % BLOCK) + 1) * PLACE_LENGTH);
    }
    return [...blocks].map(([number, block]) =>
      sealedOperation(this.#base.seal, partKey(this.id, 'm', number), block),
    );
  }

  #read(part: 'p' | 't' | 'm', number: number): Buffer {
    return readSealed(this.#base, partKey(this.id, part, number));
  }

  /** All its keys in the store. */
  *keys(): Generator<string> {
    yield partKey(this.id, 'h');
    for (let page = 0; page < this.pages; page++) yield partKey(this.id, 'p', page);
    for (let block = 0; block * BLOCK < this.messages; block++) {
      yield partKey(this.id, 't', block);
      yield partKey(this.id, 'm', block);
    }
  }
}

function partKey(segment: number, part: 'h' | 'p' | 't' | 'm', number?: number): string {
  return `x!${ordinal(segment)}!${part}${number === undefined ? '' : ordinal(number)}`;
}

function readSealed({ store, seal }: SegmentBase, key: string): Buffer {
  const box = store.get(key);
  if (box === undefined) throw new ClchatError('DATA_CORRUPT', 'The search index has a hole.');
  return seal.open(key, box);
}

function sealedOperation(seal: SearchSeal, key: string, value: Uint8Array): StoreOperation {
  return { type: 'put', key, value: seal.seal(key, value) };
}

/** A segment being made: first its messages in order, then its postings in order of the hashes. */
export class SegmentWriter {
  readonly id: number;
  readonly #base: SegmentBase;
  readonly #streams = new Map<string, number>();
  readonly #versions: StreamVersion[] = [];
  #stream: StreamVersion | undefined;
  #index = 0;
  readonly #times = Buffer.alloc(BLOCK * TIME_LENGTH);
  readonly #places = Buffer.alloc(BLOCK * PLACE_LENGTH);
  readonly #page = new PageWriter();
  readonly #pages: number[] = [];
  #pageFirst = 0;
  #messages = 0;
  #operations: StoreOperation[] = [];
  /** Bytes that wait to be written. */
  size = 0;

  constructor(base: SegmentBase, id: number) {
    this.#base = base;
    this.id = id;
  }

  /**
   * @param time milliseconds since 1970
   * @returns the number of the message
   */
  message(stream: StreamVersion, place: { position: number; words: number }, time: number): number {
    const seconds = Math.min(Math.floor(time / 1_000), LATEST);
    const row = this.#messages % BLOCK;
    this.#times.writeUInt32LE(seconds, row * TIME_LENGTH);
    const at = row * PLACE_LENGTH;
    this.#places.writeUInt32LE(this.#streamIndex(stream), at);
    this.#places.writeDoubleLE(place.position, at + 4);
    this.#places.writeUInt16LE(place.words, at + 12);
    this.#messages++;
    if (row === BLOCK - 1) this.#endBlock();
    return this.#messages - 1;
  }

  #streamIndex(stream: StreamVersion): number {
    // Those of one stream come together, mostly.
    if (stream === this.#stream) return this.#index;
    const version = `${stream.generation} ${stream.name}`;
    const index = this.#streams.get(version) ?? this.#versions.push(stream) - 1;
    this.#streams.set(version, index);
    [this.#stream, this.#index] = [stream, index];
    return index;
  }

  #endBlock(): void {
    const block = Math.ceil(this.#messages / BLOCK) - 1;
    const rows = this.#messages - block * BLOCK;
    this.#put(partKey(this.id, 't', block), this.#times.subarray(0, rows * TIME_LENGTH));
    this.#put(partKey(this.id, 'm', block), this.#places.subarray(0, rows * PLACE_LENGTH));
  }

  /** All postings of one word, packed and in order. */
  word(hash: number, postings: ArrayLike<number>): void {
    for (let from = 0; from < postings.length; from += PIECE_POSTINGS) {
      if (this.#page.length === 0) this.#pageFirst = hash;
      this.#page.add(hash, postings, from, Math.min(from + PIECE_POSTINGS, postings.length));
      if (this.#page.isFull) this.#endPage();
    }
  }

  #endPage(): void {
    const page = this.#pages.push(this.#pageFirst) - 1;
    this.#put(partKey(this.id, 'p', page), this.#page.take());
  }

  #put(key: string, value: Uint8Array): void {
    this.#operations.push(sealedOperation(this.#base.seal, key, value));
    this.size += value.length;
  }

  /** What is to be written meanwhile. */
  take(): StoreOperation[] {
    const operations = this.#operations;
    this.#operations = [];
    this.size = 0;
    return operations;
  }

  /** The segment, and what is still to be written of it. */
  finish(): { segment: Segment; operations: StoreOperation[] } {
    if (this.#messages % BLOCK > 0) this.#endBlock();
    if (this.#page.length > 0) this.#endPage();
    const segment = new Segment(this.#base, this.id, {
      messages: this.#messages,
      streams: this.#versions,
      pages: this.#pages,
    });
    return { segment, operations: [...this.take(), segment.headerOperation()] };
  }
}
