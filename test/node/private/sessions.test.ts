import assert from 'node:assert/strict';
import { eventually, turns } from '../../support/channels.ts';
import { privateStage, refuses, type Talker } from '../../support/private-stage.ts';

describe('private sessions', function () {
  this.timeout(30_000);
  const stage = privateStage();
  let alice: Talker;
  let bob: Talker;

  beforeEach(async () => {
    [alice, bob] = await stage.join('alice', 'bob');
  });

  describe('are asked for', () => {
    it('and open to both once the other has said yes', async () => {
      const { decided } = await alice.sessions.start(bob.account);
      await bob.hears('request alice');
      assert.deepEqual(bob.sessions.waiting, [alice.account]);
      assert.equal(alice.sessions.isOpenWith(bob.account), false);
      await refuses(alice.say(bob, 'too early'), 'NO_SESSION');
      await refuses(bob.say(alice, 'too early'), 'NO_SESSION');
      await bob.sessions.answer(alice.account, true);
      await decided;
      assert.deepEqual(alice.told, ['open bob']);
      assert.deepEqual(bob.told, ['request alice', 'open alice']);
      assert.deepEqual(bob.sessions.waiting, []);
    });

    it('and declined', async () => {
      const { decided } = await alice.sessions.start(bob.account);
      await bob.sessions.answer(alice.account, false);
      await refuses(decided, 'DECLINED');
      await alice.hears('closed bob: declined');
      assert.deepEqual(bob.told, ['request alice']);
      // Which is no end of it.
      await alice.talksWith(bob);
    });

    it('of whoever asks oneself, which is a yes', async () => {
      const { decided } = await alice.sessions.start(bob.account);
      await (
        await bob.sessions.start(alice.account)
      ).decided;
      await decided;
      await bob.say(alice, 'here I am');
      assert.deepEqual(alice.told, ['open bob', 'message bob: here I am']);
    });

    it('once', async () => {
      await alice.sessions.start(bob.account);
      await refuses(alice.sessions.start(bob.account), 'ALREADY');
      await bob.sessions.answer(alice.account, true);
      await refuses(alice.sessions.start(bob.account), 'ALREADY');
      await refuses(bob.sessions.start(alice.account), 'ALREADY');
      await refuses(bob.sessions.answer(alice.account, true), 'NO_REQUEST');
    });

    it('at once twice, of which one counts', async () => {
      const both = await Promise.allSettled([
        alice.sessions.start(bob.account),
        alice.sessions.start(bob.account),
      ]);
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      await bob.sessions.answer(alice.account, true);
      assert.deepEqual(bob.told, ['request alice', 'open alice']);
    });

    it('and withdrawn', async () => {
      const { decided } = await alice.sessions.start(bob.account);
      await alice.sessions.stop(bob.account);
      await refuses(decided, 'CLOSED');
      await bob.hears('closed alice: withdrawn');
      await refuses(bob.sessions.answer(alice.account, true), 'NO_REQUEST');
    });

    it('for as long as there is hope of an answer', async () => {
      stage.options = { answerMs: 30 };
      const [carol] = await stage.join('carol');
      const { decided } = await carol.sessions.start(bob.account);
      await refuses(decided, 'TIMEOUT');
      assert.deepEqual(carol.told, ['closed bob: late']);
      await bob.hears('closed carol: late');
      await refuses(bob.sessions.answer(carol.account, true), 'NO_REQUEST');
    });

    it('of nobody who has blocked, or is blocked', async () => {
      await bob.block(alice);
      await refuses(alice.sessions.start(bob.account), 'BLOCKED');
      await refuses(bob.sessions.start(alice.account), 'BLOCKED');
      assert.deepEqual([...alice.told, ...bob.told], []);
    });

    it('as far as the server lets one know where somebody is', async () => {
      for (const code of ['BLOCKED', 'OFFLINE', 'NO_SUCH_USER'] as const) {
        stage.refusal = code;
        await refuses(alice.sessions.start(bob.account), code);
      }
      stage.refusal = undefined;
      stage.hidden.add(bob.device);
      await refuses(alice.sessions.start(bob.account), 'NETWORK');
      assert.deepEqual([...alice.told, ...bob.told], []);
      stage.hidden.clear();
      await alice.talksWith(bob);
    });

    it('of nobody where nobody listens, or is logged in', async () => {
      const quiet = await stage.device(bob, { onNews: undefined });
      stage.hidden.add(bob.device);
      await refuses(alice.sessions.start(bob.account), 'OFFLINE');
      quiet.isLoggedIn = false;
      await refuses(alice.sessions.start(bob.account), 'NETWORK');
      await refuses(quiet.sessions.start(alice.account), 'NOT_LOGGED_IN');
    });

    it('while the server is away, of who was met before', async () => {
      await alice.talksWith(bob);
      // Where alice is bob has asked as well.
      await turns();
      await alice.sessions.stop(bob.account);
      await bob.hears('closed alice: stopped');
      stage.isServed = false;
      await bob.talksWith(alice);
      const [carol] = await stage.join('carol');
      await refuses(carol.sessions.start(bob.account), 'NETWORK');
    });
  });

  describe('carry', () => {
    it('messages both ways, in order, each answered when it was shown', async () => {
      await alice.talksWith(bob);
      const texts = Array.from({ length: 150 }, (_, number) => `line ${number}`);
      await Promise.all([
        ...texts.map((text) => alice.say(bob, text)),
        ...texts.map((text) => bob.say(alice, text)),
      ]);
      for (const [who, other] of [
        [alice, 'bob'],
        [bob, 'alice'],
      ] as const)
        assert.deepEqual(
          who.told.filter((one) => one.startsWith('message')),
          texts.map((text) => `message ${other}: ${text}`),
        );
    });

    it('them to those alone who are in it, of several at once', async () => {
      const [carol] = await stage.join('carol');
      await stage.catchUp();
      await alice.talksWith(bob);
      await alice.talksWith(carol);
      await carol.talksWith(bob);
      await Promise.all([
        alice.say(bob, 'to bob'),
        alice.say(carol, 'to carol'),
        carol.say(bob, 'to bob, too'),
      ]);
      const heard = (who: Talker): string[] =>
        who.told.filter((one) => one.startsWith('message')).sort();
      assert.deepEqual(heard(bob), ['message alice: to bob', 'message carol: to bob, too']);
      assert.deepEqual(heard(carol), ['message alice: to carol']);
      assert.deepEqual(heard(alice), []);
    });

    it('what is kept nowhere', async () => {
      await alice.talksWith(bob);
      const marker = 'the quick brown fox';
      await alice.say(bob, marker);
      await bob.say(alice, marker);
      for (const { bench } of [alice, bob]) {
        await bench.home.settled();
        for await (const [key, value] of bench.store.entries({ from: '!', until: '\u007f' }))
          assert.ok(!Buffer.from(value).includes(marker), key);
        assert.deepEqual(await bench.read(bench.pair(bob.bench)).catch(() => []), []);
      }
    });

    it('a flood no faster than it can be read', async () => {
      await alice.talksWith(bob);
      const texts = Array.from({ length: 260 }, (_, number) => `${number}`);
      const before = performance.now();
      await Promise.all(texts.map((text) => alice.say(bob, text)));
      assert.ok(performance.now() - before > 300, 'nothing held it up');
      assert.equal(bob.told.at(-1), 'message alice: 259');
    });
  });

  describe('end', () => {
    it('by either side, and the other is told', async () => {
      for (const [one, other] of [
        [alice, bob],
        [bob, alice],
      ] as const) {
        await alice.talksWith(bob);
        await one.say(other, 'the last');
        await one.sessions.stop(other.account);
        const name = one.home.name;
        await eventually('the end', () => other.told.at(-1) === `closed ${name}: stopped`);
        assert.equal(other.told.at(-2), `message ${name}: the last`);
        assert.equal(one.told.at(-1), `closed ${other.home.name}: stopped`);
        await refuses(one.say(other, 'x'), 'NO_SESSION');
        await refuses(other.say(one, 'x'), 'NO_SESSION');
        await refuses(one.sessions.stop(other.account), 'NO_SESSION');
      }
    });

    it('all of them with a logout', async () => {
      const [carol] = await stage.join('carol');
      await stage.catchUp();
      await alice.talksWith(bob);
      await carol.sessions.start(alice.account);
      await alice.sessions.stopAll();
      await bob.hears('closed alice: logout');
      await carol.hears('closed alice: gone');
      await refuses(alice.say(bob, 'x'), 'NO_SESSION');
      assert.deepEqual(alice.sessions.waiting, []);
    });

    it('when the other side is lost, which is told once more to who goes on', async () => {
      await alice.talksWith(bob);
      await bob.transport.stop();
      await refuses(alice.say(bob, 'x'), 'PEER_GONE');
      assert.deepEqual(alice.told, ['open bob', 'away bob', 'closed bob: gone']);
      await refuses(alice.say(bob, 'x'), 'PEER_GONE');
      await refuses(alice.sessions.stop(bob.account), 'NO_SESSION');
      await refuses(alice.say(bob, 'x'), 'NO_SESSION');
    });

    it('when the asked are lost before they have answered', async () => {
      const { decided } = await alice.sessions.start(bob.account);
      await bob.transport.stop();
      await refuses(decided, 'PEER_GONE');
      assert.deepEqual(alice.told, ['closed bob: gone']);
    });

    it('when who has asked is lost', async () => {
      await alice.sessions.start(bob.account);
      await alice.transport.stop();
      await bob.hears('closed alice: gone');
      await refuses(bob.sessions.answer(alice.account, true), 'NO_REQUEST');
    });

    it('by a block, of which the other side is not told', async () => {
      await alice.talksWith(bob);
      await bob.block(alice);
      await bob.sessions.stopWith(alice.account);
      await alice.hears('closed bob: stopped');
      await bob.sessions.stopWith(alice.account);
    });

    it('by a block on another device, with the next message', async () => {
      await alice.talksWith(bob);
      await bob.block(alice);
      await refuses(alice.say(bob, 'unheard'), 'PEER_GONE');
      assert.ok(!bob.told.includes('message alice: unheard'));
      assert.equal(bob.told.at(-1), 'closed alice: stopped');
    });

    it('with the device that is shut out', async () => {
      const [carol] = await stage.join('carol');
      const phone = await stage.device(carol);
      await phone.talksWith(alice);
      await carol.bench.revoke(phone.bench.member);
      await stage.catchUp();
      await refuses(phone.say(alice, 'unheard'), 'PEER_GONE');
      assert.ok(!alice.told.includes('message carol: unheard'));
    });
  });
});
