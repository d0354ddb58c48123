/**
 * Paints the participants of a call into an area of the terminal, beside a prompt that it never
 * disturbs. Of each tile only the newest picture is drawn, as soon as the terminal has taken what was
 * written before: a slow one gets fewer.
 */
import { systemClock, type Clock } from '../../lifecycle.ts';
import type { PictureSize, VideoFrame } from '../frames.ts';
import { isPicture } from '../video/picture.ts';
import { sameArea, type Area, type PixelSize } from './area.ts';
import { Bytes, type Parts } from './bytes.ts';
import { layOut, wantedSize, type Tile } from './grid.ts';
import { putLabel, putPlaceholder, sameLabel, type Label, type Measure } from './label.ts';
import type { Drawn, Renderer } from './renderer.ts';
import { Writer, type Output } from './writer.ts';

export type { Output } from './writer.ts';

export interface PainterOptions {
  readonly output: Output;
  readonly renderer: Renderer;
  readonly area: Area;
  readonly measure: Measure;
  /** The size of a cell in pixels, if it is known. */
  readonly cell?: PixelSize | undefined;
  /** Pictures of a tile a second at most. */
  readonly fps?: number | undefined;
  /** Bytes of a portion: what others write waits for no more than that. */
  readonly portion?: number | undefined;
  /** Whether the cursor is to be seen after a portion; it is, unless this says no. */
  readonly showsCursor?: (() => boolean) | undefined;
  /**
   * Whether the terminal's confirmations are handed to `answered`. Then no more is written than it
   * has taken, however much there is room for on the way to it.
   */
  readonly hearsConfirmations?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

export interface Participant {
  /** One of its own for each tile. */
  readonly id: string;
  readonly label: Label;
}

export interface PainterCounts {
  /** Pictures that were drawn, of which some may have been as what stood there. */
  readonly drawn: number;
  /** Pictures that were not, for a newer one came or there is no tile for them. */
  readonly dropped: number;
  /** Frames that are no pictures. */
  readonly refused: number;
  /** Bytes written to the terminal. */
  readonly bytes: number;
}

const USUAL_FPS = 30;
/** After how long without another one a picture says nothing about what there is to be seen, in milliseconds. */
const PICTURE_MS = 3_000;

/** A tile and what stands in it. */
interface Spot {
  readonly id: string;
  readonly tile: Tile;
  label: Label;
  /** The label as it was written. */
  written: Label | undefined;
  shows: 'nothing' | 'initial' | 'picture';
  /** The newest picture. */
  picture: VideoFrame | undefined;
  /** When it came, by the clock. */
  came: number;
  /** Whether it waits to be drawn. */
  isNew: boolean;
  drawn: Drawn | undefined;
  /** Before this time of the clock no further picture is drawn. */
  due: number;
}

const NO_PICTURE: Pick<Spot, 'picture' | 'came'> = { picture: undefined, came: 0 };

function forgetPicture(spot: Spot): void {
  spot.picture = undefined;
  spot.isNew = false;
}

export class Painter {
  #renderer: Renderer;
  readonly #measure: Measure;
  #cell: PixelSize | undefined;
  readonly #fps: number;
  readonly #clock: Clock;
  readonly #writer: Writer;
  readonly #bytes = new Bytes();
  #area: Area;
  #participants: readonly Participant[] = [];
  #enlarged: string | undefined;
  #spots: Spot[] = [];
  /** Bytes that take away what was drawn and is not wanted any more, until they are written. */
  #erasures: Uint8Array[] = [];
  /** Whether nothing is in the area but what the spots say. */
  #isClean = true;
  /** It is being asked how large the cells are. */
  #isHeld = false;
  #timer: NodeJS.Timeout | undefined;
  /** Until the picture that came first is too old. */
  #ageing: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;
  #drawn = 0;
  #dropped = 0;
  #refused = 0;

