/** Snapshots of streams' states, cut into pages and kept for those who join at the same time. */
import { encode } from '../../crdt/codec.ts';
import { ClchatError } from '../../errors.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { PORTION_BYTES } from '../wire.ts';

type Row = [table: string, id: string, value: unknown];

export interface SnapshotPage {
  readonly at: number;
  readonly pages: number;
  readonly seal: Uint8Array;
  readonly records: Row[];
}

interface Snapshot {
  readonly at: number;
  readonly seal: Uint8Array;
  readonly pages: Row[][];
  /** Of all pages, encoded. */
  readonly bytes: number;
  /** Who has asked for a page of it, and when last; the longest ago comes first. */
  readonly users: Map<string, number>;
}

/** A snapshot is made anew once the stream has grown by so many items… */
const STALE_ITEMS = 512;
/** …and those who began with an older one may go on while they ask so often, in milliseconds. */
const KEPT_MS = 60_000;
/** Snapshots that one device may be in the midst of; beyond, its own oldest is let go. */
const PER_DEVICE = 8;
/** Bytes in all; beyond, the device that makes most be kept lets go of its oldest. */
const KEPT_BYTES = 64 << 20;

export class Snapshots {
  readonly #log: LogStore;
  readonly #monotonic: () => number;
  readonly #keptBytes: number;
  /** By stream and position. */
  readonly #kept = new Map<string, Snapshot>();
  #bytes = 0;

  constructor(log: LogStore, monotonic: () => number, keptBytes = KEPT_BYTES) {
    this.#log = log;
    this.#monotonic = monotonic;
    this.#keptBytes = keptBytes;
  }

  /** Of all snapshots that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param user for whom: what others are in the midst of is kept whatever one asks for
   * @throws STALE (the snapshot of `at` is gone), NO_SUCH_ROOM (nothing sealed in the stream)
   */
  async page(
    stream: StreamName,
    page: number,
    at: number | undefined,
    user = '',
  ): Promise<SnapshotPage> {
    const key = at === undefined ? await this.#current(stream) : `${stream} ${at}`;
    const snapshot = this.#kept.get(key);
    if (snapshot !== undefined) {
      // Moves to the end: the order is the order of use.
      snapshot.users.delete(user);
      snapshot.users.set(user, this.#monotonic());
      this.#kept.delete(key);
      this.#kept.set(key, snapshot);
      this.#trim(key, user);
    }
    const records = snapshot?.pages[page];
    if (snapshot === undefined || records === undefined) throw new ClchatError('STALE');
    return { at: snapshot.at, pages: snapshot.pages.length, seal: snapshot.seal, records };
  }

  /** @returns the key of a snapshot that is new enough */
  async #current(stream: StreamName): Promise<string> {
    const open = await this.#log.open(stream);
    const { length } = open.head;
    this.#forgetUnused();
    for (const [key, { at }] of this.#kept)
      if (key === `${stream} ${at}` && length - at < STALE_ITEMS) return key;
    if (length === 0) throw new ClchatError('NO_SUCH_ROOM');
    const seal = this.#log.lastSeal(stream);
    if (seal === undefined) throw new ClchatError('DATA_CORRUPT');
    const pages: Row[][] = [[]];
    let bytes = 0;
    let size = 0;
    for (const { table, id, value } of open.state.records()) {
      const row: Row = [table, id, value];
      const rowSize = encode(row).length;
      bytes += rowSize;
      size += rowSize;
      if (size > PORTION_BYTES) {
        pages.push([]);
        size = 0;
      }
      pages.at(-1)!.push(row);
    }
    const key = `${stream} ${length}`;
    this.#kept.set(key, { at: length, seal: seal.bytes, pages, bytes, users: new Map() });
    this.#bytes += bytes;
    return key;
  }

  /** Lets go of what nobody has asked for lately. */
  #forgetUnused(): void {
    const since = this.#monotonic() - KEPT_MS;
    for (const [key, { users }] of this.#kept)
      for (const [user, at] of users) if (at < since) this.#release(key, user);
  }

  /** Keeps to the bounds at the cost of those who take most, but for what is asked for just now. */
  #trim(current: string, user: string): void {
    const own = this.#usedBy(user);
    if (own.length > PER_DEVICE) this.#release(own[0]!, user);
    while (this.#bytes > this.#keptBytes) {
      const { user: greediest, oldest } = this.#greediest(current);
      // One that is too large alone is given all the same, and costs nobody else anything.
      if (oldest === undefined) return;
      this.#release(oldest, greediest);
    }
  }

  /** Keys of what a user is in the midst of, the longest ago first. */
  #usedBy(user: string): string[] {
    return [...this.#kept].filter(([, { users }]) => users.has(user)).map(([key]) => key);
  }

  /** Who makes most be kept, and the oldest of it but for the current one. */
  #greediest(current: string): { user: string; oldest: string | undefined } {
    const shares = new Map<string, { user: string; bytes: number; oldest: string | undefined }>();
    for (const [key, { users, bytes }] of this.#kept)
      for (const user of users.keys()) {
        const share = shares.get(user) ?? { user, bytes: 0, oldest: undefined };
        share.bytes += bytes / users.size;
        if (key !== current) share.oldest ??= key;
        shares.set(user, share);
      }
    return [...shares.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
  }

  #release(key: string, user: string): void {
    const snapshot = this.#kept.get(key);
    snapshot?.users.delete(user);
    if (snapshot === undefined || snapshot.users.size > 0) return;
    this.#kept.delete(key);
    this.#bytes -= snapshot.bytes;
  }
}
