/**
 * The program's own command line, read and checked. yargs does the reading and is loaded only when
 * there is something to read.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { GRAPHICS_MODES } from '../media/terminal/renderer.ts';
import { parsePictureSize } from '../media/viewing.ts';
import { parsePortRange } from '../app/call-ports.ts';
import { isInviteLink } from '../app/invite-link.ts';
import { ClchatError, textOf, translate } from '../errors.ts';
import { clean, isName, nearest } from '../text.ts';
import { OPTIONS, SHELLS, type Address, type Option, type Options } from './options.ts';

const DEFAULT_BLOCK_SECONDS = 60;
const MAX_SECONDS = 10 * 365 * 86_400;
const MAX_SECRET_BYTES = 4096;

type Values = Readonly<Record<string, string | boolean | undefined>>;

function refuse(text: string): ClchatError {
  return new ClchatError('USAGE', `${text} Try "clchat --help".`);
}

/**
 * Reads the command line.
 * @param argv without the interpreter and the script
 * @throws ClchatError USAGE, NOT_SUPPORTED
 */
export async function parseOptions(argv: readonly string[]): Promise<Options> {
  const { options, words } = normalise(argv);
  const base = { mode: 'shell', blockDuration: DEFAULT_BLOCK_SECONDS } as const;
  const switches = {
    inviteOnly: false,
    json: false,
    plain: false,
    headless: false,
    internet: false,
  };
  if (options.includes('--help')) return { ...base, ...switches, action: 'help' };
  if (options.includes('--version')) return { ...base, ...switches, action: 'version' };
  if (words.length > 0) return { ...base, ...switches, ...subcommand(words) };
  return check(await read(options));
}

function subcommand(words: readonly string[]): Pick<Options, 'action' | 'shell'> {
  const [word, argument, ...rest] = words;
  if (rest.length === 0) {
    if (word === 'help' && argument === undefined) return { action: 'help' };
    if (word === 'man' && argument === undefined) return { action: 'manual' };
    if (word === 'completion') {
      const shell = SHELLS.find((name) => name === argument);
      if (shell !== undefined) return { action: 'completion', shell };
      throw refuse(`"completion" takes one of ${SHELLS.join(', ')}.`);
    }
  }
  throw refuse(`"${clean(words.join(' ')).slice(0, 60)}" is no option. Commands go to -e.`);
}

/**
 * Rewrites the arguments so that yargs, which would read `-ls` as `-l -s`, strip quotes from values
 * and take `-x` for no value, sees only `--name` and `--name==VALUE`.
 */
function normalise(argv: readonly string[]): { options: string[]; words: string[] } {
  const options: string[] = [];
  const words: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] as string;
    if (!argument.startsWith('-') || argument === '-') {
      words.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const written = equals === -1 ? argument : argument.slice(0, equals);
    const option = optionOf(written);
    if (option === undefined) throw unknownOption(written);
    if (option.value === undefined) {
      if (equals !== -1) throw refuse(`${written} takes no value.`);
      options.push(`--${option.name}`);
      continue;
    }
    const value = equals === -1 ? argv[at + 1] : argument.slice(equals + 1);
    const isMissing =
      value === undefined || value === '' || (equals === -1 && optionOf(value) !== undefined);
    if (isMissing && option.optional !== true)
      throw refuse(`${written} needs a value: ${option.value}.`);
    if (!isMissing && equals === -1) at += 1;
    options.push(`--${option.name}==${isMissing ? '' : value}`);
  }
  return { options, words };
}

function optionOf(written: string): Option | undefined {
  return OPTIONS.find((option) => written === `--${option.name}` || written === option.short);
}

function unknownOption(written: string): ClchatError {
  const typed = written.replace(/^-+/, '');
  const near =
    typed.length < 2
      ? undefined
      : nearest(
          typed,
          OPTIONS.filter((option) => option.hidden !== true).map((option) => option.name),
        );
  const hint = near === undefined ? '' : ` Did you mean --${near}?`;
  return refuse(`There is no option ${clean(written).slice(0, 60)}.${hint}`);
}

