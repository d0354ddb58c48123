/** What every command refuses: a line that it does not understand, and whoever is not logged in. */
import { COMMANDS, type Command } from '../../../lib/ui/commands.ts';
import type { Row, Scene } from './row.ts';

/** A line of a command that cannot be understood; undefined where every line can. */
function nonsense({ name, arguments: given = [], flags = [] }: Command): string | undefined {
  const last = given.at(-1);
  if (last === undefined) return `${name} nonsense`;
  if (given.some(({ optional }) => optional !== true)) return name;
  if (last.kind === 'number' || last.choices !== undefined)
    return [name, ...given.map(() => '#x')].join(' ');
  // A last argument is all that is left of the line, unless flags may follow.
  return flags.length === 0 ? undefined : [name, ...given.map(() => 'x'), 'x'].join(' ');
}

/** A line of a command that can be understood. */
function sense({ name, arguments: given = [] }: Command): string {
  const needed = given.filter(({ optional }) => optional !== true);
  return [name, ...needed.map(({ choices }) => choices?.[0] ?? '1')].join(' ');
}

export const USAGE: Scene = {
  title: 'lines that are not understood',
  rows: [
    ['alice', 'frobnicate', 'USAGE'],
    ...COMMANDS.flatMap((command): Row[] => {
      const line = nonsense(command);
      return line === undefined ? [] : [['alice', line, 'USAGE']];
    }),
  ],
};

export const LOGGED_OUT: Scene = {
  title: 'lines of those who are not logged in',
  rows: [
    ['carol', 'logout'],
    ...COMMANDS.filter(({ login }) => login === true).map((command): Row => [
      'carol',
      sense(command),
      'NOT_LOGGED_IN',
    ]),
    ['carol', 'login carol', { user: 'carol' }],
    // Out of a room, and only then out of the program.
    ['carol', 'enter garden', {}],
    ['carol', 'exit', {}],
    ['carol', 'leave', 'NOT_IN_ROOM'],
    ['carol', 'exit', {}],
    ['carol', '$ ended', { status: 0 }],
    ['bob', 'quit'],
    ['bob', '$ ended', { status: 0 }],
  ],
};
