/**
 * The rows of the script: who types what, what that gives, and who is told of it. A scene is a table
 * of them, played from the top.
 */
import { isDeepStrictEqual } from 'node:util';

/**
 * What some JSON has to look like: objects may have more fields than are named here, arrays are as
 * long as they are here, a RegExp is for the text of a value, and `undefined` for what is not there.
 * `{name}` in a text stands for what was kept under that name.
 */
export type Shape = unknown;

/**
 * What a line gives: a shape of its data; a RegExp for its text; or the code of its refusal, and after
 * a space a part of the text of that.
 */
export type Gives = string | RegExp | OneWins | Readonly<Record<string, Shape>>;

/** An event, and of what shape; with `!` before its name: there is none until the scene is over. */
export type Told = readonly [who: string, event: string, shape?: Readonly<Record<string, Shape>>];

/**
 * Several, with spaces between their names, type it at the same moment. A line that begins with `$ ` is
 * not for the program, but for the host that it runs on; see `Stage`.
 */
export type Row = readonly [who: string, line: string, gives?: Gives, ...told: Told[]];

export interface Scene {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Of several who type the same at the same moment one gets what they want, and the others this code. */
export class OneWins {
  readonly code: string;

  constructor(code: string) {
    this.code = code;
  }
}

/** Any value, which is kept for later rows; of a text only the part that a pattern finds, if one is given. */
export class Keep {
  readonly name: string;
  readonly pattern: RegExp | undefined;

  constructor(name: string, pattern: RegExp | undefined) {
    this.name = name;
    this.pattern = pattern;
  }
}

/** A number from here on, or (`below`) one that is less. */
export class From {
  readonly number: number;
  readonly below: boolean;

  constructor(number: number, below = false) {
    this.number = number;
    this.below = below;
  }
}

/** An array that has such an element, or (`none`) has none. */
export class Some {
  readonly shape: Shape;
  readonly none: boolean;

  constructor(shape: Shape, none = false) {
    this.shape = shape;
    this.none = none;
  }
}

export const oneWins = (code: string): OneWins => new OneWins(code);
export const keep = (name: string, pattern?: RegExp): Keep => new Keep(name, pattern);
export const from = (number: number): From => new From(number);
export const below = (number: number): From => new From(number, true);
export const some = (shape: Shape): Some => new Some(shape);
export const none = (shape: Shape): Some => new Some(shape, true);

/** What was kept, by name. */
export class Kept {
  readonly #values = new Map<string, unknown>();

  set(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  /** A text with what was kept in the place of each `{name}`. */
  fill(text: string): string {
    return text.replace(/\{(\w+)\}/g, (_whole, name: string) => {
      if (!this.#values.has(name)) throw new Error(`nothing is kept as "${name}"`);
      return String(this.#values.get(name));
    });
  }
}

/** Whether a value is of a shape; if it is, what is to be kept of it is kept. */
export function fits(value: unknown, shape: Shape, kept: Kept): boolean {
  if (shape instanceof Keep) {
    const { name, pattern } = shape;
    const part = pattern === undefined ? value : pattern.exec(String(value))?.[0];
    if (part === undefined) return false;
    kept.set(name, part);
    return true;
  }
  if (shape instanceof From)
    return typeof value === 'number' && value >= shape.number !== shape.below;
  if (shape instanceof RegExp) return typeof value === 'string' && shape.test(value);
  if (shape instanceof Some)
    return Array.isArray(value) && value.some((one) => fits(one, shape.shape, kept)) !== shape.none;
  if (typeof shape === 'string') return value === kept.fill(shape);
  if (Array.isArray(shape))
    return (
      Array.isArray(value) &&
      value.length === shape.length &&
      shape.every((one, index) => fits(value[index], one, kept))
    );
  if (typeof shape !== 'object' || shape === null) return isDeepStrictEqual(value, shape);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(shape).every(([key, one]) =>
    fits((value as Record<string, unknown>)[key], one, kept),
  );
}

/** A shape for people, in one line. */
export function shown(shape: Shape): string {
  const text = JSON.stringify(shape, (_key, value: unknown) => {
    if (value instanceof RegExp) return String(value);
    if (value instanceof Keep) return `(kept as ${value.name})`;
    if (value instanceof From) return `(${value.below ? 'below' : 'from'} ${value.number})`;
    if (value instanceof Some) return { [value.none ? 'none' : 'some']: value.shape };
    return value === undefined ? '(absent)' : value;
  });
  return text ?? String(shape);
}
