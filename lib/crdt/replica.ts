/**
 * A client's side of the log: what the server sealed, checked and kept, and what was written here
 * and not yet sealed (`own-entries.ts`).
 *
 *   p!<epoch id>   the key epoch was opened by an entry of a member
 */
import { Annotated } from './annotated.ts';
import { Arrivals, type Arrival, type Ingested } from './arrivals.ts';
import { equal } from './bytes.ts';
import { provenKey } from './draft.ts';
import { signEntry, type Entry } from './entry.ts';
import { ClchatError, type ErrorCode } from '../errors.ts';
import { History } from './history.ts';
import type { EntryId, PublicKey, SigningKey, VerifyAll } from './keys.ts';
import type { LogStore, OpenStream } from './log-store.ts';
import { newPlan, OwnEntries, tracesOf, type Plan } from './own-entries.ts';
import type { EpochRecord, HeadRecord } from './records.ts';
import { isMadeAnew } from './rules.ts';
import type { Batch, BatchBytes } from './seal.ts';
import type { Change, State } from './state.ts';
import type { StoreOperation } from './store.ts';
import type { StreamName } from './stream.ts';
import { Voids } from './voids.ts';

export interface ReplicaOptions {
  readonly log: LogStore;
  /** Key of the server whose seals count. */
  readonly server: PublicKey;
  /** This device. */
  readonly device: SigningKey;
  /** Verifies the signatures of what comes in; where absent, that is done on this thread. */
  readonly verifyAll?: VerifyAll | undefined;
  /** Called after a batch has been stored, in order for `added` ones. */
  readonly onBatch: (batch: Batch, added: boolean) => void;
  /**
   * An entry of this device left the outbox unsealed. Where `again`, it waits in `unmade` to be made
   * anew; else it is refused for good.
   */
  readonly onRefused: (entry: Entry, code: ErrorCode, again: boolean) => void;
}

export class Replica {
  readonly log: LogStore;
  readonly server: PublicKey;
  readonly #options: ReplicaOptions;
  /** Entries of this device on their way. */
  readonly #own: OwnEntries;
  readonly #proven = new Set<EntryId>();
  readonly #voids: Voids;
  readonly #annotated = new Annotated();
  #space: OpenStream;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #arrivals: Arrivals;
  readonly #history: History;

  private constructor(options: ReplicaOptions, space: OpenStream, own: OwnEntries, voids: Voids) {
    this.log = options.log;
    this.server = options.server;
    this.#options = options;
    this.#space = space;
    this.#own = own;
    this.#voids = voids;
    space.users++;
    const { log, server, device, onBatch, verifyAll } = options;
    const parts = {
      ...{ log, server, space, own, verifyAll },
      inTurn: <T>(run: () => Promise<T>) => this.#exclusive(run),
      write: (plan: Plan, change: () => void, sync?: boolean) => this.#write(plan, change, sync),
    };
    this.#arrivals = new Arrivals({
      ...parts,
      onBatch: (batch) => onBatch(batch, true),
    });
    this.#history = new History({
      ...parts,
      device: device.public,
      onBatch: (batch) => onBatch(batch, false),
    });
  }

  static async open(options: ReplicaOptions): Promise<Replica> {
    const { log, device, onRefused } = options;
    const own = await OwnEntries.open({ store: log.store, device: device.public, onRefused });
    const voids = await Voids.open(log.store);
    return new Replica(options, await log.open('space'), own, voids);
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
  async ingest(seal: Uint8Array, items: readonly Uint8Array[]): Promise<Arrival> {
    const [arrival] = await this.#arrivals.take([{ seal, items }]);
    return arrival!;
  }

  /** @throws BAD_ENTRY; see `Arrivals.take` */
  ingestAll(batches: readonly BatchBytes[]): Promise<Arrival[]> {
    return this.#arrivals.take(batches);
  }

  /** Writes, then makes the same change in memory: what is not stored has not happened. */
  async #write(
    { operations, after }: Plan,
    change: () => void = () => undefined,
    sync = false,
  ): Promise<void> {
    this.#voids.note(operations);
    this.#annotated.note(operations, (stream) => this.log.headOf(stream).length);
    await this.log.store.write(operations, { sync });
    change();
    for (const run of after) run();
  }

  /** @throws BAD_ENTRY; see `History.fillIn` */
  ingestOlder(name: StreamName, batches: readonly BatchBytes[]): Promise<Ingested> {
    return this.#history.fillIn(name, batches);
  }

  /** @throws BAD_ENTRY; see `History.adopt` */
  adopt(sealBytes: Uint8Array, records: readonly Change[]): Promise<void> {
    return this.#history.adopt(sealBytes, records);
  }

  /** Whether the state of a stream may come as a snapshot; see `History`. */
  takesSnapshot(name: StreamName): boolean {
    return this.#history.takesSnapshot(name);
  }

  /** Takes a stream back to a position; see `History`. @param also written with it */
  rewind(name: StreamName, until: number, also: readonly StoreOperation[] = []): Promise<void> {
    return this.#history.rewind(name, until, also);
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

  /** Takes away the head and the state of a stream: see `LogStore.drop`. */
  drop(name: StreamName): Promise<void> {
    return this.#exclusive(() => this.log.drop(name));
  }

  /** Whether the state here is the one that the last seal has hashed. Costs a hash of all records. */
  async verifyState(name: StreamName): Promise<boolean> {
    return this.#exclusive(async () => {
      const stream = await this.log.open(name);
      const seal = this.log.lastSeal(name);
      return seal === undefined || equal(stream.state.rehash(), seal.state);
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
      const erased = this.#own.add(entry, instead, plan);
      await this.#write(plan, undefined, options.sync || instead !== undefined);
      for (const range of tracesOf(erased)) await this.log.store.purge(range);
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
   * @param isShut the server gives the stream to this account no more: no batch will tell of it
   */
  judged(entry: Entry, code?: ErrorCode, isShut = false): Promise<void> {
    return this.#exclusive(async () => {
      const { state } = await this.log.open(entry.stream);
      const head = state.get<HeadRecord>('head', this.device);
      if (!isShut && (head === undefined || head.seq < entry.seq)) return;
      const plan = newPlan();
      this.#own.judged(entry, code, plan);
      await this.#write(plan);
    });
  }

  /** Where in the store else than in its stream bytes of entries of this device may be. */
  tracesOf(entries: readonly { readonly entry: Entry }[]): { from: string; until: string }[] {
    return tracesOf(entries.flatMap(({ entry }) => (entry.device === this.device ? [entry] : [])));
  }

  /** Whether anything that was sealed may be about a message. */
  mayBeAnnotated(
    { id, stream }: Pick<Entry, 'id' | 'stream'>,
    position = this.log.find(id)?.position,
  ): boolean {
    const { length } = this.log.headOf(stream);
    return position === undefined || this.#annotated.mayBe(stream, position, id, length);
  }

  /** Whether a sealed item is void here because the rules forbid it. */
  isVoid(stream: StreamName, position: number): boolean {
    return this.#voids.has(stream, position);
  }
}
