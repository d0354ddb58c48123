import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { decode, encode } from '../../lib/crdt/codec.ts';
import type { Channel, Relay, Target, Transport } from '../../lib/node/channel.ts';
import type { Libp2pTransport, TransportOptions } from '../../lib/node/libp2p.ts';
import { RelayService } from '../../lib/node/relay/service.ts';
import { RELAY } from '../../lib/node/relay/wire.ts';
import { ended, eventually } from '../support/channels.ts';
import { cleanUpAll, coded, ECHO, serve, soon, start, startServer } from '../support/peers.ts';
import { collect } from '../support/transport-contract.ts';

const NOWHERE = '127.0.0.1:1';
const limits = { punchMs: 0, directMs: 150 };

/** Who asks for what on the way to the relay, altered. */
function altered(channel: Channel, alter: (frame: Uint8Array) => Uint8Array): Channel {
  return {
    remote: channel.remote,
    address: channel.address,
    send: (frame) => channel.send(frame),
    get queued() {
      return channel.queued;
    },
    drained: () => channel.drained(),
    onFrame: (handler) => channel.onFrame((frame) => handler(alter(frame))),
    onEnd: (handler) => channel.onEnd(handler),
    get ended() {
      return channel.ended;
    },
    close: () => channel.close(),
    abort: (error) => channel.abort(error),
  };
}