async function read(options: readonly string[]): Promise<Values> {
  if (options.length === 0) return {};
  const { default: yargs } = await import('yargs');
  const table = Object.fromEntries(
    OPTIONS.map((option) => [
      option.name,
      { type: option.value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    const parsed = yargs(options)
      .help(false)
      .version(false)
      .parserConfiguration({
        'parse-numbers': false,
        'parse-positional-numbers': false,
        'camel-case-expansion': false,
        'dot-notation': false,
        'boolean-negation': false,
        'short-option-groups': false,
      })
      .locale('en')
      .options(table)
      .strict()
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseSync() as Record<string, unknown>;
    const values: Record<string, string | boolean | undefined> = {};
    for (const { name } of OPTIONS) {
      const value = parsed[name];
      if (Array.isArray(value)) throw refuse(`--${name} is given more than once.`);
      if (typeof value === 'string') values[name] = value.slice(1);
      else if (typeof value === 'boolean') values[name] = value;
    }
    return values;
  } catch (error) {
    throw translate(error, 'USAGE', `${clean(String((error as Error).message))}.`);
  }
}

function check(values: Values): Options {
  const ways = OPTIONS.filter(({ name, group }) => group === 'Start' && values[name] !== undefined);
  const [way, another] = ways;
  if (another !== undefined)
    throw refuse(`${way?.short} and ${another.short} exclude each other; start two.`);
  const isServer = way?.name === 'lan-server' || way?.name === 'internet-server';
  const isClient = way?.name === 'lan-client' || way?.name === 'internet-client';
  const mode = isServer ? 'server' : isClient ? 'client' : 'shell';
  only(values, isServer, '-ls or -s', [
    'name',
    'block-duration',
    'timeout',
    'invite-only',
    'smtp-url-file',
    'turn-url-file',
    'call-ports',
  ]);
  only(values, way?.name === 'lan-client', '-lc', ['connect', 'server']);
  only(values, mode !== 'shell', '-ls, -lc, -s or -c', ['listen', 'code', 'password-file']);
  const execute = text(values, 'execute');
  const headless = values['headless'] === true;
  if (execute !== undefined && headless) throw refuse('-e and --headless exclude each other.');
  if (execute !== undefined && execute.trim() === '') throw refuse('-e needs a command.');
  const listen = address(values, 'listen', true);
  return {
    action: 'run',
    mode,
    ...given('listen', listen as Required<Address> | undefined),
    ...given('connect', address(values, 'connect', false)),
    ...target(values),
    internet: way?.name === 'internet-server' || way?.name === 'internet-client',
    ...given('server', name(values, 'server')),
    ...given('name', name(values, 'name')),
    ...given('user', name(values, 'user')),
    ...given('passwordFile', text(values, 'password-file')),
    ...given('code', text(values, 'code')),
    inviteOnly: values['invite-only'] === true,
    ...given('smtpUrlFile', text(values, 'smtp-url-file')),
    ...given('turnUrlFile', text(values, 'turn-url-file')),
    ...given('callPorts', callPorts(values)),
    blockDuration: seconds(values, 'block-duration') ?? DEFAULT_BLOCK_SECONDS,
    ...given('timeout', seconds(values, 'timeout')),
    ...given('camera', text(values, 'camera')),
    ...given('mic', text(values, 'mic')),
    ...given('speaker', text(values, 'speaker')),
    ...given('screen', text(values, 'screen')),
    ...given('videoSize', pictureSize(values)),
    ...given('graphics', graphics(values)),
    ...given('execute', execute),
    json: values['json'] === true,
    plain: values['plain'] === true,
    headless,
    ...given('data', text(values, 'data')),
    ...given('log', text(values, 'log')),
  };
}

function given<Key extends string, T>(key: Key, value: T | undefined): { [K in Key]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: T };
}

function only(values: Values, allowed: boolean, where: string, names: readonly string[]): void {
  for (const option of names)
    if (!allowed && values[option] !== undefined && values[option] !== false)
      throw refuse(`--${option} goes with ${where}.`);
}

function text(values: Values, option: string): string | undefined {
  const value = values[option];
  if (typeof value !== 'string') return undefined;
  if (value.includes('\0')) throw refuse(`The value of --${option} cannot be used.`);
  return value;
}

function name(values: Values, option: string): string | undefined {
  const value = text(values, option)?.normalize('NFC');
  if (value !== undefined && !isName(value)) throw refuse(`--${option}: ${textOf('BAD_NAME')}`);
  return value;
}

function seconds(values: Values, option: string): number | undefined {
  const value = text(values, option);
  if (value === undefined) return undefined;
  const number = /^\d{1,12}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > MAX_SECONDS)
    throw refuse(`--${option} takes a whole number of seconds, 1 or more.`);
  return number;
}

function callPorts(values: Values): Options['callPorts'] {
  const value = text(values, 'call-ports');
  try {
    return value === undefined ? undefined : parsePortRange(value);
  } catch (error) {
    throw refuse(`--call-ports: ${(error as Error).message}`);
  }
}

function graphics(values: Values): string | undefined {
  const value = text(values, 'graphics');
  if (value !== undefined && !(GRAPHICS_MODES as readonly string[]).includes(value))
    throw refuse(`--graphics takes one of ${GRAPHICS_MODES.join(', ')}.`);
  return value;
}

function pictureSize(values: Values): Options['videoSize'] {
  const value = text(values, 'video-size');
  if (value === undefined) return undefined;
  const size = parsePictureSize(value);
  if (size === undefined)
    throw refuse('--video-size takes WIDTHxHEIGHT or WIDTHxHEIGHT@FPS, such as 160x96@15.');
  return size;
}

/** What `-c` is given: an invite link, or an address. */
function target(values: Values): Pick<Options, 'connect' | 'invite'> {
  const written = text(values, 'internet-client')?.trim();
  if (written === undefined || written === '') return {};
  if (isInviteLink(written)) return { invite: written };
  const connect = parseAddress(written);
  if (connect === undefined || connect.port === 0)
    throw refuse('-c takes an invite link, or an address IP or IP:PORT.');
  return { connect };
}

function address(values: Values, option: string, listening: boolean): Address | undefined {
  const value = text(values, option);
  if (value === undefined) return undefined;
  const parsed = parseAddress(value);
  const portIsFine = listening
    ? parsed?.port !== undefined
    : parsed?.port === undefined || parsed.port > 0;
  if (parsed === undefined || !portIsFine)
    throw refuse(
      `--${option} takes an address ${listening ? 'IP:PORT' : 'IP or IP:PORT'}, such as 192.168.1.20:49152.`,
    );
  return parsed;
}

/** `IP`, `IP:PORT`, `[IPv6]:PORT` or the same with `localhost`; undefined when it is none of these. */
export function parseAddress(written: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(written.trim());
  const host =
    match === null
      ? isIP(written.trim()) === 6
        ? written.trim()
        : undefined
      : (match[1] ?? match[2]);
  if (host === undefined) return undefined;
  const known = host.toLowerCase() === 'localhost' ? '127.0.0.1' : host;
  const version = isIP(known);
  if (version === 0 || (match?.[1] !== undefined && version !== 6)) return undefined;
  if (match?.[3] === undefined) return { host: known };
  const port = Number(match[3]);
  return port > 65_535 ? undefined : { host: known, port };
}

/**
 * The password handed in for unattended use: the file's first line, else `CLCHAT_PASSWORD`.
 * @throws ClchatError NO_SUCH_FILE, USAGE (empty or longer than 4 KiB)
 */
export function passwordOf(
  options: Pick<Options, 'passwordFile'>,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return secretOf(options.passwordFile, environment['CLCHAT_PASSWORD'], 'password file');
}

/**
 * The mail server of a server to start: the file's first line, else `CLCHAT_SMTP_URL`.
 * @throws ClchatError NO_SUCH_FILE, USAGE (empty or longer than 4 KiB)
 */
export function smtpUrlOf(
  options: Pick<Options, 'smtpUrlFile'>,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return secretOf(options.smtpUrlFile, environment['CLCHAT_SMTP_URL'], 'file with the mail server');
}

/**
 * The TURN server for calls of a server to start: the file's first line, else `CLCHAT_TURN_URL`.
 * @throws ClchatError NO_SUCH_FILE, USAGE (empty or longer than 4 KiB)
 */
export function turnUrlOf(
  options: Pick<Options, 'turnUrlFile'>,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return secretOf(options.turnUrlFile, environment['CLCHAT_TURN_URL'], 'file with the TURN server');
}

function secretOf(
  file: string | undefined,
  fromEnvironment: string | undefined,
  what: string,
): string | undefined {
  if (file === undefined) return fromEnvironment === '' ? undefined : fromEnvironment;
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ClchatError('NO_SUCH_FILE', `The ${what} cannot be read.`, { cause: error });
  }
  const line = content.split(/\r?\n/, 1)[0] ?? '';
  if (line === '' || Buffer.byteLength(line) > MAX_SECRET_BYTES)
    throw refuse(`The first line of the ${what} is empty or too long.`);
  return line;
}
