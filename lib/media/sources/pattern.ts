/** The test pattern as a camera: pictures that tell their number and when they were made. */
import { systemClock, type Clock } from '../../lifecycle.ts';
import { frameTime, type PictureSize, type VideoFrame } from '../frames.ts';
import type { VideoSource } from '../streams.ts';
import { drawPattern } from '../video/pattern.ts';
import { Metronome } from './metronome.ts';
import { PICTURES_WAITING } from './picture-cutter.ts';
import { FrameQueue } from './queue.ts';

/** Between these its number can be read, and drawing it takes little time. */
const LEAST = { width: 80, height: 48, fps: 1 };
const MOST = { width: 1_920, height: 1_080, fps: 60 };

const between = (least: number, value: number, most: number): number =>
  Math.min(most, Math.max(least, Number.isFinite(value) ? value : least));

/** A size that it can be drawn in, as near as can be to the one wanted. */
function drawable({ width, height, fps }: PictureSize): PictureSize {
  return {
    width: 2 * Math.floor(between(LEAST.width, width, MOST.width) / 2),
    height: 2 * Math.floor(between(LEAST.height, height, MOST.height) / 2),
    fps: between(LEAST.fps, fps, MOST.fps),
  };
}

class PatternSource implements VideoSource {
  readonly label = 'test pattern';
  readonly isScalable = true;
  readonly #clock: Clock;
  readonly #queue = new FrameQueue<VideoFrame>(PICTURES_WAITING);
  #size: PictureSize;
  #metronome: Metronome;
  /** Of the next picture. */
  #number = 0;

  constructor(size: PictureSize, clock: Clock) {
    this.#size = drawable(size);
    this.#clock = clock;
    this.#metronome = this.#begin();
  }

  /** What was left out has had its number: a gap in the numbers is one in the pictures. */
  #begin(): Metronome {
    const first = this.#number;
    return new Metronome({
      interval: 1_000 / this.#size.fps,
      most: 1,
      clock: this.#clock,
      beat: (beat) => this.#draw(first + beat),
    });
  }

  #draw(number: number): void {
    const { width, height } = this.#size;
    const time = frameTime();
    const data = drawPattern(width, height, number, Math.floor(time));
    this.#queue.put({ width, height, data, time });
    this.#number = number + 1;
  }

  want(size: PictureSize): void {
    if (this.#queue.hasEnded) return;
    const { fps } = this.#size;
    this.#size = drawable(size);
    if (this.#size.fps === fps) return;
    this.#metronome.stop();
    this.#metronome = this.#begin();
  }

  frames(): AsyncIterable<VideoFrame> {
    return this.#queue.frames();
  }

  async close(): Promise<void> {
    this.#metronome.stop();
    this.#queue.close();
  }
}

/** A moving test picture, of the size and at the rate that are wanted. */
export function openPattern(size: PictureSize, clock: Clock = systemClock): VideoSource {
  return new PatternSource(size, clock);
}
