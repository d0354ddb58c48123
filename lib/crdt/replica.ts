/**
 * A client's side of the log: what the server sealed, checked and kept, and what was written here
 * and not yet sealed (the outbox).
 *
 *   o!<stream>!<seq>   entries of this device that no seal has yet
 *   f!<entry id>       entries of this device that were refused for good: [code, entry]
 *   g!<stream>!<seq>   entries of this device that are to be made anew
 *   v!<stream>!<position>   code: sealed against the rules, and void here
 */
import * as v from 'valibot';
import { equal } from './bytes.ts';
import { encode } from './codec.ts';
import { Draft, withoutLanes } from './draft.ts';
import {
  compareUnsealed,
  decodeEntry,
  encodeEntry,
  MAX_ENTRY,
  signEntry,
  verifyEntry,
  type Entry,
} from './entry.ts';
import { ClchatError, isErrorCode, translate, type ErrorCode } from '../errors.ts';
import type { EntryId, PublicKey, SigningKey } from './keys.ts';
import {
  addInterval,
  batchOperations,
  changeOperations,
  headAfter,
  EMPTY_HEAD,
  headOperation,
  highestGap,
  itemKey,
  sealKey,
  stored,
  type LogStore,
  type OpenStream,
} from './log-store.ts';
import { bytesUpTo, isRecord, type HeadRecord } from './records.ts';
import { openBatch, openSeal, loadSeal, type Batch } from './seal.ts';
import { State, type Change } from './state.ts';
import { ordinal, prefixed, type StoreOperation } from './store.ts';
import type { StreamName } from './stream.ts';

/** What became of a batch: `waiting` needs what is before it, `forked` contradicts what is here. */
export type Ingested = 'added' | 'duplicate' | 'waiting' | 'forked';

export interface Arrival {
  readonly stream: StreamName;
  /** The position after the batch. */
  readonly end: number;
  readonly result: Ingested;
}

/** A batch that came in and has not been looked at. */
interface Arriving {
  readonly sealBytes: Uint8Array;
  readonly itemBytes: readonly Uint8Array[];
  readonly resolve: (arrival: Arrival) => void;
  readonly reject: (error: Error) => void;
}

export interface ReplicaOptions {
  readonly log: LogStore;
  /** Key of the server whose seals count. */
  readonly server: PublicKey;
  /** This device. */
  readonly device: SigningKey;
  /** Called after a batch has been stored, in order for `added` ones. */
  readonly onBatch: (batch: Batch, added: boolean) => void;
  /**
   * An entry of this device left the outbox unsealed. Where `again`, it waits in `unmade` to be made
   * anew; else it is refused for good.
   */
  readonly onRefused: (entry: Entry, code: ErrorCode, again: boolean) => void;
}

/**
 * Whether an entry was refused through no fault of its author, so that it is made anew: the
 * conversation key changed meanwhile, or an entry before it had to be withdrawn.
 */
export function isMadeAnew(entry: Entry, code: ErrorCode): boolean {
  if (code === 'OUT_OF_ORDER') return true;
  return code === 'STALE_KEY' && (entry.kind === 'sealed' || entry.kind === 'epoch');
}

const refusedSchema = v.tuple([v.custom<ErrorCode>(isErrorCode), bytesUpTo(MAX_ENTRY)]);

export class Replica {
  readonly log: LogStore;
  readonly server: PublicKey;
  readonly #options: ReplicaOptions;
  /** Entries of this device not yet sealed, by stream, in order. */
  readonly #outbox = new Map<StreamName, Entry[]>();
  #space: OpenStream;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #arriving: Arriving[] = [];
  /** What is to be done once the present write is stored; nothing of it if that fails. */
  #after: (() => void)[] = [];

  private constructor(options: ReplicaOptions, space: OpenStream) {
    this.log = options.log;
    this.server = options.server;
    this.#options = options;
    this.#space = space;
    space.users++;
  }

