/** Messages between people: once, in order, kept for those who are away, kept while the server is. */
import assert from 'node:assert/strict';
import { workshop, type Community } from '../support/workshop.ts';
import type { Cli } from '../support/cli.ts';

const SECRET = { password: 'secret' };

/** `count` texts that tell where they stand. */
function series(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i}`);
}

describe('messages', function () {
  this.timeout(60_000);
  const shop = workshop();
  let server: Community;
  before(async () => {
    server = await shop.server();
  });

  /** Kills the server as a power cut would, and starts it again in the same place. */
  async function restart(community: Community): Promise<Community> {
    const port = Number(community.address.split(':')[1]);
    return shop.server({ data: community.data, port });
  }

  it('come once and in the order in which each author wrote them', async () => {
    const [ann, ben, cat] = await shop.clients(server.address, ['ann1', 'ben1', 'cat1']);
    const lines: [Cli, string[]][] = [
      [ann, series('ann', 150)],
      [ben, series('ben', 150)],
    ];
    for (const [cli, texts] of lines)
      cli.send(...texts.map((text, i) => (i % 3 === 0 ? `message cat1 ${text}` : `say ${text}`)));
    for (const [cli, texts] of lines) {
      await cli.result(150);
      assert(cli.results.every(({ ok }) => ok));
      const from = cli === ann ? 'ann1' : 'ben1';
      await cat.event('message', { from }, { count: 150 });
      const told = cat.events('message', { from });
      for (const direct of [true, false])
        assert.deepEqual(
          told.filter(({ to }) => (to !== undefined) === direct).map(({ text }) => text),
          texts.filter((_, i) => (i % 3 === 0) === direct),
        );
    }
    // What somebody wrote is no news to him.
    assert.deepEqual(ann.texts({ from: 'ann1' }), []);
    for (const cli of [ann, ben, cat]) await cli.quit();
  });

  it('reach all devices of both people, and each is counted', async () => {
    const ann = await shop.client(server.address, 'ann2', SECRET);
    const [annAgain, ben] = await Promise.all([
      shop.client(server.address, 'ann2', SECRET),
      shop.client(server.address, 'ben2', SECRET),
    ]);
    const benAgain = await shop.client(server.address, 'ben2', SECRET);
    const { id } = await ann.ok('message ben2 to three devices');
    for (const cli of [ben, benAgain, annAgain]) {
      const event = await cli.event('message', { id });
      assert.deepEqual([event['from'], event['to']], ['ann2', 'ben2']);
    }
    await ann.event('receipt', { id, on: 3, of: 3 });
    const counts = ann.events('receipt', { id }).map(({ on }) => Number(on));
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
    );
    await ben.quit();
    const later = await ann.ok('message ben2 one is away');
    await ann.event('receipt', { id: later.id, on: 2, of: 3 });
    for (const cli of [ann, annAgain, benAgain]) await cli.quit();
  });

  it('wait for those who are away, and come once', async () => {
    const data = await shop.newDirectory();
    const first = await shop.client(server.address, 'ben3', { data });
    await first.quit();
    const ann = await shop.client(server.address, 'ann3');
    const direct = series('direct', 30);
    const said = series('said', 30);
    for (const text of direct) ann.send(`message ben3 ${text}`);
    for (const text of said) ann.send(`say ${text}`);
    await ann.result(60);
    assert(ann.results.every(({ ok, data: held }) => ok && held?.state === 'held'));
    await ann.quit();
    const second = await shop.client(server.address, 'ben3', { data });
    await second.event('message', { from: 'ann3' }, { count: 60 });
    assert.deepEqual(second.texts({ from: 'ann3', to: 'ben3' }), direct);
    assert.deepEqual(second.texts({ from: 'ann3', room: 'lobby' }), said);
    await second.quit();
    const third = await shop.client(server.address, 'ben3', { data });
    // Whatever was still to be told has been when this comes.
    await server.cli.ok('message ben3 fence');
    await third.event('message', { text: 'fence' });
    assert.deepEqual(third.texts(), ['fence']);
    await third.quit();
  });

  it('that are old are no news to a new device, which can read them all the same', async () => {
    const [ann, ben] = await shop.clients(server.address, ['ann4', 'ben4'], SECRET);
    for (const text of series('old', 45)) await ann.ok(`message ben4 ${text}`);
    await ben.event('message', { text: 'old 44' });
    await ben.ok('message ann4 old answer');
    const annAgain = await shop.client(server.address, 'ann4', SECRET);
    const benAgain = await shop.client(server.address, 'ben4', SECRET);
    await ann.ok('message ben4 new');
    await Promise.all([
      benAgain.event('message', { text: 'new' }),
      annAgain.event('message', { text: 'new' }),
    ]);
    assert.deepEqual(benAgain.texts({ to: 'ben4' }), ['new']);
    assert.deepEqual(annAgain.texts({ to: 'ben4' }), ['new']);
    const expected = [...series('old', 45), 'old answer', 'new'];
    for (const [cli, other] of [
      [benAgain, 'ann4'],
      [annAgain, 'ben4'],
    ] as const) {
      const { messages } = await cli.ok(`history @${other} 1000`);
      assert.deepEqual(
        messages?.map(({ text }) => text),
        expected,
      );
      assert.equal((await cli.ok('search answer')).messages?.length, 1);
    }
    for (const cli of [ann, annAgain, ben, benAgain]) await cli.quit();
  });

  it('are found in history by count and conversation, and by search', async () => {
    const [ann, ben] = await shop.clients(server.address, ['ann5', 'ben5']);
    for (const text of series('room', 25)) await ann.ok(`say ${text}`);
    await ann.ok('message ben5 quiet Zebra, striped');
    await ben.event('message', { to: 'ben5' });
    const texts = async (line: string): Promise<string[] | undefined> =>
      (await ben.ok(line)).messages?.map(({ text }) => text);
    const room = series('room', 25);
    for (const line of ['history', 'history #lobby', 'history lobby', '/history'])
      assert.deepEqual(await texts(line), room.slice(-20), line);
    assert.deepEqual(await texts('history 3'), room.slice(-3));
    assert.deepEqual(await texts('history #lobby 25'), room);
    for (const line of ['history @ann5', 'history ann5 5', 'history @ANN5 1'])
      assert.deepEqual(await texts(line), ['quiet Zebra, striped'], line);
    assert.equal(await ben.refused('history 0'), 'USAGE');
    assert.equal(await ben.refused('history @nobody'), 'NO_SUCH_USER');
    assert.equal(await ben.refused('history #nowhere'), 'NO_SUCH_ROOM');
    assert.equal(await ben.refused('history #lobby many'), 'USAGE');
    assert.equal(await ben.refused('history -1'), 'NO_SUCH_USER');
    assert.equal(await ben.refused('history @ben5'), 'SELF');
    assert.deepEqual(await texts('search zebra'), ['quiet Zebra, striped']);
    assert.deepEqual(await texts('search STRIPED quiet'), ['quiet Zebra, striped']);
    assert.deepEqual(await texts('search zebra room'), []);
    assert.equal(await ben.refused('search'), 'USAGE');
    assert.equal(await ben.refused('search ...'), 'USAGE');
    const { messages } = await ann.ok('history @ben5');
    assert.deepEqual(
      messages?.map(({ from, to, mine }) => [from, to, mine]),
      [['ann5', 'ben5', true]],
    );
    for (const cli of [ann, ben]) await cli.quit();
  });

  it('of one account go at 200 a second, all of them and in order', async () => {
    const [ann, ben] = await shop.clients(server.address, ['ann6', 'ben6']);
    const texts = series('fast', 1_000);
    const started = performance.now();
    // As somebody would who writes one every 5 ms.
    for (let i = 0; i < texts.length; i += 10) {
      const due = started + i * 5;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      ann.send(...texts.slice(i, i + 10).map((text) => `message ben6 ${text}`));
    }
    await ann.result(texts.length, 60_000);
    assert(ann.results.every(({ ok, data }) => ok && data?.state === 'held'));
    await ben.event('message', { text: texts.at(-1)! });
    assert.deepEqual(ben.texts(), texts);
    for (const cli of [ann, ben]) await cli.quit();
  });

  it('are kept while the server is away, and delivered once when it is back', async () => {
    let own = await shop.server({ name: 'shaky' });
    const [ann, ben] = await shop.clients(own.address, ['ann', 'ben']);
    await ann.ok('message ben before');
    await ben.event('message', { text: 'before' });
    await own.cli.crash();
    await Promise.all([ann, ben].map((cli) => cli.event('server', { connected: false })));
    const queued = [await ann.ok('message ben kept 0'), await ann.ok('say kept 1')];
    queued.push(await ann.ok('message ben kept 2'));
    assert.deepEqual(
      queued.map(({ state }) => state),
      ['queued', 'queued', 'queued'],
    );
    // Reading, searching and writing work.
    const { messages } = await ann.ok('history @ben');
    assert.deepEqual(
      messages?.map(({ text, progress }) => [text, progress?.state]),
      [
        ['before', 'held'],
        ['kept 0', 'sending'],
        ['kept 2', 'sending'],
      ],
    );
    assert.equal((await ben.ok('search before')).messages?.length, 1);
    for (const line of ['whoelse', 'whoelsesince 5', 'broadcast hello'])
      assert.equal(await ann.refused(line), 'NETWORK', line);
    assert.equal((await ann.ok('devices')).devices?.length, 1);
    own = await restart(own);
    for (const cli of [ann, ben])
      // Reconnection never waits longer than 5 s.
      await cli.event('server', { connected: true }, { patience: 7_000 });
    for (const { id } of queued) {
      await ben.event('message', { id });
      await ann.event('receipt', { id });
    }
    await ann.ok('message ben after');
    await ben.event('message', { text: 'after' });
    assert.deepEqual(ben.texts({ to: 'ben' }), ['before', 'kept 0', 'kept 2', 'after']);
    assert.deepEqual(ben.texts({ room: 'lobby' }), ['kept 1']);
    assert.deepEqual(ann.events('logout'), []);
    for (const cli of [ann, ben, own.cli]) await cli.quit();
  });

  it('written while the server is away outlive their process', async () => {
    let own = await shop.server({ name: 'far' });
    const data = await shop.newDirectory();
    const [ann, ben] = await Promise.all([
      shop.client(own.address, 'ann', { data }),
      shop.client(own.address, 'ben'),
    ]);
    await ann.ok('message ben held');
    const receipt = await ann.event('receipt', { on: 1 });
    assert.equal(receipt['of'], 1);
    await own.cli.crash();
    await ann.event('server', { connected: false });
    await ann.ok('message ben kept 0');
    await ann.crash();
    // A device that has been here before starts without the server.
    const away = await shop.client(own.address, 'ann', { data });
    const ready = await away.ready();
    assert.deepEqual([ready.user, ready.server?.connected], ['ann', false]);
    assert.deepEqual([ready.server?.id, ready.server?.name], [own.id, 'far']);
    assert.equal((await away.ok('message ben kept 1')).state, 'queued');
    assert.equal((await away.ok('say kept 2')).state, 'queued');
    const { messages } = await away.ok('history @ben');
    assert.deepEqual(
      messages?.map(({ text }) => text),
      ['held', 'kept 0', 'kept 1'],
    );
    assert.equal((await away.ok('search held')).messages?.length, 1);
    await away.quit();
    own = await restart(own);
    await ben.event('server', { connected: true }, { patience: 7_000 });
    const last = await shop.client(own.address, 'ann', { data });
    await ben.event('message', { text: 'kept 2' });
    await ben.event('message', { text: 'kept 1' });
    assert.deepEqual(ben.texts({ to: 'ben' }), ['held', 'kept 0', 'kept 1']);
    // One that is there when the server comes connects by itself.
    await own.cli.crash();
    await last.event('server', { connected: false });
    await last.crash();
    const waiting = await shop.client(own.address, 'ann', { data });
    assert.equal((await waiting.ready()).server?.connected, false);
    await waiting.ok('message ben kept 3');
    own = await restart(own);
    await waiting.event('server', { connected: true }, { patience: 7_000 });
    await ben.event('message', { text: 'kept 3' });
    assert.deepEqual(ben.texts({ to: 'ben' }), ['held', 'kept 0', 'kept 1', 'kept 3']);
    for (const cli of [waiting, ben, own.cli]) await cli.quit();
  });

  it('that were queued may still be refused, which is told', async () => {
    let own = await shop.server({ name: 'strict' });
    const data = await shop.newDirectory();
    const [ann, ben] = await Promise.all([
      shop.client(own.address, 'ann', { data }),
      shop.client(own.address, 'ben'),
    ]);
    await ann.ok('message ben before');
    await ann.quit();
    await own.cli.crash();
    const away = await shop.client(own.address, 'ann', { data });
    const { id, state } = await away.ok('message ben unwanted');
    assert.equal(state, 'queued');
    await away.crash();
    own = await restart(own);
    await ben.event('server', { connected: true }, { patience: 7_000 });
    await ben.ok('block ann');
    const back = await shop.client(own.address, 'ann', { data });
    const refused = await back.event('refused', { id });
    assert.equal(refused['code'], 'BLOCKED');
    const { messages } = await back.ok('history @ben');
    assert.deepEqual(
      messages?.map(({ text, progress }) => [text, progress?.state, progress?.code]),
      [
        ['before', 'held', undefined],
        ['unwanted', 'refused', 'BLOCKED'],
      ],
    );
    await ben.ok('unblock ann');
    await back.ok('message ben welcome');
    await ben.event('message', { text: 'welcome' });
    assert.deepEqual(ben.texts({ from: 'ann' }), ['before', 'welcome']);
    for (const cli of [back, ben, own.cli]) await cli.quit();
  });
});
