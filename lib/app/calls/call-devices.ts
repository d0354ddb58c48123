/**
 * The devices of a call and the helper process that has them: begun with the first call that rings,
 * and ended some time after the last one. What is switched on stays so from call to call.
 */
import { ClchatError, hasCode, textOf, type ErrorCode } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { systemClock } from '../../lifecycle.ts';
import type { EngineEvent, GateSettings, SourceKind } from '../../media/engine/messages.ts';
import { MediaProcess, type MediaProcessOptions } from '../../media/media-process.ts';

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
  /** Starts the helper process; something else for tests. @throws NO_MEDIA */
  readonly startMedia?: ((options: MediaProcessOptions) => Promise<Media>) | undefined;
}

/** The helper process. */
export type Media = Pick<MediaProcess, 'call' | 'order' | 'stop'>;

/** How long the process is kept for the next call, in milliseconds. */
const KEPT_MS = 10_000;
/** How often it may be started again, in so many milliseconds. */
const MAX_RESTARTS = 3;
const RESTARTS_MS = 60_000;

/** Taken where nothing else was named. */
const DEFAULT = 'default';
const NONE = 'none';

export class CallDevices {
  readonly #options: CallDevicesOptions;
  readonly #names: { -readonly [K in keyof DeviceNames]: DeviceNames[K] };
  readonly #isOn: Record<SourceKind, boolean> = { camera: false, microphone: false, screen: false };
  #media: Media | undefined;
  #starting: Promise<Media> | undefined;
  #restarts: number[] = [];
  #kept: NodeJS.Timeout | undefined;
  /** Number of the call; 0: in none. */
  #call = 0;
  #calls = 0;
  #isStopped = false;
  #gate: GateSettings = { mode: 'open' };
  #hasSpeaker = false;

  constructor(options: CallDevicesOptions) {
    this.#options = options;
    this.#names = { ...options.names };
    this.#isOn.camera = isNamed(options.names.camera);
    this.#isOn.microphone = isNamed(options.names.microphone);
  }

  /** Takes these from the next call on; what is on stays so. */
  prefer(names: DeviceNames): void {
    for (const kind of ['camera', 'microphone', 'speaker', 'screen'] as const)
      this.#names[kind] = names[kind] ?? this.#names[kind];
  }

