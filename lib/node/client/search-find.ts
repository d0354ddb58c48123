/** From a query to the messages that it looks for. */
import type { SayBody } from '../../crdt/bodies.ts';
import { isMessage, type Entry } from '../../crdt/entry.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import type { Reading, ReadMessage } from './reading.ts';
import type { CoverageBook } from './search-coverage.ts';
import type { Stretches } from './search-pace.ts';
import { rank, type Hit } from './search-rank.ts';
import type { SearchSeal } from './search-seal.ts';
import type { Segment } from './search-segment.ts';
import { isFound, type Query } from './search-words.ts';

/** Where what ranked best is not what was looked for: how many times as many are read, and how often. */
const FURTHER = 8;
const FURTHER_TIMES = 2;

export interface FindSources {
  readonly log: Pick<LogStore, 'item'>;
  readonly reading: Pick<Reading, 'read'>;
  readonly seal: SearchSeal;
  readonly book: CoverageBook;
  readonly stretches: Stretches;
}

/** The text by which a message is found: what it says, and the name of its file. */
export function searchable({ text, file }: Pick<SayBody, 'text' | 'file'>): string {
  return file === undefined ? text : `${text}\n${file.name}`;
}

/** The best first; see `rank`. @param limit how many at most */
export async function findMessages(
  segments: readonly Segment[],
  query: Query,
  limit: number,
  sources: FindSources,
): Promise<ReadMessage[]> {
  const { seal, book, stretches } = sources;
  const hashes = [...new Set(query.words.map((word) => seal.hash(word)))];
  const found: { message: ReadMessage; score: number }[] = [];
  let read = 0;
  // An index knows nothing of phrases, and what it knows of a message may be out of date.
  for (let times = query.phrases.length > 0 ? 1 : 0; times <= FURTHER_TIMES; times++) {
    const most = limit * FURTHER ** times;
    const hits = await rank(segments, hashes, most, (one) => isPresent(one, book), stretches);
    for (const hit of hits.slice(read)) {
      if (found.length >= limit) break;
      if (stretches.isDue) await stretches.rest();
      const message = await messageOf(hit, sources);
      if (message !== undefined && isFound(searchable(message), query))
        found.push({ message, score: hit.score });
    }
    read = hits.length;
    if (found.length >= limit || hits.length < most) break;
  }
  found.sort((a, b) => b.score - a.score || b.message.time - a.message.time);
  return found.map(({ message }) => message);
}

/** Messages of this device that wait to be sent, which are in no index: the newest first. */
export async function findUnsent(
  pending: readonly Entry[],
  query: Query,
  reading: Pick<Reading, 'read'>,
): Promise<ReadMessage[]> {
  const found: ReadMessage[] = [];
  for (const entry of pending.filter(isMessage).reverse()) {
    const message = await reading.read(entry, { state: 'sending' });
    if (isFound(searchable(message), query)) found.push(message);
  }
  return found;
}

/** Tells whether messages of a segment are of the history that their streams have now. */
function isPresent(segment: Segment, book: CoverageBook): (message: number) => boolean {
  const present = segment.streams.map((stream) => book.isPresent(stream));
  if (!present.includes(false)) return () => true;
  const placeOf = segment.places();
  return (message) => present[placeOf(message).stream] === true;
}

async function messageOf(
  { segment, message }: Hit,
  { log, reading }: FindSources,
): Promise<ReadMessage | undefined> {
  const { stream, position } = segment.places()(message);
  const name = segment.streams[stream]?.name;
  const item = name === undefined ? undefined : log.item(name, position);
  if (item?.type !== 'entry' || !isMessage(item.entry)) return undefined;
  return reading.read(item.entry, { state: 'held', position });
}
