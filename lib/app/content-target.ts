/** Which message is meant by what somebody has typed. */
import { authorOf } from '../crdt/content.ts';
import { isMessage } from '../crdt/entry.ts';
import type { AccountId, EntryId } from '../crdt/keys.ts';
import { prefixed } from '../crdt/store.ts';
import type { StreamName } from '../crdt/stream.ts';
import { ClchatError } from '../errors.ts';
import type { Client } from '../node/client/client.ts';
import type { Home } from '../node/client/home.ts';
import type { Found, ReadMessage } from '../node/client/reading.ts';
import { viewOf } from './views.ts';

/** A message that is there, and what it says now. */
export interface Target extends Found {
  readonly message: ReadMessage;
}

/** Messages that are looked at for the one that is counted to. */
const MOST_LOOKED = 20_000;
/** Messages that are named where an id is not told in full. */
const MOST_NAMED = 5;
/** Digits of an id that are shown where it is to be written out further. */
const SHOWN_DIGITS = 12;

/**
 * The message meant: `N` counts one's own in a conversation, the newest as 1; `^N`, or `^` for 1, those
 * of anybody; the beginning of an id, of four digits or more, names any at all.
 * @param conversation gives the one in which is counted
 * @throws USAGE, NO_SUCH_MESSAGE (also of one that was removed), AMBIGUOUS, and as `conversation`
 */
export async function messageNamed(
  client: Client,
  conversation: () => StreamName,
  written: string,
): Promise<Target> {
  const { home } = client;
  const counted = /^(\^?)(\d{0,3})$/.exec(written);
  if (counted !== null && written !== '') {
    const [, sign = '', digits = ''] = counted;
    const place = digits === '' ? 1 : Number(digits);
    if (place === 0) throw new ClchatError('USAGE', 'The newest message is 1.');
    const author = sign === '' ? home.account : undefined;
    return countedMessage(client, conversation(), place, author);
  }
  if (!/^[0-9a-f]{4,64}$/i.test(written))
    throw new ClchatError(
      'USAGE',
      'A message is a number (1: your newest), ^ with a number (^1: the newest of anybody), or the beginning of its id.',
    );
  return messageOfId(home, written.toLowerCase());
}

async function countedMessage(
  client: Client,
  stream: StreamName,
  place: number,
  author: AccountId | undefined,
): Promise<Target> {
  const { home } = client;
  let found: Target | undefined;
  let looked = 0;
  const look = async (): Promise<boolean> => {
    let left = place;
    looked = 0;
    for await (const one of home.conversations.reading.backwards(stream)) {
      if (++looked > MOST_LOOKED) break;
      // A call that is over is no message.
      if (!isMessage(one.entry)) continue;
      if (author !== undefined && authorOf(home.space, one.entry) !== author) continue;
      const target = await present(home, one);
      if (target === undefined || --left > 0) continue;
      found = target;
      return true;
    }
    return looked > MOST_LOOKED;
  };
  await client.fetchOlder(stream, look);
  // Where nothing could be fetched, nothing has been looked at either.
  if (found === undefined && looked === 0) await look();
  if (found === undefined) throw new ClchatError('NO_SUCH_MESSAGE');
  return found;
}

/** What a message says now; undefined where it was removed or refused. */
async function present(home: Home, found: Found): Promise<Target | undefined> {
  if (found.standing.state === 'refused') return undefined;
  const message = await home.conversations.reading.read(found.entry, found.standing);
  return message.removed === true ? undefined : { ...found, message };
}

async function messageOfId(home: Home, beginning: string): Promise<Target> {
  const { conversations, replica } = home;
  const ids = new Set<EntryId>();
  const announced = replica
    .pending()
    .filter(isMessage)
    .map(({ id }) => conversations.announced(id));
  for (const id of [...announced, ...conversations.renamed()])
    if (id.startsWith(beginning)) ids.add(id);
  const range = { ...prefixed(`i!${beginning}`), limit: MOST_NAMED + 1 };
  for await (const [key] of replica.log.store.entries(range))
    ids.add(conversations.announced(key.slice(2) as EntryId));
  const targets: Target[] = [];
  for (const id of ids) {
    const found = conversations.reading.find(id);
    const target = found === undefined ? undefined : await present(home, found);
    if (target !== undefined) targets.push(target);
  }
  const [target] = targets;
  if (target === undefined) throw new ClchatError('NO_SUCH_MESSAGE');
  if (targets.length > 1)
    throw new ClchatError(
      'AMBIGUOUS',
      `That fits ${targets.slice(0, MOST_NAMED).map(inShort(home)).join(', ')}. Write more of the id.`,
    );
  return target;
}

function inShort(home: Home): (target: Target) => string {
  return ({ message }) => {
    const { id, from, text } = viewOf(home, message);
    return `${id.slice(0, SHOWN_DIGITS)} (${from}: ${text.slice(0, 20)})`;
  };
}
