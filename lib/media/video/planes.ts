/**
 * One plane of a picture in another size. Pixels are summed up four at a time where that is
 * possible: a call scales more than it does anything else that is done by the program itself.
 */

/** Bytes, one a pixel, row by row without padding. */
export interface Plane {
  readonly data: Uint8Array;
  /** Where it begins in them. */
  readonly start: number;
  readonly width: number;
  readonly height: number;
}

/** A part of a plane whose rows are `stride` bytes apart. */
export interface PlanePart extends Plane {
  readonly stride: number;
}

/** Draws a plane into a part of another one, stretched to it. */
export function scalePlane(from: Plane, to: PlanePart): void {
  const across = from.width / to.width;
  const down = from.height / to.height;
  if (across === 1 && down === 1) copyPlane(from, to);
  else if (Number.isInteger(across / 2) && Number.isInteger(down) && down <= MOST_SUMMED)
    averageBlocks(from, to, across, down);
  else resample(from, to);
}

function copyPlane(from: Plane, to: PlanePart): void {
  for (let row = 0; row < to.height; row++) {
    const start = from.start + row * from.width;
    to.data.set(from.data.subarray(start, start + to.width), to.start + row * to.stride);
  }
}

// Four pixels are a word of 32 bits. Its second and fourth byte, and its first and third, are taken
// apart into two words with room of 16 bits for each, which are added up or multiplied as one.
const LANES = 0x00ff00ff;

/** Rows whose pairs of pixels can be added up in 16 bits. */
const MOST_SUMMED = 128;

/** What is added up of the rows at hand, for rows of the widest picture so far. */
class Sums {
  readonly capacity: number;
  /** Every other pixel; or pairs of pixels. */
  readonly words: Int32Array;
  /** The pixels between them. */
  readonly others: Int32Array;
  /** The pairs in `words`. */
  readonly pairs: Uint16Array;
  /** The pixels one by one. */
  readonly columns: Uint16Array;
  /** Where a row is put that does not lie on whole words. */
  readonly row: Uint8Array;
  readonly rowWords: Int32Array;
  readonly even: Uint16Array;
  readonly odd: Uint16Array;

  constructor(width: number) {
    const words = Math.ceil(width / 4);
    this.capacity = 4 * words;
    this.words = new Int32Array(words);
    this.others = new Int32Array(words);
    this.pairs = new Uint16Array(this.words.buffer);
    this.columns = new Uint16Array(4 * words);
    this.rowWords = new Int32Array(words);
    this.row = new Uint8Array(this.rowWords.buffer);
    // The first byte of a word is its lowest one, or its highest, as the processor has it.
    const isLowestFirst = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
    const others = new Uint16Array(this.others.buffer);
    [this.even, this.odd] = isLowestFirst ? [this.pairs, others] : [others, this.pairs];
  }
}

let kept = new Sums(1_280);

function sumsFor(width: number): Sums {
  if (kept.capacity < width) kept = new Sums(width);
  return kept;
}

/** Gives the rows of a plane as words. */
class Rows {
  readonly #plane: Plane;
  readonly #sums: Sums;
  readonly #all: Int32Array | undefined;
  words: Int32Array;
  /** Where in them the row begins that was asked for last. */
  first = 0;

  constructor(plane: Plane, sums: Sums) {
    this.#plane = plane;
    this.#sums = sums;
    const { data, start, width } = plane;
    const areWhole = (data.byteOffset + start) % 4 === 0 && width % 4 === 0;
    if (areWhole)
      this.#all = new Int32Array(data.buffer, data.byteOffset + start, (width / 4) * plane.height);
    this.words = this.#all ?? sums.rowWords;
  }

  go(row: number): void {
    const { data, start, width } = this.#plane;
    if (this.#all !== undefined) {
      this.first = row * (width / 4);
      return;
    }
    const begin = start + row * width;
    this.#sums.row.set(data.subarray(begin, begin + width));
  }
}

/** Each pixel is the mean of a block of whole pixels, `across` of them an even number. */
function averageBlocks(from: Plane, to: PlanePart, across: number, down: number): void {
  const sums = sumsFor(from.width);
  const rows = new Rows(from, sums);
  const { words, pairs } = sums;
  const count = Math.ceil(from.width / 4);
  const share = 1 / (across * down);
  for (let y = 0; y < to.height; y++) {
    for (let line = 0; line < down; line++) {
      rows.go(y * down + line);
      addPairs(rows.words, rows.first, words, count, line === 0);
    }
    const start = to.start + y * to.stride;
    for (let x = 0, pair = 0; x < to.width; x++) {
      let sum = 0;
      for (const end = pair + across / 2; pair < end; pair++) sum += pairs[pair]!;
      to.data[start + x] = sum * share + 0.5;
    }
  }
}

function addPairs(
  row: Int32Array,
  first: number,
  sums: Int32Array,
  count: number,
  isFirst: boolean,
): void {
  for (let n = 0; n < count; n++) {
    const word = row[first + n]!;
    const pairs = (word & LANES) + ((word >>> 8) & LANES);
    sums[n] = isFirst ? pairs : sums[n]! + pairs;
  }
}

/** Weights of rows add up to so much: with it a pixel just has room in 16 bits. */
const ROW_WHOLE = 1 << 8;
/** Weights within a row: with both, a sum stays below 2^31. */
const COLUMN_BITS = 14;
const COLUMN_WHOLE = 1 << COLUMN_BITS;

