/**
 * Canonical CBOR (DAG-CBOR): the one encoding of everything that is signed, stored or sent. Decoding
 * is a boundary: bytes come from peers and from disks, so they are read without recursion and within
 * bounds.
 */
import { isUtf8 } from 'node:buffer';
import * as dagCbor from '@ipld/dag-cbor';
import * as v from 'valibot';
import { ClchatError } from '../errors.ts';

/** How much is decoded where the caller sets no bound, in bytes. */
export const DEFAULT_MAX_BYTES = 1 << 20;

/** How deep arrays and maps may nest. */
export const MAX_DEPTH = 16;

export interface DecodeOptions {
  /** Longer input is refused unread. `DEFAULT_MAX_BYTES` where absent. */
  readonly maxBytes?: number;
  /** Also refuse what is not the one encoding of its value. Signed bytes need it. */
  readonly canonical?: boolean;
  /** Byte arrays are views of the input, not copies: for what is let go of soon. */
  readonly views?: boolean;
}

/**
 * Encodes plain data: null, booleans, finite numbers, strings, byte arrays, arrays and objects with
 * string keys. The same value always gives the same bytes.
 * @throws INTERNAL for anything else, `undefined` included: a mistake of ours
 */
export function encode(value: unknown): Uint8Array {
  try {
    const bytes = dagCbor.encode(value);
    // The encoder gives a Buffer at times, whose `slice` and equality are not those of the rest.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw new ClchatError('INTERNAL', 'a value cannot be encoded', { cause: error });
  }
}

/**
 * Decodes what `encode` made. Whole numbers are safe integers; no tags, no undefined, no
 * indefinite lengths; strings are well-formed UTF-8; no key is there twice.
 * @throws BAD_MESSAGE, nothing else, whatever the bytes are
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): unknown {
  const { maxBytes = DEFAULT_MAX_BYTES, canonical = false, views = false } = options;
  if (bytes.length > maxBytes)
    throw new ClchatError('BAD_MESSAGE', `${bytes.length} bytes where ${maxBytes} are the most`);
  return new Reader(bytes, canonical, views).whole();
}

/**
 * Decodes and validates.
 * @throws BAD_MESSAGE when the bytes or the value do not fit
 */
export function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, decode(bytes, options), { abortEarly: true });
  // The value itself stays out of the text: it may be a secret, or whatever a peer wrote.
  if (!result.success)
    refuse(`${v.getDotPath(result.issues[0]) ?? 'the value'} does not fit its schema`);
  return result.output;
}

/**
 * Reads what this program stored itself: what does not fit means a damaged store.
 * @throws DATA_CORRUPT
 */
export function stored<S extends v.GenericSchema>(schema: S, bytes: Uint8Array): v.InferOutput<S> {
  try {
    return parse(schema, bytes);
  } catch (error) {
    throw new ClchatError('DATA_CORRUPT', undefined, { cause: error });
  }
}

function refuse(why: string): never {
  throw new ClchatError('BAD_MESSAGE', why);
}

/** An array or map whose items are being read. */
interface Open {
  readonly value: unknown[] | Record<string, unknown>;
  /** Items still to come; a key and its value are two. */
  left: number;
  /** The last key of a map, also as it was encoded. */
  key: string | undefined;
  encodedKey: Uint8Array | undefined;
}

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const SIMPLE = 7;
const FLOAT64 = 27;

/**
 * Reads one value in one pass, in time linear in the bytes, without recursion. Reading and checking
 * apart, the latter by the library, took three times as long, and every entry is read by everybody.
 */
