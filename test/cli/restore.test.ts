/** What a restored server takes back from its clients, however often and however roughly restored. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { restoreServer } from '../../lib/app/server-peer.ts';
import { sleep } from '../../lib/lifecycle.ts';
import type { Cli } from '../support/cli.ts';
import { workshop, type Community } from '../support/workshop.ts';

describe('a restored server', function () {
  this.timeout(90_000);
  const shop = workshop();
  const PASSPHRASE = { env: { CLCHAT_BACKUP_PASSPHRASE: 'open sesame' }, password: 'secret' };
  /** How long it takes back only, in milliseconds. */
  const RECOVER_MS = 6_000;

  async function backedUp(server: Community): Promise<string> {
    const file = join(await shop.newDirectory(), 'acme.backup');
    await server.cli.ok(`backup ${file}`);
    return file;
  }

  async function restored(file: string): Promise<string> {
    const target = join(await shop.newDirectory(), 'restored');
    const mover = await shop.start(['--json', '--data', target], PASSPHRASE);
    await mover.ok(`restore ${file}`);
    await mover.quit();
    return target;
  }

  const begin = (data: string, address: string): Promise<Community> =>
    shop.server({ data, port: Number(address.split(':')[1]), password: 'secret' });
  const connections = (cli: Cli): number =>
    cli.lines.filter(
      (line) => line.type === 'event' && line.event === 'server' && line['connected'] === true,
    ).length;
  const back = (cli: Cli, before: number): Promise<unknown> =>
    cli.until(() => (connections(cli) > before ? true : undefined), 'connection');
  const room = async (cli: Cli): Promise<string[]> =>
    (await cli.ok('history')).messages?.map(({ text }) => text) ?? [];

  it('twice of the same backup, loses nothing that was held in between', async () => {
    const server = await shop.server(PASSPHRASE);
    const { address } = server;
    const ann = await shop.client(address, 'ann');
    await ann.ok('say before');
    const file = await backedUp(server);
    await server.cli.crash();

    const once = await begin(await restored(file), address);
    await back(ann, 0);
    const ben = await shop.client(address, 'ben');
    assert.equal((await ben.ok('say of ben, who does not come back'))['state'], 'held');
    await ann.event('message', { from: 'ben' });
    assert.equal((await ann.ok('say of ann'))['state'], 'held');
    await ben.quit();
    await once.cli.crash();

    const twice = await begin(await restored(file), address);
    await back(ann, 1);
    const expected = ['before', 'of ben, who does not come back', 'of ann'];
    assert.equal((await ann.ok('say after'))['state'], 'held');
    for (const cli of [ann, twice.cli])
      assert.deepEqual(await room(cli), [...expected, 'after'], 'nothing is lost');
    assert.equal(
      ann.lines.some((line) => line.type === 'event' && line.event === 'notice'),
      false,
      'nothing was forked',
    );
    for (const cli of [ann, twice.cli]) await cli.quit();
  });

  it('killed while it takes back, does so for the whole time when it is started again', async () => {
    const server = await shop.server(PASSPHRASE);
    const { address } = server;
    const annData = await shop.newDirectory();
    const ann = await shop.client(address, 'ann', { data: annData });
    const ben = await shop.client(address, 'ben');
    const file = await backedUp(server);
    assert.equal((await ben.ok('say of ben, who does not come back'))['state'], 'held');
    await ann.event('message', { from: 'ben' });
    for (const cli of [ann, ben]) await cli.quit();
    await server.cli.crash();

    const data = await restored(file);
    // Once killed, once stopped in order: neither time has anybody had the time to come.
    await (await begin(data, address)).cli.crash();
    await (await begin(data, address)).cli.quit();
    const started = performance.now();
    const last = await begin(data, address);
    // Were this sealed now, it would be in the place of what Ann has.
    const early = last.cli.ok('say of root, early');
    await sleep(300);
    const again = await shop.client(address, 'ann', { data: annData });
    await early;
    assert.ok(performance.now() - started > RECOVER_MS);
    await again.event('message', { text: 'of root, early' });
    for (const cli of [again, last.cli])
      assert.deepEqual(await room(cli), ['of ben, who does not come back', 'of root, early']);
    // The time is over: the next start seals at once.
    await sleep(500);
    await last.cli.crash();
    const next = await begin(data, address);
    const asked = performance.now();
    await next.cli.ok('say at once');
    assert.ok(performance.now() - asked < RECOVER_MS / 2);
    for (const cli of [again, next.cli]) await cli.quit();
  });

  it('says which passwords it has lost, and takes others in their place from those who may', async () => {
    const server = await shop.server(PASSPHRASE);
    const { address } = server;
    const ann = await shop.client(address, 'ann');
    const ben = await shop.client(address, 'ben');
    await ben.ok('passwd ben0');
    const file = await backedUp(server);
    await ann.ok('passwd ann1');
    await ben.ok('passwd ben0 ben1');
    await ann.ok('room vault pw');
    await ann.ok('conference tea');
    await server.cli.crash();
    const again = await begin(await restored(file), address);
    for (const cli of [ann, ben]) await back(cli, 0);
    // What was sealed after the backup is known again, as Ann and Ben have it.
    await ann.event('conference', { name: 'tea', state: 'ended' });
    const login = async (name: string, password: string): Promise<string> => {
      const cli = await shop.start(['--json'], { password });
      await cli.ok(`connect ${address}`);
      const answer = await cli.ask(`login ${name} ${password}`);
      await cli.quit();
      return answer.ok ? 'in' : `${answer.code} ${answer.text}`;
    };
    for (const [name, password] of [
      ['ann', 'ann1'],
      ['ben', 'ben0'],
      ['ben', 'ben1'],
    ] as const)
      assert.match(await login(name, password), /^DENIED .* after the backup .*"passwd"/);
    const knocking = await ben.ask('enter vault pw');
    assert.match(`${knocking.code} ${knocking.text}`, /^DENIED .* after the backup .*updateroom/);
    await ann.ok('updateroom vault --password pw2');
    await ben.ok('enter vault pw2');
    await ann.ok('passwd ann2');
    await ben.ok('passwd ben1 ben2');
    assert.equal(await login('ann', 'ann2'), 'in');
    assert.equal(await login('ben', 'ben2'), 'in');
    for (const cli of [ann, ben, again.cli]) await cli.quit();
  });

  it('whose restoring died just before the end, takes back as well', async () => {
    const server = await shop.server(PASSPHRASE);
    const file = await backedUp(server);
    await server.cli.quit();
    const root = await shop.newDirectory();
    const died = join(await shop.newDirectory(), 'died');
    const directory = join(root, 'restored');
    await restoreServer({
      file,
      backupPassphrase: 'open sesame',
      directory,
      random: (length) => Uint8Array.from(randomBytes(length)),
      onProgress: () => {
        const [made] = readdirSync(root);
        assert.notEqual(made, 'restored', 'it is not in its place yet');
        rmSync(died, { recursive: true, force: true });
        cpSync(join(root, made!), died, { recursive: true });
      },
    });
    assert.deepEqual(readdirSync(root), ['restored']);
    for (const data of [died, directory]) {
      const started = performance.now();
      const { cli } = await begin(data, server.address);
      await cli.ok('say something');
      assert.ok(performance.now() - started > RECOVER_MS, data);
      await cli.quit();
    }
  });
});
