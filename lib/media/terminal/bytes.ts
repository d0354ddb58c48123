/**
 * Bytes for a terminal, put one after the other into memory that is used again and again, and where
 * they may be cut.
 */
import type { Area } from './area.ts';

/** The digits of 0 to 999, in four bytes each: three for the digits, one for their number. */
const DIGITS = new Uint8Array(4 * 1_000);
for (let number = 0; number < 1_000; number++) {
  const text = String(number);
  for (let at = 0; at < text.length; at++) DIGITS[4 * number + at] = text.charCodeAt(at);
  DIGITS[4 * number + 3] = text.length;
}

const FIRST_ROOM = 16 * 1024;
/** Room that a number may need, in bytes, and what moves the cursor. */
const NUMBER_BYTES = 16;
const MOVE_BYTES = 2 * NUMBER_BYTES + 4;

/**
 * Writes a whole number from 0 on in decimal digits.
 * @param data with `NUMBER_BYTES` of room
 * @returns where the next byte belongs
 */
export function putNumber(data: Uint8Array, at: number, number: number): number {
  if (number >= 1_000) return putText(data, at, String(number));
  // Three are always written, and those too many are written over: quicker than to ask.
  const digits = 4 * number;
  data[at] = DIGITS[digits]!;
  data[at + 1] = DIGITS[digits + 1]!;
  data[at + 2] = DIGITS[digits + 2]!;
  return at + DIGITS[digits + 3]!;
}

/**
 * Writes a text of ASCII.
 * @returns where the next byte belongs
 */
export function putText(data: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) data[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** What is to be written, in parts. */
export interface Parts {
  readonly bytes: Uint8Array;
  /**
   * Where each part ends, ascending; the last one ends where the bytes do. Something else may be
   * written between two parts: each expects the usual colours, says itself where the cursor is to
   * be, and leaves both as it likes.
   */
  readonly ends: readonly number[];
}

export const NOTHING: Parts = { bytes: new Uint8Array(0), ends: [] };

export class Bytes {
  /** With room for what was reserved. */
  data = new Uint8Array(FIRST_ROOM);
  /** How much of it is written; whoever writes into `data` moves it on. */
  length = 0;
  readonly #ends: number[] = [];

  /** Makes room for so many bytes more. */
  reserve(more: number): void {
    if (this.length + more <= this.data.length) return;
    const wider = new Uint8Array(2 * (this.length + more));
    wider.set(this.data.subarray(0, this.length));
    this.data = wider;
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.data.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Writes a text of any characters. */
  text(text: string): void {
    this.bytes(Buffer.from(text, 'utf8'));
  }

  number(number: number): void {
    this.reserve(NUMBER_BYTES);
    this.length = putNumber(this.data, this.length, number);
  }

  /** Puts the cursor somewhere, counted from 1. */
  move(column: number, row: number): void {
    this.reserve(MOVE_BYTES);
    const { data } = this;
    let at = putText(data, this.length, '\u001b[');
    at = putNumber(data, at, row);
    data[at++] = 0x3b;
    at = putNumber(data, at, column);
    data[at++] = 0x48;
    this.length = at;
  }

  /** Moves the cursor to the right by so many cells, at least 1. */
  skip(cells: number): void {
    this.reserve(MOVE_BYTES);
    const { data } = this;
    let at = putText(data, this.length, '\u001b[');
    if (cells > 1) at = putNumber(data, at, cells);
    data[at++] = 0x43;
    this.length = at;
  }

  /** Empties the cells of an area, a part for each row. */
  blank({ column, row, width, height }: Area): void {
    for (let line = 0; line < height; line++) {
      this.move(column, row + line);
      // Not by a sequence that erases: not every terminal has it, or takes the usual ground then.
      this.text(' '.repeat(width));
      this.end();
    }
  }

  /** Ends a part, if there is anything in it. */
  end(): void {
    if (this.length > (this.#ends.at(-1) ?? 0)) this.#ends.push(this.length);
  }

  /** What was written since the last time, which is there until the next byte is written. */
  take(): Parts {
    this.end();
    const parts = { bytes: this.data.subarray(0, this.length), ends: this.#ends.splice(0) };
    this.length = 0;
    return parts;
  }
}
