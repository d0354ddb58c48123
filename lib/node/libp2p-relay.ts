/** Reaching peers, straight or through others, and being reached through others. */
import type { Connection as LibConnection, Logger, MultiaddrConnection } from '@libp2p/interface';
import { AbstractMultiaddrConnection } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Relay, Target } from './channel.ts';
import {
  CIRCUIT,
  dialAny,
  firstOf,
  toMultiaddr,
  type Dialer,
  type PeerConnection,
} from './libp2p-connection.ts';
import { limitHandshake, unlimitHandshake } from './libp2p-gate.ts';
import { Puncher } from './libp2p-punch.ts';
import {
  acceptCircuit,
  openCircuit,
  reserve,
  type Circuit,
  type Reservation,
} from './relay/circuits.ts';
import { askObserved } from './relay/observed.ts';
import type { PublicKey } from '../crdt/keys.ts';
import { ClchatError, hasCode, translate } from '../errors.ts';
import { formatEndpoint, parseEndpoint, tryParseEndpoint } from '../interfaces.ts';
import { deadline, sleep, type Clock } from '../lifecycle.ts';

/** What is handed to a circuit at once; Noise makes messages of that size. */
const CHUNK = 64 * 1024;
/** Bytes that may wait in a circuit before the connection on it is told so. */
const CONGESTED = 256 * 1024;
/** Relays of one target that are tried. */
const MAX_RELAYS = 4;
/** Circuits that are being taken here at once, in all and from one peer. */
const MAX_ACCEPTING = 16;
const MAX_ACCEPTING_FROM_ONE = 4;
/** Connections through relays at once. */
const MAX_RELAYED = 64;
/** How long it is not tried again to punch a hole towards one where that was in vain. */
const IN_VAIN_MS = 60_000;
/** Peers that are asked as whom they see this one, and how long they may take, in milliseconds. */
const OBSERVERS = 8;
const OBSERVE_MS = 2_000;

export interface Upgrader {
  /** Makes a connection of a link; with `initiator: false` the other side speaks first. */
  upgradeOutbound(
    link: MultiaddrConnection,
    options: { signal: AbortSignal; initiator?: boolean },
  ): Promise<LibConnection>;
}

export interface WayLimits {
  /** How long a target's own addresses may take before its relays are tried, in milliseconds. */
  readonly directMs: number;
  /** How long a hole in the routers is tried for once there is a relayed connection; 0: not at all. */
  readonly punchMs: number;
}

export interface WaysOptions {
  readonly dialer: Dialer;
  readonly upgrader: Upgrader;
  readonly log: Logger;
  /** All connections that there are. */
  readonly peers: () => Iterable<PeerConnection>;
  readonly limits: WayLimits;
  /** Its monotonic time is used. */
  readonly clock: Clock;
}

/** An address of this peer, `IP:PORT`, and who says so. */
export interface Observed {
  readonly address: string;
  readonly by: PublicKey;
}

export class Ways {
  readonly #options: WaysOptions;
  readonly puncher: Puncher;
  /** To whom no hole could be punched, and when: monotonic milliseconds. */
  readonly #inVain = new Map<PublicKey, number>();
  /** Circuits that are being taken, and from whom each is. */
  readonly #accepting = new Map<number, PublicKey>();
  #lastAccepted = 0;

  constructor(options: WaysOptions) {
    this.#options = options;
    this.puncher = new Puncher({ dialer: options.dialer, tryMs: options.limits.punchMs });
  }

  /** See `Transport.connect`. */
  async connect(target: Target, signal: AbortSignal): Promise<PeerConnection> {
    const { dialer, limits } = this.#options;
    const { key, via = [] } = target;
    if (key === undefined || via.length === 0) return dialAny(dialer, target, signal);
    const failed = new AbortController();
    return firstOf(
      [
        async (over) => {
          try {
            return await dialAny(dialer, target, over);
          } catch (error) {
            failed.abort();
            throw error;
          }
        },
        async (over) => {
          await sleep(limits.directMs, AbortSignal.any([failed.signal, over]));
          return this.#goThrough(via, key, over);
        },
      ],
      signal,
    );
  }

