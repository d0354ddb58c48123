/** One live call: where it is, who is in it, on which devices, and which it rings. */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { CallId, Equipment } from '../calls/wire.ts';

/** The room that a call is of, or the two who talk. */
export type CallPlace =
  | { readonly type: 'room'; readonly room: RoomId }
  | { readonly type: 'pair'; readonly caller: AccountId; readonly callee: AccountId };

/** A device in a call. */
export interface Seat {
  readonly account: AccountId;
  readonly device: PublicKey;
  equipment: Equipment;
  /** Since when its connection is lost: monotonic, in milliseconds. */
  lost: number | undefined;
}

export class Call {
  readonly id: CallId;
  readonly place: CallPlace;
  /** `ringing`: of two, and the one who is called is not in it yet. */
  state: 'ringing' | 'active';
  /** When it is over unless the other one comes: monotonic, in milliseconds. */
  until: number | undefined;
  /** By device, in the order in which they came. */
  readonly seats = new Map<PublicKey, Seat>();
  /** Devices that it rings. */
  readonly rung = new Set<PublicKey>();
  #most = 0;
  /** For how long people were together in it, until the last time that one was left alone. */
  #together = 0;
  /** Since when they are. */
  #since: number | undefined;

  constructor(id: CallId, place: CallPlace, state: Call['state'], until?: number) {
    this.id = id;
    this.place = place;
    this.state = state;
    this.until = until;
  }

  /** Those who are in it, each once. */
  get accounts(): AccountId[] {
    return [...new Set([...this.seats.values()].map(({ account }) => account))];
  }

  seatsOf(account: AccountId): Seat[] {
    return [...this.seats.values()].filter((seat) => seat.account === account);
  }

  /** Whether it is between two, and an account is one of them. */
  isBetween(account: AccountId): boolean {
    const { place } = this;
    return place.type === 'pair' && (place.caller === account || place.callee === account);
  }

  /** Whether it rings at an account. */
  rings(account: AccountId): boolean {
    return this.state === 'ringing' && this.place.type === 'pair' && this.place.callee === account;
  }

  take(seat: Seat, now: number): void {
    this.seats.set(seat.device, seat);
    this.#count(now);
  }

  release(device: PublicKey, now: number): void {
    this.seats.delete(device);
    this.#count(now);
  }

  #count(now: number): void {
    const people = this.accounts.length;
    this.#most = Math.max(this.#most, people);
    if (people > 1) this.#since ??= now;
    else if (this.#since !== undefined) {
      this.#together += now - this.#since;
      this.#since = undefined;
    }
  }

  /** The most people who were in it at once. */
  get most(): number {
    return this.#most;
  }

  /** For how long at least two people were in it until now, in milliseconds. */
  lasted(now: number): number {
    return this.#together + (this.#since === undefined ? 0 : now - this.#since);
  }
}
