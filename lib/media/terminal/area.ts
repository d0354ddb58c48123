/** Places on a terminal, in cells, and how a picture lies within one. */

/** A rectangle of cells. */
export interface Area {
  /** Of its left upper cell, counted from 1. */
  readonly column: number;
  readonly row: number;
  /** In cells. */
  readonly width: number;
  readonly height: number;
}

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** A rectangle of pixels; the left upper one is 0, 0. */
export interface Rectangle extends PixelSize {
  readonly left: number;
  readonly top: number;
}

/** What is taken for a cell's size in pixels where the terminal does not say it. */
export const USUAL_CELL: PixelSize = { width: 8, height: 16 };

export function sameArea(one: Area, other: Area): boolean {
  return (
    one.column === other.column &&
    one.row === other.row &&
    one.width === other.width &&
    one.height === other.height
  );
}

/**
 * Where a picture lies within a canvas: in the middle, as large as it can be without being cut or
 * losing its proportions.
 * @param pixelAspect the width of a pixel of the canvas divided by its height
 */
export function fitted(picture: PixelSize, canvas: PixelSize, pixelAspect: number): Rectangle {
  const factor = Math.min(
    (canvas.width * pixelAspect) / picture.width,
    canvas.height / picture.height,
  );
  const side = (pixels: number, most: number): number =>
    Math.min(most, Math.max(1, Math.round(pixels)));
  const width = side((picture.width * factor) / pixelAspect, canvas.width);
  const height = side(picture.height * factor, canvas.height);
  return { left: (canvas.width - width) >> 1, top: (canvas.height - height) >> 1, width, height };
}
