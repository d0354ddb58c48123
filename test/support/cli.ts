/**
 * The real program as a child process, spoken to as its machine mode promises: commands in, a JSON
 * object a line out. What must hold for every process, whatever a test is about, is watched here
 * and told by `problems`.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { program } from './build.ts';
import { mayGive } from './commands.ts';

export interface Ready {
  readonly type: 'ready';
  readonly mode: 'server' | 'client' | 'shell';
  readonly server?: { id: string; name: string; addresses: string[]; connected: boolean };
  readonly user: string | null;
  /** Of a server of this process. */
  readonly addresses?: readonly string[];
  readonly external?: string;
  readonly invite?: string;
}

export interface Message {
  readonly id: string;
  readonly from: string;
  readonly to?: string;
  readonly room?: string;
  readonly text: string;
  readonly time: number;
  readonly mine?: boolean;
  readonly progress?: { state: string; on?: number; of?: number; code?: string };
}

/** What commands give back in `data`, as far as tests look at it. */
export interface Data {
  readonly id?: string;
  readonly state?: string;
  readonly users?: string[];
  readonly messages?: Message[];
  readonly devices?: { id: string; label: string; current: boolean; online: boolean }[];
  readonly reached?: string[];
  readonly missed?: string[];
  readonly user?: string;
  readonly created?: boolean;
  readonly code?: string;
  readonly [key: string]: unknown;
}

export interface Result {
  readonly type: 'result';
  readonly line: number;
  readonly ok: boolean;
  readonly code?: string;
  readonly text: string;
  readonly data?: Data;
}

export interface CliEvent {
  readonly type: 'event';
  readonly event: string;
  readonly [key: string]: unknown;
}

export interface Failure {
  readonly type: 'error';
  readonly code: string;
  readonly text: string;
}

export type Line = Ready | Result | CliEvent | Failure;

export interface Exit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CliOptions {
  /** Put before the command: enters a network namespace, for instance. */
  readonly prefix?: readonly string[];
  readonly args: readonly string[];
  /** The whole environment: nothing of the tests' own is passed on. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What may be said on standard error; by default nothing. */
  readonly complains?: RegExp;
}

/** How long anything that is waited for may take, in milliseconds. */
export const PATIENCE_MS = 20_000;

type EventMatch = Readonly<Record<string, unknown>> | ((event: CliEvent) => boolean);

export class Cli {
  /** Every line of standard output so far. */
  readonly lines: Line[] = [];
  /** The results among them: that of line N is number N - 1. */
  readonly results: Result[] = [];
  readonly #events = new Map<string, CliEvent[]>();
  readonly exit: Promise<Exit>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #options: CliOptions;
  readonly #json: boolean;
  readonly #problems: string[] = [];
  readonly #messages = new Set<string>();
  #waiting: (() => void)[] = [];
  #unfinished = '';
  #sent = 0;
  /** What was written: that of line N is number N - 1; the last one may have no end yet. */
  #written = [''];
  #ended = false;

