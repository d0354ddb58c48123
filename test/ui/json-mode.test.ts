import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { isErrorCode } from '../../lib/errors.ts';
import { runJsonMode } from '../../lib/ui/json-mode.ts';
import type { Ending } from '../../lib/ui/runner.ts';
import { Settings } from '../../lib/ui/settings.ts';
import { FakeApp, type FakeOptions } from '../support/fake-app.ts';

type Line = Record<string, unknown>;

/** The machine mode over an App in memory, with both ends of its streams. */
class Machine {
  readonly app: FakeApp;
  readonly input = new PassThrough();
  readonly output: PassThrough;
  readonly stop = new AbortController();
  readonly ended: Promise<Ending>;
  #text = '';

  constructor(options: FakeOptions & { headless?: boolean; unread?: boolean } = {}) {
    this.app = new FakeApp({ user: 'alice', conversation: '#lobby', ...options });
    this.output = new PassThrough();
    if (options.unread !== true) this.read();
    this.ended = runJsonMode({
      app: this.app,
      input: this.input,
      output: this.output,
      settings: new Settings(),
      headless: options.headless ?? false,
      signal: this.stop.signal,
    });
  }

  read(): void {
    this.output.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
  }

  get lines(): Line[] {
    return this.#text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  }

  get results(): Line[] {
    return this.lines.filter((line) => line['type'] === 'result');
  }

  async until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 5000;
    while (!condition()) {
      assert.ok(Date.now() < deadline, this.#text.slice(-2000));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

describe('machine mode', () => {
  it('says that it is ready, with whom and where', async () => {
    const machine = new Machine();
    machine.input.end();
    await machine.ended;
    assert.deepEqual(machine.lines, [
      {
        type: 'ready',
        mode: 'client',
        server: { id: 'QmFake', name: 'acme', addresses: ['127.0.0.1:49152'], connected: true },
        user: 'alice',
      },
    ]);
    const shell = new Machine({ mode: 'shell', user: undefined });
    shell.input.end();
    await shell.ended;
    assert.deepEqual(shell.lines, [{ type: 'ready', mode: 'shell', user: null }]);
  });

  it('answers each line, in order, with results as documented', async () => {
    const machine = new Machine();
    machine.input.end(
      'whoelse\r\nmessage bob hello\nmessage nobody hi\nfrob\n\nhistory @bob 1\nblock bob\nblock bob\n/self\nhelp say\nmode\nsettings bell off',
    );
    assert.deepEqual(await machine.ended, { reason: 'end', status: 0 });
    const results = machine.results;
    assert.deepEqual(
      results.map((result) => result['line']),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
    assert.deepEqual(results[0], {
      type: 'result',
      line: 1,
      ok: true,
      text: 'bob\ncarol\nZoë',
      data: { users: ['bob', 'carol', 'Zoë'] },
    });
    assert.deepEqual(results[1], {
      type: 'result',
      line: 2,
      ok: true,
      text: 'The server has it.',
      data: { id: 'm1', state: 'held', to: 'bob' },
    });
    assert.deepEqual(results[2], {
      type: 'result',
      line: 3,
      ok: false,
      code: 'NO_SUCH_USER',
      text: 'There is no user of that name.',
    });
    assert.deepEqual(
      results.slice(3).map((result) => result['code'] ?? true),
      ['USAGE', 'USAGE', true, true, 'ALREADY', 'NOT_SUPPORTED', true, 'NOT_SUPPORTED', true],
    );
    const { messages } = results[5]?.['data'] as { messages: Line[] };
    assert.deepEqual(messages, [
      {
        id: 'm1',
        from: 'alice',
        to: 'bob',
        text: 'hello',
        time: 1_700_000_000_000,
        mine: true,
        progress: { state: 'held' },
      },
    ]);
    assert.deepEqual(results[11]?.['data'], { settings: { bell: false } });
    assert.equal(machine.app.settled, 1);
    assert.equal(machine.app.listeners, 0);
  });

  it('tells of events, with the fields as documented', async () => {
    const machine = new Machine({ headless: true });
    const { app } = machine;
    const common = { from: 'bob', text: 'hi', time: 5 };
    app.emit({
      event: 'message',
      id: 'a',
      to: 'alice',
      mine: false,
      progress: { state: 'held' },
      ...common,
    });
    app.emit({ event: 'message', id: 'b', room: 'lobby', mine: false, ...common });
    app.emit({ event: 'broadcast', ...common });
    app.emit({ event: 'presence', user: 'bob', online: true });
    app.emit({ event: 'receipt', id: 'm1', held: true, on: 1, of: 2 });
    app.emit({ event: 'refused', id: 'm1', code: 'DENIED', text: 'No.' });
    app.emit({ event: 'server', connected: false, name: 'acme' });
    app.emit({ event: 'logout', reason: 'inactivity' });
    machine.stop.abort();
    assert.deepEqual(await machine.ended, { reason: 'interrupt', status: 130 });
    assert.deepEqual(machine.lines.slice(1), [
      { type: 'event', event: 'message', id: 'a', from: 'bob', to: 'alice', text: 'hi', time: 5 },
      { type: 'event', event: 'message', id: 'b', from: 'bob', room: 'lobby', text: 'hi', time: 5 },
      { type: 'event', event: 'broadcast', from: 'bob', text: 'hi', time: 5 },
      { type: 'event', event: 'presence', user: 'bob', online: true },
      { type: 'event', event: 'receipt', id: 'm1', held: true, on: 1, of: 2 },
      { type: 'event', event: 'refused', id: 'm1', code: 'DENIED', text: 'No.' },
      { type: 'event', event: 'server', connected: false, name: 'acme' },
      { type: 'event', event: 'logout', reason: 'inactivity' },
    ]);
  });

  it('has many messages under way at once and still answers in order', async () => {
    const machine = new Machine({ manual: true });
    const count = 200;
    const lines = Array.from({ length: count }, (_, n) =>
      n % 2 === 0 ? `say ${n}` : `message bob ${n}`,
    );
    machine.input.write(`${lines.join('\n')}\nwhoelse\nsay after\n`);
    await machine.until(() => machine.app.pending === count);
    // Nothing else overtakes them, and nothing is answered that is not held.
    assert.equal(machine.app.calls.length, count);
    assert.equal(machine.results.length, 0);
    machine.app.hold();
    await machine.until(() => machine.app.pending === 1);
    machine.app.hold();
    machine.input.end();
    await machine.ended;
    assert.deepEqual(
      machine.results.map((result) => result['line']),
      Array.from({ length: count + 2 }, (_, n) => n + 1),
    );
    assert.deepEqual(
      machine.app.calls.map((call) => call.args['text'] ?? call.args['message'] ?? call.name),
      [...lines.map((line) => line.replace(/^\D+/, '')), 'whoelse', 'after'],
    );
  });

  it('reads no further than it can have under way', async () => {
    const machine = new Machine({ manual: true });
    for (let n = 0; n < 2000; n += 1) machine.input.write(`say ${n}\n`);
    await machine.until(() => machine.app.pending >= 256);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(machine.app.pending, 256);
    machine.input.end();
    const feed = setInterval(() => machine.app.hold(), 1);
    await machine.ended;
    clearInterval(feed);
    assert.equal(machine.results.length, 2000);
  });

  it('tells of events while a command takes its time', async () => {
    const machine = new Machine();
    let finish: () => void = () => undefined;
    machine.app.handlers.set('logout', async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return {};
    });
    machine.input.write('logout\nwhoelse\n');
    await machine.until(() => machine.app.calls.length === 1);
    machine.app.emit({ event: 'presence', user: 'bob', online: true });
    await machine.until(() => machine.lines.length === 2);
    finish();
    machine.input.end();
    await machine.ended;
    assert.deepEqual(
      machine.results.map((result) => result['ok']),
      [true, true],
    );
  });

  it('refuses a line that is too long, and goes on', async () => {
    const machine = new Machine();
    machine.input.end(`say ${'x'.repeat(100_000)}\nsay ${'x'.repeat(20_000)}\nwhoelse\n`);
    await machine.ended;
    assert.deepEqual(
      machine.results.map((result) => result['code'] ?? 'ok'),
      ['TOO_LARGE', 'TOO_LARGE', 'ok'],
    );
  });

  it('strips what others wrote, in data, texts and events', async () => {
    const machine = new Machine();
    const hostile = '\u001b[31mred\u202e\u0007';
    machine.app.handlers.set('whoelse', () => ({
      users: [hostile],
      [hostile]: { deep: [hostile] },
    }));
    machine.app.emit({
      event: 'message',
      id: 'a',
      from: hostile,
      room: hostile,
      text: `a\n${hostile}`,
      time: 1,
      mine: false,
    });
    machine.input.end('whoelse\n');
    await machine.ended;
    assert.deepEqual(machine.results[0]?.['data'], { users: ['red'], red: { deep: ['red'] } });
    assert.equal(machine.results[0]?.['text'], 'red');
    assert.deepEqual(machine.lines[1], {
      type: 'event',
      event: 'message',
      id: 'a',
      from: 'red',
      room: 'red',
      text: 'a\nred',
      time: 1,
    });
  });

  it('quits at "quit", answers nothing after it, and settles first', async () => {
    const machine = new Machine({ headless: true });
    machine.input.write('quit\nwhoelse\nsay hi\n');
    assert.deepEqual(await machine.ended, { reason: 'quit', status: 0 });
    assert.deepEqual(
      machine.results.map((result) => result['line']),
      [1],
    );
    assert.deepEqual([machine.app.calls.length, machine.app.settled], [0, 1]);
  });

  it('stays after the end of the input when it is headless', async () => {
    const machine = new Machine({ headless: true });
    machine.input.end('whoelse\n');
    await machine.until(() => machine.results.length === 1);
    machine.app.emit({ event: 'presence', user: 'bob', online: true });
    await machine.until(() => machine.lines.length === 3);
    machine.stop.abort();
    assert.equal((await machine.ended).reason, 'interrupt');
  });

  it('ends when the account is locked', async () => {
    const machine = new Machine({ user: undefined, headless: true });
    machine.input.write('login alice a\nlogin alice b\nlogin alice c\n');
    assert.deepEqual(await machine.ended, { reason: 'locked', status: 3 });
    assert.deepEqual(
      machine.results.map((result) => result['code']),
      ['BAD_PASSWORD', 'BAD_PASSWORD', 'LOCKED'],
    );
    assert.deepEqual(
      machine.lines.filter((line) => line['type'] === 'event'),
      [{ type: 'event', event: 'locked', user: 'alice', seconds: 60 }],
    );
  });

  it('ends when nobody reads any more', async () => {
    const machine = new Machine({ headless: true });
    machine.output.destroy(new Error('broken pipe'));
    machine.app.emit({ event: 'presence', user: 'bob', online: true });
    assert.deepEqual(await machine.ended, { reason: 'end', status: 0 });
  });

  it('holds still for a slow reader and leaves out events, never results', async () => {
    const machine = new Machine({ headless: true, unread: true });
    const text = 'x'.repeat(16_000);
    for (let n = 0; n < 3000; n += 1)
      machine.app.emit({
        event: 'message',
        id: String(n),
        from: 'bob',
        room: 'lobby',
        text,
        time: 1,
        mine: false,
      });
    machine.input.end('whoelse\n'.repeat(1000));
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.ok(machine.output.writableLength < 20 << 20);
    assert.ok(machine.app.calls.length < 600);
    machine.read();
    await machine.until(() => machine.results.length === 1000);
    machine.stop.abort();
    await machine.ended;
    const events = machine.lines.filter((line) => line['type'] === 'event');
    const notice = events.find((event) => event['event'] === 'notice');
    const leftOut = Number(/^\d+/.exec(String(notice?.['text']))?.[0]);
    assert.equal(events.length - 1 + leftOut, 3000);
    assert.equal(notice?.['code'], 'RATE_LIMITED');
  });

  it('answers any lines, one by one, and never anything but JSON', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        'say hi',
        'message bob x',
        'whoelse',
        'history',
        'help',
        'login a b',
        'logout',
        'settings bell on',
        '\u0000',
        '"',
      ),
      fc
        .string({ unit: 'binary' })
        .filter((text) => !/[\r\n]/.test(text) && !/^\s*\/?"?(quit|exit)/i.test(text)),
      fc
        .uint8Array({ maxLength: 20 })
        .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => {
        const machine = new Machine();
        for (const one of lines) {
          machine.input.write(one);
          machine.input.write('\n');
        }
        machine.input.end();
        await machine.ended;
        assert.deepEqual(
          machine.results.map((result) => result['line']),
          lines.map((_, index) => index + 1),
        );
        for (const result of machine.results)
          assert.ok(result['ok'] === true || isErrorCode(result['code']));
      }),
      { numRuns: 60 },
    );
  });
});
