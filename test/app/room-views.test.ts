import assert from 'node:assert/strict';
import { roomEventOf } from '../../lib/app/room-views.ts';
import type { AccountId, RoomId } from '../../lib/crdt/keys.ts';
import type { Home } from '../../lib/node/client/home.ts';
import type { RoomNews } from '../../lib/node/client/room-news.ts';

describe('what is told of rooms', () => {
  const home = { nameOf: (account: string | undefined) => account ?? '?' } as unknown as Home;
  const [alice, bob] = ['alice' as AccountId, 'bob' as AccountId];
  const about = { room: 'r' as RoomId, path: 'a/b', by: alice };
  const event = (news: RoomNews): unknown => roomEventOf(home, news);

  it('is who is silenced there for everyone, and by whom', () => {
    const news = { ...about, kind: 'suppress', account: bob } as const;
    const told = { event: 'servermute', user: 'bob', room: 'a/b', by: 'alice' };
    assert.deepEqual(event({ ...news, state: 'suppressed' }), { ...told, suppressed: true });
    assert.deepEqual(event({ ...news, state: 'lifted' }), { ...told, suppressed: false });
  });

  it('is what becomes of them, and of people in them', () => {
    const room = { event: 'room', room: 'a/b', state: 'created' };
    assert.deepEqual(event({ ...about, kind: 'room', state: 'created' }), { ...room, by: 'alice' });
    assert.deepEqual(event({ ...about, by: undefined, kind: 'room', state: 'created' }), room);
    assert.deepEqual(event({ ...about, kind: 'member', account: bob, state: 'removed' }), {
      ...{ event: 'member', room: 'a/b', user: 'bob', state: 'removed' },
    });
  });
});
