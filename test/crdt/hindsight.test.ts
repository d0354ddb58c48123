/**
 * What was right when the server judged it stays right on a replica that has seen more of the space
 * since: the same changes, and never void.
 */
import assert from 'node:assert/strict';
import type { Entry } from '../../lib/crdt/entry.ts';
import type { RoomId } from '../../lib/crdt/keys.ts';
import { Keyring } from '../../lib/crdt/keyring.ts';
import { isFitInHindsight, reduceItem, type Standing } from '../../lib/crdt/rules.ts';
import { entryItem } from '../../lib/crdt/seal.ts';
import { State } from '../../lib/crdt/state.ts';
import { LOBBY_STREAM, pairStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { Member } from '../support/community.ts';
import { roomLedger } from '../support/room-ledger.ts';
import {
  codeFacts,
  EXPORT,
  joinEntry,
  lockedEpoch,
  newLock,
  type MadeLock,
  type MadeRoom,
} from '../support/rooms.ts';

const KEY = new Uint8Array(32).fill(1);

describe('in hindsight', () => {
  let { ledger, root, alice, bob, make, locked, join } = roomLedger();
  let pair: StreamName;
  let open: MadeRoom;
  let club: MadeRoom;
  let vault: MadeRoom;
  let safe: MadeRoom;
  /** Lies in the vault, and has its lock. */
  let inner: MadeRoom;
  let lock: MadeLock;
  let rooms: MadeRoom[];

  /** Alice opens a key epoch for herself and the lock. */
  const innerEpoch = (number: number): Entry => {
    const body = lockedEpoch(alice, number, [alice], KEY, vault.id, lock.keyring);
    return alice.write(inner.stream, 'epoch', body);
  };
  const epochOf = (stream: StreamName): string =>
    ledger.at(stream).state.get<string>('epochs', 'current')!;

  beforeEach(() => {
    ({ ledger, root, alice, bob, make, locked, join } = roomLedger());
    pair = pairStream(alice.account, bob.account);
    open = make(alice, 'open');
    club = make(alice, 'club', { private: true });
    ({ room: vault, lock } = locked(alice, 'vault'));
    ({ room: safe } = locked(alice, 'safe'));
    inner = make(alice, 'inner', { parent: vault.id });
    rooms = [open, club, vault, inner];
    ledger.accept(bob.write('space', 'join', { room: open.id }));
    for (const room of [club, vault, safe, inner]) join(alice, room, 'owner');
    join(root, vault, lock.keyring);
    const add = { add: [bob.account], remove: [] };
    ledger.accept(alice.write(club.stream, 'members', add));
    ledger.accept(alice.write(club.stream, 'epoch', alice.epoch([alice, bob], 1, KEY)));
    ledger.accept(innerEpoch(1));
    ledger.accept(alice.write(pair, 'epoch', alice.epoch([alice, bob], 1, KEY)));
    ledger.accept(alice.write(club.stream, 'code', codeFacts('COME', 5)));
  });

  const carol = (): Member => ledger.join('carol');
  const target = 'ab'.repeat(32);
  const ofRoom = { call: 'c'.repeat(32), outcome: 'ended', seconds: 60, people: 2 };
  const sealedBy = (by: Member, stream: StreamName): Entry =>
    by.write(stream, 'sealed', { epoch: epochOf(stream), box: KEY });

  /** What is done in a stream other than the space. */
  const actions: Record<string, () => Entry> = {
    'said in the lobby': () => bob.write(LOBBY_STREAM, 'say', { text: 'x' }),
    'said in an open room': () => bob.write(open.stream, 'say', { text: 'x' }),
    'edited in an open room': () => bob.write(open.stream, 'edit', { target, text: 'x' }),
    'removed in an open room': () => bob.write(open.stream, 'remove', { target }),
    'reacted in an open room': () =>
      bob.write(open.stream, 'react', { target, emoji: 'x', on: true }),
    'removed by a moderator': () => root.write(open.stream, 'remove', { target, moderator: true }),
    'said in a private room': () => sealedBy(bob, club.stream),
    'said to somebody': () => sealedBy(bob, pair),
    'a key epoch in a private room': () =>
      bob.write(club.stream, 'epoch', bob.epoch([alice, bob], 2, KEY)),
    'a key epoch in a room with a lock': () => innerEpoch(2),
    'a key epoch of two': () => bob.write(pair, 'epoch', bob.epoch([alice, bob], 2, KEY)),
    'joined by a password': () => joinEntry(bob, vault, lock.keyring),
    'joined by the password of a room above': () => joinEntry(bob, inner, lock.keyring),
    'joined by a code': () => joinEntry(carol(), club, 'COME'),
    'joined as the owner': () => joinEntry(alice, make(alice, 'new', { private: true }), 'owner'),
    'left a private room': () => bob.write(club.stream, 'leave', {}),
    'somebody let in': () =>
      alice.write(club.stream, 'members', { add: [root.account], remove: [] }),
    'somebody let in by an owner who is not there': () => {
      const room = make(alice, 'new', { private: true });
      rooms.push(room);
      return alice.write(room.stream, 'members', { add: [bob.account], remove: [] });
    },
    'somebody put out': () =>
      root.write(vault.stream, 'members', { add: [], remove: [alice.account] }),
    'a call in an open room': () => ledger.server.write(open.stream, 'call', ofRoom),
    'a call in a private room': () => ledger.server.write(club.stream, 'call', ofRoom),
    'a call of two': () =>
      ledger.server.write(pair, 'call', { ...ofRoom, outcome: 'missed', caller: bob.account }),
    'a code for a room': () => bob.write(club.stream, 'code', codeFacts('MORE')),
    'a request to be a contact': () => bob.write(pair, 'request', {}),
    blocked: () =>
      bob.write(`account/${bob.account}`, 'block', { account: alice.account, blocked: true }),
  };

  const space = (kind: string, body: object, by = root): Entry =>
    ledger.accept(by.write('space', kind, body));
  const gone = (member: Member): Entry =>
    space('removeuser', { account: member.account, vengeance: false });

  /** What becomes of the space afterwards. */
  const events: Record<string, () => void> = {
    nothing: () => undefined,
    'its author has no rights any more': () => {
      for (const member of [alice, bob])
        space('setgroup', { account: member.account, group: 'mute' });
      space('setgroup', { account: alice.account, group: 'admin' });
      space('setgroup', { account: root.account, group: 'none' }, alice);
    },
    'devices of its author have been revoked': () =>
      [alice, bob].forEach((member) => ledger.rotate(member)),
    'its device has been revoked': () => {
      // Without a password the last administrator could not be revoked.
      space('setgroup', { account: ledger.join('dave').account, group: 'admin' });
      for (const member of [alice, bob, root]) {
        const fresh = Keyring.create(member.keyring.generation + 1, ledger.random);
        ledger.accept(member.write('space', 'revoke', member.revocation(member.id, [], fresh)));
      }
    },
    'the account of bob is gone': () => void gone(bob),
    'the account of alice is gone': () => void gone(alice),
    'they have left the open room': () => void space('leave', { room: open.id }, bob),
    'they are banned': () => {
      for (const { id } of rooms) space('ban', { account: bob.account, room: id, until: 0 });
    },
    'the open room is for voice': () => void space('updateroom', { room: open.id, media: 'voice' }),
    'the rooms have other owners': () => {
      for (const { id } of rooms) space('owner', { room: id, account: root.account }, alice);
    },
    'the rooms have other names and lie elsewhere': () => {
      const top = make(root, 'top');
      for (const { id } of [open, club, vault])
        space('updateroom', { room: id, name: `x${id.slice(0, 5)}`, parent: top.id });
    },
    'the lock is another': () =>
      void space('lock', { room: vault.id, lock: newLock(ledger.random, 2, EXPORT).keys }, alice),
    'the lock is gone': () => void space('lock', { room: vault.id, lock: null }, alice),
    'the lock is retired': () => void space('retire', { room: vault.id }),
  };

  const standing = (state: State, length: number): Standing => ({
    space: ledger.space,
    stream: state,
    position: length,
    hindsight: true,
    now: ledger.now,
  });
  /** A state as it is now, to be looked at later. */
  const frozen = (stream: StreamName): { state: State; length: number } => {
    const { state, length } = ledger.at(stream);
    const copy = new State();
    for (const { table, id, value } of state.records()) copy.load(table, id, value);
    return { state: copy, length };
  };

  for (const [event, happen] of Object.entries(events))
    describe(`when ${event}`, () => {
      for (const [action, write] of Object.entries(actions))
        it(`${action} is what it was`, () => {
          const entry = write();
          const { stream } = entry;
          const before = frozen(stream);
          const verdict = ledger.submit(entry);
          assert.ok(verdict.type === 'accepted', JSON.stringify(verdict));
          happen();
          const later = reduceItem(entryItem(entry), standing(before.state, before.length));
          assert.deepEqual(later, { changes: verdict.changes, void: undefined });
          assert.ok(isFitInHindsight(entry, ledger.space), 'from the past');
        });
    });

  it('whoever owned a room could come into it, and nobody else', () => {
    ledger.accept(alice.write(safe.stream, 'leave', {}));
    ledger.accept(alice.write('space', 'owner', { room: safe.id, account: root.account }));
    const { state, length } = ledger.at(safe.stream);
    const codes = [alice, root, bob].map((by) => {
      const entry = joinEntry(by, safe, 'owner');
      return reduceItem(entryItem(entry), standing(state, length)).void;
    });
    assert.deepEqual(codes, [undefined, undefined, 'DENIED']);
  });

  it('what nobody could ever have done is void', () => {
    const stranger = alice.device();
    const mallory = ledger.join('mallory');
    const lobby: RoomId = 'lobby' as RoomId;
    for (const entry of [
      stranger.write(LOBBY_STREAM, 'say', { text: 'x' }),
      mallory.write(club.stream, 'sealed', { epoch: epochOf(club.stream), box: KEY }),
      mallory.write(club.stream, 'members', { add: [mallory.account], remove: [] }),
      mallory.write(club.stream, 'leave', {}),
      mallory.write(pair, 'sealed', { epoch: epochOf(pair), box: KEY }),
      joinEntry(mallory, club, 'GUESS'),
      joinEntry(mallory, club, 'owner'),
      joinEntry(mallory, vault, newLock(ledger.random).keyring),
      mallory.write(club.stream, 'join', { by: { type: 'word' } }),
      mallory.write(`room/${lobby}`, 'join', { by: { type: 'owner' } }),
      bob.write(LOBBY_STREAM, 'call', ofRoom),
      bob.write(pair, 'call', { ...ofRoom, caller: bob.account }),
    ]) {
      const { state, length } = ledger.at(entry.stream);
      const { void: code } = reduceItem(entryItem(entry), standing(state, length));
      assert.notEqual(code, undefined, `${entry.kind} ${entry.stream}`);
    }
  });

  it('of calls tells the server alone, however long ago', () => {
    const isFit = (entry: Entry): boolean => isFitInHindsight(entry, ledger.space);
    for (const stream of [LOBBY_STREAM, club.stream, pair]) {
      assert.ok(isFit(ledger.server.forge(stream, 'call', ofRoom)));
      assert.ok(!isFit(bob.forge(stream, 'call', ofRoom)));
    }
  });
});
