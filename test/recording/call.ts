/** The third recording: eight people in one call, each at a terminal of their own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../../lib/lifecycle.ts';
import { pictureOf, type Picture } from './picture.ts';
import type { RecordedScreen } from './screen.ts';
import { answer, Studio } from './studio.ts';

/** Pictures move all the time: a few of them say as much. */
const SIZE = { columns: 46, rows: 17, everyMs: 2_000 };
const READING_MS = 2_000;
/** How long everybody is looked at, in milliseconds. */
const LOOKING_MS = 4_000;

interface Face {
  readonly name: string;
  readonly wall: string;
  readonly shirt: string;
  readonly skin: string;
}

const FACES: readonly Face[] = [
  { name: 'ann', wall: '5f87af', shirt: '870000', skin: 'ffd7af' },
  { name: 'joe', wall: '5f875f', shirt: '1c1c1c', skin: 'd7875f' },
  { name: 'mia', wall: '875f87', shirt: 'd7af00', skin: 'af8787' },
  { name: 'ben', wall: 'afaf87', shirt: '005f87', skin: '875f00' },
  { name: 'eva', wall: '005f5f', shirt: 'd75f00', skin: 'ffd7af' },
  { name: 'tom', wall: '5f5f87', shirt: 'd7d7d7', skin: 'd7af87' },
  { name: 'lea', wall: 'af5f5f', shirt: '005f00', skin: 'd7875f' },
  { name: 'max', wall: '878787', shirt: '5f00af', skin: 'ffd7d7' },
];

const run = promisify(execFile);

/** What stands for a camera here: somebody who sits in front of a wall, and does not sit quite still. */
async function film(file: string, { wall, shirt, skin }: Face, number: number): Promise<void> {
  const beat = 3 + (number % 3);
  const parts = [`${wall}:s=160x96`, `${shirt}:s=88x28`, `${skin}:s=40x48`];
  const inputs = parts.flatMap((part) => ['-f', 'lavfi', '-i', `color=c=0x${part}:r=10`]);
  // From one place to the next, and back: what stays in its place takes no room in the picture.
  const sway = `x='60+10*(floor(t/${beat})-2*max(0,floor(t/${beat})-2))':y=20`;
  const drawn = ['-filter_complex', `[0][1]overlay=x=36:y=68[body];[body][2]overlay=${sway}`];
  const lasts = ['-t', String(4 * beat)];
  await run('ffmpeg', ['-v', 'error', ...inputs, ...drawn, ...lasts, '-y', file]);
}

export async function call(): Promise<Picture> {
  const studio = await Studio.open(FACES.length);
  try {
    const screens: RecordedScreen[] = [];
    for (const [index, face] of FACES.entries()) {
      const host = `h${index + 1}`;
      const screen = await studio.shell(host, SIZE);
      await film(join(studio.home(host), 'me.mp4'), face, index);
      screens.push(screen);
      await begin(screen, face.name, index === 0);
    }
    const [ann, joe, mia] = screens as [RecordedScreen, RecordedScreen, RecordedScreen];
    const began = performance.now();
    for (const screen of screens) screen.begin(began);
    await sleep(READING_MS);
    await ann.enter('/call');
    await joe.see('call');
    await sleep(READING_MS);
    for (const screen of screens.slice(1)) {
      await screen.enter('/call');
      await sleep(500);
    }
    await Promise.all(screens.map((screen) => seesAll(screen)));
    await sleep(LOOKING_MS);
    await mia.enter('who takes notes?');
    await joe.see('mia: who takes notes?');
    await joe.enter('I do');
    await ann.see('joe: I do');
    await sleep(READING_MS);
    await ann.enter('/enlarge joe');
    await sleep(LOOKING_MS);
    return pictureOf(
      screens.map(({ frames }, index) => ({ title: FACES[index]!.name, frames })),
      { ...SIZE, across: 4 },
    );
  } finally {
    await studio.close();
  }
}

/** Starts the program, and enters the room in which all meet. */
async function begin(screen: RecordedScreen, name: string, isFirst: boolean): Promise<void> {
  const devices = '--camera me.mp4 --mic none --speaker none';
  const mode = isFirst ? '-ls --name acme' : '-lc';
  await screen.enter(`npx clchat ${mode} --user ${name} ${devices}`);
  if (isFirst) await answer(screen, ['Listen', '']);
  await answer(screen, ['Make this account', ''], ['New password', '']);
  await screen.see('#lobby>');
  await screen.enter(isFirst ? '/room den' : '/enter den');
  if (isFirst) {
    await screen.see(/The room den is made|den/);
    await screen.enter('/enter den');
  }
  await screen.see('#den>');
}

/** Below the pictures there are the names of all others. */
async function seesAll(screen: RecordedScreen): Promise<void> {
  for (const { name } of FACES) await screen.see(new RegExp(`(?:^|\\s)${name}(?:\\s|$)`, 'm'));
}
