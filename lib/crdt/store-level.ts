/**
 * The store over LevelDB. Writes go one batch at a time, in the order they were asked for, and what
 * waits meanwhile becomes the next batch (group commit). Values carry a checksum bound to their key,
 * because LevelDB as packaged checks nothing that it reads.
 */
import { statfs } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { joined } from './bytes.ts';
import { openDatabase, tablesOf, translateLevel, type Database } from './level-database.ts';
import { listFiles, type TableFile } from './level-files.ts';
import { checkKeys } from './store-keys.ts';
import type { Range, Store, StoreOperation } from './store.ts';
import { ClchatError, hasCode } from '../errors.ts';
import { sleep } from '../lifecycle.ts';

/** Bytes that one batch of waiting writes may gather. */
const GROUP_BYTES = 4 << 20;
/** Pairs, and bytes, that a reading takes at a time. */
const PORTION = 256;
const PORTION_BYTES = 256 << 10;
/** How long an erasure waits for readings begun before it, in milliseconds. */
const PURGE_PATIENCE = 30_000;
/** How often it looks again at what is still there. */
const PURGE_PASSES = 8;

/** How long a store whose disk was full waits until it looks again whether there is room. */
const RECOVER_APART_MS = 500;
/** Room, in bytes, that opening a database may take: its log becomes a table. */
const ROOM_BYTES = 8 << 20;

/** Sorts before every key that there may be; deleting it makes an empty batch reach the disk. */
const BARRIER = ' ';

/**
 * Opens the store in `directory` and keeps it locked until it is closed.
 * @param options.create make the directory and an empty store where there is none
 * @throws DATA_IN_USE, DATA_CORRUPT, DISK_FULL, DATA_READ_ONLY, NO_SUCH_FILE
 */
export async function openLevelStore(
  directory: string,
  options: { create: boolean },
): Promise<Store> {
  return new LevelStore(directory, await openDatabase(directory, options));
}

/** Writes that wait for their turn, in one batch of LevelDB. */
interface Group {
  readonly batch: ReturnType<Database['batch']>;
  /** Keys that it writes. */
  readonly keys: string[];
  bytes: number;
  sync: boolean;
  /** Reads what it will write when its turn has come, so no other write may be in its batch. */
  readonly prepare: (() => void) | undefined;
  readonly waiting: { resolve: () => void; reject: (error: Error) => void }[];
}

/** Why nothing is written any more, and what has to be done before anything can be. */
interface Failure {
  readonly error: Error;
  /** What was stored under the keys of the write that failed, if it could be read. */
  readonly before: ReadonlyMap<string, Uint8Array | undefined> | undefined;
  /** When it was last tried to go on, by `performance.now()`. */
  tried: number;
}

interface Reading {
  readonly ended: Promise<void>;
  /** Ends it; whoever reads is told why. */
  readonly cut: (why: ClchatError) => void;
}

