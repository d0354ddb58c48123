/**
 * Multicast DNS on every card: one socket each, told which card to send on. The system's choice, by
 * the default route, is the wrong card or none on a plain switch, between two laptops, or on a host
 * with several cards. Follows cards that come and go. The only file that imports multicast-dns.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import makeMdns, { type MulticastDNS } from 'multicast-dns';
import type { Packet } from 'dns-packet';
import { concernsUs } from './discovery-records.ts';
import { TokenBucket } from '../token-bucket.ts';
import { isLoopback, isOnLink, type Card } from '../interfaces.ts';
import type { Clock } from '../lifecycle.ts';

/** The group and port of mDNS (RFC 6762). */
const GROUP = '224.0.0.251';
const PORT = 5353;
/** How often the cards are looked at, in milliseconds. */
const POLL_MS = 1_000;
/** Packets that one card, and one host on it, may send here at once, and then a second. */
const CARD_RATE = [400, 200] as const;
const HOST_RATE = [100, 50] as const;
/** Hosts whose rate is remembered. */
const MAX_HOSTS = 256;
/** How long the last words of a card may take, in milliseconds. */
const LAST_WORDS_MS = 200;

/** What can be said of the network's multicast. */
export interface LinkState {
  /** The cards in use. */
  readonly interfaces: readonly { readonly name: string; readonly address: string }[];
  /** Whether anything was ever heard from another host: if not, multicast may be blocked. */
  readonly heardOthers: boolean;
  /** What goes wrong at the moment, a line for each card. */
  readonly errors: readonly string[];
}

export interface LinkEvents {
  /** A card can be used. */
  readonly onOpen: (link: Link) => void;
  /** A well-formed packet that concerns our service, from a host on that card's network. */
  readonly onPacket: (packet: Packet, link: Link, from: string) => void;
}

export interface LinkOptions {
  readonly cards: () => readonly Card[];
  readonly clock: Clock;
  /** Whether a card is to be used at the moment; all are by default. */
  readonly wants?: (card: Card, all: readonly Card[]) => boolean;
}

/** One card of this host with one IPv4 address. */
export class Link {
  readonly card: Card;
  #error: string | undefined;
  readonly #socket: Socket;
  readonly #mdns: MulticastDNS;
  #open = false;
  #closed = false;

  constructor(
    card: Card,
    events: LinkEvents,
    admit: (bytes: Buffer, from: RemoteInfo, link: Link) => boolean,
  ) {
    this.card = card;
    this.#socket = createSocket({ type: 'udp4', reuseAddr: true });
    // Bound to the group, this socket takes nothing that is sent to another program here on the
    // same port. Windows cannot do that.
    const bind = process.platform === 'win32' ? '0.0.0.0' : GROUP;
    this.#mdns = makeMdns({ socket: this.#socket, interface: card.address, port: PORT, bind });
    const [decode] = this.#socket.listeners('message') as ((b: Buffer, r: RemoteInfo) => void)[];
    this.#socket.removeAllListeners('message');
    this.#socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
      if (admit(bytes, from, this)) decode?.(bytes, from);
    });
    const fail = (error: Error): void => {
      // Malformed packets of others come here too, and are nobody's fault here.
      if ('code' in error) this.#error = this.#describe(error);
    };
    this.#mdns.on('error', fail).on('warning', fail);
    this.#mdns.on('networkInterface', () => (this.#open = true));
    this.#mdns.on('ready', () => {
      if (this.#open && !this.#closed) events.onOpen(this);
    });
    this.#mdns.on('packet', (packet: Packet, from: RemoteInfo) => {
      events.onPacket(packet, this, from.address);
    });
  }

  get error(): string | undefined {
    return this.#error;
  }

  /** Whether packets can be sent and received. */
  get open(): boolean {
    return this.#open;
  }

  query(packet: Packet): Promise<void> {
    return this.#send((done) => this.#mdns.query({ ...packet } as never, done));
  }

  respond(packet: Packet): Promise<void> {
    return this.#send((done) => this.#mdns.respond({ ...packet } as never, done));
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    return new Promise((resolve) => {
      try {
        this.#mdns.destroy(resolve);
      } catch {
        // It was never bound, or its card is gone.
        resolve();
      }
    });
  }

  /** Never rejects: a failure becomes the link's error, the next success clears it. */
  #send(send: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (!this.#open || this.#closed) return Promise.resolve();
    return new Promise((resolve) =>
      send((error) => {
        this.#error = error ? this.#describe(error) : undefined;
        resolve();
      }),
    );
  }

  #describe(error: Error): string {
    return `${this.card.name} (${this.card.address}): ${error.message}`;
  }
}

