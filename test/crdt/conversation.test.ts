import assert from 'node:assert/strict';
import { currentEpoch, isEncrypted, lastEpochNumber, lockAt } from '../../lib/crdt/conversation.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import type { EntryId, RoomId } from '../../lib/crdt/keys.ts';
import { reduceItem } from '../../lib/crdt/rules.ts';
import { entryItem } from '../../lib/crdt/seal.ts';
import {
  accountStream,
  LOBBY_STREAM,
  pairStream,
  roomStream,
  type StreamName,
} from '../../lib/crdt/stream.ts';
import type { Member } from '../support/community.ts';
import { roomLedger } from '../support/room-ledger.ts';
import { EXPORT, lockedEpoch, newLock, type LockedRoom, type MadeRoom } from '../support/rooms.ts';

const KEY = new Uint8Array(32).fill(1);

describe('conversations', () => {
  let { ledger, root, alice, bob, make, locked, join } = roomLedger();
  let pair: StreamName;

  beforeEach(() => {
    ({ ledger, root, alice, bob, make, locked, join } = roomLedger());
    pair = pairStream(alice.account, bob.account);
  });

  const open = (by: Member, stream: StreamName, number: number, members: Member[]): Entry =>
    by.write(stream, 'epoch', by.epoch(members, number, KEY));
  const current = (stream: StreamName): EntryId | undefined =>
    currentEpoch(stream, ledger.at(stream).state, ledger.space)?.id;
  const privateRoom = (owner: Member, members: readonly Member[]): StreamName => {
    const name = `room${owner.next('space')}`;
    const { stream } = make(owner, name, { private: true });
    const add = members.map(({ account }) => account);
    ledger.accept(owner.write(stream, 'members', { add, remove: [] }));
    return stream;
  };

  it('are encrypted in pairs and private rooms, and nowhere else', () => {
    const room = privateRoom(alice, [alice]);
    for (const [stream, expected] of [
      [pair, true],
      [room, true],
      [LOBBY_STREAM, false],
      [`room/${'0'.repeat(32)}`, false],
      ['space', false],
      [accountStream(alice.account), false],
    ] as const)
      assert.equal(isEncrypted(ledger.space, stream), expected, stream);
  });

  describe('in the clear', () => {
    it('take what is said by those who may', () => {
      ledger.accept(alice.write(LOBBY_STREAM, 'say', { text: 'hi' }));
      ledger.appoint(alice, 'admin', root);
      ledger.appoint(bob, 'mute', alice);
      ledger.refuse(bob.write(LOBBY_STREAM, 'say', { text: 'hi' }), 'DENIED');
    });

    it('take nothing sealed, and no keys', () => {
      const sealed = alice.sealed(LOBBY_STREAM, 'ab'.repeat(32) as EntryId, KEY, 'hi');
      ledger.refuse(sealed, 'BAD_ENTRY');
      ledger.refuse(open(alice, LOBBY_STREAM, 1, [alice, bob]), 'BAD_ENTRY');
      const members = { add: [bob.account], remove: [] };
      ledger.refuse(alice.write(LOBBY_STREAM, 'members', members), 'BAD_ENTRY');
    });
  });

  describe('of two', () => {
    it('take what is sealed under a key epoch that reaches both', () => {
      const epoch = ledger.accept(open(alice, pair, 1, [alice, bob]));
      assert.equal(current(pair), epoch.id);
      ledger.accept(alice.sealed(pair, epoch.id, KEY, 'hi'));
      ledger.accept(bob.sealed(pair, epoch.id, KEY, 'hi'));
      ledger.appoint(alice, 'admin', root);
      ledger.appoint(bob, 'mute', alice);
      ledger.refuse(bob.sealed(pair, epoch.id, KEY, 'hi'), 'DENIED');
    });

    it('take nothing in the clear', () => {
      ledger.reject(alice.forge(pair, 'say', { text: 'hi' }), 'BAD_ENTRY');
      ledger.reject(alice.forge(pair, 'members', { add: [], remove: [] }), 'BAD_ENTRY');
    });

    it('take nothing under an epoch that was never sealed', () => {
      ledger.stale(alice, alice.sealed(pair, 'ab'.repeat(32) as EntryId, KEY, 'hi'));
    });

    it('refuse a key epoch that does not reach exactly the members', () => {
      const carol = ledger.join('carol');
      for (const members of [[], [alice], [bob], [alice, alice], [alice, carol]])
        ledger.stale(alice, open(alice, pair, 1, members));
      const wrongGeneration = alice.epoch([alice, bob], 1, KEY);
      (wrongGeneration['wraps'] as unknown[][])[0]![1] = 2;
      ledger.stale(alice, alice.write(pair, 'epoch', wrongGeneration));
      assert.equal(current(pair), undefined);
      ledger.accept(open(alice, pair, 1, [bob, alice]));
    });

    it('number their epochs one after the other', () => {
      for (const number of [0, 2, 7]) ledger.stale(alice, open(alice, pair, number, [alice, bob]));
      ledger.accept(open(alice, pair, 1, [alice, bob]));
      assert.equal(lastEpochNumber(ledger.at(pair).state), 1);
      ledger.stale(alice, open(alice, pair, 3, [alice, bob]));
    });

    it('keep the first of two epochs that race, and can read both', () => {
      const first = ledger.accept(open(alice, pair, 1, [alice, bob]));
      const second = ledger.accept(open(bob, pair, 1, [alice, bob]));
      assert.equal(current(pair), first.id);
      assert.equal(lastEpochNumber(ledger.at(pair).state), 1);
      // What was sealed under the one that lost has been said all the same.
      ledger.accept(bob.sealed(pair, second.id, KEY, 'hi'));
      ledger.accept(alice.sealed(pair, first.id, KEY, 'hi'));
    });

    it('go on under a newer epoch when the current one cannot be opened by all', () => {
      const poisoned = bob.epoch([alice, bob], 1, KEY);
      (poisoned['wraps'] as unknown[][])[0]![2] = new Uint8Array(80);
      ledger.accept(bob.write(pair, 'epoch', poisoned));
      // Alice cannot write under it and opens the next.
      const second = ledger.accept(open(alice, pair, 2, [alice, bob]));
      assert.equal(current(pair), second.id);
    });

    it('change their current epoch by what stands in their own stream alone', () => {
      // A replica may be further in the space stream than the server was.
      const first = ledger.accept(open(alice, pair, 1, [alice, bob]));
      const raced = open(bob, pair, 1, [alice, bob]);
      const { state, length } = ledger.at(pair);
      const sealed = reduceItem(entryItem(raced), {
        space: ledger.space,
        stream: state,
        position: length,
        hindsight: true,
        now: ledger.now,
      });
      ledger.rotate(bob);
      const later = reduceItem(entryItem(raced), {
        space: ledger.space,
        stream: state,
        position: length,
        hindsight: true,
        now: ledger.now,
      });
      assert.deepEqual(later, sealed);
      assert.equal(state.get('epochs', 'current'), first.id);
    });

    it('need a new epoch once a device of either has been revoked', () => {
      const first = ledger.accept(open(alice, pair, 1, [alice, bob]));
      ledger.rotate(bob);
      assert.equal(current(pair), undefined);
      ledger.stale(alice, alice.sealed(pair, first.id, KEY, 'stale'));
      const second = ledger.accept(open(alice, pair, 2, [alice, bob]));
      assert.equal(current(pair), second.id);
      ledger.accept(alice.sealed(pair, second.id, KEY, 'fresh'));
      assert.ok(ledger.at(pair).state.get('epoch', first.id), 'the old one stays readable');
    });
  });

  describe('in an open room', () => {
    let room: MadeRoom;
    beforeEach(() => {
      room = make(alice, 'den');
    });
    const say = (by: Member): Entry => by.write(room.stream, 'say', { text: 'hi' });

    it('take what is said by those who are in it', () => {
      ledger.accept(say(alice));
      ledger.refuse(say(bob), 'NOT_MEMBER');
      ledger.accept(bob.write('space', 'join', { room: room.id }));
      ledger.accept(say(bob));
      ledger.accept(bob.write('space', 'leave', { room: room.id }));
      ledger.refuse(say(bob), 'NOT_MEMBER');
    });

    it('take nothing where people speak by voice only', () => {
      ledger.accept(alice.write('space', 'updateroom', { room: room.id, media: 'voice' }));
      ledger.refuse(say(alice), 'NOT_SUPPORTED');
      ledger.accept(alice.write('space', 'updateroom', { room: room.id, media: 'text' }));
      ledger.accept(say(alice));
    });

    it('take nothing there where it is sealed either', () => {
      const closed = { private: true, media: 'voice' };
      const talk = make(alice, 'talk', closed);
      ledger.accept(alice.write(talk.stream, 'join', { by: { type: 'owner' } }));
      const { id } = ledger.accept(open(alice, talk.stream, 1, [alice]));
      ledger.refuse(alice.sealed(talk.stream, id, KEY, 'x'), 'NOT_SUPPORTED');
      ledger.accept(alice.write('space', 'updateroom', { room: talk.id, media: 'both' }));
      ledger.accept(alice.sealed(talk.stream, id, KEY, 'x'));
    });

    it('take what members do about messages, in the clear', () => {
      const { id: target } = ledger.accept(say(alice));
      const about = (by: Member, kind: string, body: object = {}): Entry =>
        by.write(room.stream, kind, { target, ...body });
      ledger.accept(about(alice, 'edit', { text: 'ho' }));
      ledger.accept(about(alice, 'react', { emoji: '👍', on: true }));
      ledger.refuse(about(bob, 'edit', { text: 'ho' }), 'NOT_MEMBER');
      ledger.refuse(about(bob, 'react', { emoji: '👍', on: true }), 'NOT_MEMBER');
      const sealed = { epoch: target, box: KEY };
      ledger.refuse(about(alice, 'edit', sealed), 'BAD_ENTRY');
      ledger.refuse(about(alice, 'react', sealed), 'BAD_ENTRY');
      ledger.accept(about(alice, 'remove'));
    });

    it('ask for a right where others speak, and for none where it is about oneself', () => {
      const { id: target } = ledger.accept(say(alice));
      const about = (kind: string, body: object = {}): Entry =>
        alice.write(room.stream, kind, { target, ...body });
      const moderator = { moderator: true };
      ledger.refuse(about('edit', { text: 'ho', ...moderator }), 'DENIED');
      ledger.refuse(about('remove', moderator), 'DENIED');
      ledger.appoint(alice, 'admin', root);
      ledger.accept(about('edit', { text: 'ho', ...moderator }));
      ledger.accept(about('remove', moderator));
      ledger.appoint(bob, 'admin', alice);
      ledger.appoint(alice, 'mute', bob);
      ledger.refuse(about('react', { emoji: '👍', on: true }), 'DENIED');
      ledger.accept(about('edit', { text: 'what I meant' }));
      ledger.accept(about('remove'));
    });

    it('make no state of what is said', () => {
      const { state } = ledger.at(room.stream);
      ledger.accept(say(alice));
      const { id: target } = ledger.accept(say(alice));
      ledger.accept(alice.write(room.stream, 'edit', { target, text: 'ho' }));
      ledger.accept(alice.write(room.stream, 'react', { target, emoji: '👍', on: true }));
      ledger.accept(alice.write(room.stream, 'remove', { target }));
      assert.deepEqual([...new Set([...state.records()].map(({ table }) => table))].sort(), [
        'clock',
        'head',
      ]);
    });
  });

  describe('in a private room', () => {
    it('need a new epoch when somebody comes or goes', () => {
      const carol = ledger.join('carol');
      const room = privateRoom(alice, [alice, bob]);
      const first = ledger.accept(open(bob, room, 1, [alice, bob]));
      ledger.accept(bob.sealed(room, first.id, KEY, 'hi'));
      ledger.accept(alice.write(room, 'members', { add: [carol.account], remove: [] }));
      assert.equal(current(room), undefined);
      ledger.stale(bob, bob.sealed(room, first.id, KEY, 'hi'));
      const second = ledger.accept(open(carol, room, 2, [carol, alice, bob]));
      ledger.accept(alice.write(room, 'members', { add: [], remove: [bob.account] }));
      assert.equal(current(room), undefined);
      ledger.reject(bob.forge(room, 'sealed', { epoch: first.id, box: KEY }), 'DENIED');
      ledger.stale(carol, carol.sealed(room, second.id, KEY, 'hi'));
      const third = ledger.accept(open(alice, room, 3, [carol, alice]));
      ledger.accept(carol.sealed(room, third.id, KEY, 'hi'));
      ledger.accept(carol.write(room, 'leave', {}));
      assert.equal(current(room), undefined);
    });

    it('need a new epoch when the account of a member is no more', () => {
      const room = privateRoom(alice, [alice, bob]);
      const first = ledger.accept(open(bob, room, 1, [alice, bob]));
      ledger.appoint(alice, 'admin', root);
      const gone = { account: bob.account, vengeance: false };
      ledger.accept(alice.write('space', 'removeuser', gone));
      assert.equal(current(room), undefined);
      ledger.stale(alice, alice.sealed(room, first.id, KEY, 'hi'));
      const second = ledger.accept(open(alice, room, 2, [alice]));
      ledger.accept(alice.sealed(room, second.id, KEY, 'hi'));
    });

    it('take nothing of an owner who is not in it', () => {
      const room = privateRoom(alice, [bob]);
      const epoch = ledger.accept(open(bob, room, 1, [bob]));
      ledger.refuse(alice.sealed(room, epoch.id, KEY, 'hi'), 'NOT_MEMBER');
      const plain = { target: epoch.id, epoch: epoch.id, box: KEY };
      ledger.refuse(alice.write(room, 'react', plain), 'NOT_MEMBER');
      ledger.accept(alice.write(room, 'join', { by: { type: 'owner' } }));
      ledger.stale(alice, alice.sealed(room, epoch.id, KEY, 'hi'));
      const next = ledger.accept(open(alice, room, 2, [alice, bob]));
      ledger.accept(alice.sealed(room, next.id, KEY, 'hi'));
    });

    it('take what is done about messages sealed, and nothing in the clear', () => {
      const room = privateRoom(alice, [alice]);
      const { id: epoch } = ledger.accept(open(alice, room, 1, [alice]));
      const { id: target } = ledger.accept(alice.sealed(room, epoch, KEY, 'hi'));
      const beside = { target };
      ledger.accept(alice.under(room, 'edit', epoch, KEY, { text: 'ho' }, beside));
      ledger.accept(alice.under(room, 'react', epoch, KEY, { emoji: '👍', on: true }, beside));
      ledger.refuse(alice.write(room, 'edit', { target, text: 'ho' }), 'BAD_ENTRY');
      ledger.refuse(alice.write(room, 'react', { target, emoji: '👍', on: true }), 'BAD_ENTRY');
      ledger.refuse(alice.write(room, 'say', { text: 'ho' }), 'BAD_ENTRY');
      const unknown = 'ab'.repeat(32) as EntryId;
      ledger.stale(alice, alice.under(room, 'edit', unknown, KEY, { text: 'ho' }, beside));
      ledger.stale(alice, alice.under(room, 'react', unknown, KEY, { emoji: 'x' }, beside));
      ledger.accept(alice.write(room, 'remove', { target }));
    });

    it('know no moderator between two', () => {
      const { id: epoch } = ledger.accept(open(alice, pair, 1, [alice, bob]));
      const { id: target } = ledger.accept(bob.sealed(pair, epoch, KEY, 'hi'));
      ledger.appoint(alice, 'admin', root);
      const moderator = { target, moderator: true };
      ledger.refuse(alice.write(pair, 'remove', moderator), 'DENIED');
      ledger.refuse(alice.under(pair, 'edit', epoch, KEY, { text: 'ho' }, moderator), 'DENIED');
    });
  });

  describe('in a room with a lock', () => {
    const vault = (): LockedRoom => {
      const made = locked(alice, 'vault');
      join(alice, made.room, 'owner');
      return made;
    };
    /** Alice opens a key epoch for herself and a lock. */
    const epoch = (stream: StreamName, number: number, { room, lock }: LockedRoom): Entry => {
      const body = lockedEpoch(alice, number, [alice], KEY, room.id, lock.keyring);
      return alice.write(stream, 'epoch', body);
    };

    it('open key epochs for the lock as well', () => {
      const { room, lock } = vault();
      assert.equal(lockAt(ledger.space, room.stream)?.generation, 1);
      ledger.stale(alice, open(alice, room.stream, 1, [alice]));
      const other = newLock(ledger.random, 2);
      ledger.stale(alice, epoch(room.stream, 1, { room, lock: other }));
      const { id } = ledger.accept(epoch(room.stream, 1, { room, lock }));
      assert.equal(current(room.stream), id);
      ledger.accept(alice.sealed(room.stream, id, KEY, 'hi'));
    });

    it('open none for a lock that is not there', () => {
      const room = privateRoom(alice, [alice]);
      assert.equal(lockAt(ledger.space, room), undefined);
      const id = 'ab'.repeat(16) as RoomId;
      const nowhere = { room: { id, stream: roomStream(id) }, lock: newLock(ledger.random) };
      ledger.stale(alice, epoch(room, 1, nowhere));
    });

    it('need a new epoch for another password, for none, and once the lock is retired', () => {
      const { room, lock } = vault();
      ledger.accept(epoch(room.stream, 1, { room, lock }));
      ledger.accept(alice.write('space', 'retire', { room: room.id }));
      assert.equal(current(room.stream), undefined);
      ledger.stale(alice, epoch(room.stream, 2, { room, lock }));
      ledger.accept(open(alice, room.stream, 2, [alice]));
      const next = newLock(ledger.random, 2, EXPORT);
      ledger.accept(alice.write('space', 'lock', { room: room.id, lock: next.keys }));
      assert.equal(current(room.stream), undefined);
      const third = ledger.accept(epoch(room.stream, 3, { room, lock: next }));
      assert.equal(third.id, current(room.stream));
      ledger.accept(alice.write('space', 'lock', { room: room.id, lock: null }));
      assert.equal(current(room.stream), undefined);
      ledger.accept(open(alice, room.stream, 4, [alice]));
    });

    it('open epochs of rooms within by the lock above, which stays', () => {
      const { room, lock } = vault();
      const { room: elsewhere } = locked(alice, 'safe');
      const inner = make(alice, 'inner', { parent: room.id });
      assert.ok(isEncrypted(ledger.space, inner.stream));
      join(alice, inner, 'owner');
      ledger.accept(epoch(inner.stream, 1, { room, lock }));
      assert.notEqual(current(inner.stream), undefined);
      const move = { room: inner.id, parent: elsewhere.id };
      ledger.refuse(alice.write('space', 'updateroom', move), 'NOT_SUPPORTED');
      assert.notEqual(current(inner.stream), undefined);
    });
  });
});
