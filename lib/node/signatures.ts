/**
 * Verifying signatures with libsodium, which takes little more than half as long at it as OpenSSL. It
 * is not there for every platform, and takes as long to load as to verify some hundreds.
 *
 * For what a server has sealed: the server has accepted by `verify`, so by which of them a peer
 * verifies makes no difference.
 */
import { createRequire } from 'node:module';
import type * as Sodium from 'sodium-native';
import { fromHex } from '../crdt/bytes.ts';
import { isPublicKey, tagged, verify, type PublicKey } from '../crdt/keys.ts';

export type Verify = typeof verify;

/** Keys as bytes; most signatures are of a few devices. */
const bytesOf = new Map<PublicKey, Uint8Array>();
const KEYS_LIMIT = 8192;

function keyBytes(key: PublicKey): Uint8Array | undefined {
  let bytes = bytesOf.get(key);
  if (bytes === undefined && isPublicKey(key)) {
    if (bytesOf.size >= KEYS_LIMIT) bytesOf.clear();
    bytesOf.set(key, (bytes = fromHex(key)));
  }
  return bytes;
}

let loaded: Verify | undefined;

/** As `verify` of keys, by libsodium where that is there. */
export function quickVerify(): Verify {
  return (loaded ??= load());
}

function load(): Verify {
  let sodium: typeof Sodium;
  try {
    sodium = createRequire(import.meta.url)('sodium-native') as typeof Sodium;
  } catch {
    // An optional dependency: there is none for this platform.
    return verify;
  }
  return (key, tag, bytes, signature) => {
    const publicKey = keyBytes(key);
    return (
      signature.length === 64 &&
      publicKey !== undefined &&
      sodium.crypto_sign_verify_detached(signature, tagged(tag, bytes), publicKey)
    );
  };
}
