/** Replication, the server's side: batches out to every device that may read them, entries in. */
import { decodeEntry, verifyEntry } from '../../crdt/entry.ts';
import { ClchatError } from '../../errors.ts';
import { sleep, type Clock } from '../../lifecycle.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { openBatch, type Batch } from '../../crdt/seal.ts';
import type { Outcome, Sealer } from '../../crdt/sealer.ts';
import { otherOf, placeOfStream, type StreamName } from '../../crdt/stream.ts';
import type { Channel } from '../channel.ts';
import { encodeNotice, Exchange, type Reply, type Request } from '../exchange.ts';
import { PORTION_BYTES, SYNC } from '../wire.ts';
import type { Directory } from './directory.ts';
import { Receipts, type Receipt } from './receipts.ts';
import { Snapshots } from './snapshots.ts';

/** Bytes that may wait for a device before it is left to fetch what it misses. */
const LAG_BYTES = 1 << 20;
/** How long a device that is logged out may take to close its replication, in milliseconds. */
const DROP_MS = 2_000;
/** Messages an account may send a second, and how many at once after a pause. */
const RATE = 200;
const BURST = 400;
/** Kinds that need more than the entry, and so come by the session protocol. */
const BY_SESSION = new Set(['account', 'device', 'recover', 'password', 'server']);

export interface HubOptions {
  readonly log: LogStore;
  readonly sealer: Sealer;
  readonly directory: Directory;
  readonly clock: Clock;
  /** The account a device is logged in to. */
  readonly accountOf: (device: PublicKey) => AccountId | undefined;
  /** A person of the account has done something. */
  readonly onActive: (device: PublicKey) => void;
  /** Whether one account has blocked another. */
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  readonly onFault: (error: unknown) => void;
}

interface Subscriber {
  readonly exchange: Exchange<typeof SYNC>;
  readonly device: PublicKey;
  account: AccountId | undefined;
  /** Streams of which something was not pushed. */
  readonly lagging: Set<StreamName>;
  draining: boolean;
  /** Submissions are judged in the order in which they came. */
  turn: Promise<unknown>;
}

/** Lets through so many a second, the rest later. */
class Pace {
  #credit = BURST;
  #at: number;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  async take(number: number): Promise<void> {
    const now = this.#clock.monotonic();
    this.#credit = Math.min(BURST, this.#credit + ((now - this.#at) / 1_000) * RATE) - number;
    this.#at = now;
    if (this.#credit < 0) await sleep((-this.#credit / RATE) * 1_000);
  }
}

export class SyncHub {
  readonly #options: HubOptions;
  readonly #subscribers = new Map<PublicKey, Subscriber>();
  readonly #paces = new Map<AccountId, Pace>();
  readonly #snapshots: Snapshots;
  readonly receipts: Receipts;

  private constructor(options: HubOptions, receipts: Receipts) {
    this.#options = options;
    this.receipts = receipts;
    this.#snapshots = new Snapshots(options.log, () => options.clock.monotonic());
  }

  static async open(options: HubOptions): Promise<SyncHub> {
    const { log, directory, onFault } = options;
    const tell = (device: PublicKey, list: Receipt[]): void => hub.#tell(device, list);
    const receipts = await Receipts.open({ log, directory, tell, onFault });
    const hub = new SyncHub(options, receipts);
    return hub;
  }

