/** What people call a device. */
import type { PublicKey } from '../crdt/keys.ts';
import { peerIdOf } from '../node/peer-id.ts';

/** The end of its peer id. */
export function shortDevice(key: PublicKey): string {
  return peerIdOf(key).slice(-8);
}
