/**
 * Serves blobs to those who may read them, and takes them from those who may store them. Used by the
 * server, and by clients that give to others what they have; those take nothing.
 */
import type { PublicKey } from '../../crdt/keys.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { Channel } from '../channel.ts';
import { Exchange, ServingBudget } from '../exchange.ts';
import { Turns } from '../turns.ts';
import { Bitmap } from './bitmap.ts';
import { plainSize } from './crypto.ts';
import { Manifest, type BlobHash } from './manifest.ts';
import type { BlobStore } from './store.ts';
import { BLOB, type BlobExchange } from './wire.ts';

export interface BlobServiceOptions {
  readonly store: BlobStore;
  /** Its monotonic time judges what is idle. */
  readonly clock: Clock;
  /** Whether a device may read an entry that names the blob. */
  readonly mayRead: (device: PublicKey, hash: BlobHash) => boolean | Promise<boolean>;
  /**
   * How many bytes a file may have that a device wants to store; 0: it may store none. Where absent
   * nobody may store anything.
   */
  readonly mayPut?: (device: PublicKey, manifest: Manifest) => number | Promise<number>;
  /** Faults of ours, for the log. */
  readonly onFault: (error: unknown) => void;
  /** In place of `SWEEP_MS`, for tests. */
  readonly sweepMs?: number;
}

/** Channels of a device at once; one more ends the oldest, whose connection may be dead. */
const MAX_CHANNELS = 4;
/** Uploads of a device at once. */
const MAX_UPLOADS = 8;
/** An upload of which nothing comes for so long has to be begun again, in milliseconds. */
const UPLOAD_MS = 60_000;
/** A channel on which nothing is asked for so long is closed, in milliseconds. */
const CHANNEL_MS = 120_000;
const SWEEP_MS = 5_000;
/** Chunks read or written at once for a device. */
const TURNS = 4;
/** Bytes of requests of a device that are kept until they are done with. */
const BUDGET_BYTES = 1 << 20;
/** Bytes that may wait to be sent before no more is read from the disk. */
const QUEUE_BYTES = 1 << 20;

/** What is done for a device, whatever number of channels it opens. */
interface Guest {
  readonly device: PublicKey;
  readonly turns: Turns;
  readonly budget: ServingBudget;
  /** The oldest first, each with the time of its last request. */
  readonly channels: Map<BlobExchange, number>;
  /** Each with the time of the last that came of it. */
  readonly uploads: Map<BlobHash, number>;
}

