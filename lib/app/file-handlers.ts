/** Files with messages: attached from this host, and saved to it. */
import type { FileReference } from '../crdt/bodies.ts';
import { blobOf } from '../crdt/content.ts';
import type { StreamName } from '../crdt/stream.ts';
import { ClchatError, codeOf, hasCode } from '../errors.ts';
import { sleep } from '../lifecycle.ts';
import type { Client } from '../node/client/client.ts';
import type { Files } from '../node/client/files.ts';
import { messageNamed } from './content-target.ts';
import {
  checkText,
  currentConversation,
  mustBeAllowed,
  mustBeForText,
  mustTakePart,
  need,
  sent,
  type Handler,
  type HandlerContext,
} from './handling.ts';
import { pathOf } from './moving-paths.ts';
import { placeView, viewOf } from './views.ts';

/** How long a person waits for a file to be sent, in milliseconds, before it goes on by itself. */
const PATIENCE_MS = 1_000;
/** Messages that are looked at for the newest with a file. */
const MOST_LOOKED = 20_000;

function filesOf({ client }: HandlerContext): Files {
  if (client.files === undefined) throw new ClchatError('NOT_SUPPORTED', 'No files are kept here.');
  return client.files;
}

const attach: Handler = async ({ file, text }, context) => {
  const { client, situation, ask } = context;
  const { home } = client;
  const files = filesOf(context);
  const conversation = currentConversation(context);
  mustBeAllowed(home, 'sendMessage');
  mustTakePart(home, conversation);
  mustBeForText(home, conversation);
  const path = pathOf(need(file, 'The file'));
  const said = text === undefined ? '' : checkText(text);
  const reference = await files.add(path, conversation);
  const entry = await home.conversations.say(conversation, { text: said, file: reference });
  const state = await sent(home, entry);
  home.unread.seen(conversation, situation.tellsReading);
  // A person sees how far it gets, and can go on with something else.
  const patience = ask === undefined ? [] : [sleep(PATIENCE_MS)];
  await Promise.race([files.send(), ...patience]);
  const { conversations } = home;
  const view = viewOf(home, await conversations.reading.read(entry, { state: 'sending' }));
  return {
    id: conversations.announced(entry.id),
    state,
    sent: !files.isWaiting(reference),
    ...placeView(home, conversation),
    text: view.text,
    time: view.time,
    file: view.file,
  };
};

/** A file, and the message that it belongs to. */
interface Attached {
  readonly id: string;
  readonly file: FileReference;
}

async function fileNamed(
  client: Client,
  conversation: () => StreamName,
  written: string,
): Promise<Attached> {
  const { id, file } = (await messageNamed(client, conversation, written)).message;
  if (file === undefined)
    throw new ClchatError(
      'NO_SUCH_FILE',
      'That message has no file. "^1" is the newest message of others, "1" your own.',
    );
  return { id, file };
}

/** The newest file of a conversation. */
async function newestFile(client: Client, conversation: StreamName): Promise<Attached> {
  const { reading } = client.home.conversations;
  let found: Attached | undefined;
  const look = async (): Promise<boolean> => {
    let looked = 0;
    for await (const { entry, standing } of reading.backwards(conversation)) {
      if (++looked > MOST_LOOKED) return true;
      if (blobOf(entry) === undefined) continue;
      const { id, file } = await reading.read(entry, standing);
      if (file === undefined) continue;
      found = { id, file };
      return true;
    }
    return false;
  };
  if (!(await look())) await client.fetchOlder(conversation, look);
  if (found === undefined) throw new ClchatError('NO_SUCH_FILE', 'There is no file here yet.');
  return found;
}

const save: Handler = async ({ message, target }, context) => {
  const { client, tell } = context;
  const files = filesOf(context);
  const conversation = (): StreamName => currentConversation(context, 'done');
  const { id, file } =
    message === undefined
      ? await newestFile(client, conversation())
      : await fileNamed(client, conversation, message);
  const about = { event: 'attachment', id, name: file.name } as const;
  let progress: number | undefined;
  const fetched = (share: number): void => {
    progress = share;
    tell({ ...about, state: 'fetching', progress });
  };
  const fetch = (): Promise<void> => files.fetch(file, fetched);
  const into = target === undefined ? process.cwd() : pathOf(target);
  try {
    await fetch();
    const path = await files.save(file, into).catch(async (error: unknown) => {
      // The disk has spoilt what was here, or it had to make room for another meanwhile.
      if (!hasCode(error, 'DATA_CORRUPT') && files.has(file)) throw error;
      await fetch();
      return files.save(file, into);
    });
    tell({ ...about, state: 'done', progress: 1 });
    return { id, file: path, bytes: file.size };
  } catch (error) {
    if (progress === undefined) fetched(0);
    tell({ ...about, state: 'failed', progress: progress ?? 0, code: codeOf(error) });
    throw error;
  }
};

export const FILE_HANDLERS: Readonly<Record<string, Handler>> = { attach, save };
