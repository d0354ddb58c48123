/**
 * Where messages are and what has been done about them, for whoever reads them. It makes no state:
 * each peer finds it in the entries that it holds.
 *
 *   i!<entry id>                        where a message is
 *   n!<stream>!<target id>!<position>   an edit, a removal or a reaction of that message
 *   b!<hash>!<stream>!<position>        a message that names the file
 *   k!<stream>!<position>               an entry because of which something is to be erased
 */
import { actionOf, type PairAction, type RoomAction, type SpaceAction } from './bodies.ts';
import { toHex, utf8 } from './bytes.ts';
import { isAnnotation, isMessage, type Entry } from './entry.ts';
import type { AccountId, EntryId } from './keys.ts';
import type { LogStore } from './log-store.ts';
import { deviceOf } from './records.ts';
import type { Item } from './seal.ts';
import type { Reader } from './state.ts';
import { ordinal, prefixed, type StoreOperation } from './store.ts';
import { placeOfStream, type StreamName } from './stream.ts';

/** Most edits, removals and reactions of one message that are looked at. */
const MAX_ANNOTATIONS = 2_000;

/** The action of an entry of a conversation; undefined for what cannot be read. */
export function conversationAction(entry: Entry): RoomAction | PairAction | undefined {
  const { type } = placeOfStream(entry.stream);
  if (type !== 'room' && type !== 'pair') return undefined;
  return actionOf(entry, type) as RoomAction | PairAction | undefined;
}

/** The message that an edit, a removal or a reaction is about. */
export function targetOf(entry: Entry): EntryId | undefined {
  const action = isAnnotation(entry) ? conversationAction(entry) : undefined;
  return action !== undefined && 'target' in action.body ? action.body.target : undefined;
}

/** The hash of the file that a message names, and its size, as far as everybody may know them. */
export function blobOf(entry: Entry): { hash: Uint8Array; size: number } | undefined {
  const action = isMessage(entry) ? conversationAction(entry) : undefined;
  if (action?.kind === 'say') return action.body.file;
  return action?.kind === 'sealed' ? action.body.blob : undefined;
}

function blobKey(hash: Uint8Array, stream: StreamName, position: number): string {
  return `b!${toHex(hash)}!${stream}!${ordinal(position)}`;
}

export function annotationKey(stream: StreamName, target: EntryId, position: number): string {
  return `n!${stream}!${target}!${ordinal(position)}`;
}

export function dutyKey(stream: StreamName, position: number): string {
  return `k!${stream}!${ordinal(position)}`;
}

/** Whether an entry calls for something to be erased. */
export function isErasing(entry: Entry): boolean {
  if (entry.kind === 'remove') return targetOf(entry) !== undefined;
  if (entry.stream !== 'space' || entry.kind !== 'removeuser') return false;
  const action = actionOf(entry, 'space') as SpaceAction | undefined;
  return action?.kind === 'removeuser' && action.body.vengeance;
}

/** What is written with an item, so that it is found. */
export function contentOperations(
  stream: StreamName,
  position: number,
  item: Item,
): StoreOperation[] {
  if (item.type !== 'entry') return [];
  const { entry } = item;
  const operations: StoreOperation[] = [];
  const put = (key: string, value: Uint8Array = new Uint8Array()): void => {
    operations.push({ type: 'put', key, value });
  };
  if (isMessage(entry)) put(`i!${entry.id}`, utf8(`${position} ${stream}`));
  const target = targetOf(entry);
  if (target !== undefined) put(annotationKey(stream, target, position));
  if (isErasing(entry)) put(dutyKey(stream, position));
  const blob = blobOf(entry);
  if (blob !== undefined) put(blobKey(blob.hash, stream, position));
  return operations;
}

/** What is deleted with the body of a message that named a file. */
export function blobOperations(entry: Entry, position: number): StoreOperation[] {
  const blob = blobOf(entry);
  return blob === undefined
    ? []
    : [{ type: 'delete', key: blobKey(blob.hash, entry.stream, position) }];
}

/** Streams in which a message names a file. */
export async function streamsNaming(log: LogStore, hash: Uint8Array): Promise<Set<StreamName>> {
  const prefix = `b!${toHex(hash)}!`;
  const streams = new Set<StreamName>();
  const { until } = prefixed(prefix);
  let from = prefix;
  // From stream to stream: one may have any number of messages that name it.
  for (;;) {
    let stream: StreamName | undefined;
    for await (const [key] of log.store.entries({ from, until, limit: 1 }))
      stream = key.slice(prefix.length, key.lastIndexOf('!')) as StreamName;
    if (stream === undefined) return streams;
    streams.add(stream);
    from = prefixed(`${prefix}${stream}!`).until;
  }
}

/** Messages that name a file and are here, at most so many of each stream. */
export async function* messagesNaming(
  log: LogStore,
  hash: Uint8Array,
  limit: number,
): AsyncGenerator<Placed> {
  for (const stream of await streamsNaming(log, hash)) {
    const prefix = `b!${toHex(hash)}!${stream}!`;
    for await (const [key] of log.store.entries({ ...prefixed(prefix), limit })) {
      const position = Number(key.slice(prefix.length));
      const item = log.item(stream, position);
      if (item?.type === 'entry') yield { position, entry: item.entry };
    }
  }
}

export interface Placed {
  readonly position: number;
  readonly entry: Entry;
}

/** A message by its id, where it is held. */
export function messageAt(log: LogStore, id: EntryId): Placed | undefined {
  const place = log.find(id);
  const item = place === undefined ? undefined : log.item(place.stream, place.position);
  // A stream may have been taken back since.
  if (place === undefined || item?.type !== 'entry' || item.entry.id !== id) return undefined;
  return isMessage(item.entry) ? { position: place.position, entry: item.entry } : undefined;
}

/** What has been done about a message, in order, as far as it is held. */
export async function annotationsOf(
  log: LogStore,
  stream: StreamName,
  target: EntryId,
): Promise<Placed[]> {
  const prefix = `n!${stream}!${target}!`;
  const found: Placed[] = [];
  const range = { ...prefixed(prefix), limit: MAX_ANNOTATIONS };
  for await (const [key] of log.store.entries(range)) {
    const position = Number(key.slice(prefix.length));
    const item = log.item(stream, position);
    if (item?.type === 'entry' && targetOf(item.entry) === target)
      found.push({ position, entry: item.entry });
    else if (item?.type === 'entry' && item.entry.body === undefined && isAnnotation(item.entry))
      found.push({ position, entry: item.entry });
  }
  return found;
}

export function authorOf(space: Pick<Reader, 'get'>, entry: Entry): AccountId | undefined {
  return deviceOf(space, entry.device)?.account;
}

/** Whether an edit or a removal counts: by the message's own author, or by permission. */
export function isEntitled(space: Pick<Reader, 'get'>, annotation: Entry, message: Entry): boolean {
  const action = conversationAction(annotation);
  if (action?.kind !== 'edit' && action?.kind !== 'remove') return false;
  if (action.body.moderator === true) return true;
  const author = authorOf(space, message);
  return author !== undefined && author === authorOf(space, annotation);
}
