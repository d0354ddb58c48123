import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppEvent, Ask, MessageView, ResultData } from '../../lib/app/types.ts';
import { highestGap } from '../../lib/crdt/stream-head.ts';
import { LOBBY_STREAM } from '../../lib/crdt/stream.ts';
import { contextOf } from '../support/commands.ts';
import { eventually } from '../support/channels.ts';
import { HANDLERS } from '../support/handlers.ts';
import { World, type TestClient } from '../support/roles.ts';
import { temporary } from '../support/temporary.ts';

type Args = Readonly<Record<string, string>>;

const YES = { confirm: async () => true } as unknown as Ask;

describe('the command export', () => {
  const { newDirectory, newDisk } = temporary();
  let world: World;
  let alice: TestClient;
  let bob: TestClient;
  let directory: string;
  let told: AppEvent[];
  /** Milliseconds that pass with each look at the clock. */
  let step: number;

  beforeEach(async () => {
    told = [];
    step = 0;
    directory = await newDirectory();
    world = await World.start();
    alice = await world.join('alice', 'secret');
    bob = await world.join('bob');
    const knows = ({ home }: TestClient): boolean => home.names().length === 2;
    await eventually('both accounts', () => knows(alice) && knows(bob));
  });
  afterEach(async () => {
    await world.stop();
    assert.deepEqual(world.faults, []);
  });

  async function run(who: TestClient, name: string, args: Args, ask?: Ask): Promise<ResultData> {
    let time = 0;
    const handler = HANDLERS[name] ?? assert.fail(name);
    return handler(args, {
      ...contextOf(who.client),
      now: () => (time += step),
      ask,
      tell: (event) => void told.push(event),
    });
  }
  const exported = (who: TestClient, args: Args, ask?: Ask): Promise<ResultData> =>
    run(who, 'export', args, ask);
  const at = (name: string): string => join(directory, name);
  const files = (): Promise<string[]> => readdir(directory);

  /** A line of a text without its time. */
  const timeless = (line: string): string => line.replace(/^\d{4}(?:-\d\d){2} [\d:]{8} /, '');
  async function linesOf(name: string): Promise<string[]> {
    const lines = (await readFile(at(name), 'utf8')).split('\n');
    assert.equal(lines.pop(), '', 'the last line has no end');
    return lines.map(timeless);
  }
  async function viewsOf(name: string): Promise<MessageView[]> {
    return (await linesOf(name)).map((line) => JSON.parse(line) as MessageView);
  }

  it('writes all that was said, as it is now, the oldest first', async () => {
    await bob.say('frist');
    await alice.hears('frist');
    await run(bob, 'edit', { message: '1', text: 'first' });
    await alice.say('to be removed');
    await run(alice, 'remove', { message: '1' });
    await bob.say('two\nlines \u001b[2Jand a screen');
    await alice.hears('two\nlines \u001b[2Jand a screen');
    await run(alice, 'react', { message: '^1', emoji: '👍' });
    await run(alice, 'reply', { message: '^1', text: 'good' });
    const data = await exported(alice, { file: at('lobby.txt') });
    const { size, mode } = await stat(at('lobby.txt'));
    assert.deepEqual(data, {
      file: at('lobby.txt'),
      conversation: '#lobby',
      format: 'text',
      messages: 4,
      bytes: size,
      complete: true,
    });
    assert.equal(mode & 0o777, 0o600);
    assert.deepEqual(await linesOf('lobby.txt'), [
      'History of #lobby at acme. Times are UTC.',
      '',
      'bob (edited): first',
      '*Message Removed*',
      'bob: two',
      '  lines and a screen [👍 alice]',
      'alice (answering bob: "two lines and a screen"): good',
    ]);
    assert.deepEqual(await files(), ['lobby.txt']);
    assert.deepEqual(told, []);
  });

  it('writes objects as "history" gives them, without what a terminal obeys', async () => {
    await bob.say('a \u001b[31mred\u001b[0m word\nand another');
    await bob.say('for @alice');
    await alice.hears('for @alice');
    const data = await exported(alice, { file: at('lobby.jsonl') });
    assert.deepEqual([data['format'], data['messages']], ['json', 2]);
    const views = await viewsOf('lobby.jsonl');
    const { messages } = await run(alice, 'history', {});
    const [first, ...rest] = messages as MessageView[];
    assert.deepEqual(views, [{ ...first, text: 'a red word\nand another' }, ...rest]);
    assert.equal(views[1]?.mention, true);
  });

  it('takes the format from the name of the file, or as it is told', async () => {
    await bob.say('x');
    await alice.hears('x');
    const formatOf = async (args: Args): Promise<unknown> =>
      (await exported(alice, args, YES))['format'];
    for (const name of ['a', 'a.log', 'json', 'a.json.txt'])
      assert.equal(await formatOf({ file: at(name) }), 'text', name);
    for (const name of ['a.json', 'a.JSONL', 'a.ndjson'])
      assert.equal(await formatOf({ file: at(name) }), 'json', name);
    assert.equal(await formatOf({ file: at('a.json'), format: 'text' }), 'text');
    assert.equal(await formatOf({ file: at('a.txt'), format: 'JSON' }), 'json');
    await assert.rejects(exported(alice, { file: at('b'), format: 'xml' }), { code: 'USAGE' });
    await assert.rejects(exported(alice, { file: '-' }), { code: 'USAGE' });
    await assert.rejects(exported(alice, {}), { code: 'USAGE' });
  });

  it('writes what was said between two', async () => {
    await alice.say('hi', 'bob');
    await bob.hears('hi');
    await bob.say('hello', 'alice');
    await alice.hears('hello');
    const data = await exported(alice, { conversation: '@bob', file: at('bob') });
    assert.deepEqual([data['conversation'], data['messages']], ['@bob', 2]);
    assert.deepEqual((await linesOf('bob')).slice(2), ['alice: hi', 'bob: hello']);
    await assert.rejects(exported(alice, { conversation: '@nobody', file: at('x') }), {
      code: 'NO_SUCH_USER',
    });
    await assert.rejects(exported(alice, { conversation: '#none', file: at('x') }), {
      code: 'NO_SUCH_ROOM',
    });
  });

  it('writes what has not reached the server, and what was refused', async () => {
    await alice.say('held', 'bob');
    await bob.hears('held');
    await bob.block('alice');
    assert.equal(await alice.say('refused', 'bob'), 'BLOCKED');
    alice.addresses = [];
    alice.client.home.outbox.attach(undefined);
    assert.equal(await alice.say('on its way', 'bob'), 'queued');
    await exported(alice, { conversation: '@bob', file: at('bob') });
    assert.deepEqual((await linesOf('bob')).slice(2), [
      'alice: held',
      'alice (refused: BLOCKED): refused',
      'alice (not sent yet): on its way',
    ]);
  });

  describe('on a device that lacks the beginning', () => {
    let phone: TestClient;
    const texts = Array.from({ length: 600 }, (_, i) => `${i} ${'x'.repeat(800)}`);
    const gap = () => highestGap(phone.home.replica.log.headOf(LOBBY_STREAM));

    beforeEach(async () => {
      await Promise.all(texts.map((text) => bob.say(text)));
      phone = await world.client();
      await phone.client.connect();
      await phone.client.loginPassword('alice', 'secret');
      assert.notEqual(gap(), undefined);
    });

    it('fetches it, and tells how far it has got', async () => {
      step = 2_000;
      const data = await exported(phone, { file: at('lobby.jsonl') });
      assert.equal(gap(), undefined);
      assert.deepEqual([data['messages'], data['complete']], [600, true]);
      const views = await viewsOf('lobby.jsonl');
      assert.deepEqual(
        views.map(({ text }) => text),
        texts,
      );
      const shares = (how: string): number[] =>
        told.flatMap((event) => {
          const text = event.event === 'notice' ? event.text : '';
          const [, share, what] = /^Export of #lobby: (\d+) % (\w+)\.$/.exec(text) ?? [];
          return what === how ? [Number(share)] : [];
        });
      for (const how of ['fetched', 'written']) {
        assert.ok(shares(how).length > 0, how);
        assert.deepEqual(
          shares(how),
          shares(how).toSorted((a, b) => a - b),
        );
      }
    });

    it('says so where it cannot be fetched', async () => {
      await world.close();
      await eventually('the loss', () => !phone.client.connected);
      const data = await exported(phone, { file: at('lobby.txt') });
      assert.equal(data['complete'], false);
      assert.ok(Number(data['messages']) < texts.length);
      await world.open();
    });
  });

  it('is refused to whoever is not in a closed room', async () => {
    const room = await bob.client.rooms.create({ name: 'den', private: true }, undefined);
    await eventually('the room', () => alice.home.space.get('room', room) !== undefined);
    await assert.rejects(exported(alice, { conversation: '#den', file: at('x') }), {
      code: 'NOT_MEMBER',
    });
    await exported(bob, { conversation: '#den', file: at('den') });
  });

  it('replaces another file after a question only', async () => {
    await writeFile(at('old'), 'precious');
    await assert.rejects(exported(alice, { file: at('old') }), { code: 'ALREADY' });
    assert.equal(await readFile(at('old'), 'utf8'), 'precious');
    await exported(alice, { file: at('old') }, YES);
    assert.match(await readFile(at('old'), 'utf8'), /^History of #lobby/);
    await assert.rejects(exported(alice, { file: at('none/new') }), { code: 'NO_SUCH_FILE' });
    assert.deepEqual(await files(), ['old']);
  });

  it('does not replace a file that comes about meanwhile', async () => {
    await Promise.all(Array.from({ length: 300 }, () => bob.say('x')));
    await eventually('all of it', () => alice.texts.length === 300);
    const { reading } = alice.home.conversations;
    const forwards = reading.forwards.bind(reading);
    reading.forwards = async function* (stream) {
      await writeFile(at('new'), 'of another');
      yield* forwards(stream);
    };
    await assert.rejects(exported(alice, { file: at('new') }), { code: 'ALREADY' });
    assert.equal(await readFile(at('new'), 'utf8'), 'of another');
    assert.deepEqual(await files(), ['new']);
  });

  it('leaves nothing on a full disk, nor where nothing can be written', async function () {
    const disk = await newDisk(this, 64);
    const file = join(disk.directory, 'lobby.txt');
    const text = 'x'.repeat(10_000);
    await Promise.all(Array.from({ length: 20 }, () => bob.say(text)));
    await eventually('all of it', () => alice.texts.length === 20);
    await assert.rejects(exported(alice, { file }), { code: 'DISK_FULL' });
    assert.deepEqual(await readdir(disk.directory), []);
    await writeFile(file, 'old');
    await assert.rejects(exported(alice, { file }, YES), { code: 'DISK_FULL' });
    assert.equal(await readFile(file, 'utf8'), 'old');
    disk.makeReadOnly();
    await assert.rejects(exported(alice, { file }, YES), {
      code: 'DATA_READ_ONLY',
      message: `${disk.directory} cannot be written.`,
    });
    disk.makeWritable();
    disk.resize(1_024);
    await exported(alice, { file }, YES);
    assert.deepEqual(await readdir(disk.directory), ['lobby.txt']);
  });

  it('leaves nothing when it is broken off', async () => {
    await mkdir(at('in'));
    const { reading } = alice.home.conversations;
    reading.forwards = async function* () {
      yield* [];
      throw new Error('broken off');
    };
    await assert.rejects(exported(alice, { file: at('in/x') }), { code: 'INTERNAL' });
    assert.deepEqual(await readdir(at('in')), []);
  });
});
