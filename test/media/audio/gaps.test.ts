import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../lib/errors.ts';
import { GapMeter } from '../../../lib/media/audio/gaps.ts';
import { amplitudeOf, lasting, noise, pieces, silence, tone } from './sounds.ts';

describe('gaps in a tone', () => {
  it('are none where it goes on', () => {
    for (const frequency of [80, 440, 1_000, 4_000])
      for (const level of [-40, -12, 0]) {
        const meter = new GapMeter(1);
        for (const sound of lasting(5_000, tone(frequency, amplitudeOf(level)))) meter.hear(sound);
        const { count, heard } = meter.gaps;
        assert.equal(count, 0, `${frequency} Hz, ${level} dB`);
        assert.ok(heard > 4_990);
      }
  });

  it('are counted and measured to the millisecond', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(200, 440, 1_000, 3_000),
        fc.array(fc.tuple(fc.integer({ min: 30, max: 400 }), fc.integer({ min: 5, max: 300 })), {
          minLength: 1,
          maxLength: 10,
        }),
        (frequency, parts) => {
          const milliseconds = parts.reduce((sum, [on, off]) => sum + on + off, 60);
          const samples = tone(frequency)(milliseconds * 48);
          let at = 0;
          for (const [on, off] of parts) {
            samples.fill(0, (at + on) * 48, (at + on + off) * 48);
            at += on + off;
          }
          const meter = new GapMeter();
          for (const sound of pieces(samples)) meter.hear(sound);
          const { count, longest, total } = meter.gaps;
          const lengths = parts.map(([, off]) => off);
          assert.equal(count, parts.length);
          assert.ok(Math.abs(longest - Math.max(...lengths)) <= 1, `${longest}`);
          const all = lengths.reduce((sum, length) => sum + length, 0);
          assert.ok(Math.abs(total - all) <= parts.length, `${total} for ${all}`);
        },
      ),
    );
  });

  it('are heard through noise, and where nothing comes at all', () => {
    const meter = new GapMeter();
    for (const sound of lasting(500, tone(440))) meter.hear(sound);
    for (const sound of lasting(40, noise(200))) meter.hear(sound);
    for (const sound of lasting(500, tone(440))) meter.hear(sound);
    for (let n = 0; n < 7; n++) meter.hear(undefined);
    for (const sound of lasting(500, tone(440))) meter.hear(sound);
    assert.deepEqual(meter.gaps, { count: 2, longest: 70, total: 110, heard: 1_610 });
  });

  it('are only those of the length that was asked for', () => {
    const samples = tone(1_000)(48_000);
    samples.fill(0, 4_800, 4_800 + 10 * 48);
    samples.fill(0, 9_600, 9_600 + 30 * 48);
    const count = (least: number): number => {
      const meter = new GapMeter(least);
      for (const sound of pieces(samples)) meter.hear(sound);
      return meter.gaps.count;
    };
    assert.deepEqual([count(5), count(20), count(40)], [2, 1, 0]);
  });

  it('count from when it has begun, and while they last', () => {
    const meter = new GapMeter();
    for (const sound of lasting(1_000, silence)) meter.hear(sound);
    for (let n = 0; n < 10; n++) meter.hear(undefined);
    for (const sound of lasting(1_000, noise(20))) meter.hear(sound);
    assert.deepEqual(meter.gaps, { count: 0, longest: 0, total: 0, heard: 0 });
    for (const sound of lasting(1_000, tone(440))) meter.hear(sound);
    for (const sound of lasting(2_500, silence)) meter.hear(sound);
    assert.deepEqual(meter.gaps, { count: 1, longest: 2_500, total: 2_500, heard: 3_500 });
  });

  it('are none where it becomes quieter by and by, or louder', () => {
    const meter = new GapMeter();
    for (let level = -10; level >= -40; level--)
      for (const sound of lasting(100, tone(440, amplitudeOf(level)))) meter.hear(sound);
    for (const sound of lasting(500, tone(440, amplitudeOf(-6)))) meter.hear(sound);
    assert.equal(meter.gaps.count, 0);
  });

  it('are not measured in what is no sound', () => {
    assert.throws(
      () => new GapMeter().hear(new Int16Array(481)),
      (error) => hasCode(error, 'BAD_MESSAGE'),
    );
  });
});
