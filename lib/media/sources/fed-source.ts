/**
 * A source that gets its frames from elsewhere: a program, a driver. It ends when they are gone, and
 * when they give nothing for too long.
 */
import { hasCode } from '../../errors.ts';
import { within } from '../../lifecycle.ts';
import { noDevice } from '../devices/refusals.ts';
import type { Source } from '../streams.ts';
import { FrameQueue } from './queue.ts';

/** How long a device may give nothing, in milliseconds. */
const STALL_MS = 5_000;

export interface FedSourceOptions {
  readonly label: string;
  /** Frames that wait. */
  readonly most: number;
  /** Gives the device back. */
  readonly release: () => Promise<void>;
  /** How long it may give nothing once it has begun, in milliseconds. */
  readonly stallMs?: number | undefined;
}

export class FedSource<Frame> implements Source<Frame> {
  readonly label: string;
  readonly #queue: FrameQueue<Frame>;
  readonly #release: () => Promise<void>;
  readonly #stallMs: number;
  #stalled: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor({ label, most, release, stallMs = STALL_MS }: FedSourceOptions) {
    this.label = label;
    this.#queue = new FrameQueue(most);
    this.#release = release;
    this.#stallMs = stallMs;
  }

  give(frame: Frame): void {
    if (this.#queue.hasEnded) return;
    if (this.#stalled === undefined) this.#stalled = setTimeout(() => this.#stall(), this.#stallMs);
    else this.#stalled.refresh();
    if (this.isWanted()) this.#queue.put(frame);
  }

  /** Whether a frame that comes now is to be handed on. */
  protected isWanted(): boolean {
    return true;
  }

  #stall(): void {
    this.fail(noDevice(`${this.label} gives nothing any more.`));
    void this.#end();
  }

  /** What feeds it is gone; what waits may still be taken. The first end counts. */
  fail(error: Error): void {
    clearTimeout(this.#stalled);
    this.#queue.end(error);
  }

  /**
   * Waits for the first frame.
   * @param milliseconds until then
   * @returns itself; if it is rejected, it is closed
   * @throws NO_DEVICE, and what `fail` was told
   */
  async begun(milliseconds: number, whyLate: string): Promise<this> {
    try {
      await within(milliseconds, this.#queue.begun, this.label);
      return this;
    } catch (error) {
      await this.close();
      throw hasCode(error, 'TIMEOUT') ? noDevice(whyLate) : error;
    }
  }

  frames(): AsyncIterable<Frame> {
    return this.#queue.frames();
  }

  close(): Promise<void> {
    this.#queue.close();
    return this.#end();
  }

  #end(): Promise<void> {
    clearTimeout(this.#stalled);
    this.#closing ??= this.#release();
    return this.#closing;
  }
}
