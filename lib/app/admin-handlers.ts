/** Administration: groups, codes, accounts of others, and the server's own name and words. */
import type { ServerRecord } from '../crdt/records.ts';
import { ClchatError } from '../errors.ts';
import { isName } from '../text.ts';
import { ACCOUNT_HANDLERS } from './admin-accounts.ts';
import { CODE_HANDLERS } from './admin-codes.ts';
import { GROUP_HANDLERS } from './admin-groups.ts';
import { decree, NONE } from './admin-handling.ts';
import { mustBeAllowed, need, type Handler } from './handling.ts';

/** Longest message of the day, in UTF-16 units. */
const MAX_MOTD = 1_024;

const renameserver: Handler = async ({ name: typed }, { client }) => {
  const { home } = client;
  mustBeAllowed(home, 'renameServer');
  const name = need(typed, 'The name');
  if (!isName(name)) throw new ClchatError('BAD_NAME');
  const was = home.serverName;
  await decree(client, 'renameserver', { name });
  return { name, was };
};

const motd: Handler = async ({ text }, { client }) => {
  const { home } = client;
  if (text === undefined)
    return { motd: home.space.get<ServerRecord>('server', 'server')?.motd ?? '' };
  mustBeAllowed(home, 'renameServer');
  if (text.length > MAX_MOTD) throw new ClchatError('TOO_LARGE', `At most ${MAX_MOTD} characters.`);
  const value = text.trim() === NONE ? '' : text.toWellFormed();
  await decree(client, 'motd', { text: value });
  return { motd: value, set: true };
};

export const ADMIN_HANDLERS: Readonly<Record<string, Handler>> = {
  ...ACCOUNT_HANDLERS,
  ...CODE_HANDLERS,
  ...GROUP_HANDLERS,
  renameserver,
  motd,
};
