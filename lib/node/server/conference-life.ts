/**
 * How accounts come into conferences and go out of them, by what they do and by what befalls their
 * devices, and how conferences end.
 */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { Clock } from '../../lifecycle.ts';
import type { Conference } from './conference.ts';
import type { ConferenceIndex } from './conference-index.ts';
import type { ConferenceEvent, ConferenceNews, EndReason } from './conference-news.ts';

/** How long a device whose connection is lost keeps its place, in milliseconds. */
export const GRACE_MS = 30_000;
const SWEEP_MS = 500;

export interface LifeOptions {
  readonly clock: Clock;
  /** In place of `GRACE_MS`, for tests. */
  readonly graceMs?: number | undefined;
  /** An account is no longer in a conference that goes on. */
  readonly onLeft: (id: RoomId, account: AccountId) => void;
  readonly onEnded: (id: RoomId) => void;
}

export class ConferenceLife {
  readonly #options: LifeOptions;
  readonly #index: ConferenceIndex;
  readonly #news: ConferenceNews;
  /** Those in which the connection of some device may be lost. */
  readonly #shaken = new Set<Conference>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(index: ConferenceIndex, news: ConferenceNews, options: LifeOptions) {
    this.#options = options;
    this.#index = index;
    this.#news = news;
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  /** The connection of a device is lost. */
  deviceLost(account: AccountId, device: PublicKey): void {
    const now = this.#options.clock.monotonic();
    for (const conference of this.#index.of(account)) {
      const seat = conference.seats.get(account);
      if (seat?.lose(device, now) !== true) continue;
      this.#shaken.add(conference);
      if (seat.isAway) this.announceReach(conference, account, 'lost');
    }
  }

  /** A device is connected: it has the places again that it has not lost for too long. */
  deviceBack(account: AccountId, device: PublicKey): void {
    for (const conference of this.#index.of(account)) {
      const seat = conference.seats.get(account);
      const wasAway = seat?.isAway === true;
      if (seat?.regain(device) === true && wasAway) this.announceReach(conference, account, 'back');
    }
  }

  /** A device is logged out or revoked: it leaves all that it is in. */
  deviceGone(account: AccountId, device: PublicKey): void {
    for (const conference of this.#index.of(account)) this.depart(conference, account, device);
  }

  /** An account is removed: to be told while its name and its contacts are still known. */
  accountGone(account: AccountId): void {
    for (const conference of this.#index.of(account)) this.vacate(conference, account, 'left');
    for (const { invited } of this.#index.all()) invited.delete(account);
  }

  /** Gives up those who have been lost for too long. */
  sweep(): void {
    const { clock, graceMs = GRACE_MS } = this.#options;
    const now = clock.monotonic();
    this.#index.lapse(now);
    for (const conference of this.#shaken) {
      const { seats, owner } = conference;
      for (const seat of seats.values()) seat.forget(now - graceMs);
      const gone = conference.participants.filter((one) => seats.get(one)?.isEmpty === true);
      if (owner !== null && gone.includes(owner)) this.end(conference, 'owner lost');
      else for (const account of gone) this.vacate(conference, account, 'left');
      if (![...seats.values()].some((seat) => seat.isShaken)) this.#shaken.delete(conference);
    }
  }

  enter(conference: Conference, account: AccountId, device: PublicKey): ConferenceEvent {
    this.#index.seat(conference, account, device);
    this.#news.announce(conference, { change: { account, kind: 'joined' } }, [account]);
    return this.#news.view(conference, account);
  }

  depart(conference: Conference, account: AccountId, device: PublicKey): void {
    const seat = conference.seats.get(account);
    seat?.release(device);
    if (seat?.isEmpty === true) this.vacate(conference, account, 'left');
  }

  /** Takes an account out, and with its owner ends the conference. */
  vacate(conference: Conference, account: AccountId, kind: 'left' | 'kicked'): void {
    const { id, owner, seats } = conference;
    if (account === owner) return this.end(conference, seats.size === 1 ? 'empty' : 'owner left');
    this.#index.unseat(conference, account);
    this.#options.onLeft(id, account);
    this.#news.announce(conference, { change: { account, kind } }, [account]);
  }

  end(conference: Conference, reason: EndReason): void {
    const { id, participants } = conference;
    this.#index.remove(conference);
    this.#shaken.delete(conference);
    this.#options.onEnded(id);
    this.#news.announce(conference, { reason }, participants);
  }

  /** Tells that somebody was lost or is back; of the owner, on whom the state hangs, to more. */
  announceReach(conference: Conference, account: AccountId, kind: 'lost' | 'back'): void {
    const { owner, participants } = conference;
    this.#news.announce(
      conference,
      { change: { account, kind } },
      account === owner ? participants : [],
    );
  }

  stop(): void {
    clearInterval(this.#sweeper);
  }
}
