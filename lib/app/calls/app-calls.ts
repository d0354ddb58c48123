/**
 * Calls of whoever is logged in: what the server tells of them, the call that this device is in, its
 * devices, and what the person has chosen. What happens is told as events.
 */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import { isSuppressed } from '../../crdt/suppress.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { NOTHING, type DeviceKind, type DeviceList } from '../../media/devices/device.ts';
import { listDevices } from '../../media/devices/list.ts';
import type { EngineEvent, SourceKind, Ways } from '../../media/engine/messages.ts';
import type { PictureSize } from '../../media/frames.ts';
import type { CallEnd, CallId, CallView, Equipment } from '../../node/calls/wire.ts';
import type { CallEvents } from '../../node/client/calling.ts';
import type { CallNews, CallTarget } from '../../node/client/calls.ts';
import type { Client } from '../../node/client/client.ts';
import type { Situation } from '../situation.ts';
import type { AppEvent } from '../types.ts';
import { Acquaintances } from './acquaintances.ts';
import { CallDevices, type CallDevicesOptions, type DeviceNames } from './call-devices.ts';
import { equipmentEvents, unreachable } from './call-events.ts';
import { CallTelling } from './call-telling.ts';
import { ChoiceBook, type Choices } from './choices.ts';
import { LiveCall } from './live-call.ts';
import { Outcomes } from './outcomes.ts';
import { Showing } from './showing.ts';
import { Talking } from './talking.ts';
import { waysOf } from './ways.ts';

export interface AppCallsOptions {
  readonly names: DeviceNames;
  /** How large pictures are wanted where no screen says so; undefined: as is usual for so many. */
  readonly size: PictureSize | undefined;
  readonly log: Log;
  readonly tell: (event: AppEvent) => void;
  /** Who is logged in. */
  readonly client: () => Client | undefined;
  /** It is here for one command. */
  readonly isPassing?: boolean;
  readonly situation: Situation;
  /** Ports of the gateway for calls, where a server of this process has them mapped. */
  readonly ports: () => Ways['mapped'];
  /** Another helper process, for tests. */
  readonly startMedia?: CallDevicesOptions['startMedia'];
}

/** Told of to front ends, and followed here: by them others may have come to be seen or heard, or not. */
const FOLLOWED: ReadonlySet<AppEvent['event']> = new Set([
  'contact',
  'unfriend',
  'request',
  'servermute',
  'room',
  'member',
  'server',
]);

export class AppCalls {
  readonly devices: CallDevices;
  readonly #options: AppCallsOptions;
  readonly #choices = new ChoiceBook();
  #live: LiveCall | undefined;
  /** In whose login the present call is. */
  #caller: Client | undefined;
  readonly #acquaintances = new Acquaintances();
  readonly #telling: CallTelling;
  /** What is shown of it. */
  readonly showing: Showing;
  readonly #outcomes = new Outcomes();
  readonly #talking: Talking;
  /** Commands under way that bring this device into a call. */
  #entering = 0;
  /** Why the present call cannot go on. */
  #failure: ClchatError | undefined;

  constructor(options: AppCallsOptions) {
    this.#options = options;
    const { names, log, tell, startMedia } = options;
    this.#telling = new CallTelling(tell);
    this.#talking = new Talking((user, talking) => tell({ event: 'talking', user, talking }));
    this.devices = new CallDevices({
      names,
      log,
      startMedia,
      onEvent: (event) => this.#engineTold(event),
      onReady: () => this.#mediaReady(false),
      onRenewed: () => this.#renewed(),
      onLost: (error) => this.#failed(error),
      onSwitched: (kind, isOn) => this.#run(this.#announce(kind, isOn)),
      onNotice: (code, text) => tell({ event: 'notice', code, text }),
    });
    this.showing = new Showing({
      devices: this.devices,
      home: () => options.client()?.home,
      live: () => this.#live,
      choicesOf: (account) => this.choicesOf(account),
      isRecording: () => this.isRecording,
      size: options.size,
    });
  }