export class BlobService {
  readonly #options: BlobServiceOptions;
  readonly #guests = new Map<PublicKey, Guest>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: BlobServiceOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), options.sweepMs ?? SWEEP_MS);
    this.#sweeper.unref();
  }

  /** Takes a channel of the protocol `BLOB`. */
  accept(channel: Channel): void {
    const { clock, onFault } = this.#options;
    const guest = this.#guestOf(channel.remote);
    const inTurn = <R, T>(run: (request: R) => Promise<T>): ((request: R) => Promise<T>) => {
      return (request) => {
        guest.channels.set(exchange, clock.monotonic());
        return guest.turns.run(async () => {
          if (exchange.ended) throw new ClchatError('CLOSED');
          if (channel.queued > QUEUE_BYTES) await channel.drained();
          return run(request);
        });
      };
    };
    const exchange: BlobExchange = new Exchange(channel, BLOB, {
      onFault,
      budget: guest.budget,
      methods: {
        manifest: inTurn(async ({ hash }) => {
          await this.#mustRead(guest, hash);
          return { manifest: there(await this.#options.store.manifest(hash)).bytes };
        }),
        have: inTurn(async ({ hash }) => {
          await this.#mustRead(guest, hash);
          return { have: there(await this.#options.store.have(hash)).toBytes() };
        }),
        chunk: inTurn(async ({ hash, index }) => {
          await this.#mustRead(guest, hash);
          return { chunk: await this.#chunk(hash, index) };
        }),
        begin: inTurn(({ manifest }) => this.#begin(guest, manifest)),
        put: inTurn(({ hash, index, chunk }) => this.#put(guest, hash, index, chunk)),
        done: inTurn(({ hash }) => this.#done(guest, hash)),
      },
      notices: {},
    });
    guest.channels.set(exchange, clock.monotonic());
    const [oldest] = guest.channels.keys();
    if (guest.channels.size > MAX_CHANNELS)
      oldest?.abort(new ClchatError('CLOSED', 'replaced by a newer connection'));
    exchange.onEnd(() => {
      guest.channels.delete(exchange);
      if (guest.channels.size === 0) this.#endAll(guest);
    });
  }

  #guestOf(device: PublicKey): Guest {
    let guest = this.#guests.get(device);
    if (guest === undefined) {
      guest = {
        device,
        turns: new Turns(TURNS),
        budget: new ServingBudget(BUDGET_BYTES),
        channels: new Map(),
        uploads: new Map(),
      };
      this.#guests.set(device, guest);
    }
    return guest;
  }

  async #mustRead({ device }: Guest, hash: BlobHash): Promise<void> {
    if (!(await this.#options.mayRead(device, hash))) throw new ClchatError('NO_SUCH_FILE');
  }

  async #chunk(hash: BlobHash, index: number): Promise<Uint8Array | null> {
    try {
      return (await this.#options.store.chunk(hash, index)) ?? null;
    } catch (error) {
      // The disk has spoilt it: from now on it is not here.
      if (!hasCode(error, 'DATA_CORRUPT')) throw error;
      this.#options.onFault(error);
      return null;
    }
  }

  async #begin(guest: Guest, bytes: Uint8Array): Promise<{ have: Uint8Array }> {
    const { mayPut, store, clock } = this.#options;
    // A copy: what was sent shares its memory with the whole message.
    const manifest = Manifest.read(Uint8Array.from(bytes));
    const { hash, size, count } = manifest;
    const limit = (await mayPut?.(guest.device, manifest)) ?? 0;
    if (limit === 0) throw new ClchatError('DENIED', 'You may not store files here.');
    if (plainSize(size) > limit)
      throw new ClchatError('TOO_LARGE', `A file may have up to ${limit} bytes here.`);
    if (store.has(hash)) return { have: Bitmap.full(count).toBytes() };
    if (guest.uploads.size >= MAX_UPLOADS && !guest.uploads.has(hash))
      throw new ClchatError('RATE_LIMITED', 'Too many files are being sent at once.');
    if (guest.channels.size === 0) throw new ClchatError('CLOSED');
    guest.uploads.set(hash, clock.monotonic());
    try {
      await store.begin(manifest);
      return { have: there(await store.have(hash)).toBytes() };
    } catch (error) {
      await this.#end(guest, hash);
      throw error;
    }
  }

  async #put(guest: Guest, hash: BlobHash, index: number, chunk: Uint8Array): Promise<object> {
    const { store, clock } = this.#options;
    this.#mustBegin(guest, hash);
    guest.uploads.set(hash, clock.monotonic());
    try {
      await store.put(hash, index, chunk);
      return {};
    } catch (error) {
      await this.#end(guest, hash);
      throw error;
    }
  }

  async #done(guest: Guest, hash: BlobHash): Promise<object> {
    this.#mustBegin(guest, hash);
    await this.#end(guest, hash);
    if (!this.#options.store.has(hash)) throw new ClchatError('WAITING');
    return {};
  }

  #mustBegin({ uploads }: Guest, hash: BlobHash): void {
    if (!uploads.has(hash)) throw new ClchatError('STALE', 'That upload is to be begun again.');
  }

  /** Nothing more comes of an upload for now; what came is kept, to go on with. */
  async #end(guest: Guest, hash: BlobHash): Promise<void> {
    guest.uploads.delete(hash);
    for (const other of this.#guests.values()) if (other.uploads.has(hash)) return;
    await this.#options.store.release(hash);
  }

  #sweep(): void {
    const { clock, onFault } = this.#options;
    const now = clock.monotonic();
    for (const guest of this.#guests.values()) {
      for (const [hash, heard] of guest.uploads)
        if (now - heard > UPLOAD_MS) this.#end(guest, hash).catch(onFault);
      for (const [exchange, heard] of guest.channels)
        if (now - heard > CHANNEL_MS) void exchange.close();
    }
  }

  /** Ends what is done for a device: it is logged out. */
  drop(device: PublicKey): void {
    const guest = this.#guests.get(device);
    if (guest === undefined) return;
    for (const exchange of guest.channels.keys()) void exchange.close();
    this.#endAll(guest);
  }

  #endAll(guest: Guest): void {
    this.#guests.delete(guest.device);
    for (const hash of guest.uploads.keys()) this.#end(guest, hash).catch(this.#options.onFault);
  }

  stop(): void {
    clearInterval(this.#sweeper);
    for (const device of this.#guests.keys()) this.drop(device);
  }
}

function there<T>(found: T | undefined): T {
  if (found === undefined) throw new ClchatError('NO_SUCH_FILE');
  return found;
}
