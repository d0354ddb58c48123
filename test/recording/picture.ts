/** Recorded screens side by side as one animated SVG. */
import type { Frame, Run } from './screen.ts';

export interface Panel {
  readonly title: string;
  readonly frames: readonly Frame[];
}

export interface Layout {
  /** Of each panel, in cells. */
  readonly columns: number;
  readonly rows: number;
  /** Panels beside each other; more than these stand below. */
  readonly across: number;
}

export interface Picture {
  readonly svg: string;
  /** How long it goes until it begins again, in milliseconds. */
  readonly lastsMs: number;
}

/** Of the time in which nothing happens in any panel so much is shown, in milliseconds. */
const PAUSE_MS = 2_000;
/** How long the last picture stays, in milliseconds. */
const REST_MS = 4_000;
const CELL = { width: 7.8, height: 17 };
const MARGIN = 12;
const TITLE = 26;
/** Changes closer to each other than this become one, in milliseconds. */
const STEP_MS = 40;
const COLORS = [
  ...['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d8dee9'],
  ...['#5c6370', '#ff7b86', '#b5e890', '#ffd98a', '#82c4ff', '#dd9bf0', '#7fdbe6', '#ffffff'],
];
const FOREGROUND = '#d8dee9';
/** From the top of a cell down to the line on which its text stands. */
const ASCENT = 13;
/** Pictures are made of the halves of cells, in two colours each. */
const [UPPER_HALF, LOWER_HALF] = ['▀', '▄'];
const HALVES_OR_LETTERS = /▀+|▄+|[^▀▄]+/g;
const WHITE = 7;

/** One row's content for a while. */
interface Stay {
  readonly row: number;
  readonly content: string;
  readonly from: number;
  until: number;
}

/** All panels, and everything that they show one after the other, over and over. */
export function pictureOf(panels: readonly Panel[], { columns, rows, across }: Layout): Picture {
  const cut = withoutPauses(panels);
  const lastsMs = Math.max(0, ...cut.flatMap(({ frames }) => frames.at(-1)?.at ?? 0)) + REST_MS;
  const width = columns * CELL.width + 2 * MARGIN;
  const height = rows * CELL.height + 2 * MARGIN + TITLE;
  const contents = new Contents();
  const all = cut.map((panel, index) => {
    const x = (index % across) * (width + MARGIN);
    const y = Math.floor(index / across) * (height + MARGIN);
    const stays = together(staysOf(panel.frames, lastsMs)).map((one) =>
      drawn(one, lastsMs, contents),
    );
    return [
      `<g transform="translate(${x} ${y})">`,
      `<rect width="${width}" height="${height}" rx="8" fill="#1e2127"/>`,
      `<text x="${MARGIN}" y="18" fill="#7f8694">${escaped(panel.title)}</text>`,
      `<g transform="translate(${MARGIN} ${MARGIN + TITLE})" fill="${FOREGROUND}">`,
      ...stays,
      '</g></g>',
    ].join('\n');
  });
  const down = Math.ceil(panels.length / across);
  const whole = {
    width: across * (width + MARGIN) - MARGIN,
    height: down * (height + MARGIN) - MARGIN,
  };
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${whole.width} ${whole.height}" width="${whole.width}" height="${whole.height}">`,
    '<style>text{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}path{shape-rendering:crispEdges}.b{font-weight:bold}.d{opacity:.6}</style>',
    `<defs>${contents.definitions()}</defs>`,
    ...all,
    '</svg>\n',
  ].join('\n');
  return { svg, lastsMs };
}

/** The same without the time in which nothing happens in any panel. */
function withoutPauses(panels: readonly Panel[]): Panel[] {
  const times = panels.flatMap(({ frames }) => frames.map(({ at }) => at)).sort((a, b) => a - b);
  const moved = new Map<number, number>();
  let [before, now] = [0, 0];
  for (const at of times) {
    now += Math.min(at - before, PAUSE_MS);
    before = at;
    moved.set(at, now);
  }
  return panels.map(({ title, frames }) => ({
    title,
    frames: frames.map(({ at, rows }) => ({ at: moved.get(at) ?? at, rows })),
  }));
}

function staysOf(frames: readonly Frame[], lastsMs: number): Stay[] {
  const stays: Stay[] = [];
  const current = new Map<number, Stay>();
  frames.forEach(({ at, rows }, index) => {
    const next = frames[index + 1];
    if (next !== undefined && next.at - at < STEP_MS) return;
    rows.forEach((runs, row) => {
      const content = rowOf(runs);
      const before = current.get(row);
      if (before?.content === content) return;
      if (before !== undefined) before.until = at;
      current.delete(row);
      if (content === '') return;
      const stay = { row, content, from: at, until: lastsMs };
      current.set(row, stay);
      stays.push(stay);
    });
  });
  return stays;
}

