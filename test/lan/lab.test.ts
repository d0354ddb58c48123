import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Lab } from './lab.ts';

const execute = promisify(execFile);

/** The namespaces made by a process. */
async function namespacesOf(pid: number | undefined): Promise<string[]> {
  const names = await readdir('/run/netns').catch(() => []);
  return names.filter((name) => name.startsWith(`clchat-lab-${pid}-`));
}

describe('the lab', function () {
  this.timeout(20_000);

  const ping = (lab: Lab, from: string, to: string): Promise<unknown> => {
    // Whether a connection can be made, since not every machine has "ping".
    const script = `require('net').connect(9, '${to}').on('error', (e) =>
      process.exit(e.code === 'ECONNREFUSED' ? 0 : 1)); setTimeout(() => process.exit(1), 1500)`;
    const { namespace } = lab.host(from);
    return execute('ip', ['netns', 'exec', namespace, process.execPath, '-e', script]);
  };

  it('joins its hosts, cuts them off and joins them again', async () => {
    const lab = await Lab.create({ hosts: 2, dual: ['h2'] });
    try {
      const address = lab.host('h2').address();
      await ping(lab, 'h1', address);
      await assert.rejects(ping(lab, 'h1', lab.host('h2').address(2)));
      for (const how of ['silent', 'carrier'] as const) {
        await lab.host('h2').cut(how);
        await assert.rejects(ping(lab, 'h1', address), how);
        await lab.host('h2').restore();
        await ping(lab, 'h1', address);
      }
    } finally {
      await lab.destroy();
    }
    assert.deepEqual(await namespacesOf(process.pid), []);
  });

  it('removes what a run that was killed has left behind, programs included', async () => {
    const script = `import { Lab } from ${JSON.stringify(new URL('lab.ts', import.meta.url).href)};
      const lab = await Lab.create({ hosts: 1 });
      lab.host('h1').exec('sleep', ['600']);
      console.log('up');`;
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.equal((await namespacesOf(child.pid)).length, 2);
    const lab = await Lab.create({ hosts: 1 });
    await lab.destroy();
    assert.deepEqual(await namespacesOf(child.pid), []);
  });
});
