/**
 * The text of results, events and errors for people. Everything that others wrote passes through
 * `clean` here, and nowhere else on the way to the screen.
 */
import type { AppEvent, MessageView, Progress, ResultData, ServerView } from '../app/types.ts';
import { ClchatError, codeOf, textOf, type ErrorCode } from '../errors.ts';
import { contactEventText, contactResultText } from './format-contacts.ts';
import { clean, fold } from '../text.ts';
import { fit } from './width.ts';

export interface Style {
  readonly colours: boolean;
  /** Words in place of signs. */
  readonly plain: boolean;
  /** The time before each line. */
  readonly time: boolean;
  /** Wall time in milliseconds: a message of another day shows its date. */
  now(): number;
}

/** How results read in the machine mode, and wherever nothing is known of a terminal. */
export const BARE: Style = { colours: false, plain: true, time: true, now: () => Date.now() };

/** Lines of one message that are shown; the rest is counted. */
const MAX_SHOWN_LINES = 50;

/** Columns that a mark may take. */
export const MARK_COLUMNS = 8;

/** How far a message of one's own has got; short signs, or words with `plain`. */
export function progressMark(progress: Progress, plain: boolean): string {
  const { state, on = 0, of = 0 } = progress;
  switch (state) {
    case 'sending':
      return plain ? 'sending' : '…';
    case 'refused':
      return plain ? `refused${progress.code === undefined ? '' : `: ${progress.code}`}` : '✗';
    case 'held':
      if (on > 0 && on >= of)
        return plain ? (of === 1 ? 'on the one device' : `on all ${of} devices`) : '✓✓';
      if (on > 0) return plain ? `on ${on} of ${of} devices` : fit(`✓ ${on}/${of}`, MARK_COLUMNS);
      return plain ? 'held by the server' : '✓';
    default:
      return state satisfies never;
  }
}

/** Colours that can be told apart on a dark and on a light background, as SGR parameters. */
const PALETTE = ['31', '32', '33', '34', '35', '36', '91', '92', '94', '95', '96'] as const;
const DIM = '2';
const BOLD = '1';
const RED = '31';

export function paint(text: string, sgr: string, style: Pick<Style, 'colours'>): string {
  return style.colours && text !== '' ? `\u001b[${sgr}m${text}\u001b[0m` : text;
}

/** The same name has the same colour everywhere. */
export function authorColour(name: string): string {
  let hash = 5381;
  for (const character of fold(name)) hash = (hash * 33 + (character.codePointAt(0) ?? 0)) >>> 0;
  return PALETTE[hash % PALETTE.length] ?? PALETTE[0];
}

