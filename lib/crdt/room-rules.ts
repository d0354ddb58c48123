/** What may be done to rooms, and to who is in the open ones, and what it changes. */
import type { SpaceAction } from './bodies.ts';
import type { ErrorCode } from '../errors.ts';
import type { AccountId, RoomId } from './keys.ts';
import { mayChangeLock } from './membership.ts';
import { isKeyable, roomLookKey, roomNameKey } from './naming.ts';
import type { Permission } from './permissions.ts';
import { presentAccount, type RoomRecord } from './records.ts';
import { isLastAdmin, may, mayPutOut } from './rights.ts';
import {
  banId,
  heightOf,
  isEncryptedRoom,
  isOpenMember,
  isRoomNameFree,
  lineOf,
  lockKeyOf,
  lockOf,
  MAX_DEPTH,
  nearestPrivate,
  roomOf,
  within,
} from './rooms.ts';
import type { Context } from './rules.ts';
import type { Change, Reader } from './state.ts';
import { LOBBY } from './stream.ts';

const KINDS = [
  'room',
  'updateroom',
  'removeroom',
  'lock',
  'retire',
  'owner',
  'join',
  'leave',
  'expel',
  'ban',
  'unban',
] as const;
export type RoomKind = (typeof KINDS)[number];
export type RoomsAction = Extract<SpaceAction, { readonly kind: RoomKind }>;

export function isRoomsAction(action: SpaceAction): action is RoomsAction {
  return (KINDS as readonly string[]).includes(action.kind);
}

/** Whether an account may do something to a room as its owner, or to anybody's by a permission. */
function mayWith(
  { space, actor }: Context,
  { owner }: RoomRecord,
  permission: Permission,
): boolean {
  return actor !== undefined && (owner === actor || may(space, actor, permission));
}

const CREATE: Readonly<Record<string, Permission>> = {
  permanent: 'createRoom',
  temporary: 'createGroup',
  conference: 'createConference',
};

type BodyOf<K extends RoomKind> = Extract<RoomsAction, { kind: K }>['body'];

function checkRoom(body: BodyOf<'room'>, context: Context): ErrorCode | undefined {
  const { space, actor } = context;
  const { name, parent, lifetime = 'permanent', lock } = body;
  if (actor === undefined || !may(space, actor, CREATE[lifetime]!)) return 'DENIED';
  // Whoever makes an open room is in it.
  if (body.media === 'voice' && !may(space, actor, 'joinVoiceRoom')) return 'DENIED';
  if (!isKeyable(name)) return 'BAD_NAME';
  if (lock !== undefined && (!body.private || lock.keyring.generation !== 1)) return 'BAD_ENTRY';
  if (lifetime === 'conference')
    return body.private && parent === undefined ? undefined : 'BAD_ENTRY';
  if (parent !== undefined) {
    const above = roomOf(space, parent);
    if (above === undefined) return 'NO_SUCH_ROOM';
    if (above.lifetime === 'conference') return 'DENIED';
    if (above.lifetime === 'temporary' && lifetime !== 'temporary') return 'DENIED';
    if (lineOf(space, parent).length >= MAX_DEPTH) return 'NESTING';
  }
  return isRoomNameFree(space, parent, name) ? undefined : 'NAME_TAKEN';
}

function checkUpdate(body: BodyOf<'updateroom'>, context: Context): ErrorCode | undefined {
  const { space } = context;
  const record = roomOf(space, body.room);
  if (record === undefined) return 'NO_SUCH_ROOM';
  if (!mayWith(context, record, 'renameRoom')) return 'DENIED';
  const parent = body.parent === undefined ? record.parent : (body.parent ?? undefined);
  const { name = record.name } = body;
  if (!isKeyable(name)) return 'BAD_NAME';
  if (record.lifetime === 'conference') return body.parent == null ? undefined : 'DENIED';
  if (parent !== record.parent) {
    const isBuiltin = record.lifetime === 'builtin';
    if (isBuiltin) return 'DENIED';
    if (parent !== undefined) {
      const above = roomOf(space, parent);
      if (above === undefined) return 'NO_SUCH_ROOM';
      const line = lineOf(space, parent);
      if (line.some(({ id }) => id === body.room)) return 'NESTING';
      if (line.length + heightOf(space, body.room) > MAX_DEPTH) return 'NESTING';
      if (above.lifetime === 'conference') return 'DENIED';
      if (above.lifetime === 'temporary' && record.lifetime !== 'temporary') return 'DENIED';
    }
    // What has been said in the open cannot be sealed any more, nor the other way round; and who came in
    // by the lock above did so by that and no other.
    const above = parent === undefined ? undefined : nearestPrivate(space, parent)?.id;
    if (!record.private && above !== nearestPrivate(space, body.room)?.id) return 'NOT_SUPPORTED';
  }
  return isRoomNameFree(space, parent, name, body.room) ? undefined : 'NAME_TAKEN';
}

