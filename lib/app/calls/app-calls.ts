/**
 * Calls of whoever is logged in: what the server tells of them, the call that this device is in, its
 * devices, and what the person has chosen. What happens is told as events.
 */
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { roomOf } from '../../crdt/rooms.ts';
import { isSuppressed } from '../../crdt/suppress.ts';
import { ClchatError, type ErrorCode } from '../../errors.ts';
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
import type { AppEvent, CallScreen } from '../types.ts';
import { CallDevices, type DeviceNames } from './call-devices.ts';
import { equipmentEvents } from './call-events.ts';
import { CallTelling } from './call-telling.ts';
import { tilesOf } from './call-tiles.ts';
import { LiveCall, USUAL, type Choices } from './live-call.ts';
import { waysOf } from './ways.ts';

export interface AppCallsOptions {
  readonly names: DeviceNames;
  /** How large pictures are wanted where no screen says so; undefined: as is usual for so many. */
  readonly size: PictureSize | undefined;
  readonly log: Log;
  readonly tell: (event: AppEvent) => void;
  /** Who is logged in. */
  readonly client: () => Client | undefined;
  readonly situation: Situation;
  /** Ports of the gateway for calls, where a server of this process has them mapped. */
  readonly ports: () => Ways['mapped'];
}

/** Chosen for one account; those that are forgotten first come first. */
const MAX_CHOICES = 256;

/** What a command fails with whose call has come to nothing. */
const FAILURES: Readonly<Record<CallEnd, { code: ErrorCode; text?: string }>> = {
  declined: { code: 'DECLINED' },
  'no answer': { code: 'NO_ANSWER' },
  withdrawn: { code: 'CLOSED', text: 'The call was given up.' },
  'hung up': { code: 'CLOSED', text: 'The call was given up.' },
  elsewhere: { code: 'ALREADY', text: 'It was answered on another device.' },
  lost: { code: 'OFFLINE', text: 'The connection to that user was lost.' },
  'put out': { code: 'DENIED', text: 'You may not be in that call any more.' },
};

export class AppCalls {
  readonly devices: CallDevices;
  readonly #options: AppCallsOptions;
  readonly #choices = new Map<AccountId, Choices>();
  #live: LiveCall | undefined;
  /** Friends of whoever is logged in, as far as the call needs to know. */
  #contacts = new Set<AccountId>();
  readonly #telling: CallTelling;
  #screen: CallScreen | undefined;
  /** This person is heard to talk. */
  #isTalking = false;
  /** Waits for what becomes of a call that rings. */
  #waiting: { readonly id: CallId; readonly done: (reason: CallEnd | undefined) => void }[] = [];

  constructor(options: AppCallsOptions) {
    this.#options = options;
    const { names, log, tell } = options;
    this.#telling = new CallTelling(tell);
    this.devices = new CallDevices({
      names,
      log,
      onEvent: (event) => this.#engineTold(event),
      onReady: () => this.#live?.mediaReady(),
      onRenewed: () => {
        tell({
          event: 'notice',
          code: 'NO_MEDIA',
          text: 'The part for calls had to be started again.',
        });
        this.#live?.renew();
      },
      onLost: (error) => {
        tell({ event: 'notice', code: error.code, text: error.message });
        void this.leave().catch(() => undefined);
      },
      onSwitched: (kind, isOn) => void this.#announce(kind, isOn),
      onNotice: (code, text) => tell({ event: 'notice', code, text }),
    });
  }

