/** Replication, the server's side: batches out to every device that may read them, entries in. */
import { authorOf, conversationAction } from '../../crdt/content.ts';
import { ClchatError } from '../../errors.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { openBatch, sizeOf, type Batch } from '../../crdt/seal.ts';
import type { StreamName } from '../../crdt/stream.ts';
import type { Channel } from '../channel.ts';
import { encodeNotice, Exchange, type Reply, type Request } from '../exchange.ts';
import { MAX_HEADS, PORTION_BYTES, SYNC } from '../wire.ts';
import type { Directory } from './directory.ts';
import { isErasedRightly } from './erased.ts';
import { Lanes, type Lane } from './lanes.ts';
import { Receipts, type Receipt } from './receipts.ts';
import { Snapshots } from './snapshots.ts';
import { Submissions, type SubmissionOptions } from './submissions.ts';

/** Bytes that may wait for a device before it is left to fetch what it misses. */
const LAG_BYTES = 1 << 20;
/** How long a device that is logged out may take to close its replication, in milliseconds. */
const DROP_MS = 2_000;
/** How long a channel may be open without having begun anything, in milliseconds. */
const PATIENCE_MS = 10_000;

export interface HubOptions extends SubmissionOptions {
  readonly log: LogStore;
  readonly onFault: (error: unknown) => void;
  /** In place of `PATIENCE_MS`, for tests. */
  readonly patienceMs?: number | undefined;
}

interface Subscriber {
  readonly exchange: Exchange<typeof SYNC>;
  readonly device: PublicKey;
  /** Shared with all other channels of the device. */
  readonly lane: Lane;
  account: AccountId | undefined;
  /** Streams of which something was not pushed. */
  readonly lagging: Set<StreamName>;
  draining: boolean;
  /** Ends a channel on which nothing has begun. */
  patience: NodeJS.Timeout | undefined;
  hasAsked: boolean;
}

export class SyncHub {
  readonly #options: HubOptions;
  readonly #subscribers = new Map<PublicKey, Subscriber>();
  readonly #lanes = new Lanes();
  readonly #submissions: Submissions;
  readonly #snapshots: Snapshots;
  readonly receipts: Receipts;

  private constructor(options: HubOptions, receipts: Receipts) {
    this.#options = options;
    this.receipts = receipts;
    this.#submissions = new Submissions(options);
    this.#snapshots = new Snapshots(options.log, () => options.clock.monotonic());
  }

  static async open(options: HubOptions): Promise<SyncHub> {
    const { log, directory, onFault } = options;
    const tell = (device: PublicKey, list: Receipt[]): void => hub.#tell(device, list);
    const isThere = (device: PublicKey): boolean => hub.#subscribers.has(device);
    const receipts = await Receipts.open({ log, directory, tell, isThere, onFault });
    const hub = new SyncHub(options, receipts);
    return hub;
  }

