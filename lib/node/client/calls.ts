/**
 * Calls as this device knows them: the one it is in, those that ring it, and those of its rooms. Who
 * is in them is what the server says; a call that goes on while the server is away is taken up there
 * when it is back.
 */
import { isDeepStrictEqual } from 'node:util';
import { toHex } from '../../crdt/bytes.ts';
import type { AccountId, PublicKey, RandomBytes, RoomId } from '../../crdt/keys.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import {
  RESUME_MS,
  RING_MS,
  type CallEnd,
  type CallId,
  type CallView,
  type Equipment,
  type Participant,
  type RoomCallView,
  type Ways,
} from '../calls/wire.ts';
import type { Request } from '../exchange.ts';
import type { SESSION } from '../wire.ts';
import type { Link } from './link.ts';
import { present, withAwaited, type OwnCall } from './own-call.ts';
import { RoomCalls } from './room-calls.ts';
import { Timers } from './timers.ts';

export type CallTarget = Request<typeof SESSION, 'callStart'>['target'];

/** What has happened. */
export type CallNews =
  /** Somebody calls this account. */
  | { readonly kind: 'ring'; readonly call: CallView }
  /** It rings no more, and this device is not in it. */
  | { readonly kind: 'rung'; readonly call: CallView; readonly reason: CallEnd }
  /** The call that this device is in, after a change. */
  | { readonly kind: 'call'; readonly call: CallView }
  /** This device is not in it any more. */
  | { readonly kind: 'over'; readonly call: CallView; readonly reason: CallEnd }
  /** Of a room in which this device is in no call. */
  | { readonly kind: 'room'; readonly call: RoomCallView };

export interface CallsOptions {
  /** @throws NETWORK, NOT_LOGGED_IN */
  readonly link: () => Link;
  /** Name of the account that is logged in. */
  readonly name: () => string | undefined;
  /** Of this device. */
  readonly device: PublicKey;
  /** The name of whoever a device belongs to, as the log says; undefined: it does not know of it. */
  readonly nameOf: (device: PublicKey) => string | undefined;
  /** Whether this account is in a room, as the log says. */
  readonly isIn: (room: RoomId) => boolean;
  /** @throws NO_SUCH_USER */
  readonly accountNamed: (name: string) => AccountId;
  readonly random: RandomBytes;
  readonly onNews: (news: CallNews) => void;
  readonly onFault: (error: unknown) => void;
}

/** How much longer than it should a call may ring that the server says nothing more of, in milliseconds. */
const RING_RESERVE_MS = 5_000;

/** Calls that ring at a time: nobody can listen to more, and the server may tell of any number. */
const MAX_RINGING = 16;

/** How often it is looked whether the log says something else of what goes on, in milliseconds. */
const LOOK_MS = 1_000;

/** What the server may be too far away for, or has heard of before: no fault. */
const AWAY = ['CLOSED', 'NETWORK', 'TIMEOUT', 'NOT_LOGGED_IN', 'MUST_CHANGE', 'NO_CALL'] as const;

