/** Messages as lines: who said what to whom, what has become of it since, and how far it has got. */
import type { FileView, MessageView, Progress, QuoteView } from '../app/types.ts';
import type { ErrorCode } from '../errors.ts';
import { clean, mentionsOf, sizeText } from '../text.ts';
import { author, BOLD, DIM, note, paint, record, stamp, type Style } from './style.ts';
import { fit } from './width.ts';

/** Lines of one message that are shown; the rest is counted. */
const MAX_SHOWN_LINES = 50;
/** Columns that a mark may take. */
export const MARK_COLUMNS = 9;
/** Columns of a text that is only referred to. */
const QUOTE_COLUMNS = 30;
/** Those who react that are named; more are counted. */
const MAX_NAMED = 3;
/** Different reactions to one message that are shown. */
const MAX_REACTIONS = 12;
/** Digits of an id: enough to tell it from a million others. */
const ID_DIGITS = 8;
/** Words that speak to whoever reads them. */
const TO_YOU = '1;7';
const CYAN = '36';

/** How far a message of one's own has got; short signs, or words with `plain`. */
export function progressMark(progress: Progress, plain: boolean): string {
  const { state, on = 0, of = 0, read = 0 } = progress;
  switch (state) {
    case 'sending':
      return plain ? 'sending' : '…';
    case 'refused':
      return plain ? `refused${progress.code === undefined ? '' : `: ${progress.code}`}` : '✗';
    case 'held':
      // Words stand off from those of the message.
      if (read > 0) return plain ? `read by ${read}` : fit(` read ${read}`, MARK_COLUMNS);
      if (on > 0 && on >= of)
        return plain ? (of === 1 ? 'on the one device' : `on all ${of} devices`) : '✓✓';
      if (on > 0) return plain ? `on ${on} of ${of} devices` : fit(`✓ ${on}/${of}`, MARK_COLUMNS);
      return plain ? 'held by the server' : '✓';
    default:
      return state satisfies never;
  }
}

/** The mark in its colour. */
export function paintedMark(progress: Progress, style: Style): string {
  const mark = progressMark(progress, style.plain);
  const sgr = (progress.read ?? 0) > 0 ? CYAN : DIM;
  return paint(style.plain ? `(${mark})` : mark, sgr, style);
}

/** A line of one's own and how far it has got. */
export function withMark(line: string, progress: Progress, style: Style): string {
  return `${line} ${paintedMark(progress, style)}`;
}

/** Text of others for the screen: further lines are indented, and very many of them left out. */
export function body(text: string, highlight: (line: string) => string = (line) => line): string {
  const lines = clean(text, { multiline: true }).split('\n');
  const shown = lines.slice(0, MAX_SHOWN_LINES).map(highlight);
  if (lines.length > shown.length) shown.push(`(${lines.length - shown.length} more lines)`);
  return shown.join('\n  ');
}

/** Shows where a line speaks to whoever reads it. */
function withMentions(line: string, style: Style): string {
  let out = '';
  let end = 0;
  for (const [from, until] of mentionsOf(line, style.user ?? '')) {
    out += line.slice(end, from) + paint(line.slice(from, until), TO_YOU, style);
    end = until;
  }
  return out + line.slice(end);
}

/** The beginning of a message that is referred to. */
export function quoted({ from, text }: QuoteView): string {
  const said = text === undefined ? '' : fit(clean(text), QUOTE_COLUMNS);
  // What stands in place of a message that was removed has no author.
  if (from === undefined) return said;
  return `${clean(from)}${said === '' ? '' : ` "${said}"`}`;
}

function answer({ reply }: MessageView, style: Style): string {
  if (reply === undefined) return '';
  const about = quoted(reply) || (style.plain ? 'a message' : '…');
  return ` ${paint(`${style.plain ? 'answering' : '↪'} ${about}`, DIM, style)}`;
}

