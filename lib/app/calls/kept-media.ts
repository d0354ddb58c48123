/**
 * The helper process of calls: begun with the first call that rings, kept a while for the next one, and
 * replaced where it ends by itself.
 */
import { ClchatError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { systemClock } from '../../lifecycle.ts';
import { MediaProcess, type MediaProcessOptions } from '../../media/media-process.ts';
import { RING_MS } from '../../node/calls/wire.ts';

/** The helper process. */
export type Media = Pick<MediaProcess, 'call' | 'order' | 'stop'>;

export interface KeptMediaOptions {
  readonly log: Log;
  readonly onEvent: MediaProcessOptions['onEvent'];
  /** There is one, which knows of nothing. */
  readonly onStarted: (media: Media) => void;
  /** It has ended by itself. */
  readonly onGone: () => void;
  /** Whether it is needed now. */
  readonly isInCall: () => boolean;
  /** Starts the helper process; something else for tests. @throws NO_MEDIA */
  readonly startMedia?: ((options: MediaProcessOptions) => Promise<Media>) | undefined;
}

/** How long the process is kept for the next call, and for one that rings, in milliseconds. */
const KEPT_MS = 10_000;
const KEPT_RINGING_MS = RING_MS + 3_000;
/** How often it may be started again, in so many milliseconds. */
const MAX_RESTARTS = 3;
const RESTARTS_MS = 60_000;

/** Calls for which one process is kept: the WebRTC library keeps half a megabyte of each connection. */
const MOST_SERVED = 5;

export class KeptMedia {
  readonly #options: KeptMediaOptions;
  #media: Media | undefined;
  #starting: Promise<Media> | undefined;
  /** Calls that the present process has had. */
  #served = 0;
  #restarts: number[] = [];
  #kept: NodeJS.Timeout | undefined;
  /** Until when there may be something that rings, by the monotonic clock. */
  #ringsUntil = 0;
  #isStopped = false;

  constructor(options: KeptMediaOptions) {
    this.#options = options;
  }

  /** Undefined while there is none. */
  get current(): Media | undefined {
    return this.#media;
  }

  /**
   * Has the process ready ahead of its first use, for as long as a call rings. Never rejects.
   * @returns why it cannot be had
   */
  async warm(): Promise<ClchatError | undefined> {
    this.#ringsUntil = systemClock.monotonic() + KEPT_RINGING_MS;
    try {
      await this.start();
      this.keep();
      return undefined;
    } catch (error) {
      return coded(error);
    }
  }

  /** @throws NO_MEDIA */
  start(): Promise<Media> {
    clearTimeout(this.#kept);
    if (this.#isStopped) return Promise.reject(new ClchatError('CLOSED'));
    if (this.#media !== undefined) return Promise.resolve(this.#media);
    const { startMedia = (options) => MediaProcess.start(options), log, onEvent } = this.#options;
    this.#starting ??= startMedia({
      onEvent,
      onGone: () => this.#gone(),
      onNote: (line) => log.info(`calls: ${line}`),
    })
      .then((media) => {
        this.#media = media;
        this.#served = 0;
        this.#options.onStarted(media);
        // The call that it was started for may be over.
        this.keep();
        return media;
      })
      .finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  /** Starts it for a call. @throws NO_MEDIA */
  async serve(): Promise<void> {
    await this.start();
    this.#served += 1;
  }

  /** Keeps it for the next call, but not for ever. */
  keep(): void {
    clearTimeout(this.#kept);
    if (this.#options.isInCall()) return;
    const rings = this.#ringsUntil - systemClock.monotonic();
    this.#kept = setTimeout(() => void this.#quit(), Math.max(KEPT_MS, rings));
    this.#kept.unref();
  }

  /** A call is over, and its devices were given back: ends the process, if it has had so many. */
  async retire(media: Media): Promise<void> {
    const isOver = !this.#options.isInCall() && this.#media === media;
    if (this.#served >= MOST_SERVED && isOver) await this.#quit();
  }

  async #quit(): Promise<void> {
    clearTimeout(this.#kept);
    const media = this.#media;
    this.#media = undefined;
    await media?.stop();
  }

  #gone(): void {
    this.#media = undefined;
    this.#options.log.info('calls: the helper process has ended by itself');
    if (!this.#isStopped) this.#options.onGone();
  }

  /** Has another one in place of one that has ended by itself. @throws NO_MEDIA, also where it does so often */
  async renew(): Promise<void> {
    const now = systemClock.monotonic();
    this.#restarts = [...this.#restarts.filter((at) => at > now - RESTARTS_MS), now];
    try {
      if (this.#restarts.length > MAX_RESTARTS) throw new ClchatError('NO_MEDIA');
      await this.start();
    } catch (error) {
      throw coded(error);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#kept);
    await this.#starting?.catch(() => undefined);
    await this.#quit();
  }
}

function coded(error: unknown): ClchatError {
  return error instanceof ClchatError
    ? error
    : new ClchatError('NO_MEDIA', undefined, { cause: error });
}
