/**
 * What the protocols need of a transport, and no more: framed, bounded, authenticated duplex
 * channels. Implemented over libp2p (`libp2p.ts`), inside one process (`loopback.ts`) and by the
 * simulated network of the tests, so that the same protocol code runs over each.
 */
import type { PublicKey } from '../crdt/keys.ts';

/** The largest frame either side may send, in bytes. A longer one ends the channel. */
export const MAX_FRAME = 1 << 20;

/** Bytes that may wait in a channel to be written before it counts as congested. */
export const SEND_WINDOW = 4 << 20;

/**
 * How a connection runs: straight to the peer, through another peer that passes it on, or straight
 * through gateways at which both sides have opened a way at the same moment.
 */
export type Path = 'direct' | 'relayed' | 'punched';

export interface Channel {
  /** Ed25519 public key of the peer at the other end, proved by the transport. */
  readonly remote: PublicKey;
  /** Address of the peer as text, for people and logs only. */
  readonly address: string;
  /** `direct` where absent. */
  readonly path?: Path;
  /**
   * Queues one frame. Never throws and never blocks: after the end of the channel it does nothing,
   * and a queue of more than `SEND_WINDOW` bytes plus one frame aborts the channel with
   * RATE_LIMITED (senders that care look at `queued` first).
   */
  send(frame: Uint8Array): void;
  /** Bytes queued and not yet taken by the network. */
  readonly queued: number;
  /** Resolves when `queued` is back to zero or the channel has ended. */
  drained(): Promise<void>;
  /**
   * Takes the frames, in order, one call a frame; the channel reads no further while the returned
   * promise is pending, so a slow reader slows the sender. May be set once, synchronously after the
   * channel was obtained.
   */
  onFrame(handler: (frame: Uint8Array) => void | Promise<void>): void;
  /** Called once, when the channel has ended for whatever reason. */
  onEnd(handler: (error: Error | undefined) => void): void;
  readonly ended: boolean;
  /** Sends what is queued, then ends the channel. Never rejects. */
  close(): Promise<void>;
  /** Ends the channel at once, dropping what is queued. */
  abort(error: Error): void;
}

/** A peer that others are reached through, who cannot be reached themselves. */
export interface Relay {
  /** As of a target. */
  readonly addresses: readonly string[];
  readonly key: PublicKey;
}

/** A place where a peer may be reached. */
export interface Target {
  /** Addresses to try: `IP:PORT` (IPv6 as `[IP]:PORT`). */
  readonly addresses: readonly string[];
  /** The key the peer must prove; absent when it is not known yet. */
  readonly key?: PublicKey | undefined;
  /** Peers at which it has a reservation; of use only where its `key` is known. */
  readonly via?: readonly Relay[] | undefined;
}

/** A connection to one peer over which channels are opened, one a protocol. */
export interface Connection {
  readonly remote: PublicKey;
  readonly address: string;
  /** `direct` where absent. */
  readonly path?: Path;
  /** @throws TIMEOUT, CLOSED, VERSION (the peer does not speak `protocol`) */
  open(protocol: string, options: { signal: AbortSignal }): Promise<Channel>;
  onEnd(handler: () => void): void;
  close(): Promise<void>;
  abort(error: Error): void;
}

export interface Transport {
  /** This peer's own key. */
  readonly key: PublicKey;
  /** Addresses (`IP:PORT`) at which this peer listens, wildcards expanded. */
  addresses(): string[];
  /**
   * Connects to a peer. Addresses are tried in parallel; the first that proves the key wins. Where
   * they fail or take long, those peers are asked through which it may be reached, and a relayed
   * connection is given up for a straight one where the routers between allow it.
   * @throws NETWORK, TIMEOUT, SERVER_KEY_CHANGED (somebody answered with another key than `key`),
   *   BAD_MESSAGE (what answers is no peer of ours)
   */
  connect(target: Target, options: { signal: AbortSignal }): Promise<Connection>;
  /**
   * Lets others reach this peer through a relay, for as long as the connection to it lasts; absent
   * where there is nothing to be reached through.
   * @throws as `connect`; DENIED, RATE_LIMITED, VERSION (it is no relay)
   */
  reserve?(
    relay: Relay,
    options: { signal: AbortSignal },
  ): Promise<{ onEnd(handler: () => void): void }>;
  /** Ends the connections whose peers do not answer at once; absent where they cannot be lost unawares. */
  check?(): void;
  /** Serves a protocol. The handler must attach `onFrame` synchronously; what it throws ends the channel. */
  handle(protocol: string, handler: (channel: Channel) => void): void;
  stop(): Promise<void>;
}
