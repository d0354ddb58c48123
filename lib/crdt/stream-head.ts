/** How far a stream has got, and what of it is here. */
import * as v from 'valibot';
import { bytes, count } from './records.ts';
import type { SignedSeal } from './seal.ts';

export const headSchema = v.strictObject({
  /** Items sealed: the position the next one takes. */
  length: count,
  /** Number and id of the last seal, its term and time. */
  seals: count,
  seal: v.nullable(v.pipe(v.string(), v.length(64))),
  /** Position of the first item of the last batch. */
  last: count,
  term: count,
  time: count,
  /** Which positions are stored, as intervals in order: a replica may lack old ones. */
  have: v.array(v.tuple([count, count])),
  /** The state's set hash; absent where it is to be computed from the records. */
  lanes: v.optional(bytes(2048)),
});
export type StreamHead = v.InferOutput<typeof headSchema>;

export const EMPTY_HEAD: StreamHead = {
  length: 0,
  seals: 0,
  seal: null,
  last: 0,
  term: 0,
  time: 0,
  have: [],
};

/** Adds the interval [from, until) to intervals in order. */
export function addInterval(
  have: readonly (readonly [number, number])[],
  from: number,
  until: number,
): [number, number][] {
  const merged: [number, number][] = [];
  let [low, high] = [from, until];
  for (const [a, b] of have) {
    if (b < low || a > high) merged.push([a, b]);
    else [low, high] = [Math.min(a, low), Math.max(b, high)];
  }
  merged.push([low, high]);
  return merged.sort((x, y) => x[0] - y[0]);
}

/** The highest gap in what is stored below `length`: [from, until), or undefined. */
export function highestGap(head: StreamHead): [number, number] | undefined {
  let high = head.length;
  for (let i = head.have.length - 1; i >= 0; i--) {
    const [from, until] = head.have[i]!;
    if (until < high) return [until, high];
    high = from;
  }
  return high > 0 ? [0, high] : undefined;
}

/** The head after a batch. */
export function headAfter(head: StreamHead, seal: SignedSeal, lanes?: Uint8Array): StreamHead {
  const length = seal.first + seal.count;
  const { lanes: _old, ...rest } = head;
  return {
    ...rest,
    length,
    seals: seal.seq,
    seal: seal.id,
    last: seal.first,
    term: seal.term,
    time: seal.time,
    have: addInterval(head.have, seal.first, length),
    ...(lanes === undefined ? {} : { lanes }),
  };
}
