/** Which conferences there are, who is in which, and how the one that somebody means is found. */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import { LOBBY } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import { fold } from '../../text.ts';
import { Seat, type Conference } from './conference.ts';

/** Which conference is meant: by its id, by somebody who is in it, or by its name alone. */
export type Target =
  | { readonly id: RoomId }
  | { readonly friend: AccountId; readonly name?: string | undefined }
  | { readonly name: string };

/** A name that is kept for a conference while what gives it that name is being sealed. */
interface Kept {
  /** The owner. */
  readonly account: AccountId;
  readonly name: string;
  /** Until when, unless it was sealed before: monotonic, in milliseconds. */
  readonly until: number;
}

/** What accounts are to one another. */
export interface Relations {
  readonly isContact: (a: AccountId, b: AccountId) => boolean;
  readonly contactsOf: (account: AccountId) => Iterable<AccountId>;
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /** Undefined for an account that is no more. */
  readonly nameOf: (account: AccountId) => string | undefined;
}

/** Contacts, neither of whom has blocked the other. */
export function areFriends(
  { isContact, isBlocked }: Pick<Relations, 'isContact' | 'isBlocked'>,
  a: AccountId,
  b: AccountId,
): boolean {
  return isContact(a, b) && !isBlocked(a, b) && !isBlocked(b, a);
}

export class ConferenceIndex {
  readonly #relations: Relations;
  readonly #conferences = new Map<RoomId, Conference>();
  readonly #byAccount = new Map<AccountId, Set<Conference>>();
  readonly #kept = new Map<RoomId, Kept>();

  constructor(relations: Relations) {
    this.#relations = relations;
  }

  add(conference: Conference): void {
    this.#conferences.set(conference.id, conference);
  }

  /** Those in it keep their seats, so that they can still be told; nobody finds it any more. */
  remove(conference: Conference): void {
    this.#conferences.delete(conference.id);
    for (const account of conference.seats.keys()) this.#forget(conference, account);
  }

  /** Keeps a name for a conference that there is, or is to be. */
  keep(id: RoomId, kept: Kept): void {
    this.#kept.set(id, kept);
  }

  /** The name that is kept for a conference. */
  keptFor(id: RoomId): string | undefined {
    return this.#kept.get(id)?.name;
  }

  /** Keeps a name no longer. @returns who it was kept for; undefined where it was not */
  release(id: RoomId, name: string): AccountId | undefined {
    const kept = this.#kept.get(id);
    if (kept?.name !== name) return undefined;
    this.#kept.delete(id);
    return kept.account;
  }

  /** Gives up names that were kept for what was not sealed in time. */
  lapse(now: number): void {
    for (const [id, { until }] of this.#kept) if (until <= now) this.#kept.delete(id);
  }

  /** Whether an account is about to be in another conference of a name. */
  isKept(account: AccountId, name: string, except: RoomId | undefined): boolean {
    return [...this.#kept].some(
      ([id, kept]) =>
        id !== except &&
        fold(kept.name) === fold(name) &&
        (kept.account === account || this.#conferences.get(id)?.seats.has(account) === true),
    );
  }

  /** How many conferences an account is about to begin. */
  coming(account: AccountId): number {
    return [...this.#kept].filter(([id, kept]) => kept.account === account && !this.has(id)).length;
  }

  all(): IterableIterator<Conference> {
    return this.#conferences.values();
  }

  has(id: RoomId): boolean {
    return this.#conferences.has(id);
  }

  /** @throws NO_SUCH_ROOM */
  at(id: RoomId): Conference {
    const conference = this.#conferences.get(id);
    return only(conference === undefined ? [] : [conference]);
  }

  /** Those in which an account is. */
  of(account: AccountId): readonly Conference[] {
    return [...(this.#byAccount.get(account) ?? [])];
  }

  /** Gives an account its seat, on one device for now. */
  seat(conference: Conference, account: AccountId, device: PublicKey): void {
    const seat = new Seat();
    seat.take(device);
    conference.seats.set(account, seat);
    const joined = this.#byAccount.get(account);
    if (joined === undefined) this.#byAccount.set(account, new Set([conference]));
    else joined.add(conference);
  }

  unseat(conference: Conference, account: AccountId): void {
    conference.seats.delete(account);
    this.#forget(conference, account);
  }

  #forget(conference: Conference, account: AccountId): void {
    const joined = this.#byAccount.get(account);
    joined?.delete(conference);
    if (joined?.size === 0) this.#byAccount.delete(account);
  }

  /**
   * Takes back what one account invited another to.
   * @returns where it had
   */
  withdraw(inviting: AccountId, invited: AccountId): Conference[] {
    return [...this.all()].filter(
      (one) => one.invited.get(invited) === inviting && one.invited.delete(invited),
    );
  }

  /** Conferences of an account, of its friends, and those to which it is invited. */
  visibleTo(account: AccountId): Conference[] {
    const visible = new Set(this.of(account));
    for (const contact of this.#relations.contactsOf(account))
      if (areFriends(this.#relations, account, contact))
        for (const one of this.of(contact)) visible.add(one);
    for (const one of this.all()) if (one.invited.has(account)) visible.add(one);
    return [...visible];
  }

  /**
   * The one that is meant; among several, the one that can still be joined.
   * @throws NO_SUCH_ROOM; AMBIGUOUS, naming them; SELF, BLOCKED and NOT_CONTACT, of the friend
   */
  find(account: AccountId, target: Target, isOpen: (one: Conference) => boolean): Conference {
    if ('id' in target) return this.at(target.id);
    const known =
      'friend' in target
        ? this.#ofFriend(account, target.friend)
        : new Set(this.visibleTo(account)).add(this.at(LOBBY));
    const meant = [...known].filter((one) => isCalled(one, target.name));
    const open = meant.filter(isOpen);
    return only(open.length > 0 ? open : meant.slice(0, 1));
  }

  /** The conferences of a friend; of somebody else, those of which `account` knows by itself. */
  #ofFriend(account: AccountId, friend: AccountId): Conference[] {
    const { isBlocked, nameOf } = this.#relations;
    if (friend === account) throw new ClchatError('SELF');
    if (isBlocked(friend, account)) throw new ClchatError('BLOCKED');
    const isFriend = areFriends(this.#relations, account, friend);
    const known = this.of(friend).filter(
      ({ seats, invited }) => isFriend || seats.has(account) || invited.has(account),
    );
    if (known.length > 0) return known;
    if (!isFriend) throw new ClchatError('NOT_CONTACT');
    throw new ClchatError('NO_SUCH_ROOM', `${nameOf(friend) ?? 'That user'} is in no conference.`);
  }
}

/** Whether it has that name, as names are compared; every one fits no name at all. */
export function isCalled(conference: Conference, name: string | undefined): boolean {
  return name === undefined || fold(conference.name) === fold(name);
}

/**
 * The only one that there is.
 * @throws NO_SUCH_ROOM; AMBIGUOUS, naming them
 */
export function only(conferences: readonly Conference[]): Conference {
  const [first, ...others] = conferences;
  if (first === undefined)
    throw new ClchatError('NO_SUCH_ROOM', 'There is no such conference, or it has ended.');
  if (others.length === 0) return first;
  const names = conferences.map(({ name }) => name).sort();
  throw new ClchatError(
    'AMBIGUOUS',
    others.every(({ name }) => isCalled(first, name))
      ? `Several conferences are called "${first.name}": join one from a contact, or by its id.`
      : `There are several, so give the name: ${names.join(', ')}.`,
  );
}
