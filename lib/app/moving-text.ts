/** Messages as lines of a text file that people read, with no terminal and no program in between. */
import { clean } from '../text.ts';
import type { FileView, MessageView } from './types.ts';

/** Date and time of day in UTC: the file may be read anywhere. A time that is none gives dashes. */
function timeOf({ time }: MessageView): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '---------- --:--:--';
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** Texts of others: further lines are indented, so that none can pose as another message. */
function indented(text: string): string {
  return clean(text, { multiline: true }).split('\n').join('\n  ');
}

function fileText({ name, size, width, height }: FileView): string {
  const pixels = width === undefined || height === undefined ? '' : `, ${width}×${height}`;
  return `[file "${clean(name)}", ${size} bytes${pixels}]`;
}

function reactionsText(reactions: NonNullable<MessageView['reactions']>): string {
  const all = reactions.map(({ emoji, users }) => {
    const names = users.map((name) => clean(name));
    return `${clean(emoji)} ${names.join(', ')}`;
  });
  return `[${all.join('; ')}]`;
}

/** What a message answers. */
function answerText({ from, text }: NonNullable<MessageView['reply']>): string {
  const said = text === undefined ? 'a message' : `"${clean(text)}"`;
  return from === undefined ? `answering ${said}` : `answering ${clean(from)}: ${said}`;
}

/** What is to be known of a message before its text. */
function factsOf({ reply, edited, progress }: MessageView): string[] {
  return [
    reply === undefined ? '' : answerText(reply),
    edited === true ? 'edited' : '',
    progress?.state === 'sending' ? 'not sent yet' : '',
    progress?.state === 'refused' ? `refused: ${progress.code ?? '?'}` : '',
  ].filter((fact) => fact !== '');
}

/** The head of a file of messages. @param conversation such as `#lobby` */
export function headText(conversation: string, server: string): string {
  return `History of ${clean(conversation)} at ${clean(server)}. Times are UTC.\n\n`;
}

/** A message as the lines that it takes, with their ends. */
export function messageText(message: MessageView): string {
  const { from, text, removed, file, reactions = [] } = message;
  // What was removed has no author any more, and the call of a room is nobody's.
  if (removed === true || from === '') return `${timeOf(message)} ${clean(text)}\n`;
  const facts = factsOf(message);
  const who = `${clean(from)}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`;
  const parts = [
    text === '' ? '' : indented(text),
    file === undefined ? '' : fileText(file),
    reactions.length === 0 ? '' : reactionsText(reactions),
  ];
  return `${timeOf(message)} ${who}: ${parts.filter((part) => part !== '').join(' ')}\n`;
}
