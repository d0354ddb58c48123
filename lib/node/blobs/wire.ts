/** The protocol by which blobs go from one peer to another: one chunk a message, many under way. */
import * as v from 'valibot';
import { bytesUpTo, count } from '../../crdt/records.ts';
import type { Exchange, Protocol } from '../exchange.ts';
import { bitmapBytes } from './bitmap.ts';
import { blobHash, CHUNK_SIZE, MAX_CHUNKS, MAX_MANIFEST } from './manifest.ts';

const hash = v.strictObject({ hash: blobHash });
const nothing = v.strictObject({});
const manifest = bytesUpTo(MAX_MANIFEST);
const chunk = bytesUpTo(CHUNK_SIZE);
/** Which chunks are there, as of `Bitmap.toBytes`. */
const have = bytesUpTo(bitmapBytes(MAX_CHUNKS));
const place = { hash: blobHash, index: v.pipe(count, v.maxValue(MAX_CHUNKS - 1)) };

/**
 * Asked for a blob that is not there, or that the asker may not read, a peer says NO_SUCH_FILE: who
 * may not read it does not learn whether it is there.
 */
export const BLOB = {
  name: '/clchat/blob/1',
  methods: {
    manifest: { request: hash, reply: v.strictObject({ manifest }) },
    have: { request: hash, reply: v.strictObject({ have }) },
    /** Null where the chunk is not there. */
    chunk: {
      request: v.strictObject(place),
      reply: v.strictObject({ chunk: v.nullable(chunk) }),
    },
    /** Begins an upload, or goes on with one. Tells which chunks are there already. */
    begin: { request: v.strictObject({ manifest }), reply: v.strictObject({ have }) },
    put: { request: v.strictObject({ ...place, chunk }), reply: nothing },
    /** All has been sent: it is there for good. */
    done: { request: hash, reply: nothing },
  },
  notices: {},
} as const satisfies Protocol;

export type BlobExchange = Exchange<typeof BLOB>;
