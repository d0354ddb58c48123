/** What is true of every way of drawing pictures in a terminal. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { VideoFrame } from '../../lib/media/frames.ts';
import type { Area } from '../../lib/media/terminal/area.ts';
import type { Parts } from '../../lib/media/terminal/bytes.ts';
import type { Drawn, Renderer, RendererOptions } from '../../lib/media/terminal/renderer.ts';
import { SCREEN, type DrawnScreen, type Look } from './drawn-screens.ts';
import { pictureOf, plain, quarters, waves, WHITE, type Colour } from './terminal-pictures.ts';

export interface RendererSetup {
  readonly make: (options: RendererOptions) => Renderer;
  readonly screen: () => DrawnScreen;
  /** The size of a cell in pixels. */
  readonly cell: { readonly width: number; readonly height: number };
  /** How far a mean colour may be from what it should be, of 255. */
  readonly tolerance: number;
  /** Whether only brightness is shown. */
  readonly isGrey?: boolean;
}

/** Something else that is written between two parts: it moves the cursor and leaves colours. */
const BETWEEN = Buffer.from('\u001b7\u001b[1;1H\u001b[31;42mtyped\u001b[0m\u001b8');
const AREA: Area = { column: 8, row: 4, width: 24, height: 10 };

function partsOf({ bytes, ends }: Parts): Uint8Array[] {
  return ends.map((end, index) => bytes.slice(index === 0 ? 0 : ends[index - 1], end));
}

function brightness([red, green, blue]: Colour): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** The mean colour of a part of what is seen, by shares of its width and height. */
function meanOf(
  look: Look,
  from: readonly [number, number],
  to: readonly [number, number],
): Colour {
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = Math.floor(from[1] * look.height); y < to[1] * look.height; y++)
    for (let x = Math.floor(from[0] * look.width); x < to[0] * look.width; x++) {
      look.at(x, y).forEach((part, index) => (sums[index]! += part));
      count += 1;
    }
  return [sums[0]! / count, sums[1]! / count, sums[2]! / count];
}

