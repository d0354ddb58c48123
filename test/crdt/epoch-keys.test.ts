/** Keys of encrypted rooms: who can open what, with all that they ever had in their hands. */
import assert from 'node:assert/strict';
import { decode, encode } from '../../lib/crdt/codec.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import { derive, passwordKey, type Keyring } from '../../lib/crdt/keyring.ts';
import { sealWith, type EntryId } from '../../lib/crdt/keys.ts';
import type { EpochRecord } from '../../lib/crdt/records.ts';
import { Secrets, type ProvedLock, type SecretsOptions } from '../../lib/crdt/secrets.ts';
import type { State } from '../../lib/crdt/state.ts';
import type { Member } from '../support/community.ts';
import { roomLedger } from '../support/room-ledger.ts';
import {
  EXPORT,
  newLock,
  type LockedRoom,
  type MadeLock,
  type MadeRoom,
} from '../support/rooms.ts';

describe('keys of rooms', () => {
  let { ledger, alice, bob, make, locked, join } = roomLedger();
  let carol: Member;

  beforeEach(() => {
    ({ ledger, alice, bob, make, locked, join } = roomLedger());
    carol = ledger.join('carol');
  });

  /** What a device can open that has just been started. */
  const fresh = (member: Member, change: Partial<SecretsOptions> = {}): Secrets =>
    new Secrets({
      server: ledger.server.id,
      device: member.id,
      account: member.account,
      random: ledger.random,
      keyring: (generation) =>
        generation === member.keyring.generation ? member.keyring : undefined,
      isProven: () => true,
      space: () => ledger.space,
      provedLock: () => undefined,
      opened: (stream) => ledger.at(stream).state,
      keptEpoch: () => undefined,
      ...change,
    });
  /** The same device, when the password of a lock has been given to it. */
  const proved = (member: Member, lock: MadeLock, exportKey = EXPORT): Secrets => {
    const known: ProvedLock = { keyring: lock.keyring, password: passwordKey(exportKey) };
    const { generation } = lock.keyring;
    return fresh(member, {
      provedLock: (_holder, wanted) => (wanted === generation ? known : undefined),
    });
  };
  const state = ({ stream }: MadeRoom): State => ledger.at(stream).state;
  /** Opens an epoch where one is needed, and says something. */
  const say = (by: Member, secrets: Secrets, room: MadeRoom, text: string): Entry => {
    let epoch = secrets.writable(room.stream, state(room));
    if (epoch === undefined) {
      const body = secrets.newEpoch(room.stream, state(room));
      epoch = ledger.accept(by.write(room.stream, 'epoch', body)).id;
    }
    const at = { stream: room.stream, seq: by.next(room.stream) };
    const { body, salt } = secrets.write({ plain: { text } }, at, epoch, state(room));
    return ledger.accept(by.write(room.stream, 'sealed', body, { salt }));
  };
  const texts = (secrets: Secrets, room: MadeRoom, entries: Entry[]): (string | undefined)[] =>
    entries.map((entry) => secrets.read(entry, state(room))?.text);
  const vault = (password?: null): LockedRoom => {
    const made = locked(alice, 'vault', password);
    join(alice, made.room, 'owner');
    return made;
  };

  describe('with a password', () => {
    it('are opened by whoever has it, though nobody was there to let them in', () => {
      const { room, lock } = vault();
      const hers = proved(alice, lock);
      const said = ['one', 'two'].map((text) => say(alice, hers, room, text));
      join(bob, room, lock.keyring);
      assert.deepEqual(texts(proved(bob, lock), room, said), ['one', 'two']);
      // But not by the secret of the lock alone, which others have as well.
      const bare = fresh(bob, {
        provedLock: () => ({ keyring: lock.keyring, password: undefined }),
      });
      assert.deepEqual(texts(bare, room, said), [undefined, undefined]);
      assert.deepEqual(texts(proved(carol, lock, new Uint8Array(64)), room, said), [
        undefined,
        undefined,
      ]);
    });

    it('lead from each epoch to those before it', () => {
      const { room, lock } = vault();
      const hers = proved(alice, lock);
      const said = [say(alice, hers, room, 'one')];
      join(bob, room, lock.keyring);
      said.push(say(alice, hers, room, 'two'));
      join(carol, room, lock.keyring);
      said.push(say(alice, hers, room, 'three'));
      // No password at hand any more, only what is wrapped for her.
      assert.deepEqual(texts(fresh(carol), room, said), ['one', 'two', 'three']);
      assert.deepEqual(texts(fresh(bob), room, said), ['one', 'two', 'three']);
      assert.deepEqual(texts(fresh(ledger.join('dave')), room, said), [
        undefined,
        undefined,
        undefined,
      ]);
    });

    it('keep out who was removed, with all that they ever had', () => {
      const { room, lock } = vault();
      const hers = proved(alice, lock);
      join(bob, room, lock.keyring);
      const before = say(alice, hers, room, 'before');
      const his = proved(bob, lock);
      assert.equal(his.read(before, state(room))?.text, 'before');
      const out = { add: [], remove: [bob.account] };
      ledger.accept(alice.write(room.stream, 'members', out));
      ledger.accept(alice.write('space', 'retire', { room: room.id }));
      const after = say(alice, hers, room, 'after');
      // He has every byte of the log, his keys, the password and all that he has ever opened.
      for (const secrets of [his, proved(bob, lock), fresh(bob)])
        assert.equal(secrets.read(after, state(room)), undefined);
      // Another password is for others.
      const next = newLock(ledger.random, 2, new Uint8Array(64).fill(6));
      ledger.accept(alice.write('space', 'lock', { room: room.id, lock: next.keys }));
      const later = say(alice, proved(alice, next, new Uint8Array(64).fill(6)), room, 'later');
      for (const secrets of [his, proved(bob, lock)])
        assert.equal(secrets.read(later, state(room)), undefined);
      assert.deepEqual(texts(fresh(alice), room, [before, after, later]), [
        'before',
        'after',
        'later',
      ]);
    });

    it('are of rooms within as well, for those who are in the room above', () => {
      const { room, lock } = vault();
      const hers = proved(alice, lock);
      say(alice, hers, room, 'above');
      const inner = make(alice, 'inner', { parent: room.id });
      join(alice, inner, 'owner');
      const said = [say(alice, hers, inner, 'within')];
      join(bob, room, lock.keyring);
      join(bob, inner, lock.keyring);
      assert.deepEqual(texts(proved(bob, lock), inner, said), ['within']);
    });
  });

  describe('by invitation', () => {
    it('open what is said from then on, and nothing before', () => {
      const room = make(alice, 'club', { private: true });
      join(alice, room, 'owner');
      const before = say(alice, fresh(alice), room, 'before');
      ledger.accept(alice.write(room.stream, 'members', { add: [bob.account], remove: [] }));
      const after = say(alice, fresh(alice), room, 'after');
      assert.deepEqual(texts(fresh(bob), room, [before, after]), [undefined, 'after']);
      ledger.accept(bob.write(room.stream, 'leave', {}));
      const later = say(alice, fresh(alice), room, 'later');
      assert.deepEqual(texts(fresh(bob), room, [before, after, later]), [
        undefined,
        'after',
        undefined,
      ]);
      assert.deepEqual(texts(fresh(alice), room, [before, after, later]), [
        'before',
        'after',
        'later',
      ]);
    });

    it('are opened by members only', () => {
      const room = make(alice, 'club', { private: true });
      assert.throws(() => fresh(alice).newEpoch(room.stream, state(room)), { code: 'NOT_MEMBER' });
    });

    it('tell members the secret of a lock without a password, and check what they are told', () => {
      const { room, lock } = vault(null);
      say(alice, proved(alice, lock), room, 'one');
      ledger.accept(alice.write(room.stream, 'members', { add: [bob.account], remove: [] }));
      const known = (member: Member): Keyring | undefined =>
        fresh(member).lock(room.stream, room.id, 1, state(room));
      assert.equal(known(bob), undefined);
      say(alice, proved(alice, lock), room, 'two');
      assert.deepEqual(known(bob)?.secret, lock.keyring.secret);
      assert.equal(known(carol), undefined);
      assert.equal(fresh(bob).lock(room.stream, room.id, 2, state(room)), undefined);
      // What an epoch tells is not the secret of the lock that the space knows.
      const value = newLock(ledger.random, 1).keys;
      ledger.space.apply([{ table: 'lock', id: `${room.id}:1`, value }]);
      assert.equal(known(bob), undefined);
    });
  });

  it('are not replaced by what somebody says that they were', () => {
    const { room, lock } = vault();
    join(bob, room, lock.keyring);
    join(carol, room, lock.keyring);
    const first = say(alice, proved(alice, lock), room, 'under the first');
    const { epoch } = decode(first.body!) as { epoch: EntryId };
    // Bob opens one at the same time, which loses; it says what the key of the first was.
    const his = proved(bob, lock);
    const key = ledger.random(32);
    const real = decode(his.newEpoch(room.stream, state(room))) as EpochRecord;
    const lie = sealWith(derive('epoch previous', key), ledger.random(32), ledger.random);
    const body: EpochRecord = {
      ...real,
      number: 1,
      wraps: (bob.epoch([alice, bob, carol], 1, key) as unknown as EpochRecord).wraps.filter(
        ([id]) => real.wraps.some(([one]) => one === id),
      ),
      previous: [{ epoch, box: lie }],
    };
    ledger.accept(bob.write(room.stream, 'epoch', encode(body)));
    // One that nobody can open has a device look through all of them.
    const wraps = body.wraps.map(([id, generation]) => [id, generation, new Uint8Array(80)]);
    const { previous: _lie, ...rest } = body;
    const bare = { ...rest.lock, box: null };
    const poor = bob.write(room.stream, 'epoch', { ...rest, wraps, lock: bare });
    const unreadable = { epoch: ledger.accept(poor).id, box: new Uint8Array(40) };
    const hers = fresh(carol);
    assert.equal(hers.read(carol.forge(room.stream, 'sealed', unreadable), state(room)), undefined);
    assert.deepEqual(texts(hers, room, [first]), ['under the first']);
  });
});
