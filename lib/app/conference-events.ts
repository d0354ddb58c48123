/** What is told of conferences. */
import { LOBBY } from '../crdt/stream.ts';
import type { ConferenceNews } from '../node/client/conferences.ts';
import { fold } from '../text.ts';
import type { AppEvent } from './types.ts';

export function conferenceEventOf(news: ConferenceNews): AppEvent {
  return { event: 'conference', ...news };
}

/** Whether by what has happened somebody is not in a conference, or not any more. */
export function isOutOf({ id, participants, change }: ConferenceNews, user: string): boolean {
  const isMeant = (name: string): boolean => fold(name) === fold(user);
  if (id !== LOBBY) return !participants.some(isMeant);
  // The lobby can be entered by those too who are not in its conference.
  return change !== undefined && isMeant(change.user) && ['left', 'kicked'].includes(change.kind);
}
