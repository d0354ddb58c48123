/** Indexes over the space stream that the server asks at every turn. */
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { deviceOf, type DeviceRecord, type RoomRecord } from '../../crdt/records.ts';
import { mayRead } from '../../crdt/rules.ts';
import type { Batch } from '../../crdt/seal.ts';
import type { Reader, State } from '../../crdt/state.ts';
import { actionOf } from '../../crdt/bodies.ts';
import { membersOf } from '../../crdt/conversation.ts';
import { accountStream, placeOfStream, roomStream, type StreamName } from '../../crdt/stream.ts';

export class Directory {
  readonly #log: LogStore;
  readonly #space: State;
  /** Devices that are not revoked, by account. */
  readonly #devices = new Map<AccountId, Set<PublicKey>>();
  readonly #pairs = new Map<AccountId, Set<StreamName>>();
  /** How many rooms an account has made. */
  readonly #rooms = new Map<AccountId, number>();
  #deviceCount = 0;

  private constructor(log: LogStore, space: State) {
    this.#log = log;
    this.#space = space;
  }

  static async open(log: LogStore): Promise<Directory> {
    const { state } = await log.open('space');
    const directory = new Directory(log, state);
    for (const [key] of state.entries<DeviceRecord>('device')) directory.#note(key as PublicKey);
    for (const [, room] of state.entries<RoomRecord>('room')) directory.#noteRoom(room);
    for (const name of await log.names()) directory.#notePair(name);
    return directory;
  }

  get space(): Reader {
    return this.#space;
  }

  #note(key: PublicKey): void {
    const record = deviceOf(this.#space, key);
    if (record === undefined) return;
    let devices = this.#devices.get(record.account);
    if (devices === undefined) this.#devices.set(record.account, (devices = new Set()));
    const had = devices.has(key);
    if (record.revoked) devices.delete(key);
    else devices.add(key);
    if (had !== devices.has(key)) this.#deviceCount += had ? -1 : 1;
  }

  #notePair(stream: StreamName): void {
    const place = placeOfStream(stream);
    if (place.type !== 'pair') return;
    for (const account of [place.a, place.b]) {
      let pairs = this.#pairs.get(account);
      if (pairs === undefined) this.#pairs.set(account, (pairs = new Set()));
      pairs.add(stream);
    }
  }

  #noteRoom({ owner }: RoomRecord): void {
    if (owner !== null) this.#rooms.set(owner, this.roomsOf(owner) + 1);
  }

  /** Brings the indexes up to date. */
  update(batch: Batch): void {
    const { stream, first } = batch.seal;
    if (first === 0) this.#notePair(stream);
    if (stream !== 'space') return;
    for (const item of batch.items) {
      if (item.type !== 'entry') continue;
      const { entry } = item;
      this.#note(entry.device);
      const action = actionOf(entry, 'space');
      if (action?.kind === 'revoke') this.#note(action.body.device);
      if (action?.kind !== 'room') continue;
      const room = this.#space.get<RoomRecord>('room', entry.id.slice(0, 32));
      if (room !== undefined) this.#noteRoom(room);
    }
  }

  devicesOf(account: AccountId): ReadonlySet<PublicKey> {
    return this.#devices.get(account) ?? new Set();
  }

  /** How many rooms an account has made. */
  roomsOf(account: AccountId): number {
    return this.#rooms.get(account) ?? 0;
  }

  mayRead(account: AccountId, stream: StreamName): boolean {
    const state = {
      get: <T>(table: string, id: string): T | undefined => this.#log.record<T>(stream, table, id),
    };
    return mayRead(this.#space, stream, state, account);
  }

  /** Streams that an account may read and that have something in them, in no order. */
  streamsOf(account: AccountId): StreamName[] {
    const rooms = [...this.#space.entries<RoomRecord>('room')].map(([id]) => roomStream(id));
    return [
      'space' as const,
      accountStream(account),
      ...rooms,
      ...(this.#pairs.get(account) ?? []),
    ].filter((stream) => this.mayRead(account, stream) && this.#log.headOf(stream).length > 0);
  }

  /** How many devices are to get what is said in an open stream, the author's own not counted. */
  audienceSize(stream: StreamName): number {
    const accounts = this.#audience(stream);
    if (accounts === undefined) return this.#deviceCount - 1;
    return accounts.reduce((sum, account) => sum + this.devicesOf(account).size, 0) - 1;
  }

  /** Whether a device is to get what is said in a stream. */
  isAudience(stream: StreamName, device: PublicKey): boolean {
    const record = deviceOf(this.#space, device);
    return record !== undefined && !record.revoked && this.mayRead(record.account, stream);
  }

  /** Accounts that a stream reaches; undefined: all. */
  #audience(stream: StreamName): AccountId[] | undefined {
    const place = placeOfStream(stream);
    switch (place.type) {
      case 'pair':
        return [place.a, place.b];
      case 'account':
        return [place.account];
      case 'room': {
        if (this.#space.get<RoomRecord>('room', place.room)?.private !== true) return undefined;
        const state = this.#log.opened(stream)?.state;
        return state === undefined ? [] : membersOf(stream, state);
      }
      case 'space':
        return undefined;
      default:
        return place satisfies never;
    }
  }
}
