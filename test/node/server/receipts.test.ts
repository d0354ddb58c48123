import assert from 'node:assert/strict';
import type { AccountId, EntryId, PublicKey } from '../../../lib/crdt/keys.ts';
import { LogStore } from '../../../lib/crdt/log-store.ts';
import type { Batch } from '../../../lib/crdt/seal.ts';
import { prefixed } from '../../../lib/crdt/store.ts';
import { accountStream, LOBBY_STREAM, pairStream, roomStream } from '../../../lib/crdt/stream.ts';
import { Directory } from '../../../lib/node/server/directory.ts';
import { Receipts, type Receipt } from '../../../lib/node/server/receipts.ts';
import { eventually } from '../../support/channels.ts';
import { Random } from '../../simulation/random.ts';
import { SealedCommunity, type Member } from '../../support/community.ts';
import { collect } from '../../support/store-contract.ts';
import { collectGarbage } from '../../support/garbage.ts';

describe('receipts', () => {
  let community: SealedCommunity;
  let directory: Directory;
  let receipts: Receipts;
  let alice: Member;
  let bob: Member;
  let carol: Member;
  let told: [string, Receipt][];
  const away = new Set<PublicKey>();
  const faults: unknown[] = [];

  const open = async (): Promise<void> => {
    directory = await Directory.open(community.log);
    receipts = await Receipts.open({
      log: community.log,
      directory,
      tell: (device, list) => told.push(...list.map((one): [string, Receipt] => [device, one])),
      isThere: (device) => !away.has(device),
      onFault: (error) => faults.push(error),
    });
  };

  beforeEach(async () => {
    community = await SealedCommunity.found();
    alice = await community.join('alice');
    bob = await community.join('bob');
    carol = await community.join('carol');
    told = [];
    await open();
  });
  afterEach(async () => {
    away.clear();
    await receipts.stop();
    assert.deepEqual(faults, []);
  });

  /** Says something in the lobby. */
  const say = async (member: Member, text = 'hi'): Promise<EntryId> => {
    const { id } = await community.say(member, text);
    receipts.watch(community.of(LOBBY_STREAM).at(-1)!);
    return id;
  };
  const lookup = async (id: EntryId, asking: PublicKey): Promise<Receipt | undefined> =>
    (await receipts.lookup([id], asking))[0];
  const news = async (count: number): Promise<[string, Receipt][]> => {
    await eventually(`${count} receipts`, () => told.length >= count);
    return told.splice(0);
  };

  it('count the devices that have a message, for its author', async () => {
    const id = await say(alice);
    receipts.acknowledge(bob.id, LOBBY_STREAM, 1);
    assert.deepEqual(await news(1), [[alice.id, [id, 1, 2, 0]]]);
    receipts.acknowledge(carol.id, LOBBY_STREAM, 1);
    assert.deepEqual(await news(1), [[alice.id, [id, 2, 2, 0]]]);
    assert.deepEqual(await lookup(id, alice.id), [id, 2, 2, 0]);
  });

  it('count no device twice, nor the author', async () => {
    const id = await say(alice);
    for (let i = 0; i < 3; i++) receipts.acknowledge(bob.id, LOBBY_STREAM, 1);
    receipts.acknowledge(alice.id, LOBBY_STREAM, 1);
    assert.deepEqual(await news(1), [[alice.id, [id, 1, 2, 0]]]);
    assert.deepEqual(await lookup(id, bob.id), [id, 1, 2, 0]);
  });

  it('go up to what there is, and never back', async () => {
    const id = await say(alice);
    receipts.acknowledge(bob.id, LOBBY_STREAM, 1_000_000);
    receipts.acknowledge(bob.id, LOBBY_STREAM, 0);
    assert.deepEqual(await news(1), [[alice.id, [id, 1, 2, 0]]]);
    const later = await say(alice);
    await new Promise((resolve) => setTimeout(resolve, 70));
    assert.deepEqual(told, []);
    assert.deepEqual(await lookup(later, alice.id), [later, 0, 2, 0]);
  });

  it('are told in portions, whatever has been said meanwhile', async () => {
    const ids: EntryId[] = [];
    for (let n = 0; n < 5; n++) ids.push(await say(n % 2 === 0 ? alice : bob, `${n}`));
    receipts.acknowledge(carol.id, LOBBY_STREAM, 3);
    receipts.acknowledge(bob.id, LOBBY_STREAM, 5);
    const list = await news(4);
    assert.deepEqual(
      list.sort(([, [a]], [, [b]]) => ids.indexOf(a) - ids.indexOf(b)),
      [
        [alice.id, [ids[0]!, 2, 2, 0]],
        [bob.id, [ids[1]!, 1, 2, 0]],
        [alice.id, [ids[2]!, 2, 2, 0]],
        [alice.id, [ids[4]!, 1, 2, 0]],
      ],
    );
  });

  it('of a pair count its own devices only', async () => {
    const pair = pairStream(alice.account, bob.account);
    const key = new Uint8Array(32);
    const epoch = alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, key));
    await community.seal(epoch);
    const phone = await community.enrol(bob);
    directory.update(community.of('space').at(-1)!);
    const message = alice.sealed(pair, epoch.id, key, 'hi');
    await community.seal(message);
    for (const batch of community.of(pair)) receipts.watch(batch);
    receipts.acknowledge(carol.id, pair, 2);
    receipts.acknowledge(phone.id, pair, 2);
    assert.deepEqual(await news(1), [[alice.id, [message.id, 1, 2, 0]]]);
    assert.deepEqual(await lookup(message.id, bob.id), [message.id, 1, 2, 0]);
    assert.equal(await lookup(message.id, carol.id), undefined);
    assert.equal(await lookup('0'.repeat(64) as EntryId, alice.id), undefined);
  });

  it('are found again after a restart, as far as they were written', async () => {
    const id = await say(alice);
    receipts.acknowledge(bob.id, LOBBY_STREAM, 1);
    await receipts.stop();
    community.disk.crash(community.disk.unsynced);
    await community.restart();
    await open();
    assert.deepEqual(await lookup(id, alice.id), [id, 1, 2, 0]);
    receipts.acknowledge(bob.id, LOBBY_STREAM, 1);
    receipts.acknowledge(carol.id, LOBBY_STREAM, 1);
    assert.deepEqual(await lookup(id, alice.id), [id, 2, 2, 0]);
  });

  it('are of one moment: the author is not taken off without having been counted', async () => {
    await open();
    const id = await say(alice);
    receipts.acknowledge(bob.id, LOBBY_STREAM, 1);
    const during = receipts.lookup([id], alice.id);
    // Whenever it comes in between.
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    receipts.acknowledge(alice.id, LOBBY_STREAM, 1);
    assert.deepEqual(await during, [[id, 1, 2, 0]]);
    assert.deepEqual(await receipts.lookup([id], alice.id), [[id, 1, 2, 0]]);
  });

  it('are looked up in one pass over the devices, which lets others have their turn', async () => {
    const ids = [await say(alice), await say(bob), await say(alice)];
    const operations = Array.from({ length: 3_000 }, (_, n) => ({
      type: 'put' as const,
      key: `c!${LOBBY_STREAM}!${n.toString(16).padStart(64, '0')}`,
      value: Buffer.from(String(n % 4)),
    }));
    await community.log.store.write(operations, { sync: false });
    await open();
    let asked = 0;
    directory.isAudience = () => ++asked > 0;
    directory.audienceSize = () => 3_000;
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const repeated = Array.from({ length: 500 }, (_, n) => ids[n % 3]!);
    const found = await receipts.lookup(repeated, alice.id);
    isOver = true;
    assert.deepEqual(found, [
      [ids[0]!, 2_250, 3_000, 0],
      [ids[1]!, 1_500, 3_000, 0],
      [ids[2]!, 750, 3_000, 0],
    ]);
    assert.ok(asked < 3_020, `${asked} times`);
    assert.ok(turns >= 10, `${turns} turns`);
  });

  describe('of what was read', () => {
    const mark = async (
      member: Member,
      until: number,
      { tell = true, stream = LOBBY_STREAM } = {},
    ): Promise<void> => {
      const account = accountStream(member.account);
      await community.seal(member.write(account, 'read', { stream, until, tell }));
      receipts.watch(community.of(account).at(-1)!);
    };
    /** The newest of each message. */
    const newest = (list: [string, Receipt][]): Receipt[] => [
      ...new Map(list.map(([, receipt]) => [receipt[0], receipt])).values(),
    ];

    it('count the people who have read a message, its author not among them', async () => {
      const id = await say(alice);
      await mark(bob, 1);
      assert.deepEqual(await news(1), [[alice.id, [id, 0, 2, 1]]]);
      receipts.acknowledge(carol.id, LOBBY_STREAM, 1);
      await mark(carol, 1);
      await mark(alice, 1);
      const list = await news(1);
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.deepEqual(newest([...list, ...told]), [[id, 1, 2, 2]]);
      assert.deepEqual(await lookup(id, alice.id), [id, 1, 2, 2]);
    });

    it('take no place for conversations in which nothing is', async () => {
      const made = pairStream(bob.account, 'e'.repeat(32) as AccountId);
      await mark(bob, 5, { stream: made });
      await mark(bob, 5, { stream: made, tell: false });
      await receipts.stop();
      assert.deepEqual(await collect(community.log.store, prefixed('j!')), []);
    });

    it('are its author’s business alone', async () => {
      const id = await say(alice);
      await mark(bob, 1);
      await news(1);
      assert.deepEqual(await lookup(id, bob.id), [id, 0, 2, 0]);
      const phone = await community.enrol(alice);
      directory.update(community.of('space').at(-1)!);
      assert.deepEqual((await lookup(id, phone.id))?.[3], 1);
    });

    it('are told of each message between two marks', async () => {
      const ids = [await say(alice, '1'), await say(bob, '2'), await say(alice, '3')];
      await mark(carol, 2);
      assert.deepEqual(newest(await news(2)), [
        [ids[0]!, 0, 2, 1],
        [ids[1]!, 0, 2, 1],
      ]);
      await mark(carol, 1);
      await mark(carol, 1_000);
      assert.deepEqual(newest(await news(1)), [[ids[2]!, 0, 2, 1]]);
    });

    it('say nothing of those who keep it to themselves', async () => {
      const first = await say(alice);
      await mark(bob, 1, { tell: false });
      const second = await say(alice);
      await mark(bob, 2);
      assert.deepEqual(newest(await news(1)), [[second, 0, 2, 1]]);
      assert.equal((await lookup(first, alice.id))?.[3], 0);
      await say(alice);
      await mark(bob, 3, { tell: false });
      assert.equal((await lookup(second, alice.id))?.[3], 0);
    });

    it('say nothing of those who came later', async () => {
      const before = await say(alice);
      const dave = await community.join('dave');
      directory.update(community.of('space').at(-1)!);
      const after = await say(alice);
      await mark(dave, 2);
      assert.deepEqual(newest(await news(1)), [[after, 0, 3, 1]]);
      assert.equal((await lookup(before, alice.id))?.[3], 0);
    });

    it('are found again after a restart', async () => {
      const id = await say(alice);
      await mark(bob, 1);
      await news(1);
      await receipts.stop();
      community.disk.crash(community.disk.unsynced);
      await community.restart();
      await open();
      assert.deepEqual(await lookup(id, alice.id), [id, 0, 2, 1]);
      await mark(bob, 1);
      await mark(carol, 1);
      await receipts.stop();
      assert.equal((await lookup(id, alice.id))?.[3], 2);
    });

    it('are told of messages from before a restart, to those who are there', async () => {
      const ids: EntryId[] = [];
      for (let n = 0; n < 40; n++) ids.push(await say(alice, `${n}`));
      const other = await say(carol, 'carol');
      await receipts.stop();
      await open();
      away.add(carol.id);
      await mark(bob, 41);
      const list = newest(await news(31));
      assert.deepEqual(
        list,
        ids
          .slice(9)
          .map((id) => [id, 0, 2, 1])
          .reverse(),
      );
      assert.equal((await lookup(other, carol.id))?.[3], 1);
    });

    it('take no mark of what somebody may not read, or what is not there', async () => {
      const pair = pairStream(alice.account, bob.account);
      for (const stream of [pair, roomStream('0'.repeat(32)), 'space'] as const)
        await mark(carol, 5, { stream });
      await mark(carol, 5);
      await receipts.stop();
      const kept: string[] = [];
      for await (const [key] of community.log.store.entries({ from: 'j!', until: 'j"' }))
        kept.push(key);
      assert.deepEqual(kept, [`j!${LOBBY_STREAM}!${carol.account}`]);
      assert.equal((await lookup(await say(alice), alice.id))?.[3], 0);
    });

    it('are the same looked up and told, whatever is read in which order', async () => {
      const ids: EntryId[] = [];
      const authors = [alice, bob];
      for (let n = 0; n < 12; n++) ids.push(await say(authors[n % 2]!, `${n}`));
      const random = new Random(5);
      for (let n = 0; n < 20; n++) {
        const member = [alice, bob, carol][random.below(3)]!;
        await mark(member, random.below(13));
      }
      // Told at most every quarter of a second.
      await new Promise((resolve) => setTimeout(resolve, 600));
      const last = new Map(told.map(([, receipt]) => [receipt[0], receipt[3]]));
      for (const [n, id] of ids.entries()) {
        const found = await lookup(id, authors[n % 2]!.id);
        assert.equal(last.get(id) ?? 0, found?.[3], `message ${n}`);
      }
    });
  });

  it('of many messages that nobody acknowledges take a bounded place', async () => {
    const first = await say(alice);
    // As if thousands had been sealed since.
    const stream = await community.log.open(LOBBY_STREAM);
    stream.head = { ...stream.head, length: 10_001 };
    const [{ seal, items }] = community.of(LOBBY_STREAM) as [Batch];
    const [item] = items;
    assert.ok(item?.type === 'entry');
    for (let position = 1; position <= 10_000; position++) {
      const entry = { ...item.entry, id: `${position}` as EntryId };
      receipts.watch({ seal: { ...seal, first: position }, items: [{ ...item, entry }] });
    }
    receipts.acknowledge(bob.id, LOBBY_STREAM, 10_001);
    const list = await news(4_096);
    assert.ok(list.length <= 8_192, `${list.length} are watched`);
    // The old ones are counted when they are asked for.
    assert.deepEqual(await lookup(first, alice.id), [first, 1, 2, 0]);
  });

  it('take no place for streams that are not there', () => {
    const claim = (round: number): void => {
      for (let n = 0; n < 20_000; n++) {
        const id = (round * 20_000 + n).toString(16).padStart(32, '0');
        receipts.acknowledge(bob.id, roomStream(id), 5);
      }
    };
    claim(0);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let round = 1; round <= 5; round++) claim(round);
    collectGarbage();
    const grown = process.memoryUsage().heapUsed - before;
    assert.ok(grown < 4 << 20, `${Math.round(grown / 1024)} kB for nothing`);
  });

  it('are not counted for the space, nor for what is no message', async () => {
    for (const batch of community.of('space')) receipts.watch(batch);
    receipts.acknowledge(bob.id, 'space', 4);
    const stream = `account/${alice.account}` as const;
    const block = { account: bob.account, blocked: true };
    await community.seal(alice.write(stream, 'block', block));
    receipts.watch(community.of(stream)[0]!);
    const phone = await community.enrol(alice);
    directory.update(community.of('space').at(-1)!);
    receipts.acknowledge(phone.id, stream, 1);
    await new Promise((resolve) => setTimeout(resolve, 70));
    assert.deepEqual(told, []);
    assert.ok(new LogStore(community.log.store).headOf(stream).length === 1);
  });
});
