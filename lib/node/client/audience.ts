/** How many devices are to get what is said in a stream. */
import type { AccountId, RoomId } from '../../crdt/keys.ts';
import { membersOf } from '../../crdt/membership.ts';
import type { DeviceRecord } from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import { isEncryptedRoom } from '../../crdt/rooms.ts';
import { LOBBY, placeOfStream, type StreamName } from '../../crdt/stream.ts';

interface Counted {
  /** Length of the space by which it was counted. */
  readonly at: number;
  readonly devices: ReadonlyMap<AccountId, number>;
  readonly total: number;
  /** Accounts in open rooms. */
  readonly members: ReadonlyMap<RoomId, readonly AccountId[]>;
}

export class Audience {
  readonly #replica: Replica;
  #counted: Counted | undefined;

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  /** This device is not counted. */
  sizeOf(stream: StreamName): number {
    const { devices, total } = this.#count();
    const accounts = this.#accountsOf(stream);
    if (accounts === undefined) return Math.max(0, total - 1);
    return Math.max(0, accounts.reduce((sum, one) => sum + (devices.get(one) ?? 0), 0) - 1);
  }

  /** Who is in a room, as far as it is known here; undefined: everybody. */
  members(room: RoomId): readonly AccountId[] | undefined {
    return this.#accountsOf(`room/${room}`);
  }

  /** Whom a stream reaches; undefined: everybody. */
  #accountsOf(stream: StreamName): readonly AccountId[] | undefined {
    const place = placeOfStream(stream);
    const { space, log } = this.#replica;
    if (place.type !== 'room' || isEncryptedRoom(space, place.room)) {
      const state = log.opened(stream)?.state;
      return state === undefined ? [] : membersOf(stream, state, space);
    }
    return place.room === LOBBY ? undefined : (this.#count().members.get(place.room) ?? []);
  }

  #count(): Counted {
    const { space, log } = this.#replica;
    const at = log.headOf('space').length;
    if (this.#counted?.at === at) return this.#counted;
    const devices = new Map<AccountId, number>();
    let total = 0;
    for (const [, { account, revoked }] of space.entries<DeviceRecord>('device')) {
      if (revoked) continue;
      devices.set(account, (devices.get(account) ?? 0) + 1);
      total++;
    }
    const members = new Map<RoomId, AccountId[]>();
    for (const [id] of space.entries('member')) {
      const mark = id.indexOf(':');
      const room = id.slice(0, mark) as RoomId;
      const account = id.slice(mark + 1) as AccountId;
      const known = members.get(room);
      if (known === undefined) members.set(room, [account]);
      else known.push(account);
    }
    return (this.#counted = { at, devices, total, members });
  }
}
