import assert from 'node:assert/strict';
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
    book = await ProgressBook.open(store, ({ id: one, on, of }: Receipt) =>
      told.push(`${Number(`0x${one}`)}: ${on}/${of}`),
    );
  };
  beforeEach(async () => {
    disk = new MemoryDisk();
    told = [];
    await open();
  });

  it('goes from held to all devices, and is then forgotten', async () => {
    book.held(id(1), 2);
    assert.deepEqual(book.get(id(1)), { id: id(1), on: 0, of: 2 });
    book.update(id(1), 1, 2);
    book.update(id(1), 2, 2);
    assert.deepEqual(told, ['1: 0/2', '1: 1/2', '1: 2/2']);
    assert.equal(book.get(id(1)), undefined);
    assert.deepEqual(book.open(), []);
    await book.settled();
    assert.equal(disk.table.bytes, 0);
  });

  it('is finished at once where nobody else is to get it', () => {
    book.held(id(1), 0);
    assert.deepEqual(told, ['1: 0/0']);
    assert.deepEqual(book.open(), []);
  });

  it('says nothing twice, and never goes back', () => {
    book.held(id(1), 3);
    book.held(id(1), 3);
    book.update(id(1), 2, 3);
    book.update(id(1), 2, 3);
    book.update(id(1), 1, 3);
    assert.deepEqual(told, ['1: 0/3', '1: 2/3']);
    // There are fewer devices now: that is news.
    book.update(id(1), 1, 2);
    assert.deepEqual(told.slice(2), ['1: 1/2']);
  });

  it('of what is not followed says nothing', () => {
    book.update(id(9), 1, 2);
    assert.deepEqual(told, []);
  });

  it('goes on after a restart', async () => {
    book.held(id(1), 2);
    book.held(id(2), 2);
    book.update(id(1), 1, 2);
    book.update(id(2), 2, 2);
    await book.settled();
    await store.close();
    await open();
    assert.deepEqual(book.open(), [id(1)]);
    assert.deepEqual(book.get(id(1)), { id: id(1), on: 1, of: 2 });
    book.update(id(1), 2, 2);
    await book.settled();
    await store.close();
    await open();
    assert.deepEqual(book.open(), []);
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
    book.update(id(1), 1, 2);
    await book.settled();
    assert.deepEqual(told, ['1: 0/2', '1: 1/2']);
  });
});
