/** How many bits a second go to each of the others, by what they want to see of this side. */
import type { Limits } from './description.ts';
import type { PictureSize } from './frames.ts';

/** Bits for each pixel of a moving picture: what VP8 needs for one that is good to look at. */
const BITS_PER_PIXEL = 0.11;
const LEAST_PICTURE = 26_000;
const MOST_PICTURE = 2_500_000;
/** Between a rate and the next, so that small changes of a size change nothing. */
const STEP = 1.5;

/** Opus: clear speech with so many others, and beyond that many, as each gets a copy of its own. */
const FEW = 4;
const SOUND_OF_FEW = 40_000;
const SOUND_OF_MANY = 20_000;

function pictureBits({ width, height, fps }: PictureSize): number {
  const wanted = width * height * fps * BITS_PER_PIXEL;
  const steps = Math.ceil(Math.log(wanted / LEAST_PICTURE) / Math.log(STEP));
  const bits = LEAST_PICTURE * STEP ** Math.max(0, steps);
  return Math.round(Math.min(bits, MOST_PICTURE));
}

/** How one side wants to see the other; null: not at all. */
export interface Wanted {
  readonly camera: PictureSize | null;
  readonly screen: PictureSize | null;
}

/**
 * @param wanted by the other side
 * @param others in the call
 */
export function budgetFor({ camera, screen }: Wanted, others: number): Limits {
  const sound = others <= FEW ? SOUND_OF_FEW : SOUND_OF_MANY;
  const pictures = [camera, screen].filter((size) => size !== null).map(pictureBits);
  const all = pictures.reduce((sum, bits) => sum + bits, sound);
  return { sound, all: Math.max(all, sound + LEAST_PICTURE) };
}