  #mediaReady(isOther: boolean): void {
    this.#live?.mediaReady(isOther);
    this.showing.sizesChanged();
  }

  /** What nobody waits for. */
  #run(doing: Promise<unknown>): void {
    doing.catch((error: unknown) => {
      // The call may be over by now.
      if (!hasCode(error, 'NO_CALL')) this.#options.log.fault(error);
    });
  }

  /** What a client is to tell. */
  get events(): CallEvents {
    return {
      onNews: (news) => this.#take(news),
      onLine: (device, _path, isOnly) => this.#live?.lineUp(device, isOnly),
      onNotice: (device, notice) => this.#live?.take(device, notice),
      onNetworkChanged: () => this.#live?.networkChanged(),
      onRules: () => this.#run(this.follow()),
    };
  }

  /** The call that this device is in. */
  get live(): LiveCall | undefined {
    return this.#live;
  }

  get #client(): Client {
    const client = this.#options.client();
    if (client === undefined) throw new ClchatError('NOT_LOGGED_IN');
    return client;
  }

  /** @param target undefined: of a call between two */
  #equipmentFor(target: CallTarget | undefined): Equipment {
    const { devices } = this;
    const room = target === undefined || 'account' in target ? undefined : target.room;
    return {
      microphone: devices.isOn('microphone'),
      camera: devices.isOn('camera'),
      entered: this.#hasEntered(room),
    };
  }

  #hasEntered(room: RoomId | undefined): boolean {
    return room === undefined || this.#options.situation.isIn(room);
  }

  /**
   * Calls, or joins. @returns once it is clear that it rings, or that one is in it
   * @throws as `Calls.start`, NO_MEDIA, NOT_SUPPORTED
   */
  async start(target: CallTarget, secondDevice: boolean): Promise<CallView> {
    this.#mustStay();
    const { calls } = this.#client.calling;
    return this.#enter(() => calls.start(target, this.#equipmentFor(target), secondDevice));
  }

  /** @throws as `Calls.answer`, NO_MEDIA, NOT_SUPPORTED */
  async answer(id: CallId | undefined): Promise<CallView> {
    this.#mustStay();
    const { calls } = this.#client.calling;
    return this.#enter(() => calls.answer(id, this.#equipmentFor(undefined)));
  }

  /** @throws NOT_SUPPORTED in a program that ends with the command */
  #mustStay(): void {
    if (this.#options.isPassing !== true) return;
    const text = 'A call needs a program that goes on: start clchat without -e, or beside it.';
    throw new ClchatError('NOT_SUPPORTED', text);
  }

  async #enter(enter: () => Promise<CallView>): Promise<CallView> {
    this.#entering += 1;
    try {
      const warm = this.devices.warm();
      const view = await enter();
      const failure = await warm;
      if (failure === undefined) return view;
      await this.leave().catch(() => undefined);
      throw failure;
    } finally {
      this.#entering -= 1;
    }
  }

  /** Resolves when a call that rings is answered. @throws as it came to nothing */
  async untilAnswered({ id, state }: CallView): Promise<void> {
    const isAnswered = this.#live?.view.id === id && this.#live.view.state === 'active';
    if (state === 'ringing' && !isAnswered) await this.#outcomes.of(id);
  }

  /** @throws NO_CALL */
  async leave(): Promise<CallView> {
    return this.#client.calling.calls.leave();
  }

  choicesOf(account: AccountId): Choices {
    return this.#choices.of(account);
  }

  choose(account: AccountId, choices: Partial<Choices>): void {
    this.#choices.choose(account, choices);
    this.#live?.refresh();
  }

  /** Something was switched on or off, which the others are told. */
  async #announce(kind: SourceKind, isOn: boolean): Promise<void> {
    this.#live?.refresh();
    if (this.#live === undefined) return;
    const { calls } = this.#client.calling;
    if (kind === 'screen') await calls.update({ live: undefined });
    else await calls.update({ [kind]: isOn });
  }

  /** @throws NO_DEVICE, NO_MEDIA */
  async switch(kind: 'camera' | 'microphone', isOn: boolean, name?: string): Promise<void> {
    await this.devices.switch(kind, isOn, name);
    await this.#announce(kind, this.devices.isOn(kind));
  }

  /**
   * The devices of one kind, and what keeps others from being found; or takes another one from now on.
   * @throws NO_DEVICE, NO_MEDIA
   */
  async equipment(kind: DeviceKind, device?: string): Promise<DeviceList> {
    if (device !== undefined) {
      await this.devices.choose(kind, device);
      return NOTHING;
    }
    const { devices, problems } = await listDevices();
    return { devices: devices.filter((one) => one.kind === kind), problems };
  }

  /** @param label undefined: no more. @throws NO_CALL, NO_DEVICE, NO_MEDIA */
  async share(label: string | undefined): Promise<void> {
    const live = this.#live;
    if (live === undefined) throw new ClchatError('NO_CALL', 'You are in no call.');
    await this.devices.switch('screen', label !== undefined);
    await this.#client.calling.calls.update({ live: label });
    live.refresh();
  }

  /** What is done, here or elsewhere, may change who sees and hears whom: rooms entered, contacts made. */
  async follow(): Promise<void> {
    const live = this.#live;
    const client = this.#options.client();
    this.#acquaintances.forget();
    if (live === undefined || client === undefined) return;
    const { calls } = client.calling;
    const { equipment } = calls;
    const entered = this.#hasEntered(live.view.room);
    if (equipment !== undefined && equipment.entered !== entered) await calls.update({ entered });
    await live.update();
  }

  /** Something is told to front ends. */
  heard({ event }: AppEvent): void {
    if (this.#live !== undefined && FOLLOWED.has(event)) this.#run(this.follow());
  }

  // News.

  #take(news: CallNews): void {
    // A call ends with its login, too, when there is nobody logged in any more.
    const client = this.#options.client() ?? this.#caller;
    if (client === undefined) return;
    switch (news.kind) {
      case 'ring':
        void this.devices.warm();
        return this.#telling.ring(client.home, news.call);
      case 'rung':
        return this.#telling.call(client.home, news.call, 'ended', [], news.reason);
      case 'call':
        return this.#updated(client, news.call);
      case 'over':
        return this.#over(client, news.call, news.reason);
      case 'room':
        if (this.#live?.view.id !== news.call.id) this.#telling.room(client.home, news.call);
        return;
      default:
        news satisfies never;
    }
  }

  #updated(client: Client, view: CallView): void {
    const before = this.#live?.view.id === view.id ? this.#live.view : undefined;
    if (before === undefined) this.#begin(client, view);
    if (view.state === 'active') this.#outcomes.answered(view.id);
    for (const event of equipmentEvents(before, view, client.home.name)) this.#options.tell(event);
    this.#run(this.#live!.update(view));
  }

  #begin(client: Client, view: CallView): void {
    const { home, calling } = client;
    const { calls } = calling;
    const { log, ports } = this.#options;
    const replaced = this.#live;
    // A server that was started again may have another call for the same place.
    replaced?.end('lost', true);
    const live = new LiveCall({
      view,
      calling,
      devices: this.devices,
      key: home.replica.device,
      account: home.account,
      ways: () => waysOf(calls.ways, ports()),
      maySee: (account, participant, room) =>
        this.#acquaintances.maySee(home, account, participant, room),
      isSuppressed: (account, room) => isSuppressed(home.space, account, room),
      choicesOf: (account) => this.choicesOf(account),
      sizeOf: (device, kind) => this.showing.sizeOf(device, kind),
      isShown: (device, kind) => this.showing.isShown(device, kind),
      prepare: () => this.#acquaintances.learn(home),
      onChange: () => {
        if (this.#live !== live) return;
        this.#telling.live(home, live);
        this.showing.show();
      },
      onUnreachable: (user) =>
        this.#options.tell(unreachable(user, calls.ways?.turn !== undefined)),
      onLeft: (user) => {
        if (!isTalking(live, user)) this.#talking.gone(user);
      },
      onDeserted: () => this.#run(this.leave()),
      onFault: (error) => log.fault(error),
    });
    this.#live = live;
    this.#acquaintances.forget();
    this.#caller = client;
    this.#failure = undefined;
    if (replaced !== undefined) return;
    this.devices.begin().catch((error: unknown) => {
      if (this.#live !== live) return;
      if (error instanceof ClchatError) return this.#failed(error);
      log.fault(error);
      this.#failed(new ClchatError('NO_MEDIA'));
    });
  }

  /** The part for calls cannot be had: the call ends with it. */
  #failed(error: ClchatError): void {
    this.#failure = error;
    // Whoever has just given a command is told by its result.
    if (this.#entering === 0)
      this.#options.tell({ event: 'notice', code: error.code, text: error.message });
    this.#run(this.leave());
  }

  /** It has ended by itself, and there is another. */
  #renewed(): void {
    const { tell } = this.#options;
    const text = 'The part for calls had to be started again.';
    const recording = this.isRecording ? ' What was recorded is over: "record" begins anew.' : '';
    tell({ event: 'notice', code: 'NO_MEDIA', text: text + recording });
    this.#talking.reset();
    this.showing.isTalking = false;
    for (const other of this.#live?.others ?? []) other.isTalking = false;
    this.#mediaReady(true);
    if (this.isRecording) this.#run(this.setRecording(false));
  }

  /** Whether what comes in is recorded here. */
  get isRecording(): boolean {
    return this.#options.client()?.calling.calls.equipment?.recording === true;
  }

  /** Everybody is told, whether they like it or not; and pictures are wanted that nobody looks at. */
  async setRecording(isOn: boolean): Promise<void> {
    await this.#options.client()?.calling.calls.update({ recording: isOn ? true : undefined });
    this.showing.sizesChanged();
  }

  #over(client: Client, view: CallView, reason: CallEnd): void {
    const live = this.#live;
    if (live?.view.id !== view.id) return;
    this.#live = undefined;
    this.#caller = undefined;
    this.showing.isTalking = false;
    this.#talking.stop();
    live.end(reason);
    this.#outcomes.ended(view.id, reason, this.#failure);
    this.#telling.call(client.home, view, 'ended', [], reason);
    this.showing.show();
    this.showing.sizesChanged();
    this.#run(this.devices.end());
  }

  #engineTold(event: EngineEvent): void {
    const live = this.#live;
    const client = this.#options.client();
    if (live === undefined || client === undefined) return;
    live.note(event);
    if (event.event === 'talking') this.#talks(event.peer, event.talking, live, client);
    else if (event.event === 'picture') this.showing.picture(event);
    else if (event.event === 'ended') this.#run(this.setRecording(false));
  }

  #talks(peer: string | null, talking: boolean, live: LiveCall, { home }: Client): void {
    const other = peer === null ? undefined : live.other(peer as PublicKey);
    if (peer === null) this.showing.isTalking = talking;
    else if (other === undefined) return;
    else other.isTalking = talking;
    const user = other?.user ?? home.name;
    this.#talking.note(user, other === undefined ? talking : isTalking(live, user));
    this.showing.show();
  }

  async stop(): Promise<void> {
    this.#talking.stop();
    await this.devices.stop();
  }
}

/** On any of their devices. */
function isTalking({ others }: LiveCall, user: string): boolean {
  return others.some((other) => other.user === user && other.isTalking);
}
