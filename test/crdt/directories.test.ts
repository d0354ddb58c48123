import assert from 'node:assert/strict';
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { isDirectory, makeDirectory, syncDirectory } from '../../lib/crdt/directories.ts';
import { temporary } from '../support/temporary.ts';

describe('directories', () => {
  const { newDirectory, newDisk } = temporary();
  let root: string;
  beforeEach(async () => (root = await newDirectory()));
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
  const noDirectory = { name: 'ClchatError', code: 'NO_SUCH_FILE' };

  it('are made with those above them, for their owner alone', async () => {
    const path = join(root, 'a', 'b', 'c');
    await makeDirectory(path);
    for (const made of [path, dirname(path), join(root, 'a')])
      assert.equal(await modeOf(made), 0o700, made);
    assert.deepEqual(await readdir(root), ['a']);
  });

  it('are made of a relative path, and of one that is not in its shortest form', async () => {
    await makeDirectory(relative(process.cwd(), join(root, 'one', 'two')));
    await makeDirectory(`${root}/one/../three/./four/`);
    assert.deepEqual((await readdir(root)).sort(), ['one', 'three']);
    assert.ok(await isDirectory(join(root, 'three', 'four')));
  });

  it('that are there are left as they are', async () => {
    const path = join(root, 'shared');
    await mkdir(path, { mode: 0o755 });
    await writeFile(join(path, 'file'), 'x');
    await makeDirectory(path);
    assert.equal(await modeOf(path), 0o755);
    assert.deepEqual(await readdir(path), ['file']);
    await makeDirectory(join(path, 'below'));
    assert.equal(await modeOf(path), 0o755);
    assert.equal(await modeOf(join(path, 'below')), 0o700);
    await makeDirectory('/');
  });

  it('are made by many at once', async () => {
    const paths = Array.from({ length: 20 }, (_, i) => join(root, 'a', 'b', `${i % 4}`));
    await Promise.all(paths.map(makeDirectory));
    assert.deepEqual((await readdir(join(root, 'a', 'b'))).sort(), ['0', '1', '2', '3']);
  });

  it('may be reached by a link, which stays one', async () => {
    await mkdir(join(root, 'real'));
    await symlink(join(root, 'real'), join(root, 'link'));
    await makeDirectory(join(root, 'link'));
    await makeDirectory(join(root, 'link', 'below'));
    assert.deepEqual(await readdir(join(root, 'real')), ['below']);
  });

  it('are not made where something else has the name, at the end or above it', async () => {
    await writeFile(join(root, 'file'), '');
    await symlink(join(root, 'nowhere'), join(root, 'broken'));
    for (const path of ['file', 'file/below', 'file/far/below', 'broken', 'broken/below'])
      await assert.rejects(makeDirectory(join(root, path)), noDirectory, path);
    assert.deepEqual((await readdir(root)).sort(), ['broken', 'file']);
  });

  it('tell in the words of the system why they cannot be made', async () => {
    await assert.rejects(makeDirectory(join(root, 'x'.repeat(300))), { code: 'ENAMETOOLONG' });
    await assert.rejects(makeDirectory(join(root, 'new', 'x'.repeat(300), 'a')), {
      code: 'ENAMETOOLONG',
    });
    await assert.rejects(makeDirectory(join(root, 'a\0b')), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('tell when the disk is read-only, however deep they were to be', async function () {
    const disk = await newDisk(this, 64);
    await makeDirectory(join(disk.directory, 'there'));
    disk.makeReadOnly();
    for (const path of ['new', 'new/below', 'there/new'])
      await assert.rejects(makeDirectory(join(disk.directory, path)), { code: 'EROFS' }, path);
    await makeDirectory(join(disk.directory, 'there'));
  });

  it('are told from what is none', async () => {
    await writeFile(join(root, 'file'), '');
    await symlink(root, join(root, 'link'));
    assert.equal(await isDirectory(root), true);
    assert.equal(await isDirectory(join(root, 'link')), true);
    for (const path of ['file', 'none', 'file/below'])
      assert.equal(await isDirectory(join(root, path)), false, path);
  });

  it('can be synced, where they are there', async () => {
    await syncDirectory(root);
    const gone = join(root, 'gone');
    await assert.rejects(syncDirectory(gone), {
      code: 'ENOENT',
      message: new RegExp(basename(gone)),
    });
  });
});
