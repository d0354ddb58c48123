/**
 * How the state of a stream lies in a store.
 *
 *   r!<stream>!<table>!<id>     a record
 *   r!space!!<number>           a page: records of one table of the space
 *
 * A large state is stored as pages: a hundred thousand keys take a second to read, and as many records
 * that nobody asks for another to decode. What has changed since counts instead of what the pages say;
 * a record that was removed has an empty value. The space alone has pages, as it is never let go of
 * once it is open: only then nothing of it is written while they are made.
 */
import { encode } from './codec.ts';
import { ClchatError } from '../errors.ts';
import { State, Undecoded, type Change } from './state.ts';
import { ordinal, prefixed, type Store, type StoreOperation } from './store.ts';
import { roomStream, type StreamName } from './stream.ts';

/** Bytes of a page, about. */
const PAGE_BYTES = 128 << 10;
/** Records by themselves from which on pages are made of them… */
const FOLD_AT = 2_048;
/** …and of how many in all they have to be one. */
const FOLD_SHARE = 8;

/** Records of streams that nobody asked for that are read over on the way to the next one. */
const MAX_STRAYS = 64;

const NO_BYTES = new Uint8Array();

/** Ids of records may hold any character; keys of the store may not. */
export function recordKey(stream: StreamName, table: string, id: string): string {
  return `${recordPrefix(stream)}${table}!${encodeURIComponent(id)}`;
}

/** Key of the mark that a stream is to be forgotten. */
export function forgetKey(stream: StreamName | ''): string {
  return `z!${stream}`;
}

function recordPrefix(stream: StreamName): string {
  return `r!${stream}!`;
}

function pageKey(number: number): string {
  return `${recordPrefix('space')}!${ordinal(number)}`;
}

/** What stores changes of a stream's state. */
export function changeOperations(stream: StreamName, changes: readonly Change[]): StoreOperation[] {
  return changes.flatMap(({ table, id, value }): StoreOperation[] => {
    const key = recordKey(stream, table, id);
    if (value !== undefined) return [{ type: 'put', key, value: encode(value) }];
    if (stream !== 'space') return [{ type: 'delete', key }];
    const removed: StoreOperation = { type: 'put', key, value: NO_BYTES };
    if (table !== 'room') return [removed];
    return [removed, { type: 'put', key: forgetKey(roomStream(id)), value: NO_BYTES }];
  });
}

/** What stores a whole state where there is none. */
export function stateOperations(
  stream: StreamName,
  records: readonly Change[],
  foldAt = FOLD_AT,
): StoreOperation[] {
  if (stream !== 'space' || records.length < foldAt) return changeOperations(stream, records);
  const tables = new Map<string, Map<string, Undecoded>>();
  for (const { table, id, value } of records) putIn(tables, table, id, encode(value));
  return pageOperations(tables);
}

/** What takes a whole state away. */
export async function clearOperations(store: Store, stream: StreamName): Promise<StoreOperation[]> {
  const operations: StoreOperation[] = [];
  for await (const [key] of store.entries(prefixed(recordPrefix(stream))))
    operations.push({ type: 'delete', key });
  return operations;
}

/**
 * Reads the state of the space; its records are decoded when they are asked for.
 * @param lanes its set hash
 * @throws DATA_CORRUPT
 */
export async function loadSpace(
  store: Store,
  lanes: Uint8Array | undefined,
  foldAt = FOLD_AT,
): Promise<State> {
  const tables: StoredTables = new Map();
  const prefix = recordPrefix('space');
  const keys: string[] = [];
  let pages = 0;
  for await (const [key, value] of store.entries(prefixed(prefix))) {
    keys.push(key);
    const [table, id] = splitRecordKey(key.slice(prefix.length));
    if (table === '') {
      pages++;
      readPage(value, tables);
    } else if (value.length === 0) tables.get(table)?.delete(id);
    else putIn(tables, table, id, value);
  }
  const size = [...tables.values()].reduce((sum, records) => sum + records.size, 0);
  const loose = keys.length - pages;
  // Before anything else is written: whoever opens the space does not have it yet.
  if (loose >= foldAt && loose * FOLD_SHARE >= size) await fold(store, keys, tables);
  return new State(lanes, tables);
}

/**
 * Reads the states of streams other than the space, in one go where they lie side by side: to begin
 * a reading costs as much as some hundred records.
 * @param heads with their set hashes
 * @throws DATA_CORRUPT
 */
