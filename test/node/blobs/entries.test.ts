import assert from 'node:assert/strict';
import { readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  draftName,
  entryName,
  newEntry,
  scan,
  whoGoes,
  type Entry,
} from '../../../lib/node/blobs/entries.ts';
import type { BlobHash } from '../../../lib/node/blobs/manifest.ts';
import { temporary } from '../../support/temporary.ts';
import { random } from './stage.ts';

const hashOf = (digit: string): BlobHash => digit.repeat(64) as BlobHash;

describe('the entries of a store of blobs', () => {
  const { newDirectory } = temporary();

  it('are found by their names, the least recently used first', async () => {
    const directory = await newDirectory();
    const make = async (name: string, size: number, usedAt: number): Promise<void> => {
      await writeFile(join(directory, name), new Uint8Array(size));
      await utimes(join(directory, name), usedAt, usedAt);
    };
    await make(entryName({ hash: hashOf('a'), isComplete: true }), 100, 30);
    await make(entryName({ hash: hashOf('b'), isComplete: false }), 50, 10);
    await make(entryName({ hash: hashOf('c'), isComplete: true }), 10, 20);
    await make(entryName({ hash: hashOf('c'), isComplete: false }), 90, 99);
    const left = draftName(random);
    await make(left, 5, 5);
    for (const name of ['x.blob', `${hashOf('A')}.blob`, `${hashOf('a')}.blob.tmp`, '.blob'])
      await make(name, 1, 1);
    const found = await scan(directory);
    assert.deepEqual(
      found.map(({ hash, isComplete, usedAt }) => [hash[0], isComplete, usedAt]),
      [
        ['b', false, 10_000],
        ['c', true, 20_000],
        ['a', true, 30_000],
      ],
    );
    assert.equal(found[2]!.held, 100);
    assert.ok(!(await readdir(directory)).includes(left));
  });

  it('that are there in part count for what they hold', async () => {
    const directory = await newDirectory();
    const path = join(directory, entryName({ hash: hashOf('a'), isComplete: false }));
    await writeFile(path, 'x');
    await truncate(path, 1 << 30);
    assert.ok((await scan(directory))[0]!.held < 1 << 20);
  });

  describe('that go for others', () => {
    const make = (digit: string, held: number, facts: Partial<Entry> = {}): Entry =>
      Object.assign(newEntry(hashOf(digit), 0), { held, isComplete: true }, facts);
    const going = (
      entries: readonly Entry[],
      bytes: number,
      mayEvict?: (hash: BlobHash) => boolean,
      besides?: BlobHash,
    ): string | undefined =>
      whoGoes(new Map(entries.map((entry) => [entry.hash, entry])), bytes, 100, besides, mayEvict)
        ?.map(({ hash }) => hash[0])
        .join('');
    const all = (): boolean => true;

    it('are none where there is room', () => {
      assert.equal(going([], 100), '');
      assert.equal(going([make('a', 60)], 40, all), '');
    });

    it('are the oldest that may go, those in part before the whole', () => {
      const entries = [make('a', 30), make('b', 30), make('c', 20, { isComplete: false })];
      assert.equal(going(entries, 30, all), 'c');
      assert.equal(going(entries, 50, all), 'ca');
      assert.equal(going(entries, 71, all), 'cab');
      assert.equal(
        going(entries, 50, (hash) => hash.startsWith('b')),
        'cb',
      );
      assert.equal(going(entries, 30), 'c');
      assert.equal(going(entries, 50), undefined);
      assert.equal(going(entries, 101, all), undefined);
    });

    it('are not those that are in use, or on their way', () => {
      const part = { isComplete: false };
      assert.equal(going([make('a', 90, { users: 1 })], 20, all), undefined);
      assert.equal(going([make('a', 10, { ...part, reserved: 90 })], 20, all), undefined);
      assert.equal(going([make('a', 90, part)], 20, all, hashOf('a')), undefined);
      assert.equal(going([make('a', 90, part)], 20, all, hashOf('b')), 'a');
    });
  });
});
