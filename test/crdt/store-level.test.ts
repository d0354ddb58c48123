import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { randomBytes } from 'node:crypto';
import { openLevelStore } from '../../lib/crdt/store-level.ts';
import { prefixed, type Store } from '../../lib/crdt/store.ts';
import { hasCode } from '../../lib/errors.ts';
import { sleep } from '../../lib/lifecycle.ts';
import { ALL, collect, describeStore, put, text } from '../support/store-contract.ts';
import { temporary } from '../support/temporary.ts';

const SYNC = { sync: true };

/** The names of the files in a directory that end so. */
async function files(directory: string, ending: RegExp): Promise<string[]> {
  return (await readdir(directory)).filter((name) => ending.test(name)).sort();
}

/** Tries until it does not fail with DISK_FULL any more. */
async function eventually(run: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL') || attempt === 100) throw error;
      await sleep(100);
    }
  }
}

async function alter(path: string, at: number, bytes?: Uint8Array): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const one = Buffer.alloc(1);
    await file.read(one, 0, 1, at);
    await file.write(bytes ?? Uint8Array.of((one[0] ?? 0) ^ 0x40), 0, bytes?.length ?? 1, at);
  } finally {
    await file.close();
  }
}

describe('store over LevelDB', () => {
  const { newDirectory, newDisk } = temporary();

  describeStore(async () => {
    const directory = join(await newDirectory(), 'store');
    return {
      open: () => openLevelStore(directory, { create: true }),
      discard: async () => undefined,
    };
  });

  it('makes a directory that only its owner may enter', async () => {
    const directory = join(await newDirectory(), 'deep', 'store');
    const store = await openLevelStore(directory, { create: true });
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    await store.close();
  });

  it('creates nothing when told not to', async () => {
    const directory = join(await newDirectory(), 'store');
    await assert.rejects(openLevelStore(directory, { create: false }), { code: 'NO_SUCH_FILE' });
    await assert.rejects(stat(directory), { code: 'ENOENT' });
    await (await openLevelStore(directory, { create: true })).close();
    await (await openLevelStore(directory, { create: false })).close();
  });

  it('groups writes: thousands of synced ones at once are soon done', async () => {
    const store = await openLevelStore(await newDirectory(), { create: true });
    const writes = Array.from({ length: 5000 }, (_, i) => store.write([put(`k${i}`, 'x')], SYNC));
    const began = performance.now();
    await Promise.all(writes);
    assert.ok(performance.now() - began < 2_000);
    await store.close();
  });

  describe('a process killed with SIGKILL', () => {
    let child: ChildProcess | undefined;
    afterEach(() => child?.kill('SIGKILL'));

    /** Starts a writer; resolves with its lines once it holds the store. */
    async function write(directory: string, first = 0): Promise<AsyncIterator<string>> {
      child = spawn(
        process.execPath,
        ['--import', 'tsx', 'test/support/store-writer.ts', directory, `${first}`],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      assert.ok(child.stdout);
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      assert.equal((await lines.next()).value, 'open');
      return lines;
    }

    it('has lost nothing that was acknowledged, and no part of a batch', async () => {
      const directory = await newDirectory();
      let next = 0;
      for (const enough of [1, 100, 400]) {
        const lines = await write(directory, next);
        let acknowledged = -1;
        let ending: Promise<unknown> | undefined;
        for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
          acknowledged = Number(line.value);
          if (acknowledged < next + enough || ending !== undefined) continue;
          assert.ok(child);
          ending = once(child, 'exit');
          child.kill('SIGKILL');
        }
        await ending;
        const store = await openLevelStore(directory, { create: false });
        const parts = new Set((await collect(store, prefixed('b/'))).map(([, value]) => value));
        assert.equal(parts.size, 1, 'a batch is whole');
        const [stored] = [...parts].map(Number);
        assert.ok(stored !== undefined && stored >= acknowledged && stored <= acknowledged + 1);
        for (let i = next; i <= stored; i += 1)
          assert.equal(store.get(`n/${i}`)?.length, 5000, `batch ${i} of ${stored}`);
        // Without a power cut even what was not synced is there, in its order.
        assert.ok(Number(text(store.get('unsynced'))) >= stored - 1);
        await store.close();
        next = stored + 1;
      }
    });

    it('blocks others while it lives, and nobody afterwards', async () => {
      const directory = await newDirectory();
      await write(directory);
      await assert.rejects(openLevelStore(directory, { create: true }), { code: 'DATA_IN_USE' });
      assert.ok(child);
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      assert.ok((await readdir(directory)).includes('LOCK'));
      await (await openLevelStore(directory, { create: true })).close();
    });
  });

  describe('damage', () => {
    let directory: string;
    const corrupt = { code: 'DATA_CORRUPT' };
    const opening = (): Promise<Store> => openLevelStore(directory, { create: true });

    /** A store with a table of 200 pairs and a log with 200 more. */
    beforeEach(async () => {
      directory = await newDirectory();
      for (const run of [0, 1]) {
        const store = await opening();
        for (let i = 0; i < 200; i += 1)
          await store.write([put(`k/${run}/${i}`, `${'value'.repeat(20)}${i}`)], SYNC);
        await store.close();
      }
    });
    const only = async (ending: RegExp): Promise<string> => {
      const found = await files(directory, ending);
      assert.equal(found.length, 1);
      return join(directory, found[0] ?? '');
    };

    it('is seen anywhere in a table', async () => {
      const path = await only(/\.ldb$/);
      const { size } = await stat(path);
      // The last bytes of the footer before the magic number are padding.
      const places = Array.from({ length: 40 }, (_, i) => Math.floor((i * (size - 48)) / 40));
      for (const at of [...places, size - 48, size - 47, size - 4, size - 1]) {
        await alter(path, at);
        await assert.rejects(opening(), corrupt, `at ${at} of ${size}`);
        await alter(path, at);
      }
      const store = await opening();
      assert.equal((await collect(store, ALL)).length, 400);
      await store.close();
    });

    it('is seen in the log, which nobody replays then', async () => {
      const path = await only(/\.log$/);
      const { size } = await stat(path);
      for (const at of [0, 4, 5, 6, 7, 100, 5000, size - 2000, size - 20]) {
        await alter(path, at);
        await assert.rejects(opening(), corrupt, `at ${at} of ${size}`);
        await alter(path, at);
      }
      const store = await opening();
      assert.equal((await collect(store, ALL)).length, 400);
      await store.close();
    });

    it('is no damage when a crash cut the log short', async () => {
      const path = await only(/\.log$/);
      await truncate(path, (await stat(path)).size - 50);
      const store = await opening();
      const pairs = await collect(store, ALL);
      assert.equal(pairs.length, 399);
      assert.equal(store.get('k/1/199'), undefined);
      await store.close();
    });

    it('is seen in the manifest', async () => {
      await alter(await only(/^MANIFEST/), 20);
      await assert.rejects(opening(), corrupt);
    });

    it('is seen in a truncated or missing table', async () => {
      const path = await only(/\.ldb$/);
      const bytes = await readFile(path);
      await truncate(path, 100);
      await assert.rejects(opening(), corrupt);
      await rm(path);
      await assert.rejects(opening(), corrupt);
      await writeFile(path, bytes);
      await (await opening()).close();
    });

    it('is seen when the pointer to the manifest is gone, wrong or empty', async () => {
      const path = join(directory, 'CURRENT');
      const bytes = await readFile(path);
      for (const content of ['', 'nonsense', 'MANIFEST-999999\n']) {
        await writeFile(path, content);
        await assert.rejects(opening(), corrupt, content);
      }
      await rm(path);
      // Not taken for a new store, whose making would delete the old files.
      await assert.rejects(opening(), corrupt);
      await writeFile(path, bytes);
      const store = await opening();
      assert.equal((await collect(store, ALL)).length, 400);
      await store.close();
    });

    it('is no damage when the making of a store was interrupted', async () => {
      directory = join(await newDirectory(), 'store');
      await (await opening()).close();
      for (const name of await readdir(directory))
        if (name !== 'LOCK') await rm(join(directory, name));
      // What LevelDB makes first.
      await writeFile(join(directory, 'MANIFEST-000001'), '');
      const store = await opening();
      await store.write([put('a', '')], SYNC);
      await store.close();
    });

    it('is not what a store in use is taken for', async () => {
      const store = await opening();
      await rm(join(directory, 'CURRENT'));
      await assert.rejects(opening(), { code: 'DATA_IN_USE' });
      await store.close();
    });

    it('is seen at reading when it came after the opening', async () => {
      const store = await opening();
      const tables = await files(directory, /\.ldb$/);
      for (const name of tables) {
        const path = join(directory, name);
        const at = (await readFile(path)).indexOf('value199');
        if (at >= 0) await alter(path, at);
      }
      assert.throws(() => store.get('k/0/199'), corrupt);
      await assert.rejects(collect(store, ALL), corrupt);
      assert.ok(store.get('k/0/0'));
      await store.close();
    });
  });

  describe('a disk', () => {
    it('that is full refuses the write and keeps all before', async function () {
      const disk = await newDisk(this, 2048);
      const directory = join(disk.directory, 'store');
      let store = await openLevelStore(directory, { create: true });
      const full = { code: 'DISK_FULL' };
      let stored = 0;
      await assert.rejects(async () => {
        for (; ; stored += 1)
          await store.write(
            [put(`k/${stored}`, randomBytes(10_000)), put('last', `${stored}`)],
            SYNC,
          );
      }, full);
      assert.ok(stored > 50);
      // Not even a small one: LevelDB would lose at the next opening what it wrote behind a torn record.
      await assert.rejects(store.write([put('small', '')], SYNC), full);
      assert.equal(text(store.get('last')), `${stored - 1}`);
      assert.equal(store.get(`k/${stored - 1}`)?.length, 10_000);
      await store.close();
      await assert.rejects(openLevelStore(directory, { create: true }), full);
      disk.resize(16_384);
      store = await openLevelStore(directory, { create: true });
      assert.equal((await collect(store, prefixed('k/'))).length, stored);
      await store.write([put('more', randomBytes(100_000))], SYNC);
      await store.close();
    });

    it('that was full lets the store go on once there is room, as if the failed write had not been', async function () {
      const disk = await newDisk(this, 2048);
      const directory = join(disk.directory, 'store');
      let store = await openLevelStore(directory, { create: true });
      const full = { code: 'DISK_FULL' };
      await store.write([put('same', 'old'), put('gone', 'still here')], SYNC);
      let stored = 0;
      await assert.rejects(async () => {
        for (; ; stored += 1) await store.write([put(`k/${stored}`, randomBytes(10_000))], SYNC);
      }, full);
      await assert.rejects(
        store.write([put('same', 'new'), { type: 'delete', key: 'gone' }, put('fresh', 'x')], SYNC),
        full,
      );
      disk.resize(32_768);
      const reading = store.entries(prefixed('k/'))[Symbol.asyncIterator]();
      await reading.next();
      await eventually(async () => {
        await Promise.all([
          store.write([put('after/1', '1')], SYNC),
          store.write([put('after/2', '2')], SYNC),
        ]);
      });
      await reading.return?.();
      const check = async (): Promise<void> => {
        assert.equal(text(store.get('same')), 'old');
        assert.equal(text(store.get('gone')), 'still here');
        assert.equal(store.get('fresh'), undefined);
        assert.equal(store.get(`k/${stored}`), undefined);
        assert.equal((await collect(store, prefixed('k/'))).length, stored);
        assert.equal((await collect(store, prefixed('after/'))).length, 2);
      };
      await check();
      await store.write([put('same', 'newer')], SYNC);
      await store.write([put('same', 'old')], SYNC);
      await store.close();
      store = await openLevelStore(directory, { create: false });
      await check();
      await store.close();
    });

    it('that is read-only is named so', async function () {
      const disk = await newDisk(this, 4096);
      const directory = join(disk.directory, 'store');
      const store = await openLevelStore(directory, { create: true });
      await store.write([put('a', 'kept')], SYNC);
      await store.close();
      disk.makeReadOnly();
      const readOnly = { code: 'DATA_READ_ONLY' };
      await assert.rejects(openLevelStore(directory, { create: true }), readOnly);
      await assert.rejects(openLevelStore(join(disk.directory, 'new'), { create: true }), readOnly);
      disk.makeWritable();
      const again = await openLevelStore(directory, { create: false });
      assert.equal(text(again.get('a')), 'kept');
      await again.close();
    });
  });
});
