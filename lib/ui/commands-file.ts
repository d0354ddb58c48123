/** The part of the command table that is about files with messages. */
import type { Command } from './commands.ts';

export const FILE_COMMANDS: readonly Command[] = [
  {
    name: 'attach',
    group: 'messages',
    arguments: [
      { name: 'file', kind: 'file' },
      { name: 'text', kind: 'text', optional: true },
    ],
    summary: 'say something with a file in the current conversation',
    help: 'The file is sealed where the conversation is, and kept by the server for those who may read the message. Where the server is away, or the sending is interrupted, it goes on later by itself. A name with spaces goes between double quotes. How large a file may be is set for each group.',
    examples: ['attach plan.pdf', 'attach "my photo.jpg" look at this'],
    errors: [
      'DENIED',
      'TOO_LARGE',
      'NO_SUCH_FILE',
      'BLOCKED',
      'NOT_IN_ROOM',
      'NOT_MEMBER',
      'NOT_SUPPORTED',
    ],
    login: true,
  },
  {
    name: 'save',
    group: 'messages',
    arguments: [
      { name: 'message', kind: 'word', optional: true },
      { name: 'target', kind: 'file', optional: true, here: true },
    ],
    summary: 'save the file of a message',
    help: 'The message is named as for "edit"; without one it is the newest file of the conversation. The file comes from the server or from whoever else has it, is checked, and goes into the current directory, or to the given place; another file of the name stays, and the new one gets a number.',
    examples: ['save', 'save ^2 ~/Downloads', 'save 3fa8 plan.pdf'],
    errors: [
      'NO_SUCH_MESSAGE',
      'AMBIGUOUS',
      'NO_SUCH_FILE',
      'NOT_IN_ROOM',
      'BAD_MESSAGE',
      'NOT_SUPPORTED',
      'NETWORK',
    ],
    login: true,
    overlaps: true,
  },
];
