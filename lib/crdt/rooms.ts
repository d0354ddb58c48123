/** Rooms as the space has them: where they lie, what opens them and who is in the open ones. */
import type { AccountId, RoomId } from './keys.ts';
import { roomLookKey, roomNameKey } from './naming.ts';
import type { LockRecord, RoomLock, RoomRecord } from './records.ts';
import type { Reader } from './state.ts';
import { LOBBY } from './stream.ts';

/** How deep rooms lie in each other at most: names in a path. */
export const MAX_DEPTH = 16;

type Space = Pick<Reader, 'get'>;

export const roomOf = (space: Space, id: RoomId): RoomRecord | undefined =>
  space.get<RoomRecord>('room', id);

/** A room and those it lies in, itself first. */
export function lineOf(space: Space, id: RoomId): { id: RoomId; record: RoomRecord }[] {
  const line: { id: RoomId; record: RoomRecord }[] = [];
  for (let at: RoomId | undefined = id; at !== undefined && line.length <= MAX_DEPTH;) {
    const record = roomOf(space, at);
    if (record === undefined) break;
    line.push({ id: at, record });
    at = record.parent;
  }
  return line;
}

/** Names from the top down, such as `a/b`; undefined where there is no such room. */
export function pathOf(space: Space, id: RoomId): string | undefined {
  const line = lineOf(space, id);
  if (line.length === 0) return undefined;
  return line
    .map(({ record }) => record.name)
    .reverse()
    .join('/');
}

/** The room at a path, in any case. */
export function roomAt(space: Space, path: string): RoomId | undefined {
  const names = path.split('/');
  if (names.length > MAX_DEPTH) return undefined;
  let at: RoomId | undefined;
  for (const name of names) {
    at = space.get<RoomId>('roomname', roomNameKey(at, name));
    if (at === undefined) return undefined;
  }
  return at;
}

/** Whether what is said in a room is end-to-end encrypted: it, or one that it lies in, is private. */
export function isEncryptedRoom(space: Space, id: RoomId): boolean {
  // Asked at every turn, so without the line that `lineOf` makes.
  let at: RoomId | undefined = id;
  for (let depth = 0; at !== undefined && depth <= MAX_DEPTH; depth++) {
    const record: RoomRecord | undefined = roomOf(space, at);
    if (record?.private === true) return true;
    at = record?.parent;
  }
  return false;
}

/** The lock that opens a room, its own or that of the nearest private one it lies in. */
export interface Lock extends RoomLock {
  /** The room whose lock it is. */
  readonly holder: RoomId;
}

/** The nearest private room from a room upwards, itself first. */
export function nearestPrivate(
  space: Space,
  id: RoomId,
): { id: RoomId; record: RoomRecord } | undefined {
  return lineOf(space, id).find(({ record }) => record.private);
}

export function lockOf(space: Space, id: RoomId): Lock | undefined {
  const nearest = nearestPrivate(space, id);
  const lock = nearest?.record.lock;
  return nearest === undefined || lock === undefined ? undefined : { ...lock, holder: nearest.id };
}

export function lockKeyOf(
  space: Space,
  holder: RoomId,
  generation: number,
): LockRecord | undefined {
  return space.get<LockRecord>('lock', `${holder}:${generation}`);
}

/** Whether a room was an account's once, and is not any more. */
export function hasOwned(space: Space, room: RoomId, account: AccountId): boolean {
  return space.get('owned', `${room}:${account}`) === true;
}

/** Whether an account has joined an open room. Everybody is in the lobby. */
export function isOpenMember(space: Space, room: RoomId, account: AccountId): boolean {
  return room === LOBBY || space.get('member', `${room}:${account}`) === true;
}

/** Rooms that lie in a room, however deep, itself first. Scans all rooms. */
export function within(space: Reader, id: RoomId): RoomId[] {
  const children = new Map<RoomId, RoomId[]>();
  for (const [room, { parent }] of space.entries<RoomRecord>('room')) {
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [room as RoomId]);
    else siblings.push(room as RoomId);
  }
  const all = [id];
  for (let next = 0; next < all.length; next++) all.push(...(children.get(all[next]!) ?? []));
  return all;
}

/** How many rooms lie in each other from a room down, itself counted. */
export function heightOf(space: Reader, id: RoomId): number {
  const depth = lineOf(space, id).length;
  return Math.max(...within(space, id).map((room) => lineOf(space, room).length)) - depth + 1;
}

/** @param self the room that has the name already, which does not count */
export function isRoomNameFree(
  space: Space,
  parent: RoomId | undefined,
  name: string,
  self?: RoomId,
): boolean {
  const taken = [
    space.get<RoomId>('roomname', roomNameKey(parent, name)),
    space.get<RoomId>('roomlook', roomLookKey(parent, name)),
  ];
  return taken.every((id) => id === undefined || id === self);
}

/** Id in the table `ban`. */
export function banId(account: AccountId, room: RoomId | undefined): string {
  return room === undefined ? account : `${room}:${account}`;
}

/** Whether an account is shut out of a room, or (undefined) of the server, at a time. */
export function isBanned(
  space: Space,
  account: AccountId,
  room: RoomId | undefined,
  now: number,
): boolean {
  const until = space.get<number>('ban', banId(account, room));
  return until !== undefined && (until === 0 || until > now);
}

/** Whether an account is shut out of a room, or of one that it lies in, at a time. */
export function isShutOut(space: Space, account: AccountId, room: RoomId, now: number): boolean {
  return lineOf(space, room).some(({ id }) => isBanned(space, account, id, now));
}
