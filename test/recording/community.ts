/** The second recording: three people who work together, and what a server is for them. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../lib/lifecycle.ts';
import { Agenda } from './agenda.ts';
import { pictureOf, type Picture } from './picture.ts';
import type { RecordedScreen } from './screen.ts';
import { answer, Studio } from './studio.ts';

const SIZE = { columns: 76, rows: 16 };
/** How long it takes to read what has come, in milliseconds. */
const READING_MS = 1_300;
const FILE_BYTES = 24 << 20;

interface People {
  readonly ann: RecordedScreen;
  readonly joe: RecordedScreen;
  readonly mia: RecordedScreen;
}

/** What is played, and under what title. */
const SCENES: readonly (readonly [title: string, scene: (people: People) => Promise<void>])[] = [
  ['joe asks ann to be a contact', contacts],
  ['a room in a room, with a password', rooms],
  ['who is where', structure],
  ['changed, answered, reacted to', messages],
  ['joe goes; what he missed is unread', unread],
  ['a file, end-to-end encrypted', files],
  ['a conference, joined from a contact', conference],
  ['a group, and a code for it', codes],
  ['search and history', search],
];

const reading = (): Promise<void> => sleep(READING_MS);

async function contacts({ ann, joe }: People): Promise<void> {
  await joe.enter('/request ann');
  await ann.see('joe asks to be a contact');
  await reading();
  await ann.enter('/accept joe');
  await joe.see('ann is a contact now.');
}

async function rooms({ ann, joe, mia }: People): Promise<void> {
  await ann.enter('/room team');
  await joe.see('The room team is made by ann.');
  await ann.enter('/room team/plans open-sesame');
  await mia.see('The room team/plans is made by ann.');
  await Promise.all([
    ann.enter('/enter team/plans'),
    mia.enter('/enter team/plans'),
    joe.enter('/enter team/plans'),
  ]);
  await answer(mia, ['Password of team/plans', 'open-sesame']);
  await answer(joe, ['Password of team/plans', 'open-sesame']);
  await Promise.all([mia, joe].map((one) => one.see('You have joined team/plans')));
  await ann.see('joe is in team/plans now.');
}

async function structure({ mia }: People): Promise<void> {
  await mia.enter('/structure');
  await mia.see('#plans [password] [entered]');
  await reading();
}

async function messages({ ann, joe, mia }: People): Promise<void> {
  await ann.enter('lunch at eight?');
  await mia.see('ann: lunch at eight?');
  await ann.enter('/edit 1 lunch at twelve?');
  await mia.see('ann edits a message: lunch at twelve?');
  await Promise.all([mia.enter('/reply ^ gladly, @ann'), joe.enter('/react ^ 👍')]);
  await ann.see('gladly, @ann');
  await ann.see('joe reacts 👍 to you "lunch at twelve?"');
}

async function unread({ ann, joe, mia }: People): Promise<void> {
  await joe.enter('/quit');
  await ann.see('joe is offline');
  await Promise.all([ann.enter('the film is cut, @joe'), mia.enter('/message joe call me')]);
  await reading();
  await joe.enter('npx clchat -lc --user joe');
  await joe.see(/Unread: .*1 to you/);
  await joe.enter('/notifications');
  await joe.see('@mia: 1');
}

async function files({ ann, mia }: People): Promise<void> {
  await ann.enter('/attach film.mp4 the film');
  await mia.see('[film.mp4, ');
  await ann.see(/film\.mp4 (?:✓|is sent)/);
  await mia.enter('/save');
  await mia.see('Saved as ');
}

async function conference({ ann, joe }: People): Promise<void> {
  await ann.enter('/conference standup');
  await joe.see('ann has begun the conference standup.');
  await joe.enter('/joinconf ann');
  await joe.see('You are in the conference standup, with ann.');
  await joe.enter('good morning');
  await ann.see('joe: good morning');
  await ann.enter('/endconf');
  await joe.see('The conference standup has ended: its owner has ended it.');
}

async function codes({ ann, mia }: People): Promise<void> {
  await ann.enter('/creategroup crew 20');
  await ann.see('The group "crew" is made');
  await ann.enter('/updategroup crew +sendMessage +createUser');
  await ann.see('"crew" (level 20');
  await ann.enter('/code crew');
  const code = await ann.see(/Code for the group "crew": (\S+)/);
  await mia.enter(`/elevate ${code}`);
  await mia.see('You are in the group "crew" now.');
  await ann.see('mia has used your code');
}

async function search({ joe, mia }: People): Promise<void> {
  await Promise.all([joe.enter('/search lunch twelve'), mia.enter('/history 3')]);
  await joe.see('lunch at twelve? (edited) [👍 joe]');
  await mia.see('the film [film.mp4');
  await reading();
}

/** Everybody has an account, and is in the lobby. */
async function gather({ ann, joe, mia }: People): Promise<void> {
  await ann.enter('npx clchat -ls --name acme --listen 0.0.0.0:49152 --user ann');
  await answer(ann, ['Make this account', ''], ['New password', '']);
  await ann.see('#lobby>');
  for (const [person, name] of [
    [joe, 'joe'],
    [mia, 'mia'],
  ] as const) {
    await person.enter(`npx clchat -lc --user ${name}`);
    await answer(person, ['Make this account', ''], ['New password', '']);
    await person.see('#lobby>');
    await ann.see(`${name} is online`);
  }
  for (const person of [ann, joe, mia]) {
    await person.enter('/clear');
    await person.see(/^#lobby>\s*$/);
  }
}

export async function community(): Promise<Picture> {
  const studio = await Studio.open(3);
  try {
    const people: People = {
      ann: await studio.shell('h1', SIZE),
      joe: await studio.shell('h2', SIZE),
      mia: await studio.shell('h3', SIZE),
    };
    await writeFile(join(studio.home('h1'), 'film.mp4'), randomBytes(FILE_BYTES));
    await gather(people);
    const began = performance.now();
    const agenda = new Agenda(
      SCENES.map(([title]) => title),
      SIZE,
      began,
    );
    const { ann, joe, mia } = people;
    for (const screen of [ann, joe, mia]) screen.begin(began);
    for (const [title, scene] of SCENES) {
      agenda.begin(title);
      await scene(people);
      await reading();
    }
    agenda.end();
    return pictureOf(
      [
        { title: 'ann runs the server peer', frames: ann.frames },
        { title: 'joe', frames: joe.frames },
        { title: 'mia', frames: mia.frames },
        { title: 'clchat: three people on a LAN', frames: agenda.frames },
      ],
      { ...SIZE, across: 2 },
    );
  } finally {
    await studio.close();
  }
}
