/**
 * Straight through two routers: both sides learn from the relay between them as whom they are seen
 * from one port of theirs, and then connect from that port to that of the other at the same moment.
 * Each router takes what comes for the answer to what it has just let out. Those that take another
 * port for every destination cannot be passed so.
 */
import { createServer, type AddressInfo } from 'node:net';
import { follow } from './abort.ts';
import type { Channel, Relay } from './channel.ts';
import { toMultiaddr, type Dialer, type PeerConnection } from './libp2p-connection.ts';
import { addressesToTry, askObserved } from './relay/observed.ts';
import {
  FrameQueue,
  PUNCH,
  punchMessage,
  read,
  type Observation,
  type PunchMessage,
} from './relay/wire.ts';
import { encode } from '../crdt/codec.ts';
import type { PublicKey } from '../crdt/keys.ts';
import { ClchatError, hasCode, translate } from '../errors.ts';
import { tryParseEndpoint, type Endpoint } from '../interfaces.ts';
import { deadline, sleep } from '../lifecycle.ts';

/** How long both sides may take until they connect, and each to ask the relay, in milliseconds. */
const PREPARE_MS = 4_000;
const LOOK_MS = 2_500;
/** Both sides try at these intervals, so that tries that were refused meet again, in milliseconds. */
const ROUND_MS = 100;
/**
 * Tries in a round, each as soon as the one before was refused. Routers that let everybody in lead to a
 * host that refuses at once while it does not try itself, so that tries must meet to the millisecond.
 */
const TRIES_IN_A_ROUND = 25;
/** How long one try may take to connect: the system repeats what was lost after one second. */
const TRY_MS = 1_500;
const HANDSHAKE_MS = 3_000;
/** Attempts that other sides have begun here. */
const MAX_SERVED = 8;

export interface PuncherOptions {
  readonly dialer: Dialer;
  /** How long both sides go on trying, in milliseconds. */
  readonly tryMs: number;
}

/** A port here, and as whom the relay sees it. */
interface Spot {
  readonly port: number;
  readonly seen: Observation[];
  close(): void;
}

interface Whom {
  readonly relay: Relay;
  readonly remote: PublicKey;
  /** Where the relay sees it. */
  readonly seen: readonly Observation[];
  /** Whether this side speaks first. */
  readonly isFirst: boolean;
}

export class Puncher {
  readonly #dialer: Dialer;
  readonly #tryMs: number;
  readonly #tried = new WeakSet<PeerConnection>();
  #served = 0;

  constructor({ dialer, tryMs }: PuncherOptions) {
    this.#dialer = dialer;
    this.#tryMs = tryMs;
  }

  /**
   * Makes a direct connection to the peer at the other end of a relayed one, which is left as it is.
   * @throws NETWORK, TIMEOUT, and the others of a channel: it is not possible
   */
  async punch(relayed: PeerConnection, signal: AbortSignal): Promise<PeerConnection> {
    const { relay, remote } = relayed;
    if (relay === undefined) throw new ClchatError('NOT_SUPPORTED');
    const prepared = deadline(PREPARE_MS, signal);
    const channel = await relayed.open(PUNCH, { signal: prepared });
    const frames = new FrameQueue(channel);
    let spot: Spot | undefined;
    try {
      const asked = performance.now();
      say(channel, { type: 'begin' });
      await next(frames, 'ready', prepared);
      const roundTrip = performance.now() - asked;
      spot = await this.#look(relay, prepared);
      say(channel, { type: 'at', seen: spot.seen });
      const { seen } = await next(frames, 'at', prepared);
      say(channel, { type: 'go' });
      await sleep(roundTrip / 2, signal);
      return await this.#connect(spot, { relay, remote, seen, isFirst: true }, signal);
    } finally {
      spot?.close();
      void channel.close();
    }
  }

