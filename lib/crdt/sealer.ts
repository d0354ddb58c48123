/**
 * The server's side of the log: judges entries in the order in which they come, seals them by
 * batches and writes each batch in one synchronous store write before anyone is told (group commit).
 */
import type { Action } from './bodies.ts';
import { equal } from './bytes.ts';
import { contentOperations, messageAt } from './content.ts';
import { isMessage, type Entry } from './entry.ts';
import { ClchatError, translate, type ErrorCode } from '../errors.ts';
import { sleep, type Clock } from '../lifecycle.ts';
import type { EntryId, PublicKey, SigningKey } from './keys.ts';
import {
  batchOperations,
  headOperation,
  placeOperations,
  type LogStore,
  type OpenStream,
} from './log-store.ts';
import { headAfter } from './stream-head.ts';
import { judge, reduceItem, type Context } from './rules.ts';
import {
  BATCH_BYTES,
  entryItem,
  MAX_BATCH,
  refusalItem,
  rootOf,
  signSeal,
  type Batch,
  type Item,
} from './seal.ts';
import { Overlay, type Reader, type SetHash } from './state.ts';
import { changeOperations } from './state-store.ts';
import type { StoreOperation } from './store.ts';
import type { StreamName } from './stream.ts';

/** What was made of a submitted entry, told only once it is durable. */
export type Outcome =
  | { readonly type: 'sealed'; readonly position: number }
  | { readonly type: 'refused'; readonly code: ErrorCode }
  | { readonly type: 'rejected'; readonly code: ErrorCode };

/**
 * The server's own word where the log cannot tell; a code refuses.
 * @param messageOf a message that stands before the entry, also one that is stored only with it
 */
export type Admit = (
  action: Action,
  context: Context,
  messageOf: (id: EntryId) => Entry | undefined,
) => ErrorCode | undefined;

export interface Submission {
  /** Its signature has been verified. */
  readonly entry: Entry;
  readonly bytes: Uint8Array;
  readonly admit?: Admit | undefined;
  /** Written with the entry if, and only if, it is accepted. */
  readonly operations?: readonly StoreOperation[];
}

interface Pending extends Submission {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

interface Work {
  readonly stream: OpenStream;
  readonly overlay: Overlay;
  readonly items: Item[];
  /** Of the items. */
  bytes: number;
  /** When they are judged. A clock set back must not make time run backwards in the log. */
  readonly time: number;
}

type Works = Map<StreamName, Work>;

export interface SealerOptions {
  readonly log: LogStore;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly term: number;
  /** Called with the batches of a commit once they are durable. */
  readonly onCommit: (batches: readonly Batch[]) => void;
  /** What is to be written with a batch that is taken back. @param after the state that it makes */
  readonly withTakenBack?: (batch: Batch, after: Reader) => readonly StoreOperation[];
}

/** Most entries that may wait to be judged. */
const QUEUE_LIMIT = 20_000;
/** Most entries judged in one commit. */
const COMMIT_LIMIT = 4 * MAX_BATCH;

export class Sealer {
  readonly #options: SealerOptions;
  #queue: Pending[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Streams of which nothing is sealed for the moment, with what ends that. */
  readonly #resting = new Map<StreamName, NodeJS.Timeout>();
  /** Ends the wait for streams that rest. */
  #wake: () => void = () => undefined;
  /**
   * Nothing is sealed before this moment of the monotonic clock: a restored server first gives its
   * clients the time to hand back what it lacks.
   */
  holdUntil = -Infinity;

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Key under which entries must be made for this server. */
  get server(): PublicKey {
    return this.#options.key.public;
  }

