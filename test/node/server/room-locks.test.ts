import assert from 'node:assert/strict';
import { encodeEntry, type Entry } from '../../../lib/crdt/entry.ts';
import { Keyring, passwordKey } from '../../../lib/crdt/keyring.ts';
import type { RoomId } from '../../../lib/crdt/keys.ts';
import { lockKeyOf, lockOf } from '../../../lib/crdt/rooms.ts';
import { LogStore } from '../../../lib/crdt/log-store.ts';
import type { Reader } from '../../../lib/crdt/state.ts';
import { toHex } from '../../../lib/crdt/bytes.ts';
import { fakeOpaqueClient } from '../../support/fake-opaque.ts';
import { madeBy, newLock, roomEntry, type MadeLock } from '../../support/rooms.ts';
import { ShiftedClock, World, type Peer } from '../../support/roles.ts';

describe('passwords of rooms', () => {
  let world: World;
  let clock: ShiftedClock;
  let alice: Peer;
  let bob: Peer;

  beforeEach(async () => {
    clock = new ShiftedClock();
    world = await World.start({ clock, blockDuration: 60 });
    alice = await world.member('alice');
    bob = await world.member('bob');
    for (const peer of [alice, bob]) await peer.open();
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  /** A lock whose password is registered, and what the server is to keep of it. */
  async function locked(
    by: Peer,
    password: string,
    generation = 1,
  ): Promise<{ lock: MadeLock; record: Uint8Array }> {
    const { request, state } = await fakeOpaqueClient.registerStart({ password });
    const { response } = await by.session.call('lockStart', { request });
    const { server } = by.member;
    const call = { password, state, response, server };
    const { record, exportKey } = await fakeOpaqueClient.registerFinish(call);
    return { lock: newLock(world.random.bytes, generation, exportKey), record };
  }

  async function make(by: Peer, name: string, password: string): Promise<RoomId> {
    const { lock, record } = await locked(by, password);
    const entry = roomEntry(by.member, name, { private: true, lock: lock.keys });
    await by.session.call('lock', { entry: encodeEntry(entry), record });
    return madeBy(entry).id;
  }

  /** @returns what the password yields; undefined where the answer shows that it is wrong */
  async function open(by: Peer, room: RoomId, password: string): Promise<Uint8Array | undefined> {
    const { request, state } = await fakeOpaqueClient.loginStart({ password });
    const { response } = await by.session.call('roomStart', { room, request });
    const { server } = by.member;
    const finished = await fakeOpaqueClient.loginFinish({ password, state, response, server });
    if (finished === undefined) return undefined;
    await by.session.call('roomFinish', { finish: finished.finish });
    return finished.exportKey;
  }

  const space = async (): Promise<Reader> => (await new LogStore(world.store).open('space')).state;

  it('open the lock of the room, and of those that lie in it', async () => {
    const room = await make(alice, 'vault', 'sesame');
    const inner = roomEntry(alice.member, 'inner', { parent: room });
    // Where only members may be, one has to be in to make a room.
    assert.deepEqual(await alice.submit(inner), ['NOT_MEMBER']);
    const exportKey = await open(bob, room, 'sesame');
    assert.ok(exportKey !== undefined);
    const { generation } = lockOf(await space(), room) ?? assert.fail('no lock');
    const kept = lockKeyOf(await space(), room, generation);
    const secret = passwordKey(exportKey).open(kept?.password?.wrap ?? new Uint8Array());
    assert.ok(secret !== undefined);
    assert.equal(
      toHex(new Keyring(generation, secret).public.box),
      toHex(kept?.keyring.box ?? new Uint8Array()),
    );
  });

  it('lock after three wrong ones, for everybody, whatever is done with the answer', async () => {
    const room = await make(alice, 'vault', 'sesame');
    assert.equal(await open(bob, room, 'guess'), undefined);
    assert.deepEqual(await bob.session.call('loginFailed', {}), { failures: 1, lockedSeconds: 0 });
    assert.ok(await open(bob, room, 'sesame'));
    for (let guess = 1; guess <= 3; guess++) {
      assert.equal(await open(bob, room, `guess ${guess}`), undefined);
      const { lockedSeconds } = await bob.session.call('loginFailed', {});
      assert.equal(lockedSeconds, guess < 3 ? 0 : 60);
    }
    for (const peer of [alice, bob])
      await assert.rejects(open(peer, room, 'sesame'), { code: 'LOCKED' });
    // Its own lock, not that of the account.
    const other = await make(alice, 'other', 'sesame');
    assert.ok(await open(bob, other, 'sesame'));
    // Until the time is over: long enough for connections to be given up, too.
    clock.shift += 61_000;
    const again = await world.peer('bob', bob.member);
    await again.session.call('login', {});
    assert.ok(await open(again, room, 'sesame'));
  });

  it('are kept for a room that comes with one, and with nothing else', async () => {
    const { lock, record } = await locked(alice, 'sesame');
    const refused = async (entry: Entry, kept: Uint8Array | null, code: string): Promise<void> => {
      const asked = { entry: encodeEntry(entry), record: kept };
      await assert.rejects(alice.session.call('lock', asked), { code });
      alice.member.undo(entry);
    };
    const room = (change: object): Entry => roomEntry(alice.member, 'vault', change);
    const bare = newLock(world.random.bytes);
    await refused(room({ private: true, lock: lock.keys }), null, 'BAD_ENTRY');
    await refused(room({ private: true, lock: bare.keys }), record, 'BAD_ENTRY');
    await refused(room({ private: false }), record, 'BAD_ENTRY');
    await refused(alice.member.write('space', 'motd', { text: 'x' }), record, 'BAD_ENTRY');
    // A password has to have been registered on this connection.
    const sesame = room({ private: true, lock: lock.keys });
    await assert.rejects(bob.session.call('lock', { entry: encodeEntry(sesame), record }), {
      code: 'BAD_ENTRY',
    });
    // Nor does it come in past the session.
    assert.deepEqual(await alice.submit(sesame), ['DENIED']);
  });

  it('are changed and taken away by the owner', async () => {
    const room = await make(alice, 'vault', 'old');
    const { lock, record } = await locked(bob, 'stolen', 2);
    const theft = bob.member.write('space', 'lock', { room, lock: lock.keys });
    await assert.rejects(bob.session.call('lock', { entry: encodeEntry(theft), record }), {
      code: 'DENIED',
    });
    assert.ok(await open(bob, room, 'old'));
    const fresh = await locked(alice, 'new', 2);
    const change = alice.member.write('space', 'lock', { room, lock: fresh.lock.keys });
    await alice.session.call('lock', { entry: encodeEntry(change), record: fresh.record });
    assert.equal(await open(bob, room, 'old'), undefined);
    assert.ok(await open(bob, room, 'new'));
    const none = alice.member.write('space', 'lock', { room, lock: null });
    await alice.session.call('lock', { entry: encodeEntry(none), record: null });
    await assert.rejects(open(bob, room, 'new'), { code: 'DENIED' });
  });

  it('open nothing where there is none, or none any more', async () => {
    const start = (by: Peer, room: RoomId): Promise<unknown> =>
      by.session.call('roomStart', { room, request: new Uint8Array(32) });
    await assert.rejects(start(bob, 'f'.repeat(32) as RoomId), { code: 'NO_SUCH_ROOM' });
    const open2 = roomEntry(alice.member, 'open');
    assert.deepEqual(await alice.submit(open2), ['sealed']);
    await assert.rejects(start(bob, madeBy(open2).id), { code: 'DENIED' });
    const invited = roomEntry(alice.member, 'invited', {
      private: true,
      lock: newLock(world.random.bytes).keys,
    });
    await alice.session.call('lock', { entry: encodeEntry(invited), record: null });
    await assert.rejects(start(bob, madeBy(invited).id), {
      code: 'DENIED',
      message: /by invitation only/,
    });
    const room = await make(alice, 'vault', 'sesame');
    const retire = alice.member.write('space', 'retire', { room });
    assert.deepEqual(await alice.submit(retire), ['sealed']);
    await assert.rejects(start(bob, room), { code: 'DENIED', message: /given up/ });
  });

  it('are for those who are logged in', async () => {
    const stranger = await world.peer();
    const room = await make(alice, 'vault', 'sesame');
    const request = new Uint8Array(32);
    const entry = encodeEntry(roomEntry(stranger.member, 'x'));
    const asked: (() => Promise<unknown>)[] = [
      () => stranger.session.call('lockStart', { request }),
      () => stranger.session.call('lock', { entry, record: null }),
      () => stranger.session.call('roomStart', { room, request }),
      () => stranger.session.call('roomFinish', { finish: request }),
    ];
    for (const ask of asked) await assert.rejects(ask(), { code: 'NOT_LOGGED_IN' });
    // What was not begun cannot be finished.
    await assert.rejects(bob.session.call('roomFinish', { finish: request }), {
      code: 'BAD_PASSWORD',
    });
  });
});
