/** The devices of an account, and what one that is shut out has left. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogStore } from '../../lib/crdt/log-store.ts';
import { openLevelStore } from '../../lib/crdt/store-level.ts';
import { placeOfStream } from '../../lib/crdt/stream.ts';
import { systemClock } from '../../lib/lifecycle.ts';
import { UNREADABLE } from '../../lib/node/client/reading.ts';
import { Home } from '../../lib/node/client/home.ts';
import { openKeystore } from '../../lib/node/keystore.ts';
import { workshop, type Community } from '../support/workshop.ts';

const SECRET = { password: 'secret' };
const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

/** All the bytes of a directory and those below it. */
async function bytesOf(directory: string): Promise<Buffer> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return Buffer.concat(
    await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name)))),
  );
}

/** The direct messages that one device's keys can read in the store of another. */
async function readable(keysOf: string, storeOf: string): Promise<string[]> {
  const keystore = await openKeystore({ directory: keysOf, passphrase: undefined, random });
  const { account, server } = keystore.read();
  assert(account !== undefined && server !== undefined);
  const store = await openLevelStore(join(storeOf, 'store'), { create: false });
  try {
    const quiet = (): void => undefined;
    const home = await Home.open({
      ...{ keystore, store, server: server.key, account: account.id, clock: systemClock, random },
      ...{ onMessage: quiet, onReceipt: quiet, onContact: quiet, onContent: quiet, onAdmin: quiet },
      onRoom: quiet,
      ...{ onRefused: quiet, onRules: quiet },
      onFault: (error) => {
        throw error;
      },
    });
    await home.refreshKeyrings();
    const names = await new LogStore(store).names();
    const [pair] = names.filter((name) => placeOfStream(name).type === 'pair');
    assert(pair !== undefined);
    const messages = await home.conversations.newest(pair, 100);
    await home.close();
    return messages.map(({ text }) => text);
  } finally {
    await store.close();
  }
}

describe('devices', function () {
  this.timeout(60_000);
  const shop = workshop();
  let server: Community;
  before(async () => {
    server = await shop.server();
  });

  it('are listed with what is known of them', async () => {
    const first = await shop.client(server.address, 'ann', SECRET);
    const second = await shop.client(server.address, 'ann', SECRET);
    const { devices = [] } = await second.ok('devices');
    assert.deepEqual(devices.map(({ current, online }) => [current, online]).sort(), [
      [false, true],
      [true, true],
    ]);
    assert.equal(new Set(devices.map(({ id }) => id)).size, 2);
    await first.quit();
    const later = (await second.ok('devices')).devices ?? [];
    assert.deepEqual(
      later.map(({ current, online }) => current === online),
      [true, true],
    );
    assert.equal(await second.refused('revoke nothing'), 'NO_SUCH_DEVICE');
    assert.equal(await second.refused('revoke'), 'USAGE');
    await second.quit();
  });

  it('that are revoked are put out and stay out', async () => {
    const data = await shop.newDirectory();
    const lost = await shop.client(server.address, 'bea', { ...SECRET, data });
    const kept = await shop.client(server.address, 'bea', SECRET);
    const { devices = [] } = await kept.ok('devices');
    const { id } = devices.find(({ current }) => !current) ?? {};
    assert.equal((await kept.ok(`revoke ${id ?? ''}`))['device'], id);
    assert.equal((await lost.event('logout'))['reason'], 'revoked');
    assert.equal((await kept.ok('devices')).devices?.length, 1);
    for (const line of ['say x', 'whoelse'])
      assert.equal(await lost.refused(line), 'NOT_LOGGED_IN');
    assert.equal(await lost.refused('login bea secret'), 'REVOKED');
    await lost.quit();
    for (const options of [{ data }, { data, ...SECRET }]) {
      const { code, status } = await shop.refused(server.address, 'bea', options);
      assert.deepEqual([code, status], ['REVOKED', 3]);
    }
    // The account itself goes on, also on new devices.
    const fresh = await shop.client(server.address, 'bea', SECRET);
    await kept.ok('say still here');
    await fresh.event('message', { text: 'still here' });
    for (const cli of [kept, fresh]) await cli.quit();
  });

  it('that are revoked while they are away find it out', async () => {
    const data = await shop.newDirectory();
    await (await shop.client(server.address, 'cleo', { ...SECRET, data })).quit();
    const kept = await shop.client(server.address, 'cleo', SECRET);
    const { devices = [] } = await kept.ok('devices');
    await kept.ok(`revoke ${devices.find(({ current }) => !current)?.id ?? ''}`);
    assert.equal((await shop.refused(server.address, 'cleo', { data })).code, 'REVOKED');
    await kept.quit();
  });

  it('may revoke themselves', async () => {
    const dan = await shop.client(server.address, 'dan', SECRET);
    const { devices = [] } = await dan.ok('devices');
    dan.send(`revoke ${devices[0]?.id ?? ''}`);
    assert.equal((await dan.event('logout'))['reason'], 'revoked');
    await dan.quit();
    await (await shop.client(server.address, 'dan', SECRET)).quit();
  });

  it('that are revoked cannot read what follows, even with everything others have', async () => {
    const [lostData, keptData] = [await shop.newDirectory(), await shop.newDirectory()];
    const lost = await shop.client(server.address, 'eva', { ...SECRET, data: lostData });
    const kept = await shop.client(server.address, 'eva', { ...SECRET, data: keptData });
    const fay = await shop.client(server.address, 'fay');
    const [before, after] = ['earlier', 'later'].map(
      (word) => `${word} ${randomBytes(12).toString('hex')}`,
    ) as [string, string];
    await fay.ok(`message eva ${before}`);
    await lost.event('message', { text: before });
    const { devices = [] } = await kept.ok('devices');
    await kept.ok(`revoke ${devices.find(({ current }) => !current)?.id ?? ''}`);
    await lost.event('logout');
    await fay.ok(`message eva ${after}`);
    await kept.ok(`message fay ${after} answered`);
    await kept.event('message', { text: after });
    await fay.event('message', { from: 'eva' });
    // Told everything that it is going to be told, as a fence in the open room shows to the others.
    await fay.ok('say fence');
    await kept.event('message', { text: 'fence' });
    assert.deepEqual(lost.texts(), [before]);
    for (const cli of [lost, kept]) await cli.quit();
    // What was written never lies in the open, on no device.
    for (const directory of [lostData, keptData, server.data]) {
      const bytes = await bytesOf(directory);
      for (const text of [before, after]) assert.equal(bytes.includes(text.split(' ')[1]!), false);
    }
    assert.deepEqual(await readable(lostData, keptData), [before, UNREADABLE, UNREADABLE]);
    assert.deepEqual(await readable(keptData, keptData), [before, after, `${after} answered`]);
    await fay.quit();
  });
});
