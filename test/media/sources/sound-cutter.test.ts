import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Sound } from '../../../lib/media/frames.ts';
import { SoundCutter } from '../../../lib/media/sources/sound-cutter.ts';
import { joinSounds } from '../../support/media-devices.ts';

describe('cutting sound', () => {
  it('gives pieces of 10 ms, wherever the bytes were cut', () => {
    const samples = Int16Array.from({ length: 5 * 480 + 100 }, (_, at) => at * 31 - 32_768);
    const bytes = new Uint8Array(samples.buffer);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 9 }),
        (lengths) => {
          const cutter = new SoundCutter();
          const sounds: Sound[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const length = lengths[turn % lengths.length] ?? 1;
            cutter.take(bytes.subarray(at, at + length), (sound) => sounds.push(sound));
            at += length;
          }
          assert.equal(sounds.length, 5);
          assert.deepEqual(joinSounds(sounds), samples.subarray(0, 5 * 480));
        },
      ),
    );
  });
});
