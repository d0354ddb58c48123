/**
 * The network: one libp2p node with TCP, WebSocket listening, Noise and yamux. The only file that
 * imports libp2p itself.
 */
import './polyfills.ts';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type {
  ComponentLogger,
  Connection as LibConnection,
  Logger,
  Stream,
} from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { Channel, Relay, Transport } from './channel.ts';
import { FrameBudget } from './frames.ts';
import { PeerConnection, toMultiaddr, type Dialer } from './libp2p-connection.ts';
import { Gate, type GateLimits } from './libp2p-gate.ts';
import { guardedYamux, type MuxerLimits } from './libp2p-muxer.ts';
import { fastNoise } from './libp2p-noise.ts';
import { answerPing, PING_PROTOCOL } from './libp2p-ping.ts';
import { Ways, type Observed, type Upgrader, type WayLimits } from './libp2p-relay.ts';
import type { Reservation } from './relay/circuits.ts';
import { tellObserved } from './relay/observed.ts';
import { RelayService, type RelayOptions } from './relay/service.ts';
import { OBSERVE, PUNCH, RELAY } from './relay/wire.ts';
import { concat, fromHex } from '../crdt/bytes.ts';
import { SigningKey } from '../crdt/keys.ts';
import { ClchatError, codeOf, isAbort, translate } from '../errors.ts';
import {
  expandEndpoint,
  formatEndpoint,
  listCards,
  parseEndpoint,
  type Endpoint,
} from '../interfaces.ts';
import { startAll, systemClock, type Clock } from '../lifecycle.ts';

export interface TransportLimits extends GateLimits, MuxerLimits, WayLimits {
  /** How long a peer may take for its handshake, in milliseconds. */
  readonly handshakeMs: number;
  /** How long an address that is dialled may take to show that a peer is there, in milliseconds. */
  readonly dialMs: number;
  /** How long a peer may be connected without a channel, in milliseconds. */
  readonly idleMs: number;
  /**
   * How long a peer may leave a frame unfinished without going on with it, in milliseconds; a few
   * times as long in all.
   */
  readonly stallMs: number;
  /** Channels of one protocol that a peer may have open at once. */
  readonly channels: number;
  /** Bytes of unfinished and untaken frames, of all peers together. */
  readonly heldBytes: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  pending: 1024,
  inbound: 4096,
  inboundPerHost: 1024,
  handshakeMs: 12_000,
  dialMs: 4_500,
  idleMs: 20_000,
  stallMs: 30_000,
  inboundStreams: 32,
  channels: 8,
  heldBytes: 256 << 20,
  directMs: 1_500,
  punchMs: 3_000,
  pingAfterMs: 3_000,
  deadAfterMs: 9_000,
};

export interface TransportOptions {
  /** Secret of the Ed25519 key by which this peer is known, 32 bytes. */
  readonly seed: Uint8Array;
  /** `IP:PORT` each; none for a peer that only dials. Port 0 is any free one. */
  readonly listen: readonly string[];
  /** Where browsers may connect by WebSocket; by default the next free port after each of `listen`. */
  readonly webSocket?: readonly string[];
  readonly limits?: Partial<TransportLimits>;
  /** Its monotonic time judges the silence of peers. */
  readonly clock?: Clock;
}

export interface Libp2pTransport extends Transport {
  /** As `addresses`, but wildcards as they are: for whoever follows the cards himself. */
  listening(): string[];
  /** Addresses (`IP:PORT`) for WebSockets, wildcards expanded. */
  webSocketAddresses(): string[];
  /** Serves as a relay from now on, until it stops. To be called once. */
  serveRelay(options?: RelayOptions): RelayService;
  /**
   * Lets others reach this peer through a relay, for as long as the connection to it lasts.
   * @throws as `connect`; DENIED, RATE_LIMITED, VERSION (it is no relay)
   */
  reserve(relay: Relay, options: { signal: AbortSignal }): Promise<Reservation>;
  /**
   * As whom peers that are connected straight see this one; those that do not answer in time are
   * left out. To one that has connected that is the address by which it has come.
   */
  observedAddresses(): Promise<Observed[]>;
  check(): void;
}

/** Ports after the one of `listen` that are tried for WebSockets. */
const WEB_SOCKET_TRIES = 16;
const SWEEP_MS = 5_000;
const HELD_UP_PERIODS = 3;
/** Channels to a relay that a peer may have open at once on one connection. */
const RELAY_CHANNELS = 24;

/**
 * Starts a peer.
 * @throws BAD_ADDRESS, PORT_IN_USE, DATA_CORRUPT (the seed is none)
 */
