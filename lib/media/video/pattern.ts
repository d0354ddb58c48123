/**
 * The test pattern: a moving picture in colours that bears its number and its time, so that whoever
 * gets it, however small and however compressed, can tell which one it is and how old.
 *
 * From the top: bars in known colours; a strip along which a square moves; a field of cells, light
 * for 1 and dark for 0, which hold number, time and a checksum.
 */
import { pictureBytes, type VideoFrame } from '../frames.ts';
import { isPicture, requirePictureSize } from './picture.ts';

/** The smallest picture from which it can be read, in pixels. */
const LEAST = { width: 80, height: 48 };

/** Where things end, in shares of the height. */
const BARS_END = 1 / 6;
const STRIP_END = 1 / 3;

const COLUMNS = 14;
const ROWS = 6;
const CELLS = COLUMNS * ROWS;
const NUMBER_BITS = 24;
const TIME_BITS = 44;

/** Luma of cells; and how far apart the lightest and the darkest must still be when they are read. */
const LIGHT = 208;
const DARK = 40;
const LEAST_CONTRAST = 48;

export interface Colour {
  readonly luma: number;
  /** How much bluer and redder than grey, which is 128. */
  readonly blue: number;
  readonly red: number;
}

/** The bars from the left: those of television at three quarters. */
const BARS: readonly (Colour & { readonly name: string })[] = [
  { name: 'white', luma: 180, blue: 128, red: 128 },
  { name: 'yellow', luma: 162, blue: 44, red: 142 },
  { name: 'cyan', luma: 131, blue: 156, red: 44 },
  { name: 'green', luma: 112, blue: 72, red: 58 },
  { name: 'magenta', luma: 84, blue: 184, red: 198 },
  { name: 'red', luma: 65, blue: 100, red: 212 },
  { name: 'blue', luma: 35, blue: 212, red: 114 },
  { name: 'black', luma: 16, blue: 128, red: 128 },
];
const STRIP: Colour = { luma: 60, blue: 150, red: 110 };
const SQUARE: Colour = { luma: 190, blue: 60, red: 190 };
/** Pictures that the square takes from one side to the other. */
const CROSSING = 60;

/** Where a plane's rows and columns of parts begin, for one size of picture. */
interface Layout {
  readonly width: number;
  readonly height: number;
  /** All that does not move. */
  readonly background: Uint8Array;
  readonly columns: readonly number[];
  readonly rows: readonly number[];
}

/** Backgrounds that are kept: a call sends few sizes. Those of huge pictures are not worth it. */
const MOST_LAYOUTS = 4;
const MOST_KEPT_BYTES = 4_000_000;
const layouts = new Map<string, Layout>();

/**
 * The pattern as a picture in I420.
 * @param number of the picture; its lowest 24 bits are borne
 * @param time in whole milliseconds since 1970
 * @throws BAD_MESSAGE for a size that no picture has
 */
export function drawPattern(
  width: number,
  height: number,
  number: number,
  time: number,
): Uint8Array {
  const layout = layoutOf(width, height);
  const data = layout.background.slice();
  drawSquare(data, layout, number);
  drawCells(data, layout, bitsOf(number, time));
  return data;
}

/** @returns undefined for a picture that is not the pattern, or too far gone to be read */
export function readPattern(frame: VideoFrame): { number: number; time: number } | undefined {
  if (!isReadable(frame)) return undefined;
  const lumas = new Float64Array(CELLS);
  let [lightest, darkest] = [0, 255];
  for (let cell = 0; cell < CELLS; cell++) {
    const luma = lumaOfCell(frame, cell);
    lumas[cell] = luma;
    lightest = Math.max(lightest, luma);
    darkest = Math.min(darkest, luma);
  }
  if (lightest - darkest < LEAST_CONTRAST) return undefined;
  const threshold = (lightest + darkest) / 2;
  return valuesOf(lumas.map((luma) => (luma > threshold ? 1 : 0)));
}

/** A bar as it was drawn and as it has come. */
export interface SeenColour {
  readonly name: string;
  readonly drawn: Colour;
  readonly seen: Colour;
}

