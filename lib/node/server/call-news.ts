/**
 * Who is told of what happens in calls: the devices in one and those it rings all of it, the others in
 * its room who is in it. What changes within one turn of the event loop is told once.
 */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { Clock } from '../../lifecycle.ts';
import type { CallEnd, CallView, Participant, RoomCallView } from '../calls/wire.ts';
import type { Call } from './call.ts';

/** How soon after another the others in a room are told of its call again, in milliseconds. */
const ROOM_APART_MS = 500;

export interface CallNewsOptions {
  readonly clock: Clock;
  /** Undefined for an account that is no more. */
  readonly nameOf: (account: AccountId) => string | undefined;
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /** Those online who can be in the call of a room. */
  readonly membersOf: (room: RoomId) => readonly AccountId[];
  /** Devices of an account that are connected. */
  readonly devicesOf: (account: AccountId) => readonly PublicKey[];
  /** Tell a device, if it is connected. */
  readonly tell: (device: PublicKey, view: CallView) => void;
  readonly tellRoom: (device: PublicKey, view: RoomCallView) => void;
}

export class CallNews {
  readonly #options: CallNewsOptions;
  /** Of which those in it, and those they ring, are to be told. */
  readonly #changed = new Set<Call>();
  /** Of which the others in the room are to be told. */
  readonly #due = new Set<Call>();
  /** When they were told of one last: monotonic, in milliseconds. */
  readonly #told = new Map<Call, number>();
  readonly #over = new Set<Call>();
  #soon: NodeJS.Immediate | undefined;

  constructor(options: CallNewsOptions) {
    this.#options = options;
  }

  /** How much waits to be told, or is remembered of what was. */
  get size(): number {
    return this.#changed.size + this.#due.size + this.#told.size + this.#over.size;
  }

  /** A call as those in it, and those it rings, see it. */
  view(call: Call, reason?: CallEnd): CallView {
    const { nameOf } = this.#options;
    const { id, place, state, seats } = call;
    const [caller, callee] =
      place.type === 'pair' ? [nameOf(place.caller), nameOf(place.callee)] : [];
    const participants = [...seats.values()].flatMap((seat): Participant[] => {
      const user = nameOf(seat.account);
      if (user === undefined) return [];
      const away = seat.lost === undefined ? {} : { away: true as const };
      return [{ user, device: seat.device, ...seat.equipment, ...away }];
    });
    return {
      id,
      ...(place.type === 'room' && { room: place.room }),
      ...(caller !== undefined && { caller }),
      ...(callee !== undefined && { callee }),
      ...(reason === undefined
        ? { state, participants }
        : { state: 'ended', reason, participants: [] }),
    };
  }

  /** The call of a room as somebody sees it who is not in it. */
  roomView(call: Call, room: RoomId, viewer: AccountId, isOver = false): RoomCallView {
    const { nameOf, isBlocked } = this.#options;
    const seen = isOver ? [] : call.accounts.filter((account) => !isBlocked(account, viewer));
    const users = seen.map(nameOf).filter((name) => name !== undefined);
    return { id: call.id, room, state: isOver ? 'ended' : 'active', users };
  }

  /** Something in a call has become different. @param isOthers who is in it */
  changed(call: Call, isOthers = false): void {
    this.#changed.add(call);
    if (isOthers) this.retell(call);
    this.#soon ??= setImmediate(() => this.flush());
  }

  /** The others in its room are to be told of a call, once more if need be. */
  retell(call: Call): void {
    if (call.place.type === 'room') this.#due.add(call);
    this.#soon ??= setImmediate(() => this.flush());
  }

  /** A device is in a call no more, or is rung by it no more. */
  farewell(device: PublicKey, call: Call, reason: CallEnd): void {
    this.#options.tell(device, this.view(call, reason));
  }

  /** A call is over; whoever was in it has been told. */
  over(call: Call): void {
    this.#changed.delete(call);
    this.#due.delete(call);
    // What nobody has heard of needs no end.
    if (!this.#told.delete(call)) return;
    this.#over.add(call);
    this.#soon ??= setImmediate(() => this.flush());
  }

  /** Tells what there is to tell, and is not to wait. */
  flush(): void {
    if (this.#soon !== undefined) clearImmediate(this.#soon);
    this.#soon = undefined;
    // First of all: in the same room another may have begun since.
    for (const call of this.#over) this.#tellRoom(call, true);
    this.#over.clear();
    for (const call of this.#changed) this.#tell(call);
    this.#changed.clear();
    const now = this.#options.clock.monotonic();
    for (const call of this.#due) {
      const told = this.#told.get(call);
      if (told !== undefined && now - told < ROOM_APART_MS) continue;
      this.#due.delete(call);
      this.#told.set(call, now);
      this.#tellRoom(call, false);
    }
  }

  #tell(call: Call): void {
    const view = this.view(call);
    for (const { device } of call.seats.values()) this.#options.tell(device, view);
    for (const device of call.rung) this.#options.tell(device, view);
  }

  #tellRoom(call: Call, isOver: boolean): void {
    const { membersOf, devicesOf, tellRoom } = this.#options;
    const { place } = call;
    if (place.type !== 'room') return;
    for (const account of membersOf(place.room)) {
      const view = this.roomView(call, place.room, account, isOver);
      for (const device of devicesOf(account))
        if (isOver || !call.seats.has(device)) tellRoom(device, view);
    }
  }

  stop(): void {
    if (this.#soon !== undefined) clearImmediate(this.#soon);
  }
}
