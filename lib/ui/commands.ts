/**
 * The command table. One entry a command: parsing, completion, help, the manual page, the shell
 * completions and the machine mode all read it, so adding a command is adding an entry.
 */
import { ADMIN_COMMANDS } from './commands-admin.ts';
import { CALL_COMMANDS } from './commands-call.ts';
import { CONFERENCE_COMMANDS } from './commands-conference.ts';
import { CONTENT_COMMANDS } from './commands-content.ts';
import { FILE_COMMANDS } from './commands-file.ts';
import { MOVING_COMMANDS } from './commands-moving.ts';
import { PEOPLE_COMMANDS } from './commands-people.ts';
import { PRIVATE_COMMANDS } from './commands-private.ts';
import { ROOM_COMMANDS } from './commands-room.ts';
import { DEVICE_SETTINGS, DEVICE_WORDS } from './settings.ts';
import type { ErrorCode } from '../errors.ts';

/**
 * What an argument is, which decides what is accepted and completed: `conversation` is `@user` or
 * `#room`; `conference` its name or `#id`; `text` and `secret` keep every character; `word` is
 * anything, or one of `choices`.
 */
export type ArgumentKind =
  | 'user'
  | 'room'
  | 'conversation'
  | 'conference'
  | 'device'
  | 'group'
  | 'file'
  | 'text'
  | 'secret'
  | 'number'
  | 'address'
  | 'command'
  | 'word';

export interface Argument {
  /** Key in `CommandCall.args`. */
  readonly name: string;
  readonly kind: ArgumentKind;
  /** How the usage line calls it; the name in capitals where absent. */
  readonly label?: string;
  readonly optional?: boolean;
  /** Left out first when the line has fewer words than the command has arguments. */
  readonly yields?: boolean;
  /** The only words accepted. */
  readonly choices?: readonly string[];
  /** Words that are offered where others are taken as well. */
  readonly offers?: readonly string[];
  /** Those that are offered in their place after certain words for the argument before it. */
  readonly offersAfter?: Readonly<Record<string, readonly string[]>>;
  /** Nothing without the one before it. */
  readonly follows?: true;
  /** Of a file that is left out: the directory where the person is. */
  readonly here?: true;
  /** Of a conversation: only with its sign, `@` or `#`, as other words are for what follows. */
  readonly signed?: boolean;
  /** What stands for it as well: of a conference somebody in it, of a group `#room`. */
  readonly or?: 'user' | 'room';
}

/**
 * `--name` or `--name VALUE` in a command line: before the last argument, or after it where that is
 * one word.
 */
export interface Flag {
  readonly name: string;
  /** Another spelling, which is understood but not shown. */
  readonly hidden?: true;
  /** Absent: the flag takes no value and is passed as `"true"`. */
  readonly kind?: ArgumentKind;
  readonly label?: string;
  /** The only words accepted. */
  readonly choices?: readonly string[];
}

export const GROUPS = {
  program: 'The program',
  account: 'Server and account',
  messages: 'Messages',
  people: 'People',
  rooms: 'Rooms',
  calls: 'Calls',
  administration: 'Administration',
} as const;

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group: keyof typeof GROUPS;
  /** The last one takes the rest of the line. */
  readonly arguments?: readonly Argument[];
  readonly flags?: readonly Flag[];
  /** One line, without a full stop. */
  readonly summary: string;
  /** Whole sentences: what the summary leaves out. */
  readonly help?: string;
  readonly examples?: readonly string[];
  /**
   * Codes it can give beside USAGE and TOO_LARGE (of the line), NOT_LOGGED_IN and MUST_CHANGE (with
   * `login`), CLOSED (the connection, or the program, ends meanwhile), and those of what is broken
   * here: INTERNAL, DISK_FULL, DATA_READ_ONLY. With NETWORK goes TIMEOUT.
   */
  readonly errors?: readonly ErrorCode[];
  /** Needs a logged-in account. */
  readonly login?: boolean;
  /** Works before a first password has been changed. */
  readonly first?: boolean;
  /** May carry a password: such lines never enter a history. */
  readonly secret?: boolean;
  /** May put questions to the person. */
  readonly asks?: boolean;
  /** The front end carries it out itself; it never reaches `App.execute`. */
  readonly local?: boolean;
  /** Several may be under way at once, since the order of their effects is that of their start. */
  readonly overlaps?: boolean;
}

const USER: Argument = { name: 'user', kind: 'user' };
/** Of whoever comes in, with an account or a new one. */
const COMING_IN: readonly ErrorCode[] = [
  'BAD_NAME',
  'NAME_TAKEN',
  'CODE_REQUIRED',
  'BAD_CODE',
  'BANNED',
  'TOO_LARGE',
  'SERVER_KEY_CHANGED',
  'VERSION',
  'DATA_IN_USE',
  'BAD_PASSPHRASE',
  'ALREADY',
  'NETWORK',
];

