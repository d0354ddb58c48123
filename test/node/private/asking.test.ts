import assert from 'node:assert/strict';
import { privateStage, refuses, type Talker } from '../../support/private-stage.ts';

describe('a wish for a private session', function () {
  this.timeout(30_000);
  const stage = privateStage();
  let alice: Talker;
  let bob: Talker;

  beforeEach(async () => {
    [alice, bob] = await stage.join('alice', 'bob');
  });

  /** Whether two can talk, and have no more than one session. */
  const talk = async (one: Talker, other: Talker): Promise<void> => {
    await one.say(other, 'there');
    await other.say(one, 'and back');
    for (const who of [one, other]) {
      assert.equal(who.told.filter((told) => told.startsWith('open')).length, 1, who.told.join());
      assert.deepEqual(who.sessions.waiting, []);
    }
  };

  describe('that crosses with that of the other', () => {
    it('is fulfilled at once', async () => {
      for (let round = 0; round < 3; round++) {
        const started = await Promise.all([
          alice.sessions.start(bob.account),
          bob.sessions.start(alice.account),
        ]);
        await Promise.all(started.map(({ decided }) => decided));
        await talk(alice, bob);
        assert.deepEqual(
          [...alice.told, ...bob.told].filter((told) => !/^(?:open|message)/.test(told)),
          [],
        );
        await alice.sessions.stop(bob.account);
        await bob.hears('closed alice: stopped');
        alice.news.length = bob.news.length = 0;
      }
    });

    it('is fulfilled where only one of the two leads to the other', async () => {
      for (const [reached, other] of [
        [alice, bob],
        [bob, alice],
      ] as const) {
        stage.hidden.clear();
        stage.hidden.add(other.device);
        // Of the one who is not to be reached nobody is asked, and the other knows it only later.
        const [blind, seeing] = await Promise.allSettled([
          reached.sessions.start(other.account),
          other.sessions.start(reached.account),
        ]);
        assert.equal(seeing.status, 'fulfilled');
        if (blind.status === 'rejected') await reached.sessions.answer(other.account, true);
        await talk(reached, other);
        await other.sessions.stop(reached.account);
        await reached.hears(`closed ${other.home.name}: stopped`);
        alice.news.length = bob.news.length = 0;
      }
    });
  });

  it('is declined however quickly that is said, and may be made again', async () => {
    const { news } = bob;
    for (let round = 1; round <= 3; round++) {
      news.push = (...items) => {
        queueMicrotask(() => void bob.sessions.answer(alice.account, false));
        return Array.prototype.push.apply(news, items);
      };
      await refuses(
        alice.sessions.start(bob.account).then(({ decided }) => decided),
        'DECLINED',
      );
      await alice.hears('closed bob: declined');
      alice.news.length = 0;
    }
    Reflect.deleteProperty(news, 'push');
    await alice.sessions.start(bob.account);
    await bob.hears('request alice');
  });

  describe('to somebody with several devices', () => {
    it('is told on all, and answered by one', async () => {
      const phone = await stage.device(bob);
      const { decided } = await alice.sessions.start(bob.account);
      await Promise.all([bob, phone].map((device) => device.hears('request alice')));
      await phone.sessions.answer(alice.account, true);
      await decided;
      await bob.hears('closed alice: elsewhere');
      await alice.say(phone, 'here');
      assert.deepEqual(phone.told, ['request alice', 'open alice', 'message alice: here']);
      await refuses(bob.sessions.answer(alice.account, true), 'NO_REQUEST');
    });

    it('is declined by one for all', async () => {
      const phone = await stage.device(bob);
      const { decided } = await alice.sessions.start(bob.account);
      await phone.hears('request alice');
      await bob.sessions.answer(alice.account, false);
      await refuses(decided, 'DECLINED');
      await phone.hears('closed alice: withdrawn');
    });

    it('is told on those that are there', async () => {
      const phone = await stage.device(bob);
      await bob.transport.stop();
      const { decided } = await alice.sessions.start(bob.account);
      await phone.hears('request alice');
      await phone.sessions.answer(alice.account, true);
      await decided;
      assert.deepEqual(alice.told, ['open bob']);
    });

    it('is over when the last of them is lost', async () => {
      const phone = await stage.device(bob);
      const { decided } = await alice.sessions.start(bob.account);
      await Promise.all([bob, phone].map((device) => device.hears('request alice')));
      await bob.transport.stop();
      assert.deepEqual(alice.told, []);
      await phone.transport.stop();
      await refuses(decided, 'PEER_GONE');
    });

    it('is refused a second session with another device of the same person', async () => {
      const phone = await stage.device(alice);
      await alice.talksWith(bob);
      await refuses(phone.sessions.start(bob.account), 'ALREADY');
      await talk(alice, bob);
    });
  });

  describe('where the only way leads through a relay', () => {
    beforeEach(() => {
      stage.path = 'relayed';
    });

    it('asks first, and goes no further without a yes', async () => {
      const asked: string[] = [];
      const mayRelay = async (): Promise<boolean> => (asked.push('?'), false);
      await refuses(alice.sessions.start(bob.account, mayRelay), 'DECLINED');
      assert.deepEqual([asked, alice.told, bob.told], [['?'], [], []]);
    });

    it('goes there with one, and says so to both', async () => {
      const { decided } = await alice.sessions.start(bob.account, async () => true);
      await bob.sessions.answer(alice.account, true);
      await decided;
      await talk(alice, bob);
      const [request, opened] = bob.news;
      assert.deepEqual(request, {
        kind: 'request',
        account: alice.account,
        path: 'relayed',
        mine: false,
      });
      for (const news of [opened, alice.news[0]])
        assert.equal(news?.kind === 'open' && news.path, 'relayed');
    });

    it('asks by news where there is nobody to put a question to', async () => {
      for (const isYes of [false, true]) {
        const started = alice.sessions.start(bob.account);
        await alice.hears('request bob', isYes ? 2 : 1);
        assert.deepEqual(alice.sessions.waiting, [bob.account]);
        const [question] = alice.news;
        assert.ok(question?.kind === 'request' && question.mine && question.path === 'relayed');
        await alice.sessions.answer(bob.account, isYes);
        if (!isYes) await refuses(started, 'DECLINED');
        else {
          await started;
          await bob.sessions.answer(alice.account, true);
          await alice.hears('open bob');
        }
      }
    });

    it('gives up where that is not answered, or taken back', async () => {
      stage.options = { answerMs: 30 };
      const [carol] = await stage.join('carol');
      await refuses(carol.sessions.start(bob.account), 'DECLINED');
      const started = alice.sessions.start(bob.account);
      await alice.hears('request bob');
      await alice.sessions.stop(bob.account);
      await refuses(started, 'CLOSED');
      assert.deepEqual([bob.told, alice.sessions.waiting], [[], []]);
    });
  });
});
