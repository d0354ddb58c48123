/** A device of the simulated network that enters an account as the program does. */
import type { ClientPeer } from '../../lib/app/client-peer.ts';
import { enterAccount, type EnterOptions } from '../../lib/app/entering.ts';
import type { TestClient } from './roles.ts';

/** @returns whether the account is new */
export function enterAs(
  device: TestClient,
  name: string,
  { password, code, ...options }: Partial<EnterOptions> & { password?: string; code?: string } = {},
): Promise<boolean> {
  const { client, keystore } = device;
  const peer = { client, keystore, warmPasswords: () => undefined } as unknown as ClientPeer;
  return enterAccount(peer, name, {
    mayRegister: true,
    mayLogin: true,
    mustProve: false,
    ask: undefined,
    found: { key: device.world.key.public },
    isHost: false,
    onWrongPassword: () => undefined,
    credentials: { password, code },
    ...options,
  });
}