  /** Serves a channel of `PUNCH` that the peer at the other end of a relayed connection has opened. */
  serve(channel: Channel, peer: PeerConnection): void {
    if (peer.relay === undefined || this.#tryMs === 0)
      return channel.abort(new ClchatError('NOT_SUPPORTED'));
    if (this.#served >= MAX_SERVED || this.#tried.has(peer))
      return channel.abort(new ClchatError('RATE_LIMITED'));
    this.#tried.add(peer);
    this.#served++;
    this.#answer(channel, peer.relay)
      .catch((error: unknown) => channel.abort(translate(error)))
      .finally(() => this.#served--);
  }

  async #answer(channel: Channel, relay: Relay): Promise<void> {
    const frames = new FrameQueue(channel);
    const prepared = deadline(PREPARE_MS);
    await next(frames, 'begin', prepared);
    say(channel, { type: 'ready' });
    const spot = await this.#look(relay, prepared);
    try {
      say(channel, { type: 'at', seen: spot.seen });
      const { seen } = await next(frames, 'at', prepared);
      await next(frames, 'go', prepared);
      // The other side closes the channel once it has what it wants.
      const over = new AbortController();
      channel.onEnd(() => over.abort());
      const { remote } = channel;
      await this.#connect(spot, { relay, remote, seen, isFirst: false }, over.signal);
    } finally {
      spot.close();
    }
  }

  /** Takes a port and asks the relay, by each kind of address that it has, as whom it is seen. */
  async #look(relay: Relay, signal: AbortSignal): Promise<Spot> {
    const limit = deadline(LOOK_MS, signal);
    const port = await freePort();
    const opened: PeerConnection[] = [];
    const seen: Observation[] = [];
    const close = (): void => {
      for (const one of opened) one.abort(new ClchatError('CLOSED'));
    };
    await Promise.all(
      oneOfEachKind(relay.addresses).map(async (endpoint) => {
        try {
          const to = toMultiaddr(endpoint);
          const there = this.#dialer.adopt(
            await this.#dialer.dial(to, { signal: limit, localPort: port }),
          );
          there.isShared = false;
          opened.push(there);
          if (there.remote === relay.key) seen.push(await askObserved(there, { signal: limit }));
        } catch {
          // It may still be seen by the other kind.
        }
      }),
    );
    if (seen.length > 0) return { port, seen, close };
    close();
    throw new ClchatError('NETWORK');
  }

  /** @param signal ends the tries that have not connected */
  async #connect(
    spot: Spot,
    { relay, remote, seen, isFirst }: Whom,
    signal: AbortSignal,
  ): Promise<PeerConnection> {
    const ip = tryParseEndpoint(relay.addresses[0] ?? '')?.ip ?? '';
    const endpoints = addressesToTry(seen, remote, { key: relay.key, ip });
    if (endpoints.length === 0) throw new ClchatError('NETWORK');
    const over = new AbortController();
    const limit = AbortSignal.any([deadline(this.#tryMs, signal), over.signal]);
    const began = performance.now();
    const insist = async (endpoint: Endpoint): Promise<PeerConnection> => {
      for (let tries = 1; ; tries++) {
        try {
          const connection = await this.#try(endpoint, spot.port, isFirst, limit);
          connection.path = 'punched';
          if (connection.remote === remote) return connection;
          connection.abort(new ClchatError('CLOSED'));
          throw new ClchatError('BAD_MESSAGE');
        } catch (error) {
          if (limit.aborted || hasCode(error, 'BAD_MESSAGE')) throw translate(error, 'NETWORK');
        }
        if (tries % TRIES_IN_A_ROUND !== 0) continue;
        const passed = performance.now() - began;
        await sleep((Math.round(passed / ROUND_MS) + 1) * ROUND_MS - passed, limit);
        if (limit.aborted) throw new ClchatError('TIMEOUT');
      }
    };
    try {
      return await Promise.any(
        endpoints.map(async (endpoint) => {
          const connection = await insist(endpoint);
          if (isFirst && over.signal.aborted) connection.abort(new ClchatError('CLOSED'));
          over.abort();
          return connection;
        }),
      );
    } catch {
      throw new ClchatError('NETWORK');
    }
  }

  /**
   * Connects once. The side that speaks first gives up the others when it has one; what has connected
   * on the other side goes on, for only the first one knows which it takes.
   */
  async #try(
    endpoint: Endpoint,
    localPort: number,
    initiator: boolean,
    limit: AbortSignal,
  ): Promise<PeerConnection> {
    if (limit.aborted) throw new ClchatError('TIMEOUT');
    // The socket keeps this signal for life, so it must not be aborted once there is a connection.
    const { own, release } = follow(limit);
    const stop = (): void => own.abort();
    let timer = setTimeout(stop, TRY_MS);
    try {
      return this.#dialer.adopt(
        await this.#dialer.dial(toMultiaddr(endpoint), {
          signal: own.signal,
          localPort,
          initiator,
          onProgress: ({ type }) => {
            if (!type.startsWith('upgrader:encrypt')) return;
            if (!initiator) release();
            clearTimeout(timer);
            timer = setTimeout(stop, HANDSHAKE_MS);
          },
        }),
      );
    } finally {
      clearTimeout(timer);
      release();
    }
  }
}

function say(channel: Channel, message: PunchMessage): void {
  channel.send(encode(message));
}

async function next<T extends PunchMessage['type']>(
  frames: FrameQueue,
  type: T,
  signal: AbortSignal,
): Promise<Extract<PunchMessage, { type: T }>> {
  const message = read(punchMessage, await frames.next(signal));
  if (message.type !== type) throw new ClchatError('BAD_MESSAGE');
  return message as Extract<PunchMessage, { type: T }>;
}

/** A port that nobody uses. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function oneOfEachKind(addresses: readonly string[]): Endpoint[] {
  const endpoints = addresses.flatMap((address) => tryParseEndpoint(address) ?? []);
  return ([4, 6] as const).flatMap((kind) => endpoints.find(({ family }) => family === kind) ?? []);
}
