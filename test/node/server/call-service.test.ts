import assert from 'node:assert/strict';
import type { PublicKey, RoomId } from '../../../lib/crdt/keys.ts';
import { pairStream } from '../../../lib/crdt/stream.ts';
import { codeOf } from '../../../lib/errors.ts';
import type { CallView, Equipment, RoomCallView, Ways } from '../../../lib/node/calls/wire.ts';
import { Listeners } from '../../../lib/node/server/listeners.ts';
import { callNamed, EQUIPMENT } from '../../support/call-stage.ts';
import { callers, TIMES } from '../../support/call-world.ts';
import { eventually } from '../../support/channels.ts';
import type { Peer, ShiftedClock, World } from '../../support/roles.ts';
import { HeldIntervals } from '../../support/time.ts';
import { worldStage } from '../../support/world-stage.ts';

describe('calls and the log', function () {
  this.timeout(60_000);
  const stage = worldStage({ calls: TIMES });
  const {
    pass,
    sealed,
    befriend,
    pairOf,
    start,
    answer,
    leave,
    hears,
    callsOf,
    marked,
    open,
    closed,
    conference,
    twoDevices,
    back,
    last,
  } = callers(stage);
  let world: World;
  let clock: ShiftedClock;
  let alice: Peer;
  let bob: Peer;
  let carol: Peer;

  beforeEach(async () => {
    ({ world, clock } = stage);
    [alice, bob, carol] = await world.members('alice', 'bob', 'carol');
  });

  /** Alice and bob, who are contacts, talk. */
  const talk = async (): Promise<void> => {
    await befriend(alice, bob);
    await start(alice, bob, 'a');
    await answer(bob, 'a');
  };
  describe('between two', () => {
    it('ring, are answered and leave a line behind', async () => {
      await befriend(alice, bob);
      const view = await start(alice, bob, 'a');
      assert.deepEqual([view.caller, view.callee, view.state], ['alice', 'bob', 'ringing']);
      await hears(bob, 'ringing');
      const { call, ways } = await answer(bob, 'a');
      assert.deepEqual(ways, { stun: [] });
      assert.deepEqual(
        call.participants,
        [alice, bob].map(({ member }) => ({ user: member.name, device: member.id, ...EQUIPMENT })),
      );
      await hears(alice, 'active');
      await pass(alice, bob);
      await leave(bob, 'a');
      await hears(alice, 'ended: hung up');
      const [mark] = await marked(pairOf(alice, bob));
      assert.deepEqual(
        [mark?.outcome, mark?.caller, mark?.people],
        ['ended', alice.member.account, 2],
      );
      assert.equal(mark?.call, callNamed('a'));
      assert.ok(mark.seconds >= 9 && mark.seconds < 60, String(mark.seconds));
      // Both hold it, sealed by the server.
      await eventually('the line', () => bob.batches.length > 0 && alice.batches.length > 0);
    });

    it('are missed by whoever does not answer, and told to nobody where they were declined', async () => {
      await befriend(alice, bob);
      await start(alice, bob, 'a');
      await hears(bob, 'ringing');
      await pass(alice, bob);
      await hears(alice, 'ended: no answer');
      await hears(bob, 'ended: no answer');
      const body = { outcome: 'missed', caller: alice.member.account, seconds: 0, people: 1 };
      assert.deepEqual(await marked(pairOf(alice, bob)), [{ call: callNamed('a'), ...body }]);
      await start(bob, alice, 'b');
      await alice.session.call('callDecline', { id: callNamed('b') });
      await hears(bob, 'ended: declined');
      await start(bob, alice, 'c');
      await leave(bob, 'c');
      const all = await marked(pairOf(alice, bob), 2);
      assert.deepEqual(
        all.map(({ call }) => call),
        [callNamed('a'), callNamed('c')],
      );
    });

    it('are missed by those who are busy', async () => {
      await talk();
      await befriend(carol, bob);
      await assert.rejects(start(carol, bob, 'b'), { code: 'BUSY' });
      const [mark] = await marked(pairOf(carol, bob));
      assert.deepEqual([mark?.outcome, mark?.caller], ['missed', carol.member.account]);
    });

    it('are missed also by those who have gone meanwhile, who are told once they are back', async () => {
      const dora = await world.join('dora');
      const { account } = dora.home;
      const lobby = { account, room: 'lobby' as RoomId };
      const comeBack = async (): Promise<void> => {
        await dora.open();
        await dora.login();
        await dora.client.settle();
      };
      await start(alice, lobby, 'a');
      await dora.stop();
      await pass(alice);
      await hears(alice, 'ended: no answer');
      await marked(pairStream(alice.member.account, account));
      await comeBack();
      await eventually('what was missed', () => dora.missed.length === 1);
      await start(alice, lobby, 'b');
      await leave(alice, 'b');
      // Told as it happens, and not once more.
      await eventually('another', () => dora.missed.length === 2);
      await dora.stop();
      await comeBack();
      assert.ok(dora.missed.every(({ by }) => by === alice.member.account));
      assert.equal(dora.missed.length, 2);
      assert.deepEqual([dora.messages, dora.faults], [[], []]);
    });

    it('are for contacts, and for members of one room, whatever the room', async () => {
      await assert.rejects(start(alice, bob, 'a'), { code: 'NOT_CONTACT' });
      const [den, club] = [await open(alice, 'den', bob), await closed(alice, 'club', bob)];
      const tea = await conference(alice, 'tea');
      const { account } = bob.member;
      const through = async (room: RoomId): Promise<string> => {
        const target = { account, room };
        try {
          await start(alice, target, 'a');
        } catch (error) {
          return codeOf(error);
        }
        await leave(alice, 'a');
        return 'rings';
      };
      assert.equal(await through(den.id), 'rings');
      assert.equal(await through(club.id), 'rings');
      assert.equal(await through(tea.id), 'NOT_CONTACT');
      await sealed(bob, 'space', 'leave', { room: den.id });
      await sealed(bob, club.stream, 'leave', {});
      assert.equal(await through(den.id), 'NOT_CONTACT');
      assert.equal(await through(club.id), 'NOT_CONTACT');
      assert.equal(await through('e'.repeat(32) as RoomId), 'NOT_CONTACT');
    });

    it('end with a block, by either', async () => {
      await talk();
      assert.deepEqual(await bob.block(alice), ['sealed']);
      await hears(alice, 'ended: put out');
      await hears(bob, 'ended: put out');
      await assert.rejects(start(alice, bob, 'b'), { code: 'BLOCKED', message: /blocked you/ });
      await assert.rejects(start(bob, alice, 'b'), { code: 'BLOCKED', message: /You have/ });
      // Nothing more is missed.
      assert.equal((await marked(pairOf(alice, bob))).length, 1);
    });

    it('are answered once, by whichever device is first', async () => {
      const [dora, phone] = await twoDevices();
      await befriend(alice, dora);
      await start(alice, dora, 'a');
      await Promise.all([hears(dora, 'ringing'), hears(phone, 'ringing')]);
      const outcomes = await Promise.all(
        [dora, phone].map((one) => answer(one, 'a').then(() => 'answered', codeOf)),
      );
      assert.deepEqual(outcomes.sort(), ['ALREADY', 'answered']);
      await eventually(
        'one is in, the other is not',
        () => [last(dora), last(phone)].sort().join() === 'active,ended: elsewhere',
      );
      await eventually('alice is told', () => alice.calls.at(-1)?.participants.length === 2);
    });

    it('of two who call one another are one', async () => {
      await befriend(alice, bob);
      const views = await Promise.all([start(alice, bob, 'a'), start(bob, alice, 'b')]);
      assert.equal(new Set(views.map(({ id }) => id)).size, 1);
      await hears(alice, 'active');
      await hears(bob, 'active');
    });

    it('are over for the other when one is lost for too long', async () => {
      await talk();
      await hears(bob, 'active');
      await alice.leave();
      await eventually('away', () => bob.calls.at(-1)?.participants[0]?.away === true);
      await pass(bob);
      await hears(bob, 'ended: lost');
      await marked(pairOf(alice, bob));
    });
  });

  describe('are over for a device', () => {
    it('that logs out, or says goodbye', async () => {
      await talk();
      bob.session.notify('leaving', {});
      await hears(alice, 'ended: hung up');
      await start(alice, bob, 'b');
      await answer(bob, 'b');
      await bob.session.call('logout', {});
      await eventually('the second', () => alice.calls.at(-1)?.id === callNamed('b'));
      await hears(alice, 'ended: hung up');
    });

    it('that an administrator logs out', async () => {
      await world.server.crown('carol');
      await talk();
      await carol.session.call('kick', { account: bob.member.account });
      await hears(alice, 'ended: put out');
    });
  });

  it('are kept for a device that comes back in time', async () => {
    await world.close();
    await world.open({ clock, calls: TIMES });
    [alice, bob] = [await back(alice), await back(bob)];
    await talk();
    await alice.leave();
    await eventually('away', () => bob.calls.at(-1)?.participants[0]?.away === true);
    alice = await back(alice);
    await eventually('back', () => bob.calls.at(-1)?.participants[0]?.away === undefined);
    assert.deepEqual(await callsOf(alice), ['active']);
  });

  it('are taken up again after a restart of the server', async () => {
    await talk();
    const den = await open(alice, 'den', carol);
    await world.close();
    await world.open({ clock, calls: TIMES });
    [alice, bob, carol] = [await back(alice), await back(bob), await back(carol)];
    assert.deepEqual(await callsOf(alice), []);
    const resumed = { resumed: true } as const;
    await start(bob, alice, 'a', resumed);
    await start(alice, bob, 'a', resumed);
    await hears(bob, 'active');
    await pass(alice, bob, carol);
    assert.deepEqual(await callsOf(bob), ['active']);
    await leave(alice, 'a');
    await start(carol, den, 'c', resumed);
    await start(alice, bob, 'd', resumed);
    await pass(alice, bob, carol);
    await hears(alice, 'ended: lost');
    assert.deepEqual(await callsOf(carol), ['active']);
  });

  it('are over for who was away for long, and ring nobody once more', async () => {
    await talk();
    const den = await open(alice, 'den', carol);
    await start(carol, den, 'c');
    for (let passed = 0; passed < 7; passed++) await pass(alice, bob, carol);
    await alice.leave();
    await carol.leave();
    await eventually('away', () => bob.calls.at(-1)?.participants[0]?.away === true);
    await pass(bob);
    await hears(bob, 'ended: lost');
    const told = bob.calls.length;
    [alice, carol] = [await back(alice), await back(carol)];
    const resumed = { resumed: true } as const;
    await assert.rejects(start(alice, bob, 'a', resumed), { code: 'STALE' });
    assert.deepEqual([await callsOf(alice), await callsOf(bob)], [[], []]);
    assert.equal(bob.calls.length, told);
    // Of the end of this one there was nobody to be told.
    await start(carol, den, 'c', resumed);
    assert.deepEqual(await callsOf(carol), ['active']);
  });

  it('tell of other names', async () => {
    await talk();
    await hears(alice, 'active');
    const { account } = bob.member;
    await sealed(bob, 'space', 'updateuser', { account, name: 'rob' });
    for (const one of [alice, bob])
      await eventually('the name', () => one.calls.at(-1)?.callee === 'rob');
    const { participants } = alice.calls.at(-1)!;
    assert.deepEqual(
      participants.map(({ user }) => user),
      ['alice', 'rob'],
    );
    // What else there is about somebody is told elsewhere.
    const told = alice.calls.length;
    await sealed(bob, 'space', 'updateuser', { account, display: 'Robert' });
    await callsOf(alice);
    assert.equal(alice.calls.length, told);
  });

  it('leave their line after those that clients hand back to a restored server', async () => {
    await befriend(alice, bob);
    const backup = await world.backup();
    const ring = async (id: string): Promise<void> => {
      await start(alice, bob, id);
      await leave(alice, id);
    };
    await ring('a');
    const pair = pairOf(alice, bob);
    await marked(pair);
    const { length } = world.log.headOf(pair);
    const batches = await world.log.batches(pair, 0, length, 1 << 20);
    await world.restore(backup, { recoverMs: 1_500 });
    alice = await world.peer('alice', alice.member);
    bob = await world.peer('bob', bob.member);
    for (const peer of [alice, bob]) {
      await peer.session.call('login', {});
      await peer.open();
    }
    // It waits with the place that the other one has had.
    await ring('b');
    await alice.sync.call('handBack', { batches: batches.slice(-1) });
    const all = await marked(pair, 2);
    assert.deepEqual(
      all.map(({ call }) => call),
      [callNamed('a'), callNamed('b')],
    );
  });

  it('say what finds a way through routers', async () => {
    await world.close();
    const ways: Ways = {
      stun: ['203.0.113.7:3478'],
      turn: { url: 'turn:203.0.113.7:3478', username: 'u', credential: 'c' },
    };
    await world.open({ callWays: () => ways });
    alice = await back(alice);
    const request = { target: { room: 'lobby' as RoomId }, equipment: EQUIPMENT };
    const reply = await alice.session.call('callStart', {
      id: callNamed('a'),
      secondDevice: false,
      ...request,
    });
    assert.deepEqual(reply.ways, ways);
  });

  it('are as the schema says, or refused', async () => {
    await talk();
    const id = callNamed('a');
    const update = (equipment: object): Promise<unknown> =>
      alice.session.call('callUpdate', { id, equipment: equipment as Equipment });
    await update({ ...EQUIPMENT, live: 'x'.repeat(100), recording: true });
    await eventually('the label', () => bob.calls.at(-1)?.participants[0]?.live?.length === 100);
    for (const wrong of [
      { ...EQUIPMENT, live: 'x'.repeat(101) },
      { ...EQUIPMENT, recording: false },
      { ...EQUIPMENT, more: 1 },
      {},
    ])
      await assert.rejects(update(wrong), { code: 'BAD_MESSAGE' });
    await assert.rejects(start(carol, bob, 'A'.repeat(1), { id: 'X' as never }), {
      code: 'BAD_MESSAGE',
    });
  });

  it('count as somebody being at work', async () => {
    await world.close();
    const intervals = new HeldIntervals();
    try {
      await world.open({ clock, timeout: 60 });
      const [busy, idle] = [await back(alice), await back(bob)];
      const idly = async (): Promise<void> => {
        clock.shift += 14_000;
        for (const peer of [busy, idle]) await peer.session.call('ping', {});
        intervals.pass(600);
        for (const peer of [busy, idle]) await peer.session.call('ping', {});
      };
      await start(busy, { id: 'lobby' as RoomId }, 'a');
      for (let i = 0; i < 5; i++) await idly();
      assert.deepEqual(idle.heard, [{ reason: 'timeout' }]);
      assert.deepEqual(await callsOf(busy), ['active']);
    } finally {
      intervals.restore();
    }
  });

  it('are told to a slow device as they are last', async () => {
    let drain: () => void = () => undefined;
    const told: unknown[] = [];
    const channel = {
      queued: 0,
      drained: () => new Promise<void>((resolve) => (drain = resolve)),
    };
    const exchange = {
      channel,
      notify: (name: string, { state }: { state: string }) => told.push(`${name} ${state}`),
    };
    const { account, id: device } = alice.member;
    const listeners = new Listeners();
    const listener = {
      ...{ exchange, device, isBehind: false },
      ...{ later: new Map<string, boolean>(), callsLater: new Map<string, () => void>() },
    };
    listeners.add(account, listener as never);
    const view = (state: CallView['state'], id = 'a'): CallView => ({
      ...{ id: callNamed(id), state, participants: [] },
    });
    const room: RoomCallView = {
      ...{ id: callNamed('r'), room: 'lobby' as RoomId, state: 'active', users: [] },
    };
    listeners.tellCall(device, view('ringing'));
    channel.queued = 1 << 20;
    listeners.tellCall(device, view('active'));
    listeners.tellRoomCall(device, room);
    listeners.tellCall(device, view('ringing', 'b'));
    listeners.tellCall(device, view('ended'));
    assert.deepEqual(told, ['call ringing']);
    channel.queued = 0;
    drain();
    await new Promise((resolve) => setImmediate(resolve));
    const later = ['roomCall active', 'call ringing', 'call ended'];
    assert.deepEqual(told.splice(0), ['call ringing', ...later]);
    listeners.tellCall(device, view('active'));
    assert.deepEqual(told.splice(0), ['call active']);
    listeners.tellCall('f'.repeat(64) as PublicKey, view('active'));
    // Whoever is gone is told nothing more.
    channel.queued = 1 << 20;
    listeners.tellCall(device, view('ended'));
    listeners.remove(account, listener as never);
    drain();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(told, []);
  });
});
