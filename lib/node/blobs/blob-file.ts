/**
 * One blob on disk: a mark, the length of the manifest, the manifest, a bitmap of the chunks that are
 * there, and then the chunks, each at its place. The bitmap says of no chunk that it is there before
 * the chunk is safe on the disk; and no chunk leaves without having been checked by its hash, so that
 * one that the disk has spoilt counts as missing.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { concat, equal, sha256, utf8 } from '../../crdt/bytes.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError, translate } from '../../errors.ts';
import { Bitmap, bitmapBytes } from './bitmap.ts';
import {
  chunkCount,
  CHUNK_SIZE,
  Manifest,
  manifestLength,
  MAX_MANIFEST,
  type BlobHash,
} from './manifest.ts';

const MARK = utf8('clblob1\n');
const LENGTH_BYTES = 4;
const PREFIX = MARK.length + LENGTH_BYTES;
/** Chunks written after which those that are there are noted: 8 MiB that a crash loses at most. */
const SYNC_CHUNKS = 32;

/** Bytes of the whole file of a blob of so many bytes. @throws TOO_LARGE */
export function fileLength(size: number): number {
  return PREFIX + manifestLength(size) + bitmapBytes(chunkCount(size)) + size;
}

export class BlobFile {
  readonly manifest: Manifest;
  readonly #file: FileHandle;
  /** Where the first chunk is. */
  readonly #start: number;
  #have: Bitmap;
  /** As the bitmap stands on the disk. */
  #noted: Uint8Array;
  #unnoted = 0;
  #syncing: Promise<void> = Promise.resolve();
  #underWay = 0;
  #closing: Promise<void> | undefined;
  #whenIdle: (() => void) | undefined;

  private constructor(file: FileHandle, manifest: Manifest, have: Bitmap) {
    this.#file = file;
    this.manifest = manifest;
    this.#start = fileLength(manifest.size) - manifest.size;
    this.#have = have;
    this.#noted = have.toBytes();
  }

  /** Begins the file of a blob of which nothing is there yet. @throws DISK_FULL, DATA_READ_ONLY */
  static async create(path: string, manifest: Manifest): Promise<BlobFile> {
    return guarded(path, 'wx+', async (file) => {
      const have = new Bitmap(manifest.count);
      await writeAt(file, headerOf(manifest, have), 0);
      await file.sync();
      return new BlobFile(file, manifest, have);
    });
  }

  /** @throws DATA_CORRUPT when it is not the file of that blob, NO_SUCH_FILE, DATA_READ_ONLY */
  static async open(path: string, hash: BlobHash): Promise<BlobFile> {
    return guarded(path, 'r+', async (file) => {
      const prefix = await readAt(file, 0, PREFIX);
      const length =
        prefix.length === PREFIX ? Buffer.from(prefix).readUInt32BE(MARK.length) : Infinity;
      if (!equal(prefix.subarray(0, MARK.length), MARK) || length > MAX_MANIFEST)
        throw damaged(path);
      const manifest = readManifest(path, await readAt(file, PREFIX, length));
      if (manifest.hash !== hash) throw damaged(path);
      const bits = await readAt(file, PREFIX + length, bitmapBytes(manifest.count));
      if (bits.length !== bitmapBytes(manifest.count)) throw damaged(path);
      return new BlobFile(file, manifest, new Bitmap(manifest.count, bits));
    });
  }

  /**
   * Writes the file of a whole blob whose manifest is not known before its chunks are.
   * @param stream of the conversation
   * @param size of all chunks together
   * @param onWritten told how many bytes each chunk has taken
   * @throws DISK_FULL, DATA_READ_ONLY, and what `chunks` throws; a file may be left there then
   */
  static async write(
    path: string,
    stream: StreamName,
    size: number,
    chunks: AsyncIterable<Uint8Array>,
    onWritten: (bytes: number) => void = () => undefined,
  ): Promise<Manifest> {
    return guarded(path, 'wx', async (file) => {
      const hashes: Uint8Array[] = [];
      let at = fileLength(size) - size;
      for await (const chunk of chunks) {
        await writeAt(file, chunk, at);
        hashes.push(sha256(chunk));
        at += chunk.length;
        onWritten(chunk.length);
      }
      const manifest = Manifest.of(stream, size, hashes);
      await writeAt(file, headerOf(manifest, Bitmap.full(manifest.count)), 0);
      await file.sync();
      await file.close();
      return manifest;
    });
  }

