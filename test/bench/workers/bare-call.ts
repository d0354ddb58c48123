/**
 * One end of a bare connection of the same WebRTC library, without clchat: the floor under a call. It
 * shows the same test pattern, and reads that of the other end.
 */
import wrtc, { type Track, type Transceiver } from '@roamhq/wrtc';
import { frameTime } from '../../../lib/media/frames.ts';
import { drawPattern, readPattern } from '../../../lib/media/video/pattern.ts';
import { now } from '../support/stats.ts';
import { serve } from '../support/worker.ts';

const { RTCPeerConnection, nonstandard } = wrtc;

/** How long the first picture may take, in milliseconds. */
const FIRST_MS = 15_000;

let peer: InstanceType<typeof RTCPeerConnection> | undefined;
let track: Track | undefined;
let timer: NodeJS.Timeout | undefined;
let candidates: { candidate: string; sdpMid: string; sdpMLineIndex: number }[] = [];
let latencies: number[] = [];
/** When the first picture was there, by the clock that processes share. */
let first: number | undefined;

const gathered: (() => void)[] = [];

/** Looks at the pictures that come. */
function watch({ receiver }: Pick<Transceiver, 'receiver'>): void {
  const sink = new nonstandard.RTCVideoSink(receiver.track);
  sink.onframe = ({ frame }) => {
    first ??= now();
    const pattern = readPattern({ ...frame, time: 0 });
    if (pattern !== undefined) latencies.push(frameTime() - pattern.time);
  };
}

const methods = {
  /** Begins, with a picture that goes out so many times a second. */
  async open(options: { width: number; height: number; fps: number }): Promise<void> {
    const { width, height, fps } = options;
    [candidates, latencies, first] = [[], [], undefined];
    const source = new nonstandard.RTCVideoSource();
    peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
    peer.onicecandidate = ({ candidate }) => {
      if (candidate !== null) {
        const { candidate: line, sdpMid, sdpMLineIndex } = candidate;
        candidates.push({ candidate: line, sdpMid, sdpMLineIndex });
      }
      for (const done of gathered.splice(0)) done();
    };
    track = source.createTrack();
    let number = 0;
    timer = setInterval(() => {
      const time = frameTime();
      source.onFrame({ width, height, data: drawPattern(width, height, number++, time) });
    }, 1_000 / fps);
  },

  async offer(): Promise<string> {
    watch(peer!.addTransceiver(track!, { direction: 'sendrecv' }));
    const offer = await peer!.createOffer();
    await peer!.setLocalDescription(offer);
    return offer.sdp;
  },

  async answer(sdp: string): Promise<string> {
    await peer!.setRemoteDescription({ type: 'offer', sdp });
    const [transceiver] = peer!.getTransceivers();
    transceiver!.direction = 'sendrecv';
    await transceiver!.sender.replaceTrack(track!);
    watch(transceiver!);
    const answer = await peer!.createAnswer();
    await peer!.setLocalDescription(answer);
    return answer.sdp;
  },

  async accept(sdp: string): Promise<void> {
    await peer!.setRemoteDescription({ type: 'answer', sdp });
  },

  /** Those that were found since it was asked last; waits until there is one. */
  async found(): Promise<typeof candidates> {
    if (candidates.length === 0) await new Promise<void>((resolve) => gathered.push(resolve));
    return candidates.splice(0);
  },

  async add(found: typeof candidates): Promise<void> {
    for (const candidate of found) await peer!.addIceCandidate(candidate);
  },

  /** When the first picture was there; waits for it. */
  async firstPicture(): Promise<number> {
    const end = now() + FIRST_MS;
    while (first === undefined && now() < end) await new Promise((go) => setTimeout(go, 1));
    if (first === undefined) throw new Error('no picture came');
    return first;
  },

  /** How old pictures were when they came, since it was asked last, in milliseconds. */
  async latencies(): Promise<number[]> {
    return latencies.splice(0);
  },

  async close(): Promise<void> {
    clearInterval(timer);
    peer?.close();
    peer = undefined;
    // Whoever waits for more waits in vain.
    for (const done of gathered.splice(0)) done();
  },
};

export type BareCallMethods = typeof methods;

serve(methods);
