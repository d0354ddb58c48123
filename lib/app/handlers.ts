/** What each command does, once somebody is logged in. Results are plain data; see `format.ts`. */
import { isPublicKey, type PublicKey } from '../crdt/keys.ts';
import { accountStream, pairStream } from '../crdt/stream.ts';
import { ClchatError, EXIT, exitStatusOf } from '../errors.ts';
import { peerIdOf } from '../node/peer-id.ts';
import { ADMIN_HANDLERS } from './admin-handlers.ts';
import { withOwnPassword } from './admin-accounts.ts';
import { isFirstPassword } from './codes.ts';
import { CONFERENCE_HANDLERS } from './conference-handlers.ts';
import { CONTACT_HANDLERS } from './contact-handlers.ts';
import { CONTENT_HANDLERS } from './content-handlers.ts';
import { FILE_HANDLERS } from './file-handlers.ts';
import {
  checkText,
  control,
  conversationNamed,
  currentConversation,
  mustBeAllowed,
  mustBeForText,
  mustTakePart,
  need,
  otherAccount,
  sent,
  whole,
  type Handler,
} from './handling.ts';
import { CALL_HANDLERS } from './call-handlers.ts';
import { shortDevice } from './short-device.ts';
import { MOVING_HANDLERS } from './moving-handlers.ts';
import { PRIVATE_HANDLERS } from './private-handlers.ts';
import { ROOM_HANDLERS } from './room-handlers.ts';
import type { Ask } from './types.ts';
import { displaysOf, placeView, viewOf } from './views.ts';

/** How many messages `history` gives unless told. */
const HISTORY_COUNT = 20;
const HISTORY_LIMIT = 10_000;

const say: Handler = async ({ text }, context) => {
  const { client, situation } = context;
  const { home } = client;
  const conversation = currentConversation(context);
  mustBeAllowed(home, 'sendMessage');
  mustBeForText(home, conversation);
  const entry = await home.conversations.say(conversation, { text: checkText(text) });
  const state = await sent(home, entry);
  home.unread.seen(conversation, situation.tellsReading);
  return {
    id: home.conversations.announced(entry.id),
    state,
    ...placeView(home, conversation),
  };
};

const message: Handler = async ({ user, message: text }, { client: { home }, situation }) => {
  const account = otherAccount(home, need(user, 'The user'));
  mustBeAllowed(home, 'sendMessage');
  const stream = pairStream(home.account, account);
  const entry = await home.conversations.say(stream, { text: checkText(text) });
  const state = await sent(home, entry);
  // Whoever answers has read what there was.
  home.unread.seen(stream, situation.tellsReading);
  return { id: home.conversations.announced(entry.id), state, to: home.nameOf(account) };
};

const history: Handler = async ({ conversation, count }, { client, situation }) => {
  const { home } = client;
  const stream =
    conversation === undefined ? situation.conversation : conversationNamed(home, conversation);
  const wanted = count === undefined ? HISTORY_COUNT : whole(count, 'The count');
  if (wanted === 0) throw new ClchatError('USAGE', 'The count is 1 or more.');
  if (wanted > HISTORY_LIMIT) throw new ClchatError('TOO_LARGE', `At most ${HISTORY_LIMIT}.`);
  mustTakePart(home, stream);
  const { conversations, unread } = home;
  await client
    .fetchOlder(stream, () => conversations.reading.hasNewest(stream, wanted))
    .catch((error: unknown) => {
      // What is here can be read all the same.
      if (exitStatusOf(error) !== EXIT.network) throw error;
    });
  const messages = await conversations.newest(stream, wanted);
  const last = messages.findLast(({ position }) => position !== undefined)?.position;
  if (last !== undefined) unread.read(stream, last + 1, situation.tellsReading);
  const other = conversations.otherName(stream);
  return {
    conversation: other === undefined ? `#${home.roomName(stream) ?? '?'}` : `@${other}`,
    messages: messages.map((one) => viewOf(home, one)),
  };
};

const search: Handler = async ({ words }, { client: { home } }) => {
  const query = need(words, 'A word');
  const { messages, isComplete } = await home.search.find(query);
  return {
    words: query,
    messages: messages.map((one) => viewOf(home, one)),
    complete: isComplete,
  };
};

const setBlocked =
  (blocked: boolean): Handler =>
  async ({ user }, { client }) => {
    const { home } = client;
    const account = otherAccount(home, need(user, 'The user'));
    const stream = accountStream(home.account);
    if ((await home.contacts.blocks(account)) === blocked)
      throw new ClchatError(blocked ? 'ALREADY' : 'NOT_BLOCKED');
    const state = await control(client, stream, 'block', { account, blocked });
    if (blocked) await client.privately.stopWith(account);
    return { user: home.nameOf(account), ...(state === 'queued' ? { state } : {}) };
  };

const whoelse: Handler = async (_args, { client }) => {
  const { users } = await client.session.call('whoelse', {});
  return { users, ...displaysOf(client.home, users) };
};

