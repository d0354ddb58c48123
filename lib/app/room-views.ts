/** What is told of rooms and of who is in them. */
import type { Home } from '../node/client/home.ts';
import type { RoomNews } from '../node/client/room-news.ts';
import type { Loss } from './situation.ts';
import type { AppEvent } from './types.ts';

/** How somebody has lost a room by what has happened. */
export function lossOf({ kind, state }: RoomNews): Loss {
  if (kind === 'room') return 'gone';
  return state === 'left' ? 'left elsewhere' : 'put out';
}

export function roomEventOf(home: Home, news: RoomNews): AppEvent {
  const { path: room } = news;
  switch (news.kind) {
    case 'room': {
      const by = news.by === undefined ? {} : { by: home.nameOf(news.by) };
      return { event: 'room', room, state: news.state, ...by };
    }
    case 'member':
      return { event: 'member', room, user: home.nameOf(news.account), state: news.state };
    case 'suppress': {
      const by = news.by === undefined ? {} : { by: home.nameOf(news.by) };
      const suppressed = news.state === 'suppressed';
      return { event: 'servermute', user: home.nameOf(news.account), room, suppressed, ...by };
    }
    case 'code': {
      const user = news.state === 'redeemed' ? { user: home.nameOf(news.by) } : {};
      return { event: 'code', purpose: 'join', state: news.state, room, ...user };
    }
    default:
      return news satisfies never;
  }
}
