/**
 * Rules of conversations: the streams of rooms and pairs, with their key epochs. A key epoch is
 * good while its wraps reach exactly the members, at the present generation of each one's keyring.
 */
import type { PairAction, RoomAction } from './bodies.ts';
import type { ContactAction } from './contact.ts';
import type { ErrorCode } from '../errors.ts';
import type { AccountId, EntryId } from './keys.ts';
import { accountOf, type EpochRecord, type RoomRecord } from './records.ts';
import type { Context } from './rules.ts';
import { may } from './space.ts';
import type { Change, Reader } from './state.ts';
import { placeOfStream, type StreamName } from './stream.ts';

export type ConversationAction = RoomAction | Exclude<PairAction, ContactAction>;

/** Most members of an encrypted room: each key epoch is wrapped to every one of them. */
export const MAX_MEMBERS = 512;

/** Whether a stream's messages are end-to-end encrypted. */
export function isEncrypted(space: Reader, stream: StreamName): boolean {
  const place = placeOfStream(stream);
  switch (place.type) {
    case 'pair':
      return true;
    case 'room':
      return space.get<RoomRecord>('room', place.room)?.private === true;
    case 'space':
    case 'account':
      return false;
    default:
      return place satisfies never;
  }
}

/** Members of an encrypted conversation. */
export function membersOf(stream: StreamName, state: Reader): AccountId[] {
  const place = placeOfStream(stream);
  if (place.type === 'pair') return [place.a, place.b];
  const members: AccountId[] = [];
  for (const [account] of state.entries('member')) members.push(account as AccountId);
  return members;
}

/** Whether an epoch was found good: asked for with every message, and the same until keys change. */
interface Judged {
  readonly accounts: number;
  readonly members: number;
  readonly good: boolean;
}

const judged = new WeakMap<EpochRecord['wraps'], Judged>();
const judgedInHindsight = new WeakMap<EpochRecord['wraps'], Judged>();

/**
 * Whether the wraps reach exactly the members, at the present generation of each one's keyring; in
 * hindsight, at a generation that was the present one at some time.
 */
function isGood(
  { wraps }: EpochRecord,
  space: Reader,
  at: StreamName,
  stream: Reader,
  hindsight: boolean,
): boolean {
  const accounts = space.stamp('account');
  const members = stream.stamp('member');
  const judgements = hindsight ? judgedInHindsight : judged;
  const known = judgements.get(wraps);
  if (known?.accounts === accounts && known.members === members) return known.good;
  const generations = new Map(wraps.map(([account, generation]) => [account, generation]));
  const all = membersOf(at, stream);
  const good =
    wraps.length === all.length &&
    all.every((member) => {
      const generation = generations.get(member);
      const present = accountOf(space, member)?.keyring.generation;
      if (generation === undefined || present === undefined) return false;
      return hindsight ? generation <= present : generation === present;
    });
  judgements.set(wraps, { accounts, members, good });
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
  wraps: EpochRecord['wraps'],
  number: number,
  context: Context,
): ErrorCode | undefined {
  const { space, stream, entry, hindsight } = context;
  if (!isEncrypted(space, entry.stream)) return 'BAD_ENTRY';
  const good = isGood({ number, wraps }, space, entry.stream, stream, hindsight);
  const last = lastEpochNumber(stream);
  // A race: the epoch that lost bears the number of the one that won.
  return good && (number === last + 1 || number === last) && number > 0 ? undefined : 'STALE_KEY';
}

/** @returns why the action is refused, undefined when it is allowed */
export function checkConversation(
  action: ConversationAction,
  context: Context,
): ErrorCode | undefined {
  const { space, stream, entry, actor, hindsight } = context;
  if (actor === undefined) return 'NOT_LOGGED_IN';
  const maySend = (): boolean => hindsight || may(space, actor, 'sendMessage');
  switch (action.kind) {
    case 'say':
      if (isEncrypted(space, entry.stream)) return 'BAD_ENTRY';
      return maySend() ? undefined : 'DENIED';
    case 'sealed': {
      if (!isEncrypted(space, entry.stream)) return 'BAD_ENTRY';
      if (!maySend()) return 'DENIED';
      const epoch = stream.get<EpochRecord>('epoch', action.body.epoch);
      if (epoch === undefined || !isGood(epoch, space, entry.stream, stream, hindsight))
        return 'STALE_KEY';
      return undefined;
    }
    case 'epoch':
      return checkEpoch(action.body.wraps, action.body.number, context);
    case 'members': {
      const place = placeOfStream(entry.stream);
      const room = place.type === 'room' ? space.get<RoomRecord>('room', place.room) : undefined;
      if (room === undefined || !room.private) return 'BAD_ENTRY';
      if (room.owner !== actor) return 'DENIED';
      if (action.body.add.some((id) => accountOf(space, id) === undefined)) return 'NO_SUCH_USER';
      const members = new Set(membersOf(entry.stream, stream));
      for (const id of action.body.add) members.add(id);
      return members.size <= MAX_MEMBERS ? undefined : 'TOO_LARGE';
    }
    default:
      return action satisfies never;
  }
}

/** The changes of an allowed action. */
export function reduceConversation(action: ConversationAction, context: Context): Change[] {
  const { stream, entry } = context;
  switch (action.kind) {
    case 'say':
    case 'sealed':
      return [];
    case 'epoch': {
      const { number, wraps } = action.body;
      const added: Change = { table: 'epoch', id: entry.id, value: { number, wraps } };
      // If two race, the first sealed is current and the other stays readable. Told by the number and
      // not by the members: a replica may be further in the space stream than the server was.
      return number > lastEpochNumber(stream)
        ? [added, { table: 'epochs', id: 'current', value: entry.id }]
        : [added];
    }
    case 'members':
      return [
        ...action.body.remove.map((id) => ({ table: 'member', id, value: undefined })),
        ...action.body.add.map((id) => ({ table: 'member', id, value: true })),
      ];
    default:
      return action satisfies never;
  }
}
