/** The part of the command table that is about messages after they have been said. */
import type { ErrorCode } from '../errors.ts';
import type { Argument, Command } from './commands.ts';

const MESSAGE: Argument = { name: 'message', kind: 'word', label: 'N' };
const TEXT: Argument = { name: 'text', kind: 'text' };

/** Of whoever names a message, and does something about it. */
const OF_MESSAGE: readonly ErrorCode[] = ['NO_SUCH_MESSAGE', 'AMBIGUOUS', 'DENIED'];
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
