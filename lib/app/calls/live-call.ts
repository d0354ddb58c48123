/**
 * The call that this device is in: a connection to each of the others, and what goes over it. What the
 * others are sent is decided here, by the rules of the place, and not by what they ask for.
 */
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import { isDeepStrictEqual } from 'node:util';
import { budgetFor, type Wanted } from '../../media/budget.ts';
import type { Limits } from '../../media/description.ts';
import type { EngineEvent, Ways } from '../../media/engine/messages.ts';
import { SCREEN_SIZE, usualSize } from '../../media/viewing.ts';
import type { PictureSize } from '../../media/frames.ts';
import { IDLE, nextState, type CallState } from '../../media/call-state.ts';
import type { Signal } from '../../media/negotiation.ts';
import { Remote } from '../../media/remote.ts';
import type { CallNotice } from '../../node/calls/lines.ts';
import type { CallEnd, CallView, Participant } from '../../node/calls/wire.ts';
import type { Calling } from '../../node/client/calling.ts';
import type { CallDevices } from './call-devices.ts';

/** What this person has chosen about another one, for themselves only. */
export interface Choices {
  readonly isMuted: boolean;
  readonly isHidden: boolean;
  /** In percent. */
  readonly volume: number;
}

export const USUAL: Choices = { isMuted: false, isHidden: false, volume: 100 };

export interface LiveCallOptions {
  readonly view: CallView;
  readonly calling: Calling;
  readonly devices: CallDevices;
  readonly key: PublicKey;
  readonly ways: () => Ways;
  /** Whether somebody may see this side's camera; see `maySee`. */
  readonly maySee: (
    account: AccountId,
    participant: Participant,
    room: RoomId | undefined,
  ) => boolean;
  readonly isSuppressed: (account: AccountId, room: RoomId | undefined) => boolean;
  /** This account, to know whether it is suppressed. */
  readonly account: AccountId;
  readonly choicesOf: (account: AccountId) => Choices;
  /** How large a front end wants somebody's pictures; undefined: as is usual for so many. */
  readonly sizeOf: (user: string, kind: 'camera' | 'screen') => PictureSize | null | undefined;
  readonly onChange: () => void;
  readonly onFault: (error: unknown) => void;
}

/** What is known of one of the others. */
export interface Other {
  readonly device: PublicKey;
  readonly account: AccountId;
  readonly user: string;
  participant: Participant;
  readonly remote: Remote;
  /** As the other side wants to see this one, once it has said so. */
  wanted: Wanted | undefined;
  /** What was agreed on last. */
  agreed: Limits | undefined;
  /** This side watches the screen that is shared. */
  isWatched: boolean;
  isTalking: boolean;
  /** Was connected, and has not been for a while. */
  isLost: boolean;
  lostTimer: NodeJS.Timeout | undefined;
  /** All that has come from it when that was looked at last, and how often nothing more had come. */
  heard: { readonly bytes: number; readonly silent: number };
  /** What was last asked of it, so that it is not asked twice. */
  asked: string;
}

/** How long somebody may be without a sign of life before they count as gone, in milliseconds. */
const LOST_MS = 3_000;
/** How often it is looked whether anything comes from those of whom the server hears nothing, in milliseconds. */
const LOOK_MS = 2_000;
/** Looks in a row in which nothing has come. */
const SILENT_LOOKS = 2;

export class LiveCall {
  readonly #options: LiveCallOptions;
  readonly #others = new Map<PublicKey, Other>();
  #view: CallView;
  #state: CallState<CallEnd> = IDLE;
  #isEnded = false;
  #looking: NodeJS.Timeout | undefined;

  constructor(options: LiveCallOptions) {
    this.#options = options;
    this.#view = options.view;
  }

  get view(): CallView {
    return this.#view;
  }

  get state(): CallState<CallEnd> {
    return this.#state;
  }

  /** What this device has switched on. */
  get ownEquipment(): Participant | undefined {
    return this.#view.participants.find(({ device }) => device === this.#options.key);
  }

