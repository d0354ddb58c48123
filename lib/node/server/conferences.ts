/**
 * The live part of conferences: who is in which, who owns it, and when it ends. It is the server's
 * memory; the rooms in which conferences speak are in the log, and are made and removed by others.
 * The lobby has a conference too, which nobody owns, everybody may join and nothing ends.
 *
 * To lose the connection is not to leave: for `GRACE_MS` a participant keeps the place, away for all
 * to see, and is back as soon as the device is. After that a participant has left, and a conference
 * that waited for its owner ends.
 */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import { LOBBY } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import { TokenBuckets } from '../../token-bucket.ts';
import { Conference } from './conference.ts';
import { ConferenceIndex, isCalled, only, type Target } from './conference-index.ts';
import { ConferenceLife, type LifeOptions } from './conference-life.ts';
import { ConferenceNews, type ConferenceEvent, type NewsOptions } from './conference-news.ts';
import { ConferenceRules, type RulesOptions } from './conference-rules.ts';

/** How long a name is kept for what is being sealed, in milliseconds: far more than that takes. */
const KEPT_MS = 10_000;
/** Changes that an account may make at once, and then a second: each is told to many. */
const CHANGE_BURST = 60;
const CHANGES_PER_SECOND = 2;

export interface ConferencesOptions extends NewsOptions, RulesOptions, LifeOptions {
  /** Name of the lobby. */
  readonly lobby: string;
}

export interface JoinOptions {
  /** To be in it on this device besides others. */
  readonly secondDevice: boolean;
  /** The password of its room, or a code for it, has been proved, of which `mayAdmit` was asked. */
  readonly isAdmitted: boolean;
}

/** What an account did about another. */
export type RelationChange = 'befriended' | 'unfriended' | 'blocked' | 'unblocked';

/** A conference in a list. */
export interface ConferenceListing extends ConferenceEvent {
  /** The device that asks is in it. */
  readonly here: boolean;
}

export class Conferences {
  /** Comings and goings of devices. */
  readonly life: ConferenceLife;
  readonly #options: ConferencesOptions;
  readonly #news: ConferenceNews;
  readonly #index: ConferenceIndex;
  readonly #rules: ConferenceRules;
  readonly #changes: TokenBuckets<AccountId>;

