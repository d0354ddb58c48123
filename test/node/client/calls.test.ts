import assert from 'node:assert/strict';
import type { ClchatError } from '../../../lib/errors.ts';
import { type ErrorCode } from '../../../lib/errors.ts';
import type { CallView, RoomCallView } from '../../../lib/node/calls/wire.ts';
import type { Calls } from '../../../lib/node/client/calls.ts';
import { callNamed, EQUIPMENT } from '../../support/call-stage.ts';
import {
  ALICE,
  BOB,
  KITCHEN,
  NO_WAYS,
  ended,
  pair,
  seat,
  OwnCallsStage,
  type FakeServer,
} from '../../support/own-calls.ts';
import { FakeTime } from '../../support/time.ts';

describe('calls, as a device knows them', () => {
  let stage: OwnCallsStage;
  let server: FakeServer;
  let calls: Calls;
  const told = (): string[] => stage.told();

  beforeEach(() => {
    stage = new OwnCallsStage();
    ({ server, calls } = stage);
  });
  afterEach(() => assert.deepEqual(stage.faults, []));
  const refuses = (promise: Promise<unknown>, code: ErrorCode): Promise<void> =>
    assert.rejects(promise, { code });

  it('ring sixteen at a time at most, whatever the server tells', () => {
    for (let n = 0; n < 1_000; n++)
      calls.take(pair('ringing', ['bob/1'], { id: callNamed(`${n}`) }));
    assert.equal(calls.ringing.length, 16);
    assert.equal(told().length, 16);
    calls.reset();
  });

  describe('begin', () => {
    it('by ringing somebody, who comes', async () => {
      const view = await calls.start(BOB, EQUIPMENT);
      assert.deepEqual([view.state, calls.current], ['ringing', view]);
      const { request } = server.asked[0]!;
      assert.deepEqual(request, {
        id: view.id,
        target: BOB,
        equipment: EQUIPMENT,
        secondDevice: false,
      });
      assert.match(view.id, /^[0-9a-f]{32}$/);
      const { id } = view;
      calls.take(pair('active', [ALICE, 'bob/1'], { id, caller: 'alice', callee: 'bob' }));
      assert.deepEqual(told(), ['call ringing (alice)', 'call active (alice bob)']);
      assert.deepEqual(calls.ways, NO_WAYS);
    });

    it('in rooms, where the one that goes on there is another', async () => {
      const id = callNamed('there already');
      const call = { id, ...KITCHEN, state: 'active', participants: [seat('bob/1'), seat(ALICE)] };
      server.answers.set('callStart', () => ({ call, ways: NO_WAYS }));
      await calls.start(KITCHEN, EQUIPMENT);
      assert.equal(calls.current?.id, id);
      assert.deepEqual(told(), ['call active (bob alice)']);
    });

    it('one at a time', async () => {
      const first = calls.start(BOB, EQUIPMENT);
      await refuses(calls.start(KITCHEN, EQUIPMENT), 'BUSY');
      await first;
      await refuses(calls.start(KITCHEN, EQUIPMENT), 'BUSY');
      calls.take(pair('ringing', ['carol/1'], { id: callNamed('d'), caller: 'carol' }));
      await refuses(calls.answer(undefined, EQUIPMENT), 'BUSY');
      assert.deepEqual(server.methods(), ['callStart']);
    });

    it('not where the server refuses, or is away', async () => {
      server.refuses('callStart', 'NOT_CONTACT');
      await refuses(calls.start(BOB, EQUIPMENT), 'NOT_CONTACT');
      server.isAway = true;
      await refuses(calls.start(BOB, EQUIPMENT), 'NETWORK');
      assert.deepEqual([calls.current, told()], [undefined, []]);
      server.isAway = false;
      server.answers.delete('callStart');
      server.answers.set('callStart', () => ({ call: pair('ringing', [ALICE]), ways: NO_WAYS }));
      await calls.start(BOB, EQUIPMENT);
    });
  });

  describe('ring', () => {
    const ring = pair('ringing', ['bob/1']);
    const another = pair('ringing', ['carol/1'], { id: callNamed('d'), caller: 'carol' });

    it('once, and are answered', async () => {
      calls.take(ring);
      calls.take({ ...ring });
      assert.deepEqual(told(), ['ring ringing (bob)']);
      const answered = calls.answer(undefined, EQUIPMENT);
      // The server may tell before it answers.
      calls.take(pair('active', ['bob/1', ALICE]));
      await answered;
      assert.deepEqual(told(), ['call active (bob alice)']);
      assert.deepEqual([calls.ringing, server.methods()], [[], ['callAnswer']]);
    });

    it('and are declined', async () => {
      calls.take(ring);
      await calls.decline();
      calls.take(ended('declined'));
      assert.deepEqual(told(), ['ring ringing (bob)', 'rung ended: declined ()']);
      await refuses(calls.decline(), 'NO_CALL');
    });

    it('until they are answered elsewhere, given up, or nobody has come', async () => {
      const ends: [CallView, string][] = [
        [ended('elsewhere'), 'rung ended: elsewhere ()'],
        [ended('withdrawn'), 'rung ended: withdrawn ()'],
        [ended('no answer'), 'rung ended: no answer ()'],
        [pair('active', ['bob/1', 'alice/2']), 'rung active: elsewhere (bob alice)'],
      ];
      for (const [end, text] of ends) {
        calls.take(ring);
        calls.take(end);
        calls.take(end);
        assert.deepEqual(told(), ['ring ringing (bob)', text]);
        await refuses(calls.answer(undefined, EQUIPMENT), 'NO_CALL');
      }
      assert.deepEqual(server.methods(), []);
    });

    it('and are named where there are several', async () => {
      calls.take(ring);
      calls.take(another);
      await assert.rejects(calls.answer(undefined, EQUIPMENT), (error: ClchatError) => {
        assert.equal(error.code, 'AMBIGUOUS');
        assert.match(error.message, /bob, carol/);
        return true;
      });
      await refuses(calls.decline(), 'AMBIGUOUS');
      await calls.answer(another.id, EQUIPMENT);
      assert.equal(calls.current?.id, another.id);
      assert.deepEqual(calls.ringing, [ring]);
    });

    it('while another one is being answered', async () => {
      calls.take(ring);
      calls.take(another);
      const answered = calls.answer(ring.id, EQUIPMENT);
      calls.take(ended('withdrawn', { id: another.id }));
      await answered;
      assert.deepEqual(told().slice(2), ['rung ended: withdrawn ()', 'call active (bob alice)']);
    });

    it('no more where another device was the first to answer', async () => {
      calls.take(ring);
      server.refuses('callAnswer', 'ALREADY');
      const answered = calls.answer(undefined, EQUIPMENT);
      calls.take(ended('elsewhere'));
      await refuses(answered, 'ALREADY');
      assert.deepEqual(told(), ['ring ringing (bob)', 'rung ringing: elsewhere (bob)']);
      await refuses(calls.answer(undefined, EQUIPMENT), 'NO_CALL');
    });

    it('and are answered by calling whoever calls', async () => {
      calls.take(ring);
      server.answers.set('callStart', () => ({
        call: pair('active', ['bob/1', ALICE]),
        ways: NO_WAYS,
      }));
      const started = calls.start(BOB, EQUIPMENT);
      calls.take(pair('active', ['bob/1', ALICE]));
      await started;
      assert.deepEqual(told(), ['ring ringing (bob)', 'call active (bob alice)']);
      assert.deepEqual([calls.current?.id, calls.ringing], [ring.id, []]);
    });
  });

  describe('end', () => {
    beforeEach(async () => {
      calls.take(pair('ringing', ['bob/1']));
      await calls.answer(undefined, EQUIPMENT);
      told();
      server.methods();
    });

    it('by hanging up, at once for this device', async () => {
      const left = calls.leave();
      assert.deepEqual([told(), calls.current], [['over active: hung up (bob alice)'], undefined]);
      await left;
      assert.deepEqual(server.methods(), ['callLeave']);
      calls.take(ended('hung up'));
      await refuses(calls.leave(), 'NO_CALL');
      assert.deepEqual(told(), []);
    });

    it('by hanging up while the server is away, which hears of it later', async () => {
      server.isAway = true;
      await calls.leave();
      assert.deepEqual(told(), ['over active: hung up (bob alice)']);
      server.isAway = false;
      server.calls = [pair('active', ['bob/1', ALICE])];
      await calls.resume();
      assert.deepEqual([told(), server.methods()], [[], ['calls', 'callLeave']]);
    });

    it('as the server says', () => {
      calls.take(ended('put out'));
      calls.take(ended('put out'));
      assert.deepEqual(told(), ['over ended: put out ()']);
    });

    it('where the server says that others are in it only', () => {
      calls.take(pair('active', ['bob/1']));
      assert.deepEqual(told(), ['over active: put out (bob)']);
    });

    it('with the login', () => {
      calls.take(pair('ringing', ['carol/1'], { id: callNamed('d'), caller: 'carol' }));
      calls.reset();
      assert.deepEqual(told().slice(1), ['over active: hung up (bob alice)']);
      assert.deepEqual([calls.current, calls.ringing, calls.rooms], [undefined, [], []]);
    });
  });

  it('are told of as often as something is new in them', async () => {
    calls.take(pair('ringing', ['bob/1']));
    await calls.answer(undefined, EQUIPMENT);
    const view = pair('active', ['bob/1', ALICE]);
    calls.take(view);
    calls.take(structuredClone(view));
    calls.take({ ...view, participants: [seat('bob/1', { camera: true }), seat(ALICE)] });
    assert.equal(told().length, 3);
  });

  describe('say what is switched on', () => {
    const sent = (): unknown[] => server.asked.splice(0).map(({ request }) => request['equipment']);

    beforeEach(async () => {
      await calls.start(KITCHEN, EQUIPMENT);
      server.methods();
    });

    it('and off again, without what cannot be said', async () => {
      await calls.update({ live: 'slides' });
      await calls.update({ recording: true });
      await calls.update({ live: undefined, recording: undefined });
      assert.deepEqual(sent(), [
        { ...EQUIPMENT, live: 'slides' },
        { ...EQUIPMENT, live: 'slides', recording: true },
        EQUIPMENT,
      ]);
      assert.deepEqual(Object.keys(calls.equipment!).sort(), Object.keys(EQUIPMENT).sort());
    });

    it('to a server that was away, once it is back', async () => {
      server.isAway = true;
      await calls.update({ camera: true });
      assert.equal(calls.equipment?.camera, true);
      server.isAway = false;
      server.refuses('callStart', 'ALREADY');
      await calls.resume();
      assert.deepEqual(
        server.asked.map(({ method }) => method),
        ['callStart', 'callUpdate', 'calls'],
      );
      assert.deepEqual(sent()[1], { ...EQUIPMENT, camera: true });
      await calls.resume();
      assert.deepEqual(server.methods(), ['callStart', 'calls']);
    });

    it('in a call only', async () => {
      await calls.leave();
      await refuses(calls.update({ camera: true }), 'NO_CALL');
    });
  });

  describe('of rooms', () => {
    const inKitchen = (...users: string[]): RoomCallView => ({
      id: callNamed('k'),
      ...KITCHEN,
      state: 'active',
      users,
    });
    const over: RoomCallView = { ...inKitchen(), state: 'ended' };

    it('are told of as often as something is new in them', () => {
      calls.takeRoom(inKitchen('bob'));
      calls.takeRoom(inKitchen('bob'));
      calls.takeRoom(inKitchen('bob', 'carol'));
      assert.equal(calls.rooms.length, 1);
      calls.takeRoom(over);
      calls.takeRoom(over);
      assert.deepEqual(told(), ['room active (bob)', 'room active (bob carol)', 'room ended ()']);
      assert.deepEqual(calls.rooms, []);
    });

    it('are known after a login, and those that have ended meanwhile too', async () => {
      server.rooms = [inKitchen('bob')];
      await calls.resume();
      assert.deepEqual(told(), ['room active (bob)']);
      await calls.resume();
      assert.deepEqual(told(), []);
      server.rooms = [];
      await calls.resume();
      assert.deepEqual(told(), ['room ended ()']);
    });

    it('are not over where another one is', () => {
      const next = { ...inKitchen('carol'), id: callNamed('n') };
      calls.takeRoom(inKitchen('bob'));
      calls.takeRoom(next);
      calls.takeRoom(over);
      assert.deepEqual(calls.rooms, [next]);
      assert.deepEqual(told(), ['room active (bob)', 'room active (carol)']);
    });

    it('end but once for who leaves them as the last one', async () => {
      calls.takeRoom(inKitchen('bob'));
      await calls.start(KITCHEN, EQUIPMENT);
      assert.deepEqual(calls.rooms, []);
      await calls.leave();
      calls.takeRoom(over);
      assert.deepEqual(told().slice(1), ['call active (alice)', 'over active: hung up (alice)']);
    });
  });

  describe('name those in them as the log does', () => {
    let time: FakeTime;
    beforeEach(() => (time = new FakeTime()));
    afterEach(() => {
      calls.reset();
      time.restore();
    });
    const renamed = (device: string, user: string) => ({ ...seat(device), user });

    it('whatever the server says, but of devices of which the log does not know', async () => {
      calls.take(pair('ringing', ['bob/1']));
      const answered = calls.answer(undefined, EQUIPMENT);
      await time.pass(10);
      await answered;
      stage.names.set('dora/1', undefined);
      const others = [renamed('bob/1', 'carol'), renamed('dora/1', 'dora')];
      calls.take({ ...pair('active', [ALICE]), participants: [...others, seat(ALICE)] });
      assert.equal(told().at(-1), 'call active (bob dora alice)');
    });

    it('also where the log is late to tell of another name, or the server does not', async () => {
      const started = calls.start(BOB, EQUIPMENT);
      await time.pass(10);
      const { id } = await started;
      const ids = { id, caller: 'alice', callee: 'rob' };
      calls.take({
        ...pair('active', [], ids),
        participants: [seat(ALICE), renamed('bob/1', 'rob')],
      });
      assert.equal(told().at(-1), 'call active (alice bob)');
      stage.names.set('bob/1', 'rob');
      await time.pass(1_000);
      assert.deepEqual(told(), ['call active (alice rob)']);
      await time.pass(5_000);
      assert.deepEqual(told(), []);
      stage.names.set('bob/1', 'bobby');
      await time.pass(1_000);
      assert.deepEqual(told(), ['call active (alice bobby)']);
      assert.equal(calls.current?.participants[1]?.user, 'bobby');
    });

    it('and go on ringing where it is this account that has another one', () => {
      calls.take(pair('ringing', ['bob/1']));
      calls.take(pair('ringing', ['bob/1'], { callee: 'alicia' }));
      assert.deepEqual([told(), calls.ringing.length], [['ring ringing (bob)'], 1]);
    });
  });

  it('of rooms are told once the log has them, and over once it does not', async () => {
    const time = new FakeTime();
    try {
      const call: RoomCallView = {
        ...{ id: callNamed('k'), ...KITCHEN, state: 'active', users: ['bob'] },
      };
      stage.rooms.clear();
      calls.takeRoom(call);
      assert.deepEqual([told(), calls.rooms], [[], []]);
      stage.rooms.add(KITCHEN.room);
      await time.pass(1_000);
      assert.deepEqual([told(), calls.rooms], [['room active (bob)'], [call]]);
      stage.rooms.clear();
      await time.pass(1_000);
      stage.rooms.add(KITCHEN.room);
      await time.pass(1_000);
      assert.deepEqual([told(), calls.rooms], [['room ended ()'], []]);
    } finally {
      time.restore();
    }
  });

  it('are left by who gives up before the server has answered', async () => {
    const started = calls.start(BOB, EQUIPMENT);
    const left = await calls.leave();
    assert.equal(left.id, (await started).id);
    assert.deepEqual(server.methods(), ['callStart', 'callLeave']);
    assert.equal(calls.current, undefined);
    server.refuses('callStart', 'BUSY');
    const refused = calls.start(BOB, EQUIPMENT);
    await Promise.all([
      assert.rejects(refused, { code: 'BUSY' }),
      assert.rejects(calls.leave(), { code: 'NO_CALL' }),
    ]);
  });

  it('that a program of this device was in which is no more are left', async () => {
    server.calls = [pair('active', ['bob/1', ALICE])];
    await calls.resume();
    assert.deepEqual([told(), calls.current], [[], undefined]);
    const left = server.asked.filter(({ method }) => method === 'callLeave');
    assert.deepEqual(
      left.map(({ request }) => request),
      [{ id: callNamed('c') }],
    );
  });

  it('are known once the server has told', async () => {
    server.calls = [pair('ringing', ['bob/1'])];
    void calls.resume();
    assert.equal(calls.ringing.length, 0);
    await calls.known;
    assert.equal(calls.ringing.length, 1);
  });

  it('may be those that somebody else names, where this device is in it or about to come', async () => {
    const id = callNamed('k');
    assert.equal(calls.mayBeIn(id), false);
    const started = calls.start(KITCHEN, EQUIPMENT);
    assert.equal(calls.mayBeIn(id), true);
    await started;
    assert.deepEqual([calls.mayBeIn(id), calls.mayBeIn(calls.current!.id)], [false, true]);
  });
});
