/**
 * How far each message has got. Devices acknowledge, by stream, up to where they hold it, and people
 * mark in their account's stream up to where they have read it; authors that are connected are told,
 * in portions, how many devices have each of their messages, and how many people have read it.
 *
 *   c!<stream>!<device>   length that the device holds
 */
import type { AccountId, EntryId, PublicKey } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import type { Batch } from '../../crdt/seal.ts';
import { authorOf } from '../../crdt/content.ts';
import { isMessage } from '../../crdt/entry.ts';
import { deviceOf } from '../../crdt/records.ts';
import { prefixed, type StoreOperation } from '../../crdt/store.ts';
import { utf8 } from '../../crdt/bytes.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { Gather } from '../../lifecycle.ts';
import type { Directory } from './directory.ts';
import { Readers, type ReadNews } from './readers.ts';

/** Messages watched in a stream; older ones are looked up when asked for. */
const WATCH_LIMIT = 4_096;
/** How soon authors are told of news, and how long until again, in milliseconds. */
const TELL_MS = 50;
const TELL_APART_MS = 250;
/** Devices looked at before anything else gets its turn. */
const PORTION = 256;
/** How long acknowledgements may stay unwritten, in milliseconds. */
const WRITE_MS = 500;

/** Messages of a stream that every device has and that are watched until they are read. */
const READ_WATCH = 32;
/** Messages not watched of which it is told when somebody reads them: the newest. */
const READ_OLDER = 32;

interface Watched {
  readonly id: EntryId;
  readonly position: number;
  readonly author: PublicKey;
  /** The author's account. */
  readonly account: AccountId | undefined;
  readonly of: number;
  on: number;
  read: number;
}

export type Receipt = [id: EntryId, on: number, of: number, read: number];

export interface ReceiptsOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly tell: (device: PublicKey, receipts: Receipt[]) => void;
  /** Whether a device would hear what is told. */
  readonly isThere: (device: PublicKey) => boolean;
  readonly onFault: (error: unknown) => void;
}

export class Receipts {
  readonly #options: ReceiptsOptions;
  readonly #readers: Readers;
  /** Stream → device → length held. */
  readonly #cursors = new Map<StreamName, Map<PublicKey, number>>();
  readonly #watched = new Map<StreamName, Watched[]>();
  readonly #news = new Set<Watched>();
  /** Messages that are not watched and of which there is news, by author. */
  readonly #older = new Map<PublicKey, Set<EntryId>>();
  readonly #unwritten = new Map<string, StoreOperation>();
  readonly #telling = new Gather(() => this.#tell(), TELL_MS, TELL_APART_MS);
  #writeTimer: NodeJS.Timeout | undefined;

  private constructor(options: ReceiptsOptions, readers: Readers) {
    this.#options = options;
    this.#readers = readers;
  }

  static async open(options: ReceiptsOptions): Promise<Receipts> {
    const { log, directory } = options;
    const onRead = (news: ReadNews): void => receipts.#countReader(news);
    const readers = await Readers.open({ log, directory, onRead, onFault: options.onFault });
    const receipts = new Receipts(options, readers);
    for await (const [key, value] of options.log.store.entries(prefixed('c!'))) {
      const [, stream, device] = key.split('!') as [string, StreamName, PublicKey];
      receipts.#of(stream).set(device, Number(Buffer.from(value).toString()));
    }
    return receipts;
  }

