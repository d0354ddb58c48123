/** Groups, accounts of others, mails and what is done to people, over real processes. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../lib/lifecycle.ts';
import type { Cli } from '../support/cli.ts';
import { startMailServer, type MailStage } from '../support/mail.ts';
import { workshop, type Community } from '../support/workshop.ts';

const FIRST = /(?:[A-Z2-9]{4}-){3}[A-Z2-9]{4}(?!-)/;
const CODE = /(?:[A-Z2-9]{4}-){6}[A-Z2-9]{4}/;

/** Whether a text lies readable in any file of a directory. */
async function holds(directory: string, text: string): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const found = await Promise.all(
    files.map(async ({ parentPath, name }) => readFile(join(parentPath, name))),
  );
  return found.some((bytes) => bytes.includes(text));
}

describe('administration', function () {
  this.timeout(60_000);
  const shop = workshop();
  let server: Community;
  let address: string;
  /** The administrator. */
  let root: Cli;
  let mail: MailStage;

  before(async () => {
    mail = await startMailServer();
    server = await shop.server({ env: { CLCHAT_SMTP_URL: mail.url } });
    ({ address, cli: root } = server);
  });
  after(() => mail.close());

  async function levels(cli: Cli): Promise<Record<string, unknown>[]> {
    return (await cli.ok('levels'))['levels'] as Record<string, unknown>[];
  }

  it('makes accounts, whose first password has to be changed', async () => {
    const { password, mailed } = await root.ok('createuser dora user');
    assert.equal(mailed, false);
    assert.match(String(password), FIRST);
    const data = await shop.newDirectory();
    const dora = await shop.client(address, 'dora', { password: String(password), data });
    await dora.event('notice', { code: 'MUST_CHANGE' });
    for (const line of ['say x', 'message root x', 'whoelse', 'invite', 'history'])
      assert.equal(await dora.refused(line), 'MUST_CHANGE', line);
    assert.equal((await dora.ok('self')).user, 'dora');
    await dora.quit();
    // Also for one command at a time.
    const run = (command: string, secret: string) =>
      shop.run(['-lc', '--connect', address, '--user', 'dora', '--data', data, '-e', command], {
        password: secret,
      });
    assert.equal((await run('say x', String(password))).status, 3);
    assert.equal((await run(`passwd ${String(password)} own`, String(password))).status, 0);
    assert.equal((await run('say x', 'own')).status, 0);
    await root.event('message', { from: 'dora', text: 'x' });
    const { code } = await shop.refused(address, 'dora', { password: String(password) });
    assert.equal(code, 'BAD_PASSWORD');
    const again = await shop.client(address, 'dora', { password: 'own' });
    await again.ok('say of my own');
    await again.quit();
  });

  it('mails first passwords and codes', async () => {
    const made = await root.ok('createuser eve user eve@example.org');
    assert.deepEqual([made['mailed'], made['password']], [true, undefined]);
    const first = await mail.arrived(1);
    assert.deepEqual(first.to, ['eve@example.org']);
    const [password = ''] = FIRST.exec(first.text) ?? [];
    const eve = await shop.client(address, 'eve', { password });
    await eve.ok(`passwd ${password} own`);
    const reset = await root.ok('resetpasswd eve');
    assert.deepEqual([reset['mailed'], reset.code], [true, undefined]);
    const second = await mail.arrived(2);
    const [code = ''] = CODE.exec(second.text) ?? [];
    const args = ['--code', code];
    const back = await shop.client(address, 'eve', { password: 'other', args });
    await back.ok('say back');
    // One that has no address, or does not want one any more, is shown the code.
    await eve.ok('updateuser eve --email none');
    assert.match(String((await root.ok('resetpasswd eve')).code), CODE);
    assert.equal(mail.mails.length, 2);
    for (const cli of [eve, back]) await cli.quit();
  });

  it('says what is wrong with a mail server, and not its password', async () => {
    const file = join(await shop.newDirectory(), 'url');
    await writeFile(file, 'smtp://me:topsecret@\n');
    const where = ['-ls', '--listen', '127.0.0.1:0', '--name', 'x', '--user', 'root', '--json'];
    for (const [args, env] of [
      [['--smtp-url-file', file], {}],
      [[], { CLCHAT_SMTP_URL: 'smtp://me:topsecret@' }],
    ] as const) {
      const data = await shop.newDirectory();
      const { status, stdout } = await shop.run([...where, '--data', data, ...args], { env });
      assert.equal(status, 2, stdout);
      assert.match(stdout, /mail server/);
      assert.doesNotMatch(stdout, /topsecret/);
    }
    const missing = await shop.run([...where, '--smtp-url-file', `${file}x`], {});
    assert.equal(missing.status, 1);
    assert.match(missing.stdout, /NO_SUCH_FILE/);
  });

  it('shows a first password whose mail does not go out', async () => {
    // Nobody listens there any more.
    const gone = await startMailServer();
    await gone.close();
    const own = await shop.server({ env: { CLCHAT_SMTP_URL: gone.url } });
    const data = await own.cli.ok('createuser fay user fay@example.org');
    assert.equal(data['mailed'], false);
    assert.match(String(data['problem']), /mail/);
    const password = String(data['password']);
    await (await shop.client(own.address, 'fay', { password })).quit();
    await own.cli.quit();
  });

  it('puts people into groups, which allow and forbid', async () => {
    const [gil, hal] = await shop.clients(address, ['gil', 'hal']);
    assert.equal(await gil.refused('creategroup crew'), 'DENIED');
    const { text } = await gil.ask('createuser x user');
    assert.match(text, /"createUser"/);
    await root.ok('creategroup crew 20');
    await root.ok('updategroup crew +createUser +broadcast +sendMessage -broadcast files=1M');
    await root.ok('setusergroup gil crew');
    await gil.event('group', { group: 'crew', state: 'set', user: 'gil' });
    await gil.ok('createuser made user');
    assert.equal(await gil.refused('broadcast x'), 'DENIED');
    assert.equal(await gil.refused('createuser other admin'), 'DENIED');
    const own = (await levels(gil)).find(({ group }) => group === 'crew');
    assert.deepEqual(own?.['permissions'], ['createUser', 'sendMessage']);
    assert.deepEqual([own?.['members'], own?.['files']], [1, 1 << 20]);
    const seen = (await levels(hal)).find(({ group }) => group === 'crew');
    assert.deepEqual(seen, { group: 'crew', level: 20, own: false });
    await root.ok('removegroup crew');
    await gil.event('group', { group: 'crew', state: 'removed' });
    assert.equal(await gil.refused('say x'), 'DENIED');
    const unknown = await root.ask('setusergroup hal nosuch');
    assert.match(unknown.text, /no such group/);
    await hal.event('group', { group: 'nosuch', state: 'set' });
    assert.equal(await hal.refused('say x'), 'DENIED');
    for (const cli of [gil, hal]) await cli.quit();
  });

  it('keeps the last administrator', async () => {
    const { code } = await root.ok('code user');
    for (const line of ['setusergroup root user', `elevate ${code ?? ''}`])
      assert.equal(await root.refused(line), 'LAST_ADMIN', line);
    assert.equal(await root.refused('removeuser root'), 'SELF');
    assert.equal(await root.refused('updategroup admin -createUser'), 'DENIED');
    assert.equal(await root.refused('removegroup admin'), 'DENIED');
    const ida = await shop.client(address, 'ida');
    await root.ok('setusergroup ida admin');
    await ida.event('group', { group: 'admin', state: 'set' });
    await ida.ok('creategroup lead 100');
    await ida.ok('updategroup lead +removeUser +setUserGroup');
    await ida.ok('setusergroup ida lead');
    // Of the same level, but who is left would be nobody.
    for (const line of ['removeuser root', 'setusergroup root user', 'ban root --server'])
      assert.equal(await ida.refused(line), 'LAST_ADMIN', line);
    await root.ok('setusergroup ida user');
    await ida.quit();
  });

  it('bans for a time: out at once, and not in until it is over', async () => {
    const data = await shop.newDirectory();
    const jo = await shop.client(address, 'jo', { password: 'secret', data });
    assert.equal(await jo.refused('ban root --server'), 'DENIED');
    await root.ok('ban jo 10 --server');
    const end = performance.now() + 10_000;
    await jo.event('logout', { reason: 'banned' });
    assert.equal(await jo.refused('login jo'), 'BANNED');
    await jo.quit();
    for (const options of [{ password: 'secret', data }, { data }, { password: 'secret' }]) {
      const { code, status } = await shop.refused(address, 'jo', options);
      assert.deepEqual([code, status], ['BANNED', 3]);
    }
    assert(performance.now() < end, 'too slow for this test to say anything');
    await sleep(end - performance.now() + 500);
    const back = await shop.client(address, 'jo', { data });
    await root.ok('kick jo --server');
    await back.event('logout', { reason: 'kicked' });
    assert.equal((await back.ok('login jo secret')).user, 'jo');
    await root.ok('ban jo --server');
    await back.event('logout', { reason: 'banned' });
    await root.ok('unban jo --server');
    assert.equal(await root.refused('unban jo --server'), 'NOT_BLOCKED');
    assert.equal((await back.ok('login jo secret')).user, 'jo');
    await back.quit();
  });

  it('removes with vengeance, also where nobody was there meanwhile', async () => {
    const said = `unforgettable ${'word'.repeat(5)}`;
    const data = await shop.newDirectory();
    const [kim, lea] = [
      await shop.client(address, 'kim'),
      await shop.client(address, 'lea', { data }),
    ];
    await kim.ok(`say ${said}`);
    await kim.ok(`message lea ${said} in private`);
    await lea.ok('say of lea');
    await lea.event('message', { text: said });
    await lea.event('message', { text: `${said} in private` });
    await lea.quit();
    assert.equal(await holds(data, said), true);
    await root.ok('removeuser kim --withvengence');
    await kim.event('logout', { reason: 'removed' });
    const back = await shop.client(address, 'lea', { data });
    const texts = async (line: string): Promise<string[]> =>
      ((await back.ok(line)).messages ?? []).map(({ text }) => text);
    const end = performance.now() + 10_000;
    while ((await texts('history #lobby 50')).includes(said) && performance.now() < end)
      await sleep(50);
    const lobby = await texts('history #lobby 50');
    assert.ok(!lobby.includes(said) && lobby.includes('of lea'), lobby.join());
    assert.deepEqual(await texts('search unforgettable'), []);
    const ofRoot = ((await root.ok('history #lobby 50')).messages ?? []).map(({ text }) => text);
    assert.ok(!ofRoot.includes(said));
    assert.equal(await back.refused('message kim x'), 'NO_SUCH_USER');
    await back.quit();
    assert.equal(await holds(data, said), false);
    // The name is free again.
    const other = await shop.client(address, 'kim');
    await other.ok('say another one');
    await kim.quit();
    await other.quit();
  });

  it('renames people and the server, and everybody sees it', async () => {
    const data = await shop.newDirectory();
    const max = await shop.client(address, 'max', { data });
    const ned = await shop.client(address, 'ned');
    await max.ok('say by max');
    await ned.event('message', { text: 'by max' });
    await root.ok('updateuser max --name maximilian --display "Max the Great"');
    const names = async (): Promise<string[]> =>
      ((await ned.ok('history #lobby 5')).messages ?? []).map(({ from }) => from);
    const end = performance.now() + 5_000;
    while (!(await names()).includes('maximilian') && performance.now() < end) await sleep(50);
    assert.ok((await names()).includes('maximilian'));
    assert.equal((await max.ok('self')).user, 'maximilian');
    await max.quit();
    const again = await shop.client(address, 'maximilian', { data });
    assert.equal((await again.ready()).user, 'maximilian');
    await root.ok('renameserver newname');
    await again.event('notice', ({ text }) => String(text).includes('newname'));
    assert.equal(((await again.ok('self'))['server'] as { name: string }).name, 'newname');
    assert.equal(await again.refused('renameserver x'), 'DENIED');
    for (const cli of [again, ned]) await cli.quit();
    // Found under the new name.
    const args = ['-lc', '--server', 'newname', '--user', 'oda', '--json'];
    const found = await shop.start([...args, '--data', await shop.newDirectory()]);
    assert.equal((await found.ready()).server?.id, server.id);
    await found.quit();
  });

  it('greets everybody with the message of the day', async () => {
    const pat = await shop.client(address, 'pat');
    assert.deepEqual(pat.events('notice'), []);
    assert.equal(await pat.refused('motd mine'), 'DENIED');
    await root.ok('motd Away on Sunday');
    const quin = await shop.client(address, 'quin');
    await quin.event('notice', { text: 'Message of the day: Away on Sunday' });
    assert.equal((await pat.ok('motd'))['motd'], 'Away on Sunday');
    await root.ok('motd none');
    const rae = await shop.client(address, 'rae');
    await rae.ok('motd');
    assert.deepEqual(rae.events('notice'), []);
    for (const cli of [pat, quin, rae]) await cli.quit();
  });
});
