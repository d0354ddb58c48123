/** A client peer of the product, without a front end. */
import { randomBytes } from 'node:crypto';
import { openClientPeer, type ClientPeer } from '../../../lib/app/client-peer.ts';
import { systemClock } from '../../../lib/lifecycle.ts';
import { openProfile } from '../../../lib/node/profile.ts';

const quiet = (): void => undefined;

export const random = (length: number): Uint8Array => randomBytes(length);

export interface BenchClientOptions {
  readonly directory: string;
  readonly address: string;
  readonly user: string;
  readonly onText: (text: string) => void;
  readonly onFault: (error: unknown) => void;
}

export async function openClient(options: BenchClientOptions): Promise<ClientPeer> {
  const { directory, address, user, onText, onFault } = options;
  return openClientPeer({
    profile: await openProfile(directory, 'client'),
    passphrase: undefined,
    label: user,
    isQuiet: false,
    addresses: () => [address],
    events: {
      onMessage: ({ text }) => onText(text),
      onContact: quiet,
      onContent: quiet,
      onAdmin: quiet,
      onRoom: quiet,
      onTyping: quiet,
      onSending: quiet,
      onConference: quiet,
      onReceipt: quiet,
      onRefused: (_id, code) => onFault(new Error(`refused: ${code}`)),
      onPresence: quiet,
      onBroadcast: quiet,
      onConnected: quiet,
      onLogout: (reason) => onFault(new Error(`logged out: ${reason}`)),
      onLocked: quiet,
      onNotice: (code, text) => onFault(new Error(`${code}: ${text}`)),
      onFault,
    },
    clock: systemClock,
    random,
    log: { info: quiet, fault: onFault, close: async () => undefined },
  });
}

/** Enters a new account's profile so that the program finds it again. */
export async function describeProfile(peer: ClientPeer, user: string): Promise<void> {
  const { client, profile } = peer;
  const { server } = client;
  if (server === undefined) throw new Error('not connected');
  await profile.describe({ server, serverName: client.home.serverName, user });
}
