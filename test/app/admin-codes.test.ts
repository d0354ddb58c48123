import assert from 'node:assert/strict';
import { codeKey } from '../../lib/crdt/codes.ts';
import type { CodeRecord } from '../../lib/crdt/records.ts';
import { AdminStage, WallClock, type Args } from '../support/admin-stage.ts';
import { eventually } from '../support/channels.ts';
import { enterAs } from '../support/entering.ts';
import type { TestClient } from '../support/roles.ts';

describe('codes', () => {
  let stage: AdminStage;
  let root: TestClient;
  let bob: TestClient;
  let clock: WallClock;

  beforeEach(async () => {
    clock = new WallClock();
    stage = await AdminStage.open({ clock, inviteOnly: true });
    ({ root } = stage);
    const { code } = await stage.run(root, 'invite');
    bob = await stage.world.client();
    await enterAs(bob, 'bob', { code: String(code) });
  });
  afterEach(() => stage.close());

  const make = async (name: 'invite' | 'code', args: Args = {}): Promise<string> =>
    String((await stage.run(root, name, args))['code']);
  const newcomer = async (name: string, code: string): Promise<TestClient> => {
    const device = await stage.world.client();
    await enterAs(device, name, { code });
    return device;
  };
  const record = (code: string) => root.home.space.get<CodeRecord>('code', codeKey(code).public);
  const elevate = (who: TestClient, code: string) => stage.run(who, 'elevate', { code });

  it('invite somebody once, into a group, however they are written', async () => {
    await stage.run(root, 'creategroup', { name: 'crew' });
    const data = await stage.run(root, 'invite', { group: 'crew' });
    const { code: made, ...rest } = data;
    assert.deepEqual(rest, { purpose: 'signup', group: 'crew', uses: 1, seconds: 604_800 });
    const code = String(made);
    const written = ` ${code.toLowerCase().replaceAll('-', ' ')} `;
    const cat = await newcomer('cat', written);
    assert.equal(cat.home.record?.group, 'crew');
    await assert.rejects(newcomer('dan', code), { code: 'BAD_CODE' });
    await assert.rejects(newcomer('dan', ''), { code: 'BAD_CODE' });
    // A known name with a code asks for another password.
    await assert.rejects(enterAs(await stage.world.client(), 'cat', { code, password: 'x' }), {
      code: 'BAD_CODE',
    });
    const command = { mayLogin: false, code: await make('invite') };
    await assert.rejects(enterAs(await stage.world.client(), 'cat', command), {
      code: 'NAME_TAKEN',
    });
    await assert.rejects(enterAs(await stage.world.client(), 'dan'), { code: 'NO_SUCH_USER' });
  });

  it('invite by permission, into a closed group by another, and never above the own level', async () => {
    await stage.run(root, 'creategroup', { name: 'closed' });
    await stage.run(root, 'updategroup', { group: 'closed', changes: '+noInviteFor' });
    const refused = async (args: Args, permission?: string): Promise<void> => {
      const { data } = await stage.refused(bob, 'invite', args, 'DENIED');
      assert.deepEqual(data, permission && { permission });
    };
    await eventually('the group', () => bob.home.space.get('group', 'closed') !== undefined);
    await stage.run(bob, 'invite');
    await refused({ group: 'closed' }, 'inviteUserAny');
    await refused({ group: 'admin' }, 'inviteUserAny');
    await stage.run(root, 'creategroup', { name: 'high', level: '11' });
    await eventually('the group', () => bob.home.space.get('group', 'high') !== undefined);
    await refused({ group: 'high' });
    await stage.put(bob, 10, 'inviteUserAny');
    await refused({ group: 'high' });
    await stage.run(bob, 'invite', { group: 'closed' });
    await stage.put(bob, 10);
    await refused({}, 'inviteUser');
    await stage.refused(bob, 'invite', { group: 'none' }, 'NO_SUCH_GROUP');
  });

  it('lift whoever enters them, as often as they are good for, and not too late', async () => {
    await stage.run(root, 'creategroup', { name: 'crew', level: '5' });
    const code = await make('code', { group: 'crew', uses: '2', seconds: '100' });
    assert.equal(record(code)?.uses, 2);
    assert.deepEqual(await elevate(bob, code.toLowerCase()), { user: 'bob', group: 'crew' });
    const cat = await newcomer('cat', await make('invite'));
    await eventually('the use', () => record(code)?.uses === 1);
    await elevate(cat, code);
    await assert.rejects(elevate(bob, code), { code: 'BAD_CODE' });
    const brief = await make('code', { group: 'crew', uses: '2', seconds: '100' });
    clock.shift += 101_000;
    await assert.rejects(elevate(cat, brief), { code: 'BAD_CODE' });
    await stage.refused(bob, 'elevate', { code: '-' }, 'BAD_CODE');
    await assert.rejects(elevate(bob, await make('invite')), { code: 'BAD_CODE' });
    const late = await make('invite');
    clock.shift += 604_801_000;
    await assert.rejects(newcomer('dan', late), { code: 'BAD_CODE' });
  });

  it('that lift are made by permission, never above the own level', async () => {
    const { data } = await stage.refused(bob, 'code', { group: 'user' }, 'DENIED');
    assert.deepEqual(data, { permission: 'issueCode' });
    await stage.put(bob, 10, 'issueCode');
    await stage.refused(bob, 'code', { group: 'admin' }, 'DENIED');
    await stage.run(bob, 'code', { group: 'user' });
    const refused = (args: Args, code: string) => stage.refused(root, 'code', args, code);
    await refused({ group: 'none' }, 'NO_SUCH_GROUP');
    await refused({ group: 'user', uses: '0' }, 'USAGE');
    await refused({ group: 'user', seconds: '0' }, 'USAGE');
    await refused({ group: 'user', uses: '10001' }, 'TOO_LARGE');
  });

  it('do not take the last administrator away', async () => {
    const code = await make('code', { group: 'user' });
    await assert.rejects(elevate(root, code), { code: 'LAST_ADMIN' });
    assert.equal(root.home.record?.group, 'admin');
    assert.equal(record(code)?.uses, 1);
  });

  it('of which there is one go to one of those who enter them at once', async () => {
    const devices = await Promise.all(Array.from({ length: 8 }, () => stage.world.client()));
    const code = await make('invite');
    const became = await Promise.allSettled(
      devices.map((device, index) => enterAs(device, `guest${index}`, { code })),
    );
    const codes = became.map((one) =>
      one.status === 'rejected' ? (one.reason as { code?: string }).code : 'in',
    );
    assert.deepEqual(codes.sort(), [...Array<string>(7).fill('BAD_CODE'), 'in']);
    assert.equal(record(code), undefined);
  });

  it('tell whoever made them who has used them', async () => {
    const told = () => root.admin.filter(({ kind }) => kind === 'code');
    const before = told().length;
    await stage.run(root, 'creategroup', { name: 'crew' });
    const cat = await newcomer('cat', await make('invite', { group: 'crew' }));
    await elevate(cat, await make('code', { group: 'user', uses: '3' }));
    await eventually('the news', () => told().length === before + 2);
    assert.deepEqual(told().slice(before), [
      {
        kind: 'code',
        purpose: 'signup',
        state: 'redeemed',
        group: 'crew',
        by: cat.home.account,
      },
      {
        kind: 'code',
        purpose: 'elevate',
        state: 'redeemed',
        group: 'user',
        by: cat.home.account,
      },
    ]);
    assert.deepEqual(
      bob.admin.filter(({ kind }) => kind === 'code'),
      [],
    );
  });
});
