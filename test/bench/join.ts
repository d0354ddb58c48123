/** Three hundred clients from one address come in at once: as new accounts, then as known devices. */
import type { Bench, Context } from './support/bench.ts';
import { startServer } from './support/clchat.ts';
import { Crowd, type JoinReport } from './support/crowd.ts';
import { processorTime, Worker } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { spread, time } from './support/stats.ts';
import type { SocketIoServerMethods } from './workers/socketio-server.ts';

const PROCESSES = 4;
const FIGURE_MS = 30_000;

/** What joining cost, in milliseconds of processors. */
interface Cost {
  readonly server: number;
  readonly clients: number;
}

function describe({ all, took, failures }: JoinReport, clients: number, cost?: Cost): string {
  const missing = took.length === clients ? '' : `; only ${took.length} of ${clients} came in`;
  const again = failures === 0 ? '' : `; ${failures} attempts failed`;
  const used =
    cost === undefined
      ? ''
      : `; processor time: clients ${time(cost.clients)}, server ${time(cost.server)}`;
  return `all in after ${time(all)} (each: ${spread(took)})${used}${missing}${again}`;
}

async function clchat(context: Context, clients: number) {
  const server = await startServer(
    context,
    await context.directory(),
    context.execArgv('join-server'),
  );
  const crowd = await Crowd.start(context, {
    worker: 'crowd',
    clients,
    processes: PROCESSES,
    address: server.address,
    label: 'join-clients',
  });
  try {
    const joined = async (kind: string): Promise<{ report: JoinReport; cost: Cost }> => {
      const used = async (): Promise<[number, number]> => [
        await processorTime(server.process.pid),
        await crowd.processorTime(),
      ];
      const before = await used();
      const report = await crowd.join();
      const after = await used();
      const cost = { server: after[0] - before[0], clients: after[1] - before[1] };
      context.note(`${kind}: ${describe(report, clients, cost)}`);
      for (const [text, times] of report.faults) context.note(`  ${times} × ${text}`);
      return { report, cost };
    };
    const fresh = await joined('new');
    await crowd.leave();
    const again = await joined('known');
    return { fresh, again };
  } finally {
    await crowd.stop();
    await server.process.quit();
  }
}

async function socketIo(context: Context, clients: number): Promise<JoinReport> {
  const server = new Worker<SocketIoServerMethods>(context.programs.worker('socketio-server'));
  const address = await server.call('listen');
  const crowd = await Crowd.start(context, {
    worker: 'socketio-crowd',
    clients,
    processes: PROCESSES,
    address,
    label: 'join-socketio',
  });
  try {
    return await crowd.join();
  } finally {
    await crowd.stop();
    await server.stop();
  }
}

export const join: Bench = {
  name: 'join',
  async run(context): Promise<Row[]> {
    const clients = context.size(300, 100);
    const own = await clchat(context, clients);
    const peer = await socketIo(context, clients);
    const beside = `socket.io, connections only: ${describe(peer, clients)}`;
    const row = (what: string, { report, cost }: (typeof own)['fresh']): Row => ({
      what,
      clchat: describe(report, clients, cost),
      beside,
      figure: {
        text: '300 in within 30 s',
        reached: report.took.length === clients && report.all <= FIGURE_MS,
      },
    });
    return [
      row(`${clients} new accounts from one address at once`, own.fresh),
      row(`${clients} known devices at once`, own.again),
    ];
  },
};
