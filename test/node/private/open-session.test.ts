import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ClchatError } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/lifecycle.ts';
import { eventually } from '../../support/channels.ts';
import { privateStage, refuses, type Talker } from '../../support/private-stage.ts';
import { fakeClock } from '../../support/time.ts';

describe('an open private session', function () {
  this.timeout(30_000);
  const stage = privateStage();
  let alice: Talker;
  let bob: Talker;

  beforeEach(async () => {
    [alice, bob] = await stage.join('alice', 'bob');
  });

  const both = async (what: (other: string) => string): Promise<void> => {
    await alice.hears(what('bob'));
    await bob.hears(what('alice'));
  };
  const messages = (who: Talker): string[] =>
    who.told.filter((one) => one.startsWith('message')).map((one) => one.split(': ')[1]!);

  describe('whose line breaks', () => {
    it('goes on over another one, and what was said meanwhile is shown once and in order', async () => {
      await alice.talksWith(bob);
      await alice.say(bob, 'before');
      stage.cut();
      await both((other) => `away ${other}`);
      const said = ['one', 'two', 'three'];
      const shown = Promise.all([
        ...said.map((text) => alice.say(bob, text)),
        ...said.map((text) => bob.say(alice, text)),
      ]);
      await sleep(50);
      assert.deepEqual([messages(alice), messages(bob)], [[], ['before']]);
      assert.equal(alice.sessions.isOpenWith(bob.account), true);
      stage.restore();
      assert.deepEqual(new Set(await shown), new Set(['shown']));
      assert.deepEqual([messages(alice), messages(bob)], [said, ['before', ...said]]);
      assert.deepEqual(alice.told.slice(0, 3), ['open bob', 'away bob', 'back bob']);
      for (const who of [alice, bob])
        assert.equal(who.told.filter((one) => one.startsWith('back')).length, 1);
    });

    it('time after time', async () => {
      await alice.talksWith(bob);
      for (let time = 1; time <= 4; time++) {
        stage.cut();
        await alice.hears('away bob', time);
        await bob.hears('away alice', time);
        stage.restore();
        await Promise.all([alice.say(bob, `a${time}`), bob.say(alice, `b${time}`)]);
      }
      assert.deepEqual(messages(alice), ['b1', 'b2', 'b3', 'b4']);
      assert.deepEqual(messages(bob), ['a1', 'a2', 'a3', 'a4']);
    });

    it('shows nothing twice whose answer was lost', async () => {
      const [carol] = await stage.join('carol');
      await stage.catchUp();
      stage.options = {
        onNews: (news) => {
          dave.news.push(news);
          if (news.kind === 'message' && news.text === 'cut here') stage.cut();
        },
      };
      const [dave] = await stage.join('dave');
      await stage.catchUp();
      await carol.talksWith(dave);
      const said = carol.say(dave, 'cut here');
      await carol.hears('away dave');
      stage.restore();
      await said;
      await carol.say(dave, 'after');
      assert.deepEqual(messages(dave), ['cut here', 'after']);
    });

    it('is over after a minute in which nobody was found', async () => {
      await alice.talksWith(bob);
      const clock = fakeClock();
      try {
        stage.cut();
        await clock.tickAsync(100);
        const waiting = [alice.say(bob, 'hello?'), alice.say(bob, 'are you there?')];
        await clock.tickAsync(5_000);
        assert.deepEqual(await Promise.all(waiting), ['waiting', 'waiting']);
        await clock.tickAsync(50_000);
        assert.deepEqual(alice.told, ['open bob', 'away bob']);
        await clock.tickAsync(15_000);
      } finally {
        clock.uninstall();
      }
      assert.deepEqual(alice.told.slice(1), ['away bob', 'closed bob: gone, 2 unshown']);
      assert.equal(bob.told.at(-1), 'closed alice: gone');
      await refuses(bob.say(alice, 'x'), 'PEER_GONE');
    });

    it('keeps no more than can be said again at once', async () => {
      await alice.talksWith(bob);
      stage.cut();
      await both((other) => `away ${other}`);
      const text = 'x'.repeat(16_000);
      const said = Array.from({ length: 140 }, () => alice.say(bob, text));
      const refused = (await Promise.allSettled(said.slice(131))).map(({ status }) => status);
      assert.deepEqual(new Set(refused), new Set(['rejected']));
      await refuses(alice.say(bob, text), 'RATE_LIMITED');
      stage.restore();
      await Promise.all(said.slice(0, 131));
      assert.equal(messages(bob).length, 131);
      for (const who of [alice, bob])
        assert.equal(who.told.filter((one) => one.startsWith('back')).length, 1);
    });

    it('lets go of the line where the other side does not take what is said', async () => {
      const eve = await stage.stranger('eve');
      const line = await eve.reach(alice, {
        accept: () => ({}),
        message: () => {
          throw new ClchatError('INTERNAL');
        },
      });
      await line.call('request', { token: Uint8Array.from(randomBytes(32)) });
      await alice.sessions.answer(eve.member.account, true);
      const said = alice.sessions.say(eve.member.account, { text: 'hello', time: 1 });
      await refuses(said, 'PEER_GONE');
      await eventually('the end', () => line.ended);
      assert.equal(alice.told.at(-1), 'closed eve: gone');
    });

    it('can be ended, which the other side learns when it comes back', async () => {
      await alice.talksWith(bob);
      stage.cut();
      await both((other) => `away ${other}`);
      await alice.sessions.stop(bob.account);
      assert.equal(alice.told.at(-1), 'closed bob: stopped');
      stage.restore();
      await bob.hears('closed alice: gone');
      await alice.talksWith(bob);
      await alice.say(bob, 'anew');
    });

    it('does not go on with whoever has been blocked meanwhile', async () => {
      await alice.talksWith(bob);
      stage.cut();
      await both((other) => `away ${other}`);
      await bob.block(alice);
      stage.restore();
      await alice.hears('closed bob: gone');
      await bob.hears('closed alice: stopped');
    });

    it('leads through a relay only where that was agreed to', async () => {
      await alice.talksWith(bob);
      stage.cut();
      await both((other) => `away ${other}`);
      stage.path = 'relayed';
      stage.restore();
      await sleep(700);
      assert.deepEqual([alice.told.at(-1), bob.told.at(-1)], ['away bob', 'away alice']);
      stage.path = 'punched';
      await both((other) => `back ${other}`);
      const [carol] = await stage.join('carol');
      await stage.catchUp();
      stage.path = 'relayed';
      const asking = carol.sessions.start(bob.account);
      await carol.hears('request bob');
      await carol.sessions.answer(bob.account, true);
      const { decided } = await asking;
      await bob.sessions.answer(carol.account, true);
      await decided;
      stage.cut();
      await carol.hears('away bob');
      stage.restore();
      await carol.hears('back bob');
      await carol.say(bob, 'still here');
    });
  });

  describe('with a device that speaks by hand', () => {
    const token = Uint8Array.from(randomBytes(32));
    const begin = async () => {
      const eve = await stage.stranger('eve');
      const line = await eve.reach(alice, { accept: () => ({}), message: () => ({}) });
      await line.call('request', { token });
      await alice.sessions.answer(eve.member.account, true);
      return { eve, line };
    };

    it('goes on with that device and its token alone', async () => {
      const { eve } = await begin();
      stage.cut();
      await alice.hears('away eve');
      stage.restore();
      const mallory = await stage.stranger('mallory');
      await refuses((await mallory.reach(alice)).call('resume', { token }), 'NO_SESSION');
      const wrong = Uint8Array.from(randomBytes(32));
      await refuses((await eve.reach(alice)).call('resume', { token: wrong }), 'NO_SESSION');
      const line = await eve.reach(alice, { message: () => ({}) });
      await line.call('resume', { token });
      await alice.hears('back eve');
      await line.call('message', { text: 'here', time: 1, number: 1 });
      await refuses(line.call('resume', { token }), 'NOT_SUPPORTED');
      await alice.sessions.say(eve.member.account, { text: 'fine', time: 1 });
    });

    it('takes another line that it has noticed the need of first', async () => {
      const { eve, line } = await begin();
      await sleep(2_100);
      const second = await eve.reach(alice, { message: () => ({}) });
      await second.call('resume', { token });
      await eventually('the end of the first', () => line.ended);
      await second.call('message', { text: 'here', time: 1, number: 1 });
      assert.deepEqual(alice.told, ['request eve', 'open eve', 'message eve: here']);
    });

    it('shows a message of one number once', async () => {
      const { line } = await begin();
      for (const number of [1, 2, 2, 1, 3])
        await line.call('message', { text: `${number}`, time: 1, number });
      assert.deepEqual(messages(alice), ['1', '2', '3']);
    });

    it('is over at once with a line that has no token', async () => {
      const eve = await stage.stranger('eve');
      const line = await eve.reach(alice, { accept: () => ({}) });
      await line.call('request', {});
      await alice.sessions.answer(eve.member.account, true);
      stage.cut();
      await alice.hears('closed eve: gone');
      assert.ok(!alice.told.includes('away eve'));
    });

    it('begins anew where its program has forgotten it', async () => {
      const { eve } = await begin();
      stage.cut();
      await alice.hears('away eve');
      stage.restore();
      await (await eve.reach(alice)).call('request', { token });
      assert.deepEqual(alice.told.slice(-2), ['closed eve: gone', 'request eve']);
    });
  });
});
