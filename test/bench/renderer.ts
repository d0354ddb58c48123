/**
 * Pictures drawn in a terminal of 160 × 50 cells: what they cost of a processor and in bytes, beside
 * the programs that people play films in a terminal with.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VideoFrame } from '../../lib/media/frames.ts';
import { Canvas } from '../../lib/media/terminal/canvas.ts';
import { createRenderer } from '../../lib/media/terminal/create-renderer.ts';
import {
  GRAPHICS_MODES,
  type Drawn,
  type GraphicsMode,
} from '../../lib/media/terminal/renderer.ts';
import { plain, waves } from '../support/terminal-pictures.ts';
import type { Bench, Context } from './support/bench.ts';
import { register } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { bytes, now, ownTime, time } from './support/stats.ts';

const AREA = { column: 1, row: 1, width: 160, height: 50 };
const CELL = { width: 8, height: 16 };
/** Pixels of the pictures: one for each half of a cell. */
const WIDTH = 160;
const HEIGHT = 100;
const FIGURE_FPS = 60;

/** What a picture costs on average. */
export interface Cost {
  readonly mode: GraphicsMode;
  /** Processor time of a picture, in milliseconds. */
  readonly milliseconds: number;
  readonly bytes: number;
}

/** A picture in which everything moves. */
export function moving(count: number): VideoFrame[] {
  return Array.from({ length: count }, (_, number) => waves(WIDTH, HEIGHT, number));
}

/** A picture that stands still, but for the noise of a camera. */
export function noisy(count: number): VideoFrame[] {
  let noise = 1;
  return Array.from({ length: count }, () => {
    const frame = plain(WIDTH, HEIGHT, [90, 120, 150]);
    for (let at = 0; at < WIDTH * HEIGHT; at++) {
      noise = (noise * 1_103_515_245 + 12_345) & 0x7fffffff;
      frame.data[at]! += ((noise >> 16) % 3) - 1;
    }
    return frame;
  });
}

/** Draws the pictures one after the other, as a call does, into nothing. */
export function costOf(mode: GraphicsMode, frames: readonly VideoFrame[], rounds: number): Cost {
  const renderer = createRenderer(mode, { cell: CELL });
  const nothing = openSync('/dev/null', 'w');
  let drawn: Drawn | undefined;
  let written = 0;
  const round = (): void => {
    for (const frame of frames) {
      const drawing = renderer.draw(frame, AREA, drawn);
      drawn = drawing.drawn;
      if (drawing.bytes.length > 0) written += writeSync(nothing, drawing.bytes);
    }
  };
  // The first round is slower: the code is not compiled yet.
  round();
  written = 0;
  const began = ownTime();
  for (let count = 0; count < rounds; count++) round();
  const milliseconds = (ownTime() - began) / (rounds * frames.length);
  closeSync(nothing);
  return { mode, milliseconds, bytes: written / (rounds * frames.length) };
}

/** The processor time that a program used, in milliseconds, and what it wrote; undefined if it is not there. */
async function run(
  file: string,
  args: readonly string[],
): Promise<{ milliseconds: number; bytes: number } | undefined> {
  // The shell says what its children used.
  const child = spawn(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; time "$0" "$@" 2>/dev/null', file, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TERM: 'xterm-256color', COLORTERM: 'truecolor' },
    },
  );
  let length = 0;
  let used = '';
  child.stdout.on('data', (chunk: Buffer) => (length += chunk.length));
  child.stderr.on('data', (chunk: Buffer) => (used += chunk.toString()));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  if (child.pid !== undefined) register(child.pid, closed);
  const status = await closed;
  if (status !== 0) return undefined;
  const [user = NaN, system = NaN] = used.trim().split(/\s+/).map(Number);
  return { milliseconds: (user + system) * 1_000, bytes: length };
}

/** What each of many pictures costs a program, without what it takes to start. */
async function costBeside(
  file: string,
  argsFor: (count: number) => readonly string[],
  count: number,
): Promise<string> {
  const [one, all] = [await run(file, argsFor(1)), await run(file, argsFor(count))];
  if (one === undefined || all === undefined)
    return `${file}: not installed (apt-get install ${file})`;
  const milliseconds = (all.milliseconds - one.milliseconds) / (count - 1);
  return `${file} ${time(milliseconds)}, ${bytes((all.bytes - one.bytes) / (count - 1))}`;
}

