import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  nearestColours,
  paletteColour,
  paletteIndex,
  unlikeness,
} from '../../../lib/media/terminal/palette.ts';
import { paletteColourOf } from '../../support/drawn-screens.ts';

describe('the palette of 256 colours', () => {
  it('has the colours that terminals agree on', () => {
    for (let number = 16; number < 256; number++)
      assert.deepEqual(paletteColour(number), paletteColourOf(number));
  });

  it('has black, white and each of its own colours, or one that is hardly another', () => {
    const nearest = nearestColours();
    assert.equal(nearest[paletteIndex(0, 0, 0)], 16);
    assert.equal(nearest[paletteIndex(255, 255, 255)], 231);
    for (let number = 16; number < 256; number++) {
      const [red, green, blue] = paletteColour(number);
      const found = paletteColour(nearest[paletteIndex(red, green, blue)]!);
      assert.ok(unlikeness(found, [red, green, blue]) <= 100, `${number}`);
    }
  });

  it('is asked for a colour of which none is much nearer', () => {
    const nearest = nearestColours();
    const part = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(part, part, part), (colour) => {
        const found = nearest[paletteIndex(...colour)]!;
        assert.ok(found >= 16);
        let least = Infinity;
        for (let number = 16; number < 256; number++)
          least = Math.min(least, unlikeness(paletteColour(number), colour));
        // The table knows a colour to within four of each part.
        const seen = Math.sqrt(unlikeness(paletteColour(found), colour));
        assert.ok(seen <= Math.sqrt(least) + 8, `${colour.join()}: ${seen}`);
      }),
      { numRuns: 500 },
    );
  });
});
