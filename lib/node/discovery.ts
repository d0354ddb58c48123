/**
 * Finding servers on the LAN by multicast DNS: no default route, no configuration, and all cards of
 * a host. A server answers at once and says when it leaves; whoever looks for one goes on asking, so
 * that he also finds those that were cut off.
 */
import { asks, QUESTION, sightingsIn, toPacket, type Announcement } from './discovery-records.ts';
import { Links, type Link, type LinkState } from './discovery-links.ts';
import { Registry, type FoundServer, type RegistryEvents } from './discovery-registry.ts';
import { TokenBucket } from '../token-bucket.ts';
import type { PublicKey } from '../crdt/keys.ts';
import { ClchatError } from '../errors.ts';
import {
  isLoopback,
  isWildcard,
  isLinkLocal6,
  listCards,
  parseEndpoint,
  type Card,
  type Endpoint,
} from '../interfaces.ts';
import { systemClock, type Clock } from '../lifecycle.ts';
import { isName } from '../text.ts';

export type { FoundServer };
/** What can be said of the network: whether there are cards, and whether multicast passes. */
export type DiscoveryState = LinkState;

interface CommonOptions {
  /** Only cards of these names or addresses; all by default. */
  readonly interfaces?: readonly string[];
  /** Handed in by tests. */
  readonly cards?: () => readonly Card[];
  readonly clock?: Clock;
}

export interface AdvertiseOptions extends CommonOptions {
  readonly key: PublicKey;
  readonly name: string;
  /**
   * `IP:PORT` each, as they are listened at. A wildcard stands for all cards, also for those that
   * come up later; a server at the loopback is announced to this host only.
   */
  readonly addresses: readonly string[];
}

export interface Advertisement {
  /** Takes a new name or new addresses, and says so on the network. @throws BAD_NAME, BAD_ADDRESS */
  update(changes: { name?: string; addresses?: readonly string[] }): void;
  state(): DiscoveryState;
  /** Says goodbye. */
  stop(): Promise<void>;
}

/** Answers of a server on one card at once, and then a second; one multicast serves all who ask. */
const ANSWER_RATE = [20, 10] as const;
/** When more are asked for, the next answer comes after so long, in milliseconds. */
const LATE_ANSWER_MS = 100;
/** When an announcement is repeated, in milliseconds after the first. */
const REPEAT_MS = 1_000;
/** When a question is put on a card that has come up, and then how often, in milliseconds. */
const QUESTIONS_MS = [0, 100, 300, 1_000] as const;
const QUESTION_EVERY_MS = 3_000;
const TICK_MS = 500;

/**
 * Announces a server on the LAN.
 * @throws BAD_NAME, BAD_ADDRESS
 */
export function advertise(options: AdvertiseOptions): Advertisement {
  const clock = options.clock ?? systemClock;
  const cards = cardsOf(options);
  const rates = new WeakMap<Link, TokenBucket>();
  const late = new Map<Link, { timer: NodeJS.Timeout; due: number }>();
  let name = checkedName(options.name);
  let endpoints = options.addresses.map((address) => parseEndpoint(address));

  const announcementOn = (card: Card): Announcement => ({
    key: options.key,
    name,
    endpoints: endpointsOn(card, endpoints, cards()),
  });
  const announce = (link: Link): void => {
    const announcement = announcementOn(link.card);
    if (announcement.endpoints.length > 0) void link.respond(toPacket(announcement));
  };
  const later = (link: Link, delay: number): void => {
    const due = clock.monotonic() + delay;
    const other = late.get(link);
    if (other !== undefined && other.due <= due) return;
    clearTimeout(other?.timer);
    const timer = setTimeout(() => {
      late.delete(link);
      announce(link);
    }, delay);
    late.set(link, { timer, due });
  };
  const answer = (link: Link): void => {
    let rate = rates.get(link);
    if (rate === undefined) rates.set(link, (rate = new TokenBucket(...ANSWER_RATE, clock)));
    if (rate.take()) announce(link);
    else later(link, LATE_ANSWER_MS);
  };
  const announceTwice = (link: Link): void => {
    announce(link);
    later(link, REPEAT_MS);
  };
  const links = new Links(
    {
      onOpen: announceTwice,
      onPacket: (packet, link) => {
        if (packet.type === 'query' && asks(packet, options.key)) answer(link);
      },
    },
    { cards, clock, wants: (card, all) => endpointsOn(card, endpoints, all).length > 0 },
  );
  return {
    update(changes) {
      const newEndpoints = changes.addresses?.map((address) => parseEndpoint(address));
      name = changes.name === undefined ? name : checkedName(changes.name);
      endpoints = newEndpoints ?? endpoints;
      links.poll();
      links.open().forEach(announceTwice);
    },
    state: () => links.state(),
    async stop() {
      for (const { timer } of late.values()) clearTimeout(timer);
      await links.stop((link) => link.respond(toPacket(announcementOn(link.card), true)));
    },
  };
}

