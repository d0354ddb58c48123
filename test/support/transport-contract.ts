/**
 * What every transport does, whatever carries it. Run by each implementation's own test file.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  MAX_FRAME,
  SEND_WINDOW,
  type Channel,
  type Connection,
  type Transport,
} from '../../lib/node/channel.ts';
import { ClchatError, hasCode, isAbort, type ErrorCode } from '../../lib/errors.ts';
import { sleep, within } from '../../lib/lifecycle.ts';

export interface TestNetwork {
  /** A new peer with a key of its own that the others can reach. */
  join(): Promise<Transport>;
  /** An address at which nobody is. */
  readonly nowhere: string;
  stop(): Promise<void>;
}

const ECHO = '/clchat/test-echo/1';
const TAKE = '/clchat/test-take/1';
const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(10_000) });

/** Resolves with what `onEnd` is called with, and fails when it is called twice. */
export function whenEnded(channel: Channel): Promise<Error | undefined> {
  return within(
    10_000,
    new Promise((resolve, reject) => {
      let calls = 0;
      channel.onEnd((error) => (++calls > 1 ? reject(new Error('ended twice')) : resolve(error)));
    }),
    'the end of the channel',
  );
}

/** Collects frames until there are `count`. */
export function collect(channel: Channel, count: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  return within(
    10_000,
    new Promise((resolve, reject) => {
      channel.onFrame((frame) => {
        frames.push(frame);
        if (frames.length === count) resolve(frames);
      });
      channel.onEnd((error) => reject(error ?? new Error(`ended after ${frames.length} frames`)));
    }),
    `${count} frames`,
  );
}

const coded = (code: ErrorCode) => (error: unknown) => hasCode(error, code);

