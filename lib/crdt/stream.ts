/** Names of streams. */
import type { AccountId, RoomId } from './keys.ts';

/** `space`, `room/<id>`, `pair/<a>:<b>` (a before b by code point) or `account/<id>`. */
export type StreamName =
  'space' | `room/${string}` | `pair/${string}:${string}` | `account/${string}`;

export const LOBBY = 'lobby' as RoomId;
export const LOBBY_STREAM: StreamName = 'room/lobby';

const NAME =
  /^(?:space|room\/(?:lobby|[0-9a-f]{32})|pair\/([0-9a-f]{32}):([0-9a-f]{32})|account\/[0-9a-f]{32})$/;

export function isStreamName(value: unknown): value is StreamName {
  if (typeof value !== 'string' || value.length > 80) return false;
  const match = NAME.exec(value);
  if (match === null) return false;
  const [, a, b] = match;
  return a === undefined || b === undefined || a < b;
}

export type StreamType = 'space' | 'room' | 'pair' | 'account';

export type StreamPlace =
  | { readonly type: 'space' }
  | { readonly type: 'room'; readonly room: RoomId }
  | { readonly type: 'pair'; readonly a: AccountId; readonly b: AccountId }
  | { readonly type: 'account'; readonly account: AccountId };

/** The parts of a well-formed name. */
export function placeOfStream(stream: StreamName): StreamPlace {
  if (stream === 'space') return { type: 'space' };
  const slash = stream.indexOf('/');
  const rest = stream.slice(slash + 1);
  switch (stream.slice(0, slash)) {
    case 'room':
      return { type: 'room', room: rest as RoomId };
    case 'pair':
      return { type: 'pair', a: rest.slice(0, 32) as AccountId, b: rest.slice(33) as AccountId };
    default:
      return { type: 'account', account: rest as AccountId };
  }
}

export function pairStream(one: AccountId, other: AccountId): StreamName {
  return one < other ? `pair/${one}:${other}` : `pair/${other}:${one}`;
}

export function accountStream(account: AccountId): StreamName {
  return `account/${account}`;
}

export function roomStream(room: string): StreamName {
  return `room/${room}`;
}

/** The other account of a pair; undefined when `self` is in none. */
export function otherOf(place: StreamPlace, self: AccountId): AccountId | undefined {
  if (place.type !== 'pair') return undefined;
  if (place.a === self) return place.b;
  return place.b === self ? place.a : undefined;
}
