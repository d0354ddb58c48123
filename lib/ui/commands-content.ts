/** The part of the command table that is about messages, and what is done about them. */
import type { ErrorCode } from '../errors.ts';
import type { Argument, Command } from './commands.ts';

const MESSAGE: Argument = { name: 'message', kind: 'word', label: 'N' };
const TEXT: Argument = { name: 'text', kind: 'text' };
const USER: Argument = { name: 'user', kind: 'user' };
const COUNT: Argument = { name: 'count', kind: 'number', optional: true };

/** Of whoever names a message, and does something about it. */
const OF_MESSAGE: readonly ErrorCode[] = ['NO_SUCH_MESSAGE', 'AMBIGUOUS', 'DENIED', 'NOT_IN_ROOM'];
/** Of whoever says something by that. */
const SAYING: readonly ErrorCode[] = [
  'TOO_LARGE',
  'BLOCKED',
  'BANNED',
  'NOT_MEMBER',
  'NOT_SUPPORTED',
];

/** How a message is named, for the help of each command. */
const NAMING =
  'N counts your own messages in the current conversation, the newest as 1; ^N, or ^ alone, counts those of anybody. The beginning of an id, of four digits or more, names any message at all: "settings ids on" shows them.';

export const CONTENT_COMMANDS: readonly Command[] = [
  {
    name: 'message',
    aliases: ['msg'],
    group: 'messages',
    arguments: [USER, { name: 'message', kind: 'text' }],
    summary: 'send a message to one person',
    help: 'It is sealed so that only your and their devices can read it. Somebody who is not online gets it later.',
    examples: ['message bob hello', 'message @bob see you at eight'],
    errors: ['NO_SUCH_USER', 'SELF', 'BLOCKED', 'DENIED', 'TOO_LARGE'],
    login: true,
    overlaps: true,
  },
  {
    name: 'say',
    group: 'messages',
    arguments: [TEXT],
    summary: 'say something in the current room',
    help: 'Or to whom you talk at the moment (see "talk"). Whoever was put out of the room that they had entered is told so once (NOT_IN_ROOM) before anything is said elsewhere.',
    examples: ['say good morning'],
    errors: ['DENIED', 'NOT_IN_ROOM', ...SAYING],
    login: true,
    overlaps: true,
  },
  {
    name: 'broadcast',
    group: 'messages',
    arguments: [{ name: 'message', kind: 'text' }],
    summary: 'tell everybody who is online',
    help: 'It is not kept for those who are not online. The answer names those whom it did not reach.',
    errors: ['DENIED', 'TOO_LARGE', 'NETWORK'],
    login: true,
  },
  {
    name: 'history',
    group: 'messages',
    arguments: [
      { name: 'conversation', kind: 'conversation', label: '@USER|#ROOM', optional: true },
      COUNT,
    ],
    summary: 'show the newest messages of a conversation',
    help: 'Without a conversation it is the current one; without a count, 20 messages. The count is 1 or more. What is shown counts as read (see "notifications").',
    examples: ['history', 'history 50', 'history @bob 5', 'history #lobby'],
    errors: ['NO_SUCH_USER', 'NO_SUCH_ROOM', 'SELF', 'AMBIGUOUS', 'NOT_MEMBER', 'TOO_LARGE'],
    login: true,
  },
  {
    name: 'search',
    group: 'messages',
    arguments: [{ name: 'words', kind: 'text' }],
    summary: 'find messages that contain all of these words',
    help: 'It looks through everything that this device holds and needs no server.',
    examples: ['search lunch friday'],
    login: true,
  },
  {
    name: 'edit',
    group: 'messages',
    arguments: [MESSAGE, TEXT],
    summary: 'give a message of yours another text',
    help: `${NAMING} Its earlier texts stay viewable to you and to those who may change messages ("versions"). With the permission "changeMessage" the messages of others in rooms can be edited, too.`,
    examples: ['edit 1 See you at nine.', 'edit 3fa91c See you at nine.'],
    errors: [...OF_MESSAGE, ...SAYING],
    login: true,
  },
  {
    name: 'remove',
    group: 'messages',
    arguments: [MESSAGE],
    summary: 'remove a message of yours for good',
    help: `${NAMING} All its texts and reactions are erased on the server and on every device, as soon as each is there. With the permission "changeMessage" the messages of others in rooms can be removed, too.`,
    examples: ['remove 1'],
    errors: [...OF_MESSAGE, 'BLOCKED'],
    login: true,
  },
  {
    name: 'reply',
    group: 'messages',
    arguments: [MESSAGE, TEXT],
    summary: 'answer a message, where it was said',
    help: `${NAMING} The answer shows whom and what it answers.`,
    examples: ['reply ^ Me too.', 'reply ^3 That was me.', 'reply 3fa91c Yes.'],
    errors: [...OF_MESSAGE, ...SAYING],
    login: true,
  },
  {
    name: 'react',
    group: 'messages',
    arguments: [MESSAGE, { name: 'emoji', kind: 'word' }],
    summary: 'react to a message with an emoji; the same again takes it back',
    help: `${NAMING} A reaction is an emoji or another short word without spaces.`,
    examples: ['react ^ +1', 'react 3fa91c :-)'],
    errors: [...OF_MESSAGE, ...SAYING],
    login: true,
  },
  {
    name: 'versions',
    group: 'messages',
    arguments: [MESSAGE],
    summary: 'show all texts that an edited message has had',
    help: `${NAMING} For its author, and in rooms for those with the permission "changeMessage".`,
    examples: ['versions 1'],
    errors: [...OF_MESSAGE, 'NETWORK'],
    login: true,
  },
  {
    name: 'notifications',
    group: 'messages',
    summary: 'list what is unread, and who waits for an answer',
    help: 'All your devices agree on what is unread. Read is what "history" has shown, what you have answered, and what was shown of the current conversation while somebody was at the keyboard; what came before it counts as read, too. At most 999 messages of a conversation are counted. With "settings receipts off" nobody is told what you read here; the server keeps your own mark all the same.',
    errors: ['NETWORK'],
    login: true,
  },
];
