/** A channel over one libp2p stream. */
import type { Stream } from '@libp2p/interface';
import { BaseChannel } from './base-channel.ts';
import type { Path } from './channel.ts';
import { FrameReader, type FrameBudget, type Holder } from './frames.ts';
import { ClchatError, translate } from '../errors.ts';
import type { PublicKey } from '../crdt/keys.ts';
import type { Clock } from '../lifecycle.ts';

/**
 * The most that is handed to the stream at once: with yamux's header it fills one Noise message, so
 * that a chunk is sealed and opened in one piece.
 */
const CHUNK = 65_519 - 12;

/** Received bytes that wait for a busy handler before the stream is paused. */
const HOLD = 128 * 1024;

/** A frame may take so many times as long as one of which nothing more comes. */
const SLOW_FRAMES = 4;

export interface StreamChannelOptions {
  readonly remote: PublicKey;
  readonly address: string;
  /** Of the address, without the port. */
  readonly host: string;
  readonly path: Path;
  readonly budget: FrameBudget;
  /** Its monotonic time is used. */
  readonly clock: Clock;
}

export class StreamChannel extends BaseChannel implements Holder {
  readonly host: string;
  readonly path: Path;
  readonly #stream: Stream;
  readonly #reader = new FrameReader();
  readonly #budget: FrameBudget;
  readonly #clock: Clock;
  /** Since when a frame is unfinished, and when something of it came last. */
  #unfinished: { readonly since: number; heard: number } | undefined;
  #paused = false;
  #resuming = false;
  /** Length of the last chunk while the stream says that it is full, else 0. */
  #blocked = 0;
  /** The peer has closed its direction in order. */
  #finished = false;
  /** And all that it had sent has been read. */
  #over = false;
  #whenClosed: (() => void) | undefined;

  constructor(stream: Stream, options: StreamChannelOptions) {
    super(options.remote, options.address);
    this.host = options.host;
    this.path = options.path;
    this.#stream = stream;
    this.#budget = options.budget;
    this.#clock = options.clock;
    this.onEnd(() => {
      this.#reader.clear();
      this.#account();
    });
    stream.addEventListener('message', ({ data }) => {
      if (this.ended) return;
      if (this.#unfinished !== undefined) this.#unfinished.heard = this.#clock.monotonic();
      for (const chunk of data instanceof Uint8Array ? [data] : data) this.#reader.push(chunk);
      this.#checkOver();
      this.received();
      this.#pauseIfFull();
      this.#account();
    });
    stream.addEventListener('drain', () => {
      // The stream writes what it holds itself in a microtask that it has queued before this one.
      queueMicrotask(() => this.#onDrain());
    });
    stream.addEventListener('remoteCloseWrite', () => this.#onFinished());
    stream.addEventListener('close', ({ error }) => this.#onClose(error));
    // All of that may have happened before the protocol was agreed upon.
    if (stream.remoteWriteStatus === 'closed') this.#onFinished();
    if (stream.status !== 'open')
      this.#onClose(stream.status === 'closed' ? undefined : new ClchatError('CLOSED'));
  }

  /** Ends it when the peer has begun a frame and does not go on with it, or without end. */
  checkProgress(stallMs: number): void {
    if (this.#unfinished === undefined) return;
    const { since, heard } = this.#unfinished;
    const now = this.#clock.monotonic();
    if (now - heard > stallMs || now - since > SLOW_FRAMES * stallMs)
      this.abort(new ClchatError('TIMEOUT', 'a frame is not finished'));
  }

  protected override nextFrame(): Uint8Array | undefined {
    const frame = this.#reader.next();
    if (frame !== undefined || this.#reader.buffered === 0) this.#unfinished = undefined;
    else if (this.#unfinished === undefined) {
      const now = this.#clock.monotonic();
      this.#unfinished = { since: now, heard: now };
    }
    if (frame === undefined && this.#over && this.#reader.buffered > 0)
      throw new ClchatError('BAD_MESSAGE', 'the last frame is cut short');
    return frame;
  }

  protected override readMore(): void {
    this.#account();
    this.#resume();
  }

  protected override get unaccepted(): number {
    return this.#blocked === 0 ? 0 : Math.max(this.#blocked, this.#stream.writeBufferLength);
  }

  protected override flush(): void {
    while (this.#blocked === 0) {
      const chunk = this.outbox.pack(CHUNK);
      if (chunk === undefined) return;
      try {
        if (!this.#stream.send(chunk)) this.#blocked = chunk.length;
      } catch (error) {
        return this.end(translate(error, 'CLOSED'));
      }
    }
  }

  protected override async sayEnd(): Promise<void> {
    if (this.#stream.status !== 'open') return;
    // What still comes is dropped, but must be read so that the peer's own end is seen.
    this.#resume();
    await this.#stream.close();
    if (this.#stream.status === 'open') await this.answered((done) => (this.#whenClosed = done));
  }

  protected override sever(error: Error): void {
    this.#whenClosed?.();
    this.#stream.abort(error);
  }

  #account(): void {
    this.#budget.hold(this, this.#reader.buffered);
  }

  #onDrain(): void {
    const stream = this.#stream;
    if (this.#blocked === 0 || stream.writableNeedsDrain || stream.writeBufferLength > 0) return;
    this.#blocked = 0;
    this.flushNow();
  }

  #onFinished(): void {
    this.#finished = true;
    this.#checkOver();
  }

  /** libp2p's own event for this comes too early for what was received with the agreement. */
  #checkOver(): void {
    if (!this.#finished || this.#stream.readBufferLength > 0) return;
    this.#over = true;
    this.remoteEnd();
  }

  #onClose(error: Error | undefined): void {
    this.#blocked = 0;
    this.#whenClosed?.();
    if (this.#finished && error === undefined) {
      // In order: frames that a busy handler has not taken yet are still delivered.
      this.#resume();
      this.#onFinished();
    } else if (!this.ended) {
      this.end(translate(error, 'CLOSED'));
    }
  }

  #pauseIfFull(): void {
    if (this.#paused || this.#resuming || this.ended) return;
    if (!this.stalled || this.#reader.buffered <= HOLD) return;
    if (this.#stream.readStatus !== 'readable') return;
    this.#paused = true;
    this.#stream.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // `resume` hands over what the stream holds before it reopens the window: pausing again in
    // between would leave the window open and the stream without bound.
    this.#resuming = true;
    try {
      this.#stream.resume();
    } catch {
      // Closed in the meantime; all that it held has been handed over.
    }
    this.#resuming = false;
    this.#pauseIfFull();
  }
}
