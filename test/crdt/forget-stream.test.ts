import assert from 'node:assert/strict';
import type { Entry } from '../../lib/crdt/entry.ts';
import { Forgetter } from '../../lib/crdt/forget-stream.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import { forgetKey } from '../../lib/crdt/state-store.ts';
import { Replica } from '../../lib/crdt/replica.ts';
import type { Batch } from '../../lib/crdt/seal.ts';
import { Sealer } from '../../lib/crdt/sealer.ts';
import { openLevelStore } from '../../lib/crdt/store-level.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import { prefixed, type Store } from '../../lib/crdt/store.ts';
import { LOBBY_STREAM, type StreamName } from '../../lib/crdt/stream.ts';
import { SealedCommunity, wireOf, type Member } from '../support/community.ts';
import { holds } from '../support/erasing.ts';
import { madeBy, roomEntry, type MadeRoom } from '../support/rooms.ts';
import { temporary } from '../support/temporary.ts';

const ALL = { from: '!', until: '\u007f' };

/** A log in a store, what takes the community's batches into it, and its forgetter. */
class Bench {
  readonly log: LogStore;
  readonly faults: unknown[] = [];
  /** What was told to be about to go: streams and texts of entries. */
  readonly told: string[] = [];
  readonly forgotten: StreamName[] = [];
  forgetter!: Forgetter;
  #take!: (batch: Batch) => Promise<void>;

  private constructor(store: Store) {
    this.log = new LogStore(store);
  }

  static async open(
    community: SealedCommunity,
    store: Store,
    where: 'server' | Member,
  ): Promise<Bench> {
    const bench = new Bench(store);
    const { log } = bench;
    const note = (batch: Batch): void => bench.forgetter?.note(batch);
    let drop = (stream: StreamName): Promise<void> => log.drop(stream);
    if (where === 'server') {
      const { key } = community.server;
      const onCommit = (batches: readonly Batch[]): void => batches.forEach(note);
      const sealer = new Sealer({ log, key, clock: community.clock, term: 1, onCommit });
      bench.#take = async ({ items }) => {
        for (const item of items)
          if (item.type === 'entry') await sealer.submit({ entry: item.entry, bytes: item.bytes });
      };
    } else {
      const replica = await Replica.open({
        log,
        server: community.server.id,
        device: where.key,
        onBatch: note,
        onRefused: () => undefined,
      });
      bench.#take = async (batch) => {
        const { seal, items } = wireOf(batch);
        await replica.ingest(seal, items);
      };
      drop = (stream) => replica.drop(stream);
    }
    const { state } = await log.open('space');
    bench.forgetter = Forgetter.open({
      log,
      space: () => state,
      drop,
      onForgetting: async (stream, entries) => {
        bench.told.push(`${stream} ${entries.length}`);
        await Promise.resolve();
      },
      onForgotten: (stream) => void bench.forgotten.push(stream),
      onFault: (error) => bench.faults.push(error),
    });
    return bench;
  }

  async take(batches: readonly Batch[]): Promise<void> {
    for (const batch of batches) await this.#take(batch);
    await this.forgetter.settled();
  }

  /** Keys in which something is named. */
  async keysOf(...names: string[]): Promise<string[]> {
    const keys: string[] = [];
    for await (const [key] of this.log.store.entries(ALL))
      if (names.some((name) => key.includes(name))) keys.push(key);
    return keys;
  }
}

