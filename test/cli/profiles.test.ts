/** Data directories, several processes side by side, and whether a server is the one it was. */
import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { workshop, type Community } from '../support/workshop.ts';

describe('profiles', function () {
  this.timeout(30_000);
  const shop = workshop();
  let server: Community;
  before(async () => {
    server = await shop.server();
  });

  it('given by --data belong to one process at a time', async () => {
    const data = await shop.newDirectory();
    const first = await shop.client(server.address, 'ann', { data });
    const client = await shop.refused(server.address, 'ann', { data });
    assert.deepEqual([client.code, client.status], ['DATA_IN_USE', 1]);
    const second = await shop.run([
      ...['-ls', '--listen', '127.0.0.1:0', '--name', 'acme', '--user', 'root'],
      ...['--data', server.data, '--headless', '--json'],
    ]);
    assert.deepEqual(
      second.lines.map((line) => line.type === 'error' && line.code),
      ['DATA_IN_USE'],
    );
    assert.equal(second.status, 1);
    // Neither was harmed by the attempt.
    await first.ok('message root still here');
    await server.cli.event('message', { text: 'still here' });
    await first.quit();
    await (await shop.client(server.address, 'ann', { data })).quit();
  });

  it('are of one kind', async () => {
    const data = await shop.newDirectory();
    await (await shop.client(server.address, 'bea', { data })).quit();
    const wrong = await shop.run([
      ...['-ls', '--listen', '127.0.0.1:0', '--name', 'x', '--data', data, '--headless', '--json'],
    ]);
    assert.deepEqual(
      wrong.lines.map((line) => line.type === 'error' && line.code),
      ['DATA_KIND'],
    );
    const own = await shop.server({ user: null, name: 'kinds' });
    await own.cli.quit();
    assert.equal((await shop.refused(server.address, 'bea', { data: own.data })).code, 'DATA_KIND');
  });

  it('without --data are used again, and a second process gets a second one', async () => {
    const options = { data: null, password: 'secret' };
    const first = await shop.client(server.address, 'cleo', options);
    const second = await shop.client(server.address, 'cleo', options);
    const { devices = [] } = await second.ok('devices');
    assert.deepEqual(
      devices.map(({ online }) => online),
      [true, true],
    );
    await first.ok('say to myself');
    assert.equal((await second.event('message', { text: 'to myself' }))['from'], 'cleo');
    for (const cli of [first, second]) await cli.quit();
    // Those two again, and no third; the password is not needed by a known device.
    const again = await shop.client(server.address, 'cleo', { data: null });
    const too = await shop.client(server.address, 'cleo', { data: null });
    assert.equal((await too.ok('devices')).devices?.length, 2);
    for (const cli of [again, too]) await cli.quit();
    // Another user's is another.
    const other = await shop.client(server.address, 'dora', options);
    assert.equal((await other.ok('devices')).devices?.length, 1);
    await other.quit();
  });

  it('know who was there last', async () => {
    const data = await shop.newDirectory();
    await (await shop.client(server.address, 'eva', { data })).quit();
    const again = await shop.start(['-lc', '--connect', server.address, '--data', data, '--json']);
    assert.equal((await again.ready()).user, 'eva');
    await again.quit();
  });

  it('of several users fit into one --data directory', async () => {
    const data = await shop.newDirectory();
    const fay = await shop.client(server.address, 'fay', { data });
    const gus = await shop.client(server.address, 'gus', { data });
    await gus.ok('message fay hello');
    await fay.event('message', { text: 'hello' });
    for (const cli of [fay, gus]) await cli.quit();
    const again = await shop.client(server.address, 'gus', { data });
    assert.deepEqual((await again.ok('history @fay')).messages?.length, 1);
    await again.quit();
  });

  it('keep secrets from other people of the machine', async () => {
    const data = await shop.newDirectory();
    await chmod(data, 0o755);
    await (await shop.client(server.address, 'hal', { data, password: 'secret' })).quit();
    for (const directory of [data, server.data])
      for (const name of await readdir(directory)) {
        const facts = await stat(join(directory, name));
        const mayBeRead = !/key|vault|identity|keystore|socket/.test(name);
        assert(mayBeRead || (facts.mode & 0o077) === 0, `${name}: ${facts.mode.toString(8)}`);
      }
  });

  it('live side by side with a server on one machine, all without --data', async () => {
    const own = await shop.start([
      ...['-ls', '--listen', '127.0.0.1:0', '--name', 'home', '--user', 'ann'],
      ...['--headless', '--json'],
    ]);
    const ready = await own.ready();
    const address = ready.server?.addresses[0] ?? '';
    const client = await shop.client(address, 'ben', { data: null });
    await client.ok('message ann hello');
    await own.event('message', { from: 'ben', text: 'hello' });
    const back = await own.ok('message ben hello yourself');
    await client.event('message', { id: back.id });
    for (const cli of [client, own]) await cli.quit();
  });
});

