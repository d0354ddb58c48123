/**
 * What becomes of a replica's streams otherwise than at their end: older batches are filled in, a
 * state is taken as a snapshot, or a stream is taken back to where the server's history parts from it.
 *
 *   t!<stream>   it is replayed from its beginning: no snapshot of it is taken
 */
import { isOfGone, type Ingested } from './arrivals.ts';
import { actionOf } from './bodies.ts';
import { equal } from './bytes.ts';
import { encode } from './codec.ts';
import { contentOperations, dutyOperations } from './content.ts';
import { provenOperation, withoutLanes } from './draft.ts';
import type { Entry } from './entry.ts';
import { ClchatError } from '../errors.ts';
import type { EntryId, PublicKey, VerifyAll } from './keys.ts';
import {
  batchOperations,
  headOperation,
  itemKey,
  sealKey,
  type LogStore,
  type OpenStream,
} from './log-store.ts';
import { addInterval, EMPTY_HEAD, headAfter, highestGap } from './stream-head.ts';
import { newPlan, type OwnEntries, type Plan } from './own-entries.ts';
import { deviceOf, isRecord, type EpochRecord } from './records.ts';
import { isEncryptedRoom } from './rooms.ts';
import { isFitInHindsight, mayRead } from './rules.ts';
import {
  openBatch,
  openBatchesApart,
  openSeal,
  type Batch,
  type BatchBytes,
  type Item,
  type SignedSeal,
} from './seal.ts';
import { State, type Change } from './state.ts';
import { clearOperations, stateOperations } from './state-store.ts';
import type { StoreOperation } from './store.ts';
import { placeOfStream, type StreamName } from './stream.ts';
import { voidKey, voidOperation } from './voids.ts';

export interface HistoryOptions {
  readonly log: LogStore;
  readonly server: PublicKey;
  /** This device. */
  readonly device: PublicKey;
  readonly space: OpenStream;
  readonly own: OwnEntries;
  /** Where absent, signatures are verified on this thread. */
  readonly verifyAll: VerifyAll | undefined;
  /** Runs alone among all that changes the replica. */
  readonly inTurn: <T>(run: () => Promise<T>) => Promise<T>;
  /** Writes, then makes the same change in memory. */
  readonly write: (plan: Plan, change: () => void, sync?: boolean) => Promise<void>;
  /** An older batch has been stored. */
  readonly onBatch: (batch: Batch) => void;
}

/** Key of the mark that a stream was replayed. */
const replayedKey = (stream: StreamName): string => `t!${stream}`;

export class History {
  readonly #options: HistoryOptions;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /**
   * Takes batches of the highest gap of a stream, newest first and linked to each other: they bring
   * back what is old and change no state.
   * @throws BAD_ENTRY
   */
  async fillIn(name: StreamName, batches: readonly BatchBytes[]): Promise<Ingested> {
    const { log, own, write, inTurn, onBatch } = this.#options;
    const opened = await this.#open(name, batches);
    const run = async (stream: OpenStream): Promise<Ingested> => {
      let { head } = stream;
      const plan = newPlan();
      const taken: Batch[] = [];
      let result: Ingested = 'added';
      for (const batch of opened) {
        const { seal, items } = batch;
        const gap = highestGap(head);
        const newer = taken.at(-1)?.seal;
        if (gap === undefined) result = 'duplicate';
        else if (seal.first + seal.count !== gap[1]) result = 'waiting';
        else {
          const linked = newer?.first === gap[1] ? newer.previous : this.#linkAt(name, gap[1]);
          if (seal.id !== linked) result = 'forked';
        }
        if (result !== 'added') break;
        head = { ...head, have: addInterval(head.have, seal.first, seal.first + seal.count) };
        items.forEach((item, index) => {
          own.sealed(name, item, plan);
          plan.operations.push(...this.#lookBack(stream, item, seal.first + index));
        });
        plan.operations.push(...batchOperations(batch));
        taken.push(batch);
      }
      if (taken.length > 0) {
        plan.operations.push(headOperation(name, head));
        await write(plan, () => (stream.head = head));
      }
      for (const batch of taken) onBatch(batch);
      return result;
    };
    return inTurn(() => log.use(name, run));
  }

  /** @throws BAD_ENTRY */
  async #open(name: StreamName, batches: readonly BatchBytes[]): Promise<Batch[]> {
    const { log, server, verifyAll } = this.#options;
    const high = highestGap(log.headOf(name))?.[1];
    const linked = high === undefined ? undefined : this.#linkAt(name, high);
    const opened =
      verifyAll === undefined
        ? batches.map(({ seal, items }) => openBatch(seal, items, server))
        : (await openBatchesApart(batches.toReversed(), server, verifyAll, linked)).toReversed();
    if (opened.some(({ seal }) => seal.stream !== name))
      throw new ClchatError('BAD_ENTRY', 'a batch of another stream');
    return opened;
  }

