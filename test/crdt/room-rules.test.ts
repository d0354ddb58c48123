import assert from 'node:assert/strict';
import { encode } from '../../lib/crdt/codec.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import type { AccountId, RoomId } from '../../lib/crdt/keys.ts';
import { changeOperations } from '../../lib/crdt/state-store.ts';
import { proveChange, proveLock } from '../../lib/crdt/membership.ts';
import {
  isBanned,
  isEncryptedRoom,
  isOpenMember,
  lockKeyOf,
  lockOf,
  pathOf,
  roomAt,
} from '../../lib/crdt/rooms.ts';
import { isKey } from '../../lib/crdt/store-keys.ts';
import { LOBBY } from '../../lib/crdt/stream.ts';
import { isName } from '../../lib/text.ts';
import { NOW, type Member } from '../support/community.ts';
import { roomLedger } from '../support/room-ledger.ts';
import { newLock, roomEntry, type MadeRoom } from '../support/rooms.ts';

const NOBODY = 'f'.repeat(32) as AccountId;
const NOWHERE = 'e'.repeat(32) as RoomId;
const EXPORT = new Uint8Array(64).fill(5);

describe('the rules of rooms', () => {
  let { ledger, root, alice, bob, make, update, about, record, put } = roomLedger();
  beforeEach(() => {
    ({ ledger, root, alice, bob, make, update, about, record, put } = roomLedger());
  });

  describe('are made', () => {
    it('by those who may, under names of their own', () => {
      const den = make(alice, 'Den', { private: true });
      assert.deepEqual(record(den), {
        name: 'Den',
        owner: alice.account,
        lifetime: 'permanent',
        private: true,
      });
      assert.equal(ledger.space.get('roomname', 'den'), den.id);
      for (const name of ['dEN', 'Lobby', 'd\u0435n', 'L\u043ebby'])
        ledger.refuse(roomEntry(bob, name), 'NAME_TAKEN');
      ledger.appoint(bob, 'mute', root);
      ledger.refuse(roomEntry(bob, 'attic'), 'DENIED');
    });

    it('each kind by a permission of its own', () => {
      const kinds = {
        createRoom: [{ private: true }, { private: false }],
        createGroup: [{ lifetime: 'temporary' }],
        createConference: [{ lifetime: 'conference', private: true }],
      };
      for (const permission of Object.keys(kinds)) {
        put(bob, 0, permission);
        for (const [other, bodies] of Object.entries(kinds))
          for (const body of bodies) {
            const entry = roomEntry(bob, `room${ledger.at('space').length}`, body);
            if (other === permission) ledger.accept(entry);
            else ledger.refuse(entry, 'DENIED');
          }
      }
    });

    it('for voice by those who may speak', () => {
      put(bob, 0, 'createRoom');
      ledger.refuse(roomEntry(bob, 'talk', { media: 'voice' }), 'DENIED');
      put(bob, 0, 'createRoom', 'joinVoiceRoom');
      ledger.accept(roomEntry(bob, 'talk', { media: 'voice' }));
    });

    it('with whoever makes an open one in it, and into no other anybody', () => {
      const open = make(alice, 'open');
      const closed = make(alice, 'closed', { private: true });
      const inner = make(alice, 'inner', { parent: closed.id });
      for (const room of [open, closed, inner])
        assert.equal(isOpenMember(ledger.space, room.id, alice.account), room === open);
      assert.ok(isOpenMember(ledger.space, LOBBY, bob.account));
    });

    it('where no name would not fit as a key of the store', () => {
      const name = 'ᾷ'.repeat(32);
      assert.ok(isName(name));
      ledger.refuse(roomEntry(alice, name), 'BAD_NAME');
      const den = make(alice, 'den');
      ledger.refuse(update(alice, den, { name }), 'BAD_NAME');
      const long = '𐐀'.repeat(32);
      const verdict = ledger.submit(roomEntry(alice, long, { parent: den.id }));
      for (const { key } of changeOperations('space', 'changes' in verdict ? verdict.changes : []))
        assert.ok(isKey(key), key);
    });

    it('as what they are said to be', () => {
      const room = make(alice, 'talk', { media: 'voice', lifetime: 'temporary' });
      assert.deepEqual(record(room), {
        name: 'talk',
        owner: alice.account,
        lifetime: 'temporary',
        private: false,
        media: 'voice',
      });
    });

    it('with a lock only where they are private, and from its first generation', () => {
      const lock = newLock(ledger.random, 1, EXPORT);
      ledger.refuse(roomEntry(alice, 'den', { lock: lock.keys }), 'BAD_ENTRY');
      const second = newLock(ledger.random, 2, EXPORT).keys;
      ledger.refuse(roomEntry(alice, 'den', { private: true, lock: second }), 'BAD_ENTRY');
      const den = make(alice, 'den', { private: true, lock: lock.keys });
      assert.deepEqual(record(den)?.lock, { generation: 1, password: true, retired: false });
      assert.deepEqual(encode(lockKeyOf(ledger.space, den.id, 1)), encode(lock.keys));
    });

    it('as conferences at the top and encrypted, under any name', () => {
      const den = make(alice, 'den');
      const conference = { lifetime: 'conference', private: true };
      ledger.refuse(roomEntry(alice, 'a', { ...conference, parent: den.id }), 'BAD_ENTRY');
      ledger.refuse(roomEntry(alice, 'a', { ...conference, private: false }), 'BAD_ENTRY');
      const one = make(alice, 'den', conference);
      const two = make(bob, 'den', conference);
      assert.notEqual(one.id, two.id);
      assert.equal(roomAt(ledger.space, 'den'), den.id);
      ledger.refuse(roomEntry(alice, 'inner', { parent: one.id }), 'DENIED');
      ledger.refuse(update(alice, den, { parent: one.id }), 'DENIED');
      ledger.refuse(update(alice, one, { parent: den.id }), 'DENIED');
      ledger.accept(update(alice, one, { name: 'other' }));
      assert.equal(roomAt(ledger.space, 'other'), undefined);
    });
  });

  describe('are changed', () => {
    it('by their owner and by those who may, and only where they are', () => {
      const den = make(alice, 'den');
      ledger.refuse(update(bob, den, { name: 'attic' }), 'DENIED');
      ledger.accept(update(alice, den, { name: 'Attic', media: 'text', position: 3 }));
      assert.equal(roomAt(ledger.space, 'den'), undefined);
      assert.equal(roomAt(ledger.space, 'attic'), den.id);
      put(bob, 0, 'renameRoom');
      ledger.accept(update(bob, den, { name: 'den', media: 'both' }));
      assert.deepEqual(record(den), {
        name: 'den',
        owner: alice.account,
        lifetime: 'permanent',
        private: false,
        media: 'both',
        position: 3,
      });
      ledger.refuse(update(root, { id: NOWHERE }, { name: 'x' }), 'NO_SUCH_ROOM');
    });

    it('to names that are free where they are to lie', () => {
      const a = make(alice, 'a');
      const b = make(alice, 'b');
      make(alice, 'x', { parent: a.id });
      const x = make(alice, 'x', { parent: b.id });
      ledger.refuse(update(alice, b, { name: 'A' }), 'NAME_TAKEN');
      ledger.refuse(update(alice, b, { name: '\u0430' }), 'NAME_TAKEN');
      ledger.refuse(update(alice, x, { parent: a.id }), 'NAME_TAKEN');
      ledger.accept(update(alice, x, { parent: a.id, name: 'y' }));
      assert.equal(pathOf(ledger.space, x.id), 'a/y');
      ledger.accept(update(alice, x, { name: 'Y' }));
      assert.equal(roomAt(ledger.space, 'a/y'), x.id);
      assert.equal(roomAt(ledger.space, 'b/x'), undefined);
      ledger.accept(roomEntry(bob, 'x', { parent: b.id }));
    });

    it('but not the lobby into another', () => {
      const den = make(root, 'den');
      ledger.accept(update(root, { id: LOBBY }, { name: 'hall', position: 1 }));
      ledger.refuse(update(root, { id: LOBBY }, { parent: den.id }), 'DENIED');
      ledger.refuse(update(alice, { id: LOBBY }, { name: 'mine' }), 'DENIED');
    });

    it('not from the open into what is encrypted, nor the other way round', () => {
      const open = make(alice, 'open');
      const closed = make(alice, 'closed', { private: true });
      const inner = make(alice, 'inner', { parent: closed.id });
      const secret = make(alice, 'secret', { private: true });
      ledger.refuse(update(alice, open, { parent: closed.id }), 'NOT_SUPPORTED');
      ledger.refuse(update(alice, inner, { parent: null }), 'NOT_SUPPORTED');
      ledger.refuse(update(alice, inner, { parent: open.id }), 'NOT_SUPPORTED');
      ledger.refuse(update(alice, inner, { parent: secret.id }), 'NOT_SUPPORTED');
      ledger.accept(update(alice, secret, { parent: open.id }));
      assert.ok(isEncryptedRoom(ledger.space, inner.id));
      assert.ok(!isEncryptedRoom(ledger.space, open.id));
      assert.ok(!isEncryptedRoom(ledger.space, NOWHERE));
    });

    it('not what stays into what does not', () => {
      const brief = make(alice, 'brief', { lifetime: 'temporary' });
      const den = make(alice, 'den');
      ledger.refuse(roomEntry(alice, 'inner', { parent: brief.id }), 'DENIED');
      ledger.refuse(update(alice, den, { parent: brief.id }), 'DENIED');
      const inner = make(alice, 'inner', { parent: brief.id, lifetime: 'temporary' });
      ledger.accept(update(alice, inner, { parent: den.id }));
    });
  });

  describe('are removed', () => {
    it('with all that lies in them, by who has all of it or may', () => {
      const a = make(alice, 'a');
      const b = make(alice, 'b', { parent: a.id });
      const c = make(bob, 'c', { parent: b.id });
      const lock = newLock(ledger.random, 1, EXPORT).keys;
      const d = make(alice, 'd', { parent: b.id, private: true, lock });
      ledger.accept(about(bob, 'join', a));
      const ban = { account: bob.account, until: 0 };
      ledger.accept(about(alice, 'ban', d, ban));
      ledger.refuse(about(bob, 'removeroom', a), 'DENIED');
      ledger.refuse(about(alice, 'removeroom', a), 'DENIED');
      ledger.accept(about(alice, 'removeroom', d));
      assert.equal(record(d), undefined);
      assert.equal(lockKeyOf(ledger.space, d.id, 1), undefined);
      assert.ok(!isBanned(ledger.space, bob.account, d.id, NOW));
      put(bob, 0, 'removeRoom');
      ledger.accept(about(bob, 'removeroom', a));
      for (const room of [a, b, c]) assert.equal(record(room), undefined);
      assert.deepEqual([...ledger.space.entries('member')], []);
      for (const table of ['roomname', 'roomlook'])
        assert.deepEqual(
          [...ledger.space.entries(table)].map(([, id]) => id),
          [LOBBY],
        );
      ledger.refuse(about(bob, 'removeroom', a), 'NO_SUCH_ROOM');
      make(alice, 'a');
    });

    it('never the lobby', () => {
      ledger.refuse(about(root, 'removeroom', { id: LOBBY }), 'DENIED');
      const own = { room: LOBBY };
      ledger.reject(ledger.server.forge('space', 'removeroom', own), 'DENIED');
    });

    it('by the server where they live as long as somebody is there', () => {
      const end = (room: MadeRoom): Entry =>
        ledger.server.forge('space', 'removeroom', { room: room.id });
      ledger.reject(end(make(alice, 'stays')), 'DENIED');
      for (const body of [{ lifetime: 'temporary' }, { lifetime: 'conference', private: true }]) {
        const room = make(alice, 'brief', body);
        const entry = end(room);
        ledger.accept(entry);
        ledger.server.rewind('space', entry);
        assert.equal(record(room), undefined);
      }
    });
  });

  describe('have owners', () => {
    it('who may make another their successor', () => {
      const den = make(alice, 'den');
      const give = (by: Member, account: AccountId): Entry => about(by, 'owner', den, { account });
      ledger.refuse(give(bob, bob.account), 'NOT_OWNER');
      ledger.refuse(give(root, bob.account), 'NOT_OWNER');
      ledger.refuse(give(alice, NOBODY), 'NO_SUCH_USER');
      ledger.accept(give(alice, bob.account));
      assert.equal(record(den)?.owner, bob.account);
      ledger.refuse(give(alice, alice.account), 'NOT_OWNER');
      const nowhere = { account: bob.account };
      ledger.refuse(about(alice, 'owner', { id: NOWHERE }, nowhere), 'NO_SUCH_ROOM');
      ledger.refuse(about(root, 'owner', { id: LOBBY }, nowhere), 'NOT_OWNER');
    });
  });

  describe('have members, where they are open', () => {
    it('who come and go', () => {
      const den = make(alice, 'den');
      ledger.refuse(about(bob, 'leave', den), 'NOT_MEMBER');
      ledger.accept(about(bob, 'join', den));
      assert.ok(isOpenMember(ledger.space, den.id, bob.account));
      ledger.refuse(about(bob, 'join', den), 'ALREADY');
      ledger.refuse(about(alice, 'join', den), 'ALREADY');
      ledger.accept(about(bob, 'leave', den));
      assert.ok(!isOpenMember(ledger.space, den.id, bob.account));
      ledger.refuse(about(bob, 'join', { id: NOWHERE }), 'NO_SUCH_ROOM');
      ledger.refuse(about(bob, 'leave', { id: NOWHERE }), 'NO_SUCH_ROOM');
    });

    it('in the lobby everybody', () => {
      ledger.refuse(about(bob, 'join', { id: LOBBY }), 'ALREADY');
      ledger.refuse(about(bob, 'leave', { id: LOBBY }), 'NOT_MEMBER');
      const out = { account: bob.account };
      ledger.refuse(about(root, 'expel', { id: LOBBY }, out), 'NOT_MEMBER');
    });

    it('not in the space where they are encrypted', () => {
      const closed = make(alice, 'closed', { private: true });
      const inner = make(alice, 'inner', { parent: closed.id });
      for (const room of [closed, inner]) ledger.refuse(about(bob, 'join', room), 'BAD_ENTRY');
    });

    it('for voice those who may speak', () => {
      const talk = make(alice, 'talk', { media: 'voice' });
      put(bob, 0, 'sendMessage');
      ledger.refuse(about(bob, 'join', talk), 'DENIED');
      put(bob, 0, 'joinVoiceRoom');
      ledger.accept(about(bob, 'join', talk));
    });

    it('who are put out by the owner, or by permission by those not below them', () => {
      const den = make(alice, 'den');
      const out = (by: Member, member: Member): Entry =>
        about(by, 'expel', den, { account: member.account });
      for (const member of [bob, root]) ledger.accept(about(member, 'join', den));
      ledger.refuse(out(bob, alice), 'DENIED');
      ledger.accept(out(alice, root));
      ledger.refuse(out(alice, root), 'NOT_MEMBER');
      ledger.accept(about(root, 'join', den));
      put(bob, 20, 'removeUser');
      ledger.refuse(out(bob, root), 'DENIED');
      ledger.accept(out(bob, alice));
      ledger.refuse(
        about(root, 'expel', { id: NOWHERE }, { account: bob.account }),
        'NO_SUCH_ROOM',
      );
    });
  });

  describe('shut people out', () => {
    const ban = (by: Member, account: AccountId, change: object = {}): Entry =>
      by.write('space', 'ban', { account, until: 0, ...change });
    const unban = (by: Member, account: AccountId, change: object = {}): Entry =>
      by.write('space', 'unban', { account, ...change });

    it('for a time or for good, until they are let in again', () => {
      const den = make(alice, 'den');
      const room = { room: den.id };
      const { space } = ledger;
      const isOut = (now: number): boolean => isBanned(space, bob.account, den.id, now);
      ledger.accept(about(bob, 'join', den));
      ledger.accept(ban(alice, bob.account, { ...room, until: NOW }));
      assert.ok(!isOpenMember(space, den.id, bob.account));
      assert.deepEqual([isOut(NOW - 1), isOut(NOW)], [true, false]);
      ledger.accept(ban(alice, bob.account, room));
      assert.ok(isOut(Number.MAX_SAFE_INTEGER));
      assert.ok(!isBanned(space, bob.account, undefined, NOW));
      ledger.accept(unban(alice, bob.account, room));
      assert.ok(!isOut(NOW));
      ledger.refuse(unban(alice, bob.account, room), 'NOT_BLOCKED');
    });

    it('of the server, by permission and never above', () => {
      put(alice, 10, 'removeUser');
      ledger.refuse(ban(bob, alice.account), 'DENIED');
      ledger.refuse(ban(alice, root.account), 'DENIED');
      ledger.accept(ban(alice, bob.account));
      assert.ok(isBanned(ledger.space, bob.account, undefined, NOW));
      assert.ok(!isBanned(ledger.space, bob.account, LOBBY, NOW));
      ledger.accept(unban(root, bob.account));
      ledger.appoint(bob, 'admin', root);
      ledger.accept(ban(bob, root.account));
      ledger.accept(unban(bob, root.account));
      ledger.appoint(bob, 'user', root);
      put(bob, 100, 'removeUser');
      ledger.refuse(ban(bob, root.account), 'LAST_ADMIN');
    });

    it('of a room, its owner whomever, others by permission', () => {
      const den = make(alice, 'den');
      const room = { room: den.id };
      ledger.accept(ban(alice, root.account, room));
      ledger.refuse(ban(bob, root.account, room), 'DENIED');
      ledger.refuse(unban(bob, root.account, room), 'DENIED');
      ledger.accept(unban(alice, root.account, room));
      put(bob, 5, 'removeUser');
      ledger.accept(ban(bob, alice.account, room));
      ledger.refuse(ban(bob, root.account, room), 'DENIED');
    });

    it('but not themselves, nobody, or from nowhere', () => {
      ledger.refuse(ban(root, root.account), 'SELF');
      ledger.refuse(ban(root, NOBODY), 'NO_SUCH_USER');
      ledger.refuse(ban(root, bob.account, { room: NOWHERE }), 'NO_SUCH_ROOM');
      ledger.refuse(unban(root, bob.account), 'NOT_BLOCKED');
    });
  });

  describe('have locks', () => {
    const lock = (by: Member, room: MadeRoom, generation: number | null): Entry => {
      const keys = generation === null ? null : newLock(ledger.random, generation, EXPORT).keys;
      return about(by, 'lock', room, { lock: keys });
    };

    it('that are changed and taken away, each generation once', () => {
      const den = make(alice, 'den', { private: true });
      assert.equal(lockOf(ledger.space, den.id), undefined);
      ledger.refuse(lock(alice, den, 2), 'STALE_KEY');
      ledger.refuse(lock(bob, den, 1), 'DENIED');
      ledger.accept(lock(alice, den, 1));
      ledger.refuse(lock(alice, den, 1), 'STALE_KEY');
      ledger.accept(lock(alice, den, 2));
      assert.deepEqual(lockOf(ledger.space, den.id), {
        generation: 2,
        password: true,
        retired: false,
        holder: den.id,
      });
      ledger.accept(lock(alice, den, null));
      assert.equal(lockOf(ledger.space, den.id), undefined);
      // What came in by an old one is still told by it.
      assert.ok(lockKeyOf(ledger.space, den.id, 1));
      for (const old of [1, 2]) ledger.refuse(lock(alice, den, old), 'STALE_KEY');
      const third = newLock(ledger.random, 3, EXPORT);
      ledger.accept(about(alice, 'lock', den, { lock: third.keys }));
      put(bob, 0, 'renameRoom');
      // Whoever sets the password may read what was said: the permission alone is not enough.
      const { server } = bob;
      const changed = (proof?: Uint8Array): Entry => {
        const { keys } = newLock(ledger.random, 4, EXPORT);
        return about(bob, 'lock', den, { lock: keys, ...(proof === undefined ? {} : { proof }) });
      };
      ledger.refuse(changed(), 'DENIED');
      const foreign = newLock(ledger.random, 3, EXPORT).keyring;
      for (const [keyring, account] of [
        [foreign, bob.account],
        [third.keyring, alice.account],
      ] as const)
        ledger.refuse(changed(proveChange(keyring, server, den.id, account)), 'DENIED');
      const mine = proveLock(third.keyring, server, den.id, bob.account).by;
      assert.ok(mine.type === 'lock');
      ledger.refuse(changed(mine.proof), 'DENIED');
      const proof = proveChange(third.keyring, server, den.id, bob.account);
      ledger.refuse(
        about(bob, 'lock', { ...den, id: NOWHERE }, { lock: null, proof }),
        'NO_SUCH_ROOM',
      );
      ledger.accept(changed(proof));
      ledger.refuse(about(bob, 'lock', den, { lock: null, proof }), 'DENIED');
      const fifth = newLock(ledger.random, 5, EXPORT);
      ledger.accept(about(alice, 'lock', den, { lock: fifth.keys }));
      ledger.accept(about(alice, 'retire', den, {}));
      // Whoever was put out knows the secret of the one that was retired because of them.
      const retired = proveChange(fifth.keyring, server, den.id, bob.account);
      ledger.refuse(about(bob, 'lock', den, { lock: null, proof: retired }), 'DENIED');
      const open = make(alice, 'open');
      ledger.refuse(lock(alice, open, 1), 'NOT_SUPPORTED');
      ledger.refuse(lock(alice, { ...open, id: NOWHERE }, 1), 'NO_SUCH_ROOM');
    });

    it('that are retired, until there is another', () => {
      const den = make(alice, 'den', { private: true });
      ledger.refuse(about(alice, 'retire', den), 'ALREADY');
      ledger.accept(lock(alice, den, 1));
      ledger.refuse(about(bob, 'retire', den), 'DENIED');
      ledger.accept(about(alice, 'retire', den));
      assert.equal(lockOf(ledger.space, den.id)?.retired, true);
      ledger.refuse(about(alice, 'retire', den), 'ALREADY');
      ledger.accept(lock(alice, den, 2));
      assert.equal(lockOf(ledger.space, den.id)?.retired, false);
      put(bob, 0, 'removeUser');
      ledger.accept(about(bob, 'retire', den));
      ledger.refuse(about(bob, 'retire', { id: NOWHERE }), 'NO_SUCH_ROOM');
    });

    it('that are retired for one room of those that they open', () => {
      const keys = newLock(ledger.random, 1, EXPORT).keys;
      const outer = make(alice, 'outer', { private: true, lock: keys });
      const [inner, other] = ['inner', 'other'].map((name) =>
        make(alice, name, { parent: outer.id }),
      );
      ledger.accept(about(alice, 'retire', inner!));
      const { space } = ledger;
      assert.deepEqual(lockOf(space, inner!.id), {
        generation: 0,
        password: true,
        retired: true,
        holder: inner!.id,
      });
      for (const { id } of [outer, other!]) assert.equal(lockOf(space, id)?.retired, false);
      ledger.refuse(about(alice, 'retire', inner!), 'ALREADY');
      // It may have one of its own now.
      ledger.accept(lock(alice, inner!, 1));
      assert.equal(lockOf(space, inner!.id)?.retired, false);
    });
  });
});
