/** Files with messages where something is wrong: with a file, a disk, a name or the server. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { eventually } from '../support/channels.ts';
import type { Cli } from '../support/cli.ts';
import { fileHouse, quoted } from '../support/file-house.ts';
import { blobsOf, sumOf } from '../support/files-on-disk.ts';
import { temporary } from '../support/temporary.ts';
import { workshop } from '../support/workshop.ts';

const MB = 1_000_000;

describe('files in trouble', function () {
  this.timeout(120_000);
  const shop = workshop();
  const { newDisk } = temporary();
  const house = fileHouse(shop);
  const { come, make, attach, save } = house;
  let ann: Cli;
  let ben: Cli;
  let cat: Cli;

  before(async () => {
    [ann, ben, cat] = await house.everybody();
  });

  /** Overwrites some bytes in the middle of a file. */
  function spoil(path: string): void {
    const file = openSync(path, 'r+');
    writeSync(file, randomBytes(64), 0, 64, 700_000);
    closeSync(file);
  }

  it('are no files: they are refused at once, and nothing is left', async () => {
    const fifo = join(house.scratch, 'pipe');
    execFileSync('mkfifo', [fifo]);
    const links: Record<string, string> = {
      'link to a pipe': fifo,
      'link to a directory': house.scratch,
      'link to nothing': join(house.scratch, 'nothing'),
      'link to itself': join(house.scratch, 'link to itself'),
      'link to a device': '/dev/zero',
    };
    for (const [name, target] of Object.entries(links))
      symlinkSync(target, join(house.scratch, name));
    const paths = [fifo, house.scratch, '/dev/zero', '/dev/tty', '/proc/self/pagemap'];
    const held = blobsOf(house.data.ann);
    for (const path of [...paths, ...Object.keys(links).map((name) => join(house.scratch, name))])
      assert.equal(await ann.refused(`attach ${quoted(path)}`), 'NO_SUCH_FILE', path);
    assert.deepEqual(blobsOf(house.data.ann), held);
    // What a link leads to is a file like any other.
    const path = make(1_000);
    symlinkSync(path, join(house.scratch, 'link.bin'));
    const { id } = await attach(ann, join(house.scratch, 'link.bin'));
    await ben.event('message', { id });
    assert.equal(sumOf(await save(ben, id)), sumOf(path));
  });

  const changes: Record<string, (path: string) => void> = {
    grows: (path) => appendFileSync(path, 'more'),
    shrinks: (path) => truncateSync(path, 1 * MB),
    vanishes: (path) => rmSync(path),
    'is replaced': (path) => {
      rmSync(path);
      writeFileSync(path, 'another');
    },
  };
  for (const [what, change] of Object.entries(changes))
    it(`that ${what} while it is read is not sent, and nothing is left`, async () => {
      const path = make(new Uint8Array());
      // Zeros that take no place here, and time to be read.
      truncateSync(path, 300 * MB);
      const newest = async () => (await ann.ok('history 1')).messages?.map(({ id }) => id);
      const before = await newest();
      const held = blobsOf(house.data.ann);
      const line = ann.send(`attach ${quoted(path)}`);
      await eventually('it is being read', () => blobsOf(house.data.ann).length > held.length);
      change(path);
      const { code, text } = await ann.result(line, 60_000);
      assert.equal(code, 'NO_SUCH_FILE', text);
      assert.deepEqual(blobsOf(house.data.ann), held);
      assert.deepEqual(await newest(), before);
    });

  it('have names that become no paths, and overwrite nothing', async () => {
    const names: Record<string, string> = {
      'C:\\con': '_con',
      '.bashrc': 'bashrc',
      '-rf ~': '_rf ~',
      '~root': '_root',
      'a\u202egpj.exe': 'agpj.exe',
      [`${'ä'.repeat(125)}.txt`]: `${'ä'.repeat(98)}.txt`,
    };
    for (const [name, safe] of Object.entries(names)) {
      const path = make(100, name);
      const { id } = await attach(ann, path);
      await ben.event('message', { id });
      const place = await shop.newDirectory();
      const outside = make(10);
      // Whatever lies there stays, and what a link leads to as well.
      symlinkSync(outside, join(place, safe));
      const sum = sumOf(outside);
      const saved = await save(ben, id, place);
      const [stem, extension = ''] = safe.split(/(?=\.[a-z]+$)/);
      assert.deepEqual(readdirSync(place).sort(), [safe, `${stem} (1)${extension}`].sort());
      assert.equal(sumOf(saved), sumOf(path));
      assert.equal(sumOf(outside), sum);
      // And under a name of one's own.
      const own = await save(ben, id, join(place, safe));
      assert.equal(basename(own), `${stem} (2)${extension}`);
      assert.equal(sumOf(outside), sum);
    }
  });

  it('say that they are immense images, and are files like any other', async () => {
    const png = Buffer.alloc(60);
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(png);
    png.writeUInt32BE(100_000, 16);
    png.writeUInt32BE(100_000, 20);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="100000" height="100000"/>';
    for (const [name, bytes] of [
      ['bomb.png', png],
      ['bomb.svg', Buffer.from(svg)],
    ] as const) {
      const path = make(bytes, name);
      const { id } = await attach(ann, path);
      const { file } = await ben.event('message', { id });
      assert.deepEqual(file, { name, size: bytes.length, here: false });
      assert.equal(sumOf(await save(ben, id)), sumOf(path));
    }
  });

  it('are fetched from others where one who holds them has other bytes', async () => {
    const path = make(3 * MB);
    const held = blobsOf(house.server.data);
    const { id } = await attach(ann, path);
    await ben.event('message', { id });
    const [name] = blobsOf(house.server.data).filter((one) => !held.includes(one));
    spoil(join(house.server.data, 'blobs', name!));
    assert.equal(sumOf(await save(ben, id)), sumOf(path));
    // With nobody else there they are not had, and what is wrong is not saved.
    await ann.quit();
    await ben.quit();
    const place = await shop.newDirectory();
    assert.equal(await cat.refused(`save ${id} ${place}`), 'NO_SUCH_FILE');
    assert.deepEqual(readdirSync(place), []);
    ben = await come('ben');
    assert.equal(sumOf(await save(cat, id)), sumOf(path));
    ann = await come('ann');
  });

  it('are of two, and stay until both have taken them back', async () => {
    const path = make(2 * MB);
    const held = blobsOf(house.server.data);
    const first = await attach(ann, path);
    const second = await attach(ben, path);
    assert.equal(second['sent'], true);
    assert.equal(blobsOf(house.server.data).length, held.length + 1);
    await ann.ok(`remove ${first.id}`);
    await cat.event('removed', { id: first.id });
    assert.equal(sumOf(await save(cat, second.id)), sumOf(path));
    await ben.ok(`remove ${second.id}`);
    await eventually('they are gone', () => blobsOf(house.server.data).length === held.length);
  });

  it('go from those as well who were away when they were removed', async () => {
    const path = make(2 * MB);
    const [sent, more] = [await attach(ann, path), await attach(cat, make(1 * MB))];
    const before = blobsOf(house.data.ben).length;
    for (const { id } of [sent, more]) {
      await ben.event('message', { id });
      await save(ben, id);
    }
    assert.equal(blobsOf(house.data.ben).length, before + 2);
    await ben.crash();
    await ann.ok(`remove ${sent.id}`);
    await house.server.cli.ok('removeuser cat --withvengence');
    assert.equal(blobsOf(house.data.ben).length, before + 2);
    ben = await come('ben');
    await eventually('they are gone', () => blobsOf(house.data.ben).length === before);
  });

  it('are not saved on a full disk, which is left as it was', async function () {
    const { directory } = await newDisk(this, 1_000);
    mkdirSync(join(directory, 'full'));
    const path = make(2 * MB);
    const { id } = await attach(ann, path);
    await ben.event('message', { id });
    assert.equal(await ben.refused(`save ${id} ${join(directory, 'full')}`), 'DISK_FULL');
    assert.deepEqual(readdirSync(join(directory, 'full')), []);
    const failed = await ben.event('attachment', { id, state: 'failed' });
    assert.equal(failed['code'], 'DISK_FULL');
    assert.equal(sumOf(await save(ben, id)), sumOf(path));
  });

  it('are fetched from others while the server is away', async () => {
    const path = make(3 * MB);
    const { id } = await attach(ann, path);
    await ben.event('message', { id });
    const cid = await shop.client(house.server.address, 'cid');
    await cid.ok('history');
    const dan = await shop.client(house.server.address, 'dan');
    const next = await attach(ann, make(1 * MB));
    await dan.event('message', { id: next.id });
    await house.server.cli.crash();
    for (const cli of [ann, ben, cid, dan]) await cli.event('server', { connected: false });
    assert.equal(sumOf(await save(ben, id)), sumOf(path));
    // Where she is, he was told with another file of hers.
    await dan.ok('history');
    assert.equal(sumOf(await save(dan, id)), sumOf(path));
    await ann.quit();
    assert.equal(await cid.refused(`save ${next.id}`), 'NO_SUCH_FILE');
    for (const cli of [cid, dan]) await cli.quit();
    await house.startServer();
    ann = await come('ann');
  });

  it('are kept by their author while the disk of the server is full', async function () {
    const disk = await newDisk(this, 60_000);
    const small = await shop.server({ name: 'shed', data: join(disk.directory, 'server') });
    const [eve, fay] = await shop.clients(small.address, ['eve', 'fay']);
    const path = make(3 * MB);
    const sent = await attach(eve, path);
    assert.deepEqual([sent.state, sent['sent']], ['held', false]);
    assert.deepEqual(blobsOf(small.data), []);
    // All else goes on, and the file is had of her.
    await fay.event('message', { id: sent.id });
    await eve.ok('say it is on its way');
    await fay.event('message', { text: 'it is on its way' });
    assert.equal(sumOf(await save(fay, sent.id)), sumOf(path));
    disk.resize(200_000);
    await eve.event('attachment', { id: sent.id, state: 'done' }, { patience: 60_000 });
    assert.equal(blobsOf(small.data).length, 1);
    for (const cli of [eve, fay, small.cli]) await cli.quit();
  });
});
