/** Who is there, whom one does not want to hear, and what is told to all. */
import assert from 'node:assert/strict';
import { sleep } from '../../lib/lifecycle.ts';
import type { Cli } from '../support/cli.ts';
import { workshop, type Community } from '../support/workshop.ts';

describe('presence', function () {
  this.timeout(30_000);
  const shop = workshop();
  let server: Community;
  before(async () => {
    server = await shop.server();
  });

  it('is told to those online, and asked for', async () => {
    const ann = await shop.client(server.address, 'ann');
    const ben = await shop.client(server.address, 'ben', { password: 'secret' });
    const online = await ann.event('presence', { user: 'ben' });
    assert.deepEqual(online, { type: 'event', event: 'presence', user: 'ben', online: true });
    assert.deepEqual((await ann.ok('whoelse')).users, ['ben', 'root']);
    assert.deepEqual((await ben.ok('whoelse')).users, ['ann', 'root']);
    // A further device of somebody is no news, nor is the end of one of two.
    const again = await shop.client(server.address, 'ben', { password: 'secret' });
    await again.quit();
    assert.deepEqual((await ann.ok('whoelse')).users, ['ben', 'root']);
    await ben.quit();
    await ann.event('presence', { user: 'ben', online: false });
    assert.equal(ann.events('presence', { user: 'ben' }).length, 2);
    assert.deepEqual(ann.events('presence', { user: 'ann' }), []);
    assert.deepEqual((await ann.ok('whoelse')).users, ['root']);
    await ann.quit();
  });

  it('of the past is asked for by seconds, back to the start of the server', async () => {
    const cat = await shop.client(server.address, 'cat');
    await cat.quit();
    const dan = await shop.client(server.address, 'dan');
    const since = async (seconds: string): Promise<string[]> =>
      (await dan.ok(`whoelsesince ${seconds}`)).users ?? [];
    assert((await since('60')).includes('cat'));
    assert((await since('999999999')).includes('cat'));
    await sleep(1_100);
    const recent = await since('1');
    assert.deepEqual([recent.includes('cat'), recent.includes('root')], [false, true]);
    assert.deepEqual(await since('0'), ['root']);
    for (const line of ['whoelsesince', 'whoelsesince -5', 'whoelsesince x', 'whoelsesince 1 2'])
      assert.equal(await dan.refused(line), 'USAGE', line);
    await dan.quit();
  });
});

describe('broadcast', function () {
  this.timeout(30_000);
  const shop = workshop();

  it('reaches those online, names those it does not reach, and is not kept', async () => {
    const server = await shop.server({ user: null });
    const data = await shop.newDirectory();
    await (await shop.client(server.address, 'away', { data })).quit();
    const [ann, ben, cat] = await shop.clients(server.address, ['ann', 'ben', 'cat']);
    const before = Date.now();
    const sent = await ann.ok('broadcast fire   drill');
    assert.deepEqual([sent.reached, sent.missed], [['ben', 'cat'], []]);
    for (const cli of [ben, cat]) {
      const { time, ...rest } = await cli.event('broadcast');
      assert(Number(time) >= before && Number(time) <= Date.now());
      assert.deepEqual(rest, {
        type: 'event',
        event: 'broadcast',
        from: 'ann',
        text: 'fire   drill',
      });
    }
    await ben.ok('block ann');
    const partly = await ann.ok('broadcast again');
    assert.deepEqual([partly.reached, partly.missed], [['cat'], ['ben']]);
    await cat.event('broadcast', { text: 'again' });
    // Whatever was sent to ben before has come when this does.
    await cat.ok('message ben fence');
    await ben.event('message', { text: 'fence' });
    assert.equal(ben.events('broadcast').length, 1);
    assert.deepEqual((await ann.ok('history')).messages, []);
    const away = await shop.client(server.address, 'away', { data });
    await cat.ok('message away fence');
    await away.event('message', { text: 'fence' });
    assert.deepEqual([ann.events('broadcast'), away.events('broadcast')], [[], []]);
    for (const cli of [ann, ben, cat, away]) await cli.quit();
  });
});