  #of(stream: StreamName): Map<PublicKey, number> {
    let cursors = this.#cursors.get(stream);
    if (cursors === undefined) this.#cursors.set(stream, (cursors = new Map<PublicKey, number>()));
    return cursors;
  }

  /** Begins to watch the messages of a batch, and takes its marks of what was read. */
  watch(batch: Batch): void {
    const { stream, first } = batch.seal;
    const { directory } = this.#options;
    if (stream === 'space') return;
    if (stream.startsWith('account/')) return this.#readers.note(batch);
    const of = Math.max(0, directory.audienceSize(stream));
    batch.items.forEach((item, index) => {
      if (item.type !== 'entry' || !isMessage(item.entry)) return;
      const { id, device } = item.entry;
      const account = authorOf(directory.space, item.entry);
      let watched = this.#watched.get(stream);
      if (watched === undefined) this.#watched.set(stream, (watched = []));
      watched.push({ id, position: first + index, author: device, account, of, on: 0, read: 0 });
      if (watched.length > 2 * WATCH_LIMIT) watched.splice(0, WATCH_LIMIT);
    });
  }

  /** Takes a device's word that it holds a stream up to `length`. */
  acknowledge(device: PublicKey, stream: StreamName, length: number): void {
    const before = this.#cursors.get(stream)?.get(device) ?? 0;
    const after = Math.min(length, this.#options.log.headOf(stream).length);
    // Names of streams come from peers: those of nothing must not take a place here.
    if (after <= before || !this.#options.directory.isAudience(stream, device)) return;
    this.#of(stream).set(device, after);
    this.#unwritten.set(`c!${stream}!${device}`, {
      type: 'put',
      key: `c!${stream}!${device}`,
      value: utf8(String(after)),
    });
    this.#writeTimer ??= setTimeout(() => void this.flush(), WRITE_MS);
    this.#count(stream, device, before, after);
  }

  #count(stream: StreamName, device: PublicKey, before: number, after: number): void {
    const watched = this.#watched.get(stream);
    if (watched === undefined) return;
    let complete = 0;
    const first = firstWhere(watched.length, (at) => watched[at]!.position >= before);
    for (let i = first; i < watched.length; i++) {
      const message = watched[i]!;
      if (message.position >= after) break;
      if (message.author === device || message.on >= message.of) continue;
      message.on++;
      this.#news.add(message);
    }
    const end = watched.length - READ_WATCH;
    while (complete < end && watched[complete]!.on >= watched[complete]!.of) complete++;
    if (complete > 64) watched.splice(0, complete);
    if (this.#news.size > 0) this.#telling.ask();
  }

  /** Somebody has read messages of a stream. */
  #countReader(news: ReadNews): void {
    const { stream, account, from, until } = news;
    const watched = this.#watched.get(stream) ?? [];
    const watchedFrom = watched[0]?.position ?? until;
    if (from < watchedFrom)
      this.#noteOlder({ ...news, until: Math.min(until, watchedFrom) }).catch(
        this.#options.onFault,
      );
    const first = firstWhere(watched.length, (at) => watched[at]!.position >= from);
    for (let i = first; i < watched.length; i++) {
      const message = watched[i]!;
      if (message.position >= until) break;
      if (message.account === account) continue;
      message.read++;
      this.#news.add(message);
    }
    if (this.#news.size > 0) this.#telling.ask();
  }

  /** Of messages from before the server was started, or long ago, it is looked up how they stand. */
  async #noteOlder({ stream, account, from, until }: ReadNews): Promise<void> {
    const { log, directory, isThere } = this.#options;
    const oldest = Math.max(from, until - READ_OLDER);
    for await (const { item } of log.items(stream, oldest, until, true)) {
      if (item.type !== 'entry' || !isMessage(item.entry) || !isThere(item.entry.device)) continue;
      const { id, device } = item.entry;
      if (authorOf(directory.space, item.entry) === account) continue;
      const ids = this.#older.get(device);
      if (ids === undefined) this.#older.set(device, new Set([id]));
      else ids.add(id);
    }
    if (this.#older.size > 0) this.#telling.ask();
  }

  #tell(): void {
    const { tell, onFault } = this.#options;
    for (const [author, ids] of this.#older)
      this.lookup([...ids], author).then((list) => tell(author, list), onFault);
    this.#older.clear();
    const byAuthor = new Map<PublicKey, Receipt[]>();
    for (const { author, id, on, of, read } of this.#news) {
      let receipts = byAuthor.get(author);
      if (receipts === undefined) byAuthor.set(author, (receipts = []));
      receipts.push([id, on, of, read]);
    }
    this.#news.clear();
    for (const [author, receipts] of byAuthor)
      for (let i = 0; i < receipts.length; i += 1_000) tell(author, receipts.slice(i, i + 1_000));
  }

  /** How far messages have got, from what devices have acknowledged; each is told once. */
  async lookup(ids: readonly EntryId[], asking: PublicKey): Promise<Receipt[]> {
    const { log, directory } = this.#options;
    const asker = deviceOf(directory.space, asking)?.account;
    const byStream = new Map<StreamName, { id: EntryId; position: number }[]>();
    for (const id of new Set(ids)) {
      const place = log.find(id);
      if (place === undefined || !directory.isAudience(place.stream, asking)) continue;
      const places = byStream.get(place.stream);
      if (places === undefined) byStream.set(place.stream, [{ id, position: place.position }]);
      else places.push({ id, position: place.position });
    }
    const receipts: Receipt[] = [];
    for (const [stream, places] of byStream) {
      // Whose devices count may be in a state that is not in memory.
      await log.open(stream);
      const of = directory.audienceSize(stream);
      const held = await this.#held(stream);
      const lengths = [...held.values()].sort((a, b) => a - b);
      const readersOf = this.#readers.counter(stream);
      for (const { id, position } of places) {
        const item = log.item(stream, position);
        if (item?.type !== 'entry') continue;
        const holders =
          lengths.length - firstWhere(lengths.length, (at) => lengths[at]! > position);
        // As it was when the others were counted: it may have gone on since.
        const own = held.get(item.entry.device) ?? 0;
        const on = own > position ? holders - 1 : holders;
        // Who has read a message is its author's business alone.
        const author = authorOf(directory.space, item.entry);
        const read = author === asker ? readersOf(position, author) : 0;
        receipts.push([id, on, Math.max(on, of), read]);
      }
    }
    return receipts;
  }

  /** How far the devices that count hold a stream. */
  async #held(stream: StreamName): Promise<Map<PublicKey, number>> {
    const { directory } = this.#options;
    const held = new Map<PublicKey, number>();
    let looked = 0;
    for (const [device, length] of this.#cursors.get(stream) ?? []) {
      // Others are to be served in between, however many devices there are.
      if (++looked % PORTION === 0) await new Promise((resolve) => setImmediate(resolve));
      if (directory.isAudience(stream, device)) held.set(device, length);
    }
    await new Promise((resolve) => setImmediate(resolve));
    return held;
  }

  /** A stream is no more. */
  forget(stream: StreamName): void {
    for (const device of this.#cursors.get(stream)?.keys() ?? [])
      this.#unwritten.delete(`c!${stream}!${device}`);
    this.#cursors.delete(stream);
    this.#watched.delete(stream);
  }

  /** Writes the acknowledgements that are still in memory only. */
  async flush(): Promise<void> {
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
    const operations = [...this.#unwritten.values()];
    this.#unwritten.clear();
    if (operations.length === 0) return;
    try {
      await this.#options.log.store.write(operations, { sync: false });
    } catch (error) {
      // Nothing is lost for good: devices acknowledge again when they connect.
      this.#options.onFault(error);
    }
  }

  async stop(): Promise<void> {
    this.#telling.stop();
    await this.#readers.stop();
    await this.flush();
  }
}

/** Index of the first of so many, in order, of which something holds from there on. */
function firstWhere(number: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = number;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
