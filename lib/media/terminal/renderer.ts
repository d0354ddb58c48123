/** What every way of drawing pictures in a terminal has in common. */
import type { VideoFrame } from '../frames.ts';
import type { Area, PixelSize } from './area.ts';
import type { Parts } from './bytes.ts';

/**
 * How pictures are drawn, best first: by the graphics protocol of Kitty, as sixels, as half blocks in
 * 24-bit colours, as half blocks in 256 colours, as characters by brightness.
 */
export const GRAPHICS_MODES = ['kitty', 'sixel', 'truecolor', '256', 'ascii'] as const;

export type GraphicsMode = (typeof GRAPHICS_MODES)[number];

/** What stands in an area since a picture was drawn there. Whoever drew it knows what is in it. */
export interface Drawn {
  readonly area: Area;
}

export interface Drawing extends Parts {
  readonly drawn: Drawn;
}

export interface Renderer {
  readonly mode: GraphicsMode;
  /**
   * Draws a picture into an area: as large as it fits, in the middle, black beside it.
   * @param before what the last drawing there gave, if nothing else has been written there since;
   *   it is used up. Only what is different from it is written then. Without it, the cells of the
   *   area have to be blank.
   * @returns bytes that are there until the next call, or none where all is as it was
   * @throws BAD_MESSAGE for a frame that is no picture
   */
  draw(picture: VideoFrame, area: Area, before?: Drawn): Drawing;
  /**
   * What takes away what does not go when its cells are blanked, in one part. It also ends a drawing
   * of which only the beginning was written.
   * @returns bytes that are there until the next call
   */
  erase(drawn: Drawn): Parts;
}

export interface RendererOptions {
  /** The size of a cell in pixels, if it is known. */
  readonly cell?: PixelSize | undefined;
  /**
   * How much each of red, green and blue may differ from what is shown before it is drawn again, of
   * 255. The noise of a camera would have everything drawn all the time.
   */
  readonly tolerance?: number | undefined;
  /** Whether the terminal writes dark on light, for characters by brightness. */
  readonly isLight?: boolean | undefined;
  /** The number from which images are named that the terminal keeps. */
  readonly firstImage?: number | undefined;
}

export const USUAL_TOLERANCE = 3;

/** Whether two pixels, or runs of them, may be taken for the same. */
export function isSimilar(
  pixels: Uint8ClampedArray,
  others: Uint8ClampedArray,
  from: number,
  until: number,
  tolerance: number,
): boolean {
  for (let at = from; at < until; at++) {
    const difference = pixels[at]! - others[at]!;
    if (difference > tolerance || difference < -tolerance) return false;
  }
  return true;
}
