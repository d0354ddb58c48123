/** The call as it is seen in a terminal: the pictures of those in it, above what is said. */
import { isDeepStrictEqual } from 'node:util';
import type { App, CallScreen, CallTile, Picture, PictureSize } from '../app/types.ts';
import {
  askTerminal,
  cellQuestions,
  chooseMode,
  isAnswer,
  lastQuestion,
  type Asking,
  type AskingOptions,
  type Capabilities,
} from '../media/terminal/capabilities.ts';
import { CONFIRMATION } from '../media/terminal/confirmations.ts';
import { createRenderer } from '../media/terminal/create-renderer.ts';
import { Painter } from '../media/terminal/painter.ts';
import type { GraphicsMode, Renderer } from '../media/terminal/renderer.ts';
import type { Terminal } from './prompt-contract.ts';
import { fit, textWidth } from './width.ts';

export interface CallViewOptions {
  readonly app: Pick<App, 'watchCall' | 'sizesChanged'>;
  readonly terminal: Terminal;
  /** Named by the person; undefined: the best that the terminal has. */
  readonly mode: string | undefined;
}

/** Of the terminal's rows, how many the pictures have. */
const SHARE = 0.6;
const FPS = 30;
/** Modes in which pictures are cut for cells of a size. */
const IN_PIXELS: readonly GraphicsMode[] = ['kitty', 'sixel'];
/** How long a terminal that has said how large its cells are may take to say it again, in milliseconds. */
const CELL_MS = 1_000;
/** How long its last answers are waited for, in milliseconds. */
const LAST_MS = 200;

/** A front end without any: it wants nothing of what it could not show. */
export const NO_VIEW: CallScreen = {
  show: () => undefined,
  picture: () => undefined,
  size: () => null,
};

export class CallView implements CallScreen {
  readonly #options: CallViewOptions;
  #tiles: readonly CallTile[] = [];
  #painter: Painter | undefined;
  /** What the terminal can do, once that is known, and of what size it was when it was asked. */
  #capabilities: Capabilities | undefined;
  #size: Terminal['size'] | undefined;
  /** What it is asked at present, oldest first. */
  #askings: Asking[] = [];
  /** How often it was asked how large a cell is. */
  #measures = 0;
  #enlarged: string | undefined;
  /** The person wants to see the pictures. */
  #isWanted = true;
  /** The shell has the terminal. */
  #isAway = false;
  #isOpening = false;
  /** Settles when what was drawn before is off the screen. */
  #closed: Promise<void> = Promise.resolve();

  constructor(options: CallViewOptions) {
    this.#options = options;
    options.app.watchCall(this);
  }

  /** Whether pictures are on the screen. */
  get isOpen(): boolean {
    return this.#painter !== undefined;
  }

  /** Those in the call, and what there is to be seen of them. */
  show(tiles: readonly CallTile[]): void {
    this.#tiles = tiles;
    if (!this.#isNeeded) return this.#close();
    if (this.#painter === undefined) void this.#open();
    else this.#describe();
  }

  /** A call in which nobody is seen needs no room on the screen. */
  get #isNeeded(): boolean {
    const isPossible = this.#isWanted && !this.#isAway;
    return isPossible && this.#tiles.some(({ hasPicture }) => hasPicture);
  }

  picture(id: string, picture: Picture): void {
    this.#painter?.frame(id, picture);
  }

  size(id: string): PictureSize | null | undefined {
    if (this.#painter === undefined) return null;
    return this.#painter.wanted().get(id) ?? null;
  }

  /** Shows one of them large; undefined: all alike. @returns whether there is such a tile */
  enlarge(user: string | undefined): boolean {
    const found = this.#tiles.filter((tile) => tile.user === user);
    // What somebody shares is what is worth a closer look.
    const tile = found.find(({ kind }) => kind === 'screen') ?? found[0];
    if (user !== undefined && tile === undefined) return false;
    this.#enlarged = tile?.id;
    this.#describe();
    return true;
  }

  /** Whether pictures are to be shown at all. */
  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    this.show(this.#tiles);
  }

  async #open(): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    try {
      const [capabilities] = await Promise.all([this.#learn(), this.#closed]);
      if (this.#isNeeded) this.#paint(capabilities);
    } finally {
      this.#isOpening = false;
    }
  }

  #paint(capabilities: Capabilities): void {
    const { terminal, mode } = this.#options;
    // Nothing can be drawn there, and nobody insists on it.
    if (capabilities.modes.length === 0 && mode === undefined) return;
    const rows = this.#lend();
    if (rows === 0) return;
    this.#painter = new Painter({
      output: terminal.output,
      renderer: this.#renderer(capabilities),
      area: this.#area(rows),
      measure: { width: textWidth, fit },
      cell: capabilities.cell,
      fps: FPS,
      hearsConfirmations: true,
    });
    this.#describe();
  }

