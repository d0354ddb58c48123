/** What a painter makes of pictures that do not come any more, and of cells of another size. */
import assert from 'node:assert/strict';
import { createRenderer } from '../../../lib/media/terminal/create-renderer.ts';
import type { Output, Painter } from '../../../lib/media/terminal/painter.ts';
import { KittyScreen, SixelScreen, SCREEN } from '../../support/drawn-screens.ts';
import {
  AREA,
  CELL,
  painterOn,
  participant,
  screenFor,
  ScreenOutput,
} from '../../support/painter-stage.ts';
import { plain, waves, WHITE } from '../../support/terminal-pictures.ts';
import { FakeTime } from '../../support/time.ts';

/** The ground of what stands where there is no picture. */
const PLACEHOLDER = '48;5;236';

describe('a painter of pictures', () => {
  let time: FakeTime;
  let painter: Painter | undefined;

  beforeEach(() => (time = new FakeTime()));
  afterEach(async () => {
    if (painter !== undefined) await time.until(painter.stop());
    painter = undefined;
    time.restore();
  });

  describe('that do not come any more', () => {
    it('has an initial in their place after three seconds, and shows the next one', async () => {
      const screen = new KittyScreen();
      const output = new ScreenOutput(screen);
      const one = (painter = painterOn(output, 'kitty'));
      const texts = (): string => output.portions.splice(0).join('');
      one.show([participant('alice'), participant('bob')]);
      one.frame('alice', waves(64, 48, 0));
      for (let number = 0; number < 29; number++) {
        one.frame('bob', waves(64, 48, number));
        // It counts since the picture came, and not since it was painted.
        if (number === 15) one.resize({ ...AREA, width: AREA.width - 2 });
        await time.pass(100);
      }
      assert.equal(screen.images.size, 2);
      texts();
      one.frame('bob', waves(64, 48, 30));
      await time.pass(200);
      assert.equal(screen.images.size, 1);
      const seen = texts();
      assert.ok(seen.includes(PLACEHOLDER) && seen.includes(' A '), seen);
      assert.ok(!seen.includes(' B '));
      await time.pass(3_000);
      assert.equal(screen.images.size, 0);
      assert.ok(texts().includes(' B '));
      one.frame('alice', waves(64, 48, 0));
      await time.pass(200);
      assert.equal(screen.images.size, 1);
    });

    it('takes those for come which a slow terminal does not take', async () => {
      const portions: string[] = [];
      let [isSlow, go] = [false, (): void => undefined];
      const output: Output = {
        write: (bytes, callback) => {
          portions.push(Buffer.from(bytes).toString('utf8'));
          if (isSlow) go = callback;
          else callback();
        },
      };
      const one = (painter = painterOn(output, 'truecolor'));
      one.show([participant('alice')]);
      one.frame('alice', plain(64, 48, WHITE));
      await time.pass(100);
      isSlow = true;
      for (let number = 0; number < 50; number++) {
        one.frame('alice', waves(64, 48, number));
        await time.pass(100);
      }
      portions.length = 0;
      isSlow = false;
      go();
      await time.pass(2_000);
      assert.ok(portions.length > 0 && !portions.join('').includes(PLACEHOLDER));
      await time.pass(1_100);
      assert.ok(portions.join('').includes(PLACEHOLDER));
    });
  });

  describe('in cells of another size', () => {
    const OTHER = { width: 11, height: 23 };
    const change = (mode: 'kitty' | 'sixel') => ({
      renderer: createRenderer(mode, { cell: OTHER, firstImage: 101, tolerance: 0 }),
      cell: OTHER,
    });

    it('draws none until it knows that size, then the last one, cut for it', async () => {
      let screen = new SixelScreen(CELL);
      const portions: string[] = [];
      const output: Output = {
        write: (bytes, callback) => {
          portions.push(Buffer.from(bytes).toString('utf8'));
          void screen.write(bytes.slice()).then(() => callback());
        },
      };
      const one = (painter = painterOn(output, 'sixel'));
      one.show([participant('alice'), participant('bob')]);
      one.frame('alice', waves(64, 48, 0));
      await time.pass(500);
      assert.ok(screen.images > 0);
      one.hold();
      screen = new SixelScreen(OTHER);
      const area = { ...AREA, width: AREA.width - 10, height: AREA.height - 5 };
      one.resize(area);
      const before = one.wanted().get('alice')!;
      one.frame('bob', waves(64, 48, 1));
      portions.length = 0;
      await time.pass(500);
      assert.equal(screen.images, 0);
      assert.ok(portions.join('').includes('alice'));
      one.release(change('sixel'));
      assert.notEqual(one.wanted().get('alice')!.width, before.width);
      await time.pass(500);
      assert.ok(screen.images > 0);
      let touched = 0;
      for (let row = 1; row <= SCREEN.rows; row++)
        for (let column = 1; column <= SCREEN.columns; column++) {
          if (!screen.isTouched(column, row)) continue;
          touched += 1;
          const isInside =
            column >= area.column &&
            column < area.column + area.width &&
            row >= area.row &&
            row < area.row + area.height;
          assert.ok(isInside, `${column}, ${row}`);
        }
      assert.ok(touched > 150, `${touched}`);
      // Both of them, each once.
      assert.equal(one.counts.drawn, 3);
    });

    it('leaves no image of before behind', async () => {
      const screen = screenFor('kitty') as KittyScreen;
      const one = (painter = painterOn(new ScreenOutput(screen), 'kitty', { portion: 2_000 }));
      one.show([participant('alice')]);
      one.frame('alice', waves(320, 200, 0));
      await time.pass(500);
      assert.ok([...screen.images.keys()].every((image) => image < 100));
      one.release(change('kitty'));
      await time.pass(500);
      const [image, ...others] = screen.images.keys();
      assert.ok(image! > 100 && others.length === 0, `${image} ${others.join()}`);
    });

    it('goes on as before where it is the same', async () => {
      const screen = screenFor('kitty') as KittyScreen;
      const one = (painter = painterOn(new ScreenOutput(screen), 'kitty'));
      one.show([participant('alice')]);
      one.hold();
      one.frame('alice', waves(64, 48, 0));
      await time.pass(500);
      assert.equal(screen.images.size, 0);
      one.release();
      await time.pass(500);
      assert.equal(screen.images.size, 1);
    });
  });
});
