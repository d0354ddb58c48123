/**
 * How far each message has got. Devices acknowledge, by stream, up to where they hold it; authors
 * that are connected are told, in portions, how many devices have each of their messages.
 */
import type { EntryId, PublicKey } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import type { Batch } from '../../crdt/seal.ts';
import { isMessage } from '../../crdt/secrets.ts';
import { prefixed, type StoreOperation } from '../../crdt/store.ts';
import { utf8 } from '../../crdt/bytes.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { Gather } from '../../lifecycle.ts';
import type { Directory } from './directory.ts';

/** Messages watched in a stream; older ones are looked up when asked for. */
const WATCH_LIMIT = 4_096;
/** How soon authors are told of news, and how long until again, in milliseconds. */
const TELL_MS = 50;
const TELL_APART_MS = 250;
/** How long acknowledgements may stay unwritten, in milliseconds. */
const WRITE_MS = 500;

interface Watched {
  readonly id: EntryId;
  readonly position: number;
  readonly author: PublicKey;
  readonly of: number;
  on: number;
}

export type Receipt = [id: EntryId, on: number, of: number];

export interface ReceiptsOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly tell: (device: PublicKey, receipts: Receipt[]) => void;
  readonly onFault: (error: unknown) => void;
}

export class Receipts {
  readonly #options: ReceiptsOptions;
  /** Stream → device → length held. */
  readonly #cursors = new Map<StreamName, Map<PublicKey, number>>();
  readonly #watched = new Map<StreamName, Watched[]>();
  readonly #news = new Set<Watched>();
  readonly #unwritten = new Map<string, StoreOperation>();
  readonly #telling = new Gather(() => this.#tell(), TELL_MS, TELL_APART_MS);
  #writeTimer: NodeJS.Timeout | undefined;

  private constructor(options: ReceiptsOptions) {
    this.#options = options;
  }

  static async open(options: ReceiptsOptions): Promise<Receipts> {
    const receipts = new Receipts(options);
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

  /** Begins to watch the messages of a batch. */
  watch(batch: Batch): void {
    const { stream, first } = batch.seal;
    if (stream === 'space') return;
    const of = Math.max(0, this.#options.directory.audienceSize(stream));
    batch.items.forEach((item, index) => {
      if (item.type !== 'entry' || !isMessage(item.entry)) return;
      const { id, device } = item.entry;
      let watched = this.#watched.get(stream);
      if (watched === undefined) this.#watched.set(stream, (watched = []));
      watched.push({ id, position: first + index, author: device, of, on: 0 });
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
    for (let i = firstAt(watched, before); i < watched.length; i++) {
      const message = watched[i]!;
      if (message.position >= after) break;
      if (message.author === device || message.on >= message.of) continue;
      message.on++;
      this.#news.add(message);
    }
    while (complete < watched.length && watched[complete]!.on >= watched[complete]!.of) complete++;
    if (complete > 64) watched.splice(0, complete);
    if (this.#news.size > 0) this.#telling.ask();
  }

  #tell(): void {
    const byAuthor = new Map<PublicKey, Receipt[]>();
    for (const { author, id, on, of } of this.#news) {
      let receipts = byAuthor.get(author);
      if (receipts === undefined) byAuthor.set(author, (receipts = []));
      receipts.push([id, on, of]);
    }
    this.#news.clear();
    for (const [author, receipts] of byAuthor)
      for (let i = 0; i < receipts.length; i += 1_000)
        this.#options.tell(author, receipts.slice(i, i + 1_000));
  }

  /** How far a message has got, from what devices have acknowledged. */
  async lookup(id: EntryId, asking: PublicKey): Promise<Receipt | undefined> {
    const { log, directory } = this.#options;
    const place = log.find(id);
    if (place === undefined || !directory.isAudience(place.stream, asking)) return undefined;
    await log.open(place.stream);
    const item = log.item(place.stream, place.position);
    if (item?.type !== 'entry') return undefined;
    let on = 0;
    for (const [device, length] of this.#cursors.get(place.stream) ?? [])
      if (
        length > place.position &&
        device !== item.entry.device &&
        directory.isAudience(place.stream, device)
      )
        on++;
    return [id, on, Math.max(on, directory.audienceSize(place.stream))];
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
    await this.flush();
  }
}

/** Index of the first message at or after a position. */
function firstAt(watched: readonly Watched[], position: number): number {
  let low = 0;
  let high = watched.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (watched[middle]!.position < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
