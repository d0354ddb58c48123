/** Who is logged in, by device and by account, and what they are told without having asked. */
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { encodeNotice, type Exchange, type Notice } from '../exchange.ts';
import { SESSION } from '../wire.ts';

/** Bytes that may wait for a device before it is told no more of who comes and goes… */
const PRESENCE_BYTES = 64 * 1024;
/** …and before broadcasts pass it by: beyond more, its channel would be cut off. */
const BROADCAST_BYTES = 1 << 20;
/** Accounts whose coming or going is told later to a device that does not read. */
const MAX_LATER = 4_096;

export interface Listener {
  readonly exchange: Exchange<typeof SESSION>;
  readonly device: PublicKey;
  /** Who came or went, of which the device is told once it has read what waits. */
  readonly later: Map<string, boolean>;
  /** It has missed something of conferences. */
  isBehind: boolean;
  /** Calls of which it is told once it has read what waits, each as it is then last. */
  readonly callsLater: Map<string, () => void>;
}

export class Listeners<L extends Listener> {
  readonly #byDevice = new Map<PublicKey, L>();
  readonly #byAccount = new Map<AccountId, Set<L>>();

  ofDevice(device: PublicKey): L | undefined {
    return this.#byDevice.get(device);
  }

  of(account: AccountId): ReadonlySet<L> {
    return this.#byAccount.get(account) ?? new Set();
  }

  /** Takes the place of another of the same device. */
  add(account: AccountId, listener: L): void {
    this.#byDevice.set(listener.device, listener);
    const listeners = this.#byAccount.get(account);
    if (listeners === undefined) this.#byAccount.set(account, new Set([listener]));
    else listeners.add(listener);
  }

  remove(account: AccountId, listener: L): void {
    listener.later.clear();
    listener.callsLater.clear();
    if (this.#byDevice.get(listener.device) === listener) this.#byDevice.delete(listener.device);
    const listeners = this.#byAccount.get(account);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#byAccount.delete(account);
  }

  /** Tells of who came or went. Who does not read is told the last of it, once it does again. */
  tellPresence(to: AccountId, notice: Notice<typeof SESSION, 'presence'>): void {
    for (const { exchange, later } of this.of(to)) {
      const { channel } = exchange;
      if (later.size === 0 && channel.queued < PRESENCE_BYTES) {
        exchange.notify('presence', notice);
        continue;
      }
      if (later.size === 0)
        void channel.drained().then(() => {
          for (const [user, online] of later) exchange.notify('presence', { user, online });
          later.clear();
        });
      if (later.size < MAX_LATER || later.has(notice.user)) later.set(notice.user, notice.online);
    }
  }

  /** Tells of a conference. Who does not read is told that there was something, once it does again. */
  tellConference(to: AccountId, notice: Notice<typeof SESSION, 'conference'>): void {
    for (const listener of this.of(to)) {
      const { exchange } = listener;
      if (listener.isBehind) continue;
      if (exchange.channel.queued < PRESENCE_BYTES) {
        exchange.notify('conference', notice);
        continue;
      }
      listener.isBehind = true;
      void exchange.channel.drained().then(() => {
        listener.isBehind = false;
        exchange.notify('conferences', {});
      });
    }
  }

  /** Tells a device of a call. Who does not read is told the last of it, once it does again. */
  tellCall(device: PublicKey, notice: Notice<typeof SESSION, 'call'>): void {
    this.#tellLast(device, notice.id, ({ exchange }) => exchange.notify('call', notice));
  }

  /** The same, of the call of a room. */
  tellRoomCall(device: PublicKey, notice: Notice<typeof SESSION, 'roomCall'>): void {
    const key = `room ${notice.id}`;
    this.#tellLast(device, key, ({ exchange }) => exchange.notify('roomCall', notice));
  }

  #tellLast(device: PublicKey, key: string, tell: (listener: L) => void): void {
    const listener = this.#byDevice.get(device);
    if (listener === undefined) return;
    const { exchange, callsLater } = listener;
    if (callsLater.size === 0 && exchange.channel.queued < PRESENCE_BYTES) return tell(listener);
    if (callsLater.size === 0)
      void exchange.channel.drained().then(() => {
        for (const run of callsLater.values()) run();
        callsLater.clear();
      });
    // To the end: what is told last is as it was last.
    callsLater.delete(key);
    callsLater.set(key, () => tell(listener));
    const [oldest] = callsLater.keys();
    if (oldest !== undefined && callsLater.size > MAX_LATER) callsLater.delete(oldest);
  }

  /** Tells that somebody is typing, which nobody misses. */
  hint(to: AccountId, notice: Notice<typeof SESSION, 'typing'>): void {
    for (const { exchange } of this.of(to))
      if (exchange.channel.queued < PRESENCE_BYTES) exchange.notify('typing', notice);
  }

  /** @returns those whom it reached, of the accounts it is for */
  broadcast(to: readonly AccountId[], notice: Notice<typeof SESSION, 'broadcast'>): AccountId[] {
    const frame = encodeNotice(SESSION, 'broadcast', notice);
    return to.filter((account) => {
      let isReached = false;
      for (const { exchange } of this.of(account)) {
        if (exchange.ended || exchange.channel.queued >= BROADCAST_BYTES) continue;
        exchange.notifyEncoded(frame);
        isReached = true;
      }
      return isReached;
    });
  }
}
