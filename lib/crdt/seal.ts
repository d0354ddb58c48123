/**
 * Seals: the server's signed word on the order and the state of a stream. A seal names its place
 * and the seal before it, so that it verifies its batch of items by itself.
 *
 * An item is an entry that was accepted, or the mark of one that was refused (so that the chain of
 * its device has no hole).
 */
import { concat, equal, fromHex, sha256, sha256Hex, toHex, utf8 } from './bytes.ts';
import { decode, encode } from './codec.ts';
import {
  decodeFields,
  encodeEntry,
  entryFromFields,
  isErasable,
  signatureOf,
  type Entry,
} from './entry.ts';
import { ClchatError, isErrorCode, type ErrorCode } from '../errors.ts';
import {
  verify,
  type EntryId,
  type PublicKey,
  type Signed,
  type SigningKey,
  type VerifyAll,
} from './keys.ts';
import { isStreamName, type StreamName } from './stream.ts';

/** Most items in one batch. */
export const MAX_BATCH = 512;
/** Bytes of items with which a batch is full, so that it fits into one frame of the wire. */
export const BATCH_BYTES = 512 * 1024;

const SEAL_TAG = 'clchat seal v1';
const SEAL_ID_TAG = utf8('clchat seal id v1\0');
const ROOT_TAG = utf8('clchat root v1\0');
const REFUSAL_TAG = utf8('clchat refusal v1\0');

export interface Seal {
  readonly server: PublicKey;
  readonly stream: StreamName;
  /** Rises with each succession or restore of the server; belongs to one server key. */
  readonly term: number;
  /** Number of the seal in its stream, from 1. */
  readonly seq: number;
  /** Id of the seal before; null for the first. */
  readonly previous: string | null;
  /** Position of the first item of the batch, from 0. */
  readonly first: number;
  readonly count: number;
  /** Hash over the batch's items. */
  readonly root: Uint8Array;
  /** Length of the space stream by which the batch was judged. */
  readonly space: number;
  /** The server's clock, in milliseconds since 1970; never before the seal before. */
  readonly time: number;
  /** Hash of the stream's state after the batch. */
  readonly state: Uint8Array;
}

export interface SignedSeal extends Seal {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** The encoded seal with its signature, as stored and sent. */
  readonly bytes: Uint8Array;
}

export interface Refusal {
  readonly id: EntryId;
  readonly device: PublicKey;
  readonly seq: number;
  readonly code: ErrorCode;
}

export type Item =
  | { readonly type: 'entry'; readonly entry: Entry; readonly bytes: Uint8Array }
  | { readonly type: 'refusal'; readonly refusal: Refusal; readonly bytes: Uint8Array };

/** A seal and the items it orders. */
export interface Batch {
  readonly seal: SignedSeal;
  readonly items: readonly Item[];
}

export function entryItem(entry: Entry, bytes = encodeEntry(entry)): Item {
  return { type: 'entry', entry, bytes };
}

export function refusalItem(refusal: Refusal): Item {
  return {
    type: 'refusal',
    refusal,
    bytes: encode([1, fromHex(refusal.id), fromHex(refusal.device), refusal.seq, refusal.code]),
  };
}

/** @throws BAD_ENTRY (never anything else, whatever the bytes) */
export function decodeItem(bytes: Uint8Array): Item {
  const fields = decodeFields(bytes);
  if (fields[0] === 0) return { type: 'entry', entry: entryFromFields(fields), bytes };
  const [type, id, device, seq, code] = fields;
  if (
    type !== 1 ||
    fields.length !== 5 ||
    !isKey(id) ||
    !isKey(device) ||
    !Number.isSafeInteger(seq) ||
    !isErrorCode(code)
  )
    throw new ClchatError('BAD_ENTRY', 'malformed item');
  const refusal: Refusal = {
    id: toHex(id) as EntryId,
    device: toHex(device) as PublicKey,
    seq: seq as number,
    code,
  };
  return { type: 'refusal', refusal, bytes };
}

function isKey(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === 32;
}

function digestOf(item: Item): Uint8Array {
  return item.type === 'entry' ? fromHex(item.entry.id) : sha256(REFUSAL_TAG, item.bytes);
}

export function rootOf(items: readonly Item[]): Uint8Array {
  return sha256(ROOT_TAG, concat(...items.map(digestOf)));
}

function idOf(body: Uint8Array): string {
  return sha256Hex(SEAL_ID_TAG, body);
}

export function signSeal(key: SigningKey, fields: Omit<Seal, 'server'>): SignedSeal {
  const seal: Seal = { ...fields, server: key.public };
  const body = encode([
    1,
    fromHex(seal.server),
    seal.stream,
    seal.term,
    seal.seq,
    seal.previous === null ? null : fromHex(seal.previous),
    seal.first,
    seal.count,
    seal.root,
    seal.space,
    seal.time,
    seal.state,
  ]);
  return { ...seal, id: idOf(body), bytes: encode([body, key.sign(SEAL_TAG, body)]) };
}

/**
 * Reads a seal and checks its signature against the server key that the reader trusts.
 * @throws BAD_ENTRY (never anything else, whatever the bytes)
 */
export function openSeal(bytes: Uint8Array, server: PublicKey): SignedSeal {
  const seal = readSeal(bytes);
  if (seal.server !== server || !verify(server, SEAL_TAG, seal.body, seal.signature))
    throw new ClchatError('BAD_ENTRY', 'the seal is not of this server');
  return seal.seal;
}

