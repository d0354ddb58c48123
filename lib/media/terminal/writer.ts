/**
 * Writes parts to the terminal in portions, each whole in itself: the cursor, the colours and the
 * modes are after it as they were before. At most one portion is under way, so that what others write
 * to the same terminal comes next, however much there is to paint.
 */
import type { Clock } from '../../lifecycle.ts';
import { putText, type Parts } from './bytes.ts';
import { Confirmations } from './confirmations.ts';

/** What is written to: a writable stream is one. */
export interface Output {
  /** Takes all of the bytes; they stay as they are until the callback. */
  write(bytes: Uint8Array, callback: (error?: Error | null) => void): unknown;
}

export interface WriterOptions {
  readonly output: Output;
  readonly clock: Clock;
  /** Bytes of a portion; a part that is longer is a portion of its own. */
  readonly portion?: number | undefined;
  /** Whether the cursor is to be seen after a portion. */
  readonly showsCursor?: (() => boolean) | undefined;
  /** Whether the terminal's confirmations are handed to `answered`. */
  readonly hearsConfirmations?: boolean | undefined;
  /** Called when all is written, and more may be. */
  readonly onIdle: () => void;
}

export const USUAL_PORTION = 16 * 1024;
/** How long the last portions may take, in milliseconds. */
const END_MS = 1_000;
/**
 * For how many times as long as a write kept the whole process from going on nothing is written: on
 * most systems, writing to a terminal that is too slow is not a matter of waiting in the background.
 */
const REST = 3;
/** What is too short to rest for, in milliseconds. */
const LEAST_REST_MS = 5;

/** In one update of the screen: the cursor and all that goes with it kept and hidden, nothing wrapped. */
const BEGIN = '\u001b[?2026h\u001b7\u001b[?25l\u001b[?7l\u001b[0m';
const RESTORE = '\u001b[0m\u001b[?7h\u001b8';
const SHOW_CURSOR = '\u001b[?25h';
const END = '\u001b[?2026l';
/** Room for all of these and a question. */
const FRAME_BYTES = 80;

export class Writer {
  readonly #options: WriterOptions;
  readonly #confirmations: Confirmations;
  readonly #portion: number;
  #memory: Uint8Array;
  #parts: Parts | undefined;
  /** How many of the parts are written, and where the next one begins. */
  #written = 0;
  #from = 0;
  #isUnderWay = false;
  /** Why it does not go on at once: another turn of the event loop, or a wait. */
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** How long the last write kept everything waiting, in milliseconds. */
  #blocked = 0;
  #isBroken = false;
  #isEnding = false;
  #ended: (() => void) | undefined;
  #bytes = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#portion = options.portion ?? USUAL_PORTION;
    this.#memory = new Uint8Array(this.#portion + FRAME_BYTES);
    this.#confirmations = new Confirmations(options.clock, options.hearsConfirmations === true);
  }

  /** Bytes that were written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is nothing to write, and nothing under way. */
  get isIdle(): boolean {
    return !this.#isBroken && !this.#isEnding && this.#parts === undefined && !this.#isWaiting;
  }

  /** Writes parts, which stay as they are until then. What still waited of others is given up. */
  send(parts: Parts): void {
    if (this.#isEnding || this.#isBroken) return;
    this.#take(parts);
  }

  /** Takes an answer of the terminal to a question of ours. */
  answered(): void {
    this.#confirmations.answered();
    if (this.#timer === undefined || this.#blocked > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#go();
  }

  /** Writes these parts as the last ones. Settles when that is done, or after a while. */
  async end(parts: Parts): Promise<void> {
    if (this.#isEnding || this.#isBroken) return;
    this.#isEnding = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, END_MS);
      this.#ended = () => {
        clearTimeout(late);
        resolve();
      };
      this.#take(parts);
    });
    this.#break();
  }

  get #isWaiting(): boolean {
    return this.#isUnderWay || this.#turn !== undefined || this.#timer !== undefined;
  }

  #take(parts: Parts): void {
    this.#parts = parts;
    this.#written = 0;
    this.#from = 0;
    if (!this.#isWaiting) this.#go();
  }

  /** Writes the next portion, unless it has to wait. */
  #go(): void {
    if (this.#isBroken) return;
    if (this.#parts === undefined || this.#written === this.#parts.ends.length) {
      this.#parts = undefined;
      this.#ended?.();
      if (!this.#isEnding) this.#options.onIdle();
      return;
    }
    const wait = this.#isEnding ? 0 : this.#confirmations.wait;
    if (wait > 0) this.#pause(wait);
    else this.#write(this.#nextPortion(this.#parts));
  }

  #pause(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#blocked = 0;
      this.#go();
    }, milliseconds);
  }

  /** As many parts as go into a portion, framed. */
  #nextPortion({ bytes, ends }: Parts): Uint8Array {
    const from = this.#from;
    const most = Math.min(this.#portion, this.#confirmations.portion);
    let until = ends[this.#written++]!;
    while (this.#written < ends.length && ends[this.#written]! - from <= most)
      until = ends[this.#written++]!;
    this.#from = until;
    if (this.#memory.length < until - from + FRAME_BYTES)
      this.#memory = new Uint8Array(until - from + FRAME_BYTES);
    const memory = this.#memory;
    let at = putText(memory, 0, BEGIN);
    memory.set(bytes.subarray(from, until), at);
    at = putText(memory, at + until - from, RESTORE);
    if (this.#options.showsCursor?.() ?? true) at = putText(memory, at, SHOW_CURSOR);
    at = putText(memory, at, END);
    at = putText(memory, at, this.#confirmations.wrote(at, this.#written === ends.length));
    return memory.subarray(0, at);
  }

  #write(portion: Uint8Array): void {
    const { output, clock } = this.#options;
    this.#isUnderWay = true;
    this.#bytes += portion.length;
    this.#blocked = 0;
    const began = clock.monotonic();
    try {
      output.write(portion, (error) => this.#done(error));
    } catch {
      this.#break();
    }
    this.#blocked = clock.monotonic() - began;
  }

  #done(error: Error | null | undefined): void {
    if (!this.#isUnderWay) return;
    this.#isUnderWay = false;
    if (error != null) this.#break();
    if (this.#isBroken) return;
    // Others get their turn between two portions.
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      const rest = REST * this.#blocked;
      if (rest < LEAST_REST_MS || this.#isEnding) {
        this.#blocked = 0;
        this.#go();
      } else this.#pause(rest);
    });
  }

  /** The terminal is gone, or not ours any more: nothing is written to it again. */
  #break(): void {
    this.#isBroken = true;
    this.#parts = undefined;
    clearImmediate(this.#turn);
    clearTimeout(this.#timer);
    this.#turn = undefined;
    this.#timer = undefined;
    this.#ended?.();
  }
}