/** Those for the same while, with each other. */
function together(stays: readonly Stay[]): Stay[][] {
  const groups = new Map<string, Stay[]>();
  for (const stay of stays) {
    const key = `${stay.from} ${stay.until}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [stay]);
    else group.push(stay);
  }
  return [...groups.values()];
}

/** A colour of the 256 of terminals: 16 of its own, a cube of 6 × 6 × 6, and greys. */
function colorOf(number: number): string {
  const known = COLORS[number];
  if (known !== undefined) return known;
  const grey = 8 + 10 * (number - 232);
  const level = (step: number): number => (step === 0 ? 0 : 55 + 40 * step);
  const cube = number - 16;
  const parts =
    number >= 232
      ? [grey, grey, grey]
      : [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level);
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** What stands in a row: the ground behind it, halves of cells, and letters. */
function rowOf(runs: readonly Run[]): string {
  const [grounds, halves] = [new Blocks(), new Blocks()];
  const letters: string[] = [];
  for (const run of runs) {
    const { column, text, color = WHITE, background } = run;
    if (background !== undefined) grounds.add(background, column, text.length, 0, 1);
    for (const { 0: part, index } of text.matchAll(HALVES_OR_LETTERS)) {
      const at = column + index;
      if (part.startsWith(UPPER_HALF)) halves.add(color, at, part.length, 0, 0.5);
      else if (part.startsWith(LOWER_HALF)) halves.add(color, at, part.length, 0.5, 0.5);
      else if (part.trim() !== '') letters.push(lettersOf({ ...run, column: at, text: part }));
    }
  }
  const blocks = `${grounds.toString()}${halves.toString()}`;
  const cells = `translate(0 -${ASCENT})scale(${CELL.width} ${CELL.height})`;
  const painted = blocks === '' ? '' : `<g transform="${cells}">${blocks}</g>`;
  return painted + letters.join('');
}

/** Parts of a row in colours, measured in cells; those of one colour together. */
class Blocks {
  readonly #shapes = new Map<number, string>();

  add(color: number, column: number, columns: number, top: number, height: number): void {
    const shape = `M${column} ${top}h${columns}v${height}h-${columns}z`;
    this.#shapes.set(color, (this.#shapes.get(color) ?? '') + shape);
  }

  toString(): string {
    return [...this.#shapes]
      .map(([color, shape]) => `<path fill="${colorOf(color)}" d="${shape}"/>`)
      .join('');
  }
}

function lettersOf({ column, text, color, bold, dim }: Run): string {
  const classes = [bold ? 'b' : '', dim ? 'd' : ''].filter((one) => one !== '').join(' ');
  const style = classes === '' ? '' : ` class="${classes}"`;
  const fill = color === undefined ? '' : ` fill="${colorOf(color)}"`;
  const length = (text.trimEnd().length * CELL.width).toFixed(1);
  const x = (column * CELL.width).toFixed(1);
  return `<text x="${x}"${fill} textLength="${length}"${style}>${escaped(text.trimEnd())}</text>`;
}

/** Rows that stay for the same while. */
function drawn(stays: readonly Stay[], lastsMs: number, contents: Contents): string {
  const { from = 0, until = 0 } = stays[0] ?? {};
  const times = [from / lastsMs, Math.min(until / lastsMs, 1)].map((time) => time.toFixed(4));
  const [on = '0', off = '1'] = times;
  const values = off === '1.0000' ? 'hidden;visible' : 'hidden;visible;hidden';
  const keys = off === '1.0000' ? `0;${on}` : `0;${on};${off}`;
  const animation = `<animate attributeName="visibility" values="${values}" keyTimes="${keys}" calcMode="discrete" dur="${(lastsMs / 1_000).toFixed(1)}s" repeatCount="indefinite"/>`;
  // Where nothing moves, the last picture is shown.
  const hidden = off === '1.0000' ? '' : ' visibility="hidden"';
  const rows = stays.map(
    ({ row, content }) => `<use href="#${contents.idOf(content)}" y="${row * CELL.height}"/>`,
  );
  return `<g${hidden}>${animation}${rows.join('')}</g>`;
}

/** What rows hold, each once however often it stands somewhere. */
class Contents {
  readonly #ids = new Map<string, string>();

  idOf(content: string): string {
    const id = this.#ids.get(content) ?? `r${this.#ids.size}`;
    this.#ids.set(content, id);
    return id;
  }

  definitions(): string {
    return [...this.#ids].map(([content, id]) => `<g id="${id}">${content}</g>`).join('\n');
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one] ?? one);
}
