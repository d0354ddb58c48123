import assert from 'node:assert/strict';
import { isSimilar } from '../../../lib/media/terminal/renderer.ts';

describe('pixels', () => {
  it('are similar while no part of them differs by more than the tolerance', () => {
    const pixels = Uint8ClampedArray.of(10, 20, 30, 200, 200, 200);
    const others = Uint8ClampedArray.of(13, 17, 30, 0, 0, 0);
    assert.equal(isSimilar(pixels, others, 0, 3, 3), true);
    assert.equal(isSimilar(pixels, others, 0, 3, 2), false);
    assert.equal(isSimilar(pixels, others, 0, 4, 3), false);
    assert.equal(isSimilar(pixels, others, 2, 3, 0), true);
    assert.equal(isSimilar(pixels, others, 0, 0, 0), true);
  });
});
