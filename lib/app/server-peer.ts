/** A server peer: the server role on its own data directory, reachable and announced on the LAN. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { AccountId, PublicKey, RandomBytes } from '../crdt/keys.ts';
import { encode, stored } from '../crdt/codec.ts';
import { LogStore } from '../crdt/log-store.ts';
import { bytesUpTo, type ServerRecord } from '../crdt/records.ts';
import type { Store } from '../crdt/store.ts';
import { ClchatError, hasCode } from '../errors.ts';
import { formatEndpoint, parseEndpoint } from '../interfaces.ts';
import { startAll, type Clock, type Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { backup, restore } from '../node/backup.ts';
import { BLOBS, BlobStore } from '../node/blobs/store.ts';
import type { Ways } from '../node/calls/wire.ts';
import { openIdentity, type KeystoreRecord } from '../node/keystore.ts';
import { createTransport, type Libp2pTransport } from '../node/libp2p.ts';
import { createMailer } from '../node/mailer.ts';
import { createLoopback, type Loopback } from '../node/loopback.ts';
import { Opaque, type OpaqueServer } from '../node/opaque.ts';
import { openProfile, type Profile } from '../node/profile.ts';
import { DEFAULT_ALLOWANCE, type Allowance } from '../node/relay/service.ts';
import { Server } from '../node/server/server.ts';
import { openVault, type Vault } from '../node/vault.ts';
import { parseTurnUrl } from '../nat/turn-url.ts';
import type { AppOptions } from './app-options.ts';
import { Outside, type CallWays } from './outside.ts';
import type { AppEvent } from './types.ts';
import { advertise } from '../node/discovery.ts';

/** Where servers listen unless told; the next ones are tried when it is taken. */
export const DEFAULT_PORT = 49152;
export const LAST_PORT = 49161;