  /**
   * Lets others reach this peer through another one, by the connection to it that there is, or by one
   * of its own.
   * @throws as `connect`; DENIED, RATE_LIMITED, VERSION (it is no relay)
   */
  async reserve(relay: Relay, signal: AbortSignal): Promise<Reservation> {
    const { hop, isOwn } = await this.#reach(relay, signal);
    try {
      const onCircuit = (circuit: number, from: PublicKey): void => {
        if (this.#hasRoomFor(from)) void this.#accept(hop, relay, circuit, from);
      };
      const reservation = await reserve(hop, onCircuit, { signal });
      if (isOwn) reservation.onEnd(() => void hop.close());
      return reservation;
    } catch (error) {
      if (isOwn) void hop.close();
      throw error;
    }
  }

  /** Asks peers that are connected straight as whom they see this one. Never rejects. */
  async observed(): Promise<Observed[]> {
    const straight = [...this.#options.peers()].filter((peer) => peer.path === 'direct');
    const signal = deadline(OBSERVE_MS);
    const answers = await Promise.all(
      straight.slice(0, OBSERVERS).map(async (peer) => {
        const observation = await askObserved(peer, { signal }).catch(() => undefined);
        const endpoint = tryParseEndpoint(observation?.address ?? '');
        return endpoint && { address: formatEndpoint(endpoint), by: peer.remote };
      }),
    );
    return answers.filter((answer) => answer !== undefined);
  }

  /** Through whichever relay is first, and then without it where the routers allow that. */
  async #goThrough(
    via: readonly Relay[],
    key: PublicKey,
    signal: AbortSignal,
  ): Promise<PeerConnection> {
    const relays = via.slice(0, MAX_RELAYS);
    const relayed = await firstOf(
      relays.map((relay) => (over: AbortSignal) => this.#ask(relay, key, over)),
      signal,
    );
    if (this.#options.limits.punchMs === 0 || this.#isInVain(key)) return relayed;
    try {
      const punched = await this.puncher.punch(relayed, signal);
      void relayed.close();
      return punched;
    } catch {
      // The routers do not allow it, or the other side does not know how.
      if (!signal.aborted) this.#inVain.set(key, this.#options.clock.monotonic());
      return relayed;
    }
  }

  #isInVain(key: PublicKey): boolean {
    const now = this.#options.clock.monotonic();
    for (const [other, since] of this.#inVain)
      if (now - since > IN_VAIN_MS) this.#inVain.delete(other);
    return this.#inVain.has(key);
  }

  async #ask(relay: Relay, key: PublicKey, signal: AbortSignal): Promise<PeerConnection> {
    const { hop, isOwn } = await this.#reach(relay, signal);
    try {
      const circuit = await openCircuit(hop, key, { signal });
      const peer = await this.#upgrade(circuit, hop, relay, { signal });
      if (peer.remote !== key) {
        const error = new ClchatError('BAD_MESSAGE', 'the relay leads to somebody else');
        peer.abort(error);
        throw error;
      }
      if (isOwn) peer.onEnd(() => void hop.close());
      return peer;
    } catch (error) {
      if (isOwn) void hop.close();
      if (signal.aborted || hasCode(error, 'BAD_MESSAGE')) throw error;
      throw new ClchatError('NETWORK', undefined, { cause: error });
    }
  }

  #hasRoomFor(from: PublicKey): boolean {
    if (this.#accepting.size >= MAX_ACCEPTING) return false;
    const ofOne = [...this.#accepting.values()].filter((other) => other === from);
    if (ofOne.length >= MAX_ACCEPTING_FROM_ONE) return false;
    const relayed = [...this.#options.peers()].filter(({ path }) => path === 'relayed');
    return relayed.length < MAX_RELAYED;
  }

  async #accept(hop: PeerConnection, relay: Relay, id: number, from: PublicKey): Promise<void> {
    const taken = ++this.#lastAccepted;
    this.#accepting.set(taken, from);
    const signal = deadline(this.#options.dialer.handshakeMs);
    try {
      const circuit = await acceptCircuit(hop, id, { signal });
      await this.#upgrade(circuit, hop, relay, { signal, initiator: false });
    } catch {
      // Whoever has asked for it learns that, and nobody here waits for it.
    } finally {
      this.#accepting.delete(taken);
    }
  }

  async #upgrade(
    circuit: Circuit,
    hop: PeerConnection,
    relay: Relay,
    options: { readonly signal: AbortSignal; readonly initiator?: boolean },
  ): Promise<PeerConnection> {
    const { upgrader, dialer, log } = this.#options;
    const address = toMultiaddr(parseEndpoint(hop.address), `/${CIRCUIT}`);
    const link = new CircuitLink(circuit, address, log);
    limitHandshake(link);
    try {
      const peer = dialer.adopt(await upgrader.upgradeOutbound(link, options));
      peer.relay = { key: relay.key, addresses: [hop.address, ...relay.addresses] };
      return peer;
    } catch (error) {
      link.abort(translate(error, 'CLOSED'));
      throw translate(error, 'CLOSED');
    } finally {
      unlimitHandshake(link);
    }
  }

  async #reach(
    relay: Relay,
    signal: AbortSignal,
  ): Promise<{ readonly hop: PeerConnection; readonly isOwn: boolean }> {
    for (const hop of this.#options.peers()) {
      const isUsable = hop.isDialled && hop.isShared && hop.isOpen;
      if (hop.remote === relay.key && isUsable) return { hop, isOwn: false };
    }
    const hop = await dialAny(this.#options.dialer, relay, signal);
    hop.isShared = false;
    return { hop, isOwn: true };
  }
}

/** What libp2p takes for a socket, made of a circuit. */
class CircuitLink extends AbstractMultiaddrConnection {
  readonly #channel: Circuit['channel'];
  /** Lets more come, where the reader has stopped it. */
  #goOn: (() => void) | undefined;

  constructor(circuit: Circuit, remoteAddr: Multiaddr, log: Logger) {
    // Both sides have opened a channel to the relay.
    super({ remoteAddr, log, direction: 'outbound', maxMessageSize: CHUNK });
    this.#channel = circuit.channel;
    circuit.onFrame((frame) => {
      this.onData(frame);
      if (this.readStatus !== 'paused') return undefined;
      return new Promise<void>((resolve) => (this.#goOn = resolve));
    });
    circuit.channel.onEnd((error) => this.onTransportClosed(error));
  }

  override sendData(data: { byteLength: number; subarray(): Uint8Array }): {
    sentBytes: number;
    canSendMore: boolean;
  } {
    const sentBytes = data.byteLength;
    this.#channel.send(data.subarray());
    const canSendMore = this.#channel.queued < CONGESTED;
    if (!canSendMore) void this.#channel.drained().then(() => this.safeDispatchEvent('drain'));
    return { sentBytes, canSendMore };
  }

  override async sendClose(): Promise<void> {
    await this.#channel.close();
  }

  override sendReset(error: Error): void {
    this.#channel.abort(error);
  }

  override sendPause(): void {
    // The next frame is the last one that is read.
  }

  override sendResume(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }
}
