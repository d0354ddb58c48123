/** The whole program at a terminal: what a person is asked there, and what is seen of it. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { program } from '../support/build.ts';
import { temporary } from '../support/temporary.ts';
import { TestTerminal } from '../support/terminal.ts';
import { Tmux } from '../support/tmux.ts';
import { freePort, workshop } from '../support/workshop.ts';

const CTRL_C = '\u0003';

describe('the program at a terminal', function () {
  this.timeout(60_000);
  const shop = workshop();
  const { newDirectory } = temporary();
  const open: TestTerminal[] = [];
  let home: string;

  beforeEach(async () => {
    home = await newDirectory();
  });
  afterEach(() => {
    for (const terminal of open.splice(0)) terminal.close();
  });

  const start = async (
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<TestTerminal> => {
    const terminal = new TestTerminal(await program(), args, {
      columns: 100,
      rows: 30,
      environment: { HOME: home, XDG_DATA_HOME: home, ...environment },
    });
    open.push(terminal);
    return terminal;
  };

  /** Gives the answer once the question is the last thing on the screen. */
  const answer = async (screen: TestTerminal, ...answers: [string, string][]): Promise<void> => {
    for (const [question, text] of answers) {
      await screen.until(question, (rows) => rows.at(-1)?.includes(question) === true);
      screen.type(`${text}\r`);
    }
  };

  const entered = (screen: TestTerminal): Promise<void> =>
    screen.until(
      'the prompt',
      (rows) => rows.at(-1) === '#lobby>' && screen.all().join(' ').includes('the commands.'),
    );

  it('asks again after an answer that cannot be used, and makes no account against a no', async () => {
    const { address } = await shop.server();
    const screen = await start(['-ls']);
    const free = `127.0.0.1:${await freePort()}`;
    await answer(
      screen,
      ['Name of the server', 'a/b'],
      ['Name of the server', 'acme'],
      ['Listen on', 'nowhere'],
      ['Listen on', address],
      ['Listen on', free],
      ['Your name', 'everybody'],
      ['Your name', '"ann"'],
      ['Your name', 'ann'],
      ['Make this account?', 'n'],
      ['Your name', 'anna'],
      ['Make this account?', 'y'],
      ['New password', ''],
    );
    await entered(screen);
    const shown = screen.all().join('\n');
    for (const text of [
      /BAD_NAME: A name has 1 to 32/,
      /BAD_ADDRESS: /,
      /PORT_IN_USE: 127\.0\.0\.1:\d+ is in use, most likely by another clchat server/,
      /BAD_NAME: "everybody" would be taken for something else/,
      /BAD_NAME: A name may not contain quotes/,
      /^Nothing was made\.$/m,
      /You are anna on acme/,
    ])
      assert.match(shown, text);
    assert.equal(shown.includes('NO_SUCH_USER'), false);
    // The same once more: it is there already, and not asked about its directory.
    const other = await start(['-ls', '--name', 'acme', '--listen', '127.0.0.1:0']);
    await other.see('DATA_IN_USE: acme already runs here; join it with "clchat -lc".');
    assert.equal(await other.exited, 1);
  });

  it('says at once that a password was wrong, and that another window is another device', async () => {
    const { address } = await shop.server();
    const args = ['-lc', '--connect', address, '--user', 'bob'];
    const first = await start(args);
    await answer(
      first,
      ['Make this account?', ''],
      ['New password', 'secret'],
      ['The same again', 'secret'],
    );
    await entered(first);
    const second = await start(args);
    await answer(second, ['Password', 'wrong']);
    await second.see('BAD_PASSWORD: ');
    await second.see('bob is in use in another window here');
    await answer(second, ['Password', 'secret']);
    await entered(second);
  });

  it('asks before it takes a server away from those who are there', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const screen = await start(['-ls', '--listen', address, '--name', 'acme', '--user', 'ann']);
    await answer(screen, ['Make this account?', ''], ['New password', '']);
    await entered(screen);
    const [bob, eva] = await shop.clients(address, ['bob', 'eva']);
    await screen.see('eva is online');
    await screen.see('bob is online');
    screen.type('/quit\r');
    await answer(screen, ['2 people are online; end the server? [y/N]', '']);
    await entered(screen);
    await eva.quit();
    await screen.see('eva is offline');
    screen.type(CTRL_C);
    await screen.see('1 person is online; end the server? [y/N]');
    screen.type(CTRL_C);
    assert.equal(await screen.exited, 130);
    await bob.event('server', { connected: false });
    await bob.quit();
  });

  it('asks twice for what a backup is sealed under, and before it replaces a file', async () => {
    const screen = await start([
      ...['-ls', '--listen', '127.0.0.1:0', '--name', 'acme', '--user', 'ann'],
      ...['--data', join(home, 'server')],
    ]);
    await answer(screen, ['Make this account?', ''], ['New password', '']);
    await entered(screen);
    await mkdir(join(home, 'safe'));
    const file = join(home, 'safe', 'acme.backup');
    await writeFile(file, 'precious');
    screen.type('/backup ~/safe/acme.backup\r');
    await answer(screen, ['Replace it? [y/N]', '']);
    await screen.see('ALREADY: ');
    assert.equal(await readFile(file, 'utf8'), 'precious');
    screen.type(`/backup ${file}\r`);
    await answer(
      screen,
      ['Replace it? [y/N]', 'y'],
      ['Passphrase for the backup', 'one'],
      ['The same again', 'other'],
      ['That was not the same', 'one'],
      ['The same again', 'one'],
    );
    await screen.see('The backup is written to');
    assert.notEqual((await readFile(file, 'latin1')).slice(0, 8), 'precious');
  });

  it('shows what becomes of a message that is taller than the screen, and can recall it', async () => {
    const { address } = await shop.server();
    const screen = await start(['-lc', '--connect', address, '--user', 'bob']);
    await answer(screen, ['Make this account?', ''], ['New password', '']);
    await entered(screen);
    screen.type(`${'long '.repeat(1_000)}\r`);
    await screen.until('its mark', (rows) => /^✓/.test(rows.at(-2) ?? ''));
    screen.type('w'.repeat(17_000));
    await screen.see('wwww');
    screen.type('\r');
    await screen.see('TOO_LARGE: ');
    assert.ok(screen.rows().includes('✗'));
    screen.type('\u001b[A');
    await screen.until('it again', (rows) => /^w+$/.test(rows.at(-1) ?? ''));
  });

  it('ends with a failure where the input ends in the midst of a question', async () => {
    const { address } = await shop.server();
    const screen = await start(['-lc', '--plain', '--connect', address]);
    await screen.see('Your name');
    screen.type('\u0004');
    await screen.see('CLOSED: The input ended where "Your name');
    assert.equal(await screen.exited, 1);
  });

  it('asks nothing where nobody is at a terminal', async () => {
    const { address } = await shop.server();
    const made = await shop.run(['-lc', '--connect', address, '--user', 'dan'], {
      password: 'secret',
      input: '/logout\n/login dan\n',
    });
    assert.match(made.stdout, /dan is logged out/);
    assert.match(made.stdout, /You are logged in as dan|BAD_PASSWORD/);
    assert.equal(made.stdout.includes('Password:'), false);
    const other = await shop.run(['--data', await newDirectory()], {
      input: `connect ${address}\nlogin dan\npasswd\n`,
    });
    assert.match(other.stdout, /BAD_PASSWORD: A password is needed/);
    assert.equal(other.stdout.includes('Password:'), false);
  });
});

