import assert from 'node:assert/strict';
import type { AccountId, PublicKey, RoomId } from '../../../lib/crdt/keys.ts';
import { Call, type Seat } from '../../../lib/node/server/call.ts';
import { callNamed, EQUIPMENT } from '../../support/call-stage.ts';
import { ownerOf } from '../../support/conference-stage.ts';

const seat = (device: string): Seat => ({
  account: ownerOf(device),
  device: device as PublicKey,
  equipment: EQUIPMENT,
  lost: undefined,
});
const room = (): Call => new Call(callNamed('a'), { type: 'room', room: 'x' as RoomId }, 'active');
const [alice, bob] = ['alice' as AccountId, 'bob' as AccountId];

describe('a call', () => {
  it('has each account once, in the order in which they came', () => {
    const call = room();
    for (const device of ['bob/1', 'alice/1', 'bob/2']) call.take(seat(device), 0);
    assert.deepEqual(call.accounts, ['bob', 'alice']);
    assert.deepEqual(
      call.seatsOf(bob).map(({ device }) => device),
      ['bob/1', 'bob/2'],
    );
  });

  it('counts the time for which people are together', () => {
    const call = room();
    call.take(seat('alice/1'), 0);
    call.take(seat('alice/2'), 10);
    assert.equal(call.lasted(50), 0);
    call.take(seat('bob/1'), 100);
    assert.equal(call.lasted(130), 30);
    call.release('alice/1' as PublicKey, 140);
    assert.equal(call.lasted(200), 100);
    call.release('bob/1' as PublicKey, 200);
    assert.equal(call.lasted(900), 100);
    call.take(seat('carol/1'), 1_000);
    call.take(seat('bob/1'), 1_005);
    assert.equal(call.lasted(1_010), 110);
    assert.equal(call.most, 3);
    call.release('carol/1' as PublicKey, 1_020);
    assert.equal(call.most, 3);
  });

  it('is between those two, and rings the one who is called until it is answered', () => {
    const place = { type: 'pair', caller: alice, callee: bob } as const;
    const call = new Call(callNamed('a'), place, 'ringing', 15);
    const carol = 'carol' as AccountId;
    assert.deepEqual(
      [alice, bob, carol].map((one) => call.isBetween(one)),
      [true, true, false],
    );
    assert.deepEqual(
      [alice, bob, carol].map((one) => call.rings(one)),
      [false, true, false],
    );
    call.state = 'active';
    assert.ok(!call.rings(bob));
    assert.ok(!room().isBetween(alice) && !room().rings(alice));
  });
});
