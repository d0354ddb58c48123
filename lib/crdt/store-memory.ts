/**
 * The store in memory, for tests and the simulation: the same contract as over LevelDB, with crashes
 * and full disks on demand.
 */
import { checkKeys } from './store-keys.ts';
import type { Range, Store, StoreOperation } from './store.ts';
import { ClchatError, translate } from '../errors.ts';

/** A store on a disk of its own. */
export function openMemoryStore(): Store {
  return new MemoryDisk().open();
}

/** What a batch overwrote, to be put back when a crash loses the batch. */
type Undo = [key: string, before: Uint8Array | undefined][];

/** What outlives a store: opened again after a close or a crash, it has what had been written. */
export class MemoryDisk {
  /** Bytes of keys and values that fit; a batch that does not fit fails with DISK_FULL. */
  capacity = Infinity;
  readonly table = new SortedTable();
  /** Batches that a crash may lose, oldest first. */
  readonly #unsynced: Undo[] = [];
  #store: MemoryStore | undefined;

  /** @throws DATA_IN_USE while a store on this disk is open */
  open(): Store {
    if (this.#store !== undefined) throw new ClchatError('DATA_IN_USE');
    this.#store = new MemoryStore(this);
    return this.#store;
  }

  /** How many batches a crash now may lose. */
  get unsynced(): number {
    return this.#unsynced.length;
  }

  /**
   * The machine dies: the open store is gone, its writes under way fail with CLOSED, and of the
   * batches written without `sync` since the last one with it only the first `survivors` are kept.
   */
  crash(survivors = 0): void {
    this.#store?.die();
    for (const undo of this.#unsynced.splice(survivors).reverse())
      for (const [key, before] of undo.reverse()) this.table.set(key, before);
    this.#unsynced.length = 0;
  }

  release(): void {
    this.#store = undefined;
  }

  /** @throws DISK_FULL, having changed nothing */
  apply(operations: readonly StoreOperation[], sync: boolean): void {
    const undo: Undo = [];
    for (const operation of operations) {
      undo.push([operation.key, this.table.get(operation.key)]);
      this.table.set(operation.key, operation.type === 'put' ? operation.value : undefined);
    }
    if (this.table.bytes > this.capacity) {
      for (const [key, before] of undo.reverse()) this.table.set(key, before);
      throw new ClchatError('DISK_FULL');
    }
    if (sync) this.#unsynced.length = 0;
    else if (undo.length > 0) this.#unsynced.push(undo);
  }
}

class MemoryStore implements Store {
  readonly #disk: MemoryDisk;
  #last: Promise<void> = Promise.resolve();
  #failure: ClchatError | undefined;
  #closing: Promise<void> | undefined;
  #open = true;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  get(key: string): Uint8Array | undefined {
    this.#checkOpen();
    return this.#disk.table.get(key)?.slice();
  }

  entries(range: Range): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    this.#checkOpen();
    const pairs = this.#disk.table.range(range);
    const check = (): void => this.#checkOpen();
    return (async function* () {
      for (const [key, value] of pairs) {
        await Promise.resolve();
        check();
        yield [key, value.slice()] as const;
      }
    })();
  }

  write(operations: readonly StoreOperation[], options: { sync: boolean }): Promise<void> {
    try {
      if (this.#closing !== undefined) this.#fail();
      this.#checkOpen();
      checkKeys(operations);
    } catch (error) {
      return Promise.reject(translate(error));
    }
    const batch = operations.map((operation) =>
      operation.type === 'put' ? { ...operation, value: operation.value.slice() } : operation,
    );
    // Visible only later, as with a real disk.
    const written = this.#last.then(() => {
      this.#checkOpen();
      if (this.#failure !== undefined) throw this.#failure;
      try {
        this.#disk.apply(batch, options.sync);
      } catch (error) {
        this.#failure = error as ClchatError;
        throw error;
      }
    });
    this.#last = written.catch(() => undefined);
    return written;
  }

  async purge(): Promise<void> {
    this.#checkOpen();
    await this.#last;
  }

  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => this.die());
    return this.#closing;
  }

  /** Ends it at once. */
  die(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#disk.release();
  }

  #checkOpen(): void {
    if (!this.#open) this.#fail();
  }

  #fail(): never {
    throw new ClchatError('CLOSED', 'the store is closed');
  }
}

/** Values by key, in order of the keys. */
class SortedTable {
  readonly #values = new Map<string, Uint8Array>();
  readonly #keys: string[] = [];
  /** Of all keys and values. */
  bytes = 0;

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  /** `undefined` deletes. */
  set(key: string, value: Uint8Array | undefined): void {
    const before = this.#values.get(key);
    if (before !== undefined) this.bytes -= key.length + before.length;
    if (value !== undefined) {
      if (before === undefined) this.#keys.splice(this.#place(key), 0, key);
      this.#values.set(key, value);
      this.bytes += key.length + value.length;
    } else if (before !== undefined) {
      this.#keys.splice(this.#place(key), 1);
      this.#values.delete(key);
    }
  }

  /** The pairs as of now. */
  range({ from, until, reverse, limit = Infinity }: Range): [string, Uint8Array][] {
    const begin = this.#place(from);
    const end = Math.max(begin, this.#place(until));
    const keys =
      reverse === true
        ? this.#keys.slice(Math.max(begin, end - limit), end).reverse()
        : this.#keys.slice(begin, Math.min(end, begin + limit));
    return keys.map((key) => [key, this.#values.get(key) ?? new Uint8Array()]);
  }

  /** Index of the first key that is not below `key`. */
  #place(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
