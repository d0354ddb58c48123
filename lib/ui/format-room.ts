/** Texts of rooms: results of commands, and what others do. */
import type { AppEvent, ResultData } from '../app/types.ts';
import { clean } from '../text.ts';
import { banText, goodText } from './format-admin.ts';
import { unreadText } from './format-content.ts';
import {
  author,
  DIM,
  figure,
  paint,
  plural,
  record,
  records,
  withDisplay,
  word,
  type Style,
} from './style.ts';

/** Members of a room that are drawn each on a line of their own; the rest are counted. */
const MAX_DRAWN = 10;
/** Lines of members in the whole tree: nobody reads more, and in many rooms only the numbers help. */
const MAX_LINES = 2_000;

/** How a tree is drawn: before a branch, before the last one, and before what lies under either. */
const BOX = { branch: '├── ', last: '└── ', under: '│   ', nothing: '    ' } as const;
const ASCII = { branch: '|-- ', last: '`-- ', under: '|   ', nothing: '    ' } as const;

function isRoomData(data: ResultData): boolean {
  return typeof data['room'] === 'string';
}

/** What a room is, beside its name. */
function marks(room: Record<string, unknown>): string[] {
  const media = word(room['media']);
  const lifetime = word(room['lifetime']);
  return [
    room['password'] === true ? 'password' : room['encrypted'] === true ? 'private' : '',
    media === 'voice' ? 'voice only' : media === 'text' ? 'text only' : '',
    lifetime === 'temporary' ? 'temporary' : '',
    room['live'] === true ? 'live call' : '',
    room['entered'] === true ? 'entered' : room['joined'] === true ? 'joined' : '',
  ].filter((mark) => mark !== '');
}

function marked(room: Record<string, unknown>, style: Style): string {
  const all = marks(room).map((mark) => `[${mark}]`);
  return all.length === 0 ? '' : paint(` ${all.join(' ')}`, DIM, style);
}

function peopleText(members: unknown): string {
  return Array.isArray(members) ? `  ${plural(members.length, 'member')}` : '';
}

function roomLine(room: Record<string, unknown>, style: Style): string {
  const people = peopleText(room['members']);
  const unread = unreadText(room);
  const waiting = unread === '' ? '' : `  ${unread}`;
  return `#${word(room['room'])}${people}${waiting}${marked(room, style)}`;
}

/** How people in a tree are shown: with what they are there, and where they stand. */
class People {
  readonly #standings = new Map<unknown, string>();
  readonly #displays: ReadonlyMap<unknown, unknown>;
  readonly #style: Style;
  /** Most are in several rooms. */
  readonly #texts = new Map<string, string>();

  constructor({ levels, displays }: ResultData, style: Style) {
    for (const { group, level, users } of records(levels)) {
      const standing = `${word(group)} ${word(level)}`;
      if (Array.isArray(users)) for (const user of users) this.#standings.set(user, standing);
    }
    this.#displays = new Map(records(displays).map(({ user, display }) => [user, display]));
    this.#style = style;
  }

