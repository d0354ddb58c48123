/**
 * Another device in the call: the connection to it, what is sent to it by the rules of the place, and
 * what is wanted of it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccountId, PublicKey, RoomId } from '../../crdt/keys.ts';
import { Gather } from '../../lifecycle.ts';
import { budgetFor, type Wanted } from '../../media/budget.ts';
import type { Limits } from '../../media/description.ts';
import type { EngineEvent, Order, Ways } from '../../media/engine/messages.ts';
import { LARGEST, type PictureSize } from '../../media/frames.ts';
import type { Signal } from '../../media/negotiation.ts';
import { Remote } from '../../media/remote.ts';
import { SCREEN_SIZE, usualSize } from '../../media/viewing.ts';
import type { CallNotice } from '../../node/calls/lines.ts';
import type { Participant } from '../../node/calls/wire.ts';
import type { Calling } from '../../node/client/calling.ts';
import type { PictureKind } from '../types.ts';
import type { CallDevices } from './call-devices.ts';
import type { Choices } from './choices.ts';

/** What holds for all in a call. */
export interface Rules {
  readonly calling: Pick<Calling, 'companions' | 'lines'>;
  readonly devices: Pick<CallDevices, 'media' | 'isOn'>;
  readonly ways: () => Ways;
  /** Whether somebody may see this side's camera, in the call of a room or (undefined) between two. */
  readonly maySee: (
    account: AccountId,
    participant: Participant,
    room: RoomId | undefined,
  ) => boolean;
  readonly isSuppressed: (account: AccountId, room: RoomId | undefined) => boolean;
  /** This account, to know whether it is suppressed. */
  readonly account: AccountId;
  readonly choicesOf: (account: AccountId) => Choices;
  /** How large pictures of a device are wanted; null: not at all; undefined: as is usual for so many. */
  readonly sizeOf: (device: PublicKey, kind: PictureKind) => PictureSize | null | undefined;
  /** Whether a front end takes the pictures of a device. */
  readonly isShown: (device: PublicKey, kind: PictureKind) => boolean;
  readonly onFault: (error: unknown) => void;
}

export interface OtherOptions {
  readonly device: PublicKey;
  readonly account: AccountId;
  readonly makesOffers: boolean;
  readonly rules: Rules;
  readonly room: RoomId | undefined;
  /** How many others there are. */
  readonly count: () => number;
  /** It is connected or not, or gone or back. */
  readonly onChange: () => void;
  /** It is there, but has not been reached for a while. Told once until it is reached. */
  readonly onUnreachable: () => void;
}

/** How long somebody may be without a sign of life before they count as gone, in milliseconds. */
const LOST_MS = 3_000;
/** How long the server may take to tell of somebody who says that they leave, in milliseconds. */
const LEAVING_MS = 1_000;
/** After how long without a connection somebody is to be told of it, in milliseconds. */
const UNREACHABLE_MS = 15_000;
/** How soon what was agreed on follows what is wanted, and how soon again, in milliseconds. */
const AGREE_MS = 50;
const AGREE_AGAIN_MS = 1_000;
const KINDS = ['camera', 'screen'] as const;

/** What is sent where so much is asked for. */
function bounded(size: PictureSize | null): PictureSize | null {
  if (size === null || Math.min(size.width, size.height, size.fps) < 1) return null;
  return {
    width: Math.min(size.width, LARGEST.width),
    height: Math.min(size.height, LARGEST.height),
    fps: Math.min(size.fps, LARGEST.fps),
  };
}

