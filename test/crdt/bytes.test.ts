import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concat, equal, fromHex, sha256, toHex, utf8 } from '../../lib/crdt/bytes.ts';

describe('bytes', () => {
  it('turn into hexadecimal digits and back, views of larger buffers too', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(5), (bytes, before) => {
        const larger = new Uint8Array(before + bytes.length + 3);
        larger.set(bytes, before);
        const hex = toHex(larger.subarray(before, before + bytes.length));
        assert.match(hex, /^(?:[0-9a-f]{2})*$/);
        assert.ok(equal(fromHex(hex), bytes));
      }),
    );
    assert.equal(toHex(Uint8Array.of(0, 15, 255)), '000fff');
  });

  it('are joined in order', () => {
    assert.equal(toHex(concat()), '');
    assert.equal(toHex(concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))), '010203');
  });

  it('are equal when length and content are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 4, max: 1 }),
        fc.uint8Array({ maxLength: 4, max: 1 }),
        (a, b) => assert.equal(equal(a, b), a.join() === b.join()),
      ),
    );
  });

  it('are hashed as if they were joined', () => {
    // FIPS 180-2
    assert.equal(
      toHex(sha256(utf8('abc'))),
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    assert.equal(toHex(sha256(utf8('a'), utf8('bc'))), toHex(sha256(utf8('abc'))));
  });
});
