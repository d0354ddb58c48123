/** Where pictures and sound come from, and where they go. */
import type { PictureSize, Sound, VideoFrame } from './frames.ts';

/**
 * Something that gives frames as time passes: a camera, a file, a pattern. It has begun when it is
 * handed out, so that whoever opens one learns at once that there is no such device.
 */
export interface Source<Frame> {
  /** What it is, for people: `test pattern`, `/dev/video0`. */
  readonly label: string;
  /**
   * The frames, each as soon as it is there; to be asked for once. Whoever is too slow misses some:
   * nothing but the newest few wait. It ends with `close`, and for a source that is at its end.
   * @throws NO_DEVICE when the device is gone, or the program that reads it has ended
   */
  frames(): AsyncIterable<Frame>;
  /** Ends it and gives the device back. May be called any number of times. */
  close(): Promise<void>;
}

export interface VideoSource extends Source<VideoFrame> {
  /** It gives pictures of any size that is wanted. Others are opened anew for larger ones. */
  readonly isScalable?: boolean;
  /**
   * Says how large and how often pictures are wanted at most: a source that can make smaller or fewer
   * ones at less cost does so. What it gives may still be of any size.
   */
  want?(size: PictureSize): void;
}

export type AudioSource = Source<Sound>;

/** Something that takes frames as they come. */
export interface Sink<Frame> {
  readonly label: string;
  /** Never waits: what cannot be taken at once is dropped. */
  write(frame: Frame): void;
  /** Called once if it ends by itself, with a coded error: NO_DEVICE, DISK_FULL… */
  onEnd(listener: (error: Error) => void): void;
  /** Finishes what was written. May be called any number of times. */
  close(): Promise<void>;
}

export type AudioSink = Sink<Sound>;
export type VideoSink = Sink<VideoFrame>;
