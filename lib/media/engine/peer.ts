/** One other device in the call, as the helper process sees it. */
import { ClchatError } from '../../errors.ts';
import type { Heard } from '../audio/resampler.ts';
import type { Clock } from '../../lifecycle.ts';
import type { LevelMeter } from '../audio/level.ts';
import type { ToneMeter } from '../audio/tone.ts';
import { admit, controlled, mappedCandidate, parseCandidate, type Limits } from '../description.ts';
import type { PictureSize, Sound, VideoFrame } from '../frames.ts';
import { Connection, PICTURES, type ConnectionState, type PictureKind } from './connection.ts';
import { IncomingPictures } from './incoming.ts';
import { Loss, type Measures } from './measures.ts';
import type { IceServer, MappedPort, PeerStats } from './messages.ts';
import { OutgoingPictures, type Scaler } from './outgoing.ts';
import { Turn } from './turn.ts';

export interface PeerEvents {
  readonly onCandidate: (attempt: number, candidate: string, mid: string) => void;
  readonly onState: (attempt: number, state: ConnectionState) => void;
  readonly onPicture: (kind: PictureKind, frame: VideoFrame) => void;
  readonly onSound: (heard: Heard) => void;
  /** It is not listened to any more. */
  readonly onSilence: () => void;
}

export interface OpenOptions {
  readonly attempt: number;
  readonly makesOffers: boolean;
  readonly servers: readonly IceServer[];
  /** To be used in place of any other, and told to the other side; undefined: any. */
  readonly mapped: MappedPort | undefined;
}

/** What is heard of it. */
export interface Ear {
  readonly level: LevelMeter;
  readonly tone: ToneMeter;
}

const NO_LIMITS: Limits = { sound: 0, all: 0 };

export class Peer {
  readonly in: Readonly<Record<PictureKind, IncomingPictures>>;
  readonly out: Readonly<Record<PictureKind, OutgoingPictures>>;
  ear: Ear;
  /** Pictures are handed to the program, as soon as it has taken the one before. */
  readonly shown: Record<PictureKind, boolean> = { camera: false, screen: false };
  readonly taken: Record<PictureKind, boolean> = { camera: true, screen: true };
  readonly #events: PeerEvents;
  readonly #clock: Clock;
  #connection: Connection | undefined;
  #attempt = 0;
  #vain = 0;
  #state: ConnectionState = 'connecting';
  #mapped: MappedPort | undefined;
  #hears = false;
  /** Silenced for everyone: what comes of its sound is passed over. */
  #isSuppressed = false;
  /** Its microphone is off, as it is told. */
  #isSilent = false;
  /** Sound has come of late. */
  #sounds = false;
  #isHeard = true;
  /** Of the connection: the library takes one description after the other. */
  #turn = new Turn();
  #limits = NO_LIMITS;
  #measures: Measures | undefined;
  #loss = new Loss();
  #isClosed = false;
  #bits = { at: 0, sent: 0, received: 0, sentBits: 0, receivedBits: 0 };

  constructor(
    clock: Clock,
    scalers: Readonly<Record<PictureKind, Scaler>>,
    ear: Ear,
    events: PeerEvents,
  ) {
    this.#clock = clock;
    this.#events = events;
    this.ear = ear;
    const outgoing = (kind: PictureKind): OutgoingPictures =>
      new OutgoingPictures(clock, scalers[kind], (frame) =>
        this.#connection?.sendPicture(kind, frame),
      );
    this.in = { camera: new IncomingPictures(clock), screen: new IncomingPictures(clock) };
    this.out = { camera: outgoing('camera'), screen: outgoing('screen') };
  }

  /** The port of the gateway that its connection has. */
  get mapped(): MappedPort | undefined {
    return this.#mapped;
  }

  /** Attempts that have come to nothing since it was last connected. */
  get vain(): number {
    return this.#vain;
  }

  /** A new connection in place of the one before. */
  open({ attempt, makesOffers, servers, mapped }: OpenOptions): void {
    this.#connection?.close();
    // None, should the library make no other.
    this.#connection = undefined;
    // What was under way with the one before may never come to an end.
    this.#turn = new Turn();
    this.#attempt = attempt;
    this.#vain += 1;
    this.#state = 'connecting';
    this.#mapped = mapped;
    this.#measures = undefined;
    this.#loss = new Loss();
    const ports = mapped === undefined ? undefined : { min: mapped.port, max: mapped.port };
    const connection: Connection = new Connection(
      { makesOffers, iceServers: servers, ports },
      {
        onCandidate: (candidate, mid) => this.#found(attempt, candidate, mid),
        onState: (state) => this.#changed(connection, attempt, state),
        onPicture: (kind, frame) => this.#events.onPicture(kind, frame),
        onSound: (heard) => this.#events.onSound(heard),
      },
    );
    connection.hear(this.#isHeard);
    this.#connection = connection;
  }

  #found(attempt: number, candidate: string, mid: string): void {
    this.#events.onCandidate(attempt, candidate, mid);
    const mapped = this.#mapped;
    const own = parseCandidate(candidate);
    if (mapped === undefined || own?.type !== 'host' || own.port !== mapped.port) return;
    if (!own.ip.includes(':'))
      this.#events.onCandidate(attempt, mappedCandidate(candidate, mapped.external), mid);
  }

