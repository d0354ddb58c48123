/**
 * What people have read, as far as they let it be known: by the marks in their account's stream.
 *
 *   j!<stream>!<account>   [from, until]: read, and not to be kept from the authors
 */
import * as v from 'valibot';
import { actionOf, type AccountAction } from '../../crdt/bodies.ts';
import { encode, stored } from '../../crdt/codec.ts';
import type { AccountId } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { count, deviceOf } from '../../crdt/records.ts';
import type { Batch } from '../../crdt/seal.ts';
import { prefixed, type StoreOperation } from '../../crdt/store.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import type { Directory } from './directory.ts';

type Mark = Extract<AccountAction, { kind: 'read' }>['body'];
/** Positions; nothing where both are the same. */
type Interval = readonly [from: number, until: number];

/** Somebody has read what lies between two positions. */
export interface ReadNews {
  readonly stream: StreamName;
  readonly account: AccountId;
  readonly from: number;
  readonly until: number;
}

export interface ReadersOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly onRead: (news: ReadNews) => void;
  readonly onFault: (error: unknown) => void;
}

const interval = v.tuple([count, count]);

export class Readers {
  readonly #options: ReadersOptions;
  readonly #read = new Map<StreamName, Map<AccountId, Interval>>();
  #work: Promise<void> = Promise.resolve();

  private constructor(options: ReadersOptions) {
    this.#options = options;
  }

  static async open(options: ReadersOptions): Promise<Readers> {
    const readers = new Readers(options);
    for await (const [key, value] of options.log.store.entries(prefixed('j!'))) {
      const [, stream, account] = key.split('!') as [string, StreamName, AccountId];
      readers.#of(stream).set(account, stored(interval, value));
    }
    return readers;
  }

  #of(stream: StreamName): Map<AccountId, Interval> {
    let readers = this.#read.get(stream);
    if (readers === undefined) this.#read.set(stream, (readers = new Map<AccountId, Interval>()));
    return readers;
  }

  /** Takes the marks in a batch of an account's stream. */
  note({ seal, items }: Batch): void {
    const place = placeOfStream(seal.stream);
    if (place.type !== 'account') return;
    const marks: Mark[] = [];
    for (const item of items) {
      const action = item.type === 'entry' ? actionOf(item.entry, 'account') : undefined;
      if (action?.kind === 'read' && 'tell' in action.body) marks.push(action.body);
    }
    if (marks.length === 0) return;
    const { onFault } = this.#options;
    this.#work = this.#work.then(() => this.#take(place.account, marks)).catch(onFault);
  }

  async #take(account: AccountId, marks: readonly Mark[]): Promise<void> {
    const { log, directory, onRead } = this.#options;
    const operations: StoreOperation[] = [];
    for (const { stream, until, tell } of marks) {
      const { type } = placeOfStream(stream);
      // Names of streams come from peers: those of nothing must not take a place here.
      if ((type !== 'room' && type !== 'pair') || !directory.mayRead(account, stream)) continue;
      const { length } = log.headOf(stream);
      // A room has to be there, but between two there may be anybody's made-up name.
      if (type === 'pair' && length === 0) continue;
      const end = Math.min(until, length);
      const known = this.#read.get(stream)?.get(account);
      const from = known?.[1] ?? (tell ? await this.#beginning(stream, account) : 0);
      if (known !== undefined && end <= from) continue;
      const isTold = tell && end > from;
      // What was kept from the authors once is not told afterwards.
      const next: Interval = isTold
        ? [known === undefined || known[0] === known[1] ? from : known[0], end]
        : [end, end];
      this.#of(stream).set(account, next);
      operations.push({ type: 'put', key: `j!${stream}!${account}`, value: encode(next) });
      if (isTold) onRead({ stream, account, from, until: end });
    }
    // What a power cut takes is a mark less; the next one says the same and more.
    if (operations.length > 0) await log.store.write(operations, { sync: false });
  }

  /** Where a stream begins for an account: what was said before it was there, nobody has sent it. */
  async #beginning(stream: StreamName, account: AccountId): Promise<number> {
    const { log, directory } = this.#options;
    const devices = [...directory.devicesOf(account)];
    const since = Math.min(...devices.map((key) => deviceOf(directory.space, key)?.added ?? 0));
    let low = 0;
    let high = log.headOf(stream).length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const seal = await log.sealOver(stream, middle);
      if (seal === undefined || seal.space > since) high = middle;
      else low = seal.first + seal.count;
    }
    return low;
  }

  /** How many people but its author have read what is at a position. */
  counter(stream: StreamName): (position: number, author: AccountId | undefined) => number {
    const readers = this.#read.get(stream) ?? new Map<AccountId, Interval>();
    const order = (a: number, b: number): number => a - b;
    const froms = [...readers.values()].map(([from]) => from).sort(order);
    const untils = [...readers.values()].map(([, until]) => until).sort(order);
    return (position, author) => {
      const own = author === undefined ? undefined : readers.get(author);
      const isOwn = own !== undefined && own[0] <= position && position < own[1];
      // Those who began before it, less those who got no further.
      const begun = atMost(froms, position);
      return begun - atMost(untils, position) - (isOwn ? 1 : 0);
    };
  }

  /** Resolves when all that was noted has been taken. */
  async stop(): Promise<void> {
    await this.#work;
  }
}

/** How many of some numbers in order are at most so great. */
function atMost(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
