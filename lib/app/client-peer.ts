/** A client peer: one account's device on its own data directory. */
import { join } from 'node:path';
import { openLevelStore } from '../crdt/store-level.ts';
import { SigningKey, type PublicKey, type RandomBytes } from '../crdt/keys.ts';
import { startAll, type Clock } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Transport } from '../node/channel.ts';
import { Client, type ClientEvents } from '../node/client/client.ts';
import { openKeystore, type Keystore } from '../node/keystore.ts';
import { createTransport } from '../node/libp2p.ts';
import { openOpaqueClient } from '../node/opaque.ts';

export interface ClientPeerOptions {
  readonly directory: string;
  readonly passphrase: string | undefined;
  /** What others know this installation by. */
  readonly label: string;
  /** Where the server may be found now. */
  readonly addresses: () => readonly string[];
  /** In a server's own process: joins the network inside the process. */
  readonly join?: (key: PublicKey) => Transport;
  readonly events: ClientEvents;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

export interface ClientPeer {
  readonly directory: string;
  readonly client: Client;
  readonly keystore: Keystore;
  stop(): Promise<void>;
}

/** @throws DATA_IN_USE, BAD_PASSPHRASE and store errors */
export function openClientPeer(options: ClientPeerOptions): Promise<ClientPeer> {
  return startAll(async (lifecycle) => {
    const { directory, passphrase, random, clock, log } = options;
    const store = await lifecycle.start(
      'replica',
      () => openLevelStore(join(directory, 'replica'), { create: true }),
      (value) => value.close(),
    );
    const keystore = await openKeystore({ directory, passphrase, random });
    const { seed } = keystore.read().device;
    const opaque = openOpaqueClient();
    lifecycle.add('password service', () => opaque.stop());
    const transport = await lifecycle.start(
      'network',
      () => options.join?.(new SigningKey(seed).public) ?? createTransport({ seed, listen: [] }),
      (value) => value.stop(),
    );
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
          addresses: options.addresses,
          events: options.events,
        }),
      (value) => value.stop(),
    );
    return {
      directory,
      client,
      keystore,
      stop: async () => {
        for (const { error } of await lifecycle.stop()) log.fault(error);
      },
    };
  });
}
