/** What chat mode takes care of: commands typed without their slash, and texts that name commands. */
import { commandOf } from './commands.ts';
import { scan, type Part } from './parse.ts';
import { fold } from '../text.ts';

/**
 * The command that a line of chat begins with, where saying the line would tell everybody what was
 * meant for the server alone.
 * @param rooms paths of the rooms that there are
 */
export function exposedCommand(line: string, rooms: readonly string[] = []): string | undefined {
  const { word, command, parts } = scan(line);
  if (command === undefined || line.slice(word.end).trim() === '') return undefined;
  if (command.group === 'rooms' && !isAboutRoom(parts, rooms)) return undefined;
  return command.secret === true || command.name === 'resetpasswd' ? command.name : undefined;
}

/** "Room" and "enter" are words of every day: what follows has to look like a room and its password. */
function isAboutRoom(parts: readonly Part[], rooms: readonly string[]): boolean {
  const name = parts.find(({ target }) => target.kind === 'room')?.value.replace(/^#/, '') ?? '';
  const secret = parts.find(({ target }) => target.kind === 'secret')?.value.trim() ?? '';
  if (secret === '') return false;
  return !/\s/u.test(secret) || rooms.some((path) => fold(path) === fold(name));
}

/** A word in quotes after one of these is a name that somebody chose. */
const QUOTED =
  /(?<!(?:user|room|command|server|named|device|group|permission|conference|code|by) )"([a-z]+)((?: [^"]*)?)"/g;

/** An error's text, with the commands that it names written as they are typed in chat mode. */
export function withSlashes(text: string): string {
  return text
    .replace(QUOTED, (whole, word: string, rest: string) =>
      commandOf(word) === undefined ? whole : `"/${word}${rest}"`,
    )
    .replace(/\bUsage: (?=[a-z])/g, 'Usage: /');
}
