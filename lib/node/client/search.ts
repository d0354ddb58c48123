/**
 * Search over everything that this device can read, by an index that is kept in the replica and made
 * in the background: segments of messages (`search-segment.ts`) listed in a catalog, and for each
 * stream how far it has got (`search-coverage.ts`). It is sealed: who finds the store learns no word.
 */
import type { Placed } from '../../crdt/content.ts';
import { isMessage, type Entry } from '../../crdt/entry.ts';
import type { StoreOperation } from '../../crdt/store.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError, codeOf } from '../../errors.ts';
import { Gather, within } from '../../lifecycle.ts';
import { Turns } from '../turns.ts';
import type { ReadMessage } from './reading.ts';
import { Draft } from './search-build.ts';
import { Catalog } from './search-catalog.ts';
import { CoverageBook } from './search-coverage.ts';
import { findMessages, findUnsent } from './search-find.ts';
import { merge, mergeable } from './search-merge.ts';
import { Pace, type Stretches } from './search-pace.ts';
import { isSearched, MessageReader, type Gap, type ReaderOptions } from './search-read.ts';
import { SearchSeal } from './search-seal.ts';
import type { Segment } from './search-segment.ts';
import { queryOf } from './search-words.ts';

const RESULTS_LIMIT = 50;
/** How long a search waits for what is not in the index yet, in milliseconds. */
const PATIENCE_MS = 1_000;
/** How soon what came in is indexed, and how long after that what came in then; milliseconds. */
const SOON_MS = 500;
const APART_MS = 1_000;
/** Messages that make a segment where there are very many. */
const SEGMENT_MESSAGES = 4_096;

export interface SearchOptions extends ReaderOptions {
  /** 32 bytes, secret. */
  readonly key: Uint8Array;
  /** What this device has written that waits to be sent. */
  readonly unsent?: () => readonly Entry[];
  /** What goes wrong in the background. */
  readonly onFault?: (error: unknown) => void;
  /** As this thread has time, by default. */
  readonly pace?: Pace;
}

export interface Found {
  /** The most relevant first. */
  readonly messages: ReadMessage[];
  /** False while there are messages here that are not in the index yet. */
  readonly isComplete: boolean;
}

export class SearchIndex {
  readonly #options: SearchOptions;
  readonly #seal: SearchSeal;
  readonly #book: CoverageBook;
  readonly #reader: MessageReader;
  readonly #pace: Pace;
  readonly #soon = new Gather(() => void this.#inBackground(this.update()), SOON_MS, APART_MS);
  /** Streams that may hold what is not in the index; undefined: any. */
  #changed: Set<StreamName> | undefined;
  #catalog: Promise<Catalog> | undefined;
  #updating: Promise<void> | undefined;
  #merging: Promise<void> | undefined;
  readonly #stop = new AbortController();
  /** What changes which messages are in the index comes one after the other. */
  readonly #turns = new Turns(1);

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#pace = options.pace ?? new Pace();
    this.#seal = new SearchSeal(options.key);
    this.#book = new CoverageBook(options.replica.log.store);
    this.#reader = new MessageReader(options, this.#book);
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Begins nothing more. What is under way ends soon: see `settled`. */
  stop(): void {
    this.#stop.abort();
    this.#soon.stop();
    this.#pace.stop();
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#updating?.catch(() => undefined);
    await this.#turns.run(() => Promise.resolve());
    await this.#merged();
  }

