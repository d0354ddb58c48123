/** The history of a conversation, written into a file. */
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { highestGap } from '../crdt/stream-head.ts';
import type { StreamName } from '../crdt/stream.ts';
import { ClchatError, EXIT, exitStatusOf, hasCode, translate } from '../errors.ts';
import type { Home } from '../node/client/home.ts';
import { replaceFile } from '../node/files.ts';
import { byteLength, cleanAll } from '../text.ts';
import {
  conversationNamed,
  currentConversation,
  mustTakePart,
  need,
  type Handler,
  type HandlerContext,
} from './handling.ts';
import { mustStillBeFree, targetOf, type Target } from './moving-paths.ts';
import { Telling } from './moving-telling.ts';
import { headText, messageText } from './moving-text.ts';
import type { MessageView } from './types.ts';
import { placeView, viewOf } from './views.ts';

/** `json`: a `MessageView` a line. */
type Format = 'text' | 'json';

/** Characters that are gathered before they are written. */
const CHUNK = 256 * 1024;

/** @throws USAGE */
function formatOf(wanted: string | undefined, path: string): Format {
  if (wanted === undefined) return /\.(?:jsonl?|ndjson)$/i.test(path) ? 'json' : 'text';
  const format = wanted.toLowerCase();
  if (format === 'text' || format === 'json') return format;
  throw new ClchatError('USAGE', 'The format is "text" or "json".');
}

/** How a conversation is called where it has to be unambiguous. */
function conversationName(home: Home, stream: StreamName): string {
  const { to, room } = placeView(home, stream);
  return to === undefined ? `#${room ?? '?'}` : `@${to}`;
}

/** Text on its way into a file, in few writings. */
class Writer {
  readonly #file: FileHandle;
  #waiting = '';
  /** Written so far, and waiting. */
  bytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(text: string): Promise<void> {
    this.bytes += byteLength(text);
    this.#waiting += text;
    if (this.#waiting.length >= CHUNK) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#waiting;
    this.#waiting = '';
    await this.#file.writeFile(text);
  }
}

/**
 * Fetches what this device lacks of a conversation, as far as the server can be reached.
 * @returns whether nothing is missing
 */
async function complete(
  { client }: HandlerContext,
  stream: StreamName,
  telling: Telling,
): Promise<boolean> {
  const { log } = client.home.replica;
  const lacks = (): boolean => highestGap(log.headOf(stream)) !== undefined;
  const isComplete = async (): Promise<boolean> => {
    const { have, length } = log.headOf(stream);
    const here = have.reduce((sum, [from, until]) => sum + until - from, 0);
    telling.tell('fetched', here, length);
    return !lacks();
  };
  try {
    await client.fetchOlder(stream, isComplete);
  } catch (error) {
    // What is here can be written all the same.
    if (exitStatusOf(error) !== EXIT.network) throw error;
  }
  return !lacks();
}

/** @returns how many messages there were */
async function writeMessages(
  home: Home,
  stream: StreamName,
  writer: Writer,
  options: { readonly format: Format; readonly telling: Telling },
): Promise<number> {
  const { format, telling } = options;
  const { reading } = home.conversations;
  const lineOf = (view: MessageView): string =>
    format === 'text' ? messageText(view) : `${JSON.stringify(cleanAll(view))}\n`;
  if (format === 'text')
    await writer.write(headText(conversationName(home, stream), home.serverName));
  let messages = 0;
  for await (const { entry, standing } of reading.forwards(stream)) {
    await writer.write(lineOf(viewOf(home, await reading.read(entry, standing))));
    messages++;
    const { length } = home.replica.log.headOf(stream);
    telling.tell('written', standing.position ?? length, length);
  }
  await writer.flush();
  return messages;
}

/**
 * Has a file written, which is there as a whole in the end, or not at all.
 * @throws ALREADY, DISK_FULL, DATA_READ_ONLY
 */
async function intoFile<T>(target: Target, write: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const { file, finish } = await replaceFile(target.path);
    let result: T;
    try {
      result = await write(file);
      await mustStillBeFree(target);
    } catch (error) {
      await finish(false).catch(() => undefined);
      throw error;
    }
    await finish(true);
    return result;
  } catch (error) {
    const failed = translate(error);
    if (hasCode(failed, 'DISK_FULL'))
      throw new ClchatError('DISK_FULL', 'The disk is full; nothing was written.', {
        cause: error,
      });
    if (!hasCode(failed, 'DATA_READ_ONLY')) throw failed;
    const directory = dirname(target.path);
    throw new ClchatError('DATA_READ_ONLY', `${directory} cannot be written.`, { cause: error });
  }
}

export const exportHistory: Handler = async (args, context) => {
  const { client, ask } = context;
  const { home } = client;
  const written = need(args['file'], 'The file');
  if (written === '-')
    throw new ClchatError('USAGE', 'Name a file: "history" is what shows messages here.');
  const { conversation } = args;
  const stream =
    conversation === undefined
      ? currentConversation(context, 'done')
      : conversationNamed(home, conversation);
  mustTakePart(home, stream);
  const format = formatOf(args['format'], written);
  const target = await targetOf(written, ask);
  const name = conversationName(home, stream);
  const telling = new Telling(context, `Export of ${name}`);
  const isComplete = await complete(context, stream, telling);
  return intoFile(target, async (file) => {
    const writer = new Writer(file);
    const messages = await writeMessages(home, stream, writer, { format, telling });
    return {
      file: target.path,
      conversation: name,
      format,
      messages,
      bytes: writer.bytes,
      complete: isComplete,
    };
  });
};
