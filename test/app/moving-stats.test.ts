import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isPublicKey } from '../../lib/crdt/keys.ts';
import { prefixed } from '../../lib/crdt/store.ts';
import { contextOf } from '../support/commands.ts';
import { eventually } from '../support/channels.ts';
import { HANDLERS } from '../support/handlers.ts';
import { World, type TestClient } from '../support/roles.ts';
import { temporary } from '../support/temporary.ts';

type Figures = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

describe('the command stats', () => {
  const { newDirectory } = temporary();
  let world: World;
  let alice: TestClient;
  let bob: TestClient;

  beforeEach(async () => {
    world = await World.start();
    alice = await world.join('alice');
    bob = await world.join('bob');
    const knows = ({ home }: TestClient): boolean => home.names().length === 2;
    await eventually('both accounts', () => knows(alice) && knows(bob));
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  async function stats(who: TestClient, directory?: string): Promise<Figures> {
    const handler = HANDLERS['stats'] ?? assert.fail();
    const data = await handler(
      {},
      {
        ...contextOf(who.client),
        ...(directory === undefined ? {} : { directory }),
      },
    );
    return data as Figures;
  }

  it('counts what there is at the server', async () => {
    const before = Date.now();
    assert.deepEqual((await stats(alice))['server'], {
      name: 'acme',
      connected: true,
      accounts: 2,
      online: 2,
      rooms: 1,
      conferences: 0,
      groups: 2,
    });
    await bob.stop();
    await eventually('the end', async () => (await stats(alice))['server']?.['online'] === 1);
    const { connection = {} } = await stats(alice);
    const { address, rttMs, since } = connection;
    // What the network is by which it was reached in this process is no address.
    assert.equal(address, isPublicKey(alice.client.address) ? undefined : alice.client.address);
    assert.ok(Number(rttMs) >= 0 && Number(rttMs) < 10_000);
    assert.ok(Number(since) <= before && Number(since) > before - 60_000, `${String(since)}`);
  });

  it('leaves out what only the server knows while it is away', async () => {
    await world.close();
    await eventually('the loss', () => !alice.client.connected);
    const { server, connection } = await stats(alice);
    assert.equal(connection, undefined);
    assert.deepEqual(server, {
      name: 'acme',
      connected: false,
      accounts: 2,
      rooms: 1,
      conferences: 0,
      groups: 2,
    });
    await world.open();
  });

  it('counts what is here', async () => {
    for (let i = 0; i < 20; i++) await bob.say(`number ${i}`);
    await alice.say('hi', 'bob');
    const messages = async () => (await stats(alice))['replica']?.['messages'];
    // Between two there is a key as well.
    await eventually('all of it', async () => (await messages()) === 22);
    await alice.home.search.update();
    const { replica = {} } = await stats(alice);
    assert.deepEqual([replica['messages'], replica['indexed']], [22, 22]);
    assert.equal(replica['bytesOnDisk'], undefined);
    const { log } = alice.home.replica;
    assert.equal(replica['streams'], (await log.names()).length);
    let stored = 0;
    for await (const _item of log.store.entries(prefixed('e!'))) stored++;
    assert.equal(replica['entries'], stored);
  });

  it('counts bytes of files, wherever they lie in the directory', async () => {
    const directory = await newDirectory();
    await mkdir(join(directory, 'a', 'b'), { recursive: true });
    await writeFile(join(directory, 'one'), 'x'.repeat(1_000));
    await writeFile(join(directory, 'a', 'b', 'two'), 'x'.repeat(234));
    assert.equal((await stats(alice, directory))['replica']?.['bytesOnDisk'], 1_234);
  });

  it('counts what is on its way, and what was refused', async () => {
    assert.deepEqual((await stats(alice))['outbox'], { pending: 0, refused: 0 });
    await bob.block('alice');
    assert.equal(await alice.say('x', 'bob'), 'BLOCKED');
    alice.home.outbox.attach(undefined);
    await alice.say('y');
    await alice.say('z');
    assert.deepEqual((await stats(alice))['outbox'], { pending: 2, refused: 1 });
  });

  it('tells of the process', async () => {
    const { process: own = {} } = await stats(alice);
    const { memory, uptime } = own;
    assert.ok(Number(memory) > 10_000_000 && Number(memory) < 100_000_000_000);
    assert.ok(Math.abs(Number(uptime) - process.uptime()) < 5);
  });
});
