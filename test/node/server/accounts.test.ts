import assert from 'node:assert/strict';
import { encodeEntry, type Entry } from '../../../lib/crdt/entry.ts';
import { Keyring, passwordKey, wrapForPassword } from '../../../lib/crdt/keyring.ts';
import { sealTo } from '../../../lib/crdt/keys.ts';
import { codeVerifier } from '../../../lib/crdt/space.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { Opaque, type OpaqueClient } from '../../../lib/node/opaque.ts';
import { toHex } from '../../../lib/crdt/bytes.ts';
import { Member } from '../../support/community.ts';
import { fakeOpaqueClient, fakeOpaqueServer } from '../../support/fake-opaque.ts';
import { ShiftedClock, World, type Peer } from '../../support/roles.ts';

/** Registers an account with a password. */
async function register(
  peer: Peer,
  password: string,
  opaque: OpaqueClient = fakeOpaqueClient,
): Promise<Uint8Array> {
  const { member, session } = peer;
  const { request, state } = await opaque.registerStart({ password });
  const { response } = await session.call('registerStart', { name: member.name, request });
  const { server } = member;
  const { record, exportKey } = await opaque.registerFinish({ password, state, response, server });
  await session.call('signup', { entry: encodeEntry(member.signup(exportKey)), record });
  return exportKey;
}

