/** Accounts of others: made, changed, removed, shut out, and given new passwords. */
import type { AccountId } from '../crdt/keys.ts';
import { ADMIN_GROUP } from '../crdt/permissions.ts';
import { isLastAdmin } from '../crdt/rights.ts';
import { codeVerifier } from '../crdt/space.ts';
import { ClchatError, textOf } from '../errors.ts';
import { isEmail } from '../node/addresses.ts';
import type { Home } from '../node/client/home.ts';
import { RESET_SECONDS } from '../node/server/accounts.ts';
import { clean, isName } from '../text.ts';
import { decree, findGroup, freeName, mustReach, mustReachGroup, NONE } from './admin-handling.ts';
import { newCode, newFirstPassword } from './codes.ts';
import { mustBeAllowed, need, otherAccount, whole, type Handler } from './handling.ts';
import type { ResultData } from './types.ts';

/** Longest display name, in UTF-16 units. */
const MAX_DISPLAY = 64;

/** Commands that are left to whoever has to change the password first. */
const BEFORE_CHANGE: ReadonlySet<string> = new Set(['passwd', 'self']);

/** Handlers that refuse whoever has a password made by somebody else. @throws MUST_CHANGE */
export function withOwnPassword(
  handlers: Readonly<Record<string, Handler>>,
): Readonly<Record<string, Handler>> {
  const guarded = ([name, handler]: [string, Handler]): [string, Handler] => [
    name,
    BEFORE_CHANGE.has(name)
      ? handler
      : async (args, context) => {
          if (context.client.home.record?.mustChange === true) throw new ClchatError('MUST_CHANGE');
          return handler(args, context);
        },
  ];
  return Object.fromEntries(Object.entries(handlers).map(guarded));
}

/** @throws BAD_ADDRESS */
function emailFrom(written: string): string {
  if (!isEmail(written)) throw new ClchatError('BAD_ADDRESS', 'That is no e-mail address.');
  return written;
}

/** What the creator of an account, or of a reset, is told of the mail that was to carry a secret. */
function mailing(
  { mailed, problem }: { mailed: boolean; problem?: string | undefined },
  secret: ResultData,
): ResultData {
  return { mailed, ...(mailed ? {} : secret), ...(problem === undefined ? {} : { problem }) };
}

const createuser: Handler = async ({ name: typed, group: written, email }, { client }) => {
  const { home, administration } = client;
  mustBeAllowed(home, 'createUser');
  const name = freeName(home, typed);
  const found = findGroup(home, written);
  const group = found ?? need(written, 'The group');
  if (!isName(group)) throw new ClchatError('BAD_NAME', textOf('BAD_NAME'));
  mustReachGroup(home, group);
  const to = email === undefined ? undefined : emailFrom(email);
  const password = newFirstPassword();
  const made = await administration.createUser({ name, group, password, email: to });
  return {
    user: name,
    group,
    known: found !== undefined,
    ...(to === undefined ? {} : { email: to }),
    ...mailing(made, { password }),
  };
};

const updateuser: Handler = async ({ user, name: typed, display, email }, { client }) => {
  const { home, administration } = client;
  const account = home.named(need(user, 'The user'));
  if (account !== home.account) {
    mustBeAllowed(home, 'renameUser');
    mustReach(home, account);
  }
  if (typed === undefined && display === undefined && email === undefined)
    throw new ClchatError('USAGE', 'Say what is to change: --name, --display or --email.');
  const name = typed === undefined ? undefined : freeName(home, typed, account);
  if (display !== undefined && display.length > MAX_DISPLAY)
    throw new ClchatError('TOO_LARGE', `A display name has at most ${MAX_DISPLAY} characters.`);
  const to = email === undefined || email === NONE ? null : emailFrom(email);
  const change = {
    ...(name === undefined ? {} : { name }),
    ...(display === undefined ? {} : { display: clean(display) }),
  };
  const before = home.nameOf(account);
  if (Object.keys(change).length > 0) await decree(client, 'updateuser', { account, ...change });
  if (email !== undefined) await administration.setEmail(account, to);
  return {
    user: home.nameOf(account),
    ...(name === undefined ? {} : { was: before }),
    ...(display === undefined ? {} : { display: change.display }),
    ...(email === undefined ? {} : { email: to }),
  };
};

/** Somebody who may be put out by whoever has the permission. @throws SELF, NO_SUCH_USER, DENIED */
function target(home: Home, user: string | undefined): AccountId {
  mustBeAllowed(home, 'removeUser');
  const account = otherAccount(home, need(user, 'The user'));
  mustReach(home, account);
  return account;
}

const removeuser: Handler = async (args, { client, ask }) => {
  const { home } = client;
  const account = target(home, args['user']);
  const user = home.nameOf(account);
  if (isLastAdmin(home.space, account)) throw new ClchatError('LAST_ADMIN');
  // The word has been written with and without its second letter "a".
  const vengeance = (args['withvengence'] ?? args['withvengeance']) !== undefined;
  const question = vengeance
    ? `Remove ${clean(user)}, and erase all their messages and files?`
    : `Remove ${clean(user)}? What they wrote stays.`;
  if (ask !== undefined && !(await ask.confirm(question, false))) return { user, declined: true };
  await decree(client, 'removeuser', { account, vengeance });
  return { user, vengeance };
};

const resetpasswd: Handler = async ({ user }, { client }) => {
  const { home, administration } = client;
  if (home.record?.group !== ADMIN_GROUP)
    throw new ClchatError('DENIED', 'Only administrators can do that.');
  const account = home.named(need(user, 'The user'));
  const code = newCode();
  await decree(client, 'reset', { account, verifier: codeVerifier(code) });
  const mailed = await administration.mailReset(account, code);
  return {
    user: home.nameOf(account),
    ...mailing(mailed, { code }),
    seconds: RESET_SECONDS,
    note: 'Direct messages from before stay readable only on devices that still have their key.',
  };
};

const kick: Handler = async ({ user }, { client }) => {
  const { home, administration } = client;
  const account = target(home, user);
  await administration.kick(account);
  return { user: home.nameOf(account), server: true };
};

const ban: Handler = async ({ user, seconds: written }, { client }) => {
  const { home } = client;
  const account = target(home, user);
  if (isLastAdmin(home.space, account)) throw new ClchatError('LAST_ADMIN');
  const seconds = written === undefined ? undefined : whole(written, 'The time');
  if (seconds === 0) throw new ClchatError('USAGE', 'The time is 1 second or more.');
  const until = seconds === undefined ? 0 : client.serverTime() + seconds * 1_000;
  await decree(client, 'ban', { account, until });
  return {
    user: home.nameOf(account),
    server: true,
    ...(seconds === undefined ? {} : { seconds }),
  };
};

const unban: Handler = async ({ user }, { client }) => {
  const { home } = client;
  const account = target(home, user);
  if (home.space.get('ban', account) === undefined)
    throw new ClchatError('NOT_BLOCKED', `${home.nameOf(account)} is not banned.`);
  await decree(client, 'unban', { account });
  return { user: home.nameOf(account), server: true };
};

export const ACCOUNT_HANDLERS: Readonly<Record<string, Handler>> = {
  createuser,
  updateuser,
  removeuser,
  resetpasswd,
};

/** Of the server; `room-moderation.ts` has those of rooms, and says which of the two is meant. */
export const SERVER_MODERATION = { kick, ban, unban };
