/**
 * Pictures as half blocks: a cell shows two pixels, one above the other, by the colour of its
 * character and that of its ground. In 24-bit colours or in those of the palette of 256.
 */
import type { VideoFrame } from '../frames.ts';
import { sameArea, USUAL_CELL, type Area, type PixelSize } from './area.ts';
import { Bytes, NOTHING, putNumber, type Parts } from './bytes.ts';
import { Canvas } from './canvas.ts';
import { nearestColours, paletteIndex } from './palette.ts';
import {
  isSimilar,
  USUAL_TOLERANCE,
  type Drawing,
  type Drawn,
  type Renderer,
  type RendererOptions,
} from './renderer.ts';

/** The most that a cell takes: the way to it, both colours, a character of three bytes. */
const CELL_BYTES = 64;

const UPPER = 0x80;
const LOWER = 0x84;
const FULL = 0x88;

/** What a cell's colour is while nothing is known of it. */
const UNKNOWN = -1;

type BlockMode = 'truecolor' | '256';

class DrawnBlocks implements Drawn {
  readonly mode: BlockMode;
  readonly area: Area;
  readonly canvas: Canvas;
  /** The pixels as they were when they were last written. */
  readonly shown: Uint8ClampedArray;
  /** What was written for them: red, green and blue in one number, or the number in the palette. */
  readonly colours: Int32Array;

  constructor(mode: BlockMode, area: Area, cell: PixelSize) {
    this.mode = mode;
    this.area = area;
    const size = { width: area.width, height: 2 * area.height };
    this.canvas = new Canvas(size, (2 * cell.width) / cell.height);
    this.shown = new Uint8ClampedArray(this.canvas.pixels.length);
    this.colours = new Int32Array(size.width * size.height).fill(UNKNOWN);
  }
}

export class HalfBlocks implements Renderer {
  readonly mode: BlockMode;
  readonly #cell: PixelSize;
  readonly #tolerance: number;
  /** Undefined in 24-bit colours. */
  readonly #palette: Uint8Array | undefined;
  readonly #bytes = new Bytes();
  /** Colours of the terminal as the bytes written so far leave them. */
  #ink = UNKNOWN;
  #ground = UNKNOWN;

  constructor(mode: BlockMode, options: RendererOptions = {}) {
    this.mode = mode;
    this.#cell = options.cell ?? USUAL_CELL;
    this.#tolerance = options.tolerance ?? USUAL_TOLERANCE;
    this.#palette = mode === '256' ? nearestColours() : undefined;
  }

  draw(picture: VideoFrame, area: Area, before?: Drawn): Drawing {
    const drawn =
      before instanceof DrawnBlocks && before.mode === this.mode && sameArea(before.area, area)
        ? before
        : new DrawnBlocks(this.mode, area, this.#cell);
    drawn.canvas.draw(picture);
    for (let row = 0; row < area.height; row++) this.#row(drawn, row);
    return { ...this.#bytes.take(), drawn };
  }

  erase(): Parts {
    return NOTHING;
  }

  #row({ area, canvas, shown, colours }: DrawnBlocks, row: number): void {
    const { pixels, width } = canvas;
    const tolerance = this.#tolerance;
    /** The column after the last cell written; undefined before the first one. */
    let next: number | undefined;
    for (let column = 0; column < width; column++) {
      const upper = 2 * row * width + column;
      const lower = upper + width;
      if (
        colours[upper] !== UNKNOWN &&
        isSimilar(pixels, shown, 3 * upper, 3 * upper + 3, tolerance) &&
        isSimilar(pixels, shown, 3 * lower, 3 * lower + 3, tolerance)
      )
        continue;
      for (let part = 0; part < 3; part++) {
        shown[3 * upper + part] = pixels[3 * upper + part]!;
        shown[3 * lower + part] = pixels[3 * lower + part]!;
      }
      const above = this.#colour(pixels, 3 * upper);
      const below = this.#colour(pixels, 3 * lower);
      if (colours[upper] === above && colours[lower] === below) continue;
      colours[upper] = above;
      colours[lower] = below;
      if (next === undefined) this.#beginRow(area, row, column);
      else if (next < column) this.#bytes.skip(column - next);
      this.#cellOf(above, below);
      next = column + 1;
    }
    this.#bytes.end();
  }

  #colour(pixels: Uint8ClampedArray, at: number): number {
    const red = pixels[at]!;
    const green = pixels[at + 1]!;
    const blue = pixels[at + 2]!;
    if (this.#palette === undefined) return (red << 16) | (green << 8) | blue;
    return this.#palette[paletteIndex(red, green, blue)]!;
  }

  #beginRow(area: Area, row: number, column: number): void {
    this.#bytes.move(area.column + column, area.row + row);
    // Once for all, so that nobody has to ask at each cell.
    this.#bytes.reserve((area.width + 1) * CELL_BYTES);
    // Something else may have been written between two rows.
    this.#ink = UNKNOWN;
    this.#ground = UNKNOWN;
  }

  /** Writes a cell by the character that asks for the fewest changes of colour. */
  #cellOf(above: number, below: number): void {
    const bytes = this.#bytes;
    const { data } = bytes;
    const ink = this.#ink;
    const ground = this.#ground;
    if (above === below) {
      if (ink !== above && ground !== above) this.#select(ink, above);
      if (this.#ground === above) data[bytes.length++] = 0x20;
      else this.#block(FULL);
      return;
    }
    const asUpper = Number(ink !== above) + Number(ground !== below);
    const asLower = Number(ink !== below) + Number(ground !== above);
    if (asLower < asUpper) {
      this.#select(below, above);
      this.#block(LOWER);
    } else {
      this.#select(above, below);
      this.#block(UPPER);
    }
  }

  #block(last: number): void {
    const { data } = this.#bytes;
    let at = this.#bytes.length;
    data[at++] = 0xe2;
    data[at++] = 0x96;
    data[at++] = last;
    this.#bytes.length = at;
  }

  /** Changes the colours that are not so yet. */
  #select(ink: number, ground: number): void {
    const newInk = ink !== this.#ink;
    const newGround = ground !== this.#ground;
    if (!newInk && !newGround) return;
    const { data } = this.#bytes;
    let at = this.#bytes.length;
    data[at++] = 0x1b;
    data[at++] = 0x5b;
    if (newInk) at = this.#put(data, at, 0x33, ink);
    if (newInk && newGround) data[at++] = 0x3b;
    if (newGround) at = this.#put(data, at, 0x34, ground);
    data[at++] = 0x6d;
    this.#bytes.length = at;
    this.#ink = ink;
    this.#ground = ground;
  }

  /**
   * Writes the parameters of a colour.
   * @param kind the digit 3 for the character, 4 for its ground
   */
  #put(data: Uint8Array, from: number, kind: number, colour: number): number {
    let at = from;
    data[at++] = kind;
    data[at++] = 0x38;
    data[at++] = 0x3b;
    if (this.#palette !== undefined) {
      data[at++] = 0x35;
      data[at++] = 0x3b;
      return putNumber(data, at, colour);
    }
    data[at++] = 0x32;
    data[at++] = 0x3b;
    at = putNumber(data, at, colour >> 16);
    data[at++] = 0x3b;
    at = putNumber(data, at, (colour >> 8) & 0xff);
    data[at++] = 0x3b;
    return putNumber(data, at, colour & 0xff);
  }
}