  /** Those of lists, which are the same the next time they are shown where they cannot change. */
  static of(data: ResultData, style: Style): People {
    const { levels } = data;
    const isFrozen = typeof levels === 'object' && levels !== null && Object.isFrozen(levels);
    if (!isFrozen) return new People(data, style);
    const before = shown.get(levels);
    if (before !== undefined && before.#style.colours === style.colours) return before;
    const people = new People(data, style);
    shown.set(levels, people);
    return people;
  }

  text(name: unknown, isOwner: boolean): string {
    const user = typeof name === 'string' ? name : '';
    const key = isOwner ? `owner ${user}` : user;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const safe = clean(user);
    const beside = withDisplay(safe, word(this.#displays.get(user))).slice(safe.length);
    const standing = this.#standings.get(user) ?? '';
    const about = paint(`  (${isOwner ? 'owner, ' : ''}${standing})`, DIM, this.#style);
    const text = author(user, this.#style) + beside + about;
    this.#texts.set(key, text);
    return text;
  }
}

const shown = new WeakMap<object, People>();

interface Drawing {
  readonly people: People;
  readonly style: Style;
  /** Members drawn of each room; 0: their number stands beside it. */
  readonly most: number;
}

/** The lines of what lies in a room: its members, and then the rooms in it. */
function drawWithin(
  node: Record<string, unknown>,
  drawing: Drawing,
  indent: string,
  lines: string[],
): void {
  const { people, style, most } = drawing;
  const { branch, last, under, nothing } = style.plain ? ASCII : BOX;
  const names = Array.isArray(node['members']) ? (node['members'] as unknown[]) : [];
  const owner = node['owner'];
  const parts: { readonly text: string; readonly room?: Record<string, unknown> }[] = names
    .slice(0, most)
    .map((name) => ({ text: people.text(name, name === owner) }));
  const rest = names.length - most;
  if (rest > 0 && most > 0) parts.push({ text: paint(`and ${rest} more`, DIM, style) });
  for (const room of records(node['children'])) {
    // Nor is it known who is in a closed one.
    const isCounted = most === 0 && Array.isArray(room['members']) && room['members'].length > 0;
    const count = isCounted ? paint(peopleText(room['members']), DIM, style) : '';
    parts.push({ text: `#${word(room['name'])}${marked(room, style)}${count}`, room });
  }
  parts.forEach(({ text, room }, at) => {
    const isLast = at === parts.length - 1;
    lines.push(`${indent}${isLast ? last : branch}${text}`);
    if (room !== undefined) drawWithin(room, drawing, indent + (isLast ? nothing : under), lines);
  });
}

function structureText(data: ResultData, style: Style): string {
  const root = record(data['structure']);
  const lines = [word(root['name'])];
  const most = Math.min(MAX_DRAWN, Math.floor(MAX_LINES / roomsIn(root)));
  drawWithin(root, { people: People.of(data, style), style, most }, '', lines);
  return lines.join('\n');
}

function roomsIn(node: Record<string, unknown>): number {
  return records(node['children']).reduce((sum, room) => sum + roomsIn(room), 1);
}

/** What somebody who has come into a room should know of it. */
function about(data: ResultData): string {
  const closed = data['encrypted'] === true ? ' Only those who are in it can read it.' : '';
  const brief = data['temporary'] === true ? ' It is gone when its last member disconnects.' : '';
  const open =
    data['passwordless'] === true ? ' It has no password: everybody here can read it.' : '';
  return closed + brief + open;
}

function joinText(data: ResultData): string {
  const room = word(data['room']);
  const what =
    data['created'] === true
      ? `The room ${room} is made, and you are in it.`
      : data['joined'] === true
        ? `You have joined ${room}.`
        : `You are in ${room} already.`;
  return `${what}${about(data)} "/enter ${room}" goes there.`;
}

function whereText(data: ResultData): string {
  return data['now'] === undefined ? '' : ` You are in ${word(data['now'])} now.`;
}

/** What of a conversation is unread that somebody has just come to. */
function waitingText(data: ResultData): string {
  const unread = unreadText(data);
  return unread === '' ? '' : ` ${unread}: "/history" shows what was said.`;
}

/** What becomes of the password of a room out of which somebody was put. */
function retiredText(data: ResultData): string {
  return data['retired'] === true
    ? ` Its password opens it no more: members let others in ("/admit USER"), until "/updateroom ${word(data['room'])} --password NEW-PASSWORD" gives it another.`
    : '';
}

/** The text of a result; undefined for a command of another part. */
export function roomResultText(name: string, data: ResultData, style: Style): string | undefined {
  const room = word(data['room']);
  const user = word(data['user']);
  switch (name) {
    case 'room':
    case 'group':
    case 'createroom':
      return joinText(data);
    case 'enter':
      return data['joined'] === true
        ? `You have joined ${room}, and are there.`
        : `You are in ${room}.${waitingText(data)}`;
    case 'leave':
      if (data['conference'] === true)
        return `You are out of ${room}, and still take part: /leaveconf ${room} leaves the conference.${whereText(data)}`;
      return `You are out of ${room}, and still its member.${whereText(data)}`;
    case 'exit':
      if (!isRoomData(data)) return undefined;
      return data['given'] === true
        ? `You have left ${room}, and are no member any more.${whereText(data)}`
        : `You have left ${room}.${whereText(data)}`;
    case 'talk':
      return data['to'] === undefined
        ? `You talk in #${room}.${waitingText(data)}`
        : `You talk to ${word(data['to'])}.${waitingText(data)}`;
    case 'rooms':
      return records(data['rooms'])
        .map((one) => roomLine(one, style))
        .join('\n');
    case 'structure':
      return structureText(data, style);
    case 'admit':
      return `${user} is in ${room} now.`;
    case 'updateroom':
      return `The room ${room} is changed.`;
    case 'removeroom': {
      if (data['declined'] === true) return 'Nothing was removed.';
      const inner = figure(data['removed']) - 1;
      return inner > 0
        ? `The room ${room} is removed, and with it ${plural(inner, 'room')} in it.`
        : `The room ${room} is removed.`;
    }
    case 'kick':
      return isRoomData(data) ? `${user} is put out of ${room}.${retiredText(data)}` : undefined;
    case 'ban':
      return isRoomData(data)
        ? `${user} is banned from ${room} ${banText(data)}.${retiredText(data)}`
        : undefined;
    case 'unban':
      return isRoomData(data) ? `${user} is no longer banned from ${room}.` : undefined;
    case 'code':
      return isRoomData(data)
        ? `Code for ${room}: ${word(data['code'])} (${goodText(data)}). Whoever has it enters: /enter ${room} --code ${word(data['code'])}`
        : undefined;
    default:
      return undefined;
  }
}

/** The line of an event; undefined for one of another part, or that is not shown. */
export function roomEventText(event: AppEvent, style: Style): string | undefined {
  switch (event.event) {
    case 'room': {
      const room = clean(event.room);
      const by = event.by === undefined ? '' : ` by ${clean(event.by)}`;
      const done = { created: 'is made', updated: 'is changed', removed: 'is removed' }[
        event.state
      ];
      return `The room ${room} ${done}${by}.`;
    }
    case 'servermute': {
      const isMe = event.user === style.user;
      const who = `${isMe ? 'You' : clean(event.user)} ${isMe ? 'are' : 'is'}`;
      const where = event.room === undefined ? 'all calls' : `calls in ${clean(event.room)}`;
      const by = event.by === undefined ? '' : `, by ${clean(event.by)}`;
      return event.suppressed
        ? `${who} silenced for everyone in ${where}${by}.`
        : `${who} silenced no longer in ${where}${by}.`;
    }
    case 'member': {
      const room = clean(event.room);
      const isMe = event.user === style.user;
      const who = isMe ? 'You' : clean(event.user);
      const [are, have] = isMe ? ['are', 'have'] : ['is', 'has'];
      const { state } = event;
      switch (state) {
        case 'joined':
          return `${who} ${are} in ${room} now.`;
        case 'left':
          return `${who} ${have} left ${room}.`;
        case 'removed':
          return `${who} ${are} put out of ${room}.`;
        default:
          return state satisfies never;
      }
    }
    default:
      return undefined;
  }
}
