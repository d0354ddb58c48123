/**
 * The text of results, events and errors for people. Everything that others wrote passes through
 * `clean` here, and nowhere else on the way to the screen.
 */
import type { AppEvent, ResultData } from '../app/types.ts';
import { ClchatError, codeOf, textOf } from '../errors.ts';
import { adminEventText, adminResultText } from './format-admin.ts';
import { callEventText, callResultText } from './format-call.ts';
import { conferenceEventText, conferenceResultText } from './format-conference.ts';
import { contactEventText, contactResultText } from './format-contacts.ts';
import { contentEventText, contentResultText, done } from './format-content.ts';
import { fileResultText } from './format-file.ts';
import { body, formatMessage, formatMessages } from './format-message.ts';
import { movingResultText } from './format-moving.ts';
import { mappingText } from './format-network.ts';
import { privateEventText, privateResultText } from './format-private.ts';
import { roomEventText, roomResultText } from './format-room.ts';
import {
  author,
  BARE,
  clock,
  figure,
  inList,
  note,
  paint,
  record,
  records,
  RED,
  stamp,
  withDisplay,
  word,
  words,
  type Style,
} from './style.ts';
import { clean, sizeText } from '../text.ts';

export { BARE, type Style };

function noteOf(text: string | undefined, style: Style): string | undefined {
  return text === undefined ? undefined : note(text, style);
}

/** Why somebody was logged out, by the reason that the server or this device gives. */
const LOGOUT = new Map([
  ['logout', 'You are logged out.'],
  ['timeout', 'You are logged out, since nothing was done for too long.'],
  ['revoked', 'This device has been revoked, and is logged out.'],
  ['removed', 'Your account has been removed from this server.'],
  ['banned', 'You have been banned from this server.'],
  ['kicked', 'You have been logged out by an administrator. "login NAME" comes back.'],
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
    case 'attachment':
      return undefined;
    case 'refused':
      return paint(`A message was refused. ${event.code}: ${clean(event.text)}`, RED, style);
    case 'request':
    case 'contact':
    case 'unfriend':
      return note(contactEventText(event), style);
    case 'room':
    case 'member':
    case 'servermute':
      return noteOf(roomEventText(event, style), style);
    case 'conference':
      return noteOf(conferenceEventText(event, style), style);
    case 'ring':
    case 'call':
    case 'talking':
    case 'chatdev':
    case 'golive':
    case 'recording':
      return noteOf(callEventText(event), style);
    case 'code':
    case 'group':
      return noteOf(adminEventText(event, style), style);
    case 'edited':
    case 'removed':
    case 'reacted':
    case 'typing':
    case 'unread':
      return noteOf(contentEventText(event, style, conversation), style);
    case 'missed-call':
      return note(`You have missed a call from ${clean(event.user)}.`, style, event.time);
    case 'private-request':
    case 'private-open':
    case 'private-away':
    case 'private-message':
    case 'private-closed':
    case 'path':
      return privateEventText(event, style);
    case 'server':
      return note(
        event.connected
          ? `The server ${clean(event.name)} is back.`
          : `The server ${clean(event.name)} is away. What you write is kept and sent when it is back.`,
        style,
      );
    case 'mapping':
      return note(mappingText(event), style);
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

/** How others come to a server of this process. */
function waysIn({ external, invite }: Record<string, unknown>): string[] {
  return [
    external === undefined ? '' : `From the internet: ${word(external)}`,
    invite === undefined ? '' : `Invite link: ${word(invite)}`,
  ];
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
      `added ${clock(figure(device['added']), style)}`,
    ].filter((fact) => fact !== '');
    return `${word(device['id'])}  ${word(device['label'])}  (${facts.join(', ')})`;
  });
  return lines.length === 0 ? 'No devices.' : lines.join('\n');
}

function settingsText(data: ResultData): string {
  const values = Object.entries(record(data['settings'])).map(
    ([setting, value]) =>
      `${clean(setting)} ${typeof value === 'string' ? clean(value) : value === true ? 'on' : 'off'}`,
  );
  const devices = records(data['devices']).map((device) => {
    const isUsual = device['isDefault'] === true ? '  (the usual one)' : '';
    return `  ${word(device['id'])}  ${word(device['label'])}${isUsual}`;
  });
  return [...values, ...devices, ...words(data['problems'])].join('\n');
}

/** Texts of results that have a file of their own. */
const PARTS = [
  roomResultText,
  callResultText,
  conferenceResultText,
  contentResultText,
  fileResultText,
  movingResultText,
  privateResultText,
  adminResultText,
];

/** What a command's result says to a person. Shapes that are not known read as done. */
export function formatResult(name: string, data: ResultData, style: Style): string {
  const user = word(data['user']);
  const ofPart =
    contactResultText(name, data) ??
    PARTS.reduce<string | undefined>((text, part) => text ?? part(name, data, style), undefined);
  if (ofPart !== undefined) return ofPart;
  switch (name) {
    case 'say':
    case 'message':
    case 'reply':
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
      return words(data['users']).map(inList(data['displays'])).join('\n') || 'Nobody else.';
    case 'block':
      return done(`${user} is blocked.`, data);
    case 'unblock':
      return done(`${user} is no longer blocked.`, data);
    case 'history':
      return formatMessages(
        data['messages'],
        style,
        `No messages in ${word(data['conversation'])} yet.`,
      );
    case 'search':
      return [
        formatMessages(data['messages'], style, 'Nothing found.'),
        ...(data['complete'] === false
          ? ['Not everything has been looked through yet: try again in a while.']
          : []),
      ].join('\n');
    case 'devices':
      return devices(data['devices'], style);
    case 'revoke':
      return `The device ${word(data['device'])} is revoked.`;
    case 'passwd':
      return 'The password is changed.';
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
        : `Connected to ${serverLine(data['server'])}. "login NAME" comes next, or "user NAME" for a new account.`;
    case 'backup':
      return `The backup is written to ${word(data['file'])} (${sizeText(figure(data['bytes']))}).`;
    case 'restore':
      return `Restored to ${word(data['directory'])}.`;
    case 'self':
      return [
        user === '' ? 'You are not logged in.' : `User: ${user}`,
        data['display'] === undefined
          ? ''
          : `In lists: ${withDisplay(user, word(data['display']))}`,
        data['group'] === undefined ? '' : `Group: ${word(data['group'])}`,
        data['device'] === undefined ? '' : `Device: ${word(data['device'])}`,
        data['server'] === undefined ? '' : `Server: ${serverLine(data['server'])}`,
        ...waysIn(record(data['server'])),
      ]
        .filter((line) => line !== '')
        .join('\n');
    case 'settings':
      return settingsText(data);
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
