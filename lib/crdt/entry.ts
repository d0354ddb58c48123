/**
 * Entries: what everything shared is made of. An entry is a signed header that names its body by a
 * salted hash, so that the body can be erased while every signature and hash still holds.
 *
 * Layout (CBOR arrays, canonical):
 *   header    [version, server, stream, device, seq, previous, clock, time, kind, commitment]
 *   sealed as [0, header bytes, signature, salt, body] or, erased, [0, header bytes, signature]
 */
import { concat, fromHex, sha256, sha256Hex, toHex, utf8 } from './bytes.ts';
import { decode, encode, type DecodeOptions } from './codec.ts';
import { ClchatError } from '../errors.ts';
import {
  verify,
  type EntryId,
  type PublicKey,
  type RandomBytes,
  type Signed,
  type SigningKey,
} from './keys.ts';
import { isStreamName, type StreamName } from './stream.ts';

/** Largest body, in bytes: a text of 16 KiB, sealed, with room for its frame. */
export const MAX_BODY = 64 * 1024;
/** Largest encoded entry, in bytes. */
export const MAX_ENTRY = MAX_BODY + 1024;

const ENTRY_TAG = 'clchat entry v1';
const BODY_TAG = utf8('clchat body v1\0');
const ID_TAG = utf8('clchat entry id v1\0');
const MAX_KIND_LENGTH = 16;
/** The last moment that there is a date for, in milliseconds since 1970. */
export const MAX_TIME = 8.64e15;

export interface Header {
  /** Key of the server whose community this belongs to. */
  readonly server: PublicKey;
  readonly stream: StreamName;
  /** Key of the device that made and signed the entry. */
  readonly device: PublicKey;
  /** The device's own number of this entry in this stream, from 1. */
  readonly seq: number;
  /** The device's entry before this one in this stream; null for the first. */
  readonly previous: EntryId | null;
  /** Logical clock: above everything its author had seen in the stream. */
  readonly clock: number;
  /** The author's wall clock in milliseconds since 1970: for display only, never for validity. */
  readonly time: number;
  /** What the body is: the rules of the stream know its schema. */
  readonly kind: string;
}

export interface Entry extends Header {
  readonly id: EntryId;
  readonly headerBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** Salted hash of the body (32 bytes). */
  readonly commitment: Uint8Array;
  /** Salt and body; undefined once erased. */
  readonly salt: Uint8Array | undefined;
  readonly body: Uint8Array | undefined;
}

export function commitmentOf(salt: Uint8Array, body: Uint8Array): Uint8Array {
  return sha256(BODY_TAG, salt, body);
}

function encodeHeader(header: Header, commitment: Uint8Array): Uint8Array {
  return encode([
    1,
    fromHex(header.server),
    header.stream,
    fromHex(header.device),
    header.seq,
    header.previous === null ? null : fromHex(header.previous),
    header.clock,
    header.time,
    header.kind,
    commitment,
  ]);
}

function idOf(headerBytes: Uint8Array): EntryId {
  return sha256Hex(ID_TAG, headerBytes) as EntryId;
}

/** Signs an entry. The salt is handed in where the body has been sealed with it already. */
export function signEntry(
  key: SigningKey,
  header: Omit<Header, 'device'>,
  body: Uint8Array,
  salt: Uint8Array,
): Entry {
  if (body.length > MAX_BODY) throw new ClchatError('TOO_LARGE');
  const full: Header = { ...header, device: key.public };
  const commitment = commitmentOf(salt, body);
  const headerBytes = encodeHeader(full, commitment);
  return {
    ...full,
    id: idOf(headerBytes),
    headerBytes,
    signature: key.sign(ENTRY_TAG, headerBytes),
    commitment,
    salt,
    body,
  };
}

export function newSalt(random: RandomBytes): Uint8Array {
  return random(16);
}

export function encodeEntry(entry: Entry): Uint8Array {
  return entry.salt === undefined || entry.body === undefined
    ? encode([0, entry.headerBytes, entry.signature])
    : encode([0, entry.headerBytes, entry.signature, entry.salt, entry.body]);
}

/** Whether an entry says something to people. */
export function isMessage(entry: Pick<Entry, 'kind'>): boolean {
  return entry.kind === 'say' || entry.kind === 'sealed';
}

/** Whether an entry says that there was a call. */
export function isCall(entry: Pick<Entry, 'kind'>): boolean {
  return entry.kind === 'call';
}

/** Whether an entry is read among the messages of a conversation. */
export function isShown(entry: Pick<Entry, 'kind'>): boolean {
  return isMessage(entry) || isCall(entry);
}

/** Whether an entry does something about a message that is there already. */
export function isAnnotation(entry: Pick<Entry, 'kind'>): boolean {
  return entry.kind === 'edit' || entry.kind === 'remove' || entry.kind === 'react';
}