/** A link on every card, for as long as the card is there. */
export class Links {
  readonly #events: LinkEvents;
  readonly #options: LinkOptions;
  readonly #links = new Map<string, Link>();
  readonly #cardRates = new Map<Link, TokenBucket>();
  readonly #hostRates = new Map<string, TokenBucket>();
  readonly #timer: NodeJS.Timeout;
  #heardOthers = false;
  #own = new Set<string>();

  constructor(events: LinkEvents, options: LinkOptions) {
    this.#events = events;
    this.#options = options;
    this.#timer = setInterval(() => this.poll(), POLL_MS);
    this.poll();
  }

  /** Those that can be used. */
  open(): Link[] {
    return [...this.#links.values()].filter((link) => link.open);
  }

  state(): LinkState {
    const links = [...this.#links.values()];
    return {
      interfaces: links.map(({ card: { name, address } }) => ({ name, address })),
      heardOthers: this.#heardOthers,
      errors: links.flatMap(({ error }) => error ?? []),
    };
  }

  /** Looks at the cards now. */
  poll(): void {
    const cards = this.#options.cards();
    this.#own = new Set(cards.map(({ address }) => address));
    const wanted = new Map<string, Card>();
    for (const card of cards)
      if (card.family === 4 && (this.#options.wants?.(card, cards) ?? true))
        wanted.set(`${card.name} ${card.address}/${card.prefix}`, card);
    for (const [id, link] of this.#links) {
      // One that failed to open is tried again.
      if (wanted.has(id) && (link.open || link.error === undefined)) continue;
      this.#links.delete(id);
      this.#cardRates.delete(link);
      void link.close();
    }
    for (const [id, card] of wanted)
      if (!this.#links.has(id))
        this.#links.set(
          id,
          new Link(card, this.#events, (bytes, from, link) => this.#admit(bytes, from, link)),
        );
  }

  /** @param farewell what is said on each link before it closes */
  async stop(farewell?: (link: Link) => Promise<void>): Promise<void> {
    clearInterval(this.#timer);
    const links = [...this.#links.values()];
    if (farewell !== undefined) {
      const said = Promise.all(this.open().map(farewell));
      await Promise.race([said, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
    }
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  /** Decides on bytes from anybody on the network whether they are worth parsing. */
  #admit(bytes: Buffer, { address, port }: RemoteInfo, link: Link): boolean {
    // Each socket gets the multicast of all cards. Its own is what comes from its own network; and
    // what comes from none of ours, or from another port, is not mDNS (RFC 6762, 6 and 11).
    if (port !== PORT || !isOnLink(address, link.card)) return false;
    if (!this.#own.has(address) && !isLoopback(address)) this.#heardOthers = true;
    // The host first, so that one that floods does not use up what is there for all.
    return concernsUs(bytes) && this.#rateOfHost(address).take() && this.#rateOf(link).take();
  }

  #rateOf(link: Link): TokenBucket {
    let bucket = this.#cardRates.get(link);
    if (bucket === undefined) {
      bucket = new TokenBucket(...CARD_RATE, this.#options.clock);
      this.#cardRates.set(link, bucket);
    }
    return bucket;
  }

  #rateOfHost(address: string): TokenBucket {
    const bucket =
      this.#hostRates.get(address) ?? new TokenBucket(...HOST_RATE, this.#options.clock);
    // Last used last, so that the first is the one to forget.
    this.#hostRates.delete(address);
    this.#hostRates.set(address, bucket);
    const [oldest] = this.#hostRates.keys();
    if (this.#hostRates.size > MAX_HOSTS && oldest !== undefined) this.#hostRates.delete(oldest);
    return bucket;
  }
}
