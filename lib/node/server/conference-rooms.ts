/**
 * Conferences and the log. That there is a conference, its name, its owner and its end are what the
 * log says of its room: entries about it are judged by the live part, which follows them once they
 * are sealed. Who is in it is the live part's word, or the log's for who brought a proof; whoever is
 * not in it any more, and the room of what has ended, the server takes out of the log itself.
 */
import {
  actionOf,
  type AccountAction,
  type Action,
  type RoomAction,
  type SpaceAction,
} from '../../crdt/bodies.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { accountOf, deviceOf, presentAccount, type RoomRecord } from '../../crdt/records.ts';
import { may, mayPutOut } from '../../crdt/rights.ts';
import { isBanned, roomOf } from '../../crdt/rooms.ts';
import type { Context } from '../../crdt/rules.ts';
import type { Batch } from '../../crdt/seal.ts';
import type { Reader } from '../../crdt/state.ts';
import { LOBBY, otherOf, placeOfStream, roomStream, type StreamPlace } from '../../crdt/stream.ts';
import { ClchatError, codeOf, hasCode, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { Reply, Request } from '../exchange.ts';
import { MAX_CONFERENCES, type SESSION } from '../wire.ts';
import { mustBeIn, type Claimant } from './accounts.ts';
import type { ConferenceLife } from './conference-life.ts';
import type { ConferenceEvent } from './conference-news.ts';
import { Conferences } from './conferences.ts';
import type { Directory } from './directory.ts';
import type { ServerEntries } from './server-entries.ts';

export interface ConferenceRoomsOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly own: ServerEntries;
  readonly clock: Clock;
  /** See `LifeOptions.graceMs`. */
  readonly graceMs?: number | undefined;
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  readonly isOnline: (account: AccountId) => boolean;
  /** The account that a device is logged in to. */
  readonly accountOf: (device: PublicKey) => AccountId | undefined;
  /** Tells all devices of an account that are connected. */
  readonly tell: (to: AccountId, event: ConferenceEvent) => void;
  /** Somebody is no longer in a conference, or it has ended. */
  readonly onOut: (id: RoomId) => void;
  readonly onFault: (error: unknown) => void;
}

type Methods = typeof SESSION.methods;
type Asked<M extends keyof Methods> = Request<typeof SESSION, M>;
type Answer<M extends keyof Methods> = Reply<typeof SESSION, M>;
type Asking = Pick<Claimant, 'account' | 'device'>;

/** How often is looked for what the log still holds and should not, in milliseconds. */
const TIDY_MS = 30_000;

const idOf = (entry: Entry): RoomId => entry.id.slice(0, 32) as RoomId;

export class ConferenceRooms {
  readonly #options: ConferenceRoomsOptions;
  readonly #live: Conferences;
  /** Rooms that are being brought in line with the live part. */
  readonly #settling = new Map<RoomId, Promise<void>>();
  #tidier: NodeJS.Timeout | undefined;

  constructor(options: ConferenceRoomsOptions) {
    this.#options = options;
    const { directory, clock } = options;
    this.#live = new Conferences({
      ...options,
      lobby: roomOf(this.#space, LOBBY)?.name ?? LOBBY,
      isContact: (a, b) => directory.contactsOf(a).has(b),
      contactsOf: (account) => directory.contactsOf(account),
      isBanned: (id, account) => isBanned(this.#space, account, id, clock.now()),
      nameOf: (account) => accountOf(this.#space, account)?.name,
      onLeft: (id) => this.#left(id),
      onEnded: (id) => this.#left(id),
    });
  }

  #left(id: RoomId): void {
    this.#settle(id);
    this.#options.onOut(id);
  }

  /**
   * Removes the rooms of conferences that were there when the server last ran: none outlives it.
   * Resolves when that is done.
   */
  async begin(): Promise<void> {
    this.#tidier = setInterval(() => this.#tidy(), TIDY_MS);
    this.#tidier.unref();
    this.#tidy();
    await Promise.all(this.#settling.values());
  }

  get #space(): Reader {
    return this.#options.directory.space;
  }

  /** Comings and goings of devices. */
  get life(): ConferenceLife {
    return this.#live.life;
  }

  /** Whether a device is in any conference, which counts as somebody being at work there. */
  isBusy(account: AccountId, device: PublicKey): boolean {
    return this.#live.isBusy(account, device);
  }

  isIn(id: RoomId, account: AccountId): boolean {
    return this.#live.participantsOf(id).includes(account);
  }

  isSeen(id: RoomId, account: AccountId): boolean {
    return this.#live.isSeen(id, account);
  }

