/**
 * The state rules: what becomes of an entry, given the state before it. Deterministic, and the same
 * code on the server, which judges with it, and on every replica, which checks the server with it.
 */
import { actionOf, type AccountAction, type Action } from './bodies.ts';
import { checkContact, isContactAction, reduceContact } from './contact.ts';
import { checkConversation, reduceConversation } from './conversation.ts';
import { isErasable, type Entry } from './entry.ts';
import { type ErrorCode } from '../errors.ts';
import type { AccountId, PublicKey } from './keys.ts';
import { accountOf, actorOf, deviceOf, presentAccount, type HeadRecord } from './records.ts';
import { hasOwned, isEncryptedRoom, roomOf } from './rooms.ts';
import type { Item, Refusal } from './seal.ts';
import { checkSpace, reduceSpace } from './space.ts';
import type { Change, Reader } from './state.ts';
import { placeOfStream, type StreamName } from './stream.ts';

/** How far the clock of an entry may run ahead of its stream. */
export const MAX_CLOCK_STEP = 1 << 20;

/** What an entry is judged by. */
export interface Context {
  readonly entry: Entry;
  /** State of the space stream; for entries of the space stream the same as `stream`. */
  readonly space: Reader;
  /** State of the entry's stream. */
  readonly stream: Reader;
  /** Position the entry takes in its stream. */
  readonly position: number;
  /** Account of the device; undefined for the server's own key and for devices not known yet. */
  readonly actor: AccountId | undefined;
  /**
   * The space has gone on since the entry was judged: what it says of rights and of keys may have
   * been otherwise then, and only what cannot change with it counts.
   */
  readonly hindsight: boolean;
  /** The server's clock when it judged, in milliseconds since 1970: the time of the seal. */
  readonly now: number;
}

/** What an entry is judged by, the entry itself apart. */
export interface Standing {
  readonly space: Reader;
  readonly stream: Reader;
  readonly position: number;
  readonly hindsight: boolean;
  readonly now: number;
}

export type Verdict =
  /** Allowed. */
  | { readonly type: 'accepted'; readonly changes: readonly Change[] }
  /** Denied to somebody entitled to try: sealed as a mark, so that the chain of the device goes on. */
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly changes: readonly Change[] }
  /** Not fit to stand in the stream at all: leaves no trace. */
  | { readonly type: 'rejected'; readonly code: ErrorCode };

/** Kinds by which a device that nobody knows yet makes itself known. */
const INTRODUCTIONS = new Set(['account', 'device', 'recover']);
/** Kinds that the server's own key may sign, and those of them that no other may. */
const SERVER_KINDS = new Set(['server', 'setgroup', 'removeroom', 'members', 'call']);
const SERVER_ALONE = new Set(['server', 'call']);

/** Kinds that depend on the conversation's key. */
const UNDER_KEYS = new Set(['sealed', 'edit', 'react', 'epoch']);

/**
 * Whether an entry was refused through no fault of its author, so that it is made anew: the
 * conversation key changed meanwhile, or an entry before it had to be withdrawn.
 */
export function isMadeAnew(entry: Entry, code: ErrorCode): boolean {
  if (code === 'OUT_OF_ORDER') return true;
  return code === 'STALE_KEY' && UNDER_KEYS.has(entry.kind);
}

/**
 * Whether an account may read a stream, and so append to it.
 * @param isPast whether it could at some time: the account, or the room, may be gone since
 */
export function mayRead(
  space: Reader,
  stream: StreamName,
  state: Pick<Reader, 'get'>,
  account: AccountId,
  isPast = false,
): boolean {
  if ((isPast ? accountOf : presentAccount)(space, account) === undefined) return false;
  const place = placeOfStream(stream);
  switch (place.type) {
    case 'space':
      return true;
    case 'room': {
      const room = roomOf(space, place.room);
      if (room === undefined) return isPast;
      return (
        !isEncryptedRoom(space, place.room) ||
        room.owner === account ||
        (isPast && hasOwned(space, place.room, account)) ||
        state.get('member', account) === true
      );
    }
    case 'pair':
      return place.a === account || place.b === account;
    case 'account':
      return place.account === account;
    default:
      return place satisfies never;
  }
}

