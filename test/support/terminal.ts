/** A program in a real pseudo-terminal, and what a person would see of it. */
import { createRequire } from 'node:module';
import { spawn, type IPty } from '@lydell/node-pty';
import type * as Xterm from '@xterm/headless';

// The package is CommonJS without names that an import could find.
const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof Xterm;

export interface TerminalSetup {
  readonly columns?: number;
  readonly rows?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** How the terminal treats the row with the cursor when it gets narrower; both kinds exist. */
  readonly reflowCursorLine?: boolean;
  /** Whether the terminal answers when it is asked for the cursor. */
  readonly answers?: boolean;
}

export class TestTerminal {
  readonly #pty: IPty;
  readonly #terminal: InstanceType<typeof Terminal>;
  /** Everything the program wrote. */
  output = '';
  #exit: { status: number } | undefined;
  readonly exited: Promise<number>;

  constructor(file: string, args: readonly string[], setup: TerminalSetup = {}) {
    const { columns = 80, rows = 24, environment = {}, answers = true } = setup;
    this.#terminal = new Terminal({
      cols: columns,
      rows,
      allowProposedApi: true,
      reflowCursorLine: setup.reflowCursorLine ?? false,
    });
    this.#pty = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
      name: 'xterm-256color',
      cols: columns,
      rows,
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TZ: 'UTC', ...environment },
    });
    this.#pty.onData((data) => {
      this.output += data;
      this.#terminal.write(data);
    });
    if (answers) this.#terminal.onData((data) => this.#pty.write(data));
    this.exited = new Promise((resolve) =>
      this.#pty.onExit(({ exitCode }) => {
        this.#exit = { status: exitCode };
        resolve(exitCode);
      }),
    );
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Clears the tests' own record of what was written, not the screen. */
  forget(): void {
    this.output = '';
  }

  /** The rows that are on the screen, right-trimmed, without the empty ones at the end. */
  rows(): string[] {
    const { active } = this.#terminal.buffer;
    return this.#lines(active.baseY, active.baseY + this.#terminal.rows);
  }

  /** The rows that are on the screen or have left it at the top. */
  all(): string[] {
    return this.#lines(0, this.#terminal.buffer.active.length);
  }

  /** Where the cursor is, from 0, on the screen. */
  cursor(): { row: number; column: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { row: cursorY, column: cursorX };
  }

  /** The row the cursor is in. */
  cursorRow(): string {
    return this.rows()[this.cursor().row] ?? '';
  }

  /** Waits until the condition holds; the error shows the screen. */
  async until(
    what: string,
    condition: (rows: string[]) => boolean,
    milliseconds = 8_000,
  ): Promise<void> {
    const deadline = Date.now() + milliseconds;
    while (!condition(this.rows())) {
      if (Date.now() > deadline)
        throw new Error(
          `${what}: not seen${this.#exit === undefined ? '' : ` (ended with ${this.#exit.status})`}. The screen:\n${this.rows().join('\n')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Waits until some row contains the text. */
  async see(text: string): Promise<void> {
    await this.until(`"${text}"`, (rows) => rows.some((row) => row.includes(text)));
  }

  close(): void {
    if (this.#exit === undefined) this.#pty.kill('SIGKILL');
    this.#terminal.dispose();
  }

  #lines(from: number, to: number): string[] {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let row = from; row < to; row += 1)
      lines.push(active.getLine(row)?.translateToString(true).trimEnd() ?? '');
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }
}
