/**
 * Who is told of what happens in conferences, and what of it they may see: those who are in one and
 * those invited to it all, everybody else which of their contacts are in it.
 */
import type { AccountId, RoomId } from '../../crdt/keys.ts';
import type { Conference, ConferenceState } from './conference.ts';
import { areFriends, type Relations } from './conference-index.ts';

/** Why a conference has ended. `empty`: its owner left, and nobody else was in it. */
export const END_REASONS = [
  'owner left',
  'ended by its owner',
  'ended by an administrator',
  'empty',
  'owner lost',
] as const;
export type EndReason = (typeof END_REASONS)[number];

/**
 * What happened to somebody. Who is `lost` is still in it, and either comes `back` or, when the grace
 * is over, has `left`. Of `owner` and `renamed` it is the owner as of then, of `invited` the one who
 * invites.
 */
export const CHANGE_KINDS = [
  'joined',
  'left',
  'kicked',
  'lost',
  'back',
  'owner',
  'renamed',
  'invited',
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** A conference as one account may see it. */
export interface ConferenceEvent {
  readonly id: RoomId;
  readonly name: string;
  /** Absent: nobody owns it, or its owner has blocked the one who is told. */
  readonly owner?: string;
  readonly state: ConferenceState | 'ended';
  /** Why it has ended. */
  readonly reason?: EndReason;
  /**
   * Names, in the order in which they came. Who is neither in it nor invited sees contacts only:
   * where none is left, the conference is out of their sight.
   */
  readonly participants: string[];
  /** Those of them whose connection is lost; absent for who is neither in it nor invited. */
  readonly away?: string[];
  readonly change?: { readonly user: string; readonly kind: ChangeKind };
}

export interface NewsOptions extends Relations {
  readonly isOnline: (account: AccountId) => boolean;
  /** Tells all devices of an account that are connected. */
  readonly tell: (to: AccountId, event: ConferenceEvent) => void;
}

/** What happened in a conference. */
export interface Happening {
  readonly change?: { readonly account: AccountId; readonly kind: ChangeKind };
  /** It ends. */
  readonly reason?: EndReason;
}

export class ConferenceNews {
  readonly #options: NewsOptions;

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  /** What `viewer` may see of it. */
  view(
    conference: Conference,
    viewer: AccountId,
    { change, reason }: Happening = {},
  ): ConferenceEvent {
    const { isBlocked, nameOf } = this.#options;
    const { id, name, owner, seats, invited, state } = conference;
    const isIn = seats.has(viewer);
    const seesAll = isIn || invited.has(viewer);
    const nameFor = (account: AccountId): string | undefined =>
      isIn || !isBlocked(account, viewer) ? nameOf(account) : undefined;
    const namesFor = (accounts: AccountId[]): string[] =>
      accounts.map(nameFor).filter((one) => one !== undefined);
    const seen = seesAll
      ? conference.participants
      : conference.participants.filter((other) => areFriends(this.#options, viewer, other));
    const away = seen.filter((other) => conference.isAway(other));
    const ownerName = owner === null ? undefined : nameFor(owner);
    const user = change === undefined ? undefined : nameFor(change.account);
    return {
      id,
      name,
      ...(ownerName !== undefined && { owner: ownerName }),
      ...(reason === undefined
        ? { state, participants: namesFor(seen), ...(seesAll && { away: namesFor(away) }) }
        : { state: 'ended', reason, participants: [] }),
      ...(change !== undefined && user !== undefined && { change: { user, kind: change.kind } }),
    };
  }

  /**
   * Tells those who are in a conference, the invited and whom it befell, each once.
   * @param friendsOf whose friends are told too
   */
  announce(
    conference: Conference,
    happening: Happening,
    friendsOf: readonly AccountId[] = [],
  ): void {
    const { tell, isOnline, contactsOf } = this.#options;
    const { seats, invited } = conference;
    const [first] = seats.keys();
    // All who are in it see the same.
    if (first !== undefined) {
      const view = this.view(conference, first, happening);
      for (const account of seats.keys()) tell(account, view);
    }
    const others = new Set(invited.keys());
    if (happening.change !== undefined) others.add(happening.change.account);
    for (const account of friendsOf)
      for (const contact of contactsOf(account))
        if (isOnline(contact) && areFriends(this.#options, contact, account)) others.add(contact);
    for (const other of others) if (!seats.has(other)) this.tell(conference, other, happening);
  }

  /** Tells one account. */
  tell(conference: Conference, to: AccountId, happening: Happening): void {
    this.#options.tell(to, this.view(conference, to, happening));
  }

  /** Tells who is not in it what they see of it now, unless it neither was nor is in their sight. */
  retell(conference: Conference, to: AccountId, wasInSight: boolean): void {
    if (conference.seats.has(to)) return;
    const view = this.view(conference, to);
    const knowsOfIt = wasInSight || conference.invited.has(to);
    if (knowsOfIt || view.participants.length > 0) this.#options.tell(to, view);
  }
}
