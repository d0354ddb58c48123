import assert from 'node:assert/strict';
import type { RoomListing, RoomNode, Standing } from '../../lib/app/room-lists.ts';
import { LOBBY } from '../../lib/crdt/stream.ts';
import { EQUIPMENT } from '../support/call-stage.ts';
import { eventually } from '../support/channels.ts';
import { RoomStage } from '../support/room-stage.ts';
import type { TestClient } from '../support/roles.ts';

describe('lists of rooms', function () {
  this.timeout(20_000);
  let stage: RoomStage;
  let alice: TestClient;
  let bob: TestClient;
  beforeEach(async () => {
    stage = await RoomStage.open();
    ({ alice, bob } = stage);
    await stage.run(alice, 'createroom', { name: 'zoo', position: '1' });
    await stage.run(alice, 'createroom', { name: 'Garden', media: 'text' });
    await stage.run(alice, 'room', { room: 'garden/shed' });
    await stage.run(alice, 'room', { room: 'vault', password: 'open sesame' });
    await stage.run(alice, 'room', { room: 'vault/safe' });
    await stage.run(alice, 'createroom', { name: 'board', private: 'true', media: 'voice' });
    await stage.run(alice, 'group', { room: 'lunch' });
    await stage.knows(bob, 'lunch');
    await stage.run(bob, 'room', { room: 'garden' });
    await stage.run(alice, 'enter', { room: 'vault' });
    await stage.sees(alice, 'Garden', 'alice', 'bob');
  });
  afterEach(() => stage.close());

  const list = async (who: TestClient): Promise<RoomListing[]> =>
    (await stage.run(who, 'rooms'))['rooms'] as RoomListing[];
  const find = async (who: TestClient, path: string): Promise<RoomListing> =>
    (await list(who)).find(({ room }) => room === path) ?? assert.fail(path);

  it('have them in the order of the tree: the lobby, those with a place, the rest by name', async () => {
    assert.deepEqual(
      (await list(alice)).map(({ room }) => room),
      [...['lobby', 'zoo', 'board', 'Garden', 'Garden/shed', 'lunch', 'vault', 'vault/safe']],
    );
  });

  it('say what they are, and who is in them to those who may know', async () => {
    const common = { live: false, owner: 'alice', media: 'both', lifetime: 'permanent' };
    assert.deepEqual(await find(alice, 'vault'), {
      ...common,
      room: 'vault',
      members: ['alice'],
      joined: true,
      entered: true,
      encrypted: true,
      password: true,
      unread: 0,
      mentions: 0,
    });
    const shut = { ...common, joined: false, entered: false, encrypted: true };
    assert.deepEqual(await find(bob, 'vault/safe'), {
      ...shut,
      room: 'vault/safe',
      password: true,
    });
    assert.deepEqual(await find(bob, 'board'), {
      ...shut,
      room: 'board',
      media: 'voice',
      password: false,
    });
    assert.deepEqual(await find(bob, 'Garden'), {
      ...common,
      room: 'Garden',
      media: 'text',
      members: ['alice', 'bob'],
      joined: true,
      entered: false,
      encrypted: false,
      password: false,
      unread: 0,
      mentions: 0,
    });
    assert.equal((await find(bob, 'lunch')).lifetime, 'temporary');
    const lobby = await find(bob, 'lobby');
    assert.deepEqual(
      [lobby.members, lobby.owner, lobby.joined],
      [['alice', 'bob', 'carol', 'root'], null, true],
    );
  });

  it('say what is unread in those in which one is', async () => {
    await stage.run(alice, 'talk', { conversation: '#Garden' });
    await stage.run(alice, 'say', { text: 'hello' });
    await stage.run(alice, 'say', { text: '@bob, are you there?' });
    await eventually('the messages', async () => (await find(bob, 'Garden')).unread === 2);
    assert.equal((await find(bob, 'Garden')).mentions, 1);
    assert.deepEqual(
      [(await find(bob, 'zoo')).unread, (await find(alice, 'Garden')).unread],
      [undefined, 0],
    );
    await stage.run(bob, 'history', { conversation: '#Garden' });
    assert.equal((await find(bob, 'Garden')).unread, 0);
  });

  it('mark the rooms in whose calls somebody is, for those who are told of them', async () => {
    const { calls } = alice.client.calling;
    const lives = async (who: TestClient): Promise<string[]> =>
      (await list(who)).flatMap(({ room, live }) => (live ? [room] : []));
    await stage.run(bob, 'room', { room: 'zoo' });
    assert.deepEqual([await lives(alice), await lives(bob)], [[], []]);
    await calls.start({ room: stage.at('zoo') }, EQUIPMENT);
    assert.deepEqual(await lives(alice), ['zoo']);
    await eventually('the call', async () => (await lives(bob)).join() === 'zoo');
    const { structure } = await stage.run(bob, 'structure');
    const { children } = structure as RoomNode;
    assert.deepEqual(
      children.flatMap(({ name, live }) => (live ? [name] : [])),
      ['zoo'],
    );
    assert.deepEqual(await lives(stage.carol), []);
    await calls.leave();
    assert.deepEqual(await lives(alice), []);
    await eventually('its end', async () => (await lives(bob)).length === 0);
    await calls.start({ room: stage.at('vault') }, EQUIPMENT);
    assert.deepEqual([await lives(alice), await lives(bob)], [['vault'], []]);
  });

  it('know of calls from the first one on', async () => {
    await alice.client.calling.calls.start({ room: LOBBY }, EQUIPMENT);
    const dave = await stage.world.join('dave');
    assert.equal((await find(dave, 'lobby')).live, true);
  });

  it('draw the tree anew as soon as it is another', async () => {
    const members = async (): Promise<readonly string[] | undefined> => {
      const { structure } = await stage.run(bob, 'structure');
      return (structure as RoomNode).children.find(({ name }) => name === 'Garden')?.members;
    };
    assert.deepEqual(await members(), ['alice', 'bob']);
    await stage.run(bob, 'enter', { room: 'garden' });
    await stage.run(bob, 'exit');
    await stage.sees(bob, 'Garden', 'alice');
    assert.deepEqual(await members(), ['alice']);
    await stage.run(alice, 'updateuser', { user: 'alice', name: 'alicia' });
    await eventually('the name', async () => (await members())?.join() === 'alicia');
  });

  it('draw the tree, with where everybody stands', async () => {
    const data = await stage.run(bob, 'structure');
    const root = data['structure'] as Pick<RoomNode, 'name' | 'path' | 'members' | 'children'>;
    assert.deepEqual([root.name, root.path, root.members], ['acme', '', []]);
    const paths = (node: { path: string; children: readonly RoomNode[] }): unknown[] => [
      node.path,
      ...node.children.map(paths),
    ];
    assert.deepEqual(paths(root), [
      '',
      ['lobby'],
      ['zoo'],
      ['board'],
      ['Garden', ['Garden/shed']],
      ['lunch'],
      ['vault', ['vault/safe']],
    ]);
    const garden = root.children.find(({ name }) => name === 'Garden');
    assert.deepEqual(garden?.members, ['alice', 'bob']);
    const vault = root.children.find(({ name }) => name === 'vault');
    assert.deepEqual([vault?.members, vault?.password, vault?.joined], [[], true, false]);
    const levels = data['levels'] as Standing[];
    assert.deepEqual(levels, [
      { group: 'admin', level: 100, users: ['root'] },
      { group: 'user', level: 0, users: ['alice', 'bob', 'carol'] },
    ]);
  });

  it('know no conferences, which have a list of their own', async () => {
    await alice.client.conferences.create('tea', undefined);
    assert.ok((await list(alice)).every(({ lifetime }) => lifetime !== 'conference'));
  });
});
