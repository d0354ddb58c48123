/** The sealed file of any length by itself; damage to a whole backup is in backup.test.ts. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { concat, sha256, utf8 } from '../../lib/crdt/bytes.ts';
import { encode } from '../../lib/crdt/codec.ts';
import { codeOf } from '../../lib/errors.ts';
import { scryptOf } from '../../lib/node/scrypt.ts';
import { openSealedStream, SealedWriter } from '../../lib/node/sealed-stream.ts';
import { flipped, mutated, truncated } from '../support/mutate.ts';
import { temporary } from '../support/temporary.ts';

const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
const MAGIC = 'test 1\n';
const CHUNK = 64 * 1024;
const COST = 1 << 10;

describe('a sealed stream', () => {
  const { newDirectory } = temporary();
  let path: string;
  beforeEach(async () => (path = join(await newDirectory(), 'file')));

  /** Seals the portions one after another. @returns the file */
  async function seal(portions: readonly Uint8Array[], passphrase = 'sesame'): Promise<Uint8Array> {
    const file = await open(path, 'w');
    const writer = await SealedWriter.create(file, MAGIC, passphrase, random, COST);
    for (const portion of portions) await writer.write(portion);
    await writer.finish();
    await file.close();
    return Uint8Array.from(await readFile(path));
  }

  /** What comes out of the file, and with what it ended. */
  async function read(
    bytes?: Uint8Array,
    { passphrase = 'sesame', magic = MAGIC } = {},
  ): Promise<{ content: Uint8Array; error: unknown }> {
    if (bytes !== undefined) await writeFile(path, bytes);
    const file = await open(path, 'r');
    const portions: Uint8Array[] = [];
    try {
      for await (const portion of await openSealedStream(file, magic, passphrase))
        portions.push(portion);
      return { content: Uint8Array.from(concat(...portions)), error: undefined };
    } catch (error) {
      return { content: Uint8Array.from(concat(...portions)), error };
    } finally {
      await file.close();
    }
  }

  /** Where the chunks begin. */
  const headOf = (bytes: Uint8Array): number =>
    MAGIC.length + 2 + Buffer.from(bytes).readUInt16BE(MAGIC.length) + 32;

  async function refused(
    bytes: Uint8Array,
    code = 'DATA_CORRUPT',
    options: Parameters<typeof read>[1] = {},
  ): Promise<void> {
    const { error } = await read(bytes, options);
    assert.equal(error === undefined ? 'it opened' : codeOf(error), code);
  }

  it('gives back what was written, of any length, whether chunks are full or not', async () => {
    for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 77]) {
      const content = random(length);
      await seal([content]);
      const { content: seen, error } = await read();
      assert.equal(error, undefined);
      assert.ok(Buffer.from(seen).equals(content), `${length} bytes`);
    }
  });

  it('is the same file however the content was cut when it was written', async () => {
    const content = random(3 * CHUNK);
    const cut = fc.oneof(fc.nat(100), fc.nat(CHUNK), fc.constantFrom(CHUNK, 2 * CHUNK, 0));
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { maxLength: 12 }), async (cuts) => {
        const portions: Uint8Array[] = [];
        let at = 0;
        for (const length of cuts) portions.push(content.subarray(at, (at += length)));
        portions.push(content.subarray(at));
        const bytes = await seal(portions);
        const { content: seen, error } = await read();
        assert.equal(error, undefined);
        assert.ok(Buffer.from(seen).equals(content));
        // Three full chunks with their tags, and no empty one.
        assert.equal(bytes.length - headOf(bytes), 3 * (CHUNK + 16));
      }),
      { numRuns: 25 },
    );
  });

  it('says what it is in the clear, and nothing else', async () => {
    const bytes = await seal([utf8('a secret text')]);
    assert.equal(Buffer.from(bytes).toString('latin1', 0, MAGIC.length), MAGIC);
    assert.equal(Buffer.from(bytes).includes('secret'), false);
    assert.notDeepEqual(await seal([utf8('a secret text')]), bytes);
  });

  it('opens under its passphrase alone, however that was typed', async () => {
    const bytes = await seal([utf8('x')], 'sésame');
    for (const passphrase of ['sesame', '', 'sésame '])
      await refused(bytes, 'BAD_PASSPHRASE', { passphrase });
    const { content } = await read(bytes, { passphrase: 'sésame'.normalize('NFD') });
    assert.deepEqual(content, utf8('x'));
  });

  it('is told from other files, those of its own kind with another magic included', async () => {
    const bytes = await seal([utf8('x')]);
    await refused(bytes, 'DATA_CORRUPT', { magic: 'test 2\n' });
    await refused(bytes, 'DATA_CORRUPT', { magic: 'test' });
    await refused(new Uint8Array());
    await refused(utf8(MAGIC));
    await refused(random(5_000));
  });

  it('is damaged wherever a bit is wrong, and wherever it ends too soon', async () => {
    const bytes = await seal([utf8('a few bytes')]);
    for (const wrong of flipped(bytes, 7)) await refused(wrong);
    for (const short of truncated(bytes, 3)) await refused(short);
    await refused(concat(bytes, Uint8Array.of(0)));
  });

  it('gives of a damaged file only what comes before the damage', async () => {
    const content = random(3 * CHUNK);
    const bytes = await seal([content]);
    const head = headOf(bytes);
    for (const chunk of [0, 1, 2]) {
      const wrong = Uint8Array.from(bytes);
      wrong[head + chunk * (CHUNK + 16) + 5]! ^= 1;
      const { content: seen, error } = await read(wrong);
      assert.equal(codeOf(error), 'DATA_CORRUPT');
      assert.ok(Buffer.from(seen).equals(content.subarray(0, chunk * CHUNK)), `chunk ${chunk}`);
    }
    // Whole chunks alone are not the whole file.
    const { error } = await read(bytes.subarray(0, head + 2 * (CHUNK + 16)));
    assert.equal(codeOf(error), 'DATA_CORRUPT');
  });

  it('does not open with its chunks in another order, though each is whole', async () => {
    const bytes = await seal([random(4 * CHUNK)]);
    const head = headOf(bytes);
    const chunk = (index: number): Uint8Array =>
      bytes.subarray(head + index * (CHUNK + 16), head + (index + 1) * (CHUNK + 16));
    const start = bytes.subarray(0, head);
    assert.equal((await read(concat(start, ...[0, 1, 2, 3].map(chunk)))).error, undefined);
    for (const order of [[1, 0, 2, 3], [0, 2, 1, 3], [0, 0, 2, 3], [0, 1, 3], [0, 1, 2], [3]])
      await refused(concat(start, ...order.map(chunk)));
  });

  it('never opens when its bytes are almost right', async () => {
    const bytes = await seal([random(300)]);
    await fc.assert(
      fc.asyncProperty(mutated([bytes]), async (wrong) => {
        fc.pre(!Buffer.from(wrong).equals(bytes));
        await refused(wrong);
      }),
      { numRuns: 100 },
    );
  });

  it('cannot ask for endless work, though the sum of its header is right', async () => {
    const header = (value: unknown): Uint8Array => {
      const body = encode(value);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(body.length);
      const head = concat(utf8(MAGIC), length, body);
      return concat(head, sha256(head), random(100));
    };
    const check = random(32);
    const good = { passphrase: scryptOf(COST, random(16)), check };
    await refused(header(good), 'BAD_PASSPHRASE');
    for (const n of [1 << 19, 2 ** 31, 1000, 0])
      await refused(header({ passphrase: scryptOf(n, random(16)), check }));
    for (const wrong of [null, {}, { ...good, check: random(31) }, { ...good, more: 1 }])
      await refused(header(wrong));
  });
});