/** Whether the accounts that a stream's name speaks of are there. */
function isFounded(space: Reader, stream: StreamName): boolean {
  const place = placeOfStream(stream);
  return (
    place.type !== 'pair' ||
    (accountOf(space, place.a) !== undefined && accountOf(space, place.b) !== undefined)
  );
}

function checkAccount(action: AccountAction, context: Context): ErrorCode | undefined {
  if (action.kind === 'read') return undefined;
  if (context.actor === action.body.account) return 'SELF';
  if (accountOf(context.space, action.body.account) === undefined) return 'NO_SUCH_USER';
  const blocked = context.stream.get('block', action.body.account) === true;
  if (blocked === action.body.blocked) return blocked ? 'ALREADY' : 'NOT_BLOCKED';
  return undefined;
}

function reduceAccount(action: AccountAction, { stream }: Context): Change[] {
  if (action.kind === 'block') {
    const { account, blocked } = action.body;
    return [{ table: 'block', id: account, value: blocked ? true : undefined }];
  }
  const { stream: id, until } = action.body;
  // Two devices may tell of the same in any order.
  const isNews = until > (stream.get<number>('read', id) ?? 0);
  return isNews ? [{ table: 'read', id, value: until }] : [];
}

function check(action: Action, type: string, context: Context): ErrorCode | undefined {
  if (type === 'space') return checkSpace(action as Parameters<typeof checkSpace>[0], context);
  if (type === 'account') return checkAccount(action as AccountAction, context);
  if (isContactAction(action)) return checkContact(action, context);
  return checkConversation(action as Parameters<typeof checkConversation>[0], context);
}

function reduce(action: Action, type: string, context: Context): Change[] {
  if (type === 'space') return reduceSpace(action as Parameters<typeof reduceSpace>[0], context);
  if (type === 'account') return reduceAccount(action as AccountAction, context);
  if (isContactAction(action)) return reduceContact(action, context);
  return reduceConversation(action as Parameters<typeof reduceConversation>[0], context);
}

function advance(device: PublicKey, head: HeadRecord): Change {
  return { table: 'head', id: device, value: head };
}

function clockChange(stream: Reader, entry: Entry): Change[] {
  const clock = stream.get<number>('clock', 'clock') ?? 0;
  return entry.clock > clock ? [{ table: 'clock', id: 'clock', value: entry.clock }] : [];
}

/** Whether an entry follows the last one of its device; the code says what is wrong. */
export function checkChain(stream: Reader, entry: Entry): ErrorCode | undefined {
  const head = stream.get<HeadRecord>('head', entry.device);
  const next = (head?.seq ?? 0) + 1;
  if (entry.seq > next) return 'WAITING';
  return entry.seq === next && entry.previous === (head?.id ?? null) ? undefined : 'OUT_OF_ORDER';
}

function checkEntitled(context: Omit<Context, 'position'>): ErrorCode | undefined {
  const { entry, space, stream, actor, hindsight } = context;
  if (entry.device === entry.server) return SERVER_KINDS.has(entry.kind) ? undefined : 'DENIED';
  if (SERVER_ALONE.has(entry.kind)) return 'DENIED';
  if (actor === undefined) {
    if (entry.stream === 'space' && INTRODUCTIONS.has(entry.kind))
      return deviceOf(space, entry.device) === undefined ? undefined : 'REVOKED';
    return deviceOf(space, entry.device) === undefined ? 'NOT_LOGGED_IN' : 'REVOKED';
  }
  if (entry.kind === 'account' || entry.kind === 'device') return 'ALREADY';
  if (!hindsight && isUnready(entry, space, actor)) return 'MUST_CHANGE';
  const isThere = hindsight || presentAccount(space, actor) !== undefined;
  if (isKnocking(entry, space) && isThere) return undefined;
  return isFounded(space, entry.stream) && mayRead(space, entry.stream, stream, actor, hindsight)
    ? undefined
    : 'DENIED';
}

/** Somebody whose first password was made by another has to change it before anything else. */
function isUnready(entry: Entry, space: Reader, actor: AccountId): boolean {
  return accountOf(space, actor)?.mustChange === true && entry.kind !== 'password';
}

/** Whether an entry asks to be let into an encrypted room, by somebody who may not read it yet. */
function isKnocking(entry: Entry, space: Reader): boolean {
  const place = placeOfStream(entry.stream);
  return entry.kind === 'join' && place.type === 'room' && isEncryptedRoom(space, place.room);
}

