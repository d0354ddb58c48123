import assert from 'node:assert/strict';
import type { AccountId, PublicKey, RoomId } from '../../../lib/crdt/keys.ts';
import { Conference, Seat } from '../../../lib/node/server/conference.ts';

const [A, B] = ['a', 'b'] as [PublicKey, PublicKey];

describe('a seat in a conference', () => {
  let seat: Seat;
  const state = (): string =>
    [
      seat.isEmpty && 'empty',
      seat.isAway && 'away',
      seat.isShaken && 'shaken',
      seat.isOn(A) && 'A',
      seat.isOn(B) && 'B',
    ]
      .filter((one) => one !== false)
      .join(' ');

  beforeEach(() => {
    seat = new Seat();
    seat.take(A);
  });

  it('is taken on one device or several', () => {
    assert.equal(state(), 'A');
    seat.take(B);
    assert.equal(state(), 'A B');
    seat.release(A);
    assert.equal(state(), 'B');
    seat.release(A);
    seat.release(B);
    assert.equal(state(), 'empty away');
  });

  it('is away when all its devices are', () => {
    seat.take(B);
    assert.equal(seat.lose(A, 10), true);
    assert.equal(seat.lose(A, 20), false);
    assert.equal(state(), 'shaken B');
    seat.lose(B, 20);
    assert.equal(state(), 'away shaken');
    assert.equal(seat.regain(A), true);
    assert.equal(seat.regain(A), false);
    assert.equal(state(), 'shaken A');
  });

  it('counts each device from when it was lost', () => {
    seat.take(B);
    seat.lose(A, 0);
    seat.lose(B, 20);
    seat.lose(A, 15);
    seat.forget(-1);
    assert.equal(seat.regain(A), true);
    seat.lose(A, 15);
    seat.forget(15);
    assert.equal(seat.regain(A), false);
    assert.equal(seat.isEmpty, false);
    seat.forget(20);
    assert.equal(state(), 'empty away');
  });

  it('is given up with the last device that is connected', () => {
    seat.take(B);
    seat.lose(B, 0);
    seat.release(A);
    assert.equal(seat.isEmpty, true);
  });

  it('is kept for the lost when another lost device gives it up', () => {
    seat.take(B);
    seat.lose(A, 0);
    seat.lose(B, 0);
    seat.release(A);
    assert.equal(seat.isEmpty, false);
    assert.equal(seat.regain(B), true);
  });

  it('is left by the lost when another takes over', () => {
    seat.lose(A, 0);
    seat.take(B);
    seat.dropLost();
    assert.equal(seat.regain(A), false);
    assert.equal(state(), 'B');
  });
});

describe('a conference', () => {
  it('waits while its owner is away', () => {
    const [alice, bob] = ['alice', 'bob'] as [AccountId, AccountId];
    const conference = new Conference('x' as RoomId, 'tea', alice);
    for (const [account, device] of [
      [alice, A],
      [bob, B],
    ] as const) {
      const seat = new Seat();
      seat.take(device);
      conference.seats.set(account, seat);
    }
    assert.equal(conference.state, 'active');
    conference.seats.get(bob)?.lose(B, 0);
    assert.equal(conference.state, 'active');
    conference.seats.get(alice)?.lose(A, 0);
    assert.equal(conference.state, 'waiting');
    conference.owner = null;
    assert.equal(conference.state, 'active');
    assert.deepEqual(conference.participants, [alice, bob]);
  });
});
