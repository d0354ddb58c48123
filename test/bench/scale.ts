/** What a large community costs: opening, looking, searching, coming back; at a tenth and in full. */
import { cp } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { Bench, Context } from './support/bench.ts';
import { Clchat, clientFlags, startServer } from './support/clchat.ts';
import { residentMemory, Worker } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { bytes, count, median, now, time } from './support/stats.ts';
import type { ReplicaMethods } from './workers/replica.ts';
import type { ScaleMethods } from './workers/scale.ts';
import type { StoresMethods } from './workers/stores.ts';

const FULL = { accounts: 10_000, rooms: 2_000, messages: 1_000_000 };
/** Entries of a week's absence. */
const ABSENCE = 20_000;
const FIGURE_REOPEN_MS = 3_000;
const FIGURE_LOOK_MS = 50;
const FIGURE_SEARCH_MS = 100;
const FIGURE_USABLE_MS = 1_000;
const FIGURE_WHOLE_MS = 5_000;
const FIGURE_MEMORY = 500e6;
const ROUNDS = 9;
const REOPENINGS = 3;
/** How long the index of a replica may take to be made, in milliseconds. */
const INDEX_MS = 600_000;

interface Measured {
  readonly reopening: number;
  readonly level: number;
  readonly memory: number;
  readonly structure: number;
  readonly history: number;
  readonly search: number;
  readonly found: number;
  readonly usable: number;
  readonly whole: number;
}

type Size = typeof FULL;

const part = (size: Size, by: number): Size => ({
  accounts: size.accounts / by,
  rooms: size.rooms / by,
  messages: size.messages / by,
});

async function reopened(context: Context, directory: string): Promise<number> {
  const took: number[] = [];
  for (let round = 0; round < REOPENINGS; round++) {
    const { process } = await startServer(context, directory, context.execArgv('scale-reopened'));
    took.push(await process.ready);
    await process.quit();
  }
  return median(took);
}

/** Opening the same database with nothing around it. */
async function bareOpening(context: Context, directory: string): Promise<number> {
  const worker = new Worker<StoresMethods>(context.programs.worker('stores'));
  const copy = await context.directory();
  await cp(join(directory, 'store'), copy, { recursive: true });
  try {
    return await worker.call('open', { directory: copy });
  } finally {
    await worker.stop();
  }
}

/** How long a command takes until its result is here, median of several. */
async function command(client: Clchat, line: string): Promise<number> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { result, took: one } = await client.timed(line);
    took.push(one);
    if (result['ok'] !== true) throw new Error(`${line}: ${JSON.stringify(result).slice(0, 300)}`);
  }
  return median(took);
}

/** Waits until a search finds as much as it did a while before. */
async function indexed(client: Clchat): Promise<number> {
  let found = -1;
  for (const end = now() + INDEX_MS; now() < end;) {
    const result = await client.command('search lunch friday');
    const { messages = [], complete } = result['data'] as {
      messages?: unknown[];
      complete?: boolean;
    };
    if (complete !== false && messages.length > 0 && messages.length === found) return found;
    found = messages.length;
    await sleep(500);
  }
  throw new Error('the index was not made in time');
}

class Community {
  readonly #context: Context;
  readonly #scale: Worker<ScaleMethods>;
  readonly #directory: string;
  /** The device that has everything. */
  readonly #replica: string;

  private constructor(
    context: Context,
    scale: Worker<ScaleMethods>,
    directory: string,
    replica: string,
  ) {
    this.#context = context;
    this.#scale = scale;
    this.#directory = directory;
    this.#replica = replica;
  }

  static async found(context: Context): Promise<Community> {
    const scale = new Worker<ScaleMethods>(context.programs.worker('scale'));
    const community = new Community(
      context,
      scale,
      await context.directory(),
      await context.directory(),
    );
    await community.#served((address) =>
      community.#withReplica((worker) =>
        worker.call('register', { directory: community.#replica, address, user: 'reader' }),
      ),
    );
    return community;
  }

  async #served<T>(run: (address: string, pid: number) => Promise<T>): Promise<T> {
    const context = this.#context;
    const server = await startServer(context, this.#directory, context.execArgv('scale-server'));
    try {
      return await run(server.address, server.process.pid);
    } finally {
      await server.process.quit();
    }
  }