  /**
   * Submits one entry. Entries of one caller are judged in the order of the calls.
   * @throws RATE_LIMITED, DISK_FULL and other store errors, CLOSED
   */
  submit(submission: Submission): Promise<Outcome> {
    if (this.#closed) return Promise.reject(new ClchatError('CLOSED'));
    if (this.#queue.length >= QUEUE_LIMIT) return Promise.reject(new ClchatError('RATE_LIMITED'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...submission, resolve, reject });
      const isFull = this.#queue.length >= MAX_BATCH;
      if (isFull || !this.#resting.has(submission.entry.stream)) this.#wake();
      this.#running ??= this.#run();
    });
  }

  /**
   * Takes back a batch that this server sealed in an earlier term and has lost: restored from an old
   * backup, it continues from where clients had seen it.
   * @returns whether the stream goes on with it; false when it goes on otherwise by now
   * @throws BAD_ENTRY when it is not the next batch of its stream, or not this server's
   */
  handBack(batch: Batch): Promise<boolean> {
    const { log, term } = this.#options;
    const { seal, items } = batch;
    const run = async (stream: OpenStream): Promise<boolean> => {
      if (seal.first < stream.head.length)
        return log.sealAt(seal.stream, seal.first)?.id === seal.id;
      if (seal.previous !== stream.head.seal) return false;
      if (seal.seq !== stream.head.seals + 1 || seal.term > term)
        throw new ClchatError('BAD_ENTRY', 'not the next batch');
      const space = seal.stream === 'space' ? undefined : await log.open('space');
      const overlay = new Overlay(stream.state);
      items.forEach((item, index) => {
        const standing = {
          space: space?.state ?? overlay,
          stream: overlay,
          position: seal.first + index,
          hindsight: space !== undefined && space.head.length !== seal.space,
          now: seal.time,
        };
        overlay.apply(reduceItem(item, standing).changes);
      });
      const changes = overlay.changes();
      const hash = stream.state.preview(changes);
      if (!equal(hash.digest(), seal.state))
        throw new ClchatError('BAD_ENTRY', 'the state is not the one that was sealed');
      const head = headAfter(stream.head, seal, hash.bytes);
      await log.store.write(
        [
          ...batchOperations(batch),
          ...placeOperations(batch),
          ...contentOf(batch),
          ...changeOperations(seal.stream, changes),
          headOperation(seal.stream, head),
          ...(this.#options.withTakenBack?.(batch, overlay) ?? []),
        ],
        { sync: true },
      );
      stream.state.adopt(changes, hash);
      stream.head = head;
      this.#options.onCommit([batch]);
      return true;
    };
    return this.#exclusive(() => log.use(seal.stream, run));
  }

  /** Commits and what is handed back take turns. */
  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /**
   * Seals nothing of a stream for so many milliseconds, unless a whole batch waits. Telling many of
   * every seal costs, so each is to carry more when much is said.
   */
  rest(stream: StreamName, milliseconds: number): void {
    if (this.#closed) return;
    clearTimeout(this.#resting.get(stream));
    const over = (): void => {
      this.#resting.delete(stream);
      this.#wake();
    };
    this.#resting.set(stream, setTimeout(over, milliseconds));
  }

  /** Finishes what was submitted, then takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#resting.values()) clearTimeout(timer);
    this.#resting.clear();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    // Lets everything that arrived in this turn of the event loop join the batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const held = this.holdUntil - clock.monotonic();
      if (held > 0 && !this.#closed) await sleep(Math.ceil(held));
      const taken = this.#takeReady();
      if (taken.length === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const works: Works = new Map();
      try {
        await this.#exclusive(() => this.#commit(taken, works));
      } catch (error) {
        const translated = translate(error, 'DATA_CORRUPT');
        for (const pending of taken) pending.reject(translated);
      } finally {
        for (const { stream } of works.values()) stream.users--;
      }
    }
    this.#running = undefined;
  }

  /** Takes what waits and does not rest, in order; of a device nothing before what it sent earlier. */
  #takeReady(): Pending[] {
    if (this.#resting.size === 0 || this.#queue.length >= MAX_BATCH)
      return this.#queue.splice(0, COMMIT_LIMIT);
    const ready: Pending[] = [];
    const rest: Pending[] = [];
    const held = new Set<PublicKey>();
    for (const pending of this.#queue) {
      const { stream, device } = pending.entry;
      if (this.#resting.has(stream) || held.has(device) || ready.length >= COMMIT_LIMIT) {
        held.add(device);
        rest.push(pending);
      } else ready.push(pending);
    }
    this.#queue = rest;
    return ready;
  }

  async #commit(taken: readonly Pending[], works: Works): Promise<void> {
    const { log, clock } = this.#options;
    for (const name of new Set<StreamName>(['space', ...taken.map(({ entry }) => entry.stream)])) {
      const stream = await log.open(name);
      stream.users++;
      const overlay = new Overlay(stream.state);
      const time = Math.max(clock.now(), stream.head.time);
      works.set(name, { stream, overlay, items: [], bytes: 0, time });
    }
    const outcomes = new Map<Pending, Outcome>();
    const operations: StoreOperation[] = [];
    // The space stream first: the rest of the batch is judged by where it then stands. What finds
    // its batch full waits for the next, and with it all that comes later in its stream.
    const later: Pending[] = [];
    const ordered = [
      ...taken.filter(({ entry }) => entry.stream === 'space'),
      ...taken.filter(({ entry }) => entry.stream !== 'space'),
    ];
    for (const pending of ordered) {
      const work = works.get(pending.entry.stream)!;
      if (work.items.length >= MAX_BATCH || work.bytes >= BATCH_BYTES) later.push(pending);
      else outcomes.set(pending, this.#judge(pending, works, work, operations));
    }
    const commits = [...works.values()]
      .filter(({ items }) => items.length > 0)
      .map((work) => this.#seal(work, works.get('space')!));
    for (const { operations: own } of commits) operations.push(...own);
    if (operations.length > 0) await log.store.write(operations, { sync: true });
    // Not before: had the write failed, they would have been refused with the others, and sealed later.
    this.#queue.unshift(...later);
    for (const { work, changes, hash, head } of commits) {
      work.stream.state.adopt(changes, hash);
      work.stream.head = head;
    }
    for (const [pending, outcome] of outcomes) pending.resolve(outcome);
    if (commits.length > 0) this.#options.onCommit(commits.map(({ batch }) => batch));
  }

  #judge(pending: Pending, works: Works, work: Work, operations: StoreOperation[]): Outcome {
    const { entry, bytes } = pending;
    const again = this.#known(entry, work);
    if (again !== undefined) return again;
    const position = work.stream.head.length + work.items.length;
    const space = works.get('space')!.overlay;
    const standing = {
      ...{ space, stream: work.overlay, position, hindsight: false },
      now: work.time,
    };
    const messageOf = (id: EntryId): Entry | undefined =>
      messageIn(work.items, id) ?? messageAt(this.#options.log, id)?.entry;
    const verdict = judge(entry, standing, (action, context) =>
      pending.admit?.(action, context, messageOf),
    );
    if (verdict.type === 'rejected') return verdict;
    work.overlay.apply(verdict.changes);
    const { id, device, seq } = entry;
    const item =
      verdict.type === 'refused'
        ? refusalItem({ id, device, seq, code: verdict.code })
        : entryItem(entry, bytes);
    work.items.push(item);
    work.bytes += item.bytes.length;
    if (verdict.type === 'refused') return { type: 'refused', code: verdict.code };
    operations.push(...(pending.operations ?? []));
    return { type: 'sealed', position };
  }

  /** An entry may come again when its answer was lost: it gets the answer it had. */
  #known(entry: Entry, work: Work): Outcome | undefined {
    const head = work.overlay.get<{ seq: number }>('head', entry.device);
    if (head === undefined || entry.seq > head.seq) return undefined;
    const index = work.items.findIndex(
      (item) => (item.type === 'entry' ? item.entry.id : item.refusal.id) === entry.id,
    );
    if (index >= 0) return outcomeOf(work.items[index]!, work.stream.head.length + index);
    const place = this.#options.log.find(entry.id);
    if (place === undefined) return undefined;
    const item = this.#options.log.item(place.stream, place.position);
    return item === undefined ? undefined : outcomeOf(item, place.position);
  }

  #seal(
    work: Work,
    space: Work,
  ): {
    work: Work;
    batch: Batch;
    changes: ReturnType<Overlay['changes']>;
    hash: SetHash;
    head: OpenStream['head'];
    operations: StoreOperation[];
  } {
    const { key, term } = this.#options;
    const { stream, overlay, items, time } = work;
    const changes = overlay.changes();
    const hash = stream.state.preview(changes);
    const seal = signSeal(key, {
      stream: stream.name,
      term,
      seq: stream.head.seals + 1,
      previous: stream.head.seal,
      first: stream.head.length,
      count: items.length,
      root: rootOf(items),
      space: space.stream.head.length + space.items.length,
      time,
      state: hash.digest(),
    });
    const batch: Batch = { seal, items };
    const head = headAfter(stream.head, seal, hash.bytes);
    return {
      work,
      batch,
      changes,
      hash,
      head,
      operations: [
        ...batchOperations(batch),
        ...placeOperations(batch),
        ...contentOf(batch),
        ...changeOperations(stream.name, changes),
        headOperation(stream.name, head),
      ],
    };
  }
}

function contentOf({ seal, items }: Batch): StoreOperation[] {
  return items.flatMap((item, index) => contentOperations(seal.stream, seal.first + index, item));
}

/** A message among items that are not stored yet. */
function messageIn(items: readonly Item[], id: EntryId): Entry | undefined {
  const item = items.find((one) => one.type === 'entry' && one.entry.id === id);
  return item?.type === 'entry' && isMessage(item.entry) ? item.entry : undefined;
}

function outcomeOf(item: Item, position: number): Outcome {
  return item.type === 'entry'
    ? { type: 'sealed', position }
    : { type: 'refused', code: item.refusal.code };
}
