import assert from 'node:assert/strict';
import { isNoWay, noDevice, noWay, shown } from '../../../lib/media/devices/refusals.ts';

describe('what a device says about itself', () => {
  it('is shown in one line, clean and bounded', () => {
    assert.equal(shown(' Kamera „Süd“ \n'), 'Kamera „Süd“');
    assert.equal(shown('a\u001b[2Jb\u001b]52;c;aaaa\u0007c\u202ed\r\ne'), 'abcd e');
    assert.equal(shown('é'.repeat(1_000)).length, 200);
    assert.equal(shown('\u001b[31m'.repeat(1_000_000)), '');
    // No half of a character is left where it is cut.
    assert.ok(shown(`${'x'.repeat(198)}😀😀`).isWellFormed());
  });

  it('is told from what no choice would help', () => {
    assert.equal(isNoWay(noWay('ffmpeg is missing')), true);
    assert.equal(isNoWay(noDevice('no such camera')), false);
    assert.equal(noWay('x').code, 'NO_DEVICE');
  });
});
