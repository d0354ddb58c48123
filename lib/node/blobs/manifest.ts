/**
 * What a blob is made of. A blob is the bytes of a file as they are stored and sent: those of the
 * file itself, or sealed. Its manifest says of which conversation it is, how long it is and what the
 * SHA-256 of each of its chunks is; the SHA-256 of the manifest names the blob, so that whoever knows
 * the name can check every chunk as it comes, whoever sends it. Named in another conversation it is
 * given to nobody for that: whoever has learned a name gets nothing by repeating it elsewhere.
 */
import * as v from 'valibot';
import { equal, sha256, sha256Hex, toHex, utf8 } from '../../crdt/bytes.ts';
import { encode, parse } from '../../crdt/codec.ts';
import { bytes, count } from '../../crdt/records.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';

/** Bytes of every chunk but the last, which may have fewer. */
export const CHUNK_SIZE = 256 * 1024;
/** 4 GiB: the manifest of more would not go into a frame some day. */
export const MAX_CHUNKS = 16_384;
/** Bytes of the longest manifest and some more. */
export const MAX_MANIFEST = MAX_CHUNKS * 34 + 128;

declare const brand: unique symbol;
/** SHA-256 of a manifest as 64 hexadecimal digits: the name of a blob. */
export type BlobHash = string & { readonly [brand]: 'BlobHash' };

export const blobHash = v.custom<BlobHash>(
  (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
);

const VERSION = 1;
const manifestForm = v.strictTuple([
  v.literal(VERSION),
  count,
  v.literal(CHUNK_SIZE),
  /** SHA-256 of the name of its conversation's stream: as long whatever that is. */
  bytes(32),
  v.pipe(v.array(bytes(32)), v.maxLength(MAX_CHUNKS)),
]);
/** What the hash of a chunk takes in CBOR; the hashes stand at the end. */
const HASH_STRIDE = 34;

export class Manifest {
  readonly hash: BlobHash;
  /** Bytes of the blob. */
  readonly size: number;
  /** How many chunks. */
  readonly count: number;
  /** Canonical CBOR. */
  readonly bytes: Uint8Array;
  readonly #stream: Uint8Array;

  private constructor(size: number, chunks: number, stream: Uint8Array, encoded: Uint8Array) {
    this.#stream = stream;
    this.hash = sha256Hex(encoded) as BlobHash;
    this.size = size;
    this.count = chunks;
    this.bytes = encoded;
  }

  /**
   * @param stream of the conversation
   * @param hashes of the chunks that `size` bytes have
   * @throws TOO_LARGE
   */
  static of(stream: StreamName, size: number, hashes: readonly Uint8Array[]): Manifest {
    if (hashes.length !== chunkCount(size)) throw new ClchatError('INTERNAL', 'hashes are missing');
    const mark = sha256(utf8(stream));
    const encoded = encode([VERSION, size, CHUNK_SIZE, mark, hashes]);
    return new Manifest(size, hashes.length, mark, encoded);
  }

  /**
   * Reads what another peer, or the disk, says is a manifest.
   * @throws BAD_MESSAGE when it is none
   */
  static read(encoded: Uint8Array): Manifest {
    const limits = { maxBytes: MAX_MANIFEST, canonical: true, views: true };
    const [, size, , stream, hashes] = parse(manifestForm, encoded, limits);
    if (size > MAX_CHUNKS * CHUNK_SIZE || hashes.length !== chunkCount(size))
      throw new ClchatError('BAD_MESSAGE', 'a manifest that does not add up');
    return new Manifest(size, hashes.length, stream, encoded);
  }

  /** Whether it is of that conversation. */
  isOf(stream: StreamName): boolean {
    return equal(sha256(utf8(stream)), this.#stream);
  }

  /** How many bytes a chunk has. */
  lengthOf(index: number): number {
    return Math.min(CHUNK_SIZE, this.size - index * CHUNK_SIZE);
  }

  /** Whether these are the bytes of a chunk. */
  fits(index: number, chunk: Uint8Array): boolean {
    if (index >= this.count || chunk.length !== this.lengthOf(index)) return false;
    const at = this.bytes.length - (this.count - index) * HASH_STRIDE + 2;
    return equal(sha256(chunk), this.bytes.subarray(at, at + 32));
  }
}

/** The chunks of so many bytes. @throws TOO_LARGE */
export function chunkCount(size: number): number {
  const chunks = Math.ceil(size / CHUNK_SIZE);
  if (chunks > MAX_CHUNKS) throw new ClchatError('TOO_LARGE', 'A file may have up to 4 GiB.');
  return chunks;
}

/** Bytes of the manifest of a blob of so many bytes, known before its chunks are. @throws TOO_LARGE */
export function manifestLength(size: number): number {
  const empty = encode([VERSION, size, CHUNK_SIZE, new Uint8Array(32), []]);
  return empty.length - 1 + arrayLength(chunkCount(size));
}

/** Bytes that an array of so many hashes takes. */
function arrayLength(items: number): number {
  return encode(items).length + items * HASH_STRIDE;
}

export function toBlobHash(hash: Uint8Array): BlobHash {
  return toHex(hash) as BlobHash;
}
