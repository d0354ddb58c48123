/**
 * Yamux with the bounds and the liveness check that it lacks. Its decoder would gather a data frame
 * of up to 4 GiB before it looks at the receive window, libp2p keeps up to 4 MiB for every stream
 * whose protocol is not agreed upon, pings of a peer that does not read the answers are answered
 * without end, and a failed keep-alive only writes a log line.
 */
import {
  serviceCapabilities,
  type MessageStream,
  type StreamMuxerFactory,
} from '@libp2p/interface';
import type { AbstractStream } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import { ClchatError } from '../errors.ts';
import type { Clock } from '../lifecycle.ts';
import { afterAwake } from './abort.ts';
import { TokenBucket } from '../token-bucket.ts';

export interface MuxerLimits {
  /** Streams that a peer may have open at once on one connection. */
  readonly inboundStreams: number;
  /** A connection on which nothing was heard for so long is pinged, in milliseconds. */
  readonly pingAfterMs: number;
  /** A connection on which nothing was heard for so long is dead, in milliseconds. */
  readonly deadAfterMs: number;
}

/** Smallest receive window that yamux allows, where every stream begins, in bytes. */
const INITIAL_WINDOW = 256 * 1024;
/** Largest receive window, in bytes: 1 MiB in flight makes 10 MB/s at a round trip of 100 ms. */
const MAX_WINDOW = 1024 * 1024;
/** What a stream may receive before its protocol is agreed upon, or as one that only answers. */
const MAX_PREAMBLE = 16 * 1024;
/** What may pile up for a peer that does not read, control frames above all, in bytes. */
const MAX_BACKLOG = 4 * 1024 * 1024;
/** Control frames (pings, new streams, resets) that a peer may send at once, and then a second. */
const CONTROL_BURST = 256;
const CONTROL_PER_SECOND = 64;

const HEADER = 12;
const TYPE_DATA = 0;
const TYPE_PING = 2;
const FLAG_SYN = 1;
const FLAG_RST = 8;

interface Watched {
  heard: number;
  ping(): Promise<number>;
  abort(error: Error): void;
}

export interface GuardedYamux {
  readonly factory: () => StreamMuxerFactory;
  /** Ends the connections whose peers do not answer at once, as after a change of the network. */
  readonly check: () => void;
  readonly stop: () => void;
}

/** How long a peer may take to answer when it is asked at once, in milliseconds. */
const CHECK_MS = 2_000;

/** @param clock its monotonic time is used */
export function guardedYamux(limits: MuxerLimits, clock: Clock): GuardedYamux {
  const inner = yamux({
    // Our own check below, one timer for all connections.
    enableKeepAlive: false,
    maxInboundStreams: limits.inboundStreams,
    maxOutboundStreams: 256,
    // Those that come before this side is done with the handshake; one too many would end them all.
    maxEarlyStreams: limits.inboundStreams,
    streamOptions: {
      initialStreamWindowSize: INITIAL_WINDOW,
      maxStreamWindowSize: MAX_WINDOW,
      // A paused stream may have to hold a window twice; see `StreamChannel`.
      maxReadBufferLength: 3 * MAX_WINDOW,
    },
  })();
  const watched = new Set<Watched>();
  const timer = watchLiveness(watched, limits, clock);
  const factory: StreamMuxerFactory & { readonly [serviceCapabilities]: string[] } = {
    protocol: inner.protocol,
    [serviceCapabilities]: ['@libp2p/stream-multiplexing'],
    createStreamMuxer(stream) {
      const guard = new FrameGuard(clock, (id) => {
        const found = muxer.streams.find(({ streamId }) => streamId === id);
        return found?.protocol;
      });
      const entry: Watched = {
        heard: clock.monotonic(),
        ping: () => muxer.ping(),
        abort(error) {
          // The muxer first, so that its streams end with this error and not just as cut off.
          muxer.abort(error);
          stream.abort(error);
        },
      };
      // Registered before the muxer's own listener, so that it sees every byte first.
      stream.addEventListener('message', ({ data }) => {
        entry.heard = clock.monotonic();
        const fault =
          backlogFault(stream) ?? guard.check(data instanceof Uint8Array ? [data] : data);
        if (fault !== undefined) entry.abort(new ClchatError('BAD_MESSAGE', `The peer ${fault}.`));
      });
      const muxer = inner.createStreamMuxer(stream);
      gatherUpdates(muxer as unknown as YamuxMuxer);
      watched.add(entry);
      stream.addEventListener('close', () => watched.delete(entry));
      // Also tells yamux the round trip, by which it sizes its windows.
      muxer.ping().catch(() => undefined);
      return muxer;
    },
  };
  let cancelCheck = (): void => undefined;
  const check = (): void => {
    const asked = clock.monotonic();
    const all = [...watched];
    for (const entry of all) entry.ping().catch(() => undefined);
    cancelCheck();
    cancelCheck = afterAwake(CHECK_MS, () => {
      for (const entry of all)
        if (watched.has(entry) && entry.heard < asked) entry.abort(new ClchatError('TIMEOUT'));
    });
  };
  const stop = (): void => {
    clearInterval(timer);
    cancelCheck();
  };
  return { factory: () => factory, check, stop };
}

/** What there is to yamux beside what libp2p says of multiplexers and their streams. */
interface YamuxStream extends AbstractStream {
  handleData: (this: YamuxStream, frame: { readonly header: { readonly length: number } }) => void;
  sendWindowUpdate: (this: YamuxStream) => void;
}

