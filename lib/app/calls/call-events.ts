/** What is told of those in a call: what they have switched on. */
import type { CallView, Participant } from '../../node/calls/wire.ts';
import type { AppEvent } from '../types.ts';

/**
 * What has changed about the others, or is so of those who have come.
 * @param own the name of who is told
 */
export function equipmentEvents(
  before: CallView | undefined,
  { participants }: CallView,
  own: string,
): AppEvent[] {
  const known = new Map(before?.participants.map((one) => [one.device, one]));
  return participants
    .filter(({ user }) => user !== own)
    .flatMap((one) => changesOf(known.get(one.device), one));
}

function changesOf(before: Participant | undefined, now: Participant): AppEvent[] {
  const { user, microphone, camera, live, recording = false } = now;
  const events: AppEvent[] = [];
  if (before?.microphone !== microphone || before.camera !== camera)
    events.push({ event: 'chatdev', user, video: camera, audio: microphone });
  if (before?.live !== live && (before !== undefined || live !== undefined))
    events.push({
      event: 'golive',
      user,
      live: live !== undefined,
      ...(live === undefined ? {} : { label: live }),
    });
  if ((before?.recording ?? false) !== recording)
    events.push({ event: 'recording', user, recording });
  return events;
}

/** What is told where no way to somebody in the call has been found. @param hasTurn it was sought there too */
export function unreachable(user: string, hasTurn: boolean): AppEvent {
  const remedy = hasTurn
    ? 'The TURN server does not lead there either.'
    : 'A TURN server leads through every router: see --turn-url-file of the server.';
  const text = `${user} has not been reached yet, and goes on being tried. ${remedy}`;
  return { event: 'notice', code: 'NETWORK', text };
}
