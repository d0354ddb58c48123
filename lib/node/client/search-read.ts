/** Reading of the streams what is not in the search index, and what has been edited since it was. */
import { targetOf } from '../../crdt/content.ts';
import { isMessage, type Entry } from '../../crdt/entry.ts';
import type { EntryId } from '../../crdt/keys.ts';
import type { Replica } from '../../crdt/replica.ts';
import type { Secrets } from '../../crdt/secrets.ts';
import { prefixed } from '../../crdt/store.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { UNREADABLE, type Reading } from './reading.ts';
import type { Draft } from './search-build.ts';
import { missingOf, type CoverageBook } from './search-coverage.ts';
import { searchable } from './search-find.ts';
import type { Stretches } from './search-pace.ts';

/** Positions read at a time. */
const PORTION = 256;
/** Messages of a stream that are remembered as edited; where there are more, any may be. */
const EDITED_LIMIT = 20_000;
/** Hexadecimal digits of an entry's id. */
const ID_LENGTH = 64;

export interface ReaderOptions {
  readonly replica: Pick<Replica, 'log' | 'isVoid'>;
  readonly secrets: Pick<Secrets, 'read'>;
  readonly conversations: { readonly reading: Pick<Reading, 'read' | 'versions'> };
}

/** Positions of a stream that are here and not in the index. */
export interface Gap {
  readonly stream: StreamName;
  readonly from: number;
  readonly until: number;
  readonly edits: Edits;
}

/** What is known of the edits of a stream while its gaps are read. */
interface Edits {
  /** Messages that something has been done about; undefined: any may be one. */
  readonly messages: ReadonlySet<EntryId> | undefined;
  /** Positions of those that were read with all their edits. */
  readonly counted: Set<number>;
}

export function isSearched(stream: StreamName): boolean {
  const { type } = placeOfStream(stream);
  return type === 'room' || type === 'pair';
}

export class MessageReader {
  readonly #options: ReaderOptions;
  readonly #book: CoverageBook;
  /** Edits that are being erased. */
  readonly #fading = new Map<StreamName, number[]>();

  constructor(options: ReaderOptions, book: CoverageBook) {
    this.#options = options;
    this.#book = book;
  }

  /** What is to be read of streams, in portions. @param waiting gets those that cannot be read now */
  async *gaps(
    streams: Iterable<StreamName>,
    waiting: Set<StreamName>,
    stretches: Stretches,
  ): AsyncGenerator<Gap, undefined> {
    for (const stream of streams) {
      if (!isSearched(stream)) continue;
      if (stretches.isDue) await stretches.rest();
      if (this.#isInMotion(stream)) {
        waiting.add(stream);
        continue;
      }
      const { have } = this.#options.replica.log.headOf(stream);
      const { done } = this.#book.of(stream);
      const missing = missingOf(have, done);
      const [first] = missing;
      if (first === undefined) continue;
      // The edits of a few that follow what is done are still to be met.
      const isNext = missing.length === 1 && first[0] >= (done.at(-1)?.[1] ?? 0);
      const isFew = isNext && first[1] - first[0] <= PORTION;
      const messages = isFew ? new Set<EntryId>() : await this.#editedOf(stream);
      const edits: Edits = { messages, counted: new Set() };
      for (const [begin, end] of missing)
        for (let from = begin; from < end; from += PORTION)
          yield { stream, from, until: Math.min(end, from + PORTION), edits };
    }
  }

  /** Whether a stream is about to be taken back, or edits in it to be erased. */
  #isInMotion(stream: StreamName): boolean {
    const { log } = this.#options.replica;
    const fading = this.#fading.get(stream)?.filter((position) => {
      const item = log.item(stream, position);
      return item?.type === 'entry' && item.entry.body !== undefined;
    });
    if (fading === undefined || fading.length === 0) this.#fading.delete(stream);
    else this.#fading.set(stream, fading);
    return this.#fading.has(stream) || this.#book.isMoving(stream);
  }

  async #editedOf(stream: StreamName): Promise<Set<EntryId> | undefined> {
    const messages = new Set<EntryId>();
    const prefix = `n!${stream}!`;
    for await (const [key] of this.#options.replica.log.store.entries(prefixed(prefix))) {
      if (messages.size >= EDITED_LIMIT) return undefined;
      messages.add(key.slice(prefix.length, prefix.length + ID_LENGTH) as EntryId);
    }
    return messages;
  }

  async read(draft: Draft, gap: Gap, stretches: Stretches): Promise<void> {
    const { stream, from, until, edits } = gap;
    const { replica, secrets, conversations } = this.#options;
    const { state } = await replica.log.open(stream);
    draft.begin(stream, from, until);
    for await (const { position, item } of replica.log.items(stream, from, until)) {
      if (stretches.isDue) await stretches.rest();
      if (item.type !== 'entry' || replica.isVoid(stream, position)) continue;
      const { entry } = item;
      if (entry.kind === 'edit') await this.edited(draft, entry, edits);
      if (!isMessage(entry)) continue;
      const isEdited = edits.messages?.has(entry.id) !== false;
      if (isEdited) edits.counted.add(position);
      const said = isEdited
        ? await conversations.reading.read(entry, { state: 'held', position })
        : secrets.read(entry, state);
      if (said !== undefined && said.text !== UNREADABLE)
        draft.add(stream, position, entry.time, searchable(said));
    }
  }

  /** What was edited after it was read is to be read again. */
  async edited(draft: Draft, edit: Entry, edits?: Edits): Promise<void> {
    const target = targetOf(edit);
    const found = target === undefined ? undefined : this.#options.replica.log.find(target);
    if (found === undefined || found.stream !== edit.stream) return;
    const { stream, position } = found;
    if (edits?.counted.has(position) === true) return;
    const isRead = draft.coverageOf(stream).done.some(([a, b]) => a <= position && position < b);
    if (isRead) draft.again(stream, position, await this.textsAt(stream, position));
  }

  /** All texts by which a message may be in the index. */
  async textsAt(stream: StreamName, position: number): Promise<string[]> {
    const { replica, secrets, conversations } = this.#options;
    const item = replica.log.item(stream, position);
    if (item?.type !== 'entry' || !isMessage(item.entry)) return [];
    const { state } = await replica.log.open(stream);
    const said = secrets.read(item.entry, state);
    const versions = await conversations.reading.versions(item.entry);
    return versions.map(({ text }) => searchable({ ...said, text }));
  }

  /** An edit is about to be erased: what is edited by it is not read until it has been. */
  fades(stream: StreamName, position: number): void {
    this.#fading.set(stream, [...(this.#fading.get(stream) ?? []), position]);
  }
}