/**
 * Whether an entry may come without its body, when that was erased: the body of any other makes the
 * state, or is the reason why others have none.
 */
export function isErasable(entry: Pick<Entry, 'kind'>): boolean {
  return isMessage(entry) || entry.kind === 'edit' || entry.kind === 'react';
}

/** The same entry without its body: what remains of it after an erasure. */
export function eraseBody(entry: Entry): Entry {
  return { ...entry, salt: undefined, body: undefined };
}

function bad(why: string): never {
  throw new ClchatError('BAD_ENTRY', `malformed entry: ${why}`);
}

function bytesOf(value: unknown, length: number, what: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) bad(what);
  return value;
}

function countOf(value: unknown, what: string, least = 0): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) bad(what);
  return value;
}

/**
 * Reads an entry from the fields that `decodeItem` found. Checks its form and that the body is the
 * one committed to, not the signature.
 * @throws BAD_ENTRY
 */
export function entryFromFields(fields: readonly unknown[]): Entry {
  const [, headerBytes, signature, salt, body] = fields;
  if (!(headerBytes instanceof Uint8Array)) bad('header');
  const isErased = fields.length === 3;
  if (!isErased && fields.length !== 5) bad('fields');
  const header = decodeArray(headerBytes, { maxBytes: 1024, canonical: true, views: true });
  if (header.length !== 10 || header[0] !== 1) bad('header');
  const [, server, stream, device, seq, previous, clock, time, kind, commitment] = header;
  if (!isStreamName(stream)) bad('stream');
  if (typeof kind !== 'string' || kind.length === 0 || kind.length > MAX_KIND_LENGTH) bad('kind');
  const entry: Entry = {
    server: toHex(bytesOf(server, 32, 'server')) as PublicKey,
    stream,
    device: toHex(bytesOf(device, 32, 'device')) as PublicKey,
    seq: countOf(seq, 'seq', 1),
    previous: previous === null ? null : (toHex(bytesOf(previous, 32, 'previous')) as EntryId),
    clock: countOf(clock, 'clock', 1),
    time: timeOf(time),
    kind,
    commitment: bytesOf(commitment, 32, 'commitment'),
    id: idOf(headerBytes),
    headerBytes,
    signature: bytesOf(signature, 64, 'signature'),
    salt: isErased ? undefined : bytesOf(salt, 16, 'salt'),
    body: isErased ? undefined : bodyOf(body),
  };
  if (entry.salt !== undefined && entry.body !== undefined)
    if (sha256Hex(BODY_TAG, entry.salt, entry.body) !== toHex(entry.commitment)) bad('commitment');
  return entry;
}

function timeOf(value: unknown): number {
  const time = countOf(value, 'time');
  return time <= MAX_TIME ? time : bad('time');
}

function bodyOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length > MAX_BODY) bad('body');
  return value;
}

/** @throws BAD_ENTRY (never anything else, whatever the bytes) */
export function decodeEntry(bytes: Uint8Array): Entry {
  if (bytes.length > MAX_ENTRY) bad('size');
  const fields = decodeFields(bytes);
  if (fields[0] !== 0) bad('type');
  return entryFromFields(fields);
}

/**
 * The fields of an item, the first of which says what it is.
 * @throws BAD_ENTRY
 */
export function decodeFields(bytes: Uint8Array): readonly unknown[] {
  const fields = decodeArray(bytes, { maxBytes: MAX_ENTRY, views: true });
  // In one byte: as a floating-point number it would make a second encoding of the same entry.
  if (fields[0] !== bytes[1]) bad('type');
  return fields;
}

function decodeArray(bytes: Uint8Array, options: DecodeOptions): readonly unknown[] {
  let fields: unknown;
  try {
    fields = decode(bytes, options);
  } catch (error) {
    throw new ClchatError('BAD_ENTRY', undefined, { cause: error });
  }
  if (!Array.isArray(fields)) bad('not an array');
  return fields as unknown[];
}

/** What `verify` is asked of an entry. */
export function signatureOf(entry: Entry): Signed {
  return [entry.device, ENTRY_TAG, entry.headerBytes, entry.signature];
}

export function verifyEntry(entry: Entry): boolean {
  return verify(...signatureOf(entry));
}

/** Order of entries that no seal has ordered yet: clock, then author, then hash. Never zero for different ones. */
export function compareUnsealed(a: Entry, b: Entry): number {
  if (a.clock !== b.clock) return a.clock - b.clock;
  if (a.device !== b.device) return a.device < b.device ? -1 : 1;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return 0;
}

/** Bytes that bind a sealed body to its place: server, stream, key epoch, device and device sequence. */
export function placeOf(
  header: Omit<Header, 'time' | 'clock' | 'kind' | 'previous'>,
  epoch: string,
): Uint8Array {
  return concat(
    fromHex(header.server + epoch + header.device),
    encode([header.stream, header.seq]),
  );
}
