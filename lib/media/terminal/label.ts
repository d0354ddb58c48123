/** What stands below a participant's picture, and in its place where there is none. */
import { clean } from '../../text.ts';
import type { Area } from './area.ts';
import type { Bytes } from './bytes.ts';
import type { GraphicsMode } from './renderer.ts';

export interface Label {
  readonly name: string;
  readonly isTalking?: boolean;
  /** Their microphone is off. */
  readonly isMuted?: boolean;
  /** Somebody has silenced them for all. */
  readonly isSuppressed?: boolean;
  /** They share a screen. */
  readonly isLive?: boolean;
  /** Whether there are pictures of them; without, their initial stands there. */
  readonly hasCamera: boolean;
  /** Whether they can be reached at present. */
  readonly isConnected: boolean;
}

/** What a terminal makes of text: handed in, so that all of the screen has the same. */
export interface Measure {
  /** Columns of a text without control sequences. */
  width(text: string): number;
  /** The text, cut so that it fits in so many columns. */
  fit(text: string, columns: number): string;
}

/** Columns of a name that are kept before any mark is. */
const LEAST_NAME = 6;

const BRIGHT_ON_DARK = '\u001b[48;5;236;38;5;252m';
const BOLD_GREEN = '\u001b[1;32m';
const PLAIN = '\u001b[0m';

export function sameLabel(one: Label, other: Label): boolean {
  return marksOf(one).join() === marksOf(other).join() && nameOf(one) === nameOf(other);
}

/** The name as it is shown: with a sign before it while they talk, for those too who see no colours. */
function nameOf(label: Label): string {
  return (label.isTalking === true ? '* ' : '') + clean(label.name);
}

/** What there is to say, the most important first. */
function marksOf(label: Label): string[] {
  const marks = [
    label.isConnected ? '' : 'no connection',
    label.isSuppressed === true ? 'suppressed' : '',
    label.isMuted === true ? 'muted' : '',
    label.isLive === true ? 'live' : '',
    label.hasCamera ? '' : 'no camera',
  ];
  return marks.filter((mark) => mark !== '');
}

/**
 * The row of a label: the name, and to the right as many of its marks as there is room for.
 * @returns a text of exactly so many columns
 */
export function labelText(label: Label, columns: number, measure: Measure): string {
  const name = nameOf(label);
  const shown: string[] = [];
  let room = columns - Math.min(measure.width(name), LEAST_NAME);
  for (const mark of marksOf(label)) {
    if (measure.width(mark) + 1 > room) break;
    shown.push(mark);
    room -= measure.width(mark) + 1;
  }
  const marks = shown.map((mark) => ` ${mark}`).join('');
  const left = measure.fit(name, columns - measure.width(marks));
  const spaces = columns - measure.width(left) - measure.width(marks);
  return left + ' '.repeat(Math.max(0, spaces)) + marks;
}

/** Writes the row of a label, as one part. */
export function putLabel(
  bytes: Bytes,
  place: Area,
  label: Label,
  mode: GraphicsMode,
  measure: Measure,
): void {
  bytes.move(place.column, place.row);
  const text = labelText(label, place.width, measure);
  const isBright = label.isTalking === true && mode !== 'ascii';
  bytes.text(isBright ? BOLD_GREEN + text + PLAIN : text);
  bytes.end();
}

/** Writes what stands in place of a picture: the initial in the middle, on a plain ground. */
export function putPlaceholder(
  bytes: Bytes,
  { column, row, width, height }: Area,
  label: Label,
  mode: GraphicsMode,
  measure: Measure,
): void {
  const initial = initialOf(label, measure);
  const before = Math.max(0, (width - measure.width(initial)) >> 1);
  const after = Math.max(0, width - before - measure.width(initial));
  for (let line = 0; line < height; line++) {
    bytes.move(column, row + line);
    if (mode !== 'ascii') bytes.text(BRIGHT_ON_DARK);
    const isMiddle = line === (height - 1) >> 1;
    bytes.text(isMiddle ? ' '.repeat(before) + initial + ' '.repeat(after) : ' '.repeat(width));
    if (mode !== 'ascii') bytes.text(PLAIN);
    bytes.end();
  }
}

function initialOf({ name }: Label, measure: Measure): string {
  const [first] = new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(clean(name));
  const initial = first?.segment.toUpperCase() ?? '';
  // Some letters become two: ß, ŉ.
  return measure.width(initial) <= 2 ? initial : (first?.segment ?? '');
}
