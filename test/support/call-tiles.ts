/** Tiles of a call, as a front end is handed them. */
import type { CallTile } from '../../lib/app/types.ts';

/** That of somebody whose pictures come. */
export function tileOf(user: string, change: Partial<CallTile> = {}): CallTile {
  return {
    id: `${change.kind ?? 'camera'} ${user}`,
    user,
    kind: 'camera',
    isOwn: false,
    hasPicture: true,
    isConnected: true,
    isTalking: false,
    isMuted: false,
    isSuppressed: false,
    isLive: false,
    ...change,
  };
}
