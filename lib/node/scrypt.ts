/** Keys from passphrases and passwords. */
import { scrypt as nodeScrypt } from 'node:crypto';
import * as v from 'valibot';
import { bytes } from '../crdt/records.ts';

const BLOCK = 8;

/** How a key was made from a passphrase. Read from files, so bounded: at most 256 MiB of work. */
export const scryptParameters = v.strictObject({
  /** Cost: a power of two; memory is 1 KiB times as much. */
  n: v.pipe(
    v.number(),
    // The logarithm of what is close enough to a power of two is a whole number.
    v.integer(),
    v.check((n) => Number.isInteger(Math.log2(n)) && n >= 1 << 10 && n <= 1 << 18),
  ),
  r: v.literal(BLOCK),
  p: v.literal(1),
  salt: bytes(16),
});
export type ScryptParameters = v.InferOutput<typeof scryptParameters>;

/** Parameters for a fresh salt. */
export function scryptOf(n: number, salt: Uint8Array): ScryptParameters {
  return { n, r: BLOCK, p: 1, salt };
}

/** 32 bytes. Runs beside the event loop. */
export function scrypt(secret: string, { n, r, p, salt }: ScryptParameters): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    nodeScrypt(
      secret.normalize('NFC'),
      salt,
      32,
      { N: n, r, p, maxmem: 256 * n * r },
      (error, key) => (error === null ? resolve(Uint8Array.from(key)) : reject(error)),
    );
  });
}
