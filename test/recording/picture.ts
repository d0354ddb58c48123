/** Recorded screens side by side as one animated SVG. */
import type { Frame, Run } from './screen.ts';

export interface Panel {
  readonly title: string;
  readonly frames: readonly Frame[];
}

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

/** One row's content for a while. */
interface Stay {
  readonly row: number;
  readonly content: string;
  readonly from: number;
  until: number;
}

export function pictureOf(
  panels: readonly Panel[],
  size: { columns: number; rows: number },
  lastsMs: number,
): string {
  const width = size.columns * CELL.width + 2 * MARGIN;
  const height = size.rows * CELL.height + 2 * MARGIN + TITLE;
  const all = panels.map((panel, index) => {
    const x = index * (width + MARGIN);
    const stays = staysOf(panel.frames, lastsMs).map((stay) => drawn(stay, lastsMs));
    return [
      `<g transform="translate(${x} 0)">`,
      `<rect width="${width}" height="${height}" rx="8" fill="#1e2127"/>`,
      `<text x="${MARGIN}" y="18" fill="#7f8694" font-size="12">${escaped(panel.title)}</text>`,
      `<g transform="translate(${MARGIN} ${MARGIN + TITLE})">`,
      ...stays,
      '</g></g>',
    ].join('\n');
  });
  const whole = panels.length * width + (panels.length - 1) * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${whole} ${height}" width="${whole}" height="${height}">`,
    '<style>text{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}.b{font-weight:bold}.d{opacity:.6}</style>',
    ...all,
    '</svg>\n',
  ].join('\n');
}

function staysOf(frames: readonly Frame[], lastsMs: number): Stay[] {
  const stays: Stay[] = [];
  const current = new Map<number, Stay>();
  frames.forEach(({ at, rows }, index) => {
    const next = frames[index + 1];
    if (next !== undefined && next.at - at < STEP_MS) return;
    rows.forEach((runs, row) => {
      const content = runs.map(textOf).join('');
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

function textOf({ column, text, color, bold, dim }: Run): string {
  const classes = [bold ? 'b' : '', dim ? 'd' : ''].filter((one) => one !== '').join(' ');
  const style = classes === '' ? '' : ` class="${classes}"`;
  const fill = color === undefined ? FOREGROUND : (COLORS[color] ?? FOREGROUND);
  const length = (text.trimEnd().length * CELL.width).toFixed(1);
  const x = (column * CELL.width).toFixed(1);
  return `<text x="${x}" fill="${fill}" textLength="${length}"${style}>${escaped(text.trimEnd())}</text>`;
}

function drawn({ row, content, from, until }: Stay, lastsMs: number): string {
  const times = [from / lastsMs, Math.min(until / lastsMs, 1)].map((time) => time.toFixed(4));
  const [on = '0', off = '1'] = times;
  const values = off === '1.0000' ? 'hidden;visible' : 'hidden;visible;hidden';
  const keys = off === '1.0000' ? `0;${on}` : `0;${on};${off}`;
  const animation = `<animate attributeName="visibility" values="${values}" keyTimes="${keys}" calcMode="discrete" dur="${(lastsMs / 1_000).toFixed(1)}s" repeatCount="indefinite"/>`;
  // Where nothing moves, the last picture is shown.
  const hidden = off === '1.0000' ? '' : ' visibility="hidden"';
  return `<g transform="translate(0 ${row * CELL.height})"${hidden}>${animation}${content}</g>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one] ?? one);
}
