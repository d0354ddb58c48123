/** What the world may do to a process: disks, ports, files and clocks that are not as they should be. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { sleep } from '../../lib/lifecycle.ts';
import { eventually } from '../support/channels.ts';
import { temporary } from '../support/temporary.ts';
import { freePort, workshop } from '../support/workshop.ts';

const HOUR_MS = 3_600_000;

describe('trouble', function () {
  this.timeout(120_000);
  const shop = workshop();
  const { newDisk } = temporary();

  describe("with the server's disk", () => {
    it('that is full: messages wait, nothing is lost, and it goes on once there is room', async function () {
      const disk = await newDisk(this, 6_144);
      const data = join(disk.directory, 'profile');
      const server = await shop.server({ name: 'full', data });
      const [alice, bob] = await shop.clients(server.address, ['alice', 'bob']);
      const big = 'x'.repeat(15_000);
      const held: string[] = [];
      let number = 0;
      for (let waiting = 0; waiting < 3 && number < 2_000; number++) {
        const { state } = await alice.ok(`say ${number} ${big}`);
        if (state === 'held') held.push(`${number} ${big}`);
        else waiting++;
      }
      assert(held.length > 20 && held.length < number, `${held.length} of ${number} were held`);
      // It still serves what needs no writing. Its own client, on the same disk, comes and goes.
      await eventually('everybody else is here', async () =>
        isDeepStrictEqual((await bob.ok('whoelse')).users, ['alice', 'root']),
      );
      disk.resize(65_536);
      const last = `say the last`;
      await alice.ok(last);
      await bob.event('message', { text: 'the last' }, { patience: 30_000 });
      const heard = bob.texts({ from: 'alice' }).map((text) => text.split(' ')[0]);
      const all = Array.from({ length: number }, (_, i) => `${i}`);
      assert.deepEqual(heard, [...all, 'the']);
      // And all of it is on the disk.
      await server.cli.crash();
      const port = Number(server.address.split(':')[1]);
      await shop.server({ name: 'full', data, port });
      const carol = await shop.client(server.address, 'carol');
      const { messages = [] } = await carol.ok('history 10000');
      assert.deepEqual(
        messages.map(({ text }) => text.split(' ')[0]),
        [...all, 'the'],
      );
    });

    it('that is read-only: it says so and does not start', async function () {
      const disk = await newDisk(this, 16_384);
      const data = join(disk.directory, 'profile');
      const server = await shop.server({ name: 'fixed', data });
      await server.cli.quit();
      disk.makeReadOnly();
      const run = await shop.run([
        ...['-ls', '--listen', '127.0.0.1:0', '--name', 'fixed', '--user', 'root'],
        ...['--data', data, '--headless', '--json'],
      ]);
      assert.equal((run.lines[0] as { code?: string }).code, 'DATA_READ_ONLY');
      assert.notEqual(run.status, 0);
      disk.makeWritable();
      const again = await shop.server({ name: 'fixed', data });
      assert.equal(again.id, server.id);
    });
  });

  describe("with the client's disk", () => {
    it('that is full: what cannot be stored is refused, and taken once there is room', async function () {
      const disk = await newDisk(this, 6_144);
      const { address } = await shop.server({ name: 'wide' });
      const bob = await shop.client(address, 'bob');
      const data = join(disk.directory, 'profile');
      // It says on standard error that it cannot keep what is pushed.
      const alice = await shop.client(address, 'alice', { data, complains: /./ });
      const big = 'x'.repeat(15_000);
      const taken: string[] = [];
      let code: string | undefined;
      for (let number = 0; code === undefined && number < 2_000; number++) {
        const result = await alice.ask(`say ${number} ${big}`);
        if (result.ok) taken.push(`${number}`);
        else code = result.code;
      }
      assert.equal(code, 'DISK_FULL');
      assert(taken.length > 20);
      disk.resize(65_536);
      // What is told to have failed has not happened, so it may be said again.
      for (let attempt = 0; !(await alice.ask('say the last')).ok; attempt++) {
        assert(attempt < 40, 'it never recovers');
        await sleep(500);
      }
      await bob.event('message', { text: 'the last' }, { patience: 30_000 });
      const heard = bob.texts({ from: 'alice' }).map((text) => text.split(' ')[0]);
      assert.deepEqual(heard, [...taken, 'the']);
      await alice.until(
        () => (alice.lines.some((line) => line.type === 'ready') ? true : undefined),
        'ready',
      );
    });
  });

  it('with the server away: a block can be undone before anybody has seen it', async () => {
    const server = await shop.server({ name: 'gone' });
    const [alice, bob] = await shop.clients(server.address, ['alice', 'bob']);
    await server.cli.crash();
    await alice.event('server', { connected: false });
    await alice.ok('block bob');
    assert.equal(await alice.refused('block bob'), 'ALREADY');
    await alice.ok('unblock bob');
    assert.equal(await alice.refused('unblock bob'), 'NOT_BLOCKED');
    const port = Number(server.address.split(':')[1]);
    await shop.server({ name: 'gone', data: server.data, port });
    await Promise.all([alice, bob].map((cli) => cli.event('server', { connected: true })));
    assert.equal((await bob.ok('message alice hello')).state, 'held');
    await alice.event('message', { text: 'hello' });
  });

  it('with a port in use: it says so, and which', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const run = await shop.run([
      ...['-ls', '--listen', `127.0.0.1:${port}`, '--name', 'late', '--user', 'root'],
      ...['--data', await shop.newDirectory(), '--headless', '--json'],
    ]);
    other.close();
    const [failure] = run.lines as { type: string; code: string; text: string }[];
    assert.equal(failure?.type, 'error');
    assert.equal(failure.code, 'PORT_IN_USE');
    assert.match(failure.text, new RegExp(String(port)));
    assert.equal(run.status, 4);
  });

  it('with a damaged store: it says so, and leaves it as it is', async () => {
    const server = await shop.server({ name: 'torn' });
    for (let i = 0; i < 20; i++) await server.cli.ok(`say ${i}`);
    await server.cli.quit();
    const store = await findStore(server.data);
    const name = (await readdir(store)).find((file) => file.startsWith('MANIFEST'))!;
    const path = join(store, name);
    const bytes = await readFile(path);
    const damaged = Buffer.from(bytes);
    damaged[Math.floor(damaged.length / 2)]! ^= 0xff;
    await writeFile(path, damaged);
    const run = await shop.run([
      ...['-ls', '--listen', '127.0.0.1:0', '--name', 'torn', '--user', 'root'],
      ...['--data', server.data, '--headless', '--json'],
    ]);
    assert.equal((run.lines[0] as { code?: string }).code, 'DATA_CORRUPT');
    assert.deepEqual(await readFile(path), damaged);
    await writeFile(path, bytes);
    const again = await shop.server({ name: 'torn', data: server.data });
    assert.equal((await again.cli.ok('history 100')).messages?.length, 20);
  });

  it('with a clock that is set back an hour, at the server and at a client', async () => {
    const directory = await shop.newDirectory();
    const clock = join(directory, 'clock');
    await writeFile(clock, '0');
    const fixture = new URL('./fixtures/clock.mjs', import.meta.url);
    const env = { NODE_OPTIONS: `--import=${fixture.href}`, CLOCK_FILE: clock };
    assert.ok((await readFile(fileURLToPath(fixture))).length > 0);
    const server = await shop.server({ name: 'late', env });
    const data = await shop.newDirectory();
    const alice = await shop.client(server.address, 'alice', {
      env,
      data,
      password: 'pass word 1',
    });
    const bob = await shop.client(server.address, 'bob');
    await alice.ok('say before');
    await alice.ok('message bob before');
    await writeFile(clock, `${-HOUR_MS}`);
    for (let i = 0; i < 5; i++) {
      assert.equal((await alice.ok(`say after ${i}`)).state, 'held');
      assert.equal((await alice.ok(`message bob after ${i}`)).state, 'held');
    }
    await bob.event('message', { text: 'after 4' }, { count: 2 });
    const order = (texts: string[]): string[] => texts.filter((text) => text !== 'before');
    assert.deepEqual(
      order(bob.texts({ room: 'lobby' })),
      [0, 1, 2, 3, 4].map((i) => `after ${i}`),
    );
    // Order is that of the log, not of the times shown.
    const { messages = [] } = await bob.ok('history 10');
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['before', ...[0, 1, 2, 3, 4].map((i) => `after ${i}`)],
    );
    assert(messages[0]!.time > messages[1]!.time);
    // Restarted in the past, both go on.
    await alice.quit();
    await server.cli.crash();
    const port = Number(server.address.split(':')[1]);
    await shop.server({ name: 'late', data: server.data, port, env });
    const again = await shop.client(server.address, 'alice', {
      env,
      data,
      password: 'pass word 1',
    });
    assert.equal((await again.ok('say and on')).state, 'held');
    await bob.event('message', { text: 'and on' }, { patience: 30_000 });
  });

  it('with strangers on the port: other protocols, and a thousand that say nothing', async () => {
    const server = await shop.server({ name: 'busy' });
    const [host, port] = server.address.split(':') as [string, string];
    const open = async (): Promise<Socket> => {
      const socket = connect(Number(port), host).on('error', () => undefined);
      await once(socket, 'connect').catch(() => undefined);
      return socket;
    };
    const words = [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      Buffer.from('16030100a5010000a10303', 'hex'),
      Buffer.alloc(100_000, 0xff),
      '\0'.repeat(4_096),
      'SSH-2.0-OpenSSH_9.6\r\n',
    ];
    const hangUp = async (word: string | Uint8Array): Promise<void> => {
      const socket = await open();
      const ended = new Promise((resolve) => socket.once('close', resolve));
      socket.resume().write(word);
      await Promise.race([ended, sleep(15_000).then(() => assert.fail('it does not hang up'))]);
    };
    await Promise.all(words.map(hangUp));
    const silent: Socket[] = [];
    for (let i = 0; i < 1_000; i += 50)
      silent.push(...(await Promise.all(Array.from({ length: 50 }, open))));
    const [alice, bob] = await shop.clients(server.address, ['alice', 'bob']);
    await alice.ok('message bob through the crowd');
    await bob.event('message', { text: 'through the crowd' });
    for (const socket of silent) socket.destroy();
  });

  it('with a server that accepts and says nothing: the client gives up, with the reason', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    const port = await freePort();
    mute.listen(port, '127.0.0.1');
    await once(mute, 'listening');
    const { code, status } = await shop.refused(`127.0.0.1:${port}`, 'alice');
    for (const socket of sockets) socket.destroy();
    mute.close();
    assert(['TIMEOUT', 'NETWORK'].includes(code), code);
    assert.equal(status, 4);
  });

  it('with something else on the port: the client says that it is no server', async () => {
    const web = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    const port = await freePort();
    web.listen(port, '127.0.0.1');
    await once(web, 'listening');
    const { code, status } = await shop.refused(`127.0.0.1:${port}`, 'alice');
    web.close();
    assert.equal(code, 'BAD_MESSAGE');
    assert.notEqual(status, 0);
  });
});

/** The directory of the database within a profile. */
async function findStore(profile: string): Promise<string> {
  const files = await readdir(profile, { recursive: true });
  const current = files.find((name) => name.endsWith('CURRENT'));
  assert(current !== undefined, files.join(' '));
  return join(profile, current, '..');
}
