/**
 * Rules of conversations: the streams of rooms and pairs, with their key epochs. A key epoch is
 * good while its wraps reach exactly the members, at the present generation of each one's keyring.
 */
import type { PairAction, RoomAction } from './bodies.ts';
import { checkCall } from './calls.ts';
import type { ContactAction } from './contact.ts';
import type { ErrorCode } from '../errors.ts';
import type { EntryId } from './keys.ts';
import { checkMembership, isMembershipAction, membersOf, reduceMembership } from './membership.ts';
import { accountOf, type EpochRecord } from './records.ts';
import { may } from './rights.ts';
import { isEncryptedRoom, isOpenMember, lockOf, roomOf, type Lock } from './rooms.ts';
import type { Context } from './rules.ts';
import type { Change, Reader } from './state.ts';
import { placeOfStream, type StreamName } from './stream.ts';

export type ConversationAction = RoomAction | Exclude<PairAction, ContactAction>;

/** Whether a stream's messages are end-to-end encrypted. */
export function isEncrypted(space: Reader, stream: StreamName): boolean {
  const place = placeOfStream(stream);
  switch (place.type) {
    case 'pair':
      return true;
    case 'room':
      return isEncryptedRoom(space, place.room);
    case 'space':
    case 'account':
      return false;
    default:
      return place satisfies never;
  }
}

/** Whether an epoch was found good: asked for with every message, and the same until keys change. */
interface Judged {
  readonly accounts: number;
  readonly members: number;
  readonly rooms: number;
  readonly good: boolean;
}

const judged = new WeakMap<EpochRecord['wraps'], Judged>();
const judgedInHindsight = new WeakMap<EpochRecord['wraps'], Judged>();

/** The lock that is to open an epoch; undefined where none is. */
export function lockAt(space: Pick<Reader, 'get'>, at: StreamName): Lock | undefined {
  const place = placeOfStream(at);
  const lock = place.type === 'room' ? lockOf(space, place.room) : undefined;
  return lock === undefined || lock.retired ? undefined : lock;
}

/** Whether an epoch is sealed to the present lock, or to none where there is none. */
export function isLockedRightly(
  space: Pick<Reader, 'get'>,
  at: StreamName,
  { lock }: Pick<EpochRecord, 'lock'>,
): boolean {
  const present = lockAt(space, at);
  return lock?.holder === present?.holder && lock?.generation === present?.generation;
}

/** A space in which everybody is there. */
const EVERYBODY: Pick<Reader, 'get'> = { get: <T>() => ({}) as T };

/**
 * Whether the wraps reach exactly the members, at the present generation of each one's keyring, and
 * whoever opens the room's present lock; in hindsight, at a generation that was the present one at
 * some time.
 */
function isGood(
  { wraps, lock }: Pick<EpochRecord, 'wraps' | 'lock'>,
  space: Reader,
  at: StreamName,
  stream: Reader,
  hindsight: boolean,
): boolean {
  const accounts = space.stamp('account');
  const members = stream.stamp('member');
  const rooms = space.stamp('room');
  const judgements = hindsight ? judgedInHindsight : judged;
  const known = judgements.get(wraps);
  if (known?.accounts === accounts && known.members === members && known.rooms === rooms)
    return known.good;
  const generations = new Map(wraps.map(([account, generation]) => [account, generation]));
  const all = membersOf(at, stream, space);
  // Whoever has been removed since was still there, or was not any more.
  const former = hindsight ? membersOf(at, stream, EVERYBODY) : all;
  const good =
    generations.size === wraps.length &&
    wraps.every(([account]) => former.includes(account)) &&
    (hindsight || isLockedRightly(space, at, { lock })) &&
    all.every((member) => generations.has(member)) &&
    wraps.every(([account, generation]) => {
      const present = accountOf(space, account)?.keyring.generation;
      if (present === undefined) return false;
      return hindsight ? generation <= present : generation === present;
    });
  judgements.set(wraps, { accounts, members, rooms, good });
  return good;
}

/** The epoch new messages are to be sealed under; undefined when one must be opened first. */
export function currentEpoch(
  stream: StreamName,
  state: Reader,
  space: Reader,
): { id: EntryId; record: EpochRecord } | undefined {
  const id = state.get<EntryId>('epochs', 'current');
  const record = id === undefined ? undefined : state.get<EpochRecord>('epoch', id);
  if (id === undefined || record === undefined) return undefined;
  return isGood(record, space, stream, state, false) ? { id, record } : undefined;
}

export function lastEpochNumber(state: Reader): number {
  const id = state.get<EntryId>('epochs', 'current');
  return id === undefined ? 0 : (state.get<EpochRecord>('epoch', id)?.number ?? 0);
}

