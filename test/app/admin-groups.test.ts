import assert from 'node:assert/strict';
import fc from 'fast-check';
import { groupChange } from '../../lib/app/admin-groups.ts';
import { PERMISSIONS, type Permission } from '../../lib/crdt/permissions.ts';
import { groupOf } from '../../lib/crdt/records.ts';
import { may } from '../../lib/crdt/rights.ts';
import { AdminStage } from '../support/admin-stage.ts';
import { eventually } from '../support/channels.ts';
import type { TestClient } from '../support/roles.ts';

describe('a change of a group', () => {
  it('gives and takes in order: of two about the same the later counts', () => {
    const change = fc.tuple(fc.boolean(), fc.constantFrom(...PERMISSIONS));
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 30 }),
        fc.uniqueArray(fc.constantFrom(...PERMISSIONS)),
        (changes, before) => {
          const model = new Set<Permission>(before);
          for (const [isGiven, permission] of changes)
            if (isGiven) model.add(permission);
            else model.delete(permission);
          const words = changes.map(([is, permission]) => `${is ? '+' : '-'}${permission}`);
          const { add, remove } = groupChange(words.join(' '));
          const kept = before.filter((one) => !remove.includes(one));
          assert.deepEqual(new Set([...kept, ...add]), model);
          assert.ok(add.every((one) => !remove.includes(one)));
        },
      ),
    );
  });

  it('takes a level and a size of files, and permissions in any case', () => {
    assert.deepEqual(groupChange(' +CREATEROOM  level=7 files=10M '), {
      add: ['createRoom'],
      remove: [],
      level: 7,
      fileLimit: 10 << 20,
    });
    const sizes = ['1', '500K', '2m', '1G'].map((size) => groupChange(`files=${size}`).fileLimit);
    assert.deepEqual(sizes, [1, 500 << 10, 2 << 20, 1 << 30]);
  });

  it('is refused where it is none', () => {
    const wrong = {
      createRoom: /no change/,
      '+creatRoom': /Is it "createRoom"/,
      '+x': /There are createRoom/,
      '+': /no change/,
      'level=101': /from 0 to 100/,
      'level=-1': /whole number/,
      'level=': /no change/,
      'files=10X': /no size/,
    };
    for (const [changes, message] of Object.entries(wrong))
      assert.throws(() => groupChange(changes), { code: 'USAGE', message });
  });
});

