/** What is unread, and who is told of what was read, over real processes. */
import assert from 'node:assert/strict';
import { workshop, type Community } from '../support/workshop.ts';
import type { Cli } from '../support/cli.ts';

interface Unread {
  readonly room?: string;
  readonly to?: string;
  readonly count: number;
  readonly mentions: number;
}

const SECRET = { password: 'secret' };

describe('unread messages', function () {
  this.timeout(120_000);
  const shop = workshop();
  let server: Community;
  before(async () => {
    server = await shop.server();
  });
  const unread = async (cli: Cli): Promise<Unread[]> =>
    (await cli.ok('notifications'))['unread'] as Unread[];

  it('are told at login, and are less for what is shown, answered or asked for', async () => {
    const data = await shop.newDirectory();
    const ann = await shop.client(server.address, 'ann1');
    const first = await shop.client(server.address, 'ben1', { data });
    await first.quit();
    for (let n = 0; n < 3; n++) await ann.ok(`message ben1 direct ${n}`);
    await ann.ok('say hello @ben1');
    await ann.ok('request ben1');
    const ben = await shop.client(server.address, 'ben1', { data });
    const told = await ben.event('unread');
    assert.deepEqual(told['conversations'], [
      { room: 'lobby', count: 1, mentions: 1 },
      { to: 'ann1', count: 3, mentions: 0 },
    ]);
    assert.equal(told['requests'], 1);
    // What was emitted of the current conversation has been read; direct messages are another one.
    const { requests } = await ben.ok('notifications');
    assert.deepEqual(requests, { incoming: ['ann1'], outgoing: [] });
    assert.deepEqual(await unread(ben), [{ to: 'ann1', count: 3, mentions: 0 }]);
    await ben.ok('history @ann1');
    assert.deepEqual(await unread(ben), []);
    await ann.ok('message ben1 one more');
    await ben.event('message', { text: 'one more' });
    assert.equal((await unread(ben)).length, 1);
    await ben.ok('message ann1 thanks');
    assert.deepEqual(await unread(ben), []);
    // A program that nobody listens to shows nothing of it.
    await ben.quit();
    await ann.ok('message ben1 last');
    const args = await shop.clientArgs(server.address, 'ben1', { data });
    await shop.run([...args.filter((one) => one !== '--json'), '-e', 'whoelse']);
    const shown = await shop.run([...args, '-e', 'notifications']);
    const [result] = shown.lines;
    assert(result?.type === 'result' && result.ok);
    assert.deepEqual(result.data?.['unread'], [{ to: 'ann1', count: 1, mentions: 0 }]);
    await ann.quit();
  });

  it('are the same on all devices, and after the death of client and server', async () => {
    const data = await shop.newDirectory();
    let own = await shop.server({ name: 'frail' });
    const ann = await shop.client(own.address, 'ann', SECRET);
    const ben = await shop.client(own.address, 'ben', { ...SECRET, data });
    const phone = await shop.client(own.address, 'ben', SECRET);
    const { id } = await ann.ok('message ben one');
    await Promise.all([ben, phone].map((cli) => cli.event('message', { id })));
    assert.deepEqual([(await unread(ben)).length, (await unread(phone)).length], [1, 1]);
    await ben.ok('history @ann');
    const receipt = await ann.event('receipt', { id, read: 1 });
    assert.equal(receipt['of'], 2);
    for (let n = 0; n < 100 && (await unread(phone)).length > 0; n++);
    assert.deepEqual(await unread(phone), []);
    await ben.crash();
    await own.cli.crash();
    const port = Number(own.address.split(':')[1]);
    own = await shop.server({ data: own.data, port });
    const again = await shop.client(own.address, 'ben', { ...SECRET, data });
    assert.deepEqual(await unread(again), []);
    await ann.event('server', { connected: true }, { patience: 7_000 });
    const [message] = (await ann.ok('history @ben')).messages ?? [];
    assert.equal((message?.progress as { read?: number }).read, 1);
    for (const cli of [ann, phone, again, own.cli]) await cli.quit();
  });

  it('are read in secret by those who want it so', async () => {
    const [ann, ben] = await shop.clients(server.address, ['ann3', 'ben3']);
    assert.deepEqual((await ben.ok('settings receipts off'))['settings'], { receipts: false });
    const first = await ann.ok('message ben3 one');
    await ben.event('message', { id: first.id });
    await ben.ok('history @ann3');
    await ben.ok('settings receipts on');
    const second = await ann.ok('message ben3 two');
    await ben.event('message', { id: second.id });
    await ben.ok('history @ann3');
    await ann.event('receipt', { id: second.id, read: 1 });
    assert.deepEqual(ann.events('receipt', { id: first.id, read: 1 }), []);
    for (const cli of [ann, ben]) await cli.quit();
  });

  it('that are read by a program alone keep nobody logged in', async () => {
    const own = await shop.server({ name: 'strict', args: ['--timeout', '3'] });
    const ann = await shop.client(own.address, 'ann');
    const ben = await shop.client(own.address, 'ben');
    const logout = ben.event('logout', { reason: 'timeout' });
    let isOver = false;
    void logout.catch(() => undefined).then(() => (isOver = true));
    for (let n = 0; n < 50 && !isOver; n++) {
      await ann.ok(`say ${n}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await logout;
    assert(ben.texts().length > 5);
    for (const cli of [ann, ben, own.cli]) await cli.quit();
  });
});
