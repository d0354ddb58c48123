import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PublicKey } from '../../../lib/crdt/keys.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { systemClock } from '../../../lib/lifecycle.ts';
import { addFile } from '../../../lib/node/blobs/add-file.ts';
import { BlobClient } from '../../../lib/node/blobs/client.ts';
import { CHUNK_SIZE, toBlobHash, type BlobHash } from '../../../lib/node/blobs/manifest.ts';
import { saveFile } from '../../../lib/node/blobs/save-file.ts';
import { BlobService } from '../../../lib/node/blobs/service.ts';
import { connectSource, inTurn, wayTo, type Way } from '../../../lib/node/blobs/sources.ts';
import type { BlobStore } from '../../../lib/node/blobs/store.ts';
import { BLOB } from '../../../lib/node/blobs/wire.ts';
import type { Transport } from '../../../lib/node/channel.ts';
import { cleanUp, cleanUpAll, coded, start } from '../../support/peers.ts';
import { blobOf, content, random, referenceTo, stage, store as put } from './stage.ts';

const KILLED_CLIENT = fileURLToPath(new URL('killed-client.ts', import.meta.url));

describe('a client that sends and fetches files', () => {
  const { newDirectory, newStore, peer, way, connect } = stage();
  afterEach(cleanUpAll);

  it('shares a sealed file by a peer that cannot read it', async () => {
    const [alice, server, bob] = [await peer(), await peer(), await peer()];
    const place = await newDirectory();
    const bytes = content(3 * CHUNK_SIZE);
    await writeFile(join(place, 'secret.txt'), bytes);
    const reference = await addFile(alice.store, join(place, 'secret.txt'), {
      stream: LOBBY_STREAM,
      encrypt: true,
      random,
    });
    const { exchange, release } = await connect(alice, server);
    await alice.client.push(reference, exchange);
    release();

    const hash = toBlobHash(reference.hash);
    for (let index = 0; index < 4; index++) {
      const kept = Buffer.from((await server.store.chunk(hash, index))!);
      for (let at = 0; at < bytes.length; at += 50_000)
        assert.equal(kept.indexOf(bytes.subarray(at, at + 32)), -1);
    }
    // The one has gone, and the other was never asked.
    await alice.transport.stop();
    await bob.client.fetch(reference, inTurn([way(bob, server)]));
    const path = await saveFile(bob.store, reference, place, { random });
    assert.equal(path, join(place, 'secret (1).txt'));
    assert.deepEqual(Uint8Array.from(await readFile(path)), bytes);
  });

  it('fetches from another member when the server is away, or has it no more', async () => {
    const [server, alice, bob] = [await peer(), await peer(), await peer()];
    for (const one of [server, alice]) await put(one.store, blobOf(3));
    await server.store.delete(blobOf(3).manifest.hash);
    const ways = [way(bob, server), way(bob, alice)];
    await bob.client.fetch(referenceTo(blobOf(3)), inTurn(ways));
    const carol = await peer();
    await server.transport.stop();
    const others = [server, alice, bob].map((one) => way(carol, one));
    await carol.client.fetch(referenceTo(blobOf(3)), inTurn(others));
    assert.ok(carol.store.has(blobOf(3).manifest.hash));
  });

  describe('over the network', () => {
    /** Serves a store at an address, to the devices that `mayRead` names. */
    async function serve(
      store: BlobStore,
      mayRead: (device: PublicKey, hash: BlobHash) => boolean = () => true,
    ): Promise<{ transport: Transport; service: BlobService; faults: unknown[] }> {
      const transport = await start({ listen: ['127.0.0.1:0'], webSocket: [] });
      const faults: unknown[] = [];
      const service = new BlobService({
        store,
        clock: systemClock,
        mayRead,
        mayPut: () => 2 ** 30,
        onFault: (error) => faults.push(error),
      });
      cleanUp(() => service.stop());
      transport.handle(BLOB.name, (channel) => service.accept(channel));
      return { transport, service, faults };
    }

    const signal = new AbortController().signal;
    const targetOf = (of: Transport) => ({ addresses: of.addresses(), key: of.key });

    it('sends a file to the server, and fetches it from there and from a member', async () => {
      const blob = blobOf(40);
      const stores = [await newStore(), await newStore(), await newStore()] as const;
      const server = await serve(stores[0]);
      const alice = await serve(stores[1]);
      await put(stores[1], blob);
      const up = await connectSource(alice.transport, targetOf(server.transport), signal);
      await new BlobClient({ store: stores[1], clock: systemClock }).push(
        referenceTo(blob),
        up.exchange,
      );
      assert.ok(stores[0].has(blob.manifest.hash));

      const bob = await start();
      const asked = new Set<PublicKey>();
      const ways = [server, alice].map(({ transport }): Way => {
        const way = wayTo(bob, targetOf(transport));
        return async (abort) => {
          const source = await way(abort);
          asked.add(source.exchange.remote);
          return source;
        };
      });
      await new BlobClient({ store: stores[2], clock: systemClock }).fetch(
        referenceTo(blob),
        inTurn(ways),
      );
      for (const [index, chunk] of blob.chunks.entries())
        assert.deepEqual(await stores[2].chunk(blob.manifest.hash, index), chunk);
      assert.deepEqual(asked, new Set([server.transport.key, alice.transport.key]));
      assert.deepEqual([...server.faults, ...alice.faults], []);
    });

    it('gives to members only, who are known by their keys', async () => {
      const store = await newStore();
      await put(store, blobOf(1));
      const [bob, eve] = [await start(), await start()];
      const alice = await serve(store, (device) => device === bob.key);
      for (const [reader, code] of [
        [bob, undefined],
        [eve, 'NO_SUCH_FILE'],
      ] as const) {
        const client = new BlobClient({ store: await newStore(), clock: systemClock });
        const next = inTurn([(abort) => connectSource(reader, targetOf(alice.transport), abort)]);
        const fetching = client.fetch(referenceTo(blobOf(1)), next);
        if (code === undefined) await fetching;
        else await assert.rejects(fetching, coded(code));
      }
    });

    it('takes nobody for another, nor one who serves nothing', async () => {
      const [alice, bob] = [await serve(await newStore()), await start()];
      const mallory = await start({ listen: ['127.0.0.1:0'], webSocket: [] });
      const posing = { addresses: mallory.addresses(), key: alice.transport.key };
      await assert.rejects(connectSource(bob, posing, signal), coded('SERVER_KEY_CHANGED'));
      await assert.rejects(connectSource(bob, targetOf(mallory), signal), coded('VERSION'));
      await alice.transport.stop();
      await assert.rejects(
        connectSource(bob, { addresses: ['127.0.0.1:1'], key: alice.transport.key }, signal),
        coded('NETWORK'),
      );
    });

    for (const what of ['fetch', 'push'] as const)
      it(`goes on after being killed while it was at it (${what})`, async function () {
        this.timeout(60_000);
        const blob = blobOf(150);
        const { hash } = blob.manifest;
        const theirs = await newStore();
        const directory = join(await newDirectory(), 'blobs');
        const full = what === 'fetch' ? theirs : await newStore({ directory });
        await put(full, blob);
        if (what === 'push') await full.close();
        const server = await serve(theirs);
        const [address = ''] = server.transport.addresses();

        /** @returns how much was there when it began, and whether all was in the end */
        const run = async (killAt: number): Promise<{ first: number; isDone: boolean }> => {
          const facts = [directory, address, server.transport.key, hash, `${blob.manifest.size}`];
          const child = spawn(
            process.execPath,
            ['--import', 'tsx', KILLED_CLIENT, what, ...facts],
            { stdio: ['ignore', 'pipe', 'inherit'] },
          );
          cleanUp(() => child.kill('SIGKILL'));
          const ended = once(child, 'exit');
          let first: number | undefined;
          let isDone = false;
          for await (const line of createInterface({ input: child.stdout })) {
            if (line === 'done') isDone = true;
            else first ??= Number(line);
            if (Number(line) >= killAt) child.kill('SIGKILL');
          }
          await ended;
          return { first: first ?? 0, isDone };
        };

        const began: number[] = [];
        for (const part of [0.4, 0.8, Infinity]) {
          const { first, isDone } = await run(part * blob.manifest.size);
          began.push(first / blob.manifest.size);
          assert.equal(isDone, part === Infinity);
        }
        // Each began about where the one before was killed.
        for (const [index, least] of [0, 0.15, 0.55].entries())
          assert.ok(began[index]! >= least, `${began.map((of) => of.toFixed(2)).join(' ')}`);
        const ours = what === 'push' ? theirs : await newStore({ directory });
        assert.ok(ours.has(hash));
        for (const [index, chunk] of blob.chunks.entries())
          assert.deepEqual(await ours.chunk(hash, index), chunk);
        assert.deepEqual(server.faults, []);
      });
  });
});
