/**
 * One connection to one other device. The only file that knows the WebRTC library, which lives in a
 * process that ends by `process.exit`: the library does not survive an end of another kind.
 *
 * Each connection carries the same three media in the same order: sound, camera, screen. All are there
 * from the first offer on, so that nothing has to be agreed on anew when something is switched on.
 */
import wrtc, {
  type IceServer,
  type RTCAudioSink,
  type RTCVideoSink,
  type Track,
  type Transceiver,
} from '@roamhq/wrtc';
import { ClchatError } from '../../errors.ts';
import type { Heard } from '../audio/resampler.ts';
import { FIRST_MID } from '../description.ts';
import { SAMPLE_RATE, SOUND_SAMPLES, frameTime, type Sound, type VideoFrame } from '../frames.ts';
import { measure, type Measures } from './measures.ts';

const { RTCPeerConnection, RTCRtpReceiver, nonstandard } = wrtc;

/** Both kinds of pictures. */
export const PICTURES = ['camera', 'screen'] as const;
export type PictureKind = (typeof PICTURES)[number];

export type ConnectionState = 'connecting' | 'connected' | 'disconnected' | 'failed';

export interface ConnectionOptions {
  /** This side makes the first offer. */
  readonly makesOffers: boolean;
  readonly iceServers: readonly IceServer[];
  /** UDP ports of this host to be used; undefined: any. */
  readonly ports?: { readonly min: number; readonly max: number } | undefined;
}

export interface ConnectionEvents {
  readonly onCandidate: (candidate: string, mid: string) => void;
  readonly onState: (state: ConnectionState) => void;
  readonly onPicture: (kind: PictureKind, frame: VideoFrame) => void;
  readonly onSound: (heard: Heard) => void;
}

/** What both sides understand, and no more: each further one costs bytes, and code that is open to attack. */
const CODECS = { audio: ['audio/opus'], video: ['video/VP8', 'video/rtx'] };

const FINGERPRINT = /^a=fingerprint:sha-256 (.+)$/m;
/** By this a side is told from what it was before it sought other ways. */
const FRAGMENT = /^a=ice-ufrag:(.+)$/m;

function preferred(kind: 'audio' | 'video') {
  const { codecs } = RTCRtpReceiver.getCapabilities(kind);
  return codecs.filter(({ mimeType }) => CODECS[kind].includes(mimeType));
}

/** Of servers, as text: whether the library can do with them. So many of them are remembered. */
const understood = new Map<string, boolean>();
const MOST_UNDERSTOOD = 32;

/**
 * Whether the library can do with a server. Others tell of them, and one that it cannot read would keep
 * it from any connection. It is asked once: to ask takes a connection, of which the library keeps
 * something for ever.
 */
function isUnderstood(server: IceServer): boolean {
  const text = JSON.stringify(server);
  let isSo = understood.get(text);
  if (isSo === undefined) {
    isSo = takes(server);
    if (understood.size >= MOST_UNDERSTOOD) understood.clear();
    understood.set(text, isSo);
  }
  return isSo;
}

function takes(server: IceServer): boolean {
  try {
    new RTCPeerConnection({ iceServers: [server], bundlePolicy: 'max-bundle' }).close();
    return true;
  } catch {
    return false;
  }
}

/** The library takes nothing that is a part of something larger. */
function whole<Data extends Uint8Array | Int16Array>(data: Data): Data {
  return data.byteLength === data.buffer.byteLength ? data : (data.slice() as Data);
}

