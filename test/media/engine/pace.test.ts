import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Pacer, Rate } from '../../../lib/media/engine/pace.ts';

describe('how often something came lately', () => {
  it('is counted over two seconds', () => {
    const rate = new Rate();
    assert.equal(rate.at(0), 0);
    for (let now = 0; now < 4_000; now += 100) rate.note(now);
    assert.equal(rate.at(3_900), 10);
    assert.equal(rate.at(4_900), 5);
    assert.equal(rate.at(5_899), 0.5);
    assert.equal(rate.at(5_900), 0);
  });

  it('is what it is for whoever asks seldom, too', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400)), fc.nat(3_000), (gaps, rest) => {
        const rate = new Rate();
        let now = 0;
        const times: number[] = [];
        for (const gap of gaps) {
          now += gap;
          times.push(now);
          rate.note(now);
        }
        now += rest;
        assert.equal(rate.at(now), times.filter((time) => time > now - 2_000).length / 2);
      }),
    );
  });
});

describe('pictures of which only so many are let through', () => {
  /** Of pictures at these times, those that are. */
  const through = (times: readonly number[], fps: number): number[] => {
    const pacer = new Pacer();
    return times.filter((time) => pacer.isDue(time, fps));
  };
  const at = (fps: number, seconds: number): number[] =>
    Array.from({ length: fps * seconds }, (_, n) => (n * 1_000) / fps);

  for (const [given, limit, left] of [
    [30, 30, 30],
    [30, 60, 30],
    [30, 15, 15],
    [30, 20, 20],
    [30, 10, 10],
    [30, 1, 1],
    [30, 0, 1],
    [25, 15, 15],
    [60, 24, 24],
  ] as const)
    it(`are ${left} a second of ${given}, where ${limit} may be`, () => {
      assert(Math.abs(through(at(given, 10), limit).length - 10 * left) <= 1);
    });

  it('come evenly', () => {
    const times = through(at(30, 10), 20);
    const gaps = times.slice(1).map((time, n) => time - times[n]!);
    assert(Math.max(...gaps) < 70 && Math.min(...gaps) > 30, gaps.join());
  });

  it('keep their rate where each comes a little early or late', () => {
    const trembling = at(15, 20).map((time, n) => time + ((n * 7) % 11) - 5);
    assert(through(trembling, 15).length >= 295);
  });

  it('are at once again all that may be after a gap, and do not make up for it', () => {
    const times = [...at(30, 1), ...at(30, 1).map((time) => time + 60_000)];
    const later = through(times, 15).filter((time) => time >= 60_000);
    assert.equal(later[0], 60_000);
    assert(later.length <= 16, `${later.length} in the second after it`);
  });

  it('are never many more than may be, whenever they come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(120), { maxLength: 300 }),
        fc.integer({ min: 1, max: 60 }),
        (gaps, fps) => {
          let now = 0;
          const times = through(
            gaps.map((gap) => (now += gap)),
            fps,
          );
          for (const [first, start] of times.entries())
            for (const [count, time] of times.slice(first).entries())
              assert(
                count + 1 <= ((time - start) * fps) / 1_000 + 2.36,
                `${count} by ${time - start}`,
              );
        },
      ),
      { numRuns: 60 },
    );
  });
});
