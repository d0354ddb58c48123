import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ask, startOptions, thisHost } from '../../../lib/media/devices/host.ts';
import { temporary } from '../../support/temporary.ts';

const host = thisHost();

describe('asking a program', function () {
  this.timeout(30_000);
  const { newDirectory } = temporary();

  it('gives what it says, whether it fails or not', async () => {
    const fine = await ask(host, process.execPath, ['-e', 'console.log("ü"); console.error("no")']);
    assert.deepEqual(fine, {
      output: 'ü\n',
      complaints: 'no\n',
      isMissing: false,
      hasFailed: false,
    });
    const failed = await ask(host, process.execPath, [
      '-e',
      'console.error("no"); process.exit(1)',
    ]);
    assert.deepEqual(
      [failed.complaints, failed.isMissing, failed.hasFailed],
      ['no\n', false, true],
    );
  });

  it('hands each argument over as it is: no shell reads them', async () => {
    const hostile = ['$(touch /tmp/x)', '`id`', '; echo no', '"a" \'b\'', '*', '--', '%PATH%'];
    const script = 'console.log(JSON.stringify(process.argv.slice(1)))';
    const { output } = await ask(host, process.execPath, ['-e', script, '--', ...hostile]);
    assert.deepEqual(JSON.parse(output), hostile);
  });

  it('asks for plain English', async () => {
    const script = 'console.log(process.env.LC_ALL, process.env.LANGUAGE)';
    const german = { ...host, environment: { ...process.env, LC_ALL: 'de_DE', LANGUAGE: 'de' } };
    assert.equal((await ask(german, process.execPath, ['-e', script])).output, 'C.UTF-8 C\n');
  });

  it('bears with one that is missing, may not be started, never ends, or never stops talking', async () => {
    const missing = await ask(host, '/nowhere/program', []);
    assert.deepEqual([missing.isMissing, missing.hasFailed], [true, true]);
    const path = join(await newDirectory(), 'program');
    await writeFile(path, '#!/bin/sh\necho\n');
    await chmod(path, 0o600);
    assert.equal((await ask(host, path, [])).isMissing, true);
    const endless = await ask(host, process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    assert.deepEqual([endless.isMissing, endless.hasFailed], [false, true]);
    const script = 'const talk = () => process.stdout.write("x".repeat(65536), talk); talk()';
    const talking = await ask(host, process.execPath, ['-e', script]);
    assert.equal(talking.hasFailed, true);
    assert.ok(talking.output.length <= 1024 * 1024);
  });

  it('does not look for programs on Windows where others may have put them', () => {
    assert.equal(startOptions({ ...host, platform: 'win32' }).cwd, dirname(process.execPath));
    assert.equal(startOptions({ ...host, platform: 'linux' }).cwd, undefined);
  });
});
