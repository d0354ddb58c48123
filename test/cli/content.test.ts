/** Messages after they have been said, over real processes: changed, removed for good, answered. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../lib/lifecycle.ts';
import { program } from '../support/build.ts';
import { TestTerminal } from '../support/terminal.ts';
import { workshop, type Community } from '../support/workshop.ts';
import { PATIENCE_MS, type Cli, type Message } from '../support/cli.ts';

interface Said extends Message {
  readonly edited?: true;
  readonly removed?: true;
  readonly reply?: { id: string; from?: string; text?: string };
  readonly reactions?: { emoji: string; users: string[] }[];
}

/** The files below a directory in which a text stands. */
async function filesWith(directory: string, text: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const found: string[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    // LevelDB removes files while it goes on.
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    if (bytes.includes(text)) found.push(path);
  }
  return found;
}

describe('what has been said', function () {
  this.timeout(120_000);
  const shop = workshop();
  let server: Community;
  before(async () => {
    server = await shop.server();
  });
  const history = async (cli: Cli, line = 'history'): Promise<Said[]> =>
    (await cli.ok(line)).messages ?? [];

  it('can be changed, answered and reacted to, which everybody is told', async () => {
    const [ann, ben] = await shop.clients(server.address, ['ann1', 'ben1']);
    const { id } = await ann.ok('say lunch at eight?');
    await ben.event('message', { id });
    const edited = await ann.ok('edit 1 lunch at twelve?');
    assert.deepEqual([edited.id, edited.state, edited['room']], [id, 'held', 'lobby']);
    const told = await ben.event('edited', { id });
    assert.deepEqual(
      [told['by'], told['room'], told['to'], told['text']],
      ['ann1', 'lobby', undefined, 'lunch at twelve?'],
    );
    const reply = await ben.ok('reply ^ @ann1 gladly');
    const quote = { id, from: 'ann1', text: 'lunch at twelve?' };
    assert.deepEqual(reply['reply'], quote);
    const answer = await ann.event('message', { id: reply.id });
    assert.deepEqual([answer['reply'], answer['mention']], [quote, true]);
    await ben.ok(`react ${id?.slice(0, 10)} 👍`);
    const reacted = await ann.event('reacted', { id });
    assert.deepEqual(
      [reacted['by'], reacted['emoji'], reacted['on'], reacted['reactions']],
      ['ben1', '👍', true, [{ emoji: '👍', users: ['ben1'] }]],
    );
    const [first, second] = await history(ann, 'history 2');
    assert.deepEqual(
      [first?.text, first?.edited, first?.reactions?.length, second?.reply],
      ['lunch at twelve?', true, 1, quote],
    );
    await ben.ok('react ^2 👍');
    assert.deepEqual((await ann.event('reacted', { id, on: false }))['reactions'], []);
    const { versions } = await ann.ok('versions 1');
    assert.deepEqual(
      (versions as { text: string }[]).map(({ text }) => text),
      ['lunch at eight?', 'lunch at twelve?'],
    );
    for (const cli of [ann, ben]) await cli.quit();
  });

  it('is its author’s, and that of those who may change messages in rooms', async () => {
    const [ann, ben] = await shop.clients(server.address, ['ann2', 'ben2']);
    const { id } = await ann.ok('say mine');
    await Promise.all([ben, server.cli].map((cli) => cli.event('message', { id })));
    for (const line of [`edit ${id} x`, `remove ${id}`, `versions ${id}`])
      assert.equal(await ben.refused(line), 'DENIED', line);
    await server.cli.ok(`edit ${id} changed by root`);
    await ann.event('edited', { id, by: 'root', text: 'changed by root' });
    await server.cli.ok(`remove ${id}`);
    await Promise.all([ann, ben].map((cli) => cli.event('removed', { id, by: 'root' })));
    const direct = await ann.ok('message root psst');
    await server.cli.event('message', { id: direct.id });
    assert.equal(await server.cli.refused(`remove ${direct.id}`), 'DENIED');
    for (const [line, code] of [
      ['edit 1', 'USAGE'],
      ['edit 0 x', 'USAGE'],
      ['edit x y', 'USAGE'],
      ['edit 500 x', 'NO_SUCH_MESSAGE'],
      [`edit ${'0'.repeat(64)} x`, 'NO_SUCH_MESSAGE'],
      [`edit ${id} x`, 'NO_SUCH_MESSAGE'],
      ['remove 1', 'NO_SUCH_MESSAGE'],
      ['reply', 'USAGE'],
      ['reply ^999 x', 'NO_SUCH_MESSAGE'],
      ['react ^', 'USAGE'],
      ['react ^ two signs', 'USAGE'],
    ] as const)
      assert.equal(await ann.refused(line), code, line);
    await ann.ok('say another');
    assert.equal(await ann.refused(`edit 1 ${'x'.repeat(16 * 1024 + 1)}`), 'TOO_LARGE');
    assert.equal(await ann.refused(`react 1 ${'x'.repeat(40)}`), 'TOO_LARGE');
    for (const cli of [ann, ben]) await cli.quit();
  });

  it('is gone from every file once it is removed, also where nobody was', async () => {
    const own = await shop.server({ name: 'forgetful' });
    const [annData, benData, evaData] = await Promise.all(
      Array.from({ length: 3 }, () => shop.newDirectory()),
    );
    const ann = await shop.client(own.address, 'ann', { data: annData! });
    const ben = await shop.client(own.address, 'ben', { data: benData! });
    const eva = await shop.client(own.address, 'eva', { data: evaData! });
    const secrets = ['Zanzibar-first', 'Zanzibar-second', 'Zanzibar-sign'];
    const { id } = await ann.ok(`say ${secrets[0]}`);
    await ann.ok(`edit 1 ${secrets[1]}`);
    await ben.event('edited', { id });
    await ben.ok(`react ^ ${secrets[2]}`);
    const direct = await ann.ok('message eva Zanzibar-direct');
    for (const cli of [ann, eva]) await cli.event('reacted', { id });
    await eva.event('message', { id: direct.id });
    for (let n = 0; n < 20; n++) await ben.ok(`say filler ${n}`);
    await eva.event('message', { text: 'filler 19' });
    assert.equal((await eva.ok('search Zanzibar-second')).messages?.length, 1);
    await eva.quit();
    const all = [own.data, annData!, benData!, evaData!];
    for (const directory of all)
      for (const text of secrets)
        assert((await filesWith(directory, text)).length > 0, `${text} is in ${directory}`);
    await ann.ok(`remove ${id}`);
    await ben.event('removed', { id });
    const gone = async (directories: readonly string[]): Promise<void> => {
      const end = performance.now() + PATIENCE_MS;
      for (const directory of directories)
        for (const text of secrets)
          for (;;) {
            const files = await filesWith(directory, text);
            if (files.length === 0) break;
            assert(performance.now() < end, `${text} is in ${files.join()}`);
            await sleep(50);
          }
    };
    await gone([own.data, annData!, benData!]);
    const back = await shop.client(own.address, 'eva', { data: evaData! });
    await back.event('removed', { id });
    await gone([evaData!]);
    const messages = await history(back, 'history 25');
    const one = messages.find((message) => message.id === id);
    assert.deepEqual(
      [one?.removed, one?.text, one?.from, one?.reactions],
      [true, '*Message Removed*', '', undefined],
    );
    assert.deepEqual((await back.ok('search Zanzibar-second')).messages, []);
    // A new device never gets it.
    const freshData = await shop.newDirectory();
    const fresh = await shop.client(own.address, 'dan', { data: freshData });
    assert.equal(
      (await history(fresh, 'history 25')).find((each) => each.id === id)?.removed,
      true,
    );
    await gone([freshData]);
    for (const cli of [ann, ben, back, fresh, own.cli]) await cli.quit();
    await gone([...all, freshData]);
  });

  it('is typed, which others are told, and who has read it is seen', async () => {
    const ben = await shop.client(server.address, 'ben3');
    const home = await shop.newDirectory();
    const args = [
      '-lc',
      '--connect',
      server.address,
      '--user',
      'ann3',
      '--data',
      join(home, 'ann'),
    ];
    const environment = { HOME: home, XDG_DATA_HOME: home };
    const screen = new TestTerminal(await program(), args, { environment, columns: 100 });
    try {
      await screen.until(
        'a question',
        (rows) => rows.join().includes('Make this account?'),
        20_000,
      );
      screen.type('\r');
      await screen.until('a password', (rows) => rows.join().includes('New password'), 20_000);
      screen.type('\r');
      await screen.until('the greeting', (rows) => rows.join().includes('the commands.'), 20_000);
      screen.type('hel');
      const typing = await ben.event('typing', { user: 'ann3' });
      assert.equal(typing['room'], 'lobby');
      screen.type('lo\r');
      await ben.event('message', { from: 'ann3', text: 'hello' });
      await screen.until('a reader', (rows) =>
        rows.some((row) => /ann3: hello {2}read \d/.test(row)),
      );
      const said = await ben.ok('say hi @ann3');
      await screen.until('the answer', (rows) => rows.join().includes('ben3: hi @ann3'));
      await ben.event('receipt', (event) => event['id'] === said.id && Number(event['read']) > 0);
      screen.type('/reply ^ gladly\r');
      await screen.see('ann3 ↪ ben3 "hi @ann3": gladly');
      await ben.ok('edit 1 bye');
      await screen.see('* ben3 edits a message: bye');
      screen.type('/quit\r');
      assert.equal(await screen.exited, 0);
    } finally {
      screen.close();
    }
    await ben.quit();
  });
});
