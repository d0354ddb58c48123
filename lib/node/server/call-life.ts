/**
 * How devices come into calls and go out of them, by what is done there and by what befalls them, and
 * how calls end.
 *
 * To lose the connection is not to hang up: for `GRACE_MS` a device keeps its place, away for all to
 * see, and is back as soon as it is logged in again.
 */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { Clock } from '../../lifecycle.ts';
import type { CallEnd, CallId, Equipment } from '../calls/wire.ts';
import type { Call, CallPlace, Seat } from './call.ts';
import type { CallIndex } from './call-index.ts';
import type { CallNews } from './call-news.ts';
import type { CallRulesOptions } from './call-rules.ts';

/** How long a device whose connection is lost keeps its place, in milliseconds. */
export const GRACE_MS = 30_000;
const SWEEP_MS = 250;
/** How long, and of how many, it is known that a call was over while all in it were away. */
export const LAPSED_MS = 600_000;
const MAX_LAPSED = 256;

/** What is left of a call. */
export interface CallOver {
  readonly id: CallId;
  readonly place: CallPlace;
  /** `missed`: of one between two, in which the one who was called has not been. */
  readonly outcome: 'ended' | 'missed';
  /** For how long at least two people were in it. */
  readonly seconds: number;
  /** The most who were in it at once. */
  readonly people: number;
}

export interface CallLifeOptions extends Pick<CallRulesOptions, 'whyOut'> {
  readonly clock: Clock;
  /** In place of `GRACE_MS`, for tests. */
  readonly graceMs?: number | undefined;
  /** There was a call that is worth remembering. */
  readonly onOver: (over: CallOver) => void;
}

export class CallLife {
  readonly #options: CallLifeOptions;
  readonly #index: CallIndex;
  readonly #news: CallNews;
  readonly #sweeper: NodeJS.Timeout;
  /** Calls that were over while all in them were away, and when. */
  readonly #lapsed = new Map<CallId, number>();

  constructor(index: CallIndex, news: CallNews, options: CallLifeOptions) {
    this.#options = options;
    this.#index = index;
    this.#news = news;
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  get #now(): number {
    return this.#options.clock.monotonic();
  }

  // What is done.

  /** Takes a place. @param replaced those of other devices of the account which make way */
  enter(
    call: Call,
    account: AccountId,
    device: PublicKey,
    equipment: Equipment,
    replaced: readonly Seat[] = [],
  ): void {
    for (const seat of replaced) this.#index.unseat(call, seat, this.#now);
    this.#index.seat(call, { account, device, equipment, lost: undefined }, this.#now);
    this.#news.changed(call, true);
  }

  /** Leaves a call, or gives up one that rings. */
  hangUp(call: Call, seat: Seat): void {
    const isLast = call.seatsOf(seat.account).length === 1;
    this.#depart(call, seat, call.state === 'ringing' && isLast ? 'withdrawn' : 'hung up');
  }

  /** The one who is called is in it, on a device. */
  answer(call: Call, account: AccountId, device: PublicKey, equipment: Equipment): void {
    call.state = 'active';
    call.until = undefined;
    for (const other of call.rung)
      if (other !== device) this.#news.farewell(other, call, 'elsewhere');
    call.rung.clear();
    this.enter(call, account, device, equipment);
  }

  /** The one who is called does not want it, on a device. */
  decline(call: Call, device: PublicKey): void {
    for (const other of call.rung)
      this.#news.farewell(other, call, other === device ? 'declined' : 'elsewhere');
    call.rung.clear();
    this.#end(call, 'declined');
  }

  // What befalls devices, accounts and rooms.

  /** The connection of a device is lost. */
  deviceLost(device: PublicKey): void {
    this.#unring(device);
    const call = this.#index.ofDevice(device);
    const seat = call?.seats.get(device);
    if (call === undefined || seat === undefined || seat.lost !== undefined) return;
    seat.lost = this.#now;
    this.#news.changed(call);
  }

  /** A device is logged in: it has its place again, and is rung by whoever calls its account. */
  deviceBack(account: AccountId, device: PublicKey): void {
    const call = this.#index.ofDevice(device);
    const seat = call?.seats.get(device);
    if (call !== undefined && seat?.lost !== undefined) {
      seat.lost = undefined;
      this.#news.changed(call);
    }
    for (const one of this.#index.of(account)) {
      if (!one.rings(account)) continue;
      one.rung.add(device);
      this.#news.changed(one);
    }
  }

