/** One live conference: who is in it, on which devices, and whose connection is lost. */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';

/** `waiting`: its owner's connection is lost, and it ends unless the owner is back in time. */
export type ConferenceState = 'active' | 'waiting';

/** The place of an account in a conference, taken on one device or several. */
export class Seat {
  /** Since when the connection of each device is lost: monotonic, in milliseconds. */
  readonly #devices = new Map<PublicKey, number | undefined>();

  /** No device of it is left. */
  get isEmpty(): boolean {
    return this.#devices.size === 0;
  }

  /** Those devices that there are have lost their connection. */
  get isAway(): boolean {
    return ![...this.#devices.values()].includes(undefined);
  }

  /** Some device has lost its connection. */
  get isShaken(): boolean {
    return [...this.#devices.values()].some((since) => since !== undefined);
  }

  /** Whether it is taken on a device that is connected. */
  isOn(device: PublicKey): boolean {
    return this.#devices.has(device) && this.#devices.get(device) === undefined;
  }

  take(device: PublicKey): void {
    this.#devices.set(device, undefined);
  }

  /**
   * Gives it up on a device. Who does so on the last that is connected gives it up on those too
   * whose connection is lost.
   */
  release(device: PublicKey): void {
    const isLast = this.isOn(device);
    this.#devices.delete(device);
    if (isLast && this.isAway) this.#devices.clear();
  }

  /** @returns whether the device was connected here */
  lose(device: PublicKey, now: number): boolean {
    if (!this.isOn(device)) return false;
    this.#devices.set(device, now);
    return true;
  }

  /** @returns whether the device was lost here */
  regain(device: PublicKey): boolean {
    if (this.#devices.get(device) === undefined) return false;
    this.take(device);
    return true;
  }

  /** Gives it up on devices whose connection is lost. */
  dropLost(): void {
    this.forget(Infinity);
  }

  /** Gives it up on devices lost at `until` or before. */
  forget(until: number): void {
    for (const [device, since] of this.#devices)
      if (since !== undefined && since <= until) this.#devices.delete(device);
  }
}

export class Conference {
  readonly id: RoomId;
  name: string;
  /** Null: the lobby's, which nobody owns and which never ends. */
  owner: AccountId | null;
  /** In the order in which they came. */
  readonly seats = new Map<AccountId, Seat>();
  /** Who may join because somebody in it said so, and who that was. */
  readonly invited = new Map<AccountId, AccountId>();

  constructor(id: RoomId, name: string, owner: AccountId | null) {
    this.id = id;
    this.name = name;
    this.owner = owner;
  }

  get state(): ConferenceState {
    return this.owner !== null && this.isAway(this.owner) ? 'waiting' : 'active';
  }

  get participants(): AccountId[] {
    return [...this.seats.keys()];
  }

  /** Whether an account is in it on a device that is connected. */
  isOn(account: AccountId, device: PublicKey): boolean {
    return this.seats.get(account)?.isOn(device) === true;
  }

  /** Whether an account is in it, but none of its devices is connected. */
  isAway(account: AccountId): boolean {
    return this.seats.get(account)?.isAway === true;
  }
}
