import assert from 'node:assert/strict';
import { powerSpectrum } from '../../../lib/media/audio/fourier.ts';
import { randomNumbers } from '../video/pictures.ts';

describe('a spectrum', () => {
  it('is what the sum over all samples says', () => {
    const next = randomNumbers(3);
    for (const size of [1, 2, 4, 64, 256]) {
      const samples = Float64Array.from({ length: size }, () => 2 * next() - 1);
      const power = powerSpectrum(samples);
      assert.equal(power.length, Math.floor(size / 2) + 1);
      for (let frequency = 0; frequency <= size / 2; frequency++) {
        let [real, imaginary] = [0, 0];
        samples.forEach((sample, n) => {
          real += sample * Math.cos((2 * Math.PI * frequency * n) / size);
          imaginary -= sample * Math.sin((2 * Math.PI * frequency * n) / size);
        });
        const expected = real ** 2 + imaginary ** 2;
        assert.ok(Math.abs(power[frequency]! - expected) < 1e-9 * size, `${frequency} of ${size}`);
      }
    }
  });

  it('has a sine at its frequency alone', () => {
    const samples = Float64Array.from({ length: 4_096 }, (_, n) =>
      Math.sin((2 * Math.PI * 100 * n) / 4_096),
    );
    powerSpectrum(samples).forEach((power, frequency) =>
      assert.ok(frequency === 100 ? Math.abs(power - 2_048 ** 2) < 1e-3 : power < 1e-9),
    );
  });

  it('leaves the samples as they were', () => {
    const samples = Float64Array.of(1, 2, 3, 4);
    powerSpectrum(samples);
    assert.deepEqual([...samples], [1, 2, 3, 4]);
  });
});
