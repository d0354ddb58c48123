import assert from 'node:assert/strict';
import { openSilence, openTone } from '../../../lib/media/sources/tone.ts';
import { frequencyOf, joinSounds } from '../../support/media-devices.ts';
import { describeAudioSource, take } from '../../support/media-source-contract.ts';
import { FakeTime } from '../../support/time.ts';

describeAudioSource('a tone', async () => openTone(440));
describeAudioSource('silence', async () => openSilence());

describe('a tone', () => {
  let time: FakeTime;
  beforeEach(() => (time = new FakeTime()));
  afterEach(() => time.restore());

  it('has its frequency, and is 12 dB below the loudest', async () => {
    for (const hertz of [80, 440, 1_000, 3_999.5]) {
      const source = openTone(hertz);
      const taken = take(source, 100);
      const samples = joinSounds(await time.until(taken));
      await source.close();
      assert.ok(Math.abs(frequencyOf(samples) - hertz) < hertz / 200, `${frequencyOf(samples)}`);
      const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      const decibels = 20 * Math.log10(peak / 32_768);
      assert.ok(decibels > -12.2 && decibels < -11.8, `${decibels} dBFS`);
    }
  });

  it('goes on from sound to sound without a step, also where some were left out', async () => {
    let now = 0;
    const source = openTone(437, { now: () => now, monotonic: () => now });
    const sounds: Int16Array[] = [];
    const reading = (async () => {
      for await (const sound of source.frames()) sounds.push(sound);
    })();
    // Half a second in which this process did not get round to it.
    for (const later of [20, 500, 20, 20]) {
      now += later;
      await time.pass(20);
    }
    await source.close();
    await reading;
    assert.equal(sounds.length, 1 + 2 + 5 + 2 + 2);
    const samples = joinSounds(sounds);
    // From one sample to the next no more than a sine of that frequency rises.
    const most = 8_192 * 2 * Math.PI * (437 / 48_000) + 2;
    for (let at = 1; at < samples.length; at++)
      assert.ok(Math.abs(samples[at]! - samples[at - 1]!) <= most, `at ${at}`);
  });

  it('keeps the time: a hundred sounds a second, however long', async () => {
    const source = openTone(440);
    let count = 0;
    const reading = (async () => {
      for await (const _ of source.frames()) count++;
    })();
    await time.pass(10_000);
    assert.ok(Math.abs(count - 1_000) <= 1, `${count}`);
    await time.pass(50_000);
    assert.ok(Math.abs(count - 6_000) <= 1, `${count}`);
    await source.close();
    await reading;
  });
});

describe('silence', () => {
  it('is nothing but zeroes', async () => {
    const source = openSilence();
    for (const sound of await take(source, 3)) assert.ok(sound.every((sample) => sample === 0));
    await source.close();
  });
});
