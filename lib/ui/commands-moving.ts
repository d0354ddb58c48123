/** The part of the command table that is about moving in and out: histories, accounts, figures. */
import type { Command } from './commands.ts';

export const MOVING_COMMANDS: readonly Command[] = [
  {
    name: 'export',
    group: 'messages',
    arguments: [
      {
        name: 'conversation',
        kind: 'conversation',
        label: '@USER|#ROOM',
        optional: true,
        signed: true,
      },
      { name: 'file', kind: 'file' },
    ],
    flags: [{ name: 'format', kind: 'word', choices: ['text', 'json'] }],
    summary: 'write the whole history of a conversation into a file',
    help: 'Without a conversation it is the current one. A file that ends in .jsonl or .json gets a JSON object a line, any other one text; --format says otherwise. Another file is replaced only after a question, and never unattended. A name with spaces goes between double quotes.',
    examples: [
      'export lobby.txt',
      'export @bob bob.jsonl',
      'export #lobby lobby.log --format json',
    ],
    errors: [
      'NO_SUCH_USER',
      'NO_SUCH_ROOM',
      'SELF',
      'NOT_IN_ROOM',
      'NOT_MEMBER',
      'NO_SUCH_FILE',
      'ALREADY',
    ],
    login: true,
    asks: true,
  },
  {
    name: 'import',
    group: 'administration',
    arguments: [{ name: 'file', kind: 'file' }],
    summary: 'make an account of each line of a file with names and passwords',
    help: 'A line is a name, a space and a password, as in the credentials.txt of ChatCLI; blank lines and those that begin with # are passed over. The accounts are in the group "user". No password reaches the server in a readable form, but whoever has the file knows them: at the first login each has to enter a new one, which may be the same again. Names that are taken are skipped, so the same file can be imported twice.',
    examples: ['import credentials.txt'],
    errors: ['DENIED', 'NO_SUCH_FILE', 'TOO_LARGE', 'RATE_LIMITED', 'NETWORK'],
    login: true,
    asks: true,
  },
  {
    name: 'stats',
    group: 'program',
    summary: 'show figures of the server, of this device and of this program',
    login: true,
  },
];
