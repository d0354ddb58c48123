/** `-e`: one command, its result, its status. */
import assert from 'node:assert/strict';
import type { Cli } from '../support/cli.ts';
import { workshop, type Community } from '../support/workshop.ts';

describe('-e', function () {
  this.timeout(30_000);
  const shop = workshop();
  let server: Community;
  let ben: Cli;
  before(async () => {
    server = await shop.server();
    ben = await shop.client(server.address, 'ben');
  });

  /** Runs one command of a profile, as a script would. */
  const execute = (
    user: string,
    data: string | null,
    command: string,
    options: { json?: boolean; input?: string; address?: string; password?: string } = {},
  ) => {
    const { json = false, address = server.address, ...rest } = options;
    const where = data === null ? [] : ['--data', data];
    const args = ['-lc', '--connect', address, '--user', user, ...where];
    return shop.run([...args, ...(json ? ['--json'] : []), '-e', command], rest);
  };

  it('logs in, carries it out, prints its result and ends', async () => {
    const data = await shop.newDirectory();
    const sent = await execute('ann', data, 'message ben hello  there');
    assert.deepEqual([sent.status, sent.stdout, sent.stderr], [0, 'The server has it.\n', '']);
    const event = await ben.event('message', { from: 'ann' });
    assert.equal(event['text'], 'hello  there');
    const others = await execute('ann', data, 'whoelse');
    assert.deepEqual([others.status, others.stdout], [0, 'ben\nroot\n']);
    const json = await execute('ann', data, 'whoelse', { json: true });
    assert.deepEqual(json.lines, [
      { type: 'result', line: 1, ok: true, text: 'ben\nroot', data: { users: ['ben', 'root'] } },
    ]);
  });

  it('ends with the status of its outcome', async () => {
    const data = await shop.newDirectory();
    const cases: [string, number, string][] = [
      ['message nobody hello', 1, 'NO_SUCH_USER'],
      ['message cat hello', 1, 'SELF'],
      ['unblock ben', 1, 'NOT_BLOCKED'],
      ['frobnicate', 2, 'USAGE'],
      ['message', 2, 'USAGE'],
      [`say ${'x'.repeat(16 * 1024 + 1)}`, 1, 'TOO_LARGE'],
    ];
    for (const [command, status, code] of cases) {
      const plain = await execute('cat', data, command);
      assert.deepEqual([plain.status, plain.stdout], [status, ''], command);
      assert.match(plain.stderr, new RegExp(`^${code}: .+\n$`));
    }
    const json = await execute('cat', data, 'message nobody x', { json: true });
    assert.deepEqual([json.status, json.stderr, json.lines.length], [1, '', 1]);
    const [line] = json.lines;
    assert(line?.type === 'result');
    assert.deepEqual([line.line, line.ok, line.code], [1, false, 'NO_SUCH_USER']);
    const away = await execute('nina', await shop.newDirectory(), 'whoelse', {
      address: '127.0.0.1:9',
    });
    assert.deepEqual([away.status, away.stdout], [4, '']);
    assert.match(away.stderr, /^NETWORK: /);
    await (await shop.client(server.address, 'dan', { password: 'right' })).quit();
    const wrong = await execute('dan', await shop.newDirectory(), 'whoelse', { password: 'wrong' });
    assert.equal(wrong.status, 3);
    assert.match(wrong.stderr, /^BAD_PASSWORD: /);
  });

  it('reads no input', async () => {
    const { status, stdout } = await execute('eva', await shop.newDirectory(), 'say only this', {
      input: 'say not this\nsay nor this\n',
    });
    assert.deepEqual([status, stdout], [0, 'The server has it.\n']);
    const waiting = await shop.start([
      ...['-lc', '--connect', server.address, '--user', 'ewa'],
      ...['--data', await shop.newDirectory(), '-e', 'say and does not wait for any'],
    ]);
    assert.equal(await waiting.status(), 0);
    await ben.event('message', { from: 'ewa' });
    assert.deepEqual(ben.texts({ from: 'eva' }), ['only this']);
  });

  it('goes through the running process of the profile', async () => {
    const data = await shop.newDirectory();
    const fay = await shop.client(server.address, 'fay', { data });
    const sent = await execute('fay', data, 'message ben through');
    assert.deepEqual([sent.status, sent.stdout, sent.stderr], [0, 'The server has it.\n', '']);
    const { id } = await ben.event('message', { text: 'through' });
    // It is that process's device that wrote it.
    assert.equal((await fay.event('receipt', { id })).event, 'receipt');
    assert.equal((await fay.ok('devices')).devices?.length, 1);
    const failed = await execute('fay', data, 'message nobody x', { json: true });
    assert.equal(failed.status, 1);
    assert(failed.lines[0]?.type === 'result' && failed.lines[0].code === 'NO_SUCH_USER');
    // Results of others do not appear among its own.
    assert.deepEqual(fay.results.length, 1);
    // The server need not be named, nor anything else but the profile.
    const short = await shop.run(['-lc', '--data', data, '-e', 'self']);
    assert.match(short.stdout, /^User: fay$/m);
    assert.equal((await execute('fay', data, 'quit')).status, 0);
    assert.equal(await fay.status(), 0);
    const after = await execute('fay', data, 'whoelse');
    assert.equal(after.status, 0);
  });

  it('goes through a running server too, as its admin', async () => {
    const args = ['-ls', '--data', server.data, '-e'];
    const { status, stdout } = await shop.run([...args, 'resetpasswd ben']);
    assert.equal(status, 0);
    assert.match(stdout, /^Code for ben: \S{20,}/);
    assert.match((await shop.run([...args, 'self'])).stdout, /^Group: admin$/m);
  });

  it('goes through the process of the account where no --data says which', async () => {
    const options = { data: null, password: 'secret' };
    const gus = await shop.client(server.address, 'gus', options);
    const hal = await shop.client(server.address, 'hal', options);
    const { status } = await execute('hal', null, 'message ben from hal', { password: 'secret' });
    assert.equal(status, 0);
    const { id } = await ben.event('message', { text: 'from hal' });
    await hal.event('receipt', { id });
    assert.equal((await hal.ok('devices')).devices?.length, 1);
    for (const cli of [gus, hal]) await cli.quit();
  });

  it('leaves the news to those who are told events', async () => {
    const data = await shop.newDirectory();
    await (await shop.client(server.address, 'ida', { data })).quit();
    await ben.ok('message ida did you see this');
    const { stdout } = await execute('ida', data, 'history @ben');
    assert.match(stdout, /did you see this/);
    const ida = await shop.client(server.address, 'ida', { data });
    await ida.event('message', { text: 'did you see this' });
    await ida.quit();
  });

  it('keeps what it cannot send for the next time', async () => {
    const own = await shop.server({ name: 'shaky' });
    const data = await shop.newDirectory();
    const jo = await shop.client(own.address, 'jo', { data });
    await jo.quit();
    await own.cli.crash();
    const { address } = own;
    const sent = await execute('jo', data, 'say for later', { address, json: true });
    assert.equal(sent.status, 0);
    assert(sent.lines[0]?.type === 'result' && sent.lines[0].data?.state === 'queued');
    const port = Number(address.split(':')[1]);
    const again = await shop.server({ data: own.data, port });
    assert.equal((await execute('jo', data, 'whoelse', { address })).status, 0);
    const told = await again.cli.event('message', { from: 'jo' });
    assert.equal(told['text'], 'for later');
    await again.cli.quit();
  });
});
