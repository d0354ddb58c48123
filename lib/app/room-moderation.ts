/** Who is put out of rooms, kept out, and let in. */
import type { AccountId, RoomId } from '../crdt/keys.ts';
import { mayPutOut } from '../crdt/rights.ts';
import { banId, isBanned, isEncryptedRoom, lockOf, roomOf, within } from '../crdt/rooms.ts';
import { LOBBY } from '../crdt/stream.ts';
import { ClchatError } from '../errors.ts';
import { SERVER_MODERATION } from './admin-accounts.ts';
import {
  currentConversation,
  need,
  otherAccount,
  roomNamed,
  whole,
  type Handler,
  type HandlerContext,
} from './handling.ts';
import { pathNamed } from './room-entering.ts';
import type { ResultData } from './types.ts';

/** The room that a person has entered. @param advice where they are in none @throws NOT_IN_ROOM */
export function enteredRoom(
  context: HandlerContext,
  advice = 'Enter the room first, or name it.',
): RoomId {
  const { room } = context.situation;
  if (room === undefined) throw new ClchatError('NOT_IN_ROOM', advice);
  // Not the one in which they find themselves without knowing.
  currentConversation(context, 'done');
  return room;
}

/** Somebody who may be put out of the room entered. @throws NOT_IN_ROOM, NO_SUCH_USER, SELF, DENIED */
function target(
  context: HandlerContext,
  user: string | undefined,
): { room: RoomId; account: AccountId } {
  const { home } = context.client;
  const room = enteredRoom(context, 'Enter the room first; --server is for the whole server.');
  const account = otherAccount(home, need(user, 'The user'));
  if (!mayPutOut(home.space, home.account, roomOf(home.space, room)?.owner, account))
    throw new ClchatError(
      'DENIED',
      'You need to be the owner of the room, or the permission "removeUser" and no lower level.',
      { data: { permission: 'removeUser' } },
    );
  return { room, account };
}

/** Puts somebody out of the rooms within one too, as far as this account may and knows of them. */
async function putOutWithin(
  { client }: HandlerContext,
  room: RoomId,
  account: AccountId,
): Promise<void> {
  const { home, rooms } = client;
  for (const id of within(home.space, room).slice(1)) {
    const owner = roomOf(home.space, id)?.owner;
    const mayHere = mayPutOut(home.space, home.account, owner, account);
    if (mayHere && (await rooms.isMember(id, account)) && (await isHere(client, id)))
      await rooms.putOut(id, account);
  }
}

/** Whether this account can change who is in a room: of a closed one it has to be in it. */
async function isHere({ home, rooms }: HandlerContext['client'], room: RoomId): Promise<boolean> {
  return !isEncryptedRoom(home.space, room) || rooms.isMember(room);
}

/**
 * Puts somebody out of the room entered, and out of those within it.
 * @throws NOT_IN_ROOM, NO_SUCH_USER, SELF, DENIED, NOT_MEMBER, NETWORK
 */
export async function kickFromRoom(
  context: HandlerContext,
  user: string | undefined,
): Promise<ResultData> {
  const { home, rooms } = context.client;
  const { room, account } = target(context, user);
  if (room === LOBBY)
    throw new ClchatError('NOT_SUPPORTED', 'Everybody is in that room: use --server, or "ban".');
  if (!(await rooms.isMember(room, account)))
    throw new ClchatError('NOT_MEMBER', `${home.nameOf(account)} is not in that room.`);
  await rooms.putOut(room, account);
  await putOutWithin(context, room, account);
  return { user: home.nameOf(account), room: pathNamed(home, room), ...lockFacts(context, room) };
}

/**
 * Keeps somebody out of the room entered and of those within it; in the lobby they say no more.
 * @param seconds undefined: for good
 * @throws NOT_IN_ROOM, NO_SUCH_USER, SELF, DENIED, USAGE, NETWORK
 */
