import assert from 'node:assert/strict';
import { bundleFixtures, type Bundle } from './bundle.ts';
import { Lab, type LabHost, type LabOptions } from './lab.ts';
import type { Line, LabProcess } from './process.ts';
import { sleep } from '../../lib/lifecycle.ts';

let bundle: Bundle;
const fixture = (name: string): string => bundle.path(name);
const of =
  (type: string, fields: Line = {}) =>
  (line: Line): boolean =>
    line.type === type && Object.entries(fields).every(([name, value]) => line[name] === value);
const START_MS = 15_000;

interface Server {
  readonly process: LabProcess;
  readonly key: string;
}

async function startServer(host: LabHost, name: string, ...listen: string[]): Promise<Server> {
  const server = host.run(
    fixture('server'),
    name,
    ...(listen.length > 0 ? listen : ['0.0.0.0:49152']),
  );
  const { key } = await server.next(of('ready'), START_MS, 'starting');
  return { process: server, key: key as string };
}

async function startClient(host: LabHost): Promise<LabProcess> {
  const client = host.run(fixture('client'));
  await client.next(of('ready'), START_MS, 'starting');
  return client;
}

/** Waits until a client has found a server, and says where. */
async function found(client: LabProcess, { key }: Server, within = 3_000): Promise<Line> {
  return client.next(of('found', { key }), within, 'finding the server');
}

/** That a client that has found a server also reaches it. @returns at which address */
async function reaches(client: LabProcess, { key }: Server): Promise<string> {
  client.send(`connect ${key}`);
  const { address } = await client.next(of('connected', { key }), 8_000, 'connecting');
  return address as string;
}

async function stateOf(client: LabProcess): Promise<Line> {
  client.send('state');
  return client.next(of('state'), 2_000, 'its state');
}

const addressesIn = (line: Line): string[] => line.addresses as string[];