export async function loadStates(
  store: Store,
  heads: ReadonlyMap<StreamName, { readonly lanes?: Uint8Array | undefined }>,
): Promise<Map<StreamName, State>> {
  const found = new Map<StreamName, StoredTables>();
  const names = [...heads.keys()].sort();
  const last = names.at(-1);
  for (let from = names[0]; from !== undefined && last !== undefined;) {
    const range = { from: recordPrefix(from), until: prefixed(recordPrefix(last)).until };
    from = undefined;
    let strays = 0;
    for await (const [key, value] of store.entries(range)) {
      const end = key.indexOf('!', 2);
      const name = key.slice(2, end) as StreamName;
      if (heads.has(name)) {
        strays = 0;
        let tables = found.get(name);
        if (tables === undefined) found.set(name, (tables = new Map() as StoredTables));
        putIn(tables, ...splitRecordKey(key.slice(end + 1)), value);
      } else if (++strays === MAX_STRAYS) {
        from = names.find((next) => next > name);
        break;
      }
    }
  }
  return new Map(names.map((name) => [name, new State(heads.get(name)?.lanes, found.get(name))]));
}

/** Makes pages of all records, in place of what is stored under `keys`. */
async function fold(store: Store, keys: readonly string[], tables: StoredTables): Promise<void> {
  const gone = keys.map((key): StoreOperation => ({ type: 'delete', key }));
  // If that cannot be written, whoever has something to write is told.
  await store.write([...gone, ...pageOperations(tables)], { sync: false }).catch(() => undefined);
}

type StoredTables = Map<string, Map<string, Undecoded>>;

function tableIn(tables: StoredTables, name: string): Map<string, Undecoded> {
  let table = tables.get(name);
  if (table === undefined) tables.set(name, (table = new Map<string, Undecoded>()));
  return table;
}

function putIn(tables: StoredTables, table: string, id: string, value: Uint8Array): void {
  tableIn(tables, table).set(id, new Undecoded(value, 0, value.length));
}

function splitRecordKey(key: string): [table: string, id: string] {
  const mark = key.indexOf('!');
  const id = key.slice(mark + 1);
  // Most need none of it, and there may be very many.
  return [key.slice(0, mark), id.includes('%') ? decodeURIComponent(id) : id];
}

// A page: length of the table's name (1 byte) and the name; then of each record the lengths of its id
// (2 bytes) and of its value (4), the id and the value.

const LENGTHS = 6;

function pageOperations(tables: StoredTables): StoreOperation[] {
  const pages: Uint8Array[] = [];
  for (const [name, records] of tables) {
    const heading = [Buffer.of(name.length), Buffer.from(name)];
    let parts: Uint8Array[] = [];
    let size = 0;
    for (const [id, { bytes, from, until }] of records) {
      const idBytes = Buffer.from(id);
      const lengths = Buffer.alloc(LENGTHS);
      lengths.writeUInt16BE(idBytes.length);
      lengths.writeUInt32BE(until - from, 2);
      parts.push(lengths, idBytes, bytes.subarray(from, until));
      size += LENGTHS + idBytes.length + until - from;
      if (size < PAGE_BYTES) continue;
      pages.push(Buffer.concat([...heading, ...parts]));
      [parts, size] = [[], 0];
    }
    if (parts.length > 0) pages.push(Buffer.concat([...heading, ...parts]));
  }
  return pages.map((value, n) => ({ type: 'put', key: pageKey(n), value }));
}

/** @throws DATA_CORRUPT */
function readPage(page: Uint8Array, tables: StoredTables): void {
  const bytes = Buffer.from(page.buffer, page.byteOffset, page.byteLength);
  try {
    let at = 1 + bytes.readUInt8();
    if (at >= bytes.length) throw new RangeError('a page without records');
    const table = tableIn(tables, bytes.toString('utf8', 1, at));
    while (at < bytes.length) {
      const from = at + LENGTHS + bytes.readUInt16BE(at);
      const until = from + bytes.readUInt32BE(at + 2);
      if (until > bytes.length) throw new RangeError('a record goes beyond its page');
      table.set(bytes.toString('utf8', at + LENGTHS, from), new Undecoded(page, from, until));
      at = until;
    }
  } catch (error) {
    throw new ClchatError('DATA_CORRUPT', undefined, { cause: error });
  }
}
