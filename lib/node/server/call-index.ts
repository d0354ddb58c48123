/** Which calls there are, and how the one that somebody means is found. */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { CallId } from '../calls/wire.ts';
import type { Call, Seat } from './call.ts';

export class CallIndex {
  readonly #calls = new Map<CallId, Call>();
  readonly #byRoom = new Map<RoomId, Call>();
  /** In which a device is. */
  readonly #byDevice = new Map<PublicKey, Call>();
  /** In which somebody is, and those between them and another. */
  readonly #byAccount = new Map<AccountId, Set<Call>>();

  /** How much is remembered, of whatever kind. */
  get size(): number {
    return this.#calls.size + this.#byRoom.size + this.#byDevice.size + this.#byAccount.size;
  }

  all(): Call[] {
    return [...this.#calls.values()];
  }

  get(id: CallId): Call | undefined {
    return this.#calls.get(id);
  }

  ofRoom(room: RoomId): Call | undefined {
    return this.#byRoom.get(room);
  }

  ofDevice(device: PublicKey): Call | undefined {
    return this.#byDevice.get(device);
  }

  /** Those that an account has to do with. */
  of(account: AccountId): Call[] {
    return [...(this.#byAccount.get(account) ?? [])];
  }

  /** The one between two accounts. */
  between(one: AccountId, other: AccountId): Call | undefined {
    if (one === other) return undefined;
    return this.of(one).find((call) => call.isBetween(one) && call.isBetween(other));
  }

  /** Whether an account is in a call, calls somebody or is called. */
  isEngaged(account: AccountId): boolean {
    return this.of(account).some((call) => call.rings(account) || call.seatsOf(account).length > 0);
  }

  add(call: Call): void {
    const { place } = call;
    this.#calls.set(call.id, call);
    if (place.type === 'room') this.#byRoom.set(place.room, call);
    else for (const account of [place.caller, place.callee]) this.#note(account, call);
  }

  /** Nobody finds it any more; whoever is in it still has to be told. */
  remove(call: Call): void {
    const { place } = call;
    this.#calls.delete(call.id);
    if (place.type === 'room') this.#byRoom.delete(place.room);
    else for (const account of [place.caller, place.callee]) this.#forget(account, call);
    for (const { account, device } of call.seats.values()) {
      this.#byDevice.delete(device);
      this.#forget(account, call);
    }
  }

  seat(call: Call, seat: Seat, now: number): void {
    call.take(seat, now);
    this.#byDevice.set(seat.device, call);
    this.#note(seat.account, call);
  }

  unseat(call: Call, { account, device }: Seat, now: number): void {
    call.release(device, now);
    this.#byDevice.delete(device);
    if (!call.isBetween(account) && call.seatsOf(account).length === 0) this.#forget(account, call);
  }

  #note(account: AccountId, call: Call): void {
    const known = this.#byAccount.get(account);
    if (known === undefined) this.#byAccount.set(account, new Set([call]));
    else known.add(call);
  }

  #forget(account: AccountId, call: Call): void {
    const known = this.#byAccount.get(account);
    known?.delete(call);
    if (known?.size === 0) this.#byAccount.delete(account);
  }
}