export class Connection {
  readonly #peer: InstanceType<typeof RTCPeerConnection>;
  readonly #events: ConnectionEvents;
  readonly #sound = new nonstandard.RTCAudioSource();
  readonly #pictures = {
    // Pictures of a tile are scaled down, which leaves no noise to be taken out.
    camera: new nonstandard.RTCVideoSource({ needsDenoising: false }),
    screen: new nonstandard.RTCVideoSource({ isScreencast: true }),
  };
  readonly #tracks: readonly Track[];
  readonly #sinks: RTCVideoSink[] = [];
  /** What comes of sound, once there is anything that it could come by. */
  #incoming: Track | undefined;
  #ear: RTCAudioSink | undefined;
  #hears = true;
  /** Those that came before there was anything that they could be added to. */
  #early: { candidate: string; mid: string }[] | undefined = [];
  /** Of the certificate of the other side, which it has for as long as this connection lasts. */
  #fingerprint: string | undefined;
  #fragment: string | undefined;
  /** The one port that it may use is taken by its present way. */
  readonly #hasNoOther: boolean;
  #isClosed = false;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    const { makesOffers, iceServers, ports } = options;
    this.#events = events;
    this.#hasNoOther = ports !== undefined && ports.min === ports.max;
    this.#peer = new RTCPeerConnection({
      iceServers: iceServers.filter(isUnderstood),
      bundlePolicy: 'max-bundle',
      ...(ports === undefined ? {} : { portRange: ports }),
    });
    this.#tracks = [this.#sound, this.#pictures.camera, this.#pictures.screen].map((one) =>
      one.createTrack(),
    );
    this.#peer.onicecandidate = ({ candidate }) => {
      if (candidate !== null && candidate.candidate !== '' && !this.#isClosed)
        events.onCandidate(candidate.candidate, candidate.sdpMid);
    };
    this.#peer.onconnectionstatechange = () => {
      const { connectionState: state } = this.#peer;
      if (this.#isClosed || state === 'new' || state === 'closed') return;
      events.onState(state);
    };
    if (!makesOffers) return;
    for (const track of this.#tracks) {
      const transceiver = this.#peer.addTransceiver(track, { direction: 'sendrecv' });
      transceiver.setCodecPreferences(preferred(track.kind));
    }
    this.#listen();
  }

  /**
   * @param restart by other ways than until now
   * @returns an offer
   * @throws NOT_SUPPORTED where there are none: another connection is to be made
   */
  async offer(restart: boolean): Promise<string> {
    if (restart) this.#seekOthers();
    const offer = await this.#peer.createOffer({ iceRestart: restart });
    // What is still to be found is told as it is found.
    await this.#peer.setLocalDescription(offer);
    return offer.sdp;
  }

  #seekOthers(): void {
    if (this.#hasNoOther) throw new ClchatError('NOT_SUPPORTED', 'Its only port is in use.');
  }

  /** @param sdp an offer, as `admit` gives it. @returns the answer. @throws BAD_MESSAGE, NOT_SUPPORTED */
  async answer(sdp: string): Promise<string> {
    await this.#setRemote('offer', sdp);
    if (this.#sinks.length === 0) await this.#join();
    const answer = await this.#peer.createAnswer();
    await this.#peer.setLocalDescription(answer);
    return answer.sdp;
  }

  /** @param sdp an answer, as `admit` gives it. @throws BAD_MESSAGE */
  async accept(sdp: string): Promise<void> {
    await this.#setRemote('answer', sdp);
  }

  async #setRemote(type: 'offer' | 'answer', sdp: string): Promise<void> {
    const fingerprint = FINGERPRINT.exec(sdp)?.[1];
    this.#fingerprint ??= fingerprint;
    // The other side has begun anew and knows of no earlier attempt. The library would seek for long.
    if (fingerprint !== this.#fingerprint)
      throw new ClchatError('BAD_MESSAGE', `The ${type} is that of another connection.`);
    const fragment = FRAGMENT.exec(sdp)?.[1];
    if (type === 'offer' && this.#fragment !== undefined && fragment !== this.#fragment)
      this.#seekOthers();
    this.#fragment = fragment;
    try {
      await this.#peer.setRemoteDescription({ type, sdp });
    } catch (error) {
      throw new ClchatError('BAD_MESSAGE', `The ${type} is not understood.`, { cause: error });
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const { candidate, mid } of early) this.addCandidate(candidate, mid);
  }

  /** A way by which the other side may be reached; one that is no good is passed over. */
  addCandidate(candidate: string, mid = FIRST_MID): void {
    if (this.#isClosed) return;
    if (this.#early !== undefined) this.#early.push({ candidate, mid });
    else
      this.#peer
        .addIceCandidate({ candidate, sdpMid: mid, sdpMLineIndex: Number(mid) })
        .catch(() => undefined);
  }

  /** Has what was offered go both ways. */
  async #join(): Promise<void> {
    for (const [at, transceiver] of this.#peer.getTransceivers().entries()) {
      const track = this.#tracks[at];
      if (track === undefined || track.kind !== transceiver.receiver.track.kind)
        throw new ClchatError('BAD_MESSAGE', 'Other media than those of a call are offered.');
      transceiver.direction = 'sendrecv';
      transceiver.setCodecPreferences(preferred(track.kind));
      await transceiver.sender.replaceTrack(track);
    }
    this.#listen();
  }

  #listen(): void {
    const [sound, camera, screen] = this.#peer.getTransceivers();
    this.#incoming = sound!.receiver.track;
    this.#attend();
    this.#sinks.push(this.#watch('camera', camera!), this.#watch('screen', screen!));
  }

  /** Whether sound is handed on. It is in hundredths of a second, and silence costs as much as any. */
  hear(isOn: boolean): void {
    this.#hears = isOn;
    this.#attend();
  }

  #attend(): void {
    const isOn = this.#hears && !this.#isClosed;
    if (this.#incoming === undefined || isOn === (this.#ear !== undefined)) return;
    this.#ear?.stop();
    this.#ear = isOn ? this.#listenTo(this.#incoming) : undefined;
  }

  #listenTo(track: Track): RTCAudioSink {
    const sink = new nonstandard.RTCAudioSink(track);
    sink.ondata = ({ samples, sampleRate, channelCount }) => {
      if (sink === this.#ear) this.#events.onSound({ samples, sampleRate, channelCount });
    };
    return sink;
  }

  #watch(kind: PictureKind, { receiver }: Transceiver): RTCVideoSink {
    const sink = new nonstandard.RTCVideoSink(receiver.track);
    sink.onframe = ({ frame: { width, height, data } }) =>
      this.#events.onPicture(kind, { width, height, data, time: frameTime() });
    return sink;
  }

  sendPicture(kind: PictureKind, { width, height, data }: VideoFrame): void {
    if (!this.#isClosed) this.#pictures[kind].onFrame({ width, height, data: whole(data) });
  }

  sendSound(samples: Sound): void {
    if (this.#isClosed) return;
    this.#sound.onData({
      samples: whole(samples),
      sampleRate: SAMPLE_RATE,
      bitsPerSample: 16,
      channelCount: 1,
      numberOfFrames: SOUND_SAMPLES,
    });
  }

  /** How it goes. @returns undefined once it is closed */
  async measure(): Promise<Measures | undefined> {
    if (this.#isClosed) return undefined;
    return measure(await this.#peer.getStats());
  }

  /** The other side is not told: it would notice after a long while only. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#attend();
    for (const sink of this.#sinks) sink.stop();
    for (const track of this.#tracks) track.stop();
    this.#peer.close();
  }
}
