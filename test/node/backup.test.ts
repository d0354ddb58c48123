import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as v from 'valibot';
import { encode } from '../../lib/crdt/codec.ts';
import type { StoreOperation } from '../../lib/crdt/store.ts';
import { systemClock } from '../../lib/lifecycle.ts';
import { backup, restore, type BackupProgress } from '../../lib/node/backup.ts';
import { BLOBS, BlobStore } from '../../lib/node/blobs/store.ts';
import { openIdentity, openKeystore } from '../../lib/node/keystore.ts';
import { openProfile } from '../../lib/node/profile.ts';
import { SealedWriter } from '../../lib/node/sealed-stream.ts';
import { openVault } from '../../lib/node/vault.ts';
import { TestClock } from '../support/community.ts';
import { ALL, collect, put } from '../support/store-contract.ts';
import { temporary } from '../support/temporary.ts';
import { blobOf, store as putBlob } from './blobs/stage.ts';

const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
const SYNC = { sync: true };

/** Opens the server in a directory, as its process would. */
async function openServer(directory: string, passphrase?: string) {
  const profile = await openProfile(directory, 'server');
  const secrets = { directory, passphrase, random };
  return {
    profile,
    store: profile.store,
    identity: await openIdentity(secrets),
    vault: await openVault({ ...secrets, store: profile.store }),
  };
}

