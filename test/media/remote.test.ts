import assert from 'node:assert/strict';
import { ClchatError } from '../../lib/errors.ts';
import { candidateOf, LIMITS, LOOPBACK, RemoteStage, WAYS } from '../support/remote-stage.ts';
import { FakeTime } from '../support/time.ts';

describe('the connection to another device', () => {
  let time: FakeTime;
  let caller: RemoteStage;
  let called: RemoteStage;
  beforeEach(() => {
    time = new FakeTime();
    caller = new RemoteStage(true);
    called = new RemoteStage(false);
  });
  afterEach(() => {
    for (const { remote, faults } of [caller, called]) {
      remote.close();
      assert.deepEqual(faults, []);
    }
    time.restore();
  });

  describe('comes about', () => {
    it('by an offer of one side', async () => {
      caller.remote.lineUp();
      assert.deepEqual(caller.tellings(), ['open 1', 'offer']);
      assert.deepEqual(caller.orders[0], {
        order: 'open',
        peer: 'bob',
        attempt: caller.attempt,
        makesOffers: true,
        ways: WAYS,
      });
      await caller.done();
      assert.deepEqual(caller.sayings(), ['offer 1']);
      caller.hears('answer');
      const { args } = caller.calls[0]!;
      const { attempt } = caller;
      assert.deepEqual(args, { peer: 'bob', attempt, sdp: 'other', limits: LIMITS });
      assert.deepEqual(caller.tellings(), ['accept']);
      await caller.done();
      caller.becomes('connected');
      assert.deepEqual([caller.states, caller.remote.state], [['connected'], 'connected']);
    });

    it('by an answer of the other', async () => {
      called.remote.lineUp();
      assert.deepEqual([called.tellings(), called.sayings()], [[], ['callme 0 anew']]);
      called.hears('offer', 1_000);
      assert.deepEqual(called.tellings(), ['open 1', 'answer']);
      const { args } = called.calls[0]!;
      assert.deepEqual(args, { peer: 'bob', attempt: 1_000, sdp: 'other', limits: LIMITS });
      await called.done();
      assert.deepEqual(called.sayings(), ['answer 1']);
    });

    it('by attempts that are later than those of an earlier life of this device', async () => {
      caller.remote.lineUp();
      await time.pass(2_000);
      const reborn = new RemoteStage(true);
      reborn.remote.lineUp();
      assert(reborn.attempt > caller.attempt);
      reborn.remote.close();
    });

    it('once there is a helper process', async () => {
      caller.hasMedia = false;
      caller.remote.lineUp();
      await time.pass(60_000);
      assert.deepEqual([caller.tellings(), caller.sayings()], [[], []]);
      caller.hasMedia = true;
      caller.remote.mediaReady();
      assert.deepEqual(caller.tellings(), ['open 1', 'offer']);
      caller.remote.mediaReady();
      assert.deepEqual(caller.tellings(), []);
    });

    it('by what was said before there was a helper process', () => {
      called.hasMedia = false;
      called.hears('offer', 1_000);
      called.hearsOf(candidateOf(), '0', 1_000);
      called.remote.lineUp();
      called.hasMedia = true;
      called.remote.mediaReady();
      assert.deepEqual(called.tellings(), ['open 1', 'answer', 'candidate']);
    });
  });

  describe('without a helper process', () => {
    it('keeps so much of what is said, and no more', () => {
      called.hasMedia = false;
      for (let times = 0; times < 10_000; times++) called.hears('offer', 1_000);
      called.hasMedia = true;
      called.remote.mediaReady();
      assert.equal(called.tellings().length, 1 + 64);
    });

    it('keeps so many candidates that there is room for what else is said', () => {
      called.hasMedia = false;
      called.hears('offer', 1_000);
      for (let at = 0; at < 10_000; at++) called.hearsOf(candidateOf(), '0', 1_000);
      called.hears('offer', 1_001);
      called.hasMedia = true;
      called.remote.mediaReady();
      const opened = called.tellings().filter((one) => one.startsWith('open'));
      assert.deepEqual(opened, ['open 1', 'open 2']);
    });
  });

  describe('is begun anew', () => {
    it('when an offer is without an answer for five seconds, again and again', async () => {
      caller.remote.lineUp();
      await caller.done();
      caller.tellings();
      await time.pass(4_900);
      assert.deepEqual(caller.tellings(), []);
      await time.pass(200);
      assert.deepEqual(caller.tellings(), ['open 2', 'offer']);
      await time.pass(5_000);
      assert.deepEqual(caller.tellings(), ['open 3', 'offer']);
    });

    it('when the answer is not made for five seconds', async () => {
      called.hears('offer', 1_000);
      await time.pass(5_100);
      assert.deepEqual(called.sayings(), ['callme 1 anew']);
      called.hears('offer', 1_001);
      await called.done();
      await time.pass(5_100);
      assert.deepEqual(called.sayings(), ['answer 2']);
    });

    it('when the connection does not come about for twenty seconds', async () => {
      await caller.agree();
      await called.agree();
      for (const stage of [caller, called]) {
        stage.tellings();
        stage.sayings();
      }
      await time.pass(19_000);
      assert.deepEqual([caller.tellings(), called.sayings()], [[], []]);
      await time.pass(1_100);
      assert.deepEqual(caller.tellings(), ['open 2', 'offer']);
      assert.deepEqual(called.sayings(), ['callme 1 anew']);
    });

    it('at once when it fails, and after ever longer waits when it does so again', async () => {
      await caller.connect();
      const waits: number[] = [];
      for (let failures = 0; failures < 6; failures++) {
        caller.becomes('failed');
        caller.tellings();
        const { passed } = time;
        while (caller.told.length === 0) await time.pass(100);
        assert.deepEqual(caller.tellings(), [`open ${failures + 2}`, 'offer']);
        waits.push(time.passed - passed);
        await caller.done();
        caller.hears('answer');
        await caller.done();
      }
      // Looked at every 100 ms.
      assert.deepEqual(waits, [100, 1_000, 3_000, 5_000, 5_000, 5_000]);
    });

    it('by the side that is called as often, while the other is silent', async () => {
      await called.connect();
      called.becomes('failed');
      const times: number[] = [];
      for (let asked = 0; asked < 5; asked++) {
        while (called.said.length === 0) await time.pass(100);
        assert.deepEqual(called.sayings(), ['callme 1 anew']);
        times.push(time.passed);
      }
      assert.deepEqual(times, [100, 1_000, 4_000, 9_000, 14_000]);
    });

    it('at once again once it was there in between', async () => {
      await caller.connect();
      for (let failures = 0; failures < 3; failures++) {
        caller.becomes('failed');
        caller.tellings();
        await time.pass(1);
        assert.deepEqual(caller.tellings(), [`open ${failures + 2}`, 'offer']);
        await caller.done();
        caller.hears('answer');
        caller.becomes('connected');
      }
    });

    it('when the helper process cannot do its part', async () => {
      for (const code of ['BAD_MESSAGE', 'TIMEOUT', 'NO_MEDIA'] as const) {
        const stage = new RemoteStage(true);
        stage.remote.lineUp();
        await stage.done();
        stage.hears('answer');
        await stage.fails(new ClchatError(code));
        assert.equal(stage.remote.state, 'failed');
        stage.tellings();
        await time.pass(1);
        assert.deepEqual(stage.tellings(), ['open 2', 'offer']);
        assert.deepEqual([stage.remote.state, stage.faults], ['connecting', []]);
        stage.remote.close();
      }
      called.hears('offer', 1_000);
      await called.fails(new ClchatError('BAD_MESSAGE'));
      await time.pass(1);
      assert.deepEqual(called.sayings(), ['callme 1 anew']);
    });

    it('when something goes wrong that should not, which is told', async () => {
      const error = new TypeError('x');
      caller.remote.lineUp();
      await caller.fails(error);
      assert.deepEqual(caller.faults.splice(0), [error]);
      caller.tellings();
      await time.pass(1);
      assert.deepEqual(caller.tellings(), ['open 2', 'offer']);
    });

    it('with another helper process, which is all that is waited for where one is gone', async () => {
      await caller.connect();
      caller.remote.networkChanged();
      await caller.fails(new ClchatError('CLOSED'));
      assert.equal(caller.remote.state, 'connected');
      caller.hasMedia = false;
      caller.remote.lineUp();
      caller.tellings();
      caller.hasMedia = true;
      caller.remote.renew();
      assert.deepEqual(caller.tellings(), ['open 2', 'offer']);
      assert.deepEqual(caller.states, ['connecting']);
      caller.remote.mediaReady();
      assert.deepEqual(caller.tellings(), []);
      await called.connect();
      called.remote.renew();
      assert.deepEqual([called.states, called.sayings()], [['connecting'], ['callme 1 anew']]);
    });

    it('once the next of an agreement is late, and not by the time of the one before', async () => {
      caller.remote.lineUp();
      await caller.done();
      caller.remote.change();
      await time.pass(4_500);
      caller.hears('answer');
      await caller.done();
      caller.tellings();
      await time.pass(4_500);
      assert.deepEqual(caller.tellings(), []);
      await time.pass(600);
      assert.deepEqual(caller.tellings(), ['open 2', 'offer']);
    });

    it('ten times at once, and then not as often as the other side asks for it', async () => {
      await caller.connect();
      await called.connect();
      for (let time = 0; time < 100; time++) {
        caller.asked('anew');
        called.hears('offer', 1_001 + time);
      }
      const opened = (stage: RemoteStage): number =>
        stage.tellings().filter((one) => one.startsWith('open')).length;
      // One was opened before.
      assert.deepEqual([opened(caller), opened(called)], [9, 9]);
      for (const stage of [caller, called]) stage.clock.pass(5_000);
      await time.pass(5_100);
      assert.equal(opened(caller), 1);
      assert.deepEqual(called.sayings().at(-1), 'callme 10 anew');
    });

    it('with another line, where it is not agreed on', async () => {
      caller.remote.lineUp();
      caller.tellings();
      caller.remote.lineUp();
      assert.deepEqual(caller.tellings(), ['open 2', 'offer']);
    });
  });

  describe('seeks other ways', () => {
    const others = ['offer by other ways'];

    it('when it has given no sign of life for two seconds', async () => {
      await caller.connect();
      caller.becomes('disconnected');
      await time.pass(1_900);
      assert.deepEqual(caller.tellings(), []);
      await time.pass(200);
      assert.deepEqual(caller.tellings(), others);
      assert.deepEqual(caller.states, ['disconnected']);
      await called.connect();
      called.becomes('disconnected');
      await time.pass(2_100);
      assert.deepEqual(called.sayings(), ['callme 1 restart']);
    });

    it('and not when it has come back by then', async () => {
      await caller.connect();
      caller.becomes('disconnected');
      await time.pass(1_900);
      caller.becomes('connected');
      await time.pass(60_000);
      assert.deepEqual([caller.tellings(), caller.sayings()], [[], []]);
    });

    it('when this host has other addresses', async () => {
      await caller.connect();
      caller.remote.networkChanged();
      assert.deepEqual(caller.tellings(), others);
      await called.connect();
      called.remote.networkChanged();
      assert.deepEqual(called.sayings(), ['callme 1 restart']);
    });

    it('when the other side asks for it', async () => {
      await caller.connect();
      caller.asked('restart');
      assert.deepEqual(caller.tellings(), others);
    });

    it('when there is a line again and no connection', async () => {
      await caller.connect();
      caller.remote.lineUp();
      assert.deepEqual(caller.tellings(), []);
      caller.becomes('disconnected');
      caller.remote.lineUp();
      assert.deepEqual(caller.tellings(), others);
    });
  });

  describe('without a line', () => {
    it('stays what it is', async () => {
      for (const stage of [caller, called]) {
        await stage.connect();
        stage.hasLine = false;
        stage.remote.networkChanged();
        stage.remote.change();
        stage.becomes('disconnected');
        await time.pass(30_000);
        stage.becomes('connected');
        await time.pass(30_000);
        assert.deepEqual([stage.tellings(), stage.sayings()], [[], []]);
      }
    });

    it('is not taken for one that is late', async () => {
      await caller.connect();
      caller.remote.networkChanged();
      await caller.done();
      caller.hasLine = false;
      caller.tellings();
      await time.pass(30_000);
      assert.deepEqual(caller.tellings(), []);
    });

    it('has its contents agreed on with the next one', async () => {
      for (const stage of [caller, called]) {
        await stage.connect();
        stage.hasLine = false;
        stage.remote.change();
        stage.hasLine = true;
        stage.remote.lineUp();
      }
      assert.deepEqual([caller.tellings(), called.sayings()], [['offer'], ['callme 1 change']]);
      // Once.
      caller.hears('answer');
      caller.remote.lineUp();
      assert.deepEqual(caller.tellings(), ['accept']);
    });

    it('is made anew with the next one, if it has failed', async () => {
      for (const stage of [caller, called]) {
        await stage.connect();
        stage.hasLine = false;
        stage.becomes('failed');
        await time.pass(30_000);
        assert.deepEqual([stage.tellings(), stage.sayings()], [[], []]);
        stage.hasLine = true;
        stage.remote.lineUp();
        if (stage === caller) assert.deepEqual(stage.tellings(), ['open 2', 'offer']);
        else assert.deepEqual(stage.sayings(), ['callme 1 anew']);
      }
    });
  });

  it('is agreed on anew when its contents change', async () => {
    await caller.connect();
    caller.remote.change();
    assert.deepEqual(caller.tellings(), ['offer']);
    await called.connect();
    called.remote.change();
    assert.deepEqual(called.sayings(), ['callme 1 change']);
    called.hears('offer');
    assert.deepEqual(called.tellings(), ['answer']);
  });

  it('says nothing of an attempt that another has taken the place of', async () => {
    caller.remote.lineUp();
    const [first] = caller.calls.splice(0);
    const { attempt } = caller;
    caller.remote.renew();
    caller.sayings();
    first!.resolve({ sdp: 'own' });
    caller.finds(candidateOf(), attempt);
    caller.becomes('connected', attempt);
    caller.hears('answer', attempt);
    await time.pass(1);
    assert.deepEqual(caller.sayings(), []);
    assert.deepEqual(caller.tellings().slice(2), ['open 2', 'offer']);
    assert.equal(caller.remote.state, 'connecting');
    caller.remote.renew();
    const [second] = caller.calls.splice(0);
    second!.reject(new ClchatError('TIMEOUT'));
    await time.pass(1);
    assert.deepEqual(caller.states, []);
  });

  describe('hears of ways', () => {
    it('and passes them on', async () => {
      await caller.connect();
      caller.hearsOf(candidateOf());
      assert.deepEqual(caller.orders, [
        {
          order: 'candidate',
          peer: 'bob',
          attempt: caller.attempt,
          candidate: candidateOf(),
          mid: '0',
        },
      ]);
      caller.finds(candidateOf('192.0.2.2'));
      assert.deepEqual(caller.sayings(), ['candidate 1']);
    });

    it('and tries no more than 32 of those that belong to an offer', async () => {
      await caller.connect();
      const flood = (attempt?: number): void => {
        for (let at = 0; at < 1_000; at++)
          caller.hearsOf(candidateOf('192.0.2.9', 2_000 + at), '0', attempt);
      };
      flood(caller.attempt - 1);
      flood(caller.attempt + 1);
      assert.equal(caller.tellings().length, 0);
      flood();
      assert.equal(caller.tellings().length, 32);
      caller.remote.networkChanged();
      flood();
      assert.equal(caller.tellings().length, 1 + 32);
      await called.connect();
      for (let at = 0; at < 100; at++) called.hearsOf(candidateOf());
      assert.equal(called.tellings().length, 32);
      called.hears('offer', called.attempt + 1);
      for (let at = 0; at < 100; at++) called.hearsOf(candidateOf());
      assert.deepEqual(called.tellings().length, 2 + 32);
    });

    it('and tries no more than some, however many offers there are', async () => {
      await called.connect();
      const flood = (): number => {
        for (let offer = 0; offer < 20; offer++) {
          called.hears('offer');
          for (let at = 0; at < 100; at++) called.hearsOf(candidateOf());
        }
        return called.tellings().filter((one) => one === 'candidate').length;
      };
      assert.equal(flood(), 3 * 32);
      assert.equal(flood(), 0);
      called.clock.pass(2_000);
      assert.equal(flood(), 6);
    });

    it('and tries none that is of no use', async () => {
      await caller.connect();
      for (const wrong of [
        '',
        candidateOf('x.local'),
        candidateOf('192.0.2.9', 53),
        'x'.repeat(600),
      ])
        caller.hearsOf(wrong);
      caller.hearsOf(candidateOf(), '1');
      caller.hearsOf(candidateOf(), 'x');
      assert.deepEqual(caller.tellings(), []);
    });

    for (const ip of ['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1'])
      it(`and tries ${ip} where there is no other card only`, async () => {
        await caller.connect();
        caller.hearsOf(candidateOf(ip));
        caller.finds(candidateOf(ip));
        assert.deepEqual([caller.tellings(), caller.sayings()], [[], []]);
        caller.cards = [LOOPBACK];
        caller.hearsOf(candidateOf(ip));
        caller.finds(candidateOf(ip));
        assert.deepEqual([caller.tellings(), caller.sayings()], [['candidate'], ['candidate 1']]);
      });
  });

  describe('once it is closed', () => {
    it('is closed in the helper process, and does nothing any more', async () => {
      for (const stage of [caller, called]) {
        await stage.connect();
        stage.becomes('disconnected');
        stage.remote.networkChanged();
        for (const list of [stage.told, stage.said, stage.states]) list.length = 0;
        stage.remote.close();
        assert.deepEqual(stage.tellings(), ['close']);
        stage.remote.lineUp();
        stage.remote.change();
        stage.remote.networkChanged();
        stage.remote.renew();
        stage.remote.mediaReady();
        stage.hears('offer', stage.attempt + 1);
        stage.hears('answer');
        stage.hearsOf(candidateOf());
        stage.finds(candidateOf());
        stage.becomes('failed');
        for (const { resolve } of stage.calls) resolve({ sdp: 'own' });
        await time.pass(60_000);
        assert.deepEqual([stage.told, stage.said, stage.states], [[], [], []]);
      }
    });

    it('does not mind what fails', async () => {
      caller.remote.lineUp();
      caller.remote.close();
      await caller.fails(new TypeError('x'));
      await time.pass(60_000);
      assert.deepEqual(caller.tellings(), ['open 1', 'offer', 'close']);
    });
  });
});
