import assert from 'node:assert/strict';
import { roomEventOf } from '../../lib/app/room-views.ts';
import { LOBBY, roomStream } from '../../lib/crdt/stream.ts';
import { eventually } from '../support/channels.ts';
import { Answers, RoomStage } from '../support/room-stage.ts';
import type { TestClient } from '../support/roles.ts';

describe('rooms, as people go about in them', function () {
  this.timeout(20_000);
  let stage: RoomStage;
  let alice: TestClient;
  let bob: TestClient;
  beforeEach(async () => {
    stage = await RoomStage.open();
    ({ alice, bob } = stage);
  });
  afterEach(() => stage.close());

  it('are made, or joined where they are', async () => {
    assert.deepEqual(await stage.run(alice, 'room', { room: '#garden' }), {
      room: 'garden',
      created: true,
      encrypted: false,
      temporary: false,
    });
    await stage.knows(bob, 'garden');
    const joined = await stage.run(bob, 'room', { room: 'Garden' });
    assert.deepEqual(
      [joined['room'], joined['created'], joined['joined']],
      ['garden', false, true],
    );
    const again = await stage.run(bob, 'room', { room: 'garden', password: 'x' });
    assert.deepEqual([again['joined'], again['passwordless']], [false, true]);
  });

  it('are joined where somebody else was faster', async () => {
    const [one, other] = await Promise.all([
      stage.run(alice, 'room', { room: 'garden' }),
      stage.run(bob, 'room', { room: 'garden' }),
    ]);
    assert.deepEqual([one['created'], other['created']].sort(), [false, true]);
    for (const who of [alice, bob]) await stage.sees(who, 'garden', 'alice', 'bob');
  });

  it('that are temporary are made so, and only where there is none', async () => {
    const made = await stage.run(alice, 'group', { room: 'lunch', password: 'open sesame' });
    assert.deepEqual([made['temporary'], made['encrypted']], [true, true]);
    await stage.knows(bob, 'lunch');
    await stage.refused(bob, 'group', { room: 'lunch' }, 'NAME_TAKEN', /"lunch"/);
    await stage.refused(bob, 'group', { room: 'lobby' }, 'NAME_TAKEN');
  });

  it('are entered and left, and say where one is then', async () => {
    await stage.run(alice, 'room', { room: 'a' });
    await stage.run(alice, 'room', { room: 'b' });
    await stage.refused(alice, 'leave', {}, 'NOT_IN_ROOM');
    await stage.refused(alice, 'exit', {}, 'NOT_IN_ROOM');
    await stage.refused(alice, 'enter', { room: 'c' }, 'NO_SUCH_ROOM', /"c"/);
    await stage.run(alice, 'enter', { room: 'a' });
    await stage.run(alice, 'enter', { room: 'b' });
    assert.equal(stage.situation(alice).conversation, roomStream(stage.at('b')));
    assert.deepEqual(await stage.run(alice, 'leave'), { room: 'b', now: 'a' });
    assert.deepEqual(await stage.run(alice, 'leave'), { room: 'a' });
    assert.deepEqual(await stage.members(alice, 'b'), ['alice']);
  });

  it('are given up by "exit", the lobby only left', async () => {
    await stage.run(alice, 'room', { room: 'a' });
    await stage.run(alice, 'enter', { room: 'lobby' });
    await stage.run(alice, 'enter', { room: 'a' });
    assert.deepEqual(await stage.run(alice, 'exit'), { room: 'a', given: true, now: 'lobby' });
    assert.deepEqual(await stage.members(alice, 'a'), []);
    assert.deepEqual(await stage.run(alice, 'exit'), { room: 'lobby', given: false });
    assert.ok(await alice.client.rooms.isMember(LOBBY));
  });

  it('that are closed are given up with those within', async () => {
    await stage.run(alice, 'room', { room: 'a', password: 'one' });
    for (const path of ['a/b', 'a/b/c']) await stage.run(alice, 'room', { room: path });
    await stage.run(alice, 'enter', { room: 'a/b' });
    await stage.run(alice, 'enter', { room: 'a' });
    await stage.run(alice, 'exit');
    assert.equal(stage.situation(alice).room, undefined);
    assert.deepEqual(await alice.client.rooms.joined(), []);
  });

  it('let one talk elsewhere meanwhile', async () => {
    await stage.run(alice, 'room', { room: 'a' });
    await stage.run(alice, 'enter', { room: 'a' });
    assert.deepEqual(await stage.run(alice, 'talk', { conversation: '@bob' }), { to: 'bob' });
    assert.deepEqual(await stage.run(alice, 'talk', { conversation: '#lobby' }), { room: 'lobby' });
    assert.deepEqual(await stage.run(alice, 'talk'), { room: 'a' });
    await stage.knows(bob, 'a');
    await stage.refused(bob, 'talk', { conversation: '#a' }, 'NOT_MEMBER');
    await stage.refused(bob, 'talk', { conversation: '#b' }, 'NO_SUCH_ROOM');
    await stage.refused(bob, 'talk', { conversation: '@bob' }, 'SELF');
  });

  it('need the server to be come into', async () => {
    await stage.run(alice, 'room', { room: 'a' });
    await stage.knows(bob, 'a');
    stage.world.transport.crash();
    await eventually('the loss', () => !bob.client.connected);
    await stage.refused(bob, 'enter', { room: 'a' }, 'NETWORK', /away/);
    await stage.refused(bob, 'room', { room: 'b', password: 'x' }, 'NETWORK');
    await stage.world.crash();
    await stage.world.open();
    // What was lost was not ours to lose.
    for (const one of [stage.root, alice, bob, stage.carol]) one.faults.length = 0;
    stage.world.faults.length = 0;
  });

  it('are told of by their paths and by the names of people', async () => {
    await stage.run(alice, 'room', { room: 'a' });
    await stage.knows(bob, 'a');
    await stage.run(bob, 'enter', { room: 'a' });
    await eventually('bob', () => alice.rooms.length === 1);
    await stage.run(alice, 'enter', { room: 'a' });
    await stage.run(alice, 'kick', { user: 'bob' });
    await eventually('being out', () => bob.rooms.length === 2);
    await stage.run(alice, 'removeroom', { room: 'a' }, new Answers());
    await eventually('the end', () => bob.rooms.length === 3);
    assert.deepEqual(
      bob.rooms.map((news) => roomEventOf(bob.home, news)),
      [
        { event: 'room', room: 'a', state: 'created', by: 'alice' },
        { event: 'member', room: 'a', user: 'bob', state: 'removed' },
        { event: 'room', room: 'a', state: 'removed', by: 'alice' },
      ],
    );
    const code = { room: stage.at('lobby'), path: 'den', kind: 'code' } as const;
    const issued = { ...code, state: 'issued', by: alice.home.account } as const;
    const redeemed = { ...code, state: 'redeemed', by: bob.home.account } as const;
    assert.deepEqual(
      [issued, redeemed].map((news) => roomEventOf(alice.home, news)),
      [
        { event: 'code', purpose: 'join', state: 'issued', room: 'den' },
        { event: 'code', purpose: 'join', state: 'redeemed', room: 'den', user: 'bob' },
      ],
    );
    const byServer = { room: code.room, path: 'a', kind: 'room', state: 'removed' } as const;
    assert.deepEqual(roomEventOf(bob.home, { ...byServer, by: undefined }), {
      event: 'room',
      room: 'a',
      state: 'removed',
    });
  });
});
