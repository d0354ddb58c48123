import assert from 'node:assert/strict';
import type { Ask } from '../../lib/app/types.ts';
import { accountOf, presentAccount } from '../../lib/crdt/records.ts';
import { ClchatError } from '../../lib/errors.ts';
import { AdminStage, FakeMailer, WallClock, type Args } from '../support/admin-stage.ts';
import { eventually } from '../support/channels.ts';
import { enterAs } from '../support/entering.ts';
import { HANDLERS } from '../support/handlers.ts';
import type { TestClient } from '../support/roles.ts';

/** Somebody at a terminal, with answers to what is asked. */
function person(...answers: (string | boolean)[]): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const next = async <T>(question: string): Promise<T> => {
    asked.push(question);
    assert.ok(answers.length > 0, `"${question}" was asked`);
    return answers.shift() as T;
  };
  return { asked, ask: { line: next, secret: next, confirm: next, choose: next } };
}

describe('accounts of others', () => {
  let stage: AdminStage;
  let root: TestClient;
  let mailer: FakeMailer;
  let clock: WallClock;

  async function begin(options = {}): Promise<void> {
    stage = await AdminStage.open(options);
    ({ root } = stage);
  }
  beforeEach(() => {
    clock = new WallClock();
    mailer = new FakeMailer();
    return begin({ clock });
  });
  afterEach(() => stage.close());

  const run = (name: string, args: Args, ask?: Ask) => stage.run(root, name, args, ask);
  async function joined(name: string, password?: string): Promise<TestClient> {
    const client = await stage.world.join(name, password);
    await eventually(name, () => root.home.names().includes(name));
    return client;
  }

  describe('are made', () => {
    it('with a first password that is shown once, and is good for coming in alone', async () => {
      const data = await run('createuser', { name: 'dora', group: 'user' });
      const { password, ...rest } = data;
      assert.deepEqual(rest, { user: 'dora', group: 'user', known: true, mailed: false });
      assert.match(String(password), /^(?:[A-HJKMNP-Z2-9]{4}-){3}[A-HJKMNP-Z2-9]{4}$/);
      const other = await run('createuser', { name: 'other', group: 'none' });
      assert.notEqual(other['password'], password);
      assert.equal(other['known'], false);
      const dora = await stage.world.client();
      const first = String(password);
      assert.equal(await enterAs(dora, 'dora', { password: first }), false);
      const before = dora.home.keyrings.present;
      for (const name of Object.keys(HANDLERS)) {
        if (name === 'passwd' || name === 'self') continue;
        await stage.refused(dora, name, {}, 'MUST_CHANGE');
      }
      assert.equal((await stage.run(dora, 'self'))['user'], 'dora');
      // A modified client gets no further.
      const entry = await dora.home.conversations.say('room/lobby', { text: 'x' });
      assert.equal(await dora.home.outbox.answer(entry.id), 'MUST_CHANGE');
      await assert.rejects(dora.client.administration.kick(root.home.account), {
        code: 'MUST_CHANGE',
      });
      await assert.rejects(stage.run(dora, 'passwd', { old: first, new: first }), {
        code: 'USAGE',
      });
      await assert.rejects(stage.run(dora, 'passwd', { old: 'x', new: 'y' }), {
        code: 'BAD_PASSWORD',
      });
      await stage.run(dora, 'passwd', { old: first, new: 'own' });
      assert.equal(dora.home.record?.mustChange, undefined);
      // Whoever made the account knows the first keyring, and not this one.
      assert.equal(before.generation, 1);
      assert.equal(dora.home.keyrings.present.generation, 2);
      assert.equal(dora.home.keyrings.get(1)?.public.sign, before.public.sign);
      assert.equal(await dora.say('free'), 'held');
      const second = await stage.world.client();
      await assert.rejects(enterAs(second, 'dora', { password: first }), { code: 'BAD_PASSWORD' });
      await enterAs(second, 'dora', { password: 'own' });
      assert.equal(second.home.keyrings.present.generation, 2);
    });

    it('and a person is asked for a password of their own at once', async () => {
      const { password } = await run('createuser', { name: 'dora', group: 'user' });
      const first = String(password);
      const dora = await stage.world.client();
      const { ask, asked } = person(first, first, first, 'own', 'own');
      await enterAs(dora, 'dora', { ask });
      assert.match(asked[1] ?? '', /made by somebody else/);
      assert.match(asked[3] ?? '', /That is the old one/);
      assert.equal(dora.home.record?.mustChange, undefined);
      // Whoever came in unattended first is asked for the first password too.
      const { password: next } = await run('createuser', { name: 'eve', group: 'user' });
      const eve = await stage.world.client();
      await enterAs(eve, 'eve', { password: String(next) });
      await eve.stop();
      await eve.open();
      const later = person(String(next), 'own', 'own');
      await enterAs(eve, 'eve', { ask: later.ask });
      assert.equal(later.asked[0], 'First password');
      assert.equal(eve.home.record?.mustChange, undefined);
    });

    it('and read what was written to them before', async () => {
      const { password } = await run('createuser', { name: 'dora', group: 'user' });
      await root.say('welcome', 'dora');
      const dora = await stage.world.client();
      const { ask } = person('own', 'own');
      await enterAs(dora, 'dora', { password: String(password), ask });
      await root.say('to the new keyring', 'dora');
      await dora.hears('to the new keyring');
      assert.deepEqual(await dora.reads('root'), ['welcome', 'to the new keyring']);
    });

    it('one after the other, as fast as they are asked for', async () => {
      for (const name of ['one', 'two', 'three']) {
        await run('createuser', { name, group: 'user' });
        await run('setusergroup', { user: name, group: 'none' });
      }
      const groups = ['one', 'two', 'three'].map(
        (name) => accountOf(root.home.space, root.home.named(name))?.group,
      );
      assert.deepEqual(groups, ['none', 'none', 'none']);
    });

    it('with the password mailed, where there is a way', async () => {
      await stage.close();
      await begin({ mailer });
      const args = { name: 'dora', group: 'user', email: 'dora@example.org' };
      const data = await run('createuser', args);
      assert.deepEqual(data, {
        user: 'dora',
        group: 'user',
        known: true,
        email: 'dora@example.org',
        mailed: true,
      });
      const [mail] = mailer.mails;
      assert.equal(mail?.to, 'dora@example.org');
      const [password = ''] = /(?:[A-Z2-9]{4}-){3}[A-Z2-9]{4}/.exec(mail?.text ?? '') ?? [];
      const dora = await stage.world.client();
      await enterAs(dora, 'dora', { password });
      assert.equal(dora.home.record?.mustChange, true);
      // Without an address it is shown, and so it is when the mail did not go out.
      assert.ok((await run('createuser', { name: 'eve', group: 'user' }))['password']);
      mailer.failure = new ClchatError('MAIL', 'The mail could not be sent: so it is.');
      const {
        mailed,
        problem,
        password: shown,
      } = await run('createuser', {
        ...args,
        name: 'fay',
      });
      assert.deepEqual([mailed, problem], [false, 'The mail could not be sent: so it is.']);
      await enterAs(await stage.world.client(), 'fay', { password: String(shown) });
      assert.equal(mailer.mails.length, 1);
    });

    it('if they may, under a name that is free', async () => {
      const bob = await joined('bob');
      const args = { name: 'x', group: 'user' };
      const { data } = await stage.refused(bob, 'createuser', args, 'DENIED');
      assert.deepEqual(data, { permission: 'createUser' });
      const taken = (name: string) =>
        stage.refused(root, 'createuser', { name, group: 'user' }, 'NAME_TAKEN');
      assert.match((await taken('BOB')).message, /taken/);
      assert.match((await taken('b\u043eb')).message, /"bob"/);
      for (const name of ['lobby', 'a b', '-x'])
        await stage.refused(root, 'createuser', { name, group: 'user' }, 'BAD_NAME');
      await stage.refused(root, 'createuser', { ...args, group: 'a b' }, 'BAD_NAME');
      await stage.refused(root, 'createuser', { ...args, email: 'nowhere' }, 'BAD_ADDRESS');
      await stage.put(bob, 50, 'createUser');
      await stage.refused(bob, 'createuser', { ...args, group: 'admin' }, 'DENIED');
      await stage.run(bob, 'createuser', args);
    });
  });

  describe('are changed', () => {
    it('by themselves, and by those who may, and are called so everywhere', async () => {
      const bob = await joined('bob');
      await bob.say('before');
      await root.hears('before');
      const data = await stage.run(bob, 'updateuser', {
        user: 'bob',
        name: 'robert',
        display: 'Bob \u001b[1mthe First',
        email: 'bob@example.org',
      });
      assert.deepEqual(data, {
        user: 'robert',
        was: 'bob',
        display: 'Bob the First',
        email: 'bob@example.org',
      });
      assert.equal((await stage.run(bob, 'self'))['display'], 'Bob the First');
      await eventually('the name', () => root.home.names().includes('robert'));
      assert.equal(root.home.nameOf(bob.home.account), 'robert');
      assert.throws(() => root.home.named('bob'), { code: 'NO_SUCH_USER' });
      await stage.refused(bob, 'updateuser', { user: 'root', name: 'x' }, 'DENIED');
      await stage.refused(bob, 'updateuser', { user: 'robert' }, 'USAGE');
      await stage.refused(bob, 'updateuser', { user: 'robert', name: 'ROOT' }, 'NAME_TAKEN');
      await stage.refused(bob, 'updateuser', { user: 'robert', name: 'a:b' }, 'BAD_NAME');
      await stage.refused(bob, 'updateuser', { user: 'robert', email: '@' }, 'BAD_ADDRESS');
      const long = { user: 'robert', display: 'x'.repeat(65) };
      await stage.refused(bob, 'updateuser', long, 'TOO_LARGE');
      assert.equal((await run('updateuser', { user: 'robert', email: 'none' }))['email'], null);
      // In another spelling a name is one's own.
      await run('updateuser', { user: 'robert', name: 'Robert' });
      await stage.put(bob, 50, 'renameUser');
      await stage.refused(bob, 'updateuser', { user: 'root', display: 'x' }, 'DENIED');
    });

    it('and come in by the old name once, from a device that knew no other', async () => {
      const bob = await joined('bob', 'secret');
      await bob.stop();
      await run('updateuser', { user: 'bob', name: 'robert' });
      await bob.open();
      await enterAs(bob, 'bob');
      assert.equal(bob.home.name, 'robert');
      await bob.stop();
      await bob.open();
      await assert.rejects(enterAs(bob, 'bob'), { code: 'DENIED', message: /"robert"/ });
      await enterAs(bob, 'ROBERT');
      await enterAs(await stage.world.client(), 'robert', { password: 'secret' });
    });
  });

  describe('are removed', () => {
    it('after a question, and their sessions with them', async () => {
      const bob = await joined('bob', 'secret');
      const no = person(false);
      assert.deepEqual(await run('removeuser', { user: 'bob' }, no.ask), {
        user: 'bob',
        declined: true,
      });
      assert.match(no.asked[0] ?? '', /What they wrote stays/);
      await bob.say('mine');
      await root.hears('mine');
      const data = await run('removeuser', { user: 'bob' }, person(true).ask);
      assert.deepEqual(data, { user: 'bob', vengeance: false });
      await eventually('the end', () => bob.told.includes('logout removed'));
      assert.deepEqual(await root.reads(), ['mine']);
      await bob.stop();
      await bob.open();
      await assert.rejects(enterAs(bob, 'bob', { password: 'secret' }), { code: 'REVOKED' });
      // The name is free.
      const other = await stage.world.client();
      assert.equal(await enterAs(other, 'bob', { password: 'other' }), true);
    });

    it('with vengeance, in either spelling, and what they wrote with them', async () => {
      const [bob, cat] = [await joined('bob'), await joined('cat')];
      await bob.say('bad');
      await cat.say('worse');
      await root.hears('worse');
      for (const [user, flag] of [
        ['bob', 'withvengence'],
        ['cat', 'withvengeance'],
      ] as const) {
        const { ask, asked } = person(true);
        const data = await run('removeuser', { user, [flag]: 'true' }, ask);
        assert.deepEqual(data, { user, vengeance: true });
        assert.match(asked[0] ?? '', /erase all/);
      }
      await eventually('the erasing', async () =>
        (await root.reads()).every((text) => text !== 'bad' && text !== 'worse'),
      );
    });

    it('by those who may, of their level or below, but not oneself or the last administrator', async () => {
      const bob = await joined('bob');
      const { data } = await stage.refused(bob, 'removeuser', { user: 'root' }, 'DENIED');
      assert.deepEqual(data, { permission: 'removeUser' });
      await stage.put(bob, 99, 'removeUser');
      await stage.refused(bob, 'removeuser', { user: 'root' }, 'DENIED');
      await stage.refused(root, 'removeuser', { user: 'root' }, 'SELF');
      await stage.refused(root, 'removeuser', { user: 'nobody' }, 'NO_SUCH_USER');
      await stage.put(bob, 100, 'removeUser');
      await stage.refused(bob, 'removeuser', { user: 'root' }, 'LAST_ADMIN');
    });
  });

  describe('get a new password', () => {
    it('by a code that is shown, or mailed where there is a way', async () => {
      const bob = await joined('bob', 'forgotten');
      const shown = await run('resetpasswd', { user: 'bob' });
      assert.equal(shown['mailed'], false);
      const code = String(shown['code']);
      const device = await stage.world.client();
      await enterAs(device, 'bob', {
        code: code.toLowerCase().replaceAll('-', ' '),
        password: 'n',
      });
      await stage.refused(bob, 'resetpasswd', { user: 'root' }, 'DENIED');
      await stage.refused(root, 'resetpasswd', { user: 'nobody' }, 'NO_SUCH_USER');
      await stage.close();

      await begin({ mailer });
      const cat = await joined('cat', 'forgotten');
      assert.equal((await run('resetpasswd', { user: 'cat' }))['mailed'], false);
      await stage.run(cat, 'updateuser', { user: 'cat', email: 'cat@example.org' });
      const mailed = await run('resetpasswd', { user: 'cat' });
      assert.deepEqual([mailed['mailed'], mailed['code']], [true, undefined]);
      const [mail] = mailer.mails;
      const [sent = ''] = /(?:[A-Z2-9]{4}-){6}[A-Z2-9]{4}/.exec(mail?.text ?? '') ?? [];
      await enterAs(await stage.world.client(), 'cat', { code: sent, password: 'new' });
      mailer.failure = new ClchatError('MAIL', 'No.');
      const failed = await run('resetpasswd', { user: 'cat' });
      assert.deepEqual([failed['mailed'], failed['problem']], [false, 'No.']);
      assert.ok(failed['code']);
    });
  });

  describe('are put out', () => {
    it('and come back after a kick', async () => {
      const bob = await joined('bob');
      const data = await run('kick', { user: 'bob', server: 'true' });
      assert.deepEqual(data, { user: 'bob', server: true });
      await eventually('the end', () => bob.told.includes('logout kicked'));
      assert.equal(bob.client.loggedIn, false);
      await bob.login();
      const { data: why } = await stage.refused(
        bob,
        'kick',
        { user: 'root', server: 'true' },
        'DENIED',
      );
      assert.deepEqual(why, { permission: 'removeUser' });
      await stage.refused(root, 'kick', { user: 'root', server: 'true' }, 'SELF');
    });

    it('and kept out by a ban, by password, code and device, until it is over', async () => {
      const bob = await joined('bob', 'secret');
      const { code } = await run('resetpasswd', { user: 'bob' });
      const args = { user: 'bob', server: 'true' };
      const data = await run('ban', { ...args, seconds: '100' });
      assert.deepEqual(data, { user: 'bob', server: true, seconds: 100 });
      await eventually('the end', () => bob.told.includes('logout banned'));
      const device = await stage.world.client();
      const banned = { code: 'BANNED' };
      const tries = (): Promise<unknown>[] => [
        assert.rejects(bob.login(), banned),
        assert.rejects(enterAs(device, 'bob', { password: 'secret' }), banned),
        assert.rejects(enterAs(device, 'bob', { code: String(code), password: 'x' }), banned),
      ];
      for (const trial of tries()) await trial;
      clock.shift += 101_000;
      await bob.login();
      await run('ban', args);
      await eventually('the end', () => bob.told.at(-1) === 'logout banned');
      clock.shift += 1e9;
      for (const trial of tries()) await trial;
      assert.deepEqual(await run('unban', args), { user: 'bob', server: true });
      await bob.login();
      await stage.refused(root, 'unban', args, 'NOT_BLOCKED');
      await stage.refused(root, 'ban', { ...args, seconds: '0' }, 'USAGE');
      await stage.refused(root, 'ban', { ...args, user: 'root' }, 'SELF');
    });

    it('for as long as the clock of the server says, whatever one’s own does', async () => {
      clock.shift = 3_600_000;
      await stage.close();
      await begin({ clock });
      const { account } = (await joined('bob')).home;
      await run('ban', { user: 'bob', server: 'true', seconds: '100' });
      const until = root.home.space.get<number>('ban', account) ?? 0;
      const left = until - clock.now();
      assert.ok(left > 50_000 && left <= 101_000, String(left));
    });

    it('while they are away, and do not come back by themselves', async () => {
      const bob = await joined('bob');
      bob.transport.crash();
      await run('ban', { user: 'bob', server: 'true' });
      await bob.stop();
      await bob.open();
      await bob.client.startAway();
      await eventually('the end', () => bob.told.includes('logout banned'));
      assert.equal(presentAccount(root.home.space, root.home.named('bob'))?.name, 'bob');
    });
  });
});
