import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Sound } from '../../../lib/media/frames.ts';
import { GapMeter } from '../../../lib/media/audio/gaps.ts';
import { Voice } from '../../../lib/media/audio/voice.ts';
import { randomNumbers } from '../video/pictures.ts';
import { assertTone, joined, largestStep, meterOf, peakOf, silence, tone } from './sounds.ts';

/** The next 10 ms; undefined where there is nothing. */
function take(voice: Voice): Sound | undefined {
  const sound = silence();
  return voice.take(sound) ? sound : undefined;
}

/** Plays: `give` is asked before each sound for what has come since. */
function play(voice: Voice, count: number, give: (n: number) => Int16Array | undefined): Sound[] {
  return Array.from({ length: count }, (_, n) => {
    const samples = give(n);
    if (samples !== undefined) voice.put(samples);
    return take(voice) ?? silence();
  });
}

/** There is a peak of about 8,000 in every wave. */
function assertSteady(samples: Int16Array, frequency: number): void {
  const wave = Math.ceil(48_000 / frequency);
  for (let at = 0; at + wave <= samples.length; at += wave)
    assert.ok(peakOf(samples.subarray(at, at + wave)) > 6_000, `at ${at}`);
}

describe('the sound of one', () => {
  let voice: Voice;
  beforeEach(() => (voice = new Voice()));

  it('is given as it came, 20 ms after it began', () => {
    const next = tone(440);
    const given = Array.from({ length: 100 }, () => next());
    const taken = play(voice, 100, (n) => given[n]);
    assert.equal(peakOf(taken[0]!), 0);
    assert.deepEqual(joined(taken.slice(2)), joined(given.slice(1, 99)));
    assert.deepEqual(voice.state, { waiting: 10, repeated: 0, dropped: 0 });
  });

  it('is given as it came, in whatever pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (lengths) => {
        const voice = new Voice();
        const samples = tone(440)(480 * 200);
        let [given, piece] = [0, 0];
        const taken = play(voice, 190, (n) => {
          // Always enough, and little more.
          const from = given;
          while (given < (n + 4) * 480) given += lengths[piece++ % lengths.length]!;
          return samples.slice(from, given);
        });
        const start = taken.findIndex((sound) => peakOf(sound) > 0);
        assert.equal(start, 0);
        assert.deepEqual(joined(taken.slice(1)), samples.slice(480, 480 * 190));
      }),
    );
  });

  it('costs no time where it is silent: what comes after it is given as soon', () => {
    play(voice, 500, () => silence());
    assert.deepEqual(voice.state, { waiting: 0, repeated: 0, dropped: 0 });
    const next = tone(440);
    const taken = play(voice, 10, () => next());
    assert.ok(taken.slice(1).every((sound) => peakOf(sound) > 7_000));
    // Silence after it is not kept, either.
    play(voice, 5, () => silence());
    assert.equal(voice.state.waiting, 0);
    assert.equal(take(voice), undefined);
  });

  for (const [share, frequency] of [
    [-0.004, 150],
    [-0.001, 1_900],
    [0.001, 440],
    [0.004, 150],
    [0.004, 1_900],
  ] as const)
    it(`goes on without a gap where the clocks drift by ${share * 100} % (${frequency} Hz)`, () => {
      const next = tone(frequency);
      let due = 0;
      let most = 0;
      const gaps = new GapMeter(1);
      const taken = play(voice, 6_000, () => {
        due += 480 * (1 + share);
        const samples = next(Math.floor(due));
        due -= samples.length;
        most = Math.max(most, voice.state.waiting);
        return samples;
      });
      for (const sound of taken) gaps.hear(sound);
      assert.equal(gaps.gaps.count, 0, JSON.stringify(gaps.gaps));
      assert.ok(most <= 60, `${most} ms waited`);
      const { repeated, dropped } = voice.state;
      assert.ok(share < 0 ? repeated > 3 && dropped === 0 : dropped > 3 && repeated === 0);
      for (let n = 100; n < 6_000; n += 100)
        assertTone(meterOf(taken.slice(n - 20, n)).frequency(), frequency);
      // Nothing clicks where something was left out or said again.
      const steepest = largestStep(tone(frequency)(480));
      const all = joined(taken.slice(3));
      assert.ok(largestStep(all) < 1.5 * steepest + 100);
      // Nor does it get quieter there: what is faded into is in step with what is faded from.
      assertSteady(all, frequency);
    }).timeout(30_000);

  it('does not click, whatever is said where something is left out or said again', () => {
    for (const share of [-0.004, 0.004]) {
      const voice = new Voice();
      // Of these, no piece is like another.
      const parts = [61, 97, 143, 229].map((frequency) => tone(frequency, 3_000));
      const next = (count: number): Int16Array => {
        const [first, ...others] = parts.map((part) => part(count));
        return first!.map((sample, n) => others.reduce((sum, other) => sum + other[n]!, sample));
      };
      const given: Int16Array[] = [];
      let due = 0;
      const taken = play(voice, 2_000, () => {
        due += 480 * (1 + share);
        given.push(next(Math.floor(due)));
        due -= given.at(-1)!.length;
        return given.at(-1);
      });
      const { repeated, dropped } = voice.state;
      assert.ok(repeated + dropped > 3);
      const steepest = largestStep(joined(given));
      assert.ok(largestStep(joined(taken.slice(2))) < 2 * steepest, `${steepest}`);
    }
  });

  it('goes on without a gap where pieces come in bursts', () => {
    for (const seed of [1, 2, 3]) {
      const voice = new Voice();
      const random = randomNumbers(seed);
      const next = tone(440);
      let held = 0;
      const gaps = new GapMeter(1);
      const taken = play(voice, 3_000, () => {
        held++;
        // Nothing for up to 70 ms.
        if (held < 7 && random() < 0.6) return undefined;
        const samples = next(480 * held);
        held = 0;
        return samples;
      });
      for (const sound of taken.slice(20)) gaps.hear(sound);
      assert.ok(gaps.gaps.longest <= 20, JSON.stringify(gaps.gaps));
      assert.ok(voice.state.waiting <= 200);
    }
  });

  it('fades out where nothing comes any more, and in where something comes again', () => {
    const next = tone(440);
    // What begins does so anywhere but at zero.
    next(30);
    const taken = play(voice, 200, (n) => (n < 50 || n >= 120 ? next() : undefined));
    assert.ok(taken.slice(70, 120).every((sound) => peakOf(sound) === 0));
    assert.ok(taken.slice(52, 56).every((sound) => peakOf(sound) > 500));
    assert.ok(taken.slice(122).every((sound) => peakOf(sound) > 7_000));
    assert.ok(largestStep(joined(taken)) < 1.5 * largestStep(tone(440)(480)) + 100);
  });

  it('does not wait for ever longer where nobody takes it', () => {
    const next = tone(440);
    play(voice, 50, () => next());
    next(30);
    for (let n = 0; n < 1_000; n++) {
      voice.put(next());
      assert.ok(voice.state.waiting <= 200);
    }
    for (let n = 0; n < 300; n++) voice.put(next(9_600));
    assert.ok(voice.state.waiting <= 200);
    const [first] = play(voice, 1, () => undefined);
    assert.equal(first?.[0], 0);
    // What is given then is the newest.
    const late = tone(900);
    const taken = play(voice, 60, () => late());
    assertTone(meterOf(taken.slice(-20)).frequency(), 900);
  });

  it('catches up without a click where it was taken too late', () => {
    const next = tone(440);
    const before = play(voice, 100, () => next());
    for (let n = 0; n < 30; n++) voice.put(next());
    const after = play(voice, 100, () => next());
    assert.equal(voice.state.dropped, 1);
    assertSteady(joined([...before.slice(3), ...after]), 440);
    const steepest = largestStep(tone(440)(480));
    assert.ok(largestStep(joined([...before.slice(2), ...after])) < 1.5 * steepest + 100);
    assert.ok(voice.state.waiting <= 60, `${voice.state.waiting}`);
  });

  it('comes back to waiting little after it had to wait long', () => {
    const next = tone(440);
    play(voice, 100, () => next());
    voice.put(next(480 * 15));
    assert.ok(voice.state.waiting > 140);
    const gaps = new GapMeter(1);
    for (const sound of play(voice, 500, () => next())) gaps.hear(sound);
    // First it hurries.
    assert.ok(voice.state.waiting < 100, `${voice.state.waiting}`);
    for (const sound of play(voice, 2_500, () => next())) gaps.hear(sound);
    assert.ok(voice.state.waiting < 40, `${voice.state.waiting}`);
    assert.equal(gaps.gaps.count, 0);
  });

  it('holds whatever befalls it', () => {
    const step = fc.record({
      puts: fc.array(fc.tuple(fc.integer({ min: 1, max: 9_600 }), fc.boolean()), { maxLength: 4 }),
      takes: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const voice = new Voice();
        const next = tone(300);
        for (const { puts, takes } of steps) {
          for (const [count, isSilent] of puts)
            voice.put(isSilent ? new Int16Array(count) : next(count));
          assert.ok(voice.state.waiting <= 200);
          for (let n = 0; n < takes; n++) {
            const sound = take(voice);
            assert.ok(voice.state.waiting >= 0);
            // Nothing is louder than what came, nor ends or begins but by fading.
            if (sound !== undefined) assert.ok(peakOf(sound) <= 8_001);
          }
        }
      }),
    );
  });
});