  get have(): Bitmap {
    return this.#have;
  }

  /** Bytes that it takes on the disk, about. */
  get held(): number {
    return this.#start + Math.min(this.#have.count * CHUNK_SIZE, this.manifest.size);
  }

  /**
   * A chunk, checked; undefined where it is not there.
   * @throws DATA_CORRUPT when the disk has spoilt it: it is not there any more then
   */
  read(index: number): Promise<Uint8Array | undefined> {
    return this.#run(async () => {
      if (!this.#have.has(index)) return undefined;
      const chunk = await readAt(this.#file, this.#placeOf(index), this.manifest.lengthOf(index));
      if (this.manifest.fits(index, chunk)) return chunk;
      this.#have.set(index, false);
      await this.#sync();
      throw new ClchatError('DATA_CORRUPT', 'A part of an attachment is damaged.');
    });
  }

  /** @param chunk whose hash has been checked. @throws DISK_FULL, DATA_READ_ONLY */
  write(index: number, chunk: Uint8Array): Promise<void> {
    return this.#run(async () => {
      await writeAt(this.#file, chunk, this.#placeOf(index));
      this.#have.set(index, true);
      if (++this.#unnoted >= SYNC_CHUNKS) await this.#sync();
    });
  }

  /** What has been written until now survives a crash. @throws DISK_FULL, DATA_READ_ONLY */
  sync(): Promise<void> {
    return this.#run(() => this.#sync());
  }

  #sync(): Promise<void> {
    this.#syncing = this.#syncing.catch(() => undefined).then(() => this.#note());
    return this.#syncing;
  }

  async #note(): Promise<void> {
    const bits = this.#have.toBytes();
    this.#unnoted = 0;
    if (equal(bits, this.#noted)) return;
    try {
      await this.#file.datasync();
      // Whatever part of this gets to the disk is true.
      await writeAt(this.#file, bits, this.#start - bits.length);
      await this.#file.datasync();
    } catch (error) {
      // Nobody knows what of it is on the disk.
      this.#have = new Bitmap(this.manifest.count, this.#noted.slice());
      throw error;
    }
    this.#noted = bits;
  }

  /** Notes what is there, unless `isDropped`. What is under way is waited for; what comes is refused. */
  close(isDropped = false): Promise<void> {
    this.#closing ??= this.#close(isDropped);
    return this.#closing;
  }

  async #close(isDropped: boolean): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    try {
      if (!isDropped) await this.#sync();
    } catch (error) {
      throw translate(error);
    } finally {
      await this.#file.close();
    }
  }

  #placeOf(index: number): number {
    return this.#start + index * CHUNK_SIZE;
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new ClchatError('NO_SUCH_FILE', 'That file is gone.');
    this.#underWay++;
    try {
      return await work();
    } catch (error) {
      throw translate(error);
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#whenIdle?.();
    }
  }
}

/** Opens a file for `work`, which keeps it open; closes it when that fails. */
async function guarded<T>(
  path: string,
  flags: string,
  work: (file: FileHandle) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, flags, 0o600);
    return await work(file);
  } catch (error) {
    await file?.close().catch(() => undefined);
    throw translate(error);
  }
}

function headerOf(manifest: Manifest, have: Bitmap): Uint8Array {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(manifest.bytes.length);
  return concat(MARK, length, manifest.bytes, have.toBytes());
}

function readManifest(path: string, bytes: Uint8Array): Manifest {
  try {
    return Manifest.read(bytes);
  } catch (error) {
    throw damaged(path, error);
  }
}

function damaged(path: string, cause?: unknown): ClchatError {
  return new ClchatError('DATA_CORRUPT', `${path} is damaged.`, { cause });
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const left = bytes.length - done;
    const { bytesWritten } = await file.write(bytes, done, left, position + done);
    done += bytesWritten;
  }
}

/** As many bytes as there are, up to `length`. */
export async function readAt(
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const left = length - filled;
    const { bytesRead } = await file.read(bytes, filled, left, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
