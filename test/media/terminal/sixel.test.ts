import assert from 'node:assert/strict';
import fc from 'fast-check';
import { patchesOf, Sixels } from '../../../lib/media/terminal/sixel.ts';
import { SixelScreen } from '../../support/drawn-screens.ts';
import { describeRenderer } from '../../support/renderer-contract.ts';
import { controls } from '../../support/sequences.ts';
import { pictureOf, plain, waves, type Colour } from '../../support/terminal-pictures.ts';

for (const cell of [
  { width: 8, height: 16 },
  { width: 9, height: 17 },
  { width: 10, height: 18 },
])
  describeRenderer(`sixels where a cell has ${cell.width} × ${cell.height} pixels`, {
    make: (options) => new Sixels(options),
    screen: () => new SixelScreen(cell),
    cell,
    // The lines that are less than a band at the lower end stay black.
    tolerance: 12,
  });

describe('sixels', () => {
  const cell = { width: 8, height: 18 };
  const area = { column: 3, row: 2, width: 32, height: 9 };

  it('have, over eight by eight pixels, the mean colour that the picture has there', async () => {
    const colourAt = (x: number, y: number): Colour => [
      32 * ((x >> 5) % 8),
      32 * ((y >> 4) % 8),
      16 * ((x >> 4) % 16),
    ];
    const screen = new SixelScreen(cell);
    const picture = pictureOf(256, 162, colourAt);
    await screen.write(new Sixels({ cell }).draw(picture, area).bytes);
    const look = screen.look(area);
    for (let y = 0; y + 8 <= 160; y += 8)
      for (let x = 0; x < 256; x += 8) {
        const sums = [0, 0, 0];
        for (let pixel = 0; pixel < 64; pixel++)
          look
            .at(x + (pixel & 7), y + (pixel >> 3))
            .forEach((part, index) => (sums[index]! += part / 64));
        colourAt(x, y).forEach((part, index) =>
          assert.ok(Math.abs(sums[index]! - part) <= 5, `${x}, ${y}: ${sums[index]} for ${part}`),
        );
      }
  });

  it('have no pixel further than a step of the palette from the picture', async () => {
    const screen = new SixelScreen(cell);
    const [width, height] = [area.width * cell.width, area.height * cell.height];
    const picture = waves(width, height, 4);
    await screen.write(new Sixels({ cell }).draw(picture, area).bytes);
    const look = screen.look(area);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [red, green, blue] = look.at(x, y);
        const luma = 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255;
        assert.ok(Math.abs(luma - picture.data[y * width + x]!) < 0.2 * 219 + 2, `${x}, ${y}`);
      }
  });

  it('are sent again only where something changed', async () => {
    const renderer = new Sixels({ cell });
    const screen = new SixelScreen(cell);
    const first = renderer.draw(plain(256, 162, [40, 40, 40]), area);
    await screen.write(first.bytes);
    const count = screen.images;
    assert.ok(count > 2);
    const spotted = pictureOf(256, 162, (x, y) =>
      x >> 1 === 100 && y >> 1 === 40 ? [255, 255, 255] : [40, 40, 40],
    );
    const { bytes } = renderer.draw(spotted, area, first.drawn);
    await screen.write(bytes);
    assert.equal(screen.images, count + 1);
    assert.equal(controls(bytes, 'H').length, 1);
    assert.deepEqual(screen.look(area).at(200, 80), [255, 255, 255]);
  });

  it('come in patches that are bounded, do not overlap and leave out less than a band', () => {
    const side = fc.integer({ min: 4, max: 40 });
    const count = fc.integer({ min: 1, max: 120 });
    fc.assert(
      fc.property(side, side, count, count, (width, height, columns, rows) => {
        const patches = patchesOf({ width: columns, height: rows }, { width, height });
        let pixels = 0;
        for (const patch of patches) {
          assert.equal(patch.height % 6, 0);
          assert.equal(patch.left, patch.column * width);
          assert.equal(patch.top, patch.row * height);
          assert.ok(patch.width > 0 && patch.left + patch.width <= columns * width);
          assert.ok(patch.top + patch.height <= rows * height);
          assert.ok(patch.width * patch.height <= Math.max(16 * 1_024, 6 * height * width));
          pixels += patch.width * patch.height;
        }
        const left = rows * height - pixels / (columns * width);
        assert.ok(left >= 0 && left < 6, `${left} lines are left out`);
      }),
    );
  });
});
