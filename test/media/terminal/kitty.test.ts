import assert from 'node:assert/strict';
import { KittyImages, MOST_PIXELS } from '../../../lib/media/terminal/kitty.ts';
import { KittyScreen } from '../../support/drawn-screens.ts';
import { describeRenderer } from '../../support/renderer-contract.ts';
import { pictureOf, plain, waves, WHITE, type Colour } from '../../support/terminal-pictures.ts';

const CELL = { width: 9, height: 18 };

describeRenderer('pictures as images of Kitty', {
  make: (options) => new KittyImages(options),
  screen: () => new KittyScreen(),
  cell: CELL,
  tolerance: 4,
});

describe('images of Kitty', () => {
  const area = { column: 4, row: 2, width: 16, height: 8 };
  const size = { width: area.width * CELL.width, height: area.height * CELL.height };

  it('are the pixels of the picture, where that is as large as its tile', async () => {
    const colourAt = (x: number, y: number): Colour => [
      (x >> 1) * 3,
      (y >> 1) * 3,
      ((x >> 1) * (y >> 1)) % 256,
    ];
    const screen = new KittyScreen();
    const picture = pictureOf(size.width, size.height, colourAt);
    await screen.write(new KittyImages({ cell: CELL }).draw(picture, area).bytes);
    const look = screen.look(area);
    assert.deepEqual([look.width, look.height], [size.width, size.height]);
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++) {
        const expected = colourAt(x, y).map((part) => Math.min(255, part));
        // I420 in whole numbers, and 64 steps of each colour.
        look
          .at(x, y)
          .forEach((part, index) =>
            assert.ok(Math.abs(part - expected[index]!) <= 5, `${x}, ${y}`),
          );
      }
  });

  it('are no larger than the picture: the terminal stretches them', async () => {
    const screen = new KittyScreen();
    // 16:9 like the tile is not, so there is black above and below.
    await screen.write(new KittyImages({ cell: CELL }).draw(plain(32, 18, WHITE), area).bytes);
    const look = screen.look(area);
    assert.deepEqual([look.width, look.height], [32, 32]);
    assert.deepEqual(look.at(16, 16), WHITE);
    assert.deepEqual(look.at(16, 3), [0, 0, 0]);
  });

  it('have a bound, however large tile and picture are', async () => {
    const screen = new KittyScreen();
    const large = { column: 1, row: 1, width: 300, height: 90 };
    await screen.write(new KittyImages({ cell: CELL }).draw(waves(1_920, 1_080, 1), large).bytes);
    const look = screen.look(large);
    assert.ok(look.width * look.height <= 1.02 * MOST_PIXELS);
    assert.ok(look.width * look.height >= 0.98 * MOST_PIXELS);
  });

  it('are shown by turns under two numbers, of which the one not shown is deleted', async () => {
    const renderer = new KittyImages({ cell: CELL, firstImage: 70 });
    const screen = new KittyScreen();
    const numbers: number[][] = [];
    let drawn;
    for (const number of [1, 2, 3]) {
      const drawing = renderer.draw(waves(160, 120, number), area, drawn);
      drawn = drawing.drawn;
      await screen.write(drawing.bytes);
      numbers.push([...screen.images.keys()]);
    }
    assert.deepEqual(numbers, [[70], [71], [70]]);
  });

  it('are all gone when they are erased, and their numbers used again', async () => {
    const renderer = new KittyImages({ cell: CELL, firstImage: 70 });
    const screen = new KittyScreen();
    const drawing = renderer.draw(waves(160, 120, 1), area);
    await screen.write(drawing.bytes);
    const { drawn } = drawing;
    await screen.write(renderer.erase(drawn).bytes);
    assert.deepEqual([screen.images.size, screen.placements.size], [0, 0]);
    await screen.write(renderer.draw(waves(160, 120, 2), area).bytes);
    assert.deepEqual([...screen.images.keys()], [70]);
  });

  it('that are broken off half way leave nothing once they are erased', async () => {
    const renderer = new KittyImages({ cell: CELL, firstImage: 70 });
    const screen = new KittyScreen();
    const first = renderer.draw(waves(160, 120, 1), area);
    await screen.write(first.bytes);
    const second = renderer.draw(waves(160, 120, 2), area, first.drawn);
    await screen.write(second.bytes.slice(0, second.ends[1]));
    await screen.write(renderer.erase(second.drawn).bytes);
    assert.deepEqual([screen.images.size, screen.placements.size], [0, 0]);
    await screen.write(renderer.draw(waves(160, 120, 3), area).bytes);
    assert.equal(screen.look(area).width > 0, true);
  });
});
