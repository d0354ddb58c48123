/** What is done about messages that have been said, and what is unread of them. */
import { placeOfStream, type StreamName } from '../crdt/stream.ts';
import { ClchatError } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import type { Home } from '../node/client/home.ts';
import { clean } from '../text.ts';
import { requestsOf } from './contact-handlers.ts';
import { messageNamed, type Target } from './content-target.ts';
import {
  checkText,
  currentConversation,
  mustBeAllowed,
  mustBeForText,
  need,
  sent,
  type Handler,
  type HandlerContext,
} from './handling.ts';
import { placeView, unreadViews, viewOf } from './views.ts';

/** Longest reaction, in UTF-16 units: emoji are made of up to a dozen. */
const MAX_REACTION = 32;
/** Conversations of which older messages are fetched to count those that are unread. */
const MOST_FETCHED = 50;

function target(
  { message }: { readonly message?: string },
  context: HandlerContext,
  deed: 'said' | 'done' = 'done',
): Promise<Target> {
  const conversation = (): StreamName => currentConversation(context, deed);
  return messageNamed(context.client, conversation, need(message, 'The message'));
}

/** Where a message is, and how it is called. */
function about(home: Home, { entry, message }: Target): Record<string, unknown> {
  return { id: message.id, ...placeView(home, entry.stream) };
}

/**
 * By what right somebody changes a message, or sees what it said before.
 * @returns whether it is by permission, and not as its author
 * @throws DENIED
 */
function rightOver(home: Home, { entry, message }: Target): boolean {
  if (message.author === home.account) return false;
  if (placeOfStream(entry.stream).type === 'pair')
    throw new ClchatError('DENIED', 'In a talk between two each changes only their own messages.');
  mustBeAllowed(home, 'changeMessage');
  return true;
}

const edit: Handler = async (args, context) => {
  const { home } = context.client;
  const text = checkText(args['text']);
  const found = await target(args, context, 'said');
  const { stream, id } = found.entry;
  const isModerator = rightOver(home, found);
  const entry = await home.conversations.edit(stream, id, text, isModerator);
  return { ...about(home, found), state: await sent(home, entry), text };
};

const remove: Handler = async (args, context) => {
  const { home } = context.client;
  const found = await target(args, context);
  const { stream, id } = found.entry;
  const entry = await home.conversations.remove(stream, id, rightOver(home, found));
  return { ...about(home, found), state: await sent(home, entry) };
};

const reply: Handler = async (args, context) => {
  const { home } = context.client;
  const text = checkText(args['text']);
  mustBeAllowed(home, 'sendMessage');
  const found = await target(args, context, 'said');
  const { stream, id } = found.entry;
  mustBeForText(home, stream);
  const entry = await home.conversations.say(stream, { text, reply: id });
  const state = await sent(home, entry);
  home.unread.seen(stream, context.situation.tellsReading);
  const said = await home.conversations.reading.read(entry, { state: 'sending' });
  const { reply: quote, ...view } = viewOf(home, said);
  return {
    id: home.conversations.announced(entry.id),
    state,
    ...placeView(home, stream),
    text: view.text,
    time: view.time,
    reply: quote,
  };
};

function reactionOf(written: string | undefined): string {
  const emoji = need(written, 'The reaction');
  if (emoji.length > MAX_REACTION) throw new ClchatError('TOO_LARGE', 'A reaction is one sign.');
  if (/\s/u.test(emoji) || clean(emoji) !== emoji)
    throw new ClchatError('USAGE', 'A reaction is one sign, such as 👍.');
  return emoji;
}

const react: Handler = async (args, context) => {
  const { home } = context.client;
  const emoji = reactionOf(args['emoji']);
  mustBeAllowed(home, 'sendMessage');
  const found = await target(args, context);
  const { stream, id } = found.entry;
  const { reactions = [] } = found.message;
  const before = reactions.find((one) => one.emoji === emoji);
  const on = before?.by.includes(home.account) !== true;
  const entry = await home.conversations.react(stream, id, emoji, on);
  return { ...about(home, found), state: await sent(home, entry), emoji, on };
};

const versions: Handler = async (args, context) => {
  const { home } = context.client;
  const found = await target(args, context);
  rightOver(home, found);
  const all = await home.conversations.reading.versions(found.entry);
  return {
    ...about(home, found),
    versions: all.map(({ text, time, by }) => ({ text, time, user: home.nameOf(by) })),
  };
};

/** Fetches what has to be counted and is not here: on a new device that is nearly everything. */
async function completeUnread(client: Client): Promise<void> {
  const { replica, unread } = client.home;
  let fetched = 0;
  for (const stream of await replica.log.names()) {
    if (fetched >= MOST_FETCHED || !client.connected) return;
    if (!unread.takesPart(stream) || !(await unread.isIncomplete(stream))) continue;
    fetched++;
    await client.fetchOlder(stream, async () => !(await unread.isIncomplete(stream)));
  }
}

const notifications: Handler = async (_args, { client }) => {
  const { home } = client;
  await completeUnread(client);
  return { unread: await unreadViews(home), requests: await requestsOf(home) };
};

export const CONTENT_HANDLERS: Readonly<Record<string, Handler>> = {
  edit,
  remove,
  reply,
  react,
  versions,
  notifications,
};
