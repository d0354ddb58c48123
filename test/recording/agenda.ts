/** A panel beside the terminals: what is played, what has been, and what is now. */
import type { Frame, Run } from './screen.ts';

const MARGIN = 4;
/** Numbers of the palette. */
const GREEN = 2;
const YELLOW = 3;

export class Agenda {
  readonly frames: Frame[] = [];
  readonly #titles: readonly string[];
  readonly #rows: number;
  readonly #began: number;

  /** @param began when the recording begins, by `performance.now` */
  constructor(titles: readonly string[], { rows }: { readonly rows: number }, began: number) {
    this.#titles = titles;
    this.#rows = rows;
    this.#began = began;
  }

  /** The scene of this title begins. */
  begin(title: string): void {
    this.#show(this.#titles.indexOf(title));
  }

  /** All have been played. */
  end(): void {
    this.#show(this.#titles.length);
  }

  #show(current: number): void {
    const top = Math.floor((this.#rows - this.#titles.length) / 2);
    const rows: Run[][] = Array.from({ length: top }, () => []);
    for (const [index, title] of this.#titles.entries())
      rows.push(lineOf(title, Math.sign(index - current)));
    this.frames.push({ at: performance.now() - this.#began, rows });
  }
}

/** @param when -1: it has been; 0: now; 1: to come */
function lineOf(title: string, when: number): Run[] {
  const sign = when < 0 ? '✓' : when === 0 ? '▸' : '·';
  const color = when < 0 ? GREEN : when === 0 ? YELLOW : undefined;
  const looks = { bold: when === 0, dim: when > 0 };
  return [
    { column: MARGIN, text: sign, color, ...looks },
    { column: MARGIN + 2, text: title, color: undefined, ...looks },
  ];
}
