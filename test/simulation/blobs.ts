/**
 * Where a peer of the simulation keeps files: what `BlobStore` promises, on a disk in memory that
 * takes its time and loses in a crash what was not written for good.
 */
import { ClchatError } from '../../lib/errors.ts';
import { sleep, type Clock } from '../../lib/lifecycle.ts';
import { Bitmap } from '../../lib/node/blobs/bitmap.ts';
import { Manifest, type BlobHash } from '../../lib/node/blobs/manifest.ts';
import type { StoredBlob } from '../../lib/node/blobs/entries.ts';
import type { BlobStore } from '../../lib/node/blobs/store.ts';
import { sha256 } from '../../lib/crdt/bytes.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';
import type { Random } from './random.ts';

interface Kept {
  readonly manifest: Manifest;
  readonly chunks: Map<number, Uint8Array>;
  /** Those that a crash may lose. */
  readonly unsynced: Set<number>;
  usedAt: number;
}

/** Longest time of an access, in milliseconds. */
const ACCESS_MS = 3;

const isComplete = ({ chunks, manifest, unsynced }: Kept): boolean =>
  chunks.size === manifest.count && unsynced.size === 0;

/** What outlives a store: opened again after a crash, it has what had been written. */
export class BlobDisk {
  readonly kept = new Map<BlobHash, Kept>();
  readonly random: Random;
  readonly clock: Clock;
  #store: MemoryBlobs | undefined;

  constructor(random: Random, clock: Clock) {
    this.random = random;
    this.clock = clock;
  }

  open(): BlobStore {
    this.#store = new MemoryBlobs(this);
    // The real one has private parts, which nobody misses.
    return this.#store as unknown as BlobStore;
  }

  /** The machine dies: the open store is gone, and with it some of what was not synced. */
  crash(): void {
    this.#store?.die();
    this.#store = undefined;
    for (const { chunks, unsynced } of this.kept.values())
      for (const index of unsynced) {
        if (this.random.chance(0.5)) chunks.delete(index);
        unsynced.delete(index);
      }
  }

  /** All files of which anything is here. */
  get hashes(): BlobHash[] {
    return [...this.kept.keys()];
  }

  has(hash: BlobHash): boolean {
    const kept = this.kept.get(hash);
    return kept !== undefined && isComplete(kept);
  }

  /** The chunks of a file that is here, in order. */
  chunks(hash: BlobHash): Uint8Array[] {
    const { manifest, chunks } = this.kept.get(hash)!;
    return Array.from({ length: manifest.count }, (_, index) => chunks.get(index)!);
  }
}

class MemoryBlobs implements Pick<BlobStore, keyof BlobStore> {
  readonly #disk: BlobDisk;
  #isOpen = true;

  constructor(disk: BlobDisk) {
    this.#disk = disk;
  }

  die(): void {
    this.#isOpen = false;
  }

  #mustBeOpen(): void {
    if (!this.#isOpen) throw new ClchatError('CLOSED');
  }

  async #access(): Promise<void> {
    this.#mustBeOpen();
    await sleep(this.#disk.random.below(ACCESS_MS + 1));
    this.#mustBeOpen();
  }

  /** @returns undefined where nothing of it is here */
  async #use(hash: BlobHash): Promise<Kept | undefined> {
    await this.#access();
    const kept = this.#disk.kept.get(hash);
    if (kept !== undefined) kept.usedAt = this.#disk.clock.now();
    return kept;
  }

  has(hash: BlobHash): boolean {
    return this.#disk.has(hash);
  }

  list(): StoredBlob[] {
    return [...this.#disk.kept.values()].map((kept) => ({
      hash: kept.manifest.hash,
      bytes: sizeOf(kept),
      isComplete: isComplete(kept),
      usedAt: kept.usedAt,
    }));
  }

  get sizeOnDisk(): number {
    return this.list().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async manifest(hash: BlobHash): Promise<Manifest | undefined> {
    return (await this.#use(hash))?.manifest;
  }

  async have(hash: BlobHash): Promise<Bitmap | undefined> {
    const kept = await this.#use(hash);
    if (kept === undefined) return undefined;
    const bitmap = new Bitmap(kept.manifest.count);
    for (const index of kept.chunks.keys()) bitmap.set(index, true);
    return bitmap;
  }

  async chunk(hash: BlobHash, index: number): Promise<Uint8Array | undefined> {
    return (await this.#use(hash))?.chunks.get(index);
  }

  async begin(manifest: Manifest): Promise<void> {
    if ((await this.#use(manifest.hash)) !== undefined) return;
    this.#keep(manifest);
  }

  #keep(manifest: Manifest): Kept {
    const { kept, clock } = this.#disk;
    const blob = { manifest, chunks: new Map(), unsynced: new Set<number>(), usedAt: clock.now() };
    kept.set(manifest.hash, blob);
    return blob;
  }

  async put(hash: BlobHash, index: number, chunk: Uint8Array): Promise<void> {
    const kept = await this.#use(hash);
    if (kept === undefined) throw new ClchatError('NO_SUCH_FILE', 'That file was not begun.');
    if (!kept.manifest.fits(index, chunk))
      throw new ClchatError('BAD_MESSAGE', 'A part of an attachment is not what it should be.');
    if (!kept.chunks.has(index)) {
      kept.chunks.set(index, chunk.slice());
      kept.unsynced.add(index);
    }
    if (kept.chunks.size === kept.manifest.count) await this.#sync(kept);
  }

  async #sync(kept: Kept): Promise<void> {
    await this.#access();
    kept.unsynced.clear();
  }

  async release(hash: BlobHash): Promise<void> {
    const kept = this.#disk.kept.get(hash);
    if (kept === undefined || isComplete(kept)) return;
    await this.#sync(kept);
    if (kept.chunks.size === 0) await this.delete(hash);
  }

  /** Takes no time, for what is read from real files meanwhile does. */
  async add(
    stream: StreamName,
    _size: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Manifest> {
    this.#mustBeOpen();
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk.slice());
    this.#mustBeOpen();
    const manifest = Manifest.of(
      stream,
      all.reduce((sum, { length }) => sum + length, 0),
      all.map((chunk) => sha256(chunk)),
    );
    const kept = this.#keep(manifest);
    all.forEach((chunk, index) => kept.chunks.set(index, chunk));
    return manifest;
  }

  async delete(hash: BlobHash): Promise<void> {
    await this.#access();
    this.#disk.kept.delete(hash);
  }

  async collect(
    isWanted: (hash: BlobHash) => boolean | Promise<boolean>,
    age: number,
  ): Promise<BlobHash[]> {
    const before = this.#disk.clock.now() - age;
    const removed: BlobHash[] = [];
    for (const { hash, usedAt } of this.list()) {
      if (usedAt > before || (await isWanted(hash))) continue;
      await this.delete(hash);
      removed.push(hash);
    }
    return removed;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }
}

function sizeOf({ chunks }: Kept): number {
  let size = 0;
  for (const chunk of chunks.values()) size += chunk.length;
  return size;
}
