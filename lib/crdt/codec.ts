/**
 * Canonical CBOR (DAG-CBOR): the one encoding of everything that is signed, stored or sent. Decoding
 * is a boundary: bytes come from peers and from disks, so their shape is walked, without recursion
 * and within bounds, before a single value is made of them.
 */
import { isUtf8 } from 'node:buffer';
import * as dagCbor from '@ipld/dag-cbor';
import * as v from 'valibot';
import { equal } from './bytes.ts';
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
  const { maxBytes = DEFAULT_MAX_BYTES, canonical = false } = options;
  if (bytes.length > maxBytes)
    throw new ClchatError('BAD_MESSAGE', `${bytes.length} bytes where ${maxBytes} are the most`);
  walk(bytes);
  try {
    const value: unknown = dagCbor.decode(bytes);
    if (canonical && !equal(dagCbor.encode(value), bytes)) refuse('not canonical');
    return value;
  } catch (error) {
    if (error instanceof ClchatError) throw error;
    throw new ClchatError('BAD_MESSAGE', 'not canonical CBOR', { cause: error });
  }
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

function refuse(why: string): never {
  throw new ClchatError('BAD_MESSAGE', why);
}

/** An array or map whose items are being walked. */
interface Open {
  /** Items still to come; a key and its value are two. */
  left: number;
  readonly map: boolean;
}

const ARRAY = 4;
const MAP = 5;
const FLOAT64 = 27;
const PROTO = Buffer.from('__proto__');

/** Checks the shape of one encoded value that fills `bytes`, in time linear in their number. */
function walk(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: Open[] = [];
  let at = 0;
  do {
    if (at >= bytes.length) refuse('cut short');
    const first = view.getUint8(at);
    const major = first >> 5;
    const info = first & 31;
    at += 1;
    const parent = open.at(-1);
    const isKey = parent !== undefined && parent.map && parent.left % 2 === 0;
    if (parent !== undefined) parent.left -= 1;

    if (major === 7) {
      // false, true, null and double-precision floats
      if (info !== 20 && info !== 21 && info !== 22 && info !== FLOAT64) refuse('unknown value');
      if (info === FLOAT64) at += 8;
    } else {
      const length = argument(view, at, info, major);
      at += width(info);
      if (major === 2 || major === 3) {
        if (length > bytes.length - at) refuse('cut short');
        const content = bytes.subarray(at, at + length);
        if (major === 3 && !isUtf8(content)) refuse('malformed text');
        if (isKey && equal(content, PROTO)) refuse('forbidden key');
        at += length;
      } else if (major === ARRAY || major === MAP) {
        const items = major === MAP ? 2 * length : length;
        if (items > bytes.length - at) refuse('cut short');
        if (open.length >= MAX_DEPTH) refuse('nested too deep');
        open.push({ left: items, map: major === MAP });
      } else if (major === 6) refuse('unknown tag');
    }
    if (at > bytes.length) refuse('cut short');
    while (open.at(-1)?.left === 0) open.pop();
  } while (open.length > 0);
  if (at !== bytes.length) refuse('more than one value');
}

/** Bytes of the argument that follow a head with this additional information. */
function width(info: number): number {
  return info < 24 ? 0 : 1 << (info - 24);
}

/** The argument of a head: a value, a length or a count. */
function argument(view: DataView, at: number, info: number, major: number): number {
  if (info < 24) return info;
  if (info > 27 || at + width(info) > view.byteLength) refuse('cut short');
  if (info === 24) return view.getUint8(at);
  if (info === 25) return view.getUint16(at);
  if (info === 26) return view.getUint32(at);
  const large = view.getBigUint64(at);
  // A negative number (major type 1) is -1 - argument.
  if (large > BigInt(Number.MAX_SAFE_INTEGER - (major === 1 ? 1 : 0)))
    refuse('number out of range');
  return Number(large);
}