/** Reads a seal of our own store, whose signature was checked when it came in. */
export function loadSeal(bytes: Uint8Array): SignedSeal {
  return readSeal(bytes).seal;
}

function readSeal(bytes: Uint8Array): {
  seal: SignedSeal;
  server: PublicKey;
  body: Uint8Array;
  signature: Uint8Array;
} {
  const malformed = (): never => {
    throw new ClchatError('BAD_ENTRY', 'malformed seal');
  };
  try {
    const outer = decode(bytes, { maxBytes: 1024, views: true });
    if (!Array.isArray(outer) || outer.length !== 2) return malformed();
    const [body, signature] = outer as unknown[];
    if (!(body instanceof Uint8Array) || !(signature instanceof Uint8Array)) return malformed();
    const fields = decode(body, { maxBytes: 1024, canonical: true, views: true });
    if (!Array.isArray(fields) || fields.length !== 12 || fields[0] !== 1) return malformed();
    const [, server, stream, term, seq, previous, first, count, root, space, time, state] =
      fields as unknown[];
    const numbers = [term, seq, first, count, space, time];
    if (!numbers.every((n) => Number.isSafeInteger(n) && (n as number) >= 0)) return malformed();
    if (!isKey(server) || !isKey(root) || !isKey(state) || !isStreamName(stream))
      return malformed();
    if (previous !== null && !isKey(previous)) return malformed();
    const seal: SignedSeal = {
      server: toHex(server) as PublicKey,
      stream,
      term: term as number,
      seq: seq as number,
      previous: previous === null ? null : toHex(previous),
      first: first as number,
      count: count as number,
      root,
      space: space as number,
      time: time as number,
      state,
      id: idOf(body),
      bytes,
    };
    if (seal.count < 1 || seal.count > MAX_BATCH) return malformed();
    return { seal, server: seal.server, body, signature };
  } catch (error) {
    if (error instanceof ClchatError && error.code === 'BAD_ENTRY') throw error;
    throw new ClchatError('BAD_ENTRY', undefined, { cause: error });
  }
}

/** A batch as it goes over the wire. */
export interface BatchBytes {
  readonly seal: Uint8Array;
  readonly items: readonly Uint8Array[];
}

/** About how many bytes a batch is on the wire. */
export function sizeOf({ seal, items }: BatchBytes): number {
  return items.reduce((sum, item) => sum + item.length + 8, seal.length);
}

/**
 * Opens a batch as it came over the wire: the seal is the server's, the items are the ones it
 * sealed, and every entry of them belongs to the stream and is signed by the device it names.
 * @throws BAD_ENTRY
 */
export function openBatch(
  sealBytes: Uint8Array,
  itemBytes: readonly Uint8Array[],
  server: PublicKey,
): Batch {
  const { batch, ofSeal, ofEntries } = readBatch(sealBytes, itemBytes, server);
  if (![ofSeal, ...ofEntries].every((one) => verify(...one))) throw unsigned();
  return batch;
}

/**
 * Opens batches of one stream, oldest first, their signatures verified on other threads. Where a seal
 * is linked to by the next one, the signature of that one vouches for it too.
 * @param linked id of a seal that is vouched for already
 * @throws BAD_ENTRY when anything of any of them is not as for `openBatch`
 */
export async function openBatchesApart(
  batches: readonly BatchBytes[],
  server: PublicKey,
  verifyAll: VerifyAll,
  linked?: string | null,
): Promise<Batch[]> {
  const read = batches.map(({ seal, items }) => readBatch(seal, items, server));
  const signed = read.flatMap(({ batch: { seal }, ofSeal, ofEntries }, index) => {
    const next = read[index + 1]?.batch.seal;
    const isVouchedFor = seal.id === linked || seal.id === next?.previous;
    return isVouchedFor ? ofEntries : [ofSeal, ...ofEntries];
  });
  if (!(await verifyAll(signed))) throw unsigned();
  return read.map(({ batch }) => batch);
}

function unsigned(): ClchatError {
  return new ClchatError('BAD_ENTRY', 'a seal or an entry is not signed by whom it names');
}

function readBatch(
  sealBytes: Uint8Array,
  itemBytes: readonly Uint8Array[],
  server: PublicKey,
): { batch: Batch; ofSeal: Signed; ofEntries: Signed[] } {
  const { seal, body, signature } = readSeal(sealBytes);
  if (seal.server !== server) throw new ClchatError('BAD_ENTRY', 'the seal is not of this server');
  if (itemBytes.length !== seal.count) throw new ClchatError('BAD_ENTRY', 'the batch is cut short');
  const items = itemBytes.map(decodeItem);
  if (!equal(rootOf(items), seal.root))
    throw new ClchatError('BAD_ENTRY', 'the items are not those of the seal');
  const ofEntries: Signed[] = [];
  for (const item of items) {
    if (item.type !== 'entry') continue;
    const { entry } = item;
    if (entry.stream !== seal.stream || entry.server !== server)
      throw new ClchatError('BAD_ENTRY', 'an entry of another stream');
    if (entry.body === undefined && !isErasable(entry))
      throw new ClchatError('BAD_ENTRY', 'an entry lacks the body that makes the state');
    ofEntries.push(signatureOf(entry));
  }
  const ofSeal: Signed = [server, SEAL_TAG, body, signature];
  return { batch: { seal, items }, ofSeal, ofEntries };
}
