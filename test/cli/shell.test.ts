/** The bare shell, and moving a server by backup and restore. */
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort, workshop } from '../support/workshop.ts';

const MACHINE = ['--json', '--headless'];

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });

describe('the bare shell', function () {
  this.timeout(30_000);
  const shop = workshop();
  const start = async (data?: string) =>
    shop.start(['--json', '--data', data ?? (await shop.newDirectory())]);

  it('starts a server, makes its admin, and takes others in', async () => {
    const host = await start();
    const ready = await host.ready();
    assert.deepEqual([ready.mode, ready.user, ready.server], ['shell', null, undefined]);
    for (const line of ['whoelse', 'say x', 'logout', 'devices', 'backup x'])
      assert.equal(await host.refused(line), 'NOT_LOGGED_IN', line);
    for (const line of ['user ann secret', 'login ann secret'])
      assert.equal(await host.refused(line), 'NETWORK', line);
    const port = await freePort();
    const { server } = await host.ok(`server acme 127.0.0.1:${port}`);
    const { id, name, addresses } = server as { id: string; name: string; addresses: string[] };
    assert.deepEqual([name, addresses], ['acme', [`127.0.0.1:${port}`]]);
    assert.equal(await host.refused(`server more 127.0.0.1:${port}`), 'ALREADY');
    assert.deepEqual(await host.ok('user ann secret'), { user: 'ann', created: true });
    await host.event('login', { user: 'ann' });
    assert.equal((await host.ok('self'))['group'], 'admin');

    const guest = await start();
    const { server: met } = await guest.ok(`connect 127.0.0.1:${port}`);
    assert.equal((met as { id: string }).id, id);
    assert.equal(await guest.refused('login ann wrong'), 'BAD_PASSWORD');
    assert.equal(await guest.refused('user ann secret'), 'NAME_TAKEN');
    assert.equal(await guest.refused('user Ann secret'), 'NAME_TAKEN');
    assert.equal(await guest.refused('login'), 'USAGE');
    assert.deepEqual(await guest.ok('login ben a long secret'), { user: 'ben', created: true });
    assert.equal((await guest.ok('self'))['group'], 'user');
    await guest.ok('message ann hello');
    await host.event('message', { from: 'ben', text: 'hello' });
    await guest.quit();

    const again = await start();
    await again.ok(`connect 127.0.0.1:${port}`);
    assert.deepEqual(await again.ok('login ben a long secret'), { user: 'ben', created: false });
    await again.quit();
    await host.quit();
  });

  it('goes on after a wrong password until the account is locked', async () => {
    const { address } = await shop.server();
    const first = await start();
    await first.ok(`connect ${address}`);
    await first.ok('user eva right');
    await first.quit();
    const second = await start();
    await second.ok(`connect ${address}`);
    for (let i = 0; i < 3; i++)
      assert.equal(await second.refused('login eva wrong'), 'BAD_PASSWORD');
    assert.equal((await second.event('locked'))['user'], 'eva');
    assert.equal(await second.status(), 3);
  });

  it('says what it cannot reach', async () => {
    const shell = await start();
    await shell.ready();
    const nobody = await freePort();
    assert.equal(await shell.refused(`connect 127.0.0.1:${nobody}`), 'NETWORK');
    for (const address of ['no:where', '127.0.0.1:0', '127.0.0.1:99999', '1.2.3.4.5:6', '::1:x'])
      assert.equal(await shell.refused(`connect ${address}`), 'BAD_ADDRESS', address);
    assert.equal(await shell.refused('connect'), 'USAGE');
    for (const address of ['nowhere', '127.0.0.1:99999', '[::1'])
      assert.equal(await shell.refused(`server acme ${address}`), 'BAD_ADDRESS', address);
    assert.equal(await shell.refused('server acme'), 'USAGE');
    assert.equal(await shell.refused('server a/b 127.0.0.1:0'), 'BAD_NAME');
    // None of this stands in the way of what works.
    const { address } = await shop.server();
    await shell.ok(`connect ${address}`);
    await shell.ok('login fay');
    await shell.quit();
    const host = await start();
    assert.equal(await host.refused(`server acme ${address}`), 'PORT_IN_USE');
    assert.equal(await host.refused('server acme 203.0.113.77:50000'), 'BAD_ADDRESS');
    await host.ok(`server acme 127.0.0.1:${nobody}`);
    await host.ok('user gil');
    await host.quit();
  });

  it('forgets a server that it has refused', async () => {
    const data = await shop.newDirectory();
    const { address } = await shop.server();
    const shell = await start(data);
    await shell.ok(`connect ${address}`);
    const file = join(data, 'known_servers');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/ [0-9a-f]{64} /, ` ${'ab'.repeat(32)} `));
    assert.equal(await shell.refused(`connect ${address}`), 'SERVER_KEY_CHANGED');
    assert.equal(await shell.refused('login victim secret'), 'NETWORK');
    assert.equal(await shell.refused('self'), 'NOT_LOGGED_IN');
    await shell.quit();
  });

  it('starts a server while it is logged in at another, and tells them apart', async () => {
    const { address, id } = await shop.server();
    // A directory given by --data would be the user's, and no server's.
    const shell = await shop.start(['--json']);
    await shell.ok(`connect ${address}`);
    await shell.ok('user eva');
    assert.equal(await shell.refused(`connect ${address}`), 'ALREADY');
    const { server } = await shell.ok('server foo 127.0.0.1:0');
    const foo = server as { id: string; name: string; connected: boolean };
    assert.deepEqual([foo.name, foo.connected, foo.id === id], ['foo', true, false]);
    const there = (await shell.ok('self'))['server'];
    assert.deepEqual(there, { id, name: 'acme', addresses: [address], connected: true });
    await shell.ok('logout');
    // Now it is the one that logins go to, and whoever is first there is its admin.
    await shell.ok('login ivy');
    const { group, server: own } = await shell.ok('self');
    assert.deepEqual([group, (own as { name: string }).name], ['admin', 'foo']);
    await shell.ok('logout');
    // At another server nobody becomes anything here.
    await shell.ok(`connect ${address}`);
    await shell.ok('login eva');
    assert.equal((await shell.ok('self'))['group'], 'user');
    await shell.quit();
  });

  it('finds the same server of a host each time where the port is left open', async function () {
    // A host to itself: others may run servers at the usual ports of 127.0.0.1.
    const ip = `127.${[1, 2, 3].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`;
    // A server of somebody else's on every network has them here as well.
    for (const port of [49_152, 49_156]) if (!(await isFree(ip, port))) this.skip();
    const serve = async (name: string, port: number) => {
      const where = ['--listen', `${ip}:${port}`, '--name', name, '--user', 'root'];
      const cli = await shop.start([
        '-ls',
        ...where,
        '--data',
        await shop.newDirectory(),
        ...MACHINE,
      ]);
      return { cli, ...(await cli.ready()).server! };
    };
    const [low, high] = [await serve('low', 49_152), await serve('high', 49_156)];
    const names = async (data?: string, times = 3): Promise<string[]> => {
      const met: string[] = [];
      for (let i = 0; i < times; i++) {
        const shell = await start(data);
        const { server } = await shell.ok(`connect ${ip}`);
        const { name, addresses } = server as { name: string; addresses: string[] };
        met.push(`${name} ${addresses.join()}`);
        await shell.quit();
      }
      return met;
    };
    assert.deepEqual([...new Set(await names())], [`low ${ip}:49152`]);
    // Who knows the other one comes back to that.
    const data = await shop.newDirectory();
    const shell = await start(data);
    await shell.ok(`connect ${high.addresses[0]}`);
    await shell.ok('user joe');
    assert.deepEqual((await shell.ok('self'))['server'], {
      ...{ id: high.id, name: 'high', addresses: [`${ip}:49156`], connected: true },
    });
    await shell.quit();
    assert.deepEqual([...new Set(await names(data))], [`high ${ip}:49156`]);
    // While it is away the other one is neither taken for it nor an alarm.
    await high.cli.quit();
    const away = await shop.start(['-lc', '--connect', ip, '--data', data, '--json']);
    const { server: there, user } = await away.ready();
    assert.deepEqual([there?.id, there?.connected, user], [high.id, false, 'joe']);
    await away.quit();
    await low.cli.quit();
  });

  it('takes no count of nothing, and no name that stands for something else', async () => {
    const { address } = await shop.server();
    const shell = await start();
    await shell.ok(`connect ${address}`);
    for (const name of ['you', 'Everybody', 'lobby', 'server', '*', '-x', `o'neil`, '”x']) {
      assert.equal(await shell.refused(`user ${name}`), 'BAD_NAME', name);
      assert.equal(await shell.refused(`login ${name}`), 'BAD_NAME', name);
    }
    await shell.ok('user eva');
    assert.equal(await shell.refused('history 0'), 'USAGE');
    await shell.quit();
  });

  it('does not take a known server for reached when nobody answers', async () => {
    const data = await shop.newDirectory();
    const known = await shop.server();
    const shell = await start(data);
    await shell.ok(`connect ${known.address}`);
    await shell.ok('login gus');
    await shell.ok('message root hello');
    await shell.quit();
    await known.cli.crash();
    const again = await start(data);
    const { server } = await again.ok(`connect ${known.address}`);
    assert.deepEqual(
      [(server as { name: string }).name, (server as { connected: boolean }).connected],
      ['acme', false],
    );
    await again.ok('login gus');
    assert.equal((await again.ok('history @root')).messages?.length, 1);
    await again.quit();
    const elsewhere = await start();
    assert.equal(await elsewhere.refused(`connect ${known.address}`), 'NETWORK');
    await elsewhere.quit();
  });
});