  /** Id of the seal that ends at a position, as what follows it says. */
  #linkAt(name: StreamName, position: number): string | null | undefined {
    const { log } = this.#options;
    const head = log.headOf(name);
    return position === head.length ? head.seal : log.sealAt(name, position)?.previous;
  }

  /** What can still be told of an entry whose time has passed: its state was taken as a snapshot. */
  #lookBack({ name, state }: OpenStream, item: Item, position: number): StoreOperation[] {
    if (item.type !== 'entry') return [];
    const { entry } = item;
    const space = this.#options.space.state;
    if (!isFitInHindsight(entry, space)) return [voidOperation(name, position, 'DENIED')];
    if (entry.kind !== 'epoch')
      return [
        ...contentOperations(name, position, item),
        ...dutyOperations(space, { stream: name, position, item }),
      ];
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
   * Takes a stream's state as a snapshot in place of what is here.
   * @throws BAD_ENTRY when the records are not those the seal has hashed
   */
  adopt(sealBytes: Uint8Array, records: readonly Change[]): Promise<void> {
    const { log, server, inTurn } = this.#options;
    return inTurn(async () => {
      const seal = openSeal(sealBytes, server);
      const state = new State();
      for (const { table, id, value } of records) {
        if (!isRecord(table, value))
          throw new ClchatError('BAD_ENTRY', `a malformed record of "${table}" in a snapshot`);
        state.load(table, id, value);
      }
      if (!equal(state.rehash(), seal.state))
        throw new ClchatError('BAD_ENTRY', 'the snapshot is not the one that was sealed');
      await log.use(seal.stream, (stream) => this.#replace(stream, seal, records, state));
    });
  }

  async #replace(
    stream: OpenStream,
    seal: SignedSeal,
    records: readonly Change[],
    state: State,
  ): Promise<void> {
    const { log, space, write } = this.#options;
    if (seal.first + seal.count <= stream.head.length || isOfGone(seal, space)) return;
    if (!this.takesSnapshot(seal.stream))
      throw new ClchatError('BAD_ENTRY', 'what is known of the space is not to be replaced');
    const operations = await clearOperations(log.store, seal.stream);
    operations.push(...stateOperations(seal.stream, records));
    const { have } = stream.head;
    const next = { ...headAfter(withoutLanes(stream.head), seal), have };
    operations.push(headOperation(seal.stream, next));
    await write({ operations, after: [] }, () => {
      stream.state = state;
      stream.head = next;
    });
  }

  /**
   * Whether the state of a stream may come as a snapshot. Of the space, and of an encrypted room, only
   * a newcomer takes one: to whoever knows keys of people already, or who is in the room, entries
   * signed by them have to tell of every change.
   */
  takesSnapshot(name: StreamName): boolean {
    const { log } = this.#options;
    if (!this.#isReplayed(name)) return true;
    return log.headOf(name).length === 0 && log.store.get(replayedKey(name)) === undefined;
  }

  /** Whether the state of a stream says who may read what. */
  #isReplayed(name: StreamName): boolean {
    const place = placeOfStream(name);
    if (place.type === 'room') return isEncryptedRoom(this.#options.space.state, place.room);
    return place.type === 'space';
  }

  /**
   * Takes a stream back to a position from which on the server's history is another than what is
   * here. What of it this device had written, and what it has not sent yet, is to be made anew; the
   * state comes as a snapshot, where one is taken, or from all its entries.
   * @param also written with it
   */
  rewind(name: StreamName, until: number, also: readonly StoreOperation[] = []): Promise<void> {
    const { log, device, own, write, inTurn } = this.#options;
    const run = async (stream: OpenStream): Promise<void> => {
      const { length } = stream.head;
      // Without a snapshot everything has to come again.
      const isReplayed = this.#isReplayed(name);
      const kept = isReplayed ? 0 : until;
      const plan = newPlan();
      plan.operations.push(...also);
      const lost: Entry[] = [];
      for await (const { position, item } of log.items(name, kept, length)) {
        plan.operations.push({ type: 'delete', key: itemKey(name, position) });
        for (const { key } of contentOperations(name, position, item))
          plan.operations.push({ type: 'delete', key });
        if (item.type !== 'entry' || position < until) continue;
        if (item.entry.device === device && item.entry.kind !== 'epoch') lost.push(item.entry);
      }
      for (const [epoch, record] of stream.state.entries<EpochRecord>('epoch'))
        own.keepEpoch(epoch as EntryId, record, plan);
      own.withdraw(name, lost, undefined, plan);
      for (const range of [
        { from: sealKey(name, kept), until: sealKey(name, length) },
        { from: voidKey(name, kept), until: voidKey(name, length) },
      ])
        for await (const [key] of log.store.entries(range))
          plan.operations.push({ type: 'delete', key });
      plan.operations.push(...(await clearOperations(log.store, name)));
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
      await write(plan, change, true);
    };
    return inTurn(() => log.use(name, run));
  }
}
