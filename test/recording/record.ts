/**
 * Makes the recording of the README, `docs/recording.svg`: two people on a LAN, for real. Needs root,
 * iproute2 and nftables, as the tests do.
 *
 *   npm run recording
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../../lib/lifecycle.ts';
import { Lab } from '../lan/lab.ts';
import { program } from '../support/build.ts';
import { pictureOf } from './picture.ts';
import { RecordedScreen } from './screen.ts';

const SIZE = { columns: 74, rows: 18 };
const OUTPUT = fileURLToPath(new URL('../../docs/recording.svg', import.meta.url));
/** How long the last picture stays. */
const REST_MS = 4_000;

const file = await program();
const lab = await Lab.create({ hosts: 2 });
const directory = await mkdtemp(join(tmpdir(), 'clchat-recording-'));
const began = performance.now();

/** A shell on a host of its own, on which `npx clchat` is this program. */
async function open(host: string): Promise<RecordedScreen> {
  const home = join(directory, host);
  await mkdir(home, { recursive: true });
  const rc = join(home, 'rc');
  await writeFile(rc, `PS1='$ '; npx() { shift; '${process.execPath}' '${file}' "$@"; }\n`);
  return new RecordedScreen(
    'ip',
    ['netns', 'exec', lab.host(host).namespace, 'bash', '--noprofile', '--rcfile', rc, '-i'],
    {
      ...SIZE,
      cwd: home,
      began,
      env: {
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        HOME: home,
        XDG_DATA_HOME: home,
        TERM: 'xterm-256color',
        TZ: 'UTC',
        LANG: 'C.UTF-8',
      },
    },
  );
}

/** Answers what is asked, each after a moment. */
async function answer(screen: RecordedScreen, ...answers: [string, string][]): Promise<void> {
  for (const [question, text] of answers) {
    await screen.see(question);
    await sleep(500);
    await screen.type(`${text}\r`);
  }
}

try {
  const [ann, joe] = [await open('h1'), await open('h2')];
  await Promise.all([ann.see('$ '), joe.see('$ ')]);
  await sleep(800);
  await ann.type('npx clchat -ls\r');
  await answer(ann, ['Name of the server', 'acme'], ['Listen', ''], ['name', 'ann']);
  await answer(ann, ['Make this account', ''], ['New password', ''], ['#lobby>', '']);
  await joe.type('npx clchat -lc\r');
  await answer(joe, ['name', 'joe'], ['Make this account', ''], ['New password', '']);
  await joe.see('#lobby>');
  await joe.type('hello from the other end of the office');
  await ann.type('welc');
  await joe.type('\r');
  await ann.see('hello from');
  await sleep(700);
  await ann.type('ome :)\r');
  await joe.see('welcome');
  await sleep(700);
  await joe.type('/message ann only we two can read this\r');
  await ann.see('only we two');
  await sleep(900);
  await ann.type('/message joe sealed to your devices, and mine\r');
  await joe.see('sealed to');
  await sleep(900);
  await joe.type('/whoelse\r');
  await sleep(1_500);
  await ann.type('/history @joe\r');
  await sleep(1_500);
  const lasts = performance.now() - began + REST_MS;
  const panels = [
    { title: 'ann runs the server peer', frames: ann.frames },
    { title: 'joe found it on the LAN', frames: joe.frames },
  ];
  await writeFile(OUTPUT, pictureOf(panels, SIZE, lasts));
  ann.close();
  joe.close();
} finally {
  await lab.destroy();
  await rm(directory, { recursive: true, force: true });
}
