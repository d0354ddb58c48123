/** Who is in an encrypted room: kept in its own stream, where every member can tell why. */
import type { RoomAction } from './bodies.ts';
import { concat, fromHex, utf8 } from './bytes.ts';
import { checkNewCode, codesOf, newCodeChanges, redeemed, usedChange } from './codes.ts';
import type { ErrorCode } from '../errors.ts';
import type { Keyring } from './keyring.ts';
import { verify, type AccountId, type PublicKey, type RoomId } from './keys.ts';
import { presentAccount, type CodeRecord, type RoomRecord } from './records.ts';
import { may, mayPutOut } from './rights.ts';
import { hasOwned, isEncryptedRoom, lineOf, lockKeyOf, lockOf, roomOf } from './rooms.ts';
import type { Context } from './rules.ts';
import type { Change, Reader } from './state.ts';
import { placeOfStream, roomStream, type StreamName } from './stream.ts';

const KINDS = ['join', 'leave', 'code', 'members'] as const;
export type MembershipKind = (typeof KINDS)[number];
export type MembershipAction = Extract<RoomAction, { readonly kind: MembershipKind }>;

export function isMembershipAction(action: { readonly kind: string }): action is MembershipAction {
  return (KINDS as readonly string[]).includes(action.kind);
}

/** Most members of an encrypted room: each key epoch is wrapped to every one of them. */
export const MAX_MEMBERS = 512;

const LOCK_TAG = 'clchat lock v1';
const CHANGE_TAG = 'clchat lock change v1';

/** Members of an encrypted conversation. */
export function membersOf(
  stream: StreamName,
  state: Pick<Reader, 'entries'>,
  space: Pick<Reader, 'get'>,
): AccountId[] {
  const place = placeOfStream(stream);
  if (place.type === 'pair') return [place.a, place.b];
  const members: AccountId[] = [];
  for (const [id] of state.entries('member')) {
    const account = id as AccountId;
    if (presentAccount(space, account) !== undefined) members.push(account);
  }
  return members;
}

function lockStatement(server: PublicKey, room: RoomId, account: AccountId): Uint8Array {
  return concat(fromHex(server), fromHex(account), utf8(roomStream(room)));
}

/** Proves that an account may come into a room, by the secret of the lock that opens it. */
export function proveLock(
  lock: Keyring,
  server: PublicKey,
  room: RoomId,
  account: AccountId,
): Extract<MembershipAction, { kind: 'join' }>['body'] {
  const proof = lock.sign.sign(LOCK_TAG, lockStatement(server, room, account));
  return { by: { type: 'lock', generation: lock.generation, proof } };
}

/** Proves that an account may change the lock of a room that is not its own, by the secret of the present one. */
export function proveChange(
  lock: Keyring,
  server: PublicKey,
  room: RoomId,
  account: AccountId,
): Uint8Array {
  return lock.sign.sign(CHANGE_TAG, lockStatement(server, room, account));
}

/**
 * Whether somebody who does not own a room has proved to be in it: they know the secret of its lock. The
 * space does not tell who is in a closed room; and whoever may change the lock may read what is said.
 */
export function mayChangeLock(
  room: RoomId,
  proof: Uint8Array | undefined,
  { space, entry, actor }: Context,
): boolean {
  const lock = roomOf(space, room)?.lock;
  // One that was retired is known to somebody who has been put out since.
  if (lock === undefined || lock.retired || proof === undefined || actor === undefined)
    return false;
  const key = lockKeyOf(space, room, lock.generation)?.keyring.sign;
  const statement = lockStatement(entry.server, room, actor);
  return key !== undefined && verify(key, CHANGE_TAG, statement, proof);
}

function roomIn({ entry, space }: Context): { id: RoomId; record: RoomRecord } | undefined {
  const place = placeOfStream(entry.stream);
  const record = place.type === 'room' ? roomOf(space, place.room) : undefined;
  return place.type !== 'room' || record === undefined || !isEncryptedRoom(space, place.room)
    ? undefined
    : { id: place.room, record };
}

function checkJoin(
  { by }: Extract<MembershipAction, { kind: 'join' }>['body'],
  context: Context,
  room: { id: RoomId; record: RoomRecord },
): ErrorCode | undefined {
  const { space, stream, entry, actor, hindsight } = context;
  if (actor === undefined) return 'NOT_LOGGED_IN';
  const isVoice = room.record.media === 'voice';
  if (isVoice && !hindsight && !may(space, actor, 'joinVoiceRoom')) return 'DENIED';
  switch (by.type) {
    case 'owner':
      return room.record.owner === actor || (hindsight && hasOwned(space, room.id, actor))
        ? undefined
        : 'DENIED';
    case 'lock': {
      const lock = lockOf(space, room.id);
      if (!hindsight) {
        if (lock === undefined || lock.retired || lock.generation !== by.generation)
          return 'BAD_PASSWORD';
        // Without a password only members know the secret of a lock, for the rooms within.
        if (lock.holder === room.id && !lock.password) return 'BAD_PASSWORD';
      }
      const statement = lockStatement(entry.server, room.id, actor);
      // Another room's may have been the one that opened it then.
      const holders = hindsight ? lineOf(space, room.id).map(({ id }) => id) : [lock!.holder];
      const isProved = holders.some((id) => {
        const key = lockKeyOf(space, id, by.generation)?.keyring.sign;
        return key !== undefined && verify(key, LOCK_TAG, statement, by.proof);
      });
      return isProved ? undefined : 'BAD_PASSWORD';
    }
    case 'code':
      return checkCode(redeemed(stream, by, 'join', context), context, room);
    case 'word':
      return room.record.lifetime === 'conference' ? undefined : 'DENIED';
    default:
      return by satisfies never;
  }
}

