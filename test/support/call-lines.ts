/** Calls that leave their line in conversations, by people who speak the protocol by hand. */
import { LOBBY } from '../../lib/crdt/stream.ts';
import type { AccountId } from '../../lib/crdt/keys.ts';
import { callNamed, EQUIPMENT } from './call-stage.ts';
import type { Peer } from './roles.ts';

async function start(by: Peer, target: object, name: string): Promise<void> {
  const request = { id: callNamed(name), equipment: EQUIPMENT, secondDevice: false };
  await by.session.call('callStart', { ...request, target: target as { room: typeof LOBBY } });
}

const leave = (by: Peer, name: string): Promise<unknown> =>
  by.session.call('callLeave', { id: callNamed(name) });

/** People have a call in the lobby. */
export async function callInLobby(...peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) await start(peer, { room: LOBBY }, 'lobby');
  for (const peer of peers) await leave(peer, 'lobby');
}

/** Somebody calls another, who is online, and gives it up. */
export async function callInVain(by: Peer, account: AccountId): Promise<void> {
  await start(by, { account, room: LOBBY }, 'vain');
  await leave(by, 'vain');
}
