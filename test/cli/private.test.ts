/** Private sessions between real processes: from device to device, with and without the server. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cli } from '../support/cli.ts';
import { workshop, type Community } from '../support/workshop.ts';

describe('private sessions', function () {
  this.timeout(60_000);
  const shop = workshop();
  let server: Community;
  let ann: Cli;
  let ben: Cli;

  before(async () => {
    server = await shop.server();
    [ann, ben] = await shop.clients(server.address, ['ann', 'ben']);
  });

  /** One asks and the other says yes. @returns how the asking one's command was answered */
  const open = async (one: Cli, other: Cli, names: readonly [string, string]): Promise<unknown> => {
    const [oneName, otherName] = names;
    const before = other.events('private-request', { user: oneName }).length;
    const asked = one.ok(`startprivate ${otherName}`);
    await other.event('private-request', { user: oneName }, { count: before + 1 });
    await other.ok(`yes ${oneName}`);
    return (await asked)['state'];
  };

  /** One does what ends the session, and the other is told why. */
  const closes = async (
    [one, line]: readonly [Cli, string],
    [other, user]: readonly [Cli, string],
    reason = 'stopped',
  ): Promise<void> => {
    const match = { user, reason };
    const before = other.events('private-closed', match).length;
    await one.ok(line);
    await other.event('private-closed', match, { count: before + 1 });
  };

  it('say what is wrong with them', async () => {
    for (const line of ['startprivate', 'private', 'stopprivate', 'verify', 'private ben'])
      assert.equal(await ann.refused(line), 'USAGE', line);
    for (const word of ['startprivate', 'stopprivate', 'yes', 'no', 'verify']) {
      assert.equal(await ann.refused(`${word} nobody`), 'NO_SUCH_USER', word);
      assert.equal(await ann.refused(`${word} ANN`), 'SELF', word);
    }
    assert.equal(await ann.refused('private nobody x'), 'NO_SUCH_USER');
    assert.equal(await ann.refused('private ann x'), 'SELF');
    assert.equal(await ann.refused('private ben x'), 'NO_SESSION');
    assert.equal(await ann.refused('stopprivate ben'), 'NO_SESSION');
    for (const word of ['yes', 'no', 'yes ben', 'no ben'])
      assert.equal(await ann.refused(word), 'NO_REQUEST', word);
    await (await shop.client(server.address, 'away')).quit();
    await ann.event('presence', { user: 'away', online: false });
    assert.equal(await ann.refused('startprivate away'), 'OFFLINE');
  });

  it('begin with a yes, carry what is said, and end on either side', async () => {
    assert.equal(await open(ann, ben, ['ann', 'ben']), 'open');
    assert.deepEqual(await ben.event('private-request'), {
      type: 'event',
      event: 'private-request',
      user: 'ann',
      direction: 'incoming',
      kind: 'direct',
      verified: 'no',
    });
    for (const [cli, user] of [
      [ann, 'ben'],
      [ben, 'ann'],
    ] as const) {
      await cli.event('path', { user, kind: 'direct' });
      await cli.event('private-open', { user });
    }
    assert.equal(await ann.refused('startprivate ben'), 'ALREADY');
    const before = Date.now();
    assert.equal((await ann.ok('private ben   two  spaces'))['state'], 'delivered');
    const { time, ...rest } = await ben.event('private-message');
    assert.ok(Number(time) >= before && Number(time) <= Date.now());
    assert.deepEqual(rest, {
      type: 'event',
      event: 'private-message',
      from: 'ann',
      text: '  two  spaces',
    });
    await ben.ok('private ann and back');
    await ann.event('private-message', { from: 'ben', text: 'and back' });
    await closes([ben, 'stopprivate ann'], [ann, 'ben']);
    assert.equal(await ann.refused('private ben x'), 'NO_SESSION');
    assert.deepEqual((await ann.ok('history @ben')).messages, []);
  });

  it('are declined', async () => {
    const asked = ann.ask('startprivate ben');
    await ben.event('private-request', { user: 'ann' }, { count: 2 });
    await ben.ok('no');
    assert.equal((await asked).code, 'DECLINED');
    await ann.event('private-closed', { user: 'ben', reason: 'declined' });
  });

  it('are had with the person at the server, too, who can be asked and ask', async () => {
    assert.equal(await open(ann, server.cli, ['ann', 'root']), 'open');
    await ann.ok('private root hello');
    await server.cli.event('private-message', { from: 'ann', text: 'hello' });
    await closes([ann, 'stopprivate root'], [server.cli, 'ann']);
    assert.equal(await open(server.cli, ben, ['root', 'ben']), 'open');
    await server.cli.ok('private ben hello');
    await ben.event('private-message', { from: 'root', text: 'hello' });
    await closes([ben, 'stopprivate root'], [server.cli, 'ben']);
  });

  it('cross without anybody being asked', async () => {
    const both = await Promise.all([ann.ok('startprivate ben'), ben.ok('startprivate ann')]);
    assert.ok(both.every(({ state }) => state === 'open'));
    await ann.ok('private ben crossed');
    await ben.event('private-message', { text: 'crossed' });
    await closes([ann, 'stopprivate ben'], [ben, 'ann']);
  });

  it('end with a block, which refuses the next', async () => {
    await open(ann, ben, ['ann', 'ben']);
    await closes([ben, 'block ann'], [ann, 'ben']);
    assert.equal(await ann.refused('startprivate ben'), 'BLOCKED');
    assert.equal(await ben.refused('startprivate ann'), 'BLOCKED');
    await ben.ok('unblock ann');
  });

  it('are known by a number, the same for both, that is remembered once it was compared', async () => {
    const { number, verified } = await ann.ok('verify ben');
    assert.match(String(number), /^\d{5}(?: \d{5}){11}$/);
    assert.equal((await ben.ok('verify ann'))['number'], number);
    assert.equal(verified, 'no');
    assert.equal((await ann.ok('verify ben yes'))['verified'], 'yes');
    assert.equal((await ann.ok('verify ben'))['verified'], 'yes');
    await open(ann, ben, ['ann', 'ben']);
    await ann.event('private-open', { user: 'ben', verified: 'yes' });
    await closes([ben, 'stopprivate ann'], [ann, 'ben']);
  });

  it('outlive the server, begin without it, and leave nothing on any disk', async () => {
    const directories = await Promise.all([shop.newDirectory(), shop.newDirectory()]);
    const [catData, danData] = directories;
    const cat = await shop.client(server.address, 'cat', { data: catData });
    const dan = await shop.client(server.address, 'dan', { data: danData });
    // Whoever asks is told by the server where the other is, and remembers it.
    await open(dan, cat, ['dan', 'cat']);
    await closes([dan, 'stopprivate cat'], [cat, 'dan']);
    await open(cat, dan, ['cat', 'dan']);
    await server.cli.crash();
    for (const cli of [cat, dan]) await cli.event('server', { connected: false });
    await cat.ok('private dan Zanzibar');
    await dan.event('private-message', { text: 'Zanzibar' });
    await closes([dan, 'stopprivate cat'], [cat, 'dan']);
    assert.equal(await open(dan, cat, ['dan', 'cat']), 'open');
    await dan.ok('private cat Zanzibar again');
    await cat.event('private-message', { text: 'Zanzibar again' });
    await cat.crash();
    await dan.event('private-closed', { user: 'cat', reason: 'gone' });
    assert.equal(await dan.refused('private cat x'), 'PEER_GONE');
    await dan.quit();
    for (const directory of directories) {
      const entries = await readdir(directory, { withFileTypes: true, recursive: true });
      for (const entry of entries.filter((one) => one.isFile())) {
        const bytes = await readFile(join(entry.parentPath, entry.name));
        assert.ok(!bytes.includes('Zanzibar'), entry.name);
      }
    }
  });

  it('end with a logout', async () => {
    const other = await shop.server({ user: null });
    const [cat, dan] = await shop.clients(other.address, ['cat', 'dan']);
    await open(cat, dan, ['cat', 'dan']);
    await closes([cat, 'logout'], [dan, 'cat'], 'logout');
    assert.equal(await dan.refused('private cat x'), 'NO_SESSION');
    for (const cli of [cat, dan]) await cli.quit();
  });
});
