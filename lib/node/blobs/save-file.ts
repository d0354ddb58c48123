/** From a blob to a file of this host. */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FileReference } from '../../crdt/bodies.ts';
import { toHex } from '../../crdt/bytes.ts';
import { isDirectory, syncDirectory } from '../../crdt/directories.ts';
import type { RandomBytes } from '../../crdt/keys.ts';
import { ClchatError, hasCode, translate } from '../../errors.ts';
import { abortReason } from '../abort.ts';
import type { Progress } from './add-file.ts';
import { blobSize, openChunk } from './crypto.ts';
import { toBlobHash, type Manifest } from './manifest.ts';
import { numberedName, safeName } from './names.ts';
import type { BlobStore } from './store.ts';

export interface SaveOptions {
  readonly random: RandomBytes;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** Names that are tried where others are taken. */
const MAX_NUMBER = 9_999;

/**
 * Writes a file whose blob is in the store, opened and checked: under the name that its author gave
 * it, made harmless, where `target` is a directory, else under the name that `target` says. A file
 * that has the name already stays; the new one gets a number.
 * @param target chosen by the person here
 * @returns the path of the new file
 * @throws NO_SUCH_FILE when the blob is not here or there is no such directory; BAD_MESSAGE when the
 *   key or the size is not the blob's; DATA_CORRUPT when the disk has spoilt the blob: fetched
 *   again, it is mended; DISK_FULL, DATA_READ_ONLY; an AbortError. Nothing is left then.
 */
export async function saveFile(
  store: BlobStore,
  reference: FileReference,
  target: string,
  options: SaveOptions,
): Promise<string> {
  const manifest = await store.manifest(toBlobHash(reference.hash));
  if (manifest === undefined || !store.has(manifest.hash))
    throw new ClchatError('NO_SUCH_FILE', 'That attachment is not here.');
  checkSize(reference, manifest);
  const isInside = await isDirectory(target);
  const directory = isInside ? target : dirname(target);
  if (!isInside && (/^$|[/\\]$/.test(target) || !(await isDirectory(directory))))
    throw new ClchatError('NO_SUCH_FILE', `There is no such directory: ${target}`);
  const name = isInside ? safeName(reference.name) : basename(target);
  const temporary = join(directory, `.clchat-${toHex(options.random(8))}.part`);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx', 0o600);
    await copy(store, manifest, reference, file, options);
    await file.sync();
    await file.close();
    const path = await settle(temporary, directory, name);
    await syncDirectory(directory);
    return path;
  } catch (error) {
    await file?.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    const failed = translate(error);
    if (!hasCode(failed, 'DATA_READ_ONLY')) throw failed;
    throw new ClchatError('DATA_READ_ONLY', `${directory} cannot be written.`, { cause: error });
  }
}

/**
 * The size that a message tells of its file has to be the one that the file has.
 * @throws BAD_MESSAGE
 */
export function checkSize({ size, key }: FileReference, manifest: Manifest): void {
  if (blobSize(size, key !== undefined) !== manifest.size)
    throw new ClchatError('BAD_MESSAGE', 'The attachment is not as long as its message says.');
}

async function copy(
  store: BlobStore,
  { hash, count }: Manifest,
  { key, size }: FileReference,
  file: FileHandle,
  { onProgress, signal }: SaveOptions,
): Promise<void> {
  let done = 0;
  for (let index = 0; index < count; index++) {
    if (signal?.aborted === true) throw abortReason(signal);
    const chunk = await store.chunk(hash, index);
    if (chunk === undefined) throw new ClchatError('NO_SUCH_FILE', 'That attachment is not here.');
    const plain = key === undefined ? chunk : openChunk(key, index, count, chunk);
    await file.writeFile(plain);
    done += plain.length;
    onProgress?.({ done, total: size });
  }
}

/** Gives a file a name that is free. @returns its path */
async function settle(temporary: string, directory: string, name: string): Promise<string> {
  const path = await claim(directory, name);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
  return path;
}

/** Takes a name that is free, so that nobody else does. @returns the path of an empty file */
async function claim(directory: string, name: string): Promise<string> {
  for (let number = 0; number <= MAX_NUMBER; number++) {
    const path = join(directory, numberedName(name, number));
    try {
      await (await open(path, 'wx', 0o600)).close();
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new ClchatError('NO_SUCH_FILE', `There are too many files called ${name} already.`);
}
