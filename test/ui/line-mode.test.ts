/**
 * What line mode prints; what it does with lines is in line-mode-input.test.ts. Over a pipe it is in
 * plain-prompt.test.ts, and in a real terminal in prompt.test.ts.
 */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { InputHistory } from '../../lib/ui/history-file.ts';
import { TerminalPrompt } from '../../lib/ui/prompt.ts';
import { eventually, turns } from '../support/channels.ts';
import { lineModes, type LineModeBench, type LineModeSetup } from '../support/line-mode.ts';

describe('line mode prints', () => {
  const { open } = lineModes();
  /** One that has greeted. */
  const start = (setup?: LineModeSetup): LineModeBench => open(setup).forget();

  describe('at its beginning', () => {
    it('who and where one is, and how to get help', () => {
      const { lines, prompt } = open();
      assert.deepEqual(lines, ['You are alice on acme, in #lobby. "/help" lists the commands.']);
      assert.equal(prompt.prompt, '#lobby> ');
    });

    it('how others join where the server runs here', () => {
      const { lines, prompt } = open({ mode: 'server', options: { mode: 'command' } });
      assert.deepEqual(lines, [
        'The server "acme" listens on 127.0.0.1:49152.',
        'Others on this machine join with:  clchat -lc',
        'Where that finds nothing, with:    clchat -lc --connect 127.0.0.1:49152',
        'You are alice on acme. "help" lists the commands.',
      ]);
      assert.equal(prompt.prompt, '>>> ');
    });

    it('that the server is away, or that nobody is logged in', () => {
      assert.deepEqual(open({ connected: false }).lines, [
        '04:05 * The server acme is away. What you write is kept and sent when it is back.',
        'You are alice on acme, in #lobby. "/help" lists the commands.',
      ]);
      const nobody = open({ mode: 'shell', user: undefined, conversation: undefined });
      assert.deepEqual(nobody.lines, [
        'You are not logged in. "connect IP:PORT" or "connect NAME" joins a server, "server NAME IP:PORT" starts one. "help" lists the commands.',
      ]);
      const connected = open({ user: undefined, conversation: undefined });
      assert.deepEqual(connected.lines, ['You are not logged in. "help" lists the commands.']);
      assert.equal(nobody.prompt.prompt, '>>> ');
    });

    it('nothing of names but their text', () => {
      const { lines, prompt } = open({ user: 'al\u001b[2Jice', conversation: '@b\u202eob' });
      assert.match(lines[0] ?? '', /^You are alice on acme, in @bob\./);
      assert.equal(prompt.prompt, '@bob> ');
    });
  });

  describe('of others', () => {
    it('messages, with the place where it is not the current one', () => {
      const bench = start();
      const told = (...fields: Parameters<typeof bench.message>): string[] =>
        bench.told(bench.message(...fields));
      assert.deepEqual(told(), ['04:05 bob: hello']);
      assert.deepEqual(told({ room: 'den' }), ['04:05 bob #den: hello']);
      assert.deepEqual(told({ to: 'alice' }), ['04:05 bob → you: hello']);
      assert.deepEqual(told({ text: 'a\nb\u001b[2J' }), ['04:05 bob: a', '  b']);
      bench.settings.set('time', false);
      assert.deepEqual(told(), ['bob: hello']);
    });

    it('words for signs, and no colours or marks, where lines stay as they are', () => {
      const bench = start({ inPlace: false, options: { colours: true } });
      assert.deepEqual(bench.told(bench.message({ to: 'alice' })), ['04:05 bob to you: hello']);
      const progress = { state: 'held' } as const;
      const mine = bench.message({ to: 'bob', from: 'alice', mine: true, progress });
      assert.deepEqual(bench.told(mine), ['04:05 you to bob: hello']);
    });

    it('colours where they are possible, and wanted', () => {
      const bench = start({ options: { colours: true } });
      const [line = ''] = bench.told(bench.message());
      assert.match(line, /\u001b\[[39]\dmbob\u001b\[0m: hello$/);
      bench.settings.set('colours', false);
      assert.deepEqual(bench.told(bench.message()), ['04:05 bob: hello']);
    });

    it('direct messages with a sound, unless it is not wanted', () => {
      const bench = start();
      const { prompt, settings } = bench;
      bench.told(bench.message());
      bench.told(bench.message({ to: 'bob', from: 'alice', mine: true, id: 'm9' }));
      assert.equal(prompt.bells, 0);
      bench.told(bench.message({ to: 'alice' }));
      assert.equal(prompt.bells, 1);
      settings.set('bell', false);
      bench.told(bench.message({ to: 'alice' }));
      assert.equal(prompt.bells, 1);
    });

    it('calls with a sound, unless it is not wanted', () => {
      const bench = start();
      const { prompt, settings } = bench;
      const ring = { event: 'ring', id: 'c1', user: 'bob' } as const;
      const missed = { event: 'missed-call', user: 'bob', time: bench.clock.now() } as const;
      assert.deepEqual(bench.told(ring), ['04:05 * bob calls you: /answer or /decline']);
      assert.equal(prompt.bells, 1);
      assert.match(bench.told(missed).join(), /You have missed a call from bob\.$/);
      assert.equal(prompt.bells, 2);
      settings.set('bell', false);
      bench.told({ ...ring, id: 'c2' });
      bench.told(missed);
      assert.equal(prompt.bells, 2);
    });

    it('what the server says, word for word but for control sequences', () => {
      const bench = start();
      const text = 'The disk of \u001b[31macme\u001b[0m is full.';
      assert.deepEqual(bench.told({ event: 'notice', code: 'DISK_FULL', text }), [
        '04:05 * DISK_FULL: The disk of acme is full.',
      ]);
      assert.deepEqual(bench.told({ event: 'notice', text: 'As it is.' }), ['04:05 * As it is.']);
      const time = bench.clock.now();
      assert.deepEqual(bench.told({ event: 'broadcast', from: 'root', text: 'tea', time }), [
        '04:05 root to everybody: tea',
      ]);
      assert.deepEqual(bench.told({ event: 'presence', user: 'bob', online: true }), [
        '04:05 * bob is online',
      ]);
      assert.deepEqual(bench.told({ event: 'server', connected: true, name: 'acme' }), [
        '04:05 * The server acme is back.',
      ]);
      assert.deepEqual(bench.told({ event: 'receipt', id: 'x', held: true, on: 1, of: 2 }), []);
    });

    it('one line of a server that was away for a while, which the prompt shows meanwhile', () => {
      const bench = start();
      const away = { event: 'server', connected: false, name: 'acme' } as const;
      assert.deepEqual(bench.told(away), []);
      assert.equal(bench.prompt.prompt, '(server away) #lobby> ');
      bench.clock.steady += 5_000;
      assert.deepEqual(bench.told({ ...away, connected: true }), [
        '04:05 * The server acme was away for 5 seconds and is back.',
      ]);
      assert.equal(bench.prompt.prompt, '#lobby> ');
      // Over a pipe there is no prompt that would show it.
      assert.deepEqual(start({ inPlace: false }).told(away), [
        '04:05 * The server acme is away. What you write is kept and sent when it is back.',
      ]);
    });

    it('why one is logged out, and in again', () => {
      const bench = start();
      for (const [reason, text] of [
        ['logout', 'You are logged out.'],
        ['timeout', 'You are logged out, since nothing was done for too long.'],
        ['revoked', 'This device has been revoked, and is logged out.'],
        ['unknown device', 'The server does not know this device; you are logged out.'],
        ['tea\u001b[2J time', 'You are logged out: tea time'],
        ['toString', 'You are logged out: toString'],
      ] as const)
        assert.deepEqual(bench.told({ event: 'logout', reason }), [`04:05 * ${text}`]);
      assert.deepEqual(bench.told({ event: 'login', user: 'alice' }), [
        '04:05 * You are logged in as alice.',
      ]);
    });

    it('spans of time in whole units', async () => {
      const bench = start();
      bench.app.handlers.set('resetpasswd', () => ({ user: 'bob', code: '7K', seconds: 86_400 }));
      await bench.type('/resetpasswd bob');
      assert.deepEqual(bench.lines, [
        '> /resetpasswd bob',
        'Code for bob: 7K (good once, for 24 hours).',
        'bob starts with: clchat -lc --user bob --code 7K',
        'or, in a program that runs: /login bob --code 7K',
        'and is asked for a new password.',
      ]);
      assert.deepEqual(bench.told({ event: 'locked', user: 'alice', seconds: 60 }), [
        '04:05 * alice is locked for 60 seconds after three wrong passwords.',
      ]);
      assert.deepEqual(await bench.ended, { reason: 'locked', status: 3 });
    });
  });

  it('above a line that is half typed, and leaves it whole', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    let screen = '';
    output.on('data', (chunk: Buffer) => (screen += chunk.toString()));
    const prompt = new TerminalPrompt({
      input,
      output,
      history: new InputHistory(),
      environment: {},
      onStop: () => undefined,
    });
    const bench = open({ prompt });
    const { app } = bench;
    const shows = (text: string): Promise<void> =>
      eventually(`"${text}" on the screen`, () => screen.includes(text));
    input.write('half a li');
    await shows('#lobby> half a li');
    for (const [event, line] of [
      [bench.message(), 'bob: hello\r\n'],
      [{ event: 'presence', user: 'bob', online: false }, '* bob is offline\r\n'],
      [{ event: 'server', connected: true, name: 'acme' }, 'back.\r\n'],
      [{ event: 'notice', text: 'Some news.' }, '* Some news.\r\n'],
    ] as const) {
      screen = '';
      app.emit(event);
      await shows(line);
      // It is drawn again below what was printed, and nothing else is.
      const below = screen.slice(screen.indexOf(line) + line.length);
      assert.match(below, /#lobby> half a li\r/);
      assert.equal(below.includes('\n'), false);
    }
    input.write('ne\r');
    await eventually('the message', () => app.calls.length === 1);
    assert.deepEqual(app.calls, [{ name: 'say', args: { text: 'half a line' } }]);
    // Who is logged out in the midst of a line neither says it to anybody nor loses it unseen.
    input.write('not for every');
    await shows('#lobby> not for every');
    app.user = undefined;
    screen = '';
    app.emit({ event: 'logout', reason: 'timeout' });
    await shows('>>> not for every');
    input.write('body\r');
    await shows('>>> not for everybody');
    await shows('NOT_LOGGED_IN: You are not logged in.');
    assert.equal(app.calls.length, 1);
    input.write('\u0003');
    assert.equal((await bench.ended).reason, 'interrupt');
  });

  describe('of what one writes oneself', () => {
    it('the line at once, and how far it gets', async () => {
      const bench = start({ manual: true });
      const { app, lines } = bench;
      await bench.type('hello');
      assert.deepEqual(lines, ['04:05 alice: hello …']);
      app.hold();
      await turns();
      app.emit({ event: 'receipt', id: 'm1', held: true, on: 1, of: 2 });
      app.emit({ event: 'receipt', id: 'm1', held: true, on: 2, of: 2 });
      assert.deepEqual(lines, ['04:05 alice: hello … ✓ ✓ 1/2 ✓✓']);
    });

    it('that it is on its way while the server is away', async () => {
      const bench = start({ connected: false });
      await bench.type('/message bob hello');
      assert.deepEqual(bench.lines, ['04:05 you → bob: hello … …']);
      bench.told({ event: 'receipt', id: 'm1', held: true, on: 0, of: 1 });
      assert.deepEqual(bench.lines, ['04:05 you → bob: hello … … ✓']);
    });

    it('why it is refused, at once or later, and which it was', async () => {
      const bench = start();
      const { lines } = bench;
      await bench.type('/message nobody hello');
      assert.deepEqual(lines, [
        '04:05 you → nobody: hello … ✗',
        'NO_SUCH_USER: There is no user of that name.',
      ]);
      bench.forget();
      await bench.type(`a rather long text, ${'which '.repeat(20)}is cut`);
      const text = 'Not \u001b[2Jhere.';
      assert.match(
        bench.told({ event: 'refused', id: 'm1', code: 'DENIED', text }).join('\n'),
        /^DENIED: Not here\. \(a rather long text, which .{1,20}\)$/,
      );
      assert.match(lines[0] ?? '', / … ✓ ✗$/);
      // One of another run is not known here.
      bench.told({ event: 'refused', id: 'old', code: 'BLOCKED', text: 'You are blocked.' });
      await turns();
      assert.equal(lines.at(-1), 'A message was refused. BLOCKED: You are blocked.');
    });

    it('on other devices too, and nothing twice', async () => {
      const bench = start({ manual: true });
      const { lines } = bench;
      const mine = { from: 'alice', mine: true, progress: { state: 'held' } } as const;
      const other = bench.message({ ...mine, id: 'd1', text: 'from the desk' });
      assert.deepEqual(bench.told(other), ['04:05 alice: from the desk ✓']);
      assert.deepEqual(bench.told(other), []);
      bench.told({ event: 'receipt', id: 'd1', held: true, on: 1, of: 1 });
      assert.deepEqual(lines, ['04:05 alice: from the desk ✓ ✓✓']);
      await bench.type('mine');
      assert.equal(lines.at(-1), '04:05 alice: mine …');
      // That another device says the same at the same time is another message.
      const same = bench.message({ ...mine, id: 'd2', text: 'mine' });
      assert.deepEqual(bench.told(same), ['04:05 alice: mine ✓']);
    });

    it('in words, once it is answered, where lines stay as they are', async () => {
      const bench = start({ inPlace: false, manual: true });
      const { app, lines } = bench;
      const typed = bench.type('hello', '/message nobody x');
      await turns();
      assert.deepEqual(lines, []);
      app.hold();
      await typed;
      assert.deepEqual(lines, [
        '04:05 alice: hello (held by the server)',
        'NO_SUCH_USER: There is no user of that name.',
      ]);
      app.connected = false;
      await bench.type('later');
      assert.equal(lines.at(-1), '04:05 alice: later (sending)');
    });
  });
});
