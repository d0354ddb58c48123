/**
 * The state of a stream: records in tables. The rules turn entries into changes of records; the
 * hash of all records stands in every seal, so that a snapshot can be checked by any replica.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { sha256, utf8 } from './bytes.ts';
import { encode, stored } from './codec.ts';
import { ClchatError } from '../errors.ts';

/** What may be read of a state. */
export interface Reader {
  get<T>(table: string, id: string): T | undefined;
  entries<T>(table: string): IterableIterator<[id: string, value: T]>;
  /** Records of a table that belong to a room, or to an account: see `OWNERS`. Not a scan of the table. */
  of<T>(table: string, owner: string): IterableIterator<[id: string, value: T]>;
  /** Another number after every change of the table, and another for every state; 0: never written. */
  stamp(table: string): number;
}

export interface Change {
  readonly table: string;
  readonly id: string;
  /** Plain CBOR data; undefined removes the record. */
  readonly value: unknown;
}

/**
 * A hash of a set of records that can be brought up to date record by record: the sum, lane by lane,
 * of a long hash of each (LtHash with 1,024 lanes of 16 bits).
 */
export class SetHash {
  readonly #lanes: Uint16Array;

  constructor(lanes?: Uint8Array) {
    this.#lanes = new Uint16Array(1024);
    if (lanes !== undefined) this.bytes.set(lanes);
  }

  /** The lanes as stored (2,048 bytes). */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#lanes.buffer);
  }

  copy(): SetHash {
    return new SetHash(this.bytes);
  }

  add(record: Uint8Array): void {
    const lanes = expand(record);
    for (let i = 0; i < 1024; i++) this.#lanes[i]! += lanes[i]!;
  }

  remove(record: Uint8Array): void {
    const lanes = expand(record);
    for (let i = 0; i < 1024; i++) this.#lanes[i]! -= lanes[i]!;
  }

  /** 32 bytes. */
  digest(): Uint8Array {
    return sha256(utf8('clchat state v1\0'), this.bytes);
  }
}

function expand(record: Uint8Array): Uint16Array {
  const bytes = createHash('shake256', { outputLength: 2048 }).update(record).digest();
  // A digest of this size has an array buffer of its own, but nothing promises it.
  return bytes.byteOffset % 2 === 0
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, 1024)
    : new Uint16Array(Uint8Array.from(bytes).buffer);
}

export function encodeRecord(table: string, id: string, value: unknown): Uint8Array {
  return encode([table, id, value]);
}

/** What stands before the first colon of an id, all of it where there is none. */
function prefixOf(id: string): string {
  const colon = id.indexOf(':');
  return colon < 0 ? id : id.slice(0, colon);
}

/** To what the records of some tables belong: there may be many, and few of each. */
const OWNERS: Readonly<Record<string, (id: string, value: unknown) => string>> = {
  member: prefixOf,
  ban: prefixOf,
  suppress: prefixOf,
  lock: prefixOf,
  owned: prefixOf,
  device: (_id, value) => (value as { readonly account: string }).account,
};

/** How the records of a table tell to what they belong. @throws INTERNAL where they do not */
function ownerIn(table: string): (id: string, value: unknown) => string {
  const owner = OWNERS[table];
  if (owner === undefined) throw new ClchatError('INTERNAL', `"${table}" has no owners`);
  return owner;
}

/** A record as it is stored, between two places in some bytes. */
export class Undecoded {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly until: number;

  constructor(bytes: Uint8Array, from: number, until: number) {
    this.bytes = bytes;
    this.from = from;
    this.until = until;
  }

  /** @throws DATA_CORRUPT */
  decode(): unknown {
    return stored(v.unknown(), this.bytes.subarray(this.from, this.until));
  }
}

/** Records by table and id. */
type Tables = Map<string, Map<string, unknown>>;

let lastStamp = 0;

export class State implements Reader {
  /** Those that are `Undecoded` become what they are when they are first asked for. */
  readonly #tables: Tables;
  readonly #stamps = new Map<string, number>();
  /** Ids by table and owner, of tables of which that has been asked. */
  readonly #owned = new Map<string, Map<string, Set<string>>>();
  #hash: SetHash;
  /** Records changed since the hash was last brought up to date, with the value hashed then. */
  readonly #dirty = new Map<string, { table: string; id: string; before: unknown }>();

  /**
   * @param lanes the stored set hash of the records
   * @param tables the stored records, which become this state's own; where absent they are loaded
   */
  constructor(lanes?: Uint8Array, tables: Map<string, Map<string, Undecoded>> = new Map()) {
    this.#hash = new SetHash(lanes);
    this.#tables = tables;
    for (const table of tables.keys()) this.#stamps.set(table, ++lastStamp);
  }

  get<T>(table: string, id: string): T | undefined {
    const records = this.#tables.get(table);
    return records === undefined ? undefined : (valueIn(records, id, records.get(id)) as T);
  }

  *entries<T>(table: string): IterableIterator<[string, T]> {
    const records = this.#tables.get(table);
    if (records === undefined) return;
    for (const [id, value] of records) yield [id, valueIn(records, id, value) as T];
  }

  *of<T>(table: string, owner: string): IterableIterator<[string, T]> {
    const ids = this.#idsByOwner(table).get(owner);
    if (ids !== undefined) for (const id of ids) yield [id, this.get<T>(table, id) as T];
  }

