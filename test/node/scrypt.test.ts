import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import fc from 'fast-check';
import { toHex, utf8 } from '../../lib/crdt/bytes.ts';
import { encode, parse } from '../../lib/crdt/codec.ts';
import { codeOf } from '../../lib/errors.ts';
import { scrypt, scryptOf, scryptParameters } from '../../lib/node/scrypt.ts';

const salt = utf8('sixteen bytes...');

describe('keys from passphrases', () => {
  it('are those of the standard', async () => {
    // A sample of RFC 7914, of whose 64 bytes the first 32 do not depend on the length.
    const sample = { n: 16384, r: 8, p: 1, salt: utf8('SodiumChloride') } as const;
    assert.equal(
      toHex(await scrypt('pleaseletmein', sample)),
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2',
    );
  });

  it('come from letters, however they were typed, and from nothing else', async () => {
    const parameters = scryptOf(1 << 10, salt);
    const key = await scrypt('Zoë', parameters);
    assert.equal(key.length, 32);
    assert.equal(key.constructor, Uint8Array);
    assert.deepEqual(await scrypt('Zoe\u0308', parameters), key);
    for (const other of ['Zoe', 'zoë', 'Zoë ', ''])
      assert.notDeepEqual(await scrypt(other, parameters), key);
  });

  it('differ by salt and by cost', async () => {
    const keys = await Promise.all([
      scrypt('x', scryptOf(1 << 10, salt)),
      scrypt('x', scryptOf(1 << 11, salt)),
      scrypt('x', scryptOf(1 << 10, utf8('another sixteen.'))),
    ]);
    assert.equal(new Set(keys.map(toHex)).size, 3);
    const own = scryptSync('x', salt, 32, { N: 1 << 10, r: 8, p: 1 });
    assert.equal(toHex(keys[0]), toHex(own));
  });

  it('can be made at the highest cost that a file may ask for', async () => {
    const parameters = parse(scryptParameters, encode(scryptOf(1 << 18, salt)));
    assert.equal((await scrypt('x', parameters)).length, 32);
  });

  it('do not hold up what else there is to do', async () => {
    let turns = 0;
    let working = true;
    const key = scrypt('x', scryptOf(1 << 15, salt)).finally(() => (working = false));
    while (working) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    await key;
    assert.ok(turns > 3, `${turns} turns`);
  });
});

describe('parameters of a key, read from a file', () => {
  const read = (value: unknown): unknown => parse(scryptParameters, encode(value));
  const good = scryptOf(1 << 15, salt);

  it('are what was written', () => {
    for (let cost = 10; cost <= 18; cost++)
      assert.deepEqual(read(scryptOf(2 ** cost, salt)), { n: 2 ** cost, r: 8, p: 1, salt });
  });

  it('ask for no more work than is bearable, and for no less than protects', () => {
    for (const n of [
      0,
      1,
      2,
      512,
      1023,
      1024.0000000000002,
      1025,
      3 << 10,
      1 << 19,
      2 ** 31,
      2 ** 40,
      -1024,
      0.5,
    ])
      assert.throws(() => read({ ...good, n }), { code: 'BAD_MESSAGE' }, `${n}`);
    for (const r of [1, 7, 9, 1024]) assert.throws(() => read({ ...good, r }));
    for (const p of [0, 2, 1 << 20]) assert.throws(() => read({ ...good, p }));
    for (const length of [0, 15, 17, 1000])
      assert.throws(() => read({ ...good, salt: new Uint8Array(length) }));
    assert.throws(() => read({ ...good, maxmem: 1 }));
  });

  it('are refused as such, whatever is there', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          n: fc.oneof(fc.integer(), fc.constant('32768')),
          r: fc.integer(),
          p: fc.integer(),
          salt: fc.oneof(fc.uint8Array(), fc.string()),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(value, (parameters) => {
        assert.throws(
          () => read(parameters),
          (error) => ['BAD_MESSAGE', 'INTERNAL'].includes(codeOf(error)),
        );
      }),
    );
  });
});
