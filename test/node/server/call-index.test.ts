import assert from 'node:assert/strict';
import type { AccountId, PublicKey, RoomId } from '../../../lib/crdt/keys.ts';
import { Call, type Seat } from '../../../lib/node/server/call.ts';
import { CallIndex } from '../../../lib/node/server/call-index.ts';
import { callNamed, EQUIPMENT } from '../../support/call-stage.ts';
import { ownerOf } from '../../support/conference-stage.ts';

const account = (name: string): AccountId => name as AccountId;
const seat = (device: string): Seat => ({
  account: ownerOf(device),
  device: device as PublicKey,
  equipment: EQUIPMENT,
  lost: undefined,
});

describe('the index of calls', () => {
  let index: CallIndex;
  let room: Call;
  let pair: Call;

  beforeEach(() => {
    index = new CallIndex();
    room = new Call(callNamed('r'), { type: 'room', room: 'x' as RoomId }, 'active');
    const place = { type: 'pair', caller: account('alice'), callee: account('bob') } as const;
    pair = new Call(callNamed('p'), place, 'ringing');
    index.add(room);
    index.add(pair);
  });

  it('finds a call by its id, its room and a device in it', () => {
    index.seat(room, seat('carol/1'), 0);
    assert.equal(index.get(room.id), room);
    assert.equal(index.get(callNamed('q')), undefined);
    assert.equal(index.ofRoom('x' as RoomId), room);
    assert.equal(index.ofRoom('y' as RoomId), undefined);
    assert.equal(index.ofDevice('carol/1' as PublicKey), room);
    assert.equal(index.ofDevice('carol/2' as PublicKey), undefined);
    assert.deepEqual(index.all(), [room, pair]);
  });

  it('finds the one between two, whoever calls', () => {
    const [alice, bob, carol] = [account('alice'), account('bob'), account('carol')];
    assert.equal(index.between(alice, bob), pair);
    assert.equal(index.between(bob, alice), pair);
    assert.equal(index.between(alice, carol), undefined);
    assert.equal(index.between(alice, alice), undefined);
    for (const device of ['alice/1', 'bob/1']) index.seat(room, seat(device), 0);
    assert.equal(index.between(alice, bob), pair);
    index.remove(pair);
    assert.equal(index.between(alice, bob), undefined);
  });

  it('tells who is engaged: in a call, calling or called', () => {
    const engaged = (): string[] =>
      ['alice', 'bob', 'carol'].filter((one) => index.isEngaged(account(one)));
    assert.deepEqual(engaged(), ['bob']);
    index.seat(pair, seat('alice/1'), 0);
    assert.deepEqual(engaged(), ['alice', 'bob']);
    // Waited for, but not rung.
    pair.state = 'active';
    assert.deepEqual(engaged(), ['alice']);
    index.seat(room, seat('carol/1'), 0);
    assert.deepEqual(engaged(), ['alice', 'carol']);
  });

  it('remembers nothing of calls that are over and people who have left', () => {
    const seats = ['alice/1', 'alice/2', 'carol/1'].map(seat);
    for (const one of seats) index.seat(room, one, 0);
    index.seat(pair, seat('bob/1'), 0);
    index.unseat(room, seats[0]!, 0);
    assert.deepEqual(index.of(account('alice')), [pair, room]);
    index.unseat(room, seats[1]!, 0);
    assert.deepEqual(index.of(account('alice')), [pair]);
    index.remove(pair);
    index.remove(room);
    assert.equal(index.size, 0);
  });
});