  #tell(device: PublicKey, receipts: Receipt[]): void {
    this.#subscribers.get(device)?.exchange.notify('receipts', { receipts });
  }

  /** Takes a sync channel. */
  accept(channel: Channel): void {
    const device = channel.remote;
    const exchange: Exchange<typeof SYNC> = new Exchange(channel, SYNC, {
      onFault: this.#options.onFault,
      methods: {
        open: () => this.#open(subscriber),
        lengths: ({ streams }) => ({
          lengths: streams.map((stream) => this.#options.log.headOf(stream).length),
        }),
        handBack: ({ batches }) => this.#handBack(batches),
        fetch: async ({ stream, from }) => {
          this.#mustRead(subscriber, stream);
          const { length } = this.#options.log.headOf(stream);
          const batches = await this.#options.log.batches(stream, from, length, PORTION_BYTES);
          return { batches };
        },
        older: async ({ stream, before, least }) => {
          this.#mustRead(subscriber, stream);
          const { log } = this.#options;
          return { batches: await log.batchesBefore(stream, before, least, PORTION_BYTES) };
        },
        snapshot: ({ stream, page, at }) => {
          this.#mustRead(subscriber, stream);
          return this.#snapshots.page(stream, page, at);
        },
        submit: async ({ entries }) => ({ outcomes: await this.#submit(subscriber, entries) }),
        receipts: async ({ ids }) => {
          this.#mustBeOpen(subscriber);
          const found = await Promise.all(ids.map((id) => this.receipts.lookup(id, device)));
          return { receipts: found.filter((receipt) => receipt !== undefined) };
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
      account: undefined,
      lagging: new Set(),
      draining: false,
      turn: Promise.resolve(),
    };
    exchange.onEnd(() => {
      if (this.#subscribers.get(device) === subscriber) this.#subscribers.delete(device);
    });
  }

  async #handBack(batches: Request<typeof SYNC, 'handBack'>['batches']): Promise<{
    length: number;
  }> {
    const { sealer, log } = this.#options;
    let length = 0;
    for (const { seal, items } of batches) {
      const batch = openBatch(seal, items, sealer.server, verifyEntry);
      const goesOn = await sealer.handBack(batch);
      length = log.headOf(batch.seal.stream).length;
      if (!goesOn) break;
    }
    return { length };
  }

  #open(subscriber: Subscriber): Reply<typeof SYNC, 'open'> {
    const { accountOf, directory, log } = this.#options;
    const account = accountOf(subscriber.device);
    if (account === undefined) throw new ClchatError('NOT_LOGGED_IN');
    subscriber.account = account;
    const before = this.#subscribers.get(subscriber.device);
    if (before !== undefined && before !== subscriber)
      before.exchange.abort(new ClchatError('CLOSED', 'replaced by a newer connection'));
    this.#subscribers.set(subscriber.device, subscriber);
    return {
      heads: directory.streamsOf(account).map((stream) => {
        const { length, seal } = log.headOf(stream);
        return [stream, length, seal ?? ''];
      }),
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

  async #submit(subscriber: Subscriber, entries: readonly Uint8Array[]): Promise<Outcome[]> {
    const account = this.#mustBeOpen(subscriber);
    const outcomes: Promise<Outcome>[] = [];
    // Only what comes before the sealer has to wait its turn, not the sealing.
    const queued = subscriber.turn.then(async () => {
      for (const bytes of entries) await this.#queue(subscriber.device, account, bytes, outcomes);
    });
    subscriber.turn = queued.catch(() => undefined);
    await queued;
    return Promise.all(outcomes);
  }

  /** Checks one entry and hands it to the sealer, whose answer will come in `outcomes`. */
  async #queue(
    device: PublicKey,
    account: AccountId,
    bytes: Uint8Array,
    outcomes: Promise<Outcome>[],
  ): Promise<void> {
    const { sealer, isBlocked, onActive, accountOf } = this.#options;
    const reject = (code: 'BAD_ENTRY' | 'DENIED' | 'NOT_LOGGED_IN'): void => {
      outcomes.push(Promise.resolve({ type: 'rejected', code }));
    };
    const entry = decodeEntry(bytes);
    if (entry.device !== device || entry.server !== sealer.server) return reject('DENIED');
    if (BY_SESSION.has(entry.kind) && entry.stream === 'space') return reject('DENIED');
    if (!verifyEntry(entry)) return reject('BAD_ENTRY');
    if (accountOf(device) !== account) return reject('NOT_LOGGED_IN');
    onActive(device);
    await this.#paceOf(account).take(1);
    const place = placeOfStream(entry.stream);
    const other = otherOf(place, account);
    const outcome = sealer.submit({
      entry,
      bytes,
      admit: () => (other !== undefined && isBlocked(other, account) ? 'BLOCKED' : undefined),
    });
    // Awaited with the others, below; a failure until then must not count as unhandled.
    outcome.catch(() => undefined);
    outcomes.push(outcome);
  }

  #paceOf(account: AccountId): Pace {
    let pace = this.#paces.get(account);
    if (pace === undefined) this.#paces.set(account, (pace = new Pace(this.#options.clock)));
    return pace;
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
    let told = 0;
    for (const subscriber of this.#subscribers.values()) {
      if (subscriber.account === undefined || !directory.mayRead(subscriber.account, stream))
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
      exchange.notify('heads', { heads });
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
