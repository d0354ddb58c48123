/** Rooms: coming into them, entering and leaving them, and talking elsewhere. */
import { isEncryptedRoom, roomAt, roomOf, within } from '../crdt/rooms.ts';
import type { RoomId } from '../crdt/keys.ts';
import { LOBBY, placeOfStream } from '../crdt/stream.ts';
import { ClchatError, hasCode } from '../errors.ts';
import {
  conversationNamed,
  currentConversation,
  roomNamed,
  type Handler,
  type HandlerContext,
} from './handling.ts';
import { ROOM_CODE_HANDLERS, redeemRoomCode } from './room-codes.ts';
import { comeIn, pathNamed } from './room-entering.ts';
import { LISTING_HANDLERS, unreadIn } from './room-lists.ts';
import { factsOf, makeRoom, MAKING_HANDLERS, typedPath } from './room-making.ts';
import { MODERATION_HANDLERS } from './room-moderation.ts';
import type { ResultData } from './types.ts';
import { placeView } from './views.ts';

/** `room`: makes a room, or comes into the one that there is. */
const room: Handler = async ({ room: typed, password }, context) => {
  const { space } = context.client.home;
  const path = typedPath(typed);
  const there = roomAt(space, path);
  if (there !== undefined) return join(context, there, password);
  try {
    return await makeRoom(context, path, { isTemporary: false, password });
  } catch (error) {
    // Somebody else has made it meanwhile.
    const other = hasCode(error, 'NAME_TAKEN') ? roomAt(space, path) : undefined;
    if (other === undefined) throw error;
    return join(context, other, password);
  }
};

async function join(
  context: HandlerContext,
  id: RoomId,
  password: string | undefined,
): Promise<ResultData> {
  const { home } = context.client;
  const joined = await comeIn(context, id, { password });
  // Whoever gives a password takes the room for closed.
  const isOpen = password !== undefined && !isEncryptedRoom(home.space, id);
  return {
    room: pathNamed(home, id),
    created: false,
    joined,
    ...factsOf(home, id),
    ...(isOpen ? { passwordless: true } : {}),
  };
}

/** `group`: a room that lives only as long as somebody is there. */
const group: Handler = async ({ room: typed, password }, context) => {
  const path = typedPath(typed);
  if (roomAt(context.client.home.space, path) !== undefined)
    throw new ClchatError('NAME_TAKEN', `There is a room "${path}" already: enter ${path}`);
  return makeRoom(context, path, { isTemporary: true, password });
};

const enter: Handler = async ({ room: typed, password, code }, context) => {
  const { client, situation } = context;
  const { home } = client;
  const id = roomNamed(home, typedPath(typed));
  const joined =
    code === undefined
      ? await comeIn(context, id, { password })
      : await redeemRoomCode(context, code, id);
  situation.enter(id);
  return { room: pathNamed(home, id), joined, ...(await unreadHere(context)) };
};

/** What waits to be read where a person has just come. */
async function unreadHere({ client: { home }, situation }: HandlerContext): Promise<ResultData> {
  const waiting = await unreadIn(home, situation.conversation);
  return waiting.unread === 0 ? {} : waiting;
}

/** Where a person is after having left something. */
function now({ client: { home }, situation }: HandlerContext): ResultData {
  return situation.room === undefined ? {} : { now: pathNamed(home, situation.room) };
}

const leave: Handler = async (_args, context) => {
  const left = context.situation.leave();
  if (left === undefined) throw new ClchatError('NOT_IN_ROOM');
  const { home } = context.client;
  const isConference = roomOf(home.space, left)?.lifetime === 'conference';
  return Promise.resolve({
    room: pathNamed(home, left),
    ...(isConference ? { conference: true } : {}),
    ...now(context),
  });
};

/** `exit`: leaves the room entered for good, and with a closed one those within it. */
const exit: Handler = async (_args, context) => {
  const { client, situation } = context;
  const { home, rooms } = client;
  const { room: id } = situation;
  if (id === undefined) throw new ClchatError('NOT_IN_ROOM');
  currentConversation(context, 'done');
  const path = pathNamed(home, id);
  const gone = isEncryptedRoom(home.space, id) ? within(home.space, id).reverse() : [id];
  for (const one of gone) {
    if (one !== LOBBY && (await rooms.isMember(one))) await rooms.leave(one);
    situation.forget(one);
  }
  return { room: path, given: id !== LOBBY, ...now(context) };
};

const talk: Handler = async ({ conversation }, context) => {
  const { client, situation } = context;
  const { home } = client;
  const stream = conversation === undefined ? undefined : conversationNamed(home, conversation);
  if (stream !== undefined) {
    const isRoom = placeOfStream(stream).type === 'room';
    if (isRoom && !home.unread.takesPart(stream)) throw new ClchatError('NOT_MEMBER');
  }
  situation.talk(stream);
  return { ...placeView(home, situation.conversation), ...(await unreadHere(context)) };
};

export const ROOM_HANDLERS: Readonly<Record<string, Handler>> = {
  ...LISTING_HANDLERS,
  ...MAKING_HANDLERS,
  ...MODERATION_HANDLERS,
  ...ROOM_CODE_HANDLERS,
  room,
  group,
  enter,
  leave,
  exit,
  talk,
};