/** Of which pixels each pixel of a row, or each row, is made up: of as many for each. */
interface Taps {
  readonly count: number;
  /** The first of them. */
  readonly first: Int32Array;
  /** `count` for each; they add up to the same for each. */
  readonly weights: Int32Array;
}

function resample(from: Plane, to: PlanePart): void {
  const sums = sumsFor(from.width);
  const rows = new Rows(from, sums);
  const { columns, even, odd } = sums;
  const down = tapsOf(from.height, to.height, ROW_WHOLE);
  const across = tapsOf(from.width, to.width, COLUMN_WHOLE);
  const halves = Math.ceil(from.width / 2);
  for (let y = 0; y < to.height; y++) {
    weighRows(rows, down, y, sums, Math.ceil(from.width / 4));
    for (let half = 0; half < halves; half++) {
      columns[2 * half] = even[half]!;
      columns[2 * half + 1] = odd[half]!;
    }
    weighColumns(columns, across, to.data, to.start + y * to.stride, to.width);
  }
}

/** The rows that make up row `y`, each by its weight. */
function weighRows(rows: Rows, taps: Taps, y: number, sums: Sums, count: number): void {
  const { words, others } = sums;
  for (let tap = 0; tap < taps.count; tap++) {
    const weight = taps.weights[y * taps.count + tap]!;
    if (weight === 0 && tap > 0) continue;
    rows.go(taps.first[y]! + tap);
    const { words: row, first } = rows;
    if (tap === 0)
      for (let n = 0; n < count; n++) {
        const word = row[first + n]!;
        words[n] = Math.imul(word & LANES, weight);
        others[n] = Math.imul((word >>> 8) & LANES, weight);
      }
    else
      for (let n = 0; n < count; n++) {
        const word = row[first + n]!;
        words[n] = words[n]! + Math.imul(word & LANES, weight);
        others[n] = others[n]! + Math.imul((word >>> 8) & LANES, weight);
      }
  }
}

/** What both weights make of a pixel is rounded, and taken back to its range. */
const HALF = (ROW_WHOLE * COLUMN_WHOLE) / 2;
const SHIFT = 8 + COLUMN_BITS;

/** The columns that make up each pixel of a row, each by its weight. */
function weighColumns(
  columns: Uint16Array,
  { count, first, weights }: Taps,
  data: Uint8Array,
  start: number,
  width: number,
): void {
  // Two and three are what most have, and are done in half the time without a loop.
  if (count === 2)
    for (let x = 0, tap = 0; x < width; x++, tap += 2) {
      const column = first[x]!;
      const sum = weights[tap]! * columns[column]! + weights[tap + 1]! * columns[column + 1]!;
      data[start + x] = (sum + HALF) >> SHIFT;
    }
  else if (count === 3)
    for (let x = 0, tap = 0; x < width; x++, tap += 3) {
      const column = first[x]!;
      const sum =
        weights[tap]! * columns[column]! +
        weights[tap + 1]! * columns[column + 1]! +
        weights[tap + 2]! * columns[column + 2]!;
      data[start + x] = (sum + HALF) >> SHIFT;
    }
  else
    for (let x = 0, tap = 0; x < width; x++) {
      let sum = HALF;
      let column = first[x]!;
      for (const end = tap + count; tap < end; tap++) sum += weights[tap]! * columns[column++]!;
      data[start + x] = sum >> SHIFT;
    }
}

/** Tables that are kept: a call has few sizes at a time. */
const MOST_KEPT = 32;
const tapsBySize = new Map<string, Taps>();

function tapsOf(from: number, to: number, whole: number): Taps {
  const key = `${from}:${to}:${whole}`;
  let taps = tapsBySize.get(key);
  if (taps === undefined) {
    if (tapsBySize.size >= MOST_KEPT) tapsBySize.clear();
    taps = to <= from ? areaTaps(from, to, whole) : linearTaps(from, to, whole);
    tapsBySize.set(key, taps);
  }
  return taps;
}

/** Each covers `from / to` pixels, those at its ends in part. */
function areaTaps(from: number, to: number, whole: number): Taps {
  const isEven = from % to === 0;
  const count = isEven ? from / to : Math.min(from, Math.ceil(from / to) + 1);
  const first = new Int32Array(to);
  const weights = new Int32Array(count * to);
  for (let x = 0; x < to; x++) {
    // In units of which `to` make a pixel, so that all is whole.
    const [left, right] = [x * from, (x + 1) * from];
    first[x] = Math.min(Math.floor(left / to), from - count);
    let given = 0;
    for (let tap = 0; tap < count; tap++) {
      // By what is covered so far, so that they add up however each is rounded.
      const covered = Math.min(right, (first[x]! + tap + 1) * to) - left;
      const share = Math.round((Math.max(0, covered) * whole) / from);
      weights[x * count + tap] = share - given;
      given = share;
    }
  }
  return { count, first, weights };
}

/** Each lies between two pixels. */
function linearTaps(from: number, to: number, whole: number): Taps {
  const count = Math.min(2, from);
  const first = new Int32Array(to);
  const weights = new Int32Array(count * to);
  for (let x = 0; x < to; x++) {
    const middle = Math.min(from - 1, Math.max(0, ((x + 0.5) * from) / to - 0.5));
    first[x] = Math.min(Math.floor(middle), from - count);
    const second = Math.round((middle - first[x]!) * whole);
    weights.set(count === 1 ? [whole] : [whole - second, second], x * count);
  }
  return { count, first, weights };
}
