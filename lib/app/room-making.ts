/** Rooms made, changed and removed. */
import type { RoomId } from '../crdt/keys.ts';
import { roomLookKey } from '../crdt/naming.ts';
import type { Permission } from '../crdt/permissions.ts';
import type { RoomRecord } from '../crdt/records.ts';
import { may } from '../crdt/rights.ts';
import { isEncryptedRoom, lineOf, MAX_DEPTH, roomAt, roomOf, within } from '../crdt/rooms.ts';
import { LOBBY, roomStream } from '../crdt/stream.ts';
import { ClchatError, textOf } from '../errors.ts';
import type { Home } from '../node/client/home.ts';
import { MAX_ROOMS } from '../node/server/admission.ts';
import { clean, fold, isName, whyNotFree } from '../text.ts';
import {
  mustBeAllowed,
  need,
  roomNamed,
  whole,
  type Handler,
  type HandlerContext,
} from './handling.ts';
import { comeInAbove, pathNamed } from './room-entering.ts';
import type { ResultData } from './types.ts';

type Media = NonNullable<RoomRecord['media']>;

/** What a room is to be, beside its path. */
export interface Wish {
  readonly isTemporary: boolean;
  readonly isPrivate?: boolean;
  readonly media?: Media | undefined;
  readonly position?: number | undefined;
  readonly password?: string | undefined;
}

/** A path as it was typed, without the mark that it is one. */
export function typedPath(typed: string | undefined): string {
  const path = need(typed, 'The room');
  return path.startsWith('#') ? path.slice(1) : path;
}

/** The room above the last name of a path, and that name. @throws NO_SUCH_ROOM, NESTING */
function placeOf(home: Home, path: string): { parent: RoomId | undefined; name: string } {
  const names = path.split('/');
  if (names.length > MAX_DEPTH) throw new ClchatError('NESTING');
  const name = names.pop() ?? '';
  return { parent: names.length === 0 ? undefined : roomNamed(home, names.join('/')), name };
}

/**
 * That a name can be given to a room.
 * @param self the room that may have it already
 * @throws BAD_NAME, NAME_TAKEN naming the room that has it or looks like it
 */
function mustBeFree(home: Home, name: string, parent: RoomId | undefined, self?: RoomId): void {
  const why = isName(name) ? whyNotFree(name) : textOf('BAD_NAME');
  const isKept = self !== undefined && roomOf(home.space, self)?.name === name;
  if (why !== undefined && !isKept) throw new ClchatError('BAD_NAME', why);
  const other = home.space.get<RoomId>('roomlook', roomLookKey(parent, name));
  if (other === undefined || other === self) return;
  const path = pathNamed(home, other);
  const isSame = fold(roomOf(home.space, other)?.name ?? '') === fold(name);
  throw new ClchatError(
    'NAME_TAKEN',
    isSame ? `There is a room "${path}" already.` : `"${name}" looks like the room "${path}".`,
    { data: { room: path } },
  );
}

/** @throws RATE_LIMITED */
function mustHaveFew({ space, account }: Home): void {
  let number = 0;
  for (const [, { owner }] of space.entries<RoomRecord>('room')) if (owner === account) number++;
  if (number >= MAX_ROOMS)
    throw new ClchatError('RATE_LIMITED', `You have ${MAX_ROOMS} rooms: nobody may have more.`);
}

/**
 * Makes a room, and comes into it.
 * @throws BAD_NAME, NAME_TAKEN, NESTING, NO_SUCH_ROOM (it is to lie in), DENIED, BAD_PASSWORD (of a room
 *   above it), NETWORK
 */
export async function makeRoom(
  context: HandlerContext,
  path: string,
  wish: Wish,
): Promise<ResultData> {
  const { home, rooms } = context.client;
  const { parent, name } = placeOf(home, path);
  mustBeFree(home, name, parent);
  const above = parent === undefined ? undefined : roomOf(home.space, parent);
  // What lies in a temporary room goes with it.
  const isTemporary = wish.isTemporary || above?.lifetime === 'temporary';
  mustBeAllowed(home, isTemporary ? 'createGroup' : 'createRoom');
  mustHaveFew(home);
  if (parent !== undefined) {
    await comeInAbove(context, parent);
    for (const closed of await rooms.barred(parent))
      throw new ClchatError('NOT_MEMBER', `You are not in "${pathNamed(home, closed)}".`);
  }
  const room = await rooms.create(
    {
      name,
      private: wish.isPrivate === true,
      ...(parent === undefined ? {} : { parent }),
      ...(wish.media === undefined ? {} : { media: wish.media }),
      ...(isTemporary ? { lifetime: 'temporary' as const } : {}),
    },
    wish.password,
  );
  if (wish.position !== undefined) await rooms.update(room, { position: wish.position });
  return { room: pathNamed(home, room), created: true, ...factsOf(home, room) };
}

/** What whoever makes or joins a room should know of it. */
export function factsOf(home: Home, room: RoomId): { encrypted: boolean; temporary: boolean } {
  return {
    encrypted: isEncryptedRoom(home.space, room),
    temporary: roomOf(home.space, room)?.lifetime === 'temporary',
  };
}

const MEDIA: readonly string[] = ['text', 'voice', 'both'] satisfies Media[];

/** @throws USAGE */
function mediaOf(written: string | undefined): Media | undefined {
  const media = written?.toLowerCase();
  if (media !== undefined && !MEDIA.includes(media))
    throw new ClchatError('USAGE', `A room is for ${MEDIA.join(', ')}.`);
  return media as Media | undefined;
}

function position(written: string | undefined): number | undefined {
  return written === undefined ? undefined : whole(written, 'The position');
}

