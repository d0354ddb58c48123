/** Getting into an account: by the device, by a password, by a code, or by making it. */
import type { AccountId } from '../crdt/keys.ts';
import { ClchatError, hasCode } from '../errors.ts';
import type { Hello } from '../node/client/link.ts';
import { become, leave } from '../node/keystore.ts';
import { clean, fold, whyNotFree } from '../text.ts';
import type { ClientPeer } from './client-peer.ts';
import type { Found } from './finding.ts';
import { isFirstPassword, writtenCode } from './codes.ts';
import { newPassword, newSecret } from './handlers.ts';
import type { Ask } from './types.ts';

export interface Credentials {
  readonly password: string | undefined;
  /** For a name that is new an invitation, for one that is there a code in place of its password. */
  readonly code: string | undefined;
}

export interface LoginOptions {
  /** Whether a new account may be made of an unknown name… */
  readonly mayRegister: boolean;
  /** …and whether a known one may be entered. */
  readonly mayLogin: boolean;
  /** Ask for the password even where the device's key would do. */
  readonly mustProve: boolean;
}

export interface EnterOptions extends LoginOptions {
  readonly credentials: Credentials;
  readonly ask: Ask | undefined;
  /** The server that was looked for. */
  readonly found: Pick<Found, 'key' | 'explain' | 'onReached'>;
  /** The server runs in this process: its own console needs no invitation. */
  readonly isHost: boolean;
  /** A person typed a wrong password and may try again. */
  readonly onWrongPassword: (text: string) => void;
}

interface Way {
  /** The account is new. */
  readonly created: boolean;
  /** The password that was right, where one was needed. */
  readonly password?: string | undefined;
}

/** Wrong passwords that a person at a terminal may type before the program gives up. */
const ATTEMPTS = 3;

/** What an error carries when the person did not want the account that would have had to be made. */
const DECLINED = { declined: true } as const;

export function hasDeclined(error: unknown): boolean {
  return error instanceof ClchatError && error.data === DECLINED;
}

/** Whether an error only says that the server is away. */
export function isAway(error: unknown): boolean {
  const codes = ['NETWORK', 'NO_SERVER', 'TIMEOUT', 'CLOSED', 'MULTICAST_BLOCKED'] as const;
  return codes.some((code) => hasCode(error, code));
}

/**
 * Connects and logs in, or registers where the name is new. With the server away, a device that has
 * been in before begins from its replica.
 * @returns whether the account is new
 */
export async function enterAccount(
  peer: ClientPeer,
  name: string,
  options: EnterOptions,
): Promise<boolean> {
  const { client, keystore } = peer;
  const { credentials, ask, found } = options;
  // Meanwhile the way to the server is found.
  if (credentials.password !== undefined && keystore.read().account === undefined)
    peer.warmPasswords();
  try {
    await client.connect();
  } catch (error) {
    // Without any address yet it is away as well.
    const away = isAway(error) || hasCode(error, 'BAD_ADDRESS');
    const failure = found.explain?.(error) ?? error;
    if (!away || keystore.read().account === undefined) throw failure;
    await client.startAway(credentials.password).catch((refusal: unknown) => {
      throw hasCode(refusal, 'NOT_LOGGED_IN') ? failure : refusal;
    });
    return false;
  }
  // A new profile does not know yet whom it should meet.
  if (client.server !== found.key) {
    const error = new ClchatError('SERVER_KEY_CHANGED');
    throw found.explain?.(error) ?? error;
  }
  const { account, revoked, name: serverName } = client.hello!;
  if (client.address !== undefined) await found.onReached?.(client.address, serverName);
  if (revoked) throw new ClchatError('REVOKED');
  const { created, password } =
    account === null
      ? await enterByName(peer, name, options)
      : await enterByDevice(peer, name, account, options);
  if (ask !== undefined) await replaceFirstPassword(peer, password, ask);
  return created;
}

/** A password that somebody else made is good for coming in, and for nothing more. */
async function replaceFirstPassword(
  { client }: ClientPeer,
  used: string | undefined,
  ask: Ask,
): Promise<void> {
  if (client.home.record?.mustChange !== true) return;
  const first = used ?? (await ask.secret('First password'));
  const mustDiffer = isFirstPassword(first);
  let fresh = await newSecret(
    ask,
    mustDiffer
      ? 'Your password was made by somebody else. New password'
      : 'Your account was made by somebody else. New password, or the same again',
  );
  while (mustDiffer && fresh === first)
    fresh = await newSecret(ask, 'That is the old one. New password');
  await client.changePassword(first, fresh);
}

/**
 * The server says whose device this is. What the keystore says differs where the answer that would
 * have told was lost, or where the server was restored from a backup.
 */