export class Other {
  readonly device: PublicKey;
  readonly account: AccountId;
  readonly remote: Remote;
  /** This side watches the screen that is shared. */
  isWatched = false;
  isTalking = false;
  /** All that has come from it when that was looked at last, and how often nothing more had come. */
  heard = { bytes: 0, silent: 0 };
  readonly #options: OtherOptions;
  readonly #agreeing = new Gather(() => this.#agree(), AGREE_MS, AGREE_AGAIN_MS);
  #participant: Participant;
  /** As the other side wants to see this one, once it has said so. */
  #wanted: Wanted | undefined;
  /** What was agreed on last. */
  #agreed: Limits | undefined;
  #wasConnected = false;
  #isLost = false;
  #hasLeft = false;
  #lostTimer: NodeJS.Timeout | undefined;
  #seekingTimer: NodeJS.Timeout | undefined;
  /** What was last asked of it, so that it is not asked twice. */
  #asked = '';
  /** What the helper process was last told about it, each time as text. */
  readonly #ordered = new Map<string, string>();

  constructor(options: OtherOptions, participant: Participant) {
    this.#options = options;
    const { device, account, makesOffers, rules } = options;
    const { calling, devices, ways, onFault } = rules;
    this.device = device;
    this.account = account;
    this.#participant = participant;
    this.remote = new Remote({
      peer: device,
      makesOffers,
      media: () => devices.media,
      ways,
      limits: () => (this.#agreed = this.#limits),
      send: (signal) => send(calling, device, signal),
      isUp: () => calling.lines.isUp(device),
      onState: () => this.#connectionChanged(),
      onFault,
    });
    this.#watchOver();
    this.#seek();
  }

  get participant(): Participant {
    return this.#participant;
  }

  get user(): string {
    return this.#participant.user;
  }

  /** Is not there, whatever the server says. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Has said that it leaves. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  get isConnected(): boolean {
    return this.remote.state === 'connected';
  }

  /** What goes to it at most. */
  get #limits(): Limits {
    const count = this.#options.count();
    return budgetFor(this.#wanted ?? { camera: usualSize(count), screen: null }, count);
  }

  /** The server has told of it. */
  isToldOf(participant: Participant): void {
    const wasAway = this.#participant.away === true;
    this.#participant = participant;
    // Whoever shares again is to be watched anew.
    if (participant.live === undefined) this.isWatched = false;
    if (wasAway && participant.away !== true) this.setLost(false);
    this.#watchOver();
  }

  /** Whoever is not connected has no long time to show up, unless they have just come. */
  #watchOver(): void {
    const isExpected = this.#participant.away !== true && !this.#wasConnected;
    if (!isExpected && !this.isConnected) this.#startLosing(LOST_MS);
  }

  setLost(isLost: boolean): void {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = undefined;
    this.#isLost = isLost;
  }