  static async open(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options, await options.log.open('space'));
    for await (const [, bytes] of options.log.store.entries(prefixed('o!'))) {
      const entry = decodeEntry(bytes);
      replica.#queueOf(entry.stream).push(entry);
    }
    return replica;
  }

  get space(): State {
    return this.#space.state;
  }

  get device(): PublicKey {
    return this.#options.device.public;
  }

  /** Everything that changes the replica runs one after the other. */
  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      this.#after = [];
      return run();
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all that was begun has been stored. */
  settled(): Promise<unknown> {
    return this.#turn;
  }

  /**
   * Takes a batch from the wire: checks seal, items, signatures and place, then the rules. Batches
   * that come in while others are being stored are stored together, in the order of the calls.
   * @throws BAD_ENTRY when anything of it is not what the server sealed
   */
  ingest(sealBytes: Uint8Array, itemBytes: readonly Uint8Array[]): Promise<Arrival> {
    return new Promise((resolve, reject) => {
      this.#arriving.push({ sealBytes, itemBytes, resolve, reject });
      if (this.#arriving.length === 1) void this.#exclusive(() => this.#ingestArriving());
    });
  }

  /** Never rejects: whoever brought a batch is told. */
  async #ingestArriving(): Promise<void> {
    const arriving = this.#arriving.splice(0);
    let draft: Draft | undefined;
    for (const one of arriving) {
      try {
        const { sealBytes, itemBytes } = one;
        const { stream, first, count, id } = loadSeal(sealBytes);
        const end = first + count;
        const tell = (result: Ingested): void => one.resolve({ stream, end, result });
        // What is done to the space decides how the rest is judged, so streams do not mix.
        if (draft !== undefined && draft.stream.name !== stream) {
          await this.#store(draft);
          draft = undefined;
        }
        draft ??= new Draft(await this.log.open(stream));
        const { head } = draft;
        if (first > head.length) tell('waiting');
        else if (first < head.length) {
          const known = draft.sealAt(first) ?? this.log.sealAt(stream, first);
          const isKnown = known === undefined || known.id === id;
          if (!isKnown) openSeal(sealBytes, this.server);
          tell(isKnown ? 'duplicate' : 'forked');
        } else {
          const batch = openBatch(sealBytes, itemBytes, this.server, verifyEntry);
          if (draft.add(batch, this.#space)) {
            for (const item of batch.items) draft.operations.push(...this.#sealed(stream, item));
            draft.waiting.push({ ...one, resolve: () => tell('added') });
          } else tell('forked');
        }
      } catch (error) {
        one.reject(translate(error));
      }
    }
    if (draft !== undefined) await this.#store(draft);
  }

  /** Never rejects: whoever brought what is in the draft is told. */
  async #store(draft: Draft): Promise<void> {
    const { batches, waiting } = draft;
    if (batches.length === 0) return;
    try {
      await this.#write(draft.finish(), () => draft.adopt());
    } catch (error) {
      for (const { reject } of waiting) reject(translate(error));
      return;
    }
    for (const batch of batches) this.#options.onBatch(batch, true);
    for (const { resolve } of waiting) resolve();
  }

  /** Takes an own entry out of the outbox, now that a seal has it, or its refusal. */
  #sealed(stream: StreamName, item: Batch['items'][number]): StoreOperation[] {
    const device = item.type === 'entry' ? item.entry.device : item.refusal.device;
    const queue = this.#outbox.get(stream);
    if (device !== this.device || queue === undefined) return [];
    const id = item.type === 'entry' ? item.entry.id : item.refusal.id;
    const entry = queue.find((one) => one.id === id);
    if (entry === undefined) return [];
    this.#after.push(() => queue.splice(queue.indexOf(entry), 1));
    const operations: StoreOperation[] = [{ type: 'delete', key: outboxKey(entry) }];
    if (item.type === 'refusal') operations.push(this.#refuse(entry, item.refusal.code));
    return operations;
  }

  /** Tells of a refusal once it is stored. @returns what stores it */
  #refuse(entry: Entry, code: ErrorCode): StoreOperation {
    const again = isMadeAnew(entry, code);
    this.#after.push(() => this.#options.onRefused(entry, code, again));
    return again
      ? { type: 'put', key: unmadeKey(entry), value: encodeEntry(entry) }
      : { type: 'put', key: `f!${entry.id}`, value: encode([code, encodeEntry(entry)]) };
  }

  /** Writes, then makes the same change in memory: what is not stored has not happened. */
  async #write(
    operations: readonly StoreOperation[],
    change: () => void = () => undefined,
    sync = false,
  ): Promise<void> {
    const after = this.#after.splice(0);
    await this.log.store.write(operations, { sync });
    change();
    for (const run of after) run();
  }

  /**
   * Takes batches of the highest gap of a stream, newest first and linked to each other: they bring
   * back what is old and change no state.
   * @throws BAD_ENTRY
   */
  ingestOlder(
    name: StreamName,
    batches: readonly { seal: Uint8Array; items: readonly Uint8Array[] }[],
  ): Promise<Ingested> {
    return this.#exclusive(async () => {
      const stream = await this.log.open(name);
      for (const { seal: sealBytes, items } of batches) {
        const gap = highestGap(stream.head);
        if (gap === undefined) return 'duplicate';
        const [, high] = gap;
        const batch = openBatch(sealBytes, items, this.server, verifyEntry);
        const { seal } = batch;
        if (seal.stream !== name) throw new ClchatError('BAD_ENTRY', 'a batch of another stream');
        if (seal.first + seal.count !== high) return 'waiting';
        const linked =
          high === stream.head.length ? stream.head.seal : this.#previousAt(name, high);
        if (seal.id !== linked) return 'forked';
        const have = addInterval(stream.head.have, seal.first, high);
        const next = { ...stream.head, have };
        const operations = batch.items.flatMap((item) => this.#sealed(name, item));
        operations.push(...batchOperations(batch), headOperation(name, next));
        await this.#write(operations, () => (stream.head = next));
        this.#options.onBatch(batch, false);
      }
      return 'added';
    });
  }

  #previousAt(stream: StreamName, first: number): string | null | undefined {
    return this.log.sealAt(stream, first)?.previous;
  }

  /**
   * Takes a stream's state as a snapshot in place of what is here.
   * @throws BAD_ENTRY when the records are not those the seal has hashed
   */
  adopt(sealBytes: Uint8Array, records: readonly Change[]): Promise<void> {
    return this.#exclusive(async () => {
      const seal = openSeal(sealBytes, this.server);
      const state = new State();
      for (const { table, id, value } of records) {
        if (!isRecord(table, value))
          throw new ClchatError('BAD_ENTRY', `a malformed record of "${table}" in a snapshot`);
        state.load(table, id, value);
      }
      if (!equal(state.rehash(), seal.state))
        throw new ClchatError('BAD_ENTRY', 'the snapshot is not the one that was sealed');
      const stream = await this.log.open(seal.stream);
      if (seal.first + seal.count <= stream.head.length) return;
      const operations: StoreOperation[] = [];
      for await (const [key] of this.log.store.entries(prefixed(`r!${seal.stream}!`)))
        operations.push({ type: 'delete', key });
      operations.push(...changeOperations(seal.stream, records));
      const { have } = stream.head;
      const next = { ...headAfter(withoutLanes(stream.head), seal), have };
      operations.push(headOperation(seal.stream, next));
      await this.#write(operations, () => {
        stream.state = state;
        stream.head = next;
      });
    });
  }

  /** Whether the state here is the one that the last seal has hashed. Costs a hash of all records. */
  async verifyState(name: StreamName): Promise<boolean> {
    return this.#exclusive(async () => {
      const stream = await this.log.open(name);
      const seal = this.log.lastSeal(name);
      return seal === undefined || equal(stream.state.rehash(), seal.state);
    });
  }

  /**
   * Takes a stream back to a position from which on the server's history is another than what is
   * here. What of it this device had written is to be made anew; the state comes as a snapshot.
   */
  rewind(name: StreamName, until: number): Promise<void> {
    return this.#exclusive(async () => {
      const stream = await this.log.open(name);
      const { length } = stream.head;
      const operations: StoreOperation[] = [];
      for await (const { position, item } of this.log.items(name, until, length)) {
        operations.push({ type: 'delete', key: itemKey(name, position) });
        if (item.type !== 'entry') continue;
        if (item.entry.device === this.device && item.entry.kind !== 'epoch')
          operations.push(this.#refuse(item.entry, 'OUT_OF_ORDER'));
      }
      const seals = { from: sealKey(name, until), until: sealKey(name, length) };
      for await (const [key] of this.log.store.entries(seals))
        operations.push({ type: 'delete', key });
      for await (const [key] of this.log.store.entries(prefixed(`r!${name}!`)))
        operations.push({ type: 'delete', key });
      const have = stream.head.have
        .filter(([a]) => a < until)
        .map(([a, b]): [number, number] => [a, Math.min(b, until)]);
      const next = { ...EMPTY_HEAD, have };
      operations.push(headOperation(name, next));
      const change = (): void => {
        stream.state = new State();
        stream.head = next;
      };
      await this.#write(operations, change, true);
    });
  }

  // The outbox.

  #queueOf(stream: StreamName): Entry[] {
    let queue = this.#outbox.get(stream);
    if (queue === undefined) this.#outbox.set(stream, (queue = []));
    return queue;
  }

  /** Own entries that no seal has yet, in the order in which they are to be submitted. */
  pending(stream?: StreamName): Entry[] {
    if (stream !== undefined) return [...(this.#outbox.get(stream) ?? [])];
    return [...this.#outbox.values()].flat().sort(compareUnsealed);
  }

  /**
   * Signs an entry of this device and keeps it in the outbox.
   * @param make the body and its salt, given the place they will be bound to
   * @param options.sync survive a power cut (where nobody else will have it soon)
   * @param options.instead the withdrawn entry that this one takes the place of
   */
  append(
    name: StreamName,
    kind: string,
    time: number,
    make: (place: { stream: StreamName; seq: number }) => { body: Uint8Array; salt: Uint8Array },
    options: { sync: boolean; instead?: Entry | undefined },
  ): Promise<Entry> {
    return this.#exclusive(async () => {
      const { state } = await this.log.open(name);
      const queue = this.#queueOf(name);
      const last = queue.at(-1);
      const head: HeadRecord | undefined = last ?? state.get<HeadRecord>('head', this.device);
      const seq = (head?.seq ?? 0) + 1;
      const clock = Math.max(last?.clock ?? 0, state.get<number>('clock', 'clock') ?? 0) + 1;
      const { body, salt } = make({ stream: name, seq });
      const entry = signEntry(
        this.#options.device,
        { server: this.server, stream: name, seq, previous: head?.id ?? null, clock, time, kind },
        body,
        salt,
      );
      const operations: StoreOperation[] = [
        { type: 'put', key: outboxKey(entry), value: encodeEntry(entry) },
      ];
      // One for the other at once, or a crash in between would lose or double what was said.
      const { instead } = options;
      if (instead !== undefined) operations.push({ type: 'delete', key: unmadeKey(instead) });
      const sync = options.sync || instead !== undefined;
      await this.#write(operations, () => queue.push(entry), sync);
      return entry;
    });
  }

  /**
   * Takes an entry, and all that follow it in its stream, out of the outbox: the server will not
   * seal it as it is. Those that followed are to be made anew.
   * @returns whether it was there still
   */
  withdraw(entry: Entry, code: ErrorCode): Promise<boolean> {
    return this.#exclusive(async () => {
      const queue = this.#queueOf(entry.stream);
      const index = queue.findIndex(({ id }) => id === entry.id);
      if (index < 0) return false;
      const operations = queue
        .slice(index)
        .flatMap((one, at): StoreOperation[] => [
          { type: 'delete', key: outboxKey(one) },
          this.#refuse(one, at === 0 ? code : 'OUT_OF_ORDER'),
        ]);
      await this.#write(operations, () => queue.splice(index), true);
      return true;
    });
  }

  /** Entries that wait to be made anew, in the order in which they were made. */
  async unmade(): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const [, bytes] of this.log.store.entries(prefixed('g!')))
      entries.push(decodeEntry(bytes));
    return entries;
  }

  /** Gives up an entry that waits to be made anew: refused for good, or needed no more. */
  giveUp(entry: Entry, code: ErrorCode | undefined): Promise<void> {
    return this.#exclusive(async () => {
      const operations: StoreOperation[] = [{ type: 'delete', key: unmadeKey(entry) }];
      if (code !== undefined)
        operations.push({
          type: 'put',
          key: `f!${entry.id}`,
          value: encode([code, encodeEntry(entry)]),
        });
      await this.#write(operations, undefined, true);
      if (code !== undefined) this.#options.onRefused(entry, code, false);
    });
  }

  /**
   * Takes an entry out of the outbox of which the server said that it has been judged, when the state
   * here is past it already (it came as a snapshot, not by its batch).
   * @param code with which it was refused
   */
  judged(entry: Entry, code?: ErrorCode): Promise<void> {
    return this.#exclusive(async () => {
      const { state } = await this.log.open(entry.stream);
      const head = state.get<HeadRecord>('head', this.device);
      const queue = this.#queueOf(entry.stream);
      const index = queue.findIndex(({ id }) => id === entry.id);
      if (index < 0 || head === undefined || head.seq < entry.seq) return;
      const gone = { type: 'delete', key: outboxKey(entry) } as const;
      const operations = code === undefined ? [gone] : [gone, this.#refuse(entry, code)];
      await this.#write(operations, () => queue.splice(index, 1));
    });
  }

  /** An own entry that was refused for good, with the code. */
  refused(id: EntryId): { entry: Entry; code: ErrorCode } | undefined {
    const bytes = this.log.store.get(`f!${id}`);
    if (bytes === undefined) return undefined;
    const [code, entry] = stored(refusedSchema, bytes);
    return { entry: decodeEntry(entry), code };
  }

  /** Whether a sealed item is void here because the rules forbid it. */
  isVoid(stream: StreamName, position: number): boolean {
    return this.log.store.get(`v!${stream}!${ordinal(position)}`) !== undefined;
  }
}

function outboxKey(entry: Entry): string {
  return `o!${entry.stream}!${ordinal(entry.seq)}`;
}

function unmadeKey(entry: Entry): string {
  return `g!${entry.stream}!${ordinal(entry.seq)}!${entry.id}`;
}
