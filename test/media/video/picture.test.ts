import assert from 'node:assert/strict';
import { hasCode } from '../../../lib/errors.ts';
import { pictureBytes } from '../../../lib/media/frames.ts';
import {
  isPicture,
  isPictureSize,
  requirePicture,
  requirePictureSize,
} from '../../../lib/media/video/picture.ts';
import { flatPicture } from './pictures.ts';

const BAD_SIZES = [
  [0, 16],
  [16, 0],
  [-16, 16],
  [16.5, 16],
  [NaN, 16],
  [16, Infinity],
  [7_681, 16],
  [7_680, 4_321],
  [5_800, 5_800],
] as const;

describe('a picture', () => {
  it('may have any size up to 8K, upright or lying, also an odd one', () => {
    const sizes = [
      [1, 1],
      [17, 33],
      [640, 480],
      [7_680, 4_320],
      [4_320, 7_680],
    ] as const;
    for (const [width, height] of sizes) {
      assert.ok(isPictureSize(width, height), `${width}×${height}`);
      requirePictureSize(width, height);
    }
    assert.ok(isPicture(flatPicture(17, 33, 100)));
    requirePicture(flatPicture(17, 33, 100));
  });

  it('has no other size', () => {
    for (const [width, height] of BAD_SIZES) {
      assert.equal(isPictureSize(width, height), false, `${width}×${height}`);
      assert.throws(
        () => requirePictureSize(width, height),
        (error) => hasCode(error, 'BAD_MESSAGE'),
      );
    }
  });

  it('has just the bytes that belong to its size', () => {
    const bytes = pictureBytes(17, 33);
    for (const length of [0, 1, bytes - 1, bytes + 1, 2 * bytes]) {
      const frame = { width: 17, height: 33, data: new Uint8Array(length), time: 0 };
      assert.equal(isPicture(frame), false, `${length} bytes`);
      assert.throws(
        () => requirePicture(frame),
        (error) => hasCode(error, 'BAD_MESSAGE'),
      );
    }
  });

  it('is none of a size that none has, whatever its bytes', () => {
    for (const [width, height] of BAD_SIZES) {
      const frame = { width, height, data: new Uint8Array(384), time: 0 };
      assert.equal(isPicture(frame), false, `${width}×${height}`);
    }
  });
});
