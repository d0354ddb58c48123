/** Which chunks of a blob are there: one bit each, the first the highest of its byte. */
import { ClchatError } from '../../errors.ts';

export class Bitmap {
  readonly length: number;
  readonly #bytes: Uint8Array;
  #count = 0;

  /**
   * @param bytes as of `toBytes`, taken over; none set where absent. Bits beyond `length` say nothing.
   * @throws BAD_MESSAGE when they are not as many as `length` needs
   */
  constructor(length: number, bytes: Uint8Array = new Uint8Array(bitmapBytes(length))) {
    if (bytes.length !== bitmapBytes(length))
      throw new ClchatError('BAD_MESSAGE', 'as many chunks as there are not');
    this.length = length;
    this.#bytes = bytes;
    for (let index = 0; index < length; index++) if (this.has(index)) this.#count++;
  }

  static full(length: number): Bitmap {
    return new Bitmap(length, new Uint8Array(bitmapBytes(length)).fill(0xff));
  }

  /** How many are there. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.length;
  }

  has(index: number): boolean {
    return index < this.length && ((this.#bytes[index >> 3] ?? 0) & bit(index)) !== 0;
  }

  /** @param index below `length` */
  set(index: number, isThere: boolean): void {
    if (this.has(index) === isThere) return;
    this.#bytes[index >> 3]! ^= bit(index);
    this.#count += isThere ? 1 : -1;
  }

  /** Those that are not there, in order. */
  missing(): number[] {
    const missing: number[] = [];
    for (let index = 0; index < this.length; index++) if (!this.has(index)) missing.push(index);
    return missing;
  }

  /** A copy. */
  toBytes(): Uint8Array {
    return this.#bytes.slice();
  }
}

/** Bytes that so many bits take. */
export function bitmapBytes(length: number): number {
  return Math.ceil(length / 8);
}

function bit(index: number): number {
  return 0x80 >> (index & 7);
}
