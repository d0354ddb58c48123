/**
 * The blobs that a peer holds, whole or in part, by their hashes. All of them lie in one directory,
 * one file each; what a crash leaves there is either right or thrown away.
 */
import { rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, syncDirectory } from '../../crdt/directories.ts';
import type { RandomBytes } from '../../crdt/keys.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError, hasCode, translate } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { Turns } from '../turns.ts';
import { BlobFile, fileLength } from './blob-file.ts';
import { Bitmap } from './bitmap.ts';
import {
  draftName,
  entryName,
  newEntry,
  roomAt,
  scan,
  taken,
  whoGoes,
  type Entry,
  type StoredBlob,
} from './entries.ts';
import type { BlobHash, Manifest } from './manifest.ts';

export type { StoredBlob };

/** Where in its directory a peer keeps blobs. */
export const BLOBS = 'blobs';

export interface BlobStoreOptions {
  /** Made where it is not there. One process at a time uses it: it lies in a profile. */
  readonly directory: string;
  /** Its wall time says when a blob was used last. */
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Bytes that all blobs may take on the disk together; no bound where absent. */
  readonly maxBytes?: number;
  /** In place of `FREE_BYTES`, for tests. */
  readonly freeBytes?: number;
  /**
   * Whether a whole blob may go when room is needed for another: those go first that were used least
   * recently. None may where absent.
   */
  readonly mayEvict?: (hash: BlobHash) => boolean;
}

/** Bytes of the disk that blobs leave free: without them nothing else could be written any more. */
const FREE_BYTES = 64 << 20;
/** Files open at once; one more for each that is in use. */
const MAX_OPEN = 32;

export class BlobStore {
  readonly #options: BlobStoreOptions;
  /** The least recently used first. */
  readonly #entries = new Map<BlobHash, Entry>();
  /** Those whose files are open. */
  readonly #open = new Set<Entry>();
  /** What makes, renames and removes files takes turns. */
  readonly #turns = new Turns(1);
  /** Bytes that blobs being added will take. */
  #adding = 0;
  /** Of them those that are on the disk. */
  #added = 0;
  #isClosed = false;

  private constructor(options: BlobStoreOptions) {
    this.#options = options;
  }

