/** What a bench is given, and what it gives back. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { CACHE, type Programs } from './build.ts';
import type { StartOptions } from './processes.ts';
import type { Row } from './report.ts';

export interface Bench {
  readonly name: string;
  run(context: Context): Promise<Row[]>;
}

/** Everything that the benches of one run share. */
export class Context {
  readonly programs: Programs;
  /** Smaller sizes, for a first look. */
  readonly quick: boolean;
  readonly #profiled: boolean;
  readonly #directories: string[] = [];
  readonly #profiles = new Map<string, number>();

  constructor(options: { programs: Programs; quick: boolean; profiled: boolean }) {
    this.programs = options.programs;
    this.quick = options.quick;
    this.#profiled = options.profiled;
  }

  /** The one value of a full run, the other of a quick one. */
  size<T>(full: T, quick: T): T {
    return this.quick ? quick : full;
  }

  note(text: string): void {
    process.stderr.write(`  ${text}\n`);
  }

  /** A directory of this run, removed at its end. */
  async directory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'clchat-bench-'));
    this.#directories.push(directory);
    return directory;
  }

  /** Flags under which a process that matters for a figure is started. */
  execArgv(label: string, ...flags: string[]): StartOptions {
    if (!this.#profiled) return { execArgv: flags };
    const number = (this.#profiles.get(label) ?? 0) + 1;
    this.#profiles.set(label, number);
    const name = `${label}-${number}.cpuprofile`;
    return {
      execArgv: [...flags, '--cpu-prof', `--cpu-prof-dir=${PROFILES}`, `--cpu-prof-name=${name}`],
    };
  }

  async prepare(): Promise<void> {
    await mkdir(PROFILES, { recursive: true });
  }

  async clean(): Promise<void> {
    for (const directory of this.#directories.splice(0))
      await rm(directory, { recursive: true, force: true });
  }
}

/** Where the profiles of a run lie. */
export const PROFILES = join(CACHE, 'profiles');

/** A port of the loopback that nobody uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