/** Whether somebody may make codes that let others in. */
function mayInvite(space: Reader, account: AccountId, { record }: { record: RoomRecord }): boolean {
  return record.owner === account || may(space, account, 'inviteUser');
}

/** A code is worth what whoever made it may do now. */
function checkCode(
  code: CodeRecord | undefined,
  { space, hindsight }: Context,
  room: { record: RoomRecord },
): ErrorCode | undefined {
  if (code === undefined) return 'BAD_CODE';
  return hindsight || mayInvite(space, code.issuer, room) ? undefined : 'BAD_CODE';
}

/** Whether somebody may let others in who bring no proof. */
function mayAdmit(
  { space, stream }: Context,
  actor: AccountId,
  { id, record }: { id: RoomId; record: RoomRecord },
): boolean {
  if (record.owner === actor) return true;
  const lock = lockOf(space, id);
  // The password is of no use any more, or there is nobody who could do it.
  const isOpenToMembers = (lock?.password === true && lock.retired) || record.owner === null;
  return isOpenToMembers && stream.get('member', actor) === true;
}

function checkMembers(
  { add, remove }: Extract<MembershipAction, { kind: 'members' }>['body'],
  context: Context,
  room: { id: RoomId; record: RoomRecord },
): ErrorCode | undefined {
  const { space, stream, entry, actor, hindsight } = context;
  if (entry.device === entry.server)
    return room.record.lifetime === 'conference' && add.length === 0 ? undefined : 'DENIED';
  if (actor === undefined) return 'NOT_LOGGED_IN';
  if (!hindsight) {
    if (add.length > 0 && !mayAdmit(context, actor, room)) return 'DENIED';
    if (remove.some((id) => !mayPutOut(space, actor, room.record.owner, id))) return 'DENIED';
    if (add.some((id) => presentAccount(space, id) === undefined)) return 'NO_SUCH_USER';
  }
  const members = new Set<string>(membersOf(entry.stream, stream, space));
  for (const id of add) members.add(id);
  return members.size <= MAX_MEMBERS ? undefined : 'TOO_LARGE';
}

/** @returns why the action is refused, undefined when it is allowed */
export function checkMembership(action: MembershipAction, context: Context): ErrorCode | undefined {
  const { space, stream, entry, actor, hindsight, now } = context;
  const room = roomIn(context);
  if (room === undefined) return 'BAD_ENTRY';
  const isMember = actor !== undefined && stream.get('member', actor) === true;
  switch (action.kind) {
    case 'join': {
      if (isMember) return 'ALREADY';
      if (membersOf(entry.stream, stream, space).length >= MAX_MEMBERS) return 'TOO_LARGE';
      return checkJoin(action.body, context, room);
    }
    case 'leave':
      return isMember ? undefined : 'NOT_MEMBER';
    case 'code': {
      if (!isMember || actor === undefined) return 'NOT_MEMBER';
      const isAllowed = hindsight || mayInvite(space, actor, room);
      return isAllowed ? checkNewCode(stream, action.body, actor, now) : 'DENIED';
    }
    case 'members':
      return checkMembers(action.body, context, room);
    default:
      return action satisfies never;
  }
}

/** Whoever is put out must not come back by a code of their own. */
function withoutMembers(stream: Reader, accounts: readonly AccountId[]): Change[] {
  return [
    ...accounts.map((id) => ({ table: 'member', id, value: undefined })),
    ...codesOf(stream, new Set(accounts)),
  ];
}

/** The changes of an allowed action. */
export function reduceMembership(action: MembershipAction, context: Context): Change[] {
  const { stream, actor, now } = context;
  switch (action.kind) {
    case 'join': {
      if (actor === undefined) return [];
      const { by } = action.body;
      return [
        { table: 'member', id: actor, value: true },
        ...(by.type === 'code' ? usedChange(stream, by.verifier) : []),
      ];
    }
    case 'leave':
      return actor === undefined ? [] : withoutMembers(stream, [actor]);
    case 'code': {
      const { verifier, uses, expires } = action.body;
      if (actor === undefined) return [];
      const value: CodeRecord = { purpose: 'join', issuer: actor, uses, expires };
      return newCodeChanges(stream, verifier, value, now);
    }
    case 'members':
      return [
        ...withoutMembers(stream, action.body.remove),
        ...action.body.add.map((id) => ({ table: 'member', id, value: true })),
      ];
    default:
      return action satisfies never;
  }
}
