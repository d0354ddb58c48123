/** A client peer: one account's device on its own data directory. */
import { join } from 'node:path';
import { isPublicKey, SigningKey, type PublicKey, type RandomBytes } from '../crdt/keys.ts';
import { hasCode } from '../errors.ts';
import { startAll, type Clock } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { BLOBS, BlobStore } from '../node/blobs/store.ts';
import type { Relay, Transport } from '../node/channel.ts';
import { Client, type ClientEvents } from '../node/client/client.ts';
import { unsentKey } from '../node/client/files.ts';
import { inheritKeystore, openKeystore, type Keystore } from '../node/keystore.ts';
import { createTransport, type Libp2pTransport } from '../node/libp2p.ts';
import { watchNetwork } from '../node/network-watch.ts';
import { Opaque } from '../node/opaque.ts';
import type { Profile } from '../node/profile.ts';
import { Verifier } from '../node/verifier.ts';

export interface ClientPeerOptions {
  /** Closed with the peer. */
  readonly profile: Profile;
  readonly passphrase: string | undefined;
  /** Where a restored server may have this user's keystore. */
  readonly inherit?: { readonly directory: string; readonly user: string } | undefined;
  /** What others know this installation by. */
  readonly label: string;
  /** Nobody listens in this run: news stay news for the next. */
  readonly isQuiet: boolean;
  /** Where the server may be found now… */
  readonly addresses: () => readonly string[];
  /** …and its key; who is met first is it where it is left out. */
  readonly server?: PublicKey;
  /** In a server's own process: joins the network inside the process. */
  readonly join?: (key: PublicKey) => Transport;
  /** …and this is the server as a relay for others. */
  readonly relay?: () => Relay;
  readonly events: ClientEvents;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

/** Bytes that files of messages may take here; what the server has as well goes first. */
const MAX_BLOBS = 4 * 2 ** 30;

export interface ClientPeer {
  readonly profile: Profile;
  readonly client: Client;
  readonly keystore: Keystore;
  /** Has ready what a password takes, ahead of its first use. */
  warmPasswords(): void;
  stop(): Promise<void>;
}

/** @throws BAD_PASSPHRASE and store errors */
export function openClientPeer(options: ClientPeerOptions): Promise<ClientPeer> {
  return startAll(async (lifecycle) => {
    const { profile, passphrase, random, clock, log } = options;
    const { directory, store } = profile;
    lifecycle.add('profile', () => profile.close());
    const sealed = { directory, passphrase, random };
    const { inherit } = options;
    if (inherit !== undefined)
      await inheritKeystore({ ...sealed, directory: inherit.directory }, sealed, inherit.user);
    const keystore = await openKeystore(sealed);
    const { seed } = keystore.read().device;
    const opaque = new Opaque();
    lifecycle.add('password service', () => opaque.close());
    const outside = await lifecycle.start(
      'network',
      () => reachable(seed),
      (value) => value.stop(),
    );
    const inside = options.join?.(new SigningKey(seed).public);
    if (inside !== undefined) lifecycle.add('network in this process', () => inside.stop());
    const transport = inside === undefined ? outside : both(inside, outside);
    const blobs: BlobStore = await lifecycle.start(
      'files',
      () =>
        BlobStore.open({
          directory: join(directory, BLOBS),
          clock,
          random,
          maxBytes: MAX_BLOBS,
          mayEvict: (hash) => store.get(unsentKey(hash)) === undefined,
        }),
      (value) => value.close(),
    );
    const verifier = new Verifier();
    lifecycle.add('verifier', () => verifier.close());
    const client = await lifecycle.start(
      'client',
      () =>
        Client.open({
          keystore,
          store,
          transport,
          opaque,
          clock,
          random,
          label: options.label,
          isQuiet: options.isQuiet,
          verifyAll: verifier.verifyAll,
          blobs,
          addresses: options.addresses,
          server: options.server,
          relay: options.relay,
          events: options.events,
        }),
      (value) => value.stop(),
    );
    lifecycle.add(
      'watch of the network',
      watchNetwork({ onChange: () => client.networkChanged(), clock }),
    );
    return {
      profile,
      client,
      keystore,
      warmPasswords: () => opaque.warm(),
      stop: async () => {
        for (const { error } of await lifecycle.stop()) log.fault(error);
      },
    };
  });
}

/** The server in this process by the network within it, and everybody else by that outside. */
function both(inside: Transport, outside: Libp2pTransport): Transport {
  return {
    key: outside.key,
    addresses: () => outside.addresses(),
    // Within a process an address is a key.
    connect: (target, options) =>
      (target.addresses.some(isPublicKey) ? inside : outside).connect(target, options),
    handle(protocol, handler) {
      inside.handle(protocol, handler);
      outside.handle(protocol, handler);
    },
    reserve: (relay, options) => outside.reserve(relay, options),
    check: () => outside.check(),
    async stop() {
      await Promise.all([inside.stop(), outside.stop()]);
    },
  };
}

/** What others may take of this device who fetch files from it, or talk to it in private. */
const GUESTS = { pending: 64, inbound: 64, inboundPerHost: 8, heldBytes: 32 << 20 };

/** A transport by which others can reach this device, as far as this host lets them. */
async function reachable(seed: Uint8Array): Promise<Libp2pTransport> {
  for (const listen of [['0.0.0.0:0', '[::]:0'], ['0.0.0.0:0']])
    try {
      return await createTransport({ seed, listen, webSocket: [], limits: GUESTS });
    } catch (error) {
      // A host without one of the two.
      if (!hasCode(error, 'BAD_ADDRESS')) throw error;
    }
  return createTransport({ seed, listen: [] });
}