function checkRemove({ room }: BodyOf<'removeroom'>, context: Context): ErrorCode | undefined {
  const { space, entry, actor } = context;
  const record = roomOf(space, room);
  if (record === undefined) return 'NO_SUCH_ROOM';
  if (record.lifetime === 'builtin') return 'DENIED';
  // The server ends what lives only as long as somebody is there.
  if (entry.device === entry.server) return record.lifetime === 'permanent' ? 'DENIED' : undefined;
  if (actor === undefined) return 'DENIED';
  if (may(space, actor, 'removeRoom')) return undefined;
  return within(space, room).every((id) => roomOf(space, id)?.owner === actor)
    ? undefined
    : 'DENIED';
}

function checkBan(body: BodyOf<'ban' | 'unban'>, context: Context): ErrorCode | undefined {
  const { space, actor } = context;
  if (presentAccount(space, body.account) === undefined) return 'NO_SUCH_USER';
  if (actor === body.account) return 'SELF';
  const room = body.room === undefined ? undefined : roomOf(space, body.room);
  if (body.room !== undefined && room === undefined) return 'NO_SUCH_ROOM';
  return actor !== undefined && mayPutOut(space, actor, room?.owner, body.account)
    ? undefined
    : 'DENIED';
}

/** @returns why the action is refused, undefined when it is allowed */
export function checkRooms(action: RoomsAction, context: Context): ErrorCode | undefined {
  const { space, actor, now } = context;
  switch (action.kind) {
    case 'room':
      return checkRoom(action.body, context);
    case 'updateroom':
      return checkUpdate(action.body, context);
    case 'removeroom':
      return checkRemove(action.body, context);
    case 'lock': {
      const { room, lock, proof } = action.body;
      const record = roomOf(space, room);
      if (record === undefined) return 'NO_SUCH_ROOM';
      if (!mayWith(context, record, 'renameRoom')) return 'DENIED';
      if (!record.private) return 'NOT_SUPPORTED';
      if (record.owner !== actor && !mayChangeLock(room, proof, context)) return 'DENIED';
      return lock === null || lock.keyring.generation === lastGeneration(space, room) + 1
        ? undefined
        : 'STALE_KEY';
    }
    case 'retire': {
      const record = roomOf(space, action.body.room);
      if (record === undefined) return 'NO_SUCH_ROOM';
      if (!mayWith(context, record, 'removeUser')) return 'DENIED';
      const lock = lockOf(space, action.body.room);
      return lock === undefined || lock.retired ? 'ALREADY' : undefined;
    }
    case 'owner': {
      const record = roomOf(space, action.body.room);
      if (record === undefined) return 'NO_SUCH_ROOM';
      if (actor === undefined || record.owner !== actor) return 'NOT_OWNER';
      return presentAccount(space, action.body.account) === undefined ? 'NO_SUCH_USER' : undefined;
    }
    case 'join': {
      const { room } = action.body;
      const record = roomOf(space, room);
      if (record === undefined) return 'NO_SUCH_ROOM';
      if (actor === undefined || isEncryptedRoom(space, room)) return 'BAD_ENTRY';
      if (record.media === 'voice' && !may(space, actor, 'joinVoiceRoom')) return 'DENIED';
      return isOpenMember(space, room, actor) ? 'ALREADY' : undefined;
    }
    case 'leave': {
      const { room } = action.body;
      if (roomOf(space, room) === undefined) return 'NO_SUCH_ROOM';
      const isMember = actor !== undefined && isOpenMember(space, room, actor);
      return isMember && room !== LOBBY ? undefined : 'NOT_MEMBER';
    }
    case 'expel': {
      const { room, account } = action.body;
      const record = roomOf(space, room);
      if (record === undefined) return 'NO_SUCH_ROOM';
      if (actor === undefined || !mayPutOut(space, actor, record.owner, account)) return 'DENIED';
      return isOpenMember(space, room, account) && room !== LOBBY ? undefined : 'NOT_MEMBER';
    }
    case 'ban': {
      const code = checkBan(action.body, context);
      const { room, account } = action.body;
      return (
        code ?? (room === undefined && isLastAdmin(space, account, now) ? 'LAST_ADMIN' : undefined)
      );
    }
    case 'unban': {
      const id = banId(action.body.account, action.body.room);
      return (
        checkBan(action.body, context) ??
        (space.get('ban', id) === undefined ? 'NOT_BLOCKED' : undefined)
      );
    }
    default:
      return action satisfies never;
  }
}

/** The last generation of a lock that a room has had. */
function lastGeneration(space: Pick<Reader, 'get'>, room: RoomId): number {
  let generation = roomOf(space, room)?.lock?.generation ?? 0;
  // Those of a lock that was taken away are kept, for what was judged by them.
  while (lockKeyOf(space, room, generation + 1) !== undefined) generation++;
  return generation;
}

function nameChanges(
  id: RoomId,
  before: RoomRecord | undefined,
  after: RoomRecord | undefined,
): Change[] {
  const keys = ({ parent, name }: RoomRecord): [string, string][] => [
    ['roomname', roomNameKey(parent, name)],
    ['roomlook', roomLookKey(parent, name)],
  ];
  const named = (record: RoomRecord | undefined): record is RoomRecord =>
    record !== undefined && record.lifetime !== 'conference';
  return [
    ...(named(before) ? keys(before) : []).map(([table, key]) => ({
      table,
      id: key,
      value: undefined,
    })),
    ...(named(after) ? keys(after) : []).map(([table, key]) => ({ table, id: key, value: id })),
  ];
}

