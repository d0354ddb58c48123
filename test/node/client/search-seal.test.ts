import assert from 'node:assert/strict';
import { equal, utf8 } from '../../../lib/crdt/bytes.ts';
import { SearchSeal } from '../../../lib/node/client/search-seal.ts';

describe('the seal of the search index', () => {
  const seal = new SearchSeal(new Uint8Array(32).fill(1));
  const other = new SearchSeal(new Uint8Array(32).fill(2));
  const value = utf8('what nobody is to read');

  it('opens what was sealed, under the same key and at the same place', () => {
    const box = seal.seal('x!1', value);
    assert.ok(equal(seal.open('x!1', box), value));
    assert.ok(!Buffer.from(box).includes('nobody'));
    assert.throws(() => seal.open('x!2', box), { code: 'DATA_CORRUPT' });
    assert.throws(() => other.open('x!1', box), { code: 'DATA_CORRUPT' });
  });

  it('opens nothing that was altered or cut off', () => {
    const box = seal.seal('x!1', value);
    for (let at = 0; at < box.length; at++) {
      const altered = Uint8Array.from(box);
      altered[at]! ^= 1;
      assert.throws(() => seal.open('x!1', altered), { code: 'DATA_CORRUPT' }, `${at}`);
      assert.throws(() => seal.open('x!1', box.subarray(0, at)), { code: 'DATA_CORRUPT' });
    }
  });

  it('has another nonce for every value and every place', () => {
    const nonce = (key: string, content: Uint8Array): string =>
      Buffer.from(seal.seal(key, content).subarray(0, 12)).toString('hex');
    const nonces = [
      nonce('x!1', value),
      nonce('x!1', utf8('another value')),
      nonce('x!1', new Uint8Array()),
      nonce('x!2', value),
      // The same bytes, divided otherwise.
      nonce('x!', utf8('1\0what nobody is to read')),
    ];
    assert.equal(new Set(nonces).size, nonces.length);
    assert.equal(nonce('x!1', value), nonces[0]);
  });

  it('knows words by hashes that only the key gives', () => {
    const hash = seal.hash('cucumber');
    assert.ok(Number.isSafeInteger(hash) && hash >= 0 && hash < 2 ** 48);
    assert.equal(new SearchSeal(new Uint8Array(32).fill(1)).hash('cucumber'), hash);
    assert.notEqual(other.hash('cucumber'), hash);
    assert.notEqual(seal.hash('cucumbers'), hash);
  });

  it('knows very many words', () => {
    const first = seal.hash('word 0');
    for (let n = 0; n < 70_000; n++) seal.hash(`word ${n}`);
    assert.equal(seal.hash('word 0'), first);
  });
});
