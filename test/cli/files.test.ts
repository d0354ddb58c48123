/** Files with messages, by the real program: sent, saved, broken off, refused and removed. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { eventually } from '../support/channels.ts';
import type { Cli, CliEvent, Result } from '../support/cli.ts';
import { fileHouse } from '../support/file-house.ts';
import { blobsOf, isFound, sumOf } from '../support/files-on-disk.ts';
import { workshop } from '../support/workshop.ts';

/** Enough that it can be broken off in the middle; `CLCHAT_FILE_MB` says how many megabytes. */
const LARGE = Number(process.env['CLCHAT_FILE_MB'] ?? 48) * 1_000_000;

describe('a restored server', function () {
  this.timeout(90_000);
  const shop = workshop();
  const PASSPHRASE = { env: { CLCHAT_BACKUP_PASSPHRASE: 'open sesame' }, password: 'secret' };

  it('has the files of its backup, and is brought those that came later', async () => {
    const server = await shop.server(PASSPHRASE);
    const ann = await shop.client(server.address, 'ann');
    const scratch = await shop.newDirectory();
    const sent: { path: string; id: unknown }[] = [];
    const attach = async (name: string): Promise<void> => {
      const path = join(scratch, name);
      writeFileSync(path, randomBytes(2_000_000));
      sent.push({ path, id: (await ann.ok(`attach ${path}`)).id });
    };
    await attach('before');
    const file = join(scratch, 'acme.backup');
    await server.cli.ok(`backup ${file}`);
    await attach('after');
    await server.cli.crash();

    const target = join(await shop.newDirectory(), 'restored');
    const mover = await shop.start(['--json', '--data', target], PASSPHRASE);
    await mover.ok(`restore ${file}`);
    await mover.quit();
    const port = Number(server.address.split(':')[1]);
    const restored = await shop.server({ data: target, port, password: 'secret' });
    await ann.event('server', { connected: true }, { patience: 30_000 });
    await eventually(
      'both are there',
      () =>
        readdirSync(join(target, 'blobs')).filter((name) => name.endsWith('.blob')).length === 2,
    );
    await ann.quit();
    const ben = await shop.client(restored.address, 'ben');
    for (const { path, id } of sent) {
      // Not news to him, who was not there yet.
      await ben.ok('history');
      const { file: saved } = await ben.ok(`save ${String(id)} ${await shop.newDirectory()}`);
      assert.equal(sumOf(String(saved)), sumOf(path));
    }
  });
});

