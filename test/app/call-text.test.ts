import assert from 'node:assert/strict';
import { callText } from '../../lib/app/call-text.ts';
import type { CallBody } from '../../lib/crdt/bodies.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';

describe('what is said of a call that is over', () => {
  const text = (change: Partial<CallBody>): string =>
    callText({ call: 'c'.repeat(32), outcome: 'ended', seconds: 0, people: 2, ...change });
  const caller = 'a'.repeat(32) as AccountId;

  it('is that it was missed', () => {
    assert.equal(text({ caller, outcome: 'missed', people: 1 }), 'Missed call');
  });

  it('is how long it took, and of a room how many were there', () => {
    assert.equal(text({ caller, seconds: 12 * 60 + 5 }), 'Call, 12 minutes');
    assert.equal(text({ seconds: 3_600, people: 4 }), 'Call of 4 people, 1 hour');
  });

  it('is told to the minute, or the second where it was short', () => {
    const spans = { 0: '0 seconds', 1: '1 second', 59: '59 seconds', 60: '1 minute' };
    for (const [seconds, span] of Object.entries({
      ...spans,
      ...{ 119: '1 minute', 3_599: '59 minutes', 3_660: '1 hour 1 minute' },
      ...{ 7_200: '2 hours', 90_000: '25 hours' },
    }))
      assert.equal(text({ caller, seconds: Number(seconds) }), `Call, ${span}`);
  });
});
