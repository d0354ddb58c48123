/** What the helper process for calls does: devices on one side, connections to the others on the other. */
import { ClchatError, codeOf } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { MicrophoneGate } from '../audio/gate.ts';
import { LevelMeter } from '../audio/level.ts';
import { ToneMeter } from '../audio/tone.ts';
import type { PictureSize, Sound, VideoFrame } from '../frames.ts';
import { Captures } from './captures.ts';
import { PICTURES, type PictureKind } from './connection.ts';
import { Hearing } from './hearing.ts';
import type {
  CallName,
  EngineCalls,
  EngineEvent,
  EngineStats,
  GateSettings,
  MappedPort,
  Order,
  PeerName,
  SourceKind,
  Ways,
} from './messages.ts';
import { OutgoingPictures, Scaler } from './outgoing.ts';
import { Peer, type Ear } from './peer.ts';

export interface EngineOptions {
  readonly clock: Clock;
  readonly emit: (event: EngineEvent) => void;
  readonly onFault: (error: unknown) => void;
}

/** Most others in one call: a bound for what may go wrong elsewhere. */
const MAX_PEERS = 32;
/** How often it is measured how connections go, in milliseconds: it costs some of each. */
const MEASURE_MS = 2_000;
/** Attempts in vain after which a port of the gateway is not insisted on. */
const MAPPED_ATTEMPTS = 2;

type Handler<C extends CallName> = (
  args: EngineCalls[C]['args'],
) => Promise<EngineCalls[C]['result']>;

