import assert from 'node:assert/strict';
import { encode } from '../../../lib/crdt/codec.ts';
import type { EntryId } from '../../../lib/crdt/keys.ts';
import { MemoryDisk } from '../../../lib/crdt/store-memory.ts';
import type { Store } from '../../../lib/crdt/store.ts';
import { ProgressBook, type Receipt } from '../../../lib/node/client/progress.ts';

const id = (n: number): EntryId => n.toString(16).padStart(64, '0') as EntryId;

describe('progress of own messages', () => {
  let disk: MemoryDisk;
  let store: Store;
  let book: ProgressBook;
  let told: string[];

  const open = async (): Promise<void> => {
    store = disk.open();
    book = await ProgressBook.open(store, ({ id: one, on, of, read }: Receipt) =>
      told.push(`${Number(`0x${one}`)}: ${on}/${of}${read > 0 ? ` read ${read}` : ''}`),
    );
  };
  beforeEach(async () => {
    disk = new MemoryDisk();
    told = [];
    await open();
  });

  const update = (n: number, on: number, of: number, read = 0): void =>
    book.update({ id: id(n), on, of, read });

  it('goes from held to all devices', async () => {
    book.held(id(1), 2);
    assert.deepEqual(book.get(id(1)), { id: id(1), on: 0, of: 2, read: 0 });
    update(1, 1, 2);
    update(1, 2, 2);
    assert.deepEqual(told, ['1: 0/2', '1: 1/2', '1: 2/2']);
  });

  it('goes on to those who have read it, of whom there are never less', () => {
    book.held(id(1), 2);
    update(1, 1, 2, 1);
    update(1, 1, 2, 1);
    update(1, 2, 2);
    update(1, 1, 2, 2);
    update(1, 2, 2, 1);
    assert.deepEqual(told, ['1: 0/2', '1: 1/2 read 1', '1: 2/2 read 1', '1: 2/2 read 2']);
    assert.deepEqual(book.get(id(1)), { id: id(1), on: 2, of: 2, read: 2 });
  });

  it('is followed on all devices of a smaller number, the newest', async () => {
    for (let n = 0; n < 300; n++) {
      book.held(id(n), 1);
      if (n >= 100) book.update({ id: id(n), on: 1, of: 1, read: 0 });
    }
    assert.equal(book.open().length, 200);
    assert.equal(book.get(id(199)), undefined);
    assert.equal(book.get(id(200))?.on, 1);
    assert.equal(book.get(id(99))?.on, 0);
    await book.settled();
    await store.close();
    await open();
    assert.equal(book.open().length, 200);
  });

  it('is read as it was kept by a program that knew of devices only', async () => {
    const value = encode([1, 2]);
    await store.write([{ type: 'put', key: `q!${id(1)}`, value }], { sync: false });
    await store.close();
    await open();
    assert.deepEqual(book.get(id(1)), { id: id(1), on: 1, of: 2, read: 0 });
  });

  it('is at its end at once where nobody else is to get it', () => {
    book.held(id(1), 0);
    assert.deepEqual(told, ['1: 0/0']);
  });

  it('says nothing twice, and never goes back', () => {
    book.held(id(1), 3);
    book.held(id(1), 3);
    update(1, 2, 3);
    update(1, 2, 3);
    update(1, 1, 3);
    assert.deepEqual(told, ['1: 0/3', '1: 2/3']);
    // There are fewer devices now: that is news.
    update(1, 1, 2);
    assert.deepEqual(told.slice(2), ['1: 1/2']);
  });

  it('of what is not followed says nothing', () => {
    update(9, 1, 2);
    assert.deepEqual(told, []);
  });

  it('goes on after a restart', async () => {
    book.held(id(1), 2);
    book.held(id(2), 2);
    update(1, 1, 2);
    update(2, 2, 2);
    await book.settled();
    await store.close();
    await open();
    assert.deepEqual(book.open(), [id(1), id(2)]);
    assert.deepEqual(book.get(id(1)), { id: id(1), on: 1, of: 2, read: 0 });
    update(1, 2, 2, 1);
    await book.settled();
    await store.close();
    await open();
    assert.deepEqual(book.get(id(1)), { id: id(1), on: 2, of: 2, read: 1 });
  });

  it('is followed of a bounded number, the newest', async () => {
    for (let n = 0; n < 600; n++) book.held(id(n), 1);
    assert.equal(book.open().length, 500);
    assert.equal(book.open()[0], id(100));
    await book.settled();
    await store.close();
    await open();
    assert.equal(book.open().length, 500);
  });

  it('survives a disk that is full', async () => {
    disk.capacity = 10;
    book.held(id(1), 2);
    await book.settled();
    update(1, 1, 2);
    await book.settled();
    assert.deepEqual(told, ['1: 0/2', '1: 1/2']);
  });
});