describe('backup and restore', function () {
  this.timeout(60_000);
  const shop = workshop();
  const PASSPHRASE = { env: { CLCHAT_BACKUP_PASSPHRASE: 'open sesame' }, password: 'secret' };

  it('move a server to another place, and its clients go on', async () => {
    const server = await shop.server(PASSPHRASE);
    const { address } = server;
    const annData = await shop.newDirectory();
    const ann = await shop.client(address, 'ann', { data: annData, password: 'secret' });
    const ben = await shop.client(address, 'ben');
    await ann.ok('message ben before');
    await ben.event('message', { text: 'before' });
    await ann.ok('say in the room');
    const file = join(await shop.newDirectory(), 'acme.backup');
    assert.equal(await ann.refused(`backup ${file}`), 'DENIED');
    const written = await server.cli.ok(`backup ${file}`);
    const facts = await stat(file);
    assert.deepEqual([written['bytes'], facts.mode & 0o077], [facts.size, 0]);
    // Nobody is asked here, so nothing is written over, and no directory is made.
    assert.equal(await server.cli.refused(`backup ${file}`), 'ALREADY');
    assert.equal(await server.cli.refused(`backup ${file}-none/x`), 'NO_SUCH_FILE');
    await mkdir(`${file}-there`);
    assert.equal(await server.cli.refused(`backup ${file}-there`), 'ALREADY');
    assert.equal((await stat(file)).mtimeMs, facts.mtimeMs);
    await server.cli.quit();

    const target = join(await shop.newDirectory(), 'moved');
    const wrong = await shop.start(['--json', '--data', `${target}-x`], {
      env: { CLCHAT_BACKUP_PASSPHRASE: 'open barley' },
    });
    assert.equal(await wrong.refused(`restore ${file}`), 'BAD_PASSPHRASE');
    await wrong.quit();
    const none = await shop.start(['--json', '--data', `${target}-x`]);
    assert.equal(await none.refused(`restore ${file}`), 'USAGE');
    await none.quit();
    const mover = await shop.start(['--json', '--data', target], PASSPHRASE);
    assert.equal(await mover.refused(`restore ${file}.nowhere`), 'NO_SUCH_FILE');
    assert.equal((await mover.ok(`restore ${file}`))['server'], 'acme');
    await mover.quit();
    const port = Number(address.split(':')[1]);
    const moved = await shop.server({ data: target, port, password: 'secret' });
    assert.equal(moved.id, server.id);
    assert.equal((await moved.cli.ok('self'))['group'], 'admin');
    await Promise.all([ann, ben].map((cli) => cli.event('server', { connected: true })));
    await ann.ok('message ben after');
    await ben.event('message', { text: 'after' });
    assert.deepEqual(ben.texts({ to: 'ben' }), ['before', 'after']);
    assert.deepEqual(
      (await moved.cli.ok('history')).messages?.map(({ text }) => text),
      ['in the room'],
    );
    // Passwords have moved with it.
    assert.equal((await shop.refused(address, 'ann', { password: 'wrong' })).code, 'BAD_PASSWORD');
    const again = await shop.client(address, 'ann', { password: 'secret' });
    assert.equal((await again.ok('history @ben')).messages?.length, 2);
    for (const cli of [again, ann, ben, moved.cli]) await cli.quit();
  });

  it('of an old backup lose nothing that clients still have', async () => {
    const server = await shop.server(PASSPHRASE);
    const { address } = server;
    const [ann, ben] = await shop.clients(address, ['ann', 'ben']);
    await ann.ok('message ben before');
    const file = join(await shop.newDirectory(), 'old.backup');
    await server.cli.ok(`backup ${file}`);
    await ann.ok('message ben since then');
    await ann.ok('say since then too');
    const { id } = await ann.ok('message ben and this');
    await ben.event('message', { id });
    await ann.event('receipt', { id, on: 1 });
    await server.cli.crash();
    const target = join(await shop.newDirectory(), 'restored');
    const mover = await shop.start(['--json', '--data', target], PASSPHRASE);
    await mover.ok(`restore ${file}`);
    await mover.quit();
    const port = Number(address.split(':')[1]);
    const restored = await shop.server({ data: target, port, password: 'secret' });
    for (const cli of [ann, ben])
      await cli.event('server', { connected: true }, { patience: 10_000 });
    await ann.ok('message ben after all');
    await ben.event('message', { text: 'after all' });
    const expected = ['before', 'since then', 'and this', 'after all'];
    assert.deepEqual(ben.texts({ to: 'ben' }), expected);
    for (const [cli, other] of [
      [ann, 'ben'],
      [ben, 'ann'],
    ] as const) {
      const { messages } = await cli.ok(`history @${other}`);
      assert.deepEqual(
        messages?.map(({ text }) => text),
        expected,
      );
    }
    const room = (await restored.cli.ok('history')).messages?.map(({ text }) => text);
    assert.deepEqual(room, ['since then too']);
    for (const cli of [ann, ben, restored.cli]) await cli.quit();
  });

  it('take the admin along who has no password', async () => {
    const server = await shop.server({ env: PASSPHRASE.env });
    const file = join(await shop.newDirectory(), 'acme.backup');
    await server.cli.ok(`backup ${file}`);
    await server.cli.quit();
    const target = join(await shop.newDirectory(), 'moved');
    const mover = await shop.start(['--json', '--data', target], PASSPHRASE);
    await mover.ok(`restore ${file}`);
    await mover.quit();
    const moved = await shop.server({ data: target });
    assert.equal((await moved.cli.ok('self'))['group'], 'admin');
    await moved.cli.quit();
    // Moved once, the keystore has its own place, and is found there the next time.
    const again = await shop.server({ data: target });
    assert.equal((await again.cli.ok('self'))['group'], 'admin');
    await again.cli.quit();
  });
});
