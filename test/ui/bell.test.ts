import assert from 'node:assert/strict';
import type { AppEvent, MessageView } from '../../lib/app/types.ts';
import { ringsBell } from '../../lib/ui/bell.ts';

describe('the bell', () => {
  const message = (fields: Partial<MessageView>): AppEvent => ({
    event: 'message',
    id: 'm1',
    from: 'bob',
    text: 'hello',
    time: 0,
    mine: false,
    ...fields,
  });

  it('rings for messages to this person, and no others', () => {
    assert.equal(ringsBell(message({ to: 'alice' })), true);
    assert.equal(ringsBell(message({ room: 'lobby', mention: true })), true);
    assert.equal(ringsBell(message({ room: 'lobby' })), false);
    assert.equal(ringsBell(message({ to: 'bob', from: 'alice', mine: true })), false);
  });

  it('rings where somebody waits for this person, or has waited', () => {
    const events: AppEvent[] = [
      { event: 'private-message', from: 'bob', text: 'hello', time: 0 },
      {
        ...{ event: 'private-request', user: 'bob', direction: 'incoming' },
        ...{ kind: 'direct', verified: 'never' },
      } as unknown as AppEvent,
      { event: 'ring', id: 'c1', user: 'bob' },
      { event: 'missed-call', user: 'bob', time: 0 },
    ];
    for (const event of events) assert.equal(ringsBell(event), true, event.event);
  });

  it('does not ring for what merely happens', () => {
    const events: AppEvent[] = [
      { event: 'broadcast', from: 'bob', text: 'hello', time: 0 },
      { event: 'call', id: 'c1', state: 'ringing', participants: [], user: 'bob' },
      { event: 'presence', user: 'bob', online: true },
      { event: 'notice', text: 'Some news.' },
    ];
    for (const event of events) assert.equal(ringsBell(event), false, event.event);
  });
});
