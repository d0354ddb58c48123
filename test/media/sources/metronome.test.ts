import assert from 'node:assert/strict';
import { Metronome } from '../../../lib/media/sources/metronome.ts';
import { FakeTime } from '../../support/time.ts';

describe('a metronome', () => {
  let time: FakeTime;
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  const beats: [number: number, at: number][] = [];
  const start = (interval: number, most: number): Metronome =>
    new Metronome({ interval, most, clock, beat: (number) => beats.push([number, now]) });

  beforeEach(() => {
    time = new FakeTime();
    now = 0;
    beats.length = 0;
  });
  afterEach(() => time.restore());

  const pass = async (milliseconds: number): Promise<void> => {
    for (let at = 0; at < milliseconds; at++) {
      now++;
      await time.pass(1);
    }
  };

  it('beats at once, and then evenly', async () => {
    const metronome = start(10, 1);
    await pass(35);
    metronome.stop();
    assert.deepEqual(beats, [
      [0, 0],
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
  });

  it('does not drift where the interval is no whole number of milliseconds', async () => {
    const metronome = start(1_000 / 30, 1);
    await pass(10_001);
    metronome.stop();
    assert.equal(beats.length, 301);
    for (const [number, at] of beats) {
      const due = (number * 1_000) / 30;
      assert.ok(at - due >= 0 && at - due < 1.01, `beat ${number} at ${at}`);
    }
  });

  it('leaves out what is too late, and makes up for the rest', async () => {
    const one = start(10, 1);
    now = 1_004;
    await time.pass(10);
    assert.deepEqual(beats, [
      [0, 0],
      [100, 1_004],
    ]);
    one.stop();
    beats.length = 0;
    now = 0;
    const five = start(10, 5);
    now = 1_004;
    await time.pass(10);
    assert.deepEqual(
      beats.map(([number]) => number),
      [0, 96, 97, 98, 99, 100],
    );
    await pass(6);
    assert.deepEqual(beats.at(-1), [101, 1_010]);
    five.stop();
  });

  it('beats no more once it is stopped, even by a beat', async () => {
    const numbers: number[] = [];
    const metronome = new Metronome({
      interval: 10,
      most: 5,
      clock,
      beat: (number) => {
        numbers.push(number);
        if (number > 0) metronome.stop();
      },
    });
    now = 45;
    await time.pass(10);
    await pass(100);
    assert.deepEqual(numbers, [0, 1]);
  });
});
