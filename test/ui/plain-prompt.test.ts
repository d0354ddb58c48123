import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { ClchatError } from '../../lib/errors.ts';
import { systemClock } from '../../lib/lifecycle.ts';
import { createPrompt, wantsColours } from '../../lib/ui/create-prompt.ts';
import { runLineMode } from '../../lib/ui/line-mode.ts';
import { PlainPrompt } from '../../lib/ui/plain-prompt.ts';
import { Settings } from '../../lib/ui/settings.ts';
import { FakeApp } from '../support/fake-app.ts';

class Streams {
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  text = '';

  constructor() {
    this.output.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

function open(): Streams & { prompt: PlainPrompt; stops: string[] } {
  const streams = new Streams();
  const stops: string[] = [];
  const prompt = new PlainPrompt({
    input: streams.input,
    output: streams.output,
    onStop: (reason) => stops.push(reason),
  });
  return Object.assign(streams, { prompt, stops });
}

describe('plain prompt', () => {
  it('puts questions one at a time and takes lines as their answers', async () => {
    const { input, prompt } = open();
    const answers = Promise.all([
      prompt.ask.line('Name', 'acme'),
      prompt.ask.line('Port'),
      prompt.ask.confirm('Sure?', false),
      prompt.ask.confirm('Really?', true),
      prompt.ask.choose('Which', ['one', 'two\u001b[2J']),
      prompt.ask.secret('Password'),
    ]);
    input.write('\n 80 \nmaybe\nYES\n\n3\n2\n se cret \n');
    assert.deepEqual(await answers, ['acme', '80', true, true, 1, ' se cret ']);
    prompt.close();
  });

  it('prints questions as lines of their own, without control sequences', async () => {
    const streams = open();
    const answer = streams.prompt.ask.line('Name\u001b[2J', 'acme');
    streams.input.write('\n');
    await answer;
    streams.prompt.print('\u001b[31mred\u001b[0m');
    assert.deepEqual(streams.lines, ['Name [acme]:', 'red']);
    streams.prompt.close();
  });

  it('breaks questions off at the end of the input', async () => {
    const streams = open();
    const answer = streams.prompt.ask.line('Name');
    streams.input.end();
    const asked = (what: string) => ({
      code: 'CLOSED',
      message: `The input ended where "${what}" was asked.`,
    });
    await assert.rejects(answer, asked('Name'));
    await assert.rejects(streams.prompt.ask.secret('Password'), asked('Password'));
    assert.deepEqual(streams.stops, ['unanswered']);
    const idle = open();
    const idleStops: string[] = [];
    idle.prompt.attach({ onLine: () => undefined, onStop: (reason) => idleStops.push(reason) });
    idle.input.end();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(idleStops, ['end']);
    const closed = open();
    const pending = closed.prompt.ask.line('Name');
    await new Promise((resolve) => setImmediate(resolve));
    closed.prompt.close();
    await assert.rejects(pending, { code: 'CLOSED' });
  });

  it('reads a line only when the one before is done with', async () => {
    const streams = open();
    const seen: string[] = [];
    streams.prompt.attach({
      async onLine(line) {
        seen.push(line);
        if (line === 'ask') seen.push(`answer ${await streams.prompt.ask.line('What')}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(`done ${line}`);
      },
      onStop: () => seen.push('end'),
    });
    streams.input.end('a\nask\nme\nb\n');
    while (!seen.includes('end')) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.deepEqual(seen, ['a', 'done a', 'ask', 'answer me', 'done ask', 'b', 'done b', 'end']);
  });

  it('is what everything gets that is no terminal, or a dumb one', () => {
    const { input, output } = new Streams();
    const setup = { input, output, environment: {}, plain: false, onStop: () => undefined };
    assert.equal(createPrompt(setup).inPlace, false);
    assert.equal(wantsColours({ NO_COLOR: '1' }), false);
    assert.equal(wantsColours({ TERM: 'dumb' }), false);
    assert.equal(wantsColours({ NO_COLOR: '', TERM: 'xterm' }), true);
  });
});

describe('line mode over a pipe', () => {
  it('carries out every line, prints plain results, and ends with the input', async () => {
    const streams = open();
    const app = new FakeApp({ user: 'alice', conversation: '#lobby' });
    app.handlers.set('logout', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { user: 'alice' };
    });
    streams.input.end('message bob hi\nmessage nobody hi\n\nwhoelsee\nlogout\nwhoelse\n');
    const ending = await runLineMode({
      app,
      prompt: streams.prompt,
      settings: new Settings(),
      mode: 'command',
      headless: false,
      colours: true,
      clock: { ...systemClock, now: () => new Date(2026, 1, 3, 4, 5).getTime() },
      signal: new AbortController().signal,
    });
    assert.deepEqual(ending, { reason: 'end', status: 0 });
    assert.deepEqual(streams.lines, [
      'You are alice on acme. "help" lists the commands.',
      '04:05 you to bob: hi (held by the server)',
      'NO_SUCH_USER: There is no user of that name.',
      'USAGE: There is no command "whoelsee". Did you mean "whoelse"?',
      'alice is logged out. "login NAME" logs in again.',
      'bob',
      'carol',
      'Zoë',
    ]);
    assert.equal(app.settled, 1);
    assert.equal(app.listeners, 0);
    assert.ok(app.touches >= 1);
  });

  it('tells once what a command and an event both tell', async () => {
    const streams = open();
    const app = new FakeApp({ user: 'alice', conversation: '#lobby' });
    const refuse = (id: string): void =>
      app.emit({ event: 'refused', id, code: 'BLOCKED', text: 'Blocked.' });
    app.handlers.set('message', ({ args }) => {
      refuse('m1');
      if (args['user'] === 'carol') return { id: 'm2', state: 'held' };
      throw new ClchatError('BLOCKED');
    });
    app.handlers.set('logout', () => {
      app.user = undefined;
      app.emit({ event: 'logout', reason: 'logout' });
      return { user: 'alice' };
    });
    app.handlers.set('login', () => {
      app.user = 'alice';
      app.emit({ event: 'login', user: 'alice' });
      // Another device's, beside what this command does.
      app.emit({ event: 'logout', reason: 'timeout' });
      return { user: 'alice' };
    });
    streams.input.end('/message bob hi\n/message carol hi\n/logout\nhello\nlogin alice\n');
    await runLineMode({
      app,
      prompt: streams.prompt,
      settings: new Settings(),
      mode: 'chat',
      headless: false,
      colours: true,
      clock: { ...systemClock, now: () => new Date(2026, 1, 3, 4, 5).getTime() },
      signal: new AbortController().signal,
    });
    assert.deepEqual(streams.lines, [
      'You are alice on acme, in #lobby. "/help" lists the commands.',
      'BLOCKED: That user has blocked you.',
      '04:05 you to carol: hi (held by the server)',
      'alice is logged out. "login NAME" logs in again.',
      'NOT_LOGGED_IN: You are not logged in. Use "login NAME".',
      '04:05 * You are logged out, since nothing was done for too long.',
      'You are logged in as alice.',
      'A message was refused. BLOCKED: Blocked.',
    ]);
  });

  it('ends by the signal, also while a question waits for its answer', async () => {
    const streams = open();
    const app = new FakeApp({ user: 'alice' });
    let asked: Promise<string> | undefined;
    app.handlers.set('logout', async (_call, ask) => {
      asked = ask?.line('Really') ?? Promise.resolve('');
      await asked;
      return {};
    });
    const stop = new AbortController();
    streams.input.write('logout\n');
    const ended = runLineMode({
      app,
      prompt: streams.prompt,
      settings: new Settings(),
      mode: 'command',
      headless: true,
      colours: false,
      clock: systemClock,
      signal: stop.signal,
    });
    while (asked === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
    const refused = assert.rejects(asked, { code: 'INTERRUPTED' });
    stop.abort();
    assert.deepEqual(await ended, { reason: 'interrupt', status: 130 });
    await refused;
  });

  it('goes on after the end of the input when it is headless', async () => {
    const streams = open();
    const app = new FakeApp({ user: 'alice' });
    const stop = new AbortController();
    streams.input.end();
    const ended = runLineMode({
      app,
      prompt: streams.prompt,
      settings: new Settings(),
      mode: 'command',
      headless: true,
      colours: false,
      clock: systemClock,
      signal: stop.signal,
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    app.emit({ event: 'presence', user: 'bob', online: true });
    assert.match(streams.text, /bob is online/);
    stop.abort();
    assert.equal((await ended).reason, 'interrupt');
  });
});
