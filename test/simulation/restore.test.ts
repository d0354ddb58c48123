import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import { SimulatedNetwork } from './network.ts';
import { Random } from './random.ts';
import { LOBBY, SimulatedClient, SimulatedServer } from './world.ts';

describe('a server restored from an old backup', function () {
  this.timeout(60_000);
  let network: SimulatedNetwork;
  let server: SimulatedServer;
  const clients = new Map<string, SimulatedClient>();

  beforeEach(async () => {
    network = new SimulatedNetwork(new Random(7));
    server = new SimulatedServer(network);
    clients.clear();
    await server.start();
    await enter('alice');
    await enter('bob');
  });
  afterEach(async () => {
    for (const { client } of clients.values()) await client?.stop();
    await server.server?.stop();
  });

  async function enter(name: string): Promise<void> {
    const client = new SimulatedClient(network, name, clients.size);
    clients.set(name, client);
    await client.start();
  }

  async function say(name: string, text: string): Promise<string> {
    const { home } = clients.get(name)!.client!;
    const entry = await home.conversations.say(LOBBY, text);
    return home.outbox.answer(entry.id);
  }

  async function texts(name: string): Promise<string[]> {
    const messages = await clients.get(name)!.client!.home.conversations.newest(LOBBY, 100);
    return messages.map(({ text, state }) => (state === 'held' ? text : `${text} (${state})`));
  }

  /** Waits until everybody reads the same. */
  async function agree(expected: readonly string[]): Promise<void> {
    const sorted = [...expected].sort();
    for (let tries = 0; tries < 100; tries++) {
      const all = await Promise.all([...clients.keys()].map(texts));
      if (all.every((list) => JSON.stringify(list.sort()) === JSON.stringify(sorted))) return;
      await sleep(100);
    }
    for (const name of clients.keys()) assert.deepEqual((await texts(name)).sort(), sorted, name);
  }

  async function back(): Promise<void> {
    for (let tries = 0; tries < 150; tries++) {
      if ([...clients.values()].every(({ client }) => client?.connected === true)) return;
      await sleep(100);
    }
    assert.fail('not everybody came back');
  }

  async function restore(recoverMs: number): Promise<void> {
    server.term++;
    server.recoverMs = recoverMs;
    await server.start();
  }

  it('is handed back what it lacks, accounts included', async () => {
    assert.equal(await say('alice', 'before'), 'held');
    const backup = await server.backup();
    assert.equal(await say('bob', 'after'), 'held');
    await enter('carol');
    assert.equal(await say('carol', 'new here'), 'held');
    await sleep(100);
    server.crash();
    server.disk = backup;
    await restore(2_000);
    await back();
    await agree(['before', 'after', 'new here']);
    assert.equal(await say('carol', 'still here'), 'held');
    await agree(['before', 'after', 'new here', 'still here']);
    const heard = clients.get('alice')!.heard.map(({ text }) => text);
    assert.deepEqual(heard, ['after', 'new here', 'still here']);
  });

  it('is sent again what was lost, when it has gone on meanwhile', async () => {
    assert.equal(await say('alice', 'before'), 'held');
    const backup = await server.backup();
    assert.equal(await say('alice', 'lost by alice'), 'held');
    assert.equal(await say('bob', 'lost by bob'), 'held');
    await sleep(100);
    for (const { address } of clients.values()) network.cut(address);
    server.crash();
    server.disk = backup;
    await restore(0);
    await enter('dave');
    assert.equal(await say('dave', 'first in the new term'), 'held');
    for (const { address } of clients.values()) network.restore(address);
    await agree(['before', 'first in the new term', 'lost by alice', 'lost by bob']);
  });
});
