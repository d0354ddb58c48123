/**
 * Entries of this device on their way: written and not yet sealed, refused for good, or waiting to be
 * made anew. What changes is written together with what caused it, and believed once it is stored.
 *
 *   o!<stream>!<seq>           not yet sealed (the outbox)
 *   f!<entry id>               refused for good: [code, entry]
 *   g!<stream>!<number>!<id>   to be made anew, in the order of the numbers
 *   w!<epoch id>               a key epoch that no state has any more, which entries of these may need
 */
import * as v from 'valibot';
import { actionOf } from './bodies.ts';
import { encode, stored } from './codec.ts';
import { targetOf } from './content.ts';
import {
  compareUnsealed,
  decodeEntry,
  encodeEntry,
  eraseBody,
  isErasable,
  MAX_ENTRY,
  type Entry,
} from './entry.ts';
import { isErrorCode, type ErrorCode } from '../errors.ts';
import type { EntryId, PublicKey } from './keys.ts';
import { bytesUpTo, epochRecord, type EpochRecord } from './records.ts';
import type { Item } from './seal.ts';
import { ordinal, prefixed, type Store, type StoreOperation } from './store.ts';
import { placeOfStream, type StreamName } from './stream.ts';

/** A change to be written with others, and what follows from it once it is. */
export interface Plan {
  readonly operations: StoreOperation[];
  readonly after: (() => void)[];
}

export function newPlan(): Plan {
  return { operations: [], after: [] };
}

interface Unmade {
  readonly number: number;
  readonly entry: Entry;
}

export interface OwnEntriesOptions {
  readonly store: Store;
  readonly device: PublicKey;
  /** See `ReplicaOptions.onRefused`. */
  readonly onRefused: (entry: Entry, code: ErrorCode, again: boolean) => void;
}

/** The number of the first entry that waits to be made anew; those that are to go before count down. */
const MIDDLE = 5_000_000_000_000;

const refusedSchema = v.tuple([v.custom<ErrorCode>(isErrorCode), bytesUpTo(MAX_ENTRY)]);

export class OwnEntries {
  readonly #options: OwnEntriesOptions;
  readonly #outbox = new Map<StreamName, Entry[]>();
  readonly #unmade = new Map<StreamName, Unmade[]>();
  /** Numbers from here on are taken, also by writes that have failed. */
  readonly #lowest = new Map<StreamName, number>();

  private constructor(options: OwnEntriesOptions) {
    this.#options = options;
  }

  static async open(options: OwnEntriesOptions): Promise<OwnEntries> {
    const own = new OwnEntries(options);
    const { store } = options;
    for await (const [, bytes] of store.entries(prefixed('o!'))) {
      const entry = decodeEntry(bytes);
      own.#queueOf(entry.stream).push(entry);
    }
    for await (const [key, bytes] of store.entries(prefixed('g!'))) {
      const entry = decodeEntry(bytes);
      const number = Number(key.split('!').at(-2));
      own.#unmadeOf(entry.stream).push({ number, entry });
      if (!own.#lowest.has(entry.stream)) own.#lowest.set(entry.stream, number);
    }
    await own.#forgetEpochs();
    return own;
  }

  /** Epochs kept for entries on their way are of no use once there are none. */
  async #forgetEpochs(): Promise<void> {
    const { store } = this.#options;
    if (this.#outbox.size > 0 || this.#unmade.size > 0) return;
    for await (const _refused of store.entries({ ...prefixed('f!'), limit: 1 })) return;
    const operations: StoreOperation[] = [];
    for await (const [key] of store.entries(prefixed('w!')))
      operations.push({ type: 'delete', key });
    if (operations.length > 0) await store.write(operations, { sync: false });
  }

  #queueOf(stream: StreamName): Entry[] {
    let queue = this.#outbox.get(stream);
    if (queue === undefined) this.#outbox.set(stream, (queue = []));
    return queue;
  }

