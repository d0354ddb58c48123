/**
 * Where messages are and what has been done about them, for whoever reads them. It makes no state:
 * each peer finds it in the entries that it holds.
 *
 *   i!<entry id>                        where a message is
 *   n!<stream>!<target id>!<position>   an edit, a removal or a reaction of that message
 *   b!<hash>!<stream>!<position>        a message that names the file
 *   k!<stream>!<position>               an entry because of which something is to be erased, or that is
 */
import { actionOf, type PairAction, type RoomAction, type SpaceAction } from './bodies.ts';
import { toHex, utf8 } from './bytes.ts';
import { isAnnotation, isErasable, isMessage, type Entry } from './entry.ts';
import type { AccountId, EntryId } from './keys.ts';
import type { LogStore } from './log-store.ts';
import { accountOf, deviceOf } from './records.ts';
import type { Item } from './seal.ts';
import type { Reader } from './state.ts';
import { ordinal, prefixed, type StoreOperation } from './store.ts';
import { placeOfStream, type StreamName } from './stream.ts';

/** Most edits, removals and reactions of one message that are looked at. */
export const MAX_ANNOTATIONS = 2_000;

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

/** Whether an entry says something still of which nothing is to be left, as of its author. */
export function isOfErased(space: Pick<Reader, 'get'>, entry: Entry): boolean {
  if (entry.body === undefined || !isErasable(entry)) return false;
  const author = authorOf(space, entry);
  return author !== undefined && accountOf(space, author)?.erased === true;
}

/** What is written with an entry, so that it is erased though the program be killed before that. */
export function dutyOperations(
  space: Pick<Reader, 'get'>,
  { stream, position, item }: { stream: StreamName; position: number; item: Item },
): StoreOperation[] {
  if (item.type !== 'entry' || !isOfErased(space, item.entry)) return [];
  return [{ type: 'put', key: dutyKey(stream, position), value: new Uint8Array() }];
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

/** All that has been done about a message from a position on, in order, as far as it is held. */
export async function* annotationsFrom(
  log: LogStore,
  stream: StreamName,
  target: EntryId,
  from: number,
): AsyncGenerator<Placed> {
  const prefix = `n!${stream}!${target}!`;
  const range = { ...prefixed(prefix), from: annotationKey(stream, target, from) };
  for await (const [key] of log.store.entries(range)) {
    const position = Number(key.slice(prefix.length));
    const item = log.item(stream, position);
    if (item?.type !== 'entry') continue;
    const { entry } = item;
    const isErased = entry.body === undefined && isAnnotation(entry);
    if (isErased || targetOf(entry) === target) yield { position, entry };
  }
}

/** What has been done about a message, in order, as far as it is held and looked at. */
export async function annotationsOf(
  log: LogStore,
  stream: StreamName,
  target: EntryId,
): Promise<Placed[]> {
  const found: Placed[] = [];
  for await (const one of annotationsFrom(log, stream, target, 0)) {
    found.push(one);
    if (found.length === MAX_ANNOTATIONS) break;
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