async function recognise(
  { client, keystore }: ClientPeer,
  { id, name }: { id: AccountId; name: string },
): Promise<void> {
  if (keystore.read().account?.id === id) return;
  const { server, hello } = client;
  await keystore.update((record) => {
    const known = record.aside?.find(({ account }) => account.id === id);
    return become(record, {
      account: { id, name },
      // An older version may have left the account's secrets without it.
      keyring: record.account === undefined ? record.keyring : [],
      ...known,
      ...(server && hello && { server: { key: server, name: hello.name } }),
    });
  });
}

async function redeem(
  { client }: ClientPeer,
  name: string,
  { password: given, code }: Credentials,
  ask: Ask | undefined,
): Promise<void> {
  const password = given ?? (ask === undefined ? '' : await newPassword(ask, false));
  if (password === '')
    throw new ClchatError(
      'USAGE',
      'With a code comes a new password: CLCHAT_PASSWORD or --password-file.',
    );
  await client.recover(name, writtenCode(code ?? ''), password);
}

async function enterByDevice(
  peer: ClientPeer,
  name: string,
  account: NonNullable<Hello['account']>,
  options: EnterOptions,
): Promise<Way> {
  const { client, keystore } = peer;
  await recognise(peer, account);
  // Somebody who was renamed meanwhile comes once more by the old name.
  const names = [account.name, keystore.read().account?.name ?? ''];
  if (!names.some((one) => fold(one) === fold(name)))
    throw new ClchatError('DENIED', `This data directory belongs to "${clean(account.name)}".`);
  if (!options.mayLogin) throw new ClchatError('NAME_TAKEN');
  const { credentials, ask } = options;
  let password: string | undefined;
  if (credentials.code !== undefined) await redeem(peer, account.name, credentials, ask);
  else {
    const asks = options.mustProve && account.passwordVersion > 0;
    const trying = { ...options, ask: asks ? ask : undefined };
    password = await tryPasswords(trying, (given) => client.loginDevice(given));
  }
  const known = keystore.read().account;
  if (known !== undefined && known.name !== account.name)
    await keystore.update((record) => ({ ...record, account: { ...known, name: account.name } }));
  return { created: false, password };
}

async function enterByName(peer: ClientPeer, name: string, options: EnterOptions): Promise<Way> {
  const { client, keystore } = peer;
  const { credentials, ask } = options;
  // The server does not know this device, or not any more.
  if (keystore.read().account !== undefined) await keystore.update(leave);
  const { exists, password: hasPassword } = await client.lookup(name);
  if (exists) {
    if (!options.mayLogin) throw new ClchatError('NAME_TAKEN');
    if (credentials.code !== undefined) {
      await redeem(peer, name, credentials, ask);
      return { created: false };
    }
    // The server says why: there never was one, or it was lost with a restore.
    if (!hasPassword) await client.loginPassword(name, credentials.password ?? '');
    if (credentials.password === undefined && ask === undefined)
      throw new ClchatError(
        'BAD_PASSWORD',
        'A password is needed: CLCHAT_PASSWORD or --password-file.',
      );
    const password = await tryPasswords(options, (given) =>
      client.loginPassword(name, given ?? ''),
    );
    return { created: false, password };
  }
  const notFree = options.mayRegister ? whyNotFree(name) : undefined;
  if (notFree !== undefined) throw new ClchatError('BAD_NAME', notFree);
  const code = credentials.code === undefined ? undefined : writtenCode(credentials.code);
  if (client.hello?.inviteOnly === true && !options.isHost && code === undefined)
    throw new ClchatError(
      options.mayLogin ? 'NO_SUCH_USER' : 'CODE_REQUIRED',
      `There is no user "${clean(name)}", and this server takes new ones by invitation only.`,
    );
  if (!options.mayRegister) throw new ClchatError('NO_SUCH_USER');
  let { password } = credentials;
  if (ask !== undefined) {
    if (!(await ask.confirm(`There is no user "${clean(name)}" yet. Make this account?`, true)))
      throw new ClchatError('NO_SUCH_USER', undefined, { data: DECLINED });
    password ??= await newPassword(ask, true);
  }
  await client.register(name, password === '' ? undefined : password, code);
  return { created: true };
}

/** A given password is tried once; a person may try again. @returns the one that was right */
async function tryPasswords(
  { credentials, ask, onWrongPassword }: EnterOptions,
  login: (password: string | undefined) => Promise<void>,
): Promise<string | undefined> {
  if (credentials.password !== undefined || ask === undefined) {
    await login(credentials.password);
    return credentials.password;
  }
  for (let attempt = 1; ; attempt++) {
    try {
      const password = await ask.secret('Password');
      await login(password);
      return password;
    } catch (error) {
      if (!hasCode(error, 'BAD_PASSWORD') || attempt === ATTEMPTS) throw error;
      onWrongPassword(error.message);
    }
  }
}
