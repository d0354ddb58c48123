import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '../../lib/crdt/bytes.ts';
import {
  appendToFile,
  isExposed,
  readFileBounded,
  replaceFile,
  writeFileAtomic,
} from '../../lib/node/files.ts';
import { temporary } from '../support/temporary.ts';

describe('files', () => {
  const { newDirectory, newDisk } = temporary();
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

  it('writes what is read, for the owner alone, and leaves nothing else', async () => {
    const directory = join(await newDirectory(), 'a', 'b');
    const path = join(directory, 'file');
    for (const content of ['one', '', 'a longer one']) {
      await writeFileAtomic(path, utf8(content));
      assert.equal(await readFile(path, 'utf8'), content);
    }
    assert.equal(await modeOf(path), 0o600);
    assert.equal(await modeOf(directory), 0o700);
    assert.equal(await modeOf(join(directory, '..')), 0o700);
    assert.deepEqual(await readdir(directory), ['file']);
  });

  it('lets a reader see the old bytes or the new ones, never a part', async () => {
    const path = join(await newDirectory(), 'file');
    const contents = [utf8('a'.repeat(300_000)), utf8('b'.repeat(200_000))];
    await writeFileAtomic(path, contents[0] ?? new Uint8Array());
    let writing = true;
    const reader = (async () => {
      let reads = 0;
      while (writing) {
        const seen = await readFile(path, 'latin1');
        assert.ok(['a'.repeat(300_000), 'b'.repeat(200_000)].includes(seen));
        reads += 1;
      }
      return reads;
    })();
    for (let i = 0; i < 30; i += 1)
      await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    writing = false;
    assert.ok((await reader) > 10);
    assert.deepEqual(await readdir(join(path, '..')), ['file']);
  });

  it('drops a replacement that is given up', async () => {
    const path = join(await newDirectory(), 'file');
    await writeFileAtomic(path, utf8('old'));
    const { file, finish } = await replaceFile(path);
    await file.writeFile('new');
    await finish(false);
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(join(path, '..')), ['file']);
  });

  it('appends, many at once', async () => {
    const path = join(await newDirectory(), 'new', 'file');
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => appendToFile(path, utf8(`line ${i}\n`))),
    );
    const lines = (await readFile(path, 'utf8')).split('\n');
    assert.equal(lines.length, 51);
    assert.equal(new Set(lines).size, 51);
    assert.equal(await modeOf(path), 0o600);
  });

  it('reads no more than it may', async () => {
    const directory = await newDirectory();
    const path = join(directory, 'file');
    await writeFile(path, 'x'.repeat(100_000));
    assert.equal((await readFileBounded(path, 100_000))?.length, 100_000);
    await assert.rejects(readFileBounded(path, 99_999), { code: 'TOO_LARGE' });
    assert.equal(await readFileBounded(join(directory, 'none'), 10), undefined);
    assert.equal(await readFileBounded(join(path, 'below a file'), 10), undefined);
    await writeFile(path, '');
    assert.equal((await readFileBounded(path, 0))?.length, 0);
  });

  it('reads files only', async () => {
    const directory = await newDirectory();
    await assert.rejects(readFileBounded(directory, 10), { code: 'NO_SUCH_FILE' });
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    await assert.rejects(readFileBounded(join(directory, 'pipe'), 10), { code: 'NO_SUCH_FILE' });
  });

  it('knows when others may read a file', async () => {
    const path = join(await newDirectory(), 'file');
    await writeFileAtomic(path, utf8(''));
    for (const [mode, exposed] of [
      [0o600, false],
      [0o400, false],
      [0o640, true],
      [0o604, true],
      [0o620, true],
    ] as const) {
      await chmod(path, mode);
      assert.equal(await isExposed(path), exposed);
    }
  });

  it('keeps the old file on a full disk', async function () {
    const disk = await newDisk(this, 256);
    const path = join(disk.directory, 'file');
    await writeFileAtomic(path, utf8('old'));
    await assert.rejects(writeFileAtomic(path, new Uint8Array(400_000)), { code: 'DISK_FULL' });
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(disk.directory), ['file']);
    await assert.rejects(appendToFile(path, new Uint8Array(400_000)), { code: 'DISK_FULL' });
  });

  it('says that a disk is read-only', async function () {
    const disk = await newDisk(this, 256);
    const path = join(disk.directory, 'file');
    await writeFileAtomic(path, utf8('old'));
    disk.makeReadOnly();
    const readOnly = { code: 'DATA_READ_ONLY' };
    await assert.rejects(writeFileAtomic(path, utf8('new')), readOnly);
    await assert.rejects(appendToFile(path, utf8('new')), readOnly);
    await assert.rejects(writeFileAtomic(join(disk.directory, 'a', 'b'), utf8('')), readOnly);
    assert.deepEqual(Uint8Array.from((await readFileBounded(path, 10)) ?? []), utf8('old'));
  });
});