export function createTransport(options: TransportOptions): Promise<Libp2pTransport> {
  return startAll(async (lifecycle) => {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const clock = options.clock ?? systemClock;
    const signingKey = new SigningKey(options.seed);
    const listen = options.listen.map((text) => parseEndpoint(text, { listen: true }));
    const webSocket = options.webSocket?.map((text) => parseEndpoint(text, { listen: true }));

    const muxer = guardedYamux(limits, clock);
    lifecycle.add('liveness check', muxer.stop);
    const gate = new Gate(limits);
    const { node, transportManager, upgrader } = await assemble(
      signingKey,
      limits,
      gate,
      muxer.factory,
      listen.length > 0 && webSocket?.length !== 0,
    );
    const budget = new FrameBudget(limits.heldBytes);
    const peers = new Map<LibConnection, PeerConnection>();
    node.addEventListener('connection:open', ({ detail }) => {
      try {
        peers.set(detail, new PeerConnection(detail, clock, budget));
      } catch (error) {
        detail.abort(translate(error));
      }
    });
    node.addEventListener('connection:close', ({ detail }) => peers.delete(detail));
    // Nothing is to be remembered of those who have left.
    node.addEventListener('peer:disconnect', ({ detail }) => {
      node.peerStore.delete(detail).catch(() => undefined);
    });

    await lifecycle.start(
      'network node',
      () => node.start(),
      () => node.stop(),
    );
    lifecycle.add('connections', async () => {
      gate.shut();
      await Promise.all([...peers.values()].map((peer) => peer.close()));
    });
    const adopt = (connection: LibConnection): PeerConnection => {
      const peer = peers.get(connection);
      if (peer === undefined) throw new ClchatError('CLOSED');
      return peer;
    };
    await node.handle(PING_PROTOCOL, answerPing, { maxInboundStreams: 1 });
    const listening = await listenAt(transportManager, listen);
    const browsers =
      webSocket === undefined
        ? await listenNextTo(transportManager, listening)
        : await listenAt(transportManager, webSocket, '/ws');

    const period = Math.min(SWEEP_MS, limits.idleMs / 2, limits.stallMs / 2);
    let swept = clock.monotonic();
    const sweep = setInterval(() => {
      const since = clock.monotonic() - swept;
      swept += since;
      // When this process itself was held up, what the peers sent meanwhile is still to be read.
      if (since > HELD_UP_PERIODS * period) return;
      for (const peer of peers.values()) peer.sweep(limits);
    }, period);
    sweep.unref();
    lifecycle.add('sweep', () => clearInterval(sweep));

    const dialer: Dialer = {
      dial: (to, how) => transportManager.dial(to, how),
      adopt,
      answerMs: limits.dialMs,
      handshakeMs: limits.handshakeMs,
    };
    const all = (): Iterable<PeerConnection> => peers.values();
    const ways = new Ways({ dialer, upgrader, limits, clock, log: quiet, peers: all });
    const serve = (
      protocol: string,
      handler: (channel: Channel, peer: PeerConnection) => void,
      maxInboundStreams: number,
    ): Promise<void> =>
      node.handle(
        protocol,
        (stream: Stream, connection: LibConnection) => {
          serveStream(() => adopt(connection), stream, handler);
        },
        { force: true, maxInboundStreams, runOnLimitedConnection: true },
      );
    await serve(OBSERVE, (channel) => tellObserved(channel, signingKey), 1);
    await serve(PUNCH, (channel, peer) => ways.puncher.serve(channel, peer), 1);

    return {
      key: signingKey.public,
      addresses: () => expandAll(listening),
      listening: () => listening.map(formatEndpoint),
      webSocketAddresses: () => expandAll(browsers),
      connect: (target, { signal }) => ways.connect(target, signal),
      handle(protocol, handler) {
        serve(protocol, (channel) => handler(channel), limits.channels).catch(() => undefined);
      },
      serveRelay(options) {
        const service = new RelayService({ clock, ...options });
        lifecycle.add('relay', () => service.stop());
        const take = (channel: Channel, peer: PeerConnection): void => {
          if (peer.path === 'relayed') throw new ClchatError('DENIED');
          service.serve(channel);
        };
        serve(RELAY, take, RELAY_CHANNELS).catch(() => undefined);
        return service;
      },
      reserve: (relay, { signal }) => ways.reserve(relay, signal),
      observedAddresses: () => ways.observed(),
      check: muxer.check,
      async stop() {
        await lifecycle.stop();
      },
    };
  });
}

