/** What the front ends are shown of messages. */
import type { Home } from '../node/client/home.ts';
import type { ReadMessage } from '../node/client/conversations.ts';
import { placeOfStream } from '../crdt/stream.ts';
import type { ContactNews } from '../node/client/contacts.ts';
import type { AppEvent, MessageView, Progress } from './types.ts';

function progressOf(home: Home, message: ReadMessage): Progress {
  if (message.state !== 'held')
    return message.code === undefined
      ? { state: message.state }
      : { state: message.state, code: message.code };
  const open = home.progress.get(message.id);
  if (open !== undefined) return { state: 'held', on: open.on, of: open.of };
  // What is not followed any more has reached every device.
  const all = home.audienceSize(message.stream);
  return { state: 'held', on: all, of: all };
}

/** A message as the front ends show it. */
export function viewOf(home: Home, message: ReadMessage): MessageView {
  const place = placeOfStream(message.stream);
  const mine = message.author === home.account;
  const where =
    place.type === 'pair'
      ? { to: home.nameOf(message.author === place.a ? place.b : place.a) }
      : { room: home.roomName(message.stream) ?? '?' };
  return {
    id: message.id,
    from: home.nameOf(message.author),
    ...where,
    text: message.text,
    time: message.time,
    mine,
    ...(mine ? { progress: progressOf(home, message) } : {}),
  };
}

/** What is told of a contact; nothing where it has gone on since. */
export function contactEventOf(home: Home, news: ContactNews): AppEvent | undefined {
  const { kind, mine, relation } = news;
  const user = home.nameOf(news.other);
  switch (kind) {
    case 'accept':
    case 'befriend':
      return { event: 'contact', user };
    case 'unfriend':
      return { event: 'unfriend', user };
    case 'request':
      if (relation === 'contact') return { event: 'contact', user };
      return {
        event: 'request',
        user,
        direction: mine ? 'outgoing' : 'incoming',
        state: 'pending',
      };
    case 'reject':
      return {
        event: 'request',
        user,
        direction: mine ? 'incoming' : 'outgoing',
        state: 'rejected',
      };
    case 'cancel':
      return {
        event: 'request',
        user,
        direction: mine ? 'outgoing' : 'incoming',
        state: 'cancelled',
      };
    default:
      return kind satisfies never;
  }
}
