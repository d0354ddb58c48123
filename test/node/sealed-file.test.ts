/** One sealed file by itself; what the keystore and the vault make of it is in their tests. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { concat, sha256, utf8 } from '../../lib/crdt/bytes.ts';
import { encode } from '../../lib/crdt/codec.ts';
import { codeOf } from '../../lib/errors.ts';
import { KEY_FILE, openSecret, SealedFile } from '../../lib/node/sealed-file.ts';
import { scryptOf } from '../../lib/node/scrypt.ts';
import { temporary } from '../support/temporary.ts';

const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
const LARGEST = 128 * 1024;

describe('a sealed file', () => {
  const { newDirectory } = temporary();
  let directory: string;
  beforeEach(async () => (directory = await newDirectory()));
  const open = (name = 'box', passphrase?: string): Promise<SealedFile> =>
    SealedFile.open(name, { directory, passphrase, random });

  it('has no content, and makes no file, until something is written', async () => {
    assert.equal((await open()).content, undefined);
    assert.equal((await open('box', 'sesame')).content, undefined);
    assert.deepEqual(await readdir(directory), []);
  });

  it('gives back what was written last, of any length up to its bound', async () => {
    for (const length of [0, 1, 1_000, LARGEST]) {
      const content = random(length);
      const file = await open();
      await file.write(random(10));
      await file.write(content);
      assert.deepEqual(file.content, content);
      const again = (await open()).content ?? assert.fail();
      assert.deepEqual(Uint8Array.from(again), content);
    }
  });

  it('takes nothing longer, and keeps what it had', async () => {
    const file = await open();
    await file.write(utf8('kept'));
    await assert.rejects(file.write(new Uint8Array(LARGEST + 1)), { code: 'TOO_LARGE' });
    assert.deepEqual(file.content, utf8('kept'));
    assert.deepEqual((await open()).content, utf8('kept'));
  });

  it('shares the key file with the others of its directory', async () => {
    await (await open('one')).write(utf8('1'));
    const key = await readFile(join(directory, KEY_FILE), 'utf8');
    assert.match(key, /^[0-9a-f]{64}\n$/);
    await (await open('two')).write(utf8('2'));
    assert.equal(await readFile(join(directory, KEY_FILE), 'utf8'), key);
    assert.deepEqual((await open('one')).content, utf8('1'));
    assert.deepEqual((await open('two')).content, utf8('2'));
    assert.equal((await stat(join(directory, KEY_FILE))).mode & 0o777, 0o600);
  });

  it('does not open in a directory with another key', async () => {
    await (await open()).write(utf8('x'));
    const other = join(directory, 'other');
    await mkdir(other);
    await copyFile(join(directory, 'box'), join(other, 'box'));
    const elsewhere = { directory: other, random };
    await assert.rejects(SealedFile.open('box', elsewhere), { code: 'BAD_PASSPHRASE' });
    // A key of its own does not make it open.
    await (await SealedFile.open('new', elsewhere)).write(utf8('y'));
    await assert.rejects(SealedFile.open('box', elsewhere), { code: 'BAD_PASSPHRASE' });
  });

  it('differs each time, though it says the same', async () => {
    const file = await open();
    await file.write(utf8('same'));
    const before = await readFile(join(directory, 'box'));
    await file.write(utf8('same'));
    assert.notDeepEqual(await readFile(join(directory, 'box')), before);
  });

  it('under a passphrase is written under it again', async () => {
    const file = await open('box', 'sesame');
    await file.write(utf8('one'));
    await file.write(utf8('two'));
    await (await open('box', 'sesame')).write(utf8('three'));
    assert.deepEqual(await readdir(directory), ['box']);
    assert.deepEqual((await open('box', 'sesame')).content, utf8('three'));
    await assert.rejects(open('box', 'open'), { code: 'BAD_PASSPHRASE' });
    await assert.rejects(open('box'), { code: 'BAD_PASSPHRASE', message: /none was given/ });
  });

  describe('whose sum is right', () => {
    /** What anybody can write who can write the file. */
    const write = (body: Uint8Array): Promise<void> =>
      writeFile(join(directory, 'box'), concat(body, sha256(body)));
    const good = { clchat: 'box', version: 1, passphrase: null, box: random(60) };
    const damaged = { code: 'DATA_CORRUPT', message: /box is damaged/ };

    it('is damaged all the same when it is no such file', async () => {
      await (await open('key holder')).write(utf8(''));
      for (const wrong of [
        null,
        [],
        {},
        { ...good, clchat: 'keystore' },
        { ...good, version: 2 },
        { ...good, more: 1 },
        { ...good, box: 'text' },
        { ...good, box: new Uint8Array(LARGEST + 41) },
        { ...good, passphrase: 'sesame' },
      ]) {
        await write(encode(wrong));
        await assert.rejects(open(), damaged, JSON.stringify(wrong)?.slice(0, 100));
      }
      await write(concat(encode(good), Uint8Array.of(0)));
      await assert.rejects(open(), damaged);
      await write(encode(good));
      await assert.rejects(open(), { code: 'BAD_PASSPHRASE' });
    });

    it('cannot ask for endless work', async () => {
      for (const n of [1 << 19, 2 ** 30, 1, 1000]) {
        await write(encode({ ...good, passphrase: scryptOf(n, random(16)) }));
        await assert.rejects(open('box', 'sesame'), damaged);
      }
    });

    it('is never taken for anything, whatever its bytes are', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (body) => {
          await write(body);
          await assert.rejects(open(), damaged);
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('of one secret', () => {
    const secret = (initial?: () => Uint8Array): Promise<Uint8Array | undefined> =>
      openSecret('secret', { directory, random }, initial);

    it('is made once, where there is none', async () => {
      assert.equal(await secret(), undefined);
      const first = random(32);
      assert.deepEqual(await secret(() => first), first);
      assert.deepEqual(await secret(() => assert.fail('it is there')), first);
      assert.deepEqual(await secret(), first);
    });

    it('is 32 bytes, or damaged', async () => {
      for (const length of [0, 31, 33]) {
        await rm(join(directory, 'secret'), { force: true });
        await (await open('secret')).write(random(length));
        await assert.rejects(secret(), { code: 'DATA_CORRUPT', message: /secret is damaged/ });
      }
    });

    it('tells what is wrong with its file', async () => {
      await secret(() => random(32));
      await writeFile(join(directory, KEY_FILE), `${'0'.repeat(64)}\n`);
      const error: unknown = await secret().catch((reason: unknown) => reason);
      assert.equal(codeOf(error), 'BAD_PASSPHRASE');
    });
  });
});