async function assemble(
  { seed, public: key }: SigningKey,
  limits: TransportLimits,
  gate: Gate,
  muxer: ReturnType<typeof guardedYamux>['factory'],
  listens: boolean,
) {
  const maxConnections = limits.pending + limits.inbound;
  const transports = [tcp({ maxConnections, backlog: 1024 })];
  let parts: { transportManager: TransportManager; upgrader: Upgrader } | undefined;
  const node = await createLibp2p({
    start: false,
    // With the public key, which libp2p would take longer to derive than all else of a start.
    privateKey: privateKeyFromRaw(concat(seed, fromHex(key))),
    logger: silence,
    transports: listens
      ? [
          ...transports,
          // Loaded only by those who listen, for a quicker start of all others.
          (await import('./libp2p-websocket.ts')).webSocketListening({
            maxConnections,
            requestMs: limits.handshakeMs,
          }),
        ]
      : transports,
    connectionEncrypters: [fastNoise()],
    streamMuxers: [muxer],
    connectionGater: gate,
    // The gate does this, by more than numbers.
    connectionManager: {
      maxConnections: Infinity,
      maxIncomingPendingConnections: Infinity,
      inboundConnectionThreshold: Infinity,
      inboundUpgradeTimeout: limits.handshakeMs,
      inboundStreamProtocolNegotiationTimeout: limits.handshakeMs,
    },
    connectionMonitor: { enabled: false },
    services: {
      // Answers those who ask; asks nobody, since nothing here depends on it.
      identify: identify({ runOnConnectionOpen: false }),
      // The only way to libp2p's parts: dialling by them spares the dial queue and the peer store.
      internals: ({ transportManager, upgrader }) => (parts = { transportManager, upgrader }),
    },
  });
  if (parts === undefined) throw new ClchatError('INTERNAL');
  return { node, ...parts };
}

interface TransportManager {
  dial: Dialer['dial'];
  listen(addresses: Multiaddr[]): Promise<void>;
  getListeners(): { getAddrs(): Multiaddr[] }[];
}

async function listenAt(
  manager: TransportManager,
  endpoints: readonly Endpoint[],
  suffix = '',
): Promise<Endpoint[]> {
  const listening: Endpoint[] = [];
  for (const endpoint of endpoints) {
    const before = new Set(manager.getListeners());
    try {
      await manager.listen([toMultiaddr(endpoint, suffix)]);
    } catch (error) {
      throw listenError(error, endpoint);
    }
    const listener = manager.getListeners().find((other) => !before.has(other));
    const [, port] = listener?.getAddrs()[0]?.getComponents() ?? [];
    listening.push({
      ...endpoint,
      port: endpoint.port === 0 ? Number(port?.value) : endpoint.port,
    });
  }
  return listening;
}

/** A WebSocket port after each endpoint's own; none is no failure, since few need it. */
async function listenNextTo(
  manager: TransportManager,
  endpoints: readonly Endpoint[],
): Promise<Endpoint[]> {
  const found: Endpoint[] = [];
  for (const endpoint of endpoints)
    for (let port = endpoint.port + 1; port <= endpoint.port + WEB_SOCKET_TRIES; port++) {
      try {
        found.push(...(await listenAt(manager, [{ ...endpoint, port }], '/ws')));
        break;
      } catch (error) {
        if (codeOf(error) !== 'PORT_IN_USE' && codeOf(error) !== 'BAD_ADDRESS') throw error;
      }
    }
  return found;
}

/** libp2p puts the system's error into the text of its own. */
const SYSTEM_CODE = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES|EPERM|EINVAL|EAFNOSUPPORT)\b/;

function listenError(error: unknown, endpoint: Endpoint): Error {
  if (isAbort(error)) return error as Error;
  const code = SYSTEM_CODE.exec(String(error))?.[1];
  const address = formatEndpoint(endpoint);
  const details = { cause: error, data: { address } };
  if (code === 'EADDRINUSE')
    return new ClchatError('PORT_IN_USE', `${address} is in use by another program.`, details);
  if (code === 'EACCES' || code === 'EPERM')
    return new ClchatError('BAD_ADDRESS', `Listening at ${address} is not allowed.`, details);
  if (code !== undefined)
    return new ClchatError(
      'BAD_ADDRESS',
      `This host does not have the address ${address}.`,
      details,
    );
  return translate(error, 'NETWORK');
}

function expandAll(endpoints: readonly Endpoint[]): string[] {
  const cards = listCards();
  return endpoints.flatMap((endpoint) => expandEndpoint(endpoint, cards)).map(formatEndpoint);
}

function serveStream(
  adopt: () => PeerConnection,
  stream: Stream,
  handler: (channel: Channel, peer: PeerConnection) => void,
): void {
  let channel: Channel;
  let peer: PeerConnection;
  try {
    peer = adopt();
    channel = peer.carry(stream);
  } catch (error) {
    return stream.abort(translate(error));
  }
  try {
    handler(channel, peer);
  } catch (error) {
    channel.abort(translate(error));
  }
}

/** libp2p makes a logger for every connection and stream; these cost nothing. */
const quiet: Logger = Object.assign(() => undefined, {
  error: () => undefined,
  trace: () => undefined,
  enabled: false,
  newScope: () => quiet,
});
const silence: ComponentLogger = { forComponent: () => quiet };
