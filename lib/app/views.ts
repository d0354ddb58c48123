/** What the front ends are shown of messages. */
import type { CallBody, FileReference } from '../crdt/bodies.ts';
import { accountNamed } from '../crdt/people.ts';
import { presentAccount } from '../crdt/records.ts';
import type { Home } from '../node/client/home.ts';
import type { Quote, ReadMessage, ReadReaction } from '../node/client/reading.ts';
import type { ContentNews } from '../node/client/telling.ts';
import { otherOf, placeOfStream, type StreamName } from '../crdt/stream.ts';
import type { ContactNews } from '../node/client/contacts.ts';
import type { Unread } from '../node/client/unread.ts';
import { callText } from './call-text.ts';
import type {
  AppEvent,
  FileView,
  MessageView,
  PlaceView,
  Progress,
  QuoteView,
  ReactionView,
  UnreadView,
} from './types.ts';

function progressOf(home: Home, message: ReadMessage): Progress {
  if (message.state !== 'held')
    return message.code === undefined
      ? { state: message.state }
      : { state: message.state, code: message.code };
  const open = home.progress.get(home.conversations.latest(message.id));
  if (open !== undefined) {
    const { on, of, read } = open;
    return { state: 'held', on, of, ...(read === 0 ? {} : { read }) };
  }
  // What is not followed any more has reached every device.
  const all = home.audienceSize(message.stream);
  return { state: 'held', on: all, of: all };
}

/** Where a stream is, for a person: the other side of a pair, or the path of a room. */
export function placeView(home: Home, stream: StreamName): PlaceView {
  const other = otherOf(placeOfStream(stream), home.account);
  return other === undefined ? { room: home.roomName(stream) ?? '?' } : { to: home.nameOf(other) };
}

/** Whoever of these is shown by another name as well. */
export function displaysOf(
  home: Home,
  names: readonly string[],
): { displays?: { user: string; display: string }[] } {
  const displays = names.flatMap((user) => {
    const account = accountNamed(home.space, user);
    const record = account === undefined ? undefined : presentAccount(home.space, account);
    return record?.display === undefined ? [] : [{ user, display: record.display }];
  });
  return displays.length === 0 ? {} : { displays };
}

/** What stands in place of a message that was removed. */
const REMOVED = '*Message Removed*';
/** Characters of a text that are shown where it is only referred to. */
const BEGINNING = 80;

/** Enough of a text to know it again by. */
function beginningOf(text: string): string {
  const characters = [...text.slice(0, 2 * BEGINNING + 1)];
  return characters.length > BEGINNING
    ? `${characters.slice(0, BEGINNING).join('')}…`
    : characters.join('');
}

function quoteOf(home: Home, { author, text, removed }: Omit<Quote, 'id'>): QuoteView {
  if (removed === true) return { text: REMOVED };
  return {
    ...(author === undefined ? {} : { from: home.nameOf(author) }),
    ...(text === undefined ? {} : { text: beginningOf(text) }),
  };
}

/** A message as the front ends show it. */
export function viewOf(home: Home, message: ReadMessage): MessageView {
  const place = placeOfStream(message.stream);
  const mine = message.author === home.account;
  const where =
    place.type === 'pair' && message.author !== undefined
      ? { to: home.nameOf(message.author === place.a ? place.b : place.a) }
      : placeView(home, message.stream);
  const { file, reactions, reply, removed, call } = message;
  if (call !== undefined) return callView(home, message, call, where);
  return {
    id: message.id,
    from: removed === true ? '' : home.nameOf(message.author),
    ...where,
    text: removed === true ? REMOVED : message.text,
    time: message.time,
    mine,
    ...(mine ? { progress: progressOf(home, message) } : {}),
    ...(reply === undefined ? {} : { reply: { id: reply.id, ...quoteOf(home, reply) } }),
    ...(file === undefined ? {} : { file: fileView(home, file) }),
    ...(message.edited === undefined ? {} : { edited: true }),
    ...(removed === undefined ? {} : { removed }),
    ...(reactions === undefined ? {} : { reactions: reactionViews(home, reactions) }),
    ...(!mine && home.isMention(message.text) ? { mention: true } : {}),
  };
}

/** A call among the messages of a conversation. */
function callView(
  home: Home,
  { id, author, time }: ReadMessage,
  call: CallBody,
  where: PlaceView,
): MessageView {
  const { outcome, seconds, people } = call;
  return {
    id,
    from: author === undefined ? '' : home.nameOf(author),
    ...where,
    text: callText(call),
    time,
    mine: author === home.account,
    call: { outcome, seconds, people },
  };
}

function fileView(home: Home, file: FileReference): FileView {
  const { name, size, type, width, height } = file;
  return {
    name,
    size,
    ...(type === undefined ? {} : { type }),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    here: home.hasFile(file),
  };
}

function reactionViews(home: Home, reactions: readonly ReadReaction[]): ReactionView[] {
  return reactions.map(({ emoji, by }) => ({
    emoji,
    users: by.map((account) => home.nameOf(account)),
  }));
}

/** What is told of what has been done about a message; nothing of one that was removed since. */
export function contentEventOf(home: Home, news: ContentNews): AppEvent | undefined {
  const { kind, by, message, reaction } = news;
  if (message.removed === true && kind !== 'remove') return undefined;
  const place = {
    id: message.id,
    by: home.nameOf(by),
    ...placeView(home, message.stream),
  };
  switch (kind) {
    case 'edit':
      return { event: 'edited', ...place, text: message.text };
    case 'remove':
      return { event: 'removed', ...place };
    case 'react':
      return {
        event: 'reacted',
        ...place,
        ...reaction,
        about: quoteOf(home, message),
        reactions: reactionViews(home, message.reactions ?? []),
      };
    default:
      return kind satisfies never;
  }
}

function unreadView(home: Home, stream: StreamName, unread: Unread): UnreadView {
  const { count, mentions, more, missed } = unread;
  const calls = missed === undefined ? {} : { missed };
  return { ...placeView(home, stream), count, ...(more ? { more } : {}), mentions, ...calls };
}

/** Conversations of which something is unread, those that name this account first. */
export async function unreadViews(home: Home): Promise<UnreadView[]> {
  const all = await home.unread.all();
  return [...all]
    .map(([stream, unread]) => unreadView(home, stream, unread))
    .sort((a, b) => b.mentions - a.mentions || b.count - a.count);
}

/** Those of some conversations of which something is unread. */
export async function unreadOf(home: Home, streams: readonly StreamName[]): Promise<UnreadView[]> {
  const views: UnreadView[] = [];
  for (const stream of streams) {
    const unread = await home.unread.of(stream);
    if (unread.count > 0) views.push(unreadView(home, stream, unread));
  }
  return views;
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
