/**
 * Replication, the client's side: brings every stream that this account may read up to date, newest
 * first, then keeps it so with what the server pushes.
 */
import type { Replica } from '../../crdt/replica.ts';
import { highestGap } from '../../crdt/stream-head.ts';
import { isEncrypted } from '../../crdt/conversation.ts';
import { roomOf } from '../../crdt/rooms.ts';
import { LOBBY_STREAM, placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import { Gather, inParallel } from '../../lifecycle.ts';
import type { Channel } from '../channel.ts';
import { Exchange, type Reply } from '../exchange.ts';
import { MAX_WANTS, SYNC } from '../wire.ts';
import { EarlyBatches, type WireBatch } from './early-batches.ts';
import { commonLength } from './fork.ts';
import type { Inbox } from './inbox.ts';
import { toReceipt, type Receipt } from './progress.ts';
import { Snapshots } from './snapshot.ts';

/** A gap of more items than this is bridged by a snapshot of the state, and filled afterwards. */
const BRIDGE_ITEMS = 2_000;
/** How soon is acknowledged what came in, and how long until again, in milliseconds. */
const ACK_MS = 20;
const ACK_APART_MS = 200;
/** Streams acknowledged in one notice. */
const ACKS = 2_000;
/** Pushed batches on their way into the replica at the same time. */
const ARRIVING_BATCHES = 32;
/** Streams caught up at the same time, and portions of streams. */
const PARALLEL = 4;
const AHEAD = 6;

export interface SyncOptions {
  readonly replica: Replica;
  readonly inbox: Inbox;
  /** A stream has come as a snapshot. */
  readonly onAdopted: (stream: StreamName) => void;
  /** The server does not give an encrypted room to this account any more. */
  readonly onLost: (stream: StreamName) => void;
  readonly onReceipts: (receipts: Receipt[]) => void;
  /** The server's history of a stream is another than what is here from `until` on. */
  readonly onForked: (stream: StreamName, until: number) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

export class SyncClient {
  readonly exchange: Exchange<typeof SYNC>;
  readonly #options: SyncOptions;
  /** Catch-ups under way, by stream. */
  readonly #catching = new Map<StreamName, Promise<void>>();
  /** Streams that are being taken back. */
  readonly #forking = new Map<StreamName, Promise<void>>();
  /** How far the server said its streams go. */
  readonly #heads = new Map<StreamName, number>();
  readonly #early = new EarlyBatches();
  readonly #snapshots: Snapshots;
  /** Rooms that are caught up with while everything else goes on. */
  #later: Promise<void> = Promise.resolve();
  #arriving = 0;
  readonly #unacknowledged = new Set<StreamName>();
  readonly #acks = new Gather(() => this.#sendAcks(), ACK_MS, ACK_APART_MS);

  constructor(channel: Channel, options: SyncOptions) {
    this.#options = options;
    this.exchange = new Exchange(channel, SYNC, {
      onFault: options.onFault,
      methods: {},
      notices: {
        batch: (batch) => this.#push(batch),
        heads: ({ heads }) => {
          for (const [stream, length] of heads) this.#behind(stream, length);
        },
        receipts: ({ receipts }) => options.onReceipts(receipts.map(toReceipt)),
      },
    });
    this.exchange.onEnd(() => this.#acks.stop());
    this.#snapshots = new Snapshots(this.exchange);
  }

  /**
   * Begins. Resolves when the space, what is between people and the lobby are here; what was said in
   * other rooms may still come in.
   */
  async open(): Promise<void> {
    const { replica } = this.#options;
    const asking = this.#askHeads();
    // Whoever has nothing of a stream that everybody has needs its snapshot, however far it goes.
    for (const stream of ['space', LOBBY_STREAM] as const)
      if (replica.log.headOf(stream).length === 0 && replica.takesSnapshot(stream))
        this.#snapshots.prepare(stream);
    const heads = await asking;
    const rest: StreamName[] = [];
    for (const [stream, length, seal] of heads) {
      const mine = replica.log.headOf(stream);
      if (mine.length > length || (mine.length === length && mine.seal !== seal))
        await this.#forked(stream);
      this.#heads.set(stream, Math.max(length, this.#heads.get(stream) ?? 0));
      if (stream !== 'space') rest.push(stream);
    }
    // The space first: who may speak where, and with which keys, is in it.
    await this.#catchUp('space');
    const told = new Set(heads.map(([stream]) => stream));
    for (const stream of await replica.log.names()) {
      if (told.has(stream)) continue;
      if (this.#isOurs(stream)) await this.#options.onForked(stream, 0);
      else if (placeOfStream(stream).type === 'room') this.#options.onLost(stream);
    }
    // Rooms may have much in them: what is said there comes in while the person is at work already.
    const isLater = (stream: StreamName): boolean =>
      placeOfStream(stream).type === 'room' && stream !== LOBBY_STREAM;
    await this.#catchUpAll(rest.filter((stream) => !isLater(stream)));
    this.#snapshots.clear();
    this.#later = this.#catchUpAll(rest.filter(isLater))
      .then(() => this.#pumpAll())
      .catch((error: unknown) => this.#failed(error));
  }

  async #catchUpAll(streams: readonly StreamName[]): Promise<void> {
    const portions: StreamName[][] = [];
    for (let at = 0; at < streams.length; at += MAX_WANTS)
      portions.push(streams.slice(at, at + MAX_WANTS));
    // While one portion is being taken, the next ones are on their way.
    await inParallel(portions, AHEAD, async (portion) => {
      await this.#forwardMany(portion);
      await inParallel(portion, PARALLEL, (stream) => this.#catchUp(stream));
    });
  }

  /** Fetches what follows of many streams at once, where there is little each. */
  async #forwardMany(streams: readonly StreamName[]): Promise<void> {
    const { replica } = this.#options;
    let wants = streams.flatMap((stream): [StreamName, number][] => {
      const { length } = replica.log.headOf(stream);
      return this.#isBehind(stream) && !this.#takesSnapshot(stream) ? [[stream, length]] : [];
    });
    // One by itself is no worse off without.
    while (wants.length > 1) {
      const [{ portions }] = await Promise.all([
        this.exchange.call('fetchMany', { wants }),
        // What they are added to is read meanwhile.
        replica.log.openAll(wants.map(([stream]) => stream)),
      ]);
      await replica.ingestAll(portions.flat());
      wants = wants.slice(portions.length);
    }
  }

  #isBehind(stream: StreamName): boolean {
    return this.#options.replica.log.headOf(stream).length < (this.#heads.get(stream) ?? 0);
  }

  /** Whether so much is missing of a stream that its state comes as a snapshot first. */
  #takesSnapshot(stream: StreamName): boolean {
    const { replica } = this.#options;
    const { length } = replica.log.headOf(stream);
    const isFar = length === 0 || (this.#heads.get(stream) ?? 0) - length > BRIDGE_ITEMS;
    return isFar && replica.takesSnapshot(stream);
  }

  /** What came in before it was clear since when this device is there. */
  async #pumpAll(): Promise<void> {
    const { replica, inbox } = this.#options;
    for (const stream of await replica.log.names()) {
      await inbox.pump(stream);
      this.#acknowledge(stream);
    }
  }

  /** How far all streams go that this account may read. */
  async #askHeads(): Promise<Reply<typeof SYNC, 'open'>['heads']> {
    const first = await this.exchange.call('open', {});
    const heads = [...first.heads];
    for (let { more } = first; more;) {
      const [after] = heads.at(-1) ?? ['space' as const];
      const portion = await this.exchange.call('heads', { after });
      heads.push(...portion.heads);
      more = portion.more && portion.heads.length > 0;
    }
    return heads;
  }

  /** Whether a stream that the server does not have is one that it should have. */
  #isOurs(stream: StreamName): boolean {
    const { replica } = this.#options;
    if (replica.log.headOf(stream).length === 0 && replica.pending(stream).length === 0)
      return false;
    const place = placeOfStream(stream);
    if (place.type !== 'room') return true;
    // A room may be no more, and of an encrypted one this account no member any more.
    return roomOf(replica.space, place.room) !== undefined && !isEncrypted(replica.space, stream);
  }

  /**
   * Takes a pushed batch. Several may be on their way into the replica, which stores together what
   * comes in meanwhile; beyond that the server has to wait.
   */
  #push(batch: WireBatch): Promise<void> | undefined {
    this.#arriving++;
    const taken = this.#take(batch).finally(() => this.#arriving--);
    return this.#arriving < ARRIVING_BATCHES ? undefined : taken;
  }

  async #take({ seal, items }: WireBatch): Promise<void> {
    const { replica } = this.#options;
    try {
      const { stream, end, space, result } = await replica.ingest(seal, items);
      if (result === 'added') this.#acknowledge(stream);
      else if (result === 'waiting') {
        this.#early.keep(stream, { seal, items });
        this.#behind(stream, end, space);
      } else if (result === 'forked') await this.#forked(stream);
    } catch (error) {
      // Not what an honest server sends: it is not spoken to any further.
      this.exchange.abort(error instanceof Error ? error : new ClchatError('BAD_MESSAGE'));
    }
  }

  /** Takes what was kept, as far as it follows now. */
  async #takeEarly(stream: StreamName): Promise<void> {
    const { replica } = this.#options;
    for (;;) {
      const batch = this.#early.take(stream, replica.log.headOf(stream).length);
      if (batch === undefined) break;
      const { result, space } = await replica.ingest(batch.seal, batch.items);
      if (result === 'waiting') await this.#reach('space', space);
      else if (result !== 'added') break;
    }
    this.#early.dropBefore(stream, replica.log.headOf(stream).length);
  }

  #told(stream: StreamName, length: number): void {
    if (length > (this.#heads.get(stream) ?? 0)) this.#heads.set(stream, length);
  }

  /** Catches up with a stream at least as far as that. */
  async #reach(stream: StreamName, length: number): Promise<void> {
    this.#told(stream, length);
    await this.#catchUp(stream);
  }

  /** @param space how far the space has to go first */
  #behind(stream: StreamName, length: number, space = 0): void {
    this.#told(stream, length);
    const run = async (): Promise<void> => {
      if (stream !== 'space' && space > this.#options.replica.log.headOf('space').length)
        await this.#reach('space', space);
      await this.#catchUp(stream);
    };
    run().catch((error: unknown) => this.#failed(error));
  }

  /** Nothing else would set it going again: a new connection begins with what is missing. */
  #failed(error: unknown): void {
    if (this.exchange.ended) return;
    this.#options.onFault(error);
    this.exchange.abort(new ClchatError('CLOSED', 'replication failed', { cause: error }));
  }

  /** Takes a stream back to where the server tells another history; once, however many batches say so. */
  #forked(stream: StreamName): Promise<void> {
    let running = this.#forking.get(stream);
    if (running === undefined) {
      running = this.#takeBack(stream).finally(() => this.#forking.delete(stream));
      this.#forking.set(stream, running);
    }
    return running;
  }

  async #takeBack(stream: StreamName): Promise<void> {
    const common = await commonLength(this.exchange, this.#options.replica, stream);
    await this.#options.onForked(stream, common);
    this.#behind(stream, this.#heads.get(stream) ?? 0);
  }

  /** Brings one stream up to what the server said of it. */
  #catchUp(stream: StreamName): Promise<void> {
    let running = this.#catching.get(stream);
    if (running === undefined) {
      running = Promise.resolve().then(() => this.#run(stream));
      this.#catching.set(stream, running);
    }
    return running;
  }

  async #run(stream: StreamName): Promise<void> {
    const { replica, inbox } = this.#options;
    try {
      do {
        await this.#takeEarly(stream);
        while (this.#isBehind(stream)) {
          if (this.#takesSnapshot(stream)) await this.#snapshot(stream);
          else await this.#forward(stream, replica.log.headOf(stream).length);
          await this.#takeEarly(stream);
        }
        while (stream !== 'space' && !inbox.isComplete(stream))
          if (!(await this.#older(stream))) break;
        await inbox.pump(stream);
        // What the server said during the latter two is for this run too: no other has begun.
      } while (this.#isBehind(stream));
    } catch (error) {
      if (!this.#isShut(stream, error)) throw error;
      this.#heads.delete(stream);
      this.#options.onLost(stream);
      return;
    } finally {
      this.#catching.delete(stream);
    }
    this.#acknowledge(stream);
  }

  /** Whether a room cannot be caught up with since it has been removed, or this account put out of it. */
  #isShut(stream: StreamName, error: unknown): boolean {
    const place = placeOfStream(stream);
    if (place.type !== 'room' || stream === LOBBY_STREAM || this.exchange.ended) return false;
    return (
      hasCode(error, 'DENIED') || roomOf(this.#options.replica.space, place.room) === undefined
    );
  }

  async #forward(stream: StreamName, from: number): Promise<void> {
    const { replica } = this.#options;
    const { batches } = await this.exchange.call('fetch', { stream, from });
    const arrivals = await replica.ingestAll(batches);
    if (arrivals.some(({ result }) => result === 'forked')) return this.#forked(stream);
    // Only where the space stands is a batch judged right. It may have gone on while this was asked for.
    const space = Math.max(0, ...arrivals.map((arrival) => arrival.space));
    if (stream !== 'space' && space > replica.log.headOf('space').length)
      return this.#reach('space', space);
    if (replica.log.headOf(stream).length === from)
      throw new ClchatError('BAD_MESSAGE', 'the server does not have what it said it has');
  }

  async #snapshot(stream: StreamName): Promise<void> {
    const before = this.#options.replica.log.headOf(stream).length;
    for (let attempt = 1; ; attempt++) {
      try {
        const { seal, records } = await this.#snapshots.fetch(stream);
        await this.#options.replica.adopt(seal, records);
        this.#options.onAdopted(stream);
        break;
      } catch (error) {
        if (!hasCode(error, 'STALE') || attempt === 5) throw error;
      }
    }
    if (this.#options.replica.log.headOf(stream).length === before)
      throw new ClchatError('BAD_MESSAGE', 'the snapshot is older than what is here');
  }

  /** Fetches older batches into the highest gap. @returns whether there was anything to fetch */
  async #older(stream: StreamName): Promise<boolean> {
    const { replica } = this.#options;
    const gap = highestGap(replica.log.headOf(stream));
    if (gap === undefined) return false;
    const { batches } = await this.exchange.call('older', {
      stream,
      before: gap[1],
      least: gap[0],
    });
    if (batches.length === 0) return false;
    const result = await replica.ingestOlder(stream, batches);
    if (result === 'forked') await this.#forked(stream);
    return result === 'added';
  }

  /**
   * Fetches older messages until `enough` says so or there are none.
   * @returns whether the server has more
   */
  async fetchOlder(stream: StreamName, enough: () => Promise<boolean>): Promise<void> {
    if (this.#heads.has(stream)) await this.#catchUp(stream);
    while (!(await enough())) if (!(await this.#older(stream))) return;
  }

  #acknowledge(stream: StreamName): void {
    this.#unacknowledged.add(stream);
    this.#acks.ask();
  }

  #sendAcks(): void {
    const { inbox } = this.#options;
    const cursors = [...this.#unacknowledged].map((name): [StreamName, number] => [
      name,
      inbox.cursor(name),
    ]);
    this.#unacknowledged.clear();
    for (let at = 0; at < cursors.length; at += ACKS)
      this.exchange.notify('acks', { cursors: cursors.slice(at, at + ACKS) });
  }

  /** Resolves when what was pushed has been taken. */
  async settled(): Promise<void> {
    await this.#later;
    await Promise.allSettled(this.#catching.values());
  }
}