  #changed(connection: Connection, attempt: number, state: ConnectionState): void {
    if (connection !== this.#connection) return;
    const before = this.#state;
    this.#state = state;
    if (state === 'connected') this.#vain = 0;
    if (state === 'connected' && before !== 'connected')
      for (const kind of PICTURES) this.out[kind].again();
    this.#events.onState(attempt, state);
  }

  /** @throws CLOSED where another connection has taken its place; NO_MEDIA where none could be made */
  #of(attempt: number): Connection {
    if (attempt !== this.#attempt || this.#isClosed) throw new ClchatError('CLOSED');
    if (this.#connection === undefined) throw new ClchatError('NO_MEDIA');
    return this.#connection;
  }

  /**
   * Does something with the connection of an attempt, one thing after the other.
   * @throws CLOSED also where another takes its place meanwhile
   */
  #with<T>(attempt: number, run: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#turn.run(async () => {
      const connection = this.#of(attempt);
      try {
        return await run(connection);
      } catch (error) {
        this.#of(attempt);
        throw error;
      }
    });
  }

  offer(attempt: number, restart: boolean): Promise<string> {
    return this.#with(attempt, (connection) => connection.offer(restart));
  }

  /** @param sdp as it has come. @throws BAD_MESSAGE */
  answer(attempt: number, sdp: string, limits: Limits): Promise<string> {
    return this.#with(attempt, async (connection) => {
      const answer = await connection.answer(admit(sdp, limits));
      this.#limits = limits;
      return answer;
    });
  }

  /** @param sdp as it has come. @throws BAD_MESSAGE */
  accept(attempt: number, sdp: string, limits: Limits): Promise<void> {
    return this.#with(attempt, async (connection) => {
      await connection.accept(admit(sdp, limits));
      this.#limits = limits;
    });
  }

  addCandidate(attempt: number, candidate: string, mid: string): void {
    if (attempt === this.#attempt) this.#connection?.addCandidate(candidate, mid);
  }

  /** What goes out; null: nothing. */
  send(sound: boolean, camera: PictureSize | null, screen: PictureSize | null): void {
    this.#hears = sound;
    this.out.camera.want(camera);
    this.out.screen.want(screen);
  }

  /**
   * @param isSuppressed silenced for everyone
   * @param isSilent its microphone is off, as it is told: it is listened to where sound comes all the same
   */
  listen(isSuppressed: boolean, isSilent: boolean): void {
    this.#isSuppressed = isSuppressed;
    this.#isSilent = isSilent;
    this.#attend();
  }

  #attend(): void {
    const isHeard = !this.#isSuppressed && (!this.#isSilent || this.#sounds);
    if (isHeard === this.#isHeard) return;
    this.#isHeard = isHeard;
    this.#connection?.hear(isHeard);
    if (!isHeard) this.#events.onSilence();
  }

  writeSound(sound: Sound): void {
    if (this.#hears) this.#connection?.sendSound(sound);
  }

  /** @param lag see `Sample` */
  async measure(lag: number): Promise<void> {
    const connection = this.#connection;
    const measures = await connection?.measure();
    if (measures === undefined || connection !== this.#connection) return;
    this.#sounds = measures.in.sound.packets > (this.#measures?.in.sound.packets ?? 0);
    this.#attend();
    this.#measures = measures;
    const { available, out, sent, received } = measures;
    const fractionLost = this.#loss.note(measures);
    const limit = controlled(this.#limits);
    // Without a way to the other side nothing is encoded, which says nothing of the network.
    if (this.#state === 'connected')
      for (const kind of PICTURES)
        this.out[kind].note(out[kind].frames, { fractionLost, available, lag, limit });
    const at = this.#clock.monotonic();
    const before = this.#bits;
    const seconds = (at - before.at) / 1_000;
    // A new connection counts from nothing.
    const perSecond = (now: number, then: number): number =>
      Math.round(Math.max(0, ((now - then) * 8) / seconds));
    this.#bits = {
      at,
      sent,
      received,
      sentBits: perSecond(sent, before.sent),
      receivedBits: perSecond(received, before.received),
    };
  }

  get stats(): PeerStats {
    const { path, roundTrip } = this.#measures ?? {};
    const { sound } = this.#measures?.in ?? {};
    const camera = this.in.camera.stats;
    const screen = this.in.screen.stats;
    const sending = this.out.camera.size;
    const { level, tone } = this.ear;
    const toneHz = tone.frequency();
    return {
      state: this.#state,
      ...(path === undefined ? {} : { path }),
      ...(roundTrip === undefined ? {} : { roundTripMs: roundTrip * 1_000 }),
      ...(camera === undefined ? {} : { camera }),
      ...(screen === undefined ? {} : { screen }),
      ...(sound === undefined
        ? {}
        : {
            sound: {
              level: level.share,
              ...(toneHz === undefined ? {} : { toneHz }),
              packets: sound.packets,
              packetsLost: sound.lost,
              jitterMs: sound.jitter * 1_000,
            },
          }),
      sentBits: this.#bits.sentBits,
      receivedBits: this.#bits.receivedBits,
      receivedBytes: this.#bits.received,
      ...(sending === undefined ? {} : { sending }),
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
    this.#connection = undefined;
  }
}
