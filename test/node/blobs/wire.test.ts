import assert from 'node:assert/strict';
import * as v from 'valibot';
import { encode } from '../../../lib/crdt/codec.ts';
import { bitmapBytes } from '../../../lib/node/blobs/bitmap.ts';
import { CHUNK_SIZE, MAX_CHUNKS, MAX_MANIFEST } from '../../../lib/node/blobs/manifest.ts';
import { BLOB } from '../../../lib/node/blobs/wire.ts';
import { MAX_FRAME } from '../../../lib/node/channel.ts';

const hash = 'ab'.repeat(32);
const chunk = new Uint8Array(CHUNK_SIZE);
const manifest = new Uint8Array(MAX_MANIFEST);
const have = new Uint8Array(bitmapBytes(MAX_CHUNKS));

/** The largest that may be said, each with what is too much or none at all. */
const SAYINGS: Readonly<
  Record<keyof typeof BLOB.methods, { good: [object, object]; bad: [object[], object[]] }>
> = {
  manifest: {
    good: [{ hash }, { manifest }],
    bad: [
      [{}, { hash: hash.toUpperCase() }, { hash: hash.slice(1) }, { hash: new Uint8Array(32) }],
      [{}, { manifest: new Uint8Array(MAX_MANIFEST + 1) }, { manifest: hash }, { manifest: null }],
    ],
  },
  have: {
    good: [{ hash }, { have }],
    bad: [[{ hash, more: 1 }], [{ have: new Uint8Array(have.length + 1) }, { have: null }]],
  },
  chunk: {
    good: [{ hash, index: MAX_CHUNKS - 1 }, { chunk }],
    bad: [
      [{ hash }, { hash, index: -1 }, { hash, index: 0.5 }, { hash, index: MAX_CHUNKS }],
      [{}, { chunk: new Uint8Array(CHUNK_SIZE + 1) }, { chunk: '' }],
    ],
  },
  begin: {
    good: [{ manifest }, { have }],
    bad: [[{ hash }, { manifest: new Uint8Array(MAX_MANIFEST + 1) }], [{}]],
  },
  put: {
    good: [{ hash, index: MAX_CHUNKS - 1, chunk }, {}],
    bad: [
      [
        { hash, index: 0, chunk: new Uint8Array(CHUNK_SIZE + 1) },
        { hash, chunk },
      ],
      [{ x: 1 }],
    ],
  },
  done: { good: [{ hash }, {}], bad: [[{ hash: '' }], [{ x: 1 }]] },
};

describe('the protocol of blobs', () => {
  for (const [name, { good, bad }] of Object.entries(SAYINGS))
    it(`bounds what "${name}" says`, () => {
      const { request, reply } = BLOB.methods[name as keyof typeof SAYINGS];
      for (const [index, schema] of [request, reply].entries()) {
        assert.ok(v.is(schema, good[index]));
        // And all that comes with it.
        const said = encode([0, Number.MAX_SAFE_INTEGER, name, good[index]]);
        assert.ok(said.length < MAX_FRAME);
        for (const wrong of bad[index]!) assert.ok(!v.is(schema, wrong), JSON.stringify(wrong));
      }
    });

  it('can say that a chunk is not there', () => {
    assert.ok(v.is(BLOB.methods.chunk.reply, { chunk: null }));
  });
});