  /** A device is logged out or revoked, or stops. @param isShut it may not be in calls any more */
  deviceGone(device: PublicKey, isShut: boolean): void {
    this.#unring(device);
    const call = this.#index.ofDevice(device);
    const seat = call?.seats.get(device);
    if (call === undefined || seat === undefined) return;
    if (isShut) this.#depart(call, seat, 'put out');
    else this.hangUp(call, seat);
  }

  #unring(device: PublicKey): void {
    for (const call of this.#index.all()) call.rung.delete(device);
  }

  /** An account is removed, or shut out: to be told while its name is still known. */
  accountGone(account: AccountId): void {
    for (const call of this.#index.of(account))
      if (call.rings(account)) this.#end(call, 'put out');
      else for (const seat of call.seatsOf(account)) this.#depart(call, seat, 'put out');
  }

  /** Two accounts may not talk to one another any more. */
  part(one: AccountId, other: AccountId): void {
    const call = this.#index.between(one, other);
    if (call !== undefined) this.#end(call, 'put out');
  }

  /** Puts out of the call of a room, or (undefined) of any, who can be in it no more. */
  review(room?: RoomId): void {
    const call = room === undefined ? undefined : this.#index.ofRoom(room);
    for (const one of room === undefined ? this.#index.all() : call === undefined ? [] : [call]) {
      const { place } = one;
      if (place.type !== 'room') continue;
      for (const account of one.accounts)
        if (this.#options.whyOut(place.room, account) !== undefined)
          for (const seat of one.seatsOf(account)) this.#depart(one, seat, 'put out');
    }
  }

  // How it ends.

  /** Ends what has rung for long enough, and gives up devices that have been lost for too long. */
  expire(): void {
    const now = this.#now;
    const { graceMs = GRACE_MS } = this.#options;
    for (const call of this.#index.all()) {
      if (call.until !== undefined && call.until <= now)
        this.#end(call, call.state === 'ringing' ? 'no answer' : 'lost');
      else
        for (const seat of [...call.seats.values()])
          if (seat.lost !== undefined && seat.lost + graceMs <= now)
            this.#depart(call, seat, 'lost');
    }
  }

  sweep(): void {
    this.expire();
    this.#news.flush();
  }

  /** Takes a device out of a call, which ends with the last, and between two with either. */
  #depart(call: Call, seat: Seat, reason: CallEnd): void {
    // The call may have ended with another device of the account.
    if (call.seats.get(seat.device) !== seat || this.#index.get(call.id) !== call) return;
    this.#index.unseat(call, seat, this.#now);
    this.#news.farewell(seat.device, call, reason);
    const isPair = call.place.type === 'pair';
    const isLeft = isPair ? call.seatsOf(seat.account).length > 0 : call.seats.size > 0;
    if (isLeft) this.#news.changed(call, true);
    else this.#end(call, isPair && call.state === 'ringing' ? 'withdrawn' : reason, reason);
  }

  /**
   * Ends a call for all who are in it and whom it rings.
   * @param cause why it does, where those who are left are told something else
   */
  #end(call: Call, reason: CallEnd, cause: CallEnd = reason): void {
    const now = this.#now;
    // It was the server that was cut off, more likely than all of them: they go on as they were.
    if (reason === 'lost' && [...call.seats.values()].every(({ lost }) => lost !== undefined))
      this.#lapses(call.id);
    this.#index.remove(call);
    for (const device of [...call.seats.keys(), ...call.rung])
      this.#news.farewell(device, call, reason);
    this.#news.over(call);
    const { id, place, state, most: people } = call;
    const isMissed = state === 'ringing' && !['declined', 'put out'].includes(cause);
    if (!isMissed && (state === 'ringing' || people < 2)) return;
    const seconds = Math.round(call.lasted(now) / 1_000);
    this.#options.onOver({ id, place, outcome: isMissed ? 'missed' : 'ended', seconds, people });
  }

  #lapses(id: CallId): void {
    this.#lapsed.set(id, this.#now);
    const [oldest] = this.#lapsed.keys();
    if (this.#lapsed.size > MAX_LAPSED) this.#lapsed.delete(oldest!);
  }

  /** Whether a call was over not long ago, of which nobody who was in it has been told. */
  hasLapsed(id: CallId): boolean {
    const at = this.#lapsed.get(id);
    return at !== undefined && this.#now - at < LAPSED_MS;
  }

  /** It goes on after all. */
  revive(id: CallId): void {
    this.#lapsed.delete(id);
  }

  stop(): void {
    clearInterval(this.#sweeper);
    this.#news.stop();
  }
}
