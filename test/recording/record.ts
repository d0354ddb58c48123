/**
 * Makes the recordings of the README and the user guide, in `docs`: people on a LAN, for real. Needs
 * root, iproute2 and nftables, as the tests do. Fails where the program does not show what it should.
 *
 *   npm run recording [-- --out DIRECTORY] [NAME]...
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { call } from './call.ts';
import { community } from './community.ts';
import { meeting } from './meeting.ts';
import type { Picture } from './picture.ts';

interface Failed {
  readonly title: string;
  readonly message: string;
}
// What the tests are counted with.
const { count } = createRequire(import.meta.url)('../support/counts.cjs') as {
  readonly count: (passed: number, failed: readonly Failed[], skipped: number) => void;
};

const DOCS = resolve(fileURLToPath(new URL('../../docs', import.meta.url)));
const RECORDINGS = new Map<string, () => Promise<Picture>>([
  ['recording', meeting],
  ['community', community],
  ['call', call],
]);
/** Of those in `docs`: more would be too much to look at, and to load. */
const LIMITS = { seconds: 75, bytes: 1_000_000 };

async function make(name: string, directory: string): Promise<void> {
  const record = RECORDINGS.get(name);
  if (record === undefined) throw new Error(`There is no recording "${name}".`);
  const { svg, lastsMs } = await record();
  const [seconds, bytes] = [lastsMs / 1_000, Buffer.byteLength(svg)];
  const facts = `${seconds.toFixed(1)} s, ${bytes} bytes`;
  // A busy host plays slowly, which says nothing about the program.
  const isTooLong = seconds > LIMITS.seconds || bytes > LIMITS.bytes;
  if (isTooLong && directory === DOCS) throw new Error(`It is too long: ${facts}`);
  const file = join(directory, `${name}.svg`);
  await writeFile(file, svg);
  console.log(`${file}: ${facts}`);
}

const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: DOCS } },
  allowPositionals: true,
});
const directory = resolve(values.out);
await mkdir(directory, { recursive: true });
const names = positionals.length === 0 ? [...RECORDINGS.keys()] : positionals;
const failed: Failed[] = [];
for (const name of names)
  await make(name, directory).catch((error: unknown) => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.error(`The recording "${name}" failed.\n${message}`);
    failed.push({ title: `the recording "${name}"`, message });
  });
count(names.length - failed.length, failed, 0);
process.exitCode = failed.length === 0 ? 0 : 1;
