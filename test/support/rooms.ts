/** Rooms with their locks, key epochs and codes, as the rules take them. */
import type { LockKeys } from '../../lib/crdt/bodies.ts';
import { codeKey, redeem } from '../../lib/crdt/codes.ts';
import type { Entry } from '../../lib/crdt/entry.ts';
import { Keyring, wrapForPassword } from '../../lib/crdt/keyring.ts';
import { sealTo, type PublicKey, type RandomBytes, type RoomId } from '../../lib/crdt/keys.ts';
import { proveLock } from '../../lib/crdt/membership.ts';
import { roomStream, type StreamName } from '../../lib/crdt/stream.ts';
import type { SealedCommunity } from './community.ts';
import { NOW, type Member } from './devices.ts';

/** What the password of a lock yields, of those that have one. */
export const EXPORT = new Uint8Array(64).fill(5);

export interface MadeRoom {
  readonly id: RoomId;
  readonly stream: StreamName;
}

/** The room that an entry makes. */
export function madeBy(entry: Entry): MadeRoom {
  const id = entry.id.slice(0, 32) as RoomId;
  return { id, stream: roomStream(id) };
}

/** The entry that makes a room, an open one at the top unless told otherwise. */
export function roomEntry(by: Member, name: string, change: object = {}): Entry {
  return by.write('space', 'room', { name, private: false, ...change });
}

export interface MadeLock {
  readonly keyring: Keyring;
  readonly keys: LockKeys;
}

/** A closed room with a lock of its own. */
export interface LockedRoom {
  readonly room: MadeRoom;
  readonly lock: MadeLock;
}

/** A room's lock. @param exportKey what its password yields; without: it has none */
export function newLock(random: RandomBytes, generation = 1, exportKey?: Uint8Array): MadeLock {
  const keyring = Keyring.create(generation, random);
  const password = exportKey === undefined ? null : wrapForPassword(keyring, exportKey, random);
  return { keyring, keys: { keyring: keyring.public, password } };
}

/** Somebody comes into an encrypted room. @param how `owner`, the lock that was opened, or a code */
export function joinEntry(by: Member, room: MadeRoom, how: Keyring | string): Entry {
  if (how instanceof Keyring)
    return by.write(room.stream, 'join', proveLock(how, by.server, room.id, by.account));
  const proof =
    how === 'owner'
      ? { type: 'owner' }
      : { type: 'code', ...redeem(how, by.server, by.id, room.stream) };
  return by.write(room.stream, 'join', { by: proof });
}

/** The body that opens a key epoch for members, and for a lock. @param holder the room it is of */
export function lockedEpoch(
  by: Member,
  number: number,
  members: readonly Member[],
  key: Uint8Array,
  holder: RoomId,
  lock: Keyring,
): object {
  const box = sealTo(lock.box.public, key, by.random);
  const { generation } = lock;
  return { ...by.epoch(members, number, key), lock: { holder, generation, box, secret: null } };
}

/** A room of a sealed community. */
export async function makeRoom(
  community: SealedCommunity,
  by: Member,
  name: string,
  change: object = {},
): Promise<MadeRoom> {
  return madeBy(await community.seal(roomEntry(by, name, change)));
}

/** A room of a sealed community with a lock that a password opens. */
export async function makeLocked(
  community: SealedCommunity,
  by: Member,
  name: string,
): Promise<LockedRoom> {
  const lock = newLock(community.random, 1, EXPORT);
  return { room: await makeRoom(community, by, name, { private: true, lock: lock.keys }), lock };
}

/** What the log knows of a code that is good for so many uses. */
export function codeFacts(
  code: string,
  uses = 1,
  expires = NOW,
): { verifier: PublicKey; uses: number; expires: number } {
  return { verifier: codeKey(code).public, uses, expires };
}
