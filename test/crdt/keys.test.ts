import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { concat, fromHex, sha256, toHex, utf8 } from '../../lib/crdt/bytes.ts';
import {
  isPublicKey,
  openWith,
  SealingKey,
  sealTo,
  sealWith,
  SigningKey,
  verify,
  type PublicKey,
} from '../../lib/crdt/keys.ts';
import { flipped } from '../support/mutate.ts';

const seed = (name: string): Uint8Array => Uint8Array.from(sha256(utf8(name)));
const message = utf8('a message');

describe('keys', () => {
  describe('that sign', () => {
    const key = new SigningKey(seed('alice'));

    it('have the public key of RFC 8032', () => {
      const rfc = new SigningKey(
        fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
      );
      assert.equal(rfc.public, 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
      assert.ok(isPublicKey(rfc.public));
    });

    it('verify what they signed, under its tag only', () => {
      const signature = key.sign('tag', message);
      assert.equal(signature.length, 64);
      assert.ok(verify(key.public, 'tag', message, signature));
      assert.equal(verify(key.public, 'other', message, signature), false);
      assert.equal(verify(new SigningKey(seed('bob')).public, 'tag', message, signature), false);
      // The tag ends where it ends: no byte moves from the message into it.
      const moved = key.sign('tag', concat(utf8('x'), message));
      assert.equal(verify(key.public, 'tag\0x', message, moved), false);
    });

    it('verify nothing that was altered', () => {
      const signature = key.sign('tag', message);
      for (const bytes of flipped(message)) assert.ok(!verify(key.public, 'tag', bytes, signature));
      for (const bytes of flipped(signature, 3))
        assert.ok(!verify(key.public, 'tag', message, bytes));
    });

    it('accept nothing for which there is no secret: keys and signatures of points of small order', () => {
      const identity = fromHex(`01${'00'.repeat(31)}`);
      // R and A the identity, S zero: the equation holds for every message.
      const zero = concat(identity, new Uint8Array(32));
      assert.equal(verify(toHex(identity) as PublicKey, 'tag', message, zero), false);
      for (const y of [
        '00'.repeat(32),
        `ec${'ff'.repeat(30)}7f`,
        // The same points written otherwise: with the sign of zero, and beyond the field.
        `01${'00'.repeat(30)}80`,
        `ee${'ff'.repeat(30)}7f`,
        `ed${'ff'.repeat(30)}ff`,
      ])
        assert.equal(
          verify(y as PublicKey, 'tag', message, concat(identity, new Uint8Array(32))),
          false,
        );
      // Of an honest key, with a nonce of zero: R is the identity.
      assert.equal(verify(key.public, 'tag', message, zero), false);
    });

    it('make a verdict and no fault of any key and signature', () => {
      const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
      fc.assert(
        fc.property(hex, fc.uint8Array({ maxLength: 70 }), (other, signature) => {
          assert.equal(verify(other as PublicKey, 'tag', message, signature), false);
        }),
        { numRuns: 200 },
      );
      const long = new Uint8Array(64);
      for (const malformed of ['', 'zz', 'f'.repeat(64), '0'.repeat(64), '\u{1f642}'])
        assert.equal(verify(malformed as PublicKey, 'tag', message, long), false);
    });

    it('are refused where the seed has not 32 bytes', () => {
      for (const length of [0, 31, 33])
        assert.throws(() => new SigningKey(new Uint8Array(length)), { code: 'DATA_CORRUPT' });
    });

    it('are told from what is none', () => {
      for (const other of [undefined, 7, '', 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(64)}\n`])
        assert.equal(isPublicKey(other), false);
    });
  });

  describe('that seal', () => {
    const key = new SealingKey(seed('box'));
    const secret = seed('secret');

    it('open what was sealed to them, with an overhead of 48 bytes', () => {
      for (const length of [0, 1, 32, 1_000]) {
        const plain = randomBytes(length);
        const box = sealTo(key.public, plain, randomBytes);
        assert.equal(box.length, length + 48);
        assert.equal(toHex(key.open(box) ?? assert.fail()), toHex(plain));
      }
    });

    it('open nothing that was sealed to another or altered', () => {
      const box = sealTo(key.public, secret, randomBytes);
      assert.equal(new SealingKey(seed('other')).open(box), undefined);
      for (const bytes of flipped(box, 31)) {
        // X25519 ignores the topmost bit of a public key.
        if ((bytes[31]! ^ box[31]!) === 0x80) continue;
        assert.equal(key.open(bytes), undefined);
      }
      for (let length = 0; length < box.length; length += 7)
        assert.equal(key.open(box.subarray(0, length)), undefined);
    });

    it('never make the same box twice', () => {
      const boxes = Array.from({ length: 5 }, () => toHex(sealTo(key.public, secret, randomBytes)));
      assert.equal(new Set(boxes).size, 5);
    });

    it('survive any bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          assert.equal(key.open(bytes), undefined);
          assert.equal(openWith(secret, bytes), undefined);
        }),
        { numRuns: 50 },
      );
    });

    it('that are symmetric open under the same key and unaltered only', () => {
      const box = sealWith(secret, message, randomBytes);
      assert.equal(box.length, message.length + 40);
      assert.equal(toHex(openWith(secret, box) ?? assert.fail()), toHex(message));
      assert.equal(openWith(seed('other'), box), undefined);
      for (const bytes of flipped(box)) assert.equal(openWith(secret, bytes), undefined);
    });
  });
});
