import assert from 'node:assert/strict';
import { isEncryptedRoom, lockOf, roomOf } from '../../lib/crdt/rooms.ts';
import { MAX_ROOMS } from '../../lib/node/server/admission.ts';
import { eventually } from '../support/channels.ts';
import { Answers, RoomStage, type Args } from '../support/room-stage.ts';
import type { TestClient } from '../support/roles.ts';

describe('rooms that are made, changed and removed', function () {
  this.timeout(20_000);
  let stage: RoomStage;
  let alice: TestClient;
  let bob: TestClient;
  let root: TestClient;
  beforeEach(async () => {
    stage = await RoomStage.open();
    ({ alice, bob, root } = stage);
  });
  afterEach(() => stage.close());

  const create = (who: TestClient, name: string, args: Args = {}): Promise<unknown> =>
    stage.run(who, 'createroom', { name, ...args });
  const update = (who: TestClient, room: string, args: Args): Promise<unknown> =>
    stage.run(who, 'updateroom', { room, ...args });

  it('are all that they are to be', async () => {
    await create(alice, 'garden');
    await create(alice, 'shed', { parent: '#garden', media: 'VOICE', position: '3' });
    const shed = roomOf(alice.home.space, stage.at('garden/shed'));
    assert.deepEqual(
      [shed?.media, shed?.position, shed?.private, shed?.lifetime],
      ['voice', 3, false, 'permanent'],
    );
    await create(alice, 'board', { private: 'true', parent: '/' });
    const board = lockOf(alice.home.space, stage.at('board'));
    assert.deepEqual([board?.password, board?.retired], [false, false]);
    await create(alice, 'vault', { password: 'open sesame' });
    assert.equal(lockOf(alice.home.space, stage.at('vault'))?.password, true);
    await stage.refused(alice, 'createroom', { name: 'garden' }, 'NAME_TAKEN', /"garden"/);
    await stage.refused(alice, 'createroom', { name: 'x', media: 'smell' }, 'USAGE', /text, voice/);
    await stage.refused(
      alice,
      'createroom',
      { name: 'x', parent: 'none' },
      'NO_SUCH_ROOM',
      /"none"/,
    );
  });

  it('have names that nobody takes for another', async () => {
    await create(alice, 'paul');
    await stage.knows(bob, 'paul');
    // A Cyrillic letter, a full-width one, a digit for a letter.
    for (const name of ['pаul', 'ｐaul', 'pau1'])
      await stage.refused(bob, 'room', { room: name }, 'NAME_TAKEN', /looks like the room "paul"/);
    for (const name of [' ', 'a b', 'a:b', 'a@b', 'x'.repeat(33)])
      await stage.refused(bob, 'createroom', { name }, 'BAD_NAME');
    for (const name of ['nowhere/a', '/a', 'paul//a', '//'])
      await stage.refused(bob, 'createroom', { name }, 'NO_SUCH_ROOM');
    await stage.refused(bob, 'createroom', { name: 'paul/' }, 'BAD_NAME');
    for (const name of ['everybody', '-x', '"x"'])
      await stage.refused(bob, 'createroom', { name }, 'BAD_NAME', /taken for|option|quotes/);
    // Within another room it is another name.
    await create(bob, 'paul/paul');
    await stage.refused(bob, 'room', { room: 'paul/pаul' }, 'NAME_TAKEN', /"paul\/paul"/);
  });

  it('lie sixteen deep at most, and in a temporary one for a time', async () => {
    const path = Array.from({ length: 16 }, (_, at) => `n${at}`);
    for (let depth = 1; depth <= 16; depth++)
      await stage.run(alice, 'room', { room: path.slice(0, depth).join('/') });
    await stage.refused(alice, 'room', { room: [...path, 'n16'].join('/') }, 'NESTING');
    await stage.run(alice, 'group', { room: 'lunch' });
    const made = await stage.run(alice, 'room', { room: 'lunch/table' });
    assert.equal(made['temporary'], true);
  });

  it('need the permission, which is named', async () => {
    await stage.run(root, 'updategroup', { group: 'user', changes: '-createRoom -createGroup' });
    await eventually('no rights', () => {
      const group = bob.home.space.get<{ permissions: string[] }>('group', 'user');
      return group?.permissions.includes('createRoom') === false;
    });
    await stage.refused(bob, 'room', { room: 'x' }, 'DENIED', /"createRoom"/);
    await stage.refused(bob, 'group', { room: 'x' }, 'DENIED', /"createGroup"/);
    await stage.run(root, 'room', { room: 'x' });
  });

  it('are not more than one may have', async () => {
    const numbers = Array.from({ length: MAX_ROOMS }, (_, number) => number);
    await Promise.all(numbers.map((number) => stage.run(alice, 'room', { room: `r${number}x` })));
    await stage.refused(alice, 'room', { room: 'one-more' }, 'RATE_LIMITED', /200 rooms/);
    await stage.run(alice, 'removeroom', { room: 'r0x' });
    await stage.run(alice, 'room', { room: 'one-more' });
  });

  it('are changed by their owner, or by permission', async () => {
    for (const name of ['garden', 'park', 'garden/shed']) await create(alice, name);
    await stage.knows(bob, 'garden/shed');
    await stage.refused(bob, 'updateroom', { room: 'garden', name: 'x' }, 'DENIED', /"renameRoom"/);
    await update(alice, 'garden', { name: 'orchard', media: 'text', position: '0' });
    const record = roomOf(alice.home.space, stage.at('orchard'));
    assert.deepEqual([record?.media, record?.position], ['text', 0]);
    await update(alice, 'orchard/shed', { parent: '/' });
    await update(alice, 'orchard', { parent: 'park' });
    stage.at('shed');
    stage.at('park/orchard');
    await stage.knows(root, 'park/orchard');
    await update(root, 'park/orchard', { name: 'Orchard' });
    await stage.refused(alice, 'updateroom', { room: 'park' }, 'USAGE');
    await stage.refused(alice, 'updateroom', { room: 'park', parent: 'park/orchard' }, 'NESTING');
    await stage.refused(
      alice,
      'updateroom',
      { room: 'park', name: 'shed' },
      'NAME_TAKEN',
      /"shed"/,
    );
    await stage.refused(alice, 'updateroom', { room: 'park', name: 'a b' }, 'BAD_NAME');
    await stage.refused(alice, 'updateroom', { room: 'none', name: 'x' }, 'NO_SUCH_ROOM');
    await stage.refused(root, 'updateroom', { room: 'lobby', parent: 'park' }, 'DENIED', /stays/);
    await stage.refused(root, 'updateroom', { room: 'lobby', name: 'x' }, 'NOT_SUPPORTED', /keeps/);
    await update(root, 'lobby', { position: '2' });
  });

  it('are not opened, nor closed, after things were said in them', async () => {
    await create(alice, 'garden');
    await create(alice, 'vault', { password: 'one' });
    await create(alice, 'vault/safe');
    const changes: Args[] = [
      { room: 'garden', password: 'x' },
      { room: 'garden', 'no-password': 'true' },
      { room: 'garden', parent: 'vault' },
      { room: 'vault/safe', parent: '/' },
      { room: 'vault/safe', password: 'x' },
    ];
    for (const args of changes) await stage.refused(alice, 'updateroom', args, 'NOT_SUPPORTED');
    // One with a lock of its own stays closed wherever it lies.
    await update(alice, 'vault', { parent: 'garden' });
    assert.ok(isEncryptedRoom(alice.home.space, stage.at('garden/vault/safe')));
  });

  it('get another password, or none, and another owner', async () => {
    await create(alice, 'vault', { password: 'one' });
    await stage.knows(bob, 'vault');
    await stage.run(bob, 'enter', { room: 'vault', password: 'one' });
    await stage.sees(alice, 'vault', 'alice', 'bob');
    const both = { room: 'vault', password: 'x', 'no-password': 'true' };
    await stage.refused(alice, 'updateroom', both, 'USAGE');
    await update(alice, 'vault', { password: 'two' });
    await stage.knows(stage.carol, 'vault');
    await stage.refused(stage.carol, 'enter', { room: 'vault', password: 'one' }, 'BAD_PASSWORD');
    await stage.run(stage.carol, 'enter', { room: 'vault', password: 'two' });
    await update(alice, 'vault', { 'no-password': 'true' });
    assert.equal(lockOf(alice.home.space, stage.at('vault'))?.password, false);
    await stage.refused(bob, 'updateroom', { room: 'vault', owner: 'bob' }, 'NOT_OWNER');
    await stage.refused(
      alice,
      'updateroom',
      { room: 'vault', owner: 'root' },
      'NOT_MEMBER',
      /root/,
    );
    await stage.refused(alice, 'updateroom', { room: 'vault', owner: 'nobody' }, 'NO_SUCH_USER');
    await update(alice, 'vault', { owner: 'bob' });
    await stage.refused(alice, 'updateroom', { room: 'vault', name: 'x' }, 'DENIED');
    await eventually('being owner', () => {
      return roomOf(bob.home.space, stage.at('vault', bob))?.owner === bob.home.account;
    });
    await update(bob, 'vault', { name: 'safe' });
  });

  it('are removed after a question, where there is something to lose', async () => {
    await create(alice, 'garden');
    await create(alice, 'garden/shed');
    await create(alice, 'park');
    await stage.run(alice, 'enter', { room: 'garden/shed' });
    const no = new Answers(false);
    assert.deepEqual(await stage.run(alice, 'removeroom', { room: 'garden' }, no), {
      room: 'garden',
      declined: true,
    });
    assert.match(no.asked[0] ?? '', /Remove garden and the room in it/);
    const yes = new Answers(true);
    assert.deepEqual(await stage.run(alice, 'removeroom', { room: 'garden' }, yes), {
      room: 'garden',
      removed: 2,
    });
    assert.equal(stage.situation(alice).room, undefined);
    assert.deepEqual(await stage.run(alice, 'removeroom', { room: 'park' }, new Answers()), {
      room: 'park',
      removed: 1,
    });
    await stage.refused(alice, 'removeroom', { room: 'park' }, 'NO_SUCH_ROOM');
    await stage.refused(root, 'removeroom', { room: 'lobby' }, 'DENIED');
  });

  it('are removed by those only who own all of it, or may', async () => {
    await create(alice, 'garden');
    await stage.knows(bob, 'garden');
    await create(bob, 'garden/shed');
    await stage.knows(alice, 'garden/shed');
    await stage.refused(bob, 'removeroom', { room: 'garden' }, 'DENIED', /"removeRoom"/);
    await stage.refused(alice, 'removeroom', { room: 'garden' }, 'DENIED', /all that lie in it/);
    await stage.knows(root, 'garden/shed');
    assert.equal((await stage.run(root, 'removeroom', { room: 'garden' }))['removed'], 2);
  });

  it('leave nothing behind, on the server and on every device', async () => {
    await create(alice, 'vault', { password: 'one' });
    await create(alice, 'garden');
    await stage.knows(bob, 'garden');
    await stage.run(bob, 'enter', { room: 'vault', password: 'one' });
    await stage.run(bob, 'enter', { room: 'garden' });
    await stage.run(bob, 'say', { text: 'the secret plan' });
    await alice.hears('the secret plan');
    const ids = ['vault', 'garden'].map((path) => stage.at(path));
    for (const room of ['vault', 'garden']) await stage.run(alice, 'removeroom', { room });
    const left = async (store: typeof bob.store): Promise<string[]> => {
      const keys: string[] = [];
      for await (const [key] of store.entries({ from: '!', until: '\u007f' }))
        if (ids.some((id) => key.includes(`room/${id}`) || key.endsWith(`room ${id}`)))
          keys.push(key);
      return keys;
    };
    for (const store of [stage.world.store, alice.store, bob.store, stage.carol.store]) {
      let keys: string[] = [];
      await eventually('nothing left', async () => (keys = await left(store)).length === 0).catch(
        () => undefined,
      );
      assert.deepEqual(keys, []);
    }
    assert.deepEqual(await bob.home.search.search('secret'), []);
  });
});
