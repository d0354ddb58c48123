/** The call in an emulated terminal: pictures above what is said. */
import assert from 'node:assert/strict';
import { pictureBytes } from '../../lib/media/frames.ts';
import { CallView } from '../../lib/ui/call-view.ts';
import { LEAST_ROWS } from '../../lib/ui/region.ts';
import { tileOf } from '../support/call-tiles.ts';
import { eventually } from '../support/channels.ts';
import { FakeApp } from '../support/fake-app.ts';
import { PaperTerminal } from '../support/paper-terminal.ts';

const COLUMNS = 60;
const ROWS = 30;
/** Of which the pictures have so many. */
const LENT = 18;

/** A picture all of one brightness. */
function grey(brightness: number, width = 32, height = 24) {
  const data = new Uint8Array(pictureBytes(width, height)).fill(128);
  data.fill(brightness, 0, width * height);
  return { width, height, data, time: 0 };
}

describe('the view of a call', () => {
  let screen: PaperTerminal;
  let app: FakeApp;
  let view: CallView;

  beforeEach(() => {
    screen = new PaperTerminal(COLUMNS, ROWS);
    app = new FakeApp();
    view = new CallView({ app, terminal: screen.prompt.terminal, mode: undefined });
  });
  afterEach(async () => {
    await view.stop();
    await screen.close();
  });

  const above = (): string[] => screen.rows().slice(0, LENT);
  const shows = (...texts: string[]): Promise<void> =>
    screen.until(`${texts.join(' and ')} above`, () =>
      texts.every((text) => above().some((row) => row.includes(text))),
    );
  const isOff = (): Promise<void> => screen.until('no pictures', () => !view.isOpen);
  /** How many cells above are bright. */
  const bright = (): number => {
    let count = 0;
    for (let row = 0; row < LENT; row++)
      for (let column = 0; column < COLUMNS; column++) {
        const { character, ground } = screen.cell(column, row);
        if (ground > 0x808080 || '▀▄█'.includes(character || 'x')) count++;
      }
    return count;
  };

  it('is asked for by the App, and there is none until there is something to be seen', async () => {
    assert.equal(app.screen, view);
    view.show([]);
    view.show([tileOf('bob', { hasPicture: false }), tileOf('alice', { hasPicture: false })]);
    await screen.settled();
    assert.equal(view.isOpen, false);
    assert.equal(screen.written.includes('\u001b[c'), false, 'the terminal was asked');
    assert.equal(view.size('camera bob'), null);
  });

  it('has a tile with a name for each, and their pictures in it', async () => {
    screen.prompt.print('said before');
    view.show([tileOf('bob'), tileOf('alice', { isOwn: true })]);
    await shows('bob', 'alice');
    assert.ok(view.isOpen);
    assert.equal(bright(), 0);
    view.picture('camera bob', grey(235));
    await screen.until('his picture', () => bright() > 100);
    view.picture('camera nobody', grey(235));
    assert.equal(screen.line(), '>');
    assert.ok(screen.rows().slice(LENT).includes('said before'));
  });

  it('has a tile for each device of somebody who has several', async () => {
    view.show([tileOf('bob'), tileOf('bob', { id: 'camera of his phone' })]);
    await screen.until('both', () => above().some((row) => /bob .*bob/.test(row)));
    view.picture('camera bob', grey(235));
    await screen.until('one picture', () => bright() > 100);
    await screen.settled();
    const one = bright();
    view.picture('camera of his phone', grey(235));
    await screen.until('two pictures', () => bright() === 2 * one);
    assert.equal(view.enlarge('bob'), true);
    assert.ok(view.size('camera bob')!.width > view.size('camera of his phone')!.width);
  });

  it('wants pictures as large as their tiles, and none of who has no tile', async () => {
    view.show([tileOf('bob'), tileOf('alice')]);
    assert.equal(view.size('camera bob'), null);
    await shows('bob');
    const two = view.size('camera bob')!;
    assert.ok(two.width > 20 && two.width < COLUMNS / 2 + 1 && two.fps > 0, JSON.stringify(two));
    assert.deepEqual([view.size('screen bob'), view.size('camera eve')], [null, null]);
    const told = app.resizes;
    assert.ok(told > 0);
    view.show([tileOf('bob')]);
    assert.ok(view.size('camera bob')!.width > two.width);
    assert.ok(app.resizes > told);
  });

  it('marks who talks, is muted or silenced, and shares a screen', async () => {
    view.show([tileOf('bob')]);
    await shows('bob');
    await screen.settled();
    const labelled = (): string => above().find((row) => row.includes('bob')) ?? '';
    const plain = labelled();
    for (const mark of ['isTalking', 'isMuted', 'isSuppressed', 'isLive'] as const) {
      const before = screen.written.length;
      view.show([tileOf('bob', { [mark]: true })]);
      await screen.until(mark, () => screen.written.length > before);
      await screen.settled();
      view.show([tileOf('bob')]);
      await screen.until('no mark', () => labelled() === plain);
    }
  });

  it('shows one of them large, the screen that they share where there is one', async () => {
    const tiles = [tileOf('bob'), tileOf('carol'), tileOf('dora')];
    view.show(tiles);
    await shows('bob', 'carol');
    const alike = view.size('camera bob')!;
    assert.equal(view.enlarge('carol'), true);
    assert.ok(view.size('camera carol')!.width > alike.width);
    assert.ok(view.size('camera bob')!.width < alike.width);
    assert.equal(view.enlarge('nobody'), false);
    view.show([tileOf('carol', { kind: 'screen' }), ...tiles]);
    assert.equal(view.enlarge('carol'), true);
    await shows('carol: screen');
    assert.ok(view.size('screen carol')!.width > view.size('camera carol')!.width);
    assert.equal(view.enlarge(undefined), true);
    assert.deepEqual(view.size('screen carol'), view.size('camera carol'));
  });

  it('goes with the call, and leaves all that was said meanwhile', async () => {
    screen.prompt.print('said before');
    view.show([tileOf('bob')]);
    await shows('bob');
    view.picture('camera bob', grey(200));
    screen.type('half a line');
    const during = Array.from({ length: 40 }, (_, number) => `during ${number}`);
    for (const text of during) screen.prompt.print(text);
    await screen.until('his picture', () => bright() > 100);
    view.show([]);
    await isOff();
    await screen.until('all of it', () => during.every((text) => screen.all().includes(text)));
    assert.equal(screen.line(), '> half a line');
    screen.prompt.print('said after');
    await screen.settled();
    const texts = ['said before', ...during, 'said after'];
    assert.deepEqual(
      screen.all().filter((row) => [...during, 'said after'].includes(row)),
      texts.slice(1),
    );
    assert.ok(screen.all().includes('said before'));
    assert.equal(bright(), 0);
    assert.ok(app.resizes > 0);
    assert.equal(view.size('camera bob'), null);
  });

  it('comes and goes in any haste', async () => {
    for (let time = 0; time < 10; time++) {
      view.show([tileOf('bob')]);
      if (time % 3 === 0) await screen.settled();
      view.show([]);
      if (time % 2 === 0) await screen.settled();
    }
    view.show([tileOf('carol')]);
    await shows('carol');
    screen.prompt.print('still here');
    await screen.settled();
    assert.ok(screen.rows().slice(LENT).includes('still here'));
    view.show([]);
    await isOff();
    await screen.until('the prompt at the top', () => screen.rows()[0] === 'still here');
  });

  it('can be switched off and on by the person', async () => {
    view.show([tileOf('bob')]);
    await shows('bob');
    view.want(false);
    await isOff();
    assert.equal(view.size('camera bob'), null);
    view.show([tileOf('bob', { isTalking: true })]);
    await screen.settled();
    assert.equal(view.isOpen, false);
    view.want(true);
    await shows('bob');
  });

  it('follows the size of the terminal', async () => {
    view.show([tileOf('bob'), tileOf('alice')]);
    await shows('bob');
    const before = view.size('camera bob')!;
    view.picture('camera bob', grey(200));
    await screen.until('his picture', () => bright() > 100);
    const told = app.resizes;
    screen.resize(100, 50);
    assert.ok(app.resizes > told);
    assert.ok(view.size('camera bob')!.width > before.width);
    screen.prompt.print('said');
    await screen.until('it all', (rows) => rows.slice(30).includes('said'));
    await screen.until('his picture', () => bright() > 100);
    assert.equal(screen.line(), '>');
  });

  it('makes way where the terminal is too small, wipes nothing away, and comes back', async () => {
    view.show([tileOf('bob')]);
    await shows('bob');
    screen.prompt.print('said before');
    await screen.settled();
    screen.resize(COLUMNS, LEAST_ROWS);
    screen.prompt.print('said meanwhile');
    await isOff();
    await screen.settled();
    assert.ok(screen.rows().includes('said meanwhile'), screen.rows().join('\n'));
    assert.ok(screen.rows().includes('said before'), screen.rows().join('\n'));
    assert.equal(view.size('camera bob'), null);
    screen.resize(COLUMNS, ROWS);
    await shows('bob');
    assert.equal(screen.line(), '>');
  });

  it('is not drawn where the terminal has no room from the beginning', async () => {
    screen.resize(COLUMNS, LEAST_ROWS);
    view.show([tileOf('bob')]);
    await screen.settled();
    screen.prompt.print('said');
    await screen.settled();
    assert.equal(view.isOpen, false);
    assert.ok(screen.rows().includes('said'));
  });

  it('never drowns the prompt, however many pictures come', async () => {
    view.show([tileOf('bob')]);
    await shows('bob');
    for (let number = 0; number < 300; number++)
      view.picture('camera bob', grey(number % 256, 64, 48));
    screen.type('typed meanwhile');
    screen.prompt.print('said meanwhile');
    await screen.until('both', (rows) => rows.slice(LENT).includes('said meanwhile'));
    await screen.until('the line', () => screen.line() === '> typed meanwhile');
    // Of so many at once the last is drawn, and few of the others.
    assert.ok(screen.written.length < 200_000, `${screen.written.length}`);
  });

  it('takes pictures that change their size each time, and no others', async () => {
    view.show([tileOf('bob')]);
    await shows('bob');
    for (let number = 1; number <= 20; number++)
      view.picture('camera bob', grey(200, 2 * number, 30 * number));
    view.picture('camera bob', { ...grey(200), width: 7_680, height: 4_320 });
    view.picture('camera bob', { ...grey(200), width: 0, height: 0 });
    await screen.until('a picture', () => bright() > 10);
    assert.equal(screen.line(), '>');
  });

  it('is drawn as the person says', async () => {
    await view.stop();
    view = new CallView({ app, terminal: screen.prompt.terminal, mode: 'ascii' });
    view.show([tileOf('bob')]);
    await shows('bob');
    view.picture('camera bob', grey(235));
    await screen.until('his picture', (rows) => /[@%#*+=]{10}/.test(rows.slice(0, LENT).join('')));
    assert.equal(bright(), 0);
  });

  it('asks the terminal once what it can do', async () => {
    for (let time = 0; time < 3; time++) {
      view.show([tileOf('bob')]);
      await shows('bob');
      view.show([]);
      await isOff();
    }
    assert.equal(screen.written.split('\u001b[c').length - 1, 1);
  });

  it('gives the screen back with the program', async () => {
    view.show([tileOf('bob')]);
    await shows('bob');
    screen.prompt.print('last words');
    await view.stop();
    await screen.settled();
    assert.deepEqual(screen.rows().slice(0, 2), ['last words', '>']);
    view.show([tileOf('bob')]);
    await screen.settled();
    assert.equal(view.isOpen, false);
    await eventually('the rows', () => screen.prompt.terminal.lend(0) === 0);
  });
});
