/** Durable appending, catching up, and opening again, with a hundred thousand entries. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Context } from './support/bench.ts';
import { Clchat, clientFlags, startServer, type ServerProcess } from './support/clchat.ts';
import { Worker } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { count, median, time } from './support/stats.ts';
import type { LogMethods } from './workers/log.ts';
import type { ReplicaMethods } from './workers/replica.ts';
import type { StoresMethods } from './workers/stores.ts';

const SIZE = 200;
/** Bytes of an entry with a text of that size, as stored. */
const STORED = 550;
const FIGURE_APPEND = 5_000;
const FIGURE_CATCH_UP_MS = 20_000;
const FIGURE_REOPEN_MS = 1_000;
/** Writers that appended what is caught up with: entries a seal in a busy room. */
const SEED_WRITERS = 16;

const rate = (entries: number, milliseconds: number): string =>
  `${count(entries / (milliseconds / 1_000))}/s`;

async function withWorker<M extends Record<string, (argument: never) => Promise<unknown>>, T>(
  context: Context,
  name: string,
  run: (worker: Worker<M>) => Promise<T>,
): Promise<T> {
  const worker = new Worker<M>(context.programs.worker(name), [], context.execArgv(`log-${name}`));
  try {
    return await run(worker);
  } finally {
    await worker.stop();
  }
}

/** Runs a server on a directory for as long as `run` takes. */
async function withServer<T>(
  context: Context,
  directory: string,
  run: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const server = await startServer(context, directory, context.execArgv('log-server'));
  try {
    return await run(server);
  } finally {
    await server.process.quit();
  }
}

type Appended = Awaited<ReturnType<LogMethods['append']>>;

async function appendRows(context: Context): Promise<Row[]> {
  const amounts: [writers: number, entries: number][] = context.size(
    [
      [1, 1_000],
      [8, 4_000],
      [64, 15_000],
      [512, 30_000],
    ],
    [
      [1, 200],
      [64, 3_000],
      [512, 6_000],
    ],
  );
  const rows: Row[] = [];
  for (const [writers, entries] of amounts) {
    const directory = await context.directory();
    // The program itself founds the log.
    await withServer(context, directory, async () => undefined);
    const own = await withWorker<LogMethods, Appended>(context, 'log', (worker) =>
      worker.call('append', { directory, writers, entries, size: SIZE }),
    );
    const [level, hypercore] = await withWorker<StoresMethods, [number, number]>(
      context,
      'stores',
      async (worker) => {
        const amount = { writers, blocks: entries, size: STORED };
        return [
          await worker.call('level', { ...amount, directory: await context.directory() }),
          await worker.call('hypercore', { ...amount, directory: await context.directory() }),
        ];
      },
    );
    const reached = entries / (own.took / 1_000) >= FIGURE_APPEND;
    rows.push({
      what: `append, ${writers} concurrent writers: verified, judged, sealed, on the disk`,
      clchat: `${rate(entries, own.took)} (processor time ${time(own.used / entries)} an entry)`,
      beside: `level, synchronous batches of ${writers}: ${rate(entries, level)}; hypercore (signed, not synchronous): ${rate(entries, hypercore)}`,
      ...(writers < 64 ? {} : { figure: { text: `≥ ${count(FIGURE_APPEND)}/s`, reached } }),
    });
    context.note(`${writers} writers: ${rate(entries, own.took)}`);
  }
  return rows;
}

/** Until `ready` of a program on a directory, median of three. */
async function reopening(
  context: Context,
  start: () => Promise<{ took: number; quit: () => Promise<void> }>,
): Promise<number> {
  const took: number[] = [];
  for (let round = 0; round < context.size(5, 3); round++) {
    const opened = await start();
    took.push(opened.took);
    await opened.quit();
  }
  return median(took);
}

/** As many blocks of the same size, to a new copy in another process. @returns milliseconds */
function copyHypercore(context: Context, blocks: number): Promise<number> {
  return withWorker<StoresMethods, number>(context, 'stores', (source) =>
    withWorker<StoresMethods, number>(context, 'stores', async (target) => {
      const amount = { writers: 1, blocks, size: STORED };
      const directory = await context.directory();
      const served = await source.call('serveHypercore', { ...amount, directory });
      const copy = await context.directory();
      return target.call('copyHypercore', { ...served, blocks, directory: copy });
    }),
  );
}

