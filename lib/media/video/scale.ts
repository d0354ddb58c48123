/**
 * Pictures made smaller or larger. What becomes smaller is averaged over the area that a pixel
 * covers, what becomes larger is drawn out linearly.
 */
import { pictureBytes, type VideoFrame } from '../frames.ts';
import { requirePicture, requirePictureSize } from './picture.ts';
import { scalePlane } from './planes.ts';

/** Pixels of a side below which pictures are not made smaller: what the encoder needs. */
const LEAST_SIDE = 16;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of a picture; all of it even, so that the chroma planes have the same part. */
export interface Place extends Size {
  readonly left: number;
  readonly top: number;
}

/** The next even number below, at least 2. */
function even(pixels: number): number {
  return Math.max(2, Math.floor(pixels / 2) * 2);
}

/**
 * The largest size of the same proportions within a limit, also beyond the picture's own.
 * @returns even numbers, at least 2
 */
export function proportional(width: number, height: number, limit: Size): Size {
  const factor = Math.min(limit.width / width, limit.height / height);
  // The nearest even number, if it is within the limit: proportions suffer least.
  const side = (pixels: number, most: number): number =>
    Math.min(even(pixels * factor + 1), even(most));
  return { width: side(width, limit.width), height: side(height, limit.height) };
}

/**
 * The size that a picture gets where it may have so many pixels at most: of the same proportions,
 * even, never larger than it is, and at least 16×16 where it has that itself.
 */
export function fit(frameWidth: number, frameHeight: number, limit: Size): Size {
  const within = proportional(frameWidth, frameHeight, {
    width: Math.min(limit.width, frameWidth),
    height: Math.min(limit.height, frameHeight),
  });
  const side = (pixels: number, own: number): number =>
    Math.min(even(own), Math.max(LEAST_SIDE, pixels));
  return { width: side(within.width, frameWidth), height: side(within.height, frameHeight) };
}

/**
 * The picture in another size; odd sizes become the even ones below.
 * @returns the same frame where it has that size already
 * @throws BAD_MESSAGE for a frame that is none, and for sizes beyond 8K
 */
export function scale(frame: VideoFrame, width: number, height: number): VideoFrame {
  if (frame.width === width && frame.height === height) {
    requirePicture(frame);
    return frame;
  }
  requirePictureSize(width, height);
  const size = { width: even(width), height: even(height) };
  const data = new Uint8Array(pictureBytes(size.width, size.height));
  scaleInto(frame, { ...size, data }, { left: 0, top: 0, ...size });
  return { ...size, data, time: frame.time };
}

/**
 * Draws a picture into a part of another one, stretched to it.
 * @param canvas of even sizes
 * @throws BAD_MESSAGE for a frame that is none
 */
export function scaleInto(
  frame: VideoFrame,
  canvas: Size & { readonly data: Uint8Array },
  { left, top, width, height }: Place,
): void {
  requirePicture(frame);
  const from = { data: frame.data, start: 0, width: frame.width, height: frame.height };
  const { data } = canvas;
  let start = top * canvas.width + left;
  scalePlane(from, { data, start, stride: canvas.width, width, height });
  from.start = frame.width * frame.height;
  from.width = Math.ceil(frame.width / 2);
  from.height = Math.ceil(frame.height / 2);
  const stride = canvas.width / 2;
  start = canvas.width * canvas.height + (top / 2) * stride + left / 2;
  for (let plane = 0; plane < 2; plane++) {
    scalePlane(from, { data, start, stride, width: width / 2, height: height / 2 });
    from.start += from.width * from.height;
    start += stride * (canvas.height / 2);
  }
}