export function describeRenderer(name: string, setup: RendererSetup): void {
  const { cell, tolerance } = setup;
  const make = (options: RendererOptions = {}): Renderer => setup.make({ cell, ...options });

  function assertColour(seen: Colour, expected: Colour, what: string): void {
    const differences =
      setup.isGrey === true
        ? [brightness(seen) - brightness(expected)]
        : seen.map((part, index) => part - expected[index]!);
    for (const difference of differences)
      assert.ok(
        Math.abs(difference) <= tolerance,
        `${what}: ${seen.map(Math.round).join()} is not ${expected.join()}`,
      );
  }

  /** What is seen once a picture was drawn where there was nothing. */
  async function looked(picture: VideoFrame, area: Area, renderer = make()): Promise<Look> {
    const screen = setup.screen();
    await screen.write(renderer.draw(picture, area).bytes);
    return screen.look(area);
  }

  function assertSame(one: Look, other: Look): void {
    assert.deepEqual([one.width, one.height], [other.width, other.height]);
    for (let y = 0; y < one.height; y++)
      for (let x = 0; x < one.width; x++)
        assert.deepEqual(one.at(x, y), other.at(x, y), `at ${x}, ${y}`);
  }

  describe(name, () => {
    it('shows every part of a picture where it belongs', async () => {
      const colours: Colour[] = [
        [200, 30, 30],
        [40, 180, 60],
        [30, 60, 220],
        [230, 230, 120],
      ];
      // Of the shape of the area, so that it fills it.
      const [width, height] = [AREA.width * cell.width, AREA.height * cell.height];
      const look = await looked(quarters(width, height, colours), AREA);
      colours.forEach((colour, index) => {
        const [left, top] = [(index % 2) / 2, Math.floor(index / 2) / 2];
        const seen = meanOf(look, [left + 0.1, top + 0.1], [left + 0.4, top + 0.4]);
        assertColour(seen, colour, `quarter ${index}`);
      });
    });

    it('keeps the proportions of a picture, with nothing beside it', async () => {
      for (const [width, height] of [
        [64, 480],
        [640, 40],
      ] as const) {
        const look = await looked(plain(width, height, WHITE), AREA);
        let [bright, dark] = [0, 0];
        for (let y = 0; y < look.height; y++)
          for (let x = 0; x < look.width; x++)
            if (brightness(look.at(x, y)) > 128) bright += 1;
            else dark += 1;
        const area = (AREA.width * cell.width) / (AREA.height * cell.height);
        const share = Math.min(width / height / area, (area * height) / width);
        const seen = bright / (bright + dark);
        assert.ok(seen > 0.6 * share && seen < 1.5 * share, `${seen} instead of ${share}`);
        assertColour(look.at(0, 0), [0, 0, 0], 'the corner');
        assertColour(look.at(look.width - 1, look.height - 1), [0, 0, 0], 'the other corner');
        const middle = look.at((look.width - 1) >> 1, (look.height - 1) >> 1);
        assertColour(middle, WHITE, 'the middle');
      }
    });

    it('writes nothing for a picture that is shown already', async () => {
      const renderer = make();
      const first = renderer.draw(waves(160, 120, 1), AREA);
      assert.ok(first.bytes.length > 0);
      const second = renderer.draw(waves(160, 120, 1), AREA, first.drawn);
      assert.deepEqual([second.bytes.length, second.ends.length], [0, 0]);
    });

    it('passes over what is less than its tolerance, and draws what is more', () => {
      const renderer = make({ tolerance: 4 });
      const grey = (level: number): VideoFrame => plain(160, 120, [level, level, level]);
      let drawing = renderer.draw(grey(100), AREA);
      drawing = renderer.draw(grey(103), AREA, drawing.drawn);
      assert.equal(drawing.bytes.length, 0);
      // What adds up little by little is seen in the end.
      for (let level = 106; level < 200 && drawing.bytes.length === 0; level += 3)
        drawing = renderer.draw(grey(level), AREA, drawing.drawn);
      assert.ok(drawing.bytes.length > 0);
    });

    it('comes to the same whatever was drawn before', async () => {
      const picture = fc.record({
        width: fc.integer({ min: 1, max: 60 }),
        height: fc.integer({ min: 1, max: 60 }),
        seed: fc.integer({ min: 0, max: 200 }),
        isFlat: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(picture, { minLength: 2, maxLength: 4 }), async (pictures) => {
          const renderer = make({ tolerance: 0 });
          const screen = setup.screen();
          const area = { column: 3, row: 2, width: 9, height: 4 };
          let drawn: Drawn | undefined;
          let frame: VideoFrame | undefined;
          for (const { width, height, seed, isFlat } of pictures) {
            frame = isFlat
              ? plain(width, height, [seed, 255 - seed, seed])
              : waves(width, height, seed);
            const drawing = renderer.draw(frame, area, drawn);
            drawn = drawing.drawn;
            await screen.write(drawing.bytes);
          }
          assertSame(screen.look(area), await looked(frame!, area, make({ tolerance: 0 })));
        }),
        { numRuns: 25 },
      );
    });

    it('can be interrupted between any two parts', async () => {
      const renderer = make();
      const screen = setup.screen();
      let drawn: Drawn | undefined;
      for (const number of [1, 2]) {
        const drawing = renderer.draw(waves(320, 240, number), AREA, drawn);
        drawn = drawing.drawn;
        for (const part of partsOf(drawing)) {
          await screen.write(part);
          await screen.write(BETWEEN);
        }
      }
      const other = setup.screen();
      const whole = make();
      const first = whole.draw(waves(320, 240, 1), AREA);
      await other.write(first.bytes);
      await other.write(whole.draw(waves(320, 240, 2), AREA, first.drawn).bytes);
      assertSame(screen.look(AREA), other.look(AREA));
    });

    it('has its parts end where its bytes do, none of them empty', () => {
      const { bytes, ends } = make().draw(waves(320, 240, 3), AREA);
      assert.equal(ends.at(-1), bytes.length);
      assert.ok(ends.length > 1);
      assert.ok(ends.every((end, index) => end > (ends[index - 1] ?? 0)));
    });

    it('touches nothing outside of the area, of whatever size that and the picture are', async () => {
      const size = fc.integer({ min: 1, max: 90 });
      const place = fc.record({
        column: fc.integer({ min: 1, max: 30 }),
        row: fc.integer({ min: 1, max: 12 }),
        width: fc.integer({ min: 1, max: 40 }),
        height: fc.integer({ min: 1, max: 18 }),
      });
      await fc.assert(
        fc.asyncProperty(place, size, size, async (area, width, height) => {
          const screen = setup.screen();
          await screen.write(
            make().draw(
              pictureOf(width, height, () => WHITE),
              area,
            ).bytes,
          );
          for (let row = 1; row <= SCREEN.rows; row++)
            for (let column = 1; column <= SCREEN.columns; column++) {
              const isInside =
                column >= area.column &&
                column < area.column + area.width &&
                row >= area.row &&
                row < area.row + area.height;
              if (!isInside)
                assert.equal(screen.isTouched(column, row), false, `${column}, ${row}`);
            }
        }),
        { numRuns: 25 },
      );
    });

    it('refuses frames that are no pictures', () => {
      const { data } = plain(16, 16, WHITE);
      const bad: Partial<VideoFrame>[] = [
        { data: data.subarray(1) },
        { data: new Uint8Array(0) },
        { width: 17 },
        { width: 0, height: 0, data: new Uint8Array(0) },
        { width: -16, height: -16 },
        { width: 1.5 },
        { width: NaN },
        { width: 100_000, height: 100_000 },
      ];
      for (const part of bad)
        assert.throws(() => make().draw({ width: 16, height: 16, data, time: 0, ...part }, AREA), {
          code: 'BAD_MESSAGE',
        });
    });

    it('draws pictures of 8K too', async () => {
      const look = await looked(plain(7_680, 4_320, [10, 200, 10]), AREA);
      const middle = meanOf(look, [0.4, 0.4], [0.6, 0.6]);
      assertColour(middle, [10, 200, 10], 'the middle');
    });

    it('has areas that do not know of one another', async () => {
      const renderer = make();
      const screen = setup.screen();
      const left: Area = { column: 1, row: 5, width: 20, height: 8 };
      const right: Area = { column: 21, row: 5, width: 20, height: 8 };
      const size = [20 * cell.width, 8 * cell.height] as const;
      const one = renderer.draw(plain(...size, [220, 220, 220]), left);
      await screen.write(one.bytes);
      const other = renderer.draw(plain(...size, [60, 60, 60]), right);
      await screen.write(other.bytes);
      await screen.write(renderer.draw(plain(...size, [120, 120, 120]), left, one.drawn).bytes);
      const middle = (area: Area): Colour => meanOf(screen.look(area), [0.2, 0.2], [0.8, 0.8]);
      assertColour(middle(left), [120, 120, 120], 'the left one');
      assertColour(middle(right), [60, 60, 60], 'the right one');
    });
  });
}
