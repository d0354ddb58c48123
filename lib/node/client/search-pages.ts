/**
 * Pages of postings: which words occur in which messages of a segment, and how much that tells.
 *
 * A page is a row of pieces in order of their words' hashes. A piece is the hash, how many postings
 * and how many bytes of them there are, and the postings: each is packed with its level (see
 * `levelOf`) and stands as the distance to the message before it, the first to message 0. All
 * numbers but the hash are in groups of seven bits, the lowest first.
 */
import { HASH_LENGTH } from './search-seal.ts';

/** Bytes with which a page is full. */
export const PAGE_BYTES = 8 * 1024;
/** Postings of one piece. */
export const PIECE_POSTINGS = 2_048;

const LEVEL_BITS = 3;
/** How many levels there are: 0 tells least. */
export const LEVELS = 1 << LEVEL_BITS;

/** A message of a segment, by its number there, and a level. */
export function packed(message: number, level: number): number {
  return message * LEVELS + level;
}

export function messageOf(posting: number): number {
  return posting >>> LEVEL_BITS;
}

export function levelIn(posting: number): number {
  return posting & (LEVELS - 1);
}

/** Goes through the pieces of a page. */
export class PageReader {
  readonly bytes: Uint8Array;
  hash = -1;
  /** Postings of the piece. */
  count = 0;
  /** First byte of the whole piece, and the first behind it. */
  start = 0;
  end = 0;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @returns false where no piece is left */
  next(): boolean {
    const { bytes } = this;
    this.start = this.#at = this.end;
    if (this.start >= bytes.length) return false;
    let hash = 0;
    for (let index = 0; index < HASH_LENGTH; index++) hash = hash * 256 + bytes[this.#at++]!;
    this.hash = hash;
    this.count = this.#number();
    const length = this.#number();
    this.end = this.#at + length;
    return true;
  }

  /** Reads the postings of the piece, once. @returns how many */
  into(postings: Uint32Array): number {
    let message = 0;
    for (let index = 0; index < this.count; index++) {
      const step = this.#number();
      message += messageOf(step);
      postings[index] = packed(message, levelIn(step));
    }
    return this.count;
  }

  #number(): number {
    const { bytes } = this;
    let byte = bytes[this.#at++]!;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = bytes[this.#at++]!;
      value |= (byte & 127) << shift;
    }
    return value >>> 0;
  }
}

/** A page being made. */
export class PageWriter {
  /** A piece more than a full page may have. */
  readonly #bytes = Buffer.alloc(PAGE_BYTES + PIECE_POSTINGS * 5 + 32);
  readonly #postings = Buffer.alloc(PIECE_POSTINGS * 5);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  get isFull(): boolean {
    return this.#at >= PAGE_BYTES;
  }

  /** Adds a piece: at most `PIECE_POSTINGS` postings, in order. */
  add(hash: number, postings: ArrayLike<number>, from: number, until: number): void {
    let length = 0;
    let before = 0;
    for (let index = from; index < until; index++) {
      const posting = postings[index]!;
      const message = messageOf(posting);
      const step = packed(message - before, levelIn(posting));
      length = put(this.#postings, length, step);
      before = message;
    }
    this.#at = this.#bytes.writeUIntBE(hash, this.#at, HASH_LENGTH);
    this.#at = put(this.#bytes, this.#at, until - from);
    this.#at = put(this.#bytes, this.#at, length);
    this.#at += this.#postings.copy(this.#bytes, this.#at, 0, length);
  }

  /** Adds a piece as it stands in another page. */
  copy({ bytes, start, end }: PageReader): void {
    this.#bytes.set(bytes.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  /** The page, good until the next piece is added; then a new one begins. */
  take(): Uint8Array {
    const page = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    return page;
  }
}

function put(bytes: Buffer, at: number, value: number): number {
  let rest = value;
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
