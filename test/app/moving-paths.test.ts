import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { mustStillBeFree, pathOf, targetOf } from '../../lib/app/moving-paths.ts';
import type { Ask } from '../../lib/app/types.ts';
import { temporary } from '../support/temporary.ts';

/** Somebody who says yes or no to everything. */
function person(answer: boolean): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const confirm = async (question: string): Promise<boolean> => {
    asked.push(question);
    return answer;
  };
  return { asked, ask: { confirm } as unknown as Ask };
}

describe('the path of a file that a person names', () => {
  it('is taken from where the program runs, or from home', () => {
    assert.equal(pathOf('a.txt'), resolve('a.txt'));
    assert.equal(pathOf('/tmp/../a b'), '/a b');
    assert.equal(pathOf('~/a.txt'), join(homedir(), 'a.txt'));
    assert.equal(pathOf('~a'), resolve('~a'));
  });
});

describe('a place to write to', () => {
  const { newDirectory } = temporary();

  it('is in a directory that is there', async () => {
    const directory = await newDirectory();
    const path = join(directory, 'new');
    assert.deepEqual(await targetOf(path, undefined), { path, replaces: false });
    await assert.rejects(targetOf(join(directory, 'none', 'new'), undefined), {
      code: 'NO_SUCH_FILE',
    });
    await writeFile(path, '');
    await assert.rejects(targetOf(join(path, 'new'), undefined), { code: 'NO_SUCH_FILE' });
  });

  it('is that of another file only with consent', async () => {
    const path = join(await newDirectory(), 'old');
    await writeFile(path, 'precious');
    await assert.rejects(targetOf(path, undefined), { code: 'ALREADY' });
    const no = person(false);
    await assert.rejects(targetOf(path, no.ask), { code: 'ALREADY' });
    assert.deepEqual(no.asked, [`${path} exists. Replace it?`]);
    assert.deepEqual(await targetOf(path, person(true).ask), { path, replaces: true });
    assert.equal(await readFile(path, 'utf8'), 'precious');
  });

  it('is nothing but a file, whatever is said', async function () {
    const directory = await newDirectory();
    const { ask, asked } = person(true);
    await mkdir(join(directory, 'folder'));
    await assert.rejects(targetOf(join(directory, 'folder'), ask), { code: 'ALREADY' });
    if (process.platform === 'win32') this.skip();
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    await assert.rejects(targetOf(join(directory, 'pipe'), ask), { code: 'ALREADY' });
    assert.deepEqual(asked, []);
  });

  it('is not taken from a file that has come about since', async () => {
    const path = join(await newDirectory(), 'new');
    const target = await targetOf(path, undefined);
    await mustStillBeFree(target);
    await writeFile(path, 'of another');
    await assert.rejects(mustStillBeFree(target), { code: 'ALREADY' });
    await mustStillBeFree({ path, replaces: true });
  });
});