export interface ServerPeerOptions extends Omit<AppOptions, 'data' | 'isQuiet'> {
  /** Closed with the peer. */
  readonly profile: Profile;
  /** Name of a new server. */
  readonly name: string;
  /** `IP:PORT`, as `listenAddress` gives it; undefined: every network, the first free default port. */
  readonly listen: string | undefined;
  /** It is to be reached from the internet: told of what becomes of that. */
  readonly onMapping?: ((event: AppEvent) => void) | undefined;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export interface ServerPeer {
  readonly server: Server;
  readonly key: PublicKey;
  /** By which a client in the same process reaches the server. */
  readonly loopback: Loopback;
  addresses(): string[];
  /** Where the gateway lets others in, `IP:PORT`; undefined without one, or where none was asked for. */
  readonly external: string | undefined;
  /** Whether it was asked for. */
  readonly isForInternet: boolean;
  /** As it is now. */
  readonly calls: CallWays;
  /** Where its data are. */
  readonly directory: string;
  /**
   * The whole server peer, with the admin's device, into one file, sealed under the passphrase.
   * @returns its size in bytes
   */
  backup(file: string, passphrase: string, admin: KeystoreRecord): Promise<number>;
  stop(): Promise<void>;
}

/** @throws PORT_IN_USE, BAD_ADDRESS, USAGE (the mail server's URL, that of the TURN server), BAD_NAME, DATA_IN_USE, BAD_PASSPHRASE and store errors */
export function startServerPeer(options: ServerPeerOptions): Promise<ServerPeer> {
  return startAll(async (lifecycle) => {
    const { profile, passphrase, random, clock, log } = options;
    const { directory, store } = profile;
    lifecycle.add('profile', () => profile.close());
    const { smtpUrl, turnUrl } = options;
    const turn =
      turnUrl === undefined ? undefined : given('TURN server', () => parseTurnUrl(turnUrl));
    const mailer =
      smtpUrl === undefined
        ? undefined
        : await lifecycle.start(
            'mail',
            () => given('mail server', () => createMailer(smtpUrl)),
            (value) => value.close(),
          );
    const sealed = { directory, passphrase, random };
    const identity = await openIdentity(sealed);
    const vault = await openVault({ ...sealed, store });
    const passwords = new Opaque();
    lifecycle.add('password service', () => passwords.close());
    const opaque = await passwordServer(passwords, vault, store, identity.public);
    const blobs = await lifecycle.start(
      'files',
      () => BlobStore.open({ directory: join(directory, BLOBS), clock, random }),
      (value) => value.close(),
    );
    const transport = await listen(options, lifecycle, identity.seed);
    // While the gateway is looked for the rest is started.
    const outside = await lifecycle.start(
      'ways from outside',
      () => Outside.open({ ...options, turn, transport, seed: identity.seed }),
      (value) => value.stop(),
    );
    const recoverMs = await beginRecovery(store, clock);
    const loopback = createLoopback();
    let rename: (name: string) => void = () => undefined;
    const server = await lifecycle.start(
      'server',
      () =>
        Server.start({
          store,
          key: identity,
          name: options.name,
          transports: [transport, loopback.join(identity.public)],
          vault,
          opaque,
          clock,
          random,
          blockDuration: options.blockDuration,
          timeout: options.timeout,
          inviteOnly: options.inviteOnly,
          isRelay: options.onMapping !== undefined,
          callWays: () => callWays(outside.calls),
          mailer,
          blobs,
          onRename: (name) => rename(name),
          term: termOf(store),
          recoverMs,
          onFault: (error) => log.fault(error),
        }),
      (value) => value.stop(),
    );
    if (options.onMapping !== undefined)
      transport.serveRelay({ clock, admit: (device) => allowance(server.accountOf(device)) });
    // Later than the server has begun to wait, so that the mark outlives the wait.
    if (recoverMs > 0) endRecovery(store, lifecycle, recoverMs, log);
    const announcement = await lifecycle.start(
      'announcement',
      () =>
        advertise({
          key: identity.public,
          name: server.name,
          // Wildcards as such, so that cards that come up later count as well.
          addresses: transport.listening(),
        }),
      (value) => value.stop(),
    );
    rename = (name) => announcement.update({ name });
    await outside.settled;
    return {
      server,
      key: identity.public,
      loopback,
      addresses: () => transport.addresses(),
      get external() {
        return outside.external;
      },
      isForInternet: options.onMapping !== undefined,
      get calls() {
        return outside.calls;
      },
      directory,
      backup: async (file, backupPassphrase, keystore) => {
        const whole = { store, blobs, directory, passphrase, keystore };
        await backup({ ...whole, file, backupPassphrase, random });
        return (await stat(file)).size;
      },
      stop: async () => {
        for (const { error } of await lifecycle.stop()) log.fault(error);
      },
    };
  });
}

/** As it is told to those who place calls. */
function callWays({ stun, turn }: CallWays): Ways {
  if (turn === undefined) return { stun: [...stun] };
  const { url, username, credential } = turn;
  return { stun: [...stun], turn: { url, username, credential } };
}

/** What those of an account may have of this peer as a relay: strangers, nothing. */
function allowance(account: AccountId | undefined): Allowance | undefined {
  return account === undefined ? undefined : { account, ...DEFAULT_ALLOWANCE };
}

/** Reads a URL that was given. @throws USAGE where it is none: no other address of this server is meant */
function given<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!hasCode(error, 'BAD_ADDRESS')) throw error;
    throw new ClchatError('USAGE', `The ${what} cannot be used: ${error.message}`);
  }
}

/** Where to listen, written out in full. @throws BAD_ADDRESS */
export function listenAddress(written: string): string {
  return formatEndpoint(parseEndpoint(written, { port: DEFAULT_PORT, listen: true }));
}

