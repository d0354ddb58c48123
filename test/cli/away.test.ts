/** What people do while the server is away, over real processes: it is done once the server is back. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { workshop } from '../support/workshop.ts';

describe('while the server is away', function () {
  this.timeout(90_000);
  const shop = workshop();

  it('what is said can be changed, and taken back before anybody has it', async () => {
    const directories = await Promise.all(Array.from({ length: 3 }, () => shop.newDirectory()));
    const [data, annData, benData] = directories as [string, string, string];
    const server = await shop.server({ data });
    const { address } = server;
    const ann = await shop.client(address, 'ann', { data: annData });
    const ben = await shop.client(address, 'ben', { data: benData });
    await server.cli.crash();
    await Promise.all([ann, ben].map((cli) => cli.event('server', { connected: false })));

    const kept = await ann.ok('say one');
    for (const line of ['edit 1 other', 'react ^ x', 'request ben', 'block ben', 'unblock ben'])
      assert.equal((await ann.ok(line))['state'], 'queued', line);
    const gone = await ann.ok('say Zanzibar');
    await ann.ok('edit 1 Zanzibar again');
    await ann.ok('remove 1');
    const found = await ann.ok('search other');
    assert.deepEqual(
      found.messages?.map(({ text }) => text),
      ['other'],
    );

    const again = await shop.server({ data, port: Number(address.split(':')[1]) });
    await ben.event('reacted', { id: kept.id, emoji: 'x' });
    await ben.event('request', { user: 'ann', state: 'pending' });
    await ann.ok('say after');
    await ben.event('message', { text: 'after' });
    for (const cli of [ann, ben, again.cli]) {
      const { messages = [] } = await cli.ok('history #lobby');
      assert.deepEqual(
        messages.map(({ text }) => text),
        ['other', 'after'],
      );
    }
    const told = [...ann.lines, ...ben.lines].filter((line) => line.type === 'event');
    assert.equal(
      told.some((line) => line.event === 'refused' || line['id'] === gone.id),
      false,
      'of what was taken back nobody is told',
    );
    for (const cli of [ann, ben, again.cli]) await cli.quit();
    for (const directory of directories) {
      const entries = await readdir(directory, { withFileTypes: true, recursive: true });
      for (const entry of entries.filter((one) => one.isFile())) {
        const bytes = await readFile(join(entry.parentPath, entry.name));
        assert.ok(!bytes.includes('Zanzibar'), entry.name);
      }
    }
  });
});