  constructor(options: PainterOptions) {
    this.#renderer = options.renderer;
    this.#measure = options.measure;
    this.#cell = options.cell;
    this.#fps = options.fps ?? USUAL_FPS;
    this.#clock = options.clock ?? systemClock;
    this.#area = options.area;
    const { output, portion, showsCursor, hearsConfirmations } = options;
    this.#writer = new Writer({
      ...{ output, portion, showsCursor, hearsConfirmations },
      clock: this.#clock,
      onIdle: () => {
        this.#erasures = [];
        this.#paint();
      },
    });
  }

  get counts(): PainterCounts {
    return {
      drawn: this.#drawn,
      dropped: this.#dropped,
      refused: this.#refused,
      bytes: this.#writer.bytes,
    };
  }

  /** Says who is to be seen, in which order, and whose tile is to be large. */
  show(participants: readonly Participant[], enlarged?: string): void {
    this.#participants = participants;
    this.#enlarged = enlarged;
    const tiles = this.#tiles();
    const isSame =
      tiles.length === this.#spots.length &&
      tiles.every((tile, index) => {
        const { id, tile: before } = this.#spots[index]!;
        return id === participants[tile.index]?.id && sameArea(before.picture, tile.picture);
      });
    if (isSame)
      for (const [index, spot] of this.#spots.entries()) {
        spot.label = participants[tiles[index]!.index]!.label;
        if (!spot.label.hasCamera) forgetPicture(spot);
      }
    else this.#anew(tiles);
    this.#paint();
  }

  /** Takes a picture. It is not to be changed any more. */
  frame(id: string, picture: VideoFrame): void {
    const spot = this.#spots.find((one) => one.id === id);
    if (!isPicture(picture)) {
      this.#refused += 1;
      return;
    }
    if (spot === undefined || !spot.label.hasCamera || this.#stopped !== undefined) {
      this.#dropped += 1;
      return;
    }
    if (spot.isNew) this.#dropped += 1;
    spot.picture = picture;
    spot.came = this.#clock.monotonic();
    spot.isNew = true;
    this.#age();
    this.#paint();
  }

  /** Forgets the pictures that are too old by now, and will do so with the others. */
  #age(): void {
    if (this.#ageing !== undefined || this.#stopped !== undefined) return;
    const now = this.#clock.monotonic();
    let left = Infinity;
    for (const spot of this.#spots) {
      if (spot.picture === undefined) continue;
      const lasts = spot.came + PICTURE_MS - now;
      if (lasts > 0) left = Math.min(left, lasts);
      else forgetPicture(spot);
    }
    if (left === Infinity) return;
    this.#ageing = setTimeout(() => {
      this.#ageing = undefined;
      this.#age();
      this.#paint();
    }, left);
  }

  /** How large and how often pictures are of use, of each of those that have a tile. */
  wanted(): Map<string, PictureSize> {
    const { mode } = this.#renderer;
    return new Map(
      this.#spots.map(({ id, tile }) => [
        id,
        { ...wantedSize(tile.picture, mode, this.#cell), fps: this.#fps },
      ]),
    );
  }

  /** The area is another one, and nothing of ours is in it. What lies outside of it is left alone. */
  resize(area: Area): void {
    this.#area = area;
    this.repaint();
  }

  /**
   * Draws no pictures until `release`, since the cells may be of another size than what is drawn is
   * cut for: it would cover what is not ours.
   */
  hold(): void {
    this.#isHeld = true;
  }

  /** Draws pictures again; where the cells are of another size, by a renderer that is made for it. */
  release(change?: { readonly renderer: Renderer; readonly cell: PixelSize }): void {
    this.#isHeld = false;
    if (change !== undefined) {
      this.#cell = change.cell;
      // What stands there is taken away by what has drawn it.
      this.#anew(this.#tiles());
      this.#renderer = change.renderer;
    }
    this.#paint();
  }

  /** Something else was written over the area: all of it is painted again. */
  repaint(): void {
    this.#anew(this.#tiles());
    this.#paint();
  }

  /** The terminal has answered a question of ours. */
  answered(): void {
    this.#writer.answered();
  }

  /**
   * Empties the area and ends the painting. May be called any number of times.
   * @returns settles when the terminal has taken it, or does not within a second
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    clearTimeout(this.#ageing);
    this.#anew([]);
    await this.#writer.end(this.#cleaning());
  }

  #tiles(): Tile[] {
    const enlarged = this.#participants.findIndex(({ id }) => id === this.#enlarged);
    return layOut({
      area: this.#area,
      count: this.#participants.length,
      enlarged: enlarged < 0 ? undefined : enlarged,
      cell: this.#cell,
    });
  }

  /** Begins with an empty area. The last pictures are kept. */
  #anew(tiles: readonly Tile[]): void {
    const before = new Map(this.#spots.map((spot) => [spot.id, spot]));
    for (const { drawn } of this.#spots) this.#erase(drawn);
    this.#spots = tiles.map((tile) => {
      const { id, label } = this.#participants[tile.index]!;
      const { picture, came } = (label.hasCamera && before.get(id)) || NO_PICTURE;
      return {
        ...{ id, tile, label, picture, came, written: undefined, drawn: undefined, due: 0 },
        shows: 'nothing',
        isNew: picture !== undefined,
      };
    });
    this.#isClean = false;
  }

  /** Writes what there is to write, if the terminal has taken all before. */
  #paint(): void {
    if (this.#stopped !== undefined) return;
    // What is half written is given up: it does not belong there any more.
    if (!this.#isClean) this.#writer.send(this.#cleaning());
    if (!this.#writer.isIdle) return;
    for (const spot of this.#spots) this.#putTexts(spot);
    const parts = this.#bytes.length > 0 ? this.#bytes.take() : this.#nextPicture();
    if (parts !== undefined) this.#writer.send(parts);
  }

  #cleaning(): Parts {
    this.#isClean = true;
    this.#putErasures();
    this.#bytes.blank(this.#area);
    return this.#bytes.take();
  }

  #erase(drawn: Drawn | undefined): void {
    if (drawn === undefined) return;
    const { bytes } = this.#renderer.erase(drawn);
    if (bytes.length > 0) this.#erasures.push(bytes.slice());
  }

  #putErasures(): void {
    for (const bytes of this.#erasures) this.#bytes.bytes(bytes);
    this.#bytes.end();
  }

  /** Writes a label that has changed, and what stands where there is no picture. */
  #putTexts(spot: Spot): void {
    const { tile, label } = spot;
    const { mode } = this.#renderer;
    if (spot.written === undefined || !sameLabel(spot.written, label)) {
      if (spot.shows === 'initial' && spot.written?.name !== label.name) spot.shows = 'nothing';
      putLabel(this.#bytes, tile.label, label, mode, this.#measure);
      spot.written = label;
    }
    if (spot.picture === undefined && spot.shows !== 'initial') {
      this.#erase(spot.drawn);
      spot.drawn = undefined;
      this.#putErasures();
      putPlaceholder(this.#bytes, tile.picture, label, mode, this.#measure);
      spot.shows = 'initial';
    } else if (spot.picture !== undefined && spot.shows === 'initial') {
      this.#bytes.blank(tile.picture);
      spot.shows = 'nothing';
    }
  }

  /** Draws the picture that has been due for the longest. */
  #nextPicture(): Parts | undefined {
    clearTimeout(this.#timer);
    if (this.#isHeld) return undefined;
    const waiting = this.#spots
      .filter(({ isNew }) => isNew)
      .sort((one, other) => one.due - other.due);
    for (const spot of waiting) {
      const now = this.#clock.monotonic();
      if (spot.due > now) {
        this.#timer = setTimeout(() => this.#paint(), spot.due - now);
        return undefined;
      }
      spot.due = now + 1_000 / this.#fps;
      const parts = this.#draw(spot);
      if (parts !== undefined && parts.ends.length > 0) return parts;
    }
    return undefined;
  }

  #draw(spot: Spot): Parts | undefined {
    spot.isNew = false;
    try {
      const drawing = this.#renderer.draw(spot.picture!, spot.tile.picture, spot.drawn);
      spot.drawn = drawing.drawn;
      spot.shows = 'picture';
      this.#drawn += 1;
      return drawing;
    } catch {
      // Its bytes have been taken back since it was handed over.
      this.#refused += 1;
      return undefined;
    }
  }
}
