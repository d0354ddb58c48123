/** What is taken for a picture: the bounds of those that come from devices, programs and peers. */
import { ClchatError } from '../../errors.ts';
import { pictureBytes, type VideoFrame } from '../frames.ts';

/** Pixels along the longer side, and in all: those of 8K. */
const MOST_ALONG = 7_680;
const MOST_PIXELS = 7_680 * 4_320;

/** Whether a picture may be of that size: whole pixels, at least one, at most those of 8K. */
export function isPictureSize(width: number, height: number): boolean {
  return (
    Number.isInteger(width) &&
    Number.isInteger(height) &&
    Math.min(width, height) >= 1 &&
    Math.max(width, height) <= MOST_ALONG &&
    width * height <= MOST_PIXELS
  );
}

/** Whether a frame has such a size and just the bytes that belong to it. */
export function isPicture({ width, height, data }: VideoFrame): boolean {
  return isPictureSize(width, height) && data.length === pictureBytes(width, height);
}

/** @throws BAD_MESSAGE for a frame that is no picture */
export function requirePicture(frame: VideoFrame): void {
  if (isPicture(frame)) return;
  const { width, height, data } = frame;
  throw new ClchatError('BAD_MESSAGE', `That is no picture: ${width}×${height}, ${data.length} B.`);
}

/** @throws BAD_MESSAGE for a size that no picture may have */
export function requirePictureSize(width: number, height: number): void {
  if (!isPictureSize(width, height))
    throw new ClchatError('BAD_MESSAGE', `No picture can be ${width}×${height}.`);
}
