/**
 * A typed line to a command: names, quotes and flags as the command table says. What was typed may
 * be anything at all, so every outcome is a call or a ClchatError.
 */
import type { CommandCall } from '../app/types.ts';
import { ClchatError } from '../errors.ts';
import { byteLength, clean, MAX_TEXT_BYTES, nearest } from '../text.ts';
import {
  commandOf,
  COMMAND_WORDS,
  labelOf,
  usageOf,
  type Argument,
  type Command,
  type Flag,
} from './commands.ts';
import { MAX_LINE_BYTES } from './lines.ts';

/** Longest value of any argument but a text, in bytes. */
const MAX_VALUE_BYTES = 4096;

/** A word or the rest of the line: where it stands in the line, and what it says without quotes. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

/** A piece of a line and what it is meant for. */
export interface Part extends Piece {
  readonly target: Argument | Flag;
}

/** How far a line could be understood. */
export interface Scan {
  /** The first word, without the slash. */
  readonly word: Piece;
  readonly command: Command | undefined;
  readonly parts: readonly Part[];
  /** Words for which the command has no argument. */
  readonly surplus: string;
  /** What a further word at the end of the line would be for. */
  readonly next: Argument | undefined;
}

const SPACE = /\s/u;
/** Kinds that take the rest of the line, as the last argument of whatever command. */
const REST: ReadonlySet<Argument['kind']> = new Set(['text', 'secret']);