/** The pictures as the other programs read them. */
async function filesOf(context: Context, frames: readonly VideoFrame[]) {
  const directory = await context.directory();
  const canvas = new Canvas({ width: WIDTH, height: HEIGHT }, 1);
  const pictures: string[] = [];
  for (const [number, frame] of frames.entries()) {
    canvas.draw(frame);
    const path = join(directory, `${number}.ppm`);
    const head = Buffer.from(`P6\n${WIDTH} ${HEIGHT}\n255\n`);
    await writeFile(path, Buffer.concat([head, Buffer.from(canvas.pixels)]));
    pictures.push(path);
  }
  const film = async (count: number): Promise<string> => {
    const path = join(directory, `${count}.y4m`);
    const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420jpeg\n`);
    const parts = frames.slice(0, count).flatMap(({ data }) => [Buffer.from('FRAME\n'), data]);
    await writeFile(path, Buffer.concat([head, ...parts]));
    return path;
  };
  return {
    pictures,
    films: new Map([
      [1, await film(1)],
      [frames.length, await film(frames.length)],
    ]),
  };
}

const CHAFA: Readonly<Record<GraphicsMode, readonly string[]>> = {
  kitty: ['--format', 'kitty'],
  sixel: ['--format', 'sixel'],
  truecolor: ['--format', 'symbols', '--symbols', 'vhalf', '--colors', 'full'],
  '256': ['--format', 'symbols', '--symbols', 'vhalf', '--colors', '240'],
  ascii: ['--format', 'symbols', '--symbols', 'ascii', '--colors', 'none'],
};

/** It takes cells for 8 × 8 pixels where there is no terminal to ask: half of ours. */
const PIXELS_OF_CHAFA = ' for half the pixels';

function mpvArgs(mode: '256' | 'truecolor', film: string): string[] {
  const size = [`--vo-tct-width=${AREA.width}`, `--vo-tct-height=${AREA.height}`];
  const colours = `--vo-tct-256=${mode === '256' ? 'yes' : 'no'}`;
  const other = ['--no-config', '--really-quiet', '--untimed', '--no-audio', '--framedrop=no'];
  return ['--vo=tct', '--vo-tct-algo=half-blocks', colours, ...size, ...other, film];
}

/** What the same pictures cost other programs in a mode. */
async function beside(
  mode: GraphicsMode,
  { pictures, films }: Awaited<ReturnType<typeof filesOf>>,
): Promise<string> {
  const size = [
    '--size',
    `${AREA.width}x${AREA.height}`,
    '--font-ratio',
    '0.5',
    '--animate',
    'off',
  ];
  const inPixels = mode === 'kitty' || mode === 'sixel' ? PIXELS_OF_CHAFA : '';
  const ofChafa = await costBeside(
    'chafa',
    (count) => [...CHAFA[mode], ...size, ...pictures.slice(0, count)],
    pictures.length,
  );
  const costs = [ofChafa + inPixels];
  if (mode === 'truecolor' || mode === '256')
    costs.push(
      await costBeside('mpv', (count) => mpvArgs(mode, films.get(count) ?? ''), pictures.length),
    );
  return costs.join('; ');
}

function rowOf({ mode, milliseconds, bytes: length }: Cost, what: string, others: string): Row {
  const fps = 1_000 / milliseconds;
  const isFigured = mode === 'truecolor' && what === 'everything moves';
  return {
    what: `${mode}, ${AREA.width} × ${AREA.height} cells, ${what}`,
    clchat: `${time(milliseconds)}, ${bytes(length)}`,
    beside: others,
    ...(isFigured && {
      figure: { text: `≥ ${FIGURE_FPS} a second on one core`, reached: fps >= FIGURE_FPS },
    }),
  };
}

export const renderer: Bench = {
  name: 'renderer',
  async run(context): Promise<Row[]> {
    const rows: Row[] = [];
    const count = context.size(60, 20);
    const rounds = context.size(10, 2);
    for (const [what, frames] of [
      ['everything moves', moving(count)],
      ['nothing but noise', noisy(count)],
    ] as const) {
      const files = await filesOf(context, frames);
      for (const mode of GRAPHICS_MODES) {
        const began = now();
        const cost = costOf(mode, frames, rounds);
        rows.push(rowOf(cost, what, await beside(mode, files)));
        context.note(`${mode}, ${what}: ${time(now() - began)} in all`);
      }
    }
    return rows;
  },
};
