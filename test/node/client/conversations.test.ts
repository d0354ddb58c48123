import assert from 'node:assert/strict';
import type { Entry } from '../../../lib/crdt/entry.ts';
import { Keyring } from '../../../lib/crdt/keyring.ts';
import { accountStream, LOBBY_STREAM, type StreamName } from '../../../lib/crdt/stream.ts';
import { ClchatError, hasCode } from '../../../lib/errors.ts';
import { UNREADABLE } from '../../../lib/node/client/reading.ts';
import { MAX_TEXT_BYTES } from '../../../lib/text.ts';
import { eventually } from '../../support/channels.ts';
import { SealedCommunity, wireOf, type Member } from '../../support/community.ts';
import { HomeBench } from '../../support/homes.ts';
import { snapshotOf } from '../../support/replicas.ts';

/** Thirty-two bytes that say nothing. */
const NOTHING = new Uint8Array(32);

describe('conversations', () => {
  let community: SealedCommunity;
  let alice: HomeBench;
  let bob: HomeBench;
  let pair: StreamName;

  beforeEach(async () => {
    community = await SealedCommunity.found();
    const members: Member[] = [await community.join('alice'), await community.join('bob')];
    [alice, bob] = (await Promise.all(
      members.map((member) => HomeBench.open(community, member)),
    )) as [HomeBench, HomeBench];
    pair = alice.pair(bob);
  });
  afterEach(async () => {
    await Promise.all([alice.stop(), bob.stop()]);
    assert.deepEqual([...alice.faults, ...bob.faults], []);
  });

  const kinds = (bench: HomeBench, stream: StreamName): string[] =>
    bench.home.replica.pending(stream).map(({ kind }) => kind);
  /** Bob's account shuts out one of its devices: keys of before are stale. */
  const rotate = async (): Promise<void> => {
    const phone = await community.enrol(bob.member);
    await bob.catchUp();
    const { body, keyring } = bob.home.revocation(phone.id);
    await bob.home.keyrings.keep([keyring]);
    await bob.home.conversations.act('space', 'revoke', body);
    assert.deepEqual(await bob.deliver(), ['sealed']);
    await bob.home.refreshKeyrings();
  };

  describe('take what is said', () => {
    it('in the clear where everybody may read it', async () => {
      const entry = await alice.home.conversations.say(LOBBY_STREAM, 'hello all');
      assert.equal(entry.kind, 'say');
      assert.deepEqual(await alice.deliver(), ['sealed']);
      await bob.catchUp();
      assert.deepEqual(await bob.read(), ['hello all']);
    });

    it('sealed between two, under one key that is opened once', async () => {
      const { conversations } = alice.home;
      const entries = await Promise.all(
        ['one', 'two', 'three'].map((text) => conversations.say(pair, text)),
      );
      assert.deepEqual(kinds(alice, pair), ['epoch', 'sealed', 'sealed', 'sealed']);
      for (const { body } of entries) assert.ok(!Buffer.from(body!).includes('one'));
      await alice.deliver();
      await conversations.say(pair, 'four');
      assert.deepEqual(kinds(alice, pair), ['sealed']);
      await alice.deliver();
      await bob.catchUp();
      assert.deepEqual(bob.texts, ['one', 'two', 'three', 'four']);
      await bob.home.conversations.say(pair, 'answer');
      assert.deepEqual(kinds(bob, pair), ['sealed'], 'under the key of the other');
      await bob.deliver();
      await alice.catchUp();
      assert.deepEqual(alice.texts, ['answer']);
    });

    it('under the key that waits in the outbox, after a restart too', async () => {
      await alice.home.conversations.say(pair, 'one');
      await alice.restart();
      await alice.home.conversations.say(pair, 'two');
      assert.deepEqual(kinds(alice, pair), ['epoch', 'sealed', 'sealed']);
      await alice.deliver();
      await bob.catchUp();
      assert.deepEqual(bob.texts, ['one', 'two']);
    });

    it('from both at once, who each read the other', async () => {
      await alice.home.conversations.say(pair, 'from alice');
      await bob.home.conversations.say(pair, 'from bob');
      assert.deepEqual(await alice.deliver(), ['sealed', 'sealed']);
      assert.deepEqual(await bob.deliver(), ['sealed', 'sealed']);
      await alice.catchUp();
      assert.deepEqual(alice.texts, ['from bob']);
      assert.deepEqual(bob.texts, ['from alice']);
      assert.deepEqual(await alice.read(pair), ['from alice', 'from bob']);
    });

    it('in the order in which it was said', async () => {
      const texts = Array.from({ length: 30 }, (_, n) => `${n}`);
      const { conversations } = alice.home;
      await Promise.all(texts.map((text) => conversations.say(LOBBY_STREAM, text)));
      assert.deepEqual(
        (await conversations.newest(LOBBY_STREAM, 100)).map(({ text }) => text),
        texts,
      );
    });

    it('of a size that fits', async () => {
      const { conversations } = alice.home;
      const say = async (text: string): Promise<Entry> => conversations.say(LOBBY_STREAM, text);
      await assert.rejects(say(''), { code: 'USAGE' });
      await assert.rejects(say('x'.repeat(MAX_TEXT_BYTES + 1)), { code: 'TOO_LARGE' });
      await say('x'.repeat(MAX_TEXT_BYTES));
      assert.equal(alice.home.replica.pending().length, 1);
    });

    it('not where the disk is full, and goes on afterwards', async () => {
      alice.disk.capacity = 0;
      await assert.rejects(alice.home.conversations.say(LOBBY_STREAM, 'lost'), {
        code: 'DISK_FULL',
      });
      assert.deepEqual(await alice.read(), []);
      alice.disk.capacity = Infinity;
      await alice.restart();
      await alice.say('kept');
      assert.deepEqual(await alice.read(), ['kept']);
    });
  });

  it('take what else this device does', async () => {
    const own = accountStream(alice.home.account);
    const body = { account: bob.home.account, blocked: true };
    const entry = await alice.home.conversations.act(own, 'block', body);
    assert.deepEqual([entry.kind, entry.device], ['block', alice.member.id]);
    assert.deepEqual(await alice.deliver(), ['sealed']);
    const { state } = await alice.home.replica.log.open(own);
    assert.equal(state.get('block', bob.home.account), true);
  });

  describe('make anew', () => {
    it('what was sealed under a key that has become stale, under the name it had', async () => {
      await alice.say('before', pair);
      await rotate();
      const { id } = await alice.home.conversations.say(pair, 'meanwhile');
      assert.deepEqual(await alice.deliver(), ['STALE_KEY']);
      assert.deepEqual(await alice.read(pair), ['before', 'meanwhile (sending)']);
      assert.deepEqual(await alice.deliver(), ['sealed', 'sealed']);
      const messages = await alice.home.conversations.newest(pair, 10);
      assert.deepEqual(messages.at(-1), {
        id,
        stream: pair,
        position: 3,
        author: alice.home.account,
        text: 'meanwhile',
        time: community.clock.now(),
        state: 'held',
      });
      await bob.catchUp();
      assert.deepEqual(bob.texts, ['before', 'meanwhile']);
      assert.deepEqual(alice.refused, []);
    });

    it('what followed something that had to be withdrawn', async () => {
      const { conversations, replica } = alice.home;
      const own = accountStream(alice.home.account);
      const bad = await conversations.act(own, 'unknown', {});
      await conversations.act(own, 'block', { account: bob.home.account, blocked: true });
      assert.deepEqual(await alice.deliver(), ['BAD_ENTRY', 'WAITING']);
      assert.deepEqual(alice.refused, [{ id: bad.id, code: 'BAD_ENTRY' }]);
      assert.deepEqual(
        replica.pending().map(({ kind, seq }) => `${kind} ${seq}`),
        ['block 1'],
      );
      assert.deepEqual(await alice.deliver(), ['sealed']);
    });

    it('an opened key by opening another one when it is needed', async () => {
      await alice.home.conversations.say(pair, 'one');
      await rotate();
      assert.deepEqual(await alice.deliver(), ['STALE_KEY', 'WAITING']);
      assert.deepEqual(kinds(alice, pair), ['epoch', 'sealed']);
      assert.deepEqual(await alice.deliver(), ['sealed', 'sealed']);
      await bob.catchUp();
      assert.deepEqual(bob.texts, ['one']);
    });

    it('but not for ever', async () => {
      await alice.say('first', pair);
      const { id } = await alice.home.conversations.say(pair, 'never');
      const { replica } = alice.home;
      let attempts = 0;
      for (
        let [waiting] = replica.pending();
        waiting !== undefined;
        [waiting] = replica.pending()
      ) {
        assert.ok(++attempts <= 20, 'it goes on for ever');
        await replica.withdraw(waiting, 'STALE_KEY');
        await alice.home.conversations.remake(pair);
      }
      assert.equal(attempts, 9);
      assert.deepEqual(alice.refused, [{ id, code: 'STALE_KEY' }]);
      assert.deepEqual(replica.unmade(pair), []);
    });

    it('in the order in which it was written, before anything that is written later', async () => {
      const { conversations, replica } = alice.home;
      const [first] = await Promise.all(
        ['one', 'two', 'three'].map((text) => conversations.say(LOBBY_STREAM, text)),
      );
      const withdrawn = replica.withdraw(first!, 'OUT_OF_ORDER');
      const said = conversations.say(LOBBY_STREAM, 'four');
      await Promise.all([withdrawn, said]);
      await conversations.remake(LOBBY_STREAM);
      await alice.deliver();
      await alice.deliver();
      assert.deepEqual(await alice.read(), ['one', 'two', 'three', 'four']);
    });

    it('what is about something that has another name since, by that name', async () => {
      const { conversations, replica } = alice.home;
      const said = await conversations.say(LOBBY_STREAM, 'wrong');
      const kept = await conversations.say(LOBBY_STREAM, 'kept');
      await conversations.edit(LOBBY_STREAM, kept.id, 'changed', false);
      await replica.withdraw(said, 'OUT_OF_ORDER');
      await conversations.remake(LOBBY_STREAM);
      assert.notEqual(conversations.latest(said.id), said.id);
      await conversations.remove(LOBBY_STREAM, said.id, false);
      while (replica.pending().length > 0) await alice.deliver();
      const messages = await conversations.newest(LOBBY_STREAM, 10);
      assert.deepEqual(
        messages.map(({ text, removed }) => removed ?? text),
        ['changed'],
        'nobody ever had the one that was removed',
      );
    });

    it('what it could not make anew the last time', async () => {
      const { conversations, replica } = alice.home;
      const entry = await conversations.say(LOBBY_STREAM, 'one');
      const append = replica.append.bind(replica);
      replica.append = () => Promise.reject(new ClchatError('DISK_FULL'));
      await replica.withdraw(entry, 'OUT_OF_ORDER');
      await eventually('it is tried', () => alice.faults.length > 0);
      assert.ok(hasCode(alice.faults.splice(0)[0], 'DISK_FULL'));
      replica.append = append;
      await conversations.remake(LOBBY_STREAM);
      await alice.deliver();
      assert.deepEqual(await alice.read(), ['one']);
    });

    it('what a crash left half done, with the key that it was sealed under', async () => {
      const { conversations, replica } = alice.home;
      await conversations.say(pair, 'one');
      await conversations.say(pair, 'two');
      const [epoch] = replica.pending();
      conversations.remake = () => Promise.resolve();
      await replica.withdraw(epoch!, 'STALE_KEY');
      alice.disk.crash(alice.disk.unsynced);
      await alice.start();
      assert.deepEqual(await alice.read(pair), ['one (sending)', 'two (sending)']);
      assert.deepEqual(await alice.deliver(), ['sealed', 'sealed', 'sealed']);
      await bob.catchUp();
      assert.deepEqual(bob.texts, ['one', 'two']);
      assert.deepEqual(alice.refused, []);
    });

    it('what was in a stream that has been taken back, though nothing of it was read', async () => {
      await alice.say('one', pair);
      await alice.say('two', pair);
      await alice.restart();
      await alice.home.replica.rewind(pair, 2);
      await alice.home.conversations.remake(pair);
      assert.deepEqual(alice.refused, []);
      assert.deepEqual((await alice.read(pair)).at(-1), 'two (sending)');
    });
  });

  describe('of which something is removed before it was sent', () => {
    const bodies = (bench: HomeBench, stream: StreamName): string[] =>
      bench.home.replica
        .pending(stream)
        .map(({ kind, body }) => (body === undefined ? `${kind}, empty` : kind));

    it('give nobody its text, and go on with what follows', async () => {
      const { conversations, replica } = alice.home;
      const { id } = await conversations.say(LOBBY_STREAM, 'Zanzibar');
      await conversations.edit(LOBBY_STREAM, id, 'Zanzibar again', false);
      await conversations.react(LOBBY_STREAM, id, 'x', true);
      await conversations.say(LOBBY_STREAM, 'after');
      await conversations.remove(LOBBY_STREAM, id, false);
      assert.deepEqual(bodies(alice, LOBBY_STREAM), [
        ...['say, empty', 'edit, empty', 'react, empty'],
        ...['say', 'remove'],
      ]);
      for await (const [key, value] of replica.log.store.entries({ from: '', until: '~' }))
        assert.ok(!Buffer.from(value).includes('Zanzibar'), key);
      await alice.restart();
      assert.deepEqual(await alice.read(), [' (sending)', 'after (sending)']);
      const none = Array<string>(3).fill('NO_SUCH_MESSAGE');
      assert.deepEqual((await alice.deliver()).slice(0, 4), [...none, 'sealed']);
      await bob.catchUp();
      for (const one of [alice, bob]) assert.deepEqual(await one.read(), ['after']);
      assert.deepEqual([bob.texts, bob.news], [['after'], []], 'nobody is told of what is gone');
      for (const { items } of community.batches)
        for (const { bytes } of items) assert.ok(!Buffer.from(bytes).includes('Zanzibar'));
      assert.deepEqual([alice.refused, alice.home.replica.pending()], [[], []]);
    });

    it('drop it where it would have to be made anew', async () => {
      await alice.home.conversations.say(pair, 'first');
      await alice.deliver();
      await rotate();
      const { conversations } = alice.home;
      // Under a key that is stale by now: what follows has to be made anew.
      await conversations.say(pair, 'stale');
      const { id } = await conversations.say(pair, 'Zanzibar');
      await conversations.edit(pair, id, 'Zanzibar again', false);
      await conversations.remove(pair, id, false);
      await conversations.say(pair, 'after');
      await alice.catchUp();
      await alice.deliver();
      assert.deepEqual(kinds(alice, pair), ['epoch', 'sealed', 'sealed']);
      assert.deepEqual(await alice.deliver(), ['sealed', 'sealed', 'sealed']);
      await bob.catchUp();
      assert.deepEqual(await bob.read(pair), ['first', 'stale', 'after']);
      assert.deepEqual([alice.refused, bob.refused], [[], []]);
    });
  });

  describe('are read', () => {
    it('oldest first, the newest so many, with what is on its way last', async () => {
      for (const text of ['one', 'two', 'three']) await alice.say(text);
      await alice.home.conversations.say(LOBBY_STREAM, 'four');
      assert.deepEqual(await alice.read(LOBBY_STREAM, 3), ['two', 'three', 'four (sending)']);
      assert.deepEqual(await alice.read(LOBBY_STREAM, 1), ['four (sending)']);
      assert.deepEqual(await alice.read(LOBBY_STREAM, 0), []);
      assert.deepEqual(await alice.read(), ['one', 'two', 'three', 'four (sending)']);
    });

    it('with what was refused in its place, by its author only', async () => {
      await alice.say('one');
      const entry = await alice.home.conversations.say(LOBBY_STREAM, 'two');
      await community.submit(entry, { admit: () => 'BLOCKED' });
      await alice.catchUp();
      await alice.say('three');
      assert.deepEqual(await alice.read(), ['one', 'two (refused BLOCKED)', 'three']);
      assert.deepEqual(alice.refused, [{ id: entry.id, code: 'BLOCKED' }]);
      await bob.catchUp();
      assert.deepEqual(await bob.read(), ['one', 'three']);
    });

    it('without what the rules forbid', async () => {
      const said = bob.member.write(LOBBY_STREAM, 'sealed', {
        epoch: 'ab'.repeat(32),
        box: NOTHING,
      });
      const { seal: sealBytes, items: itemBytes } = wireOf(community.unjudged([said]));
      await alice.home.replica.ingest(sealBytes, itemBytes);
      assert.equal(alice.home.replica.log.headOf(LOBBY_STREAM).length, 1);
      assert.deepEqual(await alice.read(), []);
    });

    it('as far as nothing is missing, where that is asked for', async () => {
      for (const text of ['one', 'two', 'three']) await bob.say(text);
      const late = await HomeBench.open(community, await community.join('carol'));
      await late.restart();
      const { replica } = late.home;
      assert.deepEqual(await late.read(), ['one', 'two', 'three']);
      await bob.say('four');
      await bob.say('five');
      const { seal, records } = await snapshotOf(community, LOBBY_STREAM);
      await replica.adopt(seal, records);
      const batches = community.of(LOBBY_STREAM);
      await replica.ingestOlder(LOBBY_STREAM, [wireOf(batches[4]!)]);
      assert.deepEqual(await late.read(LOBBY_STREAM, 9, true), ['five']);
      assert.deepEqual(await late.read(LOBBY_STREAM, 9), ['one', 'two', 'three', 'five']);
      await late.stop();
    });

    it('with a word in place of what this device cannot open', async () => {
      await alice.say('secret', pair);
      const phone = await community.enrol(bob.member);
      const poor = await HomeBench.open(community, phone, { keyring: false });
      assert.deepEqual(await poor.read(pair), [UNREADABLE]);
      await poor.home.keyrings.keep([bob.member.keyring]);
      assert.deepEqual(await poor.read(pair), ['secret']);
      await poor.stop();
    });

    it('by the generations of the keyring that were there when it was said', async () => {
      await alice.say('before', pair);
      await rotate();
      await alice.catchUp();
      await alice.say('after', pair);
      await bob.restart();
      await bob.catchUp();
      assert.deepEqual(await bob.read(pair), ['before', 'after']);
      const stranger = Keyring.create(2, community.random);
      await bob.keystore.update((record) => ({
        ...record,
        keyring: [{ generation: 2, secret: stranger.secret }],
      }));
      await bob.restart();
      assert.deepEqual(await bob.read(pair), [UNREADABLE, UNREADABLE]);
    });

    it('by the names of those who speak', async () => {
      assert.equal(alice.home.conversations.otherName(pair), 'bob');
      assert.equal(bob.home.conversations.otherName(pair), 'alice');
      assert.equal(alice.home.conversations.otherName(LOBBY_STREAM), undefined);
      const message = await alice.home.conversations.reading.read(
        community.server.write(LOBBY_STREAM, 'say', { text: 'x' }),
        { state: 'held' },
      );
      assert.equal(message.author, undefined);
    });
  });
});
