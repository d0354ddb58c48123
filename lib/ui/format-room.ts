/** Texts of rooms: results of commands, and what others do. */
import type { AppEvent, ResultData } from '../app/types.ts';
import { clean } from '../text.ts';
import { span } from './format-admin.ts';
import { author, DIM, paint, record, records, word, type Style } from './style.ts';

/** Members of a room that are drawn each on a line of their own; the rest are counted. */
const MAX_DRAWN = 10;

/** How a tree is drawn: before a branch, before the last one, and before what lies under either. */
const BOX = { branch: '├── ', last: '└── ', under: '│   ', nothing: '    ' } as const;
const ASCII = { branch: '|-- ', last: '`-- ', under: '|   ', nothing: '    ' } as const;

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

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

function roomLine(room: Record<string, unknown>, style: Style): string {
  const { members } = room;
  const people = Array.isArray(members) ? `  ${plural(members.length, 'member')}` : '';
  return `#${word(room['room'])}${people}${marked(room, style)}`;
}

type Standings = ReadonlyMap<string, string>;

function standings(value: unknown): Standings {
  return new Map(
    records(value).map(({ user, group, level }) => [
      typeof user === 'string' ? user : '',
      `${word(group)} ${word(level)}`,
    ]),
  );
}

/** The lines of what lies in a room: its members, and then the rooms in it. */
function drawWithin(
  node: Record<string, unknown>,
  levels: Standings,
  style: Style,
  indent: string,
  lines: string[],
): void {
  const { branch, last, under, nothing } = style.plain ? ASCII : BOX;
  const names = Array.isArray(node['members']) ? (node['members'] as unknown[]) : [];
  const owner = node['owner'];
  const parts: { readonly text: string; readonly room?: Record<string, unknown> }[] = names
    .slice(0, MAX_DRAWN)
    .map((name) => {
      const about = `${name === owner ? 'owner, ' : ''}${levels.get(String(name)) ?? ''}`;
      return { text: `${author(word(name), style)}${paint(`  (${about})`, DIM, style)}` };
    });
  const rest = names.length - MAX_DRAWN;
  if (rest > 0) parts.push({ text: paint(`and ${rest} more`, DIM, style) });
  for (const room of records(node['children']))
    parts.push({ text: `#${word(room['name'])}${marked(room, style)}`, room });
  parts.forEach(({ text, room }, at) => {
    const isLast = at === parts.length - 1;
    lines.push(`${indent}${isLast ? last : branch}${text}`);
    if (room !== undefined)
      drawWithin(room, levels, style, indent + (isLast ? nothing : under), lines);
  });
}

function structureText(data: ResultData, style: Style): string {
  const root = record(data['structure']);
  const lines = [word(root['name'])];
  drawWithin(root, standings(data['levels']), style, '', lines);
  return lines.join('\n');
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

function timeText(data: ResultData): string {
  const { seconds } = data;
  return seconds === undefined ? 'for good' : `for ${span(Number(seconds))}`;
}

/** What becomes of the password of a room out of which somebody was put. */
function retiredText(data: ResultData): string {
  return data['retired'] === true
    ? ` Its password opens it no more: members let others in ("/admit USER"), until "/updateroom ${word(data['room'])} --password" gives it another.`
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
        : `You are in ${room}.`;
    case 'leave':
      return `You have left ${room}.${whereText(data)}`;
    case 'exit':
      if (!isRoomData(data)) return undefined;
      return data['given'] === true
        ? `You have left ${room}, and are no member any more.${whereText(data)}`
        : `You have left ${room}.${whereText(data)}`;
    case 'talk':
      return data['to'] === undefined
        ? `You talk in #${room}.`
        : `You talk to ${word(data['to'])}.`;
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
      const inner = Number(data['removed']) - 1;
      return inner > 0
        ? `The room ${room} is removed, and with it ${plural(inner, 'room')} in it.`
        : `The room ${room} is removed.`;
    }
    case 'kick':
      return isRoomData(data) ? `${user} is put out of ${room}.${retiredText(data)}` : undefined;
    case 'ban':
      return isRoomData(data)
        ? `${user} is banned from ${room} ${timeText(data)}.${retiredText(data)}`
        : undefined;
    case 'unban':
      return isRoomData(data) ? `${user} is no longer banned from ${room}.` : undefined;
    case 'code':
      return isRoomData(data)
        ? `Code for ${room}: ${word(data['code'])} (${plural(Number(data['uses']), 'use')}, for ${span(Number(data['seconds']))}). Whoever has it enters: /enter ${room} --code ${word(data['code'])}`
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
