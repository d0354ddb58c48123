import assert from 'node:assert/strict';
import { encodeEntry } from '../../../lib/crdt/entry.ts';
import { Keyring, passwordKey, wrapForPassword } from '../../../lib/crdt/keyring.ts';
import { sealTo } from '../../../lib/crdt/keys.ts';
import { codeVerifier } from '../../../lib/crdt/space.ts';
import { MemoryDisk } from '../../../lib/crdt/store-memory.ts';
import type { Store, StoreOperation } from '../../../lib/crdt/store.ts';
import { Opaque } from '../../../lib/node/opaque.ts';
import { Lockout } from '../../../lib/node/lockout.ts';
import {
  Passwords,
  type Guarded,
  type PasswordRecord,
  type Prover,
} from '../../../lib/node/server/passwords.ts';
import { Vault } from '../../../lib/node/vault.ts';
import { isName } from '../../../lib/text.ts';
import { toHex } from '../../../lib/crdt/bytes.ts';
import { Random } from '../../simulation/random.ts';
import { anyKey } from '../../support/channels.ts';
import { fakeOpaqueClient, fakeOpaqueServer } from '../../support/fake-opaque.ts';
import { ShiftedClock, World, type Peer } from '../../support/roles.ts';
import { prove, register } from './passwords.ts';

describe('passwords of accounts', () => {
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

  describe('are bound to an identifier of their own', () => {
    const guess = new Uint8Array(32).fill(5);
    const users = (): string[] =>
      world.opaqueCalls
        .filter((call) => call.startsWith('register '))
        .map((call) => call.slice('register '.length));

    it('so that no guess can be tried before the account is there', async () => {
      const stranger = await world.peer('alice');
      const begin = () => stranger.session.call('registerStart', { name: 'alice', request: guess });
      const before = [(await begin()).response, (await begin()).response];
      await register(await world.peer('alice'), 'secret');
      const { response } = await stranger.session.call('loginStart', {
        name: 'alice',
        request: guess,
      });
      const counted = toHex(response.subarray(0, 32));
      assert.ok(before.every((early) => toHex(early) !== counted));
      assert.notEqual(toHex(before[0]!), toHex(before[1]!));
    });

    it('that is another one with each password', async () => {
      const alice = await world.peer('alice');
      await register(alice, 'secret');
      assert.ok(await prove(alice, 'alice', 'secret'));
      await alice.session.call('passwordStart', { request: guess });
      await alice.session.call('passwordStart', { request: guess });
      assert.equal(new Set(users()).size, 3);
      assert.ok(users().every((user) => !isName(user)));
    });

    it('and is, in records of before, the name', async () => {
      const alice = await world.member('Alice');
      const opaque = fakeOpaqueServer();
      const { request, state } = await fakeOpaqueClient.registerStart({ password: 'old' });
      const response = await opaque.registerResponse({ user: 'alice', request });
      const { server, account } = alice.member;
      const call = { password: 'old', state, response, server };
      const { record } = await fakeOpaqueClient.registerFinish(call);
      const vault = new Vault(world.store, new Uint8Array(32).fill(9), world.random.bytes);
      const lock = { failures: 0, lockedUntil: 0, run: 0 };
      const kept = vault.put(`password ${account}`, { user: 'alice', record, lock });
      await world.store.write([kept], { sync: true });
      assert.ok(await prove(await world.peer(), 'alice', 'old'));
      assert.equal(await prove(await world.peer(), 'alice', 'wrong'), undefined);
    });

    it('made for a device at a bounded rate', async () => {
      let peer = await world.peer('alice');
      const begin = () => peer.session.call('registerStart', { name: 'alice', request: guess });
      for (let attempt = 0; attempt < 10; attempt++) await begin();
      await assert.rejects(begin(), { code: 'RATE_LIMITED' });
      // Nor over another connection.
      const { member } = peer;
      await peer.leave();
      peer = await world.peer('alice', member);
      await assert.rejects(begin(), { code: 'RATE_LIMITED' });
      await register(await world.peer('bob'), 'secret');
      clock.shift += 5_100;
      await begin();
    });
  });

  describe('are changed', () => {
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

  describe('are set anew', () => {
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
    const reset = async (time = clock.now()): Promise<void> => {
      const body = { account: bob.member.account, verifier: codeVerifier(CODE) };
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

    it("in time by the clock of the server, whatever the administrator's says", async () => {
      await reset(0);
      await recover(await world.peer('bob'), 'new');
      await reset(clock.now() + 365 * 24 * 3_600_000);
      clock.shift += 25 * 3_600_000;
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

  it('keep their records out of the log, and unreadable in the store', async () => {
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

describe('the record of a password', () => {
  const password: Guarded = 'room r';
  let store: Store;
  let passwords: Passwords;
  const prover = (): Prover => ({
    device: anyKey().public,
    attempt: undefined,
    registering: undefined,
  });
  const recordOf = (user: string): PasswordRecord => ({
    user,
    record: new Uint8Array(64),
    lock: { failures: 0, lockedUntil: 0, run: 0 },
  });
  const write = (operations: readonly StoreOperation[]): Promise<void> =>
    store.write(operations, { sync: true });
  const change = (): Promise<void> =>
    passwords.change(password, () => write([passwords.keep(password, recordOf('fresh'))]));
  const request = new Uint8Array(32);

  beforeEach(async () => {
    store = new MemoryDisk().open();
    const random = new Random(3).bytes;
    passwords = new Passwords({
      vault: new Vault(store, new Uint8Array(32), random),
      opaque: fakeOpaqueServer(),
      lockout: new Lockout({ clock: new ShiftedClock(), blockDuration: 60 }),
      random,
      write,
    });
    await write([passwords.keep(password, recordOf('old'))]);
  });
  afterEach(() => store.close());

  it('stays the new one, whoever tries the old one while it is being stored', async () => {
    const changing = change();
    const one = prover();
    await passwords.start(one, password, request);
    await changing;
    assert.equal(passwords.get(password)?.user, 'fresh');
    assert.equal(one.attempt?.user, 'fresh');
    passwords.release(one);
  });

  it('proves nothing any more once there is another', async () => {
    const one = prover();
    await passwords.start(one, password, request);
    const finish = one.attempt!.state;
    await change();
    await assert.rejects(passwords.finish(one, finish), { code: 'BAD_PASSWORD' });
    assert.equal(passwords.get(password)?.lock.failures, 0);
    await passwords.start(one, password, request);
    assert.equal(await passwords.finish(one, one.attempt!.state), password);
  });

  it('is free for others, however often one begins at once', async () => {
    const one = prover();
    await write([passwords.keep('room s', recordOf('other'))]);
    await Promise.all([
      passwords.start(one, password, request),
      passwords.start(one, 'room s', request),
    ]);
    passwords.release(one);
    const other = prover();
    await passwords.start(other, password, request);
    passwords.release(other);
    await passwords.start(other, 'room s', request);
    passwords.release(other);
  });
});