/** The word at `from` (which is no space): up to a space, or what stands between double quotes. */
function wordAt(line: string, from: number): Piece {
  if (line[from] === '"') {
    let value = '';
    for (let at = from + 1; at < line.length; at += 1) {
      const character = line[at] as string;
      if (character === '"') {
        const closed = at + 1 === line.length || SPACE.test(line[at + 1] as string);
        if (closed) return { start: from, end: at + 1, value };
        break;
      }
      const escaped = character === '\\' && /["\\]/.test(line[at + 1] ?? '');
      value += escaped ? (line[(at += 1)] as string) : character;
    }
    // No closing quote: the quote is part of the word.
  }
  let end = from;
  while (end < line.length && !SPACE.test(line[end] as string)) end += 1;
  return { start: from, end, value: line.slice(from, end) };
}

function skipSpace(line: string, from: number): number {
  let at = from;
  while (at < line.length && SPACE.test(line[at] as string)) at += 1;
  return at;
}

/** Whether a word could be meant for an optional argument of this kind. */
function fits(argument: Argument, value: string): boolean {
  if (argument.signed === true) return /^[@#]/.test(value);
  if (argument.kind === 'conversation') return !/^\d+$/.test(value);
  if (argument.choices !== undefined) return argument.choices.includes(value.toLowerCase());
  return true;
}

/** Divides a line among the arguments of its command. Never throws; also the base of completion. */
export function scan(line: string): Scan {
  const first = skipSpace(line, 0);
  const slash = line[first] === '/' ? 1 : 0;
  const word = wordAt(line, Math.min(first + slash, line.length));
  const command = commandOf(word.value);
  const parts: Part[] = [];
  let at = word.end;
  const wanted = [...(command?.arguments ?? [])];
  const flags = [...(command?.flags ?? [])];
  while (command !== undefined) {
    const start = skipSpace(line, at);
    if (start >= line.length) break;
    const piece = wordAt(line, start);
    const flag = flags.find((candidate) => piece.value === `--${candidate.name}`);
    if (flag !== undefined) {
      flags.splice(flags.indexOf(flag), 1);
      at = piece.end;
      if (flag.kind === undefined) {
        parts.push({ ...piece, value: 'true', target: flag });
        continue;
      }
      const valueStart = skipSpace(line, at);
      const value = wordAt(line, Math.min(valueStart, line.length));
      parts.push({ ...value, target: flag });
      at = value.end;
      continue;
    }
    const argument = wanted.shift();
    if (argument === undefined) break;
    const last = wanted.length === 0;
    if (argument.yields === true && !last && isOneWord(line, piece)) continue;
    // Left out, where what was typed can only be meant for a later one.
    const isMeant = (one: Argument): boolean => fits(one, piece.value);
    const isForLater = wanted.some((one) => one.follows !== true && isMeant(one));
    if (argument.optional === true && !isMeant(argument) && isForLater) continue;
    if (last && !isFollowed(command, argument)) {
      // A text begins after one space, so that its own indentation stays.
      const from = argument.kind === 'text' ? Math.min(at + 1, start) : start;
      const rest = line.slice(from);
      const verbatim = argument.kind === 'text' || argument.kind === 'secret';
      const value = verbatim ? rest : rest.trimEnd();
      parts.push({ start: from, end: line.length, value, target: argument });
      at = line.length;
      break;
    }
    parts.push({ ...piece, target: argument });
    at = piece.end;
  }
  return { word, command, parts, surplus: line.slice(at).trim(), next: wanted[0] };
}

/** Whether flags may stand after a last argument, which is one word then. */
function isFollowed({ flags = [] }: Command, { kind }: Argument): boolean {
  return flags.length > 0 && !REST.has(kind);
}

function isOneWord(line: string, piece: Piece): boolean {
  return skipSpace(line, piece.end) >= line.length;
}

/**
 * Parses one line of command mode; a leading slash is allowed.
 * @throws ClchatError USAGE (with the usage line), TOO_LARGE
 */
export function parse(line: string): CommandCall {
  if (byteLength(line) > MAX_LINE_BYTES) throw new ClchatError('TOO_LARGE');
  const { word, command, parts, surplus } = scan(line);
  if (command === undefined) throw unknownCommand(word.value, line);
  const args: Record<string, string> = {};
  for (const part of parts) {
    const value = valueOf(command, part);
    if (value !== undefined) args[part.target.name] = value;
  }
  for (const argument of command.arguments ?? [])
    if (argument.optional !== true && args[argument.name] === undefined)
      throw usage(command, `${labelOf(argument)} is missing`);
  if (surplus !== '')
    throw usage(
      command,
      (command.arguments ?? []).length === 0 ? 'It takes no arguments' : 'That is too much',
    );
  return { name: command.name, args };
}

/** The checked value of one argument; undefined for one that is empty. */
function valueOf(command: Command, part: Part): string | undefined {
  const { target } = part;
  const kind = target.kind ?? 'word';
  const value = part.value;
  if (value.trim() === '') {
    if (part.target.kind !== undefined && command.flags?.includes(target) === true)
      throw usage(command, `--${target.name} needs a value`);
    return undefined;
  }
  if (kind === 'text') {
    if (byteLength(value) > MAX_TEXT_BYTES) throw new ClchatError('TOO_LARGE');
    return value;
  }
  if (byteLength(value) > MAX_VALUE_BYTES) throw new ClchatError('TOO_LARGE');
  const { choices } = target;
  if (choices !== undefined) {
    if (!choices.includes(value.toLowerCase()))
      throw usage(command, `"${shown(value)}" is none of ${choices.join(', ')}`);
    return value.toLowerCase();
  }
  if (kind === 'number' && !/^\d{1,15}$/.test(value))
    throw usage(command, `${labelOf(target)} is a whole number, not "${shown(value)}"`);
  if (kind === 'number') return String(Number(value));
  if (kind === 'user') return withoutPrefix(value, '@');
  if (kind === 'room') return withoutPrefix(value, '#');
  return value;
}

function withoutPrefix(value: string, prefix: string): string {
  const name = value.startsWith(prefix) && value.length > 1 ? value.slice(1) : value;
  // Some keyboards and systems type letters and accents apart; names are kept composed.
  return name.normalize('NFC');
}

function shown(value: string): string {
  const safe = clean(value);
  return safe.length > 40 ? `${safe.slice(0, 40)}…` : safe;
}

function usage(command: Command, problem: string): ClchatError {
  return new ClchatError('USAGE', `${problem}. Usage: ${usageOf(command)}`, {
    data: { command: command.name },
  });
}

function unknownCommand(word: string, line: string): ClchatError {
  if (word === '')
    return new ClchatError(
      'USAGE',
      line.trim() === ''
        ? 'An empty line is no command. Try "help".'
        : 'A command follows the slash without a space. Try "help".',
    );
  const near = suggest(word);
  const hint = near === undefined ? 'Try "help".' : `Did you mean "${near}"?`;
  return new ClchatError('USAGE', `There is no command "${shown(word)}". ${hint}`, {
    data: near === undefined ? {} : { suggestion: near },
  });
}

/** The command word that an unknown one may have been meant to be. */
export function suggest(word: string): string | undefined {
  return nearest(
    word,
    COMMAND_WORDS.filter((candidate) => candidate.length > 1),
  );
}

/**
 * Whether a line may carry a password and must therefore enter no history: also when its command
 * was mistyped.
 */
export function isSecretLine(line: string): boolean {
  const { word, command } = scan(line);
  const meant = command ?? commandOf(suggest(word.value) ?? '');
  return meant?.secret === true;
}

/** The line as it may be shown again: secrets are replaced. */
export function maskSecrets(line: string): string {
  if (!isSecretLine(line)) return line;
  const { word, command, parts } = scan(line);
  if (command === undefined) return line.slice(0, word.end);
  let masked = line;
  for (const part of [...parts].reverse()) {
    const open = part.target.kind !== 'secret' && part.target.name !== 'code';
    if (!open) masked = `${masked.slice(0, part.start)}****${masked.slice(part.end)}`;
  }
  return masked;
}