describe('files', function () {
  this.timeout(120_000);
  const shop = workshop();
  const house = fileHouse(shop);
  const { come, make, attach, save } = house;
  let ann: Cli;
  let ben: Cli;
  let cat: Cli;

  before(async () => {
    [ann, ben, cat] = await house.everybody();
  });

  /** That somebody has saved what another has attached. */
  async function mustHave(cli: Cli, id: unknown, path: string): Promise<void> {
    await cli.event('message', { id });
    const saved = await save(cli, id);
    assert.equal(basename(saved), basename(path));
    assert.equal(sumOf(saved), sumOf(path));
  }
  const shares = (cli: Cli, id: unknown): number[] =>
    cli.events('attachment', { id: String(id) }).map(({ progress }) => Number(progress));

  it('are attached and saved by others, whole and under their name', async () => {
    const path = make(700_000, 'Plan für morgen.pdf');
    const sent = await attach(ann, path, 'look at this');
    assert.deepEqual([sent.state, sent['sent'], sent['room']], ['held', true, 'lobby']);
    const told = await ben.event('message', { id: sent.id });
    assert.deepEqual(
      [told['text'], told['file']],
      ['look at this', { name: 'Plan für morgen.pdf', size: 700_000, here: false }],
    );
    await mustHave(ben, sent.id, path);
    const [last] = (await ben.ok('history 1')).messages ?? [];
    assert.deepEqual((last as unknown as { file: unknown }).file, {
      name: 'Plan für morgen.pdf',
      size: 700_000,
      here: true,
    });
    // The newest file, where none is named; and a name that is taken gets a number.
    await ben.ok('say thank you');
    const place = await shop.newDirectory();
    for (const name of ['Plan für morgen.pdf', 'Plan für morgen (1).pdf']) {
      const { file, id } = await ben.ok(`save ^2 ${place}`);
      assert.deepEqual([file, id], [join(place, name), sent.id]);
    }
  });

  it('are told of on their way, from the beginning to the end', async () => {
    const path = make(3_000_000);
    const { id } = await attach(ann, path);
    await mustHave(ben, id, path);
    for (const [cli, on] of [
      [ann, 'sending'],
      [ben, 'fetching'],
    ] as const) {
      const events = cli.events('attachment', { id: String(id) });
      const progress = shares(cli, id);
      assert.deepEqual([progress[0], progress.at(-1)], [0, 1]);
      assert.deepEqual(
        progress,
        progress.toSorted((a, b) => a - b),
      );
      assert.ok(progress.length > 5);
      assert.deepEqual([events.at(-2)?.['state'], events.at(-1)?.['state']], [on, 'done']);
      assert.ok(events.every(({ name }) => name === basename(path)));
    }
  });

  it('lie sealed at the server where the conversation is', async () => {
    const marker = `marker ${randomBytes(12).toString('hex')}`;
    const path = make(marker.repeat(20_000), 'secret.txt');
    for (const cli of [ann, ben]) await cli.ok('room den "open sesame"');
    await ann.ok('enter den');
    const closed = await attach(ann, path);
    await mustHave(ben, closed.id, path);
    await ann.ok('leave');
    await ann.ok('talk @ben');
    const direct = await attach(ann, path, 'for you');
    assert.equal(direct['to'], 'ben');
    await mustHave(ben, direct.id, path);
    await ann.ok('talk');
    await ann.ok('createroom board --private');
    await ann.ok('enter board');
    const inner = await attach(ann, path);
    await ann.ok('leave');
    for (const directory of [house.server.data, ...Object.values(house.data)])
      assert.equal(isFound(directory, marker), false, directory);
    // In the open they do not.
    await attach(ann, path);
    assert.equal(isFound(house.server.data, marker), true);
    // She is in neither.
    for (const { id } of [closed, direct, inner])
      assert.equal(await cat.refused(`save ${id}`), 'NO_SUCH_MESSAGE');
  });

  it('may be of no bytes, and images tell how large they are', async () => {
    const empty = make('', 'empty');
    const { id } = await attach(ann, empty);
    await mustHave(ben, id, empty);
    const image = join(house.scratch, 'a.gif');
    writeFileSync(image, Buffer.from('474946383961400120000000', 'hex'));
    const sent = await attach(ann, image);
    const told = await ben.event('message', { id: sent.id });
    const { type, width, height } = told['file'] as Record<string, unknown>;
    assert.deepEqual([type, width, height], ['image/gif', 320, 32]);
  });

  /** Has everybody may attach so much, as Ann knows. */
  async function limit(size: string): Promise<void> {
    const count = ann.events('group', { group: 'user' }).length + 1;
    await house.server.cli.ok(`updategroup user files=${size}`);
    await ann.event('group', { group: 'user' }, { count });
  }

  it('are attached and saved from where the command is given', async () => {
    const home = join(await shop.home(), '..', '..');
    writeFileSync(join(home, 'plan.txt'), 'of ann');
    const args = ['--data', house.data.ann, '--json', '-e'];
    const [attached] = (await shop.run([...args, 'attach plan.txt'])).lines as Result[];
    assert.ok(attached?.ok, attached?.text);
    await ben.event('message', { id: attached.data?.id });
    const saved = (await shop.run(['--data', house.data.ben, '--json', '-e', 'save']))
      .lines as Result[];
    assert.equal(saved[0]?.data?.['file'], join(home, 'plan (1).txt'));
  });

  it('are refused where they cannot be sent', async () => {
    const before = ann.events('attachment').length;
    assert.equal(await ann.refused(`attach ${join(house.scratch, 'nothing')}`), 'NO_SUCH_FILE');
    assert.equal(await ann.refused(`attach ${house.scratch}`), 'NO_SUCH_FILE');
    assert.equal(await ann.refused('attach /dev/zero'), 'NO_SUCH_FILE');
    assert.equal(await ann.refused('save 1234567890ab'), 'NO_SUCH_MESSAGE');
    await limit('1M');
    const held = blobsOf(house.data.ann);
    const large = make(2 ** 20 + 1);
    assert.equal(ann.events('attachment').length, before);
    const { code, text } = await ann.ask(`attach "${large}"`);
    assert.deepEqual([code, text], ['TOO_LARGE', 'A file may have up to 1 MiB here.']);
    assert.deepEqual(blobsOf(house.data.ann), held);
    await limit('2000M');
    await attach(ann, large);
    assert.ok(ann.events('attachment').length > before);
    const { id } = await ann.ok('say no file');
    assert.equal(await ann.refused(`save ${id}`), 'NO_SUCH_FILE');
  });

  it('are fetched from others where the server has lost them', async () => {
    const path = make(2_000_000);
    const { id } = await attach(ann, path);
    rmSync(join(house.server.data, 'blobs'), { recursive: true });
    await mustHave(ben, id, path);
    assert.equal(readdirSync(house.server.data).includes('blobs'), false);
    // And from whoever has fetched them, their author being gone.
    await ann.quit();
    await mustHave(cat, id, path);
    ann = await come('ann');
    await house.server.cli.crash();
    await house.startServer();
    for (const cli of [ann, ben, cat]) await connected(cli, 1);
  });

  /** That somebody is connected again, for so many times. */
  const reconnections = new Map<Cli, number>();
  async function connected(cli: Cli, times: number): Promise<void> {
    const count = (reconnections.get(cli) ?? 0) + times;
    reconnections.set(cli, count);
    await cli.event('server', { connected: true }, { count, patience: 30_000 });
  }

  it('wait for the server, and are sent when it is back', async () => {
    await house.server.cli.crash();
    await ann.event('server', { connected: false });
    await ben.event('server', { connected: false });
    const path = make(2_000_000);
    const sent = await attach(ann, path);
    assert.deepEqual([sent.state, sent['sent']], ['queued', false]);
    await house.startServer();
    for (const cli of [ann, ben, cat]) await connected(cli, 1);
    await ann.event('attachment', { id: sent.id, state: 'done' });
    await ann.crash();
    await mustHave(ben, sent.id, path);
    ann = await come('ann');
  });

  it('wait for their author where there was no time to send them', async () => {
    await house.server.cli.crash();
    await ann.event('server', { connected: false });
    const path = make(2_000_000);
    const sent = await attach(ann, path);
    await ann.crash();
    await house.startServer();
    for (const cli of [ben, cat]) await connected(cli, 1);
    ann = await come('ann');
    await ann.event('attachment', { id: sent.id, state: 'done' });
    await mustHave(ben, sent.id, path);
  });

  describe('broken off in the middle go on', () => {
    /** Waits until about a third of a file is on its way, and no more than most of it. */
    async function third(cli: Cli, state: string): Promise<CliEvent> {
      const isIt = (event: CliEvent): boolean =>
        event['state'] === state && Number(event['progress']) >= 0.3;
      return cli.until(() => cli.events('attachment', isIt).at(-1), 'a third of it', 30_000);
    }
    const fresh = async (user: keyof typeof house.data, cli: Cli): Promise<Cli> => {
      await cli.quit();
      return come(user);
    };
    let path: string;

    beforeEach(() => {
      path = make(LARGE);
    });

    it('by themselves where their sender was killed', async () => {
      ann = await fresh('ann', ann);
      ann.send(`attach "${path}"`);
      const { id } = await third(ann, 'sending');
      await ann.crash();
      assert.equal(ann.events('attachment', { state: 'done' }).length, 0, 'it was too quick');
      ann = await come('ann');
      await ann.event('attachment', { id, state: 'done' }, { patience: 60_000 });
      assert.ok(shares(ann, id)[0]! >= 0.1, `it began again at ${shares(ann, id)[0]}`);
      await mustHave(ben, id, path);
    });

    it('by themselves where the server was killed', async () => {
      ann = await fresh('ann', ann);
      const line = ann.send(`attach "${path}"`);
      const { id } = await third(ann, 'sending');
      await house.server.cli.crash();
      assert.equal((await ann.result(line)).data?.['sent'], false, 'it was too quick');
      const before = shares(ann, id).length;
      await house.startServer();
      await connected(ann, 1);
      for (const cli of [ben, cat]) await connected(cli, 1);
      await ann.event('attachment', { id, state: 'done' }, { patience: 60_000 });
      assert.ok(shares(ann, id)[before]! >= 0.1, `it began again at ${shares(ann, id)[before]}`);
      await mustHave(ben, id, path);
    });

    it('with the next "save" where their receiver was killed', async () => {
      const { id } = await attach(ann, path);
      ben = await fresh('ben', ben);
      const place = await shop.newDirectory();
      ben.send(`save ${id} ${place}`);
      await third(ben, 'fetching');
      await ben.crash();
      assert.deepEqual(readdirSync(place), [], 'nothing but a whole file is there');
      ben = await come('ben');
      const { file } = await ben.ok(`save ${id} ${place}`, 60_000);
      assert.ok(shares(ben, id)[0]! >= 0.1, `it began again at ${shares(ben, id)[0]}`);
      assert.equal(sumOf(String(file)), sumOf(path));
      assert.deepEqual(readdirSync(place), [basename(path)]);
    });
  });

  describe('afterwards', () => {
    it('need no memory for their size', async function () {
      if (process.platform !== 'linux') this.skip();
      const memory = ({ pid }: Cli): number => {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024;
      };
      const path = make(LARGE);
      const clear = ({ pid }: Cli): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');
      for (const cli of [ann, ben, house.server.cli]) clear(cli);
      const before = [ann, ben, house.server.cli].map(memory);
      const { id } = await attach(ann, path);
      await mustHave(ben, id, path);
      for (const [index, cli] of [ann, ben, house.server.cli].entries()) {
        const grown = memory(cli) - before[index]!;
        assert.ok(grown < 150, `${['ann', 'ben', 'the server'][index]} took ${grown} MB more`);
      }
    });

    it('go for good with their message, and with their author', async () => {
      const path = make(400_000);
      const places = [house.server.data, house.data.ann, house.data.ben];
      const before = places.map((directory) => blobsOf(directory).length);
      const { id } = await attach(ann, path);
      await mustHave(ben, id, path);
      assert.deepEqual(
        places.map((directory) => blobsOf(directory).length),
        before.map((count) => count + 1),
      );
      await ann.ok(`remove ${id}`);
      await eventually('nothing is left', () =>
        places.every((directory, index) => blobsOf(directory).length === before[index]),
      );
      await ben.event('removed', { id });
      assert.equal(await ben.refused(`save ${id}`), 'NO_SUCH_MESSAGE');

      const own = make(300_000);
      const sent = await attach(cat, own);
      await mustHave(ben, sent.id, own);
      const size = statSync(own).size;
      const has = (directory: string): boolean =>
        blobsOf(directory).some((name) => statSync(join(directory, 'blobs', name)).size >= size);
      assert.ok(has(house.server.data));
      await house.server.cli.ok('removeuser ann --withvengence');
      await house.server.cli.ok('removeuser cat --withvengence');
      await eventually('nothing of them is left', () =>
        [house.server.data, house.data.ben].every((directory) => blobsOf(directory).length === 0),
      );
    });
  });
});
