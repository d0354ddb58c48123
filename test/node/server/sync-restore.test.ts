import assert from 'node:assert/strict';
import { encodeEntry, eraseBody } from '../../../lib/crdt/entry.ts';
import { decodeItem, loadSeal, signSeal } from '../../../lib/crdt/seal.ts';
import { MemoryDisk } from '../../../lib/crdt/store-memory.ts';
import { accountStream, LOBBY_STREAM, type StreamName } from '../../../lib/crdt/stream.ts';
import { SYNC } from '../../../lib/node/wire.ts';
import { Exchange } from '../../../lib/node/exchange.ts';
import { Writer } from '../../support/community.ts';
import { World, type Peer } from '../../support/roles.ts';

interface WireBatch {
  readonly seal: Uint8Array;
  readonly items: Uint8Array[];
}

describe('a server that was restored', () => {
  let world: World;
  let alice: Peer;

  beforeEach(async () => {
    world = await World.start();
    alice = await world.member('alice');
    await alice.open();
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  const batches = async (stream: StreamName): Promise<WireBatch[]> =>
    world.log.batches(stream, 0, world.log.headOf(stream).length, 1e6);
  /** What the server holds now, on a disk of its own. */
  const backup = async (): Promise<MemoryDisk> => {
    const disk = new MemoryDisk();
    const store = disk.open();
    for await (const [key, value] of world.store.entries({ from: '!', until: '\u007f' }))
      await store.write([{ type: 'put', key, value }], { sync: true });
    await store.close();
    return disk;
  };
  const restore = async (disk: MemoryDisk, recoverMs: number): Promise<void> => {
    await world.close();
    Object.assign(world, { disk });
    await world.open({ term: 2, recoverMs });
  };
  /** Replication without a login. */
  const replication = async (peer: Peer): Promise<Exchange<typeof SYNC>> => {
    const channel = await peer.connection.open(SYNC.name, { signal: AbortSignal.timeout(5_000) });
    return new Exchange(channel, SYNC, { methods: {}, notices: {} });
  };

  it('takes back, from anybody, what it had sealed and lost', async () => {
    const old = await backup();
    const bob = await world.member('bob');
    await bob.open();
    await bob.say('one');
    const [space, lost] = [await batches('space'), await batches(LOBBY_STREAM)];
    await restore(old, 60_000);
    // Nobody knows bob any more.
    const sync = await replication(await world.peer('bob', bob.member));
    const streams: StreamName[] = ['space', LOBBY_STREAM];
    const lengths = async () => (await sync.call('lengths', { streams })).lengths;
    assert.deepEqual(await lengths(), [2, 0]);
    assert.deepEqual(await sync.call('handBack', { batches: space }), { length: 3 });
    assert.deepEqual(await sync.call('handBack', { batches: lost }), { length: 1 });
    assert.deepEqual(await lengths(), [3, 1]);
  });

  it('takes back no message without what it says', async () => {
    const old = await backup();
    await alice.say('one');
    await alice.say('two');
    const lost = await batches(LOBBY_STREAM);
    const stripped = lost.map(({ seal, items }) => ({
      seal,
      items: items.map((bytes) => {
        const item = decodeItem(bytes);
        assert.ok(item.type === 'entry');
        return encodeEntry(eraseBody(item.entry));
      }),
    }));
    await restore(old, 60_000);
    const sync = await replication(await world.peer('eve'));
    await assert.rejects(sync.call('handBack', { batches: stripped }), { code: 'BAD_ENTRY' });
    assert.deepEqual(await sync.call('handBack', { batches: lost }), { length: 2 });
    // What is here in full is passed over: what was erased since may come first.
    assert.deepEqual(await sync.call('handBack', { batches: stripped }), { length: 2 });
    const item = world.log.item(LOBBY_STREAM, 0);
    assert.ok(item?.type === 'entry' && item.entry.body !== undefined);
  });

  it('takes from nobody anything that it never sealed', async () => {
    await alice.say('one');
    const [{ seal, items }] = (await batches(LOBBY_STREAM)) as [WireBatch];
    const impostor = new Writer(world.key.public, world.random.bytes);
    const { server: _s, id: _i, bytes: _b, ...fields } = loadSeal(seal);
    const forged = signSeal(impostor.key, fields);
    for (const wrong of [
      { seal: forged.bytes, items },
      { seal, items: [] },
      { seal, items: [new Uint8Array(20)] },
      { seal: new Uint8Array(200), items },
    ])
      await assert.rejects(alice.sync.call('handBack', { batches: [wrong] }), {
        code: 'BAD_ENTRY',
      });
    const { length } = await alice.sync.call('handBack', { batches: [{ seal, items }] });
    assert.equal(length, 1);
  });

  it('tells how far streams go only while that lasts, or those who may read them', async () => {
    const bob = await world.member('bob');
    await alice.block(bob);
    await alice.say('one');
    const own = accountStream(alice.member.account);
    const streams: StreamName[] = ['space', LOBBY_STREAM, own];
    const lengths = async (peer: Peer) =>
      (await (await replication(peer)).call('lengths', { streams })).lengths;
    assert.deepEqual(await lengths(await world.peer('eve')), [0, 0, 0]);
    assert.deepEqual(await lengths(bob), [3, 1, 0]);
    // A device that is known need not have logged in.
    assert.deepEqual(await lengths(await world.peer('alice', alice.member)), [3, 1, 1]);
  });
});
