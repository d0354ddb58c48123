/**
 * Checks LevelDB's files against the checksums in them. The binding leaves LevelDB's own checks off:
 * a damaged write-ahead log is replayed without what was damaged, and a damaged table answers that
 * a key is not there. Both would be acknowledged data lost in silence.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClchatError } from '../errors.ts';

/** A live table file as LevelDB lists it. */
export interface TableFile {
  readonly number: number;
  readonly level: number;
  /** Bytes. */
  readonly size: number;
  /** First and last key in it. */
  readonly first: string;
  readonly last: string;
}

const TABLE_LINE = /^ (\d+):(\d+)\['(.*)' @ \d+ : \d+ \.\. '(.*)' @ \d+ : \d+\]$/;

/** Reads LevelDB's property `leveldb.sstables`. */
export function parseTables(listing: string): TableFile[] {
  const tables: TableFile[] = [];
  let level = 0;
  for (const line of listing.split('\n')) {
    const heading = /^--- level (\d+) ---$/.exec(line);
    if (heading !== null) level = Number(heading[1]);
    const [, number, size, first = '', last = ''] = TABLE_LINE.exec(line) ?? [];
    if (number !== undefined)
      tables.push({ number: Number(number), level, size: Number(size), first, last });
  }
  return tables;
}

/** Numbers of the files in the directory whose names have one of the endings. */
export async function listFiles(directory: string, endings: RegExp): Promise<Map<number, string>> {
  const files = new Map<number, string>();
  for (const name of await readdir(directory)) {
    const match = /^(\d+)\.(\w+)$/.exec(name);
    if (match !== null && endings.test(match[2] ?? '')) files.set(Number(match[1]), name);
  }
  return files;
}

/**
 * To be called before LevelDB is opened, which consumes the logs.
 * @throws DATA_CORRUPT when the directory has lost its index, or a log is damaged in the middle; a
 *   tail that a crash cut short is no damage
 */
export async function checkBeforeOpen(directory: string): Promise<void> {
  const names = await readdir(directory);
  // LevelDB would take it for an empty directory, and delete every file that it does not know. Its
  // first manifest is there before the index, so alone it only means that a making was interrupted.
  if (
    !names.includes('CURRENT') &&
    names.some((name) => /^\d+\.ldb$|^MANIFEST-(?!0*1$)/.test(name))
  )
    throw new ClchatError('DATA_CORRUPT', 'The stored data is damaged: its index is gone.');
  for (const name of (await listFiles(directory, /^log$/)).values())
    if (isDamagedLog(await readFile(join(directory, name)))) throw damaged(name);
}

/**
 * Verifies live tables, the newest first, until `budget` bytes have been read.
 * @param live lists them; asked again where one is missing, as LevelDB merges and removes tables all
 *   the time
 * @throws DATA_CORRUPT
 */
export async function checkTables(
  directory: string,
  live: () => readonly TableFile[],
  budget: number,
): Promise<void> {
  let left = budget;
  for (const { number, size } of live().toSorted((a, b) => b.number - a.number)) {
    if (size > left) continue;
    left -= size;
    const bytes = await readTable(directory, number);
    if (
      bytes === undefined ? live().some((table) => table.number === number) : !isSoundTable(bytes)
    )
      throw damaged(`table ${number}`);
  }
}

