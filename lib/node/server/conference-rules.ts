/** What is allowed in conferences, as far as it hangs on who is in which and who knows whom. */
import type { AccountId, RoomId } from '../../crdt/keys.ts';
import { LOBBY } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import { isName, whyNotFree } from '../../text.ts';
import type { Conference } from './conference.ts';
import { areFriends, isCalled, type ConferenceIndex, type Relations } from './conference-index.ts';

/** Conferences that an account may own, and be in, at the same time. */
export const MAX_OWNED = 16;
export const MAX_JOINED = 32;
/** In one conference. */
export const MAX_PARTICIPANTS = 64;
export const MAX_INVITED = 256;

export interface RulesOptions extends Relations {
  /** Whether somebody is shut out of a conference. */
  readonly isBanned: (id: RoomId, account: AccountId) => boolean;
}

export class ConferenceRules {
  readonly #index: ConferenceIndex;
  readonly #options: RulesOptions;

  constructor(index: ConferenceIndex, options: RulesOptions) {
    this.#index = index;
    this.#options = options;
  }

  /** @throws BAD_NAME, TOO_LARGE, NAME_CLASH */
  checkCreate(account: AccountId, name: string): void {
    checkName(name);
    this.#checkJoined(account);
    this.#checkOwned(account);
    this.#checkClash(account, name);
  }

  /** @throws BANNED; BLOCKED by the owner; DENIED, TOO_LARGE, NAME_CLASH */
  checkJoin(conference: Conference, account: AccountId, isAdmitted: boolean): void {
    const { id, name, owner, seats, invited, participants } = conference;
    const { isBanned, isBlocked } = this.#options;
    if (isBanned(id, account)) throw new ClchatError('BANNED');
    if (owner !== null && isBlocked(owner, account))
      throw new ClchatError('BLOCKED', `The owner of "${name}" has blocked you.`);
    const isAllowed =
      id === LOBBY ||
      isAdmitted ||
      invited.has(account) ||
      participants.some((other) => areFriends(this.#options, account, other));
    if (!isAllowed)
      throw new ClchatError(
        'DENIED',
        `"${name}" is for contacts of those in it, for the invited, and by its password.`,
      );
    this.#checkJoined(account);
    for (const called of [name, this.#index.keptFor(id)])
      if (called !== undefined) this.#checkClash(account, called, conference);
    if (seats.size >= MAX_PARTICIPANTS)
      throw new ClchatError('TOO_LARGE', `"${name}" is full: ${MAX_PARTICIPANTS} are in it.`);
  }

  /** @throws BAD_NAME, ALREADY; NAME_CLASH where anybody in it is in another of that name */
  checkRename(conference: Conference, account: AccountId, name: string): void {
    checkName(name);
    if (name === conference.name) throw new ClchatError('ALREADY');
    this.#checkClash(account, name, conference);
    for (const other of conference.participants)
      this.#checkClash(other, name, conference, 'Somebody in it is in another of that name.');
  }

  /** @throws ALREADY, NOT_PARTICIPANT, TOO_LARGE; OFFLINE for one whose connection is lost */
  checkTransfer({ owner, seats }: Conference, to: AccountId): void {
    if (to === owner) throw new ClchatError('ALREADY');
    const seat = seats.get(to);
    if (seat === undefined) throw new ClchatError('NOT_PARTICIPANT');
    if (seat.isAway) throw new ClchatError('OFFLINE');
    this.#checkOwned(to);
  }

  /** @throws NOT_PARTICIPANT, SELF, ALREADY, BLOCKED, TOO_LARGE */
  checkInvite({ id, seats, invited }: Conference, account: AccountId, target: AccountId): void {
    if (!seats.has(account))
      throw new ClchatError('NOT_PARTICIPANT', 'You are not in that conference.');
    if (target === account) throw new ClchatError('SELF');
    if (id === LOBBY || seats.has(target) || invited.has(target))
      throw new ClchatError('ALREADY', 'That user may join it already.');
    if (this.#options.isBlocked(target, account)) throw new ClchatError('BLOCKED');
    if (invited.size >= MAX_INVITED)
      throw new ClchatError('TOO_LARGE', `${MAX_INVITED} are invited to it already.`);
  }

  /** @throws SELF, NOT_PARTICIPANT; DENIED for the owner */
  checkKick({ owner, seats }: Conference, account: AccountId, target: AccountId): void {
    if (target === account) throw new ClchatError('SELF');
    if (!seats.has(target)) throw new ClchatError('NOT_PARTICIPANT');
    if (target === owner) throw new ClchatError('DENIED', 'Nobody can put the owner out.');
  }

  #checkOwned(account: AccountId): void {
    const owned = this.#index.of(account).filter(({ owner }) => owner === account);
    if (owned.length + this.#index.coming(account) >= MAX_OWNED)
      throw new ClchatError('TOO_LARGE', `Nobody can own more than ${MAX_OWNED} conferences.`);
  }

  #checkJoined(account: AccountId): void {
    if (this.#index.of(account).length + this.#index.coming(account) >= MAX_JOINED)
      throw new ClchatError('TOO_LARGE', `Nobody can be in more than ${MAX_JOINED} conferences.`);
  }

  /** Nobody is in two conferences of the same name, nor about to be. */
  #checkClash(account: AccountId, name: string, except?: Conference, text?: string): void {
    for (const one of this.#index.of(account))
      if (one !== except && isCalled(one, name)) throw new ClchatError('NAME_CLASH', text);
    if (this.#index.isKept(account, name, except?.id)) throw new ClchatError('NAME_CLASH', text);
  }
}

function checkName(name: string): void {
  if (!isName(name)) throw new ClchatError('BAD_NAME');
  const why = whyNotFree(name);
  if (why !== undefined) throw new ClchatError('BAD_NAME', why);
}
