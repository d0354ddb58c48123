/**
 * A client's side of the log: what the server sealed, checked and kept, and what was written here
 * and not yet sealed (`own-entries.ts`).
 *
 *   v!<stream>!<position>   code: sealed against the rules, and void here
 *   p!<epoch id>            the key epoch was opened by an entry of a member
 *   t!<stream>              it was replayed from its beginning: no snapshot of it is taken
 */
import { equal } from './bytes.ts';
import { actionOf } from './bodies.ts';
import { encode } from './codec.ts';
import { contentOperations } from './content.ts';
import { Arrivals, isOfGone, type Arrival, type Ingested } from './arrivals.ts';
import { provenKey, provenOperation, voidKey, voidOperation, withoutLanes } from './draft.ts';
import { signEntry, type Entry } from './entry.ts';
import { ClchatError, type ErrorCode } from '../errors.ts';
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
  type LogStore,
  type OpenStream,
} from './log-store.ts';
import { newPlan, OwnEntries, tracesOf, type Plan } from './own-entries.ts';
import { deviceOf, isRecord, type EpochRecord, type HeadRecord } from './records.ts';
import { isEncryptedRoom } from './rooms.ts';
import { isFitInHindsight, isMadeAnew, mayRead } from './rules.ts';
import { openBatch, openSeal, type Batch, type Item } from './seal.ts';
import { State, type Change } from './state.ts';
import { prefixed, type StoreOperation } from './store.ts';
import { placeOfStream, type StreamName } from './stream.ts';

export interface ReplicaOptions {
  readonly log: LogStore;
  /** Key of the server whose seals count. */
  readonly server: PublicKey;
  /** This device. */
  readonly device: SigningKey;
  /** Signatures of what comes in are verified on other threads. */
  readonly isParallel?: boolean;
  /** Called after a batch has been stored, in order for `added` ones. */
  readonly onBatch: (batch: Batch, added: boolean) => void;
  /**
   * An entry of this device left the outbox unsealed. Where `again`, it waits in `unmade` to be made
   * anew; else it is refused for good.
   */
  readonly onRefused: (entry: Entry, code: ErrorCode, again: boolean) => void;
}

/** Key of the mark that a stream was replayed; see above. */
const replayedKey = (stream: StreamName): string => `t!${stream}`;

export class Replica {
  readonly log: LogStore;
  readonly server: PublicKey;
  readonly #options: ReplicaOptions;
  /** Entries of this device on their way. */
  readonly #own: OwnEntries;
  readonly #proven = new Set<EntryId>();
  #space: OpenStream;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #arrivals: Arrivals;

