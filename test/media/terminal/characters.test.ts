import assert from 'node:assert/strict';
import { Characters, RAMP } from '../../../lib/media/terminal/characters.ts';
import { CellScreen } from '../../support/drawn-screens.ts';
import { describeRenderer } from '../../support/renderer-contract.ts';
import { controls, printed, sequencesOf } from '../../support/sequences.ts';
import { pictureOf, plain, waves, WHITE, type Colour } from '../../support/terminal-pictures.ts';

const CELL = { width: 8, height: 16 };

describeRenderer('characters by brightness', {
  make: (options) => new Characters(options),
  screen: () => new CellScreen('characters'),
  cell: CELL,
  // Half a step of the ramp.
  tolerance: 10,
  isGrey: true,
});

describe('characters', () => {
  const area = { column: 2, row: 2, width: RAMP.length, height: 1 };

  /** A picture of the levels from left to right, 8 by 16 pixels for each cell. */
  function levels(brightness: readonly number[]) {
    return pictureOf(8 * brightness.length, 16, (x): Colour => {
      const level = brightness[x >> 3]!;
      return [level, level, level];
    });
  }

  const steps = [...RAMP].map((_, index) => (255 * index) / (RAMP.length - 1));

  it('cover more of their cell the brighter it is', async () => {
    const screen = new CellScreen('characters');
    await screen.write(new Characters({ cell: CELL }).draw(levels(steps), area).bytes);
    assert.equal(screen.row(2).slice(1, 1 + RAMP.length), RAMP);
  });

  it('cover less of it where the terminal writes dark on light', async () => {
    const screen = new CellScreen('characters');
    const renderer = new Characters({ cell: CELL, isLight: true });
    await screen.write(renderer.draw(levels(steps), area).bytes);
    assert.equal(screen.row(2).slice(1, 1 + RAMP.length), [...RAMP].reverse().join(''));
    // What lies beside a picture stays as it is there too.
    const high = { column: 1, row: 4, width: 20, height: 4 };
    await screen.write(renderer.draw(plain(8, 16, [0, 0, 0]), high).bytes);
    assert.match(screen.row(4).slice(0, 20), /^ {8,9}@{2,4} {8,9}$/);
  });

  it('are plain ASCII, and come without colours', () => {
    const wide = { column: 1, row: 1, width: 40, height: 12 };
    const { bytes } = new Characters().draw(waves(320, 200, 5), wide);
    assert.ok(bytes.every((byte) => byte < 0x7f));
    for (const sequence of sequencesOf(bytes))
      if (sequence.kind === 'control') assert.match(sequence.final, /[HC]/);
      else assert.equal(sequence.kind, 'text');
  });

  it('write one character for one that changed', () => {
    const renderer = new Characters({ cell: CELL });
    const { drawn } = renderer.draw(levels(steps.map(() => 0)), area);
    const changed = levels(steps.map((_, index) => (index === 3 ? 255 : 0)));
    const { bytes } = renderer.draw(changed, area, drawn);
    assert.equal(printed(bytes), '@');
    assert.deepEqual(controls(bytes, 'H'), ['2;5']);
  });

  it('write nothing for what is dark: the cells are blank', () => {
    const { bytes } = new Characters().draw(plain(40, 40, [0, 0, 0]), { ...area, height: 5 });
    assert.equal(bytes.length, 0);
  });

  it('blank what a wider picture had covered', async () => {
    const screen = new CellScreen('characters');
    const renderer = new Characters({ cell: CELL });
    const first = renderer.draw(plain(8 * RAMP.length, 16, WHITE), area);
    await screen.write(first.bytes);
    await screen.write(renderer.draw(plain(8, 16, WHITE), area, first.drawn).bytes);
    assert.equal(screen.row(2).trim(), '@');
  });
});
