import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLevelStore } from '../../lib/crdt/store-level.ts';
import { prefixed, type Store } from '../../lib/crdt/store.ts';
import { ALL, collect, put, remove, text } from '../support/store-contract.ts';
import { temporary } from '../support/temporary.ts';

const SYNC = { sync: true };

/** Whether any file of the directory holds the bytes. */
async function onDisk(directory: string, needle: Uint8Array): Promise<boolean> {
  const bytes = Buffer.from(needle);
  for (const name of await readdir(directory))
    if ((await readFile(join(directory, name))).includes(bytes)) return true;
  return false;
}

describe('purge of the store over LevelDB', () => {
  const { newDirectory } = temporary();
  const secret = (): Uint8Array => new Uint8Array(randomBytes(200));
  let directory: string;
  let store: Store;
  beforeEach(async () => {
    directory = await newDirectory();
    store = await openLevelStore(directory, { create: true });
  });
  afterEach(() => store.close());
  const reopen = async (): Promise<void> => {
    await store.close();
    store = await openLevelStore(directory, { create: false });
  };
  const fill = (prefix: string, count: number): Promise<void> =>
    store.write(
      Array.from({ length: count }, (_, i) => put(`${prefix}${i}`, secret())),
      SYNC,
    );

  it('removes what was erased just now', async () => {
    const [one, other, kept] = [secret(), secret(), secret()];
    await store.write([put('m/1', one), put('m/2', other), put('m/3', kept)], SYNC);
    await store.write([remove('m/1'), put('m/2', 'new')], SYNC);
    assert.ok(await onDisk(directory, one));
    assert.ok(await onDisk(directory, other));
    await store.purge(prefixed('m/'));
    assert.equal(await onDisk(directory, one), false);
    assert.equal(await onDisk(directory, other), false);
    assert.ok(await onDisk(directory, kept));
    assert.equal(text(store.get('m/2')), 'new');
  });

  it('removes what earlier runs had written, spread over many tables', async () => {
    const values = new Map<string, Uint8Array>();
    for (let run = 0; run < 6; run += 1) {
      const value = secret();
      values.set(`m/${run}`, value);
      await store.write([put(`m/${run}`, value), put('m/always', `${run}`)], SYNC);
      await fill('a/', 100);
      await fill('m/fill', 100);
      await reopen();
    }
    await store.write([remove('m/0'), remove('m/3'), put('m/5', 'new')], SYNC);
    await reopen();
    await store.purge(prefixed('m/'));
    for (const [key, value] of values) {
      const erased = ['m/0', 'm/3', 'm/5'].includes(key);
      assert.equal(await onDisk(directory, value), !erased, key);
      if (!erased) assert.deepEqual(store.get(key), value);
    }
    assert.equal(text(store.get('m/always')), '5');
  });

  it('removes a value from a table that holds its deletion too', async () => {
    const value = secret();
    await store.write([put('m/1', value)], SYNC);
    await store.write([remove('m/1')], SYNC);
    await fill('a/', 10);
    // Moves both, as they are, into one table of the lowest level in use.
    await store.purge(prefixed('z/'));
    assert.ok(await onDisk(directory, value));
    await store.purge(prefixed('m/'));
    assert.equal(await onDisk(directory, value), false);
  });

  it('removes what is far below in a large store', async () => {
    const value = secret();
    await store.write([put('m/5', value), put('m/6', value)], SYNC);
    for (let round = 0; round < 4; round += 1) {
      await store.write(
        Array.from({ length: 400 }, (_, i) => put(`m/${i}/${round}`, randomBytes(10_000))),
        SYNC,
      );
      await store.write(
        Array.from({ length: 100 }, (_, i) => remove(`m/${i * 4}/${round}`)),
        SYNC,
      );
    }
    await store.write([remove('m/5')], SYNC);
    await store.purge({ from: 'm/5', until: 'm/5!' });
    assert.deepEqual(store.get('m/6'), value);
    await store.write([remove('m/6')], SYNC);
    await store.purge(prefixed('m/'));
    assert.equal(await onDisk(directory, value), false);
    assert.equal((await collect(store, prefixed('m/'))).length, 1200);
  });

  it('waits for readings that still see it', async () => {
    const value = secret();
    await store.write([put('m/1', value), put('m/2', 'x')], SYNC);
    const reading = store.entries(prefixed('m/'))[Symbol.asyncIterator]();
    await reading.next();
    await store.write([remove('m/1')], SYNC);
    let purged = false;
    const purging = store.purge(prefixed('m/')).then(() => (purged = true));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(purged, false);
    assert.ok(await onDisk(directory, value));
    await reading.return?.();
    await purging;
    assert.equal(await onDisk(directory, value), false);
  });

  it('goes on while others write and read', async () => {
    const value = secret();
    await store.write([put('m/1', value)], SYNC);
    await store.write([remove('m/1')], SYNC);
    let writes = 0;
    let stop = false;
    const busy = (async () => {
      while (!stop) {
        await store.write([put(`m/${writes % 50}x`, `${writes}`)], { sync: false });
        await collect(store, prefixed('m/'));
        writes += 1;
      }
    })();
    await store.purge(prefixed('m/'));
    stop = true;
    await busy;
    assert.equal(await onDisk(directory, value), false);
    assert.equal((await collect(store, prefixed('m/'))).length, Math.min(50, writes));
  });

  it('ends when the store is closed with a reading left open', async () => {
    await fill('m/', 10);
    const reading = store.entries(ALL)[Symbol.asyncIterator]();
    await reading.next();
    const purging = store.purge(ALL);
    await store.close();
    await purging;
  });
});
