import assert from 'node:assert/strict';
import type { GroupRecord, ServerRecord } from '../../../lib/crdt/records.ts';
import { LogStore } from '../../../lib/crdt/log-store.ts';
import { PERMISSIONS } from '../../../lib/crdt/permissions.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { ClchatError, hasCode } from '../../../lib/errors.ts';
import { eventually } from '../../support/channels.ts';
import { World } from '../../support/roles.ts';

describe('a server', () => {
  let world: World;
  afterEach(() => world.stop());

  it('begins its log once, and keeps its name', async () => {
    world = await World.start({ name: 'acme' });
    assert.equal(world.server.name, 'acme');
    assert.equal(world.server.key, world.key.public);
    const { state, head } = await world.log.open('space');
    assert.equal(head.length, 1);
    assert.deepEqual(state.get<GroupRecord>('group', 'admin')?.permissions, [...PERMISSIONS]);
    await world.close();
    await world.open({ name: 'other' });
    assert.equal(world.server.name, 'acme');
    assert.equal((await world.log.open('space')).head.length, 1);
    assert.equal(state.get<ServerRecord>('server', 'server')?.name, 'acme');
  });

  it('does not begin under a name that is none, and leaves nothing running', async () => {
    world = new World();
    await assert.rejects(world.open({ name: 'a b' }), { code: 'BAD_NAME' });
    await world.transport.stop();
    await world.store.close();
    await world.open({ name: 'acme' });
  });

  it('makes the first admin and no second one', async () => {
    world = await World.start();
    await world.member('alice');
    await world.member('bob');
    await assert.rejects(world.server.crown('nobody'), { code: 'NO_SUCH_USER' });
    assert.equal(await world.server.crown('ALICE'), true);
    assert.equal(await world.server.crown('alice'), true);
    assert.equal(await world.server.crown('bob'), false);
    await world.close();
    await world.open();
    assert.equal(await world.server.crown('alice'), true);
    assert.equal(await world.server.crown('bob'), false);
  });

  it('has after a crash all that it acknowledged, and goes on', async () => {
    world = await World.start();
    const alice = await world.member('alice');
    await alice.open();
    for (let n = 0; n < 10; n++) assert.deepEqual(await alice.say(`${n}`), ['sealed']);
    await world.crash();
    await world.open();
    const again = await world.peer('alice', alice.member);
    await again.session.call('login', {});
    const heads = await again.open();
    assert.equal(heads.get(LOBBY_STREAM), 10);
    assert.deepEqual(await again.say('on'), ['sealed']);
  });

  it('says to each that its disk is full, and loses nothing', async () => {
    world = await World.start();
    const alice = await world.member('alice');
    await alice.open();
    assert.deepEqual(await alice.say('before'), ['sealed']);
    world.disk.capacity = world.disk.table.bytes + 5_000;
    const entry = alice.member.write(LOBBY_STREAM, 'say', { text: 'x'.repeat(9_000) });
    await assert.rejects(alice.submit(entry), { code: 'DISK_FULL' });
    // Reading goes on.
    const { batches } = await alice.sync.call('fetch', { stream: LOBBY_STREAM, from: 0 });
    assert.equal(batches.length, 1);
    await alice.session.call('whoelse', {});
    world.disk.capacity = Infinity;
    await world.close();
    await world.open();
    const again = await world.peer('alice', alice.member);
    await again.session.call('login', {});
    await again.open();
    assert.deepEqual(await again.submit(entry), ['sealed']);
  });

  it('ends all that it has begun', async () => {
    world = await World.start();
    const alice = await world.member('alice');
    await alice.open();
    await world.server.stop();
    await eventually('the session ends', () => alice.session.ended);
    await eventually('the replication ends', () => alice.sync.ended);
    const log = new LogStore(world.store);
    assert.equal(log.headOf('space').length, 2);
    await world.server.stop();
  });

  it('survives a store that fails under it, and says so in its log', async () => {
    const faults: unknown[] = [];
    world = new World();
    await world.open({ onFault: (error) => faults.push(error) });
    const alice = await world.member('alice');
    await alice.open();
    await world.store.close();
    await assert.rejects(alice.say('x'), { code: 'CLOSED' });
    await assert.rejects(alice.sync.call('fetch', { stream: 'space', from: 0 }), {
      code: 'CLOSED',
    });
    await alice.session.call('whoelse', {});
    assert.ok(faults.every((fault) => fault instanceof ClchatError));
    assert.ok(!faults.some((fault) => hasCode(fault, 'INTERNAL')));
  });
});