  #renderer(capabilities: Capabilities): Renderer {
    const { cell, isLight } = capabilities;
    return createRenderer(chooseMode(capabilities, this.#options.mode), { cell, isLight });
  }

  /** @returns how many rows there are for the pictures */
  #lend(): number {
    const { terminal } = this.#options;
    return terminal.lend(Math.floor(terminal.size.rows * SHARE));
  }

  /** What the terminal can do does not change, but for the size of its cells: it is asked once. */
  async #learn(): Promise<Capabilities> {
    const { terminal } = this.#options;
    terminal.follow({
      onReport: (text) => this.#report(text),
      onResize: () => this.#resize(),
      onSuspend: () => this.#suspend(),
      onResume: () => this.#resume(),
    });
    if (this.#capabilities === undefined) {
      this.#size = terminal.size;
      this.#capabilities = await this.#ask();
    }
    // It was resized while nothing was shown.
    while (!isDeepStrictEqual(this.#size, terminal.size)) await this.#measure(this.#capabilities);
    return this.#capabilities;
  }

  #ask(how: Pick<AskingOptions, 'asks' | 'milliseconds'> = {}): Promise<Capabilities> {
    const { environment, output, size } = this.#options.terminal;
    const asking = askTerminal({ write: (text) => output.write(text), environment, size, ...how });
    this.#askings.push(asking);
    void asking.capabilities.then(() => {
      this.#askings = this.#askings.filter((one) => one !== asking);
    });
    return asking.capabilities;
  }

  #report(text: string): void {
    if (text === CONFIRMATION) this.#painter?.answered();
    else if (isAnswer(text) && this.#askings[0]?.take(text) === true) this.#askings.shift();
  }

  /**
   * Asks anew how large a cell is, since a terminal is of another size too when its letters are. Until
   * it has said so no pictures are drawn; where it does not, its cells are taken to be as they were.
   */
  async #measure(capabilities: Capabilities): Promise<void> {
    const { terminal, mode, app } = this.#options;
    this.#size = terminal.size;
    const before = capabilities.cell;
    if (before === undefined || !IN_PIXELS.includes(chooseMode(capabilities, mode))) return;
    const number = ++this.#measures;
    this.#painter?.hold();
    const { cell } = await this.#ask({ asks: cellQuestions, milliseconds: CELL_MS });
    // It was resized once more, and asked again.
    if (number !== this.#measures) return;
    if (cell === undefined || isDeepStrictEqual(cell, before)) return this.#painter?.release();
    this.#capabilities = { ...capabilities, cell };
    this.#painter?.release({ renderer: this.#renderer(this.#capabilities), cell });
    app.sizesChanged();
  }

  #area(rows: number) {
    return { column: 1, row: 1, width: this.#options.terminal.size.columns, height: rows };
  }

  #resize(): void {
    if (this.#painter === undefined) return this.show(this.#tiles);
    if (this.#capabilities !== undefined) void this.#measure(this.#capabilities);
    const rows = this.#lend();
    // What is there now is not the pictures': nothing of it is to be wiped away.
    this.#painter.resize(this.#area(rows));
    if (rows === 0) this.#close();
    else this.#options.app.sizesChanged();
  }

  #describe(): void {
    this.#painter?.show(
      this.#tiles.map(({ id, user, kind, hasPicture, ...marks }) => ({
        id,
        label: {
          name: kind === 'screen' ? `${user}: screen` : user,
          hasCamera: hasPicture,
          isConnected: marks.isConnected,
          isTalking: marks.isTalking,
          isMuted: marks.isMuted,
          isSuppressed: marks.isSuppressed,
          isLive: marks.isLive,
        },
      })),
      this.#enlarged,
    );
    // Who has another tile is wanted in another size.
    this.#options.app.sizesChanged();
  }

  #close(): void {
    const painter = this.#painter;
    if (painter === undefined) return;
    this.#painter = undefined;
    this.#options.app.sizesChanged();
    this.#closed = painter.stop().then(() => {
      // Another one may be about to begin, which has them then.
      if (!this.#isNeeded) this.#options.terminal.lend(0);
    });
  }

  /**
   * Takes all off the screen, and hears what the terminal has not answered yet: whoever has it next
   * would take that for typed.
   */
  async #leave(): Promise<void> {
    const isHeard = this.#painter !== undefined || this.#askings.length > 0;
    this.#close();
    await this.#closed;
    if (isHeard) await this.#ask({ asks: lastQuestion, milliseconds: LAST_MS });
  }

  #suspend(): Promise<void> {
    this.#isAway = true;
    return this.#leave();
  }

  #resume(): void {
    this.#isAway = false;
    this.show(this.#tiles);
  }

  /** Gives the screen back, before the prompt does. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#leave();
    this.#options.terminal.follow(undefined);
  }
}
