import assert from 'node:assert/strict';
import type { RoomId } from '../../lib/crdt/keys.ts';
import { conferenceEventOf, conferenceLossOf, isOutOf } from '../../lib/app/conference-events.ts';
import type { ConferenceNews } from '../../lib/node/client/conferences.ts';

describe('what is told of conferences', () => {
  const news = (change: Partial<ConferenceNews>): ConferenceNews => ({
    id: '0123456789abcdef0123456789abcdef' as RoomId,
    name: 'tea',
    owner: 'ann',
    state: 'active',
    participants: ['ann', 'Ben'],
    ...change,
  });

  it('is what the server tells', () => {
    const told = news({ away: ['Ben'], change: { user: 'Ben', kind: 'lost' } });
    assert.deepEqual(conferenceEventOf(told), { event: 'conference', ...told });
  });

  it('shows whether one is still in them', () => {
    assert.equal(isOutOf(news({}), 'ben'), false);
    assert.equal(isOutOf(news({}), 'cat'), true);
    assert.equal(isOutOf(news({ state: 'ended', participants: [] }), 'ann'), true);
  });

  it('shows how one has lost them', () => {
    const how = (change: Partial<ConferenceNews>): string => conferenceLossOf(news(change), 'ben');
    assert.equal(how({ change: { user: 'Ben', kind: 'kicked' } }), 'put out');
    assert.equal(how({ change: { user: 'ann', kind: 'kicked' } }), 'left elsewhere');
    assert.equal(how({ state: 'ended' }), 'gone');
  });

  it('takes nobody out of the lobby who is merely not in its conference', () => {
    const lobby = (kind: string, user: string): ConferenceNews =>
      news({ id: 'lobby' as RoomId, participants: ['ann'], change: { user, kind } });
    assert.equal(isOutOf(lobby('joined', 'ann'), 'ben'), false);
    assert.equal(isOutOf(lobby('left', 'cat'), 'ben'), false);
    assert.equal(isOutOf(lobby('left', 'Ben'), 'ben'), true);
    assert.equal(isOutOf(lobby('kicked', 'ben'), 'ben'), true);
    assert.equal(isOutOf(news({ id: 'lobby' as RoomId, participants: [] }), 'ben'), false);
  });
});
