/** A painter, and what it paints on. */
import { createHash } from 'node:crypto';
import type { Area } from '../../lib/media/terminal/area.ts';
import { createRenderer } from '../../lib/media/terminal/create-renderer.ts';
import type { Label } from '../../lib/media/terminal/label.ts';
import {
  Painter,
  type Output,
  type PainterOptions,
  type Participant,
} from '../../lib/media/terminal/painter.ts';
import type { GraphicsMode } from '../../lib/media/terminal/renderer.ts';
import { fit, textWidth } from '../../lib/ui/width.ts';
import { CellScreen, KittyScreen, SCREEN, SixelScreen, type DrawnScreen } from './drawn-screens.ts';

export const CELL = { width: 8, height: 16 };
export const AREA: Area = { column: 5, row: 3, width: 50, height: 20 };

export function participant(id: string, label: Partial<Label> = {}): Participant {
  return { id, label: { name: id, hasCamera: true, isConnected: true, ...label } };
}

/** What has taken everything as soon as the screen has. */
export class ScreenOutput implements Output {
  readonly #screen: DrawnScreen;
  /** What was written, in its portions. */
  readonly portions: string[] = [];
  underWay = 0;

  constructor(screen: DrawnScreen) {
    this.#screen = screen;
  }

  write(bytes: Uint8Array, callback: () => void): void {
    this.portions.push(Buffer.from(bytes).toString('utf8'));
    this.underWay += 1;
    void this.#screen.write(bytes.slice()).then(() => {
      this.underWay -= 1;
      callback();
    });
  }
}

/** What takes everything at once, or nothing while it is held. */
export class Drain implements Output {
  bytes = 0;
  last = new Uint8Array(0);
  isHeld = false;
  #held: (() => void) | undefined;

  write(bytes: Uint8Array, callback: () => void): void {
    this.bytes += bytes.length;
    this.last = bytes.slice();
    if (this.isHeld) this.#held = callback;
    else callback();
  }

  release(): void {
    this.isHeld = false;
    this.#held?.();
    this.#held = undefined;
  }
}

export function painterOn(
  output: Output,
  mode: GraphicsMode = 'truecolor',
  options: Partial<PainterOptions> = {},
): Painter {
  return new Painter({
    output,
    renderer: createRenderer(mode, { cell: CELL, firstImage: 1, tolerance: 0 }),
    area: AREA,
    measure: { width: textWidth, fit },
    cell: CELL,
    ...options,
  });
}

export function screenFor(mode: GraphicsMode): DrawnScreen {
  if (mode === 'kitty') return new KittyScreen();
  if (mode === 'sixel') return new SixelScreen(CELL);
  return new CellScreen(mode === 'ascii' ? 'characters' : 'blocks');
}

/** All that is seen on a screen of cells or of images, in a form that can be compared. */
export function seenOn(screen: CellScreen | KittyScreen): string {
  if (screen instanceof KittyScreen)
    return [...screen.placements.values()]
      .map(({ area, image }) => {
        const { size, pixels } = screen.images.get(image)!;
        return JSON.stringify([area, size, createHash('sha256').update(pixels).digest('hex')]);
      })
      .sort()
      .join('\n');
  const cells: string[] = [];
  for (let row = 1; row <= SCREEN.rows; row++)
    for (let column = 1; column <= SCREEN.columns; column++) {
      const { character, ink, ground } = screen.cell(column, row);
      // The same halves can be written in two ways.
      const halves = {
        ' ': [ground, ground],
        '▀': [ink, ground],
        '▄': [ground, ink],
        '█': [ink, ink],
      };
      cells.push(JSON.stringify(halves[character as ' '] ?? [character, ink, ground]));
    }
  return cells.join('\n');
}
