/** Those in the call as a front end shows them. */
import type { AccountId } from '../../crdt/keys.ts';
import type { CallTile } from '../types.ts';
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

/** The others in the order in which they came, the screens that are watched, and this person. */
export function tilesOf(live: LiveCall, about: About): CallTile[] {
  const { name, account, hasCamera, hasMicrophone, isTalking, isSuppressed } = about;
  const cameras = live.others.map((other) => tileOf(other, about));
  const screens = live.others
    .filter(({ isWatched, participant }) => isWatched && participant.live !== undefined)
    .map((other): CallTile => ({ ...tileOf(other, about), kind: 'screen', hasPicture: true }));
  const own: CallTile = {
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

function tileOf({ user, account, participant, remote, isTalking }: Other, about: About): CallTile {
  const { isMuted, isHidden } = about.choicesOf(account);
  return {
    user,
    kind: 'camera',
    isOwn: false,
    hasPicture: participant.camera && !isHidden,
    isConnected: remote.state === 'connected',
    isTalking,
    isMuted: isMuted || !participant.microphone,
    isSuppressed: about.isSuppressed(account),
    isLive: participant.live !== undefined,
  };
}
