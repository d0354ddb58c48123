/** Accounts, passwords, locks, devices. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import { workshop, type Community } from '../support/workshop.ts';

const LOCK_SECONDS = 6;
const RIGHT = { password: 'correct horse' };
const WRONG = { password: 'battery staple' };

describe('accounts', function () {
  this.timeout(60_000);
  const shop = workshop();
  let server: Community;
  let address: string;
  before(async () => {
    server = await shop.server({ args: ['--block-duration', String(LOCK_SECONDS)] });
    ({ address } = server);
  });

  /** A wrong password typed on a new device. */
  const wrong = (user: string) => shop.refused(address, user, WRONG);
  /** The right one, on a new device. */
  const right = (user: string) => shop.client(address, user, RIGHT);

  it('are made of unknown names, and entered by password from anywhere', async () => {
    const first = await right('amy');
    const { code, status } = await wrong('amy');
    assert.deepEqual([code, status], ['BAD_PASSWORD', 3]);
    // Names that differ by case only are one.
    const second = await right('AMY');
    assert.equal((await second.ready()).user, 'amy');
    assert.deepEqual(
      (await second.ok('devices')).devices?.map(({ online }) => online),
      [true, true],
    );
    const none = await shop.refused(address, 'amy');
    assert.deepEqual([none.code, none.status], ['BAD_PASSWORD', 3]);
    for (const cli of [first, second]) await cli.quit();
  });

  it('without a password live on their devices alone', async () => {
    const data = await shop.newDirectory();
    const first = await shop.client(address, 'bea', { data });
    for (const options of [{}, RIGHT])
      assert.equal((await shop.refused(address, 'bea', options)).status, 3);
    await first.quit();
    const again = await shop.client(address, 'bea', { data });
    // Until they get one.
    await again.ok(`passwd ${RIGHT.password.replace(' ', '_')}`);
    const second = await shop.client(address, 'bea', { password: 'correct_horse' });
    assert.equal((await second.ok('devices')).devices?.length, 2);
    for (const cli of [again, second]) await cli.quit();
  });

  it('let a known device in by its key, and hold a given password against it', async () => {
    const data = await shop.newDirectory();
    await (await shop.client(address, 'cleo', { ...RIGHT, data })).quit();
    await (await shop.client(address, 'cleo', { data })).quit();
    await (await shop.client(address, 'cleo', { ...RIGHT, data })).quit();
    const { code, status } = await shop.refused(address, 'cleo', { ...WRONG, data });
    assert.deepEqual([code, status], ['BAD_PASSWORD', 3]);
    const file = await shop.newDirectory();
    const { status: noFile } = await shop.refused(address, 'cleo', {
      data,
      args: ['--password-file', file],
    });
    assert.notEqual(noFile, 0);
  });

  it('are locked by three wrong passwords in a row, for a while', async () => {
    const data = await shop.newDirectory();
    const live = await shop.client(address, 'dee', { ...RIGHT, data });
    // Two, then a right one: they are forgotten.
    for (let i = 0; i < 2; i++) assert.equal((await wrong('dee')).code, 'BAD_PASSWORD');
    await (await right('dee')).quit();
    for (let i = 0; i < 2; i++) assert.equal((await wrong('dee')).code, 'BAD_PASSWORD');
    const third = await shop.begin(address, 'dee', WRONG);
    const failure = await third.failure();
    const lockedAt = performance.now();
    assert.deepEqual([failure.code, await third.status()], ['BAD_PASSWORD', 3]);
    const locked = await third.event('locked');
    assert.deepEqual([locked['user'], locked['seconds']], ['dee', LOCK_SECONDS]);
    const locks = [RIGHT, WRONG].map((options) => shop.refused(address, 'dee', options));
    // A lock stops password logins only: not live sessions, other accounts or known devices.
    const other = shop.client(address, 'dora', RIGHT);
    await live.ok('say still here');
    await live.quit();
    const known = await shop.client(address, 'dee', { data });
    await known.ok('whoelse');
    for (const { code, status } of await Promise.all(locks))
      assert.deepEqual([code, status], ['LOCKED', 3]);
    await (await other).quit();
    const ms = LOCK_SECONDS * 1_000;
    assert(performance.now() - lockedAt < ms, 'too slow for this test to say anything');
    await sleep(ms - (performance.now() - lockedAt) + 300);
    await (await right('dee')).quit();
    assert.equal((await wrong('dee')).code, 'BAD_PASSWORD');
    await (await right('dee')).quit();
    await known.quit();
  });

  it('are locked by three wrong passwords of a live client, which ends', async () => {
    const cli = await shop.client(address, 'eli', RIGHT);
    for (let i = 0; i < 3; i++)
      assert.equal(await cli.refused('passwd wrong fresh'), 'BAD_PASSWORD');
    await cli.event('locked', { user: 'eli' });
    assert.equal(await cli.status(), 3);
  });

  it('are locked across a restart of the server', async () => {
    let own = await shop.server({ args: ['--block-duration', '60'] });
    await (await shop.client(own.address, 'eva', RIGHT)).quit();
    for (let i = 0; i < 3; i++)
      assert.equal((await shop.refused(own.address, 'eva', WRONG)).code, 'BAD_PASSWORD');
    await own.cli.crash();
    const port = Number(own.address.split(':')[1]);
    own = await shop.server({ data: own.data, port, args: ['--block-duration', '60'] });
    assert.equal((await shop.refused(own.address, 'eva', RIGHT)).code, 'LOCKED');
    await own.cli.quit();
  });

  it('change their password', async () => {
    const [first, second] = [await right('fay'), await right('fay')];
    assert.equal(await first.refused('passwd'), 'USAGE');
    assert.equal(await first.refused('passwd "not it" fresh'), 'BAD_PASSWORD');
    await first.ok(`passwd "${RIGHT.password}" fresh`);
    assert.equal((await shop.refused(address, 'fay', RIGHT)).code, 'BAD_PASSWORD');
    await (await shop.client(address, 'fay', { password: 'fresh' })).quit();
    // The other device is untouched, and so are its messages.
    await second.ok('say still here');
    await first.event('message', { text: 'still here' });
    for (const cli of [first, second]) await cli.quit();
  });

  it('refuse the old password on a device that knew it', async () => {
    const data = await shop.newDirectory();
    await (await shop.client(address, 'fio', { ...RIGHT, data })).quit();
    const other = await right('fio');
    await other.ok(`passwd "${RIGHT.password}" fresh`);
    assert.equal((await shop.refused(address, 'fio', { ...RIGHT, data })).code, 'BAD_PASSWORD');
    await (await shop.client(address, 'fio', { password: 'fresh', data })).quit();
    await other.quit();
  });

  it('get a code from the admin when the password is forgotten', async () => {
    const [gus, hal] = await shop.clients(address, ['gus', 'hal'], RIGHT);
    await gus.ok('message hal from before');
    assert.equal(await hal.refused('resetpasswd gus'), 'DENIED');
    assert.equal(await server.cli.refused('resetpasswd nobody'), 'NO_SUCH_USER');
    const { code, user } = await server.cli.ok('resetpasswd gus');
    assert.equal(user, 'gus');
    assert(code !== undefined && code.length >= 20);
    const bad = await shop.refused(address, 'gus', {
      password: 'fresh',
      args: ['--code', 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAA'],
    });
    assert.deepEqual([bad.code, bad.status], ['BAD_CODE', 3]);
    const fresh = await shop.client(address, 'gus', { password: 'fresh', args: ['--code', code] });
    const used = await shop.refused(address, 'gus', { password: 'evil', args: ['--code', code] });
    assert.deepEqual([used.code, used.status], ['BAD_CODE', 3]);
    assert.equal((await shop.refused(address, 'gus', RIGHT)).code, 'BAD_PASSWORD');
    await (await shop.client(address, 'gus', { password: 'fresh' })).quit();
    // Old messages stay with the devices that have their key, new ones reach all.
    const old = (await gus.ok('history @hal')).messages?.map(({ text }) => text);
    assert.deepEqual(old, ['from before']);
    const unread = (await fresh.ok('history @hal')).messages ?? [];
    assert(unread.every(({ text }) => text !== 'from before'));
    await hal.ok('message gus for all');
    await Promise.all([gus, fresh].map((cli) => cli.event('message', { text: 'for all' })));
    for (const cli of [gus, hal, fresh]) await cli.quit();
  });

  it('redeem a code at "login" too', async () => {
    await (await right('ida')).quit();
    const { code } = await server.cli.ok('resetpasswd ida');
    const shell = await shop.start(['--json', '--data', await shop.newDirectory()]);
    await shell.ok(`connect ${address}`);
    assert.equal(await shell.refused(`login ida --code ${code ?? ''}`), 'USAGE');
    assert.equal((await shell.ok(`login ida --code ${code ?? ''} quite fresh`)).user, 'ida');
    await shell.quit();
    await (await shop.client(address, 'ida', { password: 'quite fresh' })).quit();
  });

  it('log out and in again in one process', async () => {
    const [jo, kim] = await shop.clients(address, ['jo', 'kim'], RIGHT);
    // Out is out: it does not come back by itself.
    await kim.ok('whoelse');
    const before = kim.events('presence', { user: 'jo', online: true }).length;
    for (let time = 1; time <= 3; time++) {
      if (time > 1) await jo.ok('login jo');
      await jo.ok('logout');
      const logout = await jo.event('logout', {}, { count: time });
      assert.deepEqual(logout, { type: 'event', event: 'logout', reason: 'logout' });
      await kim.event('presence', { user: 'jo', online: false }, { count: time });
      await sleep(500);
      const entered = kim.events('presence', { user: 'jo', online: true }).length - before;
      assert.equal(entered, time - 1);
      assert.deepEqual((await kim.ok('whoelse')).users, ['root']);
    }
    assert.deepEqual(jo.events('server'), []);
    for (const line of ['say x', 'whoelse', 'logout', 'history', 'message kim x'])
      assert.equal(await jo.refused(line), 'NOT_LOGGED_IN', line);
    await kim.ok('message jo while you were out');
    assert.equal((await jo.ok('login jo')).user, 'jo');
    await jo.event('message', { text: 'while you were out' });
    await kim.event('presence', { user: 'jo', online: true });
    await jo.ok('say back');
    await kim.event('message', { text: 'back' });
    assert.equal(await jo.refused('login jo'), 'ALREADY');
    // Somebody else may log in from here as well.
    await jo.ok('logout');
    assert.equal((await jo.ok('login joanna')).created, true);
    await jo.ok('say it is me');
    assert.equal((await kim.event('message', { text: 'it is me' }))['from'], 'joanna');
    for (const cli of [jo, kim]) await cli.quit();
  });

  it('tell whose device was revoked how to go on', async () => {
    const [kept, data] = [await shop.client(address, 'rob', RIGHT), await shop.newDirectory()];
    const lost = await shop.client(address, 'rob', { ...RIGHT, data });
    const { devices = [] } = await kept.ok('devices');
    const { id = '' } = devices.find(({ current }) => !current) ?? {};
    await kept.ok(`revoke ${id}`);
    const text = String((await lost.event('notice', { code: 'REVOKED' }))['text']);
    assert.ok(text.includes(`another --data DIR, or move ${data} away`), text);
    await lost.quit();
    const again = await shop.refused(address, 'rob', { ...RIGHT, data });
    assert.deepEqual([again.code, again.text], ['REVOKED', text]);
    await kept.quit();
  });

  it('are made on invitation only with --invite-only', async () => {
    const own = await shop.server({ args: ['--invite-only'] });
    assert.equal((await own.cli.ready()).user, 'root');
    for (const options of [{}, RIGHT]) {
      const { code, status } = await shop.refused(own.address, 'lee', options);
      assert.deepEqual([code, status], ['NO_SUCH_USER', 3]);
    }
    const shell = await shop.start(['--json', '--data', await shop.newDirectory()]);
    await shell.ok(`connect ${own.address}`);
    assert.equal(await shell.refused('user lee secret'), 'CODE_REQUIRED');
    assert.equal(await shell.refused('login lee secret'), 'NO_SUCH_USER');
    assert.equal(await shell.refused('user root secret'), 'NAME_TAKEN');
    await shell.quit();
    await own.cli.quit();
  });
});

