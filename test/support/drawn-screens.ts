/**
 * Terminals of each kind, as far as pictures go: what was drawn on them can be looked at, pixel by
 * pixel. Cells are those of a real emulator; images are decoded here, with nothing of the program.
 */
import { createRequire } from 'node:module';
import { inflateSync } from 'node:zlib';
import type * as Xterm from '@xterm/headless';
import type { Area, PixelSize } from '../../lib/media/terminal/area.ts';
import { RAMP } from '../../lib/media/terminal/characters.ts';
import { sequencesOf, type Sequence } from './sequences.ts';
import { BLACK, type Colour } from './terminal-pictures.ts';

const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof Xterm;

/** What is seen in an area. */
export interface Look {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): Colour;
}

export interface DrawnScreen {
  write(bytes: Uint8Array): Promise<void>;
  look(area: Area): Look;
  /** Whether anything was drawn into a cell, counted from 1. */
  isTouched(column: number, row: number): boolean;
}

export const SCREEN = { columns: 70, rows: 30 } as const;

function lookOf(width: number, height: number, at: Look['at']): Look {
  return { width, height, at };
}

/** A colour of the palette of 256 that is not left to the terminal: 16 to 255. */
export function paletteColourOf(number: number): Colour {
  if (number >= 232) {
    const grey = 10 * (number - 232) + 8;
    return [grey, grey, grey];
  }
  const digits = (number - 16).toString(6).padStart(3, '0');
  const [red, green, blue] = [...digits].map((digit) => [0, 95, 135, 175, 215, 255][Number(digit)]);
  return [red!, green!, blue!];
}

/** Half blocks and characters, on an emulator. */
export class CellScreen implements DrawnScreen {
  readonly terminal: InstanceType<typeof Terminal>;
  readonly #isBlocks: boolean;

  constructor(kind: 'blocks' | 'characters', size: { columns: number; rows: number } = SCREEN) {
    this.#isBlocks = kind === 'blocks';
    this.terminal = new Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true });
  }

  write(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => this.terminal.write(bytes, resolve));
  }

  cell(column: number, row: number): { character: string; ink: Colour; ground: Colour } {
    const cell = this.terminal.buffer.active.getLine(row - 1)?.getCell(column - 1);
    if (cell === undefined) throw new Error(`no cell ${column}, ${row}`);
    const colour = (number: number, isTrue: boolean, isPalette: boolean): Colour => {
      if (isTrue) return [number >> 16, (number >> 8) & 255, number & 255];
      return isPalette ? paletteColourOf(number) : BLACK;
    };
    return {
      character: cell.getChars() || ' ',
      ink: colour(cell.getFgColor(), cell.isFgRGB(), cell.isFgPalette()),
      ground: colour(cell.getBgColor(), cell.isBgRGB(), cell.isBgPalette()),
    };
  }

  /** The text of a row, with its spaces. */
  row(row: number): string {
    return this.terminal.buffer.active.getLine(row - 1)?.translateToString() ?? '';
  }

  look({ column, row, width, height }: Area): Look {
    if (!this.#isBlocks)
      return lookOf(width, height, (x, y) => {
        const { character } = this.cell(column + x, row + y);
        const grey = (255 * RAMP.indexOf(character)) / (RAMP.length - 1);
        return [grey, grey, grey];
      });
    return lookOf(width, 2 * height, (x, y) => {
      const { character, ink, ground } = this.cell(column + x, row + (y >> 1));
      const inked: Readonly<Record<string, readonly [boolean, boolean]>> = {
        ' ': [false, false],
        '▀': [true, false],
        '▄': [false, true],
        '█': [true, true],
      };
      const halves = inked[character];
      if (halves === undefined) throw new Error(`no half block: "${character}"`);
      return halves[y & 1]! ? ink : ground;
    });
  }

  isTouched(column: number, row: number): boolean {
    const { character, ground } = this.cell(column, row);
    return character !== ' ' || ground.some((part) => part > 0);
  }
}

/** Follows the cursor as far as it is told where to go. */
class Cursor {
  column = 1;
  row = 1;

  follow(sequence: Sequence): void {
    if (sequence.kind !== 'control' || sequence.final !== 'H') return;
    const [row, column] = sequence.parameters.split(';').map(Number);
    this.row = row ?? 1;
    this.column = column ?? 1;
  }
}

interface Placement {
  readonly image: number;
  readonly area: Area;
}

/** What understands the graphics protocol of Kitty, and finds fault with what it does not allow. */
export class KittyScreen implements DrawnScreen {
  readonly images = new Map<number, { size: PixelSize; pixels: Uint8Array }>();
  readonly placements = new Map<number, Placement>();
  readonly #cursor = new Cursor();
  #loading: { keys: Map<string, string>; data: string } | undefined;

  async write(bytes: Uint8Array): Promise<void> {
    for (const sequence of sequencesOf(bytes)) {
      this.#cursor.follow(sequence);
      if (sequence.kind === 'application' && sequence.text.startsWith('G'))
        this.#command(sequence.text.slice(1));
    }
  }

