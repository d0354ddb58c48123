import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pictureBytes, type VideoFrame } from '../../../lib/media/frames.ts';
import { Canvas } from '../../../lib/media/terminal/canvas.ts';
import { BLACK, pictureOf, plain, WHITE, type Colour } from '../../support/terminal-pictures.ts';

function at(canvas: Canvas, x: number, y: number): number[] {
  const from = 3 * (y * canvas.width + x);
  return [...canvas.pixels.subarray(from, from + 3)];
}

/** A picture whose planes have such values throughout. */
function planes(luma: number, blue: number, red: number): VideoFrame {
  const data = new Uint8Array(pictureBytes(8, 8));
  data.fill(luma, 0, 64).fill(blue, 64, 80).fill(red, 80);
  return { width: 8, height: 8, data, time: 0 };
}

describe('a canvas', () => {
  it('has the colours that BT.601 in limited range means', () => {
    const canvas = new Canvas({ width: 8, height: 8 }, 1);
    const known: [planes: [number, number, number], colour: number[]][] = [
      [
        [16, 128, 128],
        [0, 0, 0],
      ],
      [
        [235, 128, 128],
        [255, 255, 255],
      ],
      [
        [126, 128, 128],
        [128, 128, 128],
      ],
      [
        [81, 90, 240],
        [254, 0, 0],
      ],
      [
        [145, 54, 34],
        [0, 255, 1],
      ],
      [
        [41, 240, 110],
        [0, 0, 255],
      ],
      // Beyond the range there is nothing blacker than black and nothing whiter than white.
      [
        [0, 128, 128],
        [0, 0, 0],
      ],
      [
        [255, 128, 128],
        [255, 255, 255],
      ],
    ];
    for (const [[luma, blue, red], colour] of known) {
      canvas.draw(planes(luma, blue, red));
      at(canvas, 3, 4).forEach((part, index) =>
        assert.ok(Math.abs(part - colour[index]!) <= 1, `${luma}: ${at(canvas, 3, 4).join()}`),
      );
    }
  });

  it('has a pixel for each pixel where the sizes are the same', () => {
    const colourAt = (x: number, y: number): Colour => [(x >> 1) * 16, (y >> 1) * 16, 120];
    const canvas = new Canvas({ width: 32, height: 24 }, 1);
    canvas.draw(pictureOf(32, 24, colourAt));
    for (let y = 0; y < 24; y++)
      for (let x = 0; x < 32; x++)
        at(canvas, x, y).forEach((part, index) =>
          assert.ok(Math.abs(part - colourAt(x, y)[index]!) <= 3),
        );
  });

  it('averages what becomes smaller', () => {
    const canvas = new Canvas({ width: 10, height: 10 }, 1);
    canvas.draw(pictureOf(40, 40, (x, y) => ((x + y) % 2 === 0 ? WHITE : BLACK)));
    for (let pixel = 0; pixel < 100; pixel++)
      assert.ok(Math.abs(at(canvas, pixel % 10, Math.floor(pixel / 10))[0]! - 127) <= 3);
  });

  it('repeats what becomes larger', () => {
    const canvas = new Canvas({ width: 40, height: 40 }, 1);
    canvas.draw(pictureOf(4, 4, (x) => (x < 2 ? WHITE : BLACK)));
    assert.deepEqual(at(canvas, 19, 20), [255, 255, 255]);
    assert.deepEqual(at(canvas, 20, 20), [0, 0, 0]);
  });

  it('is black beside a picture, also where another one was', () => {
    const canvas = new Canvas({ width: 20, height: 20 }, 1);
    assert.deepEqual(canvas.place, { left: 0, top: 0, width: 0, height: 0 });
    canvas.draw(plain(100, 50, WHITE));
    assert.deepEqual(canvas.place, { left: 0, top: 5, width: 20, height: 10 });
    assert.deepEqual(at(canvas, 0, 4), [0, 0, 0]);
    assert.deepEqual(at(canvas, 0, 5), [255, 255, 255]);
    canvas.draw(plain(50, 100, WHITE));
    assert.deepEqual(at(canvas, 0, 10), [0, 0, 0]);
    assert.deepEqual(at(canvas, 10, 0), [255, 255, 255]);
  });

  it('keeps a plain colour plain, whatever the sizes', () => {
    const side = fc.integer({ min: 1, max: 70 });
    const part = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(side, side, side, side, part, part, (width, height, across, down, one, other) => {
        const canvas = new Canvas({ width: across, height: down }, 1);
        const colour: Colour = [one, other, 255 - one];
        canvas.draw(plain(width, height, colour));
        const { left, top } = canvas.place;
        for (let y = top; y < top + canvas.place.height; y++)
          for (let x = left; x < left + canvas.place.width; x++)
            at(canvas, x, y).forEach((seen, index) =>
              assert.ok(Math.abs(seen - colour[index]!) <= 3),
            );
      }),
    );
  });

  it('has the parts of a picture of 8K where they belong', () => {
    const picture = plain(7_680, 4_320, WHITE);
    // Its lower half is black.
    picture.data.fill(16, (7_680 * 4_320) / 2, 7_680 * 4_320);
    const canvas = new Canvas({ width: 16, height: 9 }, 1);
    canvas.draw(picture);
    assert.deepEqual(at(canvas, 8, 3), [255, 255, 255]);
    assert.deepEqual(at(canvas, 8, 5), [0, 0, 0]);
    assert.ok(Math.abs(at(canvas, 8, 4)[0]! - 128) <= 2);
  });

  it('refuses a frame that is no picture', () => {
    const canvas = new Canvas({ width: 4, height: 4 }, 1);
    const { data } = plain(4, 4, WHITE);
    assert.throws(() => canvas.draw({ width: 4, height: 4, data: data.subarray(1), time: 0 }), {
      code: 'BAD_MESSAGE',
    });
  });
});
