/**
 * Sealed bodies: what is said, as only those can read it who have the key of its epoch.
 *
 * A message key is made of the epoch's key and the entry's random salt, so that no nonce can repeat
 * whatever becomes of a device's counters; the place of the entry is associated data.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { concat, utf8 } from './bytes.ts';
import { encode } from './codec.ts';
import { placeOf } from './entry.ts';
import type { EntryId, PublicKey } from './keys.ts';
import type { StreamName } from './stream.ts';

const MESSAGE_TAG = utf8('clchat message key v1\0');
/** A key is used for one message only, so its nonce may be constant. */
const NONCE = new Uint8Array(12);
const TAG_LENGTH = 16;

function messageKey(epochKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHmac('sha256', epochKey).update(MESSAGE_TAG).update(salt).digest();
}

/** Where a sealed body belongs; see `placeOf`. */
export interface Place {
  readonly server: PublicKey;
  readonly stream: StreamName;
  readonly device: PublicKey;
  readonly seq: number;
}

/**
 * AES-256-GCM under the message's own key.
 * @param open what stands beside it for everybody to read
 */
export function sealBody(
  epochKey: Uint8Array,
  epoch: EntryId,
  place: Place,
  salt: Uint8Array,
  plain: Uint8Array,
  open: object = {},
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', messageKey(epochKey, salt), NONCE);
  cipher.setAAD(placeOf(place, epoch));
  const box = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  return encode({ ...open, epoch, box });
}

/** @returns undefined when the key is another or anything was altered */
export function openBody(
  epochKey: Uint8Array,
  epoch: EntryId,
  place: Place,
  salt: Uint8Array,
  box: Uint8Array,
): Uint8Array | undefined {
  if (box.length < TAG_LENGTH) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', messageKey(epochKey, salt), NONCE, {
    authTagLength: TAG_LENGTH,
  });
  decipher.setAAD(placeOf(place, epoch));
  decipher.setAuthTag(box.subarray(box.length - TAG_LENGTH));
  try {
    return concat(decipher.update(box.subarray(0, box.length - TAG_LENGTH)), decipher.final());
  } catch {
    // Sealed by a peer: what does not open is unreadable, not a fault.
    return undefined;
  }
}