  // What is asked on a session.

  /** Conferences that one may see, in the order of their ids, as many as go into one answer. */
  list(asking: Asking, { after }: Asked<'conferences'>): Answer<'conferences'> {
    const account = mustBeIn(asking);
    const all = this.#live
      .listFor(account, asking.device)
      .filter(({ id }) => after === undefined || id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    return { conferences: all.slice(0, MAX_CONFERENCES), more: all.length > MAX_CONFERENCES };
  }

  /** Joins by what one is to those in it; see `Conferences.join`. */
  join(asking: Asking, request: Asked<'conferenceJoin'>): Answer<'conferenceJoin'> {
    const account = mustBeIn(asking);
    const { target, secondDevice } = request;
    const options = { secondDevice, isAdmitted: false };
    const conference = this.#live.join(account, asking.device, target, options);
    return { conference, length: this.#options.log.headOf(roomStream(conference.id)).length };
  }

  /** @throws NOT_PARTICIPANT, AMBIGUOUS */
  leave(asking: Asking, { id, name }: Asked<'conferenceLeave'>): Answer<'conferenceLeave'> {
    const account = mustBeIn(asking);
    const which = id === undefined ? (name === undefined ? {} : { name }) : { id };
    return this.#live.leave(account, asking.device, which);
  }

  /** See `Conferences.invite`. @throws NO_SUCH_USER */
  invite(asking: Asking, { id, account }: Asked<'conferenceInvite'>): void {
    const by = mustBeIn(asking);
    if (presentAccount(this.#space, account) === undefined) throw new ClchatError('NO_SUCH_USER');
    this.#live.invite(by, id, account);
  }

  // What is to be sealed.

  /** Why an entry about the room of a conference is refused. */
  admit(room: RoomId, action: Action, context: Context): ErrorCode | undefined {
    const { actor } = context;
    if (actor === undefined) return undefined;
    try {
      this.#judge(room, action, context, actor);
      return undefined;
    } catch (error) {
      if (!(error instanceof ClchatError)) this.#options.onFault(error);
      return codeOf(error);
    }
  }

  #judge(room: RoomId, action: Action, { space }: Context, actor: AccountId): void {
    const live = this.#live;
    switch (action.kind) {
      case 'room':
        return live.mayCreate(actor, room, action.body.name);
      case 'updateroom': {
        const { name } = action.body;
        return name === undefined ? undefined : live.mayRename(actor, room, name);
      }
      case 'owner':
        return live.mayTransfer(actor, room, action.body.account);
      case 'removeroom':
        return live.mayEnd(actor, room, may(space, actor, 'removeRoom'));
      case 'join': {
        const isProved = 'by' in action.body && ['lock', 'code'].includes(action.body.by.type);
        if (isProved) return live.mayAdmit(actor, room);
        if (!live.participantsOf(room).includes(actor)) throw new ClchatError('DENIED');
        return;
      }
      case 'members': {
        const { add, remove } = action.body;
        if (add.length > 0) throw new ClchatError('DENIED');
        const owner = space.get<RoomRecord>('room', room)?.owner;
        for (const target of remove)
          live.mayKick(actor, room, target, mayPutOut(space, actor, owner, target));
        return;
      }
      default:
    }
  }

  // What has been sealed.

  /** Follows what a batch says of conferences, and of those who are in them. */
  follow({ seal: { stream }, items }: Batch): void {
    const place = placeOfStream(stream);
    for (const item of items) if (item.type === 'entry') this.#follow(item.entry, place);
  }

  #follow(entry: Entry, place: StreamPlace): void {
    const by = deviceOf(this.#space, entry.device)?.account;
    switch (place.type) {
      case 'space':
        return this.#followSpace(entry, by);
      case 'room':
        return this.#followRoom(entry, place.room, by);
      case 'pair':
        return this.#followPair(entry, place, by);
      case 'account':
        return this.#followAccount(entry, place.account);
      default:
        return place satisfies never;
    }
  }

  #followSpace(entry: Entry, by: AccountId | undefined): void {
    const live = this.#live;
    const action = actionOf(entry, 'space') as SpaceAction | undefined;
    switch (action?.kind) {
      case 'room':
        if (action.body.lifetime === 'conference' && by !== undefined)
          this.#begin(entry, by, action.body.name);
        break;
      case 'updateroom':
        if (action.body.name !== undefined && by !== undefined)
          live.rename(by, action.body.room, action.body.name);
        break;
      case 'owner':
        live.transfer(action.body.room, action.body.account);
        break;
      case 'removeroom':
        live.end(by, action.body.room);
        break;
      case 'ban':
        if (action.body.room === undefined) live.life.accountGone(action.body.account);
        else live.kick(action.body.room, action.body.account);
        break;
      case 'removeuser':
        live.life.accountGone(action.body.account);
        break;
      case 'revoke': {
        const { device } = action.body;
        const account = deviceOf(this.#space, device)?.account;
        if (account !== undefined) live.life.deviceGone(account, device);
        break;
      }
      default:
    }
  }

  #begin(entry: Entry, owner: AccountId, name: string): void {
    const id = idOf(entry);
    // One that was not asked for now is of another time: a client has handed it back.
    if (!this.#live.create(owner, entry.device, id, name)) this.#settle(id);
    this.#look(owner, entry.device);
  }

  /** A device may have gone while its entry was being sealed: its end, which would tell, is over. */
  #look(account: AccountId, device: PublicKey): void {
    if (this.#options.accountOf(device) !== account) this.life.deviceLost(account, device);
  }

  #followRoom(entry: Entry, id: RoomId, by: AccountId | undefined): void {
    const isMembership = ['join', 'leave', 'members'].includes(entry.kind);
    if (!isMembership || by === undefined || !this.#live.has(id)) return;
    const action = actionOf(entry, 'room') as RoomAction | undefined;
    switch (action?.kind) {
      case 'join':
        if (!this.#live.participantsOf(id).includes(by)) this.#admitted(entry, id, by);
        break;
      case 'leave':
        this.#live.leaveAll(by, id);
        break;
      case 'members':
        for (const target of action.body.remove) this.#live.kick(id, target);
        break;
      default:
    }
  }

  /** Somebody has come in by a proof. */
  #admitted({ device }: Entry, id: RoomId, account: AccountId): void {
    try {
      this.#live.join(account, device, { id }, { secondDevice: false, isAdmitted: true });
      this.#look(account, device);
    } catch (error) {
      // It has filled up, say, since that was judged.
      if (!(error instanceof ClchatError)) this.#options.onFault(error);
      this.#settle(id);
    }
  }

  #followPair({ kind }: Entry, place: StreamPlace, by: AccountId | undefined): void {
    const other = by === undefined ? undefined : otherOf(place, by);
    if (by === undefined || other === undefined) return;
    if (kind === 'unfriend') this.#live.relationChanged(by, other, 'unfriended');
    else if (
      ['request', 'accept', 'befriend'].includes(kind) &&
      this.#options.directory.contactsOf(by).has(other)
    )
      this.#live.relationChanged(by, other, 'befriended');
  }

  #followAccount(entry: Entry, by: AccountId): void {
    if (entry.kind !== 'block') return;
    const action = actionOf(entry, 'account') as AccountAction | undefined;
    if (action?.kind !== 'block') return;
    const { account, blocked } = action.body;
    this.#live.relationChanged(by, account, blocked ? 'blocked' : 'unblocked');
  }

  // What the server seals itself.

  #tidy(): void {
    for (const [id, { lifetime }] of this.#space.entries<RoomRecord>('room'))
      if (lifetime === 'conference') this.#settle(id as RoomId);
  }

  /** Brings a room in line with the live part. */
  #settle(id: RoomId): void {
    if (id === LOBBY) return;
    const before = this.#settling.get(id) ?? Promise.resolve();
    const run = before
      .then(() => this.#bringInLine(id))
      .catch((error: unknown) => {
        // What could not be sealed is tried again with the next look, or at the next start.
        if (!hasCode(error, 'CLOSED')) this.#options.onFault(error);
      });
    this.#settling.set(id, run);
    void run.then(() => {
      if (this.#settling.get(id) === run) this.#settling.delete(id);
    });
  }

  async #bringInLine(id: RoomId): Promise<void> {
    const { log, own } = this.#options;
    const live = this.#live;
    if (roomOf(this.#space, id)?.lifetime !== 'conference') return;
    if (!live.has(id)) {
      await own.submit('space', 'removeroom', { room: id });
      return;
    }
    const stream = roomStream(id);
    const { state } = await log.open(stream);
    for (const [member] of [...state.entries('member')]) {
      const account = member as AccountId;
      const isIn = (): boolean => live.participantsOf(id).includes(account);
      if (isIn()) continue;
      // Who has come back meanwhile is still a member.
      const unless = (): ErrorCode | undefined => (isIn() ? 'ALREADY' : undefined);
      await own.submit(stream, 'members', { add: [], remove: [account] }, unless);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#tidier);
    this.#live.stop();
    await Promise.all(this.#settling.values());
  }
}
