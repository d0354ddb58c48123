import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isHeard, Resampler } from '../../../lib/media/audio/resampler.ts';
import { assertTone, joined, meterOf, pieces, tone } from './sounds.ts';

const RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

function heard(samples: Int16Array, sampleRate: number, channelCount = 1) {
  return { samples, sampleRate, channelCount };
}

/** All of it at 48 kHz, given in pieces of these lengths. */
function converted(samples: Int16Array, rate: number, lengths: readonly number[]): Int16Array {
  const resampler = new Resampler(rate);
  const parts: Int16Array[] = [];
  for (let at = 0, n = 0; at < samples.length; n++) {
    const length = lengths[n % lengths.length]!;
    parts.push(resampler.convert(heard(samples.slice(at, at + length), rate)).slice());
    at += length;
  }
  return joined(parts);
}

describe('sound of another rate', () => {
  for (const rate of RATES)
    it(`is the same at 48 kHz (${rate} Hz)`, () => {
      for (const frequency of [100, 440, 0.15 * rate, 0.3 * rate, 0.4 * rate]) {
        const samples = converted(tone(frequency, 8_000, rate)(rate / 2), rate, [rate / 100]);
        assert.ok(Math.abs(samples.length - 24_000) <= 6, `${samples.length} samples`);
        if (frequency <= 4_000) {
          const meter = meterOf(pieces(samples).slice(20, 40));
          assertTone(meter.frequency(), frequency, 0.001);
          assert.ok(meter.share(frequency) > 0.999, `${meter.share(frequency)}`);
        }
        // The same tone, with nothing else in it: what is left beside it is far below.
        const [inPhase, across, all] = parts(samples.subarray(4_800, 4_800 + 14_400), frequency);
        const level = Math.hypot(inPhase, across);
        // Near the end of what the rate can carry, it fades out.
        const most = frequency > 0.35 * rate ? 0.12 : 0.02;
        assert.ok(Math.abs(level / 8_000 - 1) < most, `${frequency} Hz: ${level}`);
        const rest = all - level ** 2 / 2;
        assert.ok(rest < (0.02 * level) ** 2 / 2, `${frequency} Hz: ${Math.sqrt(rest)}`);
      }
    });

  /** How much of a tone there is, of each phase, and the mean square of all. */
  function parts(samples: Int16Array, frequency: number): [number, number, number] {
    let [sine, cosine, squares] = [0, 0, 0];
    samples.forEach((sample, n) => {
      sine += sample * Math.sin((2 * Math.PI * frequency * n) / 48_000);
      cosine += sample * Math.cos((2 * Math.PI * frequency * n) / 48_000);
      squares += sample ** 2;
    });
    const count = samples.length;
    return [(2 * sine) / count, (2 * cosine) / count, squares / count];
  }

  it('does not depend on the pieces in which it comes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...RATES),
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }),
        (rate, lengths) => {
          const samples = tone(700, 12_000, rate)(2_000);
          assert.deepEqual(converted(samples, rate, lengths), converted(samples, rate, [2_000]));
        },
      ),
    );
  });

  it('is as long as it was', () => {
    for (const rate of RATES) {
      const resampler = new Resampler(rate);
      let count = 0;
      for (let n = 0; n < 1_000; n++)
        count += resampler.convert(heard(new Int16Array(rate / 25), rate)).length;
      // Some rates have no whole number of samples in that time.
      const seconds = (1_000 * Math.floor(rate / 25)) / rate;
      assert.ok(Math.abs(count - seconds * 48_000) <= 6, `${rate} Hz: ${count}`);
    }
  });

  it('of two channels is their mean', () => {
    for (const rate of [16_000, 44_100, 48_000]) {
      const [one, other] = [tone(400, 8_000, rate)(600), tone(900, 6_000, rate)(600)];
      const both = Int16Array.from({ length: 1_200 }, (_, n) =>
        n % 2 === 0 ? one[n / 2]! : other[(n - 1) / 2]!,
      );
      const mean = one.map((sample, n) => (sample + other[n]!) / 2);
      const result = new Resampler(rate).convert(heard(both, rate, 2));
      const expected = new Resampler(rate).convert(heard(mean, rate));
      assert.equal(result.length, expected.length);
      result.forEach((sample, n) => assert.ok(Math.abs(sample - expected[n]!) <= 1));
    }
  });

  it('does not turn over where it is as loud as can be', () => {
    for (const rate of RATES) {
      const square = Int16Array.from({ length: 2_000 }, (_, n) =>
        Math.floor(n / 7) % 2 === 0 ? 32_767 : -32_768,
      );
      const samples = converted(square, rate, [rate / 100]);
      // Between two samples of the same sign there is none of the other.
      const ratio = 48_000 / rate;
      for (let n = 10; n < 270; n++) {
        const at = Math.round((7 * n + 3 + (rate === 48_000 ? 0 : 8)) * ratio);
        assert.ok(samples[at]! * (n % 2 === 0 ? 1 : -1) > 20_000, `${rate} Hz: ${samples[at]}`);
      }
    }
  });
});

describe('what is heard', () => {
  it('is up to 200 ms of one or two channels, of the usual rates', () => {
    for (const rate of RATES)
      for (const channels of [1, 2]) {
        const most = Math.floor(rate / 5) * channels;
        assert.ok(isHeard(heard(new Int16Array(channels), rate, channels)));
        assert.ok(isHeard(heard(new Int16Array(most), rate, channels)));
        assert.equal(isHeard(heard(new Int16Array(most + channels), rate, channels)), false);
      }
  });

  it('is nothing else', () => {
    const good = new Int16Array(480);
    for (const bad of [
      heard(new Int16Array(0), 48_000),
      heard(good, 0),
      heard(good, NaN),
      heard(good, -48_000),
      heard(good, 47_999),
      heard(good, 96_000),
      heard(good, 48_000, 0),
      heard(good, 48_000, 3),
      heard(good, 48_000, NaN),
      heard(new Int16Array(481), 48_000, 2),
      heard(new Uint8Array(480) as unknown as Int16Array, 48_000),
      heard(undefined as unknown as Int16Array, 48_000),
    ])
      assert.equal(isHeard(bad), false, `${bad.sampleRate} ${bad.channelCount}`);
  });
});
