/** The program itself on the hosts of an internet, in machine mode. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Line, LabProcess } from '../lan/process.ts';
import { program } from '../support/build.ts';
import type { WanLab } from './lab.ts';

/** How long anything may take on a machine that has much else to do, in milliseconds. */
export const PATIENCE_MS = 30_000;

/** A program that has said that it is ready. */
export interface Started {
  readonly process: LabProcess;
  readonly ready: Line;
  /** Milliseconds from its start until then. */
  readonly milliseconds: number;
}

export const event =
  (name: string, fields: Line = {}) =>
  (line: Line): boolean =>
    line['event'] === name && Object.entries(fields).every(([key, value]) => line[key] === value);
export const result = (line: Line): boolean => line['type'] === 'result';

/** What a program says when it can do, or when it cannot. */
const isOutcome = (line: Line): boolean => line['type'] === 'ready' || line['type'] === 'error';

export class Programs {
  readonly #lab: () => WanLab;
  #directory = '';
  #file = '';
  #started = 0;
  readonly #running: LabProcess[] = [];

  /** To be called inside a `describe`: what is started is ended after each of its tests. */
  constructor(lab: () => WanLab) {
    this.#lab = lab;
    before('build the program', async () => {
      this.#file = await program();
    });
    beforeEach(async () => {
      this.#directory = await mkdtemp(join(tmpdir(), 'clchat-wan-'));
    });
    afterEach(async () => {
      await Promise.all(this.#running.splice(0).map((process) => process.kill()));
      await rm(this.#directory, { recursive: true, force: true });
    });
  }

  /** A server for the internet, which is ready. */
  serve(host: string, ...args: readonly string[]): Promise<Started> {
    const name = ['--name', 'acme', '--user', 'root', '--headless'];
    return this.#ready(host, ['-s', ...name, ...args]);
  }

  /** Somebody who gets in by a link or an address. */
  join(host: string, target: string, user: string): Promise<Started> {
    return this.#ready(host, ['-c', target, '--user', user]);
  }

  /** Somebody who does not get in. @returns what is said of it, and the exit status */
  async shutOut(
    host: string,
    target: string,
  ): Promise<{ error: Line; milliseconds: number; status: number | null }> {
    const begun = performance.now();
    const process = this.#start(host, ['-c', target, '--user', 'eve']);
    const error = await process.next(isOutcome, PATIENCE_MS, 'an error');
    const milliseconds = performance.now() - begun;
    return { error, milliseconds, status: await process.end() };
  }

  async #ready(host: string, args: readonly string[]): Promise<Started> {
    const begun = performance.now();
    const process = this.#start(host, args);
    const ready = await process.next(isOutcome, PATIENCE_MS, '"ready"');
    const milliseconds = performance.now() - begun;
    if (ready['type'] !== 'ready') throw new Error(`${host}: ${JSON.stringify(ready)}`);
    return { process, ready, milliseconds };
  }

  #start(host: string, args: readonly string[]): LabProcess {
    const data = join(this.#directory, `${++this.#started}`);
    const running = this.#lab()
      .host(host)
      .exec(process.execPath, [this.#file, '--json', ...args, '--data', data], {
        HOME: this.#directory,
        XDG_DATA_HOME: this.#directory,
      });
    this.#running.push(running);
    return running;
  }
}
