/**
 * The one place where text from others is made harmless for a terminal, and where names are
 * compared. Nothing a peer wrote is printed without having passed through here.
 */
import { skeleton } from './names.ts';

/** Longest text of a message, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 16 * 1024;

/** C0 and C1 controls and DEL; the escape sequences they begin are removed whole first. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** CSI, OSC, DCS, SOS, PM, APC sequences and two-character escapes, in 7 and 8 bit forms. */
const SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
/** Direction overrides, embeddings, isolates and marks, line and paragraph separators, the BOM. */
const DIRECTION = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** Tags and other characters that draw nothing but may hide text. */
const INVISIBLE = /[\u{e0000}-\u{e007f}\ufff9-\ufffb]/gu;

/** In which nothing is to be changed: most names and many texts, and these are many. */
const PRINTABLE = /^[ -~]*$/;

/**
 * Text safe to print: no control or escape sequences, no direction overrides, well-formed. Tabs
 * become spaces; line feeds stay only with `multiline`, else become spaces.
 */
export function clean(text: string, options: { multiline?: boolean } = {}): string {
  if (PRINTABLE.test(text)) return text;
  const plain = text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(SEQUENCES, '')
    .replace(CONTROLS, '')
    .replace(DIRECTION, '')
    .replace(INVISIBLE, '')
    .replaceAll('\t', ' ');
  return options.multiline === true ? plain : plain.replaceAll('\n', ' ');
}

/** Frozen data in which nothing was to be cleaned. */
const harmless = new WeakSet<object>();

/** Cleans every string inside plain data, keys included. What needs no cleaning is not copied. */
export function cleanAll<T>(value: T): T {
  if (typeof value === 'string') return clean(value, { multiline: true }) as T;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (harmless.has(value)) return value;
  const cleaned: object = Array.isArray(value) ? cleanItems(value) : cleanFields(value);
  if (cleaned === value && Object.isFrozen(value) && isDeepFrozen(value)) harmless.add(value);
  return cleaned as T;
}

function cleanItems(items: readonly unknown[]): readonly unknown[] {
  let cleaned: unknown[] | undefined;
  for (let at = 0; at < items.length; at++) {
    const item = cleanAll(items[at]);
    if (item !== items[at]) (cleaned ??= [...items])[at] = item;
  }
  return cleaned ?? items;
}

function cleanFields(fields: object): object {
  const record = fields as Readonly<Record<string, unknown>>;
  const keys = Object.keys(record);
  let cleaned: [key: string, item: unknown][] | undefined;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!;
    const name = clean(key);
    const item = cleanAll(record[key]);
    if (cleaned === undefined && name === key && item === record[key]) continue;
    cleaned ??= keys.slice(0, at).map((one) => [one, record[one]]);
    cleaned.push([name, item]);
  }
  return cleaned === undefined ? fields : Object.fromEntries(cleaned);
}

/** Whether nothing inside of frozen data can change either. */
function isDeepFrozen(value: object): boolean {
  return Object.values(value).every(
    (item) => typeof item !== 'object' || item === null || harmless.has(item as object),
  );
}

const NAME = /^[^\s@#/:\p{C}\p{Zl}\p{Zp}]+$/u;

/** Whether a name of a user, room or server has the allowed form (SPEC: 1–32 printable characters). */
export function isName(name: string): boolean {
  const length = [...name].length;
  return (
    length >= 1 &&
    length <= 32 &&
    NAME.test(name) &&
    clean(name) === name &&
    name === name.normalize('NFC')
  );
}

/** What a name is compared by: NFC and full case folding, as far as JavaScript has it. */
export function fold(name: string): string {
  if (PRINTABLE.test(name)) return name.toLowerCase();
  // Lower first: the capital sharp s is its own upper case, and the small one has another.
  return name.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

/**
 * Where a text speaks to somebody as `@name`, in any case: from the sign to the end of the name, in
 * UTF-16 units. A name within a longer word is another one.
 */
export function mentionsOf(text: string, name: string): [from: number, until: number][] {
  if (name === '' || !text.includes('@')) return [];
  const written = name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const pattern = `(?<![\\p{L}\\p{M}\\p{N}_])@${written}(?![\\p{L}\\p{M}\\p{N}_]|[.-][\\p{L}\\p{N}])`;
  return [...text.matchAll(new RegExp(pattern, 'giu'))].map((match) => [
    match.index,
    match.index + match[0].length,
  ]);
}

/** Words that stand for somebody or something else wherever a name is read. */
const TAKEN = '* all everybody everyone lobby me nobody server system you'.split(' ');

/**
 * Why a name cannot be taken by a new account or room, though one that has it keeps it; undefined
 * for one that is free to be taken.
 */
export function whyNotFree(name: string): string | undefined {
  const look = skeleton(name);
  if (TAKEN.some((word) => skeleton(word) === look))
    return `"${name}" would be taken for something else; take another name.`;
  if (name.startsWith('-'))
    return 'A name may not begin with "-", which would be read as an option.';
  if (/["'`\p{Pi}\p{Pf}\u201a\u201e]/u.test(name)) return 'A name may not contain quotes.';
  return undefined;
}

/** The candidate that a mistyped word may have been meant to be. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  if (typed === '' || typed.length > 32) return undefined;
  let best: string | undefined;
  let bestDistance = typed.length <= 3 ? 1.5 : 2.5;
  for (const candidate of candidates) {
    const begun = typed.length >= 2 && candidate.toLowerCase().startsWith(typed);
    const distance = begun ? 1 : editDistance(typed, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours between two short words. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A number of bytes as people read it. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // No number has more than three digits before the point.
  while (value >= (unit === 0 ? 1_024 : 999.5) && unit < UNITS.length - 1) {
    value /= 1_024;
    unit++;
  }
  if (bytes === 1) return '1 byte';
  const tenths = value >= 99.95 ? Math.round(value) : Math.round(10 * value) / 10;
  return `${tenths} ${UNITS[unit]}`;
}
