/** Several pictures in one, as a recording has them. */
import { frameTime, pictureBytes, type VideoFrame } from '../frames.ts';
import { requirePictureSize } from './picture.ts';
import { proportional, scaleInto, type Place } from './scale.ts';

/** More than these are left out. */
const MOST_TILES = 64;
/** What pictures mostly are like, for tiles in which all have to fit. */
const PROPORTIONS = 4 / 3;

/** Luma of what is behind the pictures, and of the tile of one who has none. */
const BLACK = 16;
const EMPTY = 48;
const NO_COLOUR = 128;

/**
 * Draws pictures beside one another, in rows from the top, each as large as its tile lets it be and
 * of its own proportions.
 * @param tiles undefined for one that has no picture, which gets a plain grey tile; at most 64 are drawn
 * @param width of the whole, in pixels; odd ones become the even one below
 * @returns a picture with the time of the newest one in it, or the present one
 * @throws BAD_MESSAGE for a frame that is none, and for a size that no picture has
 */
export function compose(
  tiles: readonly (VideoFrame | undefined)[],
  width: number,
  height: number,
): VideoFrame {
  requirePictureSize(width, height);
  const size = { width: even(width), height: even(height) };
  const data = new Uint8Array(pictureBytes(size.width, size.height)).fill(NO_COLOUR);
  data.fill(BLACK, 0, size.width * size.height);
  const canvas = { ...size, data };
  const shown = tiles.slice(0, MOST_TILES);
  let time = -Infinity;
  for (const [index, place] of placesFor(shown.length, size.width, size.height).entries()) {
    const frame = shown[index];
    if (frame === undefined) drawEmpty(canvas, place);
    else {
      const { width, height } = proportional(frame.width, frame.height, place);
      const left = place.left + even((place.width - width) / 2);
      const top = place.top + even((place.height - height) / 2);
      scaleInto(frame, canvas, { left, top, width, height });
      time = Math.max(time, frame.time);
    }
  }
  return { ...canvas, time: time === -Infinity ? frameTime() : time };
}

function even(pixels: number): number {
  return Math.floor(pixels / 2) * 2;
}

/** Equal tiles in as many columns as make pictures in them the largest; the last row in the middle. */
function placesFor(count: number, width: number, height: number): Place[] {
  const columns = columnsFor(count, width, height);
  const rows = Math.ceil(count / columns);
  const tile = { width: even(width / columns), height: even(height / rows) };
  // More tiles than there are pixels for.
  if (tile.width === 0 || tile.height === 0) return [];
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = even((width - inRow * tile.width) / 2) + (index % columns) * tile.width;
    return { left, top: row * tile.height, ...tile };
  });
}

function columnsFor(count: number, width: number, height: number): number {
  let [best, most] = [1, 0];
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const shown = Math.min(width / columns, (height / rows) * PROPORTIONS);
    if (shown > most) [best, most] = [columns, shown];
  }
  return best;
}

function drawEmpty(
  canvas: { readonly width: number; readonly data: Uint8Array },
  { left, top, width, height }: Place,
): void {
  // An edge stays free, so that two beside one another can be told apart.
  const edge = even(Math.min(width, height) / 16);
  for (let row = top + edge; row < top + height - edge; row++) {
    const start = row * canvas.width + left;
    canvas.data.fill(EMPTY, start + edge, start + width - edge);
  }
}
