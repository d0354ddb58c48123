import assert from 'node:assert/strict';
import type { Clock } from '../../../lib/lifecycle.ts';
import { IncomingPictures } from '../../../lib/media/engine/incoming.ts';
import { frameTime, type VideoFrame } from '../../../lib/media/frames.ts';
import { drawPattern } from '../../../lib/media/video/pattern.ts';
import { flatPicture } from '../video/pictures.ts';

describe('pictures that come from another device', () => {
  let now = 0;
  let pictures: IncomingPictures;
  const clock: Clock = { now: () => 0, monotonic: () => now };
  /** A picture of the pattern that is so old, in milliseconds. */
  const pattern = (number: number, age: number): VideoFrame => {
    const time = frameTime();
    return { width: 160, height: 96, data: drawPattern(160, 96, number, time - age), time };
  };
  beforeEach(() => {
    now = 1_000_000;
    pictures = new IncomingPictures(clock);
  });

  it('are none at first', () => {
    assert.deepEqual([pictures.last, pictures.stats], [undefined, undefined]);
  });

  it('are told of: their size, how many they are, and how often they come', () => {
    for (let at = 0; at < 60; at++, now += 100) pictures.note(flatPicture(320, 240, 90));
    now -= 100;
    assert.deepEqual(pictures.stats, { width: 320, height: 240, fps: 10, framesDecoded: 60 });
    pictures.note(flatPicture(160, 120, 90));
    assert.equal(pictures.stats?.width, 160);
  });

  it('tell their number and how old they are where they are the test pattern', () => {
    for (const [number, age] of [
      [5, 40],
      [6, 1_500],
      [7, 0],
    ] as const) {
      pictures.note(pattern(number, age));
      const { frameNumber, latencyMs } = pictures.stats!;
      assert.equal(frameNumber, number);
      assert(latencyMs! >= age - 1 && latencyMs! < age + 5_000, `${latencyMs} for ${age}`);
    }
    pictures.note(flatPicture(160, 96, 90));
    assert.deepEqual(Object.keys(pictures.stats!), ['width', 'height', 'fps', 'framesDecoded']);
  });

  it('are not looked at where they are larger than anybody sends them', () => {
    assert.equal(pictures.note(flatPicture(1_920, 1_080, 90)), true);
    for (const [width, height] of [
      [1_922, 1_080],
      [1_920, 1_082],
      [7_680, 4_320],
    ] as const)
      assert.equal(pictures.note(flatPicture(width, height, 90)), false);
    assert.deepEqual([pictures.last?.width, pictures.stats?.framesDecoded], [1_920, 1]);
  });

  it('are not looked at where they are no pictures', () => {
    const { data } = flatPicture(641, 361, 90);
    for (const length of [data.length - 1, data.length + 1, 0]) {
      const frame = { width: 641, height: 361, data: new Uint8Array(length), time: 0 };
      assert.equal(pictures.note(frame), false);
    }
    assert.deepEqual([pictures.last, pictures.stats], [undefined, undefined]);
  });

  it('tell nothing of their age where the other clock is another one', () => {
    for (const age of [-120_000, 120_000]) {
      pictures.note(pattern(9, age));
      assert.deepEqual([pictures.stats?.frameNumber, pictures.stats?.latencyMs], [9, undefined]);
    }
  });

  it('are shown until there are none for three seconds', () => {
    const [first, second] = [flatPicture(64, 48, 90), flatPicture(64, 48, 90)];
    pictures.note(first);
    pictures.note(second);
    now += 3_000;
    assert.equal(pictures.last, second);
    assert.equal(pictures.stats?.fps, 0);
    now += 1;
    assert.deepEqual([pictures.last, pictures.stats], [undefined, undefined]);
    pictures.note(first);
    assert.deepEqual([pictures.last, pictures.stats?.framesDecoded], [first, 3]);
  });
});
