/** Peers on the hosts of an internet, one each, that reach one another straight or through a relay. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import type { Relay, Target } from '../../lib/node/channel.ts';
import type { TransportLimits } from '../../lib/node/libp2p.ts';
import type { LabProcess, Line } from '../lan/process.ts';
import type { Stage } from './stage.ts';

export const PORT_OF_PEERS = 7_100;
const SCRIPT = fileURLToPath(new URL('./fixtures/peer.ts', import.meta.url));
const WITHIN_MS = 45_000;

export interface WanPeerOptions {
  readonly listen?: readonly string[];
  readonly limits?: Partial<TransportLimits>;
}

/** What came of a connection. */
export interface Reached {
  readonly path: string;
  readonly remote: PublicKey;
  /** Until there was the connection, and then of an echo on it. */
  readonly milliseconds: number;
  readonly echo: number;
}

export class WanPeer {
  readonly host: string;
  key!: PublicKey;
  addresses!: readonly string[];
  readonly #process: LabProcess;
  #last = 0;

  private constructor(host: string, running: LabProcess) {
    this.host = host;
    this.#process = running;
  }

  static async start(stage: Stage, host: string, options: WanPeerOptions = {}): Promise<WanPeer> {
    const peer = new WanPeer(host, stage.lab.host(host).runTypeScript(SCRIPT));
    const { listen = [], limits = {} } = options;
    const { key, addresses } = await peer.ask('start', { listen, limits });
    peer.key = key as PublicKey;
    peer.addresses = addresses as string[];
    return peer;
  }

  get asRelay(): Relay {
    return { addresses: this.addresses, key: this.key };
  }

  /** Connects to a peer that has a reservation at a relay. */
  async reach(target: WanPeer, relay: WanPeer, addresses: readonly string[] = []) {
    const wanted: Target = { addresses, key: target.key, via: [relay.asRelay] };
    const reached = (await this.ask('connect', { target: wanted })) as unknown as Reached;
    assert.equal(reached.remote, target.key, `${this.host} to ${target.host}`);
    return reached;
  }

  /** @throws when the answer is an error */
  async ask(what: string, more: object = {}): Promise<Line> {
    const answer = await this.attempt(what, more);
    assert.equal(answer['code'], undefined, `${this.host} ${what}: ${String(answer['text'])}`);
    return answer;
  }

  async attempt(what: string, more: object = {}): Promise<Line> {
    const id = ++this.#last;
    this.#process.send(JSON.stringify({ id, do: what, ...more }));
    return this.#process.next((line) => line['id'] === id, WITHIN_MS, what);
  }

  stop(): Promise<void> {
    return this.#process.kill();
  }
}

/** A relay on a host with a public address, reached by each kind of address that it has. */
export async function startRelay(stage: Stage, host: string): Promise<WanPeer> {
  const { address6 } = stage.lab.host(host);
  const listen = ['0.0.0.0', ...(address6 === undefined ? [] : [`[${address6}]`])];
  const relay = await WanPeer.start(stage, host, {
    listen: listen.map((ip) => `${ip}:${PORT_OF_PEERS}`),
  });
  await relay.ask('relay');
  return relay;
}
