/**
 * Keys of epochs: which of them this device can open, by the keyring of its account, by the password
 * of a room, or by an epoch that leads to them.
 */
import { BODIES } from './bodies.ts';
import { parse } from './codec.ts';
import type { Entry } from './entry.ts';
import { derive, Keyring } from './keyring.ts';
import { openWith, type AccountId, type EntryId, type RoomId, type SealingKey } from './keys.ts';
import type { EpochRecord } from './records.ts';
import { lineOf, lockKeyOf } from './rooms.ts';
import type { Reader } from './state.ts';
import { placeOfStream, roomStream, type StreamName } from './stream.ts';

/**
 * Keys under which an epoch keeps the key of one before it, the secret of the room's lock, and the
 * key of an epoch of a room within.
 */
export const previousKey = (epochKey: Uint8Array): Uint8Array => derive('epoch previous', epochKey);
export const lockKey = (epochKey: Uint8Array): Uint8Array => derive('epoch lock', epochKey);
export const withinKey = (epochKey: Uint8Array): Uint8Array => derive('epoch within', epochKey);

/** A lock as somebody knows it who has proved its password, or made it. */
export interface ProvedLock {
  readonly keyring: Keyring;
  /** What only the password yields; undefined where the lock has none, or it was not given here. */
  readonly password: SealingKey | undefined;
}

export interface EpochKeysOptions {
  readonly account: AccountId;
  /** The keyring of a generation, where this device has it. */
  readonly keyring: (generation: number) => Keyring | undefined;
  readonly space: () => Reader;
  /** A generation of a room's lock, where its password has been proved here. */
  readonly provedLock: (holder: RoomId, generation: number) => ProvedLock | undefined;
  /** State of a stream that is in memory. */
  readonly opened: (stream: StreamName) => Reader | undefined;
  /** An epoch that own entries on their way need and no state has any more. */
  readonly keptEpoch: (epoch: EntryId) => EpochRecord | undefined;
}

/** Most epoch keys kept in memory; further ones are opened again when needed. */
const KEYS_LIMIT = 10_000;

export class EpochKeys {
  readonly #options: EpochKeysOptions;
  readonly #keys = new Map<EntryId, Uint8Array>();
  /** Epochs this device opened and no seal has yet: by stream, with the members they reach. */
  readonly #opened = new Map<StreamName, { id: EntryId; record: EpochRecord }>();
  /** Until which change of its epochs a stream has been walked back; see `#walk`. */
  readonly #walked = new Map<StreamName, number>();

  constructor(options: EpochKeysOptions) {
    this.#options = options;
  }

  /** Remembers an epoch that waits in the outbox. */
  noteOpened(entry: Entry): void {
    if (entry.body === undefined) return;
    const record: EpochRecord = parse(
      BODIES[placeOfStream(entry.stream).type === 'pair' ? 'pair' : 'room'].epoch,
      entry.body,
    );
    this.#opened.set(entry.stream, { id: entry.id, record });
  }

  forgetOpened(stream: StreamName): void {
    this.#opened.delete(stream);
  }

  /** The epoch of a stream that waits in the outbox. */
  openedHere(stream: StreamName): { id: EntryId; record: EpochRecord } | undefined {
    return this.#opened.get(stream);
  }

  /** A generation of the lock of a room, from its password or as the room's members know it. */
  lock(stream: StreamName, holder: RoomId, generation: number, state: Reader): Keyring | undefined {
    const proved = this.#options.provedLock(holder, generation);
    if (proved !== undefined) return proved.keyring;
    for (const [id, { lock }] of state.entries<EpochRecord>('epoch')) {
      if (lock?.holder !== holder || lock.generation !== generation || lock.secret === null)
        continue;
      const key = this.find(stream, id as EntryId, state);
      const secret = key === undefined ? undefined : openWith(lockKey(key), lock.secret);
      if (secret === undefined) continue;
      const keyring = new Keyring(generation, secret);
      // Whoever opened the epoch may have written anything.
      const known = lockKeyOf(this.#options.space(), holder, generation)?.keyring;
      if (known !== undefined && known.sign === keyring.public.sign) return keyring;
    }
    return undefined;
  }

  /** The key of an epoch that this device can open by itself, or has been told already. */
  keyOf(
    stream: StreamName,
    id: EntryId,
    { wraps, lock, above }: EpochRecord,
  ): Uint8Array | undefined {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const wrap = wraps.find(([account]) => account === this.#options.account);
    const key =
      (wrap === undefined ? undefined : this.#options.keyring(wrap[1])?.box.open(wrap[2])) ??
      this.#keyByLock(lock) ??
      this.#keyByAbove(stream, above);
    if (key !== undefined) this.#keep(id, key);
    return key;
  }

  #keyByLock(lock: EpochRecord['lock']): Uint8Array | undefined {
    if (lock === undefined || lock.box === null) return undefined;
    return this.#options.provedLock(lock.holder, lock.generation)?.password?.open(lock.box);
  }

  #keyByAbove(stream: StreamName, above: EpochRecord['above']): Uint8Array | undefined {
    const place = placeOfStream(stream);
    if (above === undefined || place.type !== 'room') return undefined;
    for (const { id } of lineOf(this.#options.space(), place.room).slice(1)) {
      const at = roomStream(id);
      const state = this.#options.opened(at);
      const known = state === undefined ? undefined : this.find(at, above.epoch, state);
      const key = known === undefined ? undefined : openWith(withinKey(known), above.box);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  #keep(id: EntryId, key: Uint8Array): void {
    if (this.#keys.size >= KEYS_LIMIT) {
      this.#keys.clear();
      this.#walked.clear();
    }
    this.#keys.set(id, key);
  }

  /** The key of an epoch, by itself or by those that came after it. */
  find(stream: StreamName, id: EntryId, state: Reader): Uint8Array | undefined {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const own = this.#opened.get(stream);
    const record =
      state.get<EpochRecord>('epoch', id) ??
      (own?.id === id ? own.record : this.#options.keptEpoch(id));
    if (record === undefined) return undefined;
    const key = this.keyOf(stream, id, record);
    if (key !== undefined) return key;
    this.#walk(stream, state);
    return this.#keys.get(id);
  }

  /** Opens epochs by those that came after them. */
  #walk(stream: StreamName, state: Reader): void {
    const stamp = state.stamp('epoch');
    if (this.#walked.get(stream) === stamp) return;
    for (const [id, record] of inOrder(state)) {
      // What this device can open itself it need not be told, perhaps wrongly.
      const unknown = (record.previous ?? []).filter(
        ({ epoch }) => this.#openItself(stream, epoch, state) === undefined,
      );
      const key = unknown.length === 0 ? undefined : this.keyOf(stream, id, record);
      if (key === undefined) continue;
      for (const { epoch, box } of unknown) {
        const before = openWith(previousKey(key), box);
        if (before !== undefined) this.#keep(epoch, before);
      }
    }
    this.#walked.set(stream, stamp);
  }

  #openItself(stream: StreamName, id: EntryId, state: Reader): Uint8Array | undefined {
    const record = state.get<EpochRecord>('epoch', id);
    return record === undefined ? this.#keys.get(id) : this.keyOf(stream, id, record);
  }

  /** A lock has been opened here, and with it epochs that could not be. */
  forgetUnreadable(): void {
    this.#walked.clear();
  }
}

/** The epochs of a stream, the newest first. */
export function inOrder(state: Reader): [EntryId, EpochRecord][] {
  const epochs = [...state.entries<EpochRecord>('epoch')] as [EntryId, EpochRecord][];
  return epochs.sort(([, a], [, b]) => b.number - a.number);
}
