/** Child processes: every one that is started here is ended here, by its own id. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { now, sum } from './stats.ts';

/** How long a process may take to end by itself once it was asked to, in milliseconds. */
const END_MS = 10_000;

interface Running {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

const running = new Set<Running>();

/** Keeps a process to be ended with the run, until it has ended by itself. */
export function register(pid: number, exited: Promise<unknown>): void {
  const one = { pid, exited };
  running.add(one);
  void exited.finally(() => running.delete(one));
}

function tracked(child: ChildProcess): ChildProcess {
  if (child.pid !== undefined) register(child.pid, once(child, 'exit'));
  return child;
}

/** Ends what is still running, at once. */
export async function endAll(): Promise<void> {
  const left = [...running];
  for (const { pid } of left) kill(pid);
  await Promise.all(left.map(({ exited }) => exited));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** Waits for the end of a process that was asked to end; not for long. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.pid !== undefined && kill(child.pid), END_MS);
  await once(child, 'exit');
  clearTimeout(timer);
}

export interface StartOptions {
  /** Flags of node itself. */
  readonly execArgv?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A node program whose standard input and output are ours. */
export function startNode(
  file: string,
  args: readonly string[],
  options: StartOptions = {},
): ChildProcess {
  return tracked(
    spawn(process.execPath, [...(options.execArgv ?? []), file, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...options.environment },
    }),
  );
}

/** Any program, in the foreground, without input. */
export function startProgram(file: string, args: readonly string[]): ChildProcess {
  return tracked(spawn(file, args, { stdio: ['ignore', 'ignore', 'ignore'] }));
}

/** Runs a node program to its end. @returns how long it took from its start, in milliseconds */
export async function runNode(args: readonly string[]): Promise<number> {
  const begun = now();
  const child = tracked(spawn(process.execPath, args, { stdio: 'ignore' }));
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status ?? 'a signal'}`);
  return now() - begun;
}

/** Calls back with every line and when it came. */
export function onLines(input: Readable, handler: (line: string, at: number) => void): void {
  // Long lines come in many chunks, which are looked at once.
  let begun: string[] = [];
  input.setEncoding('utf8');
  input.on('data', (chunk: string) => {
    const at = now();
    const [first = '', ...lines] = chunk.split('\n');
    begun.push(first);
    for (const next of lines) {
      const line = begun.join('');
      begun = [next];
      handler(line, at);
    }
  });
}

/** Methods that a worker process serves: one argument, plain data either way. */
export type Methods = Record<string, (argument: never) => Promise<unknown>>;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** A process of ours that does one side of a measurement; see `serve` in `worker.ts`. */
export class Worker<M extends Methods> {
  readonly child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(file: string, args: readonly string[] = [], options: StartOptions = {}) {
    this.child = tracked(
      fork(file, args, {
        execArgv: [...(options.execArgv ?? [])],
        env: { ...process.env, ...options.environment },
        serialization: 'advanced',
      }),
    );
    this.child.on('message', ([id, error, value]: [number, string | undefined, never]) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    this.child.once('exit', (status, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`a worker ended with ${signal ?? status}`));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  call<K extends keyof M & string>(
    method: K,
    ...[argument]: Parameters<M[K]>
  ): Promise<Awaited<ReturnType<M[K]>>> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#last, { resolve, reject });
      this.child.send([this.#last, method, argument], (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  async stop(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    await ended(this.child);
  }
}

/** Clock ticks a second in `/proc`; the same on every Linux that node runs on. */
const TICK_MS = 10;

/** Processor time that a process has used so far, in milliseconds; NaN where the system hides it. */
export async function processorTime(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Processor time of the whole machine, and of this process with the children it has had. */
export async function everybodysTime(): Promise<{ machine: number; own: number }> {
  const machine = await readFile('/proc/stat', 'utf8').catch(() => '');
  const [user, nice, system, , , irq, softirq] = machine.split(/\s+/).slice(1, 8).map(Number);
  const busy = [user, nice, system, irq, softirq].map((ticks) => ticks ?? NaN);
  const own = await readFile('/proc/self/stat', 'utf8').catch(() => '');
  const fields = own
    .slice(own.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15);
  return { machine: TICK_MS * sum(busy), own: TICK_MS * sum(fields.map(Number)) };
}

/** Memory that a process holds now, in bytes; NaN where the system hides it. */
export async function residentMemory(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}