describe('trust', function () {
  this.timeout(30_000);
  const shop = workshop();

  it('is on first use: a changed key is refused, with a warning', async () => {
    const data = await shop.newDirectory();
    const first = await shop.server({ name: 'acme' });
    const { address } = first;
    await (await shop.client(address, 'ann', { data })).quit();
    const known = join(data, 'known_servers');
    const before = await readFile(known, 'utf8');
    assert.match(before, new RegExp(`^${address.replaceAll('.', '\\.')}\\s`, 'm'));
    await first.cli.quit();
    const port = Number(address.split(':')[1]);
    const impostor = await shop.server({ name: 'acme', port });
    for (const user of ['ann', 'ben']) {
      const { code, text, status } = await shop.refused(address, user, {
        data,
        password: 'do not tell',
      });
      assert.deepEqual([user, code, status], [user, 'SERVER_KEY_CHANGED', 4]);
      assert.match(text, /posing|another key/);
    }
    assert.equal(await readFile(known, 'utf8'), before);
    const inShell = await shop.start(['--json', '--data', data]);
    await inShell.ready();
    assert.equal(await inShell.refused(`connect ${address}`), 'SERVER_KEY_CHANGED');
    await inShell.quit();
    assert.deepEqual((await impostor.cli.ok('whoelsesince 1000')).users, []);
    // Who knows better removes the line; the old account's directory stays that server's.
    await writeFile(known, '');
    assert.equal((await shop.refused(address, 'ann', { data })).code, 'SERVER_KEY_CHANGED');
    await impostor.cli.quit();
    await writeFile(known, before);
    await shop.server({ name: 'acme', port, data: first.data });
    await (await shop.client(address, 'ann', { data })).quit();
  });

  it('covers those who meet the server under one home', async () => {
    const first = await shop.server({ name: 'acme' });
    const { address } = first;
    await (await shop.client(address, 'ann', { data: null })).quit();
    await first.cli.crash();
    await shop.server({ name: 'acme', port: Number(address.split(':')[1]) });
    for (const user of ['ann', 'newcomer']) {
      const { code, status } = await shop.refused(address, user, { data: null });
      assert.deepEqual([user, code, status], [user, 'SERVER_KEY_CHANGED', 4]);
    }
  });

  it('is not given to a server that takes the place of one that is away', async () => {
    const data = await shop.newDirectory();
    const first = await shop.server({ name: 'acme' });
    const { address } = first;
    const ann = await shop.client(address, 'ann', { data });
    await first.cli.crash();
    await ann.event('server', { connected: false });
    const port = Number(address.split(':')[1]);
    const impostor = await shop.server({ name: 'acme', port });
    await ann.event('notice', { code: 'SERVER_KEY_CHANGED' });
    assert.equal((await ann.ok('say for the true one')).state, 'queued');
    assert.deepEqual((await impostor.cli.ok('whoelsesince 1000')).users, []);
    await impostor.cli.quit();
    const back = await shop.server({ name: 'acme', port, data: first.data });
    await ann.event('server', { connected: true }, { patience: 10_000 });
    await back.cli.event('message', { text: 'for the true one' });
    await ann.quit();
  });
});
