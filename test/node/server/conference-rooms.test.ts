import assert from 'node:assert/strict';
import { encodeEntry, type Entry } from '../../../lib/crdt/entry.ts';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import type { RoomRecord } from '../../../lib/crdt/records.ts';
import { pairStream, roomStream } from '../../../lib/crdt/stream.ts';
import type { ConferenceListing } from '../../../lib/node/client/conferences.ts';
import { Listeners, type Listener } from '../../../lib/node/server/listeners.ts';
import { MAX_CONFERENCES } from '../../../lib/node/wire.ts';
import { eventually } from '../../support/channels.ts';
import type { Peer, ShiftedClock, World } from '../../support/roles.ts';
import { madeBy, roomEntry } from '../../support/rooms.ts';
import { HeldIntervals } from '../../support/time.ts';
import { worldStage } from '../../support/world-stage.ts';

/** How long a lost device keeps its place here, in milliseconds. */
const GRACE_MS = 300;

describe('conferences and the log', function () {
  this.timeout(20_000);
  const stage = worldStage({ conferenceGraceMs: GRACE_MS });
  let world: World;
  let clock: ShiftedClock;
  let alice: Peer;
  let bob: Peer;
  let carol: Peer;

  beforeEach(async () => {
    ({ world, clock } = stage);
    [alice, bob, carol] = await world.members('alice', 'bob', 'carol');
  });

  const conferenceEntry = (by: Peer, name: string): Entry =>
    roomEntry(by.member, name, { private: true, lifetime: 'conference' });

  /** Has somebody begin a conference, and come into its room. */
  const begin = async (by: Peer, name: string): Promise<RoomId> => {
    const entry = conferenceEntry(by, name);
    assert.deepEqual(await by.submit(entry), ['sealed']);
    const { id, stream } = madeBy(entry);
    const body = { by: { type: 'owner' } };
    assert.deepEqual(await by.submit(by.member.write(stream, 'join', body)), ['sealed']);
    return id;
  };

  const befriend = async (one: Peer, other: Peer): Promise<void> => {
    const pair = pairStream(one.member.account, other.member.account);
    assert.deepEqual(await one.submit(one.member.write(pair, 'request', {})), ['sealed']);
    assert.deepEqual(await other.submit(other.member.write(pair, 'accept', {})), ['sealed']);
  };

  const list = async (by: Peer): Promise<ConferenceListing[]> =>
    (await by.session.call('conferences', {})).conferences;

  const participants = async (by: Peer, id: RoomId): Promise<string[] | undefined> =>
    (await list(by)).find((one) => one.id === id)?.participants;

  /** Takes a place in a conference, and in its room. */
  const join = async (by: Peer, id: RoomId): Promise<void> => {
    await by.session.call('conferenceJoin', { target: { id }, secondDevice: false });
    assert.deepEqual(await comeIn(by, id), ['sealed']);
  };

  const comeIn = (by: Peer, id: RoomId, type = 'word'): Promise<string[]> =>
    by.submit(by.member.write(roomStream(id), 'join', { by: { type } }));

  const record = async (id: RoomId): Promise<RoomRecord | undefined> =>
    (await world.log.open('space')).state.get<RoomRecord>('room', id);

  const isMember = (who: Peer, id: RoomId): boolean =>
    world.log.record(roomStream(id), 'member', who.member.account) === true;

  describe('begin with their room', () => {
    it('which makes whoever made it the owner, in it on that device', async () => {
      await befriend(alice, bob);
      const id = await begin(alice, 'tea');
      const view = { id, name: 'tea', owner: 'alice', state: 'active', participants: ['alice'] };
      assert.deepEqual(await list(alice), [{ ...view, away: [], here: true }]);
      assert.deepEqual(await list(bob), [{ ...view, here: false }]);
      assert.deepEqual(await list(carol), []);
      assert.ok(isMember(alice, id));
    });

    it('and not under a name that its owner is in already, nor twice at once', async () => {
      await begin(alice, 'tea');
      assert.deepEqual(await alice.submit(conferenceEntry(alice, 'TEA')), ['NAME_CLASH']);
      const two = [conferenceEntry(alice, 'cake'), conferenceEntry(alice, 'Cake')];
      assert.deepEqual(await alice.submit(...two), ['sealed', 'NAME_CLASH']);
      assert.deepEqual((await list(alice)).map(({ name }) => name).sort(), ['cake', 'tea']);
    });

    it('of whoever has gone meanwhile, as for one who has lost the connection', async () => {
      await befriend(alice, bob);
      const entry = conferenceEntry(alice, 'tea');
      alice.sync.call('submit', { entries: [encodeEntry(entry)] }).catch(() => undefined);
      alice.session.abort(new Error('cut'));
      const { id } = madeBy(entry);
      await new Promise((resolve) => setTimeout(resolve, 2 * GRACE_MS + 1_000));
      assert.deepEqual(await list(bob), []);
      assert.equal(await record(id), undefined);
    });
  });

  describe('let into their rooms', () => {
    it('those who are in them, and take out those who have left', async () => {
      await befriend(alice, bob);
      const id = await begin(alice, 'tea');
      assert.deepEqual(await comeIn(bob, id), ['DENIED']);
      await join(bob, id);
      assert.ok(isMember(bob, id));
      await bob.session.call('conferenceLeave', {});
      await eventually('being out of the room', () => !isMember(bob, id));
      assert.deepEqual(await comeIn(bob, id), ['DENIED']);
    });

    it('nobody by what they claim to be', async () => {
      await befriend(alice, bob);
      const id = await begin(alice, 'tea');
      await join(bob, id);
      assert.deepEqual(await comeIn(carol, id, 'owner'), ['DENIED']);
      const stream = roomStream(id);
      const members = (add: Peer[], remove: Peer[]): object => ({
        add: add.map(({ member }) => member.account),
        remove: remove.map(({ member }) => member.account),
      });
      const change = (by: Peer, body: object): Promise<string[]> =>
        by.submit(by.member.write(stream, 'members', body));
      // Not even by the owner: those who may come are invited.
      assert.deepEqual(await change(alice, members([carol], [])), ['DENIED']);
      assert.deepEqual(await change(bob, members([], [alice])), ['NOT_OWNER']);
      assert.deepEqual(await change(alice, members([], [bob])), ['sealed']);
      assert.deepEqual(await participants(alice, id), ['alice']);
      assert.ok(!isMember(bob, id));
    });

    it('those who come back before they have been taken out, as if they had stayed', async () => {
      await befriend(alice, bob);
      const id = await begin(alice, 'tea');
      await join(bob, id);
      for (let i = 0; i < 10; i++) {
        const target = { id };
        await bob.session.call('conferenceLeave', {});
        await bob.session.call('conferenceJoin', { target, secondDevice: false });
        if (!isMember(bob, id)) assert.deepEqual(await comeIn(bob, id), ['sealed']);
      }
      await eventually('being in both', () => isMember(bob, id));
      assert.deepEqual(await participants(alice, id), ['alice', 'bob']);
    });

    it('those who give it up, no more on any device', async () => {
      await befriend(alice, bob);
      const id = await begin(alice, 'tea');
      await join(bob, id);
      assert.deepEqual(await bob.submit(bob.member.write(roomStream(id), 'leave', {})), ['sealed']);
      assert.deepEqual(await participants(alice, id), ['alice']);
    });
  });

  it('are named, given away and ended by what their owner writes alone', async () => {
    await befriend(alice, bob);
    const room = await begin(alice, 'tea');
    await join(bob, room);
    const write = (by: Peer, kind: string, body: object): Promise<string[]> =>
      by.submit(by.member.write('space', kind, { room, ...body }));
    assert.deepEqual(await write(bob, 'updateroom', { name: 'milk' }), ['NOT_OWNER']);
    assert.deepEqual(await write(bob, 'removeroom', {}), ['NOT_OWNER']);
    const { account } = bob.member;
    assert.deepEqual(await write(bob, 'owner', { account }), ['NOT_OWNER']);
    assert.deepEqual(await write(alice, 'updateroom', { name: 'milk' }), ['sealed']);
    assert.equal((await list(bob))[0]?.name, 'milk');
    const stranger = { account: carol.member.account };
    assert.deepEqual(await write(alice, 'owner', stranger), ['NOT_PARTICIPANT']);
    assert.deepEqual(await write(alice, 'owner', { account }), ['sealed']);
    assert.equal((await list(alice))[0]?.owner, 'bob');
    assert.deepEqual(await write(alice, 'removeroom', {}), ['NOT_OWNER']);
    assert.deepEqual(await write(bob, 'removeroom', {}), ['sealed']);
    assert.deepEqual(await list(alice), []);
    assert.equal(await record(room), undefined);
  });

  it('keep a name for what is being sealed from those who would be in two of it', async () => {
    await befriend(alice, bob);
    const room = await begin(alice, 'tea');
    await join(bob, room);
    const rename = alice.member.write('space', 'updateroom', { room, name: 'milk' });
    const outcomes = await Promise.all([
      alice.submit(rename),
      bob.submit(conferenceEntry(bob, 'milk')),
    ]);
    assert.deepEqual(outcomes.flat().sort(), ['NAME_CLASH', 'sealed']);
  });

  it('end when their owner is lost for too long, and their rooms with them', async () => {
    await befriend(alice, bob);
    const room = await begin(alice, 'tea');
    await join(bob, room);
    await alice.leave();
    await eventually('the end', async () => (await record(room)) === undefined);
    assert.deepEqual(await list(bob), []);
  });

  it('keep the place of a device that comes back in time, and not of one that says goodbye', async () => {
    await world.close();
    await world.open({ conferenceGraceMs: 10_000 });
    const back = async (peer: Peer): Promise<Peer> => {
      const again = await world.peer('again', peer.member);
      await again.session.call('login', {});
      await again.open();
      return again;
    };
    [alice, bob] = [await back(alice), await back(bob)];
    await befriend(alice, bob);
    const room = await begin(alice, 'tea');
    await join(bob, room);
    await alice.leave();
    const states = (): string[] =>
      bob.conferences.filter(({ id }) => id === room).map(({ state }) => state);
    await eventually('the wait', () => states().at(-1) === 'waiting');
    alice = await back(alice);
    await eventually('the return', () => states().at(-1) === 'active');
    assert.equal((await list(alice))[0]?.here, true);
    alice.session.notify('leaving', {});
    await eventually('the end', () => states().at(-1) === 'ended');
  });

  it('do not outlive the server that held them', async () => {
    const room = await begin(alice, 'tea');
    await world.crash();
    await world.open();
    assert.equal(await record(room), undefined);
  });

  it('do not come back with what clients hand back', async () => {
    const backup = await world.backup();
    const room = await begin(alice, 'tea');
    const { length } = world.log.headOf('space');
    const batches = await world.log.batches('space', 0, length, 1 << 20);
    await world.restore(backup, { recoverMs: 300 });
    const again = await world.peer('again', alice.member);
    await again.open().catch(() => undefined);
    await again.sync.call('handBack', { batches: batches.slice(-1) });
    assert.ok((await record(room)) !== undefined);
    await again.session.call('login', {});
    assert.deepEqual(await list(again), []);
    await eventually('the end of its room', async () => (await record(room)) === undefined);
  });

  it('are no more for those who are removed, shut out or banned', async () => {
    await world.server.crown('alice');
    await befriend(bob, carol);
    const room = await begin(bob, 'tea');
    const { member } = alice;
    const { account } = bob.member;
    assert.deepEqual(await alice.submit(member.write('space', 'ban', { account, until: 0 })), [
      'sealed',
    ]);
    await eventually('the end', async () => (await record(room)) === undefined);
    const other = await begin(carol, 'milk');
    const ban = { account: carol.member.account, room: other, until: 0 };
    assert.deepEqual(await alice.submit(member.write('space', 'ban', ban)), ['sealed']);
    await eventually('the end', async () => (await record(other)) === undefined);
    const last = await begin(carol, 'cake');
    const end = { account: carol.member.account, vengeance: false };
    assert.deepEqual(await alice.submit(member.write('space', 'removeuser', end)), ['sealed']);
    await eventually('the end', async () => (await record(last)) === undefined);
  });

  it('are listed by portions', async () => {
    const peers: Peer[] = [];
    for (let i = 0; i < 3; i++) {
      const peer = await world.member(`peer${i}`);
      await peer.open();
      await befriend(peer, alice);
      peers.push(peer);
    }
    const made: RoomId[] = [];
    for (const peer of peers) for (let i = 0; i < 12; i++) made.push(await begin(peer, `c${i}`));
    const first = await alice.session.call('conferences', {});
    assert.deepEqual([first.conferences.length, first.more], [MAX_CONFERENCES, true]);
    const after = first.conferences.at(-1)!.id;
    const second = await alice.session.call('conferences', { after });
    assert.deepEqual(
      [...first.conferences, ...second.conferences].map(({ id }) => id),
      made.sort(),
    );
    assert.equal(second.more, false);
  });

  it('are nobody’s business who is not logged in', async () => {
    const stranger = await world.peer();
    for (const call of [
      stranger.session.call('conferences', {}),
      stranger.session.call('conferenceJoin', {
        target: { name: 'lobby' },
        secondDevice: false,
      }),
      stranger.session.call('conferenceLeave', {}),
    ])
      await assert.rejects(call, { code: 'NOT_LOGGED_IN' });
    stranger.session.notify('leaving', {});
  });

  it('count as somebody being at work', async () => {
    await world.close();
    const intervals = new HeldIntervals();
    try {
      await world.open({ clock, timeout: 60 });
      const [busy, idle] = [await world.peer('a', alice.member), await world.peer('b', bob.member)];
      for (const peer of [busy, idle]) {
        await peer.session.call('login', {});
        await peer.open();
      }
      /** Some time goes by in which they say no more than that they are there. */
      const pass = async (): Promise<void> => {
        clock.shift += 14_000;
        for (const peer of [busy, idle]) await peer.session.call('ping', {});
        intervals.pass(600);
        // What they are told on it is here.
        for (const peer of [busy, idle]) await peer.session.call('ping', {});
      };
      await busy.session.call('conferenceJoin', { target: { name: 'lobby' }, secondDevice: false });
      for (let i = 0; i < 4; i++) await pass();
      assert.deepEqual(idle.heard, []);
      await pass();
      assert.deepEqual(idle.heard, [{ reason: 'timeout' }]);
      assert.deepEqual((await list(busy))[0]?.participants, ['alice']);
      // From the end of it on the time counts.
      await busy.session.call('conferenceLeave', {});
      await pass();
      assert.equal((await busy.session.call('whoelse', {})).users.length, 0);
    } finally {
      intervals.restore();
    }
  });

  it('are told to a slow device as something to be asked for', async () => {
    let drain: () => void = () => undefined;
    const told: string[] = [];
    const channel = {
      queued: 0,
      drained: () => new Promise<void>((resolve) => (drain = resolve)),
    };
    const exchange = { channel, notify: (name: string) => told.push(name) };
    const { account, id: device } = alice.member;
    const listeners = new Listeners();
    const listener = { exchange, device, later: new Map<string, boolean>(), isBehind: false };
    listeners.add(account, listener as unknown as Listener);
    const tell = (): void =>
      listeners.tellConference(account, {
        id: 'lobby' as RoomId,
        name: 'lobby',
        state: 'active',
        participants: ['bob'],
      });
    tell();
    channel.queued = 1 << 20;
    for (let i = 0; i < 3; i++) tell();
    assert.deepEqual(told, ['conference']);
    channel.queued = 0;
    drain();
    await eventually('being told', () => told.length === 2);
    tell();
    assert.deepEqual(told, ['conference', 'conferences', 'conference']);
  });
});
