/**
 * What is drawn at the bottom of a terminal, as the bytes that change it: the line being typed,
 * with everything else printed above it. Pure: it keeps what it drew and returns text to write.
 *
 * Terminals disagree on widths, so nothing here trusts a width to know where the cursor is: each row
 * of the typed line is written with wrapping switched off and ended by hand, and the cursor is put
 * by writing again what stands before it.
 */
import { MARK_COLUMNS } from './format-message.ts';
import { extentOf, graphemes, graphemeWidth, SGR, textWidth } from './width.ts';

export interface TypedLine {
  /** Stands before the line; without control sequences. */
  readonly prompt: string;
  /** SGR parameters for the prompt, such as `1`; empty for none. */
  readonly sgr: string;
  /** Graphemes of the line. */
  readonly cells: readonly string[];
  /** Index of the cell the cursor is on. */
  readonly cursor: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Row {
  /** The part that belongs to the prompt, and the rest. */
  prompt: string;
  text: string;
  width: number;
}

interface Layout {
  readonly rows: readonly Row[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
  /** The cursor's row up to the cursor. */
  readonly before: Row;
}

/** A printed line whose mark can still change. */
interface Marked {
  /** What stands before the mark and is written again with it; empty for a mark in a row of its own. */
  readonly text: string;
  readonly rows: number;
  /** Rows from its first to the first of the typed line. */
  above: number;
  /** The most rows that there ever were from its first to the bottom: beyond the screen's it is gone. */
  reach: number;
}

const CLEAR_BELOW = '\u001b[J';
const CLEAR_RIGHT = '\u001b[K';
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';
const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';

/** Lines that are followed for their marks. */
const MAX_MARKED = 200;

function up(rows: number): string {
  return rows > 0 ? `\u001b[${rows}A` : '';
}

function down(rows: number): string {
  return rows > 0 ? `\u001b[${rows}B` : '';
}

function layout(line: TypedLine, columns: number): Layout {
  const rows: Row[] = [{ prompt: '', text: '', width: 0 }];
  let row = rows[0] as Row;
  const add = (grapheme: string, part: 'prompt' | 'text', place?: () => void): void => {
    // A line end within the typed line is shown as a sign and takes no row.
    const shown = grapheme === '\n' ? '⏎' : grapheme;
    const width = graphemeWidth(shown);
    if (row.width + width > columns && row.width > 0) {
      row = { prompt: '', text: '', width: 0 };
      rows.push(row);
    }
    place?.();
    row[part] += shown;
    row.width += width;
  };
  for (const grapheme of graphemes(line.prompt)) add(grapheme, 'prompt');
  let cursor: { row: number; before: Row } | undefined;
  const place = (): void => {
    cursor = { row: rows.length - 1, before: { ...row } };
  };
  line.cells.forEach((cell, index) => add(cell, 'text', index === line.cursor ? place : undefined));
  if (cursor === undefined) {
    if (row.width >= columns) {
      row = { prompt: '', text: '', width: 0 };
      rows.push(row);
    }
    place();
  }
  const { row: cursorRow, before } = cursor as unknown as { row: number; before: Row };
  return { rows, cursorRow, cursorColumn: before.width, before };
}

export function sizeOf(output: { columns?: number; rows?: number }): Size {
  // A terminal that does not know its size says 0.
  return { columns: output.columns || 80, rows: output.rows || 24 };
}

/** xterm, the Linux console and screen cut lines off when they get narrower; all others wrap anew. */
export function reflows(environment: Readonly<Record<string, string | undefined>>): boolean {
  const { TERM, XTERM_VERSION, STY } = environment;
  return XTERM_VERSION === undefined && STY === undefined && TERM !== 'linux';
}

/** The rows of a layout that fit, around the cursor. */
function visible(whole: Layout, most: number): Layout {
  if (whole.rows.length <= most) return whole;
  const half = whole.cursorRow - Math.floor(most / 2);
  const start = Math.max(0, Math.min(half, whole.rows.length - most));
  return {
    ...whole,
    rows: whole.rows.slice(start, start + most),
    cursorRow: whole.cursorRow - start,
  };
}

function written(row: Row, sgr: string): string {
  const prompt =
    row.prompt === '' || sgr === '' ? row.prompt : `\u001b[${sgr}m${row.prompt}\u001b[0m`;
  return prompt + row.text;
}

export class Screen {
  #size: Size;
  /** What the typed line looks like on the screen now. */
  #widths: readonly number[] = [0];
  #cursorRow = 0;
  #cursorColumn = 0;
  #marked: Marked[] = [];
  /** Whether lines are wrapped anew when the terminal changes its width. */
  readonly #reflows: boolean;

  constructor(size: Size, reflows: boolean) {
    this.#size = size;
    this.#reflows = reflows;
  }

  get columns(): number {
    return this.#size.columns;
  }

