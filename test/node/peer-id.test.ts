import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import fc from 'fast-check';
import type { PublicKey } from '../../lib/crdt/keys.ts';
import { keyOfPeerId, peerIdOf } from '../../lib/node/peer-id.ts';

const toKey = (bytes: Uint8Array): PublicKey => Buffer.from(bytes).toString('hex') as PublicKey;

describe('peer id', () => {
  it('is what libp2p makes of the key', () => {
    for (let i = 0; i < 50; i++) {
      const raw = randomBytes(32);
      assert.equal(peerIdOf(toKey(raw)), peerIdFromPublicKey(publicKeyFromRaw(raw)).toString());
    }
  });

  it('gives back the key, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (raw) => {
        const id = peerIdOf(toKey(raw));
        assert.equal(id.length, 52);
        assert.equal(keyOfPeerId(id), toKey(raw));
      }),
    );
    for (const byte of [0, 255]) {
      const key = toKey(new Uint8Array(32).fill(byte));
      assert.equal(keyOfPeerId(peerIdOf(key)), key);
    }
  });

  it('is not made of anything else', () => {
    const id = peerIdOf(toKey(randomBytes(32)));
    const others = ['', id.slice(1), `${id}1`, ` ${id}`, id.replace('12D3KooW', '12D3KooX')];
    others.push('QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', id.replace(/.$/, '0'));
    others.push(`12D3KooW${'z'.repeat(44)}`, `${id}\n`);
    for (const other of others) assert.equal(keyOfPeerId(other), undefined, other);
    fc.assert(fc.property(fc.string(), (text) => keyOfPeerId(text) === undefined));
  });
});