export function transportContract(name: string, makeNetwork: () => Promise<TestNetwork>): void {
  describe(`${name}: contract of a transport`, () => {
    let network: TestNetwork;
    let server: Transport;
    let client: Transport;
    let connection: Connection;

    beforeEach(async () => {
      network = await makeNetwork();
      [server, client] = await Promise.all([network.join(), network.join()]);
      server.handle(ECHO, (channel) => channel.onFrame((frame) => channel.send(frame)));
      connection = await client.connect({ addresses: server.addresses() }, soon());
    });
    afterEach(() => network.stop());

    /** Opens a channel from the client and gives both its ends. */
    async function pair(): Promise<{ here: Channel; there: Channel }> {
      const protocol = `${TAKE}/${randomBytes(4).toString('hex')}`;
      const opened = new Promise<Channel>((resolve) => server.handle(protocol, resolve));
      const here = await connection.open(protocol, soon());
      return { here, there: await opened };
    }

    it('proves to each who the other is', async () => {
      const { here, there } = await pair();
      assert.equal(connection.remote, server.key);
      assert.equal(here.remote, server.key);
      assert.equal(there.remote, client.key);
      assert.notEqual(here.address, '');
    });

    it('accepts the expected key and reports any other', async () => {
      const known = { addresses: server.addresses(), key: server.key };
      assert.equal((await client.connect(known, soon())).remote, server.key);
      const wrong = { addresses: server.addresses(), key: client.key };
      await assert.rejects(client.connect(wrong, soon()), (error) => {
        assert(hasCode(error, 'SERVER_KEY_CHANGED'));
        assert.equal(error.data?.actual, server.key);
        return true;
      });
    });

    it('takes whichever address proves the key', async () => {
      const other = await network.join();
      const addresses = [network.nowhere, ...other.addresses(), ...server.addresses()];
      const found = await client.connect({ addresses, key: server.key }, soon());
      assert.equal(found.remote, server.key);
    });

    it('says so when nobody is there', async () => {
      await assert.rejects(
        client.connect({ addresses: [network.nowhere] }, soon()),
        coded('NETWORK'),
      );
    });

    it('refuses an unknown protocol, and the connection lives on', async () => {
      await assert.rejects(connection.open('/clchat/unknown/1', soon()), coded('VERSION'));
      const channel = await connection.open(ECHO, soon());
      channel.send(Uint8Array.of(1));
      assert.deepEqual([...(await collect(channel, 1))[0]!], [1]);
    });

    it('turns signals into errors', async () => {
      const target = { addresses: server.addresses() };
      await assert.rejects(client.connect(target, { signal: AbortSignal.abort() }), isAbort);
      await assert.rejects(connection.open(ECHO, { signal: AbortSignal.abort() }), isAbort);
      const late = AbortSignal.timeout(0);
      await sleep(5);
      await assert.rejects(client.connect(target, { signal: late }), coded('TIMEOUT'));
      const own = AbortSignal.abort(new ClchatError('CLOSED'));
      await assert.rejects(connection.open(ECHO, { signal: own }), coded('CLOSED'));
    });

    it('carries frames of every size whole, in order and both ways', async () => {
      const sizes = [0, 1, 3, 300, 65_507, 65_508, 0, 262_144, MAX_FRAME - 1, MAX_FRAME, 7];
      const frames = sizes.map((size) => randomBytes(size));
      const channel = await connection.open(ECHO, soon());
      const echoed = collect(channel, frames.length);
      for (const frame of frames) {
        if (channel.queued > SEND_WINDOW / 2) await channel.drained();
        channel.send(frame);
      }
      for (const [i, frame] of (await echoed).entries())
        assert(frames[i]!.equals(frame), `frame ${i} of ${sizes[i]} bytes`);
    });

    it('carries any sequence of frames', async () => {
      const channel = await connection.open(ECHO, soon());
      let take = (_frame: Uint8Array): void => undefined;
      channel.onFrame((frame) => take(frame));
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.uint8Array({ maxLength: 2000 }), fc.boolean()), { maxLength: 60 }),
          async (sequence) => {
            const received: Uint8Array[] = [];
            const all = new Promise<void>((resolve) => {
              take = (frame) => {
                received.push(frame);
                if (received.length === sequence.length) resolve();
              };
              if (sequence.length === 0) resolve();
            });
            for (const [frame, pause] of sequence) {
              channel.send(frame);
              if (pause) await new Promise((resolve) => setImmediate(resolve));
            }
            await within(5_000, all, 'the frames');
            assert.deepEqual(
              received.map((frame) => Buffer.from(frame).toString('hex')),
              sequence.map(([frame]) => Buffer.from(frame).toString('hex')),
            );
          },
        ),
        { numRuns: 30 },
      );
    });

    it('gives each receiver bytes of its own', async () => {
      const { here, there } = await pair();
      const frame = Uint8Array.of(1, 2, 3);
      here.send(frame);
      const [received] = await collect(there, 1);
      received!.fill(9);
      assert.deepEqual([...frame], [1, 2, 3]);
    });

    it('waits for a handler before it gives the next frame', async () => {
      const { here, there } = await pair();
      let running = 0;
      const seen: number[] = [];
      const done = new Promise<void>((resolve) => {
        there.onFrame(async (frame) => {
          assert.equal(++running, 1);
          await sleep(1);
          seen.push(frame[0]!);
          running--;
          if (seen.length === 20) resolve();
        });
      });
      for (let i = 0; i < 20; i++) here.send(Uint8Array.of(i));
      await done;
      assert.deepEqual(seen, [...Array(20).keys()]);
    });

    it('makes a fast sender wait for a slow reader, and loses nothing', async () => {
      const { here, there } = await pair();
      let release!: () => void;
      const gate = new Promise<void>((resolve) => (release = resolve));
      let taken = 0;
      const all = new Promise<void>((resolve) => {
        there.onFrame(async (frame) => {
          await gate;
          assert.equal(Buffer.from(frame).readUInt32BE(), taken);
          if (++taken === 400) resolve();
        });
      });
      for (let i = 0; i < 400; i++) {
        const frame = Buffer.alloc(10_000);
        frame.writeUInt32BE(i);
        here.send(frame);
      }
      await sleep(100);
      assert(here.queued > 0, 'the sender notices nothing');
      const drained = here.drained();
      release();
      await within(8_000, all, 'all frames');
      await drained;
      assert.equal(here.queued, 0);
    });

    it('does not let one stalled channel hold up another', async () => {
      const { here, there } = await pair();
      there.onFrame(() => new Promise(() => undefined));
      for (let i = 0; i < 40; i++) here.send(new Uint8Array(64 * 1024));
      const other = await connection.open(ECHO, soon());
      other.send(Uint8Array.of(5));
      assert.deepEqual([...(await collect(other, 1))[0]!], [5]);
    });

    it('cuts off a peer that never reads, having kept a bounded queue', async () => {
      const { here, there } = await pair();
      there.onFrame(() => new Promise(() => undefined));
      const ended = whenEnded(here);
      let most = 0;
      for (let i = 0; i < 400 && !here.ended; i++) {
        here.send(new Uint8Array(256 * 1024));
        most = Math.max(most, here.queued);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert(hasCode(await ended, 'RATE_LIMITED'));
      assert(most <= SEND_WINDOW + MAX_FRAME, `${most} bytes were queued`);
      here.send(new Uint8Array(1));
      assert.equal(here.queued, 0);
    });

    it('ends on a frame that is too long', async () => {
      const { here, there } = await pair();
      const [mine, theirs] = [whenEnded(here), whenEnded(there)];
      here.send(new Uint8Array(MAX_FRAME + 1));
      assert(hasCode(await mine, 'TOO_LARGE'));
      assert(await theirs);
      assert(here.ended && there.ended);
    });

    it('delivers all that was queued before an orderly end', async () => {
      const { here, there } = await pair();
      const sizes: number[] = [];
      there.onFrame(async (frame) => {
        await sleep(1);
        sizes.push(frame.length);
      });
      const ends = [whenEnded(here), whenEnded(there)];
      for (let i = 0; i < 60; i++) here.send(new Uint8Array(i * 1000));
      await here.close();
      assert(here.ended);
      here.send(new Uint8Array(1));
      assert.deepEqual(await Promise.all(ends), [undefined, undefined]);
      assert.deepEqual(
        sizes,
        [...Array(60).keys()].map((i) => i * 1000),
      );
      await here.close();
    });

    it('delivers what a peer sends before it closes at once', async () => {
      for (const size of [0, 10, 100_000, MAX_FRAME]) {
        server.handle(TAKE, (channel) => {
          channel.onFrame(() => undefined);
          channel.send(new Uint8Array(size));
          channel.send(Uint8Array.of(1));
          void channel.close();
        });
        const channel = await connection.open(TAKE, soon());
        const lengths: number[] = [];
        channel.onFrame((frame) => void lengths.push(frame.length));
        assert.equal(await whenEnded(channel), undefined);
        assert.deepEqual(lengths, [size, 1]);
      }
    });

    it('gives no frames after close', async () => {
      const { here, there } = await pair();
      let frames = 0;
      here.onFrame(() => void frames++);
      there.onFrame(() => undefined);
      const closed = here.close();
      there.send(new Uint8Array(10));
      await closed;
      await sleep(20);
      assert.equal(frames, 0);
    });

    it('survives both ends closing at once', async () => {
      const { here, there } = await pair();
      await Promise.all([here.close(), there.close()]);
      assert(here.ended && there.ended);
    });

    it('ends both ends on abort, and tells late listeners too', async () => {
      const { here, there } = await pair();
      const theirs = whenEnded(there);
      here.send(new Uint8Array(1000));
      here.abort(new ClchatError('DENIED'));
      assert(hasCode(await theirs, 'CLOSED'));
      assert(hasCode(await whenEnded(here), 'DENIED'));
      await here.drained();
      here.abort(new ClchatError('INTERNAL'));
      assert(hasCode(await whenEnded(here), 'DENIED'));
    });

    it('ends a channel whose handler fails, now or later', async () => {
      for (const fail of [
        () => {
          throw new ClchatError('BAD_MESSAGE');
        },
        () => Promise.reject(new ClchatError('BAD_MESSAGE')),
      ]) {
        const { here, there } = await pair();
        there.onFrame(fail);
        const ends = [whenEnded(there), whenEnded(here)];
        here.send(Uint8Array.of(1));
        const [theirs, mine] = await Promise.all(ends);
        assert(hasCode(theirs, 'BAD_MESSAGE'));
        assert(hasCode(mine, 'CLOSED'));
      }
    });

    it('ends a channel whose protocol handler throws', async () => {
      server.handle(TAKE, () => {
        throw new ClchatError('DENIED');
      });
      const outcome = await connection.open(TAKE, soon()).then(whenEnded, (error: Error) => error);
      assert(hasCode(outcome, 'CLOSED'));
      const channel = await connection.open(ECHO, soon());
      channel.send(Uint8Array.of(1));
      await collect(channel, 1);
    });

    it('ends everything with its connection', async () => {
      const { here, there } = await pair();
      const frames = collect(there, 1);
      const ends = [whenEnded(here), whenEnded(there)];
      const over = new Promise<void>((resolve) => connection.onEnd(resolve));
      here.send(Uint8Array.of(1));
      await connection.close();
      await frames;
      await Promise.all([...ends, over]);
      await assert.rejects(connection.open(ECHO, soon()), coded('CLOSED'));
      await new Promise<void>((resolve) => connection.onEnd(resolve));
    });

    it('ends everything when a connection is aborted', async () => {
      const { here, there } = await pair();
      const theirs = whenEnded(there);
      connection.abort(new ClchatError('DENIED'));
      assert(hasCode(await theirs, 'CLOSED'));
      assert(await whenEnded(here));
    });

    it('tells the others when a peer stops', async () => {
      const { here, there } = await pair();
      for (const channel of [here, there]) channel.onFrame(() => undefined);
      const ends = [whenEnded(here), whenEnded(there)];
      const over = new Promise<void>((resolve) => connection.onEnd(resolve));
      await server.stop();
      await within(5_000, Promise.all([...ends, over]), 'the end');
      await assert.rejects(
        client.connect({ addresses: server.addresses() }, soon()),
        (error) => hasCode(error, 'NETWORK') || hasCode(error, 'BAD_ADDRESS'),
      );
      await server.stop();
    });
  });
}