  /** Draws the typed line in place of what is there of it. */
  draw(line: TypedLine): string {
    const { columns, rows } = this.#size;
    const area = visible(layout(line, columns), Math.max(1, rows - 1));
    const written_ = area.rows.map((row) => written(row, line.sgr)).join('\r\n');
    const bytes = [
      HIDE,
      this.#erase(),
      WRAP_OFF,
      written_,
      up(area.rows.length - 1 - area.cursorRow),
      '\r',
      written(area.before, line.sgr),
      WRAP_ON,
      SHOW,
    ];
    this.#widths = area.rows.map((row) => row.width);
    this.#cursorRow = area.cursorRow;
    this.#cursorColumn = area.cursorColumn;
    for (const marked of this.#marked)
      marked.reach = Math.max(marked.reach, marked.above + area.rows.length);
    this.#marked = this.#marked.filter((marked) => marked.reach <= rows);
    return bytes.join('');
  }

  /** Prints text above the typed line, which has to be drawn again then. */
  print(text: string): string {
    this.#push(text);
    return `${this.#erase()}${text.replaceAll('\n', '\r\n')}\r\n`;
  }

  /**
   * Prints a line with a mark behind it.
   * @returns the bytes, what takes the mark's next text, and whether that can still be changed
   */
  printMarked(
    text: string,
    mark: string,
  ): { bytes: string; update: (mark: string) => string; isShown: () => boolean } {
    const { columns, rows } = this.#size;
    const end = extentOf(text.replace(SGR, ''), columns);
    // A text that may leave the screen at the top before its mark changes cannot be written again.
    const isBehind =
      end !== undefined && end.column + 1 + MARK_COLUMNS <= columns && end.rows <= rows / 2;
    const bytes = this.print(isBehind ? `${text} ${mark}` : `${text}\n${mark}`);
    const taken = isBehind ? end.rows : 1;
    const marked: Marked = {
      text: isBehind ? text : '',
      rows: taken,
      above: taken,
      reach: taken + 1,
    };
    if (columns >= MARK_COLUMNS) this.#marked.push(marked);
    if (this.#marked.length > MAX_MARKED) this.#marked.shift();
    return {
      bytes,
      update: (next) => this.#update(marked, next),
      isShown: () => this.#marked.includes(marked),
    };
  }

  /** Clears the whole screen. */
  clear(): string {
    this.#marked = [];
    this.#forgetArea();
    return '\u001b[H\u001b[2J';
  }

  /** Takes the typed line off the screen; the cursor is where it began. */
  erase(): string {
    return this.#erase();
  }

  /**
   * Whether a change to so many columns leaves it open where the cursor is: some terminals wrap the
   * row with the cursor anew, others cut it off.
   */
  isUnclear(columns: number): boolean {
    return this.#reflows && this.#cursorColumn >= columns;
  }

  /**
   * The terminal has changed its size.
   * @param cursor the column, from 1, where the terminal says that the cursor is now
   */
  resize(size: Size, cursor?: number): void {
    const { columns } = size;
    if (columns !== this.#size.columns) {
      // How lines printed before are wrapped now is the terminal's business.
      this.#marked = [];
      if (this.#reflows) {
        let above = 0;
        for (const width of this.#widths.slice(0, this.#cursorRow))
          above += Math.max(1, Math.ceil(width / columns));
        const cutOff = cursor === undefined || cursor >= columns;
        this.#cursorRow = above + (cutOff ? 0 : Math.floor(this.#cursorColumn / columns));
      }
    }
    this.#size = size;
  }

  #erase(): string {
    const bytes = `${up(this.#cursorRow)}\r${CLEAR_BELOW}`;
    this.#forgetArea();
    return bytes;
  }

  #forgetArea(): void {
    this.#widths = [0];
    this.#cursorRow = 0;
    this.#cursorColumn = 0;
  }

  /** Everything followed moves up by what is printed; if nobody knows how far, it is let go. */
  #push(text: string): void {
    const extent = extentOf(text.replace(SGR, ''), this.#size.columns);
    if (extent === undefined) {
      this.#marked = [];
      return;
    }
    for (const marked of this.#marked) {
      marked.above += extent.rows;
      marked.reach = Math.max(marked.reach, marked.above + 1);
    }
    this.#marked = this.#marked.filter((marked) => marked.reach <= this.#size.rows);
  }

  #update(marked: Marked, mark: string): string {
    if (!this.#marked.includes(marked)) return '';
    const { text, rows, above } = marked;
    const bytes = [
      up(this.#cursorRow),
      '\r',
      up(above),
      text === '' ? mark : `${text.replaceAll('\n', '\r\n')} ${mark}`,
      CLEAR_RIGHT,
      '\r',
      down(above - rows + 1),
    ];
    this.#forgetArea();
    return bytes.join('');
  }
}

/** Names in columns, for a list of completions. */
export function inColumns(names: readonly string[], columns: number): string {
  const widest = Math.max(0, ...names.map(textWidth)) + 2;
  const perRow = Math.max(1, Math.floor(columns / widest));
  const lines: string[] = [];
  for (let at = 0; at < names.length; at += perRow)
    lines.push(
      names
        .slice(at, at + perRow)
        .map((name) => name + ' '.repeat(widest - textWidth(name)))
        .join('')
        .trimEnd(),
    );
  return lines.join('\n');
}
