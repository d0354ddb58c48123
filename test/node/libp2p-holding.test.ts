import assert from 'node:assert/strict';
import type { Connection as LibConnection, Stream } from '@libp2p/interface';
import { MAX_FRAME, type Channel, type Transport } from '../../lib/node/channel.ts';
import { hasCode } from '../../lib/errors.ts';
import { within } from '../../lib/lifecycle.ts';
import { dial, foreignPeer, whenStreamEnds, type ForeignPeer } from '../support/foreign-peer.ts';
import { assertServes, cleanUpAll, ECHO, soon, start, startServer } from '../support/peers.ts';
import { collect } from '../support/transport-contract.ts';

/** Of an honest frame that is not finished. */
function beginning(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32BE(MAX_FRAME);
  return bytes;
}

describe('libp2p: peers that keep what they do not use', () => {
  afterEach(cleanUpAll);

  it('lose a connection on which there is no channel any more', async () => {
    const server = await startServer({ limits: { idleMs: 200 } });
    const client = await start();
    const target = { addresses: server.addresses() };
    const [left, used] = [
      await client.connect(target, soon()),
      await client.connect(target, soon()),
    ];
    const channel = await used.open(ECHO, soon());
    const over = await left.open(ECHO, soon());
    const end = new Promise<void>((resolve) => left.onEnd(resolve));
    await over.close();
    await within(5_000, end, 'the end');
    channel.send(Uint8Array.of(1));
    await collect(channel, 1);
  });

  describe('of frames', () => {
    let server: Transport;
    let peer: ForeignPeer;
    const ended: [Channel, Error | undefined][] = [];

    beforeEach(async () => {
      ended.length = 0;
      peer = await foreignPeer();
    });
    afterEach(() => peer.stop());

    const serve = async (limits: { stallMs?: number; heldBytes?: number }): Promise<void> => {
      server = await startServer({ limits });
      server.handle(ECHO, (channel) => {
        channel.onFrame((frame) => channel.send(frame));
        channel.onEnd((error) => void ended.push([channel, error]));
      });
    };
    const connect = (): Promise<LibConnection> => dial(peer, server.addresses()[0]!);
    const timedOut = (): boolean => ended.length === 1 && hasCode(ended[0]![1], 'TIMEOUT');

    it('lose the channel when they do not go on with one', async () => {
      // Before any frame would have taken too long.
      await serve({ stallMs: 1_500 });
      const connection = await connect();
      const quiet = await connection.newStream(ECHO);
      const stalled = await connection.newStream(ECHO);
      const over = whenStreamEnds(stalled);
      // Whole ones are no part of it.
      stalled.send(Buffer.concat([Buffer.of(0, 0, 0, 1, 7), beginning(5_000)]));
      quiet.send(Buffer.of(0, 0, 0, 1, 7));
      assert.equal(await within(5_000, over, 'the end'), 'reset');
      assert.ok(timedOut());
      assert.equal(quiet.status, 'open');
    });

    it('lose the channel when one goes on without end', async () => {
      await serve({ stallMs: 200 });
      const slow: Stream = await (await connect()).newStream(ECHO);
      slow.send(beginning(100));
      const drip = setInterval(() => {
        if (slow.status === 'open') slow.send(Buffer.of(1));
      }, 20);
      try {
        await within(5_000, whenStreamEnds(slow), 'the end');
      } finally {
        clearInterval(drip);
      }
      assert.ok(timedOut());
    });

    it('are cut off when all is taken, and not whoever comes next', async () => {
      await serve({ heldBytes: 1_000_000 });
      const connection = await connect();
      const small = await connection.newStream(ECHO);
      small.send(beginning(90_000));
      const large = await connection.newStream(ECHO);
      large.send(beginning(880_000));
      const next = await connection.newStream(ECHO);
      next.send(beginning(90_000));
      await within(5_000, whenStreamEnds(large), 'the end');
      assert.ok(hasCode(ended[0]![1], 'RATE_LIMITED'));
      await assertServes(server);
      assert.deepEqual([small.status, next.status], ['open', 'open']);
    });
  });
});
