/**
 * Fifty clients in one end-to-end encrypted room, in processes apart from the server's. Every
 * delivery counted here has had its author's signature verified and its body decrypted, and lies in
 * the recipient's LevelDB.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Context } from './support/bench.ts';
import { startServer } from './support/clchat.ts';
import { Crowd } from './support/crowd.ts';
import { processorTime, Worker } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { count, now, percent, spread, time } from './support/stats.ts';
import type { CrowdMethods } from './workers/crowd.ts';
import type { SocketIoServerMethods } from './workers/socketio-server.ts';

const CLIENTS = 50;
const PROCESSES = 2;
const SIZE = 200;
/** Messages a second of all together, at which the figure is taken. */
const FIXED_RATE = 230;
const FIGURE = 10_000;
/** Rates that are tried, as long as the deliveries follow. */
const RATES = [50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 850, 1_000];
const PEER_RATES = [500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_000];
/** How long after the last saying deliveries may come and still count as following. */
const GRACE_MS = 1_000;

interface Step {
  readonly rate: number;
  /** Deliveries a second, from the first saying to the last hearing. */
  readonly delivered: number;
  /** Whether everything said was heard by all, and in time. */
  readonly complete: boolean;
  readonly follows: boolean;
  readonly bad: number;
  readonly lags: number[];
  readonly held: number[];
  /** Processors in use by the server and by all clients: 1 is one whole processor. */
  readonly server: number;
  readonly clients: number;
  /** Processor time of all clients for one delivery, in milliseconds. */
  readonly each: number;
}

async function step(
  context: Context,
  crowd: Crowd,
  server: number,
  options: { stream: string; rate: number; seconds: number },
): Promise<Step> {
  const { stream, rate, seconds } = options;
  await crowd.begin();
  const before = [await processorTime(server), await crowd.processorTime()] as const;
  const begun = now();
  const speaking = crowd.speak({ stream, rate, seconds, size: SIZE });
  await sleep(seconds * 1_000);
  const used = [await processorTime(server), await crowd.processorTime()] as const;
  const measured = now() - begun;
  const { said, held, faults } = await speaking;
  for (const [text, times] of faults) context.note(`${times} × ${text}`);
  const expected = said * (CLIENTS - 1);
  const lags: number[] = [];
  let last = begun;
  let bad = 0;
  // What comes later is waited for, though not for long.
  for (
    const end = now() + context.size(20_000, 8_000);
    lags.length + bad < expected && now() < end;
  ) {
    for (const report of await crowd.heard()) {
      for (const lag of report.lags) lags.push(lag);
      last = Math.max(last, report.last);
      bad += report.bad;
    }
    await sleep(50);
  }
  const complete = lags.length === expected;
  const whole = (await crowd.processorTime()) - before[1];
  return {
    each: whole / lags.length,
    rate,
    delivered: lags.length / ((last - begun) / 1_000),
    complete,
    follows: complete && last - begun < seconds * 1_000 + GRACE_MS,
    bad,
    lags,
    held,
    server: (used[0] - before[0]) / measured,
    clients: (used[1] - before[1]) / measured,
  };
}

function describe({ delivered, lags, server, clients, each, complete, bad }: Step): string {
  const doubts = `${complete ? '' : ', incomplete'}${bad === 0 ? '' : `, ${bad} unreadable`}`;
  return `${count(delivered)} deliveries/s, ${spread(lags)}, server ${percent(server)} of a core, clients ${percent(clients)} (${time(each)} a delivery)${doubts}`;
}

/** Raises the rate until the deliveries do not follow. @returns the last that did and the first that did not */
async function climb(
  context: Context,
  rates: readonly number[],
  run: (rate: number) => Promise<Step>,
): Promise<{ best: Step | undefined; broke: Step | undefined }> {
  let best: Step | undefined;
  for (const rate of rates) {
    const result = await run(rate);
    context.note(`${rate}/s: ${describe(result)}${result.follows ? '' : ' (does not follow)'}`);
    if (!result.follows) return { best, broke: result };
    best = result;
  }
  return { best, broke: undefined };
}

