/** The prompt in an emulated terminal within this process, and what a person would see of it. */
import { createRequire } from 'node:module';
import { PassThrough, Writable } from 'node:stream';
import type * as Xterm from '@xterm/headless';
import { InputHistory } from '../../lib/ui/history-file.ts';
import { TerminalPrompt } from '../../lib/ui/prompt.ts';
import { eventually, turns } from './channels.ts';

// The package is CommonJS without names that an import could find.
const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof Xterm;

class Output extends Writable {
  columns: number;
  rows: number;

  constructor(terminal: InstanceType<typeof Terminal>, note: (text: string) => void) {
    super({
      decodeStrings: false,
      write: (chunk: Buffer | string, _encoding, done) => {
        note(chunk.toString());
        terminal.write(typeof chunk === 'string' ? chunk : Uint8Array.from(chunk), () => done());
      },
    });
    this.columns = terminal.cols;
    this.rows = terminal.rows;
  }
}

export class PaperTerminal {
  readonly prompt: TerminalPrompt;
  readonly #terminal: InstanceType<typeof Terminal>;
  readonly #input = new PassThrough();
  readonly #output: Output;
  /** All that was written. */
  written = '';

  constructor(columns = 40, rows = 20) {
    this.#terminal = new Terminal({
      cols: columns,
      rows,
      allowProposedApi: true,
      scrollback: 5_000,
    });
    this.#output = new Output(this.#terminal, (text) => (this.written += text));
    this.#terminal.onData((data) => this.#input.write(data));
    this.prompt = new TerminalPrompt({
      input: this.#input,
      output: this.#output,
      history: new InputHistory(),
      environment: { TERM: 'xterm-256color', LANG: 'C.UTF-8', COLORTERM: 'truecolor' },
      onStop: () => undefined,
    });
    this.prompt.attach({ onLine: () => undefined, onStop: () => undefined });
    this.prompt.setPrompt('> ');
  }

  type(text: string): void {
    this.#input.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
    Object.assign(this.#output, { columns, rows });
    this.#output.emit('resize');
  }

  /** Resolves when all that was written so far is on the screen. */
  async settled(): Promise<void> {
    do {
      await turns();
      await new Promise<void>((resolve) => this.#terminal.write('', resolve));
    } while (this.#output.writableLength > 0);
  }

  /** The rows on the screen. */
  rows(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, row) => this.#row(active.baseY + row));
  }

  /** All that was ever said, from the scrollback and the screen. */
  all(): string[] {
    return Array.from({ length: this.#terminal.buffer.active.length }, (_, row) => this.#row(row));
  }

  #row(row: number): string {
    return this.#terminal.buffer.active.getLine(row)?.translateToString(true).trimEnd() ?? '';
  }

  /** The colour of what stands in a cell, and of what it stands on: both as xterm has them. */
  cell(column: number, row: number): { character: string; ink: number; ground: number } {
    const { active } = this.#terminal.buffer;
    const cell = active.getLine(active.baseY + row)?.getCell(column);
    return {
      character: cell?.getChars() ?? '',
      ink: cell?.getFgColor() ?? -1,
      ground: cell?.getBgColor() ?? -1,
    };
  }

  cursor(): { row: number; column: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { row: cursorY, column: cursorX };
  }

  /** The row with the cursor. */
  line(): string {
    return this.rows()[this.cursor().row] ?? '';
  }

  async until(what: string, condition: (rows: string[]) => boolean): Promise<void> {
    await eventually(what, () => condition(this.rows())).catch((error: unknown) => {
      throw new Error(`${String(error)}. The screen:\n${this.rows().join('\n')}`);
    });
  }

  async close(): Promise<void> {
    this.prompt.close();
    await this.settled();
    this.#terminal.dispose();
  }
}
