import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encode } from '../../../lib/crdt/codec.ts';
import { codeOf } from '../../../lib/errors.ts';
import { LOBBY_STREAM, roomStream } from '../../../lib/crdt/stream.ts';
import {
  chunkCount,
  CHUNK_SIZE,
  Manifest,
  manifestLength,
  MAX_CHUNKS,
  MAX_MANIFEST,
  toBlobHash,
} from '../../../lib/node/blobs/manifest.ts';
import { MAX_FRAME } from '../../../lib/node/channel.ts';
import { flipped, mutated, truncated } from '../../support/mutate.ts';
import { blobOf, content, cut } from './stage.ts';

const hashes = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => content(32, index));

describe('a manifest', () => {
  it('is read as it was made, and named by the hash of its bytes', () => {
    for (const size of [0, 1, 255, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 40 * CHUNK_SIZE]) {
      const made = Manifest.of(LOBBY_STREAM, size, hashes(chunkCount(size)));
      const read = Manifest.read(made.bytes);
      assert.equal(read.size, size);
      assert.equal(read.count, chunkCount(size));
      assert.equal(read.hash, made.hash);
      assert.match(read.hash, /^[0-9a-f]{64}$/);
      assert.equal(toBlobHash(Uint8Array.from(Buffer.from(read.hash, 'hex'))), read.hash);
    }
  });

  it('is of one conversation, as everybody can tell who knows that', () => {
    const other = roomStream('1'.repeat(32));
    const [made, elsewhere] = [LOBBY_STREAM, other].map((stream) =>
      Manifest.of(stream, 3, hashes(1)),
    ) as [Manifest, Manifest];
    assert.notEqual(made.hash, elsewhere.hash);
    for (const manifest of [made, Manifest.read(made.bytes)])
      assert.deepEqual([manifest.isOf(LOBBY_STREAM), manifest.isOf(other)], [true, false]);
    assert.deepEqual([elsewhere.isOf(LOBBY_STREAM), elsewhere.isOf(other)], [false, true]);
  });

  it('says before its chunks are known how long it will be', () => {
    for (const size of [0, 23, 24, 255, 256, 65_535, 65_536, 300 * CHUNK_SIZE, 2 ** 32])
      assert.equal(
        manifestLength(size),
        Manifest.of(LOBBY_STREAM, size, hashes(chunkCount(size))).bytes.length,
      );
  });

  it('goes into a frame whatever it is of', () => {
    const largest = Manifest.of(LOBBY_STREAM, MAX_CHUNKS * CHUNK_SIZE, hashes(MAX_CHUNKS));
    assert.ok(largest.bytes.length <= MAX_MANIFEST);
    assert.ok(MAX_MANIFEST < MAX_FRAME - 1_000);
    assert.equal(Manifest.read(largest.bytes).count, MAX_CHUNKS);
    assert.throws(() => chunkCount(MAX_CHUNKS * CHUNK_SIZE + 1), { code: 'TOO_LARGE' });
  });

  it('knows its chunks, each at its place only', () => {
    const { manifest, chunks } = blobOf(3);
    for (const [index, chunk] of chunks.entries()) {
      assert.ok(manifest.fits(index, chunk));
      assert.equal(manifest.lengthOf(index), chunk.length);
      assert.ok(!manifest.fits((index + 1) % chunks.length, chunk));
      for (const wrong of [...flipped(chunk, 300_007), chunk.subarray(1), new Uint8Array()])
        assert.ok(!manifest.fits(index, wrong));
    }
    assert.ok(!manifest.fits(4, chunks[3]!));
    assert.ok(!manifest.fits(9, chunks[0]!));
    assert.ok(!cut(new Uint8Array()).manifest.fits(0, new Uint8Array()));
  });

  it('is refused where it does not add up', () => {
    const hash = content(32);
    for (const wrong of [
      null,
      [],
      [1, 0, CHUNK_SIZE],
      [2, 1, CHUNK_SIZE, [hash]],
      [1, 1, CHUNK_SIZE, []],
      [1, 0, CHUNK_SIZE, [hash]],
      [1, CHUNK_SIZE + 1, CHUNK_SIZE, [hash]],
      [1, 1, CHUNK_SIZE / 2, [hash]],
      [1, -1, CHUNK_SIZE, []],
      [1, 0.5, CHUNK_SIZE, [hash]],
      [1, 1, CHUNK_SIZE, [hash.subarray(1)]],
      [1, 1, CHUNK_SIZE, ['x'.repeat(32)]],
      [1, 1, CHUNK_SIZE, [hash], 0],
      [1, Number.MAX_SAFE_INTEGER, CHUNK_SIZE, [hash]],
    ])
      assert.throws(() => Manifest.read(encode(wrong)), { code: 'BAD_MESSAGE' });
    assert.throws(() => Manifest.read(new Uint8Array(MAX_MANIFEST + 1)), { code: 'BAD_MESSAGE' });
  });

  it('has one form only, so that one blob has one name', () => {
    const { bytes, hash } = blobOf(1).manifest;
    for (const other of [...flipped(bytes), ...truncated(bytes)])
      try {
        // What changes a chunk's hash makes another blob.
        assert.notEqual(Manifest.read(other).hash, hash);
      } catch (error) {
        assert.equal(codeOf(error), 'BAD_MESSAGE');
      }
    // The same numbers, written longer than they need be.
    const longer = Uint8Array.of(0x84, 0x18, 0x01, ...bytes.subarray(2));
    assert.throws(() => Manifest.read(longer), { code: 'BAD_MESSAGE' });
  });

  it('is refused by BAD_MESSAGE alone, whatever the bytes are', () => {
    const samples = [blobOf(0).manifest.bytes, blobOf(2).manifest.bytes, encode([1, 0, 1, []])];
    fc.assert(
      fc.property(fc.oneof(mutated(samples), fc.uint8Array({ maxLength: 80 })), (bytes) => {
        try {
          const manifest = Manifest.read(bytes);
          assert.equal(manifest.count, chunkCount(manifest.size));
          assert.ok(!manifest.fits(0, content(manifest.lengthOf(0), 77)) || manifest.count === 0);
        } catch (error) {
          assert.equal(codeOf(error), 'BAD_MESSAGE');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
