/** A community in which rooms are made: an administrator, and two who are nobody in particular. */
import type { Entry } from '../../lib/crdt/entry.ts';
import type { RoomId } from '../../lib/crdt/keys.ts';
import type { RoomRecord } from '../../lib/crdt/records.ts';
import { roomOf } from '../../lib/crdt/rooms.ts';
import { Ledger, type Member } from './community.ts';
import {
  EXPORT,
  joinEntry,
  madeBy,
  newLock,
  roomEntry,
  type LockedRoom,
  type MadeRoom,
} from './rooms.ts';

export interface RoomLedger {
  readonly ledger: Ledger;
  readonly root: Member;
  readonly alice: Member;
  readonly bob: Member;
  readonly make: (by: Member, name: string, change?: object) => MadeRoom;
  /** A closed room with a lock of its own. @param password what it yields; null: there is none */
  readonly locked: (by: Member, name: string, password?: Uint8Array | null) => LockedRoom;
  /** Comes into an encrypted room. */
  readonly join: (by: Member, room: MadeRoom, how: Parameters<typeof joinEntry>[2]) => Entry;
  readonly update: (by: Member, room: { id: RoomId }, change: object) => Entry;
  /** An entry of a kind that is about a room. */
  readonly about: (by: Member, kind: string, room: { id: RoomId }, change?: object) => Entry;
  readonly record: (room: { id: RoomId }) => RoomRecord | undefined;
  /** Puts somebody into a group that may do just this, at a level. */
  readonly put: (member: Member, level: number, ...add: string[]) => void;
}

export function roomLedger(): RoomLedger {
  const ledger = new Ledger();
  const root = ledger.join('root');
  const alice = ledger.join('alice');
  const bob = ledger.join('bob');
  ledger.appoint(root, 'admin');
  const make: RoomLedger['make'] = (by, name, change = {}) =>
    madeBy(ledger.accept(roomEntry(by, name, change)));
  return {
    ...{ ledger, root, alice, bob, make },
    locked: (by, name, password = EXPORT) => {
      const lock = newLock(ledger.random, 1, password ?? undefined);
      return { room: make(by, name, { private: true, lock: lock.keys }), lock };
    },
    join: (by, room, how) => ledger.accept(joinEntry(by, room, how)),
    update: (by, room, change) => by.write('space', 'updateroom', { room: room.id, ...change }),
    about: (by, kind, room, change = {}) => by.write('space', kind, { room: room.id, ...change }),
    record: ({ id }) => roomOf(ledger.space, id),
    put: (member, level, ...add) => {
      const name = `g${ledger.at('space').length}`;
      ledger.accept(root.write('space', 'creategroup', { name, level }));
      ledger.accept(root.write('space', 'updategroup', { name, add, remove: [] }));
      ledger.accept(root.write('space', 'setgroup', { account: member.account, group: name }));
    },
  };
}
