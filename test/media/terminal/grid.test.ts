import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Area } from '../../../lib/media/terminal/area.ts';
import {
  GAP,
  layOut,
  LEAST_HEIGHT,
  LEAST_WIDTH,
  wantedSize,
  type Tile,
} from '../../../lib/media/terminal/grid.ts';

const SCREEN: Area = { column: 1, row: 1, width: 160, height: 48 };

function overlap(one: Area, other: Area): boolean {
  return (
    one.column < other.column + other.width &&
    other.column < one.column + one.width &&
    one.row < other.row + other.height &&
    other.row < one.row + one.height
  );
}

function isWithin(inner: Area, outer: Area): boolean {
  return (
    inner.column >= outer.column &&
    inner.row >= outer.row &&
    inner.column + inner.width <= outer.column + outer.width &&
    inner.row + inner.height <= outer.row + outer.height
  );
}

const areas = fc.record({
  column: fc.integer({ min: 1, max: 50 }),
  row: fc.integer({ min: 1, max: 50 }),
  width: fc.integer({ min: 0, max: 300 }),
  height: fc.integer({ min: 0, max: 100 }),
});
const cells = fc.record({
  width: fc.integer({ min: 5, max: 20 }),
  height: fc.integer({ min: 10, max: 40 }),
});
const counts = fc.integer({ min: 0, max: 32 });

/** Whether all tiles are where they may be, each with its label. */
function assertApart(tiles: readonly Tile[], area: Area): void {
  const places = tiles.flatMap(({ picture, label }) => [picture, label]);
  for (const [index, place] of places.entries()) {
    assert.ok(isWithin(place, area), JSON.stringify(place));
    assert.ok(place.width >= LEAST_WIDTH && place.height >= 1);
    for (const other of places.slice(index + 1)) assert.equal(overlap(place, other), false);
  }
  for (const { picture, label } of tiles)
    assert.deepEqual(label, {
      ...{ column: picture.column, row: picture.row + picture.height },
      ...{ width: picture.width, height: 1 },
    });
}

