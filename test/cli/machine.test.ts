/** The machine mode, as scripts rely on it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cli, CliEvent } from '../support/cli.ts';
import { workshop, type Community } from '../support/workshop.ts';

const MAX_TEXT = 16 * 1024;
/** What must not reach a screen: a colour, a title, a cleared screen, overrides of direction. */
const EVIL = '\u001b[31mred\u001b]0;title\u0007\u009b2J\u202egnp.exe\u2066\u200f\u0007';
const HARMLESS = 'redgnp.exe';

describe('machine mode', function () {
  this.timeout(30_000);
  const shop = workshop();
  let server: Community;
  let alice: Cli;
  let bob: Cli;
  before(async () => {
    server = await shop.server();
    [alice, bob] = await shop.clients(server.address, ['alice', 'bob'], { password: 'secret' });
  });

  it('says who and where it is once it is ready', async () => {
    const { id, address, cli } = server;
    const own = { id, name: 'acme', addresses: [address], connected: true };
    assert.match(id, /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/);
    const [ready] = cli.lines;
    assert.ok(ready?.type === 'ready');
    const { invite = '', ...rest } = ready;
    assert.match(invite, /^clchat:[\w-]+$/);
    const addresses = [address];
    const all = { type: 'ready', mode: 'server', server: own, addresses, user: 'root' };
    assert.deepEqual(rest, all);
    assert.deepEqual(alice.lines[0], { type: 'ready', mode: 'client', server: own, user: 'alice' });
    const nobody = await shop.server({ user: null, name: 'empty' });
    assert.equal((await nobody.cli.ready()).user, null);
    assert.equal(await nobody.cli.refused('whoelse'), 'NOT_LOGGED_IN');
    await nobody.cli.quit();
  });

  it('answers every line in order', async () => {
    const first = alice.results.length;
    const lines = [
      'whoelse',
      'frobnicate',
      'history 3',
      'message bob one',
      'message nobody two',
      '',
      'say three',
      '/whoelse',
      'WHOELSE',
      'message',
      'whoelsesince soon',
      'self extra',
      'help message',
      'devices',
    ];
    const last = await alice.result(alice.send(...lines));
    const results = alice.results.slice(first);
    assert.equal(last.line, first + lines.length);
    assert.deepEqual(
      results.map(({ ok, code }) => (ok ? 'ok' : code)),
      ['ok', 'USAGE', 'ok', 'ok', 'NO_SUCH_USER', 'USAGE', 'ok', 'ok', 'ok'].concat([
        'USAGE',
        'USAGE',
        'USAGE',
        'ok',
        'ok',
      ]),
    );
    for (const { ok, code, text, data } of results) {
      assert.equal(typeof text, 'string');
      assert.deepEqual([code === undefined, data !== undefined], [ok, ok]);
    }
  });

  it('gives lists under their names', async () => {
    assert.deepEqual((await alice.ok('whoelse')).users, ['bob', 'root']);
    assert.deepEqual((await alice.ok('whoelsesince 1000')).users, ['bob', 'root']);
    assert(Array.isArray((await alice.ok('history')).messages));
    assert(Array.isArray((await alice.ok('search three')).messages));
    const { devices } = await alice.ok('devices');
    assert.deepEqual(
      devices?.map(({ current, online }) => [current, online]),
      [[true, true]],
    );
  });

  it('tells of messages with exactly their fields', async () => {
    const before = Date.now();
    const direct = await alice.ok('message bob   two  spaces "and quotes" ');
    const said = await alice.ok('say in the room');
    assert.deepEqual([direct.state, said.state], ['held', 'held']);
    const first = await bob.event('message', { id: direct.id });
    const second = await bob.event('message', { id: said.id });
    const { time, ...rest } = first;
    assert(typeof time === 'number' && time >= before && time <= Date.now());
    assert.deepEqual(rest, {
      type: 'event',
      event: 'message',
      id: direct.id,
      from: 'alice',
      to: 'bob',
      text: '  two  spaces "and quotes" ',
    });
    assert.deepEqual(Object.keys(second), ['type', 'event', 'id', 'from', 'room', 'text', 'time']);
    assert.deepEqual([second['room'], second['from']], ['lobby', 'alice']);
  });

  it('shows how far a message has got', async () => {
    const { id } = await alice.ok('message bob how far');
    const receipt = await alice.event('receipt', { id, on: 1 });
    assert.deepEqual(receipt, { type: 'event', event: 'receipt', id, held: true, on: 1, of: 1 });
    const { messages } = await alice.ok('history @bob 1');
    assert.deepEqual(messages?.[0]?.progress, { state: 'held', on: 1, of: 1 });
  });

  it('takes texts up to 16 KiB', async () => {
    const full = 'x'.repeat(MAX_TEXT);
    const wide = 'я'.repeat(MAX_TEXT / 2);
    for (const command of ['say', 'message bob', 'broadcast']) {
      assert((await alice.ask(`${command} ${full}`)).ok, command);
      assert.equal(await alice.refused(`${command} ${full}x`), 'TOO_LARGE');
      assert.equal(await alice.refused(`${command} ${wide}x`), 'TOO_LARGE');
    }
    const { id } = await alice.ok(`say ${wide}`);
    assert.equal((await bob.event('message', { id }))['text'], wide);
    assert.equal((await bob.event('broadcast', { text: full }))['from'], 'alice');
    assert.equal(bob.texts({ text: full }).length, 2);
  });

  it('gives up a line that is far too long and goes on', async () => {
    assert.equal(await alice.refused(`say ${'x'.repeat(1 << 20)}`), 'TOO_LARGE');
    assert.equal(await alice.refused('x'.repeat(60_000)), 'USAGE');
    await alice.ok('say still here');
  });

  it('strips what is not text of everything it tells', async () => {
    const stripped = (event: CliEvent): unknown => event['text'];
    const said = await alice.ok(`say ${EVIL} sieve`);
    assert.equal(stripped(await bob.event('message', { id: said.id })), `${HARMLESS} sieve`);
    const direct = await alice.ok(`message bob ${EVIL}`);
    assert.equal(stripped(await bob.event('message', { id: direct.id })), HARMLESS);
    await alice.ok(`broadcast ${EVIL}`);
    assert.equal(stripped(await bob.event('broadcast', { text: HARMLESS })), HARMLESS);
    const shown = [
      await bob.ask('history @alice 1'),
      await bob.ask('search sieve'),
      await bob.ask(`search ${EVIL} sieve`),
      await alice.ask(`message ${EVIL} x`),
      await alice.ask(EVIL),
    ];
    assert.equal(shown[0]?.data?.messages?.[0]?.text, HARMLESS);
    assert.equal(shown[1]?.data?.messages?.[0]?.text, `${HARMLESS} sieve`);
    for (const { stdout } of [alice, bob, server.cli])
      // As bytes and as JSON would write them.
      assert.doesNotMatch(
        stdout,
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]|\\u00[01]|\\u009b|\\u202e/,
      );
  });

  it('refuses names that are none', async () => {
    const shell = await shop.start(['--json', '--data', await shop.newDirectory()]);
    await shell.ready();
    await shell.ok(`connect ${server.address}`);
    const names = [EVIL, 'a\u202eb', 'a\u200bb', 'a:b', 'a/b', '#a', 'x'.repeat(33), '\u2066'];
    for (const name of names) {
      assert.equal(await shell.refused(`user ${name}`), 'BAD_NAME', JSON.stringify(name));
      assert.equal(await shell.refused(`login ${name}`), 'BAD_NAME', JSON.stringify(name));
    }
    assert.equal((await shell.ok(`user ${'ж'.repeat(32)}`)).user, 'ж'.repeat(32));
    await shell.quit();
    for (const name of ['a b', ...names]) {
      const { lines, status } = await shop.run(await shop.clientArgs(server.address, name));
      assert.deepEqual([lines.length, status], [1, 2], JSON.stringify(name));
      assert.equal(lines[0]?.type, 'error');
    }
  });

  it('takes CRLF, bytes that are no text, and a last line without an end', async () => {
    const { lines, status } = await shop.run(await shop.clientArgs(server.address, 'carol'), {
      input: 'say crlf\r\nhistory 1\r\nsay \u0000\nwhoelse',
    });
    const results = lines.filter((line) => line.type === 'result');
    assert.equal(status, 0);
    assert.deepEqual(results.map(({ ok }) => ok).slice(0, 2), [true, true]);
    assert.equal(results[1]?.data?.messages?.[0]?.text, 'crlf');
    assert.deepEqual([results.length, results[3]?.data?.users], [4, ['alice', 'bob', 'root']]);
  });

  it('finishes what is under way at the end of the input', async () => {
    const texts = Array.from({ length: 100 }, (_, i) => `last words ${i}`);
    const input = texts.map((text) => `say ${text}\n`).join('');
    const { lines, status } = await shop.run(await shop.clientArgs(server.address, 'dora'), {
      input,
    });
    assert.equal(status, 0);
    const results = lines.filter((line) => line.type === 'result');
    assert.deepEqual(
      results.map(({ ok, data }) => [ok, data?.state]),
      texts.map(() => [true, 'held']),
    );
    await alice.event('message', { text: texts.at(-1)! });
    assert.deepEqual(alice.texts({ from: 'dora' }), texts);
  });

  it('stays with --headless until it is told to go', async () => {
    const [eve, fred] = await shop.clients(server.address, ['eve', 'fred'], {
      args: ['--headless'],
    });
    eve.endInput();
    fred.endInput();
    const { id } = await alice.ok('say anybody there');
    await Promise.all([eve.event('message', { id }), fred.event('message', { id })]);
    eve.kill('SIGTERM');
    assert.equal(await eve.status(), 0);
    fred.kill('SIGINT');
    assert.equal(await fred.status(), 130);
  });

  it('answers "quit" and does nothing that comes after it', async () => {
    const { lines, status } = await shop.run(await shop.clientArgs(server.address, 'gina'), {
      input: 'say before\nquit\nsay after\n',
    });
    assert.equal(status, 0);
    const results = lines.filter((line) => line.type === 'result');
    assert.deepEqual(
      results.map(({ line, ok }) => [line, ok]),
      [
        [1, true],
        [2, true],
      ],
    );
    await alice.ok('say fence');
    await bob.event('message', { text: 'fence' });
    assert.deepEqual(bob.texts({ from: 'gina' }), ['before']);
  });

  it('ends on a signal whatever it is doing', async () => {
    for (const [signal, expected] of [
      ['SIGTERM', 0],
      ['SIGINT', 130],
      ['SIGHUP', 0],
    ] as const) {
      const cli = await shop.client(server.address, `hugo-${signal}`);
      cli.send(...Array.from({ length: 50 }, (_, i) => `say ${signal} ${i}`));
      await cli.until(() => cli.results[5], 'sixth result');
      cli.kill(signal);
      assert.equal(await cli.status(), expected, signal);
    }
    const early = await shop.begin(server.address, 'hugo');
    early.kill('SIGTERM');
    await early.exit;
  });

  it('writes logs to a file or standard error, never to standard output', async () => {
    const log = join(await shop.newDirectory(), 'clchat.log');
    const args = await shop.clientArgs(server.address, 'ines', { args: ['--log', log] });
    const { status, stderr } = await shop.run(args, { input: 'say logged\n' });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(await readFile(log, 'utf8'), /^\d{4}-\d\d-\d\dT\S+ info stopping: /m);
    const nowhere = await shop.run(
      await shop.clientArgs(server.address, 'ines', { args: ['--log', join(log, 'x')] }),
    );
    assert.notEqual(nowhere.status, 0);
    assert.equal(nowhere.lines[0]?.type, 'error');
  });

  it('ends with the status that the documentation names', async () => {
    const cases: [string[], number, string][] = [
      [['--json', '--frobnicate'], 2, 'USAGE'],
      [['--json', '-ls', '-lc'], 2, 'USAGE'],
      [['--json', '-lc', '--connect', 'nowhere'], 2, 'USAGE'],
      [['--json', '-lc', '--connect', server.address], 2, 'USAGE'],
      [['--json', '-c', '--connect', server.address], 2, 'USAGE'],
      [['--json', '-c', 'clchat:x'], 2, 'BAD_INVITE'],
    ];
    for (const [args, expected, code] of cases) {
      const { status, lines } = await shop.run(args);
      assert.equal(status, expected, args.join(' '));
      assert.deepEqual(
        lines.map((line) => line.type === 'error' && line.code),
        [code],
      );
    }
    const version = await shop.run(['--version']);
    assert.deepEqual([version.status, version.stderr], [0, '']);
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
    assert.match((await shop.run(['--help'])).stdout, /-lc[^]*--json/);
  });
});
