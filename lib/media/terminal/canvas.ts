/**
 * What a renderer reads: a picture as RGB in the size of the tile, with its proportions kept and
 * black beside it. Its cost is bound by the size of the tile, whatever the size of the picture: of
 * what a pixel covers, at most a few points are read, evenly apart.
 */
import type { VideoFrame } from '../frames.ts';
import { requirePicture } from '../video/picture.ts';
import { fitted, type PixelSize, type Rectangle } from './area.ts';

/** Points that are read along each side of what a pixel covers, in canvases up to `SMALL`. */
const MOST_POINTS = 4;
/** The same in larger ones, where a pixel is a smaller part of what is seen. */
const MOST_POINTS_LARGE = 2;
const SMALL = 64 * 1024;

/** BT.601, limited range: how much of luma and chroma there is in red, green and blue. */
const LUMA = 255 / 219;
const RED_OF_RED = 1.596027;
const GREEN_OF_BLUE = 0.391762;
const GREEN_OF_RED = 0.812968;
const BLUE_OF_BLUE = 2.017232;
/** It is reckoned in whole numbers of 16 binary places. */
const BITS = 16;
const ONE = 1 << BITS;

/** Which points of a plane are read, along one axis: `each` for every pixel, one after the other. */
interface Points {
  readonly at: Int32Array;
  readonly each: number;
}

/** How pictures of one size come into the canvas. */
interface Plan {
  readonly picture: PixelSize;
  readonly place: Rectangle;
  readonly luma: { readonly columns: Points; readonly rows: Points };
  readonly chroma: { readonly columns: Points; readonly rows: Points };
}

function pointsOf(from: number, to: number, most: number): Points {
  const ratio = from / to;
  const each = Math.min(most, Math.max(1, Math.round(ratio)));
  const at = new Int32Array(to * each);
  for (let point = 0; point < at.length; point++)
    at[point] = Math.min(from - 1, Math.floor(((point + 0.5) * ratio) / each));
  return { at, each };
}

function planFor({ width, height }: PixelSize, place: Rectangle, most: number): Plan {
  const half = Math.max(1, most >> 1);
  return {
    picture: { width, height },
    place,
    luma: {
      columns: pointsOf(width, place.width, most),
      rows: pointsOf(height, place.height, most),
    },
    chroma: {
      columns: pointsOf(Math.ceil(width / 2), place.width, half),
      rows: pointsOf(Math.ceil(height / 2), place.height, half),
    },
  };
}

/** Adds to each sum what the points of one row of a plane are. */
function gather(data: Uint8Array, start: number, points: Points, sums: Int32Array): void {
  const { at, each } = points;
  const count = at.length / each;
  if (each === 1) {
    for (let x = 0; x < count; x++) sums[x]! += data[start + at[x]!]!;
    return;
  }
  let point = 0;
  for (let x = 0; x < count; x++) {
    let sum = 0;
    for (const end = point + each; point < end; point++) sum += data[start + at[point]!]!;
    sums[x]! += sum;
  }
}

/** Whether a row has the points of the row before. */
function sameAsBefore({ at, each }: Points, row: number): boolean {
  if (row === 0) return false;
  for (let point = row * each; point < (row + 1) * each; point++)
    if (at[point] !== at[point - each]) return false;
  return true;
}

export class Canvas {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row. */
  readonly pixels: Uint8ClampedArray;
  readonly #pixelAspect: number;
  readonly #most: number;
  readonly #sums: readonly [luma: Int32Array, blue: Int32Array, red: Int32Array];
  #plan: Plan | undefined;

  /** @param pixelAspect the width of a pixel divided by its height, as it is seen */
  constructor({ width, height }: PixelSize, pixelAspect: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8ClampedArray(3 * width * height);
    this.#pixelAspect = pixelAspect;
    this.#most = width * height <= SMALL ? MOST_POINTS : MOST_POINTS_LARGE;
    this.#sums = [new Int32Array(width), new Int32Array(width), new Int32Array(width)];
  }

