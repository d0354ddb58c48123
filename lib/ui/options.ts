/**
 * The table of the program's own options: the command line, its help, the manual page and the shell
 * completions all read it.
 */

export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** With its dash: `-ls`. */
  readonly short?: string;
  /** What the value is called; absent for a switch. */
  readonly value?: string;
  /** It may come without its value. */
  readonly optional?: true;
  readonly summary: string;
  readonly group: 'Start' | 'Addresses and names' | 'Account' | 'Calls' | 'Interface' | 'Other';
  /** What a shell completes the value with. */
  readonly complete?: 'file' | 'directory' | 'command';
  /** Known, but neither listed nor completed. */
  readonly hidden?: boolean;
}

/** What is written for its value: in brackets where it may be left out. */
export function valueOf({ value = '', optional }: Option): string {
  return optional === true ? `[${value}]` : value;
}

export const OPTIONS: readonly Option[] = [
  { name: 'lan-server', short: '-ls', group: 'Start', summary: 'start a server on this network' },
  { name: 'lan-client', short: '-lc', group: 'Start', summary: 'join a server on this network' },
  {
    name: 'internet-server',
    short: '-s',
    group: 'Start',
    summary: 'start a server that can be joined over the internet: maps a port of the router',
  },
  {
    name: 'internet-client',
    short: '-c',
    group: 'Start',
    value: 'TARGET',
    optional: true,
    summary: 'join a server over the internet: by its invite link, IP or IP:PORT',
  },
  {
    name: 'listen',
    value: 'IP:PORT',
    group: 'Addresses and names',
    summary: 'listen there; 0.0.0.0 is every network of this machine',
  },
  {
    name: 'connect',
    value: 'IP[:PORT]',
    group: 'Addresses and names',
    summary: 'join the server at this address instead of looking for one',
  },
  {
    name: 'server',
    value: 'NAME',
    group: 'Addresses and names',
    summary: 'join the server of this name when several are found',
  },
  {
    name: 'name',
    value: 'NAME',
    group: 'Addresses and names',
    summary: 'name of the server to start',
  },
  { name: 'user', value: 'NAME', group: 'Account', summary: 'log in as this user' },
  {
    name: 'password-file',
    value: 'FILE',
    group: 'Account',
    summary: 'take the password from the first line of this file',
    complete: 'file',
  },
  {
    name: 'code',
    value: 'CODE',
    group: 'Account',
    summary: 'an invitation; or a code from an administrator, in place of a forgotten password',
  },
  {
    name: 'invite-only',
    group: 'Account',
    summary: 'server: take new users by invitation only (see the command "invite")',
  },
  {
    name: 'smtp-url-file',
    value: 'FILE',
    group: 'Account',
    summary:
      'server: send mails by the mail server in the first line of this file, smtp://USER:PASSWORD@HOST:PORT; else by CLCHAT_SMTP_URL',
    complete: 'file',
  },
  {
    name: 'turn-url-file',
    value: 'FILE',
    group: 'Addresses and names',
    summary:
      'server: calls may go by the TURN server in the first line of this file, turn:USER:CREDENTIAL@HOST:PORT?transport=udp; else by CLCHAT_TURN_URL',
    complete: 'file',
  },
  {
    name: 'call-ports',
    value: 'FIRST-LAST',
    group: 'Addresses and names',
    summary: 'server: UDP ports for calls, to which -s lets others in (50000-50003)',
  },
  {
    name: 'block-duration',
    value: 'SECONDS',
    group: 'Account',
    summary: 'server: lock an account so long after three wrong passwords (60)',
  },
  {
    name: 'timeout',
    value: 'SECONDS',
    group: 'Account',
    summary: 'server: log out who has done nothing for so long (never)',
  },
  {
    name: 'camera',
    value: 'DEVICE',
    group: 'Calls',
    summary: 'camera that is on when a call starts: a device, a FILE, test (a pattern) or none',
    complete: 'file',
  },
  {
    name: 'mic',
    value: 'DEVICE',
    group: 'Calls',
    summary:
      'microphone that is on when a call starts: a device, a FILE, tone, tone:HZ or none; at a terminal the usual one',
    complete: 'file',
  },
  {
    name: 'speaker',
    value: 'DEVICE',
    group: 'Calls',
    summary: 'where calls are heard: a device, FILE.wav or none; at a terminal the usual one',
    complete: 'file',
  },
  {
    name: 'screen',
    value: 'DISPLAY',
    group: 'Calls',
    summary: 'what "golive" shares: a display, window:TITLE, test or none; else the usual display',
  },
  {
    name: 'video-size',
    value: 'WIDTHxHEIGHT[@FPS]',
    group: 'Calls',
    summary:
      'how large the others are wanted where no screen shows them; else by how many they are',
  },
  {
    name: 'graphics',
    value: 'MODE',
    group: 'Calls',
    summary:
      'how pictures are drawn: kitty, sixel, truecolor, 256 or ascii; else as well as the terminal can',
  },
  {
    name: 'execute',
    short: '-e',
    value: 'COMMAND',
    group: 'Interface',
    summary: 'run one command, print its result and end with its status',
    complete: 'command',
  },
  {
    name: 'json',
    group: 'Interface',
    summary: 'for programs: a command a line in, a JSON object a line out',
  },
  {
    name: 'plain',
    group: 'Interface',
    summary: 'no colours and no cursor movement (screen readers, logs)',
  },
  {
    name: 'headless',
    group: 'Interface',
    summary: 'go on after the end of the input, until "quit" or a signal',
  },
  {
    name: 'data',
    value: 'DIR',
    group: 'Other',
    summary: 'keep everything in this directory',
    complete: 'directory',
  },
  {
    name: 'log',
    value: 'FILE',
    group: 'Other',
    summary:
      'write the log there; without it only faults are written, to standard error, and nothing at a terminal',
    complete: 'file',
  },
  { name: 'version', group: 'Other', summary: 'print the version' },
  { name: 'help', short: '-h', group: 'Other', summary: 'print this' },
];

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export interface Address {
  /** An IP address in its usual form; `localhost` has become 127.0.0.1. */
  readonly host: string;
  readonly port?: number;
}

/** What the command line asks for, checked. */
export interface Options {
  readonly action: 'run' | 'help' | 'version' | 'manual' | 'completion';
  /** With `completion`. */
  readonly shell?: Shell;
  readonly mode: 'shell' | 'server' | 'client';
  readonly listen?: Required<Address>;
  readonly connect?: Address;
  /** Of the server to join, not yet read. */
  readonly invite?: string;
  /** Not only on this network. */
  readonly internet: boolean;
  readonly server?: string;
  readonly name?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly code?: string;
  readonly inviteOnly: boolean;
  readonly smtpUrlFile?: string;
  readonly turnUrlFile?: string;
  /** The first and the last. */
  readonly callPorts?: readonly [number, number];
  /** Seconds. */
  readonly blockDuration: number;
  /** Seconds; absent: never. */
  readonly timeout?: number;
  /** Devices of calls, as written. */
  readonly camera?: string;
  readonly mic?: string;
  readonly speaker?: string;
  readonly screen?: string;
  /** In pixels, and pictures a second. */
  readonly videoSize?: { readonly width: number; readonly height: number; readonly fps: number };
  readonly graphics?: string;
  readonly execute?: string;
  readonly json: boolean;
  readonly plain: boolean;
  readonly headless: boolean;
  readonly data?: string;
  readonly log?: string;
}
