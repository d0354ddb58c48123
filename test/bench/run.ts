/**
 * Runs the benches: all of them, or those named. A full run writes its table into
 * `docs/performance.md`.
 *
 *   npm run bench -- [NAME…] [--quick] [--profile]
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { calls } from './calls.ts';
import { files } from './files.ts';
import { floors } from './floors.ts';
import { internet } from './internet.ts';
import { join } from './join.ts';
import { latency } from './latency.ts';
import { log } from './log.ts';
import { memory } from './memory.ts';
import { mixing } from './mixing.ts';
import { topOfDirectory } from './profile.ts';
import { Context, PROFILES, type Bench } from './support/bench.ts';
import { build } from './support/build.ts';
import { endAll, everybodysTime } from './support/processes.ts';
import { describeMachine, tablesOf, writeInto, type Section } from './support/report.ts';
import { now, time } from './support/stats.ts';
import { renderer } from './renderer.ts';
import { scale } from './scale.ts';
import { start } from './start.ts';
import { throughput } from './throughput.ts';

const BENCHES: readonly Bench[] = [
  start,
  join,
  latency,
  throughput,
  files,
  log,
  scale,
  memory,
  internet,
  calls,
  mixing,
  renderer,
  floors,
];
const DOCUMENT = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
/** The whole may take so long, in milliseconds; then it ends with what it has. */
const LIMIT_MS = 40 * 60_000;

const tooLate = AbortSignal.timeout(LIMIT_MS);

/** Rejects when the whole takes too long. */
function limit(): Promise<never> {
  return new Promise((_resolve, reject) => {
    tooLate.addEventListener('abort', () => reject(new Error('the benches took too long')), {
      once: true,
    });
  });
}

/** Packages of the benches alone, which the product's installation leaves out. */
async function installPeers(): Promise<void> {
  const directory = fileURLToPath(new URL('.', import.meta.url));
  if (existsSync(`${directory}node_modules/socket.io`)) return;
  process.stderr.write('installing the packages that the benches compare with…\n');
  await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd: directory });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, profile: { type: 'boolean' } },
  });
  const quick = values.quick === true;
  const profiled = values.profile === true;
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0)
    throw new Error(
      `There is no bench "${unknown[0]}". There are: ${BENCHES.map(({ name }) => name).join(', ')}.`,
    );
  const chosen = BENCHES.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  await installPeers();
  const context = new Context({ programs: await build(profiled), quick, profiled });
  await context.prepare();
  const sections: Section[] = [];
  const before = await everybodysTime();
  const begun = now();
  let failed = false;
  try {
    for (const bench of chosen) {
      process.stderr.write(`${bench.name}\n`);
      const from = now();
      const rows = await Promise.race([bench.run(context), limit()]).catch((error: unknown) => {
        // The others are worth having all the same.
        failed = true;
        process.exitCode = 1;
        console.error(error);
        return [{ what: 'failed', clchat: String(error), beside: '' }];
      });
      sections.push({ name: bench.name, rows });
      context.note(`took ${time(now() - from)}`);
      await endAll();
      if (tooLate.aborted) break;
    }
  } finally {
    await endAll();
    await context.clean();
  }
  const after = await everybodysTime();
  const used = after.machine - before.machine - (after.own - before.own);
  const machine = describeMachine({ quick, others: used / (now() - begun) });
  const tables = tablesOf(sections);
  process.stdout.write(`${machine.join('\n')}\n\n${tables}\n`);
  if (profiled) process.stdout.write(await topOfDirectory(PROFILES));
  const whole = sections.length === BENCHES.length && !quick && !profiled && !failed;
  if (whole) await writeInto(DOCUMENT, machine, tables);
  process.stderr.write(`took ${time(now() - begun)} in all\n`);
}

const onSignal = (): void => void endAll().finally(() => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
await main();
// What a bench that was given up still waits for must not keep the program.
process.exit();