describe('streams of rooms that are no more', () => {
  const { newDirectory } = temporary();
  let community: SealedCommunity;
  let alice: Member;
  let den: MadeRoom;
  let nook: MadeRoom;
  /** What was said in the two. */
  let said: Entry[];
  const stores: Store[] = [];

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    den = madeBy(await community.seal(roomEntry(alice, 'den')));
    nook = madeBy(await community.seal(roomEntry(alice, 'nook', { parent: den.id })));
    said = [
      await community.say(alice, 'the secret plan', den.stream),
      await community.say(alice, 'another secret', nook.stream),
    ];
    const target = said[0]!.id;
    said.push(
      await community.seal(alice.write(den.stream, 'edit', { target, text: 'the better plan' })),
    );
    await community.say(alice, 'for everybody');
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });

  const remove = (room: MadeRoom): Promise<Entry> =>
    community.seal(alice.write('space', 'removeroom', { room: room.id }));
  const traces = (): string[] => [den.stream, nook.stream, ...said.map(({ id }) => id)];

  for (const where of ['server', 'replica'] as const) {
    const open = (store: Store): Promise<Bench> =>
      Bench.open(community, store, where === 'server' ? 'server' : alice);

    it(`are forgotten by a ${where}, with those of the rooms within and all beside them`, async () => {
      const directory = await newDirectory();
      const store = await openLevelStore(directory, { create: true });
      stores.push(store);
      const bench = await open(store);
      await bench.take(community.batches);
      assert.ok((await bench.keysOf(...traces())).length > 8);
      const before = community.batches.length;
      await remove(den);
      await bench.take(community.batches.slice(before));
      assert.deepEqual(bench.faults, []);
      assert.deepEqual(await bench.keysOf(...traces()), []);
      assert.deepEqual(bench.forgotten.sort(), [den.stream, nook.stream].sort());
      assert.deepEqual(bench.told.sort(), [`${den.stream} 2`, `${nook.stream} 1`].sort());
      assert.equal(bench.log.headOf(den.stream).length, 0);
      assert.equal(bench.log.headOf(LOBBY_STREAM).length, 1);
      await store.close();
      stores.length = 0;
      for (const text of ['the secret plan', 'another secret', 'the better plan'])
        assert.equal(await holds(directory, text), false, text);
      assert.equal(await holds(directory, 'for everybody'), true);
    });

    it(`are forgotten by a ${where} wherever its power fails`, async () => {
      await remove(den);
      for (let at = 0, done = false; !done; at++) {
        const disk = new MemoryDisk();
        let writes = 0;
        const store = disk.open();
        const dying = new Proxy(store, {
          get: (target, name) => {
            const value: unknown = Reflect.get(target, name);
            if (typeof value !== 'function') return value;
            if (name !== 'write' && name !== 'purge') return value.bind(target) as unknown;
            return (...args: unknown[]) => {
              if (marked && writes++ === at) disk.crash();
              return (value as (...all: unknown[]) => unknown).apply(target, args);
            };
          },
        });
        let marked = false;
        const first = await open(dying);
        await first.take(community.batches.slice(0, -1));
        marked = true;
        await first.take(community.batches.slice(-1)).catch(() => undefined);
        done = writes <= at;
        if (!done) {
          const again = await open(disk.open());
          await again.forgetter.settled();
          await again.take(community.batches);
          assert.deepEqual(again.faults, []);
          assert.deepEqual(await again.keysOf(...traces()), [], `power fails at write ${at}`);
        }
      }
    });
  }

  it('are kept where the room is there after all', async () => {
    const store = new MemoryDisk().open();
    const first = await Bench.open(community, store, 'server');
    await first.take(community.batches);
    const key = forgetKey(den.stream);
    await store.write([{ type: 'put', key, value: new Uint8Array() }], { sync: true });
    const again = await Bench.open(community, store, 'server');
    await again.forgetter.settled();
    assert.equal(again.log.headOf(den.stream).length, 2);
    assert.equal(store.get(key), undefined);
    assert.deepEqual(again.forgotten, []);
  });

  it('wait for the next start where the program ends', async () => {
    const store = new MemoryDisk().open();
    const first = await Bench.open(community, store, 'server');
    await first.take(community.batches);
    await first.forgetter.stop();
    const before = community.batches.length;
    await remove(den);
    await first.take(community.batches.slice(before));
    const marks: string[] = [];
    for await (const [key] of store.entries(prefixed(forgetKey('')))) marks.push(key);
    assert.deepEqual(marks.sort(), [forgetKey(den.stream), forgetKey(nook.stream)].sort());
    const again = await Bench.open(community, store, 'server');
    await again.forgetter.settled();
    assert.deepEqual(await again.keysOf(...traces()), []);
  });
});