const createroom: Handler = async (args, context) => {
  const { name, parent, media, private: isPrivate, password } = args;
  const last = typedPath(name);
  const path = parent === undefined || parent === '/' ? last : `${typedPath(parent)}/${last}`;
  if (roomAt(context.client.home.space, path) !== undefined)
    throw new ClchatError('NAME_TAKEN', `There is a room "${path}" already.`);
  return makeRoom(context, path, {
    isTemporary: false,
    isPrivate: isPrivate !== undefined,
    media: mediaOf(media),
    position: position(args['position']),
    password,
  });
};

/** That a room may be changed: by its owner, or by permission. */
function mustOwn(home: Home, room: RoomId, permission: Permission): void {
  if (roomOf(home.space, room)?.owner !== home.account) mustBeAllowed(home, permission);
}

/** The room into which another is moved; null: none. @throws NO_SUCH_ROOM, DENIED, NESTING, NOT_SUPPORTED */
function newParent(home: Home, room: RoomId, written: string): RoomId | null {
  const record = roomOf(home.space, room);
  const parent = written === '/' ? null : roomNamed(home, written);
  if (parent === (record?.parent ?? null)) return parent;
  if (record?.lifetime === 'builtin')
    throw new ClchatError('DENIED', 'That room stays where it is.');
  const line = parent === null ? [] : lineOf(home.space, parent);
  if (line.some(({ id }) => id === room)) throw new ClchatError('NESTING');
  const isSealed = parent !== null && isEncryptedRoom(home.space, parent);
  if (record?.private !== true && isSealed !== isEncryptedRoom(home.space, room))
    throw new ClchatError(
      'NOT_SUPPORTED',
      'What was said in the open stays open, and what was sealed stays sealed: make a new room there.',
    );
  return parent;
}

const updateroom: Handler = async (args, { client }) => {
  const { home, rooms } = client;
  const room = roomNamed(home, typedPath(args['room']));
  const { name, media, password, owner } = args;
  const forgetsPassword = args['no-password'] !== undefined;
  if (Object.keys(args).length < 2) throw new ClchatError('USAGE', 'Say what is to be changed.');
  if (password !== undefined && forgetsPassword)
    throw new ClchatError('USAGE', 'Either a password, or none.');
  // All that can be refused is refused before anything is written.
  const record = roomOf(home.space, room);
  if (Object.keys(args).some((arg) => arg !== 'room' && arg !== 'owner'))
    mustOwn(home, room, 'renameRoom');
  const parent = args['parent'] === undefined ? undefined : newParent(home, room, args['parent']);
  const lies = parent === undefined ? record?.parent : (parent ?? undefined);
  mustBeFree(home, name ?? record?.name ?? '', lies, room);
  if ((password !== undefined || forgetsPassword) && record?.private !== true)
    throw new ClchatError(
      'NOT_SUPPORTED',
      'Only a room that was made with a password, or private, can get another one.',
    );
  // Everybody begins there, and finds it by that name.
  if (room === LOBBY && name !== undefined && name !== record?.name)
    throw new ClchatError(
      'NOT_SUPPORTED',
      'The lobby keeps its name: it is where everybody begins, and is found by it.',
    );
  const account = owner === undefined ? undefined : await newOwner(client, room, owner);
  const changes = {
    ...(name === undefined ? {} : { name }),
    ...(parent === undefined ? {} : { parent }),
    ...(media === undefined ? {} : { media: mediaOf(media) }),
    ...(args['position'] === undefined
      ? {}
      : { position: whole(args['position'], 'The position') }),
  };
  if (Object.keys(changes).length > 0) await rooms.update(room, changes);
  if (password !== undefined || forgetsPassword) await rooms.setPassword(room, password);
  if (account !== undefined) await rooms.setOwner(room, account);
  return { room: pathNamed(home, room) };
};

async function newOwner(
  { home, rooms }: HandlerContext['client'],
  room: RoomId,
  name: string,
): Promise<Home['account']> {
  const account = home.named(name);
  if (roomOf(home.space, room)?.owner !== home.account) throw new ClchatError('NOT_OWNER');
  if (!(await rooms.isMember(room, account)))
    throw new ClchatError('NOT_MEMBER', `${home.nameOf(account)} is not in that room.`);
  return account;
}

const removeroom: Handler = async ({ room: typed }, { client, ask, situation }) => {
  const { home, rooms } = client;
  const room = roomNamed(home, typedPath(typed));
  if (roomOf(home.space, room)?.lifetime === 'builtin')
    throw new ClchatError('DENIED', 'Nobody can remove that room.');
  const all = within(home.space, room);
  const isOwn = all.every((id) => roomOf(home.space, id)?.owner === home.account);
  if (!isOwn && !may(home.space, home.account, 'removeRoom'))
    throw new ClchatError(
      'DENIED',
      all.length === 1
        ? 'You need the permission "removeRoom", or to be its owner.'
        : 'You need the permission "removeRoom", or to own it and all that lie in it.',
      { data: { permission: 'removeRoom' } },
    );
  const path = pathNamed(home, room);
  const hasMessages = all.some((id) => home.replica.log.headOf(roomStream(id)).length > 0);
  if (ask !== undefined && (hasMessages || all.length > 1)) {
    const inner = all.length - 1;
    const what = inner === 0 ? '' : ` and the ${inner === 1 ? 'room' : `${inner} rooms`} in it`;
    const question = `Remove ${clean(path)}${what}, with all that was said there?`;
    if (!(await ask.confirm(question, false))) return { room: path, declined: true };
  }
  await rooms.remove(room);
  for (const id of all) situation.forget(id);
  return { room: path, removed: all.length };
};

export const MAKING_HANDLERS: Readonly<Record<string, Handler>> = {
  createroom,
  updateroom,
  removeroom,
};