/** Proves a password. @returns undefined where the answer shows that it is wrong */
async function prove(
  { session, member }: Peer,
  name: string,
  password: string,
  opaque: OpaqueClient = fakeOpaqueClient,
) {
  const { request, state } = await opaque.loginStart({ password });
  const { response, account } = await session.call('loginStart', { name, request });
  const { server } = member;
  const finished = await opaque.loginFinish({ password, state, response, server });
  if (finished === undefined) return undefined;
  const proof = await session.call('loginFinish', { finish: finished.finish });
  assert.equal(proof.account, account);
  return { ...proof, exportKey: finished.exportKey };
}

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
      await assert.rejects(signup(exportKey, record), { code: 'OUT_OF_ORDER' });
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

  describe('change their password', () => {
    const change = async (peer: Peer, password: string): Promise<Uint8Array> => {
      const { member, session } = peer;
      const { server } = member;
      const { request, state } = await fakeOpaqueClient.registerStart({ password });
      const { response } = await session.call('passwordStart', { request });
      const done = await fakeOpaqueClient.registerFinish({ password, state, response, server });
      const body = {
        password: wrapForPassword(member.keyring, done.exportKey, world.random.bytes),
      };
      const entry = encodeEntry(member.write('space', 'password', body));
      await session.call('password', { entry, record: done.record });
      return done.exportKey;
    };

    it('once they have proved the old one', async () => {
      const alice = await world.peer('alice');
      await register(alice, 'old');
      await assert.rejects(change(alice, 'new'), { code: 'BAD_PASSWORD' });
      assert.equal(await prove(alice, 'alice', 'wrong'), undefined);
      await assert.rejects(change(alice, 'new'), { code: 'BAD_PASSWORD' });
      assert.ok(await prove(alice, 'alice', 'old'));
      await change(alice, 'new');
      const peer = await world.peer();
      assert.equal(await prove(peer, 'alice', 'old'), undefined);
      const proof = await prove(peer, 'alice', 'new');
      assert.equal(proof?.passwordVersion, 2);
      const keyring = passwordKey(proof.exportKey).open(proof.wrap!);
      assert.equal(toHex(keyring!), toHex(alice.member.keyring.secret));
      // One proof is good for one change.
      await assert.rejects(change(alice, 'newer'), { code: 'BAD_PASSWORD' });
    });

    it('having had none before', async () => {
      const alice = await world.member('alice');
      await change(alice, 'first');
      assert.ok(await prove(await world.peer(), 'alice', 'first'));
      await assert.rejects(change(alice, 'second'), { code: 'BAD_PASSWORD' });
    });

    it('when logged in', async () => {
      const peer = await world.peer();
      const request = new Uint8Array(32);
      await assert.rejects(peer.session.call('passwordStart', { request }), {
        code: 'NOT_LOGGED_IN',
      });
      const entry = new Uint8Array(10);
      await assert.rejects(peer.session.call('password', { entry, record: request }), {
        code: 'NOT_LOGGED_IN',
      });
    });
  });

  describe('are recovered', () => {
    const CODE = 'a-one-time-code';
    let admin: Peer;
    let bob: Peer;
    beforeEach(async () => {
      admin = await world.member('admin');
      assert.equal(await world.server.crown('admin'), true);
      bob = await world.peer('bob');
      await register(bob, 'forgotten');
      await admin.open();
    });
    const reset = async (): Promise<void> => {
      const body = { account: bob.member.account, verifier: codeVerifier(CODE) };
      const time = clock.now();
      const entry = admin.member.write('space', 'reset', body, { time });
      assert.deepEqual(await admin.submit(entry), ['sealed']);
    };
    const recover = async (peer: Peer, password: string, code = CODE): Promise<void> => {
      const { member, session } = peer;
      const { server } = member;
      const { request, state } = await fakeOpaqueClient.registerStart({ password });
      const start = await session.call('recoverStart', { name: 'bob', code, request });
      const { response } = start;
      const done = await fakeOpaqueClient.registerFinish({ password, state, response, server });
      const fresh = Keyring.create(start.generation + 1, world.random.bytes);
      const devices = [...start.devices, [member.id, member.sealing.public] as const];
      const entry = member.write('space', 'recover', {
        account: start.account,
        code,
        device: member.deviceKeys,
        keyring: fresh.public,
        wraps: devices.map(([key, to]) => [key, sealTo(to, fresh.secret, world.random.bytes)]),
        password: wrapForPassword(fresh, done.exportKey, world.random.bytes),
      });
      await session.call('recover', { entry: encodeEntry(entry), record: done.record });
    };

    it('with the code of a reset, once', async () => {
      await reset();
      const lost = await world.peer('bob');
      await assert.rejects(recover(lost, 'new', 'a-wrong-code'), { code: 'BAD_CODE' });
      await recover(lost, 'new');
      assert.equal((await lost.session.call('login', {})).name, 'bob');
      assert.ok(await prove(await world.peer(), 'bob', 'new'));
      assert.equal(await prove(await world.peer(), 'bob', 'forgotten'), undefined);
      await assert.rejects(recover(await world.peer('bob'), 'newer'), { code: 'BAD_CODE' });
    });

    it('not without a reset, nor for another account, nor after its time', async () => {
      const lost = await world.peer('bob');
      await assert.rejects(recover(lost, 'new'), { code: 'BAD_CODE' });
      await reset();
      const request = new Uint8Array(32);
      await assert.rejects(
        lost.session.call('recoverStart', { name: 'admin', code: CODE, request }),
        { code: 'BAD_CODE' },
      );
      clock.shift += 25 * 3_600_000;
      await assert.rejects(recover(await world.peer('bob'), 'new'), { code: 'BAD_CODE' });
    });

    it('though they are locked', async () => {
      const thief = await world.peer();
      for (let i = 0; i < 3; i++) assert.equal(await prove(thief, 'bob', 'wrong'), undefined);
      await reset();
      await recover(await world.peer('bob'), 'new');
      assert.ok(await prove(thief, 'bob', 'new'));
    });
  });

  it('keep their secrets out of the log, and unreadable in the store', async () => {
    const alice = await world.peer('alice');
    await register(alice, 'secret');
    const { server } = alice.member;
    const { request, state } = await fakeOpaqueClient.registerStart({ password: 'secret' });
    const response = await fakeOpaqueServer().registerResponse({ user: 'alice', request });
    const call = { password: 'secret', state, response, server };
    const { record } = await fakeOpaqueClient.registerFinish(call);
    for await (const [key, value] of world.store.entries({ from: '!', until: '\u007f' })) {
      assert.ok(!Buffer.from(value).includes(Buffer.from(record)), key);
      assert.ok(!key.includes('password'), key);
      if (key.startsWith('vault!')) assert.ok(!Buffer.from(value).includes('alice'), key);
    }
  });

  it('take no part in the replicated space by way of the sync protocol', async () => {
    const alice = await world.member('alice');
    await alice.open();
    const { member } = alice;
    for (const kind of ['account', 'device', 'recover', 'password', 'server'])
      assert.deepEqual(await alice.submit(member.forge('space', kind, {})), ['DENIED']);
    assert.deepEqual(await alice.submit(member.forge(LOBBY_STREAM, 'password', {})), ['BAD_ENTRY']);
  });

  it('are served by the real OPAQUE', async function () {
    this.timeout(30_000);
    const opaque = new Opaque();
    try {
      const setup = await opaque.createSetup();
      await world.stop();
      world = new World();
      await world.open({ clock, opaque: opaque.server({ setup, key: world.key.public }) });
      const alice = await world.peer('alice');
      const exportKey = await register(alice, 'correct horse', opaque);
      const peer = await world.peer();
      assert.equal(await prove(peer, 'alice', 'wrong horse', opaque), undefined);
      assert.deepEqual(await peer.session.call('loginFailed', {}), {
        failures: 1,
        lockedSeconds: 0,
      });
      const proof = await prove(peer, 'alice', 'correct horse', opaque);
      assert.equal(toHex(proof!.exportKey), toHex(exportKey));
      // A server without the setup of this one cannot make use of its records.
      const name = 'alice';
      const { request } = await opaque.loginStart({ password: 'x' });
      await assert.rejects(
        peer.session.call('loginStart', { name, request: request.subarray(1) }),
        { code: 'BAD_MESSAGE' },
      );
    } finally {
      opaque.close();
    }
  });
});
