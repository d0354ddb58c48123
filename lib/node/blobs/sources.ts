/** Ways to the peers that may hold a blob, and how they are taken one after the other. */
import { isPublicKey } from '../../crdt/keys.ts';
import { ClchatError, codeOf, translate } from '../../errors.ts';
import {
  formatEndpoint,
  isLoopback,
  listCards,
  nearestFirst,
  tryParseEndpoint,
  type Card,
} from '../../interfaces.ts';
import { deadline, sleep } from '../../lifecycle.ts';
import { abortReason } from '../abort.ts';
import type { Target, Transport } from '../channel.ts';
import { Exchange } from '../exchange.ts';
import { BLOB, type BlobExchange } from './wire.ts';

/** A peer that may hold blobs, connected. */
export interface Source {
  readonly exchange: BlobExchange;
  /** Nothing more is wanted of it. */
  readonly release: () => void;
}

/**
 * Gives a peer that was not given yet, or whose connection was lost since; undefined where there is
 * none for now. Asked again whenever one given before has ended.
 * @throws what kept all of them from being reached; an AbortError
 */
export type NextSource = (signal: AbortSignal) => Promise<Source | undefined>;

/** A way to a peer. @throws what keeps it from being reached */
export type Way = (signal: AbortSignal) => Promise<Source>;

/** How long a connection may take to come about, in milliseconds. */
const CONNECT_MS = 8_000;
/** Waits before a connection that was lost is made again, in milliseconds; the last one repeats. */
const BACKOFF_MS = [300, 1_000, 3_000];
/** How often that is tried in all. */
const MAX_LOSSES = 8;

/**
 * Connects to a peer for blobs only, so that they hold up nothing else on the way to it.
 * @param target with the key of the device or server that is meant
 * @throws as `Transport.connect`; VERSION when it serves no blobs
 */
export async function connectSource(
  transport: Pick<Transport, 'connect'>,
  target: Target,
  signal: AbortSignal,
): Promise<Source> {
  const bounded = deadline(CONNECT_MS, signal);
  const connection = await transport.connect(target, { signal: bounded });
  try {
    const channel = await connection.open(BLOB.name, { signal: bounded });
    const exchange: BlobExchange = new Exchange(channel, BLOB, { methods: {}, notices: {} });
    connection.onEnd(() => exchange.abort(new ClchatError('CLOSED')));
    exchange.onEnd(() => connection.abort(new ClchatError('CLOSED')));
    return { exchange, release: () => void exchange.close() };
  } catch (error) {
    connection.abort(new ClchatError('CLOSED'));
    throw error;
  }
}

/** The way to a peer that may be reached at these addresses. */
export function wayTo(transport: Pick<Transport, 'connect'>, { addresses, key }: Target): Way {
  return (signal) => {
    const near = nearestFirst(addresses, listCards());
    return connectSource(transport, { addresses: near, key }, signal);
  };
}

/** Addresses of one device that others are told. */
const MAX_ADDRESSES = 8;

/**
 * Where a server lets others try to reach a device, of the addresses (`IP:PORT`) that the device
 * tells. It might tell those of any host, to have it dialled by everybody: so only those count that
 * are of the host from which it has come, which for one on the server's own host, or in its very
 * process, are the server's.
 * @param seen the address from which it has come to the server
 * @param cards of the server's host
 */
export function reachableAt(
  told: readonly string[],
  seen: string,
  cards: readonly Card[],
): string[] {
  const ip = tryParseEndpoint(seen)?.ip.replace(MAPPED, '') ?? '';
  const here = new Set(cards.map(({ address }) => address));
  // Within a process an address is a key.
  const isHere = isLoopback(ip) || here.has(ip) || isPublicKey(seen);
  const good = told
    .map((text) => tryParseEndpoint(text))
    .filter((endpoint) => endpoint !== undefined)
    .filter((endpoint) => endpoint.ip === ip || (isHere && here.has(endpoint.ip)))
    .map(formatEndpoint);
  return [...new Set(good)].slice(0, MAX_ADDRESSES);
}

/** An address of IPv4 as it is seen by IPv6. */
const MAPPED = /^::ffff:(?=\d+\.)/;

interface Road {
  readonly way: Way;
  /** Its peer has been given and not been lost since, or there is none to be had. */
  isClosed: boolean;
  losses: number;
}

/**
 * Takes ways in turn, the best first. One that leads nowhere is not taken again; one whose
 * connection is lost is, a few times.
 */
export function inTurn(ways: readonly Way[]): NextSource {
  const roads = ways.map((way): Road => ({ way, isClosed: false, losses: 0 }));
  let wasReached = false;
  let failure: Error | undefined;

  const take = async (road: Road, signal: AbortSignal): Promise<Source | undefined> => {
    road.isClosed = true;
    try {
      const { exchange, release } = await road.way(signal);
      let isReleased = false;
      exchange.onEnd(() => {
        road.losses++;
        road.isClosed = isReleased || road.losses > MAX_LOSSES;
      });
      wasReached = true;
      return {
        exchange,
        release: () => {
          isReleased = true;
          release();
        },
      };
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      failure ??= translate(error);
      if (road.losses === 0 || codeOf(error) === 'VERSION') return undefined;
      road.losses++;
      road.isClosed = road.losses > MAX_LOSSES;
      return undefined;
    }
  };

  return async (signal) => {
    for (;;) {
      const open = roads.filter(({ isClosed }) => !isClosed);
      if (open.length === 0) break;
      const losses = Math.min(...open.map((road) => road.losses));
      if (losses > 0) await sleep(BACKOFF_MS[Math.min(losses, BACKOFF_MS.length) - 1]!, signal);
      if (signal.aborted) throw abortReason(signal);
      for (const road of open.filter((other) => other.losses === losses)) {
        const source = await take(road, signal);
        if (source !== undefined) return source;
      }
    }
    if (!wasReached && failure !== undefined) throw failure;
    return undefined;
  };
}
