/**
 * The call that this device is in: who is there, and how it goes. What the others are sent is decided
 * here, by the rules of the place, and not by what they ask for.
 */
import type { PublicKey } from '../../crdt/keys.ts';
import { IDLE, nextState, type CallState } from '../../media/call-state.ts';
import type { EngineEvent } from '../../media/engine/messages.ts';
import type { CallNotice } from '../../node/calls/lines.ts';
import type { CallEnd, CallView, Participant } from '../../node/calls/wire.ts';
import { Other, type Rules } from './other.ts';

export type { Other } from './other.ts';

export interface LiveCallOptions extends Rules {
  readonly view: CallView;
  /** Of this device. */
  readonly key: PublicKey;
  /** Learns what the rules hang on. */
  readonly prepare: () => Promise<void>;
  /** Something is different of what there is to be seen of it. */
  readonly onChange: () => void;
  /** A device of somebody's is not in it any more. */
  readonly onLeft: (user: string) => void;
  /** Of somebody who is in it no way has been found for a while. */
  readonly onUnreachable: (user: string) => void;
  /** Of two, the other one has left, and the server is not there to say so. */
  readonly onDeserted: () => void;
}

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
  /** One at a time, and one more where something has changed meanwhile. */
  #updating: Promise<void> | undefined;
  #isStale = false;
  /** It is known who is in it. */
  #isKnown = false;

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

  /**
   * The server has told of it, or what its rules hang on may be different.
   * @returns when all that follows from it is under way
   */
  async update(view = this.#view): Promise<void> {
    this.#view = view;
    this.#isStale = true;
    this.#updating ??= this.#catchUp().finally(() => (this.#updating = undefined));
    await this.#updating;
  }

  async #catchUp(): Promise<void> {
    while (this.#isStale && !this.#isEnded) {
      this.#isStale = false;
      await this.#apply();
    }
  }

  async #apply(): Promise<void> {
    const { calling, key, prepare } = this.#options;
    await prepare();
    const companions = this.#view.state === 'active' ? await calling.companions() : [];
    if (this.#isEnded) return;
    const view = this.#view;
    const there = new Map(view.participants.map((one) => [one.device, one]));
    const kept = companions.filter(({ device }) => there.has(device));
    for (const [device, other] of this.#others)
      if (!kept.some((one) => one.device === device)) this.#drop(other);
    for (const { device, account } of kept) {
      const participant = there.get(device)!;
      const known = this.#others.get(device);
      if (known !== undefined) known.isToldOf(participant);
      else
        this.#others.set(
          device,
          new Other(
            {
              device,
              account,
              makesOffers: device < key,
              rules: this.#options,
              room: view.room,
              count: () => this.#others.size,
              onChange: () => this.#report(),
              onUnreachable: () => this.#options.onUnreachable(participant.user),
            },
            participant,
          ),
        );
    }
    this.#isKnown = true;
    calling.lines.keep(view.id, kept);
    if (view.state === 'ringing') this.#step({ type: 'rings' });
    if (view.participants.some(({ away }) => away === true) && this.#looking === undefined) {
      this.#looking = setInterval(() => void this.#look(), LOOK_MS);
      this.#looking.unref();
    }
    this.refresh();
  }

  #drop(other: Other): void {
    other.close();
    this.#others.delete(other.device);
    if (!this.#isEnded) this.#options.onLeft(other.user);
  }

  /**
   * Looks after those of whom the server hears nothing: who has crashed is silent here too, and the
   * library takes its time to tell.
   */
  async #look(): Promise<void> {
    const away = this.others.filter(({ participant }) => participant.away === true);
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
      if (other.isConnected) other.setLost(other.heard.silent >= SILENT_LOOKS);
    }
    if (!this.#isEnded) this.#report();
  }

  /** Applies what holds now to everybody: who is sent what, what is wanted of whom. */
  refresh(): void {
    if (this.#isEnded) return;
    for (const other of this.#others.values()) other.refresh();
    this.#report();
  }

  /** A front end wants them in other sizes. */
  askAgain(): void {
    for (const other of this.#others.values()) other.ask();
  }

  // What comes from the others, and from the helper process.

  lineUp(device: PublicKey, isOnly: boolean): void {
    this.#others.get(device)?.lineUp(isOnly);
  }

  take(device: PublicKey, notice: CallNotice): void {
    this.#others.get(device)?.take(notice);
  }

  note(event: EngineEvent): void {
    if (event.event === 'candidate' || event.event === 'state')
      this.#others.get(event.peer as PublicKey)?.note(event);
  }

  /** The helper process is there. @param isOther in place of one that is gone */
  mediaReady(isOther: boolean): void {
    for (const other of this.#others.values()) other.mediaReady(isOther);
    this.#report();
  }

  networkChanged(): void {
    for (const { remote } of this.#others.values()) remote.networkChanged();
  }

  #step(input: Parameters<typeof nextState<CallEnd>>[1]): void {
    this.#state = nextState(this.#state, input);
  }

  #report(): void {
    if (!this.#isKnown) return;
    const { onChange, onDeserted } = this.#options;
    if (this.#view.state === 'active') {
      const others = this.others.filter(({ isLost }) => !isLost);
      const connected = others.filter(({ isConnected }) => isConnected).length;
      this.#step({ type: 'joined', others: others.length, connected });
    }
    onChange();
    const isOfTwo = this.#view.room === undefined && this.#others.size > 0;
    if (isOfTwo && this.others.every(({ hasLeft, isLost }) => hasLeft && isLost)) onDeserted();
  }

  /** @param isReplaced by another call, which has the lines from now on */
  end(reason: CallEnd, isReplaced = false): void {
    this.#isEnded = true;
    clearInterval(this.#looking);
    for (const other of this.others) this.#drop(other);
    if (!isReplaced) this.#options.calling.lines.keep(undefined, []);
    this.#step({ type: 'ended', reason });
  }
}
