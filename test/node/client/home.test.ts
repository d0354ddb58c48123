import assert from 'node:assert/strict';
import { toHex } from '../../../lib/crdt/bytes.ts';
import { Keyring } from '../../../lib/crdt/keyring.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { codeOf } from '../../../lib/errors.ts';
import { eventually } from '../../support/channels.ts';
import type { SealedCommunity } from '../../support/community.ts';
import { homeStage } from '../../support/home-stage.ts';
import type { HomeBench } from '../../support/homes.ts';

describe('a home', () => {
  const stage = homeStage();
  let community: SealedCommunity;
  let alice: HomeBench;
  let bob: HomeBench;

  beforeEach(async () => {
    ({ community } = stage);
    [alice, bob] = await stage.join('alice', 'bob');
  });

  const generations = ({ keystore }: HomeBench): number[] =>
    keystore.read().keyring.map(({ generation }) => generation);

  it('tells that the space has moved on', async () => {
    const before = alice.moves;
    await bob.say('nothing of the space');
    await alice.catchUp();
    assert.equal(alice.moves, before);
    await community.join('carol');
    await alice.catchUp();
    assert.equal(alice.moves, before + 1);
  });

  describe('counts who is to get a message', () => {
    it('by the devices that may read it, its own left out', async () => {
      const pair = alice.pair(bob);
      assert.equal(alice.home.audienceSize(LOBBY_STREAM), 1);
      assert.equal(alice.home.audienceSize(pair), 0, 'nobody has opened it');
      await alice.say('hi', pair);
      assert.equal(alice.home.audienceSize(pair), 1);
      await community.join('carol');
      const phone = await community.enrol(bob.member);
      await alice.catchUp();
      assert.equal(alice.home.audienceSize(LOBBY_STREAM), 3);
      assert.equal(alice.home.audienceSize(pair), 2);
      await bob.revoke(phone);
      await alice.catchUp();
      assert.equal(alice.home.audienceSize(LOBBY_STREAM), 2);
      assert.equal(alice.home.audienceSize(pair), 1);
    });

    it('and tells from when the server holds it how far it has got', async () => {
      const { home } = alice;
      const entry = await home.conversations.say(LOBBY_STREAM, 'hi');
      home.progress.held(entry.id, home.audienceSize(LOBBY_STREAM));
      home.progress.update({ id: entry.id, on: 1, of: 1, read: 0 });
      assert.deepEqual(alice.receipts, [
        { id: entry.id, on: 0, of: 1, read: 0 },
        { id: entry.id, on: 1, of: 1, read: 0 },
      ]);
    });

    it('under the name that a message had when it was said', async () => {
      const { conversations, progress, replica } = alice.home;
      const first = await conversations.say(LOBBY_STREAM, 'hi');
      await replica.withdraw(first, 'OUT_OF_ORDER');
      await conversations.remake(LOBBY_STREAM);
      const [again] = replica.pending();
      assert.notEqual(again!.id, first.id);
      progress.held(again!.id, 1);
      assert.deepEqual(alice.receipts, [{ id: first.id, on: 0, of: 1, read: 0 }]);
    });
  });

  describe('tells', () => {
    it('what was refused for good, but not the keys', async () => {
      const pair = alice.pair(bob);
      const { conversations, replica } = alice.home;
      const entry = await conversations.say(pair, 'to who has blocked me');
      for (const waiting of replica.pending())
        await community.submit(waiting, { admit: () => 'BLOCKED' });
      await alice.catchUp();
      assert.deepEqual(alice.refused, [{ id: entry.id, code: 'BLOCKED' }]);
      // The next one needs a new key.
      await conversations.say(pair, 'again');
      assert.deepEqual(
        replica.pending().map(({ kind }) => kind),
        ['epoch', 'sealed'],
      );
    });

    it('nothing in a run in which nobody listens, and all of it in the next', async () => {
      await alice.restart({ isQuiet: true });
      await bob.say('news');
      await alice.catchUp();
      assert.deepEqual(alice.texts, []);
      assert.deepEqual(await alice.read(), ['news']);
      await alice.restart();
      await alice.home.inbox.pump(LOBBY_STREAM);
      await alice.home.settled();
      assert.deepEqual(alice.texts, ['news']);
    });
  });

  describe('works without the server', () => {
    it('on what it has, over a restart', async () => {
      await bob.say('before', bob.pair(alice));
      await alice.catchUp();
      await alice.restart();
      const pair = alice.pair(bob);
      assert.deepEqual(await alice.read(pair), ['before']);
      await alice.home.conversations.say(pair, 'while away');
      await alice.restart();
      assert.deepEqual(await alice.read(pair), ['before', 'while away (sending)']);
      assert.equal(alice.home.outbox.attached, false);
    });

    it('and loses nothing that was said meanwhile in a power cut', async () => {
      await alice.home.conversations.say(LOBBY_STREAM, 'forced to the disk');
      alice.disk.crash();
      await alice.start();
      assert.deepEqual(
        alice.home.replica.pending().map(({ kind }) => kind),
        ['say'],
      );
    });
  });

  describe('keeps the keyring', () => {
    it('that its device is wrapped for, with those before it', async () => {
      const phone = await stage.open(await community.enrol(bob.member), { keyring: false });
      assert.deepEqual(generations(phone), []);
      assert.throws(() => phone.home.keyrings.present, { code: 'STALE_KEY' });
      const tablet = await community.enrol(bob.member);
      await bob.revoke(tablet);
      await phone.catchUp();
      await phone.home.refreshKeyrings();
      assert.deepEqual(generations(phone).sort(), [1, 2]);
      assert.equal(phone.home.keyrings.present.generation, 2);
      assert.equal(
        toHex(phone.home.keyrings.present.secret),
        toHex(bob.home.keyrings.present.secret),
      );
      const [old] = phone.keystore.read().keyring.filter(({ generation }) => generation === 1);
      assert.equal(toHex(old!.secret), toHex(bob.member.keyring.secret));
      await phone.restart();
      assert.equal(phone.home.keyrings.present.generation, 2);
    });

    it('as soon as the space says that there is another', async () => {
      const phone = await stage.open(await community.enrol(bob.member));
      await bob.revoke(await community.enrol(bob.member));
      await phone.catchUp();
      await eventually('it is kept', () => generations(phone).length === 2);
      assert.deepEqual(generations(phone), [1, 2]);
    });

    it('not where its device is the one that was shut out', async () => {
      const phone = await stage.open(await community.enrol(bob.member));
      await bob.revoke(phone.member);
      await phone.catchUp();
      await phone.home.refreshKeyrings();
      assert.deepEqual(generations(phone), [1]);
      assert.throws(() => phone.home.keyrings.present, { code: 'STALE_KEY' });
    });

    it('of its account, whatever others of the same numbers came to nothing', async () => {
      await alice.say('secret of the first', alice.pair(bob));
      const phone = await stage.open(await community.enrol(bob.member), { keyring: false });
      await phone.home.keyrings.keep([Keyring.create(1, community.random)]);
      await phone.restart();
      await bob.revoke(await community.enrol(bob.member));
      await phone.catchUp();
      await phone.home.refreshKeyrings();
      assert.equal(phone.home.keyrings.present.generation, 2);
      assert.deepEqual(await phone.read(phone.pair(alice)), ['secret of the first']);
    });

    it('and says so where that cannot be kept', async () => {
      const phone = await stage.open(await community.enrol(bob.member));
      phone.keystore.update = () => Promise.reject(new Error('no room'));
      await bob.revoke(await community.enrol(bob.member));
      await phone.catchUp();
      await eventually('it is told', () => phone.faults.length > 0);
      assert.deepEqual(phone.faults.splice(0).map(codeOf), ['INTERNAL']);
    });

    it('one of each generation, the last that was given', async () => {
      const fresh = Keyring.create(1, community.random);
      await alice.home.keyrings.keep([fresh, Keyring.create(2, community.random)]);
      assert.deepEqual(generations(alice), [1, 2]);
      assert.equal(toHex(alice.keystore.read().keyring[0]!.secret), toHex(fresh.secret));
    });

    it('and shuts a device out by the next generation, wrapped for the others', async () => {
      const phone = await stage.open(await community.enrol(bob.member));
      const tablet = await community.enrol(bob.member);
      await bob.catchUp();
      const { body, keyring } = bob.home.revocation(tablet.id);
      assert.equal(keyring.generation, 2);
      const { wraps, password } = body as { wraps: [string, Uint8Array][]; password: unknown };
      assert.deepEqual(wraps.map(([key]) => key).sort(), [bob.member.id, phone.member.id].sort());
      assert.equal(password, null);
      const opened = wraps.find(([key]) => key === phone.member.id)![1];
      assert.equal(toHex(phone.member.sealing.open(opened)!), toHex(keyring.secret));
    });
  });

  it('has all of its own begun again after a crash', async () => {
    await bob.say('one');
    await alice.catchUp();
    await alice.home.conversations.say(LOBBY_STREAM, 'two');
    alice.disk.crash(alice.disk.unsynced);
    await alice.start();
    assert.deepEqual(await alice.read(), ['one', 'two (sending)']);
    assert.deepEqual(await alice.deliver(), ['sealed']);
    assert.deepEqual(await alice.read(), ['one', 'two']);
  });
});
