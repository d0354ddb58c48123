/** Streams of messages that are searched, written by hand: nothing is judged and nothing sealed. */
import { contentOperations } from '../../lib/crdt/content.ts';
import { encodeEntry, eraseBody, type Entry } from '../../lib/crdt/entry.ts';
import type { AccountId, EntryId } from '../../lib/crdt/keys.ts';
import { headOperation, itemKey, LogStore } from '../../lib/crdt/log-store.ts';
import { addInterval, EMPTY_HEAD } from '../../lib/crdt/stream-head.ts';
import type { Replica } from '../../lib/crdt/replica.ts';
import { entryItem } from '../../lib/crdt/seal.ts';
import { Secrets } from '../../lib/crdt/secrets.ts';
import { State } from '../../lib/crdt/state.ts';
import { MemoryDisk } from '../../lib/crdt/store-memory.ts';
import { prefixed, type Store, type StoreOperation } from '../../lib/crdt/store.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';
import { Reading } from '../../lib/node/client/reading.ts';
import { Draft } from '../../lib/node/client/search-build.ts';
import { Catalog } from '../../lib/node/client/search-catalog.ts';
import { CoverageBook } from '../../lib/node/client/search-coverage.ts';
import { Pace, type Stretches } from '../../lib/node/client/search-pace.ts';
import { messageOf, PIECE_POSTINGS } from '../../lib/node/client/search-pages.ts';
import { SearchSeal } from '../../lib/node/client/search-seal.ts';
import type { Segment } from '../../lib/node/client/search-segment.ts';
import { SearchIndex, type SearchOptions } from '../../lib/node/client/search.ts';
import { Random } from '../simulation/random.ts';
import { hasCode } from '../../lib/errors.ts';
import { NOW, Writer } from './community.ts';

/** Something in a stream; a text where it is a message or an edit. */
export interface StagedItem {
  readonly entry: Entry;
  readonly text: string;
  /** Position of the message that it edits. */
  readonly target: number | undefined;
  isErased: boolean;
}

export function roomNumber(number: number): StreamName {
  return `room/${number.toString(16).padStart(32, '0')}`;
}

export const SEARCH_KEY = new Uint8Array(32).fill(7);

export class SearchStage {
  readonly disk = new MemoryDisk();
  readonly #writer: Writer;
  readonly #streams = new Map<StreamName, StagedItem[]>();
  readonly #held = new Map<StreamName, [number, number][]>();
  readonly faults: unknown[] = [];
  readonly #updates: Promise<void>[] = [];
  store!: Store;
  log!: LogStore;
  index!: SearchIndex;
  reading!: Reading;
  sources!: Pick<SearchOptions, 'replica' | 'secrets'>;

  constructor(seed = 1) {
    const random = new Random(seed).bytes;
    const server = new Writer('' as Writer['id'], random).id;
    this.#writer = new Writer(server, random);
    this.open();
  }

  /** @param store in place of one on the stage's own disk */
  open(store: Store = this.disk.open(), key = SEARCH_KEY): void {
    this.store = store;
    const log = new LogStore(store);
    const space = new State();
    const secrets = new Secrets({
      server: this.#writer.id,
      device: this.#writer.id,
      account: '' as AccountId,
      random: this.#writer.random,
      keyring: () => undefined,
      isProven: () => false,
      space: () => space,
      provedLock: () => undefined,
      opened: () => undefined,
      keptEpoch: () => undefined,
    });
    const replica = {
      log,
      space,
      isVoid: () => false,
      mayBeAnnotated: () => true,
      unsealed: () => [],
      pending: () => [],
    };
    this.sources = { replica, secrets };
    this.log = log;
    this.reading = new Reading({
      replica: replica as unknown as Replica,
      secrets,
      announced: (id) => id,
      latest: (id) => id,
    });
    this.index = new SearchIndex({
      replica,
      secrets,
      conversations: { reading: this.reading },
      key,
      onFault: (error) => this.faults.push(error),
      // However much else this machine has to do.
      pace: new Pace(() => 0),
    });
  }

