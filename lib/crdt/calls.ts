/**
 * Calls that are over, as conversations keep them: who was in one is the server's memory, so that there
 * was one is its word. Nobody else can say so, and nobody can change it.
 */
import { actionOf, type CallBody } from './bodies.ts';
import { isCall, type Entry } from './entry.ts';
import type { ErrorCode } from '../errors.ts';
import type { AccountId } from './keys.ts';
import { accountOf } from './records.ts';
import { roomOf } from './rooms.ts';
import type { Context } from './rules.ts';
import { placeOfStream } from './stream.ts';

/** Whether it is said where it belongs: of a call between two with who called, of a room's with nobody. */
function fitsPlace({ outcome, caller }: CallBody, { stream }: Pick<Entry, 'stream'>): boolean {
  const place = placeOfStream(stream);
  if (place.type === 'room') return caller === undefined && outcome === 'ended';
  return place.type === 'pair' && (caller === place.a || caller === place.b);
}

/** What an entry says of a call; undefined for any other, and for one that is not as it has to be. */
export function callOf(entry: Entry): CallBody | undefined {
  if (!isCall(entry) || entry.device !== entry.server) return undefined;
  const { type } = placeOfStream(entry.stream);
  const action = type === 'room' || type === 'pair' ? actionOf(entry, type) : undefined;
  if (action?.kind !== 'call' || !fitsPlace(action.body, entry)) return undefined;
  return action.body;
}

/** Who has called an account in vain, as an entry says; undefined where it says no such thing. */
export function missedCaller(entry: Entry, account: AccountId): AccountId | undefined {
  const call = callOf(entry);
  return call?.outcome === 'missed' && call.caller !== account ? call.caller : undefined;
}

/** @returns why it is refused, undefined when it is allowed */
export function checkCall({ entry, space }: Context): ErrorCode | undefined {
  if (callOf(entry) === undefined) return 'BAD_ENTRY';
  const place = placeOfStream(entry.stream);
  if (place.type === 'room')
    return roomOf(space, place.room) === undefined ? 'NO_SUCH_ROOM' : undefined;
  const isFounded =
    place.type === 'pair' && [place.a, place.b].every((one) => accountOf(space, one) !== undefined);
  return isFounded ? undefined : 'NO_SUCH_USER';
}
