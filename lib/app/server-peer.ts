/** A server peer: the server role on its own data directory, reachable and announced on the LAN. */
import { join } from 'node:path';
import { openLevelStore } from '../crdt/store-level.ts';
import type { PublicKey, RandomBytes } from '../crdt/keys.ts';
import { hasCode } from '../errors.ts';
import { formatEndpoint, parseEndpoint } from '../interfaces.ts';
import { startAll, type Clock, type Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { backup } from '../node/backup.ts';
import { openIdentity } from '../node/keystore.ts';
import { createTransport, type Libp2pTransport } from '../node/libp2p.ts';
import { createLoopback, type Loopback } from '../node/loopback.ts';
import { openOpaqueServer } from '../node/opaque.ts';
import { Server } from '../node/server/server.ts';
import { openVault } from '../node/vault.ts';
import { advertise } from '../node/discovery.ts';

/** Where servers listen unless told; the next ones are tried when it is taken. */
export const DEFAULT_PORT = 49152;
export const LAST_PORT = 49161;

export interface ServerPeerOptions {
  readonly directory: string;
  /** Name of a new server. */
  readonly name: string;
  /** `IP:PORT`; undefined: every network, the first free default port. */
  readonly listen: string | undefined;
  readonly passphrase: string | undefined;
  readonly blockDuration: number;
  readonly timeout: number;
  readonly inviteOnly: boolean;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

export interface ServerPeer {
  readonly server: Server;
  readonly key: PublicKey;
  /** By which a client in the same process reaches the server. */
  readonly loopback: Loopback;
  addresses(): string[];
  /** The whole server peer into one file, sealed under the passphrase. @returns its size in bytes */
  backup(file: string, passphrase: string): Promise<number>;
  stop(): Promise<void>;
}

/** @throws PORT_IN_USE, BAD_ADDRESS, BAD_NAME, DATA_IN_USE, BAD_PASSPHRASE and store errors */
export function startServerPeer(options: ServerPeerOptions): Promise<ServerPeer> {
  return startAll(async (lifecycle) => {
    const { directory, passphrase, random, clock, log } = options;
    const sealed = { directory, passphrase, random };
    const store = await lifecycle.start(
      'store',
      () => openLevelStore(join(directory, 'log'), { create: true }),
      (value) => value.close(),
    );
    const identity = await openIdentity(sealed);
    const vault = await openVault({ ...sealed, store });
    const opaque = await lifecycle.start(
      'password service',
      () => openOpaqueServer({ vault, store, server: identity.public }),
      (value) => value.stop(),
    );
    const transport = await listen(options, lifecycle, identity.seed);
    const loopback = createLoopback();
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
          term: 1,
          onFault: (error) => log.fault(error),
        }),
      (value) => value.stop(),
    );
    await lifecycle.start(
      'announcement',
      () =>
        advertise({ key: identity.public, name: server.name, addresses: transport.addresses() }),
      (value) => value.stop(),
    );
    return {
      server,
      key: identity.public,
      loopback,
      addresses: () => transport.addresses(),
      backup: (file, secret) => backup({ store, directory, file, passphrase: secret }),
      stop: async () => {
        for (const { error } of await lifecycle.stop()) log.fault(error);
      },
    };
  });
}

/** Listens where told, or on the first default port that is free. */
async function listen(
  options: ServerPeerOptions,
  lifecycle: Lifecycle,
  seed: Uint8Array,
): Promise<Libp2pTransport> {
  const start = (address: string): Promise<Libp2pTransport> =>
    lifecycle.start(
      'network',
      () => createTransport({ seed, listen: [address] }),
      (value) => value.stop(),
    );
  if (options.listen !== undefined)
    return start(
      formatEndpoint(parseEndpoint(options.listen, { port: DEFAULT_PORT, listen: true })),
    );
  for (let port = DEFAULT_PORT; ; port++) {
    try {
      return await start(`0.0.0.0:${port}`);
    } catch (error) {
      if (!hasCode(error, 'PORT_IN_USE') || port === LAST_PORT) throw error;
    }
  }
}
