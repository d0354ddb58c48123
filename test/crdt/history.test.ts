import assert from 'node:assert/strict';
import { toHex } from '../../lib/crdt/bytes.ts';
import type { Batch } from '../../lib/crdt/seal.ts';
import { LOBBY_STREAM, pairStream } from '../../lib/crdt/stream.ts';
import { SealedCommunity, wireOf, type Member } from '../support/community.ts';
import { flipped } from '../support/mutate.ts';
import { pairWithReplica, ReplicaBench, snapshotOf } from '../support/replicas.ts';

const bad = { name: 'ClchatError', code: 'BAD_ENTRY' };

describe('the history of a replica', () => {
  let community: SealedCommunity;
  let alice: Member;
  let bob: Member;
  /** Alice's replica, which has the space. */
  let hers: ReplicaBench;

  beforeEach(async () => {
    ({ community, alice, bob, hers } = await pairWithReplica());
  });

  const length = (): number => hers.replica.log.headOf(LOBBY_STREAM).length;

  describe('taken as a snapshot', () => {
    beforeEach(async () => {
      for (let n = 0; n < 10; n++)
        await Promise.all([community.say(bob, `${n}`), community.say(alice, `${n}`)]);
    });

    it('has the state that replaying gives, and goes on from there', async () => {
      const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
      await hers.replica.adopt(seal, records);
      const replayed = await ReplicaBench.open(community, bob);
      await replayed.follow(community.batches);
      const [one, two] = await Promise.all(
        [hers, replayed].map(async ({ replica }) => replica.log.open(LOBBY_STREAM)),
      );
      assert.equal(toHex(one!.state.rehash()), toHex(two!.state.rehash()));
      assert.equal(length(), 20);
      assert.deepEqual(hers.replica.log.headOf(LOBBY_STREAM).have, []);
      await community.say(bob, 'more');
      assert.equal(await hers.ingest(community.of(LOBBY_STREAM).at(-1)!), 'added');
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
      await hers.restart();
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
    });

    it('refuses records other than those sealed, and is as before', async () => {
      const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
      const head = records.findIndex(({ table }) => table === 'head');
      const other = { ...records[head]!, value: { seq: 99, id: 'ab'.repeat(32) } };
      for (const wrong of [
        [],
        records.slice(1),
        [...records, { table: 'member', id: alice.account, value: true }],
        records.with(head, other),
        records.with(head, { ...records[head]!, id: 'f'.repeat(64) }),
        records.with(head, { ...records[head]!, value: { seq: 'x' } }),
        records.with(head, { ...records[head]!, table: 'unknown' }),
        records.with(head, { ...records[head]!, table: '__proto__' }),
      ])
        await assert.rejects(hers.replica.adopt(seal, wrong), bad);
      const [altered] = flipped(seal, 700);
      await assert.rejects(hers.replica.adopt(altered!, records), bad);
      assert.equal(length(), 0);
      assert.equal([...(await hers.replica.log.open(LOBBY_STREAM)).state.records()].length, 0);
    });

    it('does not go back to an older one', async () => {
      const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
      await hers.follow(community.of(LOBBY_STREAM));
      await community.say(bob, 'more');
      await hers.follow(community.of(LOBBY_STREAM).slice(-1));
      await hers.replica.adopt(seal, records);
      assert.equal(length(), 21);
      assert.ok(await hers.replica.verifyState(LOBBY_STREAM));
    });

    it('leaves no record of the state before', async () => {
      await hers.follow(community.of(LOBBY_STREAM).slice(0, 1));
      const pair = pairStream(alice.account, bob.account);
      await community.seal(
        alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, new Uint8Array(32))),
      );
      const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
      await hers.replica.adopt(seal, records);
      await hers.restart();
      const { state } = await hers.replica.log.open(LOBBY_STREAM);
      assert.equal([...state.records()].length, records.length);
    });

    describe('is filled in', () => {
      const older = (batches: readonly Batch[]) =>
        hers.replica.ingestOlder(LOBBY_STREAM, batches.map(wireOf));
      beforeEach(async () => {
        const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
        await hers.replica.adopt(seal, records);
      });

      it('newest first, without touching the state', async () => {
        const { state } = await hers.replica.log.open(LOBBY_STREAM);
        const before = toHex(state.rehash());
        const batches = community.of(LOBBY_STREAM).toReversed();
        assert.equal(await older(batches.slice(0, 3)), 'added');
        const from = batches[2]!.seal.first;
        assert.deepEqual(hers.replica.log.headOf(LOBBY_STREAM).have, [[from, 20]]);
        assert.equal(await older(batches.slice(3)), 'added');
        assert.deepEqual(hers.replica.log.headOf(LOBBY_STREAM).have, [[0, 20]]);
        assert.equal(await older(batches), 'duplicate');
        assert.equal(toHex(state.rehash()), before);
        assert.ok(hers.told.every((line) => line.startsWith('older')));
        assert.equal(hers.replica.log.item(LOBBY_STREAM, 0)?.type, 'entry');
      });

      it('and lets wait what does not come next', async () => {
        const batches = community.of(LOBBY_STREAM).toReversed();
        assert.equal(await older(batches.slice(1, 2)), 'waiting');
        assert.equal(await older([batches[0]!, batches[2]!]), 'waiting');
        assert.equal(hers.replica.log.headOf(LOBBY_STREAM).have.length, 1);
      });

      it('and refuses what is not linked to what it has', async () => {
        const [last] = community.of(LOBBY_STREAM).toReversed();
        const { count, first, seq, previous } = last!.seal;
        const entries = Array.from({ length: count }, (_, n) =>
          bob.forge(LOBBY_STREAM, 'say', { text: `other ${n}` }),
        );
        const fake = community.unjudged(entries, { first, seq, previous });
        assert.equal(await older([fake]), 'forked');
        const impostor = await SealedCommunity.found(2);
        const other = impostor.unjudged(entries, { first, seq, previous });
        await assert.rejects(older([other]), bad);
        await assert.rejects(older([community.of('space')[0]!]), bad);
        assert.deepEqual(hers.replica.log.headOf(LOBBY_STREAM).have, []);
      });
    });
  });

  it("goes back to where it parts from the server's, and writes its own anew", async () => {
    await community.say(bob, 'one');
    const own = [await hers.say('two'), await hers.say('three')];
    for (const entry of own) await community.seal(entry);
    await community.say(bob, 'four');
    await hers.follow(community.of(LOBBY_STREAM));
    hers.told.length = 0;
    await hers.replica.rewind(LOBBY_STREAM, 2);
    assert.deepEqual(hers.told, ['again say OUT_OF_ORDER']);
    assert.deepEqual(
      hers.replica.unmade(LOBBY_STREAM).map(({ id }) => id),
      [own[1]!.id],
    );
    assert.equal(length(), 0);
    assert.deepEqual(hers.replica.log.headOf(LOBBY_STREAM).have, [[0, 2]]);
    assert.equal(hers.replica.log.item(LOBBY_STREAM, 2), undefined);
    assert.equal(hers.replica.log.find(own[1]!.id), undefined);
    assert.ok(hers.replica.log.item(LOBBY_STREAM, 1));
    await hers.restart();
    assert.equal(length(), 0);
    const { state } = await hers.replica.log.open(LOBBY_STREAM);
    assert.equal([...state.records()].length, 0);
  });
});