describe('discovery on a LAN', function () {
  this.timeout(60_000);
  let lab: Lab;

  const build = async (options: LabOptions): Promise<void> => {
    lab = await Lab.create(options);
  };
  before(async () => {
    bundle = await bundleFixtures('server', 'client', 'flooder');
  });
  after(() => bundle.remove());
  afterEach(async () => {
    await (lab as Lab | undefined)?.destroy();
  });

  for (const gateway of [false, true])
    it(`finds a server ${gateway ? 'with' : 'without'} a default route, and at once`, async () => {
      await build({ hosts: 2, gateway });
      const server = await startServer(lab.host('h1'), 'acme');
      const client = await startClient(lab.host('h2'));
      const line = await found(client, server);
      assert.equal(line.name, 'acme');
      assert.deepEqual(addressesIn(line), ['10.77.1.1:49152']);
      assert((line.milliseconds as number) < 500, `found after ${line.milliseconds as number} ms`);
      assert.equal(await reaches(client, server), '10.77.1.1:49152');
      const { heardOthers, errors } = await stateOf(client);
      assert.deepEqual({ heardOthers, errors }, { heardOthers: true, errors: [] });

      // Later ones are found as they come, renamed as they are, and gone when they say goodbye.
      const second = await startServer(lab.host('h2'), 'other');
      await found(client, second);
      second.process.send('name renamed');
      await client.next(of('found', { key: second.key, name: 'renamed' }), 3_000, 'the new name');
      await second.process.end();
      await client.next(of('lost', { key: second.key }), 3_000, 'losing it');
    });

  it('reaches a server by either of its cards, and finds one by the card without the route', async () => {
    await build({ hosts: 4, gateway: true, dual: ['h1', 'h4'], second: ['h2'] });
    const [both, first] = await Promise.all([
      startServer(lab.host('h1'), 'both'),
      startServer(lab.host('h2'), 'second'),
    ]);
    const [onSecond, onFirst, onBoth] = await Promise.all(
      ['h2', 'h3', 'h4'].map((name) => startClient(lab.host(name))),
    );
    await found(onSecond!, both);
    assert.equal(await reaches(onSecond!, both), '10.77.2.1:49152');
    await found(onFirst!, both);
    assert.equal(await reaches(onFirst!, both), '10.77.1.1:49152');
    await found(onBoth!, first);
    assert.equal(await reaches(onBoth!, first), '10.77.2.2:49152');
  });

  it('follows cards that come up later, and addresses that change', async () => {
    await build({ hosts: 2, bare: ['h1', 'h2'] });
    const [server, client] = [
      await startServer(lab.host('h1'), 'acme'),
      await startClient(lab.host('h2')),
    ];
    await lab.host('h1').addCard(1);
    await lab.host('h2').addCard(1);
    await found(client, server, 6_000);
    assert.equal(await reaches(client, server), '10.77.1.1:49152');
    await lab.host('h1').setAddress('10.77.1.99');
    await client.next(
      (line) =>
        of('found', { key: server.key })(line) && addressesIn(line).includes('10.77.1.99:49152'),
      6_000,
      'the new address',
    );
    assert.equal(await reaches(client, server), '10.77.1.99:49152');
  });

  for (const obstacle of ['blockMulticast', 'isolate'] as const)
    it(`says so when nothing comes through: ${obstacle}`, async () => {
      await build({ hosts: 2, [obstacle]: true });
      const server = await startServer(lab.host('h1'), 'acme');
      const client = await startClient(lab.host('h2'));
      await sleep(2_000);
      assert.deepEqual(client.lines, []);
      const { interfaces, heardOthers } = await stateOf(client);
      assert(
        (interfaces as Line[]).some(
          ({ name, address }) => name === 'eth0' && address === '10.77.1.2',
        ),
      );
      assert.equal(heardOthers, false);
      if (obstacle === 'isolate') return;
      client.send('dial 10.77.1.1:49152');
      await client.next(of('connected', { key: server.key }), 6_000, 'connecting by address');
    });

  it('finds a host again that was cut off', async () => {
    await build({ hosts: 2 });
    const server = await startServer(lab.host('h1'), 'acme');
    const client = await startClient(lab.host('h2'));
    await found(client, server);
    for (const [how, seconds] of [
      ['silent', 3],
      ['carrier', 3],
      ['silent', 10],
    ] as const) {
      await lab.host('h1').cut(how);
      await sleep(seconds * 1000);
      await lab.host('h1').restore();
      // A short cut goes unnoticed, a long one loses it.
      if (seconds === 10) {
        await client.next(of('lost', { key: server.key }), 3_000, 'losing it');
        await found(client, server, 6_000);
      }
      assert.equal(await reaches(client, server), '10.77.1.1:49152');
    }
  });

  it('works on a host without any card, for those on it alone', async () => {
    await build({ hosts: 1, bare: ['h1'] });
    const server = await startServer(lab.host('h1'), 'acme');
    const client = await startClient(lab.host('h1'));
    assert.deepEqual(addressesIn(await found(client, server)), ['127.0.0.1:49152']);
    assert.equal(await reaches(client, server), '127.0.0.1:49152');
  });

  it('announces a server at the loopback to its own host only', async () => {
    await build({ hosts: 2 });
    const server = await startServer(lab.host('h1'), 'acme', '127.0.0.1:49152');
    const [near, far] = [await startClient(lab.host('h1')), await startClient(lab.host('h2'))];
    assert.deepEqual(addressesIn(await found(near, server)), ['127.0.0.1:49152']);
    await sleep(1_500);
    assert.deepEqual(far.lines, []);
  });

  it('shares the port with others on the same host', async () => {
    await build({ hosts: 2 });
    const h1 = lab.host('h1');
    // As other programs for multicast DNS hold it.
    const other = h1.exec(process.execPath, [
      '-e',
      `const s = require('dgram').createSocket({ type: 'udp4', reuseAddr: true });
       s.bind(5353, '0.0.0.0', () => {
         s.addMembership('224.0.0.251', '${h1.address()}');
         console.log('{"type":"ready"}');
       });`,
    ]);
    await other.next(of('ready'), 5_000, 'the other program');
    const servers = await Promise.all(
      [1, 2].map((i) => startServer(h1, `acme${i}`, `0.0.0.0:4915${2 * i}`)),
    );
    const clients = await Promise.all([h1, h1, lab.host('h2')].map((host) => startClient(host)));
    for (const client of clients)
      for (const server of servers) {
        if (!client.lines.some(of('found', { key: server.key }))) await sleep(500);
        assert(client.lines.some(of('found', { key: server.key })));
      }
    for (const client of clients) for (const server of servers) await reaches(client, server);
  });

  it('withstands floods, forged goodbyes and broken packets', async () => {
    await build({ hosts: 3 });
    const server = await startServer(lab.host('h1'), 'acme');
    const flooder = lab.host('h3').run(fixture('flooder'), '10.77.1.3', server.key);
    await flooder.next(of('ready'), START_MS, 'the enemy');
    const client = await startClient(lab.host('h2'));
    await found(client, server, 5_000);
    await sleep(4_000);
    client.send('servers');
    const { count } = await client.next(of('servers'), 5_000, 'an answer');
    assert(Number(count) <= 17, `${Number(count)} servers are believed`);
    assert(!client.lines.some(of('lost', { key: server.key })));
    assert.equal(await reaches(client, server), '10.77.1.1:49152');
  });
});
