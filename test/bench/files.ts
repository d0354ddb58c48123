/** A file from one real program through the server to another's disk, beside the bare stream. */
import { randomFillSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Context } from './support/bench.ts';
import { Clchat, clientFlags, startServer } from './support/clchat.ts';
import { processorTime, Worker } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { median, now, time } from './support/stats.ts';
import type { StreamMethods } from './workers/stream.ts';

/** Least share of the speed of the bare stream. */
const FIGURE = 1 / 3;

/** Milliseconds of each way of a file. */
interface Took {
  readonly attach: number;
  readonly save: number;
}

async function ok(client: Clchat, line: string): Promise<Readonly<Record<string, unknown>>> {
  const result = await client.command(line);
  if (result['ok'] !== true) throw new Error(`${line}: ${String(result['text'])}`);
  return result['data'] as Readonly<Record<string, unknown>>;
}

/** A file of its own for each time: nothing of it is anywhere yet. */
async function makeFile(directory: string, name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name);
  randomFillSync(bytes, 0, 64);
  await writeFile(path, bytes);
  return path;
}

/** Attached by one, saved by another. */
async function pass(from: Clchat, to: Clchat, path: string, directory: string): Promise<Took> {
  const told = new Promise<void>((resolve) => (to.onText = () => resolve()));
  const begun = now();
  const { sent } = await ok(from, `attach ${path}`);
  const attach = now() - begun;
  if (sent !== true) throw new Error('the file was not sent');
  await told;
  const before = now();
  const { file } = await ok(to, `save ^1 ${directory}`);
  const save = now() - before;
  if (!(await readFile(path)).equals(await readFile(String(file))))
    throw new Error('another file was saved');
  return { attach, save };
}

async function bareStream(context: Context, path: string): Promise<number> {
  const file = context.programs.worker('stream');
  const [from, to] = [new Worker<StreamMethods>(file), new Worker<StreamMethods>(file)];
  try {
    const target = join(await context.directory(), 'copy');
    const address = await to.call('receive', { file: target });
    return await from.call('send', { address, file: path });
  } finally {
    await from.stop();
    await to.stop();
  }
}

export const files: Bench = {
  name: 'files',
  async run(context): Promise<Row[]> {
    const size = context.size(100, 32) * 1_000_000;
    const rounds = context.size(5, 3);
    const content = randomFillSync(Buffer.alloc(size));
    const scratch = await context.directory();
    const server = await startServer(context, await context.directory(), {
      ...context.execArgv('files-server'),
      admin: 'root',
    });
    const start = async (user: string): Promise<Clchat> => {
      const flags = clientFlags(server.address, user, await context.directory());
      const client = new Clchat(context, flags, context.execArgv(`files-${user}`));
      await client.ready;
      return client;
    };
    const [alice, bob] = [await start('alice'), await start('bob')];
    try {
      await ok(server.process, `updategroup user files=${size}`);
      const used = (): Promise<number[]> =>
        Promise.all([alice, server.process, bob].map(({ pid }) => processorTime(pid)));
      const open: Took[] = [];
      const sealed: Took[] = [];
      const bare: number[] = [];
      const before = await used();
      // By turns, so that whatever else goes on here meets all alike.
      for (let round = 0; round < rounds; round++) {
        bare.push(await bareStream(context, await makeFile(scratch, `bare${round}`, content)));
        for (const [took, talk] of [
          [open, 'talk #lobby'],
          [sealed, undefined],
        ] as const) {
          await ok(alice, talk ?? 'talk @bob');
          await ok(bob, talk ?? 'talk @alice');
          const path = await makeFile(scratch, `file${round}${took.length}`, content);
          took.push(await pass(alice, bob, path, await context.directory()));
        }
      }
      const after = await used();
      const [sender, middle, recipient] = after.map((all, index) =>
        time((all - before[index]!) / (2 * rounds)),
      );
      context.note(
        `processor time a file: sender ${sender}, server ${middle}, recipient ${recipient}`,
      );
      const speed = (took: number): string => `${(size / 1_000 / took).toFixed(0)} MB/s`;
      const floor = median(bare);
      const row = (what: string, took: readonly Took[], way: keyof Took): Row => {
        const middling = median(took.map((one) => one[way]));
        const share = floor / middling;
        return {
          what: `${what}, ${size / 1_000_000} MB`,
          clchat: `${speed(middling)} (${time(middling)}; ${share.toFixed(2)} × the stream)`,
          beside: `one bare libp2p stream between two programs ${speed(floor)}`,
          figure: { text: '≥ 1/3 of the stream', reached: share >= FIGURE },
        };
      };
      return [
        row('`attach` in an open room', open, 'attach'),
        row('`save` of it by another', open, 'save'),
        row('`attach` between two, sealed', sealed, 'attach'),
        row('`save` of it by the other', sealed, 'save'),
      ];
    } finally {
      await alice.quit();
      await bob.quit();
      await server.process.quit();
    }
  },
};