class Reader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #canonical: boolean;
  readonly #views: boolean;
  #at = 0;

  constructor(bytes: Uint8Array, canonical: boolean, views: boolean) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#canonical = canonical;
    this.#views = views;
  }

  whole(): unknown {
    const open: Open[] = [];
    for (;;) {
      const parent = open.at(-1);
      if (parent !== undefined) {
        parent.left--;
        if (parent.key === undefined && !Array.isArray(parent.value)) {
          this.#readKey(parent, parent.value);
          continue;
        }
      }
      let value = this.#next(open);
      if (open.at(-1) !== parent) continue;
      // A value is complete: it goes into its array or map, which may be complete with it.
      for (;;) {
        const holder = open.at(-1);
        if (holder === undefined) {
          if (this.#at !== this.#bytes.length) refuse('more than one value');
          return value;
        }
        put(holder, value);
        if (holder.left > 0) break;
        open.pop();
        value = holder.value;
      }
    }
  }

  /** Reads a value. One that has items is put on `open`, unless it is empty. */
  #next(open: Open[]): unknown {
    const first = this.#byte();
    const major = first >> 5;
    const info = first & 31;
    if (major === SIMPLE) return this.#simple(info);
    const argument = this.#argument(info, major);
    switch (major) {
      case UNSIGNED:
        return argument;
      case NEGATIVE:
        return -1 - argument;
      case BYTES: {
        const { buffer, byteOffset } = this.#take(argument);
        const view = new Uint8Array(buffer, byteOffset, argument);
        return this.#views ? view : view.slice();
      }
      case TEXT:
        return this.#text(argument);
      case ARRAY:
      case MAP: {
        const left = major === MAP ? 2 * argument : argument;
        if (left > this.#bytes.length - this.#at) refuse('cut short');
        if (open.length >= MAX_DEPTH) refuse('nested too deep');
        const value = major === MAP ? {} : [];
        if (left > 0) open.push({ value, left, key: undefined, encodedKey: undefined });
        return value;
      }
      default:
        return refuse('unknown tag');
    }
  }

  #readKey(holder: Open, map: Record<string, unknown>): void {
    const first = this.#byte();
    if (first >> 5 !== TEXT) refuse('a key that is no text');
    const from = this.#at;
    const key = this.#text(this.#argument(first & 31, TEXT));
    if (key === '__proto__') refuse('forbidden key');
    if (Object.hasOwn(map, key)) refuse('a key twice');
    const encoded = this.#bytes.subarray(from, this.#at);
    if (this.#canonical && !isAfter(encoded, holder.encodedKey)) refuse('not canonical');
    holder.key = key;
    holder.encodedKey = encoded;
  }

  #simple(info: number): unknown {
    if (info === 20 || info === 21) return info === 21;
    if (info === 22) return null;
    if (info !== FLOAT64) refuse('unknown value');
    if (this.#bytes.length - this.#at < 8) refuse('cut short');
    const value = this.#view.getFloat64(this.#at);
    this.#at += 8;
    if (!Number.isFinite(value)) refuse('not a number');
    // A whole number has a shorter encoding.
    if (this.#canonical && Number.isSafeInteger(value)) refuse('not canonical');
    return value;
  }

  #text(length: number): string {
    const content = this.#take(length);
    if (!isUtf8(content)) refuse('malformed text');
    return content.toString('utf8');
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) refuse('cut short');
    return this.#view.getUint8(this.#at++);
  }

  #take(length: number): Buffer {
    const from = this.#at;
    if (length > this.#bytes.length - from) refuse('cut short');
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  /** The argument of a head, in as few bytes as it needs: a value, a length or a count. */
  #argument(info: number, major: number): number {
    if (info < 24) return info;
    if (info > 27) refuse('unknown length');
    const width = 1 << (info - 24);
    const at = this.#at;
    if (width > this.#bytes.length - at) refuse('cut short');
    this.#at += width;
    let value: number;
    let least: number;
    if (width === 1) [value, least] = [this.#view.getUint8(at), 24];
    else if (width === 2) [value, least] = [this.#view.getUint16(at), 2 ** 8];
    else if (width === 4) [value, least] = [this.#view.getUint32(at), 2 ** 16];
    else {
      const large = this.#view.getBigUint64(at);
      if (large > BigInt(Number.MAX_SAFE_INTEGER - (major === NEGATIVE ? 1 : 0)))
        refuse('number out of range');
      [value, least] = [Number(large), 2 ** 32];
    }
    if (value < least) refuse('longer than it need be');
    return value;
  }
}

function put(holder: Open, value: unknown): void {
  if (Array.isArray(holder.value)) holder.value.push(value);
  else {
    holder.value[holder.key!] = value;
    holder.key = undefined;
  }
}

/** Order of the keys of a map: the shorter first, those of one length by their bytes. */
function isAfter(key: Uint8Array, last: Uint8Array | undefined): boolean {
  if (last === undefined) return true;
  return key.length === last.length ? Buffer.compare(key, last) > 0 : key.length > last.length;
}
