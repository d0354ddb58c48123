/**
 * A simulated network behind the `Transport` interface: delays, loses connections, duplicates and
 * reorders frames, partitions hosts, all from one seed and on timers that a test may own.
 */
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { ClchatError } from '../../lib/errors.ts';
import type { Channel, Connection, Target, Transport } from '../../lib/node/channel.ts';
import { MAX_FRAME, SEND_WINDOW } from '../../lib/node/channel.ts';
import type { Random } from './random.ts';

export interface Weather {
  /** Least and greatest delay of a frame, in milliseconds. */
  delay: [number, number];
  /** Chance of a frame to take the connection with it. */
  loss: number;
  /** Chance of a frame to come twice, and to come late. */
  duplicate: number;
  reorder: number;
}

const RETRANSMIT_MS = 200;

export const CALM: Weather = { delay: [1, 2], loss: 0, duplicate: 0, reorder: 0 };

export class SimulatedNetwork {
  readonly random: Random;
  weather: Weather;
  readonly #hosts = new Map<string, SimulatedTransport>();
  /** Hosts that are cut off from all others. */
  readonly #cut = new Set<string>();

  constructor(random: Random, weather: Weather = CALM) {
    this.random = random;
    this.weather = weather;
  }

  /** A host at an address. One that was there before must have been stopped. */
  join(address: string, key: PublicKey): SimulatedTransport {
    const transport = new SimulatedTransport(this, address, key);
    this.#hosts.set(address, transport);
    return transport;
  }

  leave(transport: SimulatedTransport): void {
    if (this.#hosts.get(transport.address) === transport) this.#hosts.delete(transport.address);
  }

  at(address: string): SimulatedTransport | undefined {
    return this.#hosts.get(address);
  }

  /**
   * Lets nothing through to and from a host, silently. Connections outlast it where it is short, and
   * lose nothing by it; where it is long, those who use them give them up.
   */
  cut(address: string): void {
    this.#cut.add(address);
  }

  restore(address: string): void {
    this.#cut.delete(address);
  }

  reaches(a: string, b: string): boolean {
    return !this.#cut.has(a) && !this.#cut.has(b);
  }

  delay(): number {
    const [least, most] = this.weather.delay;
    return least + this.random.next() * (most - least);
  }
}

class SimulatedChannel implements Channel {
  readonly remote: PublicKey;
  readonly address: string;
  queued = 0;
  ended = false;
  peer: SimulatedChannel | undefined;
  readonly #wire: SimulatedConnection;
  #frameHandler: ((frame: Uint8Array) => void | Promise<void>) | undefined;
  #endHandlers: ((error: Error | undefined) => void)[] = [];
  readonly #inbound: Uint8Array[] = [];
  #reading = false;
  #drained: (() => void)[] = [];
  #due = 0;
  /** Sent while there was no way through: sent again, in order, as by TCP. */
  readonly #unsent: { frame: Uint8Array; first: boolean }[] = [];

  constructor(wire: SimulatedConnection) {
    this.#wire = wire;
    this.remote = wire.remote;
    this.address = wire.address;
    wire.channels.add(this);
  }