async function readTable(directory: string, number: number): Promise<Uint8Array | undefined> {
  try {
    return await readFile(join(directory, `${String(number).padStart(6, '0')}.ldb`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function damaged(name: string): ClchatError {
  return new ClchatError('DATA_CORRUPT', `The stored data is damaged (${name}).`);
}

// Write-ahead logs: blocks of 32 KiB of records; a record is a masked checksum of what follows the
// length (4 bytes), a length (2), a type (1) and the payload, and never crosses a block.

const BLOCK = 32 * 1024;
const HEADER = 7;
const SECTOR = 512;

/**
 * Whether a log has lost something that had been written completely. A crash cuts the end off, or
 * leaves sectors of zeros where nothing had been written yet; anything else that is not sound is
 * damage.
 */
export function isDamagedLog(bytes: Uint8Array): boolean {
  for (let block = 0; block < bytes.length; block += BLOCK) {
    const end = Math.min(block + BLOCK, bytes.length);
    for (let at = block; at + HEADER <= end;) {
      const until = recordEnd(bytes, at);
      if (isSound(bytes, at, end)) {
        at = until;
        continue;
      }
      const next = nextSound(bytes, at + 1, end);
      const cutShort = end === bytes.length && until > end && next === undefined;
      if (!cutShort && !isUnwritten(bytes, at, Math.min(until, end), end)) return true;
      at = next ?? end;
    }
  }
  return false;
}

function recordEnd(bytes: Uint8Array, at: number): number {
  return at + HEADER + (bytes[at + 4] ?? 0) + (bytes[at + 5] ?? 0) * 256;
}

function isSound(bytes: Uint8Array, at: number, end: number): boolean {
  const type = bytes[at + 6] ?? 0;
  const until = recordEnd(bytes, at);
  return (
    type >= 1 && type <= 4 && until <= end && storedSum(bytes, at) === crc32c(bytes, at + 6, until)
  );
}

function nextSound(bytes: Uint8Array, from: number, end: number): number | undefined {
  for (let at = from; at + HEADER <= end; at += 1) if (isSound(bytes, at, end)) return at;
  return undefined;
}

/** Whether a sector that touches the record, or all that follows in the block, is zeros. */
function isUnwritten(bytes: Uint8Array, at: number, until: number, end: number): boolean {
  if (isZero(bytes, at, end)) return true;
  for (let sector = at - (at % SECTOR); sector < until; sector += SECTOR)
    if (isZero(bytes, sector, Math.min(sector + SECTOR, end))) return true;
  return false;
}

function isZero(bytes: Uint8Array, from: number, until: number): boolean {
  return bytes.subarray(from, until).every((byte) => byte === 0);
}

// Tables: blocks, each followed by a type (1 byte) and a masked checksum (4); at the end a footer of
// 48 bytes with the places of two index blocks and a magic number.

const FOOTER = 48;
const TRAILER = 5;
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];

/** Whether every block of a table that this program wrote (so without compression) is sound. */
export function isSoundTable(bytes: Uint8Array): boolean {
  if (bytes.length < FOOTER || !MAGIC.every((byte, i) => bytes[bytes.length - 8 + i] === byte))
    return false;
  const footer = new Cursor(bytes, bytes.length - FOOTER);
  const places = [footer.place(), footer.place()] as const;
  if (!places.every((place) => isSoundBlock(bytes, place))) return false;
  return places.every((place) =>
    indexed(bytes, place).every((block) => isSoundBlock(bytes, block)),
  );
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

function isSoundBlock(bytes: Uint8Array, { offset, size }: Place): boolean {
  const end = offset + size;
  if (!(end + TRAILER <= bytes.length)) return false;
  return storedSum(bytes, end + 1) === crc32c(bytes, offset, end + 1);
}

/** The places that an index block, found sound before, lists. */
function indexed(bytes: Uint8Array, { offset, size }: Place): Place[] {
  if (size < 4) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, size);
  const restarts = view.getUint32(size - 4, true);
  const end = offset + size - 4 * (restarts + 1);
  const places: Place[] = [];
  const cursor = new Cursor(bytes, offset);
  while (cursor.at < end) {
    cursor.number(); // bytes of the key shared with the one before
    const keyLength = cursor.number();
    cursor.number(); // length of the value, which is the place
    cursor.at += keyLength;
    places.push(cursor.place());
  }
  return places;
}

class Cursor {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** A number in groups of seven bits, the lowest first. NaN past the end. */
  number(): number {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at];
      if (byte === undefined || scale > 2 ** 49) return NaN;
      this.at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  place(): Place {
    return { offset: this.number(), size: this.number() };
  }
}

// CRC-32C, eight bytes a step; node has only the other CRC-32.

const TABLE = new Uint32Array(8 * 256);
for (let byte = 0; byte < 256; byte += 1) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  TABLE[byte] = sum;
}
for (let i = 256; i < TABLE.length; i += 1)
  TABLE[i] = (TABLE[i - 256]! >>> 8) ^ TABLE[TABLE[i - 256]! & 255]!;

/** CRC-32C of `bytes` from `from` until `until`. */
export function crc32c(bytes: Uint8Array, from: number, until: number): number {
  let sum = -1;
  let i = from;
  for (; i + 8 <= until; i += 8) {
    const low =
      sum ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    sum =
      TABLE[1792 + (low & 255)]! ^
      TABLE[1536 + ((low >>> 8) & 255)]! ^
      TABLE[1280 + ((low >>> 16) & 255)]! ^
      TABLE[1024 + (low >>> 24)]! ^
      TABLE[768 + bytes[i + 4]!]! ^
      TABLE[512 + bytes[i + 5]!]! ^
      TABLE[256 + bytes[i + 6]!]! ^
      TABLE[bytes[i + 7]!]!;
  }
  for (; i < until; i += 1) sum = TABLE[(sum ^ bytes[i]!) & 255]! ^ (sum >>> 8);
  return ~sum >>> 0;
}

/** The checksum stored at `at`, its mask (rotated by 15 bits, plus a constant) taken off. */
function storedSum(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rotated = (view.getUint32(at, true) - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
