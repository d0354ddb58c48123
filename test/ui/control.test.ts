import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { ClchatError } from '../../lib/errors.ts';
import {
  controlPath,
  runThroughControl,
  serveControl,
  type Control,
} from '../../lib/ui/control.ts';
import { printOutcome, runOnce } from '../../lib/ui/run-once.ts';
import { Settings } from '../../lib/ui/settings.ts';
import { FakeApp } from '../support/fake-app.ts';
import { temporary } from '../support/temporary.ts';

describe('control socket', () => {
  const { newDirectory } = temporary();
  const open: Control[] = [];

  afterEach(async () => {
    for (const control of open.splice(0)) await control.close();
  });

  async function serve(
    app = new FakeApp({ user: 'alice' }),
    onQuit = (): void => undefined,
  ): Promise<{ path: string; app: FakeApp }> {
    const path = controlPath(await newDirectory(), {});
    open.push(await serveControl({ path, app, settings: new Settings(), onQuit }));
    return { path, app };
  }

  /** What the service answers to raw bytes, until it closes or has said so many lines. */
  function raw(path: string, lines: number, ...chunks: (string | Uint8Array)[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      let text = '';
      const done = (): void => {
        socket.destroy();
        resolve(text.split('\n').slice(0, -1));
      };
      socket.on('data', (chunk) => {
        text += chunk.toString();
        if (text.split('\n').length > lines) done();
      });
      socket.on('close', done).on('error', reject);
      for (const chunk of chunks) socket.write(chunk);
    });
  }

  it('runs a command in the process that serves it', async () => {
    const { path, app } = await serve();
    assert.deepEqual(await runThroughControl(path, 'whoelse'), {
      ok: true,
      text: 'bob\ncarol\nZoë',
      data: { users: ['bob', 'carol', 'Zoë'] },
    });
    assert.deepEqual(await runThroughControl(path, 'message bob two\nlines'), {
      ok: true,
      text: 'The server has it.',
      data: { id: 'm1', state: 'held', to: 'bob' },
    });
    assert.equal(app.calls.at(-1)?.args['message'], 'two\nlines');
    const refused = await runThroughControl(path, 'message nobody x');
    assert.ok(refused?.ok === false && refused.code === 'NO_SUCH_USER');
    assert.equal((await runThroughControl(path, 'passwd'))?.ok, false);
  });

  it('takes paths from where the command was given', async () => {
    const { path, app } = await serve();
    const run = async (command: string): Promise<Readonly<Record<string, string>> | undefined> => {
      await runThroughControl(path, command);
      return app.calls.at(-1)?.args;
    };
    assert.deepEqual(await run('attach "my plan.pdf" look'), {
      file: resolve('my plan.pdf'),
      text: 'look',
    });
    assert.equal((await run('attach ~/plan.pdf'))?.['file'], '~/plan.pdf');
    assert.equal((await run('attach /a/plan.pdf'))?.['file'], '/a/plan.pdf');
    assert.deepEqual(await run('save ^2 sub/plan.pdf'), {
      message: '^2',
      target: resolve('sub/plan.pdf'),
    });
    // Nothing is said of a place: it is where the command was given.
    assert.equal((await run('save'))?.['target'], process.cwd());
    assert.deepEqual(await run('whoelse'), {});
    const asked = async (request: object): Promise<string | undefined> => {
      await raw(path, 1, `${JSON.stringify(request)}\n`);
      return app.calls.at(-1)?.args['file'];
    };
    const command = 'attach plan.pdf';
    assert.equal(await asked({ command, directory: '/elsewhere' }), '/elsewhere/plan.pdf');
    // Of a process of another version, or of none of ours.
    for (const directory of [undefined, 7, 'relative', null])
      assert.equal(await asked({ command, directory }), 'plan.pdf');
  });

  it('takes files that stand for devices from where the command was given', async () => {
    const { path, app } = await serve();
    const directory = await newDirectory();
    for (const name of ['song.wav', 'film.mkv', 'my song.wav', 'tone', 'tone:440', 'none', 'on'])
      writeFileSync(join(directory, name), '');
    mkdirSync(join(directory, 'folder'));
    app.handlers.set('equipment', () => ({ devices: [], problems: [] }));
    const given = async (command: string): Promise<string | undefined> => {
      await raw(path, 1, `${JSON.stringify({ command, directory })}\n`);
      const { name, device } = app.calls.at(-1)?.args ?? {};
      return name ?? device;
    };
    assert.equal(await given('mic on song.wav'), join(directory, 'song.wav'));
    assert.equal(await given('mic on my song.wav'), join(directory, 'my song.wav'));
    assert.equal(await given('camera on ./film.mkv'), join(directory, 'film.mkv'));
    assert.equal(await given('settings mic song.wav'), join(directory, 'song.wav'));
    assert.equal(await given('settings camera film.mkv'), join(directory, 'film.mkv'));
    // What is heard goes into a file that is not there yet.
    assert.equal(await given('settings speaker heard.WAV'), join(directory, 'heard.WAV'));
    for (const [command, device] of [
      ['mic on /elsewhere/song.wav', '/elsewhere/song.wav'],
      ['mic on hw:1', 'hw:1'],
      ['mic on folder', 'folder'],
      ['mic on tone', 'tone'],
      ['mic on tone:440', 'tone:440'],
      ['camera on none', 'none'],
      ['settings speaker Loud', 'Loud'],
      ['settings speaker song', 'song'],
      ['settings screen film.mkv', 'film.mkv'],
    ] as const)
      assert.equal(await given(command), device);
    const { length } = app.calls;
    await raw(path, 1, `${JSON.stringify({ command: 'settings bell on', directory })}\n`);
    await raw(path, 1, `${JSON.stringify({ command: 'mic off', directory })}\n`);
    assert.deepEqual(app.calls.slice(length), [{ name: 'mic', args: { state: 'off' } }]);
  });

  it('serves many at once', async () => {
    const { path } = await serve();
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, n) => runThroughControl(path, `message bob ${n}`)),
    );
    assert.ok(all.every((outcome) => outcome?.ok === true));
  });

  it('is open to its owner only, and gone after its end', async () => {
    const { path } = await serve();
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
    assert.equal(lstatSync(dirname(path)).mode & 0o777, 0o700);
    await open.pop()?.close();
    assert.equal(existsSync(path), false);
    assert.equal(await runThroughControl(path, 'whoelse'), undefined);
  });

  it('takes the place of a dead process and refuses that of a living one', async () => {
    const { path } = await serve();
    const again = { path, app: new FakeApp(), settings: new Settings(), onQuit: () => undefined };
    await assert.rejects(serveControl(again), { code: 'DATA_IN_USE' });
    assert.equal((await runThroughControl(path, 'whoelse'))?.ok, true);
    await open.pop()?.close();
    // What a killed process leaves: a socket that nobody listens to.
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(`${path}.dead`, resolve));
    renameSync(`${path}.dead`, path);
    await new Promise((resolve) => dead.close(resolve));
    assert.equal(existsSync(path), true);
    assert.equal(await runThroughControl(path, 'whoelse'), undefined);
    open.push(await serveControl(again));
    assert.equal((await runThroughControl(path, 'whoelse'))?.ok, false);
  });

  it('tells the process to quit once the client has its answer', async () => {
    let told = 0;
    const { path } = await serve(undefined, () => (told += 1));
    assert.equal((await runThroughControl(path, 'quit'))?.ok, true);
    while (told === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(told, 1);
  });

  it('answers whatever is sent, within bounds', async () => {
    const { path } = await serve();
    const codes = (lines: string[]): unknown[] =>
      lines.map((line) => (JSON.parse(line) as { code?: unknown }).code ?? 'ok');
    assert.deepEqual(
      codes(
        await raw(
          path,
          6,
          'no json\n{"command":5}\nnull\n[]\n{"command":"frob"}\n{"command":"whoelse"}\n',
        ),
      ),
      ['USAGE', 'USAGE', 'USAGE', 'USAGE', 'USAGE', 'ok'],
    );
    const long = JSON.stringify({ command: `say ${'x'.repeat(70_000)}` });
    assert.deepEqual(codes(await raw(path, 1, `${long}\n`)), ['TOO_LARGE']);
    const endless = Buffer.alloc(1 << 20, 'x');
    assert.deepEqual(codes(await raw(path, 1, endless, endless, '\n')), ['TOO_LARGE']);
    assert.deepEqual(codes(await raw(path, 1, Buffer.from([0xff, 0x00, 0x0a]))), ['USAGE']);
  });

  it('survives clients that leave in the midst of it', async () => {
    const app = new FakeApp({ user: 'alice', manual: true });
    const { path } = await serve(app);
    const sockets: Socket[] = [];
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(path);
      socket.on('error', () => undefined);
      socket.write('{"command":"message bob x"}\n');
      sockets.push(socket);
    }
    while (app.pending < 20) await new Promise((resolve) => setTimeout(resolve, 2));
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 10));
    app.hold();
    assert.equal((await runThroughControl(path, 'whoelse'))?.ok, true);
  });

  it('tells the client when the process ends before it answers, or is of another version', async () => {
    const directory = await newDirectory();
    const path = join(directory, 'socket');
    const replies: (string | undefined)[] = [
      undefined,
      'nonsense\n',
      '{"type":"result","ok":true}\n',
      '{"ok":false,"text":"x","code":"FUTURE"}\n',
    ];
    const server = createServer((socket) => {
      socket.on('data', () => socket.end(replies.shift() ?? ''));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await assert.rejects(runThroughControl(path, 'whoelse'), { code: 'CLOSED' });
    for (let n = 0; n < 3; n += 1) {
      const outcome = await runThroughControl(path, 'whoelse');
      assert.ok(outcome?.ok === false && outcome.code === 'VERSION');
    }
    await new Promise((resolve) => server.close(resolve));
  });

  it('can be waited for no longer than wanted', async () => {
    const { path, app } = await serve(new FakeApp({ user: 'alice', manual: true }));
    const stop = new AbortController();
    const waiting = runThroughControl(path, 'message bob x', { signal: stop.signal });
    while (app.pending === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    stop.abort();
    await assert.rejects(waiting, { code: 'CLOSED' });
    await assert.rejects(runThroughControl(path, 'whoelse', { signal: stop.signal }), {
      code: 'CLOSED',
    });
    app.hold();
  });

  it('has a path that fits, and different ones for different profiles', () => {
    assert.equal(controlPath('/data/x', {}), '/data/x/control/socket');
    const deep = `/${'deep/'.repeat(30)}`;
    const path = controlPath(deep, { XDG_RUNTIME_DIR: '/run/user/1' });
    assert.match(path, /^\/run\/user\/1\/clchat-\d+\/[0-9a-f]{24}\.socket$/);
    assert.notEqual(controlPath(`${deep}/other`, { XDG_RUNTIME_DIR: '/run/user/1' }), path);
    assert.ok(
      Buffer.byteLength(controlPath(deep, { XDG_RUNTIME_DIR: `/${'x'.repeat(100)}` })) <= 100,
    );
    assert.ok(controlPath(deep, { XDG_RUNTIME_DIR: 'relative' }).startsWith('/'));
  });

  it('trusts no directory that is not its own', async () => {
    const directory = await newDirectory();
    const real = join(directory, 'real');
    mkdirSync(real);
    symlinkSync(real, join(directory, 'link'));
    const options = { app: new FakeApp(), settings: new Settings(), onQuit: () => undefined };
    await assert.rejects(serveControl({ ...options, path: join(directory, 'link', 'socket') }), {
      code: 'DENIED',
    });
    writeFileSync(join(directory, 'file'), '');
    await assert.rejects(
      serveControl({ ...options, path: join(directory, 'file', 'socket') }),
      (error) => error instanceof ClchatError,
    );
    chmodSync(real, 0o777);
    open.push(await serveControl({ ...options, path: join(real, 'socket') }));
    assert.equal(lstatSync(real).mode & 0o777, 0o700);
  });
});

describe('one command', () => {
  async function printed(
    line: string,
    json: boolean,
    app = new FakeApp({ user: 'alice' }),
  ): Promise<[number, string, string]> {
    const streams = { output: new PassThrough(), errors: new PassThrough() };
    const status = await printOutcome(await runOnce(line, app, new Settings()), json, streams);
    const text = (stream: PassThrough): string =>
      (stream.read() as Buffer | null)?.toString() ?? '';
    return [status, text(streams.output), text(streams.errors)];
  }

  it('prints its result and has its status', async () => {
    assert.deepEqual(await printed('whoelse', false), [0, 'bob\ncarol\nZoë\n', '']);
    assert.deepEqual(await printed('message nobody x', false), [
      1,
      '',
      'NO_SUCH_USER: There is no user of that name.\n',
    ]);
    assert.deepEqual((await printed('frob', false))[0], 2);
    assert.deepEqual((await printed('connect 1.2.3.4:5', false))[0], 4);
    assert.deepEqual((await printed('block alice', false))[0], 1);
    assert.match((await printed('help message', false))[1], /^message USER MESSAGE\n/);
  });

  it('prints the object of the machine mode with --json', async () => {
    const [status, output, errors] = await printed('message nobody x', true);
    assert.deepEqual([status, errors], [1, '']);
    assert.deepEqual(JSON.parse(output), {
      type: 'result',
      line: 1,
      ok: false,
      code: 'NO_SUCH_USER',
      text: 'There is no user of that name.',
    });
  });

  it('waits until everything is settled, and survives a reader that is gone', async () => {
    const app = new FakeApp({ user: 'alice' });
    await printed('message bob x', false, app);
    assert.equal(app.settled, 1);
    const output = new PassThrough();
    output.destroy();
    const outcome = await runOnce('whoelse', app, new Settings());
    assert.equal(await printOutcome(outcome, false, { output, errors: output }), 0);
  });
});
