import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ClchatError, type ErrorCode } from '../../lib/errors.ts';
import {
  parseAddress,
  parseOptions,
  passwordOf,
  smtpUrlOf,
  turnUrlOf,
} from '../../lib/ui/command-line.ts';
import { GRAPHICS_MODES } from '../../lib/media/terminal/renderer.ts';
import { OPTIONS } from '../../lib/ui/options.ts';
import { temporary } from '../support/temporary.ts';

async function refused(argv: string[], code: ErrorCode, text?: RegExp): Promise<void> {
  await assert.rejects(parseOptions(argv), (error) => {
    assert.ok(error instanceof ClchatError, String(error));
    assert.equal(error.code, code, error.message);
    if (text !== undefined) assert.match(error.message, text);
    return true;
  });
}

describe('command line', () => {
  const { newDirectory } = temporary();

  it('is a shell without arguments', async () => {
    assert.deepEqual(await parseOptions([]), {
      action: 'run',
      mode: 'shell',
      internet: false,
      inviteOnly: false,
      blockDuration: 60,
      json: false,
      plain: false,
      headless: false,
    });
  });

  it('takes the documented ways in', async () => {
    const argv =
      '-ls --listen 127.0.0.1:49152 --name acme --user root --data DIR --headless --json';
    const server = await parseOptions(argv.split(' '));
    assert.equal(server.mode, 'server');
    assert.deepEqual(server.listen, { host: '127.0.0.1', port: 49152 });
    assert.deepEqual(
      [server.name, server.user, server.data, server.headless, server.json],
      ['acme', 'root', 'DIR', true, true],
    );
    const client = await parseOptions([
      '-lc',
      '--connect',
      '127.0.0.1',
      '-e',
      'message bob -ls "hi"',
    ]);
    assert.equal(client.mode, 'client');
    assert.deepEqual(client.connect, { host: '127.0.0.1' });
    assert.equal(client.execute, 'message bob -ls "hi"');
  });

  it('gives values as they were written', async () => {
    for (const value of ['"quoted"', "'x'", '-e', '=a=b', 'line\nend', '0x10', '  spaces ', '--no'])
      assert.equal((await parseOptions(['-lc', `--execute=${value}`])).execute, value);
    assert.equal((await parseOptions(['--data', '007'])).data, '007');
    assert.equal((await parseOptions(['--log', '-'])).log, '-');
  });

  it('reads numbers of seconds', async () => {
    const options = await parseOptions([
      '-ls',
      '--block-duration',
      '5',
      '--timeout=90',
      '--invite-only',
    ]);
    assert.deepEqual([options.blockDuration, options.timeout, options.inviteOnly], [5, 90, true]);
    for (const value of ['0', '-1', '1.5', 'x', '99999999999'])
      await refused(['-ls', '--timeout', value], 'USAGE', /whole number of seconds/);
  });

  it('has subcommands', async () => {
    assert.equal((await parseOptions(['man'])).action, 'manual');
    assert.equal((await parseOptions(['help'])).action, 'help');
    assert.equal((await parseOptions(['-ls', '--help'])).action, 'help');
    assert.equal((await parseOptions(['-h'])).action, 'help');
    assert.equal((await parseOptions(['--version'])).action, 'version');
    const completion = await parseOptions(['completion', 'zsh']);
    assert.deepEqual([completion.action, completion.shell], ['completion', 'zsh']);
    await refused(['completion'], 'USAGE', /bash, zsh, fish/);
    await refused(['man', 'more'], 'USAGE');
    await refused(['acme'], 'USAGE', /is no option/);
  });

  it('takes the ways over the internet', async () => {
    const server = await parseOptions(['-s', '--listen', '0.0.0.0:5000']);
    assert.deepEqual([server.mode, server.internet], ['server', true]);
    const client = async (...argv: string[]): Promise<unknown[]> => {
      const { mode, internet, connect, invite } = await parseOptions(argv);
      return [mode, internet, connect ?? invite];
    };
    const all = (target: unknown): unknown[] => ['client', true, target];
    assert.deepEqual(await client('-c'), all(undefined));
    assert.deepEqual(await client('-c', '--json'), all(undefined));
    assert.deepEqual(await client('-c', '11.0.0.2'), all({ host: '11.0.0.2' }));
    assert.deepEqual(await client('-c', '[2a0e::1]:80'), all({ host: '2a0e::1', port: 80 }));
    assert.deepEqual(await client('--json', '-c', ' clchat:abc'), all('clchat:abc'));
    assert.deepEqual(await client('-c=clchat:abc', '--json'), all('clchat:abc'));
    const [, isInternet] = await client('-lc');
    assert.equal(isInternet, false);
    for (const target of ['nowhere', '1.2.3', '11.0.0.2:0', '11.0.0.2:99999', '[11.0.0.2]'])
      await refused(['-c', target], 'USAGE', /invite link/);
    await refused(['-s', '11.0.0.2'], 'USAGE', /no option/);
  });

  it('refuses what does not fit together', async () => {
    await refused(['-ls', '-lc'], 'USAGE', /exclude each other/);
    for (const both of [
      ['-s', '-c'],
      ['-c', '-lc'],
      ['-s', '-ls'],
    ])
      await refused(both, 'USAGE', /exclude each other/);
    await refused(['-c', '--connect', '1.2.3.4'], 'USAGE', /--connect goes with -lc/);
    await refused(['-lc', '--name', 'x'], 'USAGE', /--name goes with -ls/);
    await refused(['-ls', '--connect', '1.2.3.4'], 'USAGE', /--connect goes with -lc/);
    await refused(['--listen', '1.2.3.4:5'], 'USAGE');
    await refused(['-lc', '-e', 'quit', '--headless'], 'USAGE');
    await refused(['-lc', '-e', '  '], 'USAGE');
    await refused(['--frob'], 'USAGE', /no option --frob/);
    await refused(['--plai'], 'USAGE', /Did you mean --plain/);
    await refused(['--conect', 'x'], 'USAGE', /Did you mean --connect/);
    await refused(['-x'], 'USAGE');
    await refused(['-lsx'], 'USAGE');
    await refused(['--json=yes'], 'USAGE', /takes no value/);
    await refused(['--no-json'], 'USAGE');
    await refused(['--data'], 'USAGE', /needs a value: DIR/);
    await refused(['--data', '--json'], 'USAGE', /needs a value: DIR/);
    await refused(['--data='], 'USAGE');
    await refused(['--data', 'a', '--data', 'b'], 'USAGE', /more than once/);
    await refused(['-ls', '--user', 'a b'], 'USAGE', /A name has/);
    await refused(['--data', 'a\0b'], 'USAGE');
    await refused(['--', 'x'], 'USAGE');
  });

  it('reads addresses', async () => {
    assert.deepEqual(parseAddress('localhost:80'), { host: '127.0.0.1', port: 80 });
    assert.deepEqual(parseAddress('[::1]:80'), { host: '::1', port: 80 });
    assert.deepEqual(parseAddress('fe80::1'), { host: 'fe80::1' });
    assert.deepEqual(parseAddress('0.0.0.0:0'), { host: '0.0.0.0', port: 0 });
    for (const wrong of [
      '',
      ':80',
      '1.2.3:80',
      '1.2.3.4:',
      '1.2.3.4:65536',
      '1.2.3.4:80x',
      '[1.2.3.4]:80',
      'example.org:80',
      '1.2.3.4:5:6',
    ])
      assert.equal(parseAddress(wrong), undefined, wrong);
    await refused(['-lc', '--connect', '1.2.3.4:0'], 'USAGE', /IP or IP:PORT/);
    await refused(['-ls', '--listen', '1.2.3.4'], 'USAGE', /IP:PORT/);
  });

  it('finds the password', async () => {
    const directory = await newDirectory();
    const passwordFile = join(directory, 'password');
    writeFileSync(passwordFile, 'from the file\r\nnot this\n');
    assert.equal(passwordOf({ passwordFile }, { CLCHAT_PASSWORD: 'x' }), 'from the file');
    assert.equal(passwordOf({}, { CLCHAT_PASSWORD: 'x' }), 'x');
    assert.equal(passwordOf({}, { CLCHAT_PASSWORD: '' }), undefined);
    assert.equal(passwordOf({}, {}), undefined);
    writeFileSync(passwordFile, '\n');
    assert.throws(() => passwordOf({ passwordFile }, {}), { code: 'USAGE' });
    assert.throws(() => passwordOf({ passwordFile: join(directory, 'none') }, {}), {
      code: 'NO_SUCH_FILE',
    });
  });

  it('takes the mail server from a file or the environment, for servers', async () => {
    const smtpUrlFile = join(await newDirectory(), 'mail');
    writeFileSync(smtpUrlFile, 'smtp://file\n');
    assert.equal(smtpUrlOf({ smtpUrlFile }, { CLCHAT_SMTP_URL: 'smtp://x' }), 'smtp://file');
    assert.equal(smtpUrlOf({}, { CLCHAT_SMTP_URL: 'smtp://x' }), 'smtp://x');
    assert.equal(smtpUrlOf({}, { CLCHAT_SMTP_URL: '', CLCHAT_PASSWORD: 'p' }), undefined);
    const options = await parseOptions(['-ls', '--smtp-url-file', smtpUrlFile]);
    assert.equal(options.smtpUrlFile, smtpUrlFile);
    await refused(['-lc', '--smtp-url-file', smtpUrlFile], 'USAGE', /goes with -ls/);
  });

  it('takes what calls need, for servers', async () => {
    const turnUrlFile = join(await newDirectory(), 'turn');
    writeFileSync(turnUrlFile, 'turn:file\n');
    assert.equal(turnUrlOf({ turnUrlFile }, { CLCHAT_TURN_URL: 'turn:x' }), 'turn:file');
    assert.equal(turnUrlOf({}, { CLCHAT_TURN_URL: 'turn:x' }), 'turn:x');
    const ports = ['--call-ports', '50010-50011'];
    const options = await parseOptions(['-s', '--turn-url-file', turnUrlFile, ...ports]);
    assert.equal(options.turnUrlFile, turnUrlFile);
    assert.deepEqual(options.callPorts, [50_010, 50_011]);
    await refused(['-c', '--turn-url-file', turnUrlFile], 'USAGE', /goes with -ls/);
    await refused(['-lc', ...ports], 'USAGE', /goes with -ls/);
    await refused(['-s', '--call-ports', '1-2'], 'USAGE', /--call-ports/);
  });

  it('takes how pictures are drawn, and how large they are', async () => {
    for (const mode of GRAPHICS_MODES)
      assert.equal((await parseOptions(['--graphics', mode])).graphics, mode);
    assert.equal((await parseOptions(['-lc', '--graphics=sixel'])).graphics, 'sixel');
    for (const mode of ['none', 'Kitty', 'sixels', '16'])
      await refused(['--graphics', mode], 'USAGE', /--graphics takes one of kitty, sixel,/);
    await refused(['--graphics'], 'USAGE', /needs a value/);
    const size = async (written: string): Promise<unknown> =>
      (await parseOptions(['-c', '--video-size', written])).videoSize;
    assert.deepEqual(await size('160x96@10'), { width: 160, height: 96, fps: 10 });
    assert.deepEqual(await size('640x480'), { width: 640, height: 480, fps: 15 });
    assert.deepEqual(await size('16x4096@60'), { width: 16, height: 4_096, fps: 60 });
    for (const wrong of [
      ...['160', '160x', 'x96', '160*96', '160X96', ' 160x96', '160x96@', '160x96@15.5'],
      ...['15x96', '160x4097', '160x96@0', '160x96@61', '-160x96', 'large'],
    ])
      await refused(['--video-size', wrong], 'USAGE', /WIDTHxHEIGHT@FPS, such as 160x96@15/);
    await refused(['--video-size', '160x96', '--video-size', '160x96'], 'USAGE', /more than once/);
    const { graphics, videoSize } = await parseOptions(['-lc']);
    assert.deepEqual([graphics, videoSize], [undefined, undefined]);
  });

  it('never throws anything else, whatever is given', async () => {
    const words = OPTIONS.flatMap((option) => [`--${option.name}`, option.short ?? '-']);
    const argument = fc.oneof(fc.constantFrom(...words, '1.2.3.4:5', 'x', '=', '--'), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 6 }), async (argv) => {
        try {
          const options = await parseOptions(argv);
          assert.ok(options.blockDuration >= 1);
        } catch (error) {
          assert.ok(error instanceof ClchatError, String(error));
          assert.ok(error.code === 'USAGE' || error.code === 'NOT_SUPPORTED', error.code);
        }
      }),
    );
  });
});
