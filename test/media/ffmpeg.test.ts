import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../lib/lifecycle.ts';
import { thisHost, type Host } from '../../lib/media/devices/host.ts';
import { Ffmpeg } from '../../lib/media/ffmpeg.ts';
import { leavesNothing } from '../support/media-devices.ts';
import { temporary } from '../support/temporary.ts';

const host = thisHost();
/** Gives sound for ever, as fast as it is taken. */
const ENDLESS = ['-f', 'lavfi', '-i', 'sine', '-f', 's16le', 'pipe:1'];
const LONG = 30_000;

describe('ffmpeg', function () {
  this.timeout(60_000);
  const { newDirectory } = temporary();

  it('takes what is written to it and gives what it makes of that', async () => {
    const program = new Ffmpeg(host, ['-f', 's16le', '-i', 'pipe:0', '-f', 's16le', 'pipe:1']);
    const chunks: Buffer[] = [];
    program.output.on('data', (chunk: Buffer) => chunks.push(chunk));
    const bytes = Buffer.from(Uint8Array.from({ length: 9_600 }, (_, at) => at & 0xff));
    program.input.end(bytes);
    await program.ended;
    assert.deepEqual(Buffer.concat(chunks), bytes);
    assert.deepEqual([program.hasEnded, program.complaint], [true, '']);
    await program.close();
  });

  /** A program of the test's own in its place. */
  const inItsPlace = async (script: string): Promise<Host> => {
    const path = join(await newDirectory(), 'program');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o700);
    return { ...host, ffmpeg: path };
  };

  it('says what it complained of first', async () => {
    const program = new Ffmpeg(host, ['-f', 'v4l2', '-i', '/dev/none', '-f', 'null', '-']);
    await program.ended;
    const why = 'Cannot open video device /dev/none: No such file or directory';
    assert.equal(program.complaint, why);
    assert.ok(program.complainsOf(/No such file/));
    const { code, message } = program.failure('It cannot be read');
    assert.deepEqual([code, message], ['NO_DEVICE', `It cannot be read: ${why}`]);
  });

  it('says it clean and bounded, whatever it was, and takes no notice of the rest', async () => {
    const hostile =
      'printf "\\n[x @ 0x1] no\\033[31m \\033]0;title\\007su\\342\\200\\256ch\\n" >&2';
    const much = 'head -c 20000000 /dev/zero | tr "\\0" x >&2; exit 1';
    const program = new Ffmpeg(await inItsPlace(`${hostile}; ${much}`), []);
    await program.ended;
    assert.equal(program.failure('It ends').message, 'It ends: no such');
    const endless = new Ffmpeg(await inItsPlace(much), []);
    await endless.ended;
    assert.match(endless.failure('It ends').message, /^It ends: x{199}…$/);
  });

  it('says how it is to be had where it is missing', async () => {
    for (const [platform, how] of [
      ['linux', 'apt install ffmpeg'],
      ['darwin', 'brew install ffmpeg'],
      ['win32', 'winget install ffmpeg'],
    ] as const) {
      const program = new Ffmpeg({ ...host, platform, ffmpeg: '/nowhere/ffmpeg' }, ENDLESS);
      await program.ended;
      const failure = program.failure('It cannot be read');
      assert.equal(failure.code, 'NO_DEVICE');
      assert.equal(failure.message, `ffmpeg is not installed: ${how}`);
      await program.close();
    }
  });

  it('is refused where it cannot even be tried', () => {
    for (const args of [['-i', 'a\0b'], ['x'.repeat(4_000_000)]])
      assert.throws(() => new Ffmpeg(host, args), { code: 'NO_DEVICE' });
  });

  it('is ended at once, also while nobody takes what it gives, and leaves nothing behind', async () => {
    const nothing = await leavesNothing();
    const program = new Ffmpeg(host, ENDLESS);
    await new Promise((resolve) => program.output.once('readable', resolve));
    await Promise.all([program.close(), program.close()]);
    assert.equal(program.hasEnded, true);
    program.input.write('whatever');
    await nothing();
  });

  it('is ended though it does not listen', async () => {
    // In the place of a driver that hangs.
    const script = 'trap "" TERM PIPE; echo up; while :; do sleep 0.1 2>/dev/null; done';
    const program = new Ffmpeg(await inItsPlace(script), []);
    await new Promise((resolve) => program.output.once('data', resolve));
    await program.close();
    assert.equal(program.hasEnded, true);
  });

  it('has time to finish what it writes', async () => {
    const path = join(await newDirectory(), 'tone.wav');
    const program = new Ffmpeg(host, ['-f', 's16le', '-i', 'pipe:0', `file:${path}`]);
    program.input.write(Buffer.alloc(96_000));
    await program.finish(LONG);
    assert.ok((await stat(path)).size > 96_000);
    await program.finish(LONG);
  });

  /** A process that starts one, tells its number, and is ended in some way. */
  const parent = (end: string): string => `
    import { Ffmpeg } from '${new URL('../../lib/media/ffmpeg.ts', import.meta.url).href}';
    import { thisHost } from '${new URL('../../lib/media/devices/host.ts', import.meta.url).href}';
    import { readFileSync } from 'node:fs';
    const program = new Ffmpeg(thisHost(), ${JSON.stringify(['-re', ...ENDLESS])});
    program.output.once('data', () => {
      console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));
      ${end}
    });
  `;
  const isRunning = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  for (const [how, end] of [
    ['ends', 'process.exit(0);'],
    ['fails', 'throw new Error("broken");'],
    ['is killed', 'process.kill(process.pid, "SIGKILL");'],
  ] as const)
    it(`does not outlive a process that ${how}`, async () => {
      const args = ['--import', 'tsx', '--input-type=module', '-e', parent(end)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
      await new Promise((resolve) => child.once('close', resolve));
      const pids = text.trim().split(/\s+/).map(Number);
      assert.ok(pids.length > 0 && pids.every((pid) => pid > 1), text);
      assert.ok(await until(LONG, () => !pids.some(isRunning)), 'it has ended too');
    });
});
