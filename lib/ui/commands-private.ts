/** The part of the command table that is about private sessions. */
import type { ErrorCode } from '../errors.ts';
import type { Argument, Command } from './commands.ts';

const USER: Argument = { name: 'user', kind: 'user' };
const ASKER: Argument = { ...USER, optional: true };
const OF_SOMEBODY: readonly ErrorCode[] = ['NO_SUCH_USER', 'SELF'];

export const PRIVATE_COMMANDS: readonly Command[] = [
  {
    name: 'startprivate',
    group: 'people',
    arguments: [USER],
    summary: 'ask somebody for a private session, from device to device',
    help: 'They have 60 seconds to answer; to who has asked you it says yes. What is said in it goes straight to their device, encrypted with keys that are gone with the session. It is not kept anywhere, and the server has no part in it: it goes on while the server is away. Log in elsewhere, and the session stays where it is; log out, and it ends. Where only a relay leads to them you are asked first.',
    examples: ['startprivate bob'],
    errors: [
      ...OF_SOMEBODY,
      'OFFLINE',
      'BLOCKED',
      'DECLINED',
      'ALREADY',
      'PEER_GONE',
      'RATE_LIMITED',
      'NETWORK',
    ],
    login: true,
    asks: true,
    overlaps: true,
  },
  {
    name: 'private',
    group: 'people',
    arguments: [USER, { name: 'message', kind: 'text' }],
    summary: 'say something in a private session',
    help: 'The answer says that it was shown to them. It is not kept, neither here nor there.',
    examples: ['private bob the key is under the mat'],
    errors: [...OF_SOMEBODY, 'NO_SESSION', 'PEER_GONE', 'RATE_LIMITED'],
    login: true,
    secret: true,
    overlaps: true,
  },
  {
    name: 'stopprivate',
    group: 'people',
    arguments: [USER],
    summary: 'end a private session, or withdraw the request for one',
    help: 'The other one is told first.',
    errors: [...OF_SOMEBODY, 'NO_SESSION'],
    login: true,
    overlaps: true,
  },
  {
    name: 'yes',
    group: 'people',
    arguments: [ASKER],
    summary: 'say yes to what was asked about somebody: a private session, or the way to it',
    help: 'Without a name it answers the one question that waits.',
    examples: ['yes alice'],
    errors: [...OF_SOMEBODY, 'NO_REQUEST', 'AMBIGUOUS', 'PEER_GONE'],
    login: true,
    overlaps: true,
  },
  {
    name: 'no',
    group: 'people',
    arguments: [ASKER],
    summary: 'say no to what was asked about somebody; the other one is told',
    help: 'Without a name it answers the one question that waits.',
    examples: ['no alice'],
    errors: [...OF_SOMEBODY, 'NO_REQUEST', 'AMBIGUOUS'],
    login: true,
    overlaps: true,
  },
  {
    name: 'verify',
    group: 'people',
    arguments: [
      USER,
      { name: 'answer', kind: 'word', label: 'yes|no', optional: true, choices: ['yes', 'no'] },
    ],
    summary: 'show the safety number that you and somebody else have in common',
    help: 'Read it to each other by voice: where it is the same, nobody stands between you. "verify USER yes" remembers on this device that you have, and you are told when it is not that number any more. It changes when one of you shuts out a device, or gets a new password by a code.',
    examples: ['verify bob', 'verify bob yes'],
    errors: OF_SOMEBODY,
    login: true,
  },
];
