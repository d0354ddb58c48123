/** Help within the program, from the command table. */
import type { ErrorCode } from '../errors.ts';
import { ClchatError, textOf } from '../errors.ts';
import { COMMANDS, commandOf, GROUPS, usageOf, type Command } from './commands.ts';
import { OPTIONS, SHELLS, valueOf, type Option } from './options.ts';
import { suggest } from './parse.ts';
import { wrap } from './width.ts';

/** The codes a command can give, those common to all included. */
export function errorsOf(command: Command): ErrorCode[] {
  const takesArguments = (command.arguments ?? []).length > 0 || (command.flags ?? []).length > 0;
  return [
    ...(takesArguments ? (['USAGE'] as const) : []),
    ...(command.login === true ? (['NOT_LOGGED_IN'] as const) : []),
    ...(command.login === true && command.first !== true ? (['MUST_CHANGE'] as const) : []),
    ...(command.errors ?? []),
  ];
}

/** The commands of each group, in the order of the table. */
export function grouped(): { title: string; commands: Command[] }[] {
  return Object.entries(GROUPS)
    .map(([group, title]) => ({
      title,
      commands: COMMANDS.filter((command) => command.group === group),
    }))
    .filter(({ commands }) => commands.length > 0);
}

/** All commands in groups, one line each. */
export function helpOverview(): string {
  const width = Math.max(...COMMANDS.map((command) => usageOf(command).length));
  const column = Math.min(width, 28);
  const indent = ' '.repeat(column + 4);
  const lines: string[] = [];
  for (const { title, commands } of grouped()) {
    lines.push(`${title}:`);
    for (const command of commands) {
      const usage = usageOf(command);
      const [first = '', ...rest] = wrap(command.summary, 80 - indent.length);
      const [head = '', ...more] = wrap(usage, 76);
      if (usage.length > column)
        lines.push(`  ${head}`, ...more.map((line) => `    ${line}`), `${indent}${first}`);
      else lines.push(`  ${usage.padEnd(column)}  ${first}`);
      lines.push(...rest.map((line) => `${indent}${line}`));
    }
    lines.push('');
  }
  lines.push(
    'The last argument takes the rest of the line; an earlier one with spaces goes',
    'between double quotes. In chat mode a command begins with "/".',
    '"help COMMAND" tells more.',
    '',
    'How far your messages have got:',
    '  …  on the way    ✓  held by the server    ✓ 2/3  on 2 of 3 devices',
    '  ✓✓  on every device    read 2  read by two people    ✗  refused',
  );
  return lines.join('\n');
}

/**
 * Everything about one command.
 * @throws ClchatError USAGE
 */
export function helpFor(word: string): string {
  const command = commandOf(word.replace(/^\//, ''));
  if (command === undefined) {
    const near = suggest(word);
    throw new ClchatError(
      'USAGE',
      near === undefined ? 'There is no such command. Try "help".' : `Did you mean "${near}"?`,
    );
  }
  const lines = [usageOf(command), `  ${sentence(command.summary)}`];
  if (command.help !== undefined) lines.push(...wrap(command.help, 76).map((line) => `  ${line}`));
  if (command.aliases !== undefined) lines.push(`Also: ${command.aliases.join(', ')}`);
  if (command.examples !== undefined)
    lines.push('Examples:', ...command.examples.map((example) => `  ${example}`));
  const errors = errorsOf(command);
  if (errors.length > 0) {
    const column = Math.max(...errors.map((code) => code.length));
    lines.push('Errors:', ...errors.map((code) => `  ${code.padEnd(column)}  ${textOf(code)}`));
  }
  return lines.join('\n');
}

/** A summary as a sentence. */
export function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

/** Ways to start the program, shown before anything else. */
export const EXAMPLES: readonly (readonly [command: string, what: string])[] = [
  ['clchat -ls', 'start a server on this network; it asks for what it needs'],
  ['clchat -lc', 'join a server that is found on this network'],
  ['clchat', 'a shell with commands: server, connect, user, login, help'],
  ['clchat -ls --listen 0.0.0.0:49152 --name acme --user root', 'start a server without questions'],
  ['clchat -lc --connect 192.168.1.20:49152 --user alice', 'join a server at an address'],
  ["clchat -lc --user alice -e 'message bob hello'", 'send one message and end'],
];

/** What `--help` prints. */
export function programHelp(): string {
  const lines = [
    'clchat: chat from a terminal, peer to peer, on a network of your own',
    '',
    'Examples:',
    ...EXAMPLES.flatMap(([command, what]) => [`  ${command}`, `      ${what}`]),
    '',
    'Usage: clchat [-ls | -lc] [OPTION]...',
    `       clchat completion ${SHELLS.join('|')}`,
    '       clchat man',
  ];
  const listed = OPTIONS.filter((option) => option.hidden !== true);
  const column = Math.max(...listed.map((option) => synopsisOf(option).length));
  for (const group of new Set(listed.map((option) => option.group))) {
    lines.push('', `${group}:`);
    for (const option of listed.filter((one) => one.group === group)) {
      const [first = '', ...rest] = wrap(option.summary, 76 - column);
      lines.push(`  ${synopsisOf(option).padEnd(column)}  ${first}`);
      lines.push(...rest.map((line) => `  ${' '.repeat(column)}  ${line}`));
    }
  }
  lines.push(
    '',
    'With -ls and -lc, at a terminal and in a pipe alike, a line is said to everybody',
    'and "/" begins a command. Otherwise, and with --json, every line is a command.',
    'The password may also be in the environment variable CLCHAT_PASSWORD.',
    'Exit status: 0 fine, 1 failed, 2 usage, 3 authentication, 4 network, 130 interrupted.',
    'Inside the program "help" lists the commands; "clchat man | man -l -" is the manual.',
    '',
  );
  return lines.join('\n');
}

/** An option as it is written: `-e, --execute COMMAND`. */
export function synopsisOf(option: Option): string {
  const long =
    option.value === undefined ? `--${option.name}` : `--${option.name} ${valueOf(option)}`;
  return option.short === undefined ? `    ${long}` : `${option.short}, ${long}`;
}
