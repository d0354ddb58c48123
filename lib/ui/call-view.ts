/** The call as it is seen in a terminal: the pictures of those in it, above what is said. */
import type { App, CallScreen, CallTile, PictureKind, Picture, PictureSize } from '../app/types.ts';
import {
  askTerminal,
  chooseMode,
  isAnswer,
  type Capabilities,
} from '../media/terminal/capabilities.ts';
import { CONFIRMATION } from '../media/terminal/confirmations.ts';
import { createRenderer } from '../media/terminal/create-renderer.ts';
import { Painter } from '../media/terminal/painter.ts';
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

/** A front end without any: it wants nothing of what it could not show. */
export const NO_VIEW: CallScreen = {
  show: () => undefined,
  picture: () => undefined,
  size: () => null,
};

const idOf = (user: string, kind: PictureKind): string => `${kind} ${user}`;

export class CallView implements CallScreen {
  readonly #options: CallViewOptions;
  #tiles: readonly CallTile[] = [];
  #painter: Painter | undefined;
  #capabilities: Promise<Capabilities> | undefined;
  #answers: ((text: string) => void) | undefined;
  #enlarged: string | undefined;
  /** The person wants to see the pictures. */
  #isWanted = true;
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
    return this.#isWanted && this.#tiles.some(({ hasPicture }) => hasPicture);
  }

  picture(user: string, kind: PictureKind, picture: Picture): void {
    this.#painter?.frame(idOf(user, kind), picture);
  }

  size(user: string, kind: PictureKind): PictureSize | null | undefined {
    if (this.#painter === undefined) return null;
    return this.#painter.wanted().get(idOf(user, kind)) ?? null;
  }

  /** Shows one of them large; undefined: all alike. @returns whether there is such a tile */
  enlarge(user: string | undefined): boolean {
    const found = this.#tiles.filter((tile) => tile.user === user);
    // What somebody shares is what is worth a closer look.
    const tile = found.find(({ kind }) => kind === 'screen') ?? found[0];
    if (user !== undefined && tile === undefined) return false;
    this.#enlarged = tile && idOf(tile.user, tile.kind);
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
      const [capabilities] = await Promise.all([this.#ask(), this.#closed]);
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
    const { cell, isLight } = capabilities;
    this.#painter = new Painter({
      output: terminal.output,
      renderer: createRenderer(chooseMode(capabilities, mode), { cell, isLight }),
      area: this.#area(rows),
      measure: { width: textWidth, fit },
      cell,
      fps: FPS,
      hearsConfirmations: true,
    });
    this.#describe();
  }

  /** @returns how many rows there are for the pictures */
  #lend(): number {
    const { terminal } = this.#options;
    return terminal.lend(Math.floor(terminal.size.rows * SHARE));
  }

  /** What the terminal can do does not change: it is asked once. */
  #ask(): Promise<Capabilities> {
    const { terminal } = this.#options;
    if (this.#capabilities === undefined) {
      const { environment, output, size } = terminal;
      const asking = askTerminal({ write: (text) => output.write(text), environment, size });
      this.#answers = (text) => asking.take(text);
      this.#capabilities = asking.capabilities;
      void asking.capabilities.then(() => (this.#answers = undefined));
    }
    terminal.follow({
      onReport: (text) => this.#report(text),
      onResize: () => this.#resize(),
    });
    return this.#capabilities;
  }

  #report(text: string): void {
    if (text === CONFIRMATION) this.#painter?.answered();
    else if (isAnswer(text)) this.#answers?.(text);
  }

  #area(rows: number) {
    return { column: 1, row: 1, width: this.#options.terminal.size.columns, height: rows };
  }

  #resize(): void {
    if (this.#painter === undefined) return this.show(this.#tiles);
    const rows = this.#lend();
    // What is there now is not the pictures': nothing of it is to be wiped away.
    this.#painter.resize(this.#area(rows));
    if (rows === 0) this.#close();
    else this.#options.app.sizesChanged();
  }

  #describe(): void {
    this.#painter?.show(
      this.#tiles.map(({ user, kind, hasPicture, ...marks }) => ({
        id: idOf(user, kind),
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

  /** Gives the screen back, before the prompt does. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    this.#close();
    await this.#closed;
    this.#options.terminal.follow(undefined);
  }
}
