/** A libp2p connection as the protocols see it, and how it comes about by dialling. */
import type { Connection as LibConnection, Stream } from '@libp2p/interface';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { abortReason, afterAwake, follow } from './abort.ts';
import type { Connection, Path, Relay, Target } from './channel.ts';
import type { FrameBudget } from './frames.ts';
import { hostOf } from './libp2p-gate.ts';
import { SPEAKS_NOISE } from './libp2p-noise.ts';
import { StreamChannel } from './libp2p-channel.ts';
import { toHex } from '../crdt/bytes.ts';
import type { PublicKey } from '../crdt/keys.ts';
import { ClchatError, codeOf, hasCode, translate, type ErrorCode } from '../errors.ts';
import { formatEndpoint, tryParseEndpoint, type Endpoint } from '../interfaces.ts';
import { sleep, type Clock } from '../lifecycle.ts';

/** Addresses of one target that are tried. */
const MAX_ADDRESSES = 16;
/** By how much addresses of IPv4 go first where there are both, in milliseconds. */
const HEAD_START_MS = 200;
/** How long the end of a connection may take, in milliseconds. */
const CLOSE_MS = 1_000;
/** What ends the address of a peer that is reached through the one before it. */
export const CIRCUIT = 'p2p-circuit';
/** Channels of one protocol that may be open at once on a connection from here. */
const MAX_CHANNELS = 64;

export class PeerConnection implements Connection {
  readonly remote: PublicKey;
  readonly address: string;
  /** Set by whoever has punched the hole. */
  path: Path;
  /** The peer in between; set by whoever has asked for the circuit or accepted it. */
  relay: Relay | undefined;
  /** False for one that ends with what it was made for. */
  isShared = true;
  readonly #connection: LibConnection;
  readonly #budget: FrameBudget;
  readonly #clock: Clock;
  readonly #channels = new Set<StreamChannel>();
  /** Since when there is no channel, where there is none: monotonic milliseconds. */
  #emptySince: number;

  constructor(connection: LibConnection, clock: Clock, budget: FrameBudget) {
    this.#connection = connection;
    this.#budget = budget;
    this.#clock = clock;
    this.#emptySince = clock.monotonic();
    this.remote = keyOf(connection);
    this.address = addressOf(connection.remoteAddr);
    const parts = connection.remoteAddr.getComponents();
    this.path = parts.some(({ name }) => name === CIRCUIT) ? 'relayed' : 'direct';
  }

  get isOpen(): boolean {
    return this.#connection.status === 'open';
  }

  /** Whether its address is one at which the peer can be dialled. */
  get isDialled(): boolean {
    return this.path === 'direct' && this.#connection.direction === 'outbound';
  }