  #inBackground(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => {
      if (!this.#stopped) this.#options.onFault?.(error);
    });
  }

  #open(): Promise<Catalog> {
    if (this.#catalog === undefined) {
      const base = { store: this.#options.replica.log.store, seal: this.#seal };
      this.#catalog = Catalog.open(base, () => this.#book.remove());
      this.#catalog.catch(() => (this.#catalog = undefined));
    }
    return this.#catalog;
  }

  // Indexing.

  /** A batch came in: if its stream is searched, it will be indexed soon. */
  note(stream: StreamName): void {
    if (!isSearched(stream) || this.#stopped) return;
    this.#changed?.add(stream);
    this.#pace.busy();
    this.#soon.ask();
  }

  /**
   * Brings the index up to date with the replica, as far as it gets before it is stopped.
   * @throws store errors; who does not wait for it need not mind them: the next update begins anew
   */
  update(): Promise<void> {
    if (this.#updating === undefined) {
      // Begins only once it is known that it is under way, and is not when its last look is over.
      this.#updating = Promise.resolve().then(() => this.#update());
      this.#updating.catch(() => undefined);
    }
    return this.#updating;
  }

  async #update(): Promise<void> {
    const stretches = this.#pace.stretches();
    const waiting = new Set<StreamName>();
    try {
      while (!this.#stopped && this.#changed?.size !== 0) {
        const changed = this.#changed;
        this.#changed = new Set();
        const streams = changed ?? (await this.#options.replica.log.names());
        const gaps = this.#reader.gaps(streams, waiting, stretches);
        let isMore: boolean;
        do isMore = await this.#turns.run(() => this.#index(gaps, stretches));
        while (isMore && !this.#stopped);
      }
      for (const stream of waiting) this.#changed?.add(stream);
    } catch (error) {
      this.#changed = undefined;
      // Its store may be closed under it then.
      if (!this.#stopped) throw error;
    } finally {
      this.#updating = undefined;
    }
  }

  /** Writes the next segment. @returns whether there may be more to index */
  async #index(gaps: AsyncGenerator<Gap, undefined>, stretches: Stretches): Promise<boolean> {
    const catalog = await this.#open();
    const draft = new Draft(catalog, this.#book);
    let gap: Gap | undefined;
    do {
      gap = (await gaps.next()).value;
      if (gap !== undefined) await this.#reader.read(draft, gap, stretches);
    } while (gap !== undefined && draft.size < SEGMENT_MESSAGES && !this.#stopped);
    if (this.#stopped) return false;
    const isWritten = await this.#write(draft, catalog, stretches);
    for (const stream of isWritten ? draft.outdated : draft.streams) this.#changed?.add(stream);
    return gap !== undefined;
  }

  /** @returns the keys that were written over, if it was written */
  async #write(
    draft: Draft,
    catalog: Catalog,
    stretches: Stretches,
    options: { isErasing?: boolean } = {},
  ): Promise<string[] | undefined> {
    if (draft.changesSegments) await this.#merged();
    const keys = await draft.write(stretches, options);
    this.#mergeSome(catalog);
    return keys;
  }

  #mergeSome(catalog: Catalog): void {
    if (this.#merging !== undefined || this.#stopped) return;
    const segments = mergeable(catalog.segments);
    if (segments === undefined) return;
    this.#merging = this.#inBackground(this.#merge(catalog, segments));
  }

  async #merge(catalog: Catalog, segments: readonly Segment[]): Promise<void> {
    const stretches = this.#pace.stretches();
    const { signal } = this.#stop;
    try {
      await merge(segments, { catalog, coverage: this.#book, stretches, signal });
    } finally {
      this.#merging = undefined;
    }
    this.#mergeSome(catalog);
  }

  /** Resolves when there is nothing more to merge. */
  async #merged(): Promise<void> {
    while (this.#merging !== undefined) await this.#merging;
  }

  // Changes of what is in the index.

  /** What is stored with the taking back of a stream: it will be indexed anew. */
  rewindOperations(stream: StreamName): StoreOperation[] {
    if (!isSearched(stream)) return [];
    this.note(stream);
    return [this.#book.rewind(stream)];
  }

  /**
   * Takes out of the index what is about to be erased: messages, and edits of others. When it
   * resolves, no word of theirs can be told from the files of the store.
   */
  async forget(stream: StreamName, entries: readonly Placed[]): Promise<void> {
    if (!isSearched(stream)) return;
    const catalog = await this.#open();
    const keys = await this.#pace.hurry(() =>
      this.#turns.run(() => this.#forget(catalog, stream, entries)),
    );
    await catalog.purge(keys ?? []);
  }

  async #forget(
    catalog: Catalog,
    stream: StreamName,
    entries: readonly Placed[],
  ): Promise<string[] | undefined> {
    const draft = new Draft(catalog, this.#book);
    for (const { position, entry } of entries)
      if (entry.kind === 'edit') {
        this.#reader.fades(stream, position);
        await this.#reader.edited(draft, entry);
      }
    for (const { position, entry } of entries)
      if (isMessage(entry)) {
        draft.takeOut(stream, position, await this.#reader.textsAt(stream, position));
        draft.begin(stream, position, position + 1);
      }
    const options = { isErasing: true };
    const keys = await this.#write(draft, catalog, this.#pace.stretches(), options);
    if (keys !== undefined) for (const outdated of draft.outdated) this.note(outdated);
    return keys;
  }

  // Searching.

  /**
   * Messages that hold all the words; see `find`.
   * @throws USAGE when there is no word to look for
   */
  async search(query: string): Promise<ReadMessage[]> {
    return (await this.find(query)).messages;
  }

  /**
   * Finds messages that hold all the words, and those in quotes one after the other: the most relevant
   * first, and among equals the newest.
   * @param options.limit how many at most
   * @param options.patience how long to wait for what is not in the index yet, in milliseconds
   * @throws USAGE when there is no word to look for
   */
  async find(text: string, options: { limit?: number; patience?: number } = {}): Promise<Found> {
    const { limit = RESULTS_LIMIT, patience = PATIENCE_MS } = options;
    const query = queryOf(text);
    if (query.words.length === 0) throw new ClchatError('USAGE', 'Give a word to look for.');
    return this.#pace.hurry(async () => {
      const isComplete = await this.#isUpToDate(patience);
      const catalog = await this.#open();
      const { replica, conversations, unsent } = this.#options;
      const sources = { log: replica.log, reading: conversations.reading, seal: this.#seal };
      const within = { ...sources, book: this.#book, stretches: this.#pace.stretches() };
      const waiting = await findUnsent(unsent?.() ?? [], query, conversations.reading);
      const sent = await catalog.reading((segments) =>
        findMessages(segments, query, limit, within),
      );
      // One may have been sealed in between.
      const ids = new Set(waiting.map(({ id }) => id));
      const messages = [...waiting, ...sent.filter(({ id }) => !ids.has(id))].slice(0, limit);
      return { messages, isComplete };
    });
  }

  async #isUpToDate(patience: number): Promise<boolean> {
    try {
      await within(patience, this.update(), 'indexing');
      return this.#changed?.size === 0;
    } catch (error) {
      // What is in the index already is found all the same.
      if (['TIMEOUT', 'DISK_FULL', 'DATA_READ_ONLY'].includes(codeOf(error))) return false;
      throw error;
    }
  }
}
