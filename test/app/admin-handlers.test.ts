import assert from 'node:assert/strict';
import { adminEventOf, arrivalNotices } from '../../lib/app/admin-events.ts';
import { withOwnPassword } from '../../lib/app/admin-accounts.ts';
import type { HandlerContext } from '../../lib/app/handling.ts';
import { AdminStage } from '../support/admin-stage.ts';
import { eventually } from '../support/channels.ts';
import type { TestClient } from '../support/roles.ts';

describe('the server', () => {
  let stage: AdminStage;
  let root: TestClient;
  let bob: TestClient;
  const names: string[] = [];

  beforeEach(async () => {
    names.length = 0;
    stage = await AdminStage.open({ onRename: (name) => names.push(name) });
    ({ root } = stage);
    bob = await stage.world.join('bob');
  });
  afterEach(() => stage.close());

  it('takes another name, and everybody knows', async () => {
    const data = await stage.run(root, 'renameserver', { name: 'acme2' });
    assert.deepEqual(data, { name: 'acme2', was: 'acme' });
    await eventually('the name', () => bob.home.serverName === 'acme2');
    assert.deepEqual(names, ['acme2']);
    assert.equal(stage.world.server.name, 'acme2');
    const [news] = bob.admin.filter(({ kind }) => kind === 'server');
    assert.ok(news !== undefined);
    assert.deepEqual(adminEventOf(bob.home, news), {
      event: 'notice',
      text: 'The server is called acme2 now.',
    });
    await stage.refused(root, 'renameserver', { name: 'a b' }, 'BAD_NAME');
    const { data: why } = await stage.refused(bob, 'renameserver', { name: 'x' }, 'DENIED');
    assert.deepEqual(why, { permission: 'renameServer' });
  });

  it('has a message of the day for all who come in, or none', async () => {
    assert.deepEqual(await stage.run(bob, 'motd'), { motd: '' });
    assert.deepEqual(arrivalNotices(bob.home), []);
    const text = 'Closed on Sunday.';
    assert.deepEqual(await stage.run(root, 'motd', { text }), { motd: text, set: true });
    await eventually('the message', () => arrivalNotices(bob.home).length === 1);
    assert.deepEqual(arrivalNotices(bob.home), [
      { event: 'notice', text: `Message of the day: ${text}` },
    ]);
    assert.deepEqual(await stage.run(bob, 'motd'), { motd: text });
    await stage.refused(bob, 'motd', { text: 'x' }, 'DENIED');
    await stage.refused(root, 'motd', { text: 'x'.repeat(1025) }, 'TOO_LARGE');
    await stage.run(root, 'motd', { text: 'none' });
    assert.deepEqual(await stage.run(root, 'motd'), { motd: '' });
  });

  it('lets everybody hear who is silenced, and by whom', async () => {
    const { account } = bob.home;
    for (const on of [true, false]) {
      const entry = await root.home.conversations.act('space', 'suppress', { account, on });
      assert.equal(await root.home.outbox.answer(entry.id), 'held');
    }
    const told = () => bob.admin.filter(({ kind }) => kind === 'suppress');
    await eventually('the news', () => told().length === 2);
    assert.deepEqual(
      told().map((news) => adminEventOf(bob.home, news)),
      [true, false].map((suppressed) => ({
        ...{ event: 'servermute', user: 'bob', suppressed, by: 'root' },
      })),
    );
  });

  it('lets groups be heard of as they change, by those whom it concerns', async () => {
    const told = (who: TestClient) =>
      who.admin.flatMap((news) => (news.kind === 'group' ? [adminEventOf(who.home, news)] : []));
    const cat = await stage.world.join('cat');
    await stage.run(root, 'creategroup', { name: 'crew' });
    await stage.run(root, 'setusergroup', { user: 'bob', group: 'crew' });
    await stage.run(root, 'updategroup', { group: 'crew', changes: '+broadcast' });
    await stage.run(root, 'removegroup', { group: 'crew' });
    await eventually('the news', () => told(bob).length === 3);
    assert.deepEqual(told(bob), [
      { event: 'group', group: 'crew', state: 'set', user: 'bob' },
      { event: 'group', group: 'crew', state: 'updated' },
      { event: 'group', group: 'crew', state: 'removed' },
    ]);
    assert.deepEqual(told(cat), []);
  });
});

describe('whoever has a password made by somebody else', () => {
  it('has none but the commands to change it', async () => {
    const handler = async (): Promise<Record<string, unknown>> => ({ done: true });
    const guarded = withOwnPassword({ say: handler, passwd: handler, self: handler });
    const context = (mustChange: true | undefined): HandlerContext =>
      ({ client: { home: { record: { mustChange } } } }) as unknown as HandlerContext;
    for (const name of ['passwd', 'self'])
      assert.deepEqual(await guarded[name]?.({}, context(true)), { done: true });
    await assert.rejects(async () => guarded['say']?.({}, context(true)), { code: 'MUST_CHANGE' });
    assert.deepEqual(await guarded['say']?.({}, context(undefined)), { done: true });
  });
});
