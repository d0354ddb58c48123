/** Invitations and codes at a server that takes nobody without, over real processes. */
import assert from 'node:assert/strict';
import type { Cli } from '../support/cli.ts';
import { workshop, type Community } from '../support/workshop.ts';

describe('codes', function () {
  this.timeout(60_000);
  const shop = workshop();
  let server: Community;
  let address: string;
  let root: Cli;

  before(async () => {
    server = await shop.server({ args: ['--invite-only'] });
    ({ address, cli: root } = server);
  });

  const invitation = async (group = ''): Promise<string> =>
    String((await root.ok(`invite ${group}`)).code);
  const withCode = (code: string) => ({ args: ['--code', code] });

  it('let newcomers in at the start', async () => {
    for (const options of [{}, { password: 'secret' }]) {
      const { code, status } = await shop.refused(address, 'amy', options);
      assert.deepEqual([code, status], ['NO_SUCH_USER', 3]);
    }
    const code = await invitation();
    const amy = await shop.client(address, 'amy', { ...withCode(code), password: 'secret' });
    await root.event('code', {
      purpose: 'signup',
      state: 'redeemed',
      group: 'user',
      user: 'amy',
    });
    await amy.ok('say here I am');
    // It is used up; and for somebody who is known a code stands for the password.
    for (const user of ['bea', 'amy']) {
      const refused = await shop.refused(address, user, { ...withCode(code), password: 'x' });
      assert.deepEqual([refused.code, refused.status], ['BAD_CODE', 3], user);
    }
    await amy.quit();
    await (await shop.client(address, 'amy', { password: 'secret' })).quit();
  });

  it('let newcomers in by "login" and "user"', async () => {
    const shell = await shop.start(['--json', '--data', await shop.newDirectory()]);
    await shell.ok(`connect ${address}`);
    assert.equal(await shell.refused('user cat secret'), 'CODE_REQUIRED');
    assert.equal(await shell.refused('login cat secret'), 'NO_SUCH_USER');
    assert.equal(await shell.refused('user cat --code AAAA secret'), 'BAD_CODE');
    const made = await shell.ok(`user cat --code ${await invitation()} secret`);
    assert.equal(made.created, true);
    await shell.ok('logout');
    assert.equal(await shell.refused(`user cat --code ${await invitation()} x`), 'NAME_TAKEN');
    const other = await shell.ok(`login dan --code ${(await invitation()).toLowerCase()}`);
    assert.deepEqual([other.user, other.created], ['dan', true]);
    await shell.quit();
    await (await shop.client(address, 'cat', { password: 'secret' })).quit();
  });

  it('that are good once let one of two in who come at the same moment', async () => {
    const code = await invitation();
    const clients = await Promise.all(
      ['eli', 'fay'].map((user) => shop.begin(address, user, withCode(code))),
    );
    const became = await Promise.all(
      clients.map(async (cli) =>
        Promise.race([
          cli.ready().then(
            () => 'ready',
            () => 'ended',
          ),
          cli.failure().then(
            (failure) => failure.code,
            () => 'ended',
          ),
        ]),
      ),
    );
    assert.deepEqual([...became].sort(), ['BAD_CODE', 'ready']);
    for (const [index, cli] of clients.entries())
      if (became[index] === 'ready') await cli.quit();
      else assert.equal(await cli.status(), 3);
  });

  it('that are good once lift one of those who enter them at the same moment', async () => {
    await root.ok('creategroup crew 10');
    const users = ['gil', 'hal', 'ida'];
    const clients = await Promise.all(
      users.map(async (user) => shop.client(address, user, withCode(await invitation()))),
    );
    const { code } = await root.ok('code crew');
    const results = await Promise.all(clients.map((cli) => cli.ask(`elevate ${code ?? ''}`)));
    const codes = results.map(({ ok, code: why }) => (ok ? 'ok' : why)).sort();
    assert.deepEqual(codes, ['BAD_CODE', 'BAD_CODE', 'ok']);
    const lucky = results.findIndex(({ ok }) => ok);
    await root.event('code', { purpose: 'elevate', state: 'redeemed', user: users[lucky] });
    const groups = await Promise.all(clients.map(async (cli) => (await cli.ok('self'))['group']));
    assert.deepEqual(groups.sort(), ['crew', 'user', 'user']);
    for (const cli of clients) await cli.quit();
  });

  it('are told of on the other devices of whoever made them', async () => {
    const user = 'jo';
    const options = { ...withCode(await invitation()), password: 'secret' };
    const first = await shop.client(address, user, options);
    const second = await shop.client(address, user, { password: 'secret' });
    const { code } = await first.ok('invite');
    await second.event('code', { purpose: 'signup', state: 'issued', group: 'user' });
    const guest = await shop.client(address, 'kim', withCode(code ?? ''));
    for (const cli of [first, second]) await cli.event('code', { state: 'redeemed', user: 'kim' });
    assert.deepEqual(root.events('code', { user: 'kim' }), []);
    for (const cli of [first, second, guest]) await cli.quit();
  });
});
