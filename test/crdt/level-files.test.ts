import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { utf8 } from '../../lib/crdt/bytes.ts';
import { crc32c, isDamagedLog, isSoundTable, parseTables } from '../../lib/crdt/level-files.ts';
import { openLevelStore } from '../../lib/crdt/store-level.ts';
import { put } from '../support/store-contract.ts';
import { temporary } from '../support/temporary.ts';

describe('files of LevelDB', () => {
  const { newDirectory } = temporary();
  /** A log of many records of all sizes, and the table it became. */
  let log: Uint8Array;
  let table: Uint8Array;
  /** Where the last record begins. */
  let last: number;

  beforeEach(async () => {
    const directory = await newDirectory();
    const read = async (ending: string): Promise<Uint8Array> => {
      const name = (await readdir(directory)).find((file) => file.endsWith(ending));
      return Uint8Array.from(await readFile(join(directory, name ?? '')));
    };
    let store = await openLevelStore(directory, { create: true });
    for (const [i, size] of [10, 1000, 3000, 40_000, 7, 100_000, 500, 30_000, 20, 9000].entries()) {
      if (i === 9) last = (await read('.log')).length;
      const value = new Uint8Array(size).map((_, at) => 1 + ((at * 7 + i) % 255));
      await store.write([put(`key/${i}`, value)], { sync: true });
    }
    await store.close();
    log = await read('.log');
    store = await openLevelStore(directory, { create: false });
    await store.close();
    table = await read('.ldb');
  });

  it('has the checksum of the standard', () => {
    const digits = utf8('x123456789');
    assert.equal(crc32c(digits, 1, digits.length), 0xe3069283);
    assert.equal(crc32c(new Uint8Array(32), 0, 32), 0x8a9136aa);
  });

  it('is sound as LevelDB leaves it', () => {
    assert.equal(isDamagedLog(log), false);
    assert.equal(isSoundTable(table), true);
  });

  it('is not damaged where a crash cut the log short', () => {
    for (let length = 0; length < log.length; length += length < 2000 ? 1 : 379)
      assert.equal(isDamagedLog(log.subarray(0, length)), false, `cut at ${length}`);
  });

  it('is not damaged where sectors had not been written yet', () => {
    const sectors = Math.floor(log.length / 512);
    for (let from = 0; from < sectors; from += 23)
      for (const until of [from + 1, from + 8, sectors + 1]) {
        const torn = Uint8Array.from(log);
        torn.fill(0, from * 512, until * 512);
        assert.equal(isDamagedLog(torn), false, `sectors ${from} to ${until}`);
      }
  });

  it('is damaged wherever else a byte of a whole record is wrong', () => {
    fc.assert(
      fc.property(fc.nat(last - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        // The last bytes of a block that hold no record mean nothing.
        fc.pre(log.subarray(at - (at % 8), at - (at % 8) + 8).some((byte) => byte !== 0));
        const altered = Uint8Array.from(log);
        altered[at] = (altered[at] ?? 0) ^ change;
        assert.equal(isDamagedLog(altered), true, `at ${at} of ${log.length}`);
      }),
      { numRuns: 300 },
    );
  });

  it('is damaged where a record was overwritten with zeros, though not a whole sector', () => {
    for (const at of [0, 50, 1200, 5000, last - 400]) {
      const altered = Uint8Array.from(log);
      altered.fill(0, at, at + 200);
      assert.equal(isDamagedLog(altered), true, `at ${at}`);
    }
  });

  it('is an unsound table wherever a byte is wrong', () => {
    // Bytes between the index places and the magic number mean nothing.
    const padding = { from: table.length - 48 + 6, until: table.length - 8 };
    fc.assert(
      fc.property(fc.nat(table.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        fc.pre(at < padding.from || at >= padding.until);
        const altered = Uint8Array.from(table);
        altered[at] = (altered[at] ?? 0) ^ change;
        assert.equal(isSoundTable(altered), false, `at ${at} of ${table.length}`);
      }),
      { numRuns: 200 },
    );
    for (let length = 0; length < table.length; length += 997)
      assert.equal(isSoundTable(table.subarray(0, length)), false);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, asTable) => {
        if (asTable && bytes.length >= 48) bytes.set(table.subarray(-8), bytes.length - 8);
        assert.equal(typeof isDamagedLog(bytes), 'boolean');
        assert.equal(isSoundTable(bytes), false);
      }),
      { numRuns: 2000 },
    );
    const noise = new Uint8Array(1 << 20).map((_, at) => (at * 31) % 6);
    const began = performance.now();
    isDamagedLog(noise);
    assert.ok(performance.now() - began < 2_000);
  });

  it('reads the list of tables', () => {
    const listing = [
      '--- level 0 ---',
      " 12:345['a b' @ 7 : 1 .. 'k'4' @ 5 : 0]",
      '--- level 1 ---',
      '--- level 2 ---',
      " 5:220['k0' @ 1 : 1 .. 'k4' @ 18446744073709551615 : 1]",
      '',
    ].join('\n');
    assert.deepEqual(parseTables(listing), [
      { number: 12, level: 0, size: 345, first: 'a b', last: "k'4" },
      { number: 5, level: 2, size: 220, first: 'k0', last: 'k4' },
    ]);
  });
});
