/**
 * The live calls: who is in which, whom they ring, and when they end. They are the server's memory;
 * what they carry goes from device to device. A call is of a room, which has one at most, or of two
 * accounts. A device is in one call at most.
 */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import { ClchatError } from '../../errors.ts';
import type { Reply, Request } from '../exchange.ts';
import { TokenBuckets } from '../../token-bucket.ts';
import { RESUME_MS, RING_MS, type CallId, type CallView, type Equipment } from '../calls/wire.ts';
import type { SESSION } from '../wire.ts';
import { Call, type CallPlace, type Seat } from './call.ts';
import { CallIndex } from './call-index.ts';
import { CallLife, type CallLifeOptions } from './call-life.ts';
import { CallNews, type CallNewsOptions } from './call-news.ts';
import { CallRules, type CallRulesOptions } from './call-rules.ts';

export type CallStart = Request<typeof SESSION, 'callStart'>;

/** Calls that an account may begin at once, and then a second: somebody is rung by each. */
const START_BURST = 10;
const STARTS_PER_SECOND = 20 / 60;
/** The same of those of rooms, which nobody hears of but by what stands on their screen. */
const ROOM_BURST = 30;
const ROOMS_PER_SECOND = 1;
/** Changes of what is switched on, at once and then a second: each is told to all in the call. */
const UPDATE_BURST = 30;
const UPDATES_PER_SECOND = 10;
/** After its start, how long the server lets those go on who say that they were in a call, in milliseconds. */
const RESUMABLE_MS = 60_000;
/** Calls of rooms in one list. */
const MAX_LISTED = 256;

export interface CallsOptions extends CallNewsOptions, CallRulesOptions, CallLifeOptions {
  /** In place of `RING_MS` and `RESUME_MS`, for tests. */
  readonly ringMs?: number | undefined;
  readonly resumeMs?: number | undefined;
}

/** Who asks. */
export interface Caller {
  readonly account: AccountId;
  readonly device: PublicKey;
}

export class Calls {
  /** Comings and goings of devices. */
  readonly life: CallLife;
  /** What waits to be told. */
  readonly news: CallNews;
  readonly #options: CallsOptions;
  readonly #index = new CallIndex();
  readonly #rules: CallRules;
  readonly #starts: TokenBuckets<AccountId>;
  readonly #roomStarts: TokenBuckets<AccountId>;
  readonly #updates: TokenBuckets<AccountId>;
  readonly #resumableUntil: number;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#resumableUntil = options.clock.monotonic() + RESUMABLE_MS;
    this.news = new CallNews(options);
    this.#rules = new CallRules(this.#index, options);
    this.life = new CallLife(this.#index, this.news, options);
    this.#starts = new TokenBuckets(START_BURST, STARTS_PER_SECOND, options.clock);
    this.#roomStarts = new TokenBuckets(ROOM_BURST, ROOMS_PER_SECOND, options.clock);
    this.#updates = new TokenBuckets(UPDATE_BURST, UPDATES_PER_SECOND, options.clock);
  }

  /** How much is remembered of calls that there are. */
  get size(): number {
    return this.#index.size + this.news.size;
  }

  /** Whether a device is in a call, which counts as somebody being at work there. */
  isBusy(device: PublicKey): boolean {
    const seat = this.#index.ofDevice(device)?.seats.get(device);
    return seat !== undefined && seat.lost === undefined;
  }

  /** Those that somebody has to know of; see `calls` in the protocol. */
  listFor({ account, device }: Caller): Reply<typeof SESSION, 'calls'> {
    const calls = this.#index.all();
    const { whyOut } = this.#options;
    const rooms = calls.flatMap((call) => {
      const { place, seats } = call;
      if (place.type !== 'room' || seats.has(device)) return [];
      const isOut = whyOut(place.room, account) !== undefined;
      return isOut ? [] : [this.news.roomView(call, place.room, account)];
    });
    return {
      calls: calls
        .filter(({ seats, rung }) => seats.has(device) || rung.has(device))
        .map((call) => this.news.view(call)),
      rooms: rooms.slice(0, MAX_LISTED),
    };
  }

  /**
   * Calls somebody, or begins or joins the call of a room; see `callStart` in the protocol.
   * @returns as the one who asks sees it
   */
  start(by: Caller, request: CallStart): CallView {
    const { target } = request;
    const starts = 'account' in target ? this.#starts : this.#roomStarts;
    if (!starts.take(by.account)) throw new ClchatError('RATE_LIMITED');
    this.life.expire();
    const call =
      'account' in target
        ? this.#startPair(by, target, request)
        : this.#startRoom(by, target, request);
    return this.news.view(call);
  }

  #startRoom(by: Caller, { room }: { readonly room: RoomId }, request: CallStart): Call {
    this.#rules.checkRoom(by.account, room);
    const call = this.#index.ofRoom(room);
    this.#checkGoesOn(request, call);
    if (call !== undefined) return this.#join(call, by, request);
    this.#rules.checkFree(by.device);
    this.#rules.checkNew(request.id);
    if (!this.#isResumed(request)) this.#rules.checkBegin(by.account, room);
    else this.#rules.checkGoOn(by.account, room);
    return this.#begin(new Call(request.id, { type: 'room', room }, 'active'), by, request);
  }