  #idsByOwner(table: string): Map<string, Set<string>> {
    const known = this.#owned.get(table);
    if (known !== undefined) return known;
    const ids = new Map<string, Set<string>>();
    const ownerOf = ownerIn(table);
    for (const [id, value] of this.entries(table)) addTo(ids, ownerOf(id, value), id);
    this.#owned.set(table, ids);
    return ids;
  }

  stamp(table: string): number {
    return this.#stamps.get(table) ?? 0;
  }

  *records(): IterableIterator<Change> {
    for (const table of this.#tables.keys())
      for (const [id, value] of this.entries(table)) yield { table, id, value };
  }

  /** Puts a record that the hash already covers: loading from the store. */
  load(table: string, id: string, value: unknown): void {
    this.#put(table, id, value);
  }

  apply(changes: readonly Change[]): void {
    for (const { table, id, value } of changes) {
      const key = `${table}!${id}`;
      if (!this.#dirty.has(key)) this.#dirty.set(key, { table, id, before: this.get(table, id) });
      this.#put(table, id, value);
    }
  }

  #put(table: string, id: string, value: unknown): void {
    let records = this.#tables.get(table);
    if (records === undefined) this.#tables.set(table, (records = new Map<string, unknown>()));
    const owned = this.#owned.get(table);
    if (owned !== undefined) {
      const ownerOf = ownerIn(table);
      const before = this.get(table, id);
      if (before !== undefined) removeFrom(owned, ownerOf(id, before), id);
      if (value !== undefined) addTo(owned, ownerOf(id, value), id);
    }
    if (value === undefined) records.delete(id);
    else records.set(id, value);
    this.#stamps.set(table, ++lastStamp);
  }

  /** Brings the hash up to date: 8 µs for each record put or removed since the last time. */
  hash(): Uint8Array {
    for (const { table, id, before } of this.#dirty.values())
      replaceRecord(this.#hash, table, id, before, this.get(table, id));
    this.#dirty.clear();
    return this.#hash.digest();
  }

  /** What the hash will be once `changes` are adopted. */
  preview(changes: readonly Change[]): SetHash {
    this.hash();
    const hash = this.#hash.copy();
    for (const { table, id, value } of changes)
      replaceRecord(hash, table, id, this.get(table, id), value);
    return hash;
  }

  /** Makes the changes with the hash that `preview` gave for them. */
  adopt(changes: readonly Change[], hash: SetHash): void {
    for (const { table, id, value } of changes) this.#put(table, id, value);
    this.#hash = hash;
  }

  /** Hashes all records from scratch, where the stored lanes are not at hand. */
  rehash(): Uint8Array {
    this.#hash = new SetHash();
    this.#dirty.clear();
    for (const { table, id, value } of this.records())
      this.#hash.add(encodeRecord(table, id, value));
    return this.#hash.digest();
  }
}

/** A record, decoded from now on. */
function valueIn(records: Map<string, unknown>, id: string, value: unknown): unknown {
  if (!(value instanceof Undecoded)) return value;
  const decoded = value.decode();
  records.set(id, decoded);
  return decoded;
}

function addTo(ids: Map<string, Set<string>>, owner: string, id: string): void {
  const known = ids.get(owner);
  if (known === undefined) ids.set(owner, new Set([id]));
  else known.add(id);
}

function removeFrom(ids: Map<string, Set<string>>, owner: string, id: string): void {
  const known = ids.get(owner);
  known?.delete(id);
  if (known?.size === 0) ids.delete(owner);
}

function replaceRecord(
  hash: SetHash,
  table: string,
  id: string,
  before: unknown,
  after: unknown,
): void {
  if (before !== undefined) hash.remove(encodeRecord(table, id, before));
  if (after !== undefined) hash.add(encodeRecord(table, id, after));
}

/** Changes on top of a state, to be kept or dropped as a whole. */
export class Overlay implements Reader {
  readonly #base: Reader;
  readonly #changes = new Map<string, Map<string, unknown>>();
  readonly #stamps = new Map<string, number>();

  constructor(base: Reader) {
    this.#base = base;
  }

  get<T>(table: string, id: string): T | undefined {
    const records = this.#changes.get(table);
    return records?.has(id) === true
      ? (records.get(id) as T | undefined)
      : this.#base.get<T>(table, id);
  }

  *entries<T>(table: string): IterableIterator<[string, T]> {
    const changed = this.#changes.get(table);
    for (const pair of this.#base.entries<T>(table)) if (changed?.has(pair[0]) !== true) yield pair;
    if (changed !== undefined)
      for (const [id, value] of changed) if (value !== undefined) yield [id, value as T];
  }

  *of<T>(table: string, owner: string): IterableIterator<[string, T]> {
    const changed = this.#changes.get(table);
    for (const pair of this.#base.of<T>(table, owner))
      if (changed?.has(pair[0]) !== true) yield pair;
    if (changed === undefined) return;
    const ownerOf = ownerIn(table);
    for (const [id, value] of changed)
      if (value !== undefined && ownerOf(id, value) === owner) yield [id, value as T];
  }

  apply(changes: readonly Change[]): void {
    for (const { table, id, value } of changes) {
      let records = this.#changes.get(table);
      if (records === undefined) this.#changes.set(table, (records = new Map<string, unknown>()));
      records.set(id, value);
      this.#stamps.set(table, ++lastStamp);
    }
  }

  stamp(table: string): number {
    return this.#stamps.get(table) ?? this.#base.stamp(table);
  }

  /** The net changes, one a record. */
  changes(): Change[] {
    const all: Change[] = [];
    for (const [table, records] of this.#changes)
      for (const [id, value] of records) all.push({ table, id, value });
    return all;
  }
}
