/** Codes that let people into closed rooms. */
import type { RoomId } from '../crdt/keys.ts';
import { normalCode } from '../crdt/codes.ts';
import { isEncryptedRoom, roomOf } from '../crdt/rooms.ts';
import { ClchatError } from '../errors.ts';
import { CODE_HANDLERS } from './admin-codes.ts';
import { newCode } from './codes.ts';
import { mustBeAllowed, roomNamed, whole, type Handler, type HandlerContext } from './handling.ts';
import { comeIn, pathNamed } from './room-entering.ts';
import type { ResultData } from './types.ts';

/** How long a code is good unless told, in seconds. */
const CODE_SECONDS = 86_400;
/** Most uses of a code. */
const MAX_USES = 10_000;

/**
 * Makes a code by which others come into a closed room: `enter #room --code CODE`.
 * @param uses 1 unless told @param seconds a day unless told
 * @throws NO_SUCH_ROOM, NOT_SUPPORTED (an open room), NOT_MEMBER, DENIED, USAGE, TOO_LARGE, NETWORK
 */
export async function roomCode(
  { client }: HandlerContext,
  room: string,
  uses = 1,
  seconds = CODE_SECONDS,
): Promise<ResultData> {
  const { home, rooms } = client;
  const id = roomNamed(home, room);
  const path = pathNamed(home, id);
  if (!isEncryptedRoom(home.space, id))
    throw new ClchatError('NOT_SUPPORTED', 'That room is open: it is entered without a code.');
  if (!(await rooms.isMember(id))) throw new ClchatError('NOT_MEMBER');
  if (roomOf(home.space, id)?.owner !== home.account) mustBeAllowed(home, 'inviteUser');
  if (uses === 0 || seconds === 0)
    throw new ClchatError('USAGE', 'The number of uses and the time are 1 or more.');
  if (uses > MAX_USES)
    throw new ClchatError('TOO_LARGE', `A code is good for at most ${MAX_USES} uses.`);
  const code = newCode();
  await rooms.issueCode(id, code, uses, client.serverTime() + seconds * 1_000);
  return { code, purpose: 'join', room: path, uses, seconds };
}

/** Comes into a room by a code. @throws BAD_CODE, and as `comeIn` */
export async function redeemRoomCode(
  context: HandlerContext,
  code: string,
  room: RoomId,
): Promise<boolean> {
  if (normalCode(code) === '') throw new ClchatError('BAD_CODE');
  return comeIn(context, room, { code });
}

const given = (written: string | undefined, name: string): number | undefined =>
  written === undefined ? undefined : whole(written, name);

/** `code GROUP` and `code #ROOM`. */
const code: Handler = (args, context) => {
  const { group: about = '', uses, seconds } = args;
  if (!about.startsWith('#')) return CODE_HANDLERS['code']!(args, context);
  return roomCode(context, about, given(uses, 'The number of uses'), given(seconds, 'The time'));
};

export const ROOM_CODE_HANDLERS: Readonly<Record<string, Handler>> = { code };
