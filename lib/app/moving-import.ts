/** Accounts for many at once, of a file with a name and a password on each line. */
import { USER_GROUP } from '../crdt/permissions.ts';
import { ClchatError, codeOf, hasCode, textOf, type ErrorCode } from '../errors.ts';
import { sleep } from '../lifecycle.ts';
import type { Client } from '../node/client/client.ts';
import { readFileBounded } from '../node/files.ts';
import { clean } from '../text.ts';
import { freeName, mustReachGroup } from './admin-handling.ts';
import { mustBeAllowed, need, type Handler } from './handling.ts';
import { pathOf } from './moving-paths.ts';
import { Telling } from './moving-telling.ts';

/** An account that a line asks for. */
export interface Credentials {
  /** Of its line, from 1. */
  readonly line: number;
  readonly name: string;
  readonly password: string;
}

/** A line of which no account is made. */
export interface Skipped {
  readonly line: number;
  /** Absent where the line cannot be read. */
  readonly name?: string;
  readonly code: ErrorCode;
  readonly text: string;
}

const MAX_LINES = 10_000;
const MAX_BYTES = 16 << 20;
/** UTF-16 units of what stands for a name: names have 32 characters. */
const MAX_SHOWN = 64;
/** How long to wait where the server has enough for now, in milliseconds, and how often. */
const RETRY_MS = 1_000;
const MAX_RETRIES = 60;
/** What is wrong with one line, and says nothing of the others. */
const OF_A_LINE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NAME_TAKEN',
  'BAD_NAME',
  'TOO_LARGE',
  'USAGE',
]);

/**
 * Reads lines `name password`: the password is the rest of its line. Blank lines and those that begin
 * with `#` are passed over.
 * @throws TOO_LARGE when there are too many
 */
export function credentialsIn(text: string): (Credentials | Skipped)[] {
  const found: (Credentials | Skipped)[] = [];
  for (const [index, written] of text.split(/\r\n|\r|\n/).entries()) {
    const line = index + 1;
    const trimmed = written.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    if (found.length === MAX_LINES)
      throw new ClchatError('TOO_LARGE', `A file may name up to ${MAX_LINES} accounts.`);
    const [, name, password] = /^(\S+)\s+(.+)$/u.exec(trimmed) ?? [];
    if (name === undefined || password === undefined)
      found.push({ line, code: 'USAGE', text: 'A line is a name, a space and a password.' });
    else found.push({ line, name: name.normalize('NFC'), password });
  }
  return found;
}

/** Enough of what stands for a name to find it by: it may be anything. */
function shown(name: string): string {
  return clean(name.slice(0, MAX_SHOWN));
}

/** @throws NO_SUCH_FILE, TOO_LARGE, USAGE */
async function readText(path: string): Promise<string> {
  const bytes = await readFileBounded(path, MAX_BYTES);
  if (bytes === undefined) throw new ClchatError('NO_SUCH_FILE', `There is no file ${path}.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ClchatError('USAGE', `${path} is no text in UTF-8.`);
  }
}

/** Makes one account. @throws as it is refused */
async function make(client: Client, { name, password }: Credentials): Promise<void> {
  const { home, administration } = client;
  freeName(home, name);
  for (let attempt = 1; ; attempt++) {
    // Whoever imports is at work, though nobody types.
    client.touch();
    try {
      await administration.createUser({ name, group: USER_GROUP, password });
      return;
    } catch (error) {
      if (!hasCode(error, 'RATE_LIMITED') || attempt > MAX_RETRIES) throw error;
      await sleep(RETRY_MS);
    }
  }
}

export const importAccounts: Handler = async ({ file }, context) => {
  const { client, ask } = context;
  const { home } = client;
  mustBeAllowed(home, 'createUser');
  mustReachGroup(home, USER_GROUP);
  const path = pathOf(need(file, 'The file'));
  const lines = credentialsIn(await readText(path));
  const accounts = lines.filter((line) => 'password' in line);
  const made: string[] = [];
  const skipped = lines.filter((line): line is Skipped => 'code' in line);
  const [first] = accounts;
  if (first !== undefined && ask !== undefined) {
    const question = `Make ${accounts.length} accounts, beginning with "${shown(first.name)}"?`;
    if (!(await ask.confirm(question, true))) return { file: path, made, skipped, declined: true };
  }
  const telling = new Telling(context, `Import of ${path}`);
  for (const [index, account] of accounts.entries()) {
    const { line, name } = account;
    telling.tell('done', index, accounts.length);
    try {
      await make(client, account);
      made.push(name);
    } catch (error) {
      const code = codeOf(error);
      const text = error instanceof ClchatError ? error.message : textOf(code);
      if (!OF_A_LINE.has(code)) {
        const sofar = `${made.length} accounts are made. Line ${line} could not be: ${text}`;
        const advice = 'To go on, import the file again: what is there already is skipped.';
        throw new ClchatError(code, `${sofar} ${advice}`, { cause: error });
      }
      skipped.push({ line, name: shown(name), code, text });
    }
  }
  skipped.sort((a, b) => a.line - b.line);
  return { file: path, made, skipped };
};