export const COMMANDS: readonly Command[] = [
  {
    name: 'help',
    aliases: ['?'],
    group: 'program',
    arguments: [{ name: 'command', kind: 'command', optional: true }],
    summary: 'list the commands, or explain one',
    examples: ['help', 'help message'],
    local: true,
  },
  {
    name: 'quit',
    group: 'program',
    summary: 'end the program',
    help: 'What is under way is finished first. What the server does not have yet is kept and sent at the next start.',
    local: true,
  },
  {
    name: 'exit',
    group: 'program',
    summary: 'leave the room, or end the program when in none',
    help: 'A room is left for good: "leave" goes out of it, and you stay its member.',
    errors: ['NOT_IN_ROOM', 'MUST_CHANGE', 'NETWORK'],
    local: true,
  },
  {
    name: 'mode',
    group: 'program',
    arguments: [{ name: 'mode', kind: 'word', optional: true, choices: ['chat', 'command'] }],
    summary: 'switch between typing text and typing commands',
    help: 'In chat mode a line is said to the current conversation, "/word" is a command, and "//" begins a text with a slash. In command mode every line is a command. Without an argument the mode changes to the other one.',
    examples: ['mode command', '/mode chat'],
    errors: ['NOT_SUPPORTED'],
    local: true,
  },
  {
    name: 'clear',
    group: 'program',
    summary: 'clear the screen',
    errors: ['NOT_SUPPORTED'],
    local: true,
  },
  {
    name: 'settings',
    group: 'program',
    arguments: [
      {
        name: 'name',
        kind: 'word',
        optional: true,
        choices: ['colours', 'bell', 'time', 'ids', 'receipts', 'typing', ...DEVICE_SETTINGS],
      },
      {
        name: 'value',
        kind: 'text',
        label: 'on|off|DEVICE',
        offers: ['on', 'off'],
        offersAfter: DEVICE_WORDS,
        optional: true,
        follows: true,
      },
    ],
    summary: 'show or change how this program behaves towards you and others',
    help: '"colours": names and marks in colour. "bell": a sound with each direct message, where somebody writes @ and your name, and when somebody asks for a private session, calls you or has called in vain. "time": the time before each line. "ids": the beginning of its id before each message. "receipts": authors are told that you have read their messages here. "typing": others are told while you type a text, and you are told of them. "camera", "mic", "speaker" and "screen" list the devices for calls, and choose one of them.',
    examples: [
      'settings',
      'settings bell off',
      'settings ids on',
      'settings camera',
      'settings camera /dev/video2',
    ],
    errors: ['NO_DEVICE', 'NO_MEDIA'],
    local: true,
  },
  {
    name: 'server',
    group: 'account',
    arguments: [
      { name: 'name', kind: 'word', label: 'SERVERNAME' },
      { name: 'address', kind: 'address', label: 'IP:PORT' },
    ],
    summary: 'start a server here; you are its administrator',
    help: 'The server is found by others on the same network under its name. 0.0.0.0 listens on every network of this machine, 127.0.0.1 on this machine only.',
    examples: ['server acme 0.0.0.0:49152'],
    errors: ['BAD_NAME', 'BAD_ADDRESS', 'PORT_IN_USE', 'ALREADY', 'DATA_IN_USE', 'BAD_PASSPHRASE'],
  },
  {
    name: 'connect',
    group: 'account',
    arguments: [{ name: 'address', kind: 'address', label: 'IP:PORT|NAME' }],
    summary: 'join the server at an address, or of a name on this network',
    help: 'With an IP alone, a server that is known there comes first, then the lowest port from 49152 to 49161 at which one answers. "user" and "login" follow.',
    examples: ['connect 192.168.1.20:49152', 'connect acme'],
    errors: [
      'BAD_ADDRESS',
      'NO_SERVER',
      'MULTICAST_BLOCKED',
      'AMBIGUOUS_SERVER',
      'NETWORK',
      'SERVER_KEY_CHANGED',
      'VERSION',
      'BAD_MESSAGE',
      'ALREADY',
    ],
  },
  {
    name: 'user',
    group: 'account',
    arguments: [
      { name: 'username', kind: 'user' },
      { name: 'password', kind: 'secret', optional: true },
    ],
    flags: [{ name: 'code', kind: 'word' }],
    summary: 'make an account and log in',
    help: 'Everything after the name is the password; it is asked for, unseen, when it is not given. It never leaves this machine in a readable form. An account without a password lives on this device alone. With --code, before the password, it is made by an invitation.',
    examples: ['user alice correct horse battery staple'],
    errors: COMING_IN,
    secret: true,
    asks: true,
  },
  {
    name: 'login',
    group: 'account',
    arguments: [
      { name: 'username', kind: 'user' },
      { name: 'password', kind: 'secret', optional: true },
    ],
    flags: [{ name: 'code', kind: 'word' }],
    summary: 'log in',
    help: 'The password is asked for, unseen, when it is not given. An unknown name becomes a new account after a confirmation; with --code by an invitation (see "invite"). For a name that is known, a code that an administrator gave you (see "resetpasswd") takes the place of the forgotten password, and a new one is asked for.',
    examples: ['login alice', 'login alice --code 7K2M-93QD'],
    errors: [...COMING_IN, 'NO_SUCH_USER', 'BAD_PASSWORD', 'LOCKED', 'REVOKED', 'DENIED'],
    secret: true,
    asks: true,
  },
  {
    name: 'logout',
    group: 'account',
    summary: 'log out; the program goes on',
    login: true,
    first: true,
  },
  {
    name: 'passwd',
    group: 'account',
    arguments: [
      { name: 'old', kind: 'secret', optional: true, yields: true },
      { name: 'new', kind: 'secret', optional: true },
    ],
    summary: 'change your password',
    help: 'Both passwords are asked for, unseen, when they are not given; with one word it is the new one. An old password with spaces goes between double quotes. An account without a password gets one this way.',
    examples: ['passwd'],
    errors: ['BAD_PASSWORD', 'LOCKED', 'TOO_LARGE', 'STALE_KEY', 'NETWORK'],
    login: true,
    first: true,
    secret: true,
    asks: true,
  },
  {
    name: 'devices',
    group: 'account',
    summary: 'list the devices of your account',
    errors: ['NETWORK'],
    login: true,
  },
  {
    name: 'revoke',
    group: 'account',
    arguments: [{ name: 'device', kind: 'device' }],
    summary: 'shut a device out of your account for good',
    help: 'The beginning of its id is enough where it fits no other. The device keeps what it has already received, but gets nothing more and cannot come back. New keys are made for every conversation that it could read.',
    errors: ['NO_SUCH_DEVICE', 'AMBIGUOUS', 'STALE_KEY', 'NETWORK'],
    login: true,
  },
  {
    name: 'self',
    group: 'account',
    summary: 'show who and where you are: user, device, server',
    login: true,
    first: true,
  },
  ...CONTENT_COMMANDS,
  ...FILE_COMMANDS,
  ...MOVING_COMMANDS,
  ...PEOPLE_COMMANDS,
  ...PRIVATE_COMMANDS,
  ...ROOM_COMMANDS,
  ...CONFERENCE_COMMANDS,
  ...CALL_COMMANDS,
  ...ADMIN_COMMANDS,
  {
    name: 'resetpasswd',
    group: 'administration',
    arguments: [USER],
    summary: 'make a one-time code for somebody who forgot their password',
    help: 'It is mailed where the server has a mail server and knows their address (see "updateuser"), and shown once otherwise. They enter it with "login NAME --code CODE", or at the start with "clchat -lc --user NAME --code CODE", and choose a new password. Direct messages from before stay readable only on devices that already have them: nobody can recover their key without the old password.',
    errors: ['DENIED', 'NO_SUCH_USER', 'NETWORK'],
    login: true,
  },
  {
    name: 'backup',
    group: 'administration',
    arguments: [{ name: 'file', kind: 'file' }],
    summary: 'write the whole server into one file, sealed under a passphrase',
    help: 'Only on the machine of the server. The passphrase is asked for twice. Another file is replaced only after a question, and never unattended. With "restore" another machine takes the server over.',
    errors: ['DENIED', 'NO_SUCH_FILE', 'ALREADY'],
    login: true,
    asks: true,
  },
  {
    name: 'restore',
    group: 'administration',
    arguments: [{ name: 'file', kind: 'file' }],
    summary: 'make a server of a backup file',
    help: 'Only while no server runs here. The passphrase is asked for. Clients of the old server hand back what the backup lacks.',
    errors: ['NO_SUCH_FILE', 'BAD_PASSPHRASE', 'DATA_CORRUPT', 'ALREADY'],
    asks: true,
  },
];

const BY_WORD = new Map<string, Command>(
  COMMANDS.flatMap((command) =>
    [command.name, ...(command.aliases ?? [])].map((word) => [word, command] as const),
  ),
);

/** Every word that names a command, aliases included. */
export const COMMAND_WORDS: readonly string[] = [...BY_WORD.keys()];

/** The command of a name or an alias, in any case. */
export function commandOf(word: string): Command | undefined {
  return BY_WORD.get(word.toLowerCase());
}

/** How usage lines call an argument or the value of a flag. */
export function labelOf({ name, label, choices }: Argument | Flag): string {
  return label ?? choices?.join('|') ?? name.toUpperCase();
}

/** The usage line, such as `history [@USER|#ROOM] [COUNT]`. */
export function usageOf(command: Command): string {
  const parts = [command.name];
  for (const argument of command.arguments ?? []) {
    const label = labelOf(argument);
    parts.push(argument.optional === true ? `[${label}]` : label);
  }
  for (const flag of (command.flags ?? []).filter(({ hidden }) => hidden !== true))
    parts.push(flag.kind === undefined ? `[--${flag.name}]` : `[--${flag.name} ${labelOf(flag)}]`);
  return parts.join(' ');
}