  /** @throws DATA_READ_ONLY, DISK_FULL, NO_SUCH_FILE (the directory is none) */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    const store = new BlobStore(options);
    try {
      await makeDirectory(options.directory);
      for (const entry of await scan(options.directory)) store.#entries.set(entry.hash, entry);
    } catch (error) {
      throw translate(error);
    }
    return store;
  }

  /** Whether all of a blob is here. */
  has(hash: BlobHash): boolean {
    return this.#entries.get(hash)?.isComplete === true;
  }

  /** All blobs, the least recently used first. */
  list(): StoredBlob[] {
    return [...this.#entries.values()].map(({ hash, held, isComplete, usedAt }) => ({
      hash,
      bytes: held,
      isComplete,
      usedAt,
    }));
  }

  /** Bytes on the disk. */
  get sizeOnDisk(): number {
    let sum = 0;
    for (const { held } of this.#entries.values()) sum += held;
    return sum;
  }

  /** @returns undefined where nothing of the blob is here */
  manifest(hash: BlobHash): Promise<Manifest | undefined> {
    return this.#use(hash, async ({ manifest }) => manifest);
  }

  /** Which chunks are here. @returns undefined where nothing of the blob is here */
  have(hash: BlobHash): Promise<Bitmap | undefined> {
    return this.#use(hash, async ({ have }) => new Bitmap(have.length, have.toBytes()));
  }

  /**
   * A chunk, checked by its hash.
   * @returns undefined where it is not here
   * @throws DATA_CORRUPT when the disk has spoilt it: from then on it is not here
   */
  chunk(hash: BlobHash, index: number): Promise<Uint8Array | undefined> {
    return this.#use(hash, async (file, entry) => {
      try {
        return await file.read(index);
      } catch (error) {
        if (hasCode(error, 'DATA_CORRUPT')) await this.#turns.run(() => this.#settle(entry, file));
        throw error;
      }
    });
  }

  /**
   * Makes room for a blob, or goes on with one that is here in part, so that its chunks can be put.
   * @throws DISK_FULL, DATA_READ_ONLY
   */
  begin(manifest: Manifest): Promise<void> {
    return this.#turns.run(async () => {
      this.#mustBeOpen();
      const { hash, size } = manifest;
      const length = fileLength(size);
      const known = this.#entries.get(hash);
      if (known?.isComplete === true) return;
      await this.#makeRoom(length - (known === undefined ? 0 : taken(known)), hash);
      // All of it may be here, as far as its file knows: by a crash, or because it is empty.
      const settle = (file: BlobFile, entry: Entry): Promise<void> => {
        entry.reserved = length;
        return this.#settle(entry, file);
      };
      if ((await this.#use(hash, async (...its) => (await settle(...its), true))) === true) return;
      await this.#create(manifest);
      await this.#use(hash, settle);
    });
  }

  async #create(manifest: Manifest): Promise<void> {
    const entry = newEntry(manifest.hash, this.#options.clock.now());
    const path = this.#path(entry);
    try {
      await rm(path, { force: true });
      const file = await BlobFile.create(path, manifest);
      entry.file = Promise.resolve(file);
      entry.held = file.held;
      this.#open.add(entry);
    } catch (error) {
      await rm(path, { force: true }).catch(() => undefined);
      throw translate(error);
    }
    this.#entries.set(manifest.hash, entry);
  }

  /**
   * Stores a chunk of a blob that was begun.
   * @throws BAD_MESSAGE when it is not what the manifest says; NO_SUCH_FILE when the blob was not
   *   begun, or deleted since; DISK_FULL, DATA_READ_ONLY
   */
  async put(hash: BlobHash, index: number, chunk: Uint8Array): Promise<void> {
    const isKnown = await this.#use(hash, async (file, entry) => {
      if (!file.manifest.fits(index, chunk))
        throw new ClchatError('BAD_MESSAGE', 'A part of an attachment is not what it should be.');
      if (!file.have.has(index)) await file.write(index, chunk);
      entry.held = file.held;
      if (file.have.isFull) await this.#turns.run(() => this.#settle(entry, file));
      return true;
    });
    if (isKnown === undefined) throw new ClchatError('NO_SUCH_FILE', 'That file was not begun.');
  }

  /** Nothing more is put for now. What was put survives a crash; where that is nothing, nothing stays. */
  async release(hash: BlobHash): Promise<void> {
    const entry = this.#entries.get(hash);
    if (entry === undefined || entry.isComplete) return;
    entry.reserved = 0;
    const count = await this.#use(hash, async (file) => {
      await file.sync();
      return file.have.count;
    });
    if (count === 0 && entry.reserved === 0) await this.delete(hash);
  }

  /**
   * Stores a blob whose chunks come in order.
   * @param stream of the conversation
   * @param size of all together
   * @throws DISK_FULL, DATA_READ_ONLY, TOO_LARGE, and what `chunks` throws; nothing is left then
   */
  async add(
    stream: StreamName,
    size: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Manifest> {
    const length = fileLength(size);
    const { directory, random, clock } = this.#options;
    await this.#turns.run(async () => {
      this.#mustBeOpen();
      await this.#makeRoom(length);
      this.#adding += length;
    });
    const path = join(directory, draftName(random));
    let added = 0;
    const onWritten = (bytes: number): void => {
      added += bytes;
      this.#added += bytes;
    };
    try {
      const manifest = await BlobFile.write(path, stream, size, chunks, onWritten);
      await this.#turns.run(async () => {
        const { hash } = manifest;
        if (this.has(hash)) return;
        await this.#remove(hash);
        const entry = newEntry(hash, clock.now());
        Object.assign(entry, { held: length, isComplete: true });
        await rename(path, this.#path(entry));
        await this.#noteUse(entry);
        await syncDirectory(directory);
        this.#entries.set(hash, entry);
      });
      return manifest;
    } catch (error) {
      throw translate(error);
    } finally {
      this.#adding -= length;
      this.#added -= added;
      await rm(path, { force: true }).catch(() => undefined);
    }
  }

  /** Removes what is here of a blob from the disk. */
  async delete(hash: BlobHash): Promise<void> {
    await this.#turns.run(() => this.#remove(hash));
  }

  /**
   * Removes all blobs that nobody wants and nobody has used for so long.
   * @param age in milliseconds
   * @returns those removed
   */
  async collect(
    isWanted: (hash: BlobHash) => boolean | Promise<boolean>,
    age: number,
  ): Promise<BlobHash[]> {
    const before = this.#options.clock.now() - age;
    const removed: BlobHash[] = [];
    for (const { hash, usedAt, users, reserved } of [...this.#entries.values()]) {
      if (usedAt > before || users > 0 || reserved > 0 || (await isWanted(hash))) continue;
      await this.delete(hash);
      removed.push(hash);
    }
    return removed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turns.run(async () => {
      await Promise.all([...this.#entries.values()].map((entry) => this.#shut(entry)));
    });
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new ClchatError('CLOSED');
  }

  #path(entry: Pick<Entry, 'hash' | 'isComplete'>): string {
    return join(this.#options.directory, entryName(entry));
  }

  /** Runs `work` on the open file of a blob; undefined where nothing of it is here. */
  async #use<T>(
    hash: BlobHash,
    work: (file: BlobFile, entry: Entry) => Promise<T>,
  ): Promise<T | undefined> {
    this.#mustBeOpen();
    const entry = this.#entries.get(hash);
    if (entry === undefined) return undefined;
    entry.users++;
    entry.usedAt = this.#options.clock.now();
    this.#entries.delete(hash);
    this.#entries.set(hash, entry);
    try {
      entry.file ??= this.#openFile(entry);
      const file = await entry.file;
      return file === undefined ? undefined : await work(file, entry);
    } finally {
      entry.users--;
      this.#closeSome();
    }
  }

  /** What cannot be read is of no use, and hides that the blob is missing: it is removed. */
  async #openFile(entry: Entry): Promise<BlobFile | undefined> {
    this.#open.add(entry);
    await entry.closed;
    const path = this.#path(entry);
    try {
      return await BlobFile.open(path, entry.hash);
    } catch (error) {
      this.#open.delete(entry);
      entry.file = undefined;
      if (!hasCode(error, 'DATA_CORRUPT') && !hasCode(error, 'NO_SUCH_FILE')) throw error;
      await rm(path, { force: true }).catch(() => undefined);
      if (this.#entries.get(entry.hash) === entry) this.#entries.delete(entry.hash);
      return undefined;
    }
  }

  /** Closes files that are not in use, of too many. */
  #closeSome(): void {
    for (const entry of this.#open) {
      if (this.#open.size <= MAX_OPEN) return;
      if (entry.users === 0) void this.#shut(entry);
    }
  }

  /** Closes its file, where it is open. Never rejects. */
  async #shut(entry: Entry, isDropped = false): Promise<void> {
    const { file } = entry;
    if (file === undefined) return entry.closed;
    entry.file = undefined;
    this.#open.delete(entry);
    entry.closed = (async () => {
      try {
        await (await file)?.close(isDropped);
        if (!isDropped) await this.#noteUse(entry);
      } catch {
        // What was not noted as there is fetched again.
      }
    })();
    await entry.closed;
  }

  /** For the order in which blobs go, beyond this run; nothing else depends on it. */
  async #noteUse(entry: Entry): Promise<void> {
    const seconds = entry.usedAt / 1_000;
    await utimes(this.#path(entry), seconds, seconds).catch(() => undefined);
  }

  /** Gives the file the name that its content deserves. Within a turn. */
  async #settle(entry: Entry, file: BlobFile): Promise<void> {
    const isComplete = file.have.isFull;
    entry.held = file.held;
    if (isComplete === entry.isComplete || this.#entries.get(entry.hash) !== entry) return;
    await file.sync();
    if (file.have.isFull !== isComplete) return;
    try {
      await rename(this.#path(entry), this.#path({ ...entry, isComplete }));
      await syncDirectory(this.#options.directory);
    } catch (error) {
      throw translate(error);
    }
    entry.isComplete = isComplete;
    entry.reserved = 0;
  }

  /** Makes room for so many bytes more. Within a turn. @throws DISK_FULL */
  async #makeRoom(bytes: number, besides?: BlobHash): Promise<void> {
    const { directory, maxBytes = Infinity, freeBytes = FREE_BYTES, mayEvict } = this.#options;
    const room = (await roomAt(directory)) - freeBytes;
    const most = Math.min(maxBytes, this.sizeOnDisk + this.#added + room);
    const going = whoGoes(this.#entries, this.#adding + bytes, most, besides, mayEvict);
    if (going === undefined)
      throw new ClchatError('DISK_FULL', 'There is no room left for attachments.');
    for (const { hash } of going) await this.#remove(hash);
  }

  /** Within a turn. */
  async #remove(hash: BlobHash): Promise<void> {
    const entry = this.#entries.get(hash);
    if (entry === undefined) return;
    try {
      await rm(this.#path(entry), { force: true });
    } catch (error) {
      throw translate(error);
    }
    this.#entries.delete(hash);
    await this.#shut(entry, true);
  }
}