function author(name: string, style: Style): string {
  const safe = clean(name);
  return paint(safe, authorColour(safe), style);
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

function stamp(time: number, style: Style): string {
  return style.time ? `${paint(clock(time, style), DIM, style)} ` : '';
}

/** Text of others for the screen: further lines are indented, and very many of them left out. */
function body(text: string): string {
  const lines = clean(text, { multiline: true }).split('\n');
  const shown = lines.slice(0, MAX_SHOWN_LINES);
  if (lines.length > shown.length) shown.push(`(${lines.length - shown.length} more lines)`);
  return shown.join('\n  ');
}

/**
 * One message as a line.
 * @param conversation the current one, whose room need not be named
 */
export function formatMessage(message: MessageView, style: Style, conversation?: string): string {
  const { from, to, room, mine } = message;
  const arrow = style.plain ? 'to' : '→';
  let head: string;
  if (to !== undefined)
    head = mine
      ? `${paint('you', BOLD, style)} ${arrow} ${author(to, style)}`
      : `${author(from, style)} ${arrow} ${paint('you', BOLD, style)}`;
  else if (room === undefined || conversation === `#${room}`) head = author(from, style);
  else head = `${author(from, style)} ${paint(`#${clean(room)}`, DIM, style)}`;
  return `${stamp(message.time, style)}${head}: ${body(message.text)}`;
}

/** A message of one's own that is not to be seen any more was refused. */
export function formatRefusal(
  said: string,
  { code, text }: { code: ErrorCode; text: string },
  style: Style,
): string {
  return note(`Your message "${fit(clean(said), 20)}" was refused. ${code}: ${clean(text)}`, style);
}

function note(text: string, style: Style): string {
  return `${stamp(style.now(), style)}${paint(`* ${text}`, DIM, style)}`;
}

/** Why somebody was logged out, by the reason that the server or this device gives. */
const LOGOUT = new Map([
  ['logout', 'You are logged out.'],
  ['timeout', 'You are logged out, since nothing was done for too long.'],
  ['revoked', 'This device has been revoked, and is logged out.'],
  ['unknown device', 'The server does not know this device; you are logged out.'],
]);

/** The line of an event; undefined for one that changes something shown already. */
export function formatEvent(
  event: AppEvent,
  style: Style,
  conversation?: string,
): string | undefined {
  switch (event.event) {
    case 'message':
      return formatMessage(event, style, conversation);
    case 'broadcast':
      return `${stamp(event.time, style)}${author(event.from, style)} to everybody: ${body(event.text)}`;
    case 'presence':
      return note(`${clean(event.user)} is ${event.online ? 'online' : 'offline'}`, style);
    case 'receipt':
      return undefined;
    case 'refused':
      return paint(`A message was refused. ${event.code}: ${clean(event.text)}`, RED, style);
    case 'request':
    case 'contact':
    case 'unfriend':
      return note(contactEventText(event), style);
    case 'server':
      return note(
        event.connected
          ? `The server ${clean(event.name)} is back.`
          : `The server ${clean(event.name)} is away. What you write is kept and sent when it is back.`,
        style,
      );
    case 'locked':
      return note(
        `${clean(event.user)} is locked for ${event.seconds} seconds after three wrong passwords.`,
        style,
      );
    case 'login':
      return note(`You are logged in as ${clean(event.user)}.`, style);
    case 'logout':
      return note(LOGOUT.get(event.reason) ?? `You are logged out: ${clean(event.reason)}`, style);
    case 'notice':
      return note((event.code === undefined ? '' : `${event.code}: `) + clean(event.text), style);
    default:
      return event satisfies never;
  }
}

/** How others get to the server of this process. */
export function formatServer({ name, addresses }: ServerView): string {
  const reachable = addresses.filter((address) => !/^(127\.|\[::1\])/.test(address));
  const list = (reachable.length > 0 ? reachable : addresses).map((address) => clean(address));
  const [first] = list;
  const elsewhere = reachable.length === 0 ? 'machine' : 'network';
  return [
    `The server "${clean(name)}" listens on ${list.join(', ')}.`,
    `Others on this ${elsewhere} join with:  clchat -lc`,
    `Where that finds nothing, with:    clchat -lc --connect ${first ?? ''}`,
  ].join('\n');
}

/** `CODE: text`, safe to print. */
export function formatError(error: unknown, style: Pick<Style, 'colours'> = BARE): string {
  return paint(`${codeOf(error)}: ${errorText(error)}`, RED, style);
}

/** The text of an error alone. What is not ours may name paths or worse: only its code is told. */
export function errorText(error: unknown): string {
  if (error instanceof ClchatError) return clean(error.message, { multiline: true });
  return textOf('INTERNAL');
}

function word(value: unknown): string {
  if (typeof value === 'string') return clean(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.map(word) : [];
}

function records(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (item): item is Record<string, unknown> => typeof item === 'object' && item !== null,
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A span of time in its largest whole unit. */
function span(seconds: number): string {
  const [unit, size] =
    UNITS.find(([, length]) => seconds >= 2 * length && seconds % length === 0) ?? SECOND;
  return `${seconds / size} ${unit}${seconds === size ? '' : 's'}`;
}

const SECOND = ['second', 1] as const;
const UNITS = [['hour', 3_600], ['minute', 60], SECOND] as const;

/** A line of one's own and how far it has got. */
export function withMark(line: string, progress: Progress, style: Style): string {
  const mark = progressMark(progress, style.plain);
  return `${line} ${paint(style.plain ? `(${mark})` : mark, DIM, style)}`;
}

function isMessage(item: unknown): item is MessageView {
  const { from, text, time } = record(item);
  return typeof from === 'string' && typeof text === 'string' && typeof time === 'number';
}

function messages(value: unknown, style: Style, nothing: string): string {
  const lines = (Array.isArray(value) ? value : []).filter(isMessage).map((message) => {
    const { mine, progress } = message;
    const line = formatMessage(message, style);
    return mine && progress !== undefined ? withMark(line, progress, style) : line;
  });
  return lines.length === 0 ? nothing : lines.join('\n');
}

function serverLine(value: unknown): string {
  const server = record(value);
  const addresses = words(server['addresses']);
  const away = server['connected'] === false ? ', away' : '';
  return `${word(server['name'])}${addresses.length > 0 ? ` at ${addresses.join(', ')}` : ''}${away}`;
}

function devices(value: unknown, style: Style): string {
  const lines = records(value).map((device) => {
    const facts = [
      device['current'] === true ? 'this one' : '',
      device['online'] === true ? 'online' : 'offline',
      `added ${clock(Number(device['added']), style)}`,
    ].filter((fact) => fact !== '');
    return `${word(device['id'])}  ${word(device['label'])}  (${facts.join(', ')})`;
  });
  return lines.length === 0 ? 'No devices.' : lines.join('\n');
}

/** What a command's result says to a person. Shapes that are not known read as done. */
export function formatResult(name: string, data: ResultData, style: Style): string {
  const user = word(data['user']);
  const ofContacts = contactResultText(name, data);
  if (ofContacts !== undefined) return ofContacts;
  switch (name) {
    case 'say':
    case 'message':
      return data['state'] === 'queued'
        ? 'The server is away: it is kept here and sent when the server is back.'
        : 'The server has it.';
    case 'broadcast': {
      const reached = words(data['reached']);
      const missed = words(data['missed']);
      const text =
        reached.length === 0 ? 'It reached nobody.' : `It reached ${reached.join(', ')}.`;
      return missed.length === 0 ? text : `${text} Not reached: ${missed.join(', ')}.`;
    }
    case 'whoelse':
    case 'whoelsesince':
      return words(data['users']).join('\n') || 'Nobody else.';
    case 'block':
      return `${user} is blocked.`;
    case 'unblock':
      return `${user} is no longer blocked.`;
    case 'history':
      return messages(data['messages'], style, `No messages in ${word(data['conversation'])} yet.`);
    case 'search':
      return messages(data['messages'], style, 'Nothing found.');
    case 'devices':
      return devices(data['devices'], style);
    case 'revoke':
      return `The device ${word(data['device'])} is revoked.`;
    case 'passwd':
      return 'The password is changed.';
    case 'resetpasswd':
      return [
        `Code for ${user}: ${word(data['code'])} (good once, for ${span(Number(data['seconds']))}).`,
        `${user} starts with: clchat -lc --user ${user} --code ${word(data['code'])}`,
        `or, in a program that runs: /login ${user} --code ${word(data['code'])}`,
        `and is asked for a new password.`,
        word(data['note']),
      ]
        .filter((line) => line !== '')
        .join('\n');
    case 'user':
    case 'login':
      if (data['declined'] === true) return 'Nothing was made.';
      return data['created'] === true
        ? `The account ${user} is made, and you are logged in.`
        : `You are logged in as ${user}.`;
    case 'logout':
      return `${user} is logged out. "login NAME" logs in again.`;
    case 'server':
      return `The server runs: ${serverLine(data['server'])}${user === '' ? '' : `. You are its administrator ${user}`}.`;
    case 'connect':
      return record(data['server'])['connected'] === false
        ? `${word(record(data['server'])['name'])} is not there. Whoever has been logged in to it from here can log in and read.`
        : `Connected to ${serverLine(data['server'])}.`;
    case 'backup':
      return `The backup is written to ${word(data['file'])} (${word(data['bytes'])} bytes).`;
    case 'restore':
      return `Restored to ${word(data['directory'])}.`;
    case 'self':
      return [
        user === '' ? 'You are not logged in.' : `User: ${user}`,
        data['group'] === undefined ? '' : `Group: ${word(data['group'])}`,
        data['device'] === undefined ? '' : `Device: ${word(data['device'])}`,
        data['server'] === undefined ? '' : `Server: ${serverLine(data['server'])}`,
      ]
        .filter((line) => line !== '')
        .join('\n');
    case 'settings':
      return Object.entries(record(data['settings']))
        .map(([setting, value]) => `${clean(setting)} ${value === true ? 'on' : 'off'}`)
        .join('\n');
    case 'help':
      return typeof data['help'] === 'string' ? data['help'] : '';
    case 'mode':
      return `${word(data['mode'])} mode`;
    case 'clear':
    case 'quit':
    case 'exit':
      return '';
    default:
      return 'Done.';
  }
}
