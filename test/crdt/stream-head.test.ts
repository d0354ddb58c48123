import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addInterval, EMPTY_HEAD, highestGap } from '../../lib/crdt/stream-head.ts';

describe('intervals of what is stored', () => {
  const intervals = fc.array(
    fc
      .tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }))
      .map(([from, length]) => [from, from + length] as const),
    { maxLength: 12 },
  );

  it('hold exactly what was added, in order, apart from one another', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const expected = new Set<number>();
        let have: readonly (readonly [number, number])[] = [];
        for (const [from, until] of list) {
          have = addInterval(have, from, until);
          for (let at = from; at < until; at++) expected.add(at);
        }
        const held = new Set<number>();
        for (const [from, until] of have) for (let at = from; at < until; at++) held.add(at);
        assert.deepEqual([...held].sort(), [...expected].sort());
        for (let i = 1; i < have.length; i++) assert.ok(have[i]![0] > have[i - 1]![1]);
      }),
    );
  });

  it('tell the highest gap', () => {
    fc.assert(
      fc.property(intervals, fc.nat(45), (list, length) => {
        let have: [number, number][] = [];
        for (const [from, until] of list)
          if (until <= length) have = addInterval(have, from, until);
        const gap = highestGap({ ...EMPTY_HEAD, length, have });
        const holds = (at: number): boolean => have.some(([a, b]) => at >= a && at < b);
        let high = length;
        while (high > 0 && holds(high - 1)) high--;
        let low = high;
        while (low > 0 && !holds(low - 1)) low--;
        assert.deepEqual(gap, high === 0 ? undefined : [low, high]);
      }),
    );
  });
});
