/** A program in a pseudo-terminal, as a person has it. */
import { spawn, type IPty } from '@lydell/node-pty';
import type { Context } from './bench.ts';
import { register } from './processes.ts';
import { now } from './stats.ts';

/** How long something may take to appear, in milliseconds. */
const SEEN_MS = 30_000;

export class Terminal {
  readonly #pty: IPty;
  readonly #exited: Promise<void>;
  readonly begun: number;
  /** Takes what the program writes. */
  onOutput: (output: string, at: number) => void = () => undefined;
  #output = '';

  constructor(file: string, args: readonly string[]) {
    this.begun = now();
    this.#pty = spawn(file, [...args], {
      name: 'xterm-256color',
      cols: 200,
      rows: 50,
      // A home of its own, so that nobody's input history is touched.
      env: { ...process.env, HOME: '/nonexistent', NO_COLOR: '1' },
    });
    this.#exited = new Promise((resolve) => this.#pty.onExit(() => resolve()));
    register(this.#pty.pid, this.#exited);
    this.#pty.onData((output) => {
      const at = now();
      this.#output = (this.#output + output).slice(-10_000);
      this.onOutput(output, at);
    });
  }

  /** @returns when the text was on its way to the screen */
  async see(text: string): Promise<number> {
    if (!this.#output.includes(text))
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`"${text}" was not seen: ${JSON.stringify(this.#output)}`)),
          SEEN_MS,
        );
        const listening = this.#pty.onData(() => {
          if (!this.#output.includes(text)) return;
          clearTimeout(timer);
          listening.dispose();
          resolve();
        });
      });
    return now();
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  /** Waits for the end that was asked for. */
  async ended(): Promise<void> {
    await this.#exited;
  }
}

/** The product's program. */
export function openTerminal(context: Context, args: readonly string[]): Terminal {
  return new Terminal(process.execPath, [context.programs.clchat, ...args]);
}

export async function quit(terminal: Terminal): Promise<void> {
  terminal.type('/quit\r');
  await terminal.ended();
}
