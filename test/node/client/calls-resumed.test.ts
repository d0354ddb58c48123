import assert from 'node:assert/strict';
import type { CallView } from '../../../lib/node/calls/wire.ts';
import type { Calls } from '../../../lib/node/client/calls.ts';
import { callNamed, EQUIPMENT } from '../../support/call-stage.ts';
import {
  ALICE,
  BOB,
  KITCHEN,
  NO_WAYS,
  pair,
  seat,
  OwnCallsStage,
  type FakeServer,
} from '../../support/own-calls.ts';
import { FakeTime } from '../../support/time.ts';

describe('calls that a device is in, when the server was away,', () => {
  let stage: OwnCallsStage;
  let server: FakeServer;
  let calls: Calls;
  const told = (): string[] => stage.told();

  beforeEach(() => {
    stage = new OwnCallsStage();
    ({ server, calls } = stage);
  });
  afterEach(() => assert.deepEqual(stage.faults, []));

  describe('while the server is away', () => {
    let time: FakeTime;
    beforeEach(() => (time = new FakeTime()));
    afterEach(() => time.restore());

    it('ring no longer than they should', async () => {
      const started = calls.start(BOB, EQUIPMENT);
      await time.pass(10);
      await started;
      calls.take(pair('ringing', ['bob/1']));
      told();
      await time.pass(19_900);
      assert.deepEqual(told(), []);
      await time.pass(200);
      assert.deepEqual(told().sort(), [
        'over ringing: no answer (alice)',
        'rung ringing: no answer (bob)',
      ]);
      assert.deepEqual([calls.current, calls.ringing], [undefined, []]);
    });

    it('ring no more here once they are declined', async () => {
      calls.take(pair('ringing', ['bob/1']));
      told();
      server.isAway = true;
      await assert.rejects(calls.decline(), { code: 'NETWORK' });
      assert.deepEqual([told(), calls.ringing], [['rung ringing: declined (bob)'], []]);
    });
  });

  describe('go on when the server is back', () => {
    it('as it has them', async () => {
      await calls.start(KITCHEN, EQUIPMENT);
      const { id } = calls.current!;
      server.refuses('callStart', 'ALREADY');
      const participants = [seat(ALICE), seat('bob/1')];
      server.calls = [{ id, ...KITCHEN, state: 'active', participants }];
      told();
      server.methods();
      await calls.resume();
      assert.deepEqual(told(), ['call active (alice bob)']);
      assert.deepEqual(server.methods(), ['callStart', 'calls']);
      await calls.resume();
      assert.deepEqual(told(), []);
    });

    it('at one that has been started again and knows of none', async () => {
      calls.take(pair('ringing', ['bob/1']));
      await calls.answer(undefined, { ...EQUIPMENT, camera: true });
      told();
      server.methods();
      const call = pair('active', [ALICE, 'bob/1']);
      server.answers.set('callStart', () => ({ call, ways: { stun: ['192.0.2.1:3478'] } }));
      server.calls = [call];
      await calls.resume();
      assert.deepEqual(server.asked[0], {
        method: 'callStart',
        request: {
          id: callNamed('c'),
          target: { account: 'bob' },
          equipment: { ...EQUIPMENT, camera: true },
          secondDevice: false,
          resumed: true,
        },
      });
      assert.deepEqual(told(), ['call active (alice bob)']);
      assert.deepEqual(calls.ways, { stun: ['192.0.2.1:3478'] });
    });

    describe('where others have not come back to it yet', () => {
      let time: FakeTime;
      beforeEach(() => (time = new FakeTime()));
      afterEach(() => time.restore());
      /** In the kitchen with two others, of whom a server that was started again knows nothing. */
      const resumed = async (): Promise<CallView> => {
        const started = calls.start(KITCHEN, EQUIPMENT);
        await time.pass(10);
        await started;
        const { id } = calls.current!;
        const state = 'active' as const;
        const participants = [ALICE, 'bob/1', 'carol/1'].map((device) => seat(device));
        calls.take({ id, ...KITCHEN, state, participants });
        const call: CallView = { id, ...KITCHEN, state, participants: [seat(ALICE)] };
        server.answers.set('callStart', () => ({ call, ways: NO_WAYS }));
        server.calls = [call];
        told();
        const done = calls.resume();
        await time.pass(10);
        await done;
        return call;
      };
      const away = (): string[] =>
        calls.current!.participants.filter((one) => one.away === true).map(({ user }) => user);

      it('with those, as away', async () => {
        const call = await resumed();
        assert.deepEqual(told(), ['call active (alice bob carol)']);
        assert.deepEqual(away(), ['bob', 'carol']);
        calls.take({ ...call, participants: [seat(ALICE), seat('carol/1')] });
        assert.deepEqual([told(), away()], [['call active (alice carol bob)'], ['bob']]);
        // Who has come back and goes is gone.
        calls.take(call);
        assert.deepEqual([told(), away()], [['call active (alice bob)'], ['bob']]);
      });

      it('without those, after fifteen seconds', async () => {
        await resumed();
        told();
        await time.pass(14_900);
        assert.deepEqual(told(), []);
        await time.pass(200);
        assert.deepEqual(told(), ['call active (alice)']);
        const left = calls.leave();
        await time.pass(10);
        await left;
        told();
        await time.pass(60_000);
        assert.deepEqual(told(), []);
      });

      it('beside another device of this account, which may be the first', async () => {
        server.methods();
        const started = calls.start(KITCHEN, EQUIPMENT);
        await time.pass(10);
        await started;
        const { id } = calls.current!;
        const participants = [seat('alice/2'), seat(ALICE)];
        calls.take({ id, ...KITCHEN, state: 'active', participants });
        server.asked.length = 0;
        const done = calls.resume();
        await time.pass(10);
        await done;
        assert.equal(server.asked[0]?.request['secondDevice'], true);
      });
    });

    it('no more where another device of this account has taken the place', async () => {
      await calls.start(KITCHEN, EQUIPMENT);
      told();
      server.refuses('callStart', 'BUSY');
      await calls.resume();
      assert.deepEqual([told(), calls.current], [['over active: elsewhere (alice)'], undefined]);
    });

    it('in the one that others have begun there meanwhile', async () => {
      await calls.start(KITCHEN, EQUIPMENT);
      told();
      const participants = [seat('bob/1'), seat(ALICE)];
      const call = { id: callNamed('new'), ...KITCHEN, state: 'active' as const, participants };
      server.answers.set('callStart', () => {
        // It is told of before the answer has come.
        calls.take(call);
        return { call, ways: NO_WAYS };
      });
      server.calls = [call];
      server.methods();
      await calls.resume();
      assert.deepEqual(told(), ['call active (bob alice)']);
      assert.deepEqual([calls.current?.id, server.methods()], [call.id, ['callStart', 'calls']]);
    });

    it('not where they have ended meanwhile, or one may not be in them any more', async () => {
      for (const code of ['NOT_MEMBER', 'STALE'] as const) {
        stage = new OwnCallsStage();
        ({ server, calls } = stage);
        await calls.start(KITCHEN, EQUIPMENT);
        told();
        server.refuses('callStart', code);
        await calls.resume();
        assert.deepEqual([told(), calls.current], [['over active: lost (alice)'], undefined]);
        assert.deepEqual(stage.faults, []);
      }
    });

    it('not those that were ringing and are not known there', async () => {
      await calls.start(BOB, EQUIPMENT);
      told();
      server.methods();
      await calls.resume();
      assert.deepEqual([told(), server.methods()], [['over ringing: lost (alice)'], ['calls']]);
      await calls.start(BOB, EQUIPMENT);
      server.calls = [calls.current!];
      told();
      await calls.resume();
      assert.deepEqual([told(), calls.current?.state], [[], 'ringing']);
    });

    it('and those that ring are known, once', async () => {
      const ring = pair('ringing', ['bob/1']);
      server.calls = [ring];
      await calls.resume();
      await calls.resume();
      assert.deepEqual(told(), ['ring ringing (bob)']);
      server.calls = [];
      await calls.resume();
      assert.deepEqual(told(), ['rung ringing: lost (bob)']);
      assert.deepEqual(calls.ringing, []);
    });

    it('though it goes away again at once', async () => {
      await calls.start(KITCHEN, EQUIPMENT);
      told();
      for (const code of ['CLOSED', 'TIMEOUT'] as const) {
        server.refuses('callStart', code);
        await calls.resume();
      }
      server.isAway = true;
      await calls.resume();
      assert.deepEqual([told(), calls.current?.state], [[], 'active']);
    });

    it('unless one has hung up while they were taken up', async () => {
      await calls.start(KITCHEN, EQUIPMENT);
      told();
      server.methods();
      const resumed = calls.resume();
      await calls.leave();
      await resumed;
      assert.deepEqual(told(), ['over active: hung up (alice)']);
      assert.deepEqual(server.methods().filter((method) => method === 'callLeave').length, 2);
    });
  });
});