  async close(): Promise<void> {
    this.index.stop();
    await this.index.settled();
    await Promise.all(this.#updates);
    await this.store.close();
  }

  async reopen(): Promise<void> {
    await this.close();
    this.open();
  }

  /** Brings the index up to date, while other things go on. */
  update(): void {
    this.#updates.push(
      this.index.update().catch((error: unknown) => {
        if (!hasCode(error, 'CLOSED')) this.faults.push(error);
      }),
    );
  }

  /** The machine dies. @param survivors of the batches not synced, how many reach the disk */
  async crash(survivors: number): Promise<void> {
    this.index.stop();
    this.disk.crash(survivors);
    await this.index.settled();
    await Promise.all(this.#updates);
    this.open();
  }

  itemsOf(stream: StreamName): readonly StagedItem[] {
    return this.#streams.get(stream) ?? [];
  }

  get streams(): StreamName[] {
    return [...this.#streams.keys()];
  }

  /** Puts a message at the end of a stream. @param isHeld whether it is here; it may be brought later */
  async say(stream: StreamName, text: string, time = NOW, isHeld = true): Promise<number> {
    const entry = this.#writer.forge(stream, 'say', { text }, { time });
    return this.#put(stream, { entry, text, target: undefined, isErased: false }, isHeld);
  }

  async edit(stream: StreamName, target: number, text: string, isHeld = true): Promise<number> {
    const { entry } = this.itemsOf(stream)[target]!;
    // Nobody here has an account; what a moderator says counts all the same.
    const body = { target: entry.id, moderator: true, text };
    const edit = this.#writer.forge(stream, 'edit', body);
    return this.#put(stream, { entry: edit, text, target, isErased: false }, isHeld);
  }

  /** Messages that nobody can tell from those of people, all at once. */
  async sayAll(stream: StreamName, texts: readonly string[], time = NOW): Promise<void> {
    await Promise.all(texts.map((text, index) => this.say(stream, text, time + index)));
  }

  async #put(stream: StreamName, item: StagedItem, isHeld: boolean): Promise<number> {
    const items = [...this.itemsOf(stream), item];
    this.#streams.set(stream, items);
    const position = items.length - 1;
    if (isHeld) await this.hold(stream, position, position + 1);
    else await this.#write([this.#headOperation(stream)]);
    return position;
  }

  #headOperation(stream: StreamName): StoreOperation {
    const have = this.#held.get(stream) ?? [];
    return headOperation(stream, { ...EMPTY_HEAD, length: this.itemsOf(stream).length, have });
  }

  /** Items come in. */
  async hold(stream: StreamName, from: number, until: number): Promise<void> {
    this.#held.set(stream, addInterval(this.#held.get(stream) ?? [], from, until));
    const operations = this.itemsOf(stream)
      .slice(from, until)
      .flatMap(({ entry, isErased }, index) => {
        const item = entryItem(isErased ? eraseBody(entry) : entry);
        const key = itemKey(stream, from + index);
        const put: StoreOperation = { type: 'put', key, value: item.bytes };
        return [put, ...contentOperations(stream, from + index, item)];
      });
    await this.#write([...operations, this.#headOperation(stream)]);
    this.index.note(stream);
  }

  /** What is not here yet. */
  gapsOf(stream: StreamName): [number, number][] {
    const gaps: [number, number][] = [];
    let at = 0;
    for (const [from, until] of this.#held.get(stream) ?? []) {
      if (at < from) gaps.push([at, from]);
      at = until;
    }
    const { length } = this.itemsOf(stream);
    return at < length ? [...gaps, [at, length]] : gaps;
  }

  isHeld(stream: StreamName, position: number): boolean {
    return !this.gapsOf(stream).some(([from, until]) => from <= position && position < until);
  }

  async #write(operations: readonly StoreOperation[]): Promise<void> {
    await this.store.write(operations, { sync: true });
    // Heads are read from the store.
    for (const stream of this.#streams.keys()) this.log.close(stream);
  }

  /** Erases items for real, as the eraser does. */
  async erase(stream: StreamName, positions: readonly number[]): Promise<void> {
    const items = this.itemsOf(stream);
    const entries = positions.map((position) => ({ position, entry: items[position]!.entry }));
    await this.index.forget(stream, entries);
    // Before the bodies are gone.
    await this.index.update();
    await this.wipe(stream, positions);
  }

