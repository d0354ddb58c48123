/**
 * How streams lie in a store, for the server and for replicas alike.
 *
 *   h!<stream>                     head: how far the stream has got
 *   s!<stream>!<first position>    seals
 *   e!<stream>!<position>          items
 *   i!<entry id>                   where an entry is (the server's only)
 *   r!<stream>!…                   the state: see `state-store.ts`
 *   z!<stream>                     its room is no more: it is to be forgotten
 */
import * as v from 'valibot';
import { utf8 } from './bytes.ts';
import { encode, stored } from './codec.ts';
import { ClchatError } from '../errors.ts';
import type { EntryId } from './keys.ts';
import { decodeItem, loadSeal, sizeOf, type Batch, type Item, type SignedSeal } from './seal.ts';
import type { State } from './state.ts';
import { clearOperations, loadSpace, loadStates, recordKey } from './state-store.ts';
import { ordinal, prefixed, type Range, type Store, type StoreOperation } from './store.ts';
import { EMPTY_HEAD, headSchema, type StreamHead } from './stream-head.ts';
import type { StreamName } from './stream.ts';

/** A stream opened: its head, and its state in memory. */
export interface OpenStream {
  readonly name: StreamName;
  head: StreamHead;
  state: State;
  /** Work under way on it: while there is any it stays in memory. */
  users: number;
}

/** Batches that one reading gives at most. */
const MAX_BATCHES = 256;
/** Whole-stream limit of what is kept open; the least recently used are let go beyond it. */
const OPEN_LIMIT = 2_000;
/** Heads of streams that are not open. */
const HEADS_LIMIT = 20_000;

export class LogStore {
  readonly store: Store;
  readonly #open = new Map<StreamName, OpenStream>();
  readonly #opening = new Map<StreamName, Promise<OpenStream>>();
  readonly #heads = new Map<StreamName, StreamHead>();

  constructor(store: Store) {
    this.store = store;
  }

