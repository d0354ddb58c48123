/**
 * Files of encrypted conversations: each has a random key of its own and is sealed chunk by chunk, so
 * that one of any size needs little memory and each chunk opens by itself. The nonce is the number of
 * the chunk, which under a key that seals one file only never repeats; number and count are
 * associated data, so that chunks cannot change places nor be cut off.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat } from '../../crdt/bytes.ts';
import { encode } from '../../crdt/codec.ts';
import type { RandomBytes } from '../../crdt/keys.ts';
import { ClchatError } from '../../errors.ts';
import { CHUNK_SIZE } from './manifest.ts';

const TAG = 16;
const PURPOSE = 'clchat file v1';

/** Bytes of a file in each chunk of its blob but the last: sealing adds what is missing. */
export function plainChunkSize(isSealed: boolean): number {
  return isSealed ? CHUNK_SIZE - TAG : CHUNK_SIZE;
}

/** Bytes of the blob of a file of so many bytes. */
export function blobSize(size: number, isSealed: boolean): number {
  return isSealed ? size + TAG * Math.ceil(size / plainChunkSize(true)) : size;
}

/** Bytes that the file of a blob has at least: as many as if it were sealed. */
export function plainSize(size: number): number {
  return size - TAG * Math.ceil(size / CHUNK_SIZE);
}

/** A key for one file. */
export function newFileKey(random: RandomBytes): Uint8Array {
  return Uint8Array.from(random(32));
}

/** AES-256-GCM. @returns 16 bytes more */
export function sealChunk(
  key: Uint8Array,
  index: number,
  count: number,
  plain: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index), { authTagLength: TAG });
  cipher.setAAD(encode([PURPOSE, index, count]));
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

/** @throws BAD_MESSAGE when the key is another or anything was altered */
export function openChunk(
  key: Uint8Array,
  index: number,
  count: number,
  chunk: Uint8Array,
): Uint8Array {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index), { authTagLength: TAG });
    decipher.setAAD(encode([PURPOSE, index, count]));
    decipher.setAuthTag(chunk.subarray(-TAG));
    return concat(decipher.update(chunk.subarray(0, -TAG)), decipher.final());
  } catch (error) {
    const text = 'The attachment cannot be opened by the key that came with it.';
    throw new ClchatError('BAD_MESSAGE', text, { cause: error });
  }
}

function nonceOf(index: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 8);
  return nonce;
}
