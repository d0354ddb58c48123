import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { mkdir, readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { fileReference } from '../../../lib/crdt/bodies.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { addFile, type AddOptions, type Progress } from '../../../lib/node/blobs/add-file.ts';
import { openChunk, plainChunkSize } from '../../../lib/node/blobs/crypto.ts';
import { CHUNK_SIZE, toBlobHash } from '../../../lib/node/blobs/manifest.ts';
import type { BlobStore } from '../../../lib/node/blobs/store.ts';
import { content, cut, random, stage } from './stage.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d494844520000001000000009080600000000', 'hex');

describe('adding a file', () => {
  const { newDirectory, newDisk, newStore } = stage();
  let directory: string;
  let store: BlobStore;
  let path: string;
  beforeEach(async () => {
    directory = await newDirectory();
    store = await newStore({ directory: join(directory, 'blobs') });
    path = join(directory, 'file.bin');
  });

  const attach = (options: Partial<AddOptions> = {}) =>
    addFile(store, path, { stream: LOBBY_STREAM, encrypt: false, random, ...options });
  const isEmpty = async (): Promise<void> => {
    assert.deepEqual(store.list(), []);
    assert.deepEqual(await readdir(join(directory, 'blobs')), []);
  };
  const unreadable = { code: 'NO_SUCH_FILE' };

  for (const size of [0, 1, CHUNK_SIZE - 16, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE + 7]) {
    it(`of ${size} bytes for an open room stores them as they are`, async () => {
      const bytes = content(size);
      await writeFile(path, bytes);
      const reference = await attach();
      assert.ok(v.is(fileReference, reference));
      assert.deepEqual(reference, {
        hash: Uint8Array.from(Buffer.from(cut(bytes).manifest.hash, 'hex')),
        size,
        name: 'file.bin',
      });
      const chunks: Uint8Array[] = [];
      for (let index = 0; index * CHUNK_SIZE < size; index++)
        chunks.push((await store.chunk(toBlobHash(reference.hash), index))!);
      assert.deepEqual(Buffer.concat(chunks), Buffer.from(bytes));
    });

    it(`of ${size} bytes for an encrypted room stores them sealed`, async () => {
      const bytes = content(size);
      await writeFile(path, bytes);
      const reference = await attach({ encrypt: true });
      assert.ok(v.is(fileReference, reference));
      const { key, hash } = reference;
      assert.equal(key?.length, 32);
      assert.equal(reference.size, size);
      const count = Math.ceil(size / plainChunkSize(true));
      const plain: Uint8Array[] = [];
      for (let index = 0; index < count; index++) {
        const chunk = (await store.chunk(toBlobHash(hash), index))!;
        assert.ok(size < 100 || Buffer.from(chunk).indexOf(bytes.subarray(0, 64)) < 0);
        plain.push(openChunk(key, index, count, chunk));
      }
      assert.deepEqual(Buffer.concat(plain), Buffer.from(bytes));
      if (size === 0) return;
      // Two that are alike do not look alike.
      assert.notDeepEqual((await attach({ encrypt: true })).hash, hash);
    });
  }

  it('tells how far it has got', async () => {
    await writeFile(path, content(3 * CHUNK_SIZE));
    const told: Progress[] = [];
    await attach({ encrypt: true, onProgress: (progress) => told.push(progress) });
    assert.deepEqual(
      told.map(({ total }) => total),
      Array.from({ length: 4 }, () => 3 * CHUNK_SIZE),
    );
    assert.ok(told.every(({ done }, i) => i === 0 || done > told[i - 1]!.done));
    assert.equal(told.at(-1)?.done, 3 * CHUNK_SIZE);
  });

  it('tells of an image what it measures, and of its path nothing but a harmless name', async () => {
    path = join(directory, '-\u202epicture\n1.png');
    await writeFile(path, PNG);
    const { name, type, width, height } = await attach({ encrypt: true });
    assert.deepEqual([name, type, width, height], ['_picture 1.png', 'image/png', 16, 9]);
  });

  it('takes an image that says it is immense for a file like any other', async () => {
    const bomb = Uint8Array.from(PNG);
    bomb.set([0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff], 16);
    await writeFile(path, bomb);
    const reference = await attach();
    assert.deepEqual([reference.size, reference.width, reference.type], [30, undefined, undefined]);
  });

  it('reads files only', async () => {
    await mkdir(path);
    await assert.rejects(attach(), unreadable);
    for (const other of ['none', 'file.bin/none', 'file.bin/', '\0', '']) {
      path = other === '' ? '' : join(directory, other);
      await assert.rejects(attach(), unreadable, other);
    }
    for (const device of ['/dev/null', '/dev/zero', '/dev/full']) {
      path = device;
      await assert.rejects(attach(), unreadable, device);
    }
    path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    await assert.rejects(attach(), unreadable);
    await isEmpty();
  });

  it('says of a file that fails while it is read that it cannot be', async () => {
    path = '/proc/self/mem';
    await assert.rejects(attach(), unreadable);
    await isEmpty();
  });

  describe('that changes while it is read', () => {
    const SIZE = 6 * CHUNK_SIZE;
    const changes: Readonly<Record<string, () => void>> = {
      vanishes: () => rmSync(path),
      shrinks: () => truncateSync(path, 3 * CHUNK_SIZE),
      'shrinks a little': () => truncateSync(path, SIZE - 1),
      'is emptied': () => truncateSync(path),
      grows: () => appendFileSync(path, 'x'),
      'is written to': () => {
        const file = openSync(path, 'r+');
        writeSync(file, Uint8Array.of(1, 2, 3), 0, 3, SIZE - 9);
        closeSync(file);
      },
      'is replaced': () => {
        writeFileSync(`${path}.new`, content(SIZE, 2));
        renameSync(`${path}.new`, path);
      },
      'becomes a directory': () => {
        rmSync(path);
        mkdirSync(path);
      },
    };
    for (const [what, change] of Object.entries(changes))
      for (const encrypt of [false, true])
        it(`fails and leaves nothing when it ${what}${encrypt ? ', sealed' : ''}`, async () => {
          await writeFile(path, content(SIZE));
          // Some systems tell the time of a change by a slow clock.
          await utimes(path, 1, 1);
          let isChanged = false;
          const onProgress = (): void => {
            if (!isChanged) change();
            isChanged = true;
          };
          await assert.rejects(attach({ encrypt, onProgress }), unreadable);
          assert.ok(isChanged);
          await isEmpty();
        });
  });

  it('does not believe what the system says of files that it makes up', async () => {
    path = '/proc/self/status';
    if (process.platform === 'linux') await assert.rejects(attach(), unreadable);
    await isEmpty();
  });

  it('refuses what is too large before it reads any of it', async () => {
    await writeFile(path, '');
    await truncate(path, 2 ** 32 + 1);
    let isRead = false;
    const onProgress = (): void => void (isRead = true);
    await assert.rejects(attach({ onProgress }), { code: 'TOO_LARGE' });
    assert.ok(!isRead);
    await isEmpty();
  });

  it('can be given up', async () => {
    await writeFile(path, content(4 * CHUNK_SIZE));
    const abort = new AbortController();
    const onProgress = (): void => abort.abort();
    await assert.rejects(attach({ onProgress, signal: abort.signal }), { name: 'AbortError' });
    await isEmpty();
    await assert.rejects(attach({ signal: abort.signal }), { name: 'AbortError' });
  });

  it('leaves nothing on a full disk', async function () {
    const disk = await newDisk(this, 800);
    store = await newStore({ directory: join(disk.directory, 'blobs'), freeBytes: 0 });
    await writeFile(path, content(4 * CHUNK_SIZE));
    await assert.rejects(attach({ encrypt: true }), { code: 'DISK_FULL' });
    assert.deepEqual(await readdir(join(disk.directory, 'blobs')), []);
  });

  it('never holds more of a file than a little', async function () {
    this.timeout(60_000);
    await writeFile(path, '');
    await truncate(path, 256 << 20);
    const before = process.memoryUsage().rss;
    let most = 0;
    const onProgress = (): void => void (most = Math.max(most, process.memoryUsage().rss));
    await attach({ encrypt: true, onProgress });
    assert.ok(most - before < 160 << 20, `${(most - before) >> 20} MiB`);
  });
});