  #tell(device: PublicKey, receipts: Receipt[]): void {
    this.#subscribers.get(device)?.exchange.notify('receipts', { receipts });
  }

  /** Takes a sync channel. */
  accept(channel: Channel): void {
    const device = channel.remote;
    const { log, onFault } = this.#options;
    const lane = this.#lanes.enter(device);
    const exchange: Exchange<typeof SYNC> = new Exchange(channel, SYNC, {
      onFault,
      budget: lane.budget,
      methods: {
        open: () => this.#open(subscriber),
        heads: ({ after }) => {
          this.#mustBeOpen(subscriber);
          return this.#read(subscriber, async () =>
            this.#heads(this.#mustBeOpen(subscriber), after),
          );
        },
        lengths: ({ streams }) => this.#lengths(subscriber, streams),
        handBack: (request) => this.#handBack(subscriber, request),
        fetch: ({ stream, from }) =>
          this.#readStream(subscriber, stream, async () => {
            const { length } = log.headOf(stream);
            return { batches: await log.batches(stream, from, length, PORTION_BYTES) };
          }),
        fetchMany: ({ wants }) => this.#fetchMany(subscriber, wants),
        older: ({ stream, before, least }) =>
          this.#readStream(subscriber, stream, async () => ({
            batches: await log.batchesBefore(stream, before, least, PORTION_BYTES),
          })),
        snapshot: ({ stream, page, at }) =>
          this.#readStream(subscriber, stream, () =>
            this.#snapshots.page(stream, page, at, device),
          ),
        submit: async ({ entries }) => {
          const account = this.#mustBeOpen(subscriber);
          const submitter = { device, account, lane, hasGone: () => exchange.ended };
          return { outcomes: await this.#submissions.submit(submitter, entries) };
        },
        receipts: ({ ids }) => {
          this.#mustBeOpen(subscriber);
          return lane.receipts.run(async () => {
            mustBeThere(exchange);
            return { receipts: await this.receipts.lookup(ids, device) };
          });
        },
      },
      notices: {
        acks: ({ cursors }) => {
          if (subscriber.account === undefined) return;
          for (const [stream, length] of cursors) this.receipts.acknowledge(device, stream, length);
        },
      },
    });
    const subscriber: Subscriber = {
      exchange,
      device,
      lane,
      account: undefined,
      lagging: new Set(),
      draining: false,
      patience: undefined,
      hasAsked: false,
    };
    this.#waitFor(subscriber);
    exchange.onEnd(() => {
      clearTimeout(subscriber.patience);
      if (this.#subscribers.get(device) === subscriber) this.#subscribers.delete(device);
      void this.#lanes.leave(device);
    });
  }

  /** Ends the channel unless something begins on it soon: anybody may open one. */
  #waitFor(subscriber: Subscriber): void {
    clearTimeout(subscriber.patience);
    if (subscriber.account !== undefined || subscriber.exchange.ended) return;
    subscriber.patience = setTimeout(
      () => subscriber.exchange.abort(new ClchatError('TIMEOUT', 'nothing was begun')),
      this.#options.patienceMs ?? PATIENCE_MS,
    );
    subscriber.patience.unref();
  }

  /**
   * How far streams go: told to everybody while what a restored server lacks is handed back, since
   * it may be the accounts themselves; at other times only to those who may read them.
   */
  #lengths(subscriber: Subscriber, streams: readonly StreamName[]): Reply<typeof SYNC, 'lengths'> {
    const { log, sealer, clock, directory } = this.#options;
    // Once: asking again and again is no way to stay.
    if (!subscriber.hasAsked) this.#waitFor(subscriber);
    subscriber.hasAsked = true;
    const isRestoring = clock.monotonic() < sealer.holdUntil;
    return {
      lengths: streams.map((stream) =>
        isRestoring || directory.isAudience(stream, subscriber.device)
          ? log.headOf(stream).length
          : 0,
      ),
    };
  }

  async #handBack(
    subscriber: Subscriber,
    { batches, removals = [] }: Request<typeof SYNC, 'handBack'>,
  ): Promise<{ length: number }> {
    const { sealer, log, directory } = this.#options;
    let length = 0;
    for (const { seal, items } of batches) {
      mustBeThere(subscriber.exchange);
      const batch = openBatch(seal, items, sealer.server);
      this.#waitFor(subscriber);
      const { stream, first } = batch.seal;
      const isNew = first >= log.headOf(stream).length;
      if (isNew && !isErasedRightly(batch, removals, sealer.server, directory.space))
        throw new ClchatError('BAD_ENTRY', 'a message without its body');
      const goesOn = await sealer.handBack(batch);
      length = log.headOf(stream).length;
      if (!goesOn) break;
    }
    return { length };
  }

  #open(subscriber: Subscriber): Reply<typeof SYNC, 'open'> {
    const account = this.#options.accountOf(subscriber.device);
    if (account === undefined) throw new ClchatError('NOT_LOGGED_IN');
    subscriber.account = account;
    clearTimeout(subscriber.patience);
    const before = this.#subscribers.get(subscriber.device);
    if (before !== undefined && before !== subscriber)
      before.exchange.abort(new ClchatError('CLOSED', 'replaced by a newer connection'));
    this.#subscribers.set(subscriber.device, subscriber);
    return this.#heads(account, undefined);
  }

  /** The space and then the other streams by name, from the one that follows `after` on. */
  #heads(account: AccountId, after: StreamName | undefined): Reply<typeof SYNC, 'heads'> {
    const { directory, log } = this.#options;
    const rank = (stream: StreamName): string => (stream === 'space' ? '' : stream);
    const from = after === undefined ? undefined : rank(after);
    const streams = directory
      .streamsOf(account)
      .filter((stream) => from === undefined || rank(stream) > from)
      .sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    return {
      heads: streams.slice(0, MAX_HEADS).map((stream) => {
        const { length, seal } = log.headOf(stream);
        return [stream, length, seal ?? ''];
      }),
      more: streams.length > MAX_HEADS,
    };
  }

  #mustBeOpen(subscriber: Subscriber): AccountId {
    if (subscriber.account === undefined) throw new ClchatError('NOT_LOGGED_IN');
    return subscriber.account;
  }

  #mustRead(subscriber: Subscriber, stream: StreamName): void {
    const account = this.#mustBeOpen(subscriber);
    if (!this.#options.directory.mayRead(account, stream)) throw new ClchatError('DENIED');
  }

  async #readStream<T>(
    subscriber: Subscriber,
    stream: StreamName,
    read: () => Promise<T>,
  ): Promise<T> {
    this.#mustRead(subscriber, stream);
    return this.#read(subscriber, () => {
      // It may have been shut out while it waited.
      this.#mustRead(subscriber, stream);
      return read();
    });
  }

  #fetchMany(
    subscriber: Subscriber,
    wants: readonly (readonly [StreamName, number])[],
  ): Promise<Reply<typeof SYNC, 'fetchMany'>> {
    const { log, directory } = this.#options;
    return this.#read(subscriber, async () => {
      const portions: Reply<typeof SYNC, 'fetchMany'>['portions'] = [];
      let room = PORTION_BYTES;
      for (const [stream, from] of wants) {
        const mayRead = directory.mayRead(this.#mustBeOpen(subscriber), stream);
        const { length } = log.headOf(stream);
        const portion = mayRead ? await log.batches(stream, from, length, room) : [];
        portions.push(portion);
        room -= portion.reduce((sum, batch) => sum + sizeOf(batch), 0);
        if (room <= 0) break;
      }
      return { portions };
    });
  }

  /** Reads for a device, a few answers at a time and no faster than it takes them. */
  #read<T>({ lane, exchange }: Subscriber, read: () => Promise<T>): Promise<T> {
    return lane.readings.run(async () => {
      if (exchange.channel.queued > PORTION_BYTES) await exchange.channel.drained();
      mustBeThere(exchange);
      return read();
    });
  }

  /**
   * Tells everybody who may read it of a batch that is durable.
   * @returns how many were told
   */
  publish(batch: Batch): number {
    const { directory } = this.#options;
    const { stream } = batch.seal;
    const items = batch.items.map(({ bytes }) => bytes);
    const frame = encodeNotice(SYNC, 'batch', { seal: batch.seal.bytes, items });
    this.receipts.watch(batch);
    // Whoever has just left is told of that as well.
    const left = leavers(batch, directory);
    let told = 0;
    for (const subscriber of this.#subscribers.values()) {
      const { account } = subscriber;
      if (account === undefined || !(left.has(account) || directory.mayRead(account, stream)))
        continue;
      this.#push(subscriber, stream, frame);
      told++;
    }
    return told;
  }

  #push(subscriber: Subscriber, stream: StreamName, frame: Uint8Array): void {
    const { exchange, lagging } = subscriber;
    if (exchange.channel.queued < LAG_BYTES && lagging.size === 0) {
      exchange.notifyEncoded(frame);
      return;
    }
    // A slow device is told later, once, how far things have got, and fetches at its own pace.
    lagging.add(stream);
    if (subscriber.draining) return;
    subscriber.draining = true;
    void exchange.channel.drained().then(() => {
      subscriber.draining = false;
      const { log } = this.#options;
      const heads = [...lagging].map((name): [StreamName, number] => [
        name,
        log.headOf(name).length,
      ]);
      lagging.clear();
      for (let at = 0; at < heads.length; at += MAX_HEADS)
        exchange.notify('heads', { heads: heads.slice(at, at + MAX_HEADS) });
    });
  }

  /** Ends the replication of a device. */
  drop(device: PublicKey): void {
    const subscriber = this.#subscribers.get(device);
    if (subscriber === undefined) return;
    subscriber.account = undefined;
    this.#subscribers.delete(device);
    // Closed at once, this stream's end could overtake the word on the other that says why.
    setTimeout(() => void subscriber.exchange.close(), DROP_MS).unref();
  }

  async stop(): Promise<void> {
    for (const { exchange } of this.#subscribers.values()) void exchange.close();
    await this.receipts.stop();
  }
}

/** Nobody is left to take the answer to what has waited its turn. @throws CLOSED */
function mustBeThere(exchange: Exchange<typeof SYNC>): void {
  if (exchange.ended) throw new ClchatError('CLOSED');
}

/** Accounts that leave an encrypted room with a batch, or are removed. */
function leavers(batch: Batch, directory: Directory): Set<AccountId> {
  const left = new Set<AccountId>();
  if (!batch.seal.stream.startsWith('room/')) return left;
  for (const item of batch.items) {
    if (item.type !== 'entry') continue;
    const action = conversationAction(item.entry);
    if (action?.kind === 'members') for (const account of action.body.remove) left.add(account);
    const author = action?.kind === 'leave' ? authorOf(directory.space, item.entry) : undefined;
    if (author !== undefined) left.add(author);
  }
  return left;
}
