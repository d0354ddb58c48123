/** The ends of circuits, with relays that are not what they should be. */
import assert from 'node:assert/strict';
import { encode } from '../../../lib/crdt/codec.ts';
import { ClchatError } from '../../../lib/errors.ts';
import type { Channel, Connection } from '../../../lib/node/channel.ts';
import { createLoopback } from '../../../lib/node/loopback.ts';
import { acceptCircuit, openCircuit, reserve } from '../../../lib/node/relay/circuits.ts';
import { RELAY } from '../../../lib/node/relay/wire.ts';
import { anyKey, ended, eventually, reach } from '../../support/channels.ts';
import { coded } from '../../support/peers.ts';
import { received, soon } from './stage.ts';

const target = anyKey().public;
const opened = { type: 'open', bytes: 1, seconds: 1 };

/** A connection to a relay that does as it is told here. */
async function relayThat(serve?: (channel: Channel) => void): Promise<Connection> {
  const network = createLoopback();
  const relay = network.join(anyKey().public);
  if (serve !== undefined) relay.handle(RELAY, serve);
  return reach(network.join(anyKey().public), relay);
}

const answers =
  (...frames: readonly (object | Uint8Array)[]) =>
  (channel: Channel): void =>
    channel.onFrame(() => {
      for (const frame of frames) channel.send(frame instanceof Uint8Array ? frame : encode(frame));
    });

describe('an end of a circuit', () => {
  it('learns why it gets none', async () => {
    for (const [serve, code] of [
      [undefined, 'VERSION'],
      [answers({ type: 'refused', code: 'RATE_LIMITED' }), 'RATE_LIMITED'],
      [answers({ type: 'reserved', bytes: 1, seconds: 1 }), 'BAD_MESSAGE'],
      [answers(new Uint8Array(9)), 'BAD_MESSAGE'],
      [(channel: Channel) => channel.abort(new ClchatError('DENIED')), 'CLOSED'],
    ] as const) {
      const relay = await relayThat(serve);
      await assert.rejects(openCircuit(relay, target, soon()), coded(code));
    }
  });

  it('does not wait for a silent relay longer than it is told to', async () => {
    const channels: Channel[] = [];
    const relay = await relayThat((channel) => {
      channels.push(channel);
      channel.onFrame(() => undefined);
    });
    const late = { signal: AbortSignal.timeout(30) };
    await assert.rejects(openCircuit(relay, target, late), coded('TIMEOUT'));
    await assert.rejects(
      reserve(relay, () => undefined, { signal: AbortSignal.timeout(30) }),
      coded('TIMEOUT'),
    );
    // And leaves nothing with it.
    await Promise.all(channels.map((channel) => ended(channel)));
  });

  it('keeps what comes at once for whoever takes it later', async () => {
    const relay = await relayThat(answers(opened, Uint8Array.of(1), Uint8Array.of(2)));
    const circuit = await openCircuit(relay, target, soon());
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual([...(await received(circuit, 2))], [1, 2]);
  });

  it('says which circuit it takes, and nothing else', async () => {
    const said: Uint8Array[] = [];
    const relay = await relayThat((channel) => channel.onFrame((frame) => void said.push(frame)));
    await acceptCircuit(relay, 5, soon());
    await eventually('the word', () => said.length === 1);
    assert.deepEqual([...said[0]!], [...encode({ type: 'accept', circuit: 5 })]);
  });

  it('hears of circuits for as long as the reservation is there', async () => {
    const from = anyKey().public;
    const circuits = [1, 2].map((circuit) => ({ type: 'circuit', circuit, from }));
    const relay = await relayThat(answers({ type: 'reserved', bytes: 1, seconds: 1 }, ...circuits));
    const told: number[] = [];
    const reservation = await reserve(relay, (circuit) => void told.push(circuit), soon());
    await eventually('both', () => told.length === 2);
    assert.equal(reservation.ended, false);
    await reservation.close();
    assert.equal(reservation.ended, true);
  });

  it('ends a reservation whose relay talks nonsense', async () => {
    const relay = await relayThat(answers({ type: 'reserved', bytes: 1, seconds: 1 }, opened));
    const reservation = await reserve(relay, () => undefined, soon());
    await new Promise((resolve) => reservation.onEnd(resolve));
  });
});
