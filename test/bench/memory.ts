/** Memory of an idle client, and what each connected client costs the server. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Context } from './support/bench.ts';
import { Clchat, clientFlags, startServer } from './support/clchat.ts';
import { Crowd } from './support/crowd.ts';
import { ended, residentMemory, startNode, Worker } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { bytes } from './support/stats.ts';
import type { SocketIoServerMethods } from './workers/socketio-server.ts';

const PROCESSES = 4;
const FIGURE_IDLE = 120e6;
const FIGURE_EACH = 300e3;

/** What a process holds after it has been idle for a while. */
async function idle(
  context: Context,
  args: readonly string[],
  milliseconds: number,
): Promise<number> {
  const [file = '', ...rest] = args;
  const child = startNode(file, rest);
  await once(child.stdout!, 'data');
  await sleep(milliseconds);
  const memory = await residentMemory(child.pid ?? 0);
  child.kill();
  await ended(child);
  context.note(`${args.join(' ')}: ${bytes(memory)}`);
  return memory;
}

/** A server that collects its garbage and tells its heap when it is asked to. */
async function weighableServer(context: Context) {
  const report = join(await context.directory(), 'heap');
  const server = await startServer(context, await context.directory(), {
    execArgv: ['--expose-gc', '--import', context.programs.worker('collect-garbage')],
    environment: { CLCHAT_BENCH_HEAP: report },
  });
  const { process: program, address } = server;
  return {
    address,
    async weigh() {
      program.child.kill('SIGUSR2');
      await sleep(1_000);
      const heap = Number(await readFile(report, 'utf8'));
      return { resident: await residentMemory(program.pid), heap };
    },
    stop: () => program.quit(),
  };
}

/** The server alone, with a few clients and with all of them. */
async function ownServer(context: Context, clients: number) {
  const server = await weighableServer(context);
  const crowds: Crowd[] = [];
  const weights = [{ clients: 0, ...(await server.weigh()) }];
  try {
    const few = Math.round(clients / 6);
    for (const [first, number] of [
      [0, few],
      [few, clients - few],
    ] as const) {
      const crowd = await Crowd.start(context, {
        worker: 'crowd',
        clients: number,
        first,
        processes: PROCESSES,
        address: server.address,
        label: 'memory-clients',
      });
      crowds.push(crowd);
      const { took } = await crowd.join(4);
      if (took.length < number) throw new Error('not all clients came in');
      await sleep(context.size(8_000, 3_000));
      const weight = { clients: first + number, ...(await server.weigh()) };
      context.note(`server with ${weight.clients} clients: ${bytes(weight.resident)}`);
      weights.push(weight);
    }
    return weights;
  } finally {
    for (const crowd of crowds) await crowd.stop();
    await server.stop();
  }
}

async function socketIoServer(context: Context, clients: number): Promise<number> {
  const file = context.programs.worker('socketio-server');
  const server = new Worker<SocketIoServerMethods>(file, [], { execArgv: ['--expose-gc'] });
  const address = await server.call('listen');
  const weigh = async (): Promise<number> => {
    await server.call('collectGarbage');
    return residentMemory(server.pid);
  };
  const before = await weigh();
  const crowd = await Crowd.start(context, {
    worker: 'socketio-crowd',
    clients,
    processes: PROCESSES,
    address,
    label: 'memory-socketio',
  });
  try {
    const { took } = await crowd.join();
    await sleep(1_000);
    return ((await weigh()) - before) / took.length;
  } finally {
    await crowd.stop();
    await server.stop();
  }
}

export const memory: Bench = {
  name: 'memory',
  async run(context): Promise<Row[]> {
    const wait = context.size(10_000, 3_000);
    const clients = context.size(300, 100);
    const server = await startServer(context, await context.directory());
    const flags = clientFlags(server.address, 'idle', await context.directory());
    const client = new Clchat(context, flags);
    await client.ready;
    await sleep(wait);
    const own = await residentMemory(client.pid);
    await client.quit();
    await server.process.quit();
    const node = await idle(
      context,
      ['-e', 'process.stdout.write("ready\\n"); setInterval(() => {}, 1e6)'],
      1_000,
    );
    const libp2p = await idle(context, [context.programs.worker('starts/libp2p'), '--stay'], wait);
    const [none, few, all] = await ownServer(context, clients);
    const each = (all!.resident - none!.resident) / all!.clients;
    const further = (all!.resident - few!.resident) / (all!.clients - few!.clients);
    const heap = (all!.heap - none!.heap) / all!.clients;
    const peer = await socketIoServer(context, clients);
    return [
      {
        what: 'an idle client, resident',
        clchat: bytes(own),
        beside: `bare node ${bytes(node)}, bundled libp2p node ${bytes(libp2p)}`,
        figure: { text: `≤ ${bytes(FIGURE_IDLE)}`, reached: own <= FIGURE_IDLE },
      },
      {
        what: `server, resident, for each of ${clients} connected idle clients`,
        clchat: `${bytes(each)} (in all ${bytes(none!.resident)} → ${bytes(all!.resident)}; each beyond the first ${few!.clients}: ${bytes(further)}; heap ${bytes(heap)})`,
        beside: `socket.io ${bytes(peer)}`,
        figure: { text: `≤ ${bytes(FIGURE_EACH)}`, reached: each <= FIGURE_EACH },
      },
    ];
  },
};
