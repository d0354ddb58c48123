/**
 * The devices of a call, which the helper process has. What is switched on stays so from call to call.
 */
import { ClchatError, hasCode, textOf, type ErrorCode } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { EngineEvent, GateSettings, SourceKind } from '../../media/engine/messages.ts';
import { KeptMedia, type KeptMediaOptions, type Media } from './kept-media.ts';

/** What people write for each: see `--camera` and the like. */
export interface DeviceNames {
  readonly camera?: string | undefined;
  readonly microphone?: string | undefined;
  readonly speaker?: string | undefined;
  readonly screen?: string | undefined;
}

export type DeviceKind = keyof DeviceNames;

export interface CallDevicesOptions {
  readonly names: DeviceNames;
  readonly log: Log;
  readonly onEvent: (event: EngineEvent) => void;
  /** A call has begun, and the process is there for it. */
  readonly onReady: () => void;
  /** The process is gone, and another one is there. */
  readonly onRenewed: () => void;
  /** It is gone and does not come back: the call cannot go on. */
  readonly onLost: (error: ClchatError) => void;
  /** A device is switched on or off otherwise than by the person. */
  readonly onSwitched: (kind: SourceKind, isOn: boolean) => void;
  readonly onNotice: (code: ErrorCode, text: string) => void;
  readonly startMedia?: KeptMediaOptions['startMedia'];
}

/** Taken where nothing else was named. */
const DEFAULT = 'default';
const NONE = 'none';

const KINDS: readonly SourceKind[] = ['microphone', 'camera', 'screen'];

export class CallDevices {
  readonly #options: CallDevicesOptions;
  readonly #names: { -readonly [K in keyof DeviceNames]: DeviceNames[K] };
  readonly #isOn: Record<SourceKind, boolean> = { camera: false, microphone: false, screen: false };
  readonly #kept: KeptMedia;
  /** How often each was switched, so that what takes its time does not undo what came after it. */
  readonly #switched: Record<SourceKind, number> = { camera: 0, microphone: 0, screen: 0 };
  /** Number of the call; 0: in none. */
  #call = 0;
  #calls = 0;
  #gate: GateSettings = { mode: 'open' };
  /** The key is held by which one talks. */
  #isHeld = false;
  #hasSpeaker = false;