  #unmadeOf(stream: StreamName): Unmade[] {
    let unmade = this.#unmade.get(stream);
    if (unmade === undefined) this.#unmade.set(stream, (unmade = []));
    return unmade;
  }

  /** Entries that no seal has yet, in the order in which they are to be submitted. */
  pending(stream?: StreamName): Entry[] {
    if (stream !== undefined) return [...(this.#outbox.get(stream) ?? [])];
    return [...this.#outbox.values()].flat().sort(compareUnsealed);
  }

  /** The ends of the outbox of a stream, without a copy of all that is between. */
  firstPending(stream: StreamName): Entry | undefined {
    return this.#outbox.get(stream)?.[0];
  }

  lastPending(stream: StreamName): Entry | undefined {
    return this.#outbox.get(stream)?.at(-1);
  }

  /** The entry of a stream that is to be made anew first. */
  firstUnmade(stream: StreamName): Entry | undefined {
    return this.#unmade.get(stream)?.[0]?.entry;
  }

  /** Entries of a stream that wait to be made anew, in the order in which they were made. */
  unmade(stream: StreamName): Entry[] {
    return (this.#unmade.get(stream) ?? []).map(({ entry }) => entry);
  }

  /** Streams with entries that wait to be made anew. */
  unmadeStreams(): StreamName[] {
    return [...this.#unmade].filter(([, list]) => list.length > 0).map(([stream]) => stream);
  }

  /** An entry that was refused for good, with the code. */
  refused(id: EntryId): { entry: Entry; code: ErrorCode } | undefined {
    const bytes = this.#options.store.get(`f!${id}`);
    if (bytes === undefined) return undefined;
    const [code, entry] = stored(refusedSchema, bytes);
    return { entry: decodeEntry(entry), code };
  }

  /** A key epoch that no state has any more. */
  keptEpoch(id: EntryId): EpochRecord | undefined {
    const bytes = this.#options.store.get(`w!${id}`);
    return bytes === undefined ? undefined : stored(epochRecord, bytes);
  }

  /**
   * Puts an entry into the outbox.
   * @param instead the one that it takes the place of: one for the other at once, or a crash in between
   *   would lose or double what was said
   * @returns what said something until now, and was erased because this entry removes it
   */
  add(entry: Entry, instead: Entry | undefined, plan: Plan): Entry[] {
    plan.operations.push({ type: 'put', key: outboxKey(entry), value: encodeEntry(entry) });
    plan.after.push(() => this.#queueOf(entry.stream).push(entry));
    if (instead !== undefined) this.#dropUnmade(instead, plan);
    const target = entry.kind === 'remove' ? targetOf(entry) : undefined;
    return target === undefined ? [] : this.#erase(entry.stream, target, plan);
  }

  /**
   * Takes from a message that is removed before it was sealed, and from what was done about it, what they
   * say: nobody is to get it. They keep their places, as what follows them goes on from there.
   */
  #erase(stream: StreamName, target: EntryId, plan: Plan): Entry[] {
    const queue = this.#outbox.get(stream) ?? [];
    const said = queue.filter(
      (entry) =>
        isErasable(entry) &&
        entry.body !== undefined &&
        (entry.id === target || targetOf(entry) === target),
    );
    for (const entry of said) {
      const erased = eraseBody(entry);
      plan.operations.push({ type: 'put', key: outboxKey(entry), value: encodeEntry(erased) });
      plan.after.push(() => {
        const index = queue.indexOf(entry);
        if (index >= 0) queue[index] = erased;
      });
    }
    return said;
  }

  /** Takes an entry out of the outbox, now that a seal has it, or its refusal. */
  sealed(stream: StreamName, item: Item, plan: Plan): void {
    const { device, id } = item.type === 'entry' ? item.entry : item.refusal;
    if (device !== this.#options.device) return;
    const entry = this.#outbox.get(stream)?.find((one) => one.id === id);
    if (entry === undefined) return;
    this.#remove(entry, plan);
    if (item.type === 'refusal') this.refuse(entry, item.refusal.code, plan);
  }

  /** Takes an entry of which the server said what became of it out of the outbox. */
  judged(entry: Entry, code: ErrorCode | undefined, plan: Plan): void {
    if (this.#outbox.get(entry.stream)?.some(({ id }) => id === entry.id) !== true) return;
    this.#remove(entry, plan);
    if (code !== undefined) this.refuse(entry, code, plan);
  }

  #remove(entry: Entry, plan: Plan): void {
    const queue = this.#queueOf(entry.stream);
    plan.operations.push({ type: 'delete', key: outboxKey(entry) });
    plan.after.push(() => {
      const index = queue.findIndex(({ id }) => id === entry.id);
      if (index >= 0) queue.splice(index, 1);
    });
  }

  /** Keeps an entry as refused for good. */
  refuse(entry: Entry, code: ErrorCode, plan: Plan): void {
    const value = encode([code, encodeEntry(entry)]);
    plan.operations.push({ type: 'put', key: `f!${entry.id}`, value });
    plan.after.push(() => this.#options.onRefused(entry, code, false));
  }

  /**
   * Takes entries, and all of the outbox from the first of them on, out of the way of a stream: the
   * server will not seal them as they are. They wait to be made anew, before any that wait already.
   */
  withdraw(
    stream: StreamName,
    sealed: readonly Entry[],
    from: Entry | undefined,
    plan: Plan,
  ): void {
    const queue = this.pending(stream);
    const index = from === undefined ? 0 : queue.findIndex(({ id }) => id === from.id);
    const unsealed = index < 0 ? [] : queue.slice(index);
    for (const entry of unsealed) this.#remove(entry, plan);
    const all = [...sealed, ...unsealed];
    const first = (this.#lowest.get(stream) ?? MIDDLE) - all.length;
    this.#lowest.set(stream, first);
    const unmade = all.map((entry, at): Unmade => ({ number: first + at, entry }));
    for (const one of unmade) {
      plan.operations.push({ type: 'put', key: unmadeKey(one), value: encodeEntry(one.entry) });
      this.#keepOwnEpoch(one.entry, plan);
    }
    plan.after.push(() => {
      this.#unmadeOf(stream).unshift(...unmade);
      for (const { entry } of unmade) this.#options.onRefused(entry, 'OUT_OF_ORDER', true);
    });
  }

  #keepOwnEpoch(entry: Entry, plan: Plan): void {
    const { type } = placeOfStream(entry.stream);
    const action = type === 'room' || type === 'pair' ? actionOf(entry, type) : undefined;
    if (action?.kind === 'epoch') this.keepEpoch(entry.id, action.body, plan);
  }

  /** Keeps a key epoch that its stream's state is about to lose. */
  keepEpoch(id: EntryId, { number, wraps }: EpochRecord, plan: Plan): void {
    plan.operations.push({ type: 'put', key: `w!${id}`, value: encode({ number, wraps }) });
  }

  /** Gives up an entry that waits to be made anew: refused for good, or needed no more. */
  giveUp(entry: Entry, code: ErrorCode | undefined, plan: Plan): void {
    this.#dropUnmade(entry, plan);
    if (code !== undefined) this.refuse(entry, code, plan);
  }

  #dropUnmade(entry: Entry, plan: Plan): void {
    const list = this.#unmadeOf(entry.stream);
    const one = list.find((other) => other.entry.id === entry.id);
    if (one === undefined) return;
    plan.operations.push({ type: 'delete', key: unmadeKey(one) });
    plan.after.push(() => list.splice(list.indexOf(one), 1));
  }
}

/** Where in the store bytes of entries of this device may be left that are nowhere any more. */
export function tracesOf(entries: readonly Entry[]): { from: string; until: string }[] {
  if (entries.length === 0) return [];
  // Few ranges, however many the entries: to look through one costs the same for one or for all.
  const streams = new Set(entries.map(({ stream }) => stream));
  const ranges = [...streams].flatMap((stream) => [`o!${stream}!`, `g!${stream}!`]);
  return ['f!', ...ranges].map(prefixed);
}

function outboxKey(entry: Entry): string {
  return `o!${entry.stream}!${ordinal(entry.seq)}`;
}

function unmadeKey({ number, entry }: Unmade): string {
  return `g!${entry.stream}!${ordinal(number)}!${entry.id}`;
}
