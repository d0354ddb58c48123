/** A call in a real pseudo-terminal, with a real X display shared in it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { program } from '../support/build.ts';
import type { Cli } from '../support/cli.ts';
import { devices, sees, seesMore } from '../support/cli-calls.ts';
import { XDisplay } from '../support/media-devices.ts';
import { TestTerminal } from '../support/terminal.ts';
import { workshop } from '../support/workshop.ts';

/** A violet, and its number among the 256 colours. */
const [VIOLET, IS_VIOLET] = ['rgb:5f/00/af', /[34]8;5;55[;m]/];
const PATIENCE_MS = 40_000;

describe('a call in a terminal', function () {
  this.timeout(120_000);
  const shop = workshop();
  let display: XDisplay;
  let ben: Cli;
  let address: string;
  let screen: TestTerminal;

  before(async () => {
    display = await XDisplay.start(320, 240);
    await display.run('xsetroot', '-solid', VIOLET);
    ({ address } = await shop.server({ user: null }));
    const shared = devices(500).map((one, at, all) =>
      all[at - 1] === '--screen' ? display.name : one,
    );
    ben = await shop.client(address, 'ben', { args: shared });
    for (const line of ['room den', 'enter den', 'call']) await ben.ok(line);
    screen = await open('ann', '--graphics', '256');
    for (const question of ['Make this account?', 'New password']) {
      await shows(question);
      screen.type('\r');
    }
    await shows('#lobby>');
    screen.type('/enter den\r');
    await shows('#den>');
  });
  after(async () => {
    screen?.close();
    await display?.stop();
  });

  async function open(user: string, ...args: readonly string[]): Promise<TestTerminal> {
    const home = await shop.newDirectory();
    const who = ['--user', user, '--data', join(home, user)];
    const media = ['--camera', 'test', '--mic', 'none', '--speaker', 'none'];
    const how = ['-lc', '--connect', address, ...who, ...media, ...args];
    const environment = { HOME: home, XDG_DATA_HOME: home };
    return new TestTerminal(await program(), how, { environment });
  }

  const shows = (text: string, on = screen): Promise<void> =>
    on.until(`"${text}"`, (rows) => rows.join('\n').includes(text), PATIENCE_MS);
  /** Rows of pictures at the top, and the names of all below them. */
  const showsGrid = (...names: string[]): Promise<void> =>
    screen.until(
      'the pictures',
      (rows) =>
        /[▀▄]/.test(rows.slice(0, 6).join('')) &&
        rows.some((row) => names.every((name) => new RegExp(`(?:^| )${name}(?: |$)`).test(row))),
      PATIENCE_MS,
    );

  it('is drawn above what is said, which goes on', async () => {
    screen.type('/call\r');
    await showsGrid('ben', 'ann');
    await seesMore(ben, 'ann', 5);
    screen.type('half a line');
    await ben.ok('say the other half');
    await shows('ben: the other half');
    await screen.until(
      'the line',
      () => screen.cursorRow().endsWith('#den> half a line'),
      PATIENCE_MS,
    );
    await showsGrid('ben', 'ann');
  });

  it('brings no pictures to whom they cannot be shown', async () => {
    const plain = await open('cat', '--plain');
    for (const question of ['Make this account?', 'New password']) {
      await shows(question, plain);
      plain.type('\r');
    }
    await shows('You are cat on acme', plain);
    plain.type('/enter den\r/call\r');
    const { video } = await seesMore(ben, 'cat', 5);
    const { sending } = await sees(ben, 'cat', 'more', (seen) => {
      return (seen.video?.framesDecoded ?? 0) > video!.framesDecoded + 20;
    });
    assert.equal(sending, undefined);
    assert.notEqual((await sees(ben, 'ann', 'pictures', () => true)).sending, undefined);
    plain.type('/hangup\r/quit\r');
    assert.equal(await plain.exited, 0);
  });

  it('is drawn anew when the terminal gets another size', async () => {
    for (const [columns, rows] of [
      [60, 20],
      [110, 34],
      [80, 24],
    ] as const) {
      screen.resize(columns, rows);
      screen.forget();
      await showsGrid('ben', 'ann');
      await screen.until('more pictures', () => screen.output.includes('▀'), PATIENCE_MS);
      await screen.until('the line', () => screen.cursorRow().endsWith('half a line'), PATIENCE_MS);
    }
  });

  it('shows a real screen that is shared, in its colours', async () => {
    screen.type('\u0015');
    // The test pattern has some of any colour.
    await ben.ok('camera off');
    screen.type('/camera off\r');
    await screen.until('no pictures', (rows) => !/[▀▄]/.test(rows.join('')), PATIENCE_MS);
    screen.forget();
    await ben.ok('golive all in violet');
    await shows('all in violet');
    assert.doesNotMatch(screen.output, IS_VIOLET);
    screen.type('/watch ben\r');
    await shows('You watch ben.');
    screen.type('/enlarge ben\r');
    await screen.until('its colour', () => IS_VIOLET.test(screen.output), PATIENCE_MS);
    await ben.ok('stoplive');
    await screen.until('no pictures', (rows) => !/[▀▄]/.test(rows.join('')), PATIENCE_MS);
  });

  it('leaves the screen as it ends', async () => {
    screen.type('/hangup\r');
    await screen.until('no pictures', (rows) => !/[▀▄]/.test(rows.join('')), PATIENCE_MS);
    screen.type('/quit\r');
    assert.equal(await screen.exited, 0);
  });
});
