/**
 * What the texts for people are made of: colours, times, names, and the values in results. All that
 * others wrote is made harmless by whoever puts it into a text (`clean`), and so are these.
 */
import { clean, fold } from '../text.ts';

export interface Style {
  readonly colours: boolean;
  /** Words in place of signs. */
  readonly plain: boolean;
  /** The time before each line. */
  readonly time: boolean;
  /** The beginning of its id before each message. */
  readonly ids?: boolean;
  /** Who reads it: words that speak to them stand out. */
  readonly user?: string | undefined;
  /** Wall time in milliseconds: a message of another day shows its date. */
  now(): number;
}

/** How results read in the machine mode, and wherever nothing is known of a terminal. */
export const BARE: Style = { colours: false, plain: true, time: true, now: () => Date.now() };

/** Colours that can be told apart on a dark and on a light background, as SGR parameters. */
const PALETTE = ['31', '32', '33', '34', '35', '36', '91', '92', '94', '95', '96'] as const;
export const DIM = '2';
export const BOLD = '1';
export const RED = '31';

export function paint(text: string, sgr: string, style: Pick<Style, 'colours'>): string {
  return style.colours && text !== '' ? `\u001b[${sgr}m${text}\u001b[0m` : text;
}

/** The same name has the same colour everywhere. */
export function authorColour(name: string): string {
  let hash = 5381;
  for (const character of fold(name)) hash = (hash * 33 + (character.codePointAt(0) ?? 0)) >>> 0;
  return PALETTE[hash % PALETTE.length] ?? PALETTE[0];
}

export function author(name: string, style: Style): string {
  const safe = clean(name);
  return style.colours ? paint(safe, authorColour(safe), style) : safe;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** Local time as `HH:MM`, with the date when it is not today's. A time that is none gives dashes. */
export function clock(time: number, style: Style): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '--:--';
  const today = new Date(style.now());
  const hour = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === today.toDateString()) return hour;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${hour}`;
}

/** The time before a line, where it is wanted. */
export function stamp(time: number, style: Style): string {
  return style.time ? `${paint(clock(time, style), DIM, style)} ` : '';
}

/** A line of the program's own among those of people. @param time of what it tells, unless it is of now */
export function note(text: string, style: Style, time = style.now()): string {
  return `${stamp(time, style)}${paint(`* ${text}`, DIM, style)}`;
}

// Values in the data of results, whatever their shapes are.

export function word(value: unknown): string {
  if (typeof value === 'string') return clean(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** How lists show somebody: by the name that is theirs alone, and what they are called beside it. */
export function withDisplay(name: string, display = ''): string {
  return display === '' || display === name ? name : `${name} (${display})`;
}

/** How a list shows those in it; `displays` are those who are called something beside their names. */
export function inList(displays: unknown): (name: string) => string {
  const shown = new Map(records(displays).map((one) => [word(one['user']), word(one['display'])]));
  return (name) => withDisplay(name, shown.get(name));
}

/** A number; NaN for whatever is none. */
export function figure(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}

/** So many of something. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function words(value: unknown): string[] {
  return Array.isArray(value) ? value.map(word) : [];
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function records(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (item): item is Record<string, unknown> => typeof item === 'object' && item !== null,
  );
}