  constructor(options: ConferencesOptions) {
    this.#options = options;
    this.#news = new ConferenceNews(options);
    this.#index = new ConferenceIndex(options);
    this.#rules = new ConferenceRules(this.#index, options);
    this.life = new ConferenceLife(this.#index, this.#news, options);
    this.#index.add(new Conference(LOBBY, options.lobby, null));
    this.#changes = new TokenBuckets(CHANGE_BURST, CHANGES_PER_SECOND, options.clock);
  }

  has(id: RoomId): boolean {
    return this.#index.has(id);
  }

  /** Those who are in a conference; nobody, where there is none of that id. */
  participantsOf(id: RoomId): AccountId[] {
    return this.#index.has(id) ? this.#index.at(id).participants : [];
  }

  /** Whether a conference is in somebody's sight: their own, of a friend, or one to which they are invited. */
  isSeen(id: RoomId, account: AccountId): boolean {
    return this.#index.visibleTo(account).some((one) => one.id === id);
  }

  /** Whether a device is in any conference, which counts as somebody being at work there. */
  isBusy(account: AccountId, device: PublicKey): boolean {
    return this.#index.of(account).some((one) => one.isOn(account, device));
  }

  /**
   * What an account may see: its own conferences, those of its friends, and those to which it is
   * invited; by name.
   */
  listFor(account: AccountId, device: PublicKey): ConferenceListing[] {
    return this.#index
      .visibleTo(account)
      .map((one) => ({
        ...this.#news.view(one, account),
        here: one.isOn(account, device),
      }))
      .filter(({ participants }) => participants.length > 0)
      .sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  }

  /**
   * Joins a conference, or takes one's place in it on a further device. Where all others on which one
   * has it have lost their connection, this one takes it over.
   * @throws NO_SUCH_ROOM, AMBIGUOUS; SELF, NOT_CONTACT for a friend who is none, BLOCKED by the
   *   friend or the owner; ALREADY; DENIED; NAME_CLASH; TOO_LARGE where it is full; RATE_LIMITED
   */
  join(
    account: AccountId,
    device: PublicKey,
    target: Target,
    { secondDevice, isAdmitted }: JoinOptions,
  ): ConferenceEvent {
    if (!isAdmitted) this.#count(account);
    const isOpen = ({ seats }: Conference): boolean => {
      const seat = seats.get(account);
      return seat === undefined || seat.isAway || (secondDevice && !seat.isOn(device));
    };
    const conference = this.#index.find(account, target, isOpen);
    const { name, seats } = conference;
    const seat = seats.get(account);
    if (seat === undefined) {
      this.#rules.checkJoin(conference, account, isAdmitted);
      return this.life.enter(conference, account, device);
    }
    if (seat.isOn(device)) throw new ClchatError('ALREADY', `You are in "${name}" already.`);
    if (!isOpen(conference))
      throw new ClchatError(
        'ALREADY',
        `You are in "${name}" on another device. Use --device to be in it here too.`,
      );
    const wasAway = seat.isAway;
    seat.take(device);
    if (!secondDevice) seat.dropLost();
    if (wasAway) this.life.announceReach(conference, account, 'back');
    return this.#news.view(conference, account);
  }

  /**
   * Leaves a conference on one device and, if no other is in it, altogether. What its owner leaves
   * ends.
   * @param which to be left out by a device that is in no other
   * @throws NOT_PARTICIPANT, AMBIGUOUS
   */
  leave(
    account: AccountId,
    device: PublicKey,
    which: { readonly id: RoomId } | { readonly name?: string } = {},
  ): { id: RoomId; name: string } {
    const meant = this.#index
      .of(account)
      .filter((one) => ('id' in which ? one.id === which.id : isCalled(one, which.name)));
    const here = meant.filter((one) => one.isOn(account, device));
    if (here.length === 0)
      throw new ClchatError(
        'NOT_PARTICIPANT',
        meant.length === 0
          ? 'You are not in such a conference.'
          : 'You are in it on another device only.',
      );
    const conference = only(here);
    this.life.depart(conference, account, device);
    return { id: conference.id, name: conference.name };
  }

  /**
   * Lets somebody in, for as long as the conference lives.
   * @throws NO_SUCH_ROOM, NOT_PARTICIPANT, SELF, ALREADY, BLOCKED, TOO_LARGE, RATE_LIMITED
   */
  invite(account: AccountId, id: RoomId, target: AccountId): void {
    this.#count(account);
    const conference = this.#index.at(id);
    this.#rules.checkInvite(conference, account, target);
    conference.invited.set(target, account);
    this.#news.tell(conference, target, { change: { account, kind: 'invited' } });
  }

  /**
   * Something has become different between two accounts, by what the first of them did. It throws
   * nobody out, but each is told what they now see of the other's conferences, and who blocks
   * somebody takes back their invitations, to them and from them.
   */
  relationChanged(by: AccountId, other: AccountId, how: RelationChange): void {
    const { isContact, isBlocked } = this.#options;
    const wereFriends =
      how === 'unfriended'
        ? !isBlocked(by, other) && !isBlocked(other, by)
        : how === 'blocked' && isContact(by, other) && !isBlocked(other, by);
    const retell = (viewer: AccountId, of: AccountId): void => {
      const withdrawn = how === 'blocked' ? this.#index.withdraw(of, viewer) : [];
      for (const one of new Set([...this.#index.of(of), ...withdrawn]))
        this.#news.retell(one, viewer, wereFriends || withdrawn.includes(one));
    };
    retell(by, other);
    retell(other, by);
  }

  // What the log decides: asked when it is judged, and told when it is sealed.

  /**
   * Whether an account may begin a conference of that name, which is kept for it.
   * @param id of its room
   * @throws BAD_NAME; NAME_CLASH; TOO_LARGE for who has too many; ALREADY; RATE_LIMITED
   */
  mayCreate(account: AccountId, id: RoomId, name: string): void {
    this.#count(account);
    if (this.#index.has(id)) throw new ClchatError('ALREADY');
    this.#rules.checkCreate(account, name);
    this.#keep(account, id, name);
  }

  /**
   * Begins a conference with its owner in it, where `mayCreate` was asked.
   * @returns whether it was
   */
  create(account: AccountId, device: PublicKey, id: RoomId, name: string): boolean {
    if (this.#index.release(id, name) !== account) return false;
    const conference = new Conference(id, name, account);
    this.#index.add(conference);
    this.life.enter(conference, account, device);
    return true;
  }

  #keep(account: AccountId, id: RoomId, name: string): void {
    const until = this.#options.clock.monotonic() + KEPT_MS;
    this.#index.keep(id, { account, name, until });
  }

  /**
   * Whether somebody who has a proof that lets them in may join.
   * @throws NO_SUCH_ROOM; as `join` for who is not in it; RATE_LIMITED
   */
  mayAdmit(account: AccountId, id: RoomId): void {
    this.#count(account);
    const conference = this.#index.at(id);
    if (!conference.seats.has(account)) this.#rules.checkJoin(conference, account, true);
  }

  /**
   * Whether a conference may be renamed; the name is kept for it.
   * @throws NOT_OWNER, NO_SUCH_ROOM, BAD_NAME, ALREADY; NAME_CLASH where anybody in it is in another
   *   of that name; RATE_LIMITED
   */
  mayRename(account: AccountId, id: RoomId, name: string): void {
    this.#count(account);
    const conference = this.#owned(account, id);
    this.#rules.checkRename(conference, account, name);
    this.#keep(account, id, name);
  }

  rename(account: AccountId, id: RoomId, name: string): void {
    this.#index.release(id, name);
    if (!this.#index.has(id)) return;
    const conference = this.#index.at(id);
    conference.name = name;
    this.#news.announce(
      conference,
      { change: { account, kind: 'renamed' } },
      conference.participants,
    );
  }

  /**
   * Whether another participant may be made the owner.
   * @throws NOT_OWNER, NO_SUCH_ROOM, NOT_PARTICIPANT, ALREADY; OFFLINE for one whose connection is
   *   lost; TOO_LARGE for one who owns too many; RATE_LIMITED
   */
  mayTransfer(account: AccountId, id: RoomId, to: AccountId): void {
    this.#count(account);
    this.#rules.checkTransfer(this.#owned(account, id), to);
  }

  /** Makes another the owner; who has left meanwhile has left it as its owner. */
  transfer(id: RoomId, to: AccountId): void {
    if (!this.#index.has(id)) return;
    const conference = this.#index.at(id);
    conference.owner = to;
    if (!conference.seats.has(to)) return this.life.end(conference, 'owner left');
    this.#news.announce(
      conference,
      { change: { account: to, kind: 'owner' } },
      conference.participants,
    );
  }

  /**
   * Whether a conference may be ended.
   * @param isPermitted whether `account` may do so without being the owner
   * @throws NO_SUCH_ROOM, NOT_OWNER
   */
  mayEnd(account: AccountId, id: RoomId, isPermitted: boolean): void {
    if (isPermitted) this.#index.at(id);
    else this.#owned(account, id);
  }

  end(account: AccountId | undefined, id: RoomId): void {
    if (!this.#index.has(id)) return;
    const conference = this.#index.at(id);
    const isOwn = conference.owner === account;
    this.life.end(conference, isOwn ? 'ended by its owner' : 'ended by an administrator');
  }

  /**
   * Whether somebody may be put out.
   * @param isPermitted as for `mayEnd`
   * @throws NO_SUCH_ROOM, NOT_OWNER, SELF, NOT_PARTICIPANT; DENIED for the owner
   */
  mayKick(account: AccountId, id: RoomId, target: AccountId, isPermitted: boolean): void {
    const conference = isPermitted ? this.#index.at(id) : this.#owned(account, id);
    this.#rules.checkKick(conference, account, target);
  }

  /** Puts somebody out, and takes back their invitation. */
  kick(id: RoomId, target: AccountId): void {
    if (!this.#index.has(id)) return;
    const conference = this.#index.at(id);
    conference.invited.delete(target);
    if (conference.seats.has(target)) this.life.vacate(conference, target, 'kicked');
  }

  /** An account gives a conference up, on all its devices. */
  leaveAll(account: AccountId, id: RoomId): void {
    if (!this.#index.has(id)) return;
    const conference = this.#index.at(id);
    if (conference.seats.has(account)) this.life.vacate(conference, account, 'left');
  }

  stop(): void {
    this.life.stop();
  }

  #owned(account: AccountId, id: RoomId): Conference {
    const conference = this.#index.at(id);
    if (conference.owner !== account) throw new ClchatError('NOT_OWNER');
    return conference;
  }

  /** @throws RATE_LIMITED */
  #count(account: AccountId): void {
    if (!this.#changes.take(account)) throw new ClchatError('RATE_LIMITED');
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
