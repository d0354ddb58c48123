/** What each command does, once somebody is logged in. Results are plain data; see `format.ts`. */
import { randomInt } from 'node:crypto';
import type { Entry } from '../crdt/entry.ts';
import { isPublicKey, type PublicKey } from '../crdt/keys.ts';
import { codeVerifier, may } from '../crdt/space.ts';
import {
  accountStream,
  LOBBY_STREAM,
  pairStream,
  roomStream,
  type StreamName,
} from '../crdt/stream.ts';
import type { Permission } from '../crdt/permissions.ts';
import type { RoomRecord } from '../crdt/records.ts';
import { ClchatError } from '../errors.ts';
import { byteLength, fold, MAX_TEXT_BYTES } from '../text.ts';
import type { Home } from '../node/client/home.ts';
import { RESET_SECONDS } from '../node/server/accounts.ts';
import { peerIdOf } from '../node/peer-id.ts';
import type { Ask } from './types.ts';
import { CONTACT_HANDLERS } from './contact-handlers.ts';
import { control, need, otherAccount, whole, type Handler } from './handling.ts';
import { viewOf } from './views.ts';

/** How many messages `history` gives unless told. */
const HISTORY_COUNT = 20;
const HISTORY_LIMIT = 10_000;

/** Refuses before anything is written where the rules will refuse anyway. */
function mustBeAllowed(home: Home, permission: Permission): void {
  if (!may(home.space, home.account, permission))
    throw new ClchatError('DENIED', `You need the permission "${permission}".`, {
      data: { permission },
    });
}

/** Waits for the server's word on an entry. */
async function sent(home: Home, entry: Entry): Promise<'held' | 'queued'> {
  const outcome = await home.outbox.answer(entry.id);
  if (outcome === 'held' || outcome === 'queued') return outcome;
  throw new ClchatError(outcome);
}

function checkText(text: string | undefined): string {
  const given = need(text, 'The text');
  if (byteLength(given.toWellFormed()) > MAX_TEXT_BYTES) throw new ClchatError('TOO_LARGE');
  return given.toWellFormed();
}

function roomNamed(home: Home, name: string): StreamName {
  const id = home.space.get<string>('roomname', fold(name));
  if (id === undefined || home.space.get<RoomRecord>('room', id) === undefined)
    throw new ClchatError('NO_SUCH_ROOM', `There is no room "${name}".`);
  return roomStream(id);
}

/** `@user`, `#room`, or a bare word: a room, then a user. */
function conversationNamed(home: Home, written: string): StreamName {
  if (written.startsWith('@'))
    return pairStream(home.account, otherAccount(home, written.slice(1)));
  if (written.startsWith('#')) return roomNamed(home, written.slice(1));
  if (home.space.get('roomname', fold(written)) !== undefined) return roomNamed(home, written);
  return pairStream(home.account, otherAccount(home, written));
}

const say: Handler = async ({ text }, { client: { home } }) => {
  mustBeAllowed(home, 'sendMessage');
  const entry = await home.conversations.say(LOBBY_STREAM, checkText(text));
  const state = await sent(home, entry);
  return { id: home.conversations.announced(entry.id), state, room: home.roomName(LOBBY_STREAM) };
};

const message: Handler = async ({ user, message: text }, { client: { home } }) => {
  const account = otherAccount(home, need(user, 'The user'));
  mustBeAllowed(home, 'sendMessage');
  const entry = await home.conversations.say(pairStream(home.account, account), checkText(text));
  const state = await sent(home, entry);
  return { id: home.conversations.announced(entry.id), state, to: home.nameOf(account) };
};

const history: Handler = async ({ conversation, count }, { client }) => {
  const { home } = client;
  const stream = conversation === undefined ? LOBBY_STREAM : conversationNamed(home, conversation);
  const wanted = count === undefined ? HISTORY_COUNT : whole(count, 'The count');
  if (wanted === 0) throw new ClchatError('USAGE', 'The count is 1 or more.');
  if (wanted > HISTORY_LIMIT) throw new ClchatError('TOO_LARGE', `At most ${HISTORY_LIMIT}.`);
  const { conversations } = home;
  await client.fetchOlder(
    stream,
    async () => (await conversations.newest(stream, wanted, true)).length >= wanted,
  );
  const messages = await conversations.newest(stream, wanted);
  const other = conversations.otherName(stream);
  return {
    conversation: other === undefined ? `#${home.roomName(stream) ?? '?'}` : `@${other}`,
    messages: messages.map((one) => viewOf(home, one)),
  };
};

const search: Handler = async ({ words }, { client: { home } }) => {
  const query = need(words, 'A word');
  const found = await home.search.search(query);
  return { words: query, messages: found.map((one) => viewOf(home, one)) };
};

const setBlocked =
  (blocked: boolean): Handler =>
  async ({ user }, { client }) => {
    const { home } = client;
    const account = otherAccount(home, need(user, 'The user'));
    const stream = accountStream(home.account);
    if ((await home.blocks(account)) === blocked)
      throw new ClchatError(blocked ? 'ALREADY' : 'NOT_BLOCKED');
    await control(client, stream, 'block', { account, blocked });
    return { user: home.nameOf(account) };
  };

const whoelse: Handler = (_args, { client }) => client.session.call('whoelse', {});

const whoelsesince: Handler = async ({ seconds }, { client }) =>
  client.session.call('whoelsesince', { seconds: whole(need(seconds, 'The time'), 'The time') });

const broadcast: Handler = async ({ message: text }, { client, now }) => {
  const checked = checkText(text);
  mustBeAllowed(client.home, 'broadcast');
  return client.session.call('broadcast', { text: checked, time: now() });
};

/** What people call a device: the end of its peer id. */
export function shortDevice(key: PublicKey): string {
  return peerIdOf(key).slice(-8);
}

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
      await home.keep([keyring]);
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

const resetpasswd: Handler = async ({ user }, { client }) => {
  const { home } = client;
  const account = home.named(need(user, 'The user'));
  const code = newCode();
  await control(client, 'space', 'reset', { account, verifier: codeVerifier(code) });
  return {
    user: home.nameOf(account),
    code,
    seconds: RESET_SECONDS,
    note: 'Direct messages from before stay readable only on devices that still have their key.',
  };
};

/** 25 characters without look-alikes: some 128 bits. */
function newCode(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789'.toUpperCase();
  const groups = Array.from({ length: 5 }, () =>
    Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join(''),
  );
  return groups.join('-');
}

const passwd: Handler = async ({ old, new: fresh }, { client, ask }) => {
  const { home } = client;
  const hasPassword = home.record?.password != null;
  let before = hasPassword ? old : undefined;
  if (hasPassword && before === undefined) {
    if (ask === undefined) throw new ClchatError('USAGE', 'passwd OLD NEW');
    before = await ask.secret('Old password');
  }
  if (fresh === undefined && ask === undefined) throw new ClchatError('USAGE', 'passwd OLD NEW');
  const after = fresh ?? (await newPassword(ask!, false));
  if (after === '') throw new ClchatError('USAGE', 'A password may not be empty.');
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

const self: Handler = async (_args, { client }) => ({
  user: client.home.name,
  device: shortDevice(client.home.replica.device),
  group: client.home.record?.group,
});

/** Commands for which somebody must be logged in; the rest are `App`'s own. */
export const HANDLERS: Readonly<Record<string, Handler>> = {
  ...CONTACT_HANDLERS,
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
  resetpasswd,
  passwd,
  self,
};
