/** Getting into an account: by the device, by a password, by a reset code, or by making it. */
import type { AccountId, PublicKey } from '../crdt/keys.ts';
import { ClchatError, hasCode } from '../errors.ts';
import { become, leave } from '../node/keystore.ts';
import { clean, fold, whyNotFree } from '../text.ts';
import type { ClientPeer } from './client-peer.ts';
import { newPassword } from './handlers.ts';
import type { Ask } from './types.ts';

export interface Credentials {
  readonly password: string | undefined;
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
  /** Key of the server that was looked for. */
  readonly server: PublicKey;
  /** The server runs in this process: its own console needs no invitation. */
  readonly isHost: boolean;
  /** A person typed a wrong password and may try again. */
  readonly onWrongPassword: (text: string) => void;
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
  const { credentials, ask } = options;
  try {
    await client.connect();
  } catch (error) {
    // Without any address yet it is away as well.
    const away = isAway(error) || hasCode(error, 'BAD_ADDRESS');
    if (!away || keystore.read().account === undefined) throw error;
    await client.startAway(credentials.password).catch((refusal: unknown) => {
      throw hasCode(refusal, 'NOT_LOGGED_IN') ? error : refusal;
    });
    return false;
  }
  // A new profile does not know yet whom it should meet.
  if (client.server !== options.server) throw new ClchatError('SERVER_KEY_CHANGED');
  const { account, revoked } = client.hello!;
  if (revoked) throw new ClchatError('REVOKED');
  if (account !== null) await recognise(peer, account);
  if (credentials.code !== undefined) await redeem(peer, name, credentials, ask);
  else if (account !== null) await enterByDevice(peer, name, account, options);
  else return enterByName(peer, name, options);
  return false;
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
  await client.recover(name, code ?? '', password);
}

async function enterByDevice(
  { client }: ClientPeer,
  name: string,
  account: { name: string; passwordVersion: number },
  options: EnterOptions,
): Promise<void> {
  if (fold(account.name) !== fold(name))
    throw new ClchatError('DENIED', `This data directory belongs to "${clean(account.name)}".`);
  if (!options.mayLogin) throw new ClchatError('NAME_TAKEN');
  const asks = options.mustProve && account.passwordVersion > 0;
  await tryPasswords({ ...options, ask: asks ? options.ask : undefined }, (password) =>
    client.loginDevice(password),
  );
}

async function enterByName(
  { client, keystore }: ClientPeer,
  name: string,
  options: EnterOptions,
): Promise<boolean> {
  const { credentials, ask } = options;
  // The server does not know this device, or not any more.
  if (keystore.read().account !== undefined) await keystore.update(leave);
  const { exists, password: hasPassword } = await client.lookup(name);
  if (exists) {
    if (!options.mayLogin) throw new ClchatError('NAME_TAKEN');
    if (!hasPassword)
      throw new ClchatError(
        'DENIED',
        `"${clean(name)}" has no password and is used from its own devices only.`,
      );
    if (credentials.password === undefined && ask === undefined)
      throw new ClchatError(
        'BAD_PASSWORD',
        'A password is needed: CLCHAT_PASSWORD or --password-file.',
      );
    await tryPasswords(options, (password) => client.loginPassword(name, password ?? ''));
    return false;
  }
  const notFree = options.mayRegister ? whyNotFree(name) : undefined;
  if (notFree !== undefined) throw new ClchatError('BAD_NAME', notFree);
  if (client.hello?.inviteOnly === true && !options.isHost)
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
  await client.register(name, password === '' ? undefined : password);
  return true;
}

/** A given password is tried once; a person may try again. */
async function tryPasswords(
  { credentials, ask, onWrongPassword }: EnterOptions,
  login: (password: string | undefined) => Promise<void>,
): Promise<void> {
  if (credentials.password !== undefined || ask === undefined) return login(credentials.password);
  for (let attempt = 1; ; attempt++) {
    try {
      return await login(await ask.secret('Password'));
    } catch (error) {
      if (!hasCode(error, 'BAD_PASSWORD') || attempt === ATTEMPTS) throw error;
      onWrongPassword(error.message);
    }
  }
}