function checkEpoch(
  { number, ...epoch }: EpochRecord,
  { space, stream, entry, hindsight }: Context,
): ErrorCode | undefined {
  if (!isEncrypted(space, entry.stream)) return 'BAD_ENTRY';
  const good = isGood(epoch, space, entry.stream, stream, hindsight);
  const last = lastEpochNumber(stream);
  // A race: the epoch that lost bears the number of the one that won.
  return good && (number === last + 1 || number === last) && number > 0 ? undefined : 'STALE_KEY';
}

/** Whether nothing is written in a room. */
function isForVoice(space: Reader, stream: StreamName): boolean {
  const place = placeOfStream(stream);
  return place.type === 'room' && roomOf(space, place.room)?.media === 'voice';
}

/** Whether somebody may speak in an encrypted conversation that they may read. */
function checkSpeaker({ space, stream, entry, actor, hindsight }: Context): ErrorCode | undefined {
  // The owner of a room who has left it may come back, but not speak from outside.
  const isRoom = placeOfStream(entry.stream).type === 'room';
  if (isRoom && (actor === undefined || stream.get('member', actor) !== true)) return 'NOT_MEMBER';
  return !hindsight && isForVoice(space, entry.stream) ? 'NOT_SUPPORTED' : undefined;
}

/** Whether what is sealed under an epoch may be said where it is. */
function checkSealed(epoch: EntryId, context: Context): ErrorCode | undefined {
  const { space, stream, entry, hindsight } = context;
  if (!isEncrypted(space, entry.stream)) return 'BAD_ENTRY';
  const code = checkSpeaker(context);
  if (code !== undefined) return code;
  const record = stream.get<EpochRecord>('epoch', epoch);
  return record !== undefined && isGood(record, space, entry.stream, stream, hindsight)
    ? undefined
    : 'STALE_KEY';
}

/** Whether something may be said in the open where it is. */
function checkOpen({ space, entry, actor, hindsight }: Context): ErrorCode | undefined {
  if (isEncrypted(space, entry.stream)) return 'BAD_ENTRY';
  const place = placeOfStream(entry.stream);
  if (place.type !== 'room' || actor === undefined) return 'BAD_ENTRY';
  if (hindsight) return undefined;
  if (isForVoice(space, entry.stream)) return 'NOT_SUPPORTED';
  return isOpenMember(space, place.room, actor) ? undefined : 'NOT_MEMBER';
}

/** Of what is not by its author but by permission: whether it may be. */
function checkModerator({ space, entry, actor, hindsight }: Context): ErrorCode | undefined {
  if (placeOfStream(entry.stream).type !== 'room') return 'DENIED';
  return hindsight || (actor !== undefined && may(space, actor, 'changeMessage'))
    ? undefined
    : 'DENIED';
}

/** @returns why the action is refused, undefined when it is allowed */
export function checkConversation(
  action: ConversationAction,
  context: Context,
): ErrorCode | undefined {
  const { space, entry, actor, hindsight } = context;
  if (isMembershipAction(action)) return checkMembership(action, context);
  if (action.kind === 'call') return checkCall(context);
  if (actor === undefined) return 'NOT_LOGGED_IN';
  const maySend = hindsight || may(space, actor, 'sendMessage');
  switch (action.kind) {
    case 'say':
      return checkOpen(context) ?? (maySend ? undefined : 'DENIED');
    case 'sealed':
      if (!isEncrypted(space, entry.stream)) return 'BAD_ENTRY';
      return maySend ? checkSealed(action.body.epoch, context) : 'DENIED';
    case 'edit':
    case 'react': {
      const { body } = action;
      const code = 'epoch' in body ? checkSealed(body.epoch, context) : checkOpen(context);
      if (code !== undefined) return code;
      if (action.kind === 'react') return maySend ? undefined : 'DENIED';
      return action.body.moderator === true ? checkModerator(context) : undefined;
    }
    case 'remove':
      return action.body.moderator === true ? checkModerator(context) : undefined;
    case 'epoch':
      return checkEpoch(action.body, context);
    default:
      return action satisfies never;
  }
}

/** The changes of an allowed action. What is said, and done about it, makes no state. */
export function reduceConversation(action: ConversationAction, context: Context): Change[] {
  const { stream, entry } = context;
  if (isMembershipAction(action)) return reduceMembership(action, context);
  if (action.kind !== 'epoch') return [];
  const { number } = action.body;
  const added: Change = { table: 'epoch', id: entry.id, value: action.body };
  // If two race, the first sealed is current and the other stays readable. Told by the number and
  // not by the members: a replica may be further in the space stream than the server was.
  return number > lastEpochNumber(stream)
    ? [added, { table: 'epochs', id: 'current', value: entry.id }]
    : [added];
}
