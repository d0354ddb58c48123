import assert from 'node:assert/strict';
import type { Entry } from '../../lib/crdt/entry.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { LOBBY } from '../../lib/crdt/stream.ts';
import { isSuppressed } from '../../lib/crdt/suppress.ts';
import type { Member } from '../support/community.ts';
import { roomLedger } from '../support/room-ledger.ts';
import type { MadeRoom } from '../support/rooms.ts';

const NOBODY = 'f'.repeat(32) as AccountId;
const NOWHERE = { id: 'e'.repeat(32) } as MadeRoom;

describe('silencing somebody for everyone', () => {
  let { ledger, root, alice, bob, make, put } = roomLedger();

  beforeEach(() => {
    ({ ledger, root, alice, bob, make, put } = roomLedger());
  });

  const suppress = (
    by: Member,
    { account }: { account: AccountId },
    room?: { id: string },
    on = true,
  ): Entry =>
    by.write('space', 'suppress', {
      account,
      on,
      ...(room === undefined ? {} : { room: room.id }),
    });
  const isSilent = (member: Member, room?: MadeRoom): boolean =>
    isSuppressed(ledger.space, member.account, room?.id);

  it('in a room is for its owner, until it is lifted', () => {
    const [den, other] = [make(alice, 'den'), make(bob, 'other')];
    ledger.accept(suppress(alice, bob, den));
    assert.deepEqual(
      [isSilent(bob, den), isSilent(bob, other), isSilent(bob)],
      [true, false, false],
    );
    ledger.refuse(suppress(alice, bob, den), 'ALREADY');
    ledger.accept(suppress(alice, bob, den, false));
    assert.ok(!isSilent(bob, den));
    ledger.refuse(suppress(alice, bob, den, false), 'ALREADY');
    ledger.refuse(suppress(alice, bob, other), 'DENIED');
  });

  it('everywhere, or in rooms of others, takes a permission', () => {
    const den = make(bob, 'den');
    for (const room of [undefined, den, { id: LOBBY }])
      ledger.refuse(suppress(alice, bob, room), 'DENIED');
    put(alice, 0, 'suppressUser');
    ledger.accept(suppress(alice, bob));
    assert.deepEqual([isSilent(bob), isSilent(bob, den)], [true, true]);
    // The one is nothing to the other.
    ledger.refuse(suppress(alice, bob, den, false), 'ALREADY');
    ledger.accept(suppress(alice, bob, den));
    ledger.accept(suppress(alice, bob, undefined, false));
    assert.deepEqual([isSilent(bob), isSilent(bob, den)], [false, true]);
  });

  it('is done to nobody of a higher level', () => {
    const den = make(alice, 'den');
    put(alice, 20, 'suppressUser');
    put(bob, 21);
    for (const room of [undefined, den]) {
      ledger.refuse(suppress(alice, bob, room), 'DENIED');
      ledger.accept(suppress(root, bob, room));
      ledger.refuse(suppress(alice, bob, room, false), 'DENIED');
    }
  });

  it('is done by nobody to themselves, and lifted so by right only', () => {
    const den = make(alice, 'den');
    ledger.refuse(suppress(root, root), 'SELF');
    ledger.refuse(suppress(alice, alice, den), 'SELF');
    ledger.accept(suppress(root, alice, den));
    ledger.refuse(suppress(alice, alice, den, false), 'DENIED');
    assert.ok(isSilent(alice, den));
    put(alice, 0, 'suppressUser');
    ledger.accept(suppress(alice, alice, den, false));
    assert.ok(!isSilent(alice, den));
  });

  it('is of people and rooms that there are', () => {
    ledger.refuse(suppress(root, { account: NOBODY }), 'NO_SUCH_USER');
    ledger.refuse(suppress(root, bob, NOWHERE), 'NO_SUCH_ROOM');
    ledger.reject(
      ledger.server.forge('space', 'suppress', { account: bob.account, on: true }),
      'DENIED',
    );
  });

  it('is gone with the room, and with the account', () => {
    const den = make(alice, 'den');
    const inner = make(alice, 'inner', { parent: den.id });
    const stays = make(alice, 'stays');
    for (const room of [undefined, den, inner, stays]) ledger.accept(suppress(root, bob, room));
    ledger.accept(root.write('space', 'removeroom', { room: den.id }));
    const left = (): string[] => [...ledger.space.entries('suppress')].map(([id]) => id).sort();
    assert.deepEqual(left(), [bob.account, `${stays.id}:${bob.account}`].sort());
    ledger.accept(suppress(root, alice));
    ledger.accept(root.write('space', 'removeuser', { account: bob.account, vengeance: false }));
    assert.deepEqual(left(), [alice.account]);
  });
});
