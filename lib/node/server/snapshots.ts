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
  readonly made: number;
}

/** A snapshot is made anew once the stream has grown by so many items… */
const STALE_ITEMS = 512;
/** …and those who began with an older one may go on for so long, in milliseconds. */
const KEPT_MS = 60_000;
const KEPT = 64;

export class Snapshots {
  readonly #log: LogStore;
  readonly #monotonic: () => number;
  readonly #kept = new Map<string, Snapshot>();

  constructor(log: LogStore, monotonic: () => number) {
    this.#log = log;
    this.#monotonic = monotonic;
  }

  /** @throws STALE (the snapshot of `at` is gone), NO_SUCH_ROOM (nothing sealed in the stream) */
  async page(stream: StreamName, page: number, at: number | undefined): Promise<SnapshotPage> {
    const snapshot =
      at === undefined ? await this.#current(stream) : this.#kept.get(`${stream} ${at}`);
    const records = snapshot?.pages[page];
    if (snapshot === undefined || records === undefined) throw new ClchatError('STALE');
    return { at: snapshot.at, pages: snapshot.pages.length, seal: snapshot.seal, records };
  }

  async #current(stream: StreamName): Promise<Snapshot> {
    const open = await this.#log.open(stream);
    const { length } = open.head;
    for (const [key, snapshot] of this.#kept) {
      if (this.#monotonic() - snapshot.made > KEPT_MS) this.#kept.delete(key);
      else if (key.startsWith(`${stream} `) && length - snapshot.at < STALE_ITEMS) return snapshot;
    }
    if (length === 0) throw new ClchatError('NO_SUCH_ROOM');
    const seal = this.#log.lastSeal(stream);
    if (seal === undefined) throw new ClchatError('DATA_CORRUPT');
    const pages: Row[][] = [[]];
    let size = 0;
    for (const { table, id, value } of open.state.records()) {
      const row: Row = [table, id, value];
      size += encode(row).length;
      if (size > PORTION_BYTES) {
        pages.push([]);
        size = 0;
      }
      pages.at(-1)!.push(row);
    }
    const snapshot = { at: length, seal: seal.bytes, pages, made: this.#monotonic() };
    const oldest = this.#kept.keys().next();
    if (this.#kept.size >= KEPT && oldest.done !== true) this.#kept.delete(oldest.value);
    this.#kept.set(`${stream} ${length}`, snapshot);
    return snapshot;
  }
}