  send(frame: Uint8Array): void {
    if (this.ended) return;
    if (this.queued > SEND_WINDOW || frame.length > MAX_FRAME)
      return this.abort(new ClchatError('RATE_LIMITED'));
    const { network } = this.#wire;
    const { random, weather } = network;
    if (random.chance(weather.loss)) return this.#wire.break();
    this.queued += frame.length;
    // In order, as a stream is; a reordered frame is one that others overtake.
    const now = performance.now();
    const due = Math.max(this.#due, now + network.delay());
    const late = random.chance(weather.reorder);
    if (!late) this.#due = due;
    const copies = random.chance(weather.duplicate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++)
      setTimeout(
        () => this.#deliver(frame, copy === 0),
        due - now + (late ? network.delay() * 3 : 0) + copy * network.delay(),
      );
  }

  #deliver(frame: Uint8Array, first: boolean): void {
    this.#unsent.push({ frame, first });
    if (this.#unsent.length === 1) this.#transmit();
  }

  #transmit(): void {
    while (this.#unsent.length > 0 && !this.ended) {
      if (this.#wire.isCut) return void setTimeout(() => this.#transmit(), RETRANSMIT_MS);
      const { frame, first } = this.#unsent.shift()!;
      if (first) {
        this.queued -= frame.length;
        if (this.queued === 0) for (const resolve of this.#drained.splice(0)) resolve();
      }
      this.peer?.receive(frame);
    }
  }

  receive(frame: Uint8Array): void {
    if (this.ended) return;
    this.#inbound.push(frame);
    void this.#read();
  }

  async #read(): Promise<void> {
    if (this.#reading || this.#frameHandler === undefined) return;
    this.#reading = true;
    while (!this.ended && this.#inbound.length > 0)
      await this.#frameHandler(this.#inbound.shift()!);
    this.#reading = false;
  }

  onFrame(handler: (frame: Uint8Array) => void | Promise<void>): void {
    this.#frameHandler = handler;
    void this.#read();
  }

  onEnd(handler: (error: Error | undefined) => void): void {
    if (this.ended) handler(undefined);
    else this.#endHandlers.push(handler);
  }

  drained(): Promise<void> {
    if (this.queued === 0 || this.ended) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  async close(): Promise<void> {
    await this.drained();
    const { peer } = this;
    this.end(undefined);
    setTimeout(() => {
      if (!this.#wire.isCut) peer?.end(undefined);
    }, this.#wire.network.delay());
  }

  abort(error: Error): void {
    const { peer } = this;
    this.end(error);
    setTimeout(() => {
      if (!this.#wire.isCut) peer?.end(new ClchatError('CLOSED'));
    }, this.#wire.network.delay());
  }

  end(error: Error | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.#wire.channels.delete(this);
    for (const resolve of this.#drained.splice(0)) resolve();
    for (const handler of this.#endHandlers.splice(0)) handler(error);
  }
}

class SimulatedConnection implements Connection {
  readonly network: SimulatedNetwork;
  readonly remote: PublicKey;
  readonly address: string;
  readonly channels = new Set<SimulatedChannel>();
  other: SimulatedConnection | undefined;
  #ended = false;
  readonly #handlers: (() => void)[] = [];
  readonly #from: SimulatedTransport;
  readonly #to: SimulatedTransport;

  constructor(network: SimulatedNetwork, from: SimulatedTransport, to: SimulatedTransport) {
    this.network = network;
    this.#from = from;
    this.#to = to;
    this.remote = to.key;
    this.address = to.address;
    from.connections.add(this);
  }

  get isCut(): boolean {
    return this.#ended || !this.network.reaches(this.#from.address, this.#to.address);
  }

  async open(protocol: string, { signal }: { signal: AbortSignal }): Promise<Channel> {
    await pause(this.network.delay(), signal);
    if (this.isCut) {
      await pause(60_000, signal);
      throw new ClchatError('TIMEOUT');
    }
    const handler = this.#to.handler(protocol);
    if (handler === undefined || this.other === undefined) throw new ClchatError('VERSION');
    const near = new SimulatedChannel(this);
    const far = new SimulatedChannel(this.other);
    near.peer = far;
    far.peer = near;
    handler(far);
    return near;
  }

  onEnd(handler: () => void): void {
    if (this.#ended) handler();
    else this.#handlers.push(handler);
  }

  /** Both ends learn of it at once, as from a reset. */
  break(): void {
    this.endNow();
    this.other?.endNow();
  }

  endNow(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#from.connections.delete(this);
    for (const channel of [...this.channels]) channel.end(new ClchatError('CLOSED'));
    for (const handler of this.#handlers.splice(0)) handler();
  }

  async close(): Promise<void> {
    for (const channel of [...this.channels]) await channel.close();
    this.abort();
  }

  abort(): void {
    const { other, isCut } = this;
    this.endNow();
    // A cut-off host cannot say that it is gone.
    if (!isCut) setTimeout(() => other?.endNow(), this.network.delay());
  }
}

export class SimulatedTransport implements Transport {
  readonly key: PublicKey;
  readonly address: string;
  readonly connections = new Set<SimulatedConnection>();
  readonly #network: SimulatedNetwork;
  readonly #handlers = new Map<string, (channel: Channel) => void>();

  constructor(network: SimulatedNetwork, address: string, key: PublicKey) {
    this.#network = network;
    this.address = address;
    this.key = key;
  }

  addresses(): string[] {
    return [this.address];
  }

  handler(protocol: string): ((channel: Channel) => void) | undefined {
    return this.#handlers.get(protocol);
  }

  handle(protocol: string, handler: (channel: Channel) => void): void {
    this.#handlers.set(protocol, handler);
  }

  async connect(target: Target, { signal }: { signal: AbortSignal }): Promise<Connection> {
    await pause(this.#network.delay() * 2, signal);
    for (const address of target.addresses) {
      const host = this.#network.at(address);
      if (host === undefined || !this.#network.reaches(this.address, address)) continue;
      if (target.key !== undefined && host.key !== target.key)
        throw new ClchatError('SERVER_KEY_CHANGED');
      const near = new SimulatedConnection(this.#network, this, host);
      const far = new SimulatedConnection(this.#network, host, this);
      near.other = far;
      far.other = near;
      return near;
    }
    throw new ClchatError('NETWORK');
  }

  /** Gone from one moment to the next, as by kill -9: the others see resets. */
  crash(): void {
    this.#network.leave(this);
    for (const connection of [...this.connections]) connection.break();
  }

  async stop(): Promise<void> {
    for (const connection of [...this.connections]) await connection.close();
    this.#network.leave(this);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new ClchatError('TIMEOUT'));
    });
  });
}