/** Listens where told, or on the first default port that is free. */
async function listen(
  options: ServerPeerOptions,
  lifecycle: Lifecycle,
  seed: Uint8Array,
): Promise<Libp2pTransport> {
  const startAt = (...addresses: string[]): Promise<Libp2pTransport> =>
    lifecycle.start(
      'network',
      () => createTransport({ seed, listen: addresses }),
      (value) => value.stop(),
    );
  const start = async (address: string): Promise<Libp2pTransport> => {
    const { ip, port } = parseEndpoint(address, { listen: true });
    // Every network means those of IPv6 as well, where there are any and nobody else has the port.
    if (ip !== '0.0.0.0' || port === 0) return startAt(address);
    return startAt(address, `[::]:${port}`).catch((error: unknown) => {
      if (!hasCode(error, 'BAD_ADDRESS') && !hasCode(error, 'PORT_IN_USE')) throw error;
      return startAt(address);
    });
  };
  if (options.listen !== undefined) return start(options.listen);
  for (let port = DEFAULT_PORT; ; port++) {
    try {
      return await start(`0.0.0.0:${port}`);
    } catch (error) {
      if (!hasCode(error, 'PORT_IN_USE') || port === LAST_PORT) throw error;
    }
  }
}

const setupSchema = v.strictObject({ setup: bytesUpTo(4096) });

/** The server's side of passwords, with its keys from the vault; made there the first time. */
async function passwordServer(
  passwords: Opaque,
  vault: Vault,
  store: Store,
  key: PublicKey,
): Promise<OpaqueServer> {
  let record = vault.get('opaque setup', setupSchema);
  if (record === undefined) {
    record = { setup: await passwords.createSetup() };
    await store.write([vault.put('opaque setup', record)], { sync: true });
  }
  return passwords.server({ setup: record.setup, key });
}

const TERM_KEY = 'm!term';
/** There until a restored server has given its clients the whole time to hand back what it lacks. */
const RESTORED_KEY = 'm!restored';
/** How long clients have to hand back what a restored server lacks: they try at least every 5 s. */
const RECOVER_MS = 6_000;

/** The term in which this server seals: a new one begins after each restore. */
function termOf(store: Store): number {
  const bytes = store.get(TERM_KEY);
  return bytes === undefined ? 1 : stored(v.pipe(v.number(), v.safeInteger()), bytes);
}

/**
 * A restored server begins a term when it is started. Clients hand back to a server in a term later
 * than what they hold, and one backup may be restored twice: so terms are seconds of the calendar,
 * which differ, as the first seal of one comes no sooner than `RECOVER_MS` after its beginning.
 * @returns how long it is to take back only, in milliseconds; 0 where it was not restored
 */
async function beginRecovery(store: Store, clock: Clock): Promise<number> {
  if (store.get(RESTORED_KEY) === undefined) return 0;
  const term = Math.max(termOf(store) + 1, Math.floor(clock.now() / 1_000));
  await store.write([{ type: 'put', key: TERM_KEY, value: encode(term) }], { sync: true });
  return RECOVER_MS;
}

/** Forgets that the server was restored once the time is over; one that ends before begins it anew. */
function endRecovery(store: Store, lifecycle: Lifecycle, milliseconds: number, log: Log): void {
  let forgetting: Promise<void> | undefined;
  const timer = setTimeout(() => {
    forgetting = store
      .write([{ type: 'delete', key: RESTORED_KEY }], { sync: true })
      .catch((error: unknown) => log.fault(error));
  }, milliseconds);
  lifecycle.add('recovery', () => {
    clearTimeout(timer);
    return forgetting;
  });
}

/**
 * Unpacks a backup into a new directory, from which the server can then be started. It then begins a
 * new term: what it sealed after the backup, and lost, clients hand back.
 * @throws as `restore`
 */
export async function restoreServer(
  options: Parameters<typeof restore>[0],
): Promise<{ directory: string; name: string }> {
  await restore({
    ...options,
    // Part of the directory before it is in its place: without it the server would seal at once.
    marks: [{ type: 'put', key: RESTORED_KEY, value: new Uint8Array() }],
  });
  const profile = await openProfile(options.directory, 'server');
  try {
    const { state } = await new LogStore(profile.store).open('space');
    const record = state.get<ServerRecord>('server', 'server');
    return { directory: options.directory, name: record?.name ?? '' };
  } finally {
    await profile.close();
  }
}
