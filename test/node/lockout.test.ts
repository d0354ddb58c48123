import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as v from 'valibot';
import { sleep, type Clock } from '../../lib/lifecycle.ts';
import { Lockout, lockSchema, MAX_FAILURES, type Lock } from '../../lib/node/lockout.ts';

const HOUR = 3_600_000;

/** A clock of a machine: wall time may be set, the steady one only runs. */
class TestClock implements Clock {
  wall = 1_700_000_000_000;
  steady = 12_345;
  now = (): number => this.wall;
  monotonic = (): number => this.steady;
  run(milliseconds: number): void {
    this.wall += milliseconds;
    this.steady += milliseconds;
  }
  set(milliseconds: number): void {
    this.wall += milliseconds;
  }
}

describe('lockout', () => {
  let clock: TestClock;
  beforeEach(() => (clock = new TestClock()));
  const make = (blockDuration = 60): Lockout => new Lockout({ clock, blockDuration });
  const fail = (lockout: Lockout, lock: Lock, times: number): Lock => {
    for (let i = 0; i < times; i += 1) lock = lockout.begin(lock);
    return lock;
  };
  const locked = (lockedSeconds: number) => ({ code: 'LOCKED', data: { lockedSeconds } });

  it('locks at the third failure in a row, for the whole duration', () => {
    const lockout = make();
    let lock = fail(lockout, lockout.succeed(), 2);
    assert.equal(lockout.remaining(lock), 0);
    lock = lockout.begin(lock);
    assert.equal(lockout.remaining(lock), 60);
    assert.throws(() => lockout.begin(lock), locked(60));
    clock.run(59_000);
    assert.throws(() => lockout.begin(lock), locked(1));
    clock.run(999);
    assert.throws(() => lockout.begin(lock), locked(1));
    clock.run(1);
    lock = lockout.begin(lock);
    assert.deepEqual([lock.failures, lockout.remaining(lock)], [1, 0]);
  });

  it('forgets failures at a success, even one begun as the third', () => {
    const lockout = make();
    let lock = fail(lockout, lockout.succeed(), 3);
    assert.equal(lockout.remaining(lock), 60);
    lock = lockout.succeed();
    assert.equal(lockout.remaining(lock), 0);
    lock = fail(lockout, lock, 2);
    assert.equal(lockout.remaining(lock), 0);
  });

  it('keeps its time when the clock is set, forth or back', () => {
    for (const step of [-HOUR, HOUR]) {
      const lockout = make();
      const lock = fail(lockout, lockout.succeed(), 3);
      clock.set(step);
      assert.equal(lockout.remaining(lock), 60);
      clock.run(60_000);
      assert.equal(lockout.remaining(lock), 0);
    }
  });

  it('goes on after a restart', () => {
    const first = make();
    const lock = fail(first, first.succeed(), 3);
    clock.run(20_000);
    const second = make();
    assert.equal(second.remaining(lock), 40);
    clock.run(40_000);
    assert.equal(second.remaining(lock), 0);
  });

  it('lasts no longer than its duration after a restart with the clock set back', () => {
    const first = make();
    const lock = fail(first, first.succeed(), 3);
    clock.set(-HOUR);
    const second = make();
    assert.equal(second.remaining(lock), 60);
    clock.run(30_000);
    assert.equal(second.remaining(lock), 30);
    clock.run(30_000);
    // Neither now nor when the old end comes round.
    for (let i = 0; i < 200; i += 1) {
      assert.equal(second.remaining(lock), 0);
      clock.run(20_000);
    }
  });

  it('keeps failures over a restart', () => {
    const first = make();
    const lock = fail(first, first.succeed(), 2);
    const second = make();
    assert.equal(second.remaining(second.begin(lock)), 60);
  });

  it('stores what its schema takes', () => {
    const lockout = make();
    for (const lock of [lockout.succeed(), fail(lockout, lockout.succeed(), 3)])
      assert.deepEqual(v.parse(lockSchema, lock), lock);
  });

  it('obeys the rules whatever happens', () => {
    const event = fc.oneof(
      fc.constant({ type: 'attempt', valid: false } as const),
      fc.constant({ type: 'attempt', valid: false } as const),
      fc.constant({ type: 'attempt', valid: true } as const),
      fc.record({ type: fc.constant('run' as const), by: fc.nat(90_000) }),
      fc.record({ type: fc.constant('set' as const), by: fc.integer({ min: -HOUR, max: HOUR }) }),
      fc.constant({ type: 'restart' } as const),
    );
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 60 }),
        fc.integer({ min: 1, max: 60 }),
        (events, duration) => {
          clock = new TestClock();
          let lockout = make(duration);
          let lock = lockout.succeed();
          /** Failures in a row, as an onlooker counts them. */
          let row = 0;
          let lockedAt: number | undefined;
          let restarted = false;
          for (const one of events) {
            if (one.type === 'run') clock.run(one.by);
            else if (one.type === 'set') clock.set(one.by);
            else if (one.type === 'restart') {
              lockout = make(duration);
              restarted = true;
            } else {
              const remaining = lockout.remaining(lock);
              const before = lock;
              try {
                lock = lockout.begin(lock);
              } catch (error) {
                assert.ok(remaining > 0, String(error));
                assert.equal(lock, before);
                continue;
              }
              assert.equal(remaining, 0);
              // Never more than three guesses between locks.
              if (row >= MAX_FAILURES) row = 0;
              row += 1;
              if (one.valid) {
                lock = lockout.succeed();
                row = 0;
                lockedAt = undefined;
              } else if (row >= MAX_FAILURES) {
                assert.equal(lockout.remaining(lock), duration);
                lockedAt = clock.steady;
                restarted = false;
              } else assert.equal(lockout.remaining(lock), 0);
            }
            const left = lockout.remaining(lock);
            assert.ok(left >= 0 && left <= duration);
            if (lockedAt !== undefined && !restarted) {
              const real = lockedAt + duration * 1_000 - clock.steady;
              assert.equal(left, Math.max(0, Math.ceil(real / 1_000)));
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  describe('turns', () => {
    const timed = (turnMs: number, patienceMs: number): Lockout =>
      new Lockout({ clock, blockDuration: 60, turnMs, patienceMs });

    it('go to one attempt on an account at a time, in order', async () => {
      const lockout = make();
      const order: number[] = [];
      let inside = 0;
      await Promise.all(
        Array.from({ length: 10 }, async (_, i) => {
          const end = await lockout.turn('alice');
          inside += 1;
          assert.equal(inside, 1);
          order.push(i);
          await sleep(1);
          inside -= 1;
          end();
          end();
        }),
      );
      assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it('count parallel guesses as if they came one by one', async () => {
      const lockout = make();
      let stored = lockout.succeed();
      let answered = 0;
      await Promise.allSettled(
        Array.from({ length: 15 }, async () => {
          const end = await lockout.turn('alice');
          try {
            const next = lockout.begin(stored);
            await sleep(1);
            stored = next;
            answered += 1;
          } finally {
            end();
          }
        }),
      );
      assert.equal(answered, MAX_FAILURES);
    });

    it('of other accounts do not wait', async () => {
      const lockout = make();
      await lockout.turn('alice');
      (await lockout.turn('bob'))();
    });

    it('end by themselves when an attempt is never finished', async () => {
      const lockout = timed(20, 10_000);
      const stale = await lockout.turn('alice');
      const end = await lockout.turn('alice');
      // Whose turn is over ends nobody else's.
      stale();
      let third = false;
      const waiting = lockout.turn('alice').then((done) => {
        third = true;
        done();
      });
      await sleep(1);
      assert.equal(third, false);
      end();
      await waiting;
    });

    it('are not waited for forever, nor by everybody', async () => {
      const lockout = timed(10_000, 20);
      const end = await lockout.turn('alice');
      const busy = { code: 'RATE_LIMITED' };
      const crowd = await Promise.allSettled(
        Array.from({ length: 40 }, () => lockout.turn('alice')),
      );
      for (const one of crowd) {
        assert.equal(one.status, 'rejected');
        assert.equal((one.reason as { code: string }).code, busy.code);
      }
      end();
      (await lockout.turn('alice'))();
    });
  });
});