describe('backup', () => {
  const { newDirectory, newDisk } = temporary();
  let root: string;
  let file: string;
  let target: string;
  beforeEach(async () => {
    root = await newDirectory();
    file = join(root, 'backups', 'server.backup');
    target = join(root, 'restored', 'server');
  });
  const options = (directory: string, more: object = {}) => ({
    file,
    directory,
    backupPassphrase: 'sesame',
    random,
    cost: 1 << 10,
    ...more,
  });

  /** Makes a server with some data; gives what a restored one must have. */
  async function makeServer(operations: readonly StoreOperation[], passphrase?: string) {
    const directory = join(root, 'server');
    const server = await openServer(directory, passphrase);
    await server.store.write([...operations, server.vault.put('password alice', 'record')], SYNC);
    const expected = {
      identity: server.identity.public,
      entries: await collect(server.store, ALL),
    };
    return { ...server, directory, expected };
  }
  const many = (count: number, size: number): StoreOperation[] =>
    Array.from({ length: count }, (_, i) => put(`k/${i}`, new Uint8Array(randomBytes(size))));

  async function check(expected: { identity: string; entries: unknown }, passphrase?: string) {
    const server = await openServer(target, passphrase);
    assert.equal(server.identity.public, expected.identity);
    assert.deepEqual(await collect(server.store, ALL), expected.entries);
    assert.equal(server.vault.get('password alice', v.string()), 'record');
    await server.profile.close();
  }

  it('restores the whole server elsewhere', async () => {
    const { directory, store, profile, expected } = await makeServer([
      ...many(3_000, 100),
      put('large', new Uint8Array(randomBytes(700_000))),
      put('empty', ''),
    ]);
    const keystore = (await openKeystore({ directory, random })).read();
    const told: BackupProgress[] = [];
    const onProgress = (progress: BackupProgress): number => told.push(progress);
    // Once with the cost of the product.
    const made = await backup({ ...options(directory, { cost: undefined }), store, onProgress });
    assert.equal(made.entries, expected.entries.length);
    assert.ok(told.length >= 3);
    assert.deepEqual(told.at(-1), made);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await profile.close();

    const restored = await restore(options(target, { onProgress }));
    assert.equal(restored.entries, made.entries);
    await check(expected);
    assert.deepEqual((await openKeystore({ directory: target, random })).read(), keystore);
    assert.equal(await readFile(join(target, 'kind'), 'utf8'), 'server\n');
    assert.equal((await stat(target)).mode & 0o777, 0o700);
    // The key file is the new directory's own.
    assert.notEqual(
      await readFile(join(target, 'key'), 'utf8'),
      await readFile(join(directory, 'key'), 'utf8'),
    );
    assert.deepEqual(await readdir(join(root, 'restored')), ['server']);
    assert.deepEqual(await readdir(join(root, 'backups')), ['server.backup']);
  });

  it('takes and makes directories under passphrases of their own', async () => {
    const { directory, store, profile, expected } = await makeServer(many(10, 10), 'old');
    await assert.rejects(backup({ ...options(directory), store }), { code: 'BAD_PASSPHRASE' });
    await backup({ ...options(directory, { passphrase: 'old' }), store });
    await profile.close();
    await restore(options(target, { passphrase: 'new' }));
    await check(expected, 'new');
    assert.equal((await readdir(target)).includes('key'), false);
  });

  it('is the server at one moment, though it works on', async () => {
    const { directory, store, profile } = await makeServer(
      Array.from({ length: 4_000 }, (_, i) => put(`pair/${i % 2}/${i >> 1}`, 'old')),
    );
    let round = 0;
    let ended = false;
    const working = (async () => {
      for (; !ended; round += 1)
        await store.write([put('pair/0/7', `${round}`), put('pair/1/1990', `${round}`)], SYNC);
    })();
    await backup({ ...options(directory), store });
    ended = true;
    await working;
    assert.ok(round > 1);
    await profile.close();
    await restore(options(target));
    const restored = await openServer(target);
    assert.deepEqual(restored.store.get('pair/0/7'), restored.store.get('pair/1/1990'));
    await restored.profile.close();
  });

  describe('takes files of messages along', () => {
    const openBlobs = (directory: string): Promise<BlobStore> =>
      BlobStore.open({ directory: join(directory, BLOBS), clock: systemClock, random });
    const large = blobOf(9, 77, 1);
    const empty = blobOf(0, 0, 2);
    const small = blobOf(0, 5, 3);

    it('whole, and not what is there in part', async () => {
      const { directory, store, profile, expected } = await makeServer(many(1_500, 10));
      const blobs = await openBlobs(directory);
      for (const blob of [large, empty, small]) await putBlob(blobs, blob);
      await putBlob(blobs, blobOf(4, 1, 4), [0, 2]);
      const made = await backup({ ...options(directory), store, blobs });
      assert.deepEqual([made.entries, made.bytes > 9 << 18], [expected.entries.length, true]);
      await blobs.close();
      await profile.close();

      const clock = new TestClock();
      await restore(options(target, { clock }));
      await check(expected);
      const restored = await openBlobs(target);
      const held = restored.list();
      assert.deepEqual(
        held.map(({ usedAt }) => usedAt),
        [clock.wall, clock.wall, clock.wall],
      );
      for (const blob of [large, empty, small]) {
        const { hash } = blob.manifest;
        assert.ok(restored.has(hash));
        for (const [index, chunk] of blob.chunks.entries())
          assert.deepEqual(await restored.chunk(hash, index), chunk);
      }
      await restored.close();
    });

    it('but for what is removed meanwhile, or what the disk has spoilt', async () => {
      const { directory, store, profile } = await makeServer(many(5, 5));
      let blobs = await openBlobs(directory);
      await putBlob(blobs, large);
      await blobs.close();
      const bytes = await open(join(directory, BLOBS, `${large.manifest.hash}.blob`), 'r+');
      await bytes.write(Buffer.alloc(9, 1), 0, 9, 5 << 18);
      await bytes.close();
      blobs = await openBlobs(directory);
      // Used last, and so the last that is taken along.
      await putBlob(blobs, small);
      assert.equal(blobs.list().at(-1)?.hash, small.manifest.hash);
      let seen = 0;
      const onProgress = (): void => {
        if (++seen === 1) void blobs.delete(small.manifest.hash);
      };
      await backup({ ...options(directory), store, blobs, onProgress });
      await blobs.close();
      await profile.close();

      await restore(options(target));
      const restored = await openBlobs(target);
      const { hash, count } = large.manifest;
      assert.deepEqual(
        [restored.has(hash), (await restored.have(hash))?.count],
        [false, count - 1],
      );
      assert.equal(restored.has(small.manifest.hash), false);
      await restored.close();
    });

    it('and makes no place for them where there are none', async () => {
      const { directory, store, profile } = await makeServer(many(5, 5));
      await backup({ ...options(directory), store });
      await profile.close();
      await restore(options(target));
      assert.equal((await readdir(target)).includes(BLOBS), false);
    });
  });

  it('shows nothing of what is in it', async () => {
    const secret = new Uint8Array(randomBytes(64));
    const { directory, store, profile, identity } = await makeServer([put('plain/key', secret)]);
    await backup({ ...options(directory), store });
    await profile.close();
    const bytes = await readFile(file);
    for (const needle of [secret, identity.seed, 'plain/key', 'sesame'])
      assert.equal(bytes.includes(needle as string), false);
  });

  it('has its marks in the directory before that is in its place', async () => {
    const { directory, store, profile, expected } = await makeServer([
      ...many(1_500, 10),
      put('mark', 'of another'),
    ]);
    await backup({ ...options(directory), store });
    await profile.close();
    const died = join(root, 'died');
    const marks = [put('mark', 'here'), put('another', 'too')];
    const onProgress = (): void => {
      // As the disk would be were the process to die now. Each time, so that the last is the whole.
      const [made] = readdirSync(join(root, 'restored'));
      assert.match(made!, /^server\.restoring-/, 'nothing is in its place yet');
      rmSync(died, { recursive: true, force: true });
      cpSync(join(root, 'restored', made!), died, { recursive: true });
    };
    await restore(options(target, { marks, onProgress }));
    for (const place of [died, target]) {
      const server = await openServer(place);
      assert.equal(server.identity.public, expected.identity);
      assert.deepEqual(Buffer.from(server.store.get('mark')!).toString(), 'here');
      assert.deepEqual(Buffer.from(server.store.get('another')!).toString(), 'too');
      assert.equal((await collect(server.store, ALL)).length, expected.entries.length + 1);
      await server.profile.close();
    }
  });

  it('refuses what is no server, or no backup', async () => {
    const empty = join(root, 'empty');
    const profile = await openProfile(empty, 'server');
    const none = { code: 'NO_SUCH_FILE' };
    await assert.rejects(backup({ ...options(empty), store: profile.store }), none);
    await profile.close();
    await assert.rejects(restore(options(target)), none);
    await assert.rejects(restore({ ...options(target), file: root }), { name: 'ClchatError' });
    await assert.rejects(stat(file), { code: 'ENOENT' });
  });

  it('refuses a directory that is not empty, and takes one that is', async () => {
    const { directory, store, profile, expected } = await makeServer(many(5, 5));
    await backup({ ...options(directory), store });
    await profile.close();
    await assert.rejects(restore(options(directory)), { code: 'ALREADY' });
    await mkdir(target, { recursive: true });
    await restore(options(target));
    await check(expected);
    await assert.rejects(restore(options(target)), { code: 'ALREADY' });
    await check(expected);
    await assert.rejects(restore(options(file)), { code: 'NO_SUCH_FILE' });
  });

  it('replaces an older backup only with a whole new one', async () => {
    const { directory, store, profile, expected } = await makeServer(many(2_500, 10));
    await backup({ ...options(directory), store });
    const before = await readFile(file);
    const aborted = new AbortController();
    await assert.rejects(
      backup({
        ...options(directory, { signal: aborted.signal, onProgress: () => aborted.abort() }),
        store,
      }),
      { name: 'AbortError' },
    );
    assert.deepEqual(await readFile(file), before);
    assert.deepEqual(await readdir(join(root, 'backups')), ['server.backup']);
    await profile.close();
    await restore(options(target));
    await check(expected);
  });

  describe('that is read', () => {
    let whole: Uint8Array;
    beforeEach(async () => {
      const { directory, store, profile } = await makeServer(many(300, 1_000));
      await backup({ ...options(directory), store });
      await profile.close();
      whole = Uint8Array.from(await readFile(file));
      assert.ok(whole.length > 4 * 65_536);
    });
    const refused = async (code: string): Promise<void> => {
      await assert.rejects(restore(options(target)), { code });
      // Nothing is left of it.
      assert.deepEqual(await readdir(join(root, 'restored')).catch(() => []), []);
    };

    it('opens under its passphrase alone', async () => {
      for (const backupPassphrase of ['', 'Sesame', 'sesame '])
        await assert.rejects(restore(options(target, { backupPassphrase })), {
          code: 'BAD_PASSPHRASE',
        });
      await restore(options(target, { backupPassphrase: 'sesame' }));
    });

    it('is damaged wherever a byte is wrong', async () => {
      const places = [0, 15, 16, 20, 60, 150, 200, 300, 65_600, 200_000, whole.length - 1];
      for (const at of places) {
        const altered = Uint8Array.from(whole);
        altered[at] = (altered[at] ?? 0) ^ 1;
        await writeFile(file, altered);
        await refused('DATA_CORRUPT');
      }
    });

    it('is damaged when it is cut short or goes on', async () => {
      const chunk = 65_536 + 16;
      const head = whole.length - Math.floor(whole.length / chunk) * chunk;
      assert.ok(head > 0);
      const header = 16 + 2 + Buffer.from(whole).readUInt16BE(16) + 32;
      for (const length of [
        0,
        10,
        18,
        100,
        header,
        header + chunk,
        header + 2 * chunk,
        whole.length - 1,
      ]) {
        await writeFile(file, whole);
        await truncate(file, length);
        await refused('DATA_CORRUPT');
      }
      await writeFile(file, Buffer.concat([whole, Buffer.alloc(1)]));
      await refused('DATA_CORRUPT');
      await writeFile(file, Buffer.concat([whole, whole.subarray(header)]));
      await refused('DATA_CORRUPT');
    });

    it('is damaged when its chunks are moved, left out or of another backup', async () => {
      const header = 16 + 2 + Buffer.from(whole).readUInt16BE(16) + 32;
      const chunk = 65_536 + 16;
      const part = (from: Uint8Array, i: number): Uint8Array =>
        from.subarray(header + i * chunk, header + (i + 1) * chunk);
      const head = whole.subarray(0, header);
      const rest = whole.subarray(header + 2 * chunk);
      await writeFile(file, Buffer.concat([head, part(whole, 1), part(whole, 0), rest]));
      await refused('DATA_CORRUPT');
      await writeFile(file, Buffer.concat([head, part(whole, 0), rest]));
      await refused('DATA_CORRUPT');

      const { store, profile } = await openServer(join(root, 'server'));
      await backup({ ...options(join(root, 'server')), store });
      await profile.close();
      const other = Uint8Array.from(await readFile(file));
      await writeFile(file, Buffer.concat([head, part(other, 0), whole.subarray(header + chunk)]));
      await refused('DATA_CORRUPT');
    });

    it('never comes out of any bytes but as an error', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, headed) => {
          await writeFile(file, headed ? Buffer.concat([whole.subarray(0, 16), bytes]) : bytes);
          await refused('DATA_CORRUPT');
        }),
        { numRuns: 60 },
      );
    });

    it('is damaged when what was sealed makes no sense, whoever sealed it', async () => {
      const secrets = {
        type: 'secrets',
        secrets: { identity: random(32), vault: random(32), keystore: null },
      };
      const entry = { type: 'entry', key: 'a', value: random(3) };
      const end = { type: 'end', entries: 1 };
      const framed = (...records: unknown[]): Uint8Array =>
        Buffer.concat(
          records.map((one) => {
            const body = encode(one);
            const length = Buffer.alloc(4);
            length.writeUInt32BE(body.length);
            return Buffer.concat([length, body]);
          }),
        );
      const good = framed(secrets, entry, end);
      const { manifest, chunks } = blobOf(1, 5);
      const blob = { type: 'blob', manifest: manifest.bytes };
      const chunk = { type: 'chunk', index: 1, chunk: chunks[1] };
      for (const content of [
        new Uint8Array(),
        good.subarray(0, -1),
        framed(secrets, entry),
        framed(entry, end),
        framed(secrets, secrets, entry, end),
        framed(secrets, entry, entry, end),
        framed(secrets, entry, end, entry),
        framed(secrets, { ...entry, key: 'a\n' }, end),
        framed(secrets, { ...entry, value: 7 }, end),
        framed({ ...secrets, secrets: { ...secrets.secrets, keystore: random(9) } }, entry, end),
        framed('nonsense'),
        Buffer.alloc(4, 0xff),
        Buffer.concat([good, Buffer.alloc(3)]),
        framed(secrets, entry, blob, chunk),
        framed(secrets, entry, chunk, end),
        framed(blob, secrets, entry, end),
        framed(secrets, blob, entry, end),
        framed(secrets, entry, end, blob),
        framed(secrets, entry, blob, { ...chunk, index: 0 }, end),
        framed(secrets, entry, blob, { ...chunk, index: 7 }, end),
        framed(secrets, entry, blob, { ...chunk, chunk: random(5) }, end),
        framed(secrets, entry, { ...blob, manifest: random(50) }, end),
        framed(secrets, entry, blob, chunk, { ...end, entries: 2 }),
        undefined,
      ]) {
        const handle = await open(file, 'w');
        const writer = await SealedWriter.create(
          handle,
          'clchat backup 1\n',
          'sesame',
          random,
          1 << 10,
        );
        await writer.write(content ?? good);
        await writer.finish();
        await handle.close();
        if (content === undefined) assert.equal((await restore(options(target))).entries, 1);
        else await refused('DATA_CORRUPT');
      }
    });

    it('needs room, and leaves none taken where there is too little', async function () {
      const disk = await newDisk(this, 256);
      const directory = join(disk.directory, 'server');
      await assert.rejects(restore(options(directory)), { code: 'DISK_FULL' });
      assert.deepEqual(await readdir(disk.directory), []);
      const { store, profile } = await openServer(join(root, 'server'));
      const full = { ...options(join(root, 'server')), store, file: join(disk.directory, 'b') };
      await assert.rejects(backup(full), { code: 'DISK_FULL' });
      assert.deepEqual(await readdir(disk.directory), []);
      await profile.close();
    });

    it('may be given up', async () => {
      const signal = AbortSignal.abort();
      await assert.rejects(restore(options(target, { signal })), { name: 'AbortError' });
      assert.deepEqual(await readdir(join(root, 'restored')), []);
    });
  });
});
