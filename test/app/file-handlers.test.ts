import assert from 'node:assert/strict';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Situation } from '../../lib/app/situation.ts';
import type { AppEvent, Ask, CommandCall, ResultData } from '../../lib/app/types.ts';
import { LOBBY_STREAM, roomStream } from '../../lib/crdt/stream.ts';
import { toBlobHash } from '../../lib/node/blobs/manifest.ts';
import { BLOB } from '../../lib/node/blobs/wire.ts';
import { Exchange } from '../../lib/node/exchange.ts';
import { contextOf } from '../support/commands.ts';
import { eventually } from '../support/channels.ts';
import { fileContent, fileStage, type FileClient } from '../support/file-stage.ts';
import { HANDLERS } from '../support/handlers.ts';

const SIZE = 3 * 256 * 1024 + 100;

describe('commands about files', function () {
  this.timeout(30_000);
  const stage = fileStage();
  let alice: FileClient;
  let bob: FileClient;
  let told: AppEvent[];
  let situation: Situation;

  beforeEach(async () => {
    told = [];
    situation = new Situation();
    alice = await stage.join('alice');
    bob = await stage.join('bob');
  });

  const run = (
    who: Pick<FileClient, 'test'>,
    name: 'attach' | 'save',
    args: CommandCall['args'] = {},
    ask?: Ask,
  ): Promise<ResultData> =>
    HANDLERS[name]!(args, {
      ...contextOf(who.test.client),
      ask,
      situation,
      tell: (event) => told.push(event),
    });
  const place = async (): Promise<string> => {
    const directory = join(
      stage.directory,
      '..',
      `place-${(await readdir(stage.directory)).length}`,
    );
    await mkdir(directory, { recursive: true });
    return directory;
  };
  const gets = (who: FileClient, { id }: ResultData): Promise<void> =>
    eventually('the message', () => {
      return who.test.home.conversations.reading.find(id as never) !== undefined;
    });
  const sizeOf = async (path: unknown): Promise<number> => (await readFile(String(path))).length;

  describe('attach', () => {
    it('says a message with the file, and has it sent', async () => {
      const file = await alice.write(fileContent(SIZE), 'my plan.pdf');
      const { id, time, ...rest } = await run(alice, 'attach', { file, text: 'look' });
      assert.deepEqual(rest, {
        state: 'held',
        sent: true,
        room: 'lobby',
        text: 'look',
        file: { name: 'my plan.pdf', size: SIZE, here: true },
      });
      assert.equal(typeof time, 'number');
      await gets(bob, { id });
      assert.equal(bob.test.messages.at(-1)?.text, 'look');
      assert.equal(stage.server.list()[0]?.isComplete, true);
    });

    it('says it where one is', async () => {
      situation.talk(alice.pairWith(bob));
      const file = await alice.write(fileContent(10));
      const said = await run(alice, 'attach', { file });
      assert.deepEqual([said['to'], said['text']], ['bob', '']);
      assert.ok((await bob.sees({ entry: { id: said['id'] } } as never)).key !== undefined);
    });

    it('leaves it to be sent when the server is back', async () => {
      await stage.close();
      await eventually('it is away', () => !alice.test.client.connected);
      const file = await alice.write(fileContent(SIZE));
      const said = await run(alice, 'attach', { file });
      assert.deepEqual([said['state'], said['sent']], ['queued', false]);
      await stage.open();
      await eventually('it is sent', () => stage.server.list()[0]?.isComplete === true);
    });

    it('lets a person go on while it is being sent', async () => {
      stage.world.transport.handle(BLOB.name, (channel) => {
        // It never answers.
        const begin = (): Promise<never> => new Promise(() => undefined);
        new Exchange(channel, BLOB, { methods: { begin }, notices: {} });
      });
      const file = await alice.write(fileContent(SIZE));
      const said = await run(alice, 'attach', { file }, {} as Ask);
      assert.deepEqual([said['state'], said['sent']], ['held', false]);
    });

    it('is refused before anything is said', async () => {
      const file = await alice.write(fileContent(SIZE));
      const refused = async (code: string, args: CommandCall['args'] = { file }): Promise<void> => {
        await assert.rejects(run(alice, 'attach', args), { code });
      };
      await refused('USAGE', {});
      await refused('NO_SUCH_FILE', { file: `${file}.not` });
      await refused('NO_SUCH_FILE', { file: '~/.no such file of clchat' });
      await refused('TOO_LARGE', { file, text: 'x'.repeat(20_000) });
      const den = await stage.closedRoom(bob);
      await eventually('the room', () => {
        return alice.test.home.space.get('room', den) !== undefined;
      });
      situation.talk(roomStream(den));
      await refused('NOT_MEMBER');
      situation.talk(undefined);
      await stage.world.server.crown('bob');
      const { home } = bob.test;
      const body = { name: 'user', add: [], remove: ['sendMessage'] };
      const entry = await home.conversations.act('space', 'updategroup', body);
      assert.equal(await home.outbox.answer(entry.id), 'held');
      await eventually('the loss', async () => {
        return run(alice, 'attach', { file: '/dev/null' }).then(
          () => false,
          ({ code }) => code === 'DENIED',
        );
      });
      await refused('DENIED');
      assert.deepEqual([stage.server.list(), await alice.held()], [[], []]);
    });

    it('is not possible where no files are kept', async () => {
      const carol = { test: await stage.world.join('carol') };
      for (const command of ['attach', 'save'] as const)
        await assert.rejects(run(carol, command, { file: '/etc/hosts' }), {
          code: 'NOT_SUPPORTED',
        });
    });
  });

  describe('save', () => {
    const attach = async (bytes: Uint8Array, name?: string): Promise<ResultData> => {
      const said = await run(alice, 'attach', { file: await alice.write(bytes, name) });
      await gets(bob, said);
      return said;
    };

    it('writes the newest file of a conversation, or that of a message', async () => {
      const first = await attach(fileContent(10), 'first');
      const second = await attach(fileContent(20), 'second');
      const plain = await alice.test.home.conversations.say(LOBBY_STREAM, 'no file');
      await alice.test.home.outbox.answer(plain.id);
      await gets(bob, { id: plain.id });
      const target = await place();
      const save = async (message?: string): Promise<ResultData> =>
        run(bob, 'save', { target, ...(message === undefined ? {} : { message }) });
      assert.deepEqual(await save(), { id: second['id'], file: join(target, 'second'), bytes: 20 });
      assert.equal((await save('^3'))['id'], first['id']);
      assert.equal(
        (await save(String(first['id']).slice(0, 8)))['file'],
        join(target, 'first (1)'),
      );
      await assert.rejects(save('^'), { code: 'NO_SUCH_FILE', message: /has no file/ });
      await assert.rejects(save('^99'), { code: 'NO_SUCH_MESSAGE' });
    });

    it('says so where there is no file yet, or its message is removed', async () => {
      await assert.rejects(run(bob, 'save'), { code: 'NO_SUCH_FILE', message: /no file here yet/ });
      const { id } = await attach(fileContent(10));
      const { home } = alice.test;
      const removal = await home.conversations.act(LOBBY_STREAM, 'remove', { target: id });
      assert.equal(await home.outbox.answer(removal.id), 'held');
      await eventually('it is gone', () =>
        run(bob, 'save').then(
          () => false,
          ({ message }) => /no file here yet/.test(String(message)),
        ),
      );
    });

    it('takes a name of another for no path', async () => {
      const { home } = alice.test;
      const sent = await alice.send(fileContent(10));
      for (const name of ['../../evil', '/etc/cron.d/evil', '..', 'a/../../evil', 'C:\\evil']) {
        const file = { ...sent.file, name };
        const entry = await home.conversations.say(LOBBY_STREAM, { text: '', file });
        assert.equal(await home.outbox.answer(entry.id), 'held');
        await gets(bob, { id: entry.id });
      }
      const target = await place();
      const before = (await readdir(join(target, '..'))).sort();
      for (let n = 1; n <= 5; n++) await run(bob, 'save', { message: `^${n}`, target });
      assert.deepEqual((await readdir(target)).sort(), [
        'evil',
        'evil (1)',
        'evil (2)',
        'evil (3)',
        'file',
      ]);
      assert.deepEqual((await readdir(join(target, '..'))).sort(), before);
    });

    it('goes into a directory or under a name, and never over another file', async () => {
      await attach(fileContent(10), 'plan.pdf');
      const target = await place();
      const named = join(target, 'other.pdf');
      await writeFile(named, 'mine');
      assert.equal(
        (await run(bob, 'save', { target: named }))['file'],
        join(target, 'other (1).pdf'),
      );
      assert.equal(await readFile(named, 'utf8'), 'mine');
      const none = join(target, 'nowhere', 'plan.pdf');
      await assert.rejects(run(bob, 'save', { target: none }), { code: 'NO_SUCH_FILE' });
    });

    it('tells how far it has got, and how it ended', async () => {
      const { id } = await attach(fileContent(SIZE), 'plan.pdf');
      await run(bob, 'save', { target: await place() });
      const about = { event: 'attachment', id, name: 'plan.pdf' };
      assert.deepEqual(told[0], { ...about, state: 'fetching', progress: 0 });
      assert.deepEqual(told.at(-2), { ...about, state: 'fetching', progress: 1 });
      assert.deepEqual(told.at(-1), { ...about, state: 'done', progress: 1 });
      told.length = 0;
      // From here it is there at once.
      await run(bob, 'save', { target: await place() });
      assert.deepEqual(
        told.map((event) => event.event === 'attachment' && [event.state, event.progress]),
        [['done', 1]],
      );
      told.length = 0;
      await bob.store.delete(stage.server.list()[0]!.hash);
      await stage.server.delete(stage.server.list()[0]!.hash);
      await alice.stop();
      await assert.rejects(run(bob, 'save'), { code: 'NO_SUCH_FILE' });
      assert.deepEqual(told, [
        { ...about, state: 'fetching', progress: 0 },
        { ...about, state: 'failed', progress: 0, code: 'NO_SUCH_FILE' },
      ]);
    });

    it('fetches again what the disk has spoilt', async () => {
      const { entry } = await alice.send(fileContent(SIZE), bob.pairWith(alice), 'plan.pdf');
      const { hash } = await bob.sees({ entry } as never);
      situation.talk(bob.pairWith(alice));
      await run(bob, 'save', { target: await place() });
      await bob.stop();
      const file = await open(join(bob.directory, `${toBlobHash(hash)}.blob`), 'r+');
      await file.write(Buffer.alloc(100, 7), 0, 100, SIZE / 2);
      await file.close();
      await bob.comeBack();
      const saved = await run(bob, 'save', { target: await place() });
      assert.equal(await sizeOf(saved['file']), SIZE);
      assert.deepEqual(Uint8Array.from(await readFile(String(saved['file']))), fileContent(SIZE));
    });
  });
});
