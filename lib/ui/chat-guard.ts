/** What chat mode takes care of: commands typed without their slash, and texts that name commands. */
import { commandOf } from './commands.ts';
import { scan } from './parse.ts';

/**
 * The command that a line of chat begins with, where saying the line would tell everybody what was
 * meant for the server alone.
 */
export function exposedCommand(line: string): string | undefined {
  const { word, command } = scan(line);
  if (command === undefined || line.slice(word.end).trim() === '') return undefined;
  return command.secret === true || command.name === 'resetpasswd' ? command.name : undefined;
}

/** A word in quotes after one of these is a name that somebody chose. */
const QUOTED = /(?<!(?:user|room|command|server|named|device) )"([a-z]+)((?: [^"]*)?)"/g;

/** An error's text, with the commands that it names written as they are typed in chat mode. */
export function withSlashes(text: string): string {
  return text
    .replace(QUOTED, (whole, word: string, rest: string) =>
      commandOf(word) === undefined ? whole : `"/${word}${rest}"`,
    )
    .replace(/\bUsage: (?=[a-z])/g, 'Usage: /');
}