  /** Undefined while there is none. */
  get media(): Media | undefined {
    return this.#media;
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

  /** Has the process ready, ahead of its first use. Never rejects. @returns why it cannot be had */
  async warm(): Promise<ClchatError | undefined> {
    try {
      await this.#start();
      this.#keep();
      return undefined;
    } catch (error) {
      return coded(error);
    }
  }

  /** @throws NO_MEDIA */
  #start(): Promise<Media> {
    clearTimeout(this.#kept);
    if (this.#isStopped) return Promise.reject(new ClchatError('CLOSED'));
    if (this.#media !== undefined) return Promise.resolve(this.#media);
    const { startMedia = (options) => MediaProcess.start(options), log, onEvent } = this.#options;
    this.#starting ??= startMedia({
      onEvent: (event) => (event.event === 'ended' ? this.#ended(event) : onEvent(event)),
      onGone: () => void this.#gone(),
      onNote: (line) => log.info(`calls: ${line}`),
    })
      .then((media) => {
        this.#media = media;
        media.order({ order: 'gate', settings: this.#gate });
        // The call that it was started for may be over.
        this.#keep();
        return media;
      })
      .finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  /**
   * A call begins: what is to be on is switched on. One that cannot be had is told of, and the call
   * goes on without it.
   * @throws NO_MEDIA
   */
  async begin(): Promise<void> {
    this.#call = ++this.#calls;
    const call = this.#call;
    await this.#start();
    // It may be over by now, and what it took would never be given back.
    if (call !== this.#call) return;
    this.#options.onReady();
    await this.#openAll();
  }

  async #openAll(): Promise<void> {
    const kinds = ['microphone', 'camera', 'screen'] as const;
    await Promise.all([...kinds.map((kind) => this.#open(kind)), this.#speak()]);
  }

  /** A call is over: devices are given back. */
  async end(): Promise<void> {
    this.#call = 0;
    this.#isOn.screen = false;
    this.#hasSpeaker = false;
    const media = this.#media;
    if (media === undefined) return;
    this.#keep();
    const kinds = ['camera', 'microphone', 'screen'] as const;
    await Promise.all([
      ...kinds.map((kind) => media.call('source', { kind, spec: NONE })),
      media.call('speaker', { spec: NONE }),
      media.call('record', { file: undefined }),
    ]).catch((error: unknown) => this.#fault(error));
  }

  #keep(): void {
    clearTimeout(this.#kept);
    if (this.#isInCall) return;
    this.#kept = setTimeout(() => void this.#quit(), KEPT_MS);
    this.#kept.unref();
  }

  async #quit(): Promise<void> {
    const media = this.#media;
    this.#media = undefined;
    await media?.stop();
  }

  async #open(kind: SourceKind): Promise<void> {
    if (!this.#isOn[kind]) return;
    const call = this.#call;
    try {
      await this.#capture(kind, this.#names[kind]);
    } catch (error) {
      // Another process is to try it again; or nobody waits for it any more.
      if (hasCode(error, 'CLOSED') || call !== this.#call) return;
      this.#isOn[kind] = false;
      this.#options.onSwitched(kind, false);
      this.#tell(error);
    }
  }

  async #capture(kind: SourceKind, name: string | undefined): Promise<void> {
    const media = await this.#start();
    await media.call('source', { kind, spec: name ?? DEFAULT });
  }

  async #speak(): Promise<void> {
    const spec = this.#names.speaker;
    if (!isNamed(spec) || this.#hasSpeaker) return;
    this.#hasSpeaker = true;
    try {
      await (await this.#start()).call('speaker', { spec: spec! });
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
   * @param name another one than until now
   * @throws NO_DEVICE, NO_MEDIA
   */
  async switch(kind: SourceKind, isOn: boolean, name?: string): Promise<void> {
    if (isOn && this.#isInCall) await this.#capture(kind, name ?? this.#named(kind));
    if (name !== undefined) this.#names[kind] = name;
    this.#isOn[kind] = isOn;
    // Off is off: a process that is just going does not keep it, and the next one does not take it.
    if (!isOn)
      await this.#media?.call('source', { kind, spec: NONE }).catch((error: unknown) => {
        if (!hasCode(error, 'CLOSED')) throw error;
      });
  }

  /** To be switched on by a person, one that was named `none` is the usual one. */
  #named(kind: SourceKind): string | undefined {
    return isNamed(this.#names[kind]) ? this.#names[kind] : undefined;
  }

  /** Another device is to be used from now on. @throws NO_DEVICE, NO_MEDIA */
  async choose(kind: DeviceKind, name: string): Promise<void> {
    if (kind === 'speaker') {
      if (this.#isInCall) await (await this.#start()).call('speaker', { spec: name });
      this.#hasSpeaker = this.#isInCall;
    } else if (this.#isInCall && this.#isOn[kind]) await this.#capture(kind, name);
    this.#names[kind] = name;
  }

  /** What of the microphone is sent. */
  setGate(settings: GateSettings): void {
    this.#gate = settings;
    this.#media?.order({ order: 'gate', settings });
  }

  /** A device is gone, or a recording could not go on. */
  #ended(event: Extract<EngineEvent, { event: 'ended' }>): void {
    const { kind, code } = event;
    this.#options.onNotice(code, event.text === '' ? textOf(code) : event.text);
    if (kind === 'speaker') this.#hasSpeaker = false;
    else if (kind === 'record') this.#options.onEvent(event);
    else {
      this.#isOn[kind] = false;
      this.#options.onSwitched(kind, false);
    }
  }

  /** The process has ended by itself: another one takes its place, though not for ever. */
  async #gone(): Promise<void> {
    this.#media = undefined;
    this.#hasSpeaker = false;
    const { log, onLost, onRenewed } = this.#options;
    log.info('calls: the helper process has ended by itself');
    if (!this.#isInCall || this.#isStopped) return;
    const call = this.#call;
    const now = systemClock.monotonic();
    this.#restarts = [...this.#restarts.filter((at) => at > now - RESTARTS_MS), now];
    try {
      if (this.#restarts.length > MAX_RESTARTS) throw new ClchatError('NO_MEDIA');
      await this.#start();
    } catch (error) {
      if (call === this.#call) onLost(coded(error));
      return;
    }
    if (call !== this.#call) return;
    onRenewed();
    await this.#openAll();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#call = 0;
    clearTimeout(this.#kept);
    await this.#starting?.catch(() => undefined);
    await this.#quit();
  }
}

function isNamed(name: string | undefined): boolean {
  return name !== undefined && name !== NONE;
}

function coded(error: unknown): ClchatError {
  return error instanceof ClchatError
    ? error
    : new ClchatError('NO_MEDIA', undefined, { cause: error });
}
