import assert from 'node:assert/strict';
import type { AccountId } from '../../../lib/crdt/keys.ts';
import { Presence } from '../../../lib/node/server/presence.ts';
import { TestClock } from '../../support/community.ts';

const id = (name: string): AccountId => name as AccountId;
const [A, B, C] = ['alice', 'bob', 'carol'].map(id) as [AccountId, AccountId, AccountId];

describe('presence', () => {
  let clock: TestClock;
  let told: string[];
  let blocks: Set<string>;
  let presence: Presence;

  beforeEach(() => {
    clock = new TestClock();
    told = [];
    blocks = new Set();
    presence = new Presence({
      clock,
      isBlocked: (blocker, target) => blocks.has(`${blocker} ${target}`),
      tell: (to, about, online) => told.push(`${to}: ${about} ${online ? 'came' : 'left'}`),
    });
  });

  it('is told to all others, when somebody comes and when they leave', () => {
    presence.enter(A);
    presence.enter(B);
    presence.enter(C);
    assert.deepEqual(told.splice(0), ['alice: bob came', 'alice: carol came', 'bob: carol came']);
    presence.leave(B);
    assert.deepEqual(told, ['alice: bob left', 'carol: bob left']);
    assert.ok(!presence.isOnline(B));
    assert.deepEqual(presence.online(), [A, C]);
  });

  it('is that of the person, not of each device', () => {
    presence.enter(A);
    presence.enter(B);
    presence.enter(B);
    assert.deepEqual(told.splice(0), ['alice: bob came']);
    presence.leave(B);
    assert.ok(presence.isOnline(B));
    assert.deepEqual(told, []);
    presence.leave(B);
    assert.deepEqual(told, ['alice: bob left']);
  });

  it('is not told to those whom one has blocked', () => {
    blocks.add('bob alice');
    presence.enter(A);
    presence.enter(B);
    presence.leave(B);
    assert.deepEqual(told, []);
    presence.enter(B);
    presence.leave(A);
    assert.deepEqual(told, ['bob: alice left']);
  });

  it('is hidden from those who ask and are blocked', () => {
    for (const account of [A, B, C]) presence.enter(account);
    blocks.add('bob alice');
    assert.deepEqual(presence.whoElse(A), [C]);
    assert.deepEqual(presence.whoElse(B), [A, C]);
  });

  it('is remembered, back to the start of the server', () => {
    presence.enter(A);
    presence.enter(B);
    clock.pass(10_000);
    presence.leave(B);
    clock.pass(30_000);
    presence.enter(C);
    // Whoever is online was online a moment ago.
    assert.deepEqual(presence.whoElseSince(A, 5), [C]);
    assert.deepEqual(presence.whoElseSince(A, 29), [C]);
    assert.deepEqual(presence.whoElseSince(A, 30).sort(), [B, C]);
    assert.deepEqual(presence.whoElseSince(A, 1e9).sort(), [B, C]);
    assert.deepEqual(presence.whoElseSince(C, 1e9).sort(), [A, B]);
    // It may include those who have blocked the one who asks.
    blocks.add('bob alice');
    assert.deepEqual(presence.whoElseSince(A, 1e9).sort(), [B, C]);
  });

  it('loses nobody when the clock on the wall is set', () => {
    presence.enter(A);
    presence.enter(B);
    presence.leave(B);
    clock.wall += 3_600_000;
    assert.deepEqual(presence.whoElseSince(A, 60), [B]);
    clock.wall -= 7_200_000;
    assert.deepEqual(presence.whoElseSince(A, 60), [B]);
  });
});
