/** A program under test that prints a JSON object a line and takes commands on its standard input. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export type Line = Readonly<Record<string, unknown>>;

export class LabProcess {
  readonly #child: ChildProcess;
  readonly #what: string;
  /** Lines that nobody has taken yet. */
  #lines: Line[] = [];
  readonly #all: Line[] = [];
  #errors = '';
  #waiters = new Set<() => void>();
  readonly #exited: Promise<number | null>;
  #hasExited = false;

  constructor(child: ChildProcess, what: string) {
    this.#child = child;
    this.#what = what;
    this.#exited = new Promise((resolve) => {
      child.on('close', (code) => {
        this.#hasExited = true;
        this.#wake();
        resolve(code);
      });
    });
    child.stdin?.on('error', () => undefined);
    child.stderr?.on('data', (text: Buffer) => {
      this.#complain(text.toString());
    });
    createInterface({ input: child.stdout! }).on('line', (text) => {
      try {
        const line = JSON.parse(text) as Line;
        this.#lines.push(line);
        this.#all.push(line);
      } catch {
        this.#complain(`not JSON: ${text}\n`);
      }
      this.#wake();
    });
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Lines that have come and were not taken. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** All lines that have ever come. */
  get all(): readonly Line[] {
    return this.#all;
  }

  /** What it has written to standard error, the end of it. */
  get errors(): string {
    return this.#errors;
  }

  /** Takes the first line, of those not taken, that `matches`, and all before it. */
  async next(
    matches: (line: Line) => boolean,
    milliseconds: number,
    what = 'a line',
  ): Promise<Line> {
    const end = performance.now() + milliseconds;
    for (;;) {
      const index = this.#lines.findIndex(matches);
      if (index >= 0) return this.#lines.splice(0, index + 1)[index]!;
      const left = end - performance.now();
      if (left <= 0 || this.#hasExited) throw this.#missing(what);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiters.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Ends its input and waits. @returns its exit status */
  async end(): Promise<number | null> {
    this.#child.stdin?.end();
    return this.#exited;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.#hasExited) this.#child.kill(signal);
    await this.#exited;
  }

  /** Sends it a signal that it goes on after. */
  signal(signal: NodeJS.Signals): void {
    if (!this.#hasExited) this.#child.kill(signal);
  }

  #complain(text: string): void {
    this.#errors = (this.#errors + text).slice(-4_000);
  }

  #missing(what: string): Error {
    const lines = this.#lines.map((line) => JSON.stringify(line)).join('\n');
    const state = this.#hasExited ? 'has ended' : 'is running';
    return new Error(
      `${this.#what} ${state} without ${what}; it printed:\n${lines}\n${this.#errors}`,
    );
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}
