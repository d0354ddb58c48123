/**
 * Temporary rooms live until the last who is in them disconnects; a crash is one way to do so. The
 * server itself removes them, for good.
 */
import type { AccountId, RoomId } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { membersOf } from '../../crdt/membership.ts';
import type { RoomRecord } from '../../crdt/records.ts';
import { isEncryptedRoom, lineOf } from '../../crdt/rooms.ts';
import type { Reader } from '../../crdt/state.ts';
import { roomStream } from '../../crdt/stream.ts';
import type { Clock } from '../../lifecycle.ts';

/** How long nobody of a room may be connected, in milliseconds: a network that falters ends nothing. */
export const GRACE_MS = 5_000;
/** The same after a start of the server: everybody has to come back first. */
export const START_GRACE_MS = 15_000;
const SWEEP_MS = 500;

export interface EphemeralOptions {
  readonly log: LogStore;
  readonly space: Reader;
  readonly clock: Clock;
  readonly isOnline: (account: AccountId) => boolean;
  /** Ends a room and those that lie in it. */
  readonly remove: (room: RoomId) => Promise<unknown>;
  readonly onFault: (error: unknown) => void;
}

export class Ephemeral {
  readonly #options: EphemeralOptions;
  /** Temporary rooms, as of which change of the rooms. */
  #rooms: { readonly stamp: number; readonly ids: ReadonlySet<RoomId> } | undefined;
  /** Until when a room lives with nobody there, on the monotonic clock. */
  readonly #until = new Map<RoomId, number>();
  readonly #ending = new Map<RoomId, Promise<void>>();
  readonly #sweeper: NodeJS.Timeout;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: EphemeralOptions) {
    this.#options = options;
    const until = options.clock.monotonic() + START_GRACE_MS;
    for (const room of this.#list()) this.#until.set(room, until);
    this.#sweeper = setInterval(() => void this.sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  #list(): ReadonlySet<RoomId> {
    const { space } = this.#options;
    const stamp = space.stamp('room');
    if (this.#rooms?.stamp === stamp) return this.#rooms.ids;
    const ids = new Set<RoomId>();
    for (const [id, { lifetime }] of space.entries<RoomRecord>('room'))
      if (lifetime === 'temporary') ids.add(id as RoomId);
    for (const gone of this.#until.keys()) if (!ids.has(gone)) this.#until.delete(gone);
    this.#rooms = { stamp, ids };
    return ids;
  }

  /** Ends what is over. Never rejects. */
  sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.then(() => this.#sweep()).catch(this.#options.onFault);
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const rooms = this.#list();
    if (rooms.size === 0) return;
    const { clock, remove, onFault } = this.#options;
    const { peopled, lively } = await this.#look(rooms);
    const now = clock.monotonic();
    for (const room of rooms) {
      const until = lively.has(room) ? undefined : this.#until.get(room);
      if (until === undefined) this.#until.set(room, now + GRACE_MS);
      const isDeserted = !peopled.has(room) && this.#hasBegun(room);
      const isOver = !lively.has(room) && (isDeserted || (until ?? Infinity) <= now);
      if (!isOver || this.#ending.has(room)) continue;
      const ending = remove(room)
        .then(() => undefined, onFault)
        .finally(() => this.#ending.delete(room));
      this.#ending.set(room, ending);
    }
  }

  /** Whoever makes a room is in it; into a closed one they come only after having made it. */
  #hasBegun(room: RoomId): boolean {
    const { space, log } = this.#options;
    return !isEncryptedRoom(space, room) || log.headOf(roomStream(room)).length > 0;
  }

  /** Rooms with anybody in them, or in one within them, and those of which somebody is online. */
  async #look(rooms: ReadonlySet<RoomId>): Promise<{ peopled: Set<RoomId>; lively: Set<RoomId> }> {
    const { space, log, isOnline } = this.#options;
    const peopled = new Set<RoomId>();
    const lively = new Set<RoomId>();
    const count = (room: RoomId, account: AccountId): void => {
      const isHere = isOnline(account);
      if (peopled.has(room) && (lively.has(room) || !isHere)) return;
      for (const { id } of lineOf(space, room)) {
        peopled.add(id);
        if (isHere) lively.add(id);
      }
    };
    for (const [id] of space.entries('member')) {
      const mark = id.indexOf(':');
      const room = id.slice(0, mark) as RoomId;
      if (rooms.has(room)) count(room, id.slice(mark + 1) as AccountId);
    }
    for (const room of rooms) {
      if (!isEncryptedRoom(space, room)) continue;
      const stream = roomStream(room);
      const { state } = await log.open(stream);
      for (const account of membersOf(stream, state, space)) count(room, account);
    }
    return { peopled, lively };
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#sweeping;
    await Promise.all(this.#ending.values());
  }
}