function describeClimb({ best, broke }: Awaited<ReturnType<typeof climb>>): string {
  const top = best === undefined ? 'none' : `${count(best.rate)} msg/s: ${describe(best)}`;
  return broke === undefined
    ? `${top} (not the limit)`
    : `${top}; does not follow at ${count(broke.rate)} msg/s (${count(broke.delivered)} deliveries/s)`;
}

async function clchat(context: Context) {
  const server = await startServer(
    context,
    await context.directory(),
    context.execArgv('throughput-server'),
  );
  const crowd = await Crowd.start<CrowdMethods>(context, {
    worker: 'crowd',
    clients: CLIENTS,
    processes: PROCESSES,
    address: server.address,
    label: 'throughput-clients',
  });
  try {
    const joined = await crowd.join(4);
    if (joined.took.length !== CLIENTS) throw new Error('not all clients came in');
    context.note(`${CLIENTS} clients in after ${time(joined.all)}`);
    const accounts = (
      await Promise.all(crowd.workers.map((worker) => worker.call('accounts')))
    ).flat();
    const stream = await crowd.workers[0]!.call('createRoom', { name: 'bench', accounts });
    await Promise.all(crowd.workers.map((worker) => worker.call('awaitRoom', stream)));
    const { pid } = server.process;
    const seconds = context.size(5, 3);
    const run = (rate: number, length = seconds): Promise<Step> =>
      step(context, crowd, pid, { stream, rate, seconds: length });
    // The first message opens the key epoch; then the compiler gets to know the programs.
    await run(20, 2);
    await run(FIXED_RATE, context.size(20, 3));
    const fixed = await run(FIXED_RATE, context.size(15, 5));
    context.note(`${FIXED_RATE}/s: ${describe(fixed)}, held ${spread(fixed.held)}`);
    const rates = fixed.follows
      ? RATES.filter((rate) => rate > FIXED_RATE)
      : RATES.filter((rate) => rate < FIXED_RATE);
    const top = await climb(context, context.quick ? rates.slice(0, 4) : rates, run);
    return { fixed, top: top.best === undefined && fixed.follows ? { ...top, best: fixed } : top };
  } finally {
    await crowd.stop();
    await server.process.quit();
  }
}

async function socketIo(context: Context) {
  const server = new Worker<SocketIoServerMethods>(context.programs.worker('socketio-server'));
  const crowd = await Crowd.start(context, {
    worker: 'socketio-crowd',
    clients: CLIENTS,
    processes: PROCESSES,
    address: await server.call('listen'),
    label: 'throughput-socketio',
  });
  try {
    await crowd.join();
    const run = (rate: number, seconds = context.size(5, 3)): Promise<Step> =>
      step(context, crowd, server.pid, { stream: '', rate, seconds });
    await run(FIXED_RATE / 2, context.size(10, 3));
    const fixed = await run(FIXED_RATE);
    return {
      fixed,
      top: await climb(context, context.quick ? PEER_RATES.slice(0, 4) : PEER_RATES, run),
    };
  } finally {
    await crowd.stop();
    await server.stop();
  }
}

export const throughput: Bench = {
  name: 'throughput',
  async run(context): Promise<Row[]> {
    const own = await clchat(context);
    const peer = await socketIo(context);
    const reached = [own.fixed, own.top.best].some(
      (result) => result !== undefined && result.follows && result.delivered >= FIGURE,
    );
    return [
      {
        what: `${CLIENTS} clients in a private room, ${FIXED_RATE} messages/s of ${SIZE} bytes together`,
        clchat: `${describe(own.fixed)}; held after ${spread(own.fixed.held)}`,
        beside: `socket.io: ${describe(peer.fixed)}`,
        figure: { text: `≥ ${count(FIGURE)} verified deliveries/s`, reached },
      },
      {
        what: 'the same, highest rate that deliveries follow',
        clchat: describeClimb(own.top),
        beside: `socket.io: ${describeClimb(peer.top)}`,
      },
    ];
  },
};