  #startLosing(milliseconds: number): void {
    if (this.#isLost || this.#lostTimer !== undefined) return;
    this.#lostTimer = setTimeout(() => {
      this.setLost(true);
      this.#options.onChange();
    }, milliseconds);
  }

  /** Nobody who can be seen to be there stays without a word about why nothing is seen of them. */
  #seek(): void {
    this.#seekingTimer ??= setTimeout(() => {
      if (!this.#isLost && this.#participant.away !== true) this.#options.onUnreachable();
    }, UNREACHABLE_MS);
    this.#seekingTimer.unref();
  }

  #connectionChanged(): void {
    if (this.isConnected) {
      this.#wasConnected = true;
      this.#hasLeft = false;
      this.setLost(false);
      clearTimeout(this.#seekingTimer);
      this.#seekingTimer = undefined;
    } else {
      this.#watchOver();
      this.#seek();
    }
    this.#options.onChange();
  }

  /** Applies what holds now: what is sent, what is wanted, how loud it is. */
  refresh(): void {
    this.#send();
    this.ask();
    this.#hear();
    this.#agreeing.ask();
  }

  #order(order: Extract<Order, { order: 'send' | 'show' | 'hear' }>): void {
    const { media } = this.#options.rules.devices;
    const about = order.order === 'show' ? `show ${order.kind}` : order.order;
    const text = JSON.stringify(order);
    if (media === undefined || this.#ordered.get(about) === text) return;
    this.#ordered.set(about, text);
    media.order(order);
  }

  #send(): void {
    const { rules, room } = this.#options;
    const { devices, maySee, isSuppressed } = rules;
    const sees = devices.isOn('camera') && maySee(this.account, this.#participant, room);
    this.#order({
      order: 'send',
      peer: this.device,
      sound: devices.isOn('microphone') && !isSuppressed(rules.account, room),
      camera: sees ? (this.#wanted?.camera ?? null) : null,
      screen: devices.isOn('screen') ? (this.#wanted?.screen ?? null) : null,
    });
  }

  /** Tells the other side how its pictures are wanted. */
  ask(): void {
    const { rules, count } = this.#options;
    const { choicesOf, sizeOf, calling, isShown } = rules;
    const { device, account } = this;
    const isSeen = !choicesOf(account).isHidden && this.#participant.camera;
    const sized = (kind: PictureKind, usual: PictureSize): PictureSize | null => {
      const chosen = sizeOf(device, kind);
      return chosen === undefined ? usual : chosen;
    };
    const view = {
      camera: isSeen ? sized('camera', usualSize(count())) : null,
      screen: this.isWatched ? sized('screen', SCREEN_SIZE) : null,
    };
    for (const kind of KINDS) {
      const shown = view[kind] !== null && isShown(device, kind);
      this.#order({ order: 'show', peer: device, kind, shown });
    }
    const asked = JSON.stringify(view);
    if (this.#asked !== asked && calling.lines.send(device, 'view', view)) this.#asked = asked;
  }

  #hear(): void {
    const { rules, room } = this.#options;
    const { isMuted, volume } = rules.choicesOf(this.account);
    // Whoever does not keep to being silenced is not heard here, nor recorded.
    const suppressed = rules.isSuppressed(this.account, room);
    const heard = isMuted || suppressed ? 0 : volume;
    const silent = !this.#participant.microphone;
    this.#order({ order: 'hear', peer: this.device, volume: heard, suppressed, silent });
  }

  /** Has agreed on what is sent at most what holds by now. */
  #agree(): void {
    const isOther = this.#agreed !== undefined && !isDeepStrictEqual(this.#limits, this.#agreed);
    if (isOther) this.remote.change();
  }

  /** @param isOnly beside another one nothing needs to be agreed on anew */
  lineUp(isOnly: boolean): void {
    this.#asked = '';
    if (this.#hasLeft) {
      this.#hasLeft = false;
      this.setLost(false);
    }
    if (isOnly) this.remote.lineUp();
    this.ask();
  }

  take({ name, notice }: CallNotice): void {
    switch (name) {
      case 'offer':
      case 'answer':
      case 'candidate':
      case 'callme':
        return this.remote.take({ type: name, ...notice } as Signal);
      case 'view':
        this.#wanted = { camera: bounded(notice.camera), screen: bounded(notice.screen) };
        this.#send();
        return this.#agreeing.ask();
      case 'bye':
        // The server tells of it too, unless it is away: then this is all that is heard.
        this.#hasLeft = true;
        clearTimeout(this.#lostTimer);
        this.#lostTimer = undefined;
        // Of two, nothing else tells that one who was lost does not come back.
        if (this.#isLost) return this.#options.onChange();
        return this.#startLosing(LEAVING_MS);
      default:
        return notice satisfies never;
    }
  }

  note(event: Extract<EngineEvent, { event: 'candidate' | 'state' }>): void {
    this.remote.note(event);
  }

  /** There is a helper process: the first one, or another, which knows of nothing. */
  mediaReady(isOther: boolean): void {
    this.#ordered.clear();
    if (isOther) this.remote.renew();
    else this.remote.mediaReady();
    this.refresh();
  }

  close(): void {
    clearTimeout(this.#lostTimer);
    clearTimeout(this.#seekingTimer);
    this.#agreeing.stop();
    this.remote.close();
  }
}

function send({ lines }: Pick<Calling, 'lines'>, device: PublicKey, signal: Signal): void {
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