/**
 * What has become of the colours of the bars, for a picture of which `readPattern` knows that it is
 * the pattern.
 * @returns none for a picture that is too small
 */
export function patternColours(frame: VideoFrame): SeenColour[] {
  if (!isReadable(frame)) return [];
  const { width, height, data } = frame;
  const [halfWidth, halfHeight] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const chroma = width * height;
  return BARS.map(({ name, ...drawn }, bar) => {
    // The middle of the bar: its edges are mixed with its neighbours.
    const [left, right] = [(bar + 0.35) / BARS.length, (bar + 0.65) / BARS.length];
    const mean = (start: number, across: number, down: number): number => {
      let [sum, count] = [0, 0];
      for (let y = Math.floor(0.3 * BARS_END * down); y <= 0.6 * BARS_END * down; y++)
        for (let x = Math.round(left * across); x <= right * across - 0.5; x++, count++)
          sum += data[start + y * across + x] ?? 0;
      return sum / count;
    };
    const seen = {
      luma: mean(0, width, height),
      blue: mean(chroma, halfWidth, halfHeight),
      red: mean(chroma + halfWidth * halfHeight, halfWidth, halfHeight),
    };
    return { name, drawn, seen };
  });
}

function isReadable(frame: VideoFrame): boolean {
  return frame.width >= LEAST.width && frame.height >= LEAST.height && isPicture(frame);
}

/** Points of a cell that are looked at, in shares of its sides from the middle. */
const POINTS = [-0.2, 0, 0.2];

function lumaOfCell({ width, height, data }: VideoFrame, cell: number): number {
  const column = (cell % COLUMNS) + 0.5;
  const row = Math.floor(cell / COLUMNS) + 0.5;
  let sum = 0;
  for (const down of POINTS) {
    const y = Math.floor(height * (STRIP_END + ((row + down) / ROWS) * (1 - STRIP_END)));
    for (const across of POINTS)
      sum += data[y * width + Math.floor((width * (column + across)) / COLUMNS)]!;
  }
  return sum / POINTS.length ** 2;
}

function bitsOf(number: number, time: number): Uint8Array {
  const bits = new Uint8Array(CELLS);
  // Division and remainder: a time has more bits than the operators on bits take.
  let [rest, at] = [Math.abs(Math.round(time)) % 2 ** TIME_BITS, NUMBER_BITS + TIME_BITS];
  for (; at > NUMBER_BITS; rest = Math.floor(rest / 2)) bits[--at] = rest % 2;
  for (rest = Math.abs(Math.round(number)) % 2 ** NUMBER_BITS; at > 0; rest >>= 1)
    bits[--at] = rest & 1;
  let check = checksum(bits);
  for (at = CELLS; at > NUMBER_BITS + TIME_BITS; check >>= 1) bits[--at] = check & 1;
  return bits;
}

function valuesOf(bits: ArrayLike<number>): { number: number; time: number } | undefined {
  const value = (from: number, to: number): number => {
    let sum = 0;
    for (let at = from; at < to; at++) sum = 2 * sum + bits[at]!;
    return sum;
  };
  const end = NUMBER_BITS + TIME_BITS;
  if (value(end, CELLS) !== checksum(bits)) return undefined;
  return { number: value(0, NUMBER_BITS), time: value(NUMBER_BITS, end) };
}

/** CRC-16 of CCITT over number and time: no three cells that are wrong make another right picture. */
function checksum(bits: ArrayLike<number>): number {
  let register = 0xffff;
  for (let at = 0; at < NUMBER_BITS + TIME_BITS; at++) {
    const isOdd = (register >> 15) ^ bits[at]!;
    register = ((register << 1) & 0xffff) ^ (isOdd === 0 ? 0 : 0x1021);
  }
  return register;
}

/** All rows of a part are alike: the first is drawn, the others are copies of it. */
function repeatRow(data: Uint8Array, width: number, top: number, bottom: number, start = 0): void {
  const row = start + top * width;
  for (let y = top + 1; y < bottom; y++) data.copyWithin(start + y * width, row, row + width);
}

