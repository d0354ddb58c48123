/** The call in a terminal that draws images, whose letters may become larger, and which a shell may have. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import type { PixelSize } from '../../lib/media/terminal/area.ts';
import { CallView } from '../../lib/ui/call-view.ts';
import type { Terminal, TerminalFollower, TerminalOutput } from '../../lib/ui/prompt-contract.ts';
import { tileOf } from '../support/call-tiles.ts';
import { FakeApp } from '../support/fake-app.ts';
import { KittyScreen } from '../support/drawn-screens.ts';
import { waves } from '../support/terminal-pictures.ts';
import { FakeTime } from '../support/time.ts';

const E = '\u001b';
/** How long it takes to answer, in milliseconds. */
const ANSWER_MS = 50;

/** A terminal of images: it notes what it is sent, and answers. */
class ImageTerminal implements Terminal {
  readonly environment = { TERM: 'xterm', LANG: 'C.UTF-8' };
  readonly kitty = new KittyScreen();
  readonly output: TerminalOutput;
  size = { columns: 80, rows: 30 };
  cell: PixelSize = { width: 8, height: 16 };
  isSilent = false;
  /** Answers that are to come all at once. */
  held: string[] | undefined;
  lent = 0;
  /** Questions that are not answered. */
  asked = 0;
  /** What was asked, each by its end. */
  readonly questions: string[] = [];
  /** Of the images of sixels since last looked at, in pixels. */
  #widths: number[] = [];
  #follower: TerminalFollower | undefined;