/** What is kept of an owner who is none any more: what was theirs to do may still have to be judged. */
export function ownedChanges(id: RoomId, { owner }: RoomRecord): Change[] {
  return owner === null ? [] : [{ table: 'owned', id: `${id}:${owner}`, value: true }];
}

/** What makes a room. */
export function roomChanges(id: RoomId, record: RoomRecord): Change[] {
  return [{ table: 'room', id, value: record }, ...nameChanges(id, undefined, record)];
}

/** The changes of an allowed action. Total: what it does not find, it does not change. */
export function reduceRooms(action: RoomsAction, context: Context): Change[] {
  const { space, entry, actor } = context;
  switch (action.kind) {
    case 'room': {
      const { name, parent, media, lifetime = 'permanent', lock } = action.body;
      const id = entry.id.slice(0, 32) as RoomId;
      const record: RoomRecord = {
        name,
        owner: actor ?? null,
        lifetime,
        private: action.body.private,
        ...(parent === undefined ? {} : { parent }),
        ...(media === undefined ? {} : { media }),
        ...(lock === undefined
          ? {}
          : { lock: { generation: 1, password: lock.password !== null, retired: false } }),
      };
      // Whoever makes an open room is in it; into an encrypted one its owner comes by its stream.
      const isOpen = !record.private && (parent === undefined || !isEncryptedRoom(space, parent));
      return [
        ...roomChanges(id, record),
        ...(lock === undefined ? [] : [{ table: 'lock', id: `${id}:1`, value: lock }]),
        ...(isOpen && actor !== undefined
          ? [{ table: 'member', id: `${id}:${actor}`, value: true }]
          : []),
      ];
    }
    case 'updateroom': {
      const { room, parent, ...rest } = action.body;
      const before = roomOf(space, room);
      if (before === undefined) return [];
      const { parent: old, ...record } = before;
      const lies = parent === undefined ? old : (parent ?? undefined);
      const after: RoomRecord = {
        ...record,
        ...(rest.name === undefined ? {} : { name: rest.name }),
        ...(rest.media === undefined ? {} : { media: rest.media }),
        ...(rest.position === undefined ? {} : { position: rest.position }),
        ...(lies === undefined ? {} : { parent: lies }),
      };
      return [...nameChanges(room, before, after), { table: 'room', id: room, value: after }];
    }
    case 'removeroom': {
      const gone = within(space, action.body.room);
      const changes: Change[] = [];
      for (const id of gone) {
        const record = roomOf(space, id);
        if (record === undefined) continue;
        changes.push(...nameChanges(id, record, undefined), {
          table: 'room',
          id,
          value: undefined,
        });
        for (const table of ['member', 'ban', 'suppress', 'lock', 'owned'])
          for (const [key] of space.of(table, id))
            changes.push({ table, id: key, value: undefined });
      }
      return changes;
    }
    case 'lock': {
      const { room, lock } = action.body;
      const record = roomOf(space, room);
      if (record === undefined) return [];
      const { lock: _old, ...rest } = record;
      if (lock === null) return [{ table: 'room', id: room, value: rest }];
      const { generation } = lock.keyring;
      const value: RoomRecord = {
        ...rest,
        lock: { generation, password: lock.password !== null, retired: false },
      };
      return [
        { table: 'room', id: room, value },
        { table: 'lock', id: `${room}:${generation}`, value: lock },
      ];
    }
    case 'retire': {
      const record = roomOf(space, action.body.room);
      const lock = lockOf(space, action.body.room);
      if (record === undefined || lock === undefined) return [];
      // The lock of the room above is that room's to retire: this one is opened by it no more.
      const own = record.lock ?? { generation: 0, password: lock.password };
      const value: RoomRecord = { ...record, private: true, lock: { ...own, retired: true } };
      return [{ table: 'room', id: action.body.room, value }];
    }
    case 'owner': {
      const record = roomOf(space, action.body.room);
      if (record === undefined) return [];
      return [
        ...ownedChanges(action.body.room, record),
        { table: 'room', id: action.body.room, value: { ...record, owner: action.body.account } },
      ];
    }
    case 'join':
    case 'leave':
      if (actor === undefined) return [];
      return [memberChange(action.body.room, actor, action.kind === 'join')];
    case 'expel':
      return [memberChange(action.body.room, action.body.account, false)];
    case 'ban': {
      const { account, room, until } = action.body;
      const banned: Change = { table: 'ban', id: banId(account, room), value: until };
      return room === undefined ? [banned] : [banned, memberChange(room, account, false)];
    }
    case 'unban': {
      const id = banId(action.body.account, action.body.room);
      return [{ table: 'ban', id, value: undefined }];
    }
    default:
      return action satisfies never;
  }
}

function memberChange(room: RoomId, account: AccountId, isMember: boolean): Change {
  return { table: 'member', id: `${room}:${account}`, value: isMember ? true : undefined };
}
