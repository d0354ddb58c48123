/** Programs on the hosts of an internet, for as long as a test lasts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Line, LabProcess } from '../lan/process.ts';
import { program } from '../support/build.ts';
import type { WanLab } from './lab.ts';
import { isOutcome, launch, PATIENCE_MS, SERVE, untilReady, type Started } from './program.ts';

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
    return this.#ready(host, [...SERVE, ...args]);
  }

  /** Somebody who gets in by a link or an address. */
  join(host: string, target: string, user: string, ...args: readonly string[]): Promise<Started> {
    return this.#ready(host, ['-c', target, '--user', user, ...args]);
  }

  /** A file that a program is told of. @returns its path */
  async write(name: string, text: string): Promise<string> {
    const path = join(this.#directory, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
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

  #ready(host: string, args: readonly string[]): Promise<Started> {
    return untilReady(host, () => this.#start(host, args));
  }

  #start(host: string, args: readonly string[]): LabProcess {
    const installed = { file: this.#file, directory: this.#directory };
    const running = launch(this.#lab().host(host), installed, `${++this.#started}`, args);
    this.#running.push(running);
    return running;
  }
}
