import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parsePictureSize, usualSize } from '../../lib/media/viewing.ts';

describe('how large pictures are wanted', () => {
  it('goes by how many others there are', () => {
    const usual = (others: number): string => {
      const { width, height, fps } = usualSize(others);
      return `${width}x${height}@${fps}`;
    };
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 15].map(usual), [
      '640x480@30',
      '640x480@30',
      '320x240@15',
      '320x240@15',
      '160x96@15',
      '160x96@15',
      '160x96@11',
      '160x96@11',
    ]);
  });

  it('can be written', () => {
    assert.deepEqual(parsePictureSize('320x240'), { width: 320, height: 240, fps: 15 });
    assert.deepEqual(parsePictureSize('640x480@30'), { width: 640, height: 480, fps: 30 });
    assert.deepEqual(parsePictureSize('16x16@1'), { width: 16, height: 16, fps: 1 });
    assert.deepEqual(parsePictureSize('4096x4096@60'), { width: 4_096, height: 4_096, fps: 60 });
  });

  const wrong = ['', 'x', '320', '320x', 'x240', '320x240@', '320x240@0', '320x240@61', '15x16'];
  wrong.push('16x15', '4097x16', '16x4097', '320X240', ' 320x240', '320x240\n', '-320x240');
  wrong.push('320x240@15.5', '99999x16', '320x240x2', '٣٢٠x240', '1e3x16', '0x16x16');
  for (const text of wrong)
    it(`cannot be written as ${JSON.stringify(text)}`, () => {
      assert.equal(parsePictureSize(text), undefined);
    });

  it('is read as it was written, or not at all', () => {
    const side = fc.nat(5_000);
    fc.assert(
      fc.property(side, side, fc.nat(99), (width, height, fps) => {
        const size = parsePictureSize(`${width}x${height}@${fps}`);
        const isFit = [width, height].every((one) => one >= 16 && one <= 4_096);
        const isWanted = isFit && fps >= 1 && fps <= 60;
        assert.deepEqual(size, isWanted ? { width, height, fps } : undefined);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.equal(parsePictureSize(`${text}!`), undefined);
      }),
    );
  });
});