describe('block', function () {
  this.timeout(30_000);
  const shop = workshop();
  let server: Community;
  let ann: Cli;
  let ben: Cli;
  let benData: string;
  before(async () => {
    server = await shop.server({ user: null });
    benData = await shop.newDirectory();
    [ann, ben] = await Promise.all([
      shop.client(server.address, 'ann'),
      shop.client(server.address, 'ben', { data: benData }),
    ]);
  });

  it('says what is wrong with it', async () => {
    for (const word of ['block', 'unblock']) {
      assert.equal(await ann.refused(`${word} nobody`), 'NO_SUCH_USER');
      assert.equal(await ann.refused(`${word} ann`), 'SELF');
      assert.equal(await ann.refused(`${word} ANN`), 'SELF');
      assert.equal(await ann.refused(word), 'USAGE');
    }
    assert.equal(await ann.refused('unblock ben'), 'NOT_BLOCKED');
    assert.equal(await ann.refused('message ann x'), 'SELF');
    assert.equal(await ann.refused('message nobody x'), 'NO_SUCH_USER');
    assert.equal(await ann.refused('message ben'), 'USAGE');
  });

  it('keeps messages, presence and calls for all from coming through, until it is undone', async () => {
    await ann.ok('message ben before');
    await ben.event('message', { text: 'before' });
    assert.equal((await ben.ok('block ann')).user, 'ann');
    assert.equal(await ben.refused('block ann'), 'ALREADY');
    // The blocked is not told, but learns of it by trying.
    assert.equal(await ann.refused('message ben blocked 1'), 'BLOCKED');
    assert.equal(await ann.refused('message ben blocked 2'), 'BLOCKED');
    assert.deepEqual((await ann.ok('whoelse')).users, []);
    assert.deepEqual((await ben.ok('whoelse')).users, ['ann']);
    const mine = (await ann.ok('history @ben')).messages ?? [];
    assert.deepEqual(
      mine.map(({ text, progress }) => [text, progress?.state]),
      [
        ['before', 'held'],
        ['blocked 1', 'refused'],
        ['blocked 2', 'refused'],
      ],
    );
    // Presence is hidden from the blocked only.
    const cat = await shop.client(server.address, 'cat');
    const seen = ann.events('presence', { user: 'ben' }).length;
    await ben.quit();
    await cat.event('presence', { user: 'ben', online: false });
    ben = await shop.client(server.address, 'ben', { data: benData });
    await cat.event('presence', { user: 'ben', online: true });
    await cat.ok('message ann fence');
    await ann.event('message', { text: 'fence' });
    assert.equal(ann.events('presence', { user: 'ben' }).length, seen);
    // A block outlives its process; what one says in the room is not hidden.
    assert.equal(await ann.refused('message ben blocked 3'), 'BLOCKED');
    await ann.ok('say in the room');
    await ben.event('message', { text: 'in the room' });
    await ben.ok('message ann one way');
    await ann.event('message', { text: 'one way' });
    assert.equal((await ben.ok('unblock ann')).user, 'ann');
    assert.equal(await ben.refused('unblock ann'), 'NOT_BLOCKED');
    await ann.ok('message ben after');
    await ben.event('message', { text: 'after' });
    assert.deepEqual((await ann.ok('whoelse')).users, ['ben', 'cat']);
    assert((await ann.ok('whoelsesince 60')).users?.includes('ben'));
    assert.deepEqual(ben.texts({ from: 'ann', to: 'ben' }), ['after']);
    const theirs = (await ben.ok('history @ann')).messages?.map(({ text }) => text);
    assert.deepEqual(theirs, ['before', 'one way', 'after']);
    await cat.quit();
  });

  it('goes one way: both may block each other', async () => {
    await ann.ok('block ben');
    await ben.ok('block ann');
    for (const [cli, other] of [
      [ann, 'ben'],
      [ben, 'ann'],
    ] as const) {
      assert.equal(await cli.refused(`message ${other} x`), 'BLOCKED');
      assert.deepEqual((await cli.ok('whoelse')).users, []);
    }
    await ann.ok('unblock ben');
    await ben.ok('message ann one way again');
    await ann.event('message', { text: 'one way again' });
    assert.equal(await ann.refused('message ben x'), 'BLOCKED');
    await ben.ok('unblock ann');
  });

  it('holds on all devices of the account', async () => {
    const first = await shop.client(server.address, 'dee', { password: 'secret' });
    const second = await shop.client(server.address, 'dee', { password: 'secret' });
    await first.ok('block ann');
    assert.equal(await ann.refused('message dee x'), 'BLOCKED');
    await first.ok('say fence');
    await second.event('message', { text: 'fence' });
    assert.equal(await second.refused('block ann'), 'ALREADY');
    await second.ok('unblock ann');
    await ann.ok('message dee hello');
    await Promise.all([first, second].map((cli) => cli.event('message', { text: 'hello' })));
    for (const cli of [first, second]) await cli.quit();
  });
});
