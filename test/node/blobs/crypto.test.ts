import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  blobSize,
  newFileKey,
  openChunk,
  plainChunkSize,
  plainSize,
  sealChunk,
} from '../../../lib/node/blobs/crypto.ts';
import { CHUNK_SIZE } from '../../../lib/node/blobs/manifest.ts';
import { flipped, truncated } from '../../support/mutate.ts';
import { content, random } from './stage.ts';

describe('a sealed file', () => {
  const key = content(32);
  const closed = { code: 'BAD_MESSAGE' };

  it('opens chunk by chunk, by its own key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20_000), (plain, index) => {
        const chunk = sealChunk(key, index, 20_001, plain);
        assert.equal(chunk.length, plain.length + 16);
        assert.deepEqual(Uint8Array.from(openChunk(key, index, 20_001, chunk)), plain);
        assert.throws(() => openChunk(newFileKey(random), index, 20_001, chunk), closed);
      }),
    );
    const whole = content(plainChunkSize(true));
    assert.equal(sealChunk(key, 0, 1, whole).length, CHUNK_SIZE);
  });

  it('does not open where anything was altered, moved or cut off', () => {
    const chunk = sealChunk(key, 3, 9, content(40));
    for (const wrong of [...flipped(chunk), ...truncated(chunk)])
      assert.throws(() => openChunk(key, 3, 9, wrong), closed);
    for (const index of [0, 2, 4]) assert.throws(() => openChunk(key, index, 9, chunk), closed);
    for (const count of [4, 8, 10]) assert.throws(() => openChunk(key, 3, count, chunk), closed);
  });

  it('never seals two chunks alike', () => {
    const chunks = [0, 1, 255, 256, 65_536].map((index) =>
      sealChunk(key, index, 70_000, content(64)),
    );
    const other = sealChunk(newFileKey(random), 0, 70_000, content(64));
    const heads = [...chunks, other].map((chunk) =>
      Buffer.from(chunk.subarray(0, 16)).toString('hex'),
    );
    assert.equal(new Set(heads).size, heads.length);
  });

  it('is as long as it is said to be', () => {
    const plain = plainChunkSize(true);
    assert.equal(plainChunkSize(false), CHUNK_SIZE);
    for (const [size, chunks] of [
      [0, 0],
      [1, 1],
      [plain, 1],
      [plain + 1, 2],
      [5 * plain, 5],
    ] as const) {
      assert.equal(blobSize(size, true), size + 16 * chunks);
      assert.equal(blobSize(size, false), size);
      assert.equal(plainSize(blobSize(size, true)), size);
      assert.ok(plainSize(blobSize(size, false)) <= size);
    }
  });

  it('has a key of its own', () => {
    assert.equal(newFileKey(random).length, 32);
    assert.notDeepEqual(newFileKey(random), newFileKey(random));
  });
});
