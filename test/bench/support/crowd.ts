/** Many clients in several processes, from outside: clchat's, or a peer's of the same methods. */
import { join } from 'node:path';
import type { Context } from './bench.ts';
import type { HeardReport } from './messages.ts';
import { processorTime, Worker, type Methods } from './processes.ts';
import { now, sum } from './stats.ts';

export interface SpeakOptions {
  /** The room, where there are several. */
  readonly stream: string;
  /** Messages a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Bytes of a message. */
  readonly size: number;
}

/** What went wrong, and how often. */
export type Fault = [text: string, times: number];

/** What the workers of every kind of crowd can do. */
interface CommonMethods {
  prepare(options: { names: string[]; directory: string; address: string }): Promise<void>;
  join(atOnce: number): Promise<{ took: number[]; failures: number; faults: Fault[] }>;
  leave(): Promise<void>;
  speak(options: SpeakOptions): Promise<{ said: number; held: number[]; faults: Fault[] }>;
  begin(): Promise<void>;
  heard(): Promise<HeardReport>;
}

/**
 * Room for young objects: a process of one client has 16 MB for it alone, so that of many is given
 * the room of a few.
 */
const YOUNG = '--max-semi-space-size=64';
/** More than a process has clients. */
const MANY = 1_000;

export interface CrowdOptions {
  /** File name of the worker. */
  readonly worker: string;
  readonly clients: number;
  /** Number of the first, where there is another crowd at the same server. */
  readonly first?: number;
  readonly processes: number;
  readonly address: string;
  /** Label of the profiles. */
  readonly label: string;
}

export interface JoinReport {
  /** Until all were in, in milliseconds. */
  readonly all: number;
  readonly took: number[];
  readonly failures: number;
  readonly faults: Fault[];
}

/** @template M what its workers can do beside that */
export class Crowd<M extends Methods = Methods> {
  readonly workers: readonly Worker<M>[];
  /** The same workers, by what all kinds can do. */
  readonly #common: readonly Worker<CommonMethods & Methods>[];

  private constructor(workers: readonly Worker<CommonMethods & Methods>[]) {
    this.#common = workers;
    this.workers = workers;
  }

  static async start<M extends Methods = Methods>(
    context: Context,
    options: CrowdOptions,
  ): Promise<Crowd<M>> {
    const { processes, clients, first = 0, address, label } = options;
    const directory = await context.directory();
    const file = context.programs.worker(options.worker);
    const names = Array.from({ length: clients }, (_, index) => `user${first + index}`);
    const workers = await Promise.all(
      Array.from({ length: processes }, async (_, index) => {
        const own = names.filter((_name, number) => number % processes === index);
        const worker = new Worker<CommonMethods & Methods>(
          file,
          [],
          context.execArgv(label, YOUNG),
        );
        const place = join(directory, `process${index}`);
        await worker.call('prepare', { names: own, directory: place, address });
        return worker;
      }),
    );
    return new Crowd<M>(workers);
  }

  /** @param atOnce how many in each process come in at the same moment; everybody by default */
  async join(atOnce = MANY): Promise<JoinReport> {
    const begun = now();
    const reports = await Promise.all(this.#common.map((worker) => worker.call('join', atOnce)));
    return {
      all: now() - begun,
      took: reports.flatMap(({ took }) => took),
      failures: sum(reports.map(({ failures }) => failures)),
      faults: reports.flatMap(({ faults }) => faults),
    };
  }

  async leave(): Promise<void> {
    await Promise.all(this.#common.map((worker) => worker.call('leave')));
  }

  /** Everybody by turns, `rate` messages a second of all together. */
  async speak(options: SpeakOptions): Promise<{ said: number; held: number[]; faults: Fault[] }> {
    const share = { ...options, rate: options.rate / this.#common.length };
    const reports = await Promise.all(this.#common.map((worker) => worker.call('speak', share)));
    return {
      said: sum(reports.map(({ said }) => said)),
      held: reports.flatMap(({ held }) => held),
      faults: reports.flatMap(({ faults }) => faults),
    };
  }

  /** From here on only what is said from here on is heard. */
  async begin(): Promise<void> {
    await Promise.all(this.#common.map((worker) => worker.call('begin')));
  }

  /** What each process has heard since the last time. */
  heard(): Promise<HeardReport[]> {
    return Promise.all(this.#common.map((worker) => worker.call('heard')));
  }

  /** Processor time used so far by all of it, in milliseconds. */
  async processorTime(): Promise<number> {
    return sum(await Promise.all(this.workers.map(({ pid }) => processorTime(pid))));
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
  }
}
