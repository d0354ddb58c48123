/** What is known of the blobs in a directory without opening them, and which of them go for others. */
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../crdt/bytes.ts';
import type { RandomBytes } from '../../crdt/keys.ts';
import { translate } from '../../errors.ts';
import type { BlobFile } from './blob-file.ts';
import type { BlobHash } from './manifest.ts';

/** What is known of a blob without opening it. */
export interface StoredBlob {
  readonly hash: BlobHash;
  /** Bytes on the disk. */
  readonly bytes: number;
  readonly isComplete: boolean;
  /** When it was used last, by the wall clock: milliseconds since 1970. */
  readonly usedAt: number;
}

export interface Entry {
  readonly hash: BlobHash;
  /** Bytes on the disk. */
  held: number;
  /** Bytes that the whole will take, while somebody is putting chunks into it; else 0. */
  reserved: number;
  isComplete: boolean;
  /** When it was used last, by the wall clock: milliseconds since 1970. */
  usedAt: number;
  /** What is being done with it: it stays open meanwhile. */
  users: number;
  /** Undefined inside where it cannot be read. */
  file: Promise<BlobFile | undefined> | undefined;
  /** Of the file that was open before. */
  closed: Promise<void> | undefined;
}

const FILE = /^(?<hash>[0-9a-f]{64})\.(?<kind>blob|part)$/;
const DRAFT = /^[0-9a-f]{32}\.draft$/;

export function newEntry(hash: BlobHash, usedAt: number): Entry {
  return {
    hash,
    held: 0,
    reserved: 0,
    isComplete: false,
    usedAt,
    users: 0,
    file: undefined,
    closed: undefined,
  };
}

/** The name of its file. */
export function entryName({ hash, isComplete }: Pick<Entry, 'hash' | 'isComplete'>): string {
  return `${hash}.${isComplete ? 'blob' : 'part'}`;
}

/** A name for the file of a blob that has no hash yet. */
export function draftName(random: RandomBytes): string {
  return `${toHex(random(16))}.draft`;
}

/** Bytes that a blob takes, or may come to take by what is being put. */
export function taken({ held, reserved }: Entry): number {
  return Math.max(held, reserved);
}

/**
 * The blobs in a directory, the least recently used first. Drafts that a crash has left are removed;
 * what is no file of ours stays.
 */
export async function scan(directory: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const { hash, kind } = FILE.exec(name)?.groups ?? {};
    if (DRAFT.test(name)) await rm(path, { force: true });
    if (hash === undefined) continue;
    const { size, blocks, mtimeMs } = await stat(path);
    // A file in part has holes; not every system tells of them.
    const held = kind === 'blob' || blocks === undefined ? size : Math.min(size, blocks * 512);
    const entry = newEntry(hash as BlobHash, mtimeMs);
    found.push(Object.assign(entry, { held, isComplete: kind === 'blob' }));
  }
  // Of two files of one blob, the whole one.
  found.sort((a, b) => Number(a.isComplete) - Number(b.isComplete));
  const unique = new Map(found.map((entry) => [entry.hash, entry]));
  return [...unique.values()].sort((a, b) => a.usedAt - b.usedAt);
}

/** Bytes that can still be written to the disk of a directory. @throws NO_SUCH_FILE */
export async function roomAt(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch (error) {
    throw translate(error);
  }
}

/**
 * Which blobs go so that there is room for so many bytes more: first those in part that nobody is
 * going on with, then whole ones that may, the least recently used first.
 * @param entries the least recently used first
 * @param besides stays
 * @returns undefined where there is not enough room whoever goes
 */
export function whoGoes(
  entries: ReadonlyMap<BlobHash, Entry>,
  bytes: number,
  maxBytes: number,
  besides?: BlobHash,
  mayEvict: (hash: BlobHash) => boolean = () => false,
): Entry[] | undefined {
  let total = bytes;
  for (const entry of entries.values()) total += taken(entry);
  if (total <= maxBytes) return [];
  const idle = [...entries.values()].filter(
    ({ hash, users, reserved }) => hash !== besides && users === 0 && reserved === 0,
  );
  const parts = idle.filter(({ isComplete }) => !isComplete);
  const whole = idle.filter(({ hash, isComplete }) => isComplete && mayEvict(hash));
  const going: Entry[] = [];
  for (const entry of [...parts, ...whole]) {
    if (total <= maxBytes) break;
    going.push(entry);
    total -= taken(entry);
  }
  return total <= maxBytes ? going : undefined;
}