  get others(): readonly Other[] {
    return [...this.#others.values()];
  }

  other(device: PublicKey): Other | undefined {
    return this.#others.get(device);
  }

  /** Those in it, as far as they can be told to be there, this person with them. */
  get participants(): string[] {
    const users = this.#view.participants
      .filter(({ device }) => this.#others.get(device)?.isLost !== true)
      .map(({ user }) => user);
    return [...new Set(users)];
  }

  /** The server has told of it. */
  async update(view: CallView): Promise<void> {
    this.#view = view;
    const { calling, key } = this.#options;
    const companions = view.state === 'active' ? await calling.companions() : [];
    if (this.#isEnded || this.#view !== view) return;
    const there = new Map(view.participants.map((one) => [one.device, one]));
    for (const [device, other] of this.#others)
      if (!companions.some((one) => one.device === device)) this.#drop(other);
    for (const { device, account } of companions) {
      const participant = there.get(device)!;
      const known = this.#others.get(device);
      if (known !== undefined) this.#isToldOf(known, participant);
      else this.#add(device, account, participant, device < key);
    }
    calling.lines.keep(view.id, companions);
    if (view.state === 'ringing') this.#step({ type: 'rings' });
    if (view.participants.some(({ away }) => away === true) && this.#looking === undefined) {
      this.#looking = setInterval(() => void this.#look(), LOOK_MS);
      this.#looking.unref();
    }
    this.refresh();
  }

  #isToldOf(other: Other, participant: Participant): void {
    if (other.participant.away === true && participant.away !== true) other.isLost = false;
    other.participant = participant;
  }

  #add(
    device: PublicKey,
    account: AccountId,
    participant: Participant,
    makesOffers: boolean,
  ): void {
    const { devices, ways, calling, onFault } = this.#options;
    const remote = new Remote({
      peer: device,
      makesOffers,
      media: () => devices.media,
      ways,
      limits: () => {
        const other = this.#others.get(device)!;
        return (other.agreed = this.#limitsOf(other));
      },
      send: (signal) => send(calling, device, signal),
      onState: () => this.#connectionChanged(device),
      onFault,
    });
    this.#others.set(device, {
      device,
      account,
      user: participant.user,
      participant,
      remote,
      wanted: undefined,
      agreed: undefined,
      isWatched: false,
      isTalking: false,
      isLost: false,
      lostTimer: undefined,
      heard: { bytes: 0, silent: 0 },
      asked: '',
    });
  }

  /** What goes to another device at most. */
  #limitsOf({ wanted }: Other): Limits {
    const camera = usualSize(this.#others.size);
    return budgetFor(wanted ?? { camera, screen: null }, this.#others.size);
  }

  #drop({ device, remote, lostTimer }: Other): void {
    clearTimeout(lostTimer);
    remote.close();
    this.#others.delete(device);
  }

  #connectionChanged(device: PublicKey): void {
    const other = this.#others.get(device);
    if (other === undefined) return;
    const isUp = other.remote.state === 'connected';
    clearTimeout(other.lostTimer);
    if (isUp) other.isLost = false;
    else if (this.#state.phase === 'active' && !other.isLost)
      other.lostTimer = setTimeout(() => {
        other.isLost = true;
        this.#report();
      }, LOST_MS);
    this.#report();
  }

  /**
   * Looks after those of whom the server hears nothing: who has crashed is silent here too, and the
   * library takes its time to tell.
   */
  async #look(): Promise<void> {
    const away = [...this.#others.values()].filter(({ participant }) => participant.away === true);
    if (away.length === 0 || this.#isEnded) {
      clearInterval(this.#looking);
      this.#looking = undefined;
      return;
    }
    const stats = await this.#options.devices.media?.call('stats', {}).catch(() => undefined);
    for (const other of away) {
      const bytes = stats?.peers[other.device]?.receivedBytes ?? 0;
      const isSilent = bytes === other.heard.bytes;
      other.heard = { bytes, silent: isSilent ? other.heard.silent + 1 : 0 };
      const isLost = other.heard.silent >= SILENT_LOOKS;
      if (other.remote.state === 'connected') other.isLost = isLost;
    }
    this.#report();
  }

  /** Applies what holds now to everybody: who is sent what, what is wanted of whom. */
  refresh(): void {
    if (this.#isEnded) return;
    for (const other of this.#others.values()) {
      this.#send(other);
      this.#ask(other);
      this.#hear(other);
    }
    this.#report();
  }

  /** A front end wants them in other sizes. */
  askAgain(): void {
    for (const other of this.#others.values()) this.#ask(other);
  }

  #send({ device, account, participant, wanted }: Other): void {
    const { devices, maySee, isSuppressed, account: own } = this.#options;
    const { room } = this.#view;
    const sees = devices.isOn('camera') && maySee(account, participant, room);
    devices.media?.order({
      order: 'send',
      peer: device,
      sound: devices.isOn('microphone') && !isSuppressed(own, room),
      camera: sees ? (wanted?.camera ?? null) : null,
      screen: devices.isOn('screen') ? (wanted?.screen ?? null) : null,
    });
  }

  /** Tells the other side how its pictures are wanted. */
  #ask(other: Other): void {
    const { calling, choicesOf, sizeOf, devices } = this.#options;
    const { device, account, user, isWatched, participant } = other;
    const isShown = !choicesOf(account).isHidden && participant.camera;
    const chosen = sizeOf(user, 'camera');
    const camera = isShown ? (chosen === undefined ? usualSize(this.#others.size) : chosen) : null;
    const screen = isWatched ? (sizeOf(user, 'screen') ?? SCREEN_SIZE) : null;
    const view = { camera, screen };
    const asked = JSON.stringify(view);
    if (other.asked === asked || !calling.lines.isUp(device)) return;
    other.asked = asked;
    calling.lines.send(device, 'view', view);
    for (const kind of ['camera', 'screen'] as const)
      devices.media?.order({ order: 'show', peer: device, kind, shown: view[kind] !== null });
  }

  #hear({ device, account }: Other): void {
    const { devices, choicesOf, isSuppressed } = this.#options;
    const { isMuted, volume } = choicesOf(account);
    // Whoever does not keep to being silenced is not heard here.
    const isSilent = isMuted || isSuppressed(account, this.#view.room);
    devices.media?.order({ order: 'hear', peer: device, volume: isSilent ? 0 : volume });
  }

  // What comes from the others, and from the helper process.

  lineUp(device: PublicKey): void {
    const other = this.#others.get(device);
    if (other === undefined) return;
    other.asked = '';
    other.remote.lineUp();
    this.#ask(other);
  }

  take(device: PublicKey, { name, notice }: CallNotice): void {
    const other = this.#others.get(device);
    if (other === undefined) return;
    switch (name) {
      case 'offer':
      case 'answer':
      case 'candidate':
      case 'callme':
        return other.remote.take({ type: name, ...notice } as Signal);
      case 'view': {
        other.wanted = notice;
        this.#send(other);
        // What was agreed on before it was told how pictures are wanted may be far too little.
        if (!isDeepStrictEqual(this.#limitsOf(other), other.agreed)) other.remote.change();
        return;
      }
      case 'bye':
        // The server tells of it too, unless it is away: then this is all that is heard.
        return this.#gone(other);
      default:
        return notice satisfies never;
    }
  }

  #gone(other: Other): void {
    clearTimeout(other.lostTimer);
    other.isLost = true;
    this.#report();
  }

  note(event: EngineEvent): void {
    if (event.event === 'candidate' || event.event === 'state')
      this.#others.get(event.peer as PublicKey)?.remote.note(event);
  }

  /** The helper process is there. */
  mediaReady(): void {
    for (const { remote } of this.#others.values()) remote.mediaReady();
    this.refresh();
  }

  /** There is another helper process. */
  renew(): void {
    for (const other of this.#others.values()) {
      other.asked = '';
      other.remote.renew();
    }
    this.refresh();
  }

  networkChanged(): void {
    for (const { remote } of this.#others.values()) remote.networkChanged();
  }

  #step(input: Parameters<typeof nextState<CallEnd>>[1]): void {
    this.#state = nextState(this.#state, input);
  }

  #report(): void {
    if (this.#view.state === 'active') {
      const others = [...this.#others.values()].filter(({ isLost }) => !isLost);
      const connected = others.filter(({ remote }) => remote.state === 'connected').length;
      this.#step({ type: 'joined', others: others.length, connected });
    }
    this.#options.onChange();
  }

  end(reason: CallEnd): void {
    this.#isEnded = true;
    clearInterval(this.#looking);
    for (const other of [...this.#others.values()]) this.#drop(other);
    this.#options.calling.lines.keep(undefined, []);
    this.#step({ type: 'ended', reason });
  }
}

function send(calling: Calling, device: PublicKey, signal: Signal): void {
  const { lines } = calling;
  switch (signal.type) {
    case 'offer':
    case 'answer': {
      const { attempt, sdp } = signal;
      lines.send(device, signal.type, { attempt, sdp });
      return;
    }
    case 'candidate': {
      const { attempt, candidate, mid } = signal;
      lines.send(device, 'candidate', { attempt, candidate, mid });
      return;
    }
    case 'callme': {
      const { attempt, how } = signal;
      lines.send(device, 'callme', { attempt, how });
      return;
    }
    default:
      signal satisfies never;
  }
}
