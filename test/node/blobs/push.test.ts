import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClchatError } from '../../../lib/errors.ts';
import { Bitmap } from '../../../lib/node/blobs/bitmap.ts';
import type { Progress } from '../../../lib/node/blobs/add-file.ts';
import { CHUNK_SIZE } from '../../../lib/node/blobs/manifest.ts';
import type { Source } from '../../../lib/node/blobs/sources.ts';
import type { TransferOptions } from '../../../lib/node/blobs/client.ts';
import { blobOf, cut, referenceTo, stage, store as put, type Blob, type Peer } from './stage.ts';

describe('sending a blob', () => {
  const { newDirectory, peer, foreign, connect } = stage();
  const blob = blobOf(12);
  const { manifest, chunks } = blob;
  const { hash } = manifest;

  let alice: Peer;
  let server: Peer;
  let source: Source;
  beforeEach(async () => {
    [alice, server] = [await peer(), await peer()];
    source = await connect(alice, server);
    await put(alice.store, blob);
  });

  const push = (options: TransferOptions = {}, of: Blob = blob): Promise<void> =>
    alice.client.push(referenceTo(of), source.exchange, options);

  async function isThere(at = server): Promise<void> {
    assert.ok(at.store.has(hash));
    for (const [index, chunk] of chunks.entries())
      assert.deepEqual(await at.store.chunk(hash, index), chunk);
    assert.deepEqual(at.faults, []);
  }

  it('stores it with the other side, and tells how far it has got', async () => {
    const told: Progress[] = [];
    await push({ onProgress: (progress) => told.push(progress) });
    await isThere();
    assert.deepEqual(told[0], { done: 0, total: manifest.size });
    assert.deepEqual(told.at(-1), { done: manifest.size, total: manifest.size });
    assert.ok(told.every(({ done }, i) => i === 0 || done > told[i - 1]!.done));
  });

  it('sends nothing of what is there already', async () => {
    await push();
    let calls = 0;
    const { exchange } = source;
    const call = exchange.call.bind(exchange);
    exchange.call = (...args: Parameters<typeof call>) => (calls++, call(...args));
    await push();
    assert.equal(calls, 1);
    const empty = cut(new Uint8Array());
    await put(alice.store, empty);
    await push({}, empty);
    assert.ok(server.store.has(empty.manifest.hash));
  });

  it('goes on where it was left', async () => {
    await put(server.store, blob, [0, 1, 2, 3]);
    const told: Progress[] = [];
    await push({ onProgress: (progress) => told.push(progress) });
    assert.equal(told[0]?.done, 4 * CHUNK_SIZE);
    assert.equal(told.length, 1 + 9);
    await isThere();
  });

  it('goes on by another connection after one was lost', async () => {
    const cutting = push({
      onProgress: ({ done }) => {
        if (done >= 5 * CHUNK_SIZE) server.channels[0]!.abort(new ClchatError('CLOSED'));
      },
    });
    await assert.rejects(cutting, { code: 'CLOSED' });
    assert.ok((await server.store.have(hash))!.count >= 5);
    source = await connect(alice, server);
    const told: Progress[] = [];
    await push({ onProgress: (progress) => told.push(progress) });
    assert.ok(told[0]!.done >= 5 * CHUNK_SIZE);
    await isThere();
  });

  it('begins again where the other side has forgotten of it', async () => {
    const got = new Map<number, Uint8Array>();
    let begun = 0;
    const forgetful = foreign({
      begin: () => {
        begun++;
        const have = new Bitmap(manifest.count);
        for (const index of got.keys()) have.set(index, true);
        return { have: have.toBytes() };
      },
      put: ({ index, chunk }) => {
        if (begun < 3 && index >= 3 * begun) throw new ClchatError('STALE');
        got.set(index, chunk);
        return {};
      },
      done: () => {
        if (begun < 4) throw new ClchatError('WAITING');
        return {};
      },
    });
    source = await connect(alice, forgetful);
    await push();
    assert.equal(begun, 4);
    assert.deepEqual(
      chunks.map((_, index) => got.get(index)),
      chunks,
    );
  });

  it('gives up what the other side keeps forgetting', async () => {
    let begun = 0;
    const forgetful = foreign({
      begin: () => {
        begun++;
        return { have: new Uint8Array(2) };
      },
      put: () => {
        throw new ClchatError('STALE');
      },
    });
    source = await connect(alice, forgetful);
    await assert.rejects(push(), { code: 'STALE' });
    assert.equal(begun, 5);
  });

  it('is told when it is too large, or may not be sent', async () => {
    for (const [limit, code] of [
      [0, 'DENIED'],
      [manifest.size - 13 * 16 - 1, 'TOO_LARGE'],
    ] as const) {
      const strict = await peer({ service: { mayPut: () => limit } });
      source = await connect(alice, strict);
      await assert.rejects(push(), { code });
      assert.deepEqual(strict.store.list(), []);
    }
    const generous = await peer({ service: { mayPut: () => manifest.size } });
    source = await connect(alice, generous);
    await push();
    await isThere(generous);
  });

  it('fails when there is no room on the other side', async () => {
    const small = await peer({ store: { maxBytes: 1 << 20 } });
    source = await connect(alice, small);
    await assert.rejects(push(), { code: 'DISK_FULL' });
  });

  it('fails when it is not here, or vanishes meanwhile', async () => {
    await assert.rejects(push({}, blobOf(1)), { code: 'NO_SUCH_FILE' });
    const part = blobOf(2, 5, 3);
    await put(alice.store, part, [1]);
    await assert.rejects(push({}, part), { code: 'NO_SUCH_FILE' });
    const vanishing = push({
      onProgress: ({ done }) => {
        if (done >= 3 * CHUNK_SIZE) void alice.store.delete(hash);
      },
    });
    await assert.rejects(vanishing, { code: 'NO_SUCH_FILE' });
    assert.ok(!server.store.has(hash));
  });

  it('fails when its file is taken away', async () => {
    const directory = join(await newDirectory(), 'blobs');
    alice = await peer({ store: { directory } });
    await put(alice.store, blob);
    await alice.store.close();
    alice = await peer({ store: { directory } });
    source = await connect(alice, server);
    await rm(join(directory, `${hash}.blob`));
    await assert.rejects(push(), { code: 'NO_SUCH_FILE' });
  });

  it('can be given up', async () => {
    const abort = new AbortController();
    const onProgress = ({ done }: Progress): void => {
      if (done >= 2 * CHUNK_SIZE) abort.abort();
    };
    await assert.rejects(push({ onProgress, signal: abort.signal }), { name: 'AbortError' });
    assert.ok(!server.store.has(hash));
    await assert.rejects(push({ signal: abort.signal }), { name: 'AbortError' });
    await push();
    await isThere();
  });

  it('fails where the other side breaks off or talks nonsense', async () => {
    for (const [methods, code] of [
      [{ begin: () => ({ have: new Uint8Array(9) }) }, 'BAD_MESSAGE'],
      [{ begin: () => ({}) as never }, 'BAD_MESSAGE'],
      [{ begin: () => ({ have: new Uint8Array(2) }) }, 'NOT_SUPPORTED'],
    ] as const) {
      source = await connect(alice, foreign(methods));
      await assert.rejects(push(), { code });
    }
    source.release();
    await assert.rejects(push(), { code: 'CLOSED' });
  });

  it('shares a channel with others of its kind', async () => {
    const more = [2, 3, 4, 5, 6].map((seed) => blobOf(12, 3, seed));
    for (const one of more) await put(alice.store, one);
    await Promise.all([push(), ...more.map((one) => push({}, one))]);
    await isThere();
    for (const one of more) assert.ok(server.store.has(one.manifest.hash));
    assert.ok(!source.exchange.ended);
  });
});
