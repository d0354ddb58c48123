/**
 * What a terminal makes of text: the characters as a person counts them, and the columns they take.
 * Terminals disagree on a few (joined emoji, characters of ambiguous width); whoever draws must
 * therefore never rely on a width alone to know where the cursor is.
 */

const ASCII = /^[\u0020-\u007e]*$/;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The characters of a text as a person counts them. */
export function graphemes(text: string): string[] {
  if (ASCII.test(text)) return text.split('');
  return Array.from(segmenter.segment(text), (part) => part.segment);
}

/** Nothing of its own is drawn for these: marks, joiners, controls. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cc}\p{Cf}\u1160-\u11ff\u2028\u2029]/u;
const EMOJI_BY_DEFAULT = /^\p{Emoji_Presentation}/u;
const MADE_EMOJI = /^\p{Emoji}[\u{1f3fb}-\u{1f3ff}]?\ufe0f/u;

/** First and last code points of the blocks that East Asian Width calls wide or fullwidth. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f202],
  [0x1f210, 0x1f23b],
  [0x1f240, 0x1f248],
  [0x1f250, 0x1f251],
  [0x20000, 0x3fffd],
];

function isWide(point: number): boolean {
  return WIDE.some(([first, last]) => point >= first && point <= last);
}

/** Columns of one grapheme: 0, 1 or 2. */
export function graphemeWidth(grapheme: string): number {
  const point = grapheme.codePointAt(0);
  if (point === undefined) return 0;
  if (point >= 0x20 && point < 0x7f) return MADE_EMOJI.test(grapheme) ? 2 : 1;
  if (point === 0xad) return 1;
  if (ZERO.test(grapheme)) return 0;
  if (EMOJI_BY_DEFAULT.test(grapheme) || MADE_EMOJI.test(grapheme)) return 2;
  return isWide(point) ? 2 : 1;
}

/** Columns of a text without control sequences. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme);
  return width;
}

/** Where a text ends that begins in the first column and is wrapped by the terminal. */
export interface Extent {
  /** Rows taken, at least 1. */
  readonly rows: number;
  /** Columns taken of the last one. */
  readonly column: number;
}

/** Clusters of several code points are drawn as one by some terminals, part by part by others. */
function mostColumns(grapheme: string): number {
  const width = graphemeWidth(grapheme);
  const parts = [...grapheme];
  if (parts.length === 1) return width;
  return Math.max(
    width,
    parts.reduce((sum, part) => sum + graphemeWidth(part), 0),
  );
}

function leastColumns(grapheme: string): number {
  const width = graphemeWidth(grapheme);
  return [...grapheme].length === 1 ? width : Math.min(width, 1);
}

function extentBy(text: string, columns: number, widthOf: (grapheme: string) => number): Extent {
  let rows = 0;
  let column = 0;
  for (const line of text.split('\n')) {
    rows += 1;
    column = 0;
    for (const grapheme of graphemes(line)) {
      const width = widthOf(grapheme);
      if (column + width > columns) {
        rows += 1;
        column = 0;
      }
      column += width;
    }
  }
  return { rows, column };
}

/**
 * The extent of a text without control sequences; undefined where terminals may disagree on the
 * number of rows. The column is the highest that any of them may arrive at.
 */
export function extentOf(text: string, columns: number): Extent | undefined {
  const most = extentBy(text, columns, mostColumns);
  return extentBy(text, columns, leastColumns).rows === most.rows ? most : undefined;
}

/** Our own colours. */
export const SGR = /\u001b\[[0-9;]*m/g;

/** Breaks prose at spaces. Colours take no room. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  let width = 0;
  for (const word of text.split(' ')) {
    const added = textWidth(word.replace(SGR, ''));
    if (line !== '' && width + 1 + added > columns) {
      lines.push(line);
      [line, width] = [word, added];
    } else if (line === '') [line, width] = [word, added];
    else [line, width] = [`${line} ${word}`, width + 1 + added];
  }
  lines.push(line);
  return lines;
}

/** As `wrap`, for a text of several lines; those that fit stay as they are, and each its indent. */
export function wrapLines(text: string, columns: number): string {
  const fits = (line: string): boolean => textWidth(line.replace(SGR, '')) <= columns;
  const wrapped = (line: string): string[] => {
    const indent = /^ */.exec(line)?.[0] ?? '';
    if (indent.length >= columns) return [line];
    const rest = wrap(line.slice(indent.length), columns - indent.length);
    return rest.map((part) => indent + part);
  };
  return text
    .split('\n')
    .flatMap((line) => (fits(line) ? [line] : wrapped(line)))
    .join('\n');
}

/** Cuts a text so that it fits in so many columns. */
export function fit(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let out = '';
  let width = 0;
  for (const grapheme of graphemes(text)) {
    const next = graphemeWidth(grapheme);
    if (width + next > columns - 1) break;
    out += grapheme;
    width += next;
  }
  return columns > 0 ? `${out}…` : '';
}