function attached({ name, size, width, height }: FileView): string {
  const pixels = width === undefined || height === undefined ? '' : `, ${width}×${height}`;
  return `[${clean(name)}, ${sizeText(size)}${pixels}]`;
}

/** What has been felt about a message, each with those who feel it. */
export function reactionsText(reactions: MessageView['reactions']): string {
  return (reactions ?? [])
    .slice(0, MAX_REACTIONS)
    .map(({ emoji, users }) => {
      const names = users.slice(0, MAX_NAMED).map((name) => clean(name));
      const more = users.length - names.length;
      return `${clean(emoji)} ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    })
    .join('; ');
}

/** What has become of a message since it was said. */
function since({ edited, reactions }: MessageView, style: Style): string {
  const felt = reactionsText(reactions);
  const facts = [edited === true ? '(edited)' : '', felt === '' ? '' : `[${felt}]`];
  return facts
    .filter((fact) => fact !== '')
    .map((fact) => ` ${paint(fact, DIM, style)}`)
    .join('');
}

/** Who speaks, and where or to whom. */
function head(message: MessageView, style: Style, conversation: string | undefined): string {
  const { from, to, room, mine } = message;
  const arrow = style.plain ? 'to' : '→';
  if (to !== undefined)
    return mine
      ? `${paint('you', BOLD, style)} ${arrow} ${author(to, style)}`
      : `${author(from, style)} ${arrow} ${paint('you', BOLD, style)}`;
  if (room === undefined || conversation === `#${room}`) return author(from, style);
  return `${author(from, style)} ${paint(`#${clean(room)}`, DIM, style)}`;
}

/** The beginning of an id, by which a message can be named. */
export function shortId(id: string, style: Style): string {
  return style.ids === true && id !== ''
    ? `${paint(clean(id).slice(0, ID_DIGITS), DIM, style)} `
    : '';
}

/**
 * One message as a line.
 * @param conversation the current one, whose room need not be named
 */
export function formatMessage(message: MessageView, style: Style, conversation?: string): string {
  const { id, room, file, time } = message;
  const start = `${stamp(time, style)}${shortId(id, style)}`;
  // What was removed has no author any more, and the call of a room is nobody's.
  if (message.removed === true || (message.call !== undefined && message.from === '')) {
    const isElsewhere = room !== undefined && conversation !== `#${room}`;
    const place = isElsewhere ? `#${clean(room)} ` : '';
    return `${start}${paint(`${place}${clean(message.text)}`, DIM, style)}`;
  }
  const isToYou = message.mention === true;
  // Without colours it has to be said.
  const calls = isToYou && !style.colours ? (style.plain ? ' mentions you' : ' @you') : '';
  const highlight = (line: string): string => (isToYou ? withMentions(line, style) : line);
  const said = [
    message.text === '' ? '' : body(message.text, highlight),
    file === undefined ? '' : attached(file),
  ].filter((part) => part !== '');
  const who = `${head(message, style, conversation)}${calls}${answer(message, style)}`;
  return `${start}${who}: ${said.join(' ')}${since(message, style)}`;
}

/** A message of one's own that is not to be seen any more was refused. */
export function formatRefusal(
  said: string,
  { code, text }: { code: ErrorCode; text: string },
  style: Style,
): string {
  return note(`Your message "${fit(clean(said), 20)}" was refused. ${code}: ${clean(text)}`, style);
}

function isMessage(item: unknown): item is MessageView {
  const { from, text, time } = record(item);
  return typeof from === 'string' && typeof text === 'string' && typeof time === 'number';
}

/** Messages of a result, each a line. @param nothing what it says where there are none */
export function formatMessages(value: unknown, style: Style, nothing: string): string {
  const lines = (Array.isArray(value) ? value : []).filter(isMessage).map((message) => {
    const { mine, progress } = message;
    const line = formatMessage(message, style);
    return mine && progress !== undefined ? withMark(line, progress, style) : line;
  });
  return lines.length === 0 ? nothing : lines.join('\n');
}
