/** What the front ends are told of codes, groups and the server's own words. */
import type { ServerRecord } from '../crdt/records.ts';
import { textOf } from '../errors.ts';
import type { AdminNews } from '../node/client/admin-news.ts';
import type { Home } from '../node/client/home.ts';
import type { AppEvent } from './types.ts';

/** What is told of something that has happened; nothing of one's own name. */
export function adminEventOf(home: Home, news: AdminNews): AppEvent | undefined {
  switch (news.kind) {
    case 'code': {
      const { purpose, state, group, by } = news;
      return {
        event: 'code',
        purpose,
        state,
        ...(group === undefined ? {} : { group }),
        ...(by === undefined ? {} : { user: home.nameOf(by) }),
      };
    }
    case 'group': {
      const { group, state, account } = news;
      const who = account === undefined ? {} : { user: home.nameOf(account) };
      return { event: 'group', group, state, ...who };
    }
    case 'suppress': {
      const by = news.by === undefined ? {} : { by: home.nameOf(news.by) };
      return { event: 'servermute', user: home.nameOf(news.account), suppressed: news.on, ...by };
    }
    case 'server':
      return { event: 'notice', text: `The server is called ${news.name} now.` };
    case 'name':
      return undefined;
    default:
      return news satisfies never;
  }
}

/** What everybody is told who comes in. */
export function arrivalNotices(home: Home): AppEvent[] {
  const motd = home.space.get<ServerRecord>('server', 'server')?.motd ?? '';
  return [
    ...(motd === '' ? [] : [{ event: 'notice', text: `Message of the day: ${motd}` } as const]),
    ...(home.record?.mustChange === true
      ? [{ event: 'notice', code: 'MUST_CHANGE', text: textOf('MUST_CHANGE') } as const]
      : []),
  ];
}
