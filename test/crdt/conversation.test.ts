import assert from 'node:assert/strict';
import {
  currentEpoch,
  isEncrypted,
  lastEpochNumber,
  MAX_MEMBERS,
  membersOf,
} from '../../lib/crdt/conversation.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import { Keyring } from '../../lib/crdt/keyring.ts';
import type { AccountId, EntryId } from '../../lib/crdt/keys.ts';
import { reduceItem } from '../../lib/crdt/rules.ts';
import { entryItem } from '../../lib/crdt/seal.ts';
import { accountStream, LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import { Ledger, type Member } from '../support/community.ts';

const KEY = new Uint8Array(32).fill(1);

describe('conversations', () => {
  let ledger: Ledger;
  let alice: Member;
  let bob: Member;
  let pair: StreamName;

  beforeEach(() => {
    ledger = new Ledger();
    alice = ledger.join('alice');
    bob = ledger.join('bob');
    pair = pairStream(alice.account, bob.account);
  });

  const open = (by: Member, stream: StreamName, number: number, members: Member[]): Entry =>
    by.write(stream, 'epoch', by.epoch(members, number, KEY));
  const current = (stream: StreamName): EntryId | undefined =>
    currentEpoch(stream, ledger.at(stream).state, ledger.space)?.id;
  /** Somebody's keyring begins a new generation, as after a lost device. */
  const rotate = (member: Member): void => {
    const phone = ledger.enrol(member);
    const fresh = Keyring.create(member.keyring.generation + 1, ledger.random);
    const body = member.revocation(phone.id, [member], fresh);
    ledger.accept(member.write('space', 'revoke', body));
    member.keyring = fresh;
  };
  const privateRoom = (owner: Member, members: readonly Member[]): StreamName => {
    const name = `room${owner.next('space')}`;
    const entry = ledger.accept(owner.write('space', 'room', { name, private: true }));
    const room = `room/${entry.id.slice(0, 32)}` as const;
    const add = members.map(({ account }) => account);
    ledger.accept(owner.write(room, 'members', { add, remove: [] }));
    return room;
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
      ledger.appoint(alice, 'admin');
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
      ledger.appoint(alice, 'admin');
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
      });
      rotate(bob);
      const later = reduceItem(entryItem(raced), {
        space: ledger.space,
        stream: state,
        position: length,
        hindsight: true,
      });
      assert.deepEqual(later, sealed);
      assert.equal(state.get('epochs', 'current'), first.id);
    });

    it('need a new epoch once a device of either has been revoked', () => {
      const first = ledger.accept(open(alice, pair, 1, [alice, bob]));
      rotate(bob);
      assert.equal(current(pair), undefined);
      ledger.stale(alice, alice.sealed(pair, first.id, KEY, 'stale'));
      const second = ledger.accept(open(alice, pair, 2, [alice, bob]));
      assert.equal(current(pair), second.id);
      ledger.accept(alice.sealed(pair, second.id, KEY, 'fresh'));
      assert.ok(ledger.at(pair).state.get('epoch', first.id), 'the old one stays readable');
    });
  });

  describe('in a private room', () => {
    it('have the members that its owner says', () => {
      const carol = ledger.join('carol');
      const room = privateRoom(alice, [alice, bob]);
      assert.deepEqual(
        membersOf(room, ledger.at(room).state).sort(),
        [alice.account, bob.account].sort(),
      );
      const add = { add: [carol.account], remove: [] };
      ledger.refuse(bob.write(room, 'members', add), 'DENIED');
      ledger.reject(carol.write(room, 'members', add), 'DENIED');
      const unknown = { add: ['f'.repeat(32) as AccountId], remove: [] };
      ledger.refuse(alice.write(room, 'members', unknown), 'NO_SUCH_USER');
      ledger.accept(alice.write(room, 'members', { ...add, remove: [bob.account] }));
      assert.deepEqual(
        membersOf(room, ledger.at(room).state).sort(),
        [alice.account, carol.account].sort(),
      );
    });

    it('need a new epoch when somebody comes or goes', () => {
      const carol = ledger.join('carol');
      const room = privateRoom(alice, [alice, bob]);
      const first = ledger.accept(open(bob, room, 1, [alice, bob]));
      ledger.accept(bob.sealed(room, first.id, KEY, 'hi'));
      ledger.accept(alice.write(room, 'members', { add: [carol.account], remove: [] }));
      assert.equal(current(room), undefined);
      ledger.stale(bob, bob.sealed(room, first.id, KEY, 'hi'));
      ledger.accept(open(carol, room, 2, [carol, alice, bob]));
      ledger.accept(alice.write(room, 'members', { add: [], remove: [bob.account] }));
      assert.equal(current(room), undefined);
      ledger.reject(bob.forge(room, 'sealed', { epoch: first.id, box: KEY }), 'DENIED');
    });

    it('have no more members than a key epoch reaches', () => {
      const accounts = Array.from({ length: MAX_MEMBERS }, (_, n) => {
        const id = n.toString(16).padStart(32, '0') as AccountId;
        const value = ledger.space.get('account', alice.account);
        ledger.space.apply([{ table: 'account', id, value }]);
        return id;
      });
      const room = privateRoom(alice, []);
      ledger.accept(alice.write(room, 'members', { add: accounts.slice(1), remove: [] }));
      ledger.accept(alice.write(room, 'members', { add: [alice.account], remove: [] }));
      const extra = { add: [bob.account], remove: [] };
      ledger.refuse(alice.write(room, 'members', extra), 'TOO_LARGE');
    });
  });
});