describe('the program in a shell', function () {
  this.timeout(90_000);
  const { newDirectory } = temporary();
  let tmux: Tmux | undefined;
  afterEach(() => tmux?.close());

  for (const [how, begin] of [
    ['by node', (file: string) => `'${process.execPath}' '${file}'`],
    // As npx does it: another process of the same job waits for it.
    [
      'by another process',
      (file: string) => `sh -c "'${process.execPath}' '${file}' \\$0 \\$*; :"`,
    ],
  ] as const)
    it(`started ${how} is stopped by Ctrl-Z, and goes on`, async () => {
      const directory = await newDirectory();
      tmux = await Tmux.open({
        directory,
        columns: 90,
        rows: 24,
        env: { HOME: directory, XDG_DATA_HOME: directory, LANG: 'C.UTF-8' },
      });
      const options = '-ls --listen 127.0.0.1:0 --name acme --user ann';
      await tmux.enter(`${begin(await program())} ${options}`);
      await tmux.see(/Make this account/);
      await tmux.press('Enter');
      await tmux.see(/New password/);
      await tmux.press('Enter');
      await tmux.see(/^#lobby>/);
      await tmux.type('half a li');
      await tmux.see(/^#lobby> half a li$/);
      await tmux.press('C-z');
      await tmux.see(/Stopped/);
      await tmux.enter('echo the shell $((1 + 1))');
      await tmux.see(/^the shell 2$/);
      await tmux.enter('fg');
      await tmux.see(/^#lobby> half a li$/);
      await tmux.enter('ne');
      await tmux.see(/ann: half a line ✓/);
      await tmux.press('C-c');
      await tmux.see(/^\$ ?$/);
    });
});