  private constructor(options: CliOptions, file: string) {
    this.#options = options;
    this.#json = options.args.includes('--json');
    const { prefix = [] } = options;
    const [command = '', ...args] = [...prefix, process.execPath, file, ...options.args];
    this.#child = spawn(command, args, {
      env: options.env,
      cwd: options.cwd,
      stdio: 'pipe',
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    // A process that has ended does not read any more.
    this.#child.stdin.on('error', () => undefined);
    this.exit = new Promise((resolve) => {
      this.#child.on('error', (error) => this.#problems.push(`not started: ${error.message}`));
      this.#child.on('close', (status, signal) => {
        this.#ended = true;
        if (this.#json && this.#unfinished !== '')
          this.#problems.push(`half a line at the end: ${this.#unfinished}`);
        this.#wake();
        resolve({ status, signal });
      });
    });
  }

  static async start(options: CliOptions): Promise<Cli> {
    return new Cli(options, await program());
  }

  get pid(): number {
    assert(this.#child.pid !== undefined, 'it was not started');
    return this.#child.pid;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What must never be: to be empty in every test. */
  problems(): string[] {
    const { complains } = this.#options;
    const rest = this.stderr
      .split('\n')
      .filter((line) => line !== '' && complains?.test(line) !== true);
    const noise = this.#json && rest.length > 0 ? [`standard error: ${rest.join('\n')}`] : [];
    return [...this.#problems, ...noise].map((text) => `${this.#name}: ${text}`);
  }

  get #name(): string {
    return `clchat ${this.#options.args.join(' ')} [${this.#child.pid ?? '?'}]`;
  }

  /** The command that it was started to carry out. */
  get #executed(): string {
    const { args } = this.#options;
    const at = args.findIndex((arg) => arg === '-e' || arg === '--execute');
    return at < 0 ? '' : (args[at + 1] ?? '');
  }

  #take(text: string): void {
    this.stdout += text;
    if (!this.#json) return;
    const lines = (this.#unfinished + text).split('\n');
    this.#unfinished = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    this.#wake();
  }

  #line(text: string): void {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      this.#problems.push(`not JSON on standard output: ${text.slice(0, 200)}`);
      return;
    }
    this.lines.push(line);
    if (line.type === 'result') {
      const number = this.results.push(line);
      if (line.line !== number)
        this.#problems.push(`the result of line ${line.line} came as number ${number}`);
      const asked = this.#written[number - 1] || this.#executed;
      const [command = ''] = /[^\s/]+/.exec(asked) ?? [];
      if (!line.ok && !mayGive(command, line.code ?? ''))
        this.#problems.push(`"${command}" gave ${line.code}, which the table does not name`);
    } else if (line.type === 'event') this.#event(line);
    else if (!['ready', 'error'].includes(line.type))
      this.#problems.push(`a line of no known type: ${text.slice(0, 200)}`);
  }

  #event(event: CliEvent): void {
    const all = this.#events.get(event.event);
    if (all === undefined) this.#events.set(event.event, [event]);
    else all.push(event);
    if (event.event !== 'message') return;
    const id = String(event['id']);
    if (this.#messages.has(id)) this.#problems.push(`the message ${id} was told twice`);
    this.#messages.add(id);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Waits until `find` gives something: asked again with each piece of output. */
  async until<T>(find: () => T | undefined, what: string, patience = PATIENCE_MS): Promise<T> {
    const end = performance.now() + patience;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = end - performance.now();
      if (this.#ended || left <= 0) throw this.#missing(what);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, left);
        this.#waiting.push(resolve);
      });
      clearTimeout(timer);
    }
  }

  #missing(what: string): Error {
    const why = this.#ended ? 'the process has ended' : 'it took too long';
    const last = this.lines.slice(-8).map((line) => JSON.stringify(line).slice(0, 300));
    return new Error(
      `${this.#name}: no ${what} (${why})\n${last.join('\n')}\nstandard error: ${this.stderr}`,
    );
  }

  ready(patience?: number): Promise<Ready> {
    return this.until(() => this.lines.find((line) => line.type === 'ready'), '"ready"', patience);
  }

  /** The failure told in place of `ready`. */
  failure(): Promise<Failure> {
    return this.until(() => this.lines.find((line) => line.type === 'error'), '"error"');
  }

  /** Bytes as they are. */
  write(text: string): void {
    const [first = '', ...others] = text.split('\n');
    this.#written[this.#written.length - 1] += first;
    this.#written.push(...others);
    this.#child.stdin.write(text);
  }

  /** Gives command lines. @returns the number of the last */
  send(...lines: string[]): number {
    this.write(lines.map((line) => `${line}\n`).join(''));
    return (this.#sent += lines.length);
  }

  result(line: number, patience?: number): Promise<Result> {
    return this.until(() => this.results[line - 1], `result ${line}`, patience);
  }

  /** Carries out one command. */
  ask(line: string, patience?: number): Promise<Result> {
    return this.result(this.send(line), patience);
  }

  /** Carries out one command that must succeed. */
  async ok(line: string, patience?: number): Promise<Data> {
    const result = await this.ask(line, patience);
    assert(result.ok, `"${line.slice(0, 100)}" gave ${result.code ?? '?'}: ${result.text}`);
    assert.equal(result.code, undefined);
    return result.data ?? {};
  }

  /** Carries out one command that must be refused. @returns the code */
  async refused(line: string): Promise<string> {
    const result = await this.ask(line);
    assert(!result.ok, `"${line.slice(0, 100)}" was not refused: ${result.text}`);
    assert(result.text.length > 0);
    assert.equal(result.data, undefined);
    return result.code ?? '';
  }

  events(name: string, match: EventMatch = {}): CliEvent[] {
    const all = this.#events.get(name) ?? [];
    if (typeof match === 'function') return all.filter(match);
    const wanted = Object.entries(match);
    return all.filter((event) => wanted.every(([key, value]) => event[key] === value));
  }

  /** The first such event, or with `count` that many-th; also one that came before. */
  async event(
    name: string,
    match: EventMatch = {},
    options: { count?: number; patience?: number } = {},
  ): Promise<CliEvent> {
    const { count = 1, patience } = options;
    const wanted = typeof match === 'function' ? '' : ` ${JSON.stringify(match)}`;
    const what = `event "${name}"${wanted}${count === 1 ? '' : ` number ${count}`}`;
    return this.until(() => this.events(name, match)[count - 1], what, patience);
  }

  /** Texts of the messages told so far. */
  texts(match: EventMatch = {}): string[] {
    return this.events('message', match).map(({ text }) => String(text));
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** Reads no more, and closes the pipe. */
  deafen(): void {
    this.#child.stdout.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. @returns the exit status */
  async status(patience = PATIENCE_MS): Promise<number | null> {
    await this.until(() => (this.#ended ? true : undefined), 'end', patience).catch((error) => {
      if (!this.#ended) throw error;
    });
    return (await this.exit).status;
  }

  /** Ends it as a person would. */
  async quit(): Promise<void> {
    this.send('quit');
    assert.equal(await this.status(), 0);
  }

  /** Ends it at once, whatever it does. */
  async crash(): Promise<void> {
    this.kill('SIGKILL');
    await this.exit;
  }
}
