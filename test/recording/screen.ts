/** A program in a pseudo-terminal whose screen is kept at every moment, with its colours. */
import { createRequire } from 'node:module';
import { spawn, type IPty } from '@lydell/node-pty';
import type * as Xterm from '@xterm/headless';
import { sleep } from '../../lib/lifecycle.ts';

// The package is CommonJS without names that an import could find.
const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof Xterm;

/** Cells beside each other that look the same. */
export interface Run {
  readonly column: number;
  readonly text: string;
  /** Number of a colour of the palette; none: the terminal's own. */
  readonly color: number | undefined;
  /** Of what is behind the text. */
  readonly background?: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

/** What a screen shows from a moment on, in milliseconds since the recording began. */
export interface Frame {
  readonly at: number;
  readonly rows: readonly (readonly Run[])[];
}

/** How long anything that is waited for may take, in milliseconds. */
const PATIENCE_MS = 60_000;
/** Between two keys, in milliseconds. */
const KEY_MS = 55;
/** Between two looks at a screen, in milliseconds. */
const LOOK_MS = 20;

const isSame = (one: Run, other: Omit<Run, 'column' | 'text'>): boolean =>
  one.color === other.color &&
  one.background === other.background &&
  one.bold === other.bold &&
  one.dim === other.dim;

export class RecordedScreen {
  #frames: Frame[] = [];
  readonly #pty: IPty;
  readonly #terminal: InstanceType<typeof Terminal>;
  readonly #rows: number;
  readonly #everyMs: number;
  #trailing: NodeJS.Timeout | undefined;
  #began = performance.now();

  constructor(
    file: string,
    args: readonly string[],
    options: {
      columns: number;
      rows: number;
      env: Record<string, string>;
      cwd: string;
      /** The screen is kept no more often than that, in milliseconds; 0 when left out. */
      everyMs?: number;
    },
  ) {
    const { columns, rows, env, cwd, everyMs = 0 } = options;
    this.#everyMs = everyMs;
    this.#rows = rows;
    this.#terminal = new Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#pty = spawn(file, [...args], { name: 'xterm-256color', cols: columns, rows, env, cwd });
    this.#pty.onData((data) => this.#terminal.write(data, () => this.#changed()));
    this.#terminal.onData((data) => this.#pty.write(data));
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /**
   * From now on it is recorded: what stands there is the first frame.
   * @param began when the recording begins, by `performance.now`
   */
  begin(began: number): void {
    this.#began = began;
    this.#frames = [];
    this.#keep();
  }

  /** Types as a person does. */
  async type(text: string): Promise<void> {
    for (const key of text) {
      this.#pty.write(key);
      await sleep(KEY_MS);
    }
  }

  /** Types the rest of a line, and ends it. */
  async enter(text: string): Promise<void> {
    await this.type(`${text}\r`);
  }

  /**
   * Waits until something stands there.
   * @param what rows are divided by `\n`, without the spaces at their ends
   * @returns the last group of a pattern
   * @throws an error with the screen
   */
  async see(what: string | RegExp): Promise<string> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const text = this.#text();
      if (typeof what !== 'string') {
        const found = what.exec(text);
        if (found !== null) return found.at(-1) ?? '';
      } else if (text.includes(what)) return what;
      if (performance.now() > end) throw new Error(`${String(what)} is not to be seen:\n${text}`);
      await sleep(LOOK_MS);
    }
  }

  close(): void {
    clearTimeout(this.#trailing);
    this.#pty.kill('SIGKILL');
  }

  #text(): string {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: this.#rows },
      (_, row) =>
        active
          .getLine(active.baseY + row)
          ?.translateToString(true)
          .trimEnd() ?? '',
    ).join('\n');
  }

  /** What moves all the time is looked at now and then. */
  #changed(): void {
    const last = this.#frames.at(-1);
    const wait = last === undefined ? 0 : last.at + this.#everyMs - this.#now;
    if (wait <= 0) return this.#keep();
    this.#trailing ??= setTimeout(() => this.#keep(), wait);
  }

  get #now(): number {
    return performance.now() - this.#began;
  }

  #keep(): void {
    clearTimeout(this.#trailing);
    this.#trailing = undefined;
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: this.#rows }, (_, row) => this.#runs(active.baseY + row));
    const cursor = rows[active.cursorY];
    cursor?.push({ column: active.cursorX, text: '▏', color: undefined, bold: false, dim: false });
    this.#frames.push({ at: this.#now, rows });
  }

  #runs(row: number): Run[] {
    const line = this.#terminal.buffer.active.getLine(row);
    const runs: { -readonly [K in keyof Run]: Run[K] }[] = [];
    for (let column = 0; column < this.#terminal.cols; column++) {
      const cell = line?.getCell(column);
      if (cell === undefined || cell.getWidth() === 0) continue;
      const text = cell.getChars() || ' ';
      const color = cell.isFgPalette() ? cell.getFgColor() : undefined;
      const background = cell.isBgPalette() ? cell.getBgColor() : undefined;
      const look = { color, background, bold: cell.isBold() !== 0, dim: cell.isDim() !== 0 };
      const last = runs.at(-1);
      if (last !== undefined && isSame(last, look)) last.text += text;
      else runs.push({ column, text, ...look });
    }
    return runs.filter(({ text, background }) => text.trim() !== '' || background !== undefined);
  }
}
