/**
 * What all channels have in common: frames are delivered one at a time, what is sent in one turn of
 * the event loop goes out together, and a channel ends exactly once.
 */
import { MAX_FRAME, SEND_WINDOW, type Channel } from './channel.ts';
import { FrameWriter } from './frames.ts';
import { ClchatError, translate } from '../errors.ts';
import { within } from '../lifecycle.ts';
import type { PublicKey } from '../crdt/keys.ts';

/** How long `close` may take in all when the peer does not read what is queued, in milliseconds. */
const CLOSE_MS = 2_500;

/** How long the peer may take to confirm the end of a channel, in milliseconds. */
const ANSWER_MS = 1_000;

/** `closing`: nothing more is sent or delivered, but what was queued is still on its way. */
type Phase = 'open' | 'closing' | 'ended';

export abstract class BaseChannel implements Channel {
  readonly remote: PublicKey;
  readonly address: string;
  protected readonly outbox = new FrameWriter();
  #phase: Phase = 'open';
  #handler: ((frame: Uint8Array) => void | Promise<void>) | undefined;
  /** A handler's promise is pending. */
  #busy = false;
  #remoteClosed = false;
  #flushScheduled = false;
  #error: Error | undefined;
  #endHandlers: ((error: Error | undefined) => void)[] = [];
  #drainWaiters: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  constructor(remote: PublicKey, address: string) {
    this.remote = remote;
    this.address = address;
  }

  /** The next received frame. @throws BAD_MESSAGE */
  protected abstract nextFrame(): Uint8Array | undefined;
  /** All that was received has been taken: more may come. */
  protected abstract readMore(): void;
  /** Writes of `outbox` what the network takes now; called again after `flushSoon`. */
  protected abstract flush(): void;
  /** Bytes given to the network that it has not accepted yet. */
  protected abstract get unaccepted(): number;
  /** Tells the peer, after all that was flushed, that this is the end, and gives it time to answer. */
  protected abstract sayEnd(): Promise<void>;
  /** Ends what lies below at once. */
  protected abstract sever(error: Error): void;

  get ended(): boolean {
    return this.#phase !== 'open';
  }

  get queued(): number {
    return this.outbox.bytes + this.unaccepted;
  }

  send(frame: Uint8Array): void {
    if (this.#phase !== 'open') return;
    if (frame.length > MAX_FRAME)
      return this.abort(new ClchatError('TOO_LARGE', `a frame of ${frame.length} bytes`));
    if (this.queued > SEND_WINDOW)
      return this.abort(new ClchatError('RATE_LIMITED', 'the other side does not read'));
    this.outbox.push(frame);
    this.flushSoon();
  }

  drained(): Promise<void> {
    if (this.queued === 0 || this.#phase === 'ended') return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  onFrame(handler: (frame: Uint8Array) => void | Promise<void>): void {
    this.#handler = handler;
    this.received();
  }

  onEnd(handler: (error: Error | undefined) => void): void {
    if (this.#phase === 'ended') queueMicrotask(() => this.#tell(handler));
    else this.#endHandlers.push(handler);
  }

  close(): Promise<void> {
    this.#closing ??= this.#phase === 'ended' ? Promise.resolve() : this.#close();
    return this.#closing;
  }

  abort(error: Error): void {
    if (this.#phase === 'ended') return;
    // `sever` may call back; by then the channel has ended with this error.
    this.end(error);
    this.sever(error);
  }

  /** For subclasses: nobody takes frames at the moment. */
  protected get stalled(): boolean {
    return this.#busy || this.#handler === undefined;
  }

  /** For subclasses: something was received, or the handler may go on. */
  protected received(): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    while (!this.#busy && this.#phase === 'open') {
      let pending: void | Promise<void>;
      try {
        const frame = this.nextFrame();
        if (frame === undefined) return this.#allTaken();
        pending = handler(frame);
      } catch (error) {
        return this.abort(translate(error));
      }
      if (pending !== undefined) this.#waitFor(pending);
    }
  }

  /** For subclasses: the peer has sent its last frame. */
  protected remoteEnd(): void {
    this.#remoteClosed = true;
    this.received();
  }

  /**
   * For subclasses: waits for the peer to confirm the end. One that takes longer gets all the same
   * what was sent; only nobody waits for it here.
   */
  protected answered(wait: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ANSWER_MS);
      wait(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** For subclasses: flush in this turn of the event loop, together with what else is sent in it. */
  protected flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.flushNow();
    });
  }

  /** For subclasses: the network takes more. */
  protected flushNow(): void {
    if (this.#phase === 'ended') return;
    this.flush();
    if (this.queued === 0) this.#wakeWaiters();
  }

  /** For subclasses: it is over. The first call counts. */
  protected end(error: Error | undefined): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#error = error;
    this.outbox.clear();
    this.#wakeWaiters();
    const handlers = this.#endHandlers;
    this.#endHandlers = [];
    this.#handler = undefined;
    // Not at once: whoever called `send` or `abort` is in the middle of something.
    if (handlers.length > 0)
      queueMicrotask(() => handlers.forEach((handler) => this.#tell(handler)));
  }

  #waitFor(pending: Promise<void>): void {
    this.#busy = true;
    pending.then(
      () => {
        this.#busy = false;
        this.received();
      },
      (error: unknown) => this.abort(translate(error)),
    );
  }

  #allTaken(): void {
    // The peer has closed and so reads nothing more: what is still queued here is void.
    if (this.#remoteClosed) {
      this.outbox.clear();
      void this.close();
    } else this.readMore();
  }

  async #close(): Promise<void> {
    this.#phase = 'closing';
    try {
      await within(CLOSE_MS, this.#finish(), 'closing a channel');
      this.end(undefined);
    } catch (error) {
      this.abort(translate(error, 'CLOSED'));
    }
  }

  async #finish(): Promise<void> {
    await this.drained();
    if (this.#phase === 'closing') await this.sayEnd();
  }

  #wakeWaiters(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    waiters.forEach((resolve) => resolve());
  }

  #tell(handler: (error: Error | undefined) => void): void {
    try {
      handler(this.#error);
    } catch (error) {
      // A fault of ours, not of the peer's; it must not take the process down.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }
}
