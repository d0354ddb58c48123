import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HalfBlocks } from '../../../lib/media/terminal/half-blocks.ts';
import { CellScreen, paletteColourOf } from '../../support/drawn-screens.ts';
import { describeRenderer } from '../../support/renderer-contract.ts';
import { controls, printed, sequencesOf } from '../../support/sequences.ts';
import { BLACK, pictureOf, plain, WHITE, type Colour } from '../../support/terminal-pictures.ts';

const CELL = { width: 8, height: 16 };

for (const [mode, tolerance] of [
  ['truecolor', 3],
  ['256', 45],
] as const)
  describeRenderer(`half blocks in ${mode}`, {
    make: (options) => new HalfBlocks(mode, options),
    screen: () => new CellScreen('blocks'),
    cell: CELL,
    tolerance,
  });

/** A picture of two by two pixels for each half of a cell, so that nothing is lost in I420. */
function pictureOfHalves(width: number, height: number, colours: readonly Colour[]) {
  return pictureOf(2 * width, 4 * height, (x, y) => colours[(y >> 1) * width + (x >> 1)]!);
}

/** Where the terminal's own palette has the nearest colour, found by looking at each. */
function distance(one: Colour, other: Colour): number {
  const [red, green, blue] = one.map((part, index) => (part - other[index]!) ** 2);
  return (2 * red! + 4 * green! + 3 * blue!) / 9;
}

const colour = fc.tuple(
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: 0, max: 255 }),
);

describe('half blocks', () => {
  const area = { column: 5, row: 3, width: 6, height: 4 };

  it('have in each half the very colour that the picture has there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(colour, { minLength: 48, maxLength: 48 }), async (colours) => {
        const screen = new CellScreen('blocks');
        await screen.write(
          new HalfBlocks('truecolor').draw(pictureOfHalves(6, 4, colours), area).bytes,
        );
        const look = screen.look(area);
        for (let y = 0; y < 8; y++)
          for (let x = 0; x < 6; x++) {
            const expected = colours[y * 6 + x]!;
            // I420 in whole numbers is not exact.
            look
              .at(x, y)
              .forEach((part, index) => assert.ok(Math.abs(part - expected[index]!) <= 3));
          }
      }),
      { numRuns: 50 },
    );
  });

  it('have in each half a colour of the palette that is about the nearest', async () => {
    const palette = Array.from({ length: 240 }, (_, index) => paletteColourOf(index + 16));
    await fc.assert(
      fc.asyncProperty(fc.array(colour, { minLength: 48, maxLength: 48 }), async (colours) => {
        const screen = new CellScreen('blocks');
        await screen.write(new HalfBlocks('256').draw(pictureOfHalves(6, 4, colours), area).bytes);
        const look = screen.look(area);
        for (let y = 0; y < 8; y++)
          for (let x = 0; x < 6; x++) {
            const expected = colours[y * 6 + x]!;
            const least = Math.min(...palette.map((one) => distance(one, expected)));
            const seen = Math.sqrt(distance(look.at(x, y), expected));
            assert.ok(
              seen <= Math.sqrt(least) + 8,
              `${look.at(x, y).join()} for ${expected.join()}`,
            );
          }
      }),
      { numRuns: 50 },
    );
  });

  it('write one cell for one pixel that changed', () => {
    for (const mode of ['truecolor', '256'] as const) {
      const renderer = new HalfBlocks(mode);
      const colours: Colour[] = Array.from({ length: 48 }, () => [20, 20, 20]);
      const { drawn } = renderer.draw(pictureOfHalves(6, 4, colours), area);
      colours[3 * 6 + 2] = [250, 250, 250];
      const { bytes, ends } = renderer.draw(pictureOfHalves(6, 4, colours), area, drawn);
      assert.equal(printed(bytes).length, 1);
      assert.deepEqual(controls(bytes, 'H'), [`${area.row + 1};${area.column + 2}`]);
      assert.equal(ends.length, 1);
    }
  });

  it('step over the cells of a row that are as they were', async () => {
    const renderer = new HalfBlocks('truecolor');
    const colours: Colour[] = Array.from({ length: 48 }, () => BLACK);
    const screen = new CellScreen('blocks');
    const first = renderer.draw(pictureOfHalves(6, 4, colours), area);
    await screen.write(first.bytes);
    for (const x of [0, 1, 5]) colours[4 * 6 + x] = WHITE;
    const { bytes } = renderer.draw(pictureOfHalves(6, 4, colours), area, first.drawn);
    await screen.write(bytes);
    assert.equal(printed(bytes).length, 3);
    assert.deepEqual(controls(bytes, 'C'), ['3']);
    const look = screen.look(area);
    const bright = [0, 1, 2, 3, 4, 5].filter((x) => look.at(x, 4)[0] > 250);
    assert.deepEqual(bright, [0, 1, 5]);
  });

  it('say a colour only where it changes', () => {
    const wide = { column: 1, row: 1, width: 60, height: 1 };
    const { bytes } = new HalfBlocks('truecolor').draw(plain(120, 4, [9, 99, 199]), wide);
    assert.equal(controls(bytes, 'm').length, 1);
    // The same two colours by turns, above and below: one of each character does it.
    const turns = pictureOf(120, 4, (x, y) => (((x >> 1) + (y >> 1)) % 2 === 0 ? WHITE : BLACK));
    const turned = new HalfBlocks('truecolor').draw(turns, wide);
    assert.equal(controls(turned.bytes, 'm').length, 1);
    assert.equal(printed(turned.bytes), '▀▄'.repeat(30));
  });

  it('ask for 24-bit colours by three numbers, and for those of the palette by one', () => {
    const small = { column: 1, row: 1, width: 1, height: 1 };
    const half = pictureOf(2, 4, (_, y) => (y < 2 ? WHITE : BLACK));
    const truecolor = new HalfBlocks('truecolor', { cell: { width: 1, height: 2 } });
    assert.deepEqual(controls(truecolor.draw(half, small).bytes, 'm'), [
      '38;2;255;255;255;48;2;0;0;0',
    ]);
    const palette = new HalfBlocks('256', { cell: { width: 1, height: 2 } });
    assert.deepEqual(controls(palette.draw(half, small).bytes, 'm'), ['38;5;231;48;5;16']);
  });

  it('use nothing but the cursor, colours and blocks', () => {
    const { bytes } = new HalfBlocks('256').draw(plain(99, 55, [77, 11, 200]), area);
    for (const sequence of sequencesOf(bytes))
      if (sequence.kind === 'control') assert.match(sequence.final, /[HCm]/);
      else assert.match(sequence.kind === 'text' ? sequence.text : '', /^[ ▀▄█]+$/);
  });

  it('have pixels that are not square where cells are not twice as high as wide', async () => {
    // Cells as wide as high: a square picture fills a square of cells.
    const screen = new CellScreen('blocks');
    const square = { column: 1, row: 1, width: 8, height: 8 };
    const renderer = new HalfBlocks('truecolor', { cell: { width: 10, height: 10 } });
    await screen.write(renderer.draw(plain(50, 50, WHITE), square).bytes);
    assert.deepEqual(screen.look(square).at(0, 0), WHITE);
    assert.deepEqual(screen.look(square).at(7, 15), WHITE);
  });
});
