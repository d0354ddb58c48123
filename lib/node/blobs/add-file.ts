/** From a file of this host to a blob, and what others are told of it. */
import { constants, type BigIntStats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FileReference } from '../../crdt/bodies.ts';
import { fromHex } from '../../crdt/bytes.ts';
import type { RandomBytes } from '../../crdt/keys.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError, translate } from '../../errors.ts';
import { abortReason } from '../abort.ts';
import { readAt } from './blob-file.ts';
import { blobSize, newFileKey, plainChunkSize, sealChunk } from './crypto.ts';
import { IMAGE_HEADER, imageFacts } from './images.ts';
import { chunkCount } from './manifest.ts';
import { safeName } from './names.ts';
import type { BlobStore } from './store.ts';

/** How much of a transfer is done, in bytes. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

export interface AddOptions {
  /** Of the conversation that it is for. */
  readonly stream: StreamName;
  /** Whether that is encrypted. */
  readonly encrypt: boolean;
  readonly random: RandomBytes;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Reads a file into the store, sealed under a new key where `encrypt` says so, and never more of it
 * into memory than a chunk.
 * @returns what a message says of it; of its path only a harmless form of its last part
 * @throws NO_SUCH_FILE when it is no file, may not be read, or vanishes or changes while it is read;
 *   TOO_LARGE, DISK_FULL, DATA_READ_ONLY; an AbortError. Nothing is left in the store then.
 */
export async function addFile(
  store: BlobStore,
  path: string,
  options: AddOptions,
): Promise<FileReference> {
  const source = await Source.open(path);
  try {
    const { size } = source;
    const key = options.encrypt ? newFileKey(options.random) : undefined;
    const image = await imageFacts(await source.read(0, Math.min(size, IMAGE_HEADER)));
    const chunks = readChunks(source, key, options);
    const { hash } = await store.add(options.stream, blobSize(size, options.encrypt), chunks);
    return {
      hash: Uint8Array.from(fromHex(hash)),
      size,
      name: safeName(basename(path)),
      ...(key === undefined ? {} : { key }),
      ...image,
    };
  } finally {
    await source.close();
  }
}

async function* readChunks(
  source: Source,
  key: Uint8Array | undefined,
  { onProgress, signal }: AddOptions,
): AsyncGenerator<Uint8Array> {
  const { size } = source;
  const length = plainChunkSize(key !== undefined);
  const count = chunkCount(blobSize(size, key !== undefined));
  for (let index = 0; index < count; index++) {
    if (signal?.aborted === true) throw abortReason(signal);
    const at = index * length;
    const plain = await source.read(at, Math.min(length, size - at));
    yield key === undefined ? plain : sealChunk(key, index, count, plain);
    onProgress?.({ done: at + plain.length, total: size });
  }
  await source.checkUnchanged();
}

/** A file of this host, of which all that is read has to be of one moment. */
class Source {
  readonly size: number;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #found: BigIntStats;

  private constructor(path: string, file: FileHandle, found: BigIntStats) {
    this.#path = path;
    this.#file = file;
    this.#found = found;
    this.size = Number(found.size);
  }

  static async open(path: string): Promise<Source> {
    let file: FileHandle | undefined;
    try {
      // Asked before opening, which for some devices is to do something.
      mustBeFile(path, await stat(path, { bigint: true }));
      // And after it, since it may be another by now: without waiting for the other end of a pipe.
      file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      const found = await file.stat({ bigint: true });
      mustBeFile(path, found);
      return new Source(path, file, found);
    } catch (error) {
      await file?.close();
      throw unreadable(path, error);
    }
  }

  /** @throws NO_SUCH_FILE, also when there is less than `length` */
  async read(position: number, length: number): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await readAt(this.#file, position, length);
    } catch (error) {
      throw unreadable(this.#path, error);
    }
    if (bytes.length < length) throw changed(this.#path);
    return bytes;
  }

  /** @throws NO_SUCH_FILE when it is gone, or is not what it was when it was opened */
  async checkUnchanged(): Promise<void> {
    try {
      const [now, named] = [
        await this.#file.stat({ bigint: true }),
        await stat(this.#path, { bigint: true }),
      ];
      if (!isSame(now, this.#found) || !isSame(named, this.#found)) throw changed(this.#path);
      // Some files are longer than the system says.
      const { bytesRead } = await this.#file.read(new Uint8Array(1), 0, 1, this.size);
      if (bytesRead > 0) throw changed(this.#path);
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function mustBeFile(path: string, found: BigIntStats): void {
  if (!found.isFile()) throw new ClchatError('NO_SUCH_FILE', `${path} is no file.`);
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeNs === b.mtimeNs;
}

function changed(path: string): ClchatError {
  return new ClchatError('NO_SUCH_FILE', `${path} has changed while it was read.`);
}

/** All that keeps a file from being read is one to whoever wants to send it. */
function unreadable(path: string, error: unknown): Error {
  const found = translate(error);
  if (error instanceof ClchatError) return found;
  return new ClchatError('NO_SUCH_FILE', `${path} cannot be read.`, { cause: error });
}
