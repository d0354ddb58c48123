/** The product's own program, in its machine mode. */
import type { ChildProcess } from 'node:child_process';
import { freePort, type Context } from './bench.ts';
import { ended, onLines, startNode, type StartOptions } from './processes.ts';
import { now } from './stats.ts';

/** How long the program may take until it is ready, in milliseconds. */
const READY_MS = 60_000;

export type Fields = Readonly<Record<string, unknown>>;

export class Clchat {
  readonly child: ChildProcess;
  /** When it was ready, in milliseconds after it was started. */
  readonly ready: Promise<number>;
  /** Takes the text of every message that comes in. */
  onText: (text: string, at: number) => void = () => undefined;
  /** Takes every other event. */
  onEvent: (event: Fields, at: number) => void = () => undefined;
  readonly #results = new Map<number, (result: Fields, at: number) => void>();
  #lines = 0;

  constructor(context: Context, args: readonly string[], options: StartOptions = {}) {
    const begun = now();
    this.child = startNode(context.programs.clchat, [...args, '--json'], options);
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('clchat is not ready')), READY_MS);
      this.child.once('exit', (status) => reject(new Error(`clchat ended with ${status}`)));
      onLines(this.child.stdout!, (line, at) => {
        const fields = JSON.parse(line) as Fields;
        if (fields['type'] === 'event') {
          if (fields['event'] === 'message') this.onText(String(fields['text']), at);
          else this.onEvent(fields, at);
        } else if (fields['type'] === 'result') {
          const number = Number(fields['line']);
          this.#results.get(number)?.(fields, at);
          this.#results.delete(number);
        } else if (fields['type'] === 'ready') {
          clearTimeout(timer);
          resolve(at - begun);
        } else {
          clearTimeout(timer);
          reject(new Error(line));
        }
      });
    });
    this.ready.catch(() => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Writes a line and does not look back. */
  write(line: string): void {
    this.#lines += 1;
    this.child.stdin?.write(`${line}\n`);
  }

  /** Writes a line. @returns its result */
  async command(line: string): Promise<Fields> {
    return (await this.timed(line)).result;
  }

  /** Writes a line. @returns its result, and how long it was until all of that was here, in milliseconds */
  timed(line: string): Promise<{ result: Fields; took: number }> {
    return new Promise((resolve) => {
      const begun = now();
      this.#results.set(this.#lines + 1, (result, at) => resolve({ result, took: at - begun }));
      this.write(line);
    });
  }

  async quit(): Promise<void> {
    if (this.child.exitCode === null) this.write('quit');
    await ended(this.child);
  }
}

export interface ServerProcess {
  readonly process: Clchat;
  readonly address: string;
}

/** Starts a server peer on the loopback, ready for clients; with an admin's account where it is told. */
export async function startServer(
  context: Context,
  directory: string,
  { admin, ...options }: StartOptions & { readonly admin?: string } = {},
): Promise<ServerProcess> {
  const address = `127.0.0.1:${await freePort()}`;
  const who = admin === undefined ? [] : ['--user', admin];
  const flags = ['--name', 'bench', '--data', directory, '--headless', ...who];
  const process = new Clchat(context, ['-ls', '--listen', address, ...flags], options);
  await process.ready;
  return { process, address };
}

/** The flags of a client; its directory makes it a device of its own. */
export function clientFlags(address: string, user: string, directory: string): string[] {
  return ['-lc', '--connect', address, '--user', user, '--data', directory];
}
