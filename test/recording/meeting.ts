/** The first recording: two people on a LAN find each other, and talk. */
import { sleep } from '../../lib/lifecycle.ts';
import { pictureOf, type Picture } from './picture.ts';
import { answer, Studio } from './studio.ts';

const SIZE = { columns: 74, rows: 18 };
/** How long it takes to read a line, in milliseconds. */
const READING_MS = 900;

export async function meeting(): Promise<Picture> {
  const studio = await Studio.open(2);
  try {
    const [ann, joe] = [await studio.shell('h1', SIZE), await studio.shell('h2', SIZE)];
    const began = performance.now();
    for (const screen of [ann, joe]) screen.begin(began);
    await sleep(READING_MS);
    await ann.enter('npx clchat -ls');
    await answer(ann, ['Name of the server', 'acme'], ['Listen', ''], ['name', 'ann']);
    await answer(ann, ['Make this account', ''], ['New password', ''], ['#lobby>', '']);
    await joe.enter('npx clchat -lc');
    await answer(joe, ['name', 'joe'], ['Make this account', ''], ['New password', '']);
    await joe.see('#lobby>');
    await joe.type('hello from the other end of the office');
    await ann.type('welc');
    await joe.enter('');
    await ann.see('joe: hello from the other end of the office');
    await sleep(READING_MS);
    await ann.enter('ome :)');
    await joe.see('ann: welcome :)');
    await sleep(READING_MS);
    await joe.enter('/message ann only we two can read this');
    await ann.see('joe → you: only we two can read this');
    await sleep(READING_MS);
    await ann.enter('/message joe sealed to your devices, and mine');
    await joe.see('ann → you: sealed to your devices, and mine');
    await sleep(READING_MS);
    await joe.enter('/whoelse');
    await joe.see(/^ann$/m);
    await sleep(READING_MS);
    await ann.enter('/history @joe');
    await ann.see(/(?:you → joe: sealed to[^]*){2}/);
    await sleep(READING_MS);
    return pictureOf(
      [
        { title: 'ann runs the server peer', frames: ann.frames },
        { title: 'joe found it on the LAN', frames: joe.frames },
      ],
      { ...SIZE, across: 2 },
    );
  } finally {
    await studio.close();
  }
}
