/** Small operations on byte arrays. */
import { createHash, hash } from 'node:crypto';

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** The caller has checked that `hex` is hexadecimal. */
export function fromHex(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** What is joined here is used up before anything else is. */
const scratch = Buffer.alloc(80 * 1024);

/**
 * The parts in one piece, good until the next call. A buffer of its own for every signature and
 * hash cost a tenth of a busy client's time in allocating and freeing.
 */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > scratch.length) return concat(...parts);
  let at = 0;
  for (const part of parts) {
    scratch.set(part, at);
    at += part.length;
  }
  return scratch.subarray(0, length);
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = createHash('sha256');
  for (const part of parts) whole.update(part);
  return whole.digest();
}

/** SHA-256 of something small, as hexadecimal digits. */
export function sha256Hex(...parts: readonly Uint8Array[]): string {
  return hash('sha256', joined(...parts), 'hex');
}
