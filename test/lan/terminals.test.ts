/** Two people at two terminals on two hosts of a LAN, who only know what the README says. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab } from './lab.ts';
import { program } from '../support/build.ts';
import { Tmux } from '../support/tmux.ts';

describe('two terminals on a LAN', function () {
  this.timeout(120_000);
  let lab: Lab;
  let directory: string;
  let command: string;
  const open: Tmux[] = [];

  before(async () => {
    command = `'${process.execPath}' '${await program()}'`;
    lab = await Lab.create({ hosts: 2 });
    directory = await mkdtemp(join(tmpdir(), 'clchat-terminals-'));
  });
  after(async () => {
    await Promise.all(open.map((tmux) => tmux.close()));
    await lab.destroy();
    await rm(directory, { recursive: true, force: true });
  });

  const terminal = async (host: string, columns = 90): Promise<Tmux> => {
    const home = join(directory, host);
    await mkdir(home, { recursive: true });
    const tmux = await Tmux.open({
      prefix: ['ip', 'netns', 'exec', lab.host(host).namespace],
      directory: home,
      columns,
      rows: 24,
      env: { HOME: home, XDG_DATA_HOME: home, LANG: 'C.UTF-8', TZ: 'UTC' },
    });
    open.push(tmux);
    return tmux;
  };

  /** What the question is asked with, and the answer. */
  const answer = async (tmux: Tmux, ...answers: [RegExp, string][]): Promise<void> => {
    for (const [question, text] of answers) {
      await tmux.see(question);
      await tmux.enter(text);
    }
  };

  it('are where two people talk, found by multicast', async () => {
    const [ann, joe] = [await terminal('h1'), await terminal('h2')];
    await ann.enter(`${command} -ls`);
    await answer(
      ann,
      [/^Name of the server/, 'acme'],
      [/^Listen on/, ''],
      [/^Your name/, 'ann'],
      [/Make this account\?/, ''],
      [/^New password/, ''],
    );
    await ann.see(/^#lobby>/);
    await joe.enter(`${command} -lc`);
    await answer(
      joe,
      [/^Your name/, 'joe'],
      [/Make this account\?/, 'y'],
      [/^New password/, 'a long enough secret'],
      [/^The same again/, 'a long enough secret'],
    );
    await joe.see(/^#lobby>/);
    const screen = (await joe.rows()).join('\n');
    assert(!screen.includes('a long enough secret'), 'the password is on the screen');
    await ann.see('joe is online');

    await joe.enter('hello from joe');
    await ann.see(/joe: hello from joe$/);
    await joe.see(/joe: hello from joe ✓✓$/);
    await ann.enter('hello joe');
    await joe.see(/ann: hello joe$/);
    await ann.enter('/message joe between us two');
    await joe.see(/ann → you: between us two$/);
    await ann.see(/you → joe: between us two ✓✓$/);
  });

  it('keep a half-typed line through what comes in and through a new size', async () => {
    const [ann, joe] = open as [Tmux, Tmux];
    await ann.type('half a li');
    await ann.see(/^#lobby> half a li$/);
    for (let number = 1; number <= 5; number++) await joe.enter(`line ${number}`);
    await ann.see('joe: line 5');
    await ann.see(/^#lobby> half a li$/);
    await ann.resize(50, 12);
    await joe.enter('after the new size');
    await ann.see('joe: after the new size');
    await ann.see(/^#lobby> half a li$/);
    await ann.enter('ne, now whole');
    await joe.see(/ann: half a line, now whole$/);
  });

  it('are left as they were', async () => {
    const [ann, joe] = open as [Tmux, Tmux];
    await joe.enter('/quit');
    await joe.see(/^\$ ?$/);
    await ann.see('joe is offline');
    await ann.press('C-c');
    await ann.see(/^\$ ?$/);
    for (const tmux of [ann, joe]) {
      await tmux.enter('clear; stty -a | tr " " "\\n" | grep -x -e echo -e icanon -e isig | sort');
      await tmux.see(/^icanon$/);
      const rows = await tmux.rows();
      assert.deepEqual(
        rows.filter((row) => /^(echo|icanon|isig)$/.test(row)),
        ['echo', 'icanon', 'isig'],
      );
      await tmux.enter('exit');
    }
  });
});
