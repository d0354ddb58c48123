/** The manual page (roff, man macros), from the tables of options and commands. */
import { EXIT } from '../errors.ts';
import { usageOf, type Command } from './commands.ts';
import { errorsOf, EXAMPLES, grouped, sentence } from './help.ts';
import { OPTIONS, SHELLS, valueOf, type Option } from './options.ts';

const STATUS: Readonly<Record<keyof typeof EXIT, string>> = {
  fine: 'Everything went well.',
  failed: 'The command was refused or something failed.',
  usage: 'The command line or the command was not understood.',
  authentication: 'Wrong password, unknown user, locked account.',
  network: 'No server was found, or it could not be reached.',
  interrupted: 'Ended by an interrupt.',
};

/** Text in which roff finds nothing to interpret. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}

function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}

function example(command: string, what: string): string[] {
  return ['.TP', bold(command), roff(sentence(what))];
}

function optionEntry(option: Option): string[] {
  const names = [option.short, `--${option.name}`].filter((name) => name !== undefined);
  const value = option.value === undefined ? '' : ` \\fI${roff(valueOf(option))}\\fR`;
  return [
    '.TP',
    names.map((name) => bold(name) + value).join(', '),
    roff(sentence(option.summary)),
  ];
}

function commandEntry(command: Command): string[] {
  const lines = ['.TP', bold(usageOf(command)), roff(sentence(command.summary))];
  if (command.help !== undefined) lines.push(roff(command.help));
  if (command.aliases !== undefined) lines.push('.br', roff(`Also: ${command.aliases.join(', ')}`));
  const errors = errorsOf(command);
  if (errors.length > 0) lines.push('.br', roff(`Errors: ${errors.join(', ')}.`));
  return lines;
}

/**
 * The page as text for `man`.
 * @param version of the program
 */
export function manualPage(version: string): string {
  const lines = [
    `.TH CLCHAT 1 "" "clchat ${roff(version)}" "User Commands"`,
    '.SH NAME',
    'clchat \\- chat from a terminal, peer to peer',
    '.SH SYNOPSIS',
    '.B clchat',
    `[${bold('-ls')} | ${bold('-lc')}] [\\fIOPTION\\fR]...`,
    '.br',
    '.B clchat completion',
    `{${SHELLS.join(' | ')}}`,
    '.br',
    '.B clchat man',
    '.SH DESCRIPTION',
    roff(
      'clchat lets people on one network talk without a service in the middle. One of them starts the server peer (-ls); the others join (-lc) and find it by themselves. Direct messages can be read by their two parties only. What is written while the server is away is kept and sent later.',
    ),
    '.PP',
    roff(
      'With -ls and -lc, at a terminal and in a pipe alike, it begins in chat mode: a line is said to the current conversation and a command begins with a slash. Without them, with --json and with -e, every line is a command.',
    ),
    '.SH EXAMPLES',
    ...EXAMPLES.flatMap(([command, what]) => example(command, what)),
    '.SH OPTIONS',
    ...OPTIONS.filter((option) => option.hidden !== true).flatMap(optionEntry),
    '.SH COMMANDS',
    roff(
      'The last argument takes the rest of the line. An earlier one with spaces goes between double quotes.',
    ),
    ...grouped().flatMap(({ title, commands }) => [
      `.SS ${roff(title)}`,
      ...commands.flatMap(commandEntry),
    ]),
    '.SH EXIT STATUS',
    ...Object.entries(STATUS).flatMap(([name, what]) => [
      '.TP',
      bold(String(EXIT[name as keyof typeof EXIT])),
      roff(what),
    ]),
    '.SH ENVIRONMENT',
    '.TP',
    bold('CLCHAT_PASSWORD'),
    roff('The password, for use without a person. --password-file comes before it.'),
    '.TP',
    bold('CLCHAT_PASSPHRASE'),
    roff(
      'Seals the keys on this machine in place of a key file. It is needed at each start from then on.',
    ),
    '.TP',
    bold('CLCHAT_BACKUP_PASSPHRASE'),
    roff('The passphrase for "backup" and "restore"; it is asked for when this is not set.'),
    '.TP',
    bold('CLCHAT_SMTP_URL'),
    roff(
      'The mail server by which a server sends first passwords and codes: smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the start. --smtp-url-file comes before it. ?from=ADDRESS names the sender where the user is no e-mail address.',
    ),
    '.TP',
    bold('CLCHAT_TURN_URL'),
    roff(
      'The TURN server by which calls may go: turn:USER:CREDENTIAL@HOST:PORT?transport=udp, or turns: for TLS. --turn-url-file comes before it.',
    ),
    '.TP',
    bold('XDG_DATA_HOME'),
    roff('Data is kept in its directory clchat; ~/.local/share/clchat where it is not set.'),
    '.TP',
    bold('XDG_RUNTIME_DIR'),
    roff('Where the socket lies by which -e reaches a running clchat.'),
    '.TP',
    bold('DISPLAY'),
    roff('The X display that "golive" shares where no other is named.'),
    '.TP',
    bold('WAYLAND_DISPLAY'),
    roff('Where it is set and DISPLAY is not, there is no screen that could be shared.'),
    '.TP',
    bold('NO_COLOR'),
    roff('When set to anything, no colours are used.'),
    '.TP',
    bold('TERM'),
    roff('With "dumb" the interface is that of --plain.'),
  ];
  return `${lines.join('\n')}\n`;
}
