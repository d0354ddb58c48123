/**
 * A network inside one process, with the bounds and the manners of the real one: what is sent
 * arrives in a later turn of the event loop, a slow reader slows its sender, a peer that reads
 * nothing is cut off. It joins a server to the client of its own administrator.
 */
import { abortReason } from './abort.ts';
import { BaseChannel } from './base-channel.ts';
import type { Channel, Connection, Target, Transport } from './channel.ts';
import { FRAME_HEADER } from './frames.ts';
import type { PublicKey } from '../crdt/keys.ts';
import { ClchatError, translate } from '../errors.ts';

/** Bytes on the way from one end to the other, as of a window of the real network. */
const WINDOW = 256 * 1024;

export interface Loopback {
  /**
   * A peer that reaches, and is reached by, all others that have joined. Its address is its key.
   * @throws PORT_IN_USE when that key has joined already
   */
  join(key: PublicKey): Transport;
}

export function createLoopback(): Loopback {
  const peers = new Map<PublicKey, LoopbackPeer>();
  return {
    join(key) {
      if (peers.has(key)) throw new ClchatError('PORT_IN_USE', 'that peer is here already');
      const peer = new LoopbackPeer(key, peers);
      peers.set(key, peer);
      return peer;
    },
  };
}

class LoopbackPeer implements Transport {
  readonly key: PublicKey;
  readonly handlers = new Map<string, (channel: Channel) => void>();
  readonly connections = new Set<LoopbackConnection>();
  readonly #peers: Map<PublicKey, LoopbackPeer>;

  constructor(key: PublicKey, peers: Map<PublicKey, LoopbackPeer>) {
    this.key = key;
    this.#peers = peers;
  }

  addresses(): string[] {
    return [this.key];
  }

  async connect({ addresses, key }: Target, { signal }: { signal: AbortSignal }) {
    await turn(signal);
    if (this.#peers.get(this.key) !== this) throw new ClchatError('CLOSED');
    const found = addresses
      .map((address) => this.#peers.get(address as PublicKey))
      .filter((peer) => peer !== undefined && peer !== this) as LoopbackPeer[];
    const peer = found.find((other) => key === undefined || other.key === key);
    if (peer !== undefined) return LoopbackConnection.between(this, peer);
    const [other] = found;
    if (other === undefined) throw new ClchatError('NETWORK');
    throw new ClchatError('SERVER_KEY_CHANGED', undefined, {
      data: { expected: key, actual: other.key, address: other.key },
    });
  }

  handle(protocol: string, handler: (channel: Channel) => void): void {
    this.handlers.set(protocol, handler);
  }

  async stop(): Promise<void> {
    if (this.#peers.get(this.key) === this) this.#peers.delete(this.key);
    await Promise.all([...this.connections].map((connection) => connection.close()));
  }
}

class LoopbackConnection implements Connection {
  readonly remote: PublicKey;
  readonly address: string;
  readonly #local: LoopbackPeer;
  readonly #channels = new Set<LoopbackChannel>();
  #endHandlers: (() => void)[] = [];
  #ended = false;
  #other!: LoopbackConnection;

  private constructor(local: LoopbackPeer, remote: LoopbackPeer) {
    this.#local = local;
    this.remote = this.address = remote.key;
    local.connections.add(this);
  }

  static between(local: LoopbackPeer, remote: LoopbackPeer): LoopbackConnection {
    const here = new LoopbackConnection(local, remote);
    const there = new LoopbackConnection(remote, local);
    here.#other = there;
    there.#other = here;
    return here;
  }

  async open(protocol: string, { signal }: { signal: AbortSignal }): Promise<Channel> {
    await turn(signal);
    if (this.#ended) throw new ClchatError('CLOSED');
    const other = this.#other;
    const handler = other.#local.handlers.get(protocol);
    if (handler === undefined) throw new ClchatError('VERSION', undefined, { data: { protocol } });
    const here = this.#carry();
    const there = other.#carry();
    here.join(there);
    there.join(here);
    try {
      handler(there);
    } catch (error) {
      there.abort(translate(error));
    }
    return here;
  }

  onEnd(handler: () => void): void {
    if (this.#ended) queueMicrotask(handler);
    else this.#endHandlers.push(handler);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels].map((channel) => channel.close()));
    this.abort(new ClchatError('CLOSED'));
  }

  abort(error: Error): void {
    this.#end(error);
    setImmediate(() => this.#other.#end(new ClchatError('CLOSED')));
  }

  #carry(): LoopbackChannel {
    const channel = new LoopbackChannel(this.remote, this.address);
    this.#channels.add(channel);
    channel.onEnd(() => this.#channels.delete(channel));
    return channel;
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#local.connections.delete(this);
    for (const channel of this.#channels) channel.abort(error);
    const handlers = this.#endHandlers;
    this.#endHandlers = [];
    queueMicrotask(() => handlers.forEach((handler) => handler()));
  }
}

class LoopbackChannel extends BaseChannel {
  #other!: LoopbackChannel;
  #received: Uint8Array[] = [];
  #receivedBytes = 0;

  join(other: LoopbackChannel): void {
    this.#other = other;
  }

  protected override nextFrame(): Uint8Array | undefined {
    const frame = this.#received.shift();
    if (frame !== undefined) this.#receivedBytes -= FRAME_HEADER + frame.length;
    return frame;
  }

  protected override readMore(): void {
    if (this.#other.queued > 0) this.#other.flushSoon();
  }

  protected override get unaccepted(): number {
    return 0;
  }

  protected override flush(): void {
    const other = this.#other;
    while (other.ended || other.#receivedBytes < WINDOW) {
      const frame = this.outbox.shift();
      if (frame === undefined) break;
      if (other.ended) continue;
      // A copy: on a real network too, nobody can change what has been sent.
      other.#received.push(frame.slice());
      other.#receivedBytes += FRAME_HEADER + frame.length;
    }
    other.received();
  }

  protected override sayEnd(): Promise<void> {
    const other = this.#other;
    if (other.ended) return Promise.resolve();
    setImmediate(() => other.remoteEnd());
    return this.answered((done) => other.onEnd(done));
  }

  protected override sever(): void {
    setImmediate(() => this.#other.end(new ClchatError('CLOSED')));
  }
}

/** A turn of the event loop, as everything on a network takes at least one. */
async function turn(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  if (signal.aborted) throw abortReason(signal);
}
