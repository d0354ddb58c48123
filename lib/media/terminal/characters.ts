/**
 * Pictures as characters that cover more of their cell the brighter it is. For terminals without
 * colours, or where nothing but ASCII arrives whole.
 */
import type { VideoFrame } from '../frames.ts';
import { sameArea, USUAL_CELL, type Area, type PixelSize } from './area.ts';
import { Bytes, NOTHING, type Parts } from './bytes.ts';
import { Canvas } from './canvas.ts';
import {
  USUAL_TOLERANCE,
  type Drawing,
  type Drawn,
  type Renderer,
  type RendererOptions,
} from './renderer.ts';

/** By how much of a cell they cover in a common typeface, in about even steps. */
export const RAMP = ' .:;*=cxCo$&#B@';

/** The brightness of a cell of which nothing is known, and of one beside the picture: like no other. */
const UNKNOWN = -1_000;
const BESIDE = 1_000;
const BLANK = 0x20;
/** The most that a cell takes: the way to it and the character. */
const CELL_BYTES = 40;

/** Parts of 256 of red, green and blue in the brightness of a pixel. */
const RED = 77;
const GREEN = 150;
const BLUE = 29;

/** The brightness of a pixel, from 0 to 255. */
function brightnessOf({ pixels }: Canvas, pixel: number): number {
  const at = 3 * pixel;
  return (RED * pixels[at]! + GREEN * pixels[at + 1]! + BLUE * pixels[at + 2]! + 128) >> 8;
}

class DrawnCharacters implements Drawn {
  readonly area: Area;
  readonly canvas: Canvas;
  /** The brightness of each cell when it was last looked at as different. */
  readonly shown: Int16Array;
  /** Codes of the characters that were written. */
  readonly characters: Int16Array;

  constructor(area: Area, cell: PixelSize) {
    this.area = area;
    this.canvas = new Canvas(area, cell.width / cell.height);
    this.shown = new Int16Array(area.width * area.height).fill(UNKNOWN);
    // The cells are blank.
    this.characters = new Int16Array(this.shown.length).fill(BLANK);
  }
}

export class Characters implements Renderer {
  readonly mode = 'ascii';
  readonly #cell: PixelSize;
  readonly #tolerance: number;
  /** The character for each brightness. */
  readonly #characters: Uint8Array;
  readonly #bytes = new Bytes();

  constructor(options: RendererOptions = {}) {
    this.#cell = options.cell ?? USUAL_CELL;
    this.#tolerance = options.tolerance ?? USUAL_TOLERANCE;
    this.#characters = Uint8Array.from({ length: 256 }, (_, brightness) => {
      const share = (options.isLight === true ? 255 - brightness : brightness) / 255;
      return RAMP.charCodeAt(Math.round(share * (RAMP.length - 1)));
    });
  }

  draw(picture: VideoFrame, area: Area, before?: Drawn): Drawing {
    const drawn =
      before instanceof DrawnCharacters && sameArea(before.area, area)
        ? before
        : new DrawnCharacters(area, this.#cell);
    drawn.canvas.draw(picture);
    for (let row = 0; row < area.height; row++) this.#row(drawn, row);
    return { ...this.#bytes.take(), drawn };
  }

  erase(): Parts {
    return NOTHING;
  }

  #row({ area, canvas, shown, characters }: DrawnCharacters, row: number): void {
    const { place, width } = canvas;
    const isBeside = row < place.top || row >= place.top + place.height;
    const right = place.left + place.width;
    const bytes = this.#bytes;
    /** The column after the last cell written; undefined before the first one. */
    let next: number | undefined;
    for (let column = 0; column < width; column++) {
      const cell = row * width + column;
      const brightness =
        isBeside || column < place.left || column >= right ? BESIDE : brightnessOf(canvas, cell);
      if (Math.abs(shown[cell]! - brightness) <= this.#tolerance) continue;
      shown[cell] = brightness;
      const character = brightness === BESIDE ? BLANK : this.#characters[brightness]!;
      if (characters[cell] === character) continue;
      characters[cell] = character;
      if (next === undefined) {
        bytes.move(area.column + column, area.row + row);
        bytes.reserve((width + 1) * CELL_BYTES);
      } else if (next < column) bytes.skip(column - next);
      bytes.data[bytes.length++] = character;
      next = column + 1;
    }
    bytes.end();
  }
}
