/** What handlers of commands have in common. */
import type { Entry } from '../crdt/entry.ts';
import type { AccountId, RoomId } from '../crdt/keys.ts';
import { accountNamed } from '../crdt/people.ts';
import type { Permission } from '../crdt/permissions.ts';
import { may } from '../crdt/rights.ts';
import { isEncryptedRoom, roomAt, roomOf } from '../crdt/rooms.ts';
import { pairStream, placeOfStream, roomStream, type StreamName } from '../crdt/stream.ts';
import { ClchatError } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import type { Home } from '../node/client/home.ts';
import { byteLength, MAX_TEXT_BYTES } from '../text.ts';
import type { AppCalls } from './calls/app-calls.ts';
import { conferenceNamed } from './conference-names.ts';
import type { Loss, Situation } from './situation.ts';
import type { AppEvent, Ask, CommandCall, ResultData } from './types.ts';
import { placeView } from './views.ts';

export interface HandlerContext {
  readonly client: Client;
  readonly now: () => number;
  readonly ask: Ask | undefined;
  readonly situation: Situation;
  readonly calls: AppCalls;
  /** Tells the front end of something on the way, such as progress. */
  readonly tell: (event: AppEvent) => void;
  /** Where this device keeps its data, where that is a directory. */
  readonly directory?: string;
}

export type Handler = (args: CommandCall['args'], context: HandlerContext) => Promise<ResultData>;

export function need(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new ClchatError('USAGE', `${name} is missing.`);
  return value;
}

export function whole(value: string, name: string): number {
  const number = Number(value);
  if (!/^\d{1,12}$/.test(value) || !Number.isSafeInteger(number))
    throw new ClchatError('USAGE', `${name} must be a whole number.`);
  return number;
}

export function otherAccount(home: Home, name: string): AccountId {
  const account = home.named(name);
  if (account === home.account) throw new ClchatError('SELF');
  return account;
}

/** Has the server judge an entry before a command is answered. @returns `queued` while it is away */
export async function control(
  client: Client,
  stream: StreamName,
  kind: string,
  body: unknown,
): Promise<'held' | 'queued'> {
  const { home } = client;
  return sent(home, await home.conversations.act(stream, kind, body));
}

/** Refuses before anything is written where the rules will refuse anyway. */
export function mustBeAllowed(home: Home, permission: Permission): void {
  if (!may(home.space, home.account, permission))
    throw new ClchatError('DENIED', `You need the permission "${permission}".`, {
      data: { permission },
    });
}

/** Waits for the server's word on an entry. */
export async function sent(home: Home, entry: Entry): Promise<'held' | 'queued'> {
  const outcome = await home.outbox.answer(entry.id);
  if (outcome === 'held' || outcome === 'queued') return outcome;
  throw new ClchatError(outcome);
}

export function checkText(text: string | undefined): string {
  const given = need(text, 'The text');
  if (byteLength(given.toWellFormed()) > MAX_TEXT_BYTES) throw new ClchatError('TOO_LARGE');
  return given.toWellFormed();
}

/** The room at a path. @throws NO_SUCH_ROOM */
export function roomNamed(home: Home, path: string): RoomId {
  const name = path.startsWith('#') ? path.slice(1) : path;
  // A conference that one is in is entered like a room.
  const room = roomAt(home.space, name) ?? conferenceNamed(home, name);
  if (room === undefined) throw new ClchatError('NO_SUCH_ROOM', `There is no room "${name}".`);
  return room;
}

/**
 * `@user` or `#room/path`; a bare word is whichever of the two there is.
 * @throws NO_SUCH_USER, NO_SUCH_ROOM, SELF, AMBIGUOUS
 */
export function conversationNamed(home: Home, written: string): StreamName {
  if (written.startsWith('@'))
    return pairStream(home.account, otherAccount(home, written.slice(1)));
  if (written.startsWith('#')) return roomStream(roomNamed(home, written));
  const room = roomAt(home.space, written);
  const isUser = accountNamed(home.space, written) !== undefined;
  if (room !== undefined && isUser)
    throw new ClchatError('AMBIGUOUS', `Write @${written} or #${written}: there are both.`);
  if (room !== undefined) return roomStream(room);
  return pairStream(home.account, otherAccount(home, written));
}

const LOSSES: Readonly<Record<Loss, (path: string) => string>> = {
  'put out': (path) => `You were put out of #${path}.`,
  gone: (path) => `#${path} is gone.`,
  'left elsewhere': (path) => `You have left #${path} on another device.`,
};

/**
 * Where something is said or done that names no place. Whoever has lost the place where they were is
 * told so first, since what they are about to say may be for those alone who are there.
 * @throws NOT_IN_ROOM
 */
export function currentConversation(
  { client: { home }, situation }: HandlerContext,
  deed: 'said' | 'done' = 'said',
): StreamName {
  const lost = situation.takeLoss();
  if (lost === undefined) return situation.conversation;
  const { room } = placeView(home, situation.conversation);
  const again = deed === 'said' ? 'say it again to speak in' : 'do it again for';
  throw new ClchatError(
    'NOT_IN_ROOM',
    `${LOSSES[lost.how](lost.path)} Nothing was ${deed}. Enter a room, or ${again} #${room}.`,
  );
}

/** @throws NOT_SUPPORTED of a room for voice only */
export function mustBeForText(home: Home, stream: StreamName): void {
  const place = placeOfStream(stream);
  if (place.type === 'room' && roomOf(home.space, place.room)?.media === 'voice')
    throw new ClchatError(
      'NOT_SUPPORTED',
      'That room is for voice only: nothing is written there.',
    );
}

/** @throws NOT_MEMBER of a closed room in which this account is not */
export function mustTakePart(home: Home, stream: StreamName): void {
  const place = placeOfStream(stream);
  if (place.type !== 'room' || !isEncryptedRoom(home.space, place.room)) return;
  if (!home.unread.takesPart(stream)) throw new ClchatError('NOT_MEMBER');
}