  /** What a client is to tell. */
  get events(): CallEvents {
    return {
      onNews: (news) => this.#take(news),
      onLine: (device) => this.#live?.lineUp(device),
      onNotice: (device, notice) => this.#live?.take(device, notice),
      onNetworkChanged: () => this.#live?.networkChanged(),
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

  #equipmentFor(target: CallTarget): Equipment {
    const { devices } = this;
    const { situation } = this.#options;
    return {
      microphone: devices.isOn('microphone'),
      camera: devices.isOn('camera'),
      entered: 'account' in target || situation.isIn(target.room),
    };
  }

  /**
   * Calls, or joins. @returns once it is clear that it rings, or that one is in it
   * @throws as `Calls.start`, NO_MEDIA
   */
  async start(target: CallTarget, secondDevice: boolean): Promise<CallView> {
    const warm = this.devices.warm();
    const { calls } = this.#client.calling;
    const view = await calls.start(target, this.#equipmentFor(target), secondDevice);
    await warm;
    return view;
  }

  /** @throws as `Calls.answer` */
  async answer(id: CallId | undefined): Promise<CallView> {
    const { calls } = this.#client.calling;
    const equipment = { ...this.#equipmentFor({ account: '' as AccountId }) };
    return calls.answer(id, equipment);
  }

  /** Resolves when a call that rings is answered. @throws as it came to nothing */
  async untilAnswered(view: CallView): Promise<void> {
    if (view.state !== 'ringing') return;
    const reason = await new Promise<CallEnd | undefined>((resolve) => {
      if (this.#live?.view.id !== view.id) return resolve('withdrawn');
      if (this.#live.view.state === 'active') return resolve(undefined);
      this.#waiting.push({ id: view.id, done: resolve });
    });
    if (reason === undefined) return;
    const { code, text } = FAILURES[reason];
    throw new ClchatError(code, text);
  }

  /** @throws NO_CALL */
  async leave(): Promise<CallView> {
    return this.#client.calling.calls.leave();
  }

  // Choices.

  choicesOf(account: AccountId): Choices {
    return this.#choices.get(account) ?? USUAL;
  }

  choose(account: AccountId, choices: Partial<Choices>): void {
    const chosen = { ...this.choicesOf(account), ...choices };
    this.#choices.delete(account);
    this.#choices.set(account, chosen);
    const [oldest] = this.#choices.keys();
    if (this.#choices.size > MAX_CHOICES) this.#choices.delete(oldest!);
    this.#live?.refresh();
  }

  /** Has the call shown by a front end. */
  watch(screen: CallScreen | undefined): void {
    this.#screen = screen;
    this.#show();
    this.sizesChanged();
  }

  /** Pictures are wanted in other sizes. */
  sizesChanged(): void {
    this.#live?.askAgain();
    const name = this.#options.client()?.home.name;
    const isSeen = this.#live !== undefined && this.devices.isOn('camera');
    const size = isSeen && name !== undefined ? this.#screen?.size(name, 'camera') : null;
    this.devices.media?.order({ order: 'mirror', size: size ?? null });
  }

  #changed({ home }: Client): void {
    if (this.#live !== undefined) this.#telling.live(home, this.#live);
    this.#show();
  }

  #show(): void {
    const home = this.#options.client()?.home;
    const live = this.#live;
    const screen = this.#screen;
    if (screen === undefined) return;
    if (home === undefined || live === undefined) return screen.show([]);
    const { name, account, space } = home;
    const { devices } = this;
    const hasCamera = devices.isOn('camera');
    screen.show(
      tilesOf(live, {
        name,
        account,
        hasCamera,
        hasMicrophone: devices.isOn('microphone'),
        isTalking: this.#isTalking,
        choicesOf: (one) => this.choicesOf(one),
        isSuppressed: (one) => isSuppressed(space, one, live.view.room),
      }),
    );
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
    await this.#announce(kind, isOn);
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

  /** What the person has done may have changed who sees what: rooms entered, contacts made. */
  async follow(): Promise<void> {
    const live = this.#live;
    const client = this.#options.client();
    if (live === undefined || client === undefined) return;
    await this.#learnContacts(client);
    const { room } = live.view;
    const { calls } = client.calling;
    const entered = room === undefined || this.#options.situation.isIn(room);
    if (calls.equipment !== undefined && calls.equipment.entered !== entered)
      await calls.update({ entered });
    live.refresh();
  }

  async #learnContacts({ home }: Client): Promise<void> {
    const all = await home.contacts.all();
    this.#contacts = new Set([...all].flatMap(([one, how]) => (how === 'contact' ? [one] : [])));
  }

  // News.

  #take(news: CallNews): void {
    const client = this.#options.client();
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
    const before = this.#live?.view;
    if (this.#live?.view.id !== view.id) this.#begin(client, view);
    const live = this.#live!;
    if (view.state === 'active') this.#settle(view.id, undefined);
    const { name } = client.home;
    for (const event of equipmentEvents(before?.id === view.id ? before : undefined, view, name))
      this.#options.tell(event);
    this.#learnContacts(client)
      .then(() => live.update(view))
      .catch((error: unknown) => this.#options.log.fault(error));
  }

  #begin(client: Client, view: CallView): void {
    const { home } = client;
    this.#live = new LiveCall({
      view,
      calling: client.calling,
      devices: this.devices,
      key: home.replica.device,
      account: home.account,
      ways: () => waysOf(client.calling.calls.ways, this.#options.ports()),
      maySee: (account, { entered }, room) =>
        room === undefined ||
        entered ||
        this.#contacts.has(account) ||
        roomOf(home.space, room)?.lifetime === 'conference',
      isSuppressed: (account, room) => isSuppressed(home.space, account, room),
      choicesOf: (account) => this.choicesOf(account),
      sizeOf: (user, kind) =>
        this.#screen === undefined ? this.#options.size : this.#screen.size(user, kind),
      onChange: () => this.#changed(client),
      onFault: (error) => this.#options.log.fault(error),
    });
    const live = this.#live;
    this.devices
      .begin()
      .then(() => live.refresh())
      .catch((error: unknown) => this.#failed(live, error));
  }

  /** The part for calls cannot be had. */
  #failed(live: LiveCall, error: unknown): void {
    if (this.#live !== live) return;
    const known = error instanceof ClchatError ? error : new ClchatError('NO_MEDIA');
    if (known !== error) this.#options.log.fault(error);
    this.#options.tell({ event: 'notice', code: known.code, text: known.message });
    void this.leave().catch(() => undefined);
  }

  #over(client: Client, view: CallView, reason: CallEnd): void {
    const live = this.#live;
    if (live?.view.id !== view.id) return;
    this.#live = undefined;
    this.#isTalking = false;
    live.end(reason);
    this.#settle(view.id, reason);
    this.#telling.call(client.home, view, 'ended', [], reason);
    this.#show();
    this.devices.end().catch((error: unknown) => this.#options.log.fault(error));
  }

  #settle(id: CallId, reason: CallEnd | undefined): void {
    const settled = this.#waiting.filter((one) => one.id === id);
    this.#waiting = this.#waiting.filter((one) => one.id !== id);
    for (const { done } of settled) done(reason);
  }

  #engineTold(event: EngineEvent): void {
    const live = this.#live;
    if (live === undefined) return;
    live.note(event);
    const client = this.#options.client();
    if (client === undefined) return;
    if (event.event === 'talking') {
      this.#talks(event.peer, event.talking, live, client);
    } else if (event.event === 'picture') this.#showPicture(event, live, client);
    else if (event.event === 'ended' && event.kind === 'record')
      void client.calling.calls.update({ recording: undefined });
  }

  #talks(peer: string | null, talking: boolean, live: LiveCall, client: Client): void {
    const other = peer === null ? undefined : live.other(peer as PublicKey);
    if (peer === null) this.#isTalking = talking;
    else if (other === undefined) return;
    else other.isTalking = talking;
    this.#options.tell({ event: 'talking', user: other?.user ?? client.home.name, talking });
    this.#show();
  }

  #showPicture(
    event: Extract<EngineEvent, { event: 'picture' }>,
    live: LiveCall,
    client: Client,
  ): void {
    const { peer, kind } = event;
    const user = peer === null ? client.home.name : live.other(peer as PublicKey)?.user;
    if (user !== undefined) this.#screen?.picture(user, kind, event);
    this.devices.media?.order({ order: 'taken', peer, kind });
  }

  async stop(): Promise<void> {
    await this.devices.stop();
  }
}
