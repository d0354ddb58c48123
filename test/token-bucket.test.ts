import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TokenBucket, TokenBuckets } from '../lib/token-bucket.ts';
import { TestClock } from './support/community.ts';

describe('a token bucket', () => {
  let clock: TestClock;
  beforeEach(() => (clock = new TestClock()));

  /** How many are within the rate now, of so many that come. */
  const within = (bucket: TokenBucket, tries = 100): number => {
    let taken = 0;
    for (let i = 0; i < tries; i++) if (bucket.take()) taken++;
    return taken;
  };

  it('lets so many in at once, and then so many a second', () => {
    const bucket = new TokenBucket(5, 2, clock);
    assert.equal(within(bucket), 5);
    clock.pass(499);
    assert.equal(within(bucket), 0);
    clock.pass(1);
    assert.equal(within(bucket), 1);
    clock.pass(1_000);
    assert.equal(within(bucket), 2);
  });

  it('saves no more than it begins with, however long nobody came', () => {
    const bucket = new TokenBucket(3, 10, clock);
    clock.pass(3_600_000);
    assert.equal(within(bucket), 3);
    clock.pass(3_600_000);
    assert.equal(within(bucket), 3);
  });

  it('says how long those have to wait who are counted all the same', () => {
    const bucket = new TokenBucket(2, 4, clock);
    assert.deepEqual(
      Array.from({ length: 5 }, () => bucket.reserve()),
      [0, 0, 250, 500, 750],
    );
    clock.pass(750);
    assert.equal(bucket.reserve(), 250);
    clock.pass(10_000);
    assert.equal(bucket.isFull, true);
    assert.equal(bucket.reserve(), 0);
  });

  it('holds nothing against those who come too soon', () => {
    const bucket = new TokenBucket(1, 1, clock);
    assert.ok(bucket.take());
    for (let i = 0; i < 9; i++) {
      clock.pass(100);
      assert.equal(bucket.take(), false, `after ${i + 1} tenths`);
    }
    clock.pass(101);
    assert.ok(bucket.take());
  });

  it('is full while nothing is held against anybody', () => {
    const bucket = new TokenBucket(2, 1, clock);
    assert.ok(bucket.isFull);
    bucket.take();
    assert.equal(bucket.isFull, false);
    clock.pass(999);
    assert.equal(bucket.isFull, false);
    clock.pass(1);
    assert.ok(bucket.isFull);
    // To ask does not count.
    assert.equal(within(bucket), 2);
  });

  it('goes by the time that never steps back', () => {
    const bucket = new TokenBucket(1, 1, clock);
    assert.ok(bucket.take());
    clock.wall += 3_600_000;
    assert.equal(bucket.take(), false);
    clock.wall = 0;
    clock.steady += 1_000;
    assert.ok(bucket.take());
  });

  it('never lets in more than its rate, whenever they come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.nat(2_000), fc.nat(30)), { maxLength: 30 }),
        (burst, perSecond, visits) => {
          const bucket = new TokenBucket(burst, perSecond, clock);
          let [taken, passed] = [0, 0];
          for (const [pause, tries] of visits) {
            clock.pass(pause);
            passed += pause;
            taken += within(bucket, tries);
            assert.ok(taken <= burst + (passed / 1_000) * perSecond + 1e-6);
          }
        },
      ),
    );
  });
});

describe('token buckets of many', () => {
  let clock: TestClock;
  beforeEach(() => (clock = new TestClock()));

  it('give each a rate of its own', () => {
    const buckets = new TokenBuckets<string>(2, 1, clock);
    assert.deepEqual(
      ['a', 'a', 'a', 'b', 'b', 'b'].map((key) => buckets.take(key)),
      [true, true, false, true, true, false],
    );
    clock.pass(1_000);
    assert.deepEqual([buckets.take('a'), buckets.take('a')], [true, false]);
  });

  it('forget those against whom nothing is held, and nobody else', () => {
    const buckets = new TokenBuckets<number>(1, 1, clock);
    for (let key = 0; key < 5_000; key++) buckets.take(key);
    assert.equal(buckets.size, 5_000);
    for (let key = 0; key < 5_000; key++) assert.equal(buckets.take(key), false, `${key}`);
    clock.pass(1_000);
    for (let key = 5_000; key < 15_000; key++) {
      buckets.take(key);
      clock.pass(10);
    }
    assert.ok(buckets.size <= 10_000, `${buckets.size} are remembered`);
    assert.equal(buckets.take(14_999), false);
  });
});
