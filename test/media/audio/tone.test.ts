import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../lib/errors.ts';
import { ToneMeter } from '../../../lib/media/audio/tone.ts';
import { ffmpeg, FFMPEG_MS } from '../video/ffmpeg.ts';
import {
  amplitudeOf,
  assertTone,
  joined,
  lasting,
  meterOf,
  noise,
  pieces,
  silence,
  tone,
} from './sounds.ts';

const FREQUENCIES = [80, 97, 130, 220, 440, 880, 1_000, 1_567, 2_500, 3_333, 4_000];

/** As Opus leaves it (RFC 6716). */
function throughOpus(samples: Int16Array, bits: number): Int16Array {
  const raw = ['-f', 's16le', '-ar', '48000', '-ac', '1'];
  const coded = ffmpeg(
    [...raw, '-i', '-', '-c:a', 'libopus', '-application', 'voip', '-b:a', `${bits}`].concat([
      '-f',
      'ogg',
      '-',
    ]),
    new Uint8Array(samples.buffer),
  );
  const decoded = ffmpeg(['-f', 'ogg', '-i', '-', ...raw, '-'], coded);
  return new Int16Array(decoded.slice().buffer, 0, Math.floor(decoded.length / 2));
}

describe('a tone', () => {
  it('is measured to a tenth of a percent', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 80, max: 4_000, noNaN: true }),
        fc.integer({ min: -50, max: 0 }),
        (frequency, level) => {
          const sounds = lasting(250, tone(frequency, amplitudeOf(level)));
          assertTone(meterOf(sounds).frequency(), frequency, 0.001);
        },
      ),
    );
  });

  it('is measured in noise', () => {
    for (const frequency of FREQUENCIES) {
      const [clear, other] = [tone(frequency, 8_000), noise(4_000)];
      const sounds = lasting(200, () => {
        const rest = other();
        return clear().map((sample, n) => sample + rest[n]!);
      });
      assertTone(meterOf(sounds).frequency(), frequency, 0.005);
    }
  });

  it('is measured where a piece of it is missing, or was left out', () => {
    for (const frequency of FREQUENCIES) {
      const next = tone(frequency);
      const missing = lasting(200, next).map((sound, n) =>
        n === 6 || n === 7 ? silence() : sound,
      );
      assertTone(meterOf(missing).frequency(), frequency, 0.01, 'with a hole');
      const shorter = [...lasting(80, next)];
      next(300);
      assertTone(
        meterOf([...shorter, ...lasting(120, next)]).frequency(),
        frequency,
        0.01,
        'with a jump',
      );
    }
  });

  it('is measured after Opus at 16 and at 32 kbit/s', () => {
    for (const bits of [16_000, 32_000]) {
      // One after the other: the coder has to follow, too.
      const all = joined(FREQUENCIES.map((frequency) => tone(frequency)(24_000)));
      const decoded = pieces(throughOpus(all, bits));
      for (const [n, frequency] of FREQUENCIES.entries()) {
        const end = 50 * (n + 1) - 5;
        assertTone(
          meterOf(decoded.slice(end - 20, end)).frequency(),
          frequency,
          0.01,
          `at ${bits} bit/s`,
        );
      }
    }
  }).timeout(5 * FFMPEG_MS);

  it('is the loudest where there are several', () => {
    const [loud, quiet] = [tone(660, 9_000), tone(1_900, 4_000)];
    const sounds = lasting(200, () => {
      const other = quiet();
      return loud().map((sample, n) => sample + other[n]!);
    });
    const meter = meterOf(sounds);
    assertTone(meter.frequency(), 660);
    assert.ok(Math.abs(meter.share(660) - 81 / 97) < 0.02, `${meter.share(660)}`);
    assert.ok(Math.abs(meter.share(1_900) - 16 / 97) < 0.02, `${meter.share(1_900)}`);
    assert.ok(meter.share(1_000) < 0.001);
  });

  it('is that of now, and none any more when it has ended', () => {
    const meter = meterOf([...lasting(300, tone(440)), ...lasting(200, tone(550))]);
    assertTone(meter.frequency(), 550);
    for (let n = 0; n < 20; n++) meter.hear(undefined);
    assert.equal(meter.frequency(), undefined);
    for (const sound of lasting(200, tone(700))) meter.hear(sound);
    assertTone(meter.frequency(), 700);
    for (const sound of lasting(200, silence)) meter.hear(sound);
    assert.equal(meter.frequency(), undefined);
    assert.equal(meter.share(700), 0);
  });

  it('is none where there is none', () => {
    assert.equal(new ToneMeter().frequency(), undefined);
    for (const seed of [1, 2, 3])
      assert.equal(meterOf(lasting(200, noise(20_000, seed))).frequency(), undefined);
    // An offset, and what is too quiet, too low or too high.
    assert.equal(meterOf(lasting(200, () => silence().fill(9_000))).frequency(), undefined);
    assert.equal(meterOf(lasting(200, tone(440, amplitudeOf(-70)))).frequency(), undefined);
    for (const frequency of [20, 40, 5_500, 7_000, 8_000, 10_000, 12_500, 20_000])
      assert.equal(meterOf(lasting(200, tone(frequency))).frequency(), undefined, `${frequency}`);
  });

  it('is not measured of what is no sound', () => {
    assert.throws(
      () => new ToneMeter().hear(new Int16Array(100)),
      (error) => hasCode(error, 'BAD_MESSAGE'),
    );
  });
});
