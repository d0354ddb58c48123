/**
 * LevelDB as the store uses it: opened only where its files look whole, and its errors by our codes.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { makeDirectory } from './directories.ts';
import { checkBeforeOpen, checkTables, parseTables, type TableFile } from './level-files.ts';
import { ClchatError, hasCode, isAbort, translate, type ErrorCode } from '../errors.ts';

/** Bytes of tables whose checksums are verified at opening, the newest first. */
const CHECK_BYTES = 32 << 20;

/** What the types leave out, as they promise only what a browser has too. */
export type Database = Level<string, Uint8Array> & {
  compactRange(from: string, until: string): Promise<void>;
  getProperty(name: string): string;
};

/**
 * Opens the database in `directory` and keeps it locked until it is closed.
 * @param options.create make the directory and an empty database where there is none
 * @throws DATA_IN_USE, DATA_CORRUPT, DISK_FULL, DATA_READ_ONLY, NO_SUCH_FILE
 */
export async function openDatabase(
  directory: string,
  options: { create: boolean },
): Promise<Database> {
  try {
    if (options.create) await makeDirectory(directory);
    // Asked before LevelDB is, as that makes a directory even when told to create nothing.
    else await stat(join(directory, 'CURRENT'));
    await refuseDamage(directory);
    const db = new Level<string, Uint8Array>(directory, {
      keyEncoding: 'utf8',
      valueEncoding: 'view',
      createIfMissing: options.create,
      // Most of what is stored is signatures and ciphertext; and erasing must be provable.
      compression: false,
    }) as Database;
    await db.open();
    try {
      await checkTables(directory, () => tablesOf(db), CHECK_BYTES);
    } catch (error) {
      await db.close();
      throw error;
    }
    return db;
  } catch (error) {
    throw translateLevel(error);
  }
}

/** @throws DATA_IN_USE, DATA_CORRUPT */
async function refuseDamage(directory: string): Promise<void> {
  try {
    await checkBeforeOpen(directory);
  } catch {
    // Files that another process is just making or removing look like damage.
    if (await isLocked(directory)) throw new ClchatError('DATA_IN_USE');
    await checkBeforeOpen(directory);
  }
}

/** Asks LevelDB, which takes its lock before it finds that there is something it must not touch. */
async function isLocked(directory: string): Promise<boolean> {
  const db = new Level(directory, { createIfMissing: false, errorIfExists: true });
  try {
    await db.open();
  } catch (error) {
    return hasCode(translateLevel(error), 'DATA_IN_USE');
  }
  await db.close();
  return false;
}

export function tablesOf(db: Database): TableFile[] {
  return parseTables(db.getProperty('leveldb.sstables'));
}

/** What LevelDB says is text of the operating system; it sets no locale. */
const MESSAGES: readonly [RegExp, ErrorCode][] = [
  [/No space left|quota exceeded|File too large/i, 'DISK_FULL'],
  [/Read-only file system|Permission denied|not permitted/i, 'DATA_READ_ONLY'],
  [/Input\/output error|No such file/i, 'DATA_CORRUPT'],
];

const CODES: Record<string, ErrorCode> = {
  LEVEL_LOCKED: 'DATA_IN_USE',
  LEVEL_CORRUPTION: 'DATA_CORRUPT',
  LEVEL_DATABASE_NOT_OPEN: 'CLOSED',
  LEVEL_ITERATOR_NOT_OPEN: 'CLOSED',
};

export function translateLevel(error: unknown): Error {
  if (error instanceof ClchatError || isAbort(error) || !(error instanceof Error))
    return translate(error);
  if ('syscall' in error) return translate(error);
  // A failed opening is wrapped: the reason is in the cause.
  const reason = error.cause instanceof Error ? error.cause : error;
  const code =
    MESSAGES.find(([pattern]) => pattern.test(reason.message))?.[1] ??
    CODES[(reason as NodeJS.ErrnoException).code ?? ''];
  return code === undefined
    ? translate(reason)
    : new ClchatError(code, undefined, { cause: error });
}