const whoelsesince: Handler = async ({ seconds: written }, { client }) => {
  const seconds = whole(need(written, 'The time'), 'The time');
  const { users } = await client.session.call('whoelsesince', { seconds });
  return { users, ...displaysOf(client.home, users) };
};

const broadcast: Handler = async ({ message: text }, { client, now }) => {
  const checked = checkText(text);
  mustBeAllowed(client.home, 'broadcast');
  return client.session.call('broadcast', { text: checked, time: now() });
};

const devices: Handler = async (_args, { client }) => {
  const { home } = client;
  const online = client.connected
    ? (await client.session.call('online', {})).devices
    : ([] as PublicKey[]);
  return {
    devices: home.devices().map(({ key, record }) => ({
      id: shortDevice(key),
      label: record.label,
      current: key === home.replica.device,
      online: online.includes(key),
      added: record.time,
      peer: peerIdOf(key),
    })),
  };
};

const revoke: Handler = async ({ device }, { client }) => {
  const { home } = client;
  const written = need(device, 'The device');
  const all = home.devices();
  const exact = all.filter(
    ({ key, record }) =>
      peerIdOf(key) === written ||
      (isPublicKey(written) && key === written) ||
      shortDevice(key) === written ||
      record.label === written,
  );
  const found =
    exact.length > 0 ? exact : all.filter(({ key }) => shortDevice(key).startsWith(written));
  const [one] = found;
  if (one === undefined) throw new ClchatError('NO_SUCH_DEVICE');
  if (found.length > 1)
    throw new ClchatError(
      'AMBIGUOUS',
      `That fits ${found.map(({ key, record }) => `${shortDevice(key)} (${record.label})`).join(', ')}. Write as much of the id as tells it from the others.`,
    );
  for (let attempt = 1; ; attempt++) {
    const { body, keyring } = home.revocation(one.key);
    try {
      await home.keyrings.keep([keyring]);
      await control(client, 'space', 'revoke', body);
      return { device: shortDevice(one.key) };
    } catch (error) {
      // Another device came or went meanwhile: the new keyring has to reach exactly those that remain.
      if (!(error instanceof ClchatError) || error.code !== 'STALE_KEY' || attempt === 3)
        throw error;
      await home.settled();
    }
  }
};

const passwd: Handler = async ({ old, new: fresh }, { client, ask }) => {
  const { home } = client;
  // A restored server may not know it any more: then the device is proof enough.
  const { password, mustChange } = home.record ?? {};
  const isKnown = !client.connected || mustChange === true;
  const hasPassword = password != null && (isKnown || (await client.lookup(home.name)).password);
  let before = hasPassword ? old : undefined;
  if (hasPassword && before === undefined) {
    if (ask === undefined) throw new ClchatError('USAGE', 'passwd OLD NEW');
    before = await ask.secret('Old password');
  }
  if (fresh === undefined && ask === undefined) throw new ClchatError('USAGE', 'passwd OLD NEW');
  const after = fresh ?? (await newPassword(ask!, false));
  if (after === '') throw new ClchatError('USAGE', 'A password may not be empty.');
  if (home.record?.mustChange === true && after === before && isFirstPassword(after))
    throw new ClchatError('USAGE', 'That is the password that was made for you; take another.');
  await client.changePassword(before, after);
  return { user: home.name };
};

/**
 * Asks twice, so that a slip of the finger locks nobody out.
 * @param orNone what to add to the question where none is possible: the answer is empty then
 */
export async function newSecret(ask: Ask, what: string, orNone?: string): Promise<string> {
  const which = orNone === undefined ? what : `${what} (${orNone})`;
  for (let question = which; ;) {
    const first = await ask.secret(question);
    if (first === '') {
      if (orNone !== undefined) return '';
      question = `It may not be empty. ${what}`;
    } else if ((await ask.secret('The same again')) === first) return first;
    else question = `That was not the same. ${which}`;
  }
}

/** @param mayBeNone an account without a password is possible: the answer is empty then */
export function newPassword(ask: Ask, mayBeNone: boolean): Promise<string> {
  return newSecret(ask, 'New password', mayBeNone ? 'Enter for none' : undefined);
}

const self: Handler = async (_args, { client: { home } }) => {
  const { group, display } = home.record ?? {};
  return {
    user: home.name,
    ...(display === undefined ? {} : { display }),
    device: shortDevice(home.replica.device),
    group,
  };
};

/** Commands for which somebody must be logged in; the rest are `App`'s own. */
export const HANDLERS: Readonly<Record<string, Handler>> = withOwnPassword({
  ...ADMIN_HANDLERS,
  ...CALL_HANDLERS,
  ...CONFERENCE_HANDLERS,
  ...CONTACT_HANDLERS,
  ...CONTENT_HANDLERS,
  ...FILE_HANDLERS,
  ...MOVING_HANDLERS,
  ...PRIVATE_HANDLERS,
  ...ROOM_HANDLERS,
  say,
  message,
  history,
  search,
  block: setBlocked(true),
  unblock: setBlocked(false),
  whoelse,
  whoelsesince,
  broadcast,
  devices,
  revoke,
  passwd,
  self,
});