export interface BrowseOptions extends CommonOptions, RegistryEvents {
  /** Ends it. */
  readonly signal?: AbortSignal;
}

export interface Browser {
  /** The servers that are there now. */
  servers(): FoundServer[];
  state(): DiscoveryState;
  stop(): Promise<void>;
}

/**
 * Looks for servers on the LAN until it is stopped. `onFound` is called for each server, and again
 * when its name or its addresses change; `onLost` when it has said goodbye or is not heard any more.
 */
export function browse(options: BrowseOptions): Browser {
  const clock = options.clock ?? systemClock;
  const cards = cardsOf(options);
  const registry = new Registry(options, cards);
  const timers = new Set<NodeJS.Timeout>();
  let stopped: Promise<void> | undefined;

  const ask = (link: Link): void => void link.query(QUESTION);
  const links = new Links(
    {
      onOpen: (link) => {
        for (const delay of QUESTIONS_MS) {
          const timer = setTimeout(() => {
            timers.delete(timer);
            ask(link);
          }, delay);
          timers.add(timer);
        }
      },
      onPacket: (packet, link, from) => {
        if (packet.type !== 'response' || stopped !== undefined) return;
        for (const sighting of sightingsIn(packet))
          if (registry.sighted(sighting, from, clock.monotonic())) ask(link);
      },
    },
    { cards, clock },
  );
  timers.add(setInterval(() => links.open().forEach(ask), QUESTION_EVERY_MS));
  timers.add(setInterval(() => registry.tick(clock.monotonic()), TICK_MS));

  const stop = (): Promise<void> => {
    options.signal?.removeEventListener('abort', onAbort);
    for (const timer of timers) clearTimeout(timer);
    stopped ??= links.stop();
    return stopped;
  };
  const onAbort = (): void => void stop();
  if (options.signal?.aborted === true) onAbort();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  return { servers: () => registry.servers(), state: () => links.state(), stop };
}

function checkedName(name: string): string {
  if (!isName(name)) throw new ClchatError('BAD_NAME');
  return name;
}

function cardsOf({ cards = listCards, interfaces }: CommonOptions): () => readonly Card[] {
  if (interfaces === undefined) return cards;
  const chosen = new Set(interfaces);
  return () => cards().filter(({ name, address }) => chosen.has(name) || chosen.has(address));
}

/** Where a server that listens at `endpoints` can be reached by those in the network of `card`. */
function endpointsOn(
  card: Card,
  endpoints: readonly Endpoint[],
  cards: readonly Card[],
): Endpoint[] {
  const same = [card, ...cards.filter((other) => other.name === card.name && other.family === 6)];
  return endpoints.flatMap((endpoint) => {
    const { ip, family } = endpoint;
    if (isLoopback(ip)) return card.internal && family === 4 ? [endpoint] : [];
    return same
      .filter((own) => own.family === family && !isLinkLocal6(own.address))
      .filter((own) => isWildcard(ip) || own.address === ip)
      .map((own) => ({ ...endpoint, ip: own.address }));
  });
}
