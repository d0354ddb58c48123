/** Bytes that are almost right, for tests of everything that reads bytes from outside. */
import fc from 'fast-check';
import { concat } from '../../lib/crdt/bytes.ts';

/** The bytes with one bit turned over, for every bit or every so many of them. */
export function* flipped(bytes: Uint8Array, step = 1): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit += step) {
    const copy = Uint8Array.from(bytes);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    yield copy;
  }
}

/** The bytes cut short, at every length or every so many. */
export function* truncated(bytes: Uint8Array, step = 1): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length += step) yield bytes.subarray(0, length);
}

/** One of the samples, altered in up to three places: bytes changed, put in, left out or repeated. */
export function mutated(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    how: fc.constantFrom('set', 'insert', 'remove', 'repeat', 'cut'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 9 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
  });
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([sample, changes]) => {
      let out = Uint8Array.from(sample);
      for (const { how, at, length, bytes } of changes) {
        const place = Math.floor(at * out.length);
        const [head, tail] = [out.subarray(0, place), out.subarray(place)];
        const parts = {
          set: [head, bytes, tail.subarray(bytes.length)],
          insert: [head, bytes, tail],
          remove: [head, tail.subarray(length)],
          repeat: [head, tail.subarray(0, length), tail],
          cut: [head],
        }[how];
        out = Uint8Array.from(concat(...parts));
      }
      return out;
    });
}
