/** Small files that are either there whole or not at all, and that only their owner reads. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeDirectory, syncDirectory } from '../crdt/directories.ts';
import { concat, toHex } from '../crdt/bytes.ts';
import { ClchatError, translate } from '../errors.ts';

const CHUNK = 64 * 1024;

/**
 * Replaces a file: whoever reads it, after a power cut too, sees the old bytes or the new ones.
 * Directories that are missing are made. The file's mode is 0600.
 * @throws DISK_FULL, DATA_READ_ONLY; the old file is untouched then
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const { file, finish } = await replaceFile(path);
  try {
    await file.writeFile(bytes);
  } catch (error) {
    await finish(false);
    throw translate(error);
  }
  await finish(true);
}

/** A file being written beside the one that it is to replace. */
export interface Replacement {
  readonly file: FileHandle;
  /** Puts it in the place of the old one, durably, or drops it. To be called once. */
  readonly finish: (keep: boolean) => Promise<void>;
}

/**
 * Begins what `writeFileAtomic` does, for content that does not fit into memory.
 * @throws DISK_FULL, DATA_READ_ONLY
 */
export async function replaceFile(path: string): Promise<Replacement> {
  try {
    const directory = dirname(path);
    await makeDirectory(directory);
    const temporary = join(directory, `.${basename(path)}.${toHex(randomBytes(6))}.tmp`);
    const file = await open(temporary, 'wx', 0o600);
    const finish = async (keep: boolean): Promise<void> => {
      let kept = false;
      try {
        if (keep) await file.sync();
        await file.close();
        if (!keep) return;
        await rename(temporary, path);
        kept = true;
        await syncDirectory(directory);
      } catch (error) {
        await file.close().catch(() => undefined);
        throw translate(error);
      } finally {
        if (!kept) await rm(temporary, { force: true }).catch(() => undefined);
      }
    };
    return { file, finish };
  } catch (error) {
    throw translate(error);
  }
}

/**
 * Adds to the end of a file, durably; makes it where there is none. Of several processes that do it
 * at once, none overwrites another.
 * @throws DISK_FULL, DATA_READ_ONLY
 */
export async function appendToFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await makeDirectory(dirname(path));
    const file = await open(path, 'a', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw translate(error);
  }
}

/**
 * @returns undefined where there is no such file
 * @throws NO_SUCH_FILE when it is no file or may not be read, TOO_LARGE beyond `maxBytes`
 */
export async function readFileBounded(
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    // Asked before opening: to open a pipe would wait for its other end.
    const found = await stat(path);
    if (!found.isFile()) throw new ClchatError('NO_SUCH_FILE', `${path} is no file`);
    const file = await open(path, 'r');
    try {
      const chunks: Uint8Array[] = [];
      let length = 0;
      for (;;) {
        const chunk = new Uint8Array(Math.min(maxBytes + 1 - length, CHUNK));
        const { bytesRead } = await file.read(chunk);
        if (bytesRead === 0) return concat(...chunks);
        chunks.push(chunk.subarray(0, bytesRead));
        length += bytesRead;
        if (length > maxBytes)
          throw new ClchatError('TOO_LARGE', `${path} is larger than ${maxBytes} bytes`);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES' || code === 'EPERM')
      throw new ClchatError('NO_SUCH_FILE', `${path} may not be read`, { cause: error });
    throw translate(error);
  }
}

/** Whether others than the owner may read or write the file. Always false on Windows. */
export async function isExposed(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  return ((await stat(path)).mode & 0o077) !== 0;
}