  /** Erases the bodies alone. */
  async wipe(stream: StreamName, positions: readonly number[]): Promise<void> {
    const operations = positions.map((position): StoreOperation => {
      const item = this.itemsOf(stream)[position]!;
      item.isErased = true;
      const value = encodeEntry(eraseBody(item.entry));
      return { type: 'put', key: itemKey(stream, position), value };
    });
    await this.#write(operations);
  }

  /** Another history from a position on: nothing of it is here yet. */
  async rewind(stream: StreamName, until: number): Promise<void> {
    const dropped = this.itemsOf(stream).slice(until);
    const also = this.index.rewindOperations(stream);
    // Before the replica has its turn.
    await this.index.update();
    this.#streams.set(stream, this.itemsOf(stream).slice(0, until));
    const have = this.#held.get(stream) ?? [];
    this.#held.set(
      stream,
      have.filter(([from]) => from < until).map(([from, end]) => [from, Math.min(end, until)]),
    );
    const deleted = dropped.map((_, index): StoreOperation => {
      return { type: 'delete', key: itemKey(stream, until + index) };
    });
    for (const { id } of dropped.map(({ entry }) => entry))
      for await (const [key] of this.store.entries(prefixed(`n!${stream}!${id}!`)))
        deleted.push({ type: 'delete', key });
    await this.#write([...also, ...deleted, this.#headOperation(stream)]);
  }

  /** The newest text of each message that is here, by its id. */
  texts(): Map<EntryId, string> {
    const texts = new Map<EntryId, string>();
    for (const [stream, items] of this.#streams)
      items.forEach(({ target, text, isErased }, position) => {
        if (isErased || !this.isHeld(stream, position)) return;
        const message = items[target ?? position]!;
        if (message.isErased || (target !== undefined && !this.isHeld(stream, target))) return;
        texts.set(message.entry.id, text);
      });
    return texts;
  }
}

/** Work that needs no rest, or one at every step. */
export function stretchesOf(isDue: boolean): Stretches {
  return { isDue, rest: () => new Promise((resolve) => setImmediate(resolve)) };
}

/** A message as it goes into the index. */
export interface IndexedText {
  readonly stream: StreamName;
  readonly position: number;
  readonly text: string;
  /** Seconds since 1970. */
  readonly time?: number;
}

/** The bare index, without streams. */
export class IndexBench {
  readonly store: Store;
  readonly seal = new SearchSeal(SEARCH_KEY);
  readonly book: CoverageBook;
  catalog!: Catalog;

  private constructor(store: Store) {
    this.store = store;
    this.book = new CoverageBook(store);
  }

  static async open(store: Store = new MemoryDisk().open()): Promise<IndexBench> {
    const bench = new IndexBench(store);
    bench.catalog = await Catalog.open({ store, seal: bench.seal }, () => bench.book.remove());
    return bench;
  }

  /** Messages become a segment. */
  async add(messages: readonly IndexedText[]): Promise<Segment> {
    const draft = new Draft(this.catalog, this.book);
    for (const { stream, position, text, time = 0 } of messages) {
      draft.begin(stream, position, position + 1);
      draft.add(stream, position, time * 1_000, text);
    }
    await draft.write(stretchesOf(false));
    return this.catalog.segments.at(-1)!;
  }

  /** All words of the index with the messages that hold them, as `<room>/<position>`. */
  words(known: readonly string[]): Record<string, string[]> {
    const found: Record<string, string[]> = {};
    const postings = new Uint32Array(PIECE_POSTINGS);
    const names = new Map(known.map((word) => [this.seal.hash(word), word]));
    for (const segment of this.catalog.segments) {
      const placeOf = segment.places();
      for (let page = 0; page < segment.pages; page++)
        for (const reader = segment.page(page); reader.next();) {
          const word = names.get(reader.hash) ?? '?';
          for (const posting of postings.subarray(0, reader.into(postings))) {
            const { stream, position } = placeOf(messageOf(posting));
            const room = Number.parseInt(segment.streams[stream]!.name.slice(5), 16);
            (found[word] ??= []).push(`${room}/${position}`);
          }
        }
    }
    return found;
  }
}