export class Engine {
  readonly #options: EngineOptions;
  readonly #peers = new Map<PeerName, Peer>();
  readonly #captures: Captures;
  readonly #scalers = { camera: new Scaler(), screen: new Scaler() };
  readonly #gate = new MicrophoneGate();
  #own: Ear;
  readonly #hearing: Hearing;
  /** One's own camera, as it is shown to oneself. */
  readonly #mirror: OutgoingPictures;
  #isMirrorTaken = true;
  readonly #measuring: NodeJS.Timeout;
  #expected: number;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { clock, emit } = options;
    this.#own = newEar();
    this.#captures = new Captures({
      onPicture: (kind, frame) => this.#captured(kind, frame),
      onSound: (sound) => this.#spoken(sound),
      onEnded: (kind, error) => this.#ended(kind, error),
    });
    this.#hearing = new Hearing({
      clock,
      onEnded: (kind, error) => this.#ended(kind, error),
      pictures: () => [...this.#peers.values()].map(({ in: { camera } }) => camera.last),
    });
    this.#mirror = new OutgoingPictures(clock, this.#scalers.camera, (frame) => {
      if (!this.#isMirrorTaken) return;
      this.#isMirrorTaken = false;
      emit({ event: 'picture', peer: null, kind: 'camera', ...frame });
    });
    this.#expected = clock.monotonic() + MEASURE_MS;
    this.#measuring = setInterval(() => void this.#measure(), MEASURE_MS);
  }

  readonly #handlers: { readonly [C in CallName]: Handler<C> } = {
    source: async ({ kind, spec }) => {
      try {
        return { label: await this.#captures.take(kind, spec) };
      } finally {
        if (kind === 'microphone') this.#fallSilent();
      }
    },
    speaker: async ({ spec }) => ({ label: await this.#hearing.speak(spec) }),
    record: async ({ file }) => ({ label: await this.#hearing.record(file) }),
    offer: async ({ peer, attempt, restart }) => ({
      sdp: await this.#at(peer).offer(attempt, restart),
    }),
    answer: async ({ peer, attempt, sdp, limits }) => ({
      sdp: await this.#at(peer).answer(attempt, sdp, limits),
    }),
    accept: async ({ peer, attempt, sdp, limits }) => {
      await this.#at(peer).accept(attempt, sdp, limits);
      return {};
    },
    stats: () => Promise.resolve(this.#stats()),
  };

  /** @throws as the call does */
  call<C extends CallName>(
    name: C,
    args: EngineCalls[C]['args'],
  ): Promise<EngineCalls[C]['result']> {
    return this.#handlers[name](args);
  }

  order(order: Order): void {
    switch (order.order) {
      case 'open':
        return this.#open(order.peer, order.attempt, order.makesOffers, order.ways);
      case 'close':
        return this.#close(order.peer);
      case 'candidate':
        return this.#peers.get(order.peer)?.addCandidate(order.attempt, order.candidate, order.mid);
      case 'send':
        this.#peerAt(order.peer)?.send(order.sound, order.camera, order.screen);
        return this.#want();
      case 'hear':
        this.#hearing.setVolume(order.peer, order.volume);
        return this.#peerAt(order.peer)?.listen(order.suppressed === true, order.silent === true);
      case 'show': {
        const peer = this.#peerAt(order.peer);
        if (peer === undefined) return;
        peer.shown[order.kind] = order.shown;
        peer.taken[order.kind] = true;
        return;
      }
      case 'mirror':
        this.#mirror.want(order.size);
        this.#isMirrorTaken = true;
        return this.#want();
      case 'taken': {
        const peer = order.peer === null ? undefined : this.#peers.get(order.peer);
        if (order.peer === null) this.#isMirrorTaken = true;
        else if (peer !== undefined) peer.taken[order.kind] = true;
        return;
      }
      case 'gate':
        return this.#setGate(order.settings);
      case 'push': {
        this.#gate.isHeld = order.held;
        return;
      }
      default:
        return order satisfies never;
    }
  }

  /** @throws CLOSED */
  #at(name: PeerName): Peer {
    const peer = this.#peers.get(name);
    if (peer === undefined) throw new ClchatError('CLOSED');
    return peer;
  }

  /** Orders about a peer may come before it has a connection. */
  #peerAt(name: PeerName): Peer | undefined {
    const known = this.#peers.get(name);
    if (known !== undefined || this.#peers.size >= MAX_PEERS) return known;
    const { clock, emit } = this.#options;
    const peer: Peer = new Peer(clock, this.#scalers, newEar(), {
      onCandidate: (attempt, candidate, mid) =>
        emit({ event: 'candidate', peer: name, attempt, candidate, mid }),
      onState: (attempt, state) => emit({ event: 'state', peer: name, attempt, state }),
      onPicture: (kind, frame) => this.#seen(name, peer, kind, frame),
      onSound: (heard) => {
        const sound = this.#hearing.hear(name, heard);
        if (sound !== undefined) this.#listen(name, peer.ear, sound);
      },
      onSilence: () => (peer.ear = this.#forgotten(name, peer.ear)),
    });
    this.#peers.set(name, peer);
    return peer;
  }

  #open(name: PeerName, attempt: number, makesOffers: boolean, ways: Ways): void {
    const peer = this.#peerAt(name);
    if (peer === undefined) return;
    const used = new Set<MappedPort['port'] | undefined>();
    for (const other of this.#peers.values()) if (other !== peer) used.add(other.mapped?.port);
    const free = ways.mapped.find(({ port }) => !used.has(port));
    const mapped = peer.vain >= MAPPED_ATTEMPTS ? undefined : free;
    peer.open({ attempt, makesOffers, servers: ways.servers, mapped });
  }

  #close(name: PeerName): void {
    this.#peers.get(name)?.close();
    this.#peers.delete(name);
    this.#hearing.forget(name);
    this.#want();
  }

  // From here to the others.

  #captured(kind: PictureKind, frame: VideoFrame): void {
    try {
      for (const peer of this.#peers.values()) peer.out[kind].write(frame);
      if (kind === 'camera') this.#mirror.write(frame);
    } catch (error) {
      // A device that gives what are no pictures.
      this.#options.onFault(error);
    }
  }

  #spoken(sound: Sound): void {
    this.#listen(null, this.#own, sound);
    this.#say(this.#gate.take(sound));
  }

  /** What the others are not to hear is in no recording either. */
  #say(sounds: readonly Sound[]): void {
    for (const sound of sounds) {
      this.#hearing.say(sound);
      for (const peer of this.#peers.values()) peer.writeSound(sound);
    }
  }

  /** What is off falls silent at once, and not in the middle of a wave. */
  #fallSilent(): void {
    if (this.#captures.has('microphone')) return;
    this.#say(this.#gate.end());
    this.#own = this.#forgotten(null, this.#own);
  }

  /** Nothing is heard of somebody any more. @returns what they are heard by next */
  #forgotten(name: PeerName | null, { level }: Ear): Ear {
    if (level.isTalking) this.#options.emit({ event: 'talking', peer: name, talking: false });
    return newEar();
  }

  #listen(name: PeerName | null, { level, tone }: Ear, sound: Sound): void {
    const wasTalking = level.isTalking;
    tone.hear(sound);
    level.hear(sound);
    const { isTalking } = level;
    if (isTalking !== wasTalking)
      this.#options.emit({ event: 'talking', peer: name, talking: isTalking });
  }

  #setGate({ mode, threshold }: GateSettings): void {
    this.#gate.mode = mode;
    if (threshold !== undefined) this.#gate.threshold = threshold;
  }

  #ended(kind: SourceKind | 'speaker' | 'record', error: unknown): void {
    const text = error instanceof ClchatError ? error.message : '';
    if (kind === 'microphone') this.#fallSilent();
    if (!(error instanceof ClchatError)) this.#options.onFault(error);
    this.#options.emit({ event: 'ended', kind, code: codeOf(error), text });
  }

  /** Has the devices give no more than somebody wants. */
  #want(): void {
    for (const kind of PICTURES) {
      const outgoing = [...this.#peers.values()].map(({ out }) => out[kind]);
      if (kind === 'camera') outgoing.push(this.#mirror);
      const sizes = outgoing.flatMap(({ wanted }) => wanted ?? []);
      if (sizes.length > 0) this.#captures.want(kind, largest(sizes));
    }
  }

  // From the others to here.

  #seen(name: PeerName, peer: Peer, kind: PictureKind, frame: VideoFrame): void {
    const isFit = peer.in[kind].note(frame);
    if (!isFit || !peer.shown[kind] || !peer.taken[kind]) return;
    peer.taken[kind] = false;
    this.#options.emit({ event: 'picture', peer: name, kind, ...frame });
  }

  async #measure(): Promise<void> {
    const now = this.#options.clock.monotonic();
    const lag = Math.max(0, now - this.#expected);
    this.#expected = now + MEASURE_MS;
    for (const peer of this.#peers.values())
      await peer.measure(lag).catch((error: unknown) => this.#options.onFault(error));
  }

  #stats(): EngineStats {
    const toneHz = this.#own.tone.frequency();
    return {
      peers: Object.fromEntries([...this.#peers].map(([name, peer]) => [name, peer.stats])),
      ...(this.#captures.has('microphone')
        ? {
            microphone: {
              level: this.#own.level.share,
              ...(toneHz === undefined ? {} : { toneHz }),
            },
          }
        : {}),
    };
  }

  async stop(): Promise<void> {
    clearInterval(this.#measuring);
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    await Promise.all([this.#captures.stop(), this.#hearing.stop()]);
  }
}

function newEar(): Ear {
  return { level: new LevelMeter(), tone: new ToneMeter() };
}

function largest(sizes: readonly PictureSize[]): PictureSize {
  return {
    width: Math.max(...sizes.map(({ width }) => width)),
    height: Math.max(...sizes.map(({ height }) => height)),
    fps: Math.max(...sizes.map(({ fps }) => fps)),
  };
}