  constructor(options: CallDevicesOptions) {
    this.#options = options;
    this.#names = { ...options.names };
    this.#isOn.camera = isNamed(options.names.camera);
    this.#isOn.microphone = isNamed(options.names.microphone);
    const { log, onEvent, startMedia } = options;
    this.#kept = new KeptMedia({
      log,
      startMedia,
      onEvent: (event) => (event.event === 'ended' ? this.#ended(event) : onEvent(event)),
      onStarted: (media) => {
        media.order({ order: 'gate', settings: this.#gate });
        if (this.#isHeld) media.order({ order: 'push', held: true });
      },
      onGone: () => void this.#gone(),
      isInCall: () => this.#isInCall,
    });
  }

  /** Takes these from the next call on; what is on stays so, unless it is to be none. */
  prefer(names: DeviceNames): void {
    for (const kind of ['camera', 'microphone', 'speaker', 'screen'] as const) {
      this.#names[kind] = names[kind] ?? this.#names[kind];
      if (names[kind] === NONE && kind !== 'speaker' && !this.#isInCall) this.#isOn[kind] = false;
    }
  }

  /** Undefined while there is none. */
  get media(): Media | undefined {
    return this.#kept.current;
  }

  /** Whether it is on, or is to be as soon as there is a call. */
  isOn(kind: SourceKind): boolean {
    return this.#isOn[kind];
  }

  nameOf(kind: DeviceKind): string | undefined {
    return this.#names[kind];
  }

  get #isInCall(): boolean {
    return this.#call !== 0;
  }

  /** Has the process ready ahead of its first use: see `KeptMedia.warm`. */
  warm(): Promise<ClchatError | undefined> {
    return this.#kept.warm();
  }

  /**
   * A call begins: what is to be on is switched on. One that cannot be had is told of, and the call
   * goes on without it.
   * @throws NO_MEDIA
   */
  async begin(): Promise<void> {
    this.#call = ++this.#calls;
    const call = this.#call;
    await this.#kept.serve();
    // It may be over by now, and what it took would never be given back.
    if (call !== this.#call) return;
    this.#options.onReady();
    await this.#openAll();
  }

  async #openAll(): Promise<void> {
    await Promise.all([...KINDS.map((kind) => this.#open(kind)), this.#speak()]);
  }

  /** A call is over: devices are given back. */
  async end(): Promise<void> {
    this.#call = 0;
    this.#isOn.screen = false;
    this.#hasSpeaker = false;
    this.setHeld(false);
    const { media } = this;
    if (media === undefined) return;
    this.#kept.keep();
    await Promise.all([
      ...KINDS.map((kind) => media.call('source', { kind, spec: NONE })),
      media.call('speaker', { spec: NONE }),
      media.call('record', { file: undefined }),
    ]).catch((error: unknown) => this.#fault(error));
    await this.#kept.retire(media);
  }

  async #open(kind: SourceKind): Promise<void> {
    if (!this.#isOn[kind]) return;
    const call = this.#call;
    const switched = this.#switched[kind];
    try {
      await this.#capture(kind, this.#names[kind], switched);
    } catch (error) {
      // Another process is to try it again; or nobody waits for it any more.
      const isAwaited = call === this.#call && switched === this.#switched[kind];
      if (hasCode(error, 'CLOSED') || !isAwaited) return;
      this.#isOff(kind);
      this.#tell(error);
    }
  }

  /** It is off otherwise than by a command. */
  #isOff(kind: SourceKind): void {
    if (!this.#isOn[kind]) return;
    this.#isOn[kind] = false;
    this.#options.onSwitched(kind, false);
  }

  /**
   * Takes a device for the present call, and for no other.
   * @param switched nothing is taken where it was switched again by the time that there is a process
   * @throws NO_DEVICE, NO_MEDIA; NO_CALL where the call is over by then, and has given it back
   */
  async #capture(kind: SourceKind, name = DEFAULT, switched: number): Promise<void> {
    const call = this.#call;
    const media = await this.#kept.start();
    this.#mustBeIn(call);
    if (switched !== this.#switched[kind]) return;
    try {
      await media.call('source', { kind, spec: name });
    } catch (error) {
      this.#mustBeIn(call);
      if (hasCode(error, 'TIMEOUT')) this.#giveBack(media, kind);
      throw error;
    }
    this.#mustBeIn(call);
  }

  /** @throws NO_CALL */
  #mustBeIn(call: number): void {
    if (call !== this.#call) throw new ClchatError('NO_CALL', 'The call is over.');
  }

  /** It may still come about, and nobody would know that it is on: that is undone then. */
  #giveBack(media: Media, kind: SourceKind): void {
    this.#isOff(kind);
    media.call('source', { kind, spec: NONE }).catch(() => undefined);
  }

  async #speak(): Promise<void> {
    const spec = this.#names.speaker;
    if (!isNamed(spec) || this.#hasSpeaker) return;
    this.#hasSpeaker = true;
    try {
      await (await this.#kept.start()).call('speaker', { spec: spec! });
    } catch (error) {
      this.#hasSpeaker = false;
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    if (error instanceof ClchatError && error.code !== 'INTERNAL') {
      // Between calls nobody waits for a device.
      if (error.code !== 'CLOSED') this.#options.onNotice(error.code, error.message);
    } else this.#fault(error);
  }

  #fault(error: unknown): void {
    if (!hasCode(error, 'CLOSED')) this.#options.log.fault(error);
  }

  /**
   * Switches a device on or off; without a call, for the next one.
   * @param name another one than until now; `none`: off
   * @throws NO_DEVICE, NO_MEDIA; NO_CALL where the call is over before it is on: it is off then
   */
  async switch(kind: SourceKind, isOn: boolean, name?: string): Promise<void> {
    const switched = ++this.#switched[kind];
    if (!isOn || name === NONE) return this.#switchOff(kind, name);
    const device = name ?? this.#named(kind);
    if (this.#isInCall) await this.#capture(kind, device, switched);
    // The process does what it is told one after the other: it is by now as it was said last.
    if (switched !== this.#switched[kind]) return;
    this.#names[kind] = device;
    this.#isOn[kind] = true;
  }

  /** Off is off: a process that is just going does not keep it, and the next one does not take it. */
  async #switchOff(kind: SourceKind, name = this.#names[kind]): Promise<void> {
    this.#names[kind] = name;
    this.#isOn[kind] = false;
    await this.media?.call('source', { kind, spec: NONE }).catch((error: unknown) => {
      if (!hasCode(error, 'CLOSED')) throw error;
    });
  }

  /**
   * To be switched on by a person, one that was named `none` is the usual one. Not so a screen: nobody
   * sees which one it would be before the others do.
   * @throws NO_DEVICE
   */
  #named(kind: SourceKind): string | undefined {
    if (isNamed(this.#names[kind])) return this.#names[kind];
    if (kind === 'screen' && this.#names.screen === NONE)
      throw new ClchatError(
        'NO_DEVICE',
        'No screen is to be shared: "none" was chosen. "settings screen" lists the screens, and chooses another.',
      );
    return undefined;
  }

  /**
   * Another device is to be used from now on; `none`: what is on is off.
   * @throws NO_DEVICE, NO_MEDIA
   */
  async choose(kind: DeviceKind, name: string): Promise<void> {
    const call = this.#call;
    if (kind === 'speaker') {
      if (this.#isInCall) await (await this.#kept.start()).call('speaker', { spec: name });
      this.#hasSpeaker = this.#isInCall;
    } else if (name === NONE) {
      this.#switched[kind] += 1;
      this.#isOff(kind);
      return this.#switchOff(kind, name);
    } else if (this.#isInCall && this.#isOn[kind])
      await this.#capture(kind, name, this.#switched[kind]).catch((error: unknown) => {
        // It is for the next call, too.
        if (call === this.#call) throw error;
      });
    this.#names[kind] = name;
  }

  /**
   * Records the present call into a file, in place of the one before; undefined: no more.
   * @throws as the engine's `record`: what was recorded before still is; NO_CALL, NO_MEDIA, TIMEOUT
   */
  async record(file: string | undefined): Promise<void> {
    const call = this.#call;
    const { media } = this;
    if (media === undefined) throw new ClchatError('NO_MEDIA');
    try {
      await media.call('record', { file });
    } catch (error) {
      if (hasCode(error, 'TIMEOUT') && file !== undefined) this.#stopRecording(media);
      throw error;
    }
    this.#mustBeIn(call);
  }

  /** It may still come about, and nobody would be told: what is recorded by then ends, and that is told. */
  #stopRecording(media: Media): void {
    media.call('record', { file: undefined }).then(
      () => this.#options.onEvent({ event: 'ended', kind: 'record', code: 'TIMEOUT', text: '' }),
      () => undefined,
    );
  }

  /** What of the microphone is sent. */
  get gate(): GateSettings {
    return this.#gate;
  }

  /** A threshold stays where none is given. */
  setGate(settings: GateSettings): void {
    this.#gate = { ...this.#gate, ...settings };
    this.media?.order({ order: 'gate', settings: this.#gate });
  }

  /** The key by which one talks is held, or not: until the call is over. */
  setHeld(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.media?.order({ order: 'push', held: isHeld });
  }

  /** A device is gone, or a recording could not go on. */
  #ended(event: Extract<EngineEvent, { event: 'ended' }>): void {
    const { kind, code } = event;
    this.#options.onNotice(code, event.text === '' ? textOf(code) : event.text);
    if (kind === 'speaker') this.#hasSpeaker = false;
    else if (kind === 'record') this.#options.onEvent(event);
    else this.#isOff(kind);
  }

  /** The process has ended by itself: another one takes its place, though not for ever. */
  async #gone(): Promise<void> {
    this.#hasSpeaker = false;
    if (!this.#isInCall) return;
    const call = this.#call;
    try {
      await this.#kept.renew();
    } catch (error) {
      if (call === this.#call) this.#options.onLost(error as ClchatError);
      return;
    }
    if (call !== this.#call) return;
    this.#options.onRenewed();
    await this.#openAll();
  }

  async stop(): Promise<void> {
    this.#call = 0;
    await this.#kept.stop();
  }
}

function isNamed(name: string | undefined): boolean {
  return name !== undefined && name !== NONE;
}
