import assert from 'node:assert/strict';
import { encodeEntry, type Entry } from '../../../lib/crdt/entry.ts';
import { passwordKey } from '../../../lib/crdt/keyring.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { toHex } from '../../../lib/crdt/bytes.ts';
import { Member } from '../../support/community.ts';
import { fakeOpaqueClient } from '../../support/fake-opaque.ts';
import { ShiftedClock, World, type Peer } from '../../support/roles.ts';
import { prove, register } from './passwords.ts';

describe('accounts', () => {
  let world: World;
  let clock: ShiftedClock;

  beforeEach(async () => {
    clock = new ShiftedClock();
    world = await World.start({ clock, blockDuration: 60 });
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  describe('come to be', () => {
    it('without a password', async () => {
      const alice = await world.member('alice');
      assert.deepEqual(await alice.session.call('lookup', { name: 'ALICE' }), {
        exists: true,
        password: false,
      });
      assert.deepEqual(await alice.session.call('lookup', { name: 'bob' }), {
        exists: false,
        password: false,
      });
      const { account, name } = await alice.session.call('login', {});
      assert.deepEqual([account, name], [alice.member.account, 'alice']);
      const bob = await world.peer('bob');
      await assert.rejects(prove(bob, 'alice', 'x'), { code: 'DENIED' });
    });

    it('with a password, which opens the keyring', async () => {
      const alice = await world.peer('alice');
      const exportKey = await register(alice, 'secret');
      assert.equal((await alice.session.call('lookup', { name: 'alice' })).password, true);
      const proof = await prove(await world.peer(), 'alice', 'secret');
      assert.deepEqual([proof?.name, proof?.generation, proof?.passwordVersion], ['alice', 1, 1]);
      assert.equal(toHex(proof!.exportKey), toHex(exportKey));
      const keyring = passwordKey(exportKey).open(proof!.wrap!);
      assert.equal(toHex(keyring!), toHex(alice.member.keyring.secret));
    });

    it('under a free name only', async () => {
      await world.member('alice');
      const other = await world.peer('Alice');
      const entry = encodeEntry(other.member.signup());
      await assert.rejects(other.session.call('signup', { entry, record: null }), {
        code: 'NAME_TAKEN',
      });
      const request = new Uint8Array(32);
      await assert.rejects(other.session.call('registerStart', { name: 'ALICE', request }), {
        code: 'NAME_TAKEN',
      });
    });

    it('under no name that would be taken for something else', async () => {
      for (const name of ['You', 'everyone', '-x', 'a"q']) {
        const peer = await world.peer(name);
        const entry = encodeEntry(peer.member.signup());
        await assert.rejects(peer.session.call('signup', { entry, record: null }), {
          code: 'BAD_NAME',
        });
      }
    });

    it('by an entry of their own device, and no other', async () => {
      const peer = await world.peer('alice');
      const other = new Member(world.key.public, world.random.bytes, 'alice');
      const { member } = peer;
      const elsewhere = member.forge('room/lobby', 'account', {});
      const kind = member.forge('space', 'password', {
        password: { key: new Uint8Array(32), wrap: new Uint8Array(80) },
      });
      const foreign = member.forge('space', 'account', {}, { server: other.id });
      const forged: Entry = { ...member.signup(), signature: new Uint8Array(64) };
      member.rewind('space', undefined);
      for (const entry of [other.signup(), elsewhere, kind, foreign, forged])
        await assert.rejects(
          peer.session.call('signup', { entry: encodeEntry(entry), record: null }),
          { code: 'BAD_ENTRY' },
        );
      const bytes = new Uint8Array(50);
      await assert.rejects(peer.session.call('signup', { entry: bytes, record: null }), {
        code: 'BAD_ENTRY',
      });
      assert.equal((await peer.session.call('lookup', { name: 'alice' })).exists, false);
    });

    it('with a record if and only if the entry says so, for the name that was begun', async () => {
      const peer = await world.peer('alice');
      const { member, session } = peer;
      const record = new Uint8Array(64);
      const signup = (exportKey: Uint8Array | undefined, kept: Uint8Array | null) => {
        member.rewind('space', undefined);
        return session.call('signup', {
          entry: encodeEntry(member.signup(exportKey)),
          record: kept,
        });
      };
      const exportKey = new Uint8Array(64);
      await assert.rejects(signup(undefined, record), { code: 'BAD_ENTRY' });
      await assert.rejects(signup(exportKey, null), { code: 'BAD_ENTRY' });
      await assert.rejects(signup(exportKey, record), { code: 'BAD_ENTRY' });
      const request = new Uint8Array(32);
      await session.call('registerStart', { name: 'bob', request });
      await assert.rejects(signup(exportKey, record), { code: 'BAD_ENTRY' });
      await session.call('registerStart', { name: 'alice', request });
      await signup(exportKey, record);
      // And not a second time.
      await assert.rejects(signup(exportKey, record), { code: 'BAD_ENTRY' });
    });

    it('by invitation only where the server is so, but for its first', async () => {
      await world.stop();
      world = await World.start({ inviteOnly: true });
      await world.member('admin');
      const peer = await world.peer('alice');
      const entry = encodeEntry(peer.member.signup());
      await assert.rejects(peer.session.call('signup', { entry, record: null }), {
        code: 'CODE_REQUIRED',
      });
      assert.equal((await peer.session.call('lookup', { name: 'alice' })).exists, false);
    });
  });

  describe('are known by their devices', () => {
    it('after a restart of the server too', async () => {
      const alice = await world.member('alice');
      await world.close();
      await world.open({ clock });
      const again = await world.peer('alice', alice.member);
      assert.equal((await again.session.call('login', {})).name, 'alice');
    });

    it('and by no device that is unknown', async () => {
      const stranger = await world.peer();
      await assert.rejects(stranger.session.call('login', {}), { code: 'NOT_LOGGED_IN' });
    });

    it('to which a password adds others', async () => {
      const alice = await world.peer('alice');
      await register(alice, 'secret');
      const phone = await world.peer('alice', alice.member.device());
      const entry = encodeEntry(phone.member.enrolment());
      await assert.rejects(phone.session.call('enrol', { entry }), { code: 'DENIED' });
      assert.equal(await prove(phone, 'alice', 'wrong'), undefined);
      await assert.rejects(phone.session.call('enrol', { entry }), { code: 'DENIED' });
      assert.ok(await prove(phone, 'alice', 'secret'));
      await phone.session.call('enrol', { entry });
      assert.deepEqual(
        (await phone.session.call('online', {})).devices.sort(),
        [alice.member.id, phone.member.id].sort(),
      );
    });

    it('to which the password of another account adds none', async () => {
      const alice = await world.peer('alice');
      await register(alice, 'secret');
      const mallory = await world.peer('mallory');
      await register(mallory, 'hers');
      const device = alice.member.device();
      const peer = await world.peer('x', device);
      assert.ok(await prove(peer, 'mallory', 'hers'));
      const entry = encodeEntry(device.enrolment());
      await assert.rejects(peer.session.call('enrol', { entry }), { code: 'DENIED' });
    });
  });

  describe('are locked', () => {
    let alice: Peer;
    beforeEach(async () => {
      alice = await world.peer('alice');
      await register(alice, 'secret');
    });
    const fails = async (peer: Peer): Promise<{ failures: number; lockedSeconds: number }> => {
      assert.equal(await prove(peer, 'alice', 'wrong'), undefined);
      return peer.session.call('loginFailed', {});
    };

    it('after three wrong passwords in a row, for a while', async () => {
      const thief = await world.peer();
      assert.deepEqual(await fails(thief), { failures: 1, lockedSeconds: 0 });
      assert.deepEqual(await fails(await world.peer()), { failures: 2, lockedSeconds: 0 });
      assert.deepEqual(await fails(thief), { failures: 3, lockedSeconds: 60 });
      await assert.rejects(prove(thief, 'alice', 'secret'), { code: 'LOCKED' });
      await assert.rejects(prove(await world.peer(), 'ALICE', 'secret'), { code: 'LOCKED' });
      clock.shift += 59_000;
      await assert.rejects(prove(thief, 'alice', 'secret'), { code: 'LOCKED' });
      clock.shift += 1_100;
      assert.ok(await prove(thief, 'alice', 'secret'));
    });

    it('not for their devices, nor for what is logged in', async () => {
      const thief = await world.peer();
      for (let i = 0; i < 3; i++) await fails(thief);
      assert.deepEqual(await alice.session.call('whoelse', {}), { users: [] });
      const again = await world.peer('alice', alice.member);
      await again.session.call('login', {});
    });

    it('by starts that are never finished as well', async () => {
      const { request } = await fakeOpaqueClient.loginStart({ password: 'a guess' });
      for (let i = 0; i < 3; i++) {
        const peer = await world.peer();
        await peer.session.call('loginStart', { name: 'alice', request });
        await peer.leave();
      }
      await assert.rejects(prove(await world.peer(), 'alice', 'secret'), { code: 'LOCKED' });
    });

    it('by wrong proofs as well, and what was begun is then over', async () => {
      const peer = await world.peer();
      const { request } = await fakeOpaqueClient.loginStart({ password: 'secret' });
      await peer.session.call('loginStart', { name: 'alice', request });
      const finish = new Uint8Array(64);
      await assert.rejects(peer.session.call('loginFinish', { finish }), { code: 'BAD_PASSWORD' });
      await assert.rejects(peer.session.call('loginFinish', { finish }), { code: 'BAD_PASSWORD' });
      assert.equal((await fails(peer)).failures, 2);
    });

    it('no more once the right password came', async () => {
      const peer = await world.peer();
      await fails(peer);
      await fails(peer);
      assert.ok(await prove(peer, 'alice', 'secret'));
      assert.deepEqual(await fails(peer), { failures: 1, lockedSeconds: 0 });
    });

    it('over a restart of the server', async () => {
      const peer = await world.peer();
      await fails(peer);
      await fails(peer);
      await fails(peer);
      await world.crash();
      await world.open({ clock });
      await assert.rejects(prove(await world.peer(), 'alice', 'secret'), { code: 'LOCKED' });
    });

    it('before the third answer is given, whoever asks at once', async () => {
      const peers = await Promise.all(Array.from({ length: 6 }, () => world.peer()));
      const results = await Promise.allSettled(
        peers.map(async (peer) => {
          assert.equal(await prove(peer, 'alice', 'wrong'), undefined);
          await peer.session.call('loginFailed', {});
        }),
      );
      const refused = results.filter(({ status }) => status === 'rejected');
      assert.equal(refused.length, 3, JSON.stringify(results));
      assert.equal(world.opaqueCalls.filter((call) => call.startsWith('login')).length, 3);
    });

    it('and tell nobody who has begun nothing', async () => {
      const peer = await world.peer();
      assert.deepEqual(await peer.session.call('loginFailed', {}), {
        failures: 0,
        lockedSeconds: 0,
      });
      const finish = new Uint8Array(64);
      await assert.rejects(peer.session.call('loginFinish', { finish }), { code: 'BAD_PASSWORD' });
      await assert.rejects(prove(peer, 'nobody', 'x'), { code: 'NO_SUCH_USER' });
    });
  });

  it('take no part in the replicated space by way of the sync protocol', async () => {
    const alice = await world.member('alice');
    await alice.open();
    const { member } = alice;
    for (const kind of ['account', 'device', 'recover', 'password', 'server'])
      assert.deepEqual(await alice.submit(member.forge('space', kind, {})), ['DENIED']);
    assert.deepEqual(await alice.submit(member.forge(LOBBY_STREAM, 'password', {})), ['BAD_ENTRY']);
  });
});
