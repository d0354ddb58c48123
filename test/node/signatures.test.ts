import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toHex, utf8 } from '../../lib/crdt/bytes.ts';
import { SigningKey, verify, type PublicKey } from '../../lib/crdt/keys.ts';
import { quickVerify } from '../../lib/node/signatures.ts';
import { flipped } from '../support/mutate.ts';
import { Random } from '../simulation/random.ts';

const random = new Random(7).bytes;

describe('signatures verified the quicker way', () => {
  const quick = quickVerify();
  const key = new SigningKey(random(32));
  const message = utf8('a message');

  it('are verified by libsodium where the tests run, and it is loaded once', () => {
    assert.notEqual(quick, verify);
    assert.equal(quickVerify(), quick);
  });

  it('have the verdict of the other way, whatever was altered', () => {
    const signature = key.sign('tag', message);
    const other = new SigningKey(random(32)).public;
    assert.ok(quick(key.public, 'tag', message, signature));
    assert.ok(!quick(key.public, 'tags', message, signature));
    assert.ok(!quick(other, 'tag', message, signature));
    for (const bytes of flipped(message)) assert.ok(!quick(key.public, 'tag', bytes, signature));
    for (const bytes of flipped(signature, 3))
      assert.equal(
        quick(key.public, 'tag', message, bytes),
        verify(key.public, 'tag', message, bytes),
      );
  });

  it('are those of all lengths, as views of larger bytes', () => {
    const buffer = random(5_000);
    for (const length of [0, 1, 31, 32, 33, 1_000, 4_000]) {
      const bytes = buffer.subarray(7, 7 + length);
      const signature = Uint8Array.of(0, ...key.sign('tag', bytes)).subarray(1);
      assert.ok(quick(key.public, 'tag', bytes, signature));
    }
  });

  it('have a verdict and no fault for any key and signature', () => {
    const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
    fc.assert(
      fc.property(hex, fc.uint8Array({ maxLength: 70 }), (any, signature) => {
        assert.equal(quick(any as PublicKey, 'tag', message, signature), false);
      }),
    );
    for (const malformed of ['', 'zz', 'f'.repeat(64), 'F'.repeat(64), '0'.repeat(64)])
      assert.equal(quick(malformed as PublicKey, 'tag', message, new Uint8Array(64)), false);
  });
});
