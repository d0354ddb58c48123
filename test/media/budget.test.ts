import assert from 'node:assert/strict';
import fc from 'fast-check';
import { budgetFor, type Wanted } from '../../lib/media/budget.ts';
import type { PictureSize } from '../../lib/media/frames.ts';

/** Content, and what may come to it of headers and reserve. */
const LEAST_PICTURE = 30_000;
const MOST_PICTURE = 2_500_000;
const MOST_MORE = 1.3;

const size = (width: number, height: number, fps: number): PictureSize => ({ width, height, fps });
const sizes = fc.record({
  width: fc.nat(8_192),
  height: fc.nat(8_192),
  fps: fc.nat(60),
});
const camera = (of: PictureSize | null): Wanted => ({ camera: of, screen: null });

describe('how many bits go to another device', () => {
  it('are more, the more it wants to see', () => {
    const all = (wanted: Wanted): number => budgetFor(wanted, 1).all;
    const [small, usual, large] = [size(160, 96, 15), size(320, 240, 15), size(640, 480, 30)];
    assert.deepEqual([small, usual, large].map(camera).map(all), [118_772, 261_274, 1_486_619]);
    assert.equal(all({ camera: small, screen: small }), 162_104);
    assert.equal(all({ camera: null, screen: large }), all(camera(large)));
  });

  it('are enough for a first picture where it wants to see nothing yet', () => {
    assert.deepEqual(budgetFor(camera(null), 1), budgetFor(camera(size(160, 96, 15)), 1));
  });

  it('are more than the content, by the headers of all packets', () => {
    // 15 pictures and 50 packets of sound a second, of 64 bytes each besides.
    const content = LEAST_PICTURE + 40_000;
    const headers = (15 + 50) * 64 * 8;
    const { all } = budgetFor(camera(size(160, 96, 15)), 1);
    assert(all > content + headers && all < (content + headers) * MOST_MORE, `${all}`);
  });

  it('are less for sound where there are many', () => {
    const sound = (others: number): number => budgetFor(camera(null), others).sound;
    assert.deepEqual([1, 4, 5, 15].map(sound), [40_000, 40_000, 24_000, 24_000]);
  });

  it('are whole, within bounds, and never fewer for a larger picture', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat(15), (one, other, others) => {
        const both = size(
          Math.max(one.width, other.width),
          Math.max(one.height, other.height),
          Math.max(one.fps, other.fps),
        );
        const { sound, all } = budgetFor(camera(one), others);
        assert(Number.isInteger(all) && Number.isInteger(sound));
        assert(all >= sound + LEAST_PICTURE && all <= (2 * sound + MOST_PICTURE) * MOST_MORE);
        assert(budgetFor(camera(both), others).all >= all);
        const together = budgetFor({ camera: one, screen: other }, others).all;
        assert(together >= all + LEAST_PICTURE);
      }),
    );
  });

  it('are the same for sizes that hardly differ, so that nothing has to be agreed on anew', () => {
    const seen = new Set<number>();
    for (let width = 16; width <= 1_920; width += 2)
      seen.add(budgetFor(camera(size(width, Math.round((width * 3) / 4), 15)), 1).all);
    assert(seen.size <= 14, `${seen.size} different ones`);
  });
});