  constructor(isKitty: boolean) {
    this.output = new Writable({
      decodeStrings: false,
      write: (chunk: Uint8Array | string, _encoding, done) => {
        const text = Buffer.from(chunk as Uint8Array).toString('utf8');
        for (const [, width] of text.matchAll(/q"1;1;(\d+);/g)) this.#widths.push(Number(width));
        for (const [question] of text.matchAll(/\u001b_G[^;]*a=q|\u001b\[(?:16t|5n|c)/g))
          this.#ask(question, isKitty);
        // Questions are written as text, what is drawn as bytes.
        if (typeof chunk === 'string') done();
        else void this.kitty.write(chunk.slice()).then(() => done());
      },
    });
  }

  #ask(question: string, isKitty: boolean): void {
    const { width, height } = this.cell;
    this.questions.push(question.slice(-1));
    if (this.isSilent) return;
    const answers: Record<string, string> = {
      q: isKitty ? `${E}_Gi=20615;OK${E}\\` : '',
      t: `${E}[6;${height};${width}t`,
      n: `${E}[0n`,
      c: isKitty ? `${E}[?62c` : `${E}[?62;4c`,
    };
    const answer = answers[question.slice(-1)]!;
    if (this.held !== undefined) return void this.held.push(answer);
    this.asked += 1;
    setTimeout(() => {
      this.asked -= 1;
      this.#follower?.onReport(answer);
    }, ANSWER_MS);
  }

  lend(rows: number): number {
    return (this.lent = rows);
  }

  follow(follower: TerminalFollower | undefined): void {
    this.#follower = follower;
  }

  get follower(): TerminalFollower {
    return this.#follower!;
  }

  /** The letters are so large by now. */
  zoom(cell: PixelSize, columns: number): void {
    this.cell = cell;
    this.size = { ...this.size, columns };
    this.#follower?.onResize();
  }

  widths(): readonly number[] {
    return this.#widths.splice(0);
  }
}

describe('the view of a call in a terminal of images', () => {
  let time: FakeTime;
  let app: FakeApp;
  let terminal: ImageTerminal;
  let view: CallView;

  beforeEach(() => {
    time = new FakeTime();
    app = new FakeApp();
  });
  afterEach(async () => {
    await time.until(view.stop());
    time.restore();
  });

  async function open(isKitty = false): Promise<void> {
    terminal = new ImageTerminal(isKitty);
    view = new CallView({ app, terminal, mode: undefined });
    view.show([tileOf('bob')]);
    await time.pass(300);
    assert.ok(view.isOpen);
    view.picture('camera bob', waves(160, 120, 0));
    await time.pass(500);
  }

  /** Whether images were drawn, all of them as wide as so many cells of that size. */
  function isCutFor({ width }: PixelSize): boolean {
    const widths = terminal.widths();
    return widths.length > 0 && widths.every((one) => one % width === 0);
  }

  describe('whose letters become larger', () => {
    const LARGE = { width: 13, height: 27 };

    it('has its pictures cut for them, where no others come too', async () => {
      await open();
      assert.ok(isCutFor({ width: 8, height: 16 }));
      const before = view.size('camera bob')!;
      const told = app.resizes;
      terminal.zoom(LARGE, 50);
      await time.pass(ANSWER_MS - 10);
      // Of the wrong size, they would cover what is not theirs.
      assert.deepEqual(terminal.widths(), []);
      await time.pass(500);
      assert.ok(isCutFor(LARGE));
      assert.ok(app.resizes > told + 1);
      assert.notDeepEqual(view.size('camera bob'), before);
    });

    it('is asked for what it has come to after the last of many changes', async () => {
      await open();
      terminal.widths();
      for (let width = 9; width <= 20; width++) {
        terminal.zoom({ width, height: 2 * width }, 80 - width);
        await time.pass(width % 3 === 0 ? 60 : 10);
      }
      terminal.widths();
      await time.pass(500);
      assert.ok(isCutFor({ width: 20, height: 40 }));
    });

    it('may answer several questions at once', async () => {
      await open();
      terminal.widths();
      terminal.held = [];
      terminal.zoom(LARGE, 50);
      terminal.zoom({ width: 20, height: 40 }, 30);
      await time.pass(100);
      for (const answer of terminal.held) terminal.follower.onReport(answer);
      terminal.held = undefined;
      await time.pass(500);
      assert.ok(isCutFor({ width: 20, height: 40 }));
    });

    it('is taken to be as before where it does not answer', async () => {
      await open();
      terminal.widths();
      terminal.isSilent = true;
      terminal.zoom(LARGE, 50);
      for (let number = 0; number < 20; number++) {
        view.picture('camera bob', waves(160, 120, number));
        await time.pass(100);
      }
      assert.ok(isCutFor({ width: 8, height: 16 }));
    });

    it('is asked before anything is drawn where that was while nothing was', async () => {
      await open();
      view.want(false);
      await time.pass(500);
      terminal.widths();
      const asked = terminal.questions.length;
      terminal.zoom(LARGE, 50);
      await time.pass(500);
      assert.equal(terminal.questions.length, asked);
      view.want(true);
      await time.pass(500);
      view.picture('camera bob', waves(160, 120, 1));
      await time.pass(500);
      assert.ok(isCutFor(LARGE));
    });
  });

  describe('which the shell is to have', () => {
    it('has no image and no answer left on the way, and all again afterwards', async () => {
      await open(true);
      for (let number = 0; number < 5; number++) {
        view.picture('camera bob', waves(160, 120, number));
        await time.pass(40);
      }
      assert.equal(terminal.kitty.images.size, 1);
      assert.ok(terminal.lent > 0);
      await time.until(terminal.follower.onSuspend());
      assert.deepEqual([terminal.kitty.images.size, terminal.lent, terminal.asked], [0, 0, 0]);
      // What happens before the program stands still draws nothing.
      view.show([tileOf('bob'), tileOf('carol')]);
      view.picture('camera bob', waves(160, 120, 7));
      await time.pass(1_000);
      assert.deepEqual([view.isOpen, terminal.kitty.images.size], [false, 0]);
      terminal.follower.onResume();
      await time.pass(300);
      view.picture('camera bob', waves(160, 120, 8));
      await time.pass(500);
      assert.equal(terminal.kitty.images.size, 1);
      assert.ok(terminal.lent > 0);
    });

    it('is not waited for when it does not answer', async () => {
      await open(true);
      terminal.isSilent = true;
      const before = time.passed;
      await time.until(terminal.follower.onSuspend());
      assert.ok(time.passed - before <= 250, `${time.passed - before}`);
      assert.equal(terminal.kitty.images.size, 0);
    });

    it('is not asked anything where nothing is drawn', async () => {
      await open(true);
      view.show([]);
      await time.pass(500);
      const asked = terminal.questions.length;
      await time.until(terminal.follower.onSuspend());
      assert.equal(terminal.questions.length, asked);
    });
  });

  it('has no answer on the way at the end', async () => {
    await open(true);
    view.picture('camera bob', waves(160, 120, 1));
    await time.pass(10);
    await time.until(view.stop());
    assert.deepEqual([terminal.kitty.images.size, terminal.asked], [0, 0]);
  });
});
