/**
 * The servers seen on the LAN: which are there, where, and which have gone. No sockets and no
 * timers; bounded whatever is announced.
 */
import { MAX_ADDRESSES, type Sighting } from './discovery-records.ts';
import type { PublicKey } from '../crdt/keys.ts';
import { isLoopback, nearestFirst, type Card } from '../interfaces.ts';

/** A server on the LAN. Everything of it but its key is its own word, and so is its key until proved. */
export interface FoundServer {
  readonly key: PublicKey;
  readonly name: string;
  /** `IP:PORT` each, those in a network shared with this host first. */
  readonly addresses: readonly string[];
}

export interface RegistryEvents {
  /** A server is there, or its name or addresses have changed. */
  readonly onFound: (server: FoundServer) => void;
  readonly onLost: (server: FoundServer) => void;
}

/** Servers at most, in all and as told by one host. */
const MAX_SERVERS = 256;
const MAX_SERVERS_OF_HOST = 16;
/** Addresses at most that tell of one server: one for each card of its host, or others that pretend. */
const MAX_TELLERS = 8;
/** A server not heard of for so long is gone, in milliseconds: three unanswered questions. */
export const LOST_MS = 9_500;
/** After a goodbye it is gone unless it answers within so long, in milliseconds. */
const GOODBYE_MS = 1_000;
/** Changes of a server are told at most so often, in milliseconds. */
const CHANGE_MS = 1_000;

interface Teller {
  addresses: readonly string[];
  /** When its word is no longer good, monotonic milliseconds. */
  until: number;
}

interface Entry {
  name: string;
  readonly tellers: Map<string, Teller>;
  told: FoundServer;
  toldAt: number;
}

export class Registry {
  readonly #events: RegistryEvents;
  readonly #cards: () => readonly Card[];
  readonly #entries = new Map<PublicKey, Entry>();

  constructor(events: RegistryEvents, cards: () => readonly Card[]) {
    this.#events = events;
    this.#cards = cards;
  }

  servers(): FoundServer[] {
    return [...this.#entries.values()].map(({ told }) => told);
  }

  /**
   * Takes in what a packet says.
   * @param teller IP address that it came from
   * @returns whether it was a goodbye of a server that is known, which is better asked after
   */
  sighted({ key, name, addresses }: Sighting, teller: string, now: number): boolean {
    const entry = this.#entries.get(key);
    // An address of the loopback means this host, and only this host can speak of it.
    const usable = addresses.filter((address) => !isLoopback(ipOf(address)) || isLoopback(teller));
    if (addresses.length === 0) {
      const known = entry?.tellers.get(teller);
      if (known !== undefined) known.until = Math.min(known.until, now + GOODBYE_MS);
      return known !== undefined;
    }
    if (usable.length > 0) this.#admit(key, name, usable, teller, now);
    return false;
  }

  /** Forgets who has gone, and tells what could not be told before. To be called about once a second. */
  tick(now: number): void {
    for (const [key, entry] of this.#entries) {
      for (const [teller, { until }] of entry.tellers)
        if (until <= now) entry.tellers.delete(teller);
      if (entry.tellers.size === 0) {
        this.#entries.delete(key);
        this.#events.onLost(entry.told);
      } else this.#tell(key, entry, now);
    }
  }

  #admit(
    key: PublicKey,
    name: string,
    addresses: readonly string[],
    teller: string,
    now: number,
  ): void {
    const word: Teller = { addresses, until: now + LOST_MS };
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      if (!entry.tellers.has(teller) && entry.tellers.size >= MAX_TELLERS) return;
      entry.tellers.set(teller, word);
      entry.name = name;
      return this.#tell(key, entry, now);
    }
    if (this.#entries.size >= MAX_SERVERS || this.#serversOf(teller) >= MAX_SERVERS_OF_HOST) return;
    const fresh: Entry = {
      name,
      tellers: new Map([[teller, word]]),
      told: { key, name, addresses: [] },
      toldAt: -Infinity,
    };
    this.#entries.set(key, fresh);
    this.#tell(key, fresh, now);
  }

  #tell(key: PublicKey, entry: Entry, now: number): void {
    if (now - entry.toldAt < CHANGE_MS) return;
    const all = new Set([...entry.tellers.values()].flatMap(({ addresses }) => addresses));
    const addresses = nearestFirst([...all], this.#cards()).slice(0, 2 * MAX_ADDRESSES);
    const { told } = entry;
    if (told.name === entry.name && told.addresses.join() === addresses.join()) return;
    entry.told = { key, name: entry.name, addresses };
    entry.toldAt = now;
    this.#events.onFound(entry.told);
  }

  #serversOf(teller: string): number {
    let count = 0;
    for (const { tellers } of this.#entries.values()) if (tellers.has(teller)) count++;
    return count;
  }
}

function ipOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