interface YamuxMuxer {
  onCreateStream: (this: YamuxMuxer, ...options: unknown[]) => YamuxStream;
  onRemoteStream: (this: YamuxMuxer, stream: YamuxStream) => void;
}

/**
 * Tells the sender once half of the smallest window has been received, and not of every frame: each
 * would be a write to the socket and, on the other side, a read.
 */
function gatherUpdates(muxer: YamuxMuxer): void {
  const gather = (stream: YamuxStream): YamuxStream => {
    const { handleData, sendWindowUpdate } = stream;
    let received = INITIAL_WINDOW;
    stream.handleData = (frame) => {
      received += frame.header.length;
      handleData.call(stream, frame);
    };
    stream.sendWindowUpdate = () => {
      // The first one opens the stream.
      if (received < INITIAL_WINDOW / 2) return;
      // While it is paused there is none, and one is due when it goes on.
      if (stream.readStatus !== 'paused') received = 0;
      sendWindowUpdate.call(stream);
    };
    return stream;
  };
  const { onCreateStream, onRemoteStream } = muxer;
  muxer.onCreateStream = (...options) => gather(onCreateStream.apply(muxer, options));
  muxer.onRemoteStream = (stream) => onRemoteStream.call(muxer, gather(stream));
}

function backlogFault(stream: MessageStream): string | undefined {
  return stream.writeBufferLength > MAX_BACKLOG ? 'does not read what it asks for' : undefined;
}

function watchLiveness(
  watched: ReadonlySet<Watched>,
  { pingAfterMs, deadAfterMs }: MuxerLimits,
  clock: Clock,
): NodeJS.Timeout {
  const period = Math.min(pingAfterMs, deadAfterMs - pingAfterMs) / 2;
  let last = clock.monotonic();
  const timer = setInterval(() => {
    const now = clock.monotonic();
    // When this process itself was held up, the silence says nothing about the peers.
    const heldUp = Math.max(0, now - last - 2 * period);
    last = now;
    for (const entry of watched) {
      entry.heard += heldUp;
      const silence = now - entry.heard;
      if (silence >= deadAfterMs) entry.abort(new ClchatError('TIMEOUT'));
      else if (silence >= pingAfterMs) entry.ping().catch(() => undefined);
    }
  }, period);
  timer.unref();
  return timer;
}

/** Follows the headers of yamux frames through the bytes received, without keeping any payload. */
export class FrameGuard {
  readonly #protocolOf: (streamId: number) => string | undefined;
  readonly #header = new Uint8Array(HEADER);
  readonly #view = new DataView(this.#header.buffer);
  #headerFilled = 0;
  /** Payload bytes still to come. */
  #payload = 0;
  /** Bytes received on streams whose protocol is not agreed upon. */
  readonly #preambles = new Map<number, number>();
  readonly #controls: TokenBucket;

  /** @param protocolOf the protocol of a stream, empty until agreed upon; undefined for no stream */
  constructor(clock: Clock, protocolOf: (streamId: number) => string | undefined) {
    this.#protocolOf = protocolOf;
    this.#controls = new TokenBucket(CONTROL_BURST, CONTROL_PER_SECOND, clock);
  }

  /** @returns what is wrong with the bytes, undefined when nothing is */
  check(chunks: Iterable<Uint8Array>): string | undefined {
    for (const chunk of chunks)
      for (let offset = 0; offset < chunk.length;) {
        if (this.#payload > 0) {
          const skipped = Math.min(this.#payload, chunk.length - offset);
          this.#payload -= skipped;
          offset += skipped;
          continue;
        }
        this.#header[this.#headerFilled++] = chunk[offset++] as number;
        if (this.#headerFilled < HEADER) continue;
        this.#headerFilled = 0;
        const fault = this.#onHeader();
        if (fault !== undefined) return fault;
      }
    return undefined;
  }

  #onHeader(): string | undefined {
    const type = this.#view.getUint8(1);
    const flags = this.#view.getUint16(2);
    const streamId = this.#view.getUint32(4);
    const length = this.#view.getUint32(8);
    if (type === TYPE_PING || (flags & (FLAG_SYN | FLAG_RST)) !== 0) {
      if (!this.#controls.take()) return 'opens or pings too much';
      if ((flags & FLAG_SYN) !== 0 && type !== TYPE_PING) this.#preambles.set(streamId, 0);
    }
    if (type !== TYPE_DATA) return undefined;
    if (length > MAX_WINDOW) return 'sends more than it may';
    this.#payload = length;
    return this.#admitPreamble(streamId, length) ? undefined : 'says too much before it is asked';
  }

  #admitPreamble(streamId: number, length: number): boolean {
    const protocol = this.#protocolOf(streamId);
    if (protocol === undefined && !this.#preambles.has(streamId)) return true;
    if (protocol !== undefined && !isPreamble(protocol)) {
      this.#preambles.delete(streamId);
      return true;
    }
    const received = (this.#preambles.get(streamId) ?? 0) + length;
    if (this.#preambles.size > CONTROL_BURST) this.#forgetEndedStreams();
    this.#preambles.set(streamId, received);
    return received <= MAX_PREAMBLE;
  }

  #forgetEndedStreams(): void {
    for (const streamId of this.#preambles.keys())
      if (this.#protocolOf(streamId) === undefined) this.#preambles.delete(streamId);
  }
}

/** `identify` answers and then has nothing to read. */
function isPreamble(protocol: string): boolean {
  return protocol === '' || protocol.startsWith('/ipfs/id/');
}
