/** Texts of what is done about messages, and of what is unread of them. */
import type { AppEvent, PlaceView, ResultData, UnreadView } from '../app/types.ts';
import { clean } from '../text.ts';
import { body, quoted, shortId } from './format-message.ts';
import {
  author,
  figure,
  plural,
  record,
  records,
  stamp,
  word,
  words,
  type Style,
} from './style.ts';

/** Conversations that are named in one line. */
const MAX_NAMED = 5;

function placeOf({ to, room }: PlaceView): string {
  return to === undefined ? `#${clean(room ?? '?')}` : `@${clean(to)}`;
}

/** Where something happens, unless it is the current conversation. */
function elsewhere(place: PlaceView, conversation: string | undefined): string {
  const where = placeOf(place);
  return where === conversation ? '' : ` in ${where}`;
}

type Amount = Omit<UnreadView, keyof PlaceView>;

function amount({ count, more, mentions, missed = 0 }: Amount, what = ''): string {
  const number = `${count}${more === true ? '+' : ''}${what}`;
  const facts = [
    mentions === 0 ? '' : `${mentions} to you`,
    missed === 0 ? '' : plural(missed, 'missed call'),
  ].filter((fact) => fact !== '');
  return facts.length === 0 ? number : `${number} (${facts.join(', ')})`;
}

/** What a list says of a conversation: how much of it is unread. */
function amountIn(listed: Record<string, unknown>): Amount {
  const more = listed['more'] === true ? { more: true as const } : {};
  const count = figure(listed['count'] ?? listed['unread'] ?? 0);
  const mentions = figure(listed['mentions'] ?? 0);
  return { count, ...more, mentions, missed: figure(listed['missed'] ?? 0) };
}

/** What of a conversation in a list is unread; empty where nothing is. */
export function unreadText(listed: Record<string, unknown>): string {
  const found = amountIn(listed);
  return found.count > 0 ? amount(found, ' unread') : '';
}

function summaryText({ conversations, requests }: Extract<AppEvent, { event: 'unread' }>): string {
  const named = conversations
    .slice(0, MAX_NAMED)
    .map((one) => `${placeOf(one)} ${amount(one)}`)
    .join(', ');
  const rest = conversations.length - MAX_NAMED;
  const parts = [
    named === '' ? '' : `Unread: ${named}${rest > 0 ? ` and ${rest} more conversations` : ''}.`,
    requests === 0 ? '' : `${plural(requests, 'request')} to be a contact.`,
    '"/notifications" lists them.',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function reactedText(event: Extract<AppEvent, { event: 'reacted' }>, style: Style): string {
  const { by, emoji, on, about } = event;
  const who = clean(by);
  const sign = emoji === undefined ? '' : ` ${clean(emoji)}`;
  const what = on === false ? `takes${sign} back from` : `reacts${sign} to`;
  const isYours = style.user !== undefined && about.from === style.user;
  const { text } = about;
  const whose = isYours ? 'you' : about.from;
  const message = quoted({
    ...(whose === undefined ? {} : { from: whose }),
    ...(text === undefined ? {} : { text }),
  });
  return `${who} ${what} ${message || 'a message'}`;
}

/** The line of an event; undefined for one of another part, or that is not shown. */
export function contentEventText(
  event: AppEvent,
  style: Style,
  conversation?: string,
): string | undefined {
  switch (event.event) {
    case 'edited':
      return `${shortId(event.id, style)}${clean(event.by)} edits a message${elsewhere(event, conversation)}: ${body(event.text)}`;
    case 'removed':
      return `${shortId(event.id, style)}${clean(event.by)} removes a message${elsewhere(event, conversation)}`;
    case 'reacted':
      return `${shortId(event.id, style)}${reactedText(event, style)}${elsewhere(event, conversation)}`;
    case 'unread':
      return summaryText(event);
    default:
      return undefined;
  }
}

/** How something went that the server may not know of yet. */
export function done(text: string, { state }: ResultData): string {
  return state === 'queued' ? `${text} The server is away: it is told when it is back.` : `${text}`;
}

function versionsText(data: ResultData, style: Style): string {
  return records(data['versions'])
    .map(
      ({ time, user, text }) =>
        `${stamp(figure(time), style)}${author(word(user), style)}: ${body(typeof text === 'string' ? text : '')}`,
    )
    .join('\n');
}

function notificationsText(data: ResultData): string {
  const { incoming } = record(data['requests']);
  const lines = [
    ...records(data['unread']).map((one) => {
      const place = one['to'] === undefined ? { room: word(one['room']) } : { to: word(one['to']) };
      return `${placeOf(place)}: ${amount(amountIn(one))}`;
    }),
    ...words(incoming).map((user) => `${user} asks to be a contact`),
  ];
  return lines.join('\n') || 'Nothing is unread, and nobody waits for an answer.';
}

/** The text of a result; undefined for a command of another part. */
export function contentResultText(
  name: string,
  data: ResultData,
  style: Style,
): string | undefined {
  switch (name) {
    case 'edit':
      return done('The message is changed.', data);
    case 'remove':
      return done('The message is removed.', data);
    case 'react':
      return done(
        data['on'] === false
          ? `Your reaction ${word(data['emoji'])} is taken back.`
          : `You have reacted: ${word(data['emoji'])}`,
        data,
      );
    case 'versions':
      return versionsText(data, style);
    case 'notifications':
      return notificationsText(data);
    default:
      return undefined;
  }
}
