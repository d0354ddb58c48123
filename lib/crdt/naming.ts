/** By what names of accounts and rooms are found, and told from those that look like them. */
import { sha256Hex, utf8 } from './bytes.ts';
import type { RoomId } from './keys.ts';
import { isStableName, skeleton } from '../names.ts';
import { byteLength, fold } from '../text.ts';

/**
 * Most bytes of a folded name. It becomes part of a key of the store, and folding makes more than
 * twice as much of some characters.
 */
const MAX_FOLDED_BYTES = 128;

/** Whether a name can be found, by something that is seen of it and is the same on every peer. */
export function isKeyable(name: string): boolean {
  return byteLength(fold(name)) <= MAX_FOLDED_BYTES && isStableName(name) && skeleton(name) !== '';
}

/** The same for all names that one may take for another. */
export function lookKey(name: string): string {
  return sha256Hex(utf8('clchat look v1\0'), utf8(skeleton(name))).slice(0, 32);
}

/** Id in the table `roomname`: names are the rooms' own within the room they lie in. */
export function roomNameKey(parent: RoomId | undefined, name: string): string {
  return within(parent, fold(name));
}

/** Id in the table `roomlook`. */
export function roomLookKey(parent: RoomId | undefined, name: string): string {
  return within(parent, lookKey(name));
}

function within(parent: RoomId | undefined, key: string): string {
  return parent === undefined ? key : `${parent}/${key}`;
}