  #startPair(
    by: Caller,
    { account: callee, room }: Extract<CallStart['target'], { account: AccountId }>,
    request: CallStart,
  ): Call {
    const { account, device } = by;
    const { id, equipment } = request;
    const before = this.#index.between(account, callee);
    this.#checkGoesOn(request, before);
    // Who calls whoever calls them has answered.
    if (before?.rings(account) === true) return this.#answer(before, by, equipment);
    if (before !== undefined) return this.#join(before, by, request);
    const isResumed = this.#isResumed(request);
    this.#rules.checkPair(account, callee, room, isResumed);
    this.#rules.checkFree(device);
    this.#rules.checkNew(id);
    const place: CallPlace = { type: 'pair', caller: account, callee };
    const { clock, devicesOf, onOver, ringMs = RING_MS, resumeMs = RESUME_MS } = this.#options;
    const now = clock.monotonic();
    if (isResumed) return this.#begin(new Call(id, place, 'active', now + resumeMs), by, request);
    const devices = devicesOf(callee);
    if (devices.length === 0) throw new ClchatError('OFFLINE');
    if (this.#index.isEngaged(callee)) {
      onOver({ id, place, outcome: 'missed', seconds: 0, people: 1 });
      throw new ClchatError('BUSY');
    }
    const call = new Call(id, place, 'ringing', now + ringMs);
    for (const one of devices) call.rung.add(one);
    return this.#begin(call, by, request);
  }

  /**
   * It goes on after a restart of the server, or after the server was out of everybody's reach. Whoever
   * says so is believed: it was allowed when it began, and nobody is rung by it.
   */
  #isResumed({ resumed, id }: CallStart): boolean {
    const isNew = this.#options.clock.monotonic() < this.#resumableUntil;
    return resumed === true && (isNew || this.life.hasLapsed(id));
  }

  /**
   * Whoever was away for so long that the call is over, as one whose computer has slept, is not to ring
   * anybody by coming back, nor to be in another call unawares.
   * @param present the one that there is now @throws STALE
   */
  #checkGoesOn(request: CallStart, present: Call | undefined): void {
    if (request.resumed !== true || present?.id === request.id || this.#isResumed(request)) return;
    throw new ClchatError('STALE', 'That call is over.');
  }

  #begin(call: Call, { account, device }: Caller, { equipment }: CallStart): Call {
    this.#index.add(call);
    this.life.revive(call.id);
    this.life.enter(call, account, device, equipment);
    return call;
  }

  /** Comes into a call that there is, or takes a place in it on a further device. */
  #join(call: Call, { account, device }: Caller, request: CallStart): Call {
    const { equipment, secondDevice, resumed } = request;
    const own = call.seatsOf(account);
    const connected = own.filter(({ lost }) => lost === undefined);
    if (connected.some((seat) => seat.device === device))
      throw new ClchatError('ALREADY', 'You are in that call already.');
    if (connected.length > 0 && !secondDevice)
      throw new ClchatError(
        // Whoever comes back is to know that their place is taken, and not that they still have it.
        resumed === true ? 'BUSY' : 'ALREADY',
        'You are in that call on another device. Use --device to be in it here too.',
      );
    if (this.#index.ofDevice(device) !== call) this.#rules.checkFree(device);
    // Where all others have lost their connection, this one takes the place over.
    const replaced = own.filter((seat) => !secondDevice || seat.device === device);
    this.#rules.checkJoin(account, call, replaced.length);
    // Whoever was waited for has come.
    if (own.length === 0) call.until = undefined;
    this.life.enter(call, account, device, equipment, replaced);
    return call;
  }

  /** @throws NO_CALL where it is over or rings somebody else; ALREADY; BUSY */
  answer(by: Caller, id: CallId, equipment: Equipment): CallView {
    this.life.expire();
    const call = this.#index.get(id);
    if (call?.place.type !== 'pair' || call.place.callee !== by.account)
      throw new ClchatError('NO_CALL');
    if (call.seats.has(by.device))
      throw new ClchatError('ALREADY', 'You are in that call already.');
    if (call.seatsOf(by.account).length > 0)
      throw new ClchatError('ALREADY', 'It was answered on another device.');
    if (!call.rings(by.account)) throw new ClchatError('NO_CALL');
    return this.news.view(this.#answer(call, by, equipment));
  }

  #answer(call: Call, { account, device }: Caller, equipment: Equipment): Call {
    this.#rules.checkFree(device);
    this.life.answer(call, account, device, equipment);
    return call;
  }

  /** @throws NO_CALL where it is over, or does not ring that account */
  decline({ account, device }: Caller, id: CallId): void {
    this.life.expire();
    const call = this.#index.get(id);
    if (call?.rings(account) !== true) throw new ClchatError('NO_CALL');
    this.life.decline(call, device);
  }

  /** Leaves a call, or gives up one that rings. @throws NO_CALL */
  leave(by: Caller, id: CallId): void {
    const [call, seat] = this.#seated(by, id);
    this.life.hangUp(call, seat);
  }

  /** Has something else switched on, or off. @throws NO_CALL, RATE_LIMITED */
  update(by: Caller, id: CallId, equipment: Equipment): void {
    const [call, seat] = this.#seated(by, id);
    if (!this.#updates.take(by.account)) throw new ClchatError('RATE_LIMITED');
    seat.equipment = equipment;
    this.news.changed(call);
  }

  #seated({ device }: Caller, id: CallId): [Call, Seat] {
    const call = this.#index.get(id);
    const seat = call?.seats.get(device);
    if (call === undefined || seat === undefined)
      throw new ClchatError('NO_CALL', 'You are not in that call.');
    return [call, seat];
  }

  /** Somebody has come into a room: they have to know of its call. */
  roomGrown(room: RoomId): void {
    const call = this.#index.ofRoom(room);
    if (call !== undefined) this.news.retell(call);
  }

  /** Somebody has another name: those in a call with them, or rung by it, have to know. */
  renamed(account: AccountId): void {
    for (const call of this.#index.of(account)) this.news.changed(call, true);
  }

  stop(): void {
    this.life.stop();
  }
}