export async function banFromRoom(
  context: HandlerContext,
  user: string | undefined,
  seconds: number | undefined,
): Promise<ResultData> {
  const { client } = context;
  const { home, rooms } = client;
  const { room, account } = target(context, user);
  if (seconds === 0) throw new ClchatError('USAGE', 'The time is 1 second or more.');
  await rooms.ban(room, account, seconds === undefined ? 0 : client.serverTime() + seconds * 1_000);
  if (room !== LOBBY && (await rooms.isMember(room, account))) await rooms.putOut(room, account);
  await putOutWithin(context, room, account);
  return {
    user: home.nameOf(account),
    room: pathNamed(home, room),
    ...(seconds === undefined ? {} : { seconds }),
    ...lockFacts(context, room),
  };
}

/** @throws NOT_IN_ROOM, NO_SUCH_USER, SELF, DENIED, NOT_BLOCKED, NETWORK */
export async function unbanFromRoom(
  context: HandlerContext,
  user: string | undefined,
): Promise<ResultData> {
  const { home, rooms } = context.client;
  const { room, account } = target(context, user);
  if (home.space.get('ban', banId(account, room)) === undefined)
    throw new ClchatError('NOT_BLOCKED', `${home.nameOf(account)} is not banned from that room.`);
  await rooms.unban(room, account);
  return { user: home.nameOf(account), room: pathNamed(home, room) };
}

/** Whether the password of a room has been given up, so that members have to let others in. */
function lockFacts({ client }: HandlerContext, room: RoomId): ResultData {
  const lock = lockOf(client.home.space, room);
  return lock?.holder === room && lock.retired ? { retired: true } : {};
}

/** Lets somebody into a closed room. */
const admit: Handler = async ({ user, room: typed }, context) => {
  const { client } = context;
  const { home, rooms } = client;
  const room = typed === undefined ? enteredRoom(context) : roomNamed(home, typed);
  const account = otherAccount(home, need(user, 'The user'));
  const name = home.nameOf(account);
  if (!isEncryptedRoom(home.space, room))
    throw new ClchatError('NOT_SUPPORTED', 'That room is open: everybody can come in.');
  if (!(await rooms.isMember(room))) throw new ClchatError('NOT_MEMBER');
  if (await rooms.isMember(room, account))
    throw new ClchatError('ALREADY', `${name} is in that room.`);
  if (isBanned(home.space, account, room, client.serverTime()))
    throw new ClchatError('BANNED', `${name} is banned from that room.`);
  mustAdmit(context, room);
  for (const above of await rooms.barred(room, account))
    if (above !== room)
      throw new ClchatError('NOT_MEMBER', `${name} is not in "${pathNamed(home, above)}".`);
  await rooms.admit(room, account);
  return { user: name, room: pathNamed(home, room) };
};

/** Members let others in where neither the owner nor a password can. @throws DENIED */
function mustAdmit({ client: { home } }: HandlerContext, room: RoomId): void {
  const owner = roomOf(home.space, room)?.owner;
  const lock = lockOf(home.space, room);
  if (owner === home.account || owner === null || (lock?.password === true && lock.retired)) return;
  throw new ClchatError(
    'DENIED',
    lock?.password === true
      ? 'That room has a password, by which everybody comes in.'
      : 'Only the owner of that room lets others in.',
  );
}

/** `kick`, `ban` and `unban`, of the room entered or (`--server`) of the server. */
const either =
  (name: keyof typeof SERVER_MODERATION, inRoom: Handler): Handler =>
  (args, context) =>
    args['server'] === undefined ? inRoom(args, context) : SERVER_MODERATION[name](args, context);

export const MODERATION_HANDLERS: Readonly<Record<string, Handler>> = {
  admit,
  kick: either('kick', ({ user }, context) => kickFromRoom(context, user)),
  ban: either('ban', ({ user, seconds }, context) =>
    banFromRoom(context, user, seconds === undefined ? undefined : whole(seconds, 'The time')),
  ),
  unban: either('unban', ({ user }, context) => unbanFromRoom(context, user)),
};
