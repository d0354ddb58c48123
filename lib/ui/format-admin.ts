/** Texts of administration: results of commands, and what others do. */
import type { AppEvent, ResultData } from '../app/types.ts';
import { clean, sizeText } from '../text.ts';
import { figure, plural, withDisplay, word, words, type Style } from './style.ts';

type AdminEvent = Extract<AppEvent, { readonly event: 'code' | 'group' }>;

const SECOND = ['second', 1] as const;
const UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60], SECOND] as const;

/** A span of time in its largest whole unit. */
export function span(seconds: number): string {
  const [unit, size] =
    UNITS.find(([, length]) => seconds >= 2 * length && seconds % length === 0) ?? SECOND;
  return `${seconds / size} ${unit}${seconds === size ? '' : 's'}`;
}

/** How often and how long a code is good; once, unless told. */
export function goodText({ uses, seconds }: ResultData): string {
  const times = uses === undefined || uses === 1 ? 'once' : `${word(uses)} times`;
  return `good ${times}, for ${span(figure(seconds))}`;
}

/** What the files may be that a group attaches; empty where that is not said. */
function filesText({ files }: ResultData): string {
  if (files === undefined) return '';
  return files === 0 ? ', no files' : `, files up to ${sizeText(figure(files))}`;
}

function lines(...parts: string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}

/** What becomes of an account in a group that there is not. */
const POWERLESS = 'There is no such group: it allows nothing.';

function resetText(user: string, data: ResultData): string {
  const code = word(data['code']);
  const good = goodText(data);
  if (data['mailed'] === true)
    return lines(`A code is mailed to ${user} (${good}).`, word(data['note']));
  return lines(
    mailProblem(data),
    `Code for ${user}: ${code} (${good}).`,
    `${user} starts with: clchat -lc --user ${user} --code ${code}`,
    `or, in a program that runs: /login ${user} --code ${code}`,
    'and is asked for a new password.',
    word(data['note']),
  );
}

function mailProblem(data: ResultData): string {
  const problem = word(data['problem']);
  return problem === '' ? '' : `${problem} It is shown here instead.`;
}

function createdText(user: string, data: ResultData): string {
  const made = `The account ${user} is made, in the group "${word(data['group'])}".`;
  const note = data['known'] === false ? POWERLESS : '';
  if (data['mailed'] === true)
    return lines(made, note, `Its first password is mailed to ${word(data['email'])}.`);
  const unsent =
    data['email'] === undefined || data['problem'] !== undefined
      ? ''
      : 'This server has no mail server: give it the password yourself.';
  return lines(
    made,
    note,
    mailProblem(data),
    unsent,
    `First password: ${word(data['password'])} (shown only now; it has to be changed at the first login).`,
  );
}

function updatedText(user: string, data: ResultData): string {
  const { was, display, email } = data;
  return lines(
    was === undefined ? '' : `${word(was)} is called ${user} now.`,
    display === undefined
      ? ''
      : `Lists show ${withDisplay(user, word(display))} now; messages go on naming ${user}.`,
    email === undefined
      ? ''
      : email === null
        ? `Mails for ${user} go nowhere.`
        : `Mails for ${user} go to ${word(email)}.`,
  );
}

function groupText(data: ResultData): string {
  const permissions = words(data['permissions']).join(' ') || 'nothing';
  return `"${word(data['group'])}" (level ${word(data['level'])}${filesText(data)}) allows: ${permissions}.`;
}

function levelsText(value: unknown): string {
  const groups = Array.isArray(value) ? (value as ResultData[]) : [];
  return lines(
    ...groups.map((group) => {
      const mark = group['own'] === true ? '*' : ' ';
      const head = `${mark} ${word(group['level']).padStart(3)}  ${word(group['group'])}`;
      if (group['permissions'] === undefined) return head;
      const facts = `${plural(figure(group['members']), 'member')}${filesText(group)}`;
      return `${head} (${facts}): ${words(group['permissions']).join(' ') || 'nothing'}`;
    }),
  );
}

