import assert from 'node:assert/strict';
import { ClchatError, codeOf } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import { CHUNK_SIZE } from '../../../lib/node/blobs/manifest.ts';
import { BLOB, type BlobExchange } from '../../../lib/node/blobs/wire.ts';
import type { PublicKey } from '../../../lib/crdt/keys.ts';
import { encode } from '../../../lib/crdt/codec.ts';
import { eventually, turns } from '../../support/channels.ts';
import { TestClock } from '../../support/community.ts';
import { blobOf, content, stage, store as put, type Peer, type PeerOptions } from './stage.ts';

describe('the service of blobs', () => {
  const { peer, connect } = stage();
  const blob = blobOf(5);
  const { manifest, chunks } = blob;
  const { hash } = manifest;
  const begin = { manifest: manifest.bytes };

  let server: Peer;
  let alice: Peer;
  const serve = async (options: PeerOptions = {}): Promise<BlobExchange> => {
    server = await peer(options);
    alice = await peer();
    return (await connect(alice, server)).exchange;
  };
  const isRefused = (promise: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(promise, (error) => {
      assert.equal(codeOf(error), code);
      return true;
    });

  describe('to those who read', () => {
    it('gives what it has', async () => {
      const exchange = await serve();
      await put(server.store, blob, [1, 5]);
      assert.deepEqual((await exchange.call('manifest', { hash })).manifest, manifest.bytes);
      assert.deepEqual([...(await exchange.call('have', { hash })).have], [0b0100_0100]);
      assert.deepEqual((await exchange.call('chunk', { hash, index: 1 })).chunk, chunks[1]);
      for (const index of [0, 2, 6, 16_383])
        assert.equal((await exchange.call('chunk', { hash, index })).chunk, null);
    });

    it('says the same of what is not there and of what they may not read', async () => {
      const asked: [PublicKey, string][] = [];
      const exchange = await serve({
        service: {
          mayRead: async (device, of) => {
            asked.push([device, of]);
            return of !== hash;
          },
        },
      });
      await put(server.store, blob);
      const answers: string[] = [];
      for (const of of [hash, blobOf(1).manifest.hash])
        for (const method of ['manifest', 'have', 'chunk'] as const) {
          const request = method === 'chunk' ? { hash: of, index: 0 } : { hash: of };
          const refusal: unknown = await exchange
            .call(method, request as never)
            .catch((error: unknown) => error);
          if (method === 'chunk' && of !== hash) assert.deepEqual(refusal, { chunk: null });
          else answers.push(`${codeOf(refusal)} ${(refusal as Error).message}`);
        }
      assert.equal(new Set(answers).size, 1);
      assert.match(answers[0]!, /^NO_SUCH_FILE /);
      assert.ok(asked.every(([device]) => device === alice.key));
    });

    it('gives nothing more from the moment on when they may not', async () => {
      let may = true;
      const exchange = await serve({ service: { mayRead: () => may } });
      await put(server.store, blob);
      assert.ok((await exchange.call('chunk', { hash, index: 0 })).chunk);
      may = false;
      await isRefused(exchange.call('chunk', { hash, index: 1 }), 'NO_SUCH_FILE');
    });

    it('gives no chunk that the disk has spoilt', async () => {
      const exchange = await serve();
      await put(server.store, blob);
      server.store.chunk = () => Promise.reject(new ClchatError('DATA_CORRUPT'));
      assert.equal((await exchange.call('chunk', { hash, index: 0 })).chunk, null);
      assert.equal(codeOf(server.faults.splice(0)[0]), 'DATA_CORRUPT');
    });

    it('sends no faster than they read, and does not cut them off for it', async () => {
      const exchange = await serve();
      const large = blobOf(60);
      await put(server.store, large);
      const [channel] = server.channels;
      let most = 0;
      const watching = setInterval(() => (most = Math.max(most, channel!.queued)), 1);
      const answers = await Promise.all(
        large.chunks.map((_, index) =>
          exchange.call('chunk', { hash: large.manifest.hash, index }, 60_000),
        ),
      );
      clearInterval(watching);
      assert.deepEqual(
        answers.map(({ chunk }) => chunk?.length),
        large.chunks.map(({ length }) => length),
      );
      assert.ok(most <= (1 << 20) + 5 * (CHUNK_SIZE + 100), `${most} bytes were waiting`);
    });

    it('keeps little for those who ask and do not read', async () => {
      await serve();
      await put(server.store, blob);
      const { signal } = new AbortController();
      const target = { addresses: [server.key], key: server.key };
      const connection = await alice.transport.connect(target, { signal });
      const channel = await connection.open(BLOB.name, { signal });
      channel.onFrame(() => new Promise(() => undefined));
      for (let id = 0; id < 400; id++)
        channel.send(encode([0, id, 'chunk', { hash, index: id % 6 }]));
      const serving = server.channels.at(-1)!;
      await eventually('a full queue', () => serving.queued > 1 << 20);
      await sleep(200);
      assert.ok(serving.queued <= (1 << 20) + 5 * (CHUNK_SIZE + 100));
      assert.ok(!serving.ended);
      channel.abort(new ClchatError('CLOSED'));
    });
  });

  describe('to those who write', () => {
    it('takes a blob chunk by chunk', async () => {
      const sizes: number[] = [];
      const exchange = await serve({
        service: { mayPut: async (_device, { size }) => (sizes.push(size), 2 ** 30) },
      });
      assert.deepEqual([...(await exchange.call('begin', begin)).have], [0]);
      await isRefused(exchange.call('done', { hash }), 'WAITING');
      await exchange.call('begin', begin);
      for (const index of [3, 0, 4, 1, 5, 2])
        await exchange.call('put', { hash, index, chunk: chunks[index]! });
      await exchange.call('done', { hash });
      assert.ok(server.store.has(hash));
      assert.deepEqual([...(await exchange.call('begin', begin)).have], [0xff]);
      assert.deepEqual(sizes, [manifest.size, manifest.size, manifest.size]);
    });

    it('takes nothing where nobody may store anything', async () => {
      for (const mayPut of [undefined, () => 0]) {
        const exchange = await serve({ service: { mayPut: mayPut as never } });
        await isRefused(exchange.call('begin', begin), 'DENIED');
        await isRefused(exchange.call('put', { hash, index: 0, chunk: chunks[0]! }), 'STALE');
        // Nor does it tell what it has.
        await put(server.store, blob);
        await isRefused(exchange.call('begin', begin), 'DENIED');
        await isRefused(exchange.call('done', { hash }), 'STALE');
      }
    });

    it('takes no manifest that is none, and none of too much', async () => {
      const exchange = await serve({ service: { mayPut: () => 1_000 } });
      for (const bytes of [new Uint8Array(), content(500), manifest.bytes.subarray(1)])
        await isRefused(exchange.call('begin', { manifest: bytes }), 'BAD_MESSAGE');
      const refusal = exchange.call('begin', begin);
      await assert.rejects(refusal, { code: 'TOO_LARGE', message: /1000 bytes/ });
      assert.deepEqual(server.store.list(), []);
      assert.deepEqual(server.faults, []);
    });

    it('takes chunks of the device’s own upload only, and only the right ones', async () => {
      const exchange = await serve();
      const bob = await peer();
      const other = (await connect(bob, server)).exchange;
      await exchange.call('begin', begin);
      await isRefused(other.call('put', { hash, index: 0, chunk: chunks[0]! }), 'STALE');
      await exchange.call('put', { hash, index: 0, chunk: chunks[0]! });
      for (const [index, chunk] of [
        [1, chunks[2]!],
        [1, content(CHUNK_SIZE, 4)],
        [1, chunks[1]!.subarray(1)],
        [6, chunks[1]!],
      ] as const) {
        await isRefused(exchange.call('put', { hash, index, chunk }), 'BAD_MESSAGE');
        // Whoever sends such has to begin again; what was good is kept.
        await isRefused(exchange.call('put', { hash, index: 1, chunk: chunks[1]! }), 'STALE');
        assert.deepEqual([...(await exchange.call('begin', begin)).have], [0b1000_0000]);
      }
      assert.ok(!server.store.has(hash));
    });

    it('takes one blob of two devices at once', async () => {
      const exchange = await serve();
      const other = (await connect(await peer(), server)).exchange;
      await exchange.call('begin', begin);
      await other.call('begin', begin);
      await exchange.call('put', { hash, index: 0, chunk: chunks[0]! });
      await isRefused(exchange.call('done', { hash }), 'WAITING');
      for (const index of [1, 2, 3, 4, 5])
        await other.call('put', { hash, index, chunk: chunks[index]! });
      await other.call('done', { hash });
      assert.ok(server.store.has(hash));
    });

    it('lets a device send a few at once', async () => {
      const exchange = await serve();
      const blobs = Array.from({ length: 9 }, (_, seed) => blobOf(1, 7, 100 + seed));
      const start = (index: number): Promise<unknown> =>
        exchange.call('begin', { manifest: blobs[index]!.manifest.bytes });
      for (let index = 0; index < 8; index++) await start(index);
      await isRefused(start(8), 'RATE_LIMITED');
      await start(3);
      await isRefused(exchange.call('done', { hash: blobs[5]!.manifest.hash }), 'WAITING');
      await start(8);
      assert.equal(server.store.list().length, 8);
    });

    it('fails for want of room, and then keeps nothing of it', async () => {
      const exchange = await serve({ store: { maxBytes: 1 << 20 } });
      await isRefused(exchange.call('begin', begin), 'DISK_FULL');
      for (let i = 0; i < 20; i++) await isRefused(exchange.call('begin', begin), 'DISK_FULL');
      assert.deepEqual(server.store.list(), []);
    });
  });

  describe('over time', () => {
    let clock: TestClock;
    beforeEach(() => (clock = new TestClock()));
    const start = (): Promise<BlobExchange> => serve({ clock, service: { sweepMs: 5 } });
    /** Long enough for everything idle to be noticed. */
    const sweeps = (): Promise<void> => sleep(50);

    it('forgets an upload of which nothing comes, and what came is kept', async () => {
      const exchange = await start();
      await exchange.call('begin', begin);
      for (const index of [2, 3, 4]) {
        clock.pass(50_000);
        await sweeps();
        await exchange.call('put', { hash, index, chunk: chunks[index]! });
      }
      clock.pass(70_000);
      await sweeps();
      await isRefused(exchange.call('put', { hash, index: 1, chunk: chunks[1]! }), 'STALE');
      const { have } = await exchange.call('begin', begin);
      assert.deepEqual([...have], [0b0011_1000]);
    });

    it('keeps nothing of an upload of which nothing has come', async () => {
      const exchange = await start();
      await exchange.call('begin', begin);
      await sweeps();
      assert.equal(server.store.list().length, 1);
      clock.pass(70_000);
      await eventually('its end', () => server.store.list().length === 0);
      assert.ok(!exchange.ended);
    });

    it('closes a channel by which nobody asks for anything', async () => {
      const exchange = await start();
      for (let i = 0; i < 3; i++) {
        clock.pass(100_000);
        await sweeps();
        assert.ok(!exchange.ended);
        await exchange.call('have', { hash }).catch(() => undefined);
      }
      clock.pass(130_000);
      await eventually('its end', () => exchange.ended);
    });
  });

  it('serves a device by a few channels, of which the oldest ends for one more', async () => {
    const first = await serve();
    const others: BlobExchange[] = [];
    for (let i = 0; i < 3; i++) others.push((await connect(alice, server)).exchange);
    await turns();
    assert.ok(!first.ended);
    others.push((await connect(alice, server)).exchange);
    await eventually('the end of the oldest', () => first.ended);
    assert.ok(others.every(({ ended }) => !ended));
    assert.ok(!(await connect(await peer(), server)).exchange.ended);
  });

  it('ends what it does for a device that is dropped', async () => {
    const exchange = await serve();
    const other = (await connect(await peer(), server)).exchange;
    await exchange.call('begin', begin);
    await exchange.call('put', { hash, index: 0, chunk: chunks[0]! });
    server.service.drop(alice.key);
    server.service.drop('ab'.repeat(32) as PublicKey);
    await eventually('the end of its channel', () => exchange.ended);
    assert.ok(!other.ended);
    const again = (await connect(alice, server)).exchange;
    await isRefused(again.call('put', { hash, index: 1, chunk: chunks[1]! }), 'STALE');
    assert.deepEqual([...(await again.call('begin', begin)).have], [0b1000_0000]);
    server.service.stop();
    await eventually('the end of all', () => again.ended && other.ended);
    assert.deepEqual(server.faults, []);
  });
});
