import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../lib/errors.ts';
import { SOUND_SAMPLES } from '../../../lib/media/frames.ts';
import {
  decibels,
  FADE_SAMPLES,
  fadedIn,
  fadedOut,
  Loudness,
  requireSound,
  SILENCE,
} from '../../../lib/media/audio/samples.ts';
import { amplitudeOf, largestStep, lasting, noise, silence, tone } from './sounds.ts';

describe('loudness', () => {
  it('of a sine is 3 dB below its peak', () => {
    for (const level of [0, -12, -40, -60]) {
      const measured = new Loudness().measure(tone(1_000, amplitudeOf(level))());
      assert.ok(Math.abs(measured - (level - 3.01)) < 0.1, `${measured} for ${level}`);
    }
  });

  it('of nothing is the least that there is', () => {
    assert.equal(new Loudness().measure(silence()), SILENCE);
    assert.equal(new Loudness().measure(new Int16Array(0)), SILENCE);
    assert.equal(decibels(0), SILENCE);
    assert.equal(decibels(1e-30), SILENCE);
  });

  it('does not come of a constant offset, once it is known', () => {
    const loudness = new Loudness();
    const steady = silence().fill(2_000);
    assert.ok(loudness.measure(steady) > -25);
    for (const sound of lasting(10_000, () => steady)) loudness.measure(sound);
    assert.ok(loudness.measure(steady) < -65);
    const next = tone(400, 2_000);
    const talking = next().map((sample) => sample + 2_000);
    assert.ok(Math.abs(loudness.measure(talking) - -27.3) < 0.5);
  });

  it('of a low tone is not lost with the offset', () => {
    const loudness = new Loudness();
    const levels = lasting(5_000, tone(80, 8_000)).map((sound) => loudness.measure(sound));
    for (const level of levels.slice(-100)) assert.ok(Math.abs(level - -15.3) < 1.5, `${level}`);
  });

  it('is never more than there is', () => {
    fc.assert(
      fc.property(fc.int16Array({ minLength: 480, maxLength: 480 }), (sound) => {
        const level = new Loudness().measure(sound);
        assert.ok(level >= SILENCE && level <= 0.001);
      }),
    );
  });
});

describe('a sound', () => {
  it('is 10 ms long', () => {
    requireSound(silence());
    for (const length of [0, 1, 479, 481, 960])
      assert.throws(
        () => requireSound(new Int16Array(length)),
        (error) => hasCode(error, 'BAD_MESSAGE'),
      );
  });

  it('comes in and goes out without a click, and stays as it was', () => {
    const loud = silence().fill(30_000);
    const [comes, goes] = [fadedIn(loud), fadedOut(loud)];
    assert.deepEqual([comes[0], goes[0]], [0, 30_000]);
    assert.ok(comes.subarray(FADE_SAMPLES).every((sample) => sample === 30_000));
    assert.ok(goes.subarray(FADE_SAMPLES).every((sample) => sample === 0));
    assert.ok(largestStep(comes) <= 126 && largestStep(goes) <= 126);
    assert.ok(loud.every((sample) => sample === 30_000));
    assert.equal(fadedIn(noise(9_000)()).length, SOUND_SAMPLES);
  });
});
