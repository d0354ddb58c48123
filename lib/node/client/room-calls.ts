/**
 * Calls of rooms in which this device is not, as the server tells of them. Whether this account is in a
 * room is for the log to say: what is told of others is kept, in so far as there is room for it, since
 * the log may be about to say so; and it is neither shown nor told.
 */
import { isDeepStrictEqual } from 'node:util';
import type { RoomId } from '../../crdt/keys.ts';
import type { RoomCallView } from '../calls/wire.ts';

/** Calls that are remembered; as many as the server lists. */
const MAX_KNOWN = 256;

export interface RoomCallsOptions {
  /** Whether this account is in a room, as far as it is known here. */
  readonly isIn: (room: RoomId) => boolean;
  readonly onNews: (call: RoomCallView) => void;
}

interface Known {
  readonly call: RoomCallView;
  readonly isShown: boolean;
}

export class RoomCalls {
  readonly #options: RoomCallsOptions;
  readonly #known = new Map<RoomId, Known>();

  constructor(options: RoomCallsOptions) {
    this.#options = options;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** Those of rooms in which this account is. */
  get shown(): readonly RoomCallView[] {
    const calls = [...this.#known.values()].map(({ call }) => call);
    return calls.filter(({ room }) => this.#options.isIn(room));
  }

  take(call: RoomCallView): void {
    this.follow();
    const { room } = call;
    const before = this.#known.get(room);
    if (call.state === 'ended') {
      // There may be another one by now. Who has just left it, as the last one, knows of its end.
      if (before?.call.id === call.id) this.#end(before);
    } else if (!isDeepStrictEqual(before?.call, call) && this.#hasPlace(room))
      this.#keep(call, this.#options.isIn(room));
  }

  /** Takes all that the server knows of: others are over. */
  takeAll(calls: readonly RoomCallView[]): void {
    for (const known of this.#known.values())
      if (!calls.some(({ room }) => room === known.call.room)) this.#end(known);
    for (const call of calls) this.take(call);
  }

  /** The log may say something else by now of who is in the rooms. */
  follow(): void {
    for (const known of this.#known.values()) {
      const { call, isShown } = known;
      if (this.#options.isIn(call.room) === isShown) continue;
      if (isShown) this.#end(known);
      else this.#keep(call, true);
    }
  }

  #keep(call: RoomCallView, isShown: boolean): void {
    this.#known.set(call.room, { call, isShown });
    if (isShown) this.#options.onNews(call);
  }

  #end({ call, isShown }: Known): void {
    this.#known.delete(call.room);
    if (isShown) this.#options.onNews({ ...call, state: 'ended', users: [] });
  }

  /** Whether one more can be remembered, for which one that is not shown makes way. */
  #hasPlace(room: RoomId): boolean {
    if (this.#known.has(room) || this.#known.size < MAX_KNOWN) return true;
    const hidden = [...this.#known.values()].find(({ isShown }) => !isShown);
    return hidden !== undefined && this.#known.delete(hidden.call.room);
  }

  /** That of a room is told of as this device's own from now on. */
  forget(room: RoomId): void {
    this.#known.delete(room);
  }

  clear(): void {
    this.#known.clear();
  }
}
