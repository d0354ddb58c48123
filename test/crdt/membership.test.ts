import assert from 'node:assert/strict';
import { codeKey } from '../../lib/crdt/codes.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import { Keyring } from '../../lib/crdt/keyring.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { MAX_MEMBERS, membersOf, proveLock } from '../../lib/crdt/membership.ts';
import { accountOf, type CodeRecord } from '../../lib/crdt/records.ts';
import { pairStream } from '../../lib/crdt/stream.ts';
import { NOW, type Member } from '../support/community.ts';
import { roomLedger } from '../support/room-ledger.ts';
import {
  codeFacts,
  EXPORT,
  joinEntry,
  newLock,
  type MadeLock,
  type MadeRoom,
} from '../support/rooms.ts';

const NOBODY = 'f'.repeat(32) as AccountId;

describe('membership of encrypted rooms', () => {
  let { ledger, root, alice, bob, make, locked, join } = roomLedger();
  let carol: Member;

  beforeEach(() => {
    ({ ledger, root, alice, bob, make, locked, join } = roomLedger());
    carol = ledger.join('carol');
  });

  const closed = (by: Member, name: string, change: object = {}): MadeRoom =>
    make(by, name, { private: true, ...change });
  /** Refused without a mark or with one: whoever is not in a room may not read it. */
  const refuse = (by: Member, room: MadeRoom, how: MadeLock | string, code: string): void => {
    const entry = joinEntry(by, room, typeof how === 'string' ? how : how.keyring);
    ledger.refuse(entry, code);
  };
  const change = (by: Member, room: MadeRoom, add: AccountId[], remove: AccountId[]): Entry =>
    by.write(room.stream, 'members', { add, remove });
  const members = ({ stream }: MadeRoom): AccountId[] =>
    membersOf(stream, ledger.at(stream).state, ledger.space).sort();
  const accounts = (...all: Member[]): AccountId[] => all.map(({ account }) => account).sort();

  it('is that of both in a pair', () => {
    const pair = pairStream(alice.account, bob.account);
    const { state } = ledger.at(pair);
    assert.deepEqual(membersOf(pair, state, ledger.space).sort(), accounts(alice, bob));
  });

  it('is begun by the owner, and by nobody else as such', () => {
    const { room } = locked(alice, 'vault');
    assert.deepEqual(members(room), []);
    for (const forged of [bob, root]) refuse(forged, room, 'owner', 'DENIED');
    join(alice, room, 'owner');
    assert.deepEqual(members(room), accounts(alice));
    refuse(alice, room, 'owner', 'ALREADY');
    const unknown = { by: { type: 'lock', generation: 1 } };
    ledger.reject(bob.forge(room.stream, 'join', unknown), 'BAD_ENTRY');
  });

  it('is had in encrypted rooms only', () => {
    const open = make(alice, 'open');
    for (const [kind, body] of [
      ['join', { by: { type: 'owner' } }],
      ['leave', {}],
      ['code', codeFacts('IN')],
      ['members', { add: [bob.account], remove: [] }],
    ] as const)
      ledger.refuse(alice.write(open.stream, kind, body), 'BAD_ENTRY');
  });

  describe('by a password', () => {
    it('is for those who have opened the lock', () => {
      const { room, lock } = locked(alice, 'vault');
      join(bob, room, lock.keyring);
      assert.deepEqual(members(room), accounts(bob));
      refuse(bob, room, lock, 'ALREADY');
      refuse(carol, room, newLock(ledger.random), 'BAD_PASSWORD');
    });

    it('cannot be proved with what somebody else has proved, or elsewhere', () => {
      const { room, lock } = locked(alice, 'vault');
      const other = locked(alice, 'other');
      const proof = proveLock(lock.keyring, ledger.server.id, room.id, bob.account);
      ledger.refuse(carol.write(room.stream, 'join', proof), 'BAD_PASSWORD');
      const elsewhere = proveLock(lock.keyring, ledger.server.id, other.room.id, carol.account);
      ledger.refuse(carol.write(room.stream, 'join', elsewhere), 'BAD_PASSWORD');
      ledger.refuse(carol.write(other.room.stream, 'join', elsewhere), 'BAD_PASSWORD');
      const abroad = proveLock(lock.keyring, bob.id, room.id, carol.account);
      ledger.refuse(carol.write(room.stream, 'join', abroad), 'BAD_PASSWORD');
    });

    it('is over with the lock: changed, retired or taken away', () => {
      const { room, lock } = locked(alice, 'vault');
      ledger.accept(alice.write('space', 'retire', { room: room.id }));
      refuse(bob, room, lock, 'BAD_PASSWORD');
      const next = newLock(ledger.random, 2, EXPORT);
      ledger.accept(alice.write('space', 'lock', { room: room.id, lock: next.keys }));
      refuse(bob, room, lock, 'BAD_PASSWORD');
      const claimed = new Keyring(2, lock.keyring.secret);
      ledger.refuse(joinEntry(bob, room, claimed), 'BAD_PASSWORD');
      join(bob, room, next.keyring);
      ledger.accept(alice.write('space', 'lock', { room: room.id, lock: null }));
      refuse(carol, room, next, 'BAD_PASSWORD');
    });

    it('is not by a lock that has none: only members know its secret', () => {
      const lock = newLock(ledger.random);
      const room = closed(alice, 'club', { lock: lock.keys });
      refuse(bob, room, lock, 'BAD_PASSWORD');
      // Into a room within it is: whoever is in the outer one comes into the inner one.
      const inner = make(alice, 'inner', { parent: room.id });
      join(bob, inner, lock.keyring);
    });

    it('is of the rooms within as well, up to the next lock', () => {
      const { room, lock } = locked(alice, 'vault');
      const inner = make(alice, 'inner', { parent: room.id });
      const own = newLock(ledger.random, 1, EXPORT);
      const core = closed(alice, 'core', { parent: inner.id, lock: own.keys });
      join(bob, inner, lock.keyring);
      assert.deepEqual(members(inner), accounts(bob));
      assert.deepEqual(members(room), []);
      refuse(carol, core, newLock(ledger.random), 'BAD_PASSWORD');
      join(carol, core, own.keyring);
      const secret = closed(alice, 'secret', { parent: inner.id });
      refuse(bob, secret, lock, 'BAD_PASSWORD');
    });

    it('is by the lock that opens the room and no other of the same number above it', () => {
      const { room, lock } = locked(alice, 'vault');
      const own = newLock(ledger.random, 1, EXPORT);
      const core = closed(alice, 'core', { parent: room.id, lock: own.keys });
      refuse(bob, core, lock, 'BAD_PASSWORD');
    });
  });

  describe('by invitation', () => {
    it('is what the owner says', () => {
      const room = closed(alice, 'club');
      join(alice, room, 'owner');
      ledger.accept(change(alice, room, accounts(bob), []));
      assert.deepEqual(members(room), accounts(alice, bob));
      ledger.refuse(change(bob, room, accounts(carol), []), 'DENIED');
      ledger.reject(change(carol, room, accounts(carol), []), 'DENIED');
      ledger.reject(change(root, room, accounts(root), []), 'DENIED');
      ledger.refuse(change(alice, room, [NOBODY], []), 'NO_SUCH_USER');
      ledger.accept(change(alice, room, accounts(carol), accounts(bob)));
      assert.deepEqual(members(room), accounts(alice, carol));
      ledger.accept(change(alice, room, accounts(carol), accounts(carol)));
      assert.deepEqual(members(room), accounts(alice, carol));
    });

    it('is what any member says once nobody comes in by the password any more', () => {
      const { room, lock } = locked(alice, 'vault');
      join(alice, room, 'owner');
      join(bob, room, lock.keyring);
      ledger.refuse(change(bob, room, accounts(carol), []), 'DENIED');
      ledger.accept(alice.write('space', 'retire', { room: room.id }));
      ledger.accept(change(bob, room, accounts(carol), []));
      assert.deepEqual(members(room), accounts(alice, bob, carol));
    });

    it('is what any member says where there is no owner any more', () => {
      const room = closed(alice, 'club');
      ledger.accept(change(alice, room, accounts(bob), []));
      const gone = { account: alice.account, vengeance: false };
      ledger.accept(root.write('space', 'removeuser', gone));
      ledger.accept(change(bob, room, accounts(carol), []));
      assert.deepEqual(members(room), accounts(bob, carol));
    });

    it('is for no more than a key epoch reaches', () => {
      const room = closed(alice, 'club');
      const crowd = Array.from({ length: MAX_MEMBERS }, (_, n) => {
        const id = n.toString(16).padStart(32, '0') as AccountId;
        const value = accountOf(ledger.space, alice.account);
        ledger.space.apply([{ table: 'account', id, value }]);
        return id;
      });
      ledger.accept(change(alice, room, crowd.slice(1), []));
      ledger.accept(change(alice, room, accounts(alice), []));
      ledger.refuse(change(alice, room, accounts(bob), []), 'TOO_LARGE');
      // Those who are no more make room for others.
      const [, , one] = crowd;
      const value = { ...accountOf(ledger.space, one!)!, removed: true };
      ledger.space.apply([{ table: 'account', id: one!, value }]);
      ledger.accept(alice.write(room.stream, 'code', codeFacts('IN', 2)));
      join(bob, room, 'IN');
      refuse(carol, room, 'IN', 'TOO_LARGE');
    });
  });

  describe('by a code', () => {
    it('is for whoever has it, as often as it may be used', () => {
      const room = closed(alice, 'club');
      join(alice, room, 'owner');
      ledger.accept(alice.write(room.stream, 'code', codeFacts('COME-IN', 1, NOW + 99)));
      const { state } = ledger.at(room.stream);
      assert.deepEqual(state.get('code', codeKey('COME-IN').public), {
        purpose: 'join',
        issuer: alice.account,
        uses: 1,
        expires: NOW + 99,
      });
      refuse(bob, room, 'GO-OUT', 'BAD_CODE');
      join(bob, room, 'come in');
      refuse(carol, room, 'COME-IN', 'BAD_CODE');
      assert.deepEqual(members(room), accounts(alice, bob));
    });

    it('is for voice where they may speak', () => {
      const room = make(alice, 'talk', { private: true, media: 'voice' });
      join(alice, room, 'owner');
      ledger.accept(alice.write(room.stream, 'code', codeFacts('TALK', 9)));
      ledger.appoint(bob, 'mute', root);
      refuse(bob, room, 'TALK', 'DENIED');
      ledger.appoint(bob, 'user', root);
      join(bob, room, 'TALK');
    });

    it('is worth nothing once whoever made it is out, or may invite no more', () => {
      const room = closed(alice, 'club');
      join(alice, room, 'owner');
      const invite = (by: Member, code: string): void =>
        void ledger.accept(by.write(room.stream, 'code', codeFacts(code, 9)));
      for (const way of ['leave', 'members']) {
        ledger.accept(alice.write(room.stream, 'members', { add: [bob.account], remove: [] }));
        invite(bob, way);
        invite(alice, `HERS${way}`);
        if (way === 'leave') ledger.accept(bob.write(room.stream, 'leave', {}));
        else ledger.accept(alice.write(room.stream, 'members', { add: [], remove: [bob.account] }));
        // Not even for those who made it.
        for (const member of [bob, carol]) refuse(member, room, way, 'BAD_CODE');
        const { state } = ledger.at(room.stream);
        const issuers = [...state.entries<CodeRecord>('code')].map(([, { issuer }]) => issuer);
        assert.deepEqual(new Set(issuers), new Set([alice.account]));
      }
      join(bob, room, 'HERSleave');
      invite(bob, 'HIS');
      ledger.appoint(bob, 'mute', root);
      refuse(carol, room, 'HIS', 'BAD_CODE');
      ledger.appoint(bob, 'user', root);
      join(carol, room, 'HIS');
    });

    it('is worth nothing once whoever made it is no more', () => {
      const room = closed(alice, 'club');
      join(alice, room, 'owner');
      ledger.accept(alice.write(room.stream, 'code', codeFacts('COME', 9)));
      const gone = { account: alice.account, vengeance: false };
      ledger.accept(root.write('space', 'removeuser', gone));
      refuse(carol, room, 'COME', 'BAD_CODE');
    });

    it('is good until its time, and forgotten with the next', () => {
      const room = closed(alice, 'club');
      join(alice, room, 'owner');
      const expires = ledger.now + 1_000;
      ledger.accept(alice.write(room.stream, 'code', codeFacts('COME', 9, expires)));
      ledger.now = expires;
      join(bob, room, 'COME');
      ledger.now++;
      refuse(carol, room, 'COME', 'BAD_CODE');
      const { state } = ledger.at(room.stream);
      ledger.accept(alice.write(room.stream, 'code', codeFacts('NEXT', 1, ledger.now)));
      assert.deepEqual(
        [...state.entries('code')].map(([id]) => id),
        [codeKey('NEXT').public],
      );
    });

    it('is of the room for which it was made', () => {
      const [one, two] = [closed(alice, 'one'), closed(alice, 'two')];
      for (const room of [one, two]) join(alice, room, 'owner');
      ledger.accept(alice.write(one.stream, 'code', codeFacts('IN', 9)));
      refuse(bob, two, 'IN', 'BAD_CODE');
      ledger.accept(
        root.write('space', 'code', { purpose: 'signup', group: 'user', ...codeFacts('NEW') }),
      );
      refuse(bob, one, 'NEW', 'BAD_CODE');
      join(bob, one, 'IN');
    });

    it('is made by members: the owner, and those who may invite', () => {
      const room = closed(alice, 'club');
      const code = (by: Member, written: string): Entry =>
        by.write(room.stream, 'code', codeFacts(written));
      ledger.refuse(code(alice, 'ONE'), 'NOT_MEMBER');
      join(alice, room, 'owner');
      ledger.accept(change(alice, room, accounts(bob), []));
      ledger.accept(code(bob, 'ONE'));
      ledger.refuse(code(alice, 'ONE'), 'ALREADY');
      ledger.appoint(bob, 'mute', root);
      ledger.refuse(code(bob, 'TWO'), 'DENIED');
      ledger.reject(code(carol, 'THREE'), 'DENIED');
      ledger.appoint(alice, 'mute', root);
      ledger.accept(code(alice, 'FOUR'));
    });
  });

  describe('ends', () => {
    it('when somebody leaves, who may come back as they came', () => {
      const { room, lock } = locked(alice, 'vault');
      join(alice, room, 'owner');
      join(bob, room, lock.keyring);
      const leave = (by: Member): Entry => by.write(room.stream, 'leave', {});
      ledger.accept(leave(bob));
      assert.deepEqual(members(room), accounts(alice));
      ledger.reject(leave(bob), 'DENIED');
      bob.rewind(room.stream, undefined);
      const { state } = ledger.at(room.stream);
      const head = state.get<{ seq: number; id: Entry['id'] }>('head', bob.id)!;
      const again = proveLock(lock.keyring, ledger.server.id, room.id, bob.account);
      ledger.accept(
        bob.write(room.stream, 'join', again, { seq: head.seq + 1, previous: head.id }),
      );
      ledger.accept(leave(alice));
      ledger.refuse(leave(alice), 'NOT_MEMBER');
      join(alice, room, 'owner');
    });

    it('when somebody is put out: by the owner, or by permission and not above', () => {
      const room = closed(alice, 'club');
      join(alice, room, 'owner');
      ledger.accept(change(alice, room, accounts(bob, root, carol), []));
      ledger.refuse(change(bob, room, [], accounts(carol)), 'DENIED');
      ledger.accept(root.write('space', 'creategroup', { name: 'guard', level: 10 }));
      const right = { name: 'guard', add: ['removeUser'], remove: [] };
      ledger.accept(root.write('space', 'updategroup', right));
      ledger.accept(root.write('space', 'setgroup', { account: bob.account, group: 'guard' }));
      ledger.refuse(change(bob, room, [], accounts(carol, root)), 'DENIED');
      ledger.accept(change(bob, room, [], accounts(carol)));
      ledger.accept(change(root, room, [], accounts(bob)));
      ledger.accept(change(alice, room, [], accounts(root)));
      assert.deepEqual(members(room), accounts(alice));
    });

    it('with the account', () => {
      const room = closed(alice, 'club');
      ledger.accept(change(alice, room, accounts(alice, bob), []));
      const gone = { account: bob.account, vengeance: false };
      ledger.accept(root.write('space', 'removeuser', gone));
      assert.deepEqual(members(room), accounts(alice));
      ledger.reject(bob.forge(room.stream, 'leave', {}), 'REVOKED');
    });
  });

  describe('of a conference', () => {
    const remove = (room: MadeRoom, add: AccountId[], out: AccountId[]): Entry =>
      ledger.server.forge(room.stream, 'members', { add, remove: out });

    it('is by the word of the server, which can end it as well', () => {
      const room = closed(alice, 'talk', { lifetime: 'conference' });
      const enter = (by: Member, where: MadeRoom): Entry =>
        by.write(where.stream, 'join', { by: { type: 'word' } });
      ledger.accept(enter(alice, room));
      ledger.accept(enter(bob, room));
      assert.deepEqual(members(room), accounts(alice, bob));
      ledger.reject(remove(room, accounts(carol), []), 'DENIED');
      ledger.accept(remove(room, [], accounts(bob)));
      assert.deepEqual(members(room), accounts(alice));
      const club = closed(alice, 'club');
      ledger.refuse(enter(bob, club), 'DENIED');
      ledger.reject(remove(club, [], accounts(alice)), 'DENIED');
    });
  });
});