  async #withReplica<T>(run: (worker: Worker<ReplicaMethods>) => Promise<T>): Promise<T> {
    const context = this.#context;
    const file = context.programs.worker('replica');
    const worker = new Worker<ReplicaMethods>(file, [], context.execArgv('scale-replica'));
    try {
      return await run(worker);
    } finally {
      await worker.stop();
    }
  }

  /** Brings the replica up to date, from so many entries behind. */
  #returned(address: string, entries: number) {
    const where = { directory: this.#replica, address, user: 'reader' };
    return this.#withReplica((worker) => worker.call('caughtUp', { ...where, entries }));
  }

  async measure(size: Size): Promise<Measured> {
    const context = this.#context;
    const directory = this.#directory;
    const begun = now();
    const grown = { ...size, messages: size.messages - ABSENCE };
    const first = await this.#scale.call('grow', { directory, ...grown });
    context.note(`${count(size.messages)} messages made in ${time(now() - begun)}`);
    await this.#served(async (address) => {
      const { whole } = await this.#returned(address, first);
      context.note(`a replica of it: ${time(whole)}`);
    });
    const entries = await this.#scale.call('grow', { directory, ...size });
    const reopening = await reopened(context, directory);
    const level = await bareOpening(context, directory);
    return this.#served(async (address, pid) => {
      const { usable, whole } = await this.#returned(address, entries);
      const flags = clientFlags(address, 'reader', this.#replica);
      const client = new Clchat(context, flags, context.execArgv('scale-client'));
      await client.ready;
      const room = await this.#scale.call('aRoom');
      const structure = await command(client, 'structure');
      const history = await command(client, `history #${room}`);
      const found = await indexed(client);
      const search = await command(client, 'search lunch friday');
      await client.quit();
      const memory = await residentMemory(pid);
      const looks = { structure, history, search, found };
      const measured = { reopening, level, memory, usable, whole, ...looks };
      context.note(`${count(size.messages)} messages: ${JSON.stringify(measured)}`);
      return measured;
    });
  }

  stop(): Promise<void> {
    return this.#scale.stop();
  }
}

function rowsOf(size: Size, small: Measured, full: Measured): Row[] {
  const of = `${count(size.accounts)} accounts, ${count(size.rooms)} rooms, ${count(size.messages)} messages`;
  const row = (what: string, value: (measured: Measured) => number, most: number): Row => ({
    what: `${of}: ${what}`,
    clchat: time(value(full)),
    beside: `at a tenth of the size ${time(value(small))}`,
    figure: { text: `≤ ${time(most)}`, reached: value(full) <= most },
  });
  const opening = row(
    'reopening the server, process start to `ready`',
    (m) => m.reopening,
    FIGURE_REOPEN_MS,
  );
  return [
    { ...opening, beside: `${opening.beside}; bare level open ${time(full.level)}` },
    row('`structure` by a client, line to result', (m) => m.structure, FIGURE_LOOK_MS),
    row('`history` of a room, line to result', (m) => m.history, FIGURE_LOOK_MS),
    row(
      `\`search\` for two words, each in a tenth of all messages`,
      (m) => m.search,
      FIGURE_SEARCH_MS,
    ),
    row(
      `a member back after ${count(ABSENCE)} new entries: usable`,
      (m) => m.usable,
      FIGURE_USABLE_MS,
    ),
    row(
      `a member back after ${count(ABSENCE)} new entries: all of it here`,
      (m) => m.whole,
      FIGURE_WHOLE_MS,
    ),
    {
      what: `${of}: server, resident, after it served all this`,
      clchat: bytes(full.memory),
      beside: `at a tenth of the size ${bytes(small.memory)}`,
      figure: { text: `≤ ${bytes(FIGURE_MEMORY)}`, reached: full.memory <= FIGURE_MEMORY },
    },
  ];
}

export const scale: Bench = {
  name: 'scale',
  async run(context): Promise<Row[]> {
    const size = context.size(FULL, part(FULL, 10));
    const community = await Community.found(context);
    try {
      const small = await community.measure(part(size, 10));
      const full = await community.measure(size);
      return rowsOf(size, small, full);
    } finally {
      await community.stop();
    }
  },
};