  private constructor(options: ReplicaOptions, space: OpenStream, own: OwnEntries) {
    this.log = options.log;
    this.server = options.server;
    this.#options = options;
    this.#space = space;
    this.#own = own;
    space.users++;
    const { log, server, onBatch, isParallel = false } = options;
    this.#arrivals = new Arrivals({
      log,
      server,
      space,
      own,
      isParallel,
      inTurn: (run) => this.#exclusive(run),
      write: (plan, change) => this.#write(plan, change),
      onBatch: (batch) => onBatch(batch, true),
    });
  }

  static async open(options: ReplicaOptions): Promise<Replica> {
    const { log, device, onRefused } = options;
    const own = await OwnEntries.open({ store: log.store, device: device.public, onRefused });
    return new Replica(options, await log.open('space'), own);
  }

  get space(): State {
    return this.#space.state;
  }

  get device(): PublicKey {
    return this.#options.device.public;
  }

  /** Everything that changes the replica runs one after the other. */
  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all that was begun has been stored. */
  settled(): Promise<unknown> {
    return this.#turn;
  }

  /** @throws BAD_ENTRY when anything of it is not what the server sealed; see `Arrivals` */
  ingest(sealBytes: Uint8Array, itemBytes: readonly Uint8Array[]): Promise<Arrival> {
    return this.#arrivals.take(sealBytes, itemBytes);
  }

  /** Writes, then makes the same change in memory: what is not stored has not happened. */
  async #write(
    { operations, after }: Plan,
    change: () => void = () => undefined,
    sync = false,
  ): Promise<void> {
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
        const batch = openBatch(sealBytes, items, this.server);
        const { seal } = batch;
        if (seal.stream !== name) throw new ClchatError('BAD_ENTRY', 'a batch of another stream');
        if (seal.first + seal.count !== high) return 'waiting';
        const linked =
          high === stream.head.length ? stream.head.seal : this.#previousAt(name, high);
        if (seal.id !== linked) return 'forked';
        const have = addInterval(stream.head.have, seal.first, high);
        const next = { ...stream.head, have };
        const plan = newPlan();
        batch.items.forEach((item, index) => {
          this.#own.sealed(name, item, plan);
          plan.operations.push(...this.#lookBack(stream, item, seal.first + index));
        });
        plan.operations.push(...batchOperations(batch), headOperation(name, next));
        await this.#write(plan, () => (stream.head = next));
        this.#options.onBatch(batch, false);
      }
      return 'added';
    });
  }

  /** What can still be told of an entry whose time has passed: its state was taken as a snapshot. */
  #lookBack({ name, state }: OpenStream, item: Item, position: number): StoreOperation[] {
    if (item.type !== 'entry') return [];
    const { entry } = item;
    const { space } = this;
    if (!isFitInHindsight(entry, space)) return [voidOperation(name, position, 'DENIED')];
    if (entry.kind !== 'epoch') return contentOperations(name, position, item);
    const author = deviceOf(space, entry.device)?.account;
    const record = state.get<EpochRecord>('epoch', entry.id);
    const type = name.startsWith('pair/') ? 'pair' : 'room';
    const action = actionOf(entry, type);
    const isOpened =
      author !== undefined &&
      mayRead(space, name, state, author, true) &&
      record !== undefined &&
      action?.kind === 'epoch' &&
      equal(encode(action.body.wraps), encode(record.wraps));
    return isOpened ? [provenOperation(entry.id)] : [];
  }

  /**
   * Whether a key epoch of the state was opened by an entry of a member that was seen here. One that
   * only a snapshot tells of might be the server's own.
   */
  isProven(epoch: EntryId): boolean {
    if (this.#proven.has(epoch)) return true;
    const isProven = this.log.store.get(provenKey(epoch)) !== undefined;
    if (isProven) this.#proven.add(epoch);
    return isProven;
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
      if (seal.first + seal.count <= stream.head.length || isOfGone(seal, this.#space)) return;
      if (!this.takesSnapshot(seal.stream))
        throw new ClchatError('BAD_ENTRY', 'what is known of the space is not to be replaced');
      const operations: StoreOperation[] = [];
      for await (const [key] of this.log.store.entries(prefixed(`r!${seal.stream}!`)))
        operations.push({ type: 'delete', key });
      operations.push(...changeOperations(seal.stream, records));
      const { have } = stream.head;
      const next = { ...headAfter(withoutLanes(stream.head), seal), have };
      operations.push(headOperation(seal.stream, next));
      await this.#write({ operations, after: [] }, () => {
        stream.state = state;
        stream.head = next;
      });
    });
  }

  /** Takes away the head and the state of a stream: see `LogStore.drop`. */
  drop(name: StreamName): Promise<void> {
    return this.#exclusive(() => this.log.drop(name));
  }

  /**
   * Whether the state of a stream may come as a snapshot. Of the space, and of an encrypted room, only
   * a newcomer takes one: to whoever knows keys of people already, or who is in the room, entries
   * signed by them have to tell of every change.
   */
  takesSnapshot(name: StreamName): boolean {
    if (!this.#isReplayed(name)) return true;
    return (
      this.log.headOf(name).length === 0 && this.log.store.get(replayedKey(name)) === undefined
    );
  }

  /** Whether the state of a stream says who may read what. */
  #isReplayed(name: StreamName): boolean {
    const place = placeOfStream(name);
    if (place.type === 'room') return isEncryptedRoom(this.space, place.room);
    return place.type === 'space';
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
   * here. What of it this device had written, and what it has not sent yet, is to be made anew; the
   * state comes as a snapshot, where one is taken, or from all its entries.
   * @param also written with it
   */
  rewind(name: StreamName, until: number, also: readonly StoreOperation[] = []): Promise<void> {
    return this.#exclusive(async () => {
      const stream = await this.log.open(name);
      const { length } = stream.head;
      // Without a snapshot everything has to come again.
      const isReplayed = this.#isReplayed(name);
      const kept = isReplayed ? 0 : until;
      const plan = newPlan();
      plan.operations.push(...also);
      const lost: Entry[] = [];
      for await (const { position, item } of this.log.items(name, kept, length)) {
        plan.operations.push({ type: 'delete', key: itemKey(name, position) });
        for (const { key } of contentOperations(name, position, item))
          plan.operations.push({ type: 'delete', key });
        if (item.type !== 'entry' || position < until) continue;
        if (item.entry.device === this.device && item.entry.kind !== 'epoch') lost.push(item.entry);
      }
      for (const [epoch, record] of stream.state.entries<EpochRecord>('epoch'))
        this.#own.keepEpoch(epoch as EntryId, record, plan);
      this.#own.withdraw(name, lost, undefined, plan);
      for (const range of [
        { from: sealKey(name, kept), until: sealKey(name, length) },
        { from: voidKey(name, kept), until: voidKey(name, length) },
        prefixed(`r!${name}!`),
      ])
        for await (const [key] of this.log.store.entries(range))
          plan.operations.push({ type: 'delete', key });
      const have = stream.head.have
        .filter(([a]) => a < kept)
        .map(([a, b]): [number, number] => [a, Math.min(b, kept)]);
      const next = { ...EMPTY_HEAD, have };
      plan.operations.push(headOperation(name, next));
      if (isReplayed)
        plan.operations.push({ type: 'put', key: replayedKey(name), value: new Uint8Array() });
      const change = (): void => {
        stream.state = new State();
        stream.head = next;
      };
      await this.#write(plan, change, true);
    });
  }

  // Entries of this device on their way: see `OwnEntries`.

  /** Own entries that no seal has yet, in the order in which they are to be submitted. */
  pending(stream?: StreamName): Entry[] {
    return this.#own.pending(stream);
  }

  unmade(stream: StreamName): Entry[] {
    return this.#own.unmade(stream);
  }

  firstUnmade(stream: StreamName): Entry | undefined {
    return this.#own.firstUnmade(stream);
  }

  /** Everything of this device in a stream that no server has judged for good. */
  unsealed(stream: StreamName): Entry[] {
    return [...this.pending(stream), ...this.unmade(stream)];
  }

  unmadeStreams(): StreamName[] {
    return this.#own.unmadeStreams();
  }

  refused(id: EntryId): { entry: Entry; code: ErrorCode } | undefined {
    return this.#own.refused(id);
  }

  keptEpoch(id: EntryId): EpochRecord | undefined {
    return this.#own.keptEpoch(id);
  }

  /**
   * Signs an entry of this device and keeps it in the outbox.
   * @param make the body and its salt, given the place they will be bound to
   * @param options.sync survive a power cut (where nobody else will have it soon)
   * @param options.instead the withdrawn entry that this one takes the place of
   * @throws STALE while others of the stream wait to be made anew, which come first
   */
  append(
    name: StreamName,
    kind: string,
    time: number,
    make: (place: { stream: StreamName; seq: number }) => { body: Uint8Array; salt: Uint8Array },
    options: { sync: boolean; instead?: Entry | undefined; isOpening?: boolean },
  ): Promise<Entry> {
    return this.#exclusive(async () => {
      const { instead, isOpening = false } = options;
      const comesFirst = this.#own.firstUnmade(name);
      if (!isOpening && comesFirst !== undefined && comesFirst.id !== instead?.id)
        throw new ClchatError('STALE', 'what was written before has to be made anew first');
      const { state } = await this.log.open(name);
      const last = this.#own.lastPending(name);
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
      const plan = newPlan();
      this.#own.add(entry, instead, plan);
      await this.#write(plan, undefined, options.sync || instead !== undefined);
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
      const queue = this.#own.pending(entry.stream);
      const index = queue.findIndex(({ id }) => id === entry.id);
      if (index < 0) return false;
      const plan = newPlan();
      const isAgain = isMadeAnew(entry, code);
      if (!isAgain) this.#own.judged(entry, code, plan);
      const from = isAgain ? entry : queue[index + 1];
      if (from !== undefined) this.#own.withdraw(entry.stream, [], from, plan);
      await this.#write(plan, undefined, true);
      return true;
    });
  }

  /**
   * Withdraws what waits in the outbox of a stream if it does not go on where the state ends: the
   * server would wait for ever for what is between.
   * @returns whether it did
   */
  realign(name: StreamName): Promise<boolean> {
    return this.#exclusive(async () => {
      const { state } = await this.log.open(name);
      const first = this.#own.firstPending(name);
      const head = state.get<HeadRecord>('head', this.device);
      if (first === undefined || first.previous === (head?.id ?? null)) return false;
      const plan = newPlan();
      this.#own.withdraw(name, [], undefined, plan);
      await this.#write(plan, undefined, true);
      return true;
    });
  }

  /** Gives up an entry that waits to be made anew: refused for good, or needed no more. */
  giveUp(entry: Entry, code: ErrorCode | undefined): Promise<void> {
    return this.#exclusive(async () => {
      const plan = newPlan();
      this.#own.giveUp(entry, code, plan);
      await this.#write(plan, undefined, true);
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
      if (head === undefined || head.seq < entry.seq) return;
      const plan = newPlan();
      this.#own.judged(entry, code, plan);
      await this.#write(plan);
    });
  }

  /** Where in the store else than in its stream bytes of entries of this device may be. */
  tracesOf(entries: readonly { readonly entry: Entry }[]): { from: string; until: string }[] {
    return entries.flatMap(({ entry }) => (entry.device === this.device ? tracesOf(entry) : []));
  }

  /** Whether a sealed item is void here because the rules forbid it. */
  isVoid(stream: StreamName, position: number): boolean {
    return this.log.store.get(voidKey(stream, position)) !== undefined;
  }
}
