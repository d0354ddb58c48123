/** Pictures and sound as plain data. */

/** A picture in I420: luma, then the two chroma planes at half its width and height. */
export interface VideoFrame {
  /** In pixels; odd ones have chroma planes that are rounded up. */
  readonly width: number;
  readonly height: number;
  /** The planes one after the other, without padding: `pictureBytes(width, height)` of them. */
  readonly data: Uint8Array;
  /** When it was taken, in milliseconds since 1970, with fractions, by the clock of this host. */
  readonly time: number;
}

/** Samples a second, of one channel. */
export const SAMPLE_RATE = 48_000;
/** How much of sound goes from hand to hand, in milliseconds and in samples. */
export const SOUND_MS = 10;
export const SOUND_SAMPLES = (SAMPLE_RATE * SOUND_MS) / 1_000;

/** 10 ms of sound: `SOUND_SAMPLES` samples of one channel, signed 16 bit. */
export type Sound = Int16Array;

/** How large pictures are to be at most, and how many a second. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

/** Nobody sends more than that, whatever they are asked for; what comes and is larger is not looked at. */
export const LARGEST: PictureSize = { width: 1_920, height: 1_080, fps: 30 };

/** Bytes of a picture in I420. */
export function pictureBytes(width: number, height: number): number {
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
}

/** The present time as frames bear it, in milliseconds since 1970. */
export function frameTime(): number {
  return performance.timeOrigin + performance.now();
}
