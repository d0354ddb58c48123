/**
 * Who is silenced for everyone: in the calls of one room, or in all. What they send is not played; that
 * is for whoever plays it to see to, by what stands here.
 */
import type { SpaceAction } from './bodies.ts';
import type { ErrorCode } from '../errors.ts';
import type { AccountId, RoomId } from './keys.ts';
import { presentAccount } from './records.ts';
import { levelOf, may } from './rights.ts';
import { banId, roomOf } from './rooms.ts';
import type { Context } from './rules.ts';
import type { Change, Reader } from './state.ts';

type Body = Extract<SpaceAction, { kind: 'suppress' }>['body'];

/** Whether somebody is silenced in the calls of a room, or (undefined) in those between two. */
export function isSuppressed(
  space: Pick<Reader, 'get'>,
  account: AccountId,
  room: RoomId | undefined,
): boolean {
  return (
    isSuppressedAt(space, account, undefined) ||
    (room !== undefined && isSuppressedAt(space, account, room))
  );
}

/** Whether that was said of just this place: a room, or (undefined) everywhere. */
export function isSuppressedAt(
  space: Pick<Reader, 'get'>,
  account: AccountId,
  place: RoomId | undefined,
): boolean {
  return space.get('suppress', banId(account, place)) === true;
}

/** @returns why it is refused, undefined when it is allowed */
export function checkSuppress(
  { account, room, on }: Body,
  { space, actor }: Context,
): ErrorCode | undefined {
  if (presentAccount(space, account) === undefined) return 'NO_SUCH_USER';
  const record = room === undefined ? undefined : roomOf(space, room);
  if (room !== undefined && record === undefined) return 'NO_SUCH_ROOM';
  if (actor === undefined) return 'DENIED';
  const isOwn = account === actor;
  if (isOwn && on) return 'SELF';
  // Who owns a room does not lift what was done to them there.
  const isOwner = record?.owner === actor && !isOwn;
  if (!isOwner && !may(space, actor, 'suppressUser')) return 'DENIED';
  if (levelOf(space, account) > levelOf(space, actor)) return 'DENIED';
  return isSuppressedAt(space, account, room) === on ? 'ALREADY' : undefined;
}

/** The changes of an allowed one. */
export function reduceSuppress({ account, room, on }: Body): Change[] {
  return [{ table: 'suppress', id: banId(account, room), value: on ? true : undefined }];
}

/** What is taken away with an account. */
export function suppressionsOf(space: Reader, account: AccountId): Change[] {
  const ids = [...space.entries('suppress')].map(([id]) => id);
  return ids
    .filter((id) => id === account || id.endsWith(`:${account}`))
    .map((id) => ({ table: 'suppress', id, value: undefined }));
}
