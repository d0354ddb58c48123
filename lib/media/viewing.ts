/** How large the pictures of the others are wanted where no screen says so: by how many there are. */
import type { PictureSize } from './frames.ts';

/** Each further other costs this computer, the others, and the network between them. */
const SIZES: readonly { readonly others: number; readonly size: PictureSize }[] = [
  { others: 1, size: { width: 640, height: 480, fps: 30 } },
  { others: 3, size: { width: 320, height: 240, fps: 15 } },
  { others: 5, size: { width: 160, height: 96, fps: 15 } },
];
const OF_MANY: PictureSize = { width: 160, height: 96, fps: 11 };
/** A screen is there to be read. */
export const SCREEN_SIZE: PictureSize = { width: 1_280, height: 720, fps: 10 };

export function usualSize(others: number): PictureSize {
  return SIZES.find((one) => others <= one.others)?.size ?? OF_MANY;
}

const FORM = /^(\d{2,4})x(\d{2,4})(?:@(\d{1,2}))?$/;
const LEAST = 16;
const MOST = 4_096;
const MOST_FPS = 60;

/** Reads `WIDTHxHEIGHT` or `WIDTHxHEIGHT@FPS`. @returns undefined for anything else */
export function parsePictureSize(text: string): PictureSize | undefined {
  const [, width = '', height = '', rate = '15'] = FORM.exec(text) ?? [];
  const size = { width: Number(width), height: Number(height), fps: Number(rate) };
  const isFit = [size.width, size.height].every((side) => side >= LEAST && side <= MOST);
  return isFit && size.fps >= 1 && size.fps <= MOST_FPS ? size : undefined;
}
