import assert from 'node:assert/strict';
import { toHex, utf8 } from '../../lib/crdt/bytes.ts';
import type { EntryId } from '../../lib/crdt/keys.ts';
import { stored } from '../../lib/crdt/codec.ts';
import { batchOperations, LogStore } from '../../lib/crdt/log-store.ts';
import { changeOperations } from '../../lib/crdt/state-store.ts';
import { EMPTY_HEAD, headAfter } from '../../lib/crdt/stream-head.ts';
import { count } from '../../lib/crdt/records.ts';
import { isKey } from '../../lib/crdt/store-keys.ts';
import { openMemoryStore } from '../../lib/crdt/store-memory.ts';
import { LOBBY_STREAM, roomStream } from '../../lib/crdt/stream.ts';
import { SealedCommunity, wireOf, type Member } from '../support/community.ts';

describe('the log in a store', () => {
  let community: SealedCommunity;
  let alice: Member;

  before(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    // Batches of 3, 1, 4, 1, 5 and 9 items.
    for (const length of [3, 1, 4, 1, 5, 9]) {
      const made = Array.from({ length }, (_, n) =>
        alice.write(LOBBY_STREAM, 'say', { text: `${length}/${n}` }),
      );
      await Promise.all(made.map((entry) => community.submit(entry)));
    }
  });

  const firsts = (batches: { seal: Uint8Array }[]): number[] =>
    batches.map(
      ({ seal }) =>
        community.of(LOBBY_STREAM).find((one) => one.seal.bytes.join() === seal.join())!.seal.first,
    );

  it('is read again as it was written', async () => {
    const fresh = new LogStore(community.log.store);
    for (const name of await fresh.names()) {
      const [one, other] = [await fresh.open(name), await community.log.open(name)];
      assert.deepEqual(one.head, other.head);
      assert.equal(toHex(one.state.hash()), toHex(other.state.hash()));
      assert.equal(toHex(one.state.rehash()), toHex(other.state.hash()));
    }
    assert.deepEqual(await fresh.names(), [LOBBY_STREAM, 'space']);
    const device = fresh.record<{ account: string }>('space', 'device', alice.id);
    assert.equal(device?.account, alice.account);
    assert.equal(fresh.record('space', 'device', 'nobody'), undefined);
    assert.equal(fresh.record(roomStream('none'), 'member', 'x'), undefined);
  });

  it('tells how far a stream is, whether it is open, let go or changed meanwhile', async () => {
    const log = new LogStore(community.log.store);
    const { length } = community.log.headOf(LOBBY_STREAM);
    assert.equal(log.headOf(LOBBY_STREAM).length, length);
    await log.use(LOBBY_STREAM, async (stream) => {
      // So many others are opened that any that nobody uses is let go.
      for (let n = 0; n < 2_100; n++) await log.open(roomStream(n.toString(16).padStart(32, '0')));
      assert.equal(log.opened(LOBBY_STREAM), stream);
      stream.head = { ...stream.head, length: length + 1 };
    });
    assert.equal(log.headOf(LOBBY_STREAM).length, length + 1);
    for (let n = 0; n < 2_100; n++)
      await log.open(roomStream(`f${n.toString(16)}`.padStart(32, '0')));
    assert.equal(log.opened(LOBBY_STREAM), undefined);
    assert.equal(log.headOf(LOBBY_STREAM).length, length + 1);
    // What is forgotten is read anew.
    log.close(LOBBY_STREAM);
    assert.equal(log.headOf(LOBBY_STREAM).length, length);
  });

  it('finds entries by their id and by their place', () => {
    const { log } = community;
    const entry = community.of(LOBBY_STREAM)[2]!.items[1]!;
    assert.ok(entry.type === 'entry');
    assert.deepEqual(log.find(entry.entry.id), { stream: LOBBY_STREAM, position: 5 });
    assert.equal(log.find('0'.repeat(64) as EntryId), undefined);
    const item = log.item(LOBBY_STREAM, 5);
    assert.equal(item?.type === 'entry' && item.entry.id, entry.entry.id);
    assert.equal(log.item(LOBBY_STREAM, 23), undefined);
    assert.equal(log.headOf(roomStream('0'.repeat(32))).length, 0);
  });

  it('finds the seal over a position', async () => {
    const { log } = community;
    for (const [position, first] of [
      [0, 0],
      [2, 0],
      [3, 3],
      [7, 4],
      [8, 8],
      [22, 14],
    ] as const)
      assert.equal((await log.sealOver(LOBBY_STREAM, position))?.first, first);
    assert.equal(await log.sealOver(LOBBY_STREAM, 23), undefined);
    assert.equal(log.lastSeal(LOBBY_STREAM)?.first, 14);
  });

  it('gives batches from a position on, whole, within a bound of bytes', async () => {
    const { log } = community;
    const from = async (position: number, until = 23, most = 1e6): Promise<number[]> =>
      firsts(await log.batches(LOBBY_STREAM, position, until, most));
    assert.deepEqual(await from(0), [0, 3, 4, 8, 9, 14]);
    assert.deepEqual(await from(5), [4, 8, 9, 14]);
    assert.deepEqual(await from(0, 9), [0, 3, 4, 8]);
    assert.deepEqual(await from(0, 23, 1), [0]);
    assert.deepEqual(await from(23), []);
    const [first] = await log.batches(LOBBY_STREAM, 0, 23, 1);
    assert.deepEqual(
      first?.items.map(toHex),
      wireOf(community.of(LOBBY_STREAM)[0]!).items.map(toHex),
    );
  });

  it('gives batches before a position, newest first', async () => {
    const { log } = community;
    const before = async (position: number, least = 0, most = 1e6): Promise<number[]> =>
      firsts(await log.batchesBefore(LOBBY_STREAM, position, least, most));
    assert.deepEqual(await before(23), [14, 9, 8, 4, 3, 0]);
    assert.deepEqual(await before(9), [8, 4, 3, 0]);
    assert.deepEqual(await before(23, 8), [14, 9, 8]);
    assert.deepEqual(await before(14, 0, 1), [9]);
    assert.deepEqual(await before(0), []);
  });

  it('stops where items are missing, and gives none in their place', async () => {
    const store = openMemoryStore();
    const batches = community.of(LOBBY_STREAM);
    for (const batch of batches) await store.write(batchOperations(batch), { sync: true });
    const log = new LogStore(store);
    const key = batchOperations(batches[2]!).find((operation) =>
      operation.key.startsWith('e!'),
    )!.key;
    await store.write([{ type: 'delete', key }], { sync: true });
    assert.deepEqual(firsts(await log.batches(LOBBY_STREAM, 0, 23, 1e6)), [0, 3]);
    assert.deepEqual(firsts(await log.batchesBefore(LOBBY_STREAM, 23, 0, 1e6)), [14, 9, 8]);
  });

  it('gives items in a range, from either end', async () => {
    const positions = async (reverse: boolean): Promise<number[]> => {
      const list: number[] = [];
      for await (const { position } of community.log.items(LOBBY_STREAM, 6, 9, reverse))
        list.push(position);
      return list;
    };
    assert.deepEqual(await positions(false), [6, 7, 8]);
    assert.deepEqual(await positions(true), [8, 7, 6]);
  });

  it('opens a stream once, however many ask at once', async () => {
    const log = new LogStore(community.log.store);
    const opened = await Promise.all([1, 2, 3].map(() => log.open('space')));
    assert.equal(new Set(opened).size, 1);
    assert.equal(log.opened('space'), opened[0]);
  });

  it('keeps a bounded number of streams in memory, but all that are in use', async () => {
    const log = new LogStore(openMemoryStore());
    const used = await log.open(LOBBY_STREAM);
    used.users++;
    const space = await log.open('space');
    const name = (n: number) => roomStream(n.toString(16).padStart(32, '0'));
    for (let n = 0; n < 2_500; n++) await log.open(name(n));
    assert.equal(log.opened(LOBBY_STREAM), used);
    assert.equal(log.opened('space'), space);
    assert.equal(log.opened(name(0)), undefined);
    let open = 0;
    for (let n = 0; n < 2_500; n++) if (log.opened(name(n)) !== undefined) open++;
    assert.equal(open, 1_998);
  });

  it('says that stored data is damaged, whatever is wrong with it', () => {
    for (const bytes of [new Uint8Array(), utf8('x'), Uint8Array.of(0x20)])
      assert.throws(() => stored(count, bytes), { code: 'DATA_CORRUPT' });
  });

  it('has a key for any id of a record, and finds the id again', async () => {
    const ids = ['alice', 'zoë', '!', 'a!b', '%', '100%', '世界', '🙂', 'e\u0301', ' ', '\u0000'];
    const store = openMemoryStore();
    const changes = ids.map((id) => ({ table: 'name', id, value: id }));
    const operations = changeOperations('space', changes);
    for (const { key } of operations) assert.ok(isKey(key), key);
    await store.write(operations, { sync: true });
    const { state } = await new LogStore(store).open('space');
    assert.deepEqual([...state.entries('name')].sort(), ids.map((id) => [id, id]).sort());
    const removed = changes.map((change) => ({ ...change, value: undefined }));
    await store.write(changeOperations('space', removed), { sync: true });
    assert.equal([...(await new LogStore(store).open('space')).state.records()].length, 0);
  });

  it('moves its head on with each seal', () => {
    const [first, second] = community.of(LOBBY_STREAM);
    const lanes = new Uint8Array(2_048);
    const one = headAfter(EMPTY_HEAD, first!.seal, lanes);
    assert.deepEqual(one, {
      length: 3,
      seals: 1,
      seal: first!.seal.id,
      last: 0,
      term: 1,
      time: first!.seal.time,
      have: [[0, 3]],
      lanes,
    });
    // Lanes that are not said are those of another state.
    const two = headAfter(one, second!.seal);
    assert.deepEqual([two.length, two.seals, two.have, two.lanes], [4, 2, [[0, 4]], undefined]);
  });
});
