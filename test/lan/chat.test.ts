/** The program itself on a LAN of network namespaces, found by real multicast. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab, type LabOptions } from './lab.ts';
import type { Line, LabProcess } from './process.ts';
import { program } from '../support/build.ts';
import { sleep } from '../../lib/lifecycle.ts';

const CUTS_S = process.env['CLCHAT_FULL'] === undefined ? [3, 10] : [3, 10, 60];

const event =
  (name: string, fields: Line = {}) =>
  (line: Line): boolean =>
    line['event'] === name && Object.entries(fields).every(([key, value]) => line[key] === value);
const ready = (line: Line): boolean => line['type'] === 'ready';
const failure = (line: Line): boolean => line['type'] === 'error';
const result =
  (number: number) =>
  (line: Line): boolean =>
    line['type'] === 'result' && line['line'] === number;

describe('clchat on a LAN', function () {
  this.timeout(240_000);
  let lab: Lab;
  let directory: string;
  let file: string;

  before(async () => {
    file = await program();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'clchat-lan-'));
  });
  afterEach(async () => {
    await lab.destroy();
    await rm(directory, { recursive: true, force: true });
  });

  const start = (host: string, ...args: string[]): LabProcess =>
    lab
      .host(host)
      .exec(
        process.execPath,
        [file, '--json', ...args, '--data', join(directory, `${host}${args[0]}`)],
        {
          HOME: directory,
          XDG_DATA_HOME: directory,
        },
      );
  const serve = async (host: string, ...args: string[]): Promise<LabProcess> => {
    const server = start(host, '-ls', '--name', 'acme', '--user', 'root', '--headless', ...args);
    await server.next(ready, 15_000, 'the server');
    return server;
  };
  const join_ = async (host: string, user: string, ...args: string[]): Promise<LabProcess> => {
    const client = start(host, '-lc', '--user', user, ...args);
    await client.next(ready, 15_000, `${user} on ${host}`);
    return client;
  };

  const build = async (options: LabOptions): Promise<void> => {
    lab = await Lab.create(options);
  };

  /** A server on h1 and clients on the others, who then talk. */
  async function talk(hosts: readonly string[]): Promise<LabProcess[]> {
    await serve('h1');
    const clients = await Promise.all(hosts.map((host) => join_(host, `user-${host}`)));
    clients[0]!.send('say hello everybody');
    for (const client of clients.slice(1))
      await client.next(event('message', { text: 'hello everybody' }), 3_000, 'the greeting');
    return clients;
  }

  for (const gateway of [true, false])
    it(`is found by three clients ${gateway ? 'with' : 'without'} a default route`, async () => {
      await build({ hosts: 4, gateway });
      await talk(['h2', 'h3', 'h4']);
    });

  it('is found on either card of a host with two', async () => {
    await build({ hosts: 4, dual: ['h1'], second: ['h4'] });
    await talk(['h2', 'h4']);
  });

  it('says what to do where multicast is blocked, and can be joined by address', async () => {
    await build({ hosts: 2, blockMulticast: true });
    await serve('h1');
    const lost = start('h2', '-lc', '--user', 'bob');
    const { code, text } = await lost.next(failure, 10_000, 'the error');
    assert.ok(code === 'NO_SERVER' || code === 'MULTICAST_BLOCKED', String(code));
    assert.match(String(text), /--connect IP:PORT/);
    assert.equal(await lost.end(), 4);
    await join_('h2', 'bob', '--connect', '10.77.1.1:49152');
  });

  it('ends with exit status 4 where there is no server', async () => {
    await build({ hosts: 1 });
    const lost = start('h1', '-lc', '--user', 'bob');
    await lost.next(failure, 10_000, 'the error');
    assert.equal(await lost.end(), 4);
  });

  for (const seconds of CUTS_S)
    for (const how of ['carrier', 'silent'] as const)
      it(`goes on after a host was cut off for ${seconds} s (${how})`, async () => {
        await build({ hosts: 3 });
        const [bob, carol] = (await talk(['h2', 'h3'])) as [LabProcess, LabProcess];
        await lab.host('h2').cut(how);
        await sleep(seconds * 500);
        carol.send('message user-h2 while you were away');
        const held = await carol.next(result(1), 5_000, 'the answer');
        assert.equal(held['ok'], true);
        bob.send('message user-h3 from the dark');
        await sleep(seconds * 500);
        await lab.host('h2').restore();
        await bob.next(
          event('message', { text: 'while you were away' }),
          15_000,
          'what was said meanwhile',
        );
        await carol.next(
          event('message', { text: 'from the dark' }),
          15_000,
          'what was said in the dark',
        );
      });

  it('is found again at another address', async () => {
    await build({ hosts: 2 });
    const server = await serve('h1');
    const client = await join_('h2', 'bob');
    await lab.host('h1').setAddress('10.77.1.99');
    await client.next(event('server', { connected: false }), 30_000, 'the loss');
    await client.next(event('server', { connected: true }), 30_000, 'the return');
    server.send('say here I am');
    await client.next(event('message', { text: 'here I am' }), 5_000, 'the greeting');
  });
});