function drawCells(data: Uint8Array, layout: Layout, bits: Uint8Array): void {
  const { width, columns, rows } = layout;
  for (let row = 0; row < ROWS; row++) {
    const top = rows[row]!;
    for (let column = 0; column < COLUMNS; column++)
      data.fill(
        bits[row * COLUMNS + column] === 1 ? LIGHT : DARK,
        top * width + columns[column]!,
        top * width + columns[column + 1]!,
      );
    repeatRow(data, width, top, rows[row + 1]!);
  }
}

function drawSquare(data: Uint8Array, { width, height }: Layout, number: number): void {
  const top = Math.round(BARS_END * height);
  const bottom = Math.round(STRIP_END * height);
  const side = Math.min(width, bottom - top);
  const step = Math.abs(Math.round(number)) % (2 * CROSSING);
  const share = (step < CROSSING ? step : 2 * CROSSING - step) / CROSSING;
  const left = Math.round(share * (width - side));
  drawPart(data, width, height, { left, right: left + side, top, bottom }, SQUARE);
}

interface Part {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function drawPart(
  data: Uint8Array,
  width: number,
  height: number,
  part: Part,
  { luma, blue, red }: Colour,
): void {
  const fill = (
    start: number,
    stride: number,
    { left, right, top, bottom }: Part,
    value: number,
  ) => {
    for (let y = top; y < bottom; y++)
      data.fill(value, start + y * stride + left, start + y * stride + right);
  };
  fill(0, width, part, luma);
  const stride = Math.ceil(width / 2);
  const half = {
    left: Math.floor(part.left / 2),
    right: Math.ceil(part.right / 2),
    top: Math.floor(part.top / 2),
    bottom: Math.ceil(part.bottom / 2),
  };
  const chroma = width * height;
  fill(chroma, stride, half, blue);
  fill(chroma + stride * Math.ceil(height / 2), stride, half, red);
}

function layoutOf(width: number, height: number): Layout {
  const key = `${width}x${height}`;
  let layout = layouts.get(key);
  if (layout !== undefined) return layout;
  requirePictureSize(width, height);
  const cellsTop = STRIP_END * height;
  layout = {
    width,
    height,
    background: drawBackground(width, height),
    columns: Array.from({ length: COLUMNS + 1 }, (_, n) => Math.round((n * width) / COLUMNS)),
    rows: Array.from({ length: ROWS + 1 }, (_, n) =>
      Math.round(cellsTop + (n * (height - cellsTop)) / ROWS),
    ),
  };
  if (layout.background.length > MOST_KEPT_BYTES) return layout;
  // The one that has been kept longest makes room.
  if (layouts.size >= MOST_LAYOUTS) layouts.delete(layouts.keys().next().value!);
  layouts.set(key, layout);
  return layout;
}

function drawBackground(width: number, height: number): Uint8Array {
  const data = new Uint8Array(pictureBytes(width, height)).fill(128);
  const [barsEnd, stripEnd] = [Math.round(BARS_END * height), Math.round(STRIP_END * height)];
  for (const [bar, colour] of BARS.entries()) {
    const left = Math.round((bar * width) / BARS.length);
    const right = Math.round(((bar + 1) * width) / BARS.length);
    drawPart(data, width, height, { left, right, top: 0, bottom: barsEnd }, colour);
  }
  drawPart(data, width, height, { left: 0, right: width, top: barsEnd, bottom: stripEnd }, STRIP);
  for (let column = 0; column < COLUMNS; column++) {
    // Round the circle of colours once: nothing that would cost anything to send.
    const angle = (2 * Math.PI * column) / COLUMNS;
    const left = Math.round((column * width) / COLUMNS);
    const right = Math.round(((column + 1) * width) / COLUMNS);
    drawPart(
      data,
      width,
      height,
      { left, right, top: stripEnd, bottom: height },
      { luma: DARK, blue: 128 + 28 * Math.cos(angle), red: 128 + 28 * Math.sin(angle) },
    );
  }
  return data;
}