describe('ways to a peer', () => {
  afterEach(cleanUpAll);

  const relayOf = (peer: Transport): Relay => ({ addresses: peer.addresses(), key: peer.key });
  const through = (relay: Relay, target: Transport): Target => ({
    addresses: [NOWHERE],
    key: target.key,
    via: [relay],
  });
  const peer = (options: Partial<TransportOptions> = {}): Promise<Libp2pTransport> =>
    start({ limits, ...options });

  /** A relay, and somebody who echoes and can be reached through it alone. */
  async function hidden(): Promise<{ relay: Libp2pTransport; target: Libp2pTransport }> {
    const relay = await peer({ listen: ['127.0.0.1:0'] });
    relay.serveRelay();
    const target = await peer();
    target.handle(ECHO, (channel) => {
      channel.onFrame((frame) => {
        channel.send(frame);
        return channel.queued > 1 << 20 ? channel.drained() : undefined;
      });
    });
    await target.reserve(relayOf(relay), soon());
    return { relay, target };
  }

  it('lead through a relay to one that cannot be reached, who proves his key', async () => {
    const { relay, target } = await hidden();
    const paths: unknown[] = [];
    target.handle('/clchat/test-path/1', (channel) => {
      paths.push(channel.path, channel.remote);
      channel.onFrame(() => undefined);
    });
    const asker = await peer();
    const connection = await asker.connect(through(relayOf(relay), target), soon());
    assert.equal(connection.path, 'relayed');
    assert.equal(connection.remote, target.key);
    await connection.open('/clchat/test-path/1', soon());
    await eventually('the channel', () => paths.length > 0);
    assert.deepEqual(paths, ['relayed', asker.key]);
    const channel = await connection.open(ECHO, soon());
    assert.equal(channel.path, 'relayed');
  });

  it('carry through a relay frames of every size, whole and in order', async () => {
    const { relay, target } = await hidden();
    const connection = await (await peer()).connect(through(relayOf(relay), target), soon());
    const channel = await connection.open(ECHO, soon());
    const frames = [0, 1, 65_507, 70_000, 1 << 20, 3, ...Array<number>(12).fill(1 << 20)].map(
      (size) => randomBytes(size),
    );
    const echoed = collect(channel, frames.length);
    for (const frame of frames) {
      if (channel.queued > 1 << 20) await channel.drained();
      channel.send(frame);
    }
    for (const [i, frame] of (await echoed).entries()) assert(frames[i]!.equals(frame), `${i}`);
  });

  it('end with either side, and with the relay', async () => {
    const { relay, target } = await hidden();
    const asker = await peer();
    const connect = () => asker.connect(through(relayOf(relay), target), soon());
    for (const end of ['close', 'abort', 'relay'] as const) {
      const connection = await connect();
      const channel = await connection.open(ECHO, soon());
      const over = ended(channel);
      if (end === 'close') await connection.close();
      else if (end === 'abort') connection.abort(new Error('over'));
      else await relay.stop();
      await over;
      await new Promise<void>((resolve) => connection.onEnd(resolve));
    }
    await assert.rejects(connect(), coded('NETWORK'));
  });

  it('leave nothing behind at the relay', async () => {
    const { relay, target } = await hidden();
    const asker = await peer();
    const connection = await asker.connect(through(relayOf(relay), target), soon());
    const atRelay = async (): Promise<unknown[]> =>
      (await relay.observedAddresses()).map(({ by }) => by);
    await eventually('both', async () => (await atRelay()).length === 2);
    await connection.close();
    await eventually('the end', async () => (await atRelay()).length === 1);
    assert.deepEqual(await atRelay(), [target.key]);
  });

  it('are straight where that is possible', async () => {
    const { relay } = await hidden();
    const target = await startServer({ limits });
    await target.reserve(relayOf(relay), soon());
    const asker = await peer();
    const connection = await asker.connect(
      { ...through(relayOf(relay), target), addresses: target.addresses() },
      soon(),
    );
    assert.equal(connection.path, 'direct');
    assert.equal((await connection.open(ECHO, soon())).path, 'direct');
  });

  it('do not wait long for an address that is silent', async () => {
    const { relay, target } = await hidden();
    const silent = await serve(createServer());
    const before = performance.now();
    const connection = await (
      await peer()
    ).connect({ ...through(relayOf(relay), target), addresses: [silent] }, soon());
    assert.equal(connection.path, 'relayed');
    assert(performance.now() - before < 3_000);
  });

  it('lead through whichever relay has the peer', async () => {
    const { relay, target } = await hidden();
    const other = await peer({ listen: ['127.0.0.1:0'] });
    other.serveRelay();
    const none = await startServer({ limits });
    const via = [
      { addresses: [NOWHERE], key: none.key },
      ...[none, other, relay].map((one) => relayOf(one)),
    ];
    const asker = await peer();
    const connection = await asker.connect({ addresses: [], key: target.key, via }, soon());
    assert.equal(connection.path, 'relayed');
    assert.equal(connection.remote, target.key);
  });

  it('use the connection to the relay that there is', async () => {
    const { relay, target } = await hidden();
    const asker = await peer();
    const own = await asker.connect(relayOf(relay), soon());
    const dead = { addresses: [NOWHERE], key: relay.key };
    const connection = await asker.connect(through(dead, target), soon());
    await connection.close();
    const channel = own.open('/clchat/unknown/1', soon());
    await assert.rejects(channel, coded('VERSION'));
  });

  it('are not there where the peer has no reservation, or there is no relay', async () => {
    const { relay } = await hidden();
    const [asker, target, none] = [await peer(), await peer(), await startServer({ limits })];
    for (const one of [relay, none])
      await assert.rejects(asker.connect(through(relayOf(one), target), soon()), coded('NETWORK'));
    await assert.rejects(target.reserve(relayOf(none), soon()), coded('VERSION'));
    const gone = { addresses: [NOWHERE], key: none.key };
    await assert.rejects(target.reserve(gone, soon()), coded('NETWORK'));
  });

  it('do not lead to somebody else, whatever the relay does', async () => {
    const { relay, target } = await hidden();
    const asker = await peer();
    const wanted = await peer();
    // Asked for one, it leads to another.
    const service = new RelayService();
    const liar = await peer({ listen: ['127.0.0.1:0'] });
    const lie = (frame: Uint8Array): Uint8Array => {
      try {
        const request = decode(frame) as { type: string };
        return request.type === 'connect' ? encode({ ...request, key: target.key }) : frame;
      } catch {
        return frame;
      }
    };
    liar.handle(RELAY, (channel) => service.serve(altered(channel, lie)));
    await target.reserve(relayOf(liar), soon());
    await assert.rejects(
      asker.connect(through(relayOf(liar), wanted), soon()),
      coded('BAD_MESSAGE'),
    );
    service.stop();
    // It answers itself, with nonsense.
    relay.handle(RELAY, (channel) => {
      channel.onFrame(() => {
        channel.send(encode({ type: 'open', bytes: 1, seconds: 1 }));
        channel.send(randomBytes(60_000));
      });
    });
    await assert.rejects(asker.connect(through(relayOf(relay), wanted), soon()), coded('NETWORK'));
  });

  it('are not waited for when a relay goes silent', async () => {
    const relay = await startServer({ limits });
    const channels: Channel[] = [];
    relay.handle(RELAY, (channel) => {
      channels.push(channel);
      let isOpen = false;
      channel.onFrame(() => {
        if (!isOpen) channel.send(encode({ type: 'open', bytes: 1, seconds: 1 }));
        isOpen = true;
      });
    });
    const asker = await peer();
    const signal = AbortSignal.timeout(800);
    const target = { addresses: [NOWHERE], key: (await peer()).key, via: [relayOf(relay)] };
    await assert.rejects(asker.connect(target, { signal }), coded('TIMEOUT'));
    assert.equal(channels.length, 1);
    await ended(channels[0]!);
  });

  it('do not lead through relay after relay', async () => {
    const { relay, target } = await hidden();
    target.serveRelay();
    const connection = await (await peer()).connect(through(relayOf(relay), target), soon());
    const channel = await connection.open(RELAY, soon());
    channel.send(encode({ type: 'reserve' }));
    assert(await ended(channel));
  });

  it('survive a relay that tells of circuits without end', async () => {
    const relay = await startServer({ limits });
    let accepted = 0;
    relay.handle(RELAY, (channel) => {
      channel.onFrame((frame) => {
        const { type } = decode(frame) as { type: string };
        if (type === 'accept') accepted++;
        if (type !== 'reserve') return;
        channel.send(encode({ type: 'reserved', bytes: 1, seconds: 1 }));
        for (let circuit = 0; circuit < 1_000; circuit++)
          channel.send(encode({ type: 'circuit', circuit, from: relay.key }));
      });
    });
    const target = await startServer({ limits });
    await target.reserve(relayOf(relay), soon());
    await eventually('some', () => accepted > 0);
    assert(accepted <= 4, `${accepted}`);
    const client = await peer();
    const connection = await client.connect({ addresses: target.addresses() }, soon());
    const channel = await connection.open(ECHO, soon());
    channel.send(Uint8Array.of(7));
    assert.deepEqual([...(await collect(channel, 1))[0]!], [7]);
  });

  it('tell a peer as whom the others see it', async () => {
    const server = await startServer({ limits });
    const client = await peer();
    assert.deepEqual(await server.observedAddresses(), []);
    await client.connect({ addresses: server.addresses() }, soon());
    const seen = { address: server.addresses()[0]!, by: client.key };
    await eventually('the client', async () => (await server.observedAddresses()).length > 0);
    assert.deepEqual(await server.observedAddresses(), [seen]);
    const [own] = await client.observedAddresses();
    assert.equal(own?.by, server.key);
    assert.match(own.address, /^127\.0\.0\.1:\d+$/);
    assert.notEqual(own.address, seen.address);
  });
});
