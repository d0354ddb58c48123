/**
 * Which names look alike. Every name has a key (a skeleton, after Unicode Technical Standard #39),
 * and names that look alike have the same: whatever their case, in whichever of several scripts
 * with the same letters they are written, with or without characters that are not seen.
 *
 * Keys are part of what a log accepts, so each version of this program, on any runtime, must make
 * the same ones. They are therefore made by tables of one version of Unicode (names-data.ts), not
 * by those of the runtime, which change. The one thing asked of the runtime is NFC, which Unicode
 * has promised never to change for characters once assigned: so a key is the same everywhere, and
 * for ever, for a name of which `isStableName` is true.
 */
import { ASSIGNED, KEYS, MARKS } from './names-data.ts';

/** Letters whose dot is drawn once, whether it is written by itself or not. */
const DOTTED = 'lj';
const DOT = '\u0307';

const ASCII = 0x80;

interface Tables {
  /** What a character is in a key, unless it is itself. */
  keys: ReadonlyMap<string, string>;
  /** Parts of keys that belong to the part before them, in no order among themselves. */
  marks: ReadonlySet<string>;
}

// Read when they are first needed: most names are of ASCII, whose part of the table is short.
let ascii: readonly string[] | undefined;
let tables: Tables | undefined;
let bounds: readonly number[] | undefined;

/**
 * The key by which names are told apart: equal for two that look alike or differ in case alone. It
 * has no white space and none of `/ # @ :`, up to 15 times as many characters as the name, and none
 * at all if nothing of the name is seen. Nobody is meant to read it.
 */
export function skeleton(name: string): string {
  ascii ??= readAscii();
  let key = '';
  for (let at = 0; at < name.length; at += 1) {
    const part = ascii[name.charCodeAt(at)];
    if (part === undefined) return skeletonOfAny(name);
    key += part;
  }
  return key;
}

function skeletonOfAny(name: string): string {
  const { keys, marks } = (tables ??= readTables());
  const key: string[] = [];
  /** Where the marks on the last character begin. */
  let base = 0;
  for (const character of name.normalize('NFC'))
    for (const part of keys.get(character) ?? character)
      if (marks.has(part)) addMark(key, base, part);
      else base = key.push(part);
  return key.join('');
}

/** Several marks on one character may be written in any order, and the same one twice is seen once. */
function addMark(key: string[], base: number, mark: string): void {
  if (mark === DOT && base > 0 && DOTTED.includes(key[base - 1] ?? DOT)) return;
  let at = key.length;
  while (at > base && (key[at - 1] ?? '') > mark) at -= 1;
  if (at === base || key[at - 1] !== mark) key.splice(at, 0, mark);
}

/**
 * Whether every character was assigned in the version of Unicode that keys are made by, private
 * use left out: only then is the key, and the folding of case, the same on every runtime.
 */
export function isStableName(name: string): boolean {
  bounds ??= Array.from(readRuns(ASSIGNED), ({ first, end }) => [first, end]).flat();
  for (const character of name)
    if (countUpTo(bounds, character.codePointAt(0) ?? 0) % 2 === 0) return false;
  return true;
}

/** How many of the sorted numbers are not above `limit`. */
function countUpTo(sorted: readonly number[], limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Run {
  /** Code points; `end` is the first that is no more of it. */
  first: number;
  end: number;
  /** What the first of them is in a key, and whether its last code point counts up with them. */
  codes: number[];
  counts: boolean;
}

/** Reads what bin/confusables.mjs wrote; how is told there. */
function* readRuns(written: string): Generator<Run> {
  let end = 0;
  for (const word of written.trim().split(/\s/)) {
    const counts = word.includes('+');
    const [place = '', codes = ''] = word.split(counts ? '+' : '=');
    const [gap = '', count = ''] = place.split('*');
    const first = end + (gap === '' ? 0 : fromBase36(gap));
    end = first + (count === '' ? 1 : fromBase36(count));
    yield { first, end, codes: codes === '' ? [] : codes.split('.').map(fromBase36), counts };
  }
}

function fromBase36(digits: string): number {
  return parseInt(digits, 36);
}

/** Sets, by code point, what each character of a run is in a key. */
function readKeys(run: Run, set: (code: number, part: string) => void): void {
  const codes = [...run.codes];
  const last = codes.length - 1;
  for (let code = run.first; code < run.end; code += 1) {
    set(code, String.fromCodePoint(...codes));
    if (run.counts) codes[last] = (codes[last] ?? 0) + 1;
  }
}

function readAscii(): string[] {
  const parts = Array.from({ length: ASCII }, (_, code) => String.fromCodePoint(code));
  for (const run of readRuns(KEYS)) {
    if (run.first >= ASCII) break;
    readKeys(run, (code, part) => (parts[code] = part));
  }
  return parts;
}

function readTables(): Tables {
  const keys = new Map<string, string>();
  for (const run of readRuns(KEYS))
    readKeys(run, (code, part) => keys.set(String.fromCodePoint(code), part));
  const marks = new Set<string>();
  for (const { first, end } of readRuns(MARKS))
    for (let code = first; code < end; code += 1) marks.add(String.fromCodePoint(code));
  return { keys, marks };
}
