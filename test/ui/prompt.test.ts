/** The prompt and line mode in a real pseudo-terminal. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AppEvent } from '../../lib/app/types.ts';
import { tileOf } from '../support/call-tiles.ts';
import type { FakeOptions } from '../support/fake-app.ts';
import { TestTerminal, type TerminalSetup } from '../support/terminal.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/line-mode.ts', import.meta.url));
const UP = '\u001b[A';
const LEFT = '\u001b[D';
const HOME = '\u0001';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

interface Program extends FakeOptions {
  readonly plain?: boolean;
  readonly startIn?: 'chat' | 'command';
  readonly historyPath?: string;
  readonly asksFirst?: boolean;
}

describe('prompt in a terminal', () => {
  let directory: string;
  let server: Server;
  let program: Promise<Socket>;
  let terminal: TestTerminal | undefined;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'clchat-prompt-'));
    server = createServer();
    program = new Promise((resolve) => server.once('connection', resolve));
    await new Promise<void>((resolve) => server.listen(join(directory, 'socket'), resolve));
  });

  afterEach(async () => {
    terminal?.close();
    terminal = undefined;
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  async function start(
    setup: Program = {},
    terminalSetup: TerminalSetup = {},
  ): Promise<TestTerminal> {
    const argument = JSON.stringify({
      user: 'alice',
      conversation: '#lobby',
      ...setup,
      socket: join(directory, 'socket'),
    });
    terminal = new TestTerminal(FIXTURE, [argument], terminalSetup);
    if (setup.asksFirst !== true)
      await terminal.until('the greeting', (rows) => rows.join(' ').includes('the commands.'));
    await program;
    return terminal;
  }

  async function instruct(instruction: object): Promise<void> {
    (await program).write(`${JSON.stringify(instruction)}\n`);
  }

  const emit = (event: AppEvent): Promise<void> => instruct({ emit: event });

  const incoming = (text: string, fields: { to?: string; from?: string } = {}): Promise<void> =>
    emit({
      event: 'message',
      id: text,
      from: fields.from ?? 'bob',
      ...(fields.to === undefined ? { room: 'lobby' } : { to: fields.to }),
      text,
      time: Date.now(),
      mine: false,
    });

  it('keeps a half-typed line while text comes in, and sends it whole', async () => {
    const screen = await start();
    screen.type('half a li');
    await screen.see('#lobby> half a li');
    await incoming('first');
    await screen.see('bob: first');
    screen.type('ne');
    await incoming('second \u001b[2Jwith a trick\u202e');
    await screen.see('bob: second with a trick');
    await screen.see('#lobby> half a line');
    assert.match(screen.output, /\u001b\[[39]\dmbob\u001b\[0m/);
    const rows = screen.rows();
    assert.equal(rows.filter((row) => row.includes('half a')).length, 1, rows.join('\n'));
    assert.match(rows.at(-1) ?? '', /^#lobby> half a line$/);
    assert.deepEqual(screen.cursor(), {
      row: rows.length - 1,
      column: '#lobby> half a line'.length,
    });
    screen.type('\r');
    await screen.see('alice: half a line ✓');
    await screen.until('an empty prompt', (now) => now.at(-1) === '#lobby>');
    assert.equal(screen.rows().filter((row) => row.includes('half a line')).length, 1);
  });

  it('shows who is typing before what is half typed, and leaves that whole', async () => {
    const screen = await start();
    screen.type('half a li');
    await screen.see('#lobby> half a li');
    await emit({ event: 'typing', user: 'bob', room: 'lobby' });
    await screen.see('(bob is typing…) #lobby> half a li');
    screen.type('ne');
    await screen.see('(bob is typing…) #lobby> half a line');
    const rows = screen.rows();
    const column = '(bob is typing…) #lobby> half a line'.length;
    assert.deepEqual(screen.cursor(), { row: rows.length - 1, column });
    await incoming('there');
    await screen.until('an end of it', (now) => now.at(-1) === '#lobby> half a line');
  });

  it('wraps a long line, and puts the cursor right among wide characters', async () => {
    const screen = await start({}, { columns: 20, rows: 10 });
    screen.type('日本語 0123456789 👩‍👩‍👧 tail');
    await screen.see('tail');
    await incoming('meanwhile');
    await screen.until('text above', (rows) => rows.join('').includes('bob: meanwhile'));
    await screen.see('tail');
    screen.type(`${HOME}X`);
    await screen.see('#lobby> X日本語');
    assert.equal(screen.cursor().column, '#lobby> X'.length);
    const typed = screen.rows().slice(screen.cursor().row).join('');
    assert.match(typed.replaceAll(' ', ''), /^#lobby>X日本語0123456789👩‍👩‍👧tail$/u);
    screen.type('\u0005\u007f\u007f\u007f\u007f\u007f\u007f!\r');
    await screen.until('the sent line', (rows) =>
      rows.join('').replaceAll(' ', '').includes('alice:X日本語0123456789!✓'),
    );
  });

  for (const reflowCursorLine of [false, true]) {
    for (const answers of [true, false]) {
      // This emulator leaves the cursor at the edge when it wraps its row anew, so that nobody can
      // tell: one row of the old line stays, and nothing that was printed is lost.
      const exact = !reflowCursorLine;
      const kind = `${reflowCursorLine ? 'wraps' : 'cuts'} the cursor's row and ${answers ? 'answers' : 'is silent'}`;
      it(`is drawn once after a resize where the terminal ${kind}`, async () => {
        const screen = await start({}, { columns: 60, rows: 12, reflowCursorLine, answers });
        await incoming('a line that was there before');
        await screen.see('there before');
        const line = 'the quick brown fox jumps over the lazy dog '.repeat(2) + '0123456789 END';
        screen.type(line);
        await screen.see('END');
        // The cursor is beyond the columns to come: what the terminal does with its row matters.
        assert.ok(screen.cursor().column >= 34);
        screen.resize(34, 12);
        await screen.until('34 columns', (rows) => rows.at(-1) === '6789 END');
        screen.resize(70, 12);
        await screen.until(
          '70 columns',
          (rows) => rows.at(-1) === 'x jumps over the lazy dog 0123456789 END',
        );
        screen.type('ING');
        await screen.see('ENDING');
        const text = screen.all().join('\n');
        assert.equal(text.split('there before').length, 2, text);
        if (exact) assert.equal(text.split('the quick').length, 3, text);
        const typed = `#lobby> ${line}ING`;
        assert.equal(screen.rows().slice(-2).join(''), typed);
      });
    }
  }

  it('changes the mark of a line in place while it is on the screen, and not after', async () => {
    const screen = await start({ manual: true }, { columns: 40, rows: 8 });
    screen.type('one\r');
    await screen.see('alice: one …');
    await incoming('x'.repeat(50));
    await screen.see('xxxx');
    screen.type('half');
    await screen.see('#lobby> half');
    await instruct({ hold: 1 });
    await screen.see('alice: one ✓');
    await emit({ event: 'receipt', id: 'm1', held: true, on: 1, of: 3 });
    await screen.see('alice: one ✓ 1/3');
    await emit({ event: 'receipt', id: 'm1', held: true, on: 3, of: 3 });
    await screen.see('alice: one ✓✓');
    const rows = screen.rows();
    assert.equal(rows.filter((row) => row.includes('alice: one')).length, 1);
    assert.equal(rows.at(-1), '#lobby> half');
    for (let count = 0; count < 8; count += 1) await incoming(`filler ${count}`);
    await screen.see('filler 7');
    const before = screen.all();
    await emit({ event: 'receipt', id: 'm1', held: true, on: 1, of: 9 });
    await incoming('last');
    await screen.see('bob: last');
    assert.deepEqual(screen.all().slice(0, before.length - 1), before.slice(0, -1));
    assert.equal(screen.rows().at(-1), '#lobby> half');
  });

  it('marks a refused message and says why', async () => {
    const screen = await start();
    screen.type('/message nobody hello\r');
    await screen.see('you → nobody: hello ✗');
    await screen.see('NO_SUCH_USER: There is no user of that name.');
    screen.type('fine\r');
    await screen.see('alice: fine ✓');
    await emit({ event: 'refused', id: 'm1', code: 'DENIED', text: 'Not allowed here.' });
    await screen.see('alice: fine ✗');
    await screen.see('DENIED: Not allowed here. (fine)');
  });

  it('never shows a secret, nor keeps the line that carries one', async () => {
    const historyPath = join(directory, 'history');
    const screen = await start({
      user: undefined,
      conversation: undefined,
      startIn: 'command',
      historyPath,
    });
    await screen.see('You are not logged in');
    screen.type('login alice\r');
    await screen.see('Password of alice:');
    screen.type('sec');
    await incoming('meanwhile');
    await screen.see('meanwhile');
    screen.type('ret\r');
    await screen.see('You are logged in as alice.');
    screen.type('passwd hunter1 hunter2\r');
    await screen.see('The password is changed.');
    await screen.see('>>> passwd **** ****');
    screen.type('whoelse\r');
    await screen.see('carol');
    screen.type(UP);
    await screen.see('>>> whoelse');
    screen.type(UP);
    screen.type('!');
    await screen.see('>>> whoelse!');
    assert.equal(screen.output.includes('secret'), false);
    assert.equal(readFileSync(historyPath, 'utf8'), 'whoelse\n');
    assert.equal(statSync(historyPath).mode & 0o777, 0o600);
  });

  it('completes commands, names and flags, and lists what is open', async () => {
    const screen = await start({ startIn: 'command' });
    screen.type('mess\t');
    await screen.see('>>> message');
    screen.type('bo\thello\r');
    await screen.see('you → bob: hello ✓');
    screen.type('who\t');
    await screen.see('>>> whoelse');
    screen.type('\t');
    await screen.see('whoelse       whoelsesince');
    screen.type('\u0015history #lo\t\t');
    await screen.see('#lobby      #long-hall');
    screen.type('b\t\r');
    await screen.see('No messages in #lobby yet.');
    screen.type('mode chat\r');
    await screen.see('#lobby>');
    screen.type('bo\thi\r');
    await screen.see('alice: bob: hi ✓');
    screen.type('/he\tmessage\r');
    await screen.see('Send a message to one person.');
  });

  it('switches modes, follows the room, escapes a slash, and masks nothing else', async () => {
    const screen = await start({ startIn: 'command' });
    await screen.until('the prompt', (rows) => rows.at(-1) === '>>>');
    await instruct({ set: { room: 'den' } });
    await emit({ event: 'presence', user: 'carol', online: true });
    await screen.see('* carol is online');
    screen.type('/whoelse\r');
    await screen.until('the room', (rows) => rows.at(-1) === '[den] >>>');
    screen.type('mode\r');
    await screen.until('chat', (rows) => rows.at(-1) === '#lobby>');
    screen.type('//not a command\r');
    await screen.see(': /not a command ✓');
    await instruct({ set: { conversation: '@bob' } });
    await emit({ event: 'presence', user: 'bob', online: true });
    await screen.see('* bob is online');
    screen.type('just for you\r');
    await screen.see('you → bob: just for you ✓');
    screen.type('/wheelse\r');
    await screen.see('Did you mean "/whoelse"?');
  });

  it('reads what is typed ahead in the mode it was typed for', async () => {
    const screen = await start({ manual: true });
    screen.type('hello\r/mode command\rwhoelse\r');
    await screen.see('>>> whoelse');
    await instruct({ hold: 1 });
    await screen.see('command mode');
    await screen.see('carol');
    assert.equal(
      screen.all().some((row) => row.includes('alice: whoelse')),
      false,
    );
  });

  it('answers questions with what was typed ahead, and publishes nothing of it', async () => {
    const screen = await start({ asksFirst: true });
    for (const line of ['ann', 'a secret']) {
      screen.type(line);
      await screen.see(line);
      screen.type('\r');
      await screen.until('an empty line', (rows) => rows.join('').trim() === '');
    }
    await instruct({ ask: 'Your name' });
    await screen.see('Your name: ann');
    await screen.see('You are ann on acme');
    await screen.until('the rest', (rows) => rows.at(-1) === '#lobby> a secret');
    screen.type('\u0015/logout\r');
    await screen.see('ann is logged out.');
    screen.type('login alice\rsecret\rhello\r');
    await screen.see('Password of alice:');
    await screen.see('alice: hello ✓');
    assert.equal(
      screen.all().filter((row) => row.includes('secret')).length,
      0,
      'a password is shown',
    );
  });

  it('takes commands only once nobody is logged in', async () => {
    const screen = await start();
    screen.type('/logout\r');
    await screen.see('alice is logged out.');
    await screen.until('the prompt', (rows) => rows.at(-1) === '>>>');
    screen.type('hello there\r');
    await screen.see('NOT_LOGGED_IN');
    screen.type('log\t');
    await screen.see('login   logout');
    screen.type('in alice\r');
    await screen.see('Password of alice:');
    screen.type('secret\r');
    await screen.until('chat again', (rows) => rows.at(-1) === '#lobby>');
  });

  it('rings for a direct message, tells of the server, and keeps order in a burst', async () => {
    const screen = await start();
    await incoming('aloud');
    await screen.see('bob: aloud');
    assert.equal(screen.output.includes('\u0007'), false);
    await incoming('psst', { to: 'alice' });
    await screen.see('bob → you: psst');
    assert.equal(screen.output.split('\u0007').length, 2);
    await emit({ event: 'server', connected: false, name: 'acme' });
    await screen.see('(server away) #lobby>');
    await emit({ event: 'server', connected: true, name: 'acme' });
    await screen.see('The server acme was away for 1 second and is back.');
    for (let count = 0; count < 300; count += 1) await incoming(`burst ${count}`);
    screen.type('typed meanwhile');
    await screen.see('burst 299');
    await screen.see('#lobby> typed meanwhile');
    const seen = screen.all().filter((row) => row.includes('burst '));
    assert.deepEqual(
      seen.map((row) => row.replace(/^.*burst /, '')),
      Array.from({ length: 300 }, (_, count) => String(count)),
    );
  });

  it('takes several pasted lines as one message', async () => {
    const screen = await start();
    screen.type('\u001b[200~first\nsecond\n\u001b[201~');
    await screen.see('#lobby> first⏎second');
    screen.type('\r');
    await screen.see('alice: first');
    await screen.see('  second ✓');
  });

  it('clears the line at Ctrl-C, stops at the next, and gives the terminal back', async () => {
    const screen = await start();
    screen.type('abc');
    await screen.see('#lobby> abc');
    screen.type(CTRL_C);
    await screen.until('an empty line', (rows) => rows.at(-1) === '#lobby>');
    screen.type(`still here${LEFT}\r`);
    await screen.see('alice: still here ✓');
    screen.type(CTRL_C);
    await screen.see('ended: interrupt');
    assert.equal(await screen.exited, 130);
    assert.ok(screen.output.includes('\u001b[?2004l'));
    assert.equal(
      screen.rows().some((row) => row.startsWith('#lobby>')),
      false,
    );
  });

  it('waits at an end for what is under way, and Ctrl-C forces it', async () => {
    const screen = await start({ manual: true });
    screen.type('never held\r');
    await screen.see('never held …');
    screen.type(CTRL_D);
    await screen.see('Finishing what is under way');
    screen.type(CTRL_C);
    await screen.see('ended: end');
    assert.equal(await screen.exited, 0);
  });

  it('comes back from Ctrl-Z where no shell could bring it back', async () => {
    const screen = await start();
    screen.type('half');
    await screen.see('#lobby> half');
    screen.type('\u001a');
    await screen.until('the line off the screen', (rows) => rows.length === 1);
    await screen.see('#lobby> half');
    screen.type(' line\r');
    await screen.see('alice: half line ✓');
  });

  describe('beneath a call', () => {
    const isAt = (rows: readonly string[], part: string): number =>
      rows.findIndex((row) => row.includes(part));

    it('stays whole, and what is said stands between, on the screen and after the call', async () => {
      const screen = await start({}, { rows: 30 });
      await incoming('before');
      screen.type('half a li');
      await screen.see('#lobby> half a li');
      await instruct({ tiles: [tileOf('carol'), tileOf('dora')] });
      await screen.until('the call', (rows) => isAt(rows, 'carol') > 3);
      await incoming('during');
      screen.type('ne');
      await screen.until('all of it', (rows) => {
        const places = ['dora', 'bob: during', '#lobby> half a line'].map((part) =>
          isAt(rows, part),
        );
        return places.every((place, at) => place > (places[at - 1] ?? 0));
      });
      screen.type('\r');
      await screen.see('alice: half a line ✓');
      await instruct({ tiles: [] });
      await screen.until(
        'no call',
        (rows) => isAt(rows, 'carol') < 0 && isAt(rows, 'during') === 0,
      );
      assert.equal(screen.all().filter((row) => row.includes('bob: during')).length, 1);
      assert.ok(screen.all().some((row) => row.includes('bob: before')));
    });

    it('leaves nothing of the call to the shell at Ctrl-Z, and comes back with it', async () => {
      const screen = await start({}, { rows: 30 });
      await incoming('before');
      await instruct({ tiles: [tileOf('carol')] });
      await screen.until('the call', (rows) => isAt(rows, 'carol') > 3);
      await incoming('during');
      screen.type('half');
      await screen.see('#lobby> half');
      screen.forget();
      // Pressed again, it is one wish.
      screen.type('\u001a\u001a');
      const given = (): number => screen.output.indexOf('\u001b[?2004l');
      await screen.until('the terminal given back', () => given() >= 0);
      const before = screen.output.slice(0, given());
      const cleared = before.lastIndexOf('\u001b[r\u001b[H\u001b[2J');
      assert.ok(cleared >= 0 && !before.includes('carol', cleared), JSON.stringify(before));
      assert.ok(before.includes('during', cleared));
      // Whatever was asked before was answered before this was.
      const asked = before.lastIndexOf('\u001b[c');
      assert.ok(asked > before.lastIndexOf('\u001b[5n') && asked > cleared);
      await screen.until('all of it', (rows) => {
        const names = isAt(rows, 'carol');
        return names > 3 && isAt(rows, '#lobby> half') > names;
      });
      screen.type(' line\r');
      await screen.see('alice: half line ✓');
    });

    it('leaves the terminal as it was', async () => {
      const screen = await start({}, { rows: 30 });
      await instruct({ tiles: [tileOf('carol')] });
      await screen.until('the call', (rows) => isAt(rows, 'carol') > 3);
      screen.type('/quit\r');
      await screen.see('ended: quit');
      assert.equal(isAt(screen.rows(), 'carol'), -1);
      const { output } = screen;
      assert.ok(output.lastIndexOf('\u001b[r') > output.lastIndexOf('\u001b[19;30r'));
    });
  });

  it('moves no cursor and uses no colours with --plain', async () => {
    const screen = await start({ plain: true, manual: false });
    screen.type('hello\r');
    await screen.see('alice: hello (held by the server)');
    await incoming('psst', { to: 'alice' });
    await screen.see('bob to you: psst');
    screen.type('/passwd\r');
    await screen.see('New password:');
    await new Promise((resolve) => setTimeout(resolve, 50));
    screen.type('hunter2\r');
    await screen.see('The password is changed.');
    screen.type('/quit\r');
    await screen.see('ended: quit');
    assert.equal(screen.output.includes('\u001b'), false);
    assert.equal(screen.output.includes('hunter2'), false);
  });

  it('uses no colours with NO_COLOR', async () => {
    const screen = await start({}, { environment: { NO_COLOR: '1' } });
    await incoming('grey');
    await screen.see('bob: grey');
    assert.equal(/\u001b\[[0-9;]*m/.test(screen.output), false);
  });

  it('ends with the authentication status when the account is locked', async () => {
    const screen = await start({ user: undefined, startIn: 'command' });
    for (const count of [1, 2, 3]) {
      screen.type('login alice\r');
      await screen.until(
        `question ${count}`,
        (rows) => rows.filter((row) => row === 'Password of alice:').length === count,
      );
      screen.type('wrong\r');
      if (count === 3) break;
      await screen.until(
        `refusal ${count}`,
        (rows) => rows.filter((row) => row.startsWith('BAD_PASSWORD')).length === count,
      );
    }
    await screen.see('alice is locked for 60 seconds');
    assert.equal(await screen.exited, 3);
  });
});