  /** Opens a stream: one that was never written is empty. */
  async open(name: StreamName): Promise<OpenStream> {
    const open = this.#open.get(name);
    if (open !== undefined) {
      // Moves to the end: the order of the map is the order of use.
      this.#open.delete(name);
      this.#open.set(name, open);
      return open;
    }
    const opening = this.#opening.get(name);
    if (opening !== undefined) return opening;
    if (name === 'space') return this.#begin(name, this.#loadSpace());
    const loading = this.#loadAll([name]);
    return this.#begin(
      name,
      loading.then((all) => all.get(name)!),
    );
  }

  #begin(name: StreamName, loading: Promise<OpenStream>): Promise<OpenStream> {
    const isCurrent = (): boolean => this.#opening.get(name) === opening;
    const opening = loading.then(
      (stream) => {
        // Forgotten while it was read: what was read is no more.
        if (!isCurrent()) return this.open(name);
        this.#opening.delete(name);
        this.#open.set(name, stream);
        this.#heads.delete(name);
        this.#trim();
        return stream;
      },
      (error: unknown) => {
        if (isCurrent()) this.#opening.delete(name);
        throw error;
      },
    );
    this.#opening.set(name, opening);
    return opening;
  }

  /** Opens a stream and keeps it open while it is being changed, so that all see the same. */
  async use<T>(name: StreamName, run: (stream: OpenStream) => Promise<T>): Promise<T> {
    const stream = await this.open(name);
    stream.users++;
    try {
      return await run(stream);
    } finally {
      stream.users--;
    }
  }

  /** A stream that is open already. */
  opened(name: StreamName): OpenStream | undefined {
    return this.#open.get(name);
  }

  /** Opens streams: cheaper at once than one by one. */
  async openAll(names: readonly StreamName[]): Promise<void> {
    const closed = names.filter(
      (name) => name !== 'space' && !this.#open.has(name) && !this.#opening.has(name),
    );
    const loading = this.#loadAll(closed);
    const opening = closed.map((name) =>
      this.#begin(
        name,
        loading.then((all) => all.get(name)!),
      ),
    );
    await Promise.all(opening);
    await Promise.all(names.map((name) => this.open(name)));
  }

  async #loadAll(names: readonly StreamName[]): Promise<Map<StreamName, OpenStream>> {
    const heads = new Map(names.map((name) => [name, this.headOf(name)]));
    const states = await loadStates(this.store, heads);
    const streams = new Map<StreamName, OpenStream>();
    for (const [name, head] of heads)
      streams.set(name, { name, head, state: states.get(name)!, users: 0 });
    return streams;
  }

  async #loadSpace(): Promise<OpenStream> {
    const head = this.headOf('space');
    const state = await loadSpace(this.store, head.lanes);
    return { name: 'space', head, state, users: 0 };
  }

  #trim(): void {
    for (const [name, { users, head }] of this.#open) {
      if (this.#open.size <= OPEN_LIMIT) return;
      if (name === 'space' || users > 0) continue;
      this.#open.delete(name);
      this.#keepHead(name, head);
    }
  }

  /** Forgets what is in memory of a stream, so that it is read anew. */
  close(name: StreamName): void {
    this.#open.delete(name);
    this.#opening.delete(name);
    this.#heads.delete(name);
  }

  /** Takes away the head and the state of a stream: from here on it is as if it had never been. */
  async drop(name: StreamName): Promise<void> {
    const cleared = await clearOperations(this.store, name);
    await this.store.write([{ type: 'delete', key: `h!${name}` }, ...cleared], { sync: true });
    this.close(name);
  }

  /** Names of all streams that have a head, in order. */
  async names(): Promise<StreamName[]> {
    const names: StreamName[] = [];
    for await (const [key] of this.store.entries(prefixed('h!')))
      names.push(key.slice(2) as StreamName);
    return names;
  }

  headOf(name: StreamName): StreamHead {
    const known = this.#open.get(name)?.head ?? this.#heads.get(name);
    if (known !== undefined) return known;
    const head = this.#storedHead(name);
    this.#keepHead(name, head);
    return head;
  }

  #storedHead(name: StreamName): StreamHead {
    const bytes = this.store.get(`h!${name}`);
    return bytes === undefined ? EMPTY_HEAD : stored(headSchema, bytes);
  }

  /** Only who has opened a stream changes its head. */
  #keepHead(name: StreamName, head: StreamHead): void {
    const [oldest] = this.#heads.keys();
    if (this.#heads.size >= HEADS_LIMIT && oldest !== undefined) this.#heads.delete(oldest);
    this.#heads.set(name, head);
  }

  /**
   * One record of a stream's state, whether the stream is open or not.
   * @throws INTERNAL for the space when it is not
   */
  record<T>(stream: StreamName, table: string, id: string): T | undefined {
    const open = this.#open.get(stream);
    if (open !== undefined) return open.state.get<T>(table, id);
    if (stream === 'space') throw new ClchatError('INTERNAL', 'the space is not open');
    const bytes = this.store.get(recordKey(stream, table, id));
    return bytes === undefined ? undefined : (stored(v.unknown(), bytes) as T);
  }

  /** Where an entry stands, or its refusal, in a log that keeps places. */
  find(id: EntryId): { stream: StreamName; position: number } | undefined {
    const value = this.store.get(`i!${id}`);
    if (value === undefined) return undefined;
    const text = Buffer.from(value).toString('utf8');
    const space = text.indexOf(' ');
    return { position: Number(text.slice(0, space)), stream: text.slice(space + 1) as StreamName };
  }

  item(stream: StreamName, position: number): Item | undefined {
    const bytes = this.store.get(itemKey(stream, position));
    return bytes === undefined ? undefined : decodeItem(bytes);
  }

  sealAt(stream: StreamName, first: number): SignedSeal | undefined {
    const bytes = this.store.get(sealKey(stream, first));
    return bytes === undefined ? undefined : loadSeal(bytes);
  }

  /** The seal of the stored batch that holds a position. */
  async sealOver(stream: StreamName, position: number): Promise<SignedSeal | undefined> {
    const range = {
      from: sealKey(stream, 0),
      until: sealKey(stream, position + 1),
      reverse: true,
      limit: 1,
    };
    for await (const [, bytes] of this.store.entries(range)) {
      const seal = loadSeal(bytes);
      if (position < seal.first + seal.count) return seal;
    }
    return undefined;
  }

  /** The last seal, where it is stored (a replica has it once it has the batch). */
  lastSeal(stream: StreamName): SignedSeal | undefined {
    const head = this.headOf(stream);
    return head.seal === null ? undefined : this.sealAt(stream, head.last);
  }

  /**
   * Stored batches in order, as they go over the wire.
   * @param from a position: begins with the batch that holds it
   * @param until a position: ends before the batch that holds it
   * @param maxBytes ends after the batch that exceeds it
   */
  async batches(
    stream: StreamName,
    from: number,
    until: number,
    maxBytes: number,
  ): Promise<{ seal: Uint8Array; items: Uint8Array[] }[]> {
    const start = await this.#firstOfBatch(stream, from);
    const range = { from: sealKey(stream, start), until: sealKey(stream, until) };
    return this.#batches(stream, range, maxBytes);
  }

  /** The batches just before a position, newest first. */
  async batchesBefore(
    stream: StreamName,
    before: number,
    least: number,
    maxBytes: number,
  ): Promise<{ seal: Uint8Array; items: Uint8Array[] }[]> {
    const range = { from: sealKey(stream, least), until: sealKey(stream, before), reverse: true };
    return this.#batches(stream, range, maxBytes);
  }

  /** The batches of the seals in a range of keys, as far as they are whole and there is room. */
  async #batches(
    stream: StreamName,
    range: Range,
    maxBytes: number,
  ): Promise<{ seal: Uint8Array; items: Uint8Array[] }[]> {
    const seals = this.store.entries({ ...range, limit: MAX_BATCHES });
    const found: { seal: Uint8Array; items: Uint8Array[] }[] = [];
    let size = 0;
    for await (const [, bytes] of seals) {
      const seal = loadSeal(bytes);
      const items = await this.#items(stream, seal.first, seal.count);
      if (items.length !== seal.count) break;
      const batch = { seal: bytes, items };
      found.push(batch);
      size += sizeOf(batch);
      if (size >= maxBytes) break;
    }
    return found;
  }

  async #firstOfBatch(stream: StreamName, position: number): Promise<number> {
    // Most ask for what follows a batch.
    if (this.store.get(sealKey(stream, position)) !== undefined) return position;
    return (await this.sealOver(stream, position))?.first ?? position;
  }

  async #items(stream: StreamName, first: number, number: number): Promise<Uint8Array[]> {
    if (number <= 4) {
      const items: Uint8Array[] = [];
      for (let position = first; position < first + number; position++) {
        const bytes = this.store.get(itemKey(stream, position));
        if (bytes !== undefined) items.push(bytes);
      }
      return items;
    }
    const items: Uint8Array[] = [];
    const range = { from: itemKey(stream, first), until: itemKey(stream, first + number) };
    for await (const [, bytes] of this.store.entries(range)) items.push(bytes);
    return items;
  }

  /** Items in a range of positions, newest first where `reverse`. */
  async *items(
    stream: StreamName,
    from: number,
    until: number,
    reverse = false,
  ): AsyncGenerator<{ position: number; item: Item }> {
    const range = { from: itemKey(stream, from), until: itemKey(stream, until), reverse };
    const prefix = `e!${stream}!`.length;
    for await (const [key, bytes] of this.store.entries(range))
      yield { position: Number(key.slice(prefix)), item: decodeItem(bytes) };
  }
}

export function sealKey(stream: StreamName, first: number): string {
  return `s!${stream}!${ordinal(first)}`;
}

export function itemKey(stream: StreamName, position: number): string {
  return `e!${stream}!${ordinal(position)}`;
}

export function batchOperations(batch: Batch): StoreOperation[] {
  const { seal, items } = batch;
  const operations: StoreOperation[] = [
    { type: 'put', key: sealKey(seal.stream, seal.first), value: seal.bytes },
  ];
  items.forEach((item, index) => {
    const position = seal.first + index;
    operations.push({ type: 'put', key: itemKey(seal.stream, position), value: item.bytes });
  });
  return operations;
}

/** What lets `find` tell where the items of a batch are. */
export function placeOperations({ seal, items }: Batch): StoreOperation[] {
  return items.map((item, index) => {
    const id = item.type === 'entry' ? item.entry.id : item.refusal.id;
    const value = utf8(`${seal.first + index} ${seal.stream}`);
    return { type: 'put', key: `i!${id}`, value };
  });
}

export function headOperation(stream: StreamName, head: StreamHead): StoreOperation {
  return { type: 'put', key: `h!${stream}`, value: encode(head) };
}