  /** Where the picture lies that was drawn last. */
  get place(): Rectangle {
    return this.#plan?.place ?? { left: 0, top: 0, width: 0, height: 0 };
  }

  /**
   * Puts a picture in place of what is there.
   * @throws BAD_MESSAGE for a frame that is no picture
   */
  draw(picture: VideoFrame): void {
    requirePicture(picture);
    const plan = this.#planFor(picture);
    const { data, width, height } = picture;
    const { luma, chroma, place } = plan;
    const half = Math.ceil(width / 2);
    const blue = width * height;
    const red = blue + half * Math.ceil(height / 2);
    const [lumaSums, blueSums, redSums] = this.#sums;
    for (let y = 0; y < place.height; y++) {
      // What is made larger has the same points in several rows, of chroma nearly always.
      const isOtherChroma = !sameAsBefore(chroma.rows, y);
      if (!isOtherChroma && sameAsBefore(luma.rows, y)) {
        this.#repeatRow(plan, y);
        continue;
      }
      lumaSums.fill(0);
      for (let point = y * luma.rows.each; point < (y + 1) * luma.rows.each; point++)
        gather(data, luma.rows.at[point]! * width, luma.columns, lumaSums);
      if (isOtherChroma) {
        blueSums.fill(0);
        redSums.fill(0);
        for (let point = y * chroma.rows.each; point < (y + 1) * chroma.rows.each; point++) {
          const start = chroma.rows.at[point]! * half;
          gather(data, blue + start, chroma.columns, blueSums);
          gather(data, red + start, chroma.columns, redSums);
        }
      }
      this.#convert(plan, y);
    }
  }

  #repeatRow({ place }: Plan, y: number): void {
    const row = 3 * this.width;
    const start = (place.top + y - 1) * row + 3 * place.left;
    this.pixels.copyWithin(start + row, start, start + 3 * place.width);
  }

  #planFor(picture: VideoFrame): Plan {
    const plan = this.#plan;
    if (plan?.picture.width === picture.width && plan.picture.height === picture.height)
      return plan;
    // What the picture before covered may be beside this one.
    this.pixels.fill(0);
    const place = fitted(picture, this, this.#pixelAspect);
    return (this.#plan = planFor(picture, place, this.#most));
  }

  /** BT.601, limited range, to RGB; what is out of range is clamped by the array. */
  #convert({ place, luma, chroma }: Plan, y: number): void {
    const [lumaSums, blueSums, redSums] = this.#sums;
    const { pixels } = this;
    const chromaPoints = chroma.columns.each * chroma.rows.each;
    const share = (factor: number, points: number): number => Math.round((factor * ONE) / points);
    const bright = share(LUMA, luma.columns.each * luma.rows.each);
    const redOfRed = share(RED_OF_RED, chromaPoints);
    const greenOfBlue = share(GREEN_OF_BLUE, chromaPoints);
    const greenOfRed = share(GREEN_OF_RED, chromaPoints);
    const blueOfBlue = share(BLUE_OF_BLUE, chromaPoints);
    // The middle of chroma is 128, black is 16; half a step more, so that it is rounded.
    const middle = 128 * chromaPoints;
    const black = ONE / 2 - Math.round(16 * LUMA * ONE);
    const end = place.width;
    let at = 3 * ((place.top + y) * this.width + place.left);
    for (let x = 0; x < end; x++) {
      const base = Math.imul(lumaSums[x]!, bright) + black;
      const blue = blueSums[x]! - middle;
      const red = redSums[x]! - middle;
      pixels[at] = (base + Math.imul(red, redOfRed)) >> BITS;
      pixels[at + 1] = (base - Math.imul(blue, greenOfBlue) - Math.imul(red, greenOfRed)) >> BITS;
      pixels[at + 2] = (base + Math.imul(blue, blueOfBlue)) >> BITS;
      at += 3;
    }
  }
}
