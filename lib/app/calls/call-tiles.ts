/** Those in the call as a front end shows them. */
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import type { CallTile, PictureKind } from '../types.ts';
import type { Choices } from './choices.ts';
import type { LiveCall, Other } from './live-call.ts';

/** What else is to be known of them. */
export interface About {
  /** Of this person. */
  readonly name: string;
  readonly account: AccountId;
  /** What this person has switched on. */
  readonly hasCamera: boolean;
  readonly hasMicrophone: boolean;
  readonly isTalking: boolean;
  readonly choicesOf: (account: AccountId) => Choices;
  readonly isSuppressed: (account: AccountId) => boolean;
}

/** The id of the tile in which one's own camera is seen. */
export const MIRROR = 'mirror';

/** The id of the tile of what another device sends. */
export function tileId(device: PublicKey, kind: PictureKind): string {
  return `${kind} ${device}`;
}

/** The others in the order in which they came, the screens that are watched, and this person. */
export function tilesOf(live: LiveCall, about: About): CallTile[] {
  const { name, account, hasCamera, hasMicrophone, isTalking, isSuppressed } = about;
  const cameras = live.others.map((other) => tileOf(other, 'camera', about));
  const screens = live.others
    .filter(({ isWatched, participant }) => isWatched && participant.live !== undefined)
    .map((other): CallTile => ({ ...tileOf(other, 'screen', about), hasPicture: true }));
  const own: CallTile = {
    id: MIRROR,
    user: name,
    kind: 'camera',
    isOwn: true,
    hasPicture: hasCamera,
    isConnected: true,
    isTalking,
    isMuted: !hasMicrophone,
    isSuppressed: isSuppressed(account),
    isLive: live.ownEquipment?.live !== undefined,
  };
  return [...screens, ...cameras, own];
}

function tileOf(other: Other, kind: PictureKind, about: About): CallTile {
  const { device, user, account, participant, remote, isTalking } = other;
  const { isMuted, isHidden } = about.choicesOf(account);
  return {
    id: tileId(device, kind),
    user,
    kind,
    isOwn: false,
    hasPicture: participant.camera && !isHidden,
    isConnected: remote.state === 'connected',
    isTalking,
    isMuted: isMuted || !participant.microphone,
    isSuppressed: about.isSuppressed(account),
    isLive: participant.live !== undefined,
  };
}
