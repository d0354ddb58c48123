import assert from 'node:assert/strict';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { fileLength } from '../../../lib/node/blobs/blob-file.ts';
import { CHUNK_SIZE, type BlobHash, type Manifest } from '../../../lib/node/blobs/manifest.ts';
import type { BlobStore } from '../../../lib/node/blobs/store.ts';
import { TestClock } from '../../support/community.ts';
import { blobOf, content, cut, each, stage, store as put, type Blob } from './stage.ts';

describe('a store of blobs', () => {
  const { newDirectory, newDisk, newStore } = stage();
  let clock: TestClock;
  beforeEach(() => (clock = new TestClock()));

  const openAt = (directory: string): Promise<BlobStore> =>
    newStore({ directory, clock, freeBytes: 0 });
  const newPlace = async (): Promise<string> => join(await newDirectory(), 'deep', 'blobs');
  const bytesOf = (chunks: number): number => fileLength(chunks * CHUNK_SIZE);
  const hashes = (store: BlobStore): BlobHash[] => store.list().map(({ hash }) => hash);

  async function readAll(store: BlobStore, { hash, count }: Manifest): Promise<Uint8Array[]> {
    const chunks: Uint8Array[] = [];
    for (let index = 0; index < count; index++) {
      const chunk = await store.chunk(hash, index);
      assert.ok(chunk);
      chunks.push(chunk);
    }
    return chunks;
  }

  it('holds a blob once all of its chunks are there, in whatever order they came', async () => {
    const directory = await newPlace();
    const store = await openAt(directory);
    const { manifest, chunks } = blobOf(3);
    const { hash } = manifest;
    assert.equal(await store.manifest(hash), undefined);
    assert.equal(await store.chunk(hash, 0), undefined);
    await store.begin(manifest);
    for (const index of [2, 0, 3]) await store.put(hash, index, chunks[index]!);
    assert.ok(!store.has(hash));
    assert.deepEqual((await store.have(hash))?.missing(), [1]);
    assert.deepEqual(await store.chunk(hash, 2), chunks[2]);
    assert.equal(await store.chunk(hash, 1), undefined);
    assert.deepEqual(await readdir(directory), [`${hash}.part`]);
    await store.put(hash, 1, chunks[1]!);
    assert.ok(store.has(hash));
    assert.deepEqual(await readAll(store, manifest), chunks);
    assert.deepEqual(await readdir(directory), [`${hash}.blob`]);
    assert.equal(store.sizeOnDisk, fileLength(manifest.size));
    assert.equal((await stat(join(directory, `${hash}.blob`))).mode & 0o777, 0o600);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    assert.equal((await stat(join(directory, '..'))).mode & 0o777, 0o700);
    // Once more is nothing new.
    await store.begin(manifest);
    await store.put(hash, 1, chunks[1]!);
    assert.ok(store.has(hash));
  });

  it('goes on after it was closed where it was left', async () => {
    const directory = await newPlace();
    const { manifest, chunks } = blobOf(4);
    const { hash } = manifest;
    for (const [index, missing] of [
      [0, [1, 2, 3, 4]],
      [4, [1, 2, 3]],
      [2, [1, 3]],
    ] as const) {
      const store = await openAt(directory);
      await put(store, { manifest, chunks }, [index]);
      assert.deepEqual((await store.have(hash))?.missing(), missing);
      await store.close();
    }
    const store = await openAt(directory);
    assert.deepEqual(
      store.list().map(({ isComplete }) => isComplete),
      [false],
    );
    await put(store, { manifest, chunks }, [1, 3]);
    await store.close();
    const last = await openAt(directory);
    assert.ok(last.has(hash));
    assert.deepEqual(await readAll(last, manifest), chunks);
  });

  it('takes chunks of blobs that were begun only, and only the right ones', async () => {
    const store = await newStore();
    const { manifest, chunks } = blobOf(2);
    const { hash } = manifest;
    await assert.rejects(store.put(hash, 0, chunks[0]!), { code: 'NO_SUCH_FILE' });
    await store.begin(manifest);
    for (const [index, chunk] of [
      [0, chunks[1]],
      [1, chunks[0]],
      [0, chunks[0]!.subarray(1)],
      [0, new Uint8Array()],
      [0, content(CHUNK_SIZE, 5)],
      [3, chunks[0]],
      [16_383, chunks[0]],
    ] as const)
      await assert.rejects(store.put(hash, index, chunk!), { code: 'BAD_MESSAGE' });
    assert.deepEqual((await store.have(hash))?.missing(), [0, 1, 2]);
  });

  it('takes everything at once', async () => {
    const store = await newStore();
    const blobs = [1, 2, 3, 4, 5].map((seed) => blobOf(5, 10, seed));
    await Promise.all(
      blobs.map(async ({ manifest, chunks }) => {
        await Promise.all([store.begin(manifest), store.begin(manifest)]);
        const twice = [...chunks.entries(), ...chunks.entries()];
        await Promise.all(twice.map(([index, chunk]) => store.put(manifest.hash, index, chunk)));
      }),
    );
    for (const { manifest, chunks } of blobs)
      assert.deepEqual(await readAll(store, manifest), chunks);
  });

  it('holds an empty blob', async () => {
    const store = await newStore();
    const { manifest } = cut(new Uint8Array());
    await store.begin(manifest);
    assert.ok(store.has(manifest.hash));
    assert.ok((await store.have(manifest.hash))?.isFull);
    assert.equal((await store.add(LOBBY_STREAM, 0, each([]))).hash, manifest.hash);
  });

  it('keeps more blobs than it keeps open', async () => {
    const openFiles = async (): Promise<number> =>
      (await readdir('/proc/self/fd').catch(() => [])).length;
    const store = await newStore();
    const before = await openFiles();
    const blobs = Array.from({ length: 80 }, (_, seed) => blobOf(1, 5, seed));
    const half = (of: 0 | 1): Promise<unknown> =>
      Promise.all(
        blobs.map(async ({ manifest, chunks }) => {
          await store.begin(manifest);
          await store.put(manifest.hash, of, chunks[of]!);
        }),
      );
    await half(0);
    const more = (await openFiles()) - before;
    assert.ok(more < 60, `${more} more open files`);
    await half(1);
    for (const { manifest, chunks } of blobs)
      assert.deepEqual(await readAll(store, manifest), chunks);
  });

  it('takes a blob whose hash comes last, once', async () => {
    const directory = await newPlace();
    const store = await openAt(directory);
    const { manifest, chunks } = blobOf(2);
    for (let i = 0; i < 2; i++) {
      const added = await store.add(LOBBY_STREAM, manifest.size, each(chunks));
      assert.equal(added.hash, manifest.hash);
    }
    assert.deepEqual(await readdir(directory), [`${manifest.hash}.blob`]);
    assert.deepEqual(await readAll(store, manifest), chunks);
    assert.equal(store.sizeOnDisk, fileLength(manifest.size));
    // Of one that was there in part, the rest comes with it.
    const other = blobOf(2, 5, 2);
    await put(store, other, [1]);
    await store.add(LOBBY_STREAM, other.manifest.size, each(other.chunks));
    assert.deepEqual(await readAll(store, other.manifest), other.chunks);
    assert.equal((await readdir(directory)).length, 2);
  });

  it('keeps nothing of a blob that fails while it is added', async () => {
    const directory = await newPlace();
    const store = await openAt(directory);
    const { manifest, chunks } = blobOf(2);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield chunks[0]!;
      throw new Error('gone');
    }
    await assert.rejects(store.add(LOBBY_STREAM, manifest.size, failing()), { code: 'INTERNAL' });
    await assert.rejects(store.add(LOBBY_STREAM, manifest.size, each(chunks.slice(1))), {
      code: 'INTERNAL',
    });
    await assert.rejects(store.add(LOBBY_STREAM, 2 ** 33, each([])), { code: 'TOO_LARGE' });
    assert.deepEqual(await readdir(directory), []);
    assert.equal(store.sizeOnDisk, 0);
  });

  it('keeps nothing of a blob of which nothing came', async () => {
    const directory = await newPlace();
    const store = await openAt(directory);
    await put(store, blobOf(2), []);
    assert.deepEqual(store.list(), []);
    assert.deepEqual(await readdir(directory), []);
    await store.release(blobOf(1).manifest.hash);
  });

  it('removes a blob for good, whoever is at it', async () => {
    const directory = await newPlace();
    const store = await openAt(directory);
    const { manifest, chunks } = blobOf(8);
    const { hash } = manifest;
    await put(store, { manifest, chunks });
    await store.delete(hash);
    assert.ok(!store.has(hash));
    assert.equal(await store.chunk(hash, 0), undefined);
    assert.deepEqual(await readdir(directory), []);
    await store.delete(hash);

    await store.begin(manifest);
    const putting = chunks.map((chunk, index) => store.put(hash, index, chunk));
    const outcomes = Promise.allSettled(putting);
    await store.delete(hash);
    for (const outcome of await outcomes)
      if (outcome.status === 'rejected')
        assert.equal((outcome.reason as { code: string }).code, 'NO_SUCH_FILE');
    assert.deepEqual(await readdir(directory), []);
    await put(store, { manifest, chunks });
    assert.ok(store.has(hash));
  });

  describe('what it finds', () => {
    it('is thrown away where it is no good, and left alone where it is not its own', async () => {
      const directory = await newPlace();
      const { manifest, chunks } = blobOf(2);
      const { hash } = manifest;
      await put(await openAt(directory), { manifest, chunks });
      const others = ['ab', 'cd', 'ef'].map((digits) => digits.repeat(32) as BlobHash);
      await writeFile(join(directory, `${others[0]}.blob`), 'no blob');
      await writeFile(join(directory, `${others[1]}.part`), '');
      await writeFile(join(directory, `${hash}.part`), 'older');
      await writeFile(join(directory, `${'12'.repeat(16)}.draft`), 'never finished');
      await writeFile(join(directory, 'notes.txt'), 'mine');
      await mkdir(join(directory, 'more'));
      const store = await openAt(directory);
      assert.ok(store.has(hash));
      assert.deepEqual(await readAll(store, manifest), chunks);
      // What it is shows when it is wanted.
      assert.ok(store.has(others[0]!));
      for (const other of others) assert.equal(await store.manifest(other), undefined);
      assert.ok(!store.has(others[0]!));
      assert.deepEqual((await readdir(directory)).filter((name) => !name.startsWith(hash)).sort(), [
        'more',
        'notes.txt',
      ]);
    });

    it('is mended where the disk has spoilt it', async () => {
      const directory = await newPlace();
      const { manifest, chunks } = blobOf(3);
      const { hash } = manifest;
      const store = await openAt(directory);
      await put(store, { manifest, chunks });
      const file = await open(join(directory, `${hash}.blob`), 'r+');
      await file.write(Uint8Array.of(1, 2, 3), 0, 3, fileLength(manifest.size) - 2 * CHUNK_SIZE);
      await file.close();
      await assert.rejects(store.chunk(hash, 1), { code: 'DATA_CORRUPT' });
      assert.ok(!store.has(hash));
      assert.equal(await store.chunk(hash, 1), undefined);
      assert.deepEqual(await store.chunk(hash, 2), chunks[2]);
      await store.close();
      const again = await openAt(directory);
      assert.deepEqual((await again.have(hash))?.missing(), [1]);
      await put(again, { manifest, chunks }, [1]);
      assert.deepEqual(await readAll(again, manifest), chunks);
    });

    it('is missing where somebody has removed it', async () => {
      const directory = await newPlace();
      await put(await openAt(directory), blobOf(1));
      const store = await openAt(directory);
      const { hash } = blobOf(1).manifest;
      await rm(join(directory, `${hash}.blob`));
      assert.ok(store.has(hash));
      assert.equal(await store.chunk(hash, 0), undefined);
      assert.ok(!store.has(hash));
      await put(store, blobOf(1));
      assert.ok(store.has(hash));
    });

    it('is whole where all of it was there and only the name was not', async () => {
      const directory = await newPlace();
      const { manifest, chunks } = blobOf(1);
      const first = await openAt(directory);
      await put(first, { manifest, chunks });
      await first.close();
      const path = join(directory, manifest.hash);
      await rename(`${path}.blob`, `${path}.part`);
      const store = await openAt(directory);
      assert.ok(!store.has(manifest.hash));
      await store.begin(manifest);
      assert.ok(store.has(manifest.hash));
    });
  });

  describe('of bounded size', () => {
    const three = [1, 2, 3].map((seed) => blobOf(2, 0, seed));
    const [a, b, c] = three.map(({ manifest: { hash } }) => hash) as [BlobHash, BlobHash, BlobHash];

    /** Holds three blobs, and has room for as many. */
    async function full(mayEvict?: (hash: BlobHash) => boolean): Promise<BlobStore> {
      const maxBytes = 3 * bytesOf(2);
      const store = await newStore({ clock, maxBytes, ...(mayEvict && { mayEvict }) });
      for (const blob of three) {
        clock.pass(60_000);
        await put(store, blob);
      }
      return store;
    }

    it('refuses what it has no room for', async () => {
      const store = await full();
      const { manifest, chunks } = blobOf(1, 0, 9);
      const noRoom = { code: 'DISK_FULL' };
      await assert.rejects(store.begin(manifest), noRoom);
      await assert.rejects(store.add(LOBBY_STREAM, manifest.size, each(chunks)), noRoom);
      assert.deepEqual(hashes(store), [a, b, c]);
      await store.delete(b);
      await put(store, { manifest, chunks });
      assert.deepEqual(hashes(store), [a, c, manifest.hash]);
    });

    it('lets those go that were used least recently, of those that may', async () => {
      const store = await full((hash) => hash !== b);
      clock.pass(60_000);
      await store.chunk(a, 0);
      await put(store, blobOf(1, 0, 9));
      assert.deepEqual(hashes(store), [b, a, blobOf(1, 0, 9).manifest.hash]);
      await assert.rejects(put(store, blobOf(5, 0, 8)), { code: 'DISK_FULL' });
      assert.deepEqual(hashes(store), [b, a, blobOf(1, 0, 9).manifest.hash]);
      assert.ok(store.sizeOnDisk <= 3 * bytesOf(2));
    });

    it('remembers the order over a restart', async () => {
      const directory = await newPlace();
      const first = await openAt(directory);
      for (const blob of three) {
        clock.pass(60_000);
        await put(first, blob);
      }
      clock.pass(60_000);
      await first.manifest(a);
      await first.close();
      assert.deepEqual(hashes(await openAt(directory)), [b, c, a]);
    });

    it('counts what is on its way for as much as it will be', async () => {
      const store = await newStore({ clock, maxBytes: 2 * bytesOf(2) });
      await store.begin(three[0]!.manifest);
      await store.begin(three[1]!.manifest);
      await assert.rejects(store.begin(three[2]!.manifest), { code: 'DISK_FULL' });
      await assert.rejects(store.add(LOBBY_STREAM, 1, each([content(1)])), { code: 'DISK_FULL' });
      // Begun once more it takes nothing more.
      await store.begin(three[0]!.manifest);
      await store.put(a, 0, three[0]!.chunks[0]!);
      // Nobody goes on with it: it goes for what somebody wants.
      await store.release(a);
      await store.begin(three[2]!.manifest);
      assert.deepEqual(hashes(store), [b, c]);
    });

    it('takes what can never fit for what it is', async () => {
      const store = await newStore({ clock, maxBytes: 1_000, mayEvict: () => true });
      await assert.rejects(store.begin(blobOf(1).manifest), { code: 'DISK_FULL' });
      assert.equal(store.sizeOnDisk, 0);
    });
  });

  describe('leaves something of the disk free', () => {
    const FREE = 3 * bytesOf(1);
    const noRoom = { code: 'DISK_FULL' };
    const kilobytes = (bytes: number): number => Math.ceil(bytes / 1_024);

    it('whatever is begun, added or still being written', async function () {
      const disk = await newDisk(this, kilobytes(FREE + 2.5 * bytesOf(2)));
      const directory = join(disk.directory, 'blobs');
      const store = await newStore({ directory, clock, freeBytes: FREE });
      const [a, b, c] = [1, 2, 3].map((seed) => blobOf(2, 0, seed)) as [Blob, Blob, Blob];
      await store.begin(a.manifest);
      // Nothing of it is written yet, and yet there is room for one more only.
      let isThird = false;
      const chunks = async function* (): AsyncGenerator<Uint8Array> {
        for (const chunk of b.chunks) {
          await assert.rejects(store.begin(c.manifest), noRoom);
          await assert.rejects(store.add(LOBBY_STREAM, c.manifest.size, each(c.chunks)), noRoom);
          isThird = true;
          yield chunk;
        }
      };
      await store.add(LOBBY_STREAM, b.manifest.size, chunks());
      assert.ok(isThird);
      await put(store, a);
      await assert.rejects(store.begin(c.manifest), noRoom);
      disk.resize(kilobytes(FREE + 3.5 * bytesOf(2)));
      await put(store, c);
      for (const { manifest } of [a, b, c]) assert.ok(store.has(manifest.hash));
    });

    it('by letting others go, where they may', async function () {
      const disk = await newDisk(this, kilobytes(FREE + 2.5 * bytesOf(2)));
      const directory = join(disk.directory, 'blobs');
      const store = await newStore({ directory, clock, freeBytes: FREE, mayEvict: () => true });
      const blobs = [1, 2, 3].map((seed) => blobOf(2, 0, seed));
      for (const blob of blobs) {
        clock.pass(60_000);
        await put(store, blob);
      }
      assert.deepEqual(
        hashes(store),
        blobs.slice(1).map(({ manifest }) => manifest.hash),
      );
      await assert.rejects(store.begin(blobOf(9).manifest), noRoom);
    });
  });

  it('removes what nobody wants and nobody has used for some time', async () => {
    const store = await newStore({ clock });
    const blobs = [1, 2, 3, 4].map((seed) => blobOf(1, 0, seed));
    const [old, wanted, part, begun] = blobs as [Blob, Blob, Blob, Blob];
    await put(store, old);
    await put(store, wanted);
    await put(store, part, []);
    await store.begin(part.manifest);
    await store.release(part.manifest.hash);
    await store.begin(begun.manifest);
    clock.pass(120_000);
    const young = blobOf(1, 0, 5);
    await put(store, young);
    const isWanted = async (hash: BlobHash): Promise<boolean> => hash === wanted.manifest.hash;
    assert.deepEqual(await store.collect(isWanted, 60_000), [old.manifest.hash]);
    assert.deepEqual(
      hashes(store).sort(),
      [wanted, begun, young].map(({ manifest }) => manifest.hash).sort(),
    );
    assert.deepEqual(await store.collect(() => true, 0), []);
  });

  it('does nothing more once it is closed', async () => {
    const store = await newStore();
    const { manifest, chunks } = blobOf(1);
    await put(store, { manifest, chunks });
    await store.close();
    const closed = { code: 'CLOSED' };
    await assert.rejects(store.chunk(manifest.hash, 0), closed);
    await assert.rejects(store.begin(manifest), closed);
    await assert.rejects(store.add(LOBBY_STREAM, 1, each([])), closed);
    await store.close();
  });

  it('believes nothing that a full disk did not take', async function () {
    const disk = await newDisk(this, 4_000);
    const directory = join(disk.directory, 'blobs');
    const store = await openAt(directory);
    const { manifest, chunks } = blobOf(5);
    await store.begin(manifest);
    // Something else takes what was free.
    disk.resize(1_000);
    const outcomes = await Promise.allSettled(
      chunks.map((chunk, index) => store.put(manifest.hash, index, chunk)),
    );
    const failed = outcomes.filter(({ status }) => status === 'rejected');
    assert.ok(failed.length > 0 && failed.length < 6);
    for (const one of failed)
      assert.equal(one.status === 'rejected' && (one.reason as { code: string }).code, 'DISK_FULL');
    await assert.rejects(store.add(LOBBY_STREAM, manifest.size, each(chunks)), {
      code: 'DISK_FULL',
    });
    assert.deepEqual(await readdir(directory), [`${manifest.hash}.part`]);
    disk.resize(4_000);
    await store.close();
    const again = await openAt(directory);
    const missing = (await again.have(manifest.hash))?.missing() ?? [];
    assert.ok(missing.length >= failed.length && missing.length < 6);
    await put(again, { manifest, chunks }, missing);
    assert.deepEqual(await readAll(again, manifest), chunks);
  });

  it('says why it cannot be opened', async function () {
    const directory = await newDirectory();
    await writeFile(join(directory, 'file'), '');
    await assert.rejects(openAt(join(directory, 'file')), { code: 'NO_SUCH_FILE' });
    const disk = await newDisk(this, 100);
    disk.makeReadOnly();
    await assert.rejects(openAt(join(disk.directory, 'new')), { code: 'DATA_READ_ONLY' });
  });
});
