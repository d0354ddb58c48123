import assert from 'node:assert/strict';
import { encodeEntry } from '../../../lib/crdt/entry.ts';
import { codeOf } from '../../../lib/errors.ts';
import { PROTOCOL_VERSION } from '../../../lib/node/wire.ts';
import { eventually } from '../../support/channels.ts';
import { ShiftedClock, World, type Peer } from '../../support/roles.ts';

describe('sessions', () => {
  let world: World;
  let clock: ShiftedClock;

  beforeEach(async () => {
    clock = new ShiftedClock();
    world = await World.start({ clock, timeout: 60 });
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  const presence = (peer: Peer): string[] =>
    peer.heard.flatMap((notice) => {
      const { user, online } = notice as { user?: string; online?: boolean };
      return user === undefined ? [] : [`${user} ${online === true ? 'came' : 'left'}`];
    });
  /** The same device comes again over another connection. */
  const again = async ({ member }: Peer): Promise<Peer> => {
    const peer = await world.peer(member.name, member);
    await peer.session.call('login', {});
    return peer;
  };
  const pings = (...peers: Peer[]): Promise<unknown> =>
    Promise.all(peers.map(({ session }) => session.call('ping', {})));

  describe('begin with a hello', () => {
    it('that tells who is who', async () => {
      const alice = await world.member('alice');
      const hello = { version: PROTOCOL_VERSION };
      const { account } = alice.member;
      const { time, ...reply } = await alice.session.call('hello', hello);
      // The clock of the server, by which codes and bans end.
      assert.ok(Math.abs(time - Date.now()) < 60_000);
      assert.deepEqual(reply, {
        version: PROTOCOL_VERSION,
        name: 'acme',
        term: 1,
        inviteOnly: false,
        revoked: false,
        account: { id: account, name: 'alice', passwordVersion: 0 },
      });
      const stranger = await world.peer();
      assert.equal((await stranger.session.call('hello', hello)).account, null);
    });

    it('in a version that both speak', async () => {
      const peer = await world.peer();
      for (const version of [0, 2, 99])
        await assert.rejects(peer.session.call('hello', { version }), { code: 'VERSION' });
    });
  });

  it('serve those who are logged in', async () => {
    const stranger = await world.peer();
    const { session } = stranger;
    for (const call of [
      () => session.call('whoelse', {}),
      () => session.call('whoelsesince', { seconds: 1 }),
      () => session.call('broadcast', { text: 'x', time: 1 }),
      () => session.call('online', {}),
    ])
      await assert.rejects(call(), { code: 'NOT_LOGGED_IN' });
    await session.call('ping', {});
    await session.call('logout', {});
    await assert.rejects(stranger.open(), { code: 'NOT_LOGGED_IN' });
  });

  it('tell others who comes and who leaves', async () => {
    const alice = await world.member('alice');
    const bob = await world.member('bob');
    await eventually('bob is seen', () => presence(alice).length === 1);
    await bob.session.call('logout', {});
    await eventually('bob is missed', () => presence(alice).length === 2);
    await bob.session.call('login', {});
    await bob.leave();
    await eventually('bob is gone', () => presence(alice).length === 4);
    assert.deepEqual(presence(alice), ['bob came', 'bob left', 'bob came', 'bob left']);
    assert.deepEqual(world.server.online(), ['alice']);
  });

  it('list others, but not those who have blocked the one who asks', async () => {
    const [alice, bob, carol] = [
      await world.member('alice'),
      await world.member('bob'),
      await world.member('Carol'),
    ] as const;
    await bob.open();
    assert.deepEqual(await bob.block(alice), ['sealed']);
    const users = async (peer: Peer): Promise<string[]> =>
      (await peer.session.call('whoelse', {})).users;
    assert.deepEqual(await users(alice), ['Carol']);
    assert.deepEqual(await users(bob), ['Carol', 'alice']);
    // Blocked, one is told nothing either.
    alice.heard.length = carol.heard.length = 0;
    await bob.session.call('logout', {});
    await eventually('carol knows', () => presence(carol).length === 1);
    assert.deepEqual(presence(alice), []);
    const since = await alice.session.call('whoelsesince', { seconds: 60 });
    assert.deepEqual(since.users, ['Carol', 'bob']);
    assert.deepEqual((await carol.session.call('whoelsesince', { seconds: 0 })).users, ['alice']);
  });

  describe('of one device', () => {
    it('replace one another, unnoticed by others', async () => {
      const alice = await world.member('alice');
      const bob = await world.member('bob');
      await bob.open();
      await eventually('bob is seen', () => presence(alice).length === 1);
      const second = await again(bob);
      await second.open();
      await eventually('the first is cut off', () => bob.session.ended);
      assert.deepEqual(await second.say('still here'), ['sealed']);
      // Nor does the late end of the first connection touch the second.
      await bob.leave();
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.deepEqual(await second.say('and still'), ['sealed']);
      assert.deepEqual(presence(alice), ['bob came']);
      assert.deepEqual(world.server.online().sort(), ['alice', 'bob']);
      await eventually('pushes reach the second', () => second.batches.length === 2);
    });

    it('replace one that nobody knows to be dead', async () => {
      const bob = await world.member('bob');
      world.network.cut(bob.transport.address);
      const second = await again(bob);
      assert.deepEqual((await second.session.call('online', {})).devices, [bob.member.id]);
      await second.leave();
      await eventually('bob has left', () => world.server.online().length === 0);
    });

    it('are several people only by several devices', async () => {
      const alice = await world.member('alice');
      const bob = await world.member('bob');
      await eventually('bob is seen', () => presence(alice).length === 1);
      for (let i = 0; i < 5; i++) await bob.session.call('login', {});
      await bob.session.call('logout', {});
      await eventually('bob is missed', () => presence(alice).length === 2);
      await bob.session.call('logout', {});
      await bob.leave();
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(presence(alice), ['bob came', 'bob left']);
    });
  });

  it('of an account are begun at a bounded rate, since everybody is told', async () => {
    const alice = await world.member('alice');
    const toggle = async (): Promise<void> => {
      await alice.session.call('logout', {});
      await alice.session.call('login', {});
    };
    for (let n = 0; n < 30; n++) await toggle();
    await assert.rejects(toggle(), { code: 'RATE_LIMITED' });
    clock.shift += 1_000;
    await toggle();
  });

  describe('end', () => {
    it('when nothing is heard of a device any more', async () => {
      const alice = await world.member('alice');
      const bob = await world.member('bob');
      await eventually('bob is seen', () => presence(alice).length === 1);
      clock.shift += 14_000;
      await pings(alice);
      clock.shift += 2_000;
      await eventually('bob is missed', () => presence(alice).includes('bob left'));
      await eventually('bob is cut off', () => bob.session.ended);
      assert.equal(alice.session.ended, false);
    });

    it('when a person does nothing for too long, whatever their program does', async () => {
      const alice = await world.member('alice');
      const bob = await world.member('bob');
      await alice.open();
      await bob.open();
      for (let second = 0; second < 55; second += 5) {
        clock.shift += 5_000;
        await pings(alice, bob);
      }
      alice.session.notify('active', {});
      clock.shift += 6_000;
      await pings(alice, bob);
      await eventually('bob is logged out', () => bob.heard.length > 0);
      assert.deepEqual(bob.heard.at(-1), { reason: 'timeout' });
      await eventually('alice knows', () => presence(alice).includes('bob left'));
      assert.deepEqual((await alice.session.call('whoelse', {})).users, []);
      await assert.rejects(bob.session.call('whoelse', {}), { code: 'NOT_LOGGED_IN' });
      // Nothing can be said either, over the connection that is still there.
      assert.deepEqual(await bob.say('x').catch((error: unknown) => [codeOf(error)]), [
        'NOT_LOGGED_IN',
      ]);
      await bob.session.call('login', {});
    });

    it('not while a person speaks or asks', async () => {
      const alice = await world.member('alice');
      const bob = await world.member('bob');
      await alice.open();
      for (let round = 0; round < 4; round++) {
        clock.shift += 14_000;
        await pings(alice, bob);
        clock.shift += 14_000;
        await pings(alice, bob);
        assert.deepEqual(await alice.say(`${round}`), ['sealed']);
        await bob.session.call('whoelse', {});
      }
      await new Promise((resolve) => setTimeout(resolve, 600));
      assert.deepEqual(world.server.online().sort(), ['alice', 'bob']);
    });

    it('for strangers who stay and do not log in, whatever they say', async () => {
      const stranger = await world.peer();
      for (let second = 0; second < 308; second += 11) {
        assert.equal(stranger.session.ended, false);
        clock.shift += 11_000;
        stranger.session.notify('active', {});
        await pings(stranger).catch(() => undefined);
      }
      await eventually('the stranger is sent away', () => stranger.session.ended);
    });

    it('and do not begin once the connection has ended', async () => {
      const alice = await world.member('alice');
      const bob = await world.peer('bob');
      const { store } = world;
      const write = store.write.bind(store);
      let isWriting = false;
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      store.write = async (...args) => {
        isWriting = true;
        await gate;
        return write(...args);
      };
      const entry = encodeEntry(bob.member.signup());
      bob.session.call('signup', { entry, record: null }).catch(() => undefined);
      await eventually('it is being sealed', () => isWriting);
      const before = world.transport.connections.size;
      await bob.leave();
      await eventually('bob is gone', () => world.transport.connections.size === before - 1);
      release();
      const exists = async () => (await alice.session.call('lookup', { name: 'bob' })).exists;
      while (!(await exists()));
      assert.deepEqual(await alice.session.call('whoelse', {}), { users: [] });
      assert.deepEqual(presence(alice), []);
    });

    it('at once for a device that is revoked', async () => {
      const alice = await world.member('alice');
      const bob = await world.member('bob');
      const tablet = await world.join('carol', 'secret');
      const phone = await world.client();
      await phone.client.connect();
      await phone.client.loginPassword('carol', 'secret');
      const { home } = tablet;
      const { body } = home.revocation(phone.home.replica.device);
      const entry = await home.conversations.act('space', 'revoke', body);
      assert.equal(await home.outbox.answer(entry.id), 'held');
      await eventually('it is told', () => phone.told.includes('logout revoked'));
      assert.deepEqual(world.server.online().sort(), ['alice', 'bob', 'carol']);
      assert.ok(!presence(alice).includes('carol left'), 'her other device is still there');
      await phone.client.connect();
      await assert.rejects(phone.client.loginDevice(), { code: 'REVOKED' });
      const stranger = await world.peer('x', bob.member);
      assert.equal((await stranger.session.call('hello', { version: 1 })).revoked, false);
    });
  });

  describe('carry a word to all', () => {
    it('who are online and have not blocked the one who speaks', async () => {
      const [alice, bob, carol, dave] = [
        await world.member('alice'),
        await world.member('bob'),
        await world.member('carol'),
        await world.member('dave'),
      ] as const;
      await bob.open();
      await bob.block(alice);
      await dave.session.call('logout', {});
      for (const peer of [bob, carol, dave]) peer.heard.length = 0;
      const { reached, missed } = await alice.session.call('broadcast', { text: 'hear', time: 7 });
      assert.deepEqual([reached, missed], [['carol'], ['bob']]);
      await eventually('carol hears', () => carol.heard.length === 1);
      assert.deepEqual(carol.heard, [{ from: 'alice', text: 'hear', time: 7 }]);
      assert.deepEqual(
        [bob.heard, dave.heard, alice.heard.filter((n) => 'text' in (n as object))],
        [[], [], []],
      );
      // It is not kept for those who come later.
      await dave.session.call('login', {});
      const heads = await dave.open();
      assert.equal(heads.get('room/lobby'), undefined);
    });

    it('at a bounded rate for each account', async () => {
      const [alice, bob] = [await world.member('alice'), await world.member('bob')];
      const broadcast = (peer: Peer) =>
        peer.session.call('broadcast', { text: 'hear', time: 1 }).then(({ reached }) => reached);
      for (let n = 0; n < 10; n++) assert.deepEqual(await broadcast(alice), ['bob']);
      await assert.rejects(broadcast(alice), { code: 'RATE_LIMITED' });
      assert.deepEqual(await broadcast(bob), ['alice']);
      clock.shift += 500;
      assert.deepEqual(await broadcast(alice), ['bob']);
    });

    it('pass by those who do not read, who stay all the same', async () => {
      const bob = await world.member('bob');
      const speakers: Peer[] = [];
      for (let n = 0; n < 8; n++) speakers.push(await world.member(`speaker${n}`));
      await eventually('all are seen', () => presence(bob).length === 8);
      const [carol] = speakers as [Peer];
      world.network.cut(bob.transport.address);
      const text = 'x'.repeat(16_000);
      const reached: boolean[] = [];
      for (const { session } of speakers)
        for (let n = 0; n < 10; n++) {
          const answer = await session.call('broadcast', { text, time: 1 });
          reached.push(answer.reached.includes('bob'));
          assert.equal(answer.missed.includes('bob'), !reached.at(-1));
        }
      assert.ok(reached[0]);
      assert.equal(reached.at(-1), false);
      // Who comes and who goes meanwhile is told at the end, and once.
      for (let n = 0; n < 20; n++) {
        await carol.session.call('logout', {});
        await carol.session.call('login', {});
      }
      await carol.session.call('logout', {});
      world.network.restore(bob.transport.address);
      await eventually('bob is told', () => presence(bob).length > 8);
      await pings(bob);
      assert.deepEqual(presence(bob).slice(8), ['speaker0 left']);
      const heard = bob.heard.filter((notice) => 'text' in (notice as object));
      assert.equal(heard.length, reached.filter(Boolean).length);
    });

    it('of a bounded length', async () => {
      const alice = await world.member('alice');
      const call = alice.session.call('broadcast', { text: 'x'.repeat(20_000), time: 1 });
      await assert.rejects(call, { code: 'BAD_MESSAGE' });
      const { reached, missed } = await alice.session.call('broadcast', { text: 'x', time: 1 });
      assert.deepEqual([reached, missed], [[], []]);
    });
  });
});