/** How long a ban holds. */
export function banText({ seconds }: ResultData): string {
  return seconds === undefined ? 'for good' : `for ${span(figure(seconds))}`;
}

function moderationText(name: string, user: string, data: ResultData): string | undefined {
  // Of a room: another part says it.
  if (data['server'] !== true) return undefined;
  if (name === 'kick') return `${user} is logged out.`;
  if (name === 'unban') return `${user} is no longer banned from this server.`;
  return `${user} is banned from this server ${banText(data)}.`;
}

/** The text of a result; undefined for a command of another part. */
export function adminResultText(name: string, data: ResultData, _style: Style): string | undefined {
  const user = word(data['user']);
  const group = word(data['group']);
  const code = word(data['code']);
  switch (name) {
    case 'invite':
      return lines(
        `Invitation into the group "${group}": ${code} (${goodText(data)}).`,
        `They start with: clchat -lc --user NAME --code ${code}`,
        `or, in a program that runs: /login NAME --code ${code}`,
      );
    case 'code':
      // Of a room: another part says it.
      if (data['purpose'] === 'join') return undefined;
      return lines(
        `Code for the group "${group}": ${code} (${goodText(data)}).`,
        `Whoever is to be in it enters: /elevate ${code}`,
      );
    case 'elevate':
      return `You are in the group "${group}" now.`;
    case 'levels':
      return levelsText(data['levels']);
    case 'createuser':
      return createdText(user, data);
    case 'updateuser':
      return updatedText(user, data);
    case 'removeuser':
      if (data['declined'] === true) return 'Nothing was changed.';
      return data['vengeance'] === true
        ? `${user} is removed. What they wrote is erased, on devices that are away as soon as they are back.`
        : `${user} is removed.`;
    case 'resetpasswd':
      return resetText(user, data);
    case 'creategroup':
      return `The group "${group}" is made, at level ${word(data['level'])}. It allows nothing yet: "/updategroup ${group} +sendMessage" lets those in it speak.`;
    case 'updategroup':
      return groupText(data);
    case 'removegroup': {
      const left = figure(data['members']);
      const who = left === 1 ? 'Its one member keeps' : `Its ${left} members keep`;
      return `The group "${group}" is removed.${left > 0 ? ` ${who} the name, and may nothing.` : ''}`;
    }
    case 'setusergroup':
      return lines(
        `${user} is in the group "${group}" now.`,
        data['known'] === false ? POWERLESS : '',
      );
    case 'kick':
    case 'ban':
    case 'unban':
      return moderationText(name, user, data);
    case 'renameserver':
      return `The server is called ${word(data['name'])} now.`;
    case 'motd': {
      const motd = word(data['motd']);
      if (data['set'] === true)
        return motd === ''
          ? 'There is no message of the day any more.'
          : 'Everybody who logs in is told this message of the day.';
      return motd === '' ? 'There is no message of the day.' : motd;
    }
    default:
      return undefined;
  }
}

function codeText({ purpose, state, group, room, user }: AdminEvent & { event: 'code' }): string {
  const what =
    purpose === 'join'
      ? `code for the room #${clean(room ?? '?')}`
      : `${purpose === 'signup' ? 'invitation into' : 'code for'} the group "${clean(group ?? '?')}"`;
  return state === 'issued'
    ? `You have made: ${what}.`
    : `${clean(user ?? 'Somebody')} has used your ${what}.`;
}

/** The line of an event; undefined for one of another part. */
export function adminEventText(event: AppEvent, _style: Style): string | undefined {
  if (event.event === 'code') return codeText(event);
  if (event.event !== 'group') return undefined;
  const group = `"${clean(event.group)}"`;
  const { state } = event;
  switch (state) {
    case 'set':
      return `${clean(event.user ?? '?')} is in the group ${group} now.`;
    case 'created':
      return `There is a group ${group} now.`;
    case 'updated':
      return `The group ${group} has changed; see "levels".`;
    case 'removed':
      return `The group ${group} is removed; whoever is in it may nothing.`;
    default:
      return state satisfies never;
  }
}
