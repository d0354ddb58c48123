/** Pictures on their way to one other device: as large and as many as wanted there, and as can be sent. */
import type { Clock } from '../../lifecycle.ts';
import type { PictureSize, VideoFrame } from '../frames.ts';
import { fit, scale } from '../video/scale.ts';
import { Adaptation, type Sample } from './adaptation.ts';
import { Pacer } from './pace.ts';

/** Scales each picture once for all who want it in the same size. */
export class Scaler {
  #frame: VideoFrame | undefined;
  readonly #scaled = new Map<string, VideoFrame>();

  /** @throws BAD_MESSAGE for what is no picture */
  scale(frame: VideoFrame, limit: { readonly width: number; readonly height: number }): VideoFrame {
    if (frame !== this.#frame) {
      this.#frame = frame;
      this.#scaled.clear();
    }
    const { width, height } = fit(frame.width, frame.height, limit);
    const key = `${width}x${height}`;
    let scaled = this.#scaled.get(key);
    if (scaled === undefined) {
      scaled = scale(frame, width, height);
      this.#scaled.set(key, scaled);
    }
    return scaled;
  }
}

export class OutgoingPictures {
  readonly #clock: Clock;
  readonly #scaler: Scaler;
  readonly #send: (frame: VideoFrame) => void;
  readonly #adaptation = new Adaptation();
  readonly #pacer = new Pacer();
  #wanted: PictureSize | null = null;
  /** Shown again to whoever has just come. */
  #last: VideoFrame | undefined;
  #given = 0;
  #since: number;
  #encoded = 0;

  constructor(clock: Clock, scaler: Scaler, send: (frame: VideoFrame) => void) {
    this.#clock = clock;
    this.#scaler = scaler;
    this.#send = send;
    this.#since = clock.monotonic();
  }

  /** What is sent at present; undefined: nothing. */
  get size(): PictureSize | undefined {
    return this.#wanted === null ? undefined : this.#adaptation.apply(this.#wanted);
  }

  /** As the other side wants it; null: not at all. */
  get wanted(): PictureSize | null {
    return this.#wanted;
  }

  want(size: PictureSize | null): void {
    this.#wanted = size;
    if (size === null) this.#last = undefined;
  }

  write(frame: VideoFrame): void {
    const { size } = this;
    if (size === undefined) return;
    this.#last = frame;
    if (this.#pacer.isDue(this.#clock.monotonic(), size.fps)) this.#give(frame, size);
  }

  /** There is a way to the other side: it gets the last picture at once, and what counts begins here. */
  again(): void {
    const { size } = this;
    this.#given = 0;
    this.#since = this.#clock.monotonic();
    if (size !== undefined && this.#last !== undefined) this.#give(this.#last, size);
  }

  #give(frame: VideoFrame, size: PictureSize): void {
    this.#given += 1;
    this.#send(this.#scaler.scale(frame, size));
  }

  /** @param encoded pictures since the connection began */
  note(encoded: number, how: Pick<Sample, 'fractionLost' | 'limit' | 'available' | 'lag'>): void {
    const now = this.#clock.monotonic();
    const seconds = (now - this.#since) / 1_000;
    const before = this.#encoded;
    this.#encoded = encoded;
    this.#since = now;
    const given = this.#given;
    this.#given = 0;
    // A new connection counts from nothing.
    if (seconds <= 0 || encoded < before) return;
    this.#adaptation.note({
      ...how,
      given: given / seconds,
      encoded: (encoded - before) / seconds,
    });
  }
}
