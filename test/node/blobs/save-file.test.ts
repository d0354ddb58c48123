import assert from 'node:assert/strict';
import { mkdir, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileReference } from '../../../lib/crdt/bodies.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { addFile, type Progress } from '../../../lib/node/blobs/add-file.ts';
import { CHUNK_SIZE, Manifest, toBlobHash } from '../../../lib/node/blobs/manifest.ts';
import { checkSize, saveFile, type SaveOptions } from '../../../lib/node/blobs/save-file.ts';
import type { BlobStore } from '../../../lib/node/blobs/store.ts';
import { blobOf, content, random, referenceTo, stage, store as put } from './stage.ts';

describe('saving a file', () => {
  const { newDirectory, newDisk, newStore } = stage();
  const bytes = content(2 * CHUNK_SIZE + 99);
  let place: string;
  let blobs: string;
  let target: string;
  let store: BlobStore;
  beforeEach(async () => {
    place = await newDirectory();
    blobs = join(place, 'blobs');
    target = join(place, 'target');
    await mkdir(target);
    store = await newStore({ directory: blobs });
  });

  const attach = async (encrypt: boolean, some = bytes): Promise<FileReference> => {
    await writeFile(join(place, 'photo.jpg'), some);
    return addFile(store, join(place, 'photo.jpg'), { stream: LOBBY_STREAM, encrypt, random });
  };
  const save = (reference: FileReference, to = target, options: Partial<SaveOptions> = {}) =>
    saveFile(store, reference, to, { random, ...options });

  it('gives back what was added, sealed or not', async () => {
    for (const encrypt of [true, false])
      for (const size of [0, 1, CHUNK_SIZE - 16, CHUNK_SIZE, bytes.length]) {
        const some = bytes.slice(0, size);
        const path = await save(await attach(encrypt, some));
        assert.deepEqual(Uint8Array.from(await readFile(path)), some);
        assert.equal((await stat(path)).mode & 0o777, 0o600);
      }
    assert.equal((await readdir(target)).length, 10);
  });

  it('overwrites nothing', async () => {
    const reference = await attach(true);
    await writeFile(join(target, 'photo.jpg'), 'mine');
    await mkdir(join(target, 'photo (1).jpg'));
    await symlink('/nowhere', join(target, 'photo (2).jpg'));
    await symlink(join(target, 'photo.jpg'), join(target, 'photo (3).jpg'));
    assert.equal(await save(reference), join(target, 'photo (4).jpg'));
    const [a, b] = await Promise.all([save(reference), save(reference)]);
    assert.deepEqual(
      [a, b].sort(),
      [5, 6].map((n) => join(target, `photo (${n}).jpg`)),
    );
    assert.equal(await readFile(join(target, 'photo.jpg'), 'utf8'), 'mine');
    for (const path of [a, b]) assert.deepEqual(Uint8Array.from(await readFile(path)), bytes);
    assert.equal((await readdir(target)).length, 7);
  });

  it('takes the name that the person here chooses as it is', async () => {
    const reference = await attach(false);
    const chosen = join(target, '.hidden name');
    assert.equal(await save(reference, chosen), chosen);
    assert.equal(await save(reference, chosen), join(target, '.hidden name (1)'));
    for (const wrong of [join(target, 'none', 'x'), join(target, 'none/'), join(chosen, 'x'), ''])
      await assert.rejects(save(reference, wrong), { code: 'NO_SUCH_FILE' }, wrong);
  });

  it('uses the name of its author never as a path', async () => {
    const reference = await attach(true);
    for (const name of [
      '../escaped',
      '../../../../../../tmp/escaped',
      '/tmp/escaped',
      '..',
      '.',
      '',
      'a/../../escaped',
      '..\\escaped',
      '~/escaped',
      'x\0/../escaped',
      '\u202e/../escaped',
      '.ssh/authorized_keys',
      'con',
      'x'.repeat(255),
      'ü'.repeat(127),
      `${'y'.repeat(250)}.txt`,
    ]) {
      const before = await readdir(target);
      const path = await save({ ...reference, name });
      assert.equal(join(target, path.slice(target.length + 1)), path);
      assert.equal((await readdir(target)).length, before.length + 1, name);
    }
    assert.deepEqual((await readdir(place)).sort(), ['blobs', 'photo.jpg', 'target']);
  });

  const leavesNothing = async (): Promise<void> => assert.deepEqual(await readdir(target), []);

  it('says that a blob is not here, or not all of it', async () => {
    const blob = blobOf(2);
    await assert.rejects(save(referenceTo(blob)), { code: 'NO_SUCH_FILE' });
    await put(store, blob, [0, 2]);
    await assert.rejects(save(referenceTo(blob)), { code: 'NO_SUCH_FILE' });
    await leavesNothing();
  });

  it('believes no message that says something else than its file', async () => {
    const reference = await attach(true);
    const { key: _, ...open } = reference;
    const lie = { code: 'BAD_MESSAGE' };
    await assert.rejects(save({ ...reference, key: random(32) }), lie);
    await assert.rejects(save(open), lie);
    for (const size of [0, bytes.length - 1, bytes.length + 1, Number.MAX_SAFE_INTEGER])
      await assert.rejects(save({ ...reference, size }), lie);
    const plain = await attach(false);
    await assert.rejects(save({ ...plain, key: random(32), size: plain.size - 48 }), lie);
    await leavesNothing();
    assert.throws(() => checkSize(open, Manifest.of(LOBBY_STREAM, 0, [])), lie);
    checkSize({ ...open, size: 0 }, Manifest.of(LOBBY_STREAM, 0, []));
  });

  it('writes no file that the disk has spoilt, and writes it once it is mended', async () => {
    const reference = await attach(true);
    const hash = toBlobHash(reference.hash);
    const chunk = (await store.chunk(hash, 2))!;
    await store.close();
    const file = await open(join(blobs, `${hash}.blob`), 'r+');
    const { size } = await file.stat();
    await file.write(Uint8Array.of(7, 7, 7), 0, 3, size - 50);
    await file.close();
    store = await newStore({ directory: blobs });
    await assert.rejects(save(reference), { code: 'DATA_CORRUPT' });
    await leavesNothing();
    assert.ok(!store.has(hash));
    await store.put(hash, 2, chunk);
    assert.deepEqual(Uint8Array.from(await readFile(await save(reference))), bytes);
  });

  it('tells how far it has got, and can be given up', async () => {
    const reference = await attach(true);
    const told: Progress[] = [];
    await save(reference, target, { onProgress: (progress) => told.push(progress) });
    assert.equal(told.at(-1)?.done, bytes.length);
    assert.ok(told.every(({ total }) => total === bytes.length));
    const abort = new AbortController();
    const options = { signal: abort.signal, onProgress: () => abort.abort() };
    await assert.rejects(save(reference, target, options), { name: 'AbortError' });
    assert.deepEqual(await readdir(target), ['photo.jpg']);
  });

  it('leaves nothing on a disk that is full or cannot be written', async function () {
    const reference = await attach(true);
    const disk = await newDisk(this, 300);
    await assert.rejects(save(reference, disk.directory), { code: 'DISK_FULL' });
    assert.deepEqual(await readdir(disk.directory), []);
    disk.makeReadOnly();
    await assert.rejects(save(reference, disk.directory), (error: Error) => {
      assert.equal((error as unknown as { code: string }).code, 'DATA_READ_ONLY');
      return error.message.includes(disk.directory);
    });
  });
});