describe('inactivity', function () {
  this.timeout(30_000);
  const shop = workshop();

  it('logs out after --timeout, and activity prevents it', async () => {
    const server = await shop.server({ args: ['--timeout', '2'], user: null });
    const [idle, busy] = await shop.clients(server.address, ['idle', 'busy']);
    const end = performance.now() + 5_000;
    while (performance.now() < end) {
      // Any line is something done, whatever comes of it.
      busy.send('frobnicate');
      await sleep(300);
    }
    const logout = await idle.event('logout');
    assert.equal(logout['reason'], 'timeout');
    assert.equal(await idle.refused('whoelse'), 'NOT_LOGGED_IN');
    assert.deepEqual(busy.events('logout'), []);
    assert.deepEqual((await busy.ok('whoelse')).users, []);
    assert.equal(busy.events('presence', { user: 'idle', online: false }).length, 1);
    await idle.ok('login idle');
    await idle.ok('say back');
    await busy.event('message', { text: 'back' });
    for (const cli of [idle, busy]) await cli.quit();
  });

  it('is not held against anybody without --timeout', async () => {
    const server = await shop.server();
    const idle = await shop.client(server.address, 'idle');
    await sleep(3_000);
    await idle.ok('say still here');
    assert.deepEqual([...idle.events('logout'), ...server.cli.events('logout')], []);
    await idle.quit();
  });
});
