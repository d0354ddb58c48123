/** Completion of a half-typed line: commands, people, rooms, devices, files, words. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../app/types.ts';
import { clean, fold } from '../text.ts';
import { COMMANDS, commandOf, type Argument } from './commands.ts';
import { scan, type Part } from './parse.ts';

export interface Candidate {
  /** What replaces the part of the line between `start` and the cursor. */
  readonly text: string;
  /** Whether a space follows: nothing more can be added to it. */
  readonly final: boolean;
}

export interface Completion {
  /** Offset in the line, in UTF-16 units, from which a candidate replaces up to the cursor. */
  readonly start: number;
  /** Best first; at most `MAX_CANDIDATES`. */
  readonly candidates: readonly Candidate[];
}

export const MAX_CANDIDATES = 200;

/** Names in a directory that are looked at. */
const MAX_FILES = 10_000;

type Names = Pick<App, 'names'>;

/** Completes the line before the cursor as a command. */
export function completeCommand(before: string, app: Names): Completion {
  const { word, command, parts, next } = scan(before);
  if (word.end === before.length && (parts.length === 0 || command === undefined)) {
    const typed = word.value.toLowerCase();
    const names = COMMANDS.map((entry) => entry.name).filter((name) => name.startsWith(typed));
    return { start: word.start, candidates: names.map((text) => ({ text, final: true })) };
  }
  if (command === undefined) return { start: before.length, candidates: [] };
  const last = parts.at(-1);
  if (last !== undefined && last.end === before.length) {
    const flags = flagCandidates(command.name, last.value);
    if (flags.length > 0) return { start: last.start, candidates: flags };
    return {
      start: last.start,
      candidates: candidatesFor(offered(last.target, parts.at(-2)), before.slice(last.start), app),
    };
  }
  if (next === undefined) return { start: before.length, candidates: [] };
  return { start: before.length, candidates: candidatesFor(offered(next, last), '', app) };
}

type Target = Partial<Pick<Argument, 'kind' | 'choices' | 'offers' | 'offersAfter' | 'or'>>;

/** What is completed, with the words that are offered for it after what stands before it. */
function offered(target: Target, previous: Part | undefined): Target {
  const { offersAfter = {} } = target;
  const word = previous?.value.toLowerCase() ?? '';
  return Object.hasOwn(offersAfter, word) ? { ...target, offers: offersAfter[word]! } : target;
}

/** Completes the line before the cursor in chat mode: `/word` as a command, else people and rooms. */
export function completeChat(before: string, app: Names): Completion {
  if (before.startsWith('/') && !before.startsWith('//')) return completeCommand(before, app);
  const path = /(?<!\S)#\S*$/u.exec(before)?.[0];
  if (path !== undefined)
    return { start: before.length - path.length, candidates: signed('#', app.names('room'), path) };
  const typed = /[^\s@]*$/u.exec(before)?.[0] ?? '';
  const start = before.length - typed.length;
  if (typed === '') return { start, candidates: [] };
  // At the beginning of a line a name addresses somebody.
  const suffix = start === 0 ? ':' : '';
  const candidates = matching(app.names('user'), typed).map((name) => ({
    text: name + suffix,
    final: true,
  }));
  return { start, candidates };
}

function flagCandidates(commandName: string, typed: string): Candidate[] {
  if (!typed.startsWith('--')) return [];
  return (commandOf(commandName)?.flags ?? [])
    .filter(({ hidden }) => hidden !== true)
    .map((flag) => `--${flag.name}`)
    .filter((flag) => flag.startsWith(typed) && flag !== typed)
    .map((text) => ({ text, final: true }));
}

/** Names that go on from what was typed, each after a sign that it may be typed with. */
function signed(sign: string, names: readonly string[], typed: string): Candidate[] {
  const begun = typed.startsWith(sign) ? typed.slice(sign.length) : typed;
  return matching(names, begun).map((name) => ({ text: sign + name, final: true }));
}

function candidatesFor(target: Target, typed: string, app: Names): Candidate[] {
  const words = (values: readonly string[]): Candidate[] => signed('', values, typed);
  const users = (): Candidate[] =>
    signed(typed.startsWith('@') ? '@' : '', app.names('user'), typed);
  const { choices = target.offers } = target;
  if (choices !== undefined) return words(choices);
  switch (target.kind) {
    case 'user':
      return users();
    case 'room':
      return signed(typed.startsWith('#') ? '#' : '', app.names('room'), typed);
    case 'conversation': {
      if (typed !== '' && !/^[@#]/.test(typed)) return words(app.names('user'));
      const rooms = typed.startsWith('@') ? [] : signed('#', app.names('room'), typed);
      return typed.startsWith('#') ? rooms : [...rooms, ...signed('@', app.names('user'), typed)];
    }
    case 'conference':
      if (typed.startsWith('#')) return signed('#', app.names('conference-id'), typed);
      return [
        ...(typed.startsWith('@') ? [] : words(app.names('conference'))),
        ...(target.or === 'user' ? users() : []),
      ];
    case 'group':
      if (target.or === 'room' && typed.startsWith('#'))
        return signed('#', app.names('room'), typed);
      return words(app.names('group'));
    case 'device':
      return words(app.names('device'));
    case 'command':
      return words(COMMANDS.map((entry) => entry.name));
    case 'file':
      return completeFile(typed);
    case 'text':
    case 'secret':
    case 'number':
    case 'address':
    case 'word':
    case undefined:
      return [];
    default:
      return target.kind satisfies never;
  }
}

/** Names come from others: one that is not clean text is never offered. */
function matching(names: readonly string[], typed: string): string[] {
  const begun = fold(typed);
  const found: string[] = [];
  for (const name of names) {
    if (found.length >= MAX_CANDIDATES) break;
    if (fold(name).startsWith(begun) && clean(name) === name) found.push(name);
  }
  return found;
}

/** Files and directories whose path begins with `typed`; `~/` is the home directory. */
export function completeFile(typed: string): Candidate[] {
  const slash = typed.lastIndexOf('/') + 1;
  const shown = typed.slice(0, slash);
  const begun = typed.slice(slash);
  const directory = shown.startsWith('~/') ? join(homedir(), shown.slice(2)) : shown || '.';
  let entries;
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    // Nothing to offer in a directory that is not there or may not be read.
    return [];
  }
  return entries
    .slice(0, MAX_FILES)
    .filter((entry) => entry.name.startsWith(begun) && clean(entry.name) === entry.name)
    .filter((entry) => begun !== '' || !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, MAX_CANDIDATES)
    .map((entry) => {
      const folder = entry.isDirectory();
      return { text: shown + entry.name + (folder ? '/' : ''), final: !folder };
    });
}

/** The longest beginning that all candidates share. */
export function commonPrefix(candidates: readonly Candidate[]): string {
  let prefix = candidates[0]?.text ?? '';
  for (const { text } of candidates) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  // Not in the midst of a surrogate pair.
  return prefix.isWellFormed() ? prefix : prefix.slice(0, -1);
}
