/** Histories into files, accounts out of one, and figures, over real processes. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cli, Message } from '../support/cli.ts';
import { holds } from '../support/erasing.ts';
import { workshop, type Community } from '../support/workshop.ts';

describe('moving in and out', function () {
  this.timeout(60_000);
  const shop = workshop();
  let server: Community;
  let address: string;
  let directory: string;
  /** The administrator. */
  let root: Cli;
  let bob: Cli;

  before(async () => {
    server = await shop.server();
    ({ address, cli: root } = server);
    directory = await shop.newDirectory();
    bob = await shop.client(address, 'bob');
  });

  const at = (name: string): string => join(directory, name);
  const linesOf = async (name: string): Promise<string[]> =>
    (await readFile(at(name), 'utf8')).trimEnd().split('\n');

  it('writes a history as text, as it is now', async () => {
    await bob.ok('say frist');
    await bob.ok('edit 1 first');
    await bob.ok('say secret');
    await bob.ok('remove 1');
    await root.ok('say two \u001b[2Jwords');
    await bob.event('message', { from: 'root' });
    await bob.ok('react ^1 👍');
    const data = await bob.ok(`export ${at('lobby.txt')}`);
    const { size, mode } = await stat(at('lobby.txt'));
    assert.equal(mode & 0o777, 0o600);
    assert.deepEqual(data, {
      file: at('lobby.txt'),
      conversation: '#lobby',
      format: 'text',
      messages: 3,
      bytes: size,
      complete: true,
    });
    const lines = await linesOf('lobby.txt');
    assert.equal(lines[0], 'History of #lobby at acme. Times are UTC.');
    const now = Date.now();
    const said = lines.slice(2).map((line) => {
      const time = Date.parse(`${line.slice(0, 19).replace(' ', 'T')}Z`);
      assert.ok(time <= now && time > now - 60_000, line);
      return line.slice(20);
    });
    assert.deepEqual(said, [
      'bob (edited): first',
      '*Message Removed*',
      'root: two words [👍 bob]',
    ]);
    // Nothing is left of what it was written into first.
    assert.deepEqual(await readdir(directory), ['lobby.txt']);
  });

  it('writes a history as objects, a line each, as "history" gives them', async () => {
    await bob.ok('message root hello');
    await root.event('message', { from: 'bob', text: 'hello' });
    await root.ok('message bob hello yourself');
    await bob.event('message', { from: 'root', text: 'hello yourself' });
    const { messages, conversation } = await bob.ok(`export @root ${at('root.jsonl')}`);
    assert.deepEqual([messages, conversation], [2, '@root']);
    const views = (await linesOf('root.jsonl')).map((line) => JSON.parse(line) as Message);
    const shown = await bob.ok('history @root');
    const plain = ({ id, from, to, text, time }: Message) => ({ id, from, to, text, time });
    assert.deepEqual(views.map(plain), shown.messages?.map(plain));
    // With a flag, after a name in quotes.
    const named = await bob.ok(`export #lobby "${at('a name.txt')}" --format json`);
    assert.equal(named['format'], 'json');
    assert.equal((await linesOf('a name.txt')).length, 3);
  });

  it('writes over nothing, and nowhere where nothing can be', async () => {
    await writeFile(at('precious'), 'old');
    assert.equal(await bob.refused(`export ${at('precious')}`), 'ALREADY');
    assert.equal(await readFile(at('precious'), 'utf8'), 'old');
    assert.equal(await bob.refused(`export ${directory}`), 'ALREADY');
    assert.equal(await bob.refused(`export ${at('none/x')}`), 'NO_SUCH_FILE');
    assert.equal(await bob.refused(`export @nobody ${at('x')}`), 'NO_SUCH_USER');
    assert.equal(await bob.refused(`export #nowhere ${at('x')}`), 'NO_SUCH_ROOM');
    for (const line of ['export', 'export -', 'export @root', `export ${at('x')} --format xml`])
      assert.equal(await bob.refused(line), 'USAGE', line);
  });

  it('fetches what a new device lacks, and is told in words', async () => {
    const texts = Array.from({ length: 300 }, (_, i) => `number ${i} ${'x'.repeat(1_000)}`);
    await Promise.all(texts.map((text) => bob.ok(`say ${text}`)));
    const data = await shop.newDirectory();
    const args = ['-lc', '--connect', address, '--user', 'cat', '--data', data];
    const file = at('all.jsonl');
    const { status, stdout, stderr } = await shop.run([...args, '-e', `export ${file}`]);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^303 messages of #lobby written to .*all\.jsonl \([\d.]+ KiB\)\.\n$/);
    const views = (await linesOf('all.jsonl')).map((line) => JSON.parse(line) as Message);
    assert.deepEqual(
      views.slice(3).map(({ text }) => text),
      texts,
    );
  });

  it("makes accounts of ChatCLI's file, which their owners use as before", async () => {
    const file = at('credentials.txt');
    const long = 'y'.repeat(1_025);
    const text = `hans falcon*solo\nyoda wise@!man\nbob taken\nalone\nleia ${long}\nluke light\n`;
    await writeFile(file, text);
    assert.equal(await bob.refused(`import ${file}`), 'DENIED');
    const result = await root.ask(`import ${file}`);
    assert.deepEqual(result.data?.['made'], ['hans', 'yoda', 'luke']);
    const skipped = result.data['skipped'] as { line: number; name?: string; code: string }[];
    assert.deepEqual(
      skipped.map(({ line, name, code }) => [line, name, code]),
      [
        [3, 'bob', 'NAME_TAKEN'],
        [4, undefined, 'USAGE'],
        [5, 'leia', 'TOO_LARGE'],
      ],
    );
    assert.match(
      result.text,
      /^3 accounts made\.\n3 lines skipped:\n {2}line 3 \(bob\): NAME_TAKEN/,
    );
    assert.equal(await holds(join(server.data, 'store'), 'falcon*solo'), false);
    assert.equal((await shop.refused(address, 'yoda', { password: 'guess' })).code, 'BAD_PASSWORD');
    const password = 'falcon*solo';
    const data = await shop.newDirectory();
    const hans = await shop.client(address, 'hans', { password, data });
    await hans.event('notice', { code: 'MUST_CHANGE' });
    assert.equal(await hans.refused('say x'), 'MUST_CHANGE');
    await hans.ok(`passwd ${password} ${password}`);
    await hans.ok('say at home');
    await root.event('message', { from: 'hans', text: 'at home' });
    // On another device too.
    const phone = await shop.client(address, 'hans', { password });
    assert.equal((await phone.ok('history 1')).messages?.[0]?.text, 'at home');
    assert.equal((await hans.ok('devices')).devices?.length, 2);
    for (const cli of [hans, phone]) await cli.quit();
    // Once more: what is there stays.
    assert.deepEqual((await root.ok(`import ${file}`))['made'], []);
    assert.equal(await root.refused(`import ${at('none')}`), 'NO_SUCH_FILE');
  });

  it('gives figures, also while the server is away', async () => {
    const away = await shop.server({ name: 'other', user: 'boss' });
    const dan = await shop.client(away.address, 'dan');
    await dan.ok('say one');
    await dan.ok('message boss two');
    type Figures = Record<string, Record<string, number | string | boolean>>;
    const stats = async (): Promise<Figures> => (await dan.ok('stats')) as Figures;
    const { server: there, replica, outbox, connection, process: own } = await stats();
    assert.deepEqual(there, {
      name: 'other',
      connected: true,
      accounts: 2,
      conferences: 0,
      online: 2,
      rooms: 1,
      groups: 2,
    });
    assert.ok(Number(replica?.['entries']) >= 5, JSON.stringify(replica));
    assert.ok(Number(replica?.['messages']) >= 2);
    assert.ok(Number(replica?.['bytesOnDisk']) > 1_000);
    assert.deepEqual(outbox, { pending: 0, refused: 0 });
    assert.equal(connection?.['address'], away.address);
    const since = Number(connection?.['since']);
    assert.ok(since <= Date.now() && since > Date.now() - 60_000);
    assert.ok(Number(own?.['memory']) > 1_000_000 && Number(own?.['uptime']) >= 0);
    await away.cli.crash();
    await dan.event('server', { connected: false });
    await dan.ok('say to nobody yet');
    const later = await stats();
    assert.deepEqual([later['server']?.['connected'], later['outbox']?.['pending']], [false, 1]);
    assert.equal(later['connection'], undefined);
    assert.match((await dan.ask('stats')).text, /^Server: other, away\nThere: 2 accounts, /);
    // What is here can be written without a server.
    const { messages, complete } = await dan.ok(`export ${at('away.txt')}`);
    assert.deepEqual([messages, complete], [2, true]);
    assert.match((await linesOf('away.txt')).at(-1) ?? '', /dan \(not sent yet\): to nobody yet$/);
    await dan.quit();
  });
});
