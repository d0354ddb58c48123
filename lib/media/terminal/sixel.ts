/**
 * Pictures as sixels: bands of six lines of pixels, each colour of a band on its own. The area is cut
 * into patches, so that only what has changed is sent again, and so that something else can be
 * written between two of them. Patches end where cells and bands end: terminals that reckon in whole
 * bands then touch nothing below.
 */
import type { VideoFrame } from '../frames.ts';
import { sameArea, USUAL_CELL, type Area, type PixelSize, type Rectangle } from './area.ts';
import { Bytes, NOTHING, putNumber, putText, type Parts } from './bytes.ts';
import { Canvas } from './canvas.ts';
import {
  isSimilar,
  USUAL_TOLERANCE,
  type Drawing,
  type Drawn,
  type Renderer,
  type RendererOptions,
} from './renderer.ts';

const BAND = 6;
/** Pixels of a patch, about. */
const PATCH_PIXELS = 16 * 1024;
/** Steps of each of red, green and blue: a palette of 6 × 6 × 6 colours. */
const LEVELS = 6;
const COLOURS = LEVELS ** 3;
/** What a sixel without any pixel is written as; the six pixels are added as bits, the upper is 1. */
const EMPTY = 0x3f;
/** Bytes that a patch or a colour takes beside its sixels. */
const FRAME_BYTES = 64;
/** From how many equal sixels on they are written as a number and one of them. */
const LEAST_RUN = 4;

/** Side of the square of thresholds that is laid over the picture again and again. */
const SIDE = 8;

/** How the thresholds of a square grow out of those of the one half as wide: each into four, far apart. */
function thresholds(side: number): number[][] {
  if (side === 1) return [[0]];
  const half = thresholds(side / 2);
  const order = [
    [0, 2],
    [3, 1],
  ];
  return Array.from({ length: side }, (_, y) =>
    Array.from(
      { length: side },
      (_unused, x) =>
        4 * half[y % (side / 2)]![x % (side / 2)]! +
        order[Math.floor((2 * y) / side)]![Math.floor((2 * x) / side)]!,
    ),
  );
}

/**
 * The level for each value of 0 to 255 at each place of the square: the one above where the value is
 * nearer to it than the threshold says, so that the mean over the square is right.
 */
const DITHERED = Uint8Array.from(
  thresholds(SIDE)
    .flat()
    .flatMap((threshold) =>
      Array.from({ length: 256 }, (_, value) =>
        Math.floor((value * (LEVELS - 1)) / 255 + (threshold + 0.5) / SIDE ** 2),
      ),
    ),
);

/** What says the colours of the palette, in percent as sixels have it. */
const DEFINITIONS = Array.from({ length: COLOURS }, (_, colour) => {
  const percent = (step: number): number =>
    (100 / (LEVELS - 1)) * (Math.floor(colour / step) % LEVELS);
  return `#${colour};2;${percent(LEVELS * LEVELS)};${percent(LEVELS)};${percent(1)}`;
});

/** A part of the canvas, and the cell where it begins, counted from 0 within the area. */
interface Patch extends Rectangle {
  readonly column: number;
  readonly row: number;
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}

/** The patches of an area from left to right, from top to bottom. */
export function patchesOf(area: Pick<Area, 'width' | 'height'>, cell: PixelSize): Patch[] {
  const patches: Patch[] = [];
  const rows = BAND / commonDivisor(cell.height, BAND);
  const most = Math.max(1, Math.floor(PATCH_PIXELS / (rows * cell.height * cell.width)));
  const count = Math.ceil(area.width / most);
  let top = 0;
  for (let row = 0; row < area.height; row += rows) {
    const pixels = Math.min(rows, area.height - row) * cell.height;
    const height = pixels - (pixels % BAND);
    for (let patch = 0; patch < count && height > 0; patch++) {
      const column = Math.floor((patch * area.width) / count);
      const end = Math.floor(((patch + 1) * area.width) / count);
      const left = column * cell.width;
      patches.push({ column, row, left, top, width: (end - column) * cell.width, height });
    }
    top += height;
  }
  return patches;
}

class DrawnSixels implements Drawn {
  readonly area: Area;
  readonly patches: readonly Patch[];
  readonly canvas: Canvas;
  readonly shown: Uint8ClampedArray;
  isNew = true;

  constructor(area: Area, cell: PixelSize) {
    this.area = area;
    this.patches = patchesOf(area, cell);
    const last = this.patches.at(-1);
    const height = Math.max(1, last === undefined ? 0 : last.top + last.height);
    this.canvas = new Canvas({ width: area.width * cell.width, height }, 1);
    this.shown = new Uint8ClampedArray(this.canvas.pixels.length);
  }
}

export class Sixels implements Renderer {
  readonly mode = 'sixel';
  readonly #cell: PixelSize;
  readonly #tolerance: number;
  readonly #bytes = new Bytes();
  /** The colour of each pixel of a patch. */
  #colours = new Uint8Array(0);
  /** The sixels of a band, colour by colour, all of them empty between two bands. */
  #sixels = new Uint8Array(0);
  /** The first and the last column of each colour of a band. */
  readonly #first = new Int32Array(COLOURS);
  readonly #last = new Int32Array(COLOURS).fill(-1);

