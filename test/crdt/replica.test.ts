import assert from 'node:assert/strict';
import { encodeEntry, type Entry } from '../../lib/crdt/entry.ts';
import { SigningKey } from '../../lib/crdt/keys.ts';
import type { HeadRecord } from '../../lib/crdt/records.ts';
import {
  entryItem,
  rootOf,
  signSeal,
  type Batch,
  type Item,
  type Seal,
} from '../../lib/crdt/seal.ts';
import type { Store } from '../../lib/crdt/store.ts';
import { accountStream, LOBBY_STREAM, pairStream } from '../../lib/crdt/stream.ts';
import { ClchatError } from '../../lib/errors.ts';
import { wireOf, type Member, type SealedCommunity } from '../support/community.ts';
import { flipped } from '../support/mutate.ts';
import { pairWithReplica, snapshotOf, type ReplicaBench } from '../support/replicas.ts';

const bad = { name: 'ClchatError', code: 'BAD_ENTRY' };

describe('a replica', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  /** Alice's replica, which has the space. */
  let hers: ReplicaBench;

  beforeEach(async () => {
    ({ community, alice, bob, hers } = await pairWithReplica());
  });

  /** A batch such as only somebody with the server's key can make. */
  function batchOf(
    items: readonly Item[],
    change: Partial<Seal> = {},
    key = community.server.key,
  ): Batch {
    const last = community.of(LOBBY_STREAM).at(-1)?.seal;
    const seal = signSeal(key, {
      stream: LOBBY_STREAM,
      term: 1,
      seq: (last?.seq ?? 0) + 1,
      previous: last?.id ?? null,
      first: last === undefined ? 0 : last.first + last.count,
      count: items.length,
      root: rootOf(items),
      space: community.of('space').length,
      time: community.clock.now(),
      state: new Uint8Array(32),
      ...change,
    });
    return { seal, items };
  }
  const said = (text: string, by: Member = bob): Item =>
    entryItem(by.forge(LOBBY_STREAM, 'say', { text }));
  const length = (): number => hers.replica.log.headOf(LOBBY_STREAM).length;

  describe('of what the server seals', () => {
    it('takes batches in order, once each', async () => {
      for (const text of ['one', 'two', 'three']) await community.say(bob, text);
      const [one, two, three] = community.of(LOBBY_STREAM);
      assert.equal(await hers.ingest(two!), 'waiting');
      assert.equal(await hers.ingest(one!), 'added');
      assert.equal(await hers.ingest(one!), 'duplicate');
      assert.equal(await hers.ingest(three!), 'waiting');
      assert.equal(await hers.ingest(two!), 'added');
      assert.equal(await hers.ingest(three!), 'added');
      assert.equal(await hers.ingest(one!), 'duplicate');
      assert.deepEqual(hers.told, ['added 0', 'added 1', 'added 2']);
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
      assert.ok(await hers.replica.verifyState('space'));
    });

    it('says of a waiting batch up to where its stream goes', async () => {
      await community.say(bob, 'one');
      await community.say(bob, 'two');
      const { seal, items } = wireOf(community.of(LOBBY_STREAM)[1]!);
      assert.deepEqual(await hers.replica.ingest(seal, items), {
        stream: LOBBY_STREAM,
        end: 2,
        space: 3,
        result: 'waiting',
      });
    });

    it('takes them all at once as well, one after the other', async () => {
      for (let n = 0; n < 20; n++) await community.say(bob, `${n}`);
      const results = await Promise.all(
        community.of(LOBBY_STREAM).map((batch) => hers.ingest(batch)),
      );
      assert.ok(results.every((result) => result === 'added'));
      assert.equal(length(), 20);
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
    });

    it('stores together what comes in meanwhile, and tells of each', async () => {
      let writes = 0;
      await hers.restart((store) => ({
        get: (key) => store.get(key),
        entries: (range) => store.entries(range),
        purge: (range) => store.purge(range),
        close: () => store.close(),
        write: (operations, options) => {
          writes++;
          return store.write(operations, options);
        },
      }));
      for (let n = 0; n < 20; n++) await community.say(n % 2 === 0 ? alice : bob, `${n}`);
      const batches = community.of(LOBBY_STREAM);
      const [first] = batches;
      // A batch twice, one that is not its stream's, and all the others.
      const stranger = new SigningKey(new Uint8Array(32).fill(9));
      const results = await Promise.allSettled([
        ...batches.slice(0, 10).map((batch) => hers.ingest(batch)),
        hers.ingest(first!),
        hers.ingest(batchOf([said('x')], { first: 10, seq: 11 }, stranger)),
        ...batches.slice(10).map((batch) => hers.ingest(batch)),
      ]);
      const outcomes = results.map((one) => (one.status === 'fulfilled' ? one.value : 'BAD_ENTRY'));
      const added = new Array<string>(10).fill('added');
      assert.deepEqual(outcomes, [...added, 'duplicate', 'BAD_ENTRY', ...added]);
      assert.equal(length(), 20);
      assert.deepEqual(
        hers.told,
        batches.map((_, n) => `added ${n}`),
      );
      assert.ok(writes <= 2, `${writes} writes`);
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
    });

    it('is the same after a restart', async () => {
      await community.say(bob, 'one');
      await hers.follow(community.of(LOBBY_STREAM));
      const before = hers.replica.log.headOf(LOBBY_STREAM);
      await hers.restart();
      assert.deepEqual(hers.replica.log.headOf(LOBBY_STREAM), before);
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
      assert.ok(await hers.replica.verifyState('space'));
      await community.say(bob, 'two');
      assert.equal(await hers.ingest(community.of(LOBBY_STREAM)[1]!), 'added');
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
    });

    it('refuses a batch in which one bit is another, and is as before', async () => {
      await Promise.all(['one', 'two'].map((text) => community.say(bob, text)));
      const { seal, items } = wireOf(community.of(LOBBY_STREAM)[0]!);
      const attempts: [Uint8Array, Uint8Array[]][] = [];
      for (const altered of flipped(seal, 37)) attempts.push([altered, items]);
      for (const altered of flipped(items[0]!, 37)) attempts.push([seal, [altered, items[1]!]]);
      attempts.push([seal, [items[0]!]], [seal, [items[1]!, items[0]!]], [seal, []]);
      for (const [sealBytes, itemBytes] of attempts) {
        const result = await hers.replica.ingest(sealBytes, itemBytes).then(
          ({ result: what }) => what,
          (error: unknown) => (error as ClchatError).code,
        );
        // What seems to come later is not looked at before its time.
        assert.ok(result === 'BAD_ENTRY' || result === 'waiting', result);
      }
      assert.equal(length(), 0);
      assert.deepEqual(hers.told, []);
      assert.equal(await hers.ingest(community.of(LOBBY_STREAM)[0]!), 'added');
    });

    it('refuses seals of another server, whatever is in them', async () => {
      const impostor = new SigningKey(community.random(32));
      await assert.rejects(hers.ingest(batchOf([said('x')], {}, impostor)), bad);
      assert.equal(length(), 0);
    });

    it('refuses entries of other streams, servers or signatures, even under a right seal', async () => {
      const entry = bob.forge(LOBBY_STREAM, 'say', { text: 'x' });
      const elsewhere = bob.forge(`room/${'0'.repeat(32)}`, 'say', { text: 'x' });
      const foreign = bob.forge(LOBBY_STREAM, 'say', { text: 'x' }, { server: alice.id });
      const forged = { ...entry, signature: new Uint8Array(64) };
      for (const wrong of [elsewhere, foreign, forged])
        await assert.rejects(hers.ingest(batchOf([entryItem(wrong, encodeEntry(wrong))])), bad);
    });

    it('calls a history that contradicts its own a fork, and keeps its own', async () => {
      await community.say(bob, 'one');
      await hers.follow(community.of(LOBBY_STREAM));
      const { seal } = community.of(LOBBY_STREAM)[0]!;
      const other = said('two', alice);
      const wrong: Partial<Seal>[] = [
        { previous: 'ab'.repeat(32) },
        { previous: null },
        { seq: 1 },
        { seq: 3 },
        { term: 0 },
        // Another one in the place of the first.
        { first: 0, seq: 1, previous: null },
      ];
      for (const change of wrong)
        assert.equal(await hers.ingest(batchOf([other], change)), 'forked', JSON.stringify(change));
      assert.deepEqual(hers.replica.log.headOf(LOBBY_STREAM).seal, seal.id);
      assert.equal(await hers.ingest(batchOf([other], { term: 2 })), 'added');
    });

    it('holds void what the rules forbid, and says so of nothing else', async () => {
      await community.appoint(alice, 'admin');
      await community.seal(
        alice.write('space', 'setgroup', { account: bob.account, group: 'mute' }),
      );
      await hers.follow(community.of('space').slice(-2));
      const items = [said('I may', alice), said('I may not', bob)];
      assert.equal(await hers.ingest(batchOf(items)), 'added');
      assert.equal(hers.replica.isVoid(LOBBY_STREAM, 0), false);
      assert.equal(hers.replica.isVoid(LOBBY_STREAM, 1), true);
      // The chain of the device goes on all the same.
      const { state } = await hers.replica.log.open(LOBBY_STREAM);
      assert.equal(state.get<HeadRecord>('head', bob.id)?.seq, 1);
    });

    it('does not judge by a space that is not the one it was judged by', async () => {
      await community.say(bob, 'while I might');
      await community.appoint(alice, 'admin');
      await community.seal(
        alice.write('space', 'setgroup', { account: bob.account, group: 'mute' }),
      );
      await hers.follow(community.of('space').slice(-2));
      await hers.follow(community.of(LOBBY_STREAM));
      assert.equal(hers.replica.isVoid(LOBBY_STREAM, 0), false);
    });

    it('comes to the same keys when it has the space before the conversation', async () => {
      const pair = pairStream(alice.account, bob.account);
      const key = new Uint8Array(32);
      await community.seal(alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, key)));
      // Lost the race, but was sealed all the same.
      await community.seal(bob.write(pair, 'epoch', bob.epoch([alice, bob], 1, key)));
      await community.rotate(bob);
      await hers.follow(community.of('space').slice(3));
      await hers.follow(community.of(pair));
      assert.ok(await hers.replica.verifyState(pair));
    });
  });

  describe('of what is written here', () => {
    const pending = (): string[] =>
      hers.replica.pending().map(({ stream, seq }) => `${stream} ${seq}`);

    it('keeps each entry until a seal has it, in one chain, over a restart', async () => {
      const entries = await Promise.all(['one', 'two', 'three'].map((text) => hers.say(text)));
      assert.deepEqual(
        entries.map(({ seq, previous, clock }) => [seq, previous, clock]),
        [
          [1, null, 1],
          [2, entries[0]!.id, 2],
          [3, entries[1]!.id, 3],
        ],
      );
      await hers.restart();
      assert.deepEqual(pending(), ['room/lobby 1', 'room/lobby 2', 'room/lobby 3']);
      const fourth = await hers.say('four');
      assert.deepEqual([fourth.seq, fourth.previous], [4, entries[2]!.id]);
      for (const entry of [...entries, fourth]) await community.seal(entry);
      await hers.follow(community.of(LOBBY_STREAM));
      assert.deepEqual(pending(), []);
      await hers.restart();
      assert.deepEqual(pending(), []);
      assert.equal((await hers.say('five')).seq, 5);
    });

    it('sets its clock above everything it has seen of the stream', async () => {
      await community.seal(bob.write(LOBBY_STREAM, 'say', { text: 'x' }, { clock: 41 }));
      await hers.follow(community.of(LOBBY_STREAM));
      assert.equal((await hers.say('y')).clock, 42);
      assert.equal((await hers.say('z')).clock, 43);
    });

    it('is told of what was refused, and keeps it', async () => {
      const stream = accountStream(alice.account);
      const entry = await hers.append(stream, 'block', { account: alice.account, blocked: true });
      assert.equal((await community.submit(entry)).type, 'refused');
      await hers.follow(community.of(stream));
      assert.deepEqual(hers.told, ['refused block SELF', 'added 0']);
      assert.deepEqual(pending(), []);
      await hers.restart();
      const refused = hers.replica.refused(entry.id);
      assert.deepEqual([refused?.entry.id, refused?.code], [entry.id, 'SELF']);
      assert.equal(hers.replica.refused('0'.repeat(64) as Entry['id']), undefined);
    });

    it('lets go what the state says was sealed, though its batch has not come', async () => {
      const entries = [await hers.say('one'), await hers.say('two')];
      for (const entry of entries) await community.seal(entry);
      const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
      await hers.replica.judged(entries[0]!);
      assert.equal(pending().length, 2, 'not before the state is past it');
      await hers.replica.adopt(seal, records);
      await hers.replica.judged(entries[0]!);
      await hers.replica.judged(entries[1]!, 'BLOCKED');
      assert.deepEqual(pending(), []);
      assert.equal(hers.replica.refused(entries[1]!.id)?.code, 'BLOCKED');
    });

    it('lets go what comes back as an older batch', async () => {
      const entry = await hers.say('one');
      await community.seal(entry);
      await community.say(bob, 'two');
      const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
      await hers.replica.adopt(seal, records);
      assert.equal(pending().length, 1);
      const batches = community.of(LOBBY_STREAM).toReversed().map(wireOf);
      await hers.replica.ingestOlder(LOBBY_STREAM, batches);
      assert.deepEqual(pending(), []);
    });

    it('withdraws an entry with all that follow it, which are to be made anew', async () => {
      const entries: Entry[] = [];
      for (const text of ['one', 'two', 'three']) entries.push(await hers.say(text));
      assert.equal(await hers.replica.withdraw(entries[1]!, 'DENIED'), true);
      assert.equal(await hers.replica.withdraw(entries[1]!, 'DENIED'), false);
      assert.equal(await hers.replica.withdraw(entries[2]!, 'DENIED'), false);
      assert.deepEqual(hers.told, ['refused say DENIED', 'again say OUT_OF_ORDER']);
      assert.deepEqual(pending(), ['room/lobby 1']);
      await hers.restart();
      assert.deepEqual(
        hers.replica.unmade(LOBBY_STREAM).map(({ id }) => id),
        [entries[2]!.id],
      );
      assert.equal(hers.replica.refused(entries[1]!.id)?.code, 'DENIED');
      // Made anew it takes the place of the one withdrawn, at once.
      const make = () => ({ body: entries[2]!.body!, salt: entries[2]!.salt! });
      const again = await hers.replica.append(LOBBY_STREAM, 'say', 0, make, {
        sync: true,
        instead: entries[2]!,
      });
      assert.deepEqual([again.seq, again.previous], [2, entries[0]!.id]);
      assert.deepEqual(hers.replica.unmade(LOBBY_STREAM), []);
    });

    it('gives up what cannot be made anew', async () => {
      const entries: Entry[] = [];
      for (const text of ['one', 'two', 'three']) entries.push(await hers.say(text));
      await hers.replica.withdraw(entries[0]!, 'OUT_OF_ORDER');
      assert.equal(hers.replica.unmade(LOBBY_STREAM).length, 3);
      hers.told.length = 0;
      await hers.replica.giveUp(entries[0]!, 'STALE_KEY');
      await hers.replica.giveUp(entries[1]!, undefined);
      assert.deepEqual(hers.told, ['refused say STALE_KEY']);
      assert.equal(hers.replica.refused(entries[0]!.id)?.code, 'STALE_KEY');
      assert.equal(hers.replica.refused(entries[1]!.id), undefined);
      assert.deepEqual(
        hers.replica.unmade(LOBBY_STREAM).map(({ id }) => id),
        [entries[2]!.id],
      );
    });

    it('makes anew a message whose key has become stale, and what follows it', async () => {
      const pair = pairStream(alice.account, bob.account);
      const epoch = 'ab'.repeat(32);
      const sealed = await hers.append(pair, 'sealed', { epoch, box: new Uint8Array(20) });
      const next = await hers.append(pair, 'sealed', { epoch, box: new Uint8Array(21) });
      // It leaves no mark: what follows could come in before it otherwise.
      assert.deepEqual(await community.submit(sealed), { type: 'rejected', code: 'STALE_KEY' });
      assert.deepEqual(await community.submit(next), { type: 'rejected', code: 'WAITING' });
      await hers.replica.withdraw(sealed, 'STALE_KEY');
      assert.deepEqual(
        hers.replica.unmade(pair).map(({ id }) => id),
        [sealed.id, next.id],
      );
      assert.equal(hers.replica.refused(sealed.id), undefined);
      // Nothing is written before them.
      const make = () => ({ body: sealed.body!, salt: sealed.salt! });
      const append = (instead?: Entry) =>
        hers.replica.append(pair, 'sealed', 0, make, { sync: false, instead });
      await assert.rejects(append(), { code: 'STALE' });
      await assert.rejects(append(next), { code: 'STALE' });
      const first = await append(sealed);
      // What was withdrawn once more goes before what still waits.
      await hers.replica.withdraw(first, 'STALE_KEY');
      assert.deepEqual(
        hers.replica.unmade(pair).map(({ id }) => id),
        [first.id, next.id],
      );
      await hers.restart();
      assert.deepEqual(
        hers.replica.unmade(pair).map(({ id }) => id),
        [first.id, next.id],
      );
    });
  });

  describe('whose store fails', () => {
    /** Fails the writes that are to fail, and no other. */
    function failing(store: Store, isToFail: () => boolean): Store {
      return {
        get: (key) => store.get(key),
        entries: (range) => store.entries(range),
        purge: (range) => store.purge(range),
        close: () => store.close(),
        write: async (operations, options) => {
          if (isToFail()) throw new ClchatError('DISK_FULL');
          await store.write(operations, options);
        },
      };
    }

    it('is as if it had never seen the batch', async () => {
      let full = false;
      await hers.restart((store) => failing(store, () => full));
      const entry = await hers.say('mine');
      await community.seal(entry);
      full = true;
      const [batch] = community.of(LOBBY_STREAM);
      await assert.rejects(hers.ingest(batch!), { code: 'DISK_FULL' });
      assert.equal(length(), 0);
      assert.equal(hers.replica.pending().length, 1);
      assert.deepEqual(hers.told, []);
      full = false;
      assert.equal(await hers.ingest(batch!), 'added');
      assert.equal(hers.replica.pending().length, 0);
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
    });

    it('writes nothing that is not stored', async () => {
      let full = true;
      await hers.restart((store) => failing(store, () => full));
      await assert.rejects(hers.say('lost'), { code: 'DISK_FULL' });
      assert.deepEqual(hers.replica.pending(), []);
      full = false;
      assert.equal((await hers.say('kept')).seq, 1);
    });

    it('tells later what was refused, not before it is stored', async () => {
      let full = false;
      await hers.restart((store) => failing(store, () => full));
      const entries = [await hers.say('one'), await hers.say('two')];
      full = true;
      await assert.rejects(hers.replica.withdraw(entries[0]!, 'DENIED'), { code: 'DISK_FULL' });
      assert.deepEqual(hers.told, []);
      assert.equal(hers.replica.pending().length, 2);
      full = false;
      await hers.say('three');
      assert.deepEqual(hers.told, []);
      assert.equal(await hers.replica.withdraw(entries[0]!, 'DENIED'), true);
      assert.equal(hers.told.length, 3);
    });
  });
});