  /** Ends what a peer that came only keeps occupied: a connection without use, unfinished frames. */
  sweep({ idleMs, stallMs }: { readonly idleMs: number; readonly stallMs: number }): void {
    if (this.#connection.direction !== 'inbound') return;
    if (this.#channels.size === 0 && this.#clock.monotonic() - this.#emptySince > idleMs)
      return this.abort(new ClchatError('TIMEOUT'));
    for (const channel of this.#channels) channel.checkProgress(stallMs);
  }

  async open(protocol: string, { signal }: { signal: AbortSignal }): Promise<StreamChannel> {
    if (signal.aborted) throw abortReason(signal);
    const { own, release } = follow(signal);
    try {
      return this.carry(
        await this.#connection.newStream(protocol, {
          signal: own.signal,
          maxOutboundStreams: MAX_CHANNELS,
          runOnLimitedConnection: true,
        }),
      );
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      if (error instanceof Error && error.name === 'UnsupportedProtocolError')
        throw new ClchatError('VERSION', undefined, { cause: error, data: { protocol } });
      throw translate(error, 'CLOSED');
    } finally {
      release();
    }
  }

  /** Makes a channel of a stream on this connection. */
  carry(stream: Stream): StreamChannel {
    const channel = new StreamChannel(stream, {
      remote: this.remote,
      address: this.address,
      host: hostOf(this.#connection),
      path: this.path,
      budget: this.#budget,
      clock: this.#clock,
    });
    this.#channels.add(channel);
    channel.onEnd(() => {
      this.#channels.delete(channel);
      this.#emptySince = this.#clock.monotonic();
    });
    return channel;
  }

  onEnd(handler: () => void): void {
    if (this.#connection.status === 'open')
      this.#connection.addEventListener('close', () => handler(), { once: true });
    else queueMicrotask(handler);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels].map((channel) => channel.close()));
    try {
      await this.#connection.close({ signal: AbortSignal.timeout(CLOSE_MS) });
    } catch (error) {
      this.abort(translate(error, 'CLOSED'));
    }
  }

  abort(error: Error): void {
    for (const channel of this.#channels) channel.abort(error);
    this.#connection.abort(error);
  }
}

/** The gate lets only Ed25519 keys through. */
export function keyOf(connection: LibConnection): PublicKey {
  const key = connection.remotePeer.publicKey;
  if (key?.type !== 'Ed25519') throw new ClchatError('BAD_MESSAGE', 'a key of an unknown kind');
  return toHex(key.raw) as PublicKey;
}

export function toMultiaddr({ ip, family, port }: Endpoint, suffix = ''): Multiaddr {
  return multiaddr(`/ip${family}/${ip}/tcp/${port}${suffix}`);
}

function addressOf(address: Multiaddr): string {
  const [host, port] = address.getComponents();
  return formatEndpoint({ ip: host?.value ?? '', port: Number(port?.value) });
}

export interface DialOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (event: { readonly type: string }) => void;
  /** Any when left out. */
  readonly localPort?: number;
  /** False where the other side dials, too, and is to speak first. */
  readonly initiator?: boolean;
}

export interface Dialer {
  dial(address: Multiaddr, options: DialOptions): Promise<LibConnection>;
  /** The connection that `dial` has made, as ours. */
  adopt(connection: LibConnection): PeerConnection;
  /** How long an address may take to answer, and then to finish its handshake, in milliseconds. */
  readonly answerMs: number;
  readonly handshakeMs: number;
}

/** Tries all addresses of a target at once; see `Transport.connect`. */
export async function dialAny(
  dialer: Dialer,
  target: Target,
  signal: AbortSignal,
): Promise<PeerConnection> {
  const endpoints = new Map<string, Endpoint>();
  for (const address of target.addresses) {
    const endpoint = tryParseEndpoint(address);
    if (endpoint !== undefined && endpoints.size < MAX_ADDRESSES)
      endpoints.set(formatEndpoint(endpoint), endpoint);
  }
  if (endpoints.size === 0 && !signal.aborted) throw new ClchatError('BAD_ADDRESS');
  const all = [...endpoints.values()];
  // Who comes by IPv4 can be told to those who have nothing else.
  let first = all.filter(({ family }) => family === 4).length;
  const without = new AbortController();
  if (first === 0) without.abort();
  const tries = all.map((endpoint) => async (over: AbortSignal) => {
    if (endpoint.family === 6) await sleep(HEAD_START_MS, AbortSignal.any([over, without.signal]));
    try {
      return await dialOne(dialer, endpoint, target.key, over);
    } finally {
      if (endpoint.family === 4 && --first === 0) without.abort();
    }
  });
  return firstOf(tries, signal);
}

/**
 * The connection of whichever is first; the others are given up.
 * @throws of the errors of all the most telling one
 */
export async function firstOf(
  tries: readonly ((over: AbortSignal) => Promise<PeerConnection>)[],
  signal: AbortSignal,
): Promise<PeerConnection> {
  if (signal.aborted) throw abortReason(signal);
  const { own: over, release } = follow(signal);
  try {
    return await Promise.any(
      tries.map(async (begin) => {
        const connection = await begin(over.signal);
        if (over.signal.aborted) {
          connection.abort(new ClchatError('CLOSED', 'another way was faster'));
          throw new ClchatError('CLOSED');
        }
        over.abort();
        return connection;
      }),
    );
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    throw mostTelling((error as AggregateError).errors as Error[]);
  } finally {
    release();
    over.abort();
  }
}

async function dialOne(
  dialer: Dialer,
  endpoint: Endpoint,
  key: PublicKey | undefined,
  over: AbortSignal,
): Promise<PeerConnection> {
  // The socket keeps this signal for life, so it must not be aborted once the dial is done.
  const { own: abort, release } = follow(over);
  const stop = (): void => abort.abort();
  let cancel = afterAwake(dialer.answerMs, stop);
  let connected = false;
  try {
    const connection = dialer.adopt(
      await dialer.dial(toMultiaddr(endpoint), {
        signal: abort.signal,
        onProgress: ({ type }) => {
          if (type === 'upgrader:encrypt-outbound-connection') connected = true;
          if (type !== SPEAKS_NOISE) return;
          // A server that a crowd is joining takes its time.
          cancel();
          cancel = afterAwake(dialer.handshakeMs, stop);
        },
      }),
    );
    if (key === undefined || connection.remote === key) return connection;
    const changed = new ClchatError('SERVER_KEY_CHANGED', undefined, {
      data: { expected: key, actual: connection.remote, address: connection.address },
    });
    connection.abort(changed);
    throw changed;
  } catch (error) {
    if (hasCode(error, 'SERVER_KEY_CHANGED')) throw error;
    throw new ClchatError(dialCode(connected, abort.signal.aborted, error), undefined, {
      cause: error,
      data: { address: formatEndpoint(endpoint) },
    });
  } finally {
    cancel();
    release();
  }
}

/** Hung up without a word, or at the end: it is there, but takes nobody, or us not. */
const HUNG_UP = /ECONNRESET|EPIPE|reading 0\/1 bytes/;

function dialCode(connected: boolean, late: boolean, error: unknown): ErrorCode {
  if (late) return 'TIMEOUT';
  const hungUp = hasCode(error, 'CLOSED') || HUNG_UP.test(String(error));
  return !connected || hungUp ? 'NETWORK' : 'BAD_MESSAGE';
}

const TELLING: readonly ErrorCode[] = ['SERVER_KEY_CHANGED', 'BAD_MESSAGE', 'NETWORK', 'TIMEOUT'];

function mostTelling(errors: readonly Error[]): Error {
  for (const code of TELLING) {
    const found = errors.find((error) => codeOf(error) === code);
    if (found !== undefined) return found;
  }
  return errors[0] ?? new ClchatError('NETWORK');
}
