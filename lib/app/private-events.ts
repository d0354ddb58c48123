/** What is told of private sessions. */
import type { Home } from '../node/client/home.ts';
import { comparisonWith } from '../node/private/safety-number.ts';
import type { PrivateNews } from '../node/private/news.ts';
import type { AppEvent } from './types.ts';

/** In order. */
export function privateEventsOf(home: Home, news: PrivateNews): AppEvent[] {
  const { account, kind } = news;
  const user = home.nameOf(account);
  switch (kind) {
    case 'request': {
      const direction = news.mine ? 'outgoing' : 'incoming';
      const verified = comparisonWith(home, account);
      return [{ event: 'private-request', user, direction, kind: news.path, verified }];
    }
    case 'open':
      return [
        { event: 'path', user, kind: news.path },
        { event: 'private-open', user, verified: comparisonWith(home, account) },
      ];
    case 'away':
      return [{ event: 'private-away', user }];
    case 'back':
      return [{ event: 'path', user, kind: news.path }];
    case 'message':
      return [{ event: 'private-message', from: user, text: news.text, time: news.time }];
    case 'closed':
      return [
        {
          event: 'private-closed',
          user,
          reason: news.reason,
          ...(news.unshown === undefined ? {} : { unshown: news.unshown }),
        },
      ];
    default:
      return kind satisfies never;
  }
}