class LevelStore implements Store {
  readonly #directory: string;
  #db: Database;
  readonly #groups: Group[] = [];
  #writing: Promise<void> | undefined;
  readonly #readings = new Set<Reading>();
  #purging: Promise<void> = Promise.resolve();
  #failure: Failure | undefined;
  #recovering: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(directory: string, db: Database) {
    this.#directory = directory;
    this.#db = db;
  }

  get(key: string): Uint8Array | undefined {
    this.#checkOpen();
    let stored: Uint8Array | undefined;
    try {
      stored = this.#db.getSync(key);
    } catch (error) {
      throw this.#failure?.error ?? translateLevel(error);
    }
    return stored === undefined ? undefined : unwrap(key, stored);
  }

  entries(range: Range): AsyncIterable<readonly [key: string, value: Uint8Array]> {
    this.#checkOpen();
    // Made here and not at the first step: from now on it sees a snapshot.
    const iterator = this.#db.iterator({
      gte: range.from,
      lt: range.until,
      reverse: range.reverse ?? false,
      limit: range.limit ?? -1,
      highWaterMarkBytes: PORTION_BYTES,
    });
    let end = (): void => undefined;
    let cut: ClchatError | undefined;
    const reading: Reading = {
      ended: new Promise<void>((resolve) => (end = resolve)),
      cut: (why) => {
        cut = why;
        iterator.close().then(end, end);
      },
    };
    this.#readings.add(reading);
    const steps = async function* (readings: Set<Reading>) {
      try {
        let portion = await iterator.nextv(PORTION);
        while (portion.length > 0) {
          // What follows is read by another thread while this one works on what is here.
          const ahead = portion.length < PORTION ? undefined : iterator.nextv(PORTION);
          ahead?.catch(() => undefined);
          for (const [key, stored] of portion) yield [key, unwrap(key, stored)] as const;
          portion = await (ahead ?? iterator.nextv(PORTION));
        }
      } catch (error) {
        throw cut ?? translateLevel(error);
      } finally {
        readings.delete(reading);
        await iterator.close();
        end();
      }
    };
    return steps(this.#readings);
  }

  async write(operations: readonly StoreOperation[], options: { sync: boolean }): Promise<void> {
    this.#checkOpen();
    checkKeys(operations);
    if (operations.length === 0 && !options.sync) return;
    if (this.#failure !== undefined) await this.#recover(this.#failure);
    const last = this.#groups.at(-1);
    const hasRoom = last !== undefined && last.prepare === undefined && last.bytes < GROUP_BYTES;
    const group = hasRoom ? last : this.#newGroup();
    // A chained batch copies at once, at half the processor time of one handed over as an array.
    const { batch, keys } = group;
    for (const operation of operations) {
      keys.push(operation.key);
      if (operation.type === 'delete') batch.del(operation.key);
      else {
        batch.put(operation.key, wrap(operation.key, operation.value));
        group.bytes += operation.value.length;
      }
    }
    if (operations.length === 0) batch.del(BARRIER);
    group.sync ||= options.sync;
    await this.#written(group);
  }

  #newGroup(prepare?: (batch: Group['batch']) => void): Group {
    const batch = this.#db.batch();
    const group: Group = {
      batch,
      keys: [],
      bytes: 0,
      sync: false,
      prepare: prepare === undefined ? undefined : () => prepare(batch),
      waiting: [],
    };
    this.#groups.push(group);
    return group;
  }

  #written(group: Group): Promise<void> {
    const done = new Promise<void>((resolve, reject) => group.waiting.push({ resolve, reject }));
    this.#writing ??= this.#writeAll();
    return done;
  }

  /** Never rejects: whoever waits for a write is told. */
  async #writeAll(): Promise<void> {
    // What is asked for in the same turn of the event loop goes into the first batch already.
    await Promise.resolve();
    for (let group = this.#groups.shift(); group !== undefined; group = this.#groups.shift()) {
      const { batch, keys, sync, prepare, waiting } = group;
      try {
        if (this.#failure !== undefined) {
          await batch.close();
          throw this.#failure.error;
        }
        prepare?.();
        await batch.write({ sync });
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        this.#failure ??= this.#failed(keys, translateLevel(error));
        for (const { reject } of waiting) reject(this.#failure.error);
      }
    }
    this.#writing = undefined;
  }

  /**
   * LevelDB appends to its log behind a record that it failed to finish, and loses at the next opening
   * what it then acknowledged. So the first failure is the last write, until the database has been
   * opened anew; and as the log may hold what was told to have failed, that is then put back.
   */
  #failed(keys: readonly string[], error: Error): Failure {
    let before: Failure['before'];
    try {
      before = new Map(keys.map((key) => [key, this.#db.getSync(key)]));
    } catch {
      // Then this store cannot go on: what it believes might not be what is on the disk.
    }
    return { error, before, tried: performance.now() };
  }

  /** Goes on after a full disk, if there is room again. @throws what the failure was, if not */
  async #recover(failure: Failure): Promise<void> {
    if (!hasCode(failure.error, 'DISK_FULL') || failure.before === undefined) throw failure.error;
    if (this.#recovering === undefined) {
      if (performance.now() - failure.tried < RECOVER_APART_MS) throw failure.error;
      failure.tried = performance.now();
      this.#recovering = this.#reopen(failure).finally(() => (this.#recovering = undefined));
    }
    try {
      await this.#recovering;
    } catch {
      throw failure.error;
    }
    this.#checkOpen();
  }

  async #reopen({ error, before }: Failure): Promise<void> {
    const { bavail, bsize } = await statfs(this.#directory);
    // A database that has been closed might not open: then nothing could be read either.
    if (bavail * bsize < ROOM_BYTES) throw error;
    await this.#writing;
    this.#checkOpen();
    this.#cut([...this.#readings], new ClchatError('STALE', 'the store is opened anew'));
    await this.#db.close();
    const db = await openDatabase(this.#directory, { create: false });
    this.#db = db;
    const undo = db.batch();
    for (const [key, value] of before ?? [])
      if (value === undefined) undo.del(key);
      else undo.put(key, value);
    await undo.write({ sync: true });
    this.#failure = undefined;
  }

  purge(range: { from: string; until: string }): Promise<void> {
    this.#checkOpen();
    const purged = this.#purging.then(() => this.#purge(range));
    this.#purging = purged.catch(() => undefined);
    return purged;
  }

  /**
   * Old bytes are in the log and in tables. A flush replaces the log; a compaction of the range
   * merges tables with those below, but passes by one that has none below it, even when that one
   * table holds both a value and its deletion. So every table of the range that is not new
   * afterwards is made to be merged, by rewriting its first key.
   */
  async #purge({ from, until }: { from: string; until: string }): Promise<void> {
    try {
      await this.#writing;
      // Versions that a snapshot still sees outlive a compaction.
      await this.#readingsEnd();
      await this.#flush();
      const newest = Math.max(0, ...(await this.#files()).keys());
      for (let pass = 0; pass < PURGE_PASSES; pass += 1) {
        await this.#db.compactRange(from, until);
        const live = tablesOf(this.#db).filter((table) => table.number <= newest);
        const old = live.filter((table) => table.first < until && table.last >= from);
        for (const table of old) await this.#merge(table);
        if (old.length > 0) continue;
        const kept = new Set(live.map((table) => table.number));
        const left = [...(await this.#files()).keys()].filter(
          (number) => number <= newest && !kept.has(number),
        );
        if (left.length === 0) return;
        // A reading begun meanwhile holds on to files that nothing else needs.
        await this.#readingsEnd();
        await this.#flush();
      }
    } catch (error) {
      throw translateLevel(error);
    }
    throw new ClchatError('INTERNAL', 'erased data could not be removed from the files');
  }

  /** Writes the first key of a table once more, so that a compaction has to merge the table. */
  async #merge(table: TableFile): Promise<void> {
    const { first: key } = table;
    const group = this.#newGroup((batch) => {
      const stored = this.#db.getSync(key);
      if (stored === undefined) batch.del(key);
      else batch.put(key, stored);
    });
    await this.#written(group);
    await this.#db.compactRange(key, key);
  }

  /** Moves what the log holds into a table, and removes files no longer needed. */
  #flush(): Promise<void> {
    // No key is in the range, so nothing is compacted.
    return this.#db.compactRange(BARRIER, BARRIER);
  }

  #files(): Promise<Map<number, string>> {
    return listFiles(this.#directory, /^(ldb|sst|log)$/);
  }

  /** Waits for the readings under way; those that take too long are cut off with STALE. */
  async #readingsEnd(): Promise<void> {
    const readings = [...this.#readings];
    if (readings.length === 0) return;
    const ended = Promise.all(readings.map((reading) => reading.ended));
    const waited = new AbortController();
    await Promise.race([ended.finally(() => waited.abort()), sleep(PURGE_PATIENCE, waited.signal)]);
    this.#cut(readings, new ClchatError('STALE', 'what was being read is being erased'));
    await ended;
  }

  #cut(readings: Iterable<Reading>, why: ClchatError): void {
    for (const reading of readings) if (this.#readings.delete(reading)) reading.cut(why);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cut([...this.#readings], new ClchatError('CLOSED', 'the store was closed'));
    await this.#recovering?.catch(() => undefined);
    await this.#writing;
    await this.#purging;
    try {
      await this.#db.close();
    } catch (error) {
      throw translateLevel(error);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ClchatError('CLOSED', 'the store is closed');
  }
}

const sum = new DataView(new ArrayBuffer(4));
const sumBytes = new Uint8Array(sum.buffer);

/** The value, then CRC-32 of value and key. Good until the next call. */
function wrap(key: string, value: Uint8Array): Uint8Array {
  sum.setUint32(0, checksum(key, value));
  return joined(value, sumBytes);
}

function unwrap(key: string, stored: Uint8Array): Uint8Array {
  const length = stored.length - 4;
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  const value = new Uint8Array(stored.buffer, stored.byteOffset, Math.max(0, length));
  if (length < 0 || view.getUint32(length) !== checksum(key, value))
    throw new ClchatError('DATA_CORRUPT', `The stored data is damaged (at ${key}).`);
  return value;
}

function checksum(key: string, value: Uint8Array): number {
  // The value first: node's crc32 of no bytes forgets what it is to go on from.
  return crc32(key, crc32(value));
}
