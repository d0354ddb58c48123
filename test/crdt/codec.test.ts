import assert from 'node:assert/strict';
import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import * as v from 'valibot';
import { fromHex, toHex, utf8 } from '../../lib/crdt/bytes.ts';
import { decode, encode, MAX_DEPTH, parse } from '../../lib/crdt/codec.ts';
import { ClchatError, codeOf } from '../../lib/errors.ts';

const refused = { name: 'ClchatError', code: 'BAD_MESSAGE' };

/** Plain data as the codec takes it, with nothing that has two encodings. */
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value;

describe('codec', () => {
  it('encodes to the bytes of the standard', () => {
    for (const [value, hex] of [
      [0, '00'],
      [23, '17'],
      [24, '1818'],
      [1_000_000, '1a000f4240'],
      [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
      [Number.MIN_SAFE_INTEGER, '3b001ffffffffffffe'],
      [-1, '20'],
      [1.5, 'fb3ff8000000000000'],
      [false, 'f4'],
      [null, 'f6'],
      ['ü', '62c3bc'],
      [Uint8Array.of(1, 2), '420102'],
      [[1, [2]], '82018102'],
      // Keys in order of length, then of bytes, however the object was made.
      [{ bb: 1, a: 2, c: 3 }, 'a361610261630362626201'],
    ] as const) {
      assert.equal(toHex(encode(value)), hex);
      assert.deepEqual(decode(fromHex(hex), { canonical: true }), value);
    }
  });

  it('gives back every plain value and encodes it to the same bytes', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = encode(value);
        const back = decode(bytes, { canonical: true });
        assert.deepEqual(back, value);
        assert.deepEqual(encode(back), bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('gives plain byte arrays whatever kind the input is', () => {
    const bytes = decode(Buffer.from(encode({ b: Uint8Array.of(7) }))) as { b: unknown };
    assert.equal(Object.getPrototypeOf(bytes.b), Uint8Array.prototype);
  });

  it('encodes no undefined, no function and no cycle', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const value of [undefined, { a: undefined }, () => 1, NaN, Infinity, cycle])
      assert.throws(() => encode(value), { code: 'INTERNAL' });
  });

  it('refuses what the standard allows but we do not send', () => {
    for (const [what, hex] of [
      ['nothing', ''],
      ['two values', '0000'],
      ['undefined', 'f7'],
      ['simple value', 'f820'],
      ['half float', 'f93c00'],
      ['NaN', 'fb7ff8000000000000'],
      ['a tag', 'c11a514b67b0'],
      ['a content id', 'd82a4100'],
      ['indefinite text', '7f6161ff'],
      ['indefinite array', '9f01ff'],
      ['break', 'ff'],
      ['a reserved head', '1c'],
      ['a number as key', 'a10102'],
      ['bytes as key', 'a1410102'],
      ['a key twice', 'a2616101616102'],
      ['a longer head than needed', '1817'],
      ['a number out of range', '1b0020000000000000'],
      ['a negative number out of range', '3b001fffffffffffff'],
      ['text that is not UTF-8', '62ff00'],
      ['a surrogate', '63eda080'],
      ['the prototype key', `a1${toHex(encode('__proto__'))}a0`],
      ['a cut string', '63c3bc'],
      ['a cut float', 'fb3ff8'],
      ['a cut array', '8301'],
      ['a cut map', 'a16161'],
      ['a promise of 2^53 items', '9b001fffffffffffff'],
      ['a promise of 2^53 bytes', '5b001fffffffffffff'],
    ] as const)
      assert.throws(() => decode(fromHex(hex)), refused, what);
  });

  it('bounds the depth', () => {
    const nested = (depth: number, close: string): Uint8Array =>
      fromHex('81'.repeat(depth) + close);
    assert.ok(Array.isArray(decode(nested(MAX_DEPTH, '00'))));
    assert.throws(() => decode(nested(MAX_DEPTH + 1, '00')), refused);
    assert.throws(() => decode(nested(1 << 19, '00')), refused);
    assert.ok(Array.isArray(decode(fromHex('80'))));
  });

  it('bounds the size', () => {
    const bytes = encode(new Uint8Array(100));
    assert.throws(() => decode(bytes, { maxBytes: 100 }), refused);
    assert.ok(decode(bytes, { maxBytes: 102 }) instanceof Uint8Array);
    assert.throws(() => decode(encode(new Uint8Array(1 << 20))), refused);
  });

  it('decodes other orders of keys only where it need not be canonical', () => {
    const unordered = fromHex('a2626262016161f6');
    assert.deepEqual(decode(unordered), { bb: 1, a: null });
    assert.throws(() => decode(unordered, { canonical: true }), refused);
    assert.throws(() => decode(fromHex('fb8000000000000000'), { canonical: true }), refused);
  });

  it('reads what another decoder of the standard reads, and as that reads it', () => {
    const altered = fc
      .tuple(plain, fc.nat(), fc.nat(255))
      .map(([value, at, byte]) =>
        encode(value).map((b, i, all) => (i === at % all.length ? byte : b)),
      );
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(altered, fc.uint8Array({ maxLength: 12 })), (bytes) => {
        let value: unknown;
        try {
          value = decode(bytes);
        } catch {
          return;
        }
        read++;
        assert.deepEqual(dagCbor.decode(bytes), value);
        assert.deepEqual(decode(bytes, { views: true }), value);
      }),
      { numRuns: 5_000 },
    );
    assert.ok(read > 500, `${read} were read`);
  });

  it('copies byte arrays, or gives views of the input where told to', () => {
    const bytes = encode([Uint8Array.of(1, 2, 3)]);
    const [copy] = decode(bytes) as [Uint8Array];
    const [view] = decode(bytes, { views: true }) as [Uint8Array];
    bytes.fill(0);
    assert.deepEqual([...copy], [1, 2, 3]);
    assert.deepEqual([...view], [0, 0, 0]);
  });

  it('survives any bytes', () => {
    const check = (bytes: Uint8Array): void => {
      let value;
      try {
        value = decode(bytes, { canonical: true });
      } catch (error) {
        assert.equal(codeOf(error), 'BAD_MESSAGE');
        return;
      }
      assert.deepEqual(encode(value), Uint8Array.from(bytes));
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), check), { numRuns: 3000 });
    // Valid encodings with a few bytes altered get past the first checks.
    fc.assert(
      fc.property(
        plain,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
        (value, changes) => {
          const bytes = Uint8Array.from(encode(value));
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          check(bytes);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is linear: a hostile megabyte costs no more than an honest one', () => {
    for (const byte of [0x80, 0xa0, 0x00, 0x60]) {
      // An array that holds as many one-byte items as fit.
      const bytes = new Uint8Array(1 << 20).fill(byte);
      bytes.set([0x9a, 0x00, 0x0f, 0xff, 0xfb]);
      const began = performance.now();
      const items = decode(bytes) as unknown[];
      assert.equal(items.length, (1 << 20) - 5);
      assert.ok(performance.now() - began < 3_000);
    }
  });

  describe('parse', () => {
    const schema = v.strictObject({ name: v.string(), secret: v.optional(v.number()) });

    it('gives the validated value', () => {
      assert.deepEqual(parse(schema, encode({ name: 'x', secret: 3 })), { name: 'x', secret: 3 });
    });

    it('refuses what does not fit, and repeats nothing of it', () => {
      assert.throws(
        () => parse(schema, encode({ name: 'x', secret: 'hunter2' })),
        (error: unknown) =>
          error instanceof ClchatError &&
          error.code === 'BAD_MESSAGE' &&
          error.message.includes('secret') &&
          !error.message.includes('hunter2'),
      );
      assert.throws(() => parse(schema, encode({ name: 'x', more: 1 })), refused);
      assert.throws(() => parse(schema, utf8('GET / HTTP/1.1')), refused);
    });
  });
});
