/** A program in a window of tmux: what a person at that terminal types and sees. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../../lib/lifecycle.ts';

const execute = promisify(execFile);
const PATIENCE_MS = 20_000;

export interface TmuxOptions {
  /** Put before the command: enters a network namespace, for instance. */
  readonly prefix?: readonly string[];
  /** A directory for the socket, of its own. */
  readonly directory: string;
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string>>;
}

export class Tmux {
  readonly #socket: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(options: TmuxOptions) {
    this.#socket = join(options.directory, 'tmux');
    this.#env = { PATH: process.env['PATH'], TERM: 'xterm-256color', ...options.env };
  }

  /** Opens a window with a shell. */
  static async open(options: TmuxOptions): Promise<Tmux> {
    const tmux = new Tmux(options);
    const { prefix = [], columns, rows } = options;
    const [file = 'tmux', ...args] = [...prefix, 'tmux', '-S', tmux.#socket, '-f', '/dev/null'];
    const size = ['-x', String(columns), '-y', String(rows)];
    const shell = ['sh', '-c', "PS1='$ ' exec bash --noprofile --norc -i"];
    await execute(file, [...args, 'new-session', '-d', ...size, ...shell], { env: tmux.#env });
    await tmux.see('$');
    return tmux;
  }

  async #run(...args: string[]): Promise<string> {
    const { stdout } = await execute('tmux', ['-S', this.#socket, ...args], { env: this.#env });
    return stdout;
  }

  async type(text: string): Promise<void> {
    await this.#run('send-keys', '-l', text);
  }

  /** Presses keys by their names, as `Enter` or `C-c`. */
  async press(...keys: string[]): Promise<void> {
    await this.#run('send-keys', ...keys);
  }

  async enter(text: string): Promise<void> {
    await this.type(text);
    await this.press('Enter');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#run('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** The rows of the screen. */
  async rows(): Promise<string[]> {
    return (await this.#run('capture-pane', '-p')).trimEnd().split('\n');
  }

  /** Waits until a row matches. @returns that row */
  async see(what: string | RegExp): Promise<string> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const rows = await this.rows();
      const found = rows.find((row) =>
        typeof what === 'string' ? row.includes(what) : what.test(row),
      );
      if (found !== undefined) return found;
      if (performance.now() > end)
        throw new Error(`not to be seen: ${String(what)}\n${rows.join('\n')}`);
      await sleep(50);
    }
  }

  async close(): Promise<void> {
    await this.#run('kill-server').catch(() => undefined);
  }
}
