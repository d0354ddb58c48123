/**
 * Pictures by the graphics protocol of Kitty: the terminal is handed an image, named by a number,
 * and stretches it over the cells. An area has two numbers by turns, so that the new picture stands
 * before the old one goes.
 */
import { randomInt } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { VideoFrame } from '../frames.ts';
import { fitted, sameArea, USUAL_CELL, type Area, type PixelSize } from './area.ts';
import { Bytes, type Parts } from './bytes.ts';
import { Canvas } from './canvas.ts';
import {
  isSimilar,
  USUAL_TOLERANCE,
  type Drawing,
  type Drawn,
  type Renderer,
  type RendererOptions,
} from './renderer.ts';

/** Pixels of an image at most: the terminal makes it larger at no cost here. */
export const MOST_PIXELS = 640 * 360;
/** Characters of base64 in one sequence: as much as the protocol allows. */
const CHUNK = 4_096;
/** The quickest compression: what is slower makes noise no smaller. */
const LEVEL = 1;
/** Numbers of images are below 2^32; two programs in one terminal should not choose the same. */
const MOST_FIRST_IMAGE = 2 ** 31;

/**
 * Each of red, green and blue in 64 steps from 0 to 255: nobody sees more of a moving picture, and
 * it takes half the bytes.
 */
const STEPS = Uint8Array.from({ length: 256 }, (_, value) =>
  Math.round((Math.round((value * 63) / 255) * 255) / 63),
);

/**
 * The size of the image that covers an area: not larger than the picture in it, nor than `MOST_PIXELS`.
 */
function imageSize(picture: PixelSize, area: Area, cell: PixelSize): PixelSize {
  const full = { width: area.width * cell.width, height: area.height * cell.height };
  const place = fitted(picture, full, 1);
  const factor = Math.min(
    1,
    Math.max(picture.width / place.width, picture.height / place.height),
    Math.sqrt(MOST_PIXELS / (full.width * full.height)),
  );
  const side = (pixels: number): number => Math.max(1, Math.round(pixels * factor));
  return { width: side(full.width), height: side(full.height) };
}

class DrawnImage implements Drawn {
  readonly area: Area;
  /** The two numbers of its images. */
  readonly images: readonly [number, number];
  /** Which of them stands there; undefined for none. */
  current: 0 | 1 | undefined;
  canvas: Canvas | undefined;
  shown = new Uint8ClampedArray(0);

  constructor(area: Area, first: number) {
    this.area = area;
    this.images = [first, first + 1];
  }
}

export class KittyImages implements Renderer {
  readonly mode = 'kitty';
  readonly #cell: PixelSize;
  readonly #tolerance: number;
  #nextImage: number;
  /** Numbers that are free again. */
  readonly #free: number[] = [];
  readonly #bytes = new Bytes();
  #stepped = new Uint8Array(0);

  constructor(options: RendererOptions = {}) {
    this.#cell = options.cell ?? USUAL_CELL;
    this.#tolerance = options.tolerance ?? USUAL_TOLERANCE;
    this.#nextImage = options.firstImage ?? randomInt(1, MOST_FIRST_IMAGE);
  }

  draw(picture: VideoFrame, area: Area, before?: Drawn): Drawing {
    const drawn =
      before instanceof DrawnImage && sameArea(before.area, area)
        ? before
        : new DrawnImage(area, this.#newImages());
    const size = imageSize(picture, area, this.#cell);
    const pixelWidth = (area.width * this.#cell.width) / size.width;
    const pixelHeight = (area.height * this.#cell.height) / size.height;
    if (drawn.canvas?.width !== size.width || drawn.canvas.height !== size.height)
      drawn.canvas = new Canvas(size, pixelWidth / pixelHeight);
    const { canvas, shown } = drawn;
    canvas.draw(picture);
    const { pixels } = canvas;
    const isNew =
      drawn.current === undefined ||
      shown.length !== pixels.length ||
      !isSimilar(pixels, shown, 0, pixels.length, this.#tolerance);
    if (isNew) {
      drawn.shown = pixels.slice();
      this.#show(drawn, canvas);
    }
    return { ...this.#bytes.take(), drawn };
  }

  erase(drawn: Drawn): Parts {
    const bytes = this.#bytes;
    if (drawn instanceof DrawnImage) {
      // Ends an image that is half handed over; it is nothing where there is none.
      bytes.text('\u001b_Gm=0,q=2;\u001b\\');
      for (const image of drawn.images) bytes.text(`\u001b_Ga=d,d=I,i=${image},q=2\u001b\\`);
      this.#free.push(drawn.images[0]);
      drawn.current = undefined;
    }
    return bytes.take();
  }

  #newImages(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const first = this.#nextImage;
    this.#nextImage += 2;
    return first;
  }

  /** Hands an image over, places it and takes the one before away. */
  #show(drawn: DrawnImage, { width, height, pixels }: Canvas): void {
    const { area, images, current } = drawn;
    const next = current === 0 ? 1 : 0;
    const bytes = this.#bytes;
    const data = this.#compressed(pixels).toString('base64');
    for (let from = 0; from < data.length; from += CHUNK) {
      const more = from + CHUNK < data.length ? 1 : 0;
      const what =
        from === 0
          ? `a=t,f=24,o=z,s=${width},v=${height},i=${images[next]},q=2,m=${more}`
          : `m=${more},q=2`;
      bytes.text(`\u001b_G${what};${data.slice(from, from + CHUNK)}\u001b\\`);
      bytes.end();
    }
    bytes.move(area.column, area.row);
    bytes.text(
      `\u001b_Ga=p,i=${images[next]},p=1,c=${area.width},r=${area.height},C=1,q=2\u001b\\`,
    );
    if (current !== undefined) bytes.text(`\u001b_Ga=d,d=I,i=${images[current]},q=2\u001b\\`);
    drawn.current = next;
  }

  #compressed(pixels: Uint8ClampedArray): Buffer {
    if (this.#stepped.length !== pixels.length) this.#stepped = new Uint8Array(pixels.length);
    const stepped = this.#stepped;
    for (let at = 0; at < pixels.length; at++) stepped[at] = STEPS[pixels[at]!]!;
    return deflateSync(stepped, { level: LEVEL });
  }
}
