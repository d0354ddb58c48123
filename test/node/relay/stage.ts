/** A relay inside this process, and peers that are connected to it. */
import assert from 'node:assert/strict';
import type { SigningKey } from '../../../lib/crdt/keys.ts';
import type { Channel, Connection, Transport } from '../../../lib/node/channel.ts';
import { createLoopback } from '../../../lib/node/loopback.ts';
import {
  acceptCircuit,
  openCircuit,
  reserve,
  type Circuit,
  type Reservation,
} from '../../../lib/node/relay/circuits.ts';
import { RelayService, type RelayOptions } from '../../../lib/node/relay/service.ts';
import { RELAY } from '../../../lib/node/relay/wire.ts';
import { anyKey, reach } from '../../support/channels.ts';

export const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(5_000) });

export interface Guest {
  readonly key: SigningKey;
  readonly transport: Transport;
  /** To the relay. */
  readonly connection: Connection;
}

export class RelayStage {
  readonly service: RelayService;
  readonly relay: Transport;
  readonly relayKey = anyKey();
  readonly #network = createLoopback();

  constructor(options: RelayOptions = {}) {
    this.service = new RelayService(options);
    this.relay = this.#network.join(this.relayKey.public);
    this.relay.handle(RELAY, (channel) => this.service.serve(channel));
  }

  async join(key = anyKey()): Promise<Guest> {
    const transport = this.#network.join(key.public);
    return { key, transport, connection: await reach(transport, this.relay) };
  }

  /** A channel to the relay, spoken over as the test likes. */
  open(guest: Guest): Promise<Channel> {
    return guest.connection.open(RELAY, soon());
  }

  /** Both ends of a circuit from one guest to another one, who reserves for it. */
  async meet(asker: Guest, target: Guest): Promise<[Circuit, Circuit]> {
    const { accepted } = await this.reserve(target);
    const here = await openCircuit(asker.connection, target.key.public, soon());
    const there = await accepted;
    assert.equal(there.channel.remote, this.relay.key);
    return [here, there];
  }

  /** A reservation whose first circuit is taken. */
  async reserve(
    guest: Guest,
  ): Promise<{ readonly reservation: Reservation; readonly accepted: Promise<Circuit> }> {
    let take = (_circuit: number): void => undefined;
    const accepted = new Promise<Circuit>((resolve) => {
      take = (circuit) => resolve(acceptCircuit(guest.connection, circuit, soon()));
    });
    return { reservation: await reserve(guest.connection, take, soon()), accepted };
  }

  async stop(): Promise<void> {
    this.service.stop();
    await this.relay.stop();
  }
}

/** What comes through an end of a circuit, so many bytes of it. */
export function received(circuit: Circuit, bytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let length = 0;
    circuit.onFrame((frame) => {
      parts.push(frame);
      length += frame.length;
      if (length >= bytes) resolve(Buffer.concat(parts));
    });
    circuit.channel.onEnd((error) => reject(error ?? new Error(`${length} of ${bytes} bytes`)));
  });
}
