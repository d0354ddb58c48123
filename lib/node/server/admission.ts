/** The server's own word on what is submitted, where the log alone cannot tell. */
import type { Action } from '../../crdt/bodies.ts';
import { isEntitled } from '../../crdt/content.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import type { RoomRecord } from '../../crdt/records.ts';
import { fileLimitOf } from '../../crdt/rights.ts';
import { isShutOut, lineOf } from '../../crdt/rooms.ts';
import type { Context } from '../../crdt/rules.ts';
import type { Admit } from '../../crdt/sealer.ts';
import type { Reader } from '../../crdt/state.ts';
import { otherOf, placeOfStream, roomStream } from '../../crdt/stream.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { whyNotFree } from '../../text.ts';
import type { Directory } from './directory.ts';

/** Rooms that an account may have at a time: every device has to know of each. */
export const MAX_ROOMS = 200;

export interface AdmissionOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly clock: Clock;
  /** Whether one account has blocked another. */
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /** Whether a device has just proved another account's password; a proof is good for one use. */
  readonly takeProof: (device: PublicKey, of: AccountId) => boolean;
  /** What the live part of a conference says of what is to be done with its room. */
  readonly conference: (room: RoomId, action: Action, context: Context) => ErrorCode | undefined;
}

type MessageOf = Parameters<Admit>[2];

export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** @returns why an entry is refused */
  readonly admit: Admit = (action, context, messageOf) => {
    const { entry, actor } = context;
    if (actor === undefined) return undefined;
    const place = placeOfStream(entry.stream);
    switch (place.type) {
      case 'pair':
        return this.#admitPair(action, context, actor, messageOf);
      case 'room':
        return this.#admitRoom(action, context, place.room, messageOf);
      case 'space':
        return this.#admitSpace(action, context, actor);
      case 'account':
        return undefined;
      default:
        return place satisfies never;
    }
  };

  #admitPair(
    action: Action,
    context: Context,
    actor: AccountId,
    messageOf: MessageOf,
  ): ErrorCode | undefined {
    const { isBlocked, takeProof } = this.#options;
    const { entry } = context;
    const other = otherOf(placeOfStream(entry.stream), actor);
    if (other === undefined) return undefined;
    if (isBlocked(other, actor)) return 'BLOCKED';
    if (action.kind === 'befriend')
      return takeProof(entry.device, other) ? undefined : 'BAD_PASSWORD';
    return this.#admitContent(action, entry, messageOf) ?? this.#admitFile(action, context);
  }

  #admitRoom(
    action: Action,
    context: Context,
    room: RoomId,
    messageOf: MessageOf,
  ): ErrorCode | undefined {
    const { space, entry } = context;
    if (action.kind === 'join')
      return this.#mayComeIn(room, context) ?? this.#forConference(room, action, context);
    if (action.kind !== 'leave' && this.#isShutOut(space, room, context.actor)) return 'BANNED';
    if (action.kind === 'members') return this.#forConference(room, action, context);
    return this.#admitContent(action, entry, messageOf) ?? this.#admitFile(action, context);
  }

  #admitSpace(action: Action, context: Context, actor: AccountId): ErrorCode | undefined {
    const { space, entry } = context;
    switch (action.kind) {
      case 'room': {
        const { name, parent, lifetime } = action.body;
        if (whyNotFree(name) !== undefined) return 'BAD_NAME';
        if (this.#hasManyRooms(actor, space)) return 'RATE_LIMITED';
        if (lifetime === 'conference')
          return this.#options.conference(entry.id.slice(0, 32) as RoomId, action, context);
        return parent === undefined ? undefined : this.#isWithin(parent, context);
      }
      case 'updateroom': {
        const { room, name, parent } = action.body;
        if (name !== undefined && whyNotFree(name) !== undefined) return 'BAD_NAME';
        const code = parent == null ? undefined : this.#isWithin(parent, context);
        return code ?? this.#forConference(room, action, context);
      }
      case 'lock':
        return this.#mayLock(action.body.room, space, actor) ? undefined : 'DENIED';
      case 'createuser':
        return whyNotFree(action.body.name) === undefined ? undefined : 'BAD_NAME';
      case 'updateuser': {
        const { name } = action.body;
        return name === undefined || whyNotFree(name) === undefined ? undefined : 'BAD_NAME';
      }
      case 'owner':
      case 'removeroom':
        return this.#forConference(action.body.room, action, context);
      case 'join':
        return 'room' in action.body ? this.#mayComeIn(action.body.room, context) : undefined;
      default:
        return undefined;
    }
  }

  /** Whether somebody is in a closed room, or its owner: to others its lock is none of their business. */
  #mayLock(room: RoomId, space: Reader, actor: AccountId): boolean {
    const record = space.get<RoomRecord>('room', room);
    return (
      record?.private !== true ||
      record.owner === actor ||
      this.#options.log.record(roomStream(room), 'member', actor) === true
    );
  }

  #forConference(room: RoomId, action: Action, context: Context): ErrorCode | undefined {
    const record = context.space.get<RoomRecord>('room', room);
    return record?.lifetime === 'conference'
      ? this.#options.conference(room, action, context)
      : undefined;
  }

  #isShutOut(space: Reader, room: RoomId, actor: AccountId | undefined): boolean {
    const now = this.#options.clock.now();
    return actor !== undefined && isShutOut(space, actor, room, now);
  }

  /** Whether somebody may come into a room, as far as it and those above it are concerned. */
  #mayComeIn(room: RoomId, context: Context): ErrorCode | undefined {
    if (this.#isShutOut(context.space, room, context.actor)) return 'BANNED';
    const parent = context.space.get<RoomRecord>('room', room)?.parent;
    return parent === undefined ? undefined : this.#isWithin(parent, context);
  }

  /** Whether somebody is in a room, where only members may be, and in all such rooms above it. */
  #isWithin(room: RoomId, { space, actor }: Context): ErrorCode | undefined {
    const { log } = this.#options;
    const isIn = lineOf(space, room).every(
      ({ id, record }) =>
        !record.private ||
        (actor !== undefined && log.record(roomStream(id), 'member', actor) === true),
    );
    return isIn ? undefined : 'NOT_MEMBER';
  }

  /** What is said about a message: it has to be there, and its author's or a moderator's to change. */
  #admitContent(action: Action, entry: Entry, messageOf: MessageOf): ErrorCode | undefined {
    if (action.kind !== 'edit' && action.kind !== 'remove' && action.kind !== 'react')
      return undefined;
    const message = messageOf(action.body.target);
    if (message?.stream !== entry.stream || message.body === undefined) return 'NO_SUCH_MESSAGE';
    if (action.kind === 'react') return undefined;
    return isEntitled(this.#options.directory.space, entry, message) ? undefined : 'DENIED';
  }

  #admitFile(action: Action, { space, actor }: Context): ErrorCode | undefined {
    const file =
      action.kind === 'say'
        ? action.body.file
        : action.kind === 'sealed'
          ? action.body.blob
          : undefined;
    if (file === undefined || actor === undefined) return undefined;
    return file.size <= fileLimitOf(space, actor) ? undefined : 'TOO_LARGE';
  }

  #hasManyRooms(account: AccountId, space: Reader): boolean {
    // Whoever has reached the bound is refused without another count.
    if (this.#options.directory.roomsOf(account) >= MAX_ROOMS) return true;
    let rooms = 0;
    for (const [, { owner }] of space.entries<RoomRecord>('room')) if (owner === account) rooms++;
    return rooms >= MAX_ROOMS;
  }
}
