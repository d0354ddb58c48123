import assert from 'node:assert/strict';
import { Keyring } from '../../../lib/crdt/keyring.ts';
import { sealTo, type RoomId } from '../../../lib/crdt/keys.ts';
import { accountOf } from '../../../lib/crdt/records.ts';
import { callers, TIMES } from '../../support/call-world.ts';
import { eventually } from '../../support/channels.ts';
import type { Peer, World } from '../../support/roles.ts';
import { madeBy, roomEntry } from '../../support/rooms.ts';
import { worldStage } from '../../support/world-stage.ts';

describe('calls of rooms and the log', function () {
  this.timeout(60_000);
  const stage = worldStage({ calls: TIMES });
  const {
    sealed,
    befriend,
    start,
    leave,
    hears,
    callsOf,
    marks,
    marked,
    open,
    closed,
    conference,
    meet,
    twoDevices,
  } = callers(stage);
  let world: World;
  let alice: Peer;
  let bob: Peer;
  let carol: Peer;

  beforeEach(async () => {
    ({ world } = stage);
    [alice, bob, carol] = await world.members('alice', 'bob', 'carol');
  });

  describe('of rooms', () => {
    it('are for those who are in them', async () => {
      const [den, club] = [await open(alice, 'den', bob), await closed(alice, 'club', bob)];
      for (const room of [den, club])
        await assert.rejects(start(carol, room, 'a'), { code: 'NOT_MEMBER' });
      await assert.rejects(start(carol, { id: 'e'.repeat(32) as RoomId }, 'a'), {
        code: 'NO_SUCH_ROOM',
      });
      await sealed(alice, 'space', 'updateroom', { room: den.id, media: 'text' });
      await assert.rejects(start(alice, den, 'a'), { code: 'NOT_SUPPORTED', message: /text only/ });
      await sealed(alice, 'space', 'ban', { account: bob.member.account, room: club.id, until: 0 });
      await assert.rejects(start(bob, club, 'a'), { code: 'BANNED' });
      await start(carol, { id: 'lobby' as RoomId }, 'a');
    });

    it('are told to the others, and leave a line of those who were there', async () => {
      const den = await open(alice, 'den', bob);
      await meet(den, alice);
      await eventually('bob knows', () => bob.roomCalls.length === 1);
      assert.deepEqual(await callsOf(bob), [`#${den.id} active [alice]`]);
      assert.deepEqual(await callsOf(carol), []);
      // Who comes in later is told as well.
      await sealed(carol, 'space', 'join', { room: den.id });
      await eventually('carol knows', () => carol.roomCalls.length > 0);
      await meet(den, bob, carol);
      for (const one of [alice, carol, bob]) await leave(one, 'a');
      const [mark] = await marked(den.stream);
      assert.deepEqual([mark?.outcome, mark?.caller, mark?.people], ['ended', undefined, 3]);
      await eventually('the end', () => carol.roomCalls.at(-1)?.state === 'ended');
    });

    it('leave their line in the clear where all else is sealed', async () => {
      const club = await closed(alice, 'club', bob);
      await meet(club, alice, bob);
      await leave(alice, 'a');
      await leave(bob, 'a');
      assert.equal((await marked(club.stream))[0]?.people, 2);
    });

    it('put out those who are no longer in them', async () => {
      await world.server.crown('alice');
      const den = await open(alice, 'den', bob, carol);
      const club = await closed(alice, 'club', bob, carol);
      const { account } = bob.member;
      const room = den.id;
      const ways: Record<string, () => Promise<void>> = {
        leave: () => sealed(bob, 'space', 'leave', { room }),
        expel: () => sealed(alice, 'space', 'expel', { room, account }),
        ban: () => sealed(alice, 'space', 'ban', { room, account, until: 0 }),
      };
      for (const [kind, out] of Object.entries(ways)) {
        await meet(den, carol, bob);
        await out();
        await hears(bob, 'ended: put out');
        await leave(carol, 'a');
        if (kind !== 'ban') await sealed(bob, 'space', 'join', { room });
      }
      await meet(club, carol, bob);
      await sealed(alice, club.stream, 'members', { add: [], remove: [account] });
      await hears(bob, 'ended: put out');
      await sealed(carol, club.stream, 'leave', {});
      await hears(carol, 'ended: put out');
      assert.deepEqual(await callsOf(alice), []);
      assert.equal((await marked(den.stream, 3)).length, 3);
    });

    it('end with the room, and leave nothing', async () => {
      const den = await open(alice, 'den', bob);
      const made = roomEntry(alice.member, 'inner', { parent: den.id });
      assert.deepEqual(await alice.submit(made), ['sealed']);
      const within = madeBy(made);
      await sealed(bob, 'space', 'join', { room: within.id });
      await meet(within, alice, bob);
      await sealed(alice, 'space', 'removeroom', { room: den.id });
      await hears(alice, 'ended: put out');
      await hears(bob, 'ended: put out');
      assert.deepEqual(await marks(within.stream), []);
      assert.deepEqual(await callsOf(alice), []);
    });

    it('end for those for whom nothing is to be heard there any more', async () => {
      const den = await open(alice, 'den', bob);
      await meet(den, alice, bob);
      await sealed(alice, 'space', 'updateroom', { room: den.id, media: 'text' });
      await hears(alice, 'ended: put out');
      await hears(bob, 'ended: put out');
      assert.equal((await marked(den.stream))[0]?.people, 2);
    });

    it('put out those whose account or device is no more', async () => {
      await world.server.crown('alice');
      const den = await open(alice, 'den', bob, carol);
      await meet(den, alice, bob, carol);
      await sealed(alice, 'space', 'removeuser', { account: bob.member.account, vengeance: true });
      await hears(bob, 'ended: put out');
      await sealed(alice, 'space', 'ban', { account: carol.member.account, until: 0 });
      await hears(carol, 'ended: put out');
      assert.equal((await alice.session.call('calls', {})).calls[0]?.participants.length, 1);
    });

    it('put out a device that its account has shut out, also one that is away', async () => {
      const [dora, phone] = await twoDevices();
      const lobby = { id: 'lobby' as RoomId };
      await start(phone, lobby, 'a');
      await start(alice, lobby, 'a');
      await phone.leave();
      await eventually('away', () => alice.calls.at(-1)?.participants[0]?.away === true);
      const { member } = dora;
      const fresh = Keyring.create(2, world.random.bytes);
      const password = accountOf((await world.log.open('space')).state, member.account)?.password;
      assert.ok(password != null);
      await sealed(dora, 'space', 'revoke', {
        ...member.revocation(phone.member.id, [member], fresh),
        password: sealTo(password, fresh.secret, world.random.bytes),
      });
      await eventually('out', () => alice.calls.at(-1)?.participants.length === 1);
    });
  });

  describe('of conferences', () => {
    it('are for those who are in them, as long as they are', async () => {
      await befriend(alice, bob);
      const tea = await conference(alice, 'tea');
      await assert.rejects(start(bob, tea, 'a'), { code: 'NOT_PARTICIPANT' });
      // Of what is out of one's sight nothing is told.
      await assert.rejects(start(carol, tea, 'a'), { code: 'NO_SUCH_ROOM' });
      const join = { target: { id: tea.id }, secondDevice: false };
      await bob.session.call('conferenceJoin', join);
      await meet(tea, alice, bob);
      await bob.session.call('conferenceLeave', {});
      await hears(bob, 'ended: put out');
      await bob.session.call('conferenceJoin', join);
      await meet(tea, bob);
      await alice.session.call('conferenceLeave', {});
      await hears(alice, 'ended: put out');
      await hears(bob, 'ended: put out');
    });
  });
});
