import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fitted, sameArea } from '../../../lib/media/terminal/area.ts';

describe('a picture within a canvas', () => {
  it('fills it where the proportions are the same', () => {
    assert.deepEqual(fitted({ width: 640, height: 480 }, { width: 80, height: 60 }, 1), {
      ...{ left: 0, top: 0, width: 80, height: 60 },
    });
  });

  it('lies in the middle where they are not', () => {
    assert.deepEqual(fitted({ width: 100, height: 100 }, { width: 80, height: 40 }, 1), {
      ...{ left: 20, top: 0, width: 40, height: 40 },
    });
    assert.deepEqual(fitted({ width: 400, height: 100 }, { width: 80, height: 40 }, 1), {
      ...{ left: 0, top: 10, width: 80, height: 20 },
    });
  });

  it('is narrower in pixels that are wider', () => {
    assert.deepEqual(fitted({ width: 100, height: 100 }, { width: 80, height: 40 }, 2), {
      ...{ left: 30, top: 0, width: 20, height: 40 },
    });
    assert.deepEqual(fitted({ width: 100, height: 100 }, { width: 80, height: 40 }, 0.5), {
      ...{ left: 0, top: 0, width: 80, height: 40 },
    });
  });

  it('is within it, touches two of its sides, and is as tall as it is wide demands', () => {
    const side = fc.integer({ min: 1, max: 8_000 });
    const aspect = fc.double({ min: 0.3, max: 3, noNaN: true });
    fc.assert(
      fc.property(side, side, side, side, aspect, (width, height, across, down, pixelAspect) => {
        const canvas = { width: across, height: down };
        const place = fitted({ width, height }, canvas, pixelAspect);
        assert.ok(place.left >= 0 && place.left + place.width <= across);
        assert.ok(place.top >= 0 && place.top + place.height <= down);
        assert.ok(place.width === across || place.height === down);
        assert.ok(place.width >= 1 && place.height >= 1);
        const exact = (place.height * width) / height / pixelAspect;
        const fromWidth = (place.width * pixelAspect * height) / width;
        assert.ok(
          Math.abs(place.width - exact) <= 1 || Math.abs(place.height - fromWidth) <= 1,
          JSON.stringify(place),
        );
      }),
    );
  });
});

describe('areas', () => {
  it('are the same when place and size are', () => {
    const area = { column: 1, row: 2, width: 3, height: 4 };
    assert.equal(sameArea(area, { ...area }), true);
    for (const part of ['column', 'row', 'width', 'height'] as const)
      assert.equal(sameArea(area, { ...area, [part]: 9 }), false);
  });
});
