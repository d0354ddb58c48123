/**
 * The rows at the top of a terminal that are lent to something else, such as the pictures of a call:
 * what is said then stands below them, and in the scrollback when they are given back. Pure: it gives
 * the bytes that do it.
 */
import type { Size } from './screen.ts';
import { extentOf, SGR } from './width.ts';

/** Rows that the prompt and what is said always have. */
export const LEAST_ROWS = 6;
/** What is kept of what was printed, to be shown again where the screen is laid out anew. */
const MAX_RECENT = 60;
/** What is kept of what was printed while rows were lent, to be in the scrollback afterwards. */
const MAX_DURING = 2_000;

const RESET_MARGINS = '\u001b[r';
const CLEAR = '\u001b[H\u001b[2J';

export class Region {
  readonly #recent: string[] = [];
  readonly #during: string[] = [];
  #lent = 0;

  /** Rows that are lent. */
  get lent(): number {
    return this.#lent;
  }

  /** The part of the terminal that is left. */
  left({ columns, rows }: Size): Size {
    return { columns, rows: Math.max(1, rows - this.#lent) };
  }

  /** Something was printed above the typed line. */
  note(text: string): void {
    this.#recent.push(text);
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
    if (this.#lent === 0) return;
    this.#during.push(text);
    if (this.#during.length > MAX_DURING) this.#during.shift();
  }

  /** As many rows as that, unless too few were left. */
  most(rows: number, size: Size): number {
    return Math.max(0, Math.min(rows, size.rows - LEAST_ROWS));
  }

  /**
   * Lends so many rows, or takes all back.
   * @param rows as `most` gives them; 0: none
   * @returns bytes that lay the screen out, to be followed by the typed line
   */
  lend(rows: number, size: Size): string {
    const wasLent = this.#lent > 0;
    if (rows > 0) {
      // What stands there goes into the scrollback, where it was not there for the sake of a loan.
      const away = wasLent ? '' : `\u001b[${size.rows};1H${'\n'.repeat(size.rows)}`;
      return away + this.#again(rows, size);
    }
    this.#lent = 0;
    const all = this.#during.splice(0);
    return `${RESET_MARGINS}${CLEAR}${written(wasLent ? all : [])}`;
  }

  /** The terminal is of another size: lends as many rows as before, or as there can be. */
  resize(size: Size): string {
    const rows = this.most(this.#lent, size);
    return rows === 0 ? this.lend(0, size) : this.#again(rows, size);
  }

  /** Lays the screen out anew: what was said last stands below the rows that are lent. */
  #again(rows: number, size: Size): string {
    this.#lent = rows;
    const margins = `\u001b[${rows + 1};${size.rows}r\u001b[${rows + 1};1H`;
    return `${RESET_MARGINS}${CLEAR}${margins}${written(this.#last(this.left(size)))}`;
  }

  /** Clears the screen but for what is lent. What is cleared is not shown again. */
  clear(): string {
    this.#recent.length = 0;
    return this.#lent === 0 ? CLEAR : `\u001b[${this.#lent + 1};1H\u001b[J`;
  }

  /** As the terminal is to be when somebody else has it. */
  leave(size: Size): string {
    return this.#lent === 0 ? '' : `${RESET_MARGINS}\u001b[${size.rows};1H`;
  }

  /** The last texts that fit, with a row for the typed line. */
  #last({ columns, rows }: Size): string[] {
    let free = rows - 2;
    const fit: string[] = [];
    for (const text of this.#recent.toReversed()) {
      const taken = extentOf(text.replace(SGR, ''), columns)?.rows ?? Infinity;
      if (taken > free) break;
      free -= taken;
      fit.unshift(text);
    }
    return fit;
  }
}

function written(texts: readonly string[]): string {
  return texts.map((text) => `${text.replaceAll('\n', '\r\n')}\r\n`).join('');
}
