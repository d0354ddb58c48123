/** The ways into rooms: through each closed one that lies above, with its password. */
import type { RoomId } from '../crdt/keys.ts';
import { isBanned, isEncryptedRoom, lineOf, lockOf, pathOf, roomOf } from '../crdt/rooms.ts';
import { ClchatError, hasCode } from '../errors.ts';
import type { Home } from '../node/client/home.ts';
import { mustBeAllowed, type HandlerContext } from './handling.ts';

/** Wrong passwords that a person at a terminal may type before the program gives up. */
const ATTEMPTS = 3;

/** What a person brings to come into a room. */
export interface Keys {
  /** Of the room, or of the one above it whose lock opens it. */
  readonly password?: string | undefined;
  /** Issued by somebody who is in it. */
  readonly code?: string | undefined;
}

export function pathNamed(home: Home, room: RoomId): string {
  return pathOf(home.space, room) ?? '?';
}

/**
 * Comes into a room, and first into the closed ones above it: their passwords are asked for where
 * there is somebody to be asked.
 * @returns whether one was not in it before
 * @throws BAD_PASSWORD naming the room, LOCKED, BAD_CODE, BANNED, DENIED, NETWORK
 */
export async function comeIn(
  context: HandlerContext,
  room: RoomId,
  { password, code }: Keys = {},
): Promise<boolean> {
  const { rooms, home } = context.client;
  if (await rooms.isMember(room)) return false;
  mustNotBeBanned(context, room);
  const isClosed = isEncryptedRoom(home.space, room);
  if (!isClosed && roomOf(home.space, room)?.media === 'voice')
    mustBeAllowed(home, 'joinVoiceRoom');
  if (!isClosed && code !== undefined)
    throw new ClchatError('NOT_SUPPORTED', 'That room is open: it is entered without a code.');
  await comeInAbove(context, room, password);
  if (await rooms.isMember(room)) return true;
  if (code === undefined) await open(context, room, password);
  else await rooms.joinByCode(room, code);
  return true;
}

/** Before a password is asked for in vain. @throws BANNED */
function mustNotBeBanned({ client }: HandlerContext, room: RoomId): void {
  const { home } = client;
  for (const { id } of lineOf(home.space, room))
    if (isBanned(home.space, home.account, id, client.serverTime()))
      throw new ClchatError('BANNED', `You are banned from "${pathNamed(home, id)}".`);
}

/** Comes into the closed rooms above one, the uppermost first. @throws as `comeIn` */
export async function comeInAbove(
  context: HandlerContext,
  room: RoomId,
  password?: string,
): Promise<void> {
  const { rooms, home } = context.client;
  const holder = lockOf(home.space, room)?.holder;
  for (const closed of await rooms.barred(room))
    if (closed !== room) await open(context, closed, closed === holder ? password : undefined);
}

async function open(
  context: HandlerContext,
  room: RoomId,
  password: string | undefined,
): Promise<void> {
  const { rooms, home } = context.client;
  const { ask, tell } = context;
  try {
    await rooms.join(room, password);
    return;
  } catch (error) {
    if (password !== undefined || !hasCode(error, 'BAD_PASSWORD')) throw error;
  }
  const holder = lockOf(home.space, room)?.holder ?? room;
  const path = pathNamed(home, holder);
  if (ask === undefined)
    throw new ClchatError(
      'BAD_PASSWORD',
      `The password of "${path}" is needed: enter ${path} PASSWORD`,
      { data: { room: path } },
    );
  for (let attempt = 1; ; attempt++) {
    try {
      await rooms.join(room, await ask.secret(`Password of ${path}`));
      return;
    } catch (error) {
      if (!hasCode(error, 'BAD_PASSWORD') || attempt === ATTEMPTS) throw error;
      tell({ event: 'notice', code: 'BAD_PASSWORD', text: error.message });
    }
  }
}