/** Whether the room of an entry is gone since: what could be said there cannot be told any more. */
function isGone({ entry, space, hindsight }: Context): boolean {
  const place = placeOfStream(entry.stream);
  return hindsight && place.type === 'room' && roomOf(space, place.room) === undefined;
}

function contextOf(entry: Entry, standing: Standing): Context {
  const { space, hindsight } = standing;
  // A device that has been revoked since was none when it wrote.
  const actor = hindsight ? deviceOf(space, entry.device)?.account : actorOf(space, entry.device);
  return { entry, actor, ...standing };
}

/**
 * Judges an entry, its signature apart.
 * @param admit the server's own word where the log cannot tell (blocks, invitations): a code refuses
 */
export function judge(
  entry: Entry,
  standing: Standing,
  admit?: (action: Action, context: Context) => ErrorCode | undefined,
): Verdict {
  const context = contextOf(entry, standing);
  const { stream, actor } = context;
  const unfit =
    checkChain(stream, entry) ??
    checkEntitled(context) ??
    (entry.clock > (stream.get<number>('clock', 'clock') ?? 0) + MAX_CLOCK_STEP
      ? 'BAD_ENTRY'
      : undefined);
  if (unfit !== undefined) return { type: 'rejected', code: unfit };
  const { type } = placeOfStream(entry.stream);
  const head = advance(entry.device, { seq: entry.seq, id: entry.id });
  // Removed before it was ever sent: it says nothing, but the chain of its device goes on from it.
  if (entry.body === undefined && isErasable(entry))
    return { type: 'refused', code: 'NO_SUCH_MESSAGE', changes: [head] };
  const action = actionOf(entry, type);
  if (action === undefined) return { type: 'rejected', code: 'BAD_ENTRY' };
  // The server's word first: a key epoch that a block refuses must not be asked for again and again.
  const code =
    admit?.(action, context) ?? (isGone(context) ? undefined : check(action, type, context));
  if (code !== undefined) {
    // Somebody who is nobody yet leaves no marks in the log by being refused. What is to be made anew
    // leaves none either, so that what its device wrote after it cannot come in before it.
    if (actor === undefined || isMadeAnew(entry, code)) return { type: 'rejected', code };
    return { type: 'refused', code, changes: [head] };
  }
  return {
    type: 'accepted',
    changes: [head, ...clockChange(stream, entry), ...reduce(action, type, context)],
  };
}

/** The changes of a refusal's mark. */
export function reduceRefusal(refusal: Refusal): Change[] {
  return [advance(refusal.device, { seq: refusal.seq, id: refusal.id })];
}

/**
 * The changes of a sealed item on a replica. Total: never throws. The entry is judged as well, and one
 * that the rules forbid is void: it moves the chain of its device and nothing else.
 */
export function reduceItem(
  item: Item,
  standing: Standing,
): { changes: readonly Change[]; void: ErrorCode | undefined } {
  if (item.type === 'refusal') return { changes: reduceRefusal(item.refusal), void: undefined };
  const { entry } = item;
  const head = advance(entry.device, { seq: entry.seq, id: entry.id });
  if (entry.body === undefined) {
    // What an erased message said cannot be judged any more, only whether it could be said at all.
    const code = isErasable(entry) ? checkEntitled(contextOf(entry, standing)) : 'BAD_ENTRY';
    return { changes: [head, ...clockChange(standing.stream, entry)], void: code };
  }
  const verdict = judge(entry, standing);
  if (verdict.type === 'accepted') return { changes: verdict.changes, void: undefined };
  return { changes: [head], void: verdict.code };
}

/**
 * Whether an entry from before what is known of its stream can have been let in: its device is
 * somebody's who had a place there. Who was a member of a room then is not known any more.
 */
export function isFitInHindsight(entry: Entry, space: Reader): boolean {
  if (entry.device === entry.server) return SERVER_KINDS.has(entry.kind);
  const author = deviceOf(space, entry.device)?.account;
  if (author === undefined || SERVER_ALONE.has(entry.kind)) return false;
  const isRoom = placeOfStream(entry.stream).type === 'room';
  return isRoom || mayRead(space, entry.stream, { get: () => undefined }, author, true);
}
