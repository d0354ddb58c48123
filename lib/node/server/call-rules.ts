/** What is allowed in calls, as far as it hangs on who somebody is to another, and where they are. */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { Permission } from '../../crdt/permissions.ts';
import { lacking } from '../../crdt/rights.ts';
import { ClchatError, type ErrorCode } from '../../errors.ts';
import { MAX_PARTICIPANTS, type CallId } from '../calls/wire.ts';
import type { Call } from './call.ts';
import type { CallIndex } from './call-index.ts';

export interface CallRulesOptions {
  /** Whether an account is there, and not removed. */
  readonly isUser: (account: AccountId) => boolean;
  readonly may: (account: AccountId, permission: Permission) => boolean;
  readonly isContact: (one: AccountId, other: AccountId) => boolean;
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /**
   * Why somebody can be in no call of a room: NO_SUCH_ROOM, BANNED, NOT_MEMBER, NOT_PARTICIPANT,
   * NOT_SUPPORTED; undefined where they can.
   */
  readonly whyOut: (room: RoomId, account: AccountId) => ErrorCode | undefined;
  readonly isConference: (room: RoomId) => boolean;
}

const TEXTS: Partial<Record<ErrorCode, string>> = {
  NOT_SUPPORTED: 'That room is for text only.',
  NOT_PARTICIPANT: 'You are not in that conference.',
};

export class CallRules {
  readonly #index: CallIndex;
  readonly #options: CallRulesOptions;

  constructor(index: CallIndex, options: CallRulesOptions) {
    this.#index = index;
    this.#options = options;
  }

  /** Whether a device is in no other call. @throws BUSY */
  checkFree(device: PublicKey): void {
    if (this.#index.ofDevice(device) !== undefined)
      throw new ClchatError('BUSY', 'You are in a call already: "hangup" first.');
  }

  /** Whether nothing else has the id of a call that begins. @throws ALREADY */
  checkNew(id: CallId): void {
    if (this.#index.get(id) !== undefined)
      throw new ClchatError('ALREADY', 'There is another call of that id.');
  }

  /**
   * Whether somebody may call another.
   * @param room of which both are members, where they need not be contacts
   * @param isResumed they were in a call already, and nothing but a block ends it
   * @throws NO_SUCH_USER, SELF, DENIED, BLOCKED, NOT_CONTACT
   */
  checkPair(
    account: AccountId,
    callee: AccountId,
    room: RoomId | undefined,
    isResumed = false,
  ): void {
    const { isUser, isContact, isBlocked } = this.#options;
    if (!isUser(callee)) throw new ClchatError('NO_SUCH_USER');
    if (callee === account) throw new ClchatError('SELF');
    if (!isResumed) this.#mustHave(account, 'callUser');
    // Before anything is said of who is here: presence is not told to whom one has blocked.
    if (isBlocked(callee, account)) throw new ClchatError('BLOCKED');
    if (isBlocked(account, callee)) throw new ClchatError('BLOCKED', 'You have blocked that user.');
    if (!isResumed && !isContact(account, callee) && !this.#areTogether(account, callee, room))
      throw new ClchatError('NOT_CONTACT');
  }

  #areTogether(one: AccountId, other: AccountId, room: RoomId | undefined): boolean {
    const { whyOut } = this.#options;
    // What is said in a room does not matter, only who is in it.
    const isIn = (account: AccountId): boolean =>
      room !== undefined && [undefined, 'NOT_SUPPORTED'].includes(whyOut(room, account));
    return isIn(one) && isIn(other);
  }

  /** Whether somebody can be in the call of a room. @throws what `whyOut` says */
  checkRoom(account: AccountId, room: RoomId): void {
    const code = this.#options.whyOut(room, account);
    if (code !== undefined) throw new ClchatError(code, TEXTS[code]);
  }

  /** Whether somebody may begin the call of a room where there is none. @throws DENIED */
  checkBegin(account: AccountId, room: RoomId): void {
    if (!this.#options.isConference(room)) this.#mustHave(account, 'callRoom');
  }

  /** Whether somebody may be in the call of a room that others have begun. @throws DENIED */
  checkGoOn(account: AccountId, room: RoomId): void {
    if (!this.#options.isConference(room)) this.#mustHave(account, 'joinVoiceRoom');
  }

  /**
   * Whether somebody may come into a call, on a device or one more.
   * @param replaced how many of their devices make way
   * @throws DENIED; TOO_LARGE where it is full
   */
  checkJoin(account: AccountId, call: Call, replaced: number): void {
    const { place, seats } = call;
    const isNew = call.seatsOf(account).length === 0;
    if (isNew && place.type === 'room') this.checkGoOn(account, place.room);
    if (seats.size - replaced >= MAX_PARTICIPANTS)
      throw new ClchatError('TOO_LARGE', `That call is full: ${MAX_PARTICIPANTS} are in it.`);
  }

  #mustHave(account: AccountId, permission: Permission): void {
    if (!this.#options.may(account, permission)) throw lacking(permission);
  }
}
