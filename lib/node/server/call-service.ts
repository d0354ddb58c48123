/**
 * Calls, sessions and the log. Who may be in a call of a room is what the log says of the room, or the
 * live part of a conference; what changes there, the calls follow at once. Of a call that is over a line
 * is left in its conversation, by the server's own key.
 */
import {
  actionOf,
  type AccountAction,
  type RoomAction,
  type SpaceAction,
} from '../../crdt/bodies.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { accountOf, presentAccount } from '../../crdt/records.ts';
import { may } from '../../crdt/rights.ts';
import { isEncryptedRoom, isOpenMember, isShutOut, roomOf } from '../../crdt/rooms.ts';
import type { Batch } from '../../crdt/seal.ts';
import type { Reader } from '../../crdt/state.ts';
import { pairStream, placeOfStream, roomStream, type StreamName } from '../../crdt/stream.ts';
import { hasCode, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { CallView, RoomCallView, Ways } from '../calls/wire.ts';
import type { Reply, Request } from '../exchange.ts';
import type { SESSION } from '../wire.ts';
import { mustBeIn, type Claimant } from './accounts.ts';
import type { CallLife, CallOver } from './call-life.ts';
import { Calls, type Caller } from './calls.ts';
import type { Directory } from './directory.ts';
import type { ServerEntries } from './server-entries.ts';

export interface CallServiceOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly own: Pick<ServerEntries, 'submit'>;
  readonly clock: Clock;
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /** What somebody is to a conference; see `ConferenceRooms`. */
  readonly conferences: {
    isIn(id: RoomId, account: AccountId): boolean;
    isSeen(id: RoomId, account: AccountId): boolean;
  };
  /** Accounts that are online, and the devices of one that are connected. */
  readonly online: () => readonly AccountId[];
  readonly devicesOf: (account: AccountId) => readonly PublicKey[];
  /** Tell a device, if it is connected. */
  readonly tell: (device: PublicKey, view: CallView) => void;
  readonly tellRoom: (device: PublicKey, view: RoomCallView) => void;
  /** What finds a way through routers; undefined: nothing does. */
  readonly ways?: (() => Ways) | undefined;
  /** See `CallsOptions` and `CallLifeOptions`; for tests. */
  readonly ringMs?: number | undefined;
  readonly resumeMs?: number | undefined;
  readonly graceMs?: number | undefined;
  readonly onFault: (error: unknown) => void;
}

type Methods = typeof SESSION.methods;
type Asked<M extends keyof Methods> = Request<typeof SESSION, M>;
type Answer<M extends keyof Methods> = Reply<typeof SESSION, M>;
type Asking = Pick<Claimant, 'account' | 'device'>;

/** How often it is tried to have a line sealed: what clients hand back may come before it. */
const ATTEMPTS = 4;
/** Kinds in the space by which somebody may be in a room no more. */
const PUTTING_OUT = new Set(['updateroom', 'removeroom', 'leave', 'expel', 'ban']);

export class CallService {
  readonly #options: CallServiceOptions;
  readonly #live: Calls;
  /** Lines that are being sealed. */
  readonly #writing = new Set<Promise<void>>();