  constructor(options: RendererOptions = {}) {
    this.#cell = options.cell ?? USUAL_CELL;
    this.#tolerance = options.tolerance ?? USUAL_TOLERANCE;
  }

  draw(picture: VideoFrame, area: Area, before?: Drawn): Drawing {
    const drawn =
      before instanceof DrawnSixels && sameArea(before.area, area)
        ? before
        : new DrawnSixels(area, this.#cell);
    drawn.canvas.draw(picture);
    for (const patch of drawn.patches)
      if (drawn.isNew || !this.#isSimilar(drawn, patch)) this.#patch(drawn, patch);
    drawn.isNew = false;
    return { ...this.#bytes.take(), drawn };
  }

  erase(): Parts {
    return NOTHING;
  }

  #isSimilar({ canvas, shown }: DrawnSixels, { left, top, width, height }: Patch): boolean {
    for (let y = top; y < top + height; y++) {
      const from = 3 * (y * canvas.width + left);
      if (!isSimilar(canvas.pixels, shown, from, from + 3 * width, this.#tolerance)) return false;
    }
    return true;
  }

  #patch(drawn: DrawnSixels, patch: Patch): void {
    const { width, height } = patch;
    const used = this.#dither(drawn, patch);
    const bytes = this.#bytes;
    bytes.move(drawn.area.column + patch.column, drawn.area.row + patch.row);
    bytes.text(`\u001bP0;1;0q"1;1;${width};${height}`);
    for (let colour = 0; colour < COLOURS; colour++)
      if (used[colour] !== 0) bytes.text(DEFINITIONS[colour]!);
    if (this.#sixels.length < COLOURS * width) this.#sixels = new Uint8Array(COLOURS * width);
    for (let y = 0; y < height; y += BAND) this.#band(y * width, width);
    bytes.text('\u001b\\');
    bytes.end();
  }

  /**
   * Chooses the colour of each pixel, and takes what was drawn for shown.
   * @returns which colours there are
   */
  #dither({ canvas, shown }: DrawnSixels, { left, top, width, height }: Patch): Uint8Array {
    const { pixels } = canvas;
    const used = new Uint8Array(COLOURS);
    if (this.#colours.length < width * height) this.#colours = new Uint8Array(width * height);
    const colours = this.#colours;
    let pixel = 0;
    for (let y = top; y < top + height; y++) {
      const start = 3 * (y * canvas.width + left);
      shown.set(pixels.subarray(start, start + 3 * width), start);
      const row = (y % SIDE) * SIDE;
      let at = start;
      for (let x = left; x < left + width; x++) {
        const levels = (row + (x % SIDE)) * 256;
        const colour =
          LEVELS * LEVELS * DITHERED[levels + pixels[at]!]! +
          LEVELS * DITHERED[levels + pixels[at + 1]!]! +
          DITHERED[levels + pixels[at + 2]!]!;
        colours[pixel++] = colour;
        used[colour] = 1;
        at += 3;
      }
    }
    return used;
  }

  /** Writes six lines of pixels, which begin at `start` of the colours. */
  #band(start: number, width: number): void {
    const colours = this.#colours;
    const sixels = this.#sixels;
    const present: number[] = [];
    for (let line = 0; line < BAND; line++) {
      const bit = 1 << line;
      const from = start + line * width;
      for (let x = 0; x < width; x++) {
        const colour = colours[from + x]!;
        const last = this.#last[colour]!;
        if (last < 0) {
          present.push(colour);
          this.#first[colour] = x;
          this.#last[colour] = x;
        } else if (last < x) this.#last[colour] = x;
        else if (x < this.#first[colour]!) this.#first[colour] = x;
        sixels[colour * width + x]! |= bit;
      }
    }
    const bytes = this.#bytes;
    for (const [index, colour] of present.entries()) {
      bytes.reserve(width + FRAME_BYTES);
      if (index > 0) bytes.data[bytes.length++] = 0x24;
      bytes.data[bytes.length++] = 0x23;
      bytes.length = putNumber(bytes.data, bytes.length, colour);
      this.#line(colour * width, this.#first[colour]!, this.#last[colour]!);
      this.#last[colour] = -1;
    }
    bytes.reserve(FRAME_BYTES);
    bytes.data[bytes.length++] = 0x2d;
  }

  /** Writes the sixels of a colour, equal ones as their number and one of them, and empties them. */
  #line(start: number, first: number, last: number): void {
    const sixels = this.#sixels;
    const { data } = this.#bytes;
    let at = putRun(data, this.#bytes.length, first, EMPTY);
    let x = first;
    while (x <= last) {
      const sixel = sixels[start + x]!;
      let end = x;
      while (end <= last && sixels[start + end] === sixel) sixels[start + end++] = 0;
      at = putRun(data, at, end - x, EMPTY + sixel);
      x = end;
    }
    this.#bytes.length = at;
  }
}

function putRun(data: Uint8Array, from: number, count: number, sixel: number): number {
  let at = from;
  if (count >= LEAST_RUN) {
    at = putText(data, at, '!');
    at = putNumber(data, at, count);
    data[at++] = sixel;
  } else for (let written = 0; written < count; written++) data[at++] = sixel;
  return at;
}
