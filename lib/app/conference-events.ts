/** What is told of conferences. */
import { LOBBY } from '../crdt/stream.ts';
import type { ConferenceNews } from '../node/client/conferences.ts';
import { fold } from '../text.ts';
import type { Loss } from './situation.ts';
import type { AppEvent } from './types.ts';

export function conferenceEventOf(news: ConferenceNews): AppEvent {
  return { event: 'conference', ...news };
}

/** Whether by what has happened somebody is not in a conference, or not any more. */
export function isOutOf({ id, participants, change }: ConferenceNews, user: string): boolean {
  if (id !== LOBBY) return !participants.some((name) => fold(name) === fold(user));
  // The lobby can be entered by those too who are not in its conference.
  return isChange(change, user, 'left') || isChange(change, user, 'kicked');
}

function isChange(change: ConferenceNews['change'], user: string, kind: string): boolean {
  return change?.kind === kind && fold(change.user) === fold(user);
}

/** How somebody has lost a conference by what has happened. */
export function conferenceLossOf({ state, change }: ConferenceNews, user: string): Loss {
  if (state === 'ended') return 'gone';
  return isChange(change, user, 'kicked') ? 'put out' : 'left elsewhere';
}