export class Calls {
  readonly #options: CallsOptions;
  #own: OwnCall | undefined;
  /** Under way: what brings this device into a call. */
  #entering = 0;
  #lastEntering: Promise<unknown> | undefined;
  /** Of those that ring, or that this device is in. */
  readonly #timers = new Timers<CallId>();
  /** The one that is just being answered. */
  #answering: CallId | undefined;
  #resumed: Promise<void> = Promise.resolve();
  readonly #ringing = new Map<CallId, CallView>();
  readonly #rooms: RoomCalls;
  /** While there is anything of which the log has something to say. */
  #looking: NodeJS.Timeout | undefined;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#rooms = new RoomCalls({
      isIn: options.isIn,
      onNews: (call) => options.onNews({ kind: 'room', call }),
    });
  }

  /** The call in which this device is. */
  get current(): CallView | undefined {
    return this.#own?.view;
  }

  /** Whom, or where, it was meant for; not what the server makes of it. */
  get target(): CallTarget | undefined {
    return this.#own?.target;
  }

  get equipment(): Equipment | undefined {
    return this.#own?.equipment;
  }

  /** What finds a way through routers, as the server has told. */
  get ways(): Ways | undefined {
    return this.#own?.ways;
  }

  /** Those that ring this account, the newest last. */
  get ringing(): readonly CallView[] {
    return [...this.#ringing.values()];
  }

  /** This device may be in that call, or come into it any moment. */
  mayBeIn(id: CallId): boolean {
    return this.#entering > 0 || this.#own?.view.id === id;
  }

  /** Settles when what goes on is known, as far as the server tells. Never rejects. */
  get known(): Promise<void> {
    return this.#resumed;
  }

  /** Those of rooms of which one is a member, as far as they are told here. */
  get rooms(): readonly RoomCallView[] {
    return this.#rooms.shown;
  }

  /**
   * Calls somebody, or begins or joins the call of a room.
   * @returns the call; between two it may still be ringing
   * @throws as `callStart`; BUSY where this device is in a call; NETWORK
   */
  async start(target: CallTarget, equipment: Equipment, secondDevice = false): Promise<CallView> {
    this.#mustBeFree();
    const id = toHex(this.#options.random(16)) as CallId;
    const request = { id, target, equipment, secondDevice };
    return this.#enter({ target, equipment, isSecond: secondDevice }, () =>
      this.#options.link().session.call('callStart', request),
    );
  }

  /**
   * Answers a call that rings.
   * @param id to be left out where but one does
   * @throws NO_CALL, ALREADY (another device was first), AMBIGUOUS, BUSY, NETWORK
   */
  async answer(id: CallId | undefined, equipment: Equipment): Promise<CallView> {
    const call = this.#rung(id);
    this.#mustBeFree();
    const { id: answered } = call;
    this.#answering = answered;
    try {
      const target = this.#targetOf(call);
      return await this.#enter({ target, equipment, isSecond: false }, () =>
        this.#options.link().session.call('callAnswer', { id: answered, equipment }),
      );
    } catch (error) {
      // What has been told of it meanwhile was passed over.
      if (hasCode(error, 'ALREADY')) this.#silence(call, 'elsewhere');
      else if (hasCode(error, 'NO_CALL')) this.#silence(call, 'withdrawn');
      throw error;
    } finally {
      this.#answering = undefined;
    }
  }

  /** It rings no more here, whether the server hears of it or not. @throws NO_CALL, AMBIGUOUS, NETWORK */
  async decline(id?: CallId): Promise<CallView> {
    const call = this.#rung(id);
    try {
      await this.#options.link().session.call('callDecline', { id: call.id });
    } catch (error) {
      if (AWAY.some((code) => hasCode(error, code))) this.#silence(call, 'declined');
      throw error;
    }
    return call;
  }

  #rung(id: CallId | undefined): CallView {
    const found = id === undefined ? this.ringing : this.ringing.filter((one) => one.id === id);
    const [first] = found;
    if (first === undefined) throw new ClchatError('NO_CALL', 'Nobody is calling you.');
    if (found.length > 1)
      throw new ClchatError(
        'AMBIGUOUS',
        `Several are calling: ${found.map(({ caller }) => caller).join(', ')}.`,
      );
    return first;
  }

  #mustBeFree(): void {
    if (this.#own !== undefined || this.#entering > 0)
      throw new ClchatError('BUSY', 'You are in a call already: "hangup" first.');
  }

  /** By which it is taken up again at a server that does not know of it any more. */
  #targetOf({ room, caller = '' }: CallView): CallTarget {
    return room === undefined ? { account: this.#options.accountNamed(caller) } : { room };
  }

  async #enter(
    as: Pick<OwnCall, 'target' | 'equipment' | 'isSecond'>,
    ask: () => Promise<{ readonly call: CallView; readonly ways: Ways }>,
  ): Promise<CallView> {
    this.#entering += 1;
    try {
      const asked = ask();
      this.#lastEntering = asked.catch(() => undefined);
      const { call: told, ways } = await asked;
      const call = this.#named(told);
      this.#ringing.delete(call.id);
      this.#own = { ...as, view: call, ways, isTold: true, awaited: [] };
      if (call.state === 'ringing')
        this.#timers.set(call.id, RING_MS + RING_RESERVE_MS, () => this.#rangInVain());
      // From now on it is told of as this device's own.
      if (call.room !== undefined) this.#rooms.forget(call.room);
      this.#options.onNews({ kind: 'call', call });
      this.#look();
      return call;
    } finally {
      this.#entering -= 1;
    }
  }

  /**
   * Leaves the call that this device is in, at once for this device, whether the server hears of it
   * or not. @throws NO_CALL
   */
  async leave(): Promise<CallView> {
    // Whoever gives up at once is in it a moment later.
    if (this.#own === undefined && this.#entering > 0) await this.#lastEntering;
    const own = this.#own;
    if (own === undefined) throw new ClchatError('NO_CALL', 'You are in no call.');
    this.#end(own.view, 'hung up');
    await this.#tellLeft(own.view.id);
    return own.view;
  }

  /** What the server does not hear now it hears as soon as it says that this device is in that call. */
  async #tellLeft(id: CallId): Promise<void> {
    await this.#tell((session) => session.call('callLeave', { id }));
  }

  /** Something was switched on or off. @throws NO_CALL */
  async update(change: Partial<Equipment>): Promise<void> {
    const own = this.#own;
    if (own === undefined) throw new ClchatError('NO_CALL', 'You are in no call.');
    const { id } = own.view;
    const equipment = present({ ...own.equipment, ...change });
    own.equipment = equipment;
    own.isTold = false;
    // What the server does not hear now is told when there is a way to it again.
    own.isTold = await this.#tell((session) => session.call('callUpdate', { id, equipment }));
  }

  /** Never rejects. @returns whether the server has heard it */
  async #tell(say: (session: Link['session']) => Promise<unknown>): Promise<boolean> {
    try {
      await say(this.#options.link().session);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    if (!AWAY.some((code) => hasCode(error, code))) this.#options.onFault(error);
  }

  /** Takes what the server tells of a call. */
  take(told: CallView): void {
    const call = this.#named(told);
    const own = this.#own;
    const isIn = call.participants.some(({ device }) => device === this.#options.device);
    if (call.id === own?.view.id) return this.#takeOwn(own, call, isIn);
    if (call.id === this.#answering) return;
    if (isIn && call.state !== 'ended') {
      // A program of this device that is no more was in it, or the server has not heard of the leaving.
      if (this.#entering === 0) void this.#tellLeft(call.id);
      return;
    }
    const rang = this.#ringing.get(call.id);
    // Of another name of this account the server may be the first to know.
    const isCalled = rang !== undefined || call.callee === this.#options.name();
    if (call.state === 'ringing' && isCalled) {
      if (rang === undefined && this.#ringing.size >= MAX_RINGING) return;
      this.#ringing.set(call.id, call);
      if (rang !== undefined) return;
      this.#timers.set(call.id, RING_MS + RING_RESERVE_MS, () => this.#silence(call, 'no answer'));
      this.#options.onNews({ kind: 'ring', call });
    } else if (rang !== undefined) this.#silence(call, call.reason ?? 'elsewhere');
  }

  #takeOwn(own: OwnCall, told: CallView, isIn: boolean): void {
    const call = withAwaited(own, told);
    const isCaller = call.state === 'ringing' && call.caller === this.#options.name();
    if (call.state === 'ended' || !(isIn || isCaller))
      return this.#end(call, call.reason ?? 'put out');
    this.#show(own, call);
  }

  #show(own: OwnCall, call: CallView): void {
    if (isDeepStrictEqual(own.view, call)) return;
    own.view = call;
    this.#options.onNews({ kind: 'call', call });
  }

  /** Nobody is shown under another name than the log has for them, whatever the server says. */
  #named(call: CallView): CallView {
    const participants = call.participants.map((one) => ({
      ...one,
      user: this.#options.nameOf(one.device) ?? one.user,
    }));
    return { ...call, participants };
  }

  /** Nothing tells that somebody has another name in the log, or is in a room no more. */
  #look(): void {
    this.#looking ??= setInterval(() => {
      const own = this.#own;
      // Whoever is not logged in any more has no log to ask.
      const isOver = own === undefined && this.#rooms.size === 0;
      if (isOver || this.#options.name() === undefined) return this.#lookNoMore();
      if (own !== undefined) this.#show(own, this.#named(own.view));
      this.#rooms.follow();
    }, LOOK_MS).unref();
  }

  #lookNoMore(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  /** The server is away, and cannot say so. */
  #rangInVain(): void {
    const own = this.#own;
    if (own?.view.state === 'ringing') this.#end(own.view, 'no answer');
  }

  /** One that has rung rings no more. */
  #silence(call: CallView, reason: CallEnd): void {
    if (!this.#ringing.delete(call.id)) return;
    this.#timers.clear(call.id);
    this.#options.onNews({ kind: 'rung', call, reason });
  }

  #end(call: CallView, reason: CallEnd): void {
    if (this.#own !== undefined) this.#timers.clear(this.#own.view.id);
    this.#own = undefined;
    this.#options.onNews({ kind: 'over', call, reason });
  }

  /** The same, of the call of a room in which this device is not. */
  takeRoom(call: RoomCallView): void {
    this.#rooms.take(call);
    this.#look();
  }

  /** There is a way to the server again: takes up what goes on, and asks what rings. Never rejects. */
  resume(): Promise<void> {
    this.#resumed = this.#takeUp().catch((error: unknown) => this.#failed(error));
    return this.#resumed;
  }

  async #takeUp(): Promise<void> {
    // What the server does not know of any more has rung in vain: it was no call yet.
    if (this.#own !== undefined && this.#own.view.state !== 'ringing')
      await this.#resume(this.#own);
    const { calls, rooms } = await this.#options.link().session.call('calls', {});
    const isKnown = ({ id }: CallView): boolean => calls.some((one) => one.id === id);
    for (const call of this.ringing) if (!isKnown(call)) this.#silence(call, 'lost');
    const own = this.#own;
    if (own?.view.state === 'ringing' && !isKnown(own.view)) this.#end(own.view, 'lost');
    for (const call of calls) this.take(call);
    this.#rooms.takeAll(rooms);
    this.#look();
  }

  async #resume(own: OwnCall): Promise<void> {
    const { id } = own.view;
    const { equipment, target, isSecond, view: before } = own;
    const name = this.#options.name();
    // The other one may be the first to come back.
    const isBeside = before.participants.some(
      ({ user, device }) => user === name && device !== this.#options.device,
    );
    const { session } = this.#options.link();
    this.#entering += 1;
    try {
      const secondDevice = isSecond || isBeside;
      const request = { id, target, equipment, secondDevice, resumed: true as const };
      const { call, ways } = await session.call('callStart', request);
      if (this.#own !== own) return void this.#tellLeft(call.id);
      own.ways = ways;
      own.isTold = true;
      this.#await(own, call, before.participants);
    } catch (error) {
      // The server has kept the place, though it may not know what was switched on meanwhile.
      if (hasCode(error, 'ALREADY')) {
        if (!own.isTold && this.#own === own) await this.update({});
      } else if (hasCode(error, 'BUSY')) {
        // Another device has taken the place meanwhile.
        if (this.#own === own) this.#end(own.view, 'elsewhere');
      } else if (AWAY.some((code) => hasCode(error, code))) throw error;
      // It is over, or one may not be in it any more.
      else if (this.#own === own) this.#end(own.view, 'lost');
    } finally {
      this.#entering -= 1;
    }
  }

  /**
   * The server does not know of those who have not come back to it yet: they are still there, and what
   * goes from device to device goes on.
   */
  #await(own: OwnCall, call: CallView, before: readonly Participant[]): void {
    own.awaited = before
      .filter(({ device }) => device !== this.#options.device)
      .map((one) => ({ ...one, away: true as const }));
    const tell = (view: CallView): void => {
      own.view = this.#named(withAwaited(own, view));
      this.#options.onNews({ kind: 'call', call: own.view });
    };
    tell(call);
    if (own.awaited.length === 0) return;
    this.#timers.set(call.id, RESUME_MS, () => {
      const gone = new Set(own.awaited.map(({ device }) => device));
      own.awaited = [];
      const participants = own.view.participants.filter(({ device }) => !gone.has(device));
      if (this.#own === own) tell({ ...own.view, participants });
    });
  }

  /** Nobody is logged in any more. */
  reset(): void {
    const own = this.#own;
    for (const id of this.#ringing.keys()) this.#timers.clear(id);
    this.#ringing.clear();
    this.#rooms.clear();
    this.#lookNoMore();
    if (own !== undefined) this.#end(own.view, 'hung up');
  }
}
