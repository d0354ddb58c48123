import assert from 'node:assert/strict';
import { copyFile, open, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { BlobFile, fileLength } from '../../../lib/node/blobs/blob-file.ts';
import { CHUNK_SIZE, type BlobHash } from '../../../lib/node/blobs/manifest.ts';
import { temporary } from '../../support/temporary.ts';
import { blobOf, content, cut, each } from './stage.ts';

/** Turns over a bit of a file. */
async function spoil(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = new Uint8Array(1);
  await file.read(byte, 0, 1, at);
  byte[0]! ^= 0x10;
  await file.write(byte, 0, 1, at);
  await file.close();
}

describe('the file of a blob', () => {
  const { newDirectory, newDisk } = temporary();
  const blob = blobOf(3);
  const { manifest, chunks } = blob;
  const start = fileLength(manifest.size) - manifest.size;
  const newPath = async (): Promise<string> => join(await newDirectory(), 'blob');

  /** With the chunks that are named. */
  async function made(path: string, ...which: number[]): Promise<void> {
    const file = await BlobFile.create(path, manifest);
    for (const index of which) await file.write(index, chunks[index]!);
    await file.close();
  }

  it('keeps chunks in any order, and knows after it was closed which are there', async () => {
    const path = await newPath();
    await made(path, 2, 0);
    const file = await BlobFile.open(path, manifest.hash);
    assert.equal(file.manifest.size, manifest.size);
    assert.deepEqual(file.have.missing(), [1, 3]);
    assert.deepEqual(await file.read(2), chunks[2]);
    assert.equal(await file.read(1), undefined);
    assert.equal(await file.read(99), undefined);
    await file.write(3, chunks[3]!);
    await file.write(1, chunks[1]!);
    assert.ok(file.have.isFull);
    assert.equal(file.held, fileLength(manifest.size));
    await file.close();
    const { mode, size } = await stat(path);
    assert.equal(mode & 0o777, 0o600);
    assert.equal(size, fileLength(manifest.size));
  });

  it('never says that a chunk is there before it was made safe', async () => {
    const path = await newPath();
    const file = await BlobFile.create(path, manifest);
    await file.write(0, chunks[0]!);
    await file.sync();
    await file.write(1, chunks[1]!);
    // As a crash would leave it.
    await copyFile(path, `${path}.crashed`);
    const crashed = await BlobFile.open(`${path}.crashed`, manifest.hash);
    assert.deepEqual(crashed.have.missing(), [1, 2, 3]);
    await crashed.close();
    await file.close();
  });

  it('loses to a crash no more than some chunks', async () => {
    const large = blobOf(70, 0);
    const path = await newPath();
    const file = await BlobFile.create(path, large.manifest);
    for (const [index, chunk] of large.chunks.entries()) await file.write(index, chunk);
    await copyFile(path, `${path}.crashed`);
    const crashed = await BlobFile.open(`${path}.crashed`, large.manifest.hash);
    assert.ok(crashed.have.count >= 64, `${crashed.have.count}`);
    await crashed.close();
    await file.close();
  });

  it('gives out no chunk that the disk has spoilt, and counts it as missing from then on', async () => {
    const path = await newPath();
    await made(path, 0, 1, 2, 3);
    await spoil(path, start + CHUNK_SIZE + 77);
    for (const [isFirst, code] of [
      [true, 'DATA_CORRUPT'],
      [false, undefined],
    ] as const) {
      const file = await BlobFile.open(path, manifest.hash);
      assert.deepEqual(await file.read(0), chunks[0]);
      if (isFirst) await assert.rejects(file.read(1), { code });
      assert.equal(await file.read(1), undefined);
      assert.deepEqual(file.have.missing(), [1]);
      await file.close();
    }
    const file = await BlobFile.open(path, manifest.hash);
    await file.write(1, chunks[1]!);
    assert.deepEqual(await file.read(1), chunks[1]);
    await file.close();
  });

  it('gives out no chunk that was cut off', async () => {
    const path = await newPath();
    await made(path, 0, 1, 2, 3);
    await truncate(path, start + CHUNK_SIZE + 5);
    const file = await BlobFile.open(path, manifest.hash);
    assert.deepEqual(await file.read(0), chunks[0]);
    for (const index of [1, 2, 3]) await assert.rejects(file.read(index), { code: 'DATA_CORRUPT' });
    await file.close();
  });

  it('is refused when its beginning is damaged or it is of another blob', async () => {
    const path = await newPath();
    await made(path, 0);
    const damaged = { code: 'DATA_CORRUPT' };
    await assert.rejects(BlobFile.open(path, blobOf(3, 7).manifest.hash), damaged);
    for (const at of [0, 7, 8, 11, 12, 40, start - 20]) {
      await copyFile(path, `${path}.spoilt`);
      await spoil(`${path}.spoilt`, at);
      await assert.rejects(BlobFile.open(`${path}.spoilt`, manifest.hash), damaged, `${at}`);
    }
    for (const length of [0, 3, 11, 12, 100, start - 1]) {
      await copyFile(path, `${path}.cut`);
      await truncate(`${path}.cut`, length);
      await assert.rejects(BlobFile.open(`${path}.cut`, manifest.hash), damaged, `${length}`);
    }
    await assert.rejects(BlobFile.open(join(path, '..', 'none'), manifest.hash), {
      code: 'NO_SUCH_FILE',
    });
  });

  it('believes of a bitmap that lies nothing but what it finds', async () => {
    const path = await newPath();
    await made(path, 0);
    const file = await open(path, 'r+');
    await file.write(Uint8Array.of(0xff), 0, 1, start - 1);
    await file.close();
    const opened = await BlobFile.open(path, manifest.hash);
    assert.ok(opened.have.isFull);
    await assert.rejects(opened.read(2), { code: 'DATA_CORRUPT' });
    assert.equal(await opened.read(2), undefined);
    await opened.close();
  });

  it('is not overwritten', async () => {
    const path = await newPath();
    await made(path, 0);
    await assert.rejects(BlobFile.create(path, manifest));
    await assert.rejects(BlobFile.write(path, LOBBY_STREAM, 0, each([])));
    const file = await BlobFile.open(path, manifest.hash);
    assert.equal(file.have.count, 1);
    await file.close();
  });

  it('is written whole where the hash comes last', async () => {
    for (const size of [0, 1, CHUNK_SIZE, 3 * CHUNK_SIZE + 9]) {
      const path = await newPath();
      const one = cut(content(size));
      const written = await BlobFile.write(path, LOBBY_STREAM, size, each(one.chunks));
      assert.equal(written.hash, one.manifest.hash);
      const file = await BlobFile.open(path, one.manifest.hash);
      assert.ok(file.have.isFull);
      for (const [index, chunk] of one.chunks.entries())
        assert.deepEqual(await file.read(index), chunk);
      await file.close();
    }
  });

  it('waits with its end for what is under way, and takes nothing after', async () => {
    const file = await BlobFile.create(await newPath(), manifest);
    const writing = chunks.map((chunk, index) => file.write(index, chunk));
    const closing = file.close();
    await assert.rejects(file.read(0), { code: 'NO_SUCH_FILE' });
    await Promise.all(writing);
    await Promise.all([closing, file.close()]);
    assert.ok(file.have.isFull);
    await assert.rejects(file.write(0, chunks[0]!), { code: 'NO_SUCH_FILE' });
  });

  it('does not believe in a chunk that a full disk did not take', async function () {
    const disk = await newDisk(this, 700);
    const path = join(disk.directory, 'blob');
    const full = { code: 'DISK_FULL' };
    const file = await BlobFile.create(path, manifest);
    await file.write(0, chunks[0]!);
    await file.write(1, chunks[1]!);
    await assert.rejects(file.write(2, chunks[2]!), full);
    assert.deepEqual(file.have.missing(), [2, 3]);
    disk.resize(2_000);
    await file.write(2, chunks[2]!);
    await file.close();
    const opened = await BlobFile.open(path, manifest.hash);
    assert.deepEqual(opened.have.missing(), [3]);
    assert.deepEqual(await opened.read(2), chunks[2]);
    await opened.close();
    disk.resize(1_100);
    await assert.rejects(
      BlobFile.write(join(disk.directory, 'b'), LOBBY_STREAM, 900_000, each(chunks)),
      full,
    );
    disk.makeReadOnly();
    await assert.rejects(BlobFile.open(path, '' as BlobHash), { code: 'DATA_READ_ONLY' });
  });
});
