/**
 * Where the tiles of the participants lie: as large as they can be, in shapes that suit pictures, a
 * row for the name below each.
 */
import type { PictureSize } from '../frames.ts';
import { USUAL_CELL, type Area, type PixelSize } from './area.ts';
import type { GraphicsMode } from './renderer.ts';

export interface Tile {
  /** Which of those that were to be shown. */
  readonly index: number;
  readonly picture: Area;
  /** A row of the same width below the picture. */
  readonly label: Area;
}

export interface GridOptions {
  readonly area: Area;
  /** How many there are to be shown. */
  readonly count: number;
  /** Which of them is to be large, with the others small beside it. */
  readonly enlarged?: number | undefined;
  /** The size of a cell in pixels, if it is known. */
  readonly cell?: PixelSize | undefined;
}

/** Between which shapes a tile's picture stays, as width divided by height. */
const NARROWEST = 4 / 3;
const WIDEST = 16 / 9;
/** Cells of the smallest tile, its label with it, and columns between two tiles. */
export const LEAST_WIDTH = 4;
export const LEAST_HEIGHT = 2;
export const GAP = 1;
/** The part of the area that those get that are not enlarged, along one side. */
const STRIP = 1 / 4;

/** Pixels of the largest picture that is asked for. */
const MOST_WANTED: PixelSize = { width: 1_280, height: 720 };

/** Tiles of the same size, so many beside one another. */
interface Arrangement {
  readonly columns: number;
  readonly rows: number;
  /** Cells of a tile's picture. */
  readonly width: number;
  readonly height: number;
}

/** Cells of the largest picture that a place has room for, not taller or wider than suits pictures. */
function shaped(width: number, height: number, cell: PixelSize): PixelSize {
  const aspect = (width * cell.width) / (height * cell.height);
  const trimmed = {
    width: aspect > WIDEST ? Math.round((height * cell.height * WIDEST) / cell.width) : width,
    height:
      aspect < NARROWEST ? Math.round((width * cell.width) / NARROWEST / cell.height) : height,
  };
  return {
    width: Math.min(width, Math.max(LEAST_WIDTH, trimmed.width)),
    height: Math.max(1, trimmed.height),
  };
}

function arrange(area: Area, count: number, cell: PixelSize): Arrangement | undefined {
  let best: Arrangement | undefined;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const width = Math.floor((area.width - (columns - 1) * GAP) / columns);
    const height = Math.floor(area.height / rows) - 1;
    if (width < LEAST_WIDTH || height < LEAST_HEIGHT - 1) continue;
    const size = shaped(width, height, cell);
    if (best === undefined || size.width * size.height > best.width * best.height)
      best = { columns, rows, ...size };
  }
  return best;
}

/** How many of the smallest tiles an area has room for. */
function mostTiles({ width, height }: Area): number {
  return Math.floor((width + GAP) / (LEAST_WIDTH + GAP)) * Math.floor(height / LEAST_HEIGHT);
}

function tileAt(index: number, picture: Area): Tile {
  return { index, picture, label: { ...picture, row: picture.row + picture.height, height: 1 } };
}

/** Tiles of the same size in the middle of an area; the last row in the middle of it. */
function even(area: Area, indices: readonly number[], cell: PixelSize): Tile[] {
  const shown = indices.slice(0, mostTiles(area));
  const arrangement = arrange(area, shown.length, cell);
  if (arrangement === undefined) return [];
  const { columns, rows, width, height } = arrangement;
  const top = area.row + ((area.height - rows * (height + 1)) >> 1);
  return shown.map((index, position) => {
    const row = Math.floor(position / columns);
    const inRow = Math.min(columns, shown.length - row * columns);
    const left = area.column + ((area.width - inRow * (width + GAP) + GAP) >> 1);
    return tileAt(index, {
      column: left + (position % columns) * (width + GAP),
      row: top + row * (height + 1),
      width,
      height,
    });
  });
}

/** The two ways to divide an area into a large part and a strip below or beside it. */
function divisions({ column, row, width, height }: Area): { main: Area; strip: Area }[] {
  const low = Math.max(LEAST_HEIGHT, Math.round(height * STRIP));
  const narrow = Math.max(LEAST_WIDTH, Math.round(width * STRIP));
  return [
    {
      main: { column, row, width, height: height - low },
      strip: { column, row: row + height - low, width, height: low },
    },
    {
      main: { column, row, width: width - narrow - GAP, height },
      strip: { column: column + width - narrow, row, width: narrow, height },
    },
  ];
}

function withOneLarge(
  area: Area,
  large: number,
  others: readonly number[],
  cell: PixelSize,
): Tile[] {
  const pixels = (tile: Tile | undefined): number =>
    tile === undefined ? 0 : tile.picture.width * tile.picture.height;
  let best = even(area, [large], cell);
  if (others.length === 0) return best;
  // Whether it is larger than the others, how many are shown, and its pixels: the first that differs
  // decides. In cells of some shapes the strip has room for the same picture as the rest.
  let bestBy = [0, 1, pixels(best[0])];
  for (const { main, strip } of divisions(area)) {
    const [tile] = even(main, [large], cell);
    if (tile === undefined) continue;
    const beside = even(strip, others, cell);
    const by = [Number(pixels(tile) > pixels(beside[0])), 1 + beside.length, pixels(tile)];
    const differing = by.findIndex((value, index) => value !== bestBy[index]);
    if (differing >= 0 && by[differing]! > bestBy[differing]!)
      [best, bestBy] = [[tile, ...beside], by];
  }
  return best.sort((one, other) => one.index - other.index);
}

/**
 * The tiles of an area: those that have room, in their order. None overlap, and none but the
 * enlarged one differs in size from the others.
 */
export function layOut({ area, count, enlarged, cell = USUAL_CELL }: GridOptions): Tile[] {
  const indices = Array.from({ length: count }, (_, index) => index);
  if (enlarged === undefined || !indices.includes(enlarged)) return even(area, indices, cell);
  const others = indices.filter((index) => index !== enlarged);
  return withOneLarge(area, enlarged, others, cell);
}

/**
 * The pixels of the largest picture of which anything more is seen in a tile than of a smaller one:
 * even numbers.
 */
export function wantedSize(
  picture: Area,
  mode: GraphicsMode,
  cell: PixelSize = USUAL_CELL,
): Omit<PictureSize, 'fps'> {
  const isDrawnInPixels = mode === 'kitty' || mode === 'sixel';
  const width = picture.width * (isDrawnInPixels ? cell.width : 1);
  const height = picture.height * (isDrawnInPixels ? cell.height : 2);
  const factor = Math.min(1, MOST_WANTED.width / width, MOST_WANTED.height / height);
  const even = (pixels: number): number => Math.max(2, 2 * Math.round((pixels * factor) / 2));
  return { width: even(width), height: even(height) };
}