  constructor(options: CallServiceOptions) {
    this.#options = options;
    const { directory, online } = options;
    this.#live = new Calls({
      ...options,
      isUser: (account) => presentAccount(this.#space, account) !== undefined,
      may: (account, permission) => may(this.#space, account, permission),
      isContact: (one, other) => directory.contactsOf(one).has(other),
      nameOf: (account) => accountOf(this.#space, account)?.name,
      whyOut: (room, account) => this.#whyOut(room, account),
      isConference: (room) => roomOf(this.#space, room)?.lifetime === 'conference',
      membersOf: (room) => online().filter((account) => this.#whyOut(room, account) === undefined),
      onOver: (over) => this.#over(over),
    });
  }

  get #space(): Reader {
    return this.#options.directory.space;
  }

  /** Comings and goings of devices. */
  get life(): CallLife {
    return this.#live.life;
  }

  /** Whether a device is in a call, which counts as somebody being at work there. */
  isBusy(device: PublicKey): boolean {
    return this.#live.isBusy(device);
  }

  /** Why somebody can be in no call of a room; see `CallRulesOptions`. */
  #whyOut(room: RoomId, account: AccountId): ErrorCode | undefined {
    const { conferences, clock, log } = this.#options;
    const space = this.#space;
    const record = roomOf(space, room);
    if (record === undefined) return 'NO_SUCH_ROOM';
    const now = clock.now();
    if (record.lifetime === 'conference') {
      if (!conferences.isIn(room, account))
        return conferences.isSeen(room, account) ? 'NOT_PARTICIPANT' : 'NO_SUCH_ROOM';
    } else if (isShutOut(space, account, room, now)) return 'BANNED';
    else if (
      isEncryptedRoom(space, room)
        ? log.record(roomStream(room), 'member', account) !== true
        : !isOpenMember(space, room, account)
    )
      return 'NOT_MEMBER';
    return record.media === 'text' ? 'NOT_SUPPORTED' : undefined;
  }

  // What is asked on a session.

  start(asking: Asking, request: Asked<'callStart'>): Answer<'callStart'> {
    return this.#entered(this.#live.start(callerOf(asking), request));
  }

  answer(asking: Asking, { id, equipment }: Asked<'callAnswer'>): Answer<'callAnswer'> {
    return this.#entered(this.#live.answer(callerOf(asking), id, equipment));
  }

  #entered(call: CallView): Answer<'callStart'> {
    return { call, ways: this.#options.ways?.() ?? { stun: [] } };
  }

  decline(asking: Asking, { id }: Asked<'callDecline'>): Answer<'callDecline'> {
    this.#live.decline(callerOf(asking), id);
    return {};
  }

  leave(asking: Asking, { id }: Asked<'callLeave'>): Answer<'callLeave'> {
    this.#live.leave(callerOf(asking), id);
    return {};
  }

  update(asking: Asking, { id, equipment }: Asked<'callUpdate'>): Answer<'callUpdate'> {
    this.#live.update(callerOf(asking), id, equipment);
    return {};
  }

  list(asking: Asking): Answer<'calls'> {
    return this.#live.listFor(callerOf(asking));
  }

  // What happens elsewhere.

  /** Who is in a conference has become otherwise. */
  conferenceChanged(room: RoomId): void {
    this.life.review(room);
  }

  /** Follows what a batch says of people and of rooms. */
  follow({ seal: { stream }, items }: Batch): void {
    const place = placeOfStream(stream);
    for (const item of items) {
      if (item.type !== 'entry') continue;
      const { entry } = item;
      if (place.type === 'space') this.#followSpace(entry);
      else if (place.type === 'room') this.#followRoom(entry, place.room);
      else if (place.type === 'account') this.#followAccount(entry, place.account);
    }
  }

  #followSpace(entry: Entry): void {
    const action = actionOf(entry, 'space') as SpaceAction | undefined;
    if (action === undefined) return;
    switch (action.kind) {
      case 'updateuser':
        if (action.body.name !== undefined) this.#live.renamed(action.body.account);
        break;
      case 'removeuser':
        this.life.accountGone(action.body.account);
        break;
      case 'revoke':
        this.life.deviceGone(action.body.device, true);
        break;
      case 'join':
        this.#live.roomGrown(action.body.room);
        break;
      case 'ban':
        if (action.body.room === undefined) this.life.accountGone(action.body.account);
        break;
      default:
    }
    if (PUTTING_OUT.has(action.kind)) this.life.review();
  }

  #followRoom(entry: Entry, room: RoomId): void {
    if (!['join', 'leave', 'members'].includes(entry.kind)) return;
    const action = actionOf(entry, 'room') as RoomAction | undefined;
    if (action?.kind === 'leave' || action?.kind === 'members') this.life.review(room);
    if (action?.kind === 'join' || action?.kind === 'members') this.#live.roomGrown(room);
  }

  #followAccount(entry: Entry, account: AccountId): void {
    if (entry.kind !== 'block') return;
    const action = actionOf(entry, 'account') as AccountAction | undefined;
    if (action?.kind === 'block' && action.body.blocked)
      this.life.part(account, action.body.account);
  }

  // What is left in the log.

  #over({ id, place, outcome, seconds, people }: CallOver): void {
    // What was said in a room that is gone is gone with it.
    if (place.type === 'room' && roomOf(this.#space, place.room) === undefined) return;
    const stream =
      place.type === 'room' ? roomStream(place.room) : pairStream(place.caller, place.callee);
    const caller = place.type === 'room' ? {} : { caller: place.caller };
    const run = this.#seal(stream, { call: id, outcome, ...caller, seconds, people })
      .catch((error: unknown) => {
        if (!hasCode(error, 'CLOSED')) this.#options.onFault(error);
      })
      .finally(() => this.#writing.delete(run));
    this.#writing.add(run);
  }

  async #seal(stream: StreamName, body: object): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const outcome = await this.#options.own.submit(stream, 'call', body);
      if (outcome.type === 'sealed' || outcome.code !== 'OUT_OF_ORDER') return;
    }
  }

  /** Resolves when all that is to be remembered is in the log. */
  async stop(): Promise<void> {
    this.#live.stop();
    await Promise.all(this.#writing);
  }
}

function callerOf(asking: Asking): Caller {
  return { account: mustBeIn(asking), device: asking.device };
}