async function catchUpRows(context: Context): Promise<Row[]> {
  const entries = context.size(100_000, 10_000);
  const directory = await context.directory();
  const places = {
    away: await context.directory(),
    forward: await context.directory(),
    history: await context.directory(),
  };
  const replica = <T>(run: (worker: Worker<ReplicaMethods>) => Promise<T>): Promise<T> =>
    withWorker<ReplicaMethods, T>(context, 'replica', run);
  await withServer(context, directory, ({ address }) =>
    replica(async (worker) => {
      for (const user of ['away', 'forward'] as const)
        await worker.call('register', { directory: places[user], address, user });
    }),
  );
  const empty = await reopening(context, () => serverOn(context, directory));
  const seeded = await withWorker<LogMethods, Appended>(context, 'log', (worker) =>
    worker.call('append', { directory, writers: SEED_WRITERS, entries, size: SIZE }),
  );
  context.note(`${count(entries)} entries written in ${time(seeded.took)}`);

  const peer = `hypercore, new copy over TCP: ${time(await copyHypercore(context, entries))}`;
  const rows: Row[] = [];
  const figure = {
    text: '100,000 in ≤ 20 s',
    reached: false,
  };
  const reopened = await withServer(context, directory, async ({ address }) => {
    const [forward, history, returned] = [
      await replica((worker) =>
        worker.call('forward', { directory: places.forward, address, user: 'forward' }),
      ),
      await replica((worker) =>
        worker.call('history', { directory: places.history, address, user: 'history' }),
      ),
      await replica((worker) =>
        worker.call('returned', { directory: places.away, address, user: 'away', entries }),
      ),
    ];
    const ways = [
      [`catch-up of a new replica, first entry to last, every rule checked`, forward],
      [`the same by the program: usable at once, then all history, newest first`, history],
      [`a known device that was away: everything told as news`, returned],
    ] as const;
    for (const [what, result] of ways) {
      context.note(`${what}: ${time(result.whole)}`);
      rows.push({
        what: `${count(entries)} entries: ${what}`,
        clchat: `${time(result.whole)} (${rate(result.entries, result.whole)}, processor time ${time(result.used)}); usable after ${time(result.usable)}${result.entries < entries ? `; only ${count(result.entries)} came` : ''}`,
        beside: peer,
        figure: {
          ...figure,
          reached: result.entries >= entries && result.whole <= FIGURE_CATCH_UP_MS,
        },
      });
    }
    const flags = clientFlags(address, 'history', places.history);
    return reopening(context, async () => {
      const client = new Clchat(context, flags, context.execArgv('log-reopened-client'));
      return { took: await client.ready, quit: () => client.quit() };
    });
  });
  const server = await reopening(context, () => serverOn(context, directory));
  const floors = await withWorker<StoresMethods, number[]>(context, 'stores', async (worker) => {
    const took: number[] = [];
    for (const original of [directory, places.history]) {
      // A copy, as opening a store changes it.
      const copy = await context.directory();
      await cp(join(original, 'store'), copy, { recursive: true });
      took.push(await worker.call('open', { directory: copy }));
    }
    return took;
  });
  const reopen = (took: number) => ({
    text: `≤ ${FIGURE_REOPEN_MS / 1_000} s`,
    reached: took <= FIGURE_REOPEN_MS,
  });
  rows.push(
    {
      what: `reopening a server of ${count(entries)} entries, process start to \`ready\``,
      clchat: time(server),
      beside: `the same server empty ${time(empty)}; bare level open ${time(floors[0] ?? NaN)}`,
      figure: reopen(server),
    },
    {
      what: `reopening a replica of ${count(entries)} entries, process start to \`ready\``,
      clchat: time(reopened),
      beside: `bare level open ${time(floors[1] ?? NaN)}`,
      figure: reopen(reopened),
    },
  );
  return rows;
}

async function serverOn(context: Context, directory: string) {
  const { process } = await startServer(
    context,
    directory,
    context.execArgv('log-reopened-server'),
  );
  return { took: await process.ready, quit: () => process.quit() };
}

export const log: Bench = {
  name: 'log',
  run: async (context) => [...(await appendRows(context)), ...(await catchUpRows(context))],
};
