/** From the shell's Enter to an answer or a usable prompt. */
import { once } from 'node:events';
import type { Bench, Context } from './support/bench.ts';
import { Clchat, clientFlags, startServer } from './support/clchat.ts';
import { ended, runNode, startNode } from './support/processes.ts';
import type { Row } from './support/report.ts';
import { median, now, time } from './support/stats.ts';
import { openTerminal, quit } from './support/terminal.ts';

const FIGURE_RATIO = 1.5;
const FIGURE_MS = 800;

/** One after the other by turns, so that whatever else goes on here meets all alike. */
async function interleaved(
  rounds: number,
  runs: readonly (() => Promise<number>)[],
): Promise<number[]> {
  const took = runs.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, run] of runs.entries()) took[index]!.push(await run());
  return took.map(median);
}

/** Until the first line of a program that then goes on or ends. */
async function firstOutput(file: string): Promise<number> {
  const begun = now();
  const child = startNode(file, []);
  await once(child.stdout!, 'data');
  const took = now() - begun;
  await ended(child);
  return took;
}

/** Until `ready` in machine mode. */
async function untilReady(context: Context, args: readonly string[], label: string) {
  const client = new Clchat(context, args, context.execArgv(label));
  const took = await client.ready;
  await client.quit();
  return took;
}

/** Until the prompt is drawn in a pseudo-terminal. */
async function untilPrompt(context: Context, args: readonly string[]): Promise<number> {
  const terminal = openTerminal(context, args);
  const took = (await terminal.see('#lobby> ')) - terminal.begun;
  await quit(terminal);
  return took;
}

export const start: Bench = {
  name: 'start',
  async run(context): Promise<Row[]> {
    const { clchat } = context.programs;
    const [bare = NaN, version = NaN] = await interleaved(context.size(21, 7), [
      () => runNode(['-e', '0']),
      () => runNode([clchat, '--version']),
    ]);
    const server = await startServer(
      context,
      await context.directory(),
      context.execArgv('start-server'),
    );
    try {
      const directory = await context.directory();
      const known = clientFlags(server.address, 'known', directory);
      await untilReady(context, known, 'start-first');
      let number = 0;
      const [libp2p = NaN, ready = NaN, prompt = NaN, first = NaN] = await interleaved(
        context.size(11, 3),
        [
          () => firstOutput(context.programs.worker('starts/libp2p')),
          () => untilReady(context, known, 'start-known'),
          () => untilPrompt(context, known),
          async () => {
            const name = `new${++number}`;
            const fresh = await context.directory();
            return untilReady(context, clientFlags(server.address, name, fresh), 'start-new');
          },
        ],
      );
      const floor = `bundled libp2p node ${time(libp2p)}, bare node ${time(bare)}`;
      const figure = (took: number) => ({
        text: `≤ ${FIGURE_MS} ms`,
        reached: took <= FIGURE_MS,
      });
      return [
        {
          what: '`clchat --version`',
          clchat: `${time(version)} (${(version / bare).toFixed(2)} ×)`,
          beside: `\`node -e 0\` ${time(bare)}`,
          figure: {
            text: `≤ ${FIGURE_RATIO} × node`,
            reached: version <= FIGURE_RATIO * bare,
          },
        },
        {
          what: '`clchat -lc` of a known device to `ready` (--json)',
          clchat: time(ready),
          beside: floor,
          figure: figure(ready),
        },
        {
          what: 'the same to the prompt of a pseudo-terminal',
          clchat: time(prompt),
          beside: floor,
          figure: figure(prompt),
        },
        {
          what: '`clchat -lc` as a new account without a password to `ready`',
          clchat: time(first),
          beside: floor,
          figure: figure(first),
        },
      ];
    } finally {
      await server.process.quit();
    }
  },
};