describe('the grid of tiles', () => {
  it('has none for nobody, and none where there is no room', () => {
    assert.deepEqual(layOut({ area: SCREEN, count: 0 }), []);
    assert.deepEqual(layOut({ area: { ...SCREEN, height: 1 }, count: 3 }), []);
    assert.deepEqual(layOut({ area: { ...SCREEN, width: 3 }, count: 3 }), []);
  });

  it('has one in the middle, as large as its shape allows', () => {
    const [tile] = layOut({ area: SCREEN, count: 1 });
    assert.deepEqual(tile, {
      index: 0,
      picture: { column: 1, row: 1, width: 160, height: 47 },
      label: { column: 1, row: 48, width: 160, height: 1 },
    });
    const [square] = layOut({ area: { ...SCREEN, width: 60 }, count: 1 });
    assert.deepEqual([square?.picture.width, square?.picture.height], [60, 23]);
    assert.equal(square?.picture.row, 13);
  });

  it('has four two by two, and the odd one of five in the middle of its row', () => {
    const four = layOut({ area: SCREEN, count: 4 });
    assert.deepEqual(
      four.map(({ picture }) => [picture.column, picture.row]),
      [
        [1, 1],
        [81, 1],
        [1, 25],
        [81, 25],
      ],
    );
    const five = layOut({ area: SCREEN, count: 5 });
    const [upper, lower] = [five[0]!.picture, five[3]!.picture];
    assert.ok(lower.row > upper.row);
    assert.deepEqual(
      five.map(({ picture }) => picture.row),
      [upper, upper, upper, lower, lower].map(({ row }) => row),
    );
    const [left, right] = [five[3]!.picture, five[4]!.picture];
    const before = left.column - SCREEN.column;
    const after = SCREEN.column + SCREEN.width - (right.column + right.width);
    assert.ok(before > 10 && Math.abs(before - after) <= 1);
  });

  it('never has tiles overlap, reach outside, or differ in size', () => {
    fc.assert(
      fc.property(areas, counts, cells, (area, count, cell) => {
        const tiles = layOut({ area, count, cell });
        assertApart(tiles, area);
        assert.equal(new Set(tiles.map(({ picture }) => picture.width)).size <= 1, true);
        assert.equal(new Set(tiles.map(({ picture }) => picture.height)).size <= 1, true);
        assert.deepEqual(
          tiles.map(({ index }) => index),
          Array.from({ length: tiles.length }, (_, index) => index),
        );
      }),
    );
  });

  it('shows everybody for whom there is room, and nobody else', () => {
    fc.assert(
      fc.property(areas, counts, (area, count) => {
        const across = Math.floor((area.width + GAP) / (LEAST_WIDTH + GAP));
        const most = across * Math.floor(area.height / LEAST_HEIGHT);
        assert.equal(layOut({ area, count }).length, Math.min(count, most));
      }),
    );
  });

  it('uses the area: in no other arrangement could the pictures be larger', () => {
    fc.assert(
      fc.property(areas, counts, cells, (area, count, cell) => {
        const tiles = layOut({ area, count, cell });
        const [first] = tiles;
        if (first === undefined) return;
        const { width, height } = first.picture;
        for (let columns = 1; columns <= tiles.length; columns++) {
          const rows = Math.ceil(tiles.length / columns);
          const across = Math.floor((area.width + GAP) / columns) - GAP;
          const down = Math.floor(area.height / rows) - 1;
          if (across < LEAST_WIDTH || down < 1) continue;
          // The largest part of that room between 4:3 and 16:9, with half a cell of rounding.
          const inPixels = { width: across * cell.width, height: down * cell.height };
          const possible =
            Math.min(inPixels.width, (inPixels.height * 16) / 9) *
            Math.min(inPixels.height, (inPixels.width * 3) / 4);
          const seen = width * cell.width * height * cell.height;
          const rounding = cell.width * height * cell.height + cell.height * width * cell.width;
          assert.ok(seen + rounding >= possible, `${columns} columns: ${seen} < ${possible}`);
        }
      }),
    );
  });

  it('has pictures between 4:3 and 16:9, to the nearest cell', () => {
    fc.assert(
      fc.property(areas, fc.integer({ min: 1, max: 32 }), cells, (area, count, cell) => {
        for (const { picture } of layOut({ area, count, cell })) {
          const { width, height } = picture;
          // Its height may have been rounded down by half a cell, for its width.
          const widest = (((height + 0.5) * 16) / 9) * cell.height;
          assert.ok(width * cell.width <= widest + cell.width || width === LEAST_WIDTH);
          assert.ok((width * cell.width) / (4 / 3) >= (height - 1) * cell.height);
        }
      }),
    );
  });

  it('has one large and the others small beside it, where one is to be enlarged', () => {
    const tiles = layOut({ area: SCREEN, count: 5, enlarged: 2 });
    assert.deepEqual(
      tiles.map(({ index }) => index),
      [0, 1, 2, 3, 4],
    );
    const pixels = tiles.map(({ picture }) => picture.width * picture.height);
    const [large] = pixels.splice(2, 1);
    assert.ok(large! > 5 * Math.max(...pixels));
    assert.equal(new Set(pixels).size, 1);
  });

  it('is divided so that the large one is larger, whatever the shape of the cells', () => {
    const area: Area = { column: 1, row: 1, width: 40, height: 22 };
    const [large, small] = layOut({ area, count: 2, enlarged: 0, cell: { width: 5, height: 28 } });
    assert.deepEqual([large?.picture.width, large?.picture.height], [29, 4]);
    assert.deepEqual([small?.picture.width, small?.picture.height], [10, 1]);
  });

  it('never has an enlarged tile overlap others, reach outside or be the smaller one', () => {
    const chosen = fc.integer({ min: 0, max: 31 });
    fc.assert(
      fc.property(areas, counts, chosen, cells, (area, count, enlarged, cell) => {
        const tiles = layOut({ area, count, enlarged, cell });
        assertApart(tiles, area);
        if (enlarged >= count || tiles.length === 0) return;
        const large = tiles.find(({ index }) => index === enlarged);
        assert.ok(large !== undefined);
        const others = tiles.filter((tile) => tile !== large).map(({ picture }) => picture);
        assert.ok(new Set(others.map(({ width, height }) => `${width} ${height}`)).size <= 1);
        if (area.width < 40 || area.height < 20) return;
        for (const other of others)
          assert.ok(other.width * other.height < large.picture.width * large.picture.height);
      }),
    );
  });
});

describe('the picture that is wanted for a tile', () => {
  const picture: Area = { column: 1, row: 1, width: 80, height: 24 };

  it('has a pixel for each half block', () => {
    for (const mode of ['truecolor', '256', 'ascii'] as const)
      assert.deepEqual(wantedSize(picture, mode), { width: 80, height: 48 });
  });

  it('has those of the cells where pixels are drawn', () => {
    for (const mode of ['kitty', 'sixel'] as const) {
      assert.deepEqual(wantedSize(picture, mode, { width: 9, height: 18 }), {
        ...{ width: 720, height: 432 },
      });
      assert.deepEqual(wantedSize(picture, mode), { width: 640, height: 384 });
    }
  });

  it('is even, and bounded', () => {
    const size = wantedSize({ ...picture, width: 300, height: 90 }, 'kitty', {
      ...{ width: 11, height: 23 },
    });
    assert.deepEqual(size, { width: 1_148, height: 720 });
    assert.deepEqual(wantedSize({ ...picture, width: 1, height: 1 }, 'ascii'), {
      ...{ width: 2, height: 2 },
    });
  });
});