  #command(text: string): void {
    const [control = '', payload = ''] = text.split(';');
    const keys = new Map(control.split(',').map((pair) => pair.split('=') as [string, string]));
    if (payload.length > 4_096) throw new Error('a chunk is too long');
    if (keys.get('q') !== '2') throw new Error('an answer would come');
    const loading = this.#loading;
    if (loading !== undefined && keys.has('a')) throw new Error('a command amid an image');
    if (keys.get('a') === 't') this.#loading = { keys, data: payload };
    else if (loading !== undefined) loading.data += payload;
    else if (keys.get('a') === 'p') this.#place(keys);
    else if (keys.get('a') === 'd') this.#delete(keys);
    if (keys.get('m') === '0') this.#load();
  }

  #load(): void {
    const { keys, data } = this.#loading ?? {};
    this.#loading = undefined;
    // An image that is broken off is none.
    if (keys === undefined || data === undefined) return;
    const size = { width: Number(keys.get('s')), height: Number(keys.get('v')) };
    if (keys.get('f') !== '24' || keys.get('o') !== 'z') throw new Error('not the format');
    let pixels;
    try {
      pixels = inflateSync(Buffer.from(data, 'base64'));
    } catch {
      return;
    }
    if (pixels.length !== 3 * size.width * size.height) throw new Error('not the size');
    this.images.set(Number(keys.get('i')), { size, pixels });
  }

  #place(keys: ReadonlyMap<string, string>): void {
    const image = Number(keys.get('i'));
    if (!this.images.has(image)) throw new Error('there is no such image');
    if (keys.get('C') !== '1') throw new Error('the cursor would move');
    const { column, row } = this.#cursor;
    const area = { column, row, width: Number(keys.get('c')), height: Number(keys.get('r')) };
    this.placements.set(image, { image, area });
  }

  #delete(keys: ReadonlyMap<string, string>): void {
    if (keys.get('d') !== 'I') throw new Error('the image would stay');
    this.images.delete(Number(keys.get('i')));
    this.placements.delete(Number(keys.get('i')));
  }

  look(area: Area): Look {
    const shown = [...this.placements.values()].filter(
      (one) => one.area.column === area.column && one.area.row === area.row,
    );
    const [placement] = shown;
    if (placement === undefined || shown.length > 1) throw new Error('not one image');
    const { size, pixels } = this.images.get(placement.image)!;
    if (placement.area.width !== area.width || placement.area.height !== area.height)
      throw new Error('not on all of the area');
    return lookOf(size.width, size.height, (x, y) => {
      const at = 3 * (y * size.width + x);
      return [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
    });
  }

  isTouched(column: number, row: number): boolean {
    return [...this.placements.values()].some(
      ({ area }) =>
        column >= area.column &&
        column < area.column + area.width &&
        row >= area.row &&
        row < area.row + area.height,
    );
  }
}

/** What understands sixels; it reckons in whole bands, as some terminals do. */
export class SixelScreen implements DrawnScreen {
  readonly #cell: PixelSize;
  readonly #size: PixelSize;
  /** Red, green, blue of each pixel; -1 for one that was never drawn. */
  readonly #pixels: Int16Array;
  readonly #cursor = new Cursor();
  /** How many images there were. */
  images = 0;

  constructor(cell: PixelSize, { columns, rows }: { columns: number; rows: number } = SCREEN) {
    this.#cell = cell;
    this.#size = { width: columns * cell.width, height: rows * cell.height };
    this.#pixels = new Int16Array(3 * this.#size.width * this.#size.height).fill(-1);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (const sequence of sequencesOf(bytes)) {
      this.#cursor.follow(sequence);
      if (sequence.kind === 'device') this.#image(sequence.text);
    }
  }

  #image(text: string): void {
    this.images += 1;
    const head = /^[\d;]*q"1;1;(\d+);(\d+)/.exec(text);
    if (head === null) throw new Error('no image');
    const [width, height] = [Number(head[1]), Number(head[2])];
    if (height % 6 !== 0) throw new Error('not in whole bands');
    const left = (this.#cursor.column - 1) * this.#cell.width;
    const top = (this.#cursor.row - 1) * this.#cell.height;
    const palette = new Map<number, Colour>();
    let [x, y, colour] = [0, 0, BLACK];
    const put = (character: string, count: number): void => {
      const bits = character.charCodeAt(0) - 0x3f;
      for (let end = x + count; x < end; x++) {
        if (x >= width || y + 6 > height) throw new Error('beyond the size that was said');
        for (let bit = 0; bit < 6; bit++)
          if ((bits >> bit) & 1) this.#put(left + x, top + y + bit, colour);
      }
    };
    const tokens = /#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([$-])|([?-~])/gy;
    tokens.lastIndex = head[0].length;
    let end = head[0].length;
    for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
      end = tokens.lastIndex;
      const [, number, red, green, blue, count, repeated, move, single] = match;
      if (number !== undefined) {
        if (red !== undefined)
          palette.set(Number(number), [
            2.55 * Number(red),
            2.55 * Number(green),
            2.55 * Number(blue),
          ]);
        const chosen = palette.get(Number(number));
        if (chosen === undefined) throw new Error('a colour that was not said');
        colour = chosen;
      } else if (repeated !== undefined) put(repeated, Number(count));
      else if (single !== undefined) put(single, 1);
      else {
        x = 0;
        if (move === '-') y += 6;
      }
    }
    if (end !== text.length) throw new Error('not sixels');
  }

  #put(x: number, y: number, colour: Colour): void {
    if (x >= this.#size.width || y >= this.#size.height) throw new Error('beyond the screen');
    this.#pixels.set(colour.map(Math.round), 3 * (y * this.#size.width + x));
  }

  look({ column, row, width, height }: Area): Look {
    const { width: across, height: down } = this.#cell;
    return lookOf(width * across, height * down, (x, y) => {
      const at = 3 * (((row - 1) * down + y) * this.#size.width + (column - 1) * across + x);
      const [red, green, blue] = this.#pixels.subarray(at, at + 3);
      return [Math.max(0, red!), Math.max(0, green!), Math.max(0, blue!)];
    });
  }

  isTouched(column: number, row: number): boolean {
    const { width, height } = this.#cell;
    for (let y = (row - 1) * height; y < row * height; y++)
      for (let x = (column - 1) * width; x < column * width; x++)
        if (this.#pixels[3 * (y * this.#size.width + x)]! >= 0) return true;
    return false;
  }
}