describe('groups', () => {
  let stage: AdminStage;
  let root: TestClient;
  let bob: TestClient;

  beforeEach(async () => {
    stage = await AdminStage.open();
    ({ root } = stage);
    bob = await stage.world.join('bob');
    await eventually('bob', () => root.home.names().includes('bob'));
  });
  afterEach(() => stage.close());

  const named = (name: string) => groupOf(root.home.space, root.home.named(name));

  it('are made, changed, given and removed', async () => {
    assert.deepEqual(await stage.run(root, 'creategroup', { name: 'crew', level: '20' }), {
      group: 'crew',
      level: 20,
    });
    const changes = '+broadcast +createRoom -broadcast files=1K';
    assert.deepEqual(await stage.run(root, 'updategroup', { group: 'CREW', changes }), {
      group: 'crew',
      level: 20,
      permissions: ['createRoom'],
      files: 1024,
    });
    assert.deepEqual(await stage.run(root, 'setusergroup', { user: 'bob', group: 'Crew' }), {
      user: 'bob',
      group: 'crew',
      known: true,
    });
    await eventually('the group', () => bob.home.record?.group === 'crew');
    assert.equal(named('bob')?.level, 20);
    assert.deepEqual(await stage.run(root, 'removegroup', { group: 'crew' }), {
      group: 'crew',
      members: 1,
    });
    // The name stays with its members, and allows nothing.
    assert.equal(root.home.record !== undefined && named('bob'), undefined);
    assert.equal(may(root.home.space, bob.home.account, 'createRoom'), false);
    assert.equal(bob.home.record?.group, 'crew');
  });

  it('that do not exist can be given, and allow nothing', async () => {
    const data = await stage.run(root, 'setusergroup', { user: 'bob', group: 'nosuch' });
    assert.deepEqual(data, { user: 'bob', group: 'nosuch', known: false });
    await eventually('the group', () => bob.home.record?.group === 'nosuch');
    const { data: why } = await stage.refused(bob, 'creategroup', { name: 'x' }, 'DENIED');
    assert.deepEqual(why, { permission: 'setGroupPerm' });
  });

  it('are refused without the permission, which is named', async () => {
    const commands = {
      creategroup: [{ name: 'x' }, 'setGroupPerm'],
      updategroup: [{ group: 'user', changes: '+createUser' }, 'setGroupPerm'],
      removegroup: [{ group: 'user' }, 'setGroupPerm'],
      setusergroup: [{ user: 'root', group: 'user' }, 'setUserGroup'],
    } as const;
    for (const [name, [args, permission]] of Object.entries(commands)) {
      const error = await stage.refused(bob, name, args, 'DENIED');
      assert.deepEqual(error.data, { permission });
      assert.ok(error.message.includes(`"${permission}"`), error.message);
    }
  });

  it('are out of reach above the own level, and give nothing that one does not have', async () => {
    await stage.put(bob, 50, 'setGroupPerm', 'setUserGroup');
    await stage.run(root, 'creategroup', { name: 'high', level: '51' });
    await stage.run(root, 'creategroup', { name: 'low' });
    await eventually('the groups', () => bob.home.space.get('group', 'low') !== undefined);
    await stage.refused(bob, 'creategroup', { name: 'x', level: '51' }, 'DENIED');
    await stage.refused(bob, 'updategroup', { group: 'high', changes: 'level=1' }, 'DENIED');
    await stage.refused(bob, 'updategroup', { group: 'low', changes: 'level=51' }, 'DENIED');
    await stage.refused(bob, 'removegroup', { group: 'high' }, 'DENIED');
    await stage.refused(bob, 'setusergroup', { user: 'bob', group: 'high' }, 'DENIED');
    await stage.refused(bob, 'setusergroup', { user: 'root', group: 'low' }, 'DENIED');
    const changes = '+setGroupPerm +createUser';
    const { data } = await stage.refused(bob, 'updategroup', { group: 'low', changes }, 'DENIED');
    assert.deepEqual(data, { permission: 'createUser' });
    await stage.run(bob, 'updategroup', { group: 'low', changes: '+setGroupPerm level=50' });
  });

  it('are refused where they cannot be', async () => {
    const refused = (name: string, args: Record<string, string>, code: string) =>
      stage.refused(root, name, args, code);
    await refused('creategroup', { name: 'USER' }, 'NAME_TAKEN');
    await refused('creategroup', { name: 'a b' }, 'BAD_NAME');
    await refused('creategroup', { name: 'x', level: '101' }, 'USAGE');
    await refused('updategroup', { group: 'none', changes: '+broadcast' }, 'NO_SUCH_GROUP');
    await refused('updategroup', { group: 'admin', changes: '-broadcast' }, 'DENIED');
    await refused('removegroup', { group: 'none' }, 'NO_SUCH_GROUP');
    for (const group of ['admin', 'user']) await refused('removegroup', { group }, 'DENIED');
    await refused('setusergroup', { user: 'nobody', group: 'user' }, 'NO_SUCH_USER');
  });

  it('keep the last administrator', async () => {
    const step = { user: 'root', group: 'user' };
    await assert.rejects(stage.run(root, 'setusergroup', step), { code: 'LAST_ADMIN' });
    await stage.run(root, 'setusergroup', { user: 'bob', group: 'admin' });
    await stage.run(root, 'setusergroup', step);
    await eventually('the crown', () => bob.home.record?.group === 'admin');
    await assert.rejects(stage.run(bob, 'setusergroup', { user: 'bob', group: 'none' }), {
      code: 'LAST_ADMIN',
    });
    assert.equal(bob.home.record?.group, 'admin');
  });

  it('show their levels to all, and more to whoever may view it', async () => {
    await stage.run(root, 'creategroup', { name: 'crew', level: '20' });
    const { levels } = (await stage.run(root, 'levels')) as { levels: Record<string, unknown>[] };
    assert.deepEqual(
      levels.map(({ group, level, members, own }) => [group, level, members, own]),
      [
        ['admin', 100, 1, true],
        ['crew', 20, 0, false],
        ['user', 0, 1, false],
      ],
    );
    assert.ok(levels.every(({ permissions }) => Array.isArray(permissions)));
    await eventually('the group', () => bob.home.space.get('group', 'crew') !== undefined);
    const seen = (await stage.run(bob, 'levels')) as { levels: Record<string, unknown>[] };
    assert.deepEqual(seen.levels.slice(0, 2), [
      { group: 'admin', level: 100, own: false },
      { group: 'crew', level: 20, own: false },
    ]);
    const { group, own, members, permissions } = seen.levels[2] ?? {};
    assert.deepEqual([group, own, members], ['user', true, 1]);
    assert.ok((permissions as string[]).includes('sendMessage'));
    await stage.put(bob, 0, 'viewLevels');
    const all = (await stage.run(bob, 'levels')) as { levels: Record<string, unknown>[] };
    assert.ok(all.levels.every(({ members: count }) => count !== undefined));
  });

  it('are not to be changed while the server is away', async () => {
    await stage.world.close();
    await eventually('its end', () => !root.client.connected);
    await stage.refused(root, 'creategroup', { name: 'x' }, 'NETWORK');
    await stage.world.open();
  });
});
