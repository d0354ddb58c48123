/** Indexes over the space stream that the server asks at every turn. */
import type { SpaceAction } from '../../crdt/bodies.ts';
import type { AccountId, EntryId, PublicKey, RoomId } from '../../crdt/keys.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { deviceOf, type DeviceRecord, type RoomRecord } from '../../crdt/records.ts';
import { isEncryptedRoom, isOpenMember, roomOf } from '../../crdt/rooms.ts';
import { mayRead } from '../../crdt/rules.ts';
import type { Batch } from '../../crdt/seal.ts';
import type { Reader, State } from '../../crdt/state.ts';
import { actionOf } from '../../crdt/bodies.ts';
import { membersOf } from '../../crdt/membership.ts';
import {
  accountStream,
  LOBBY,
  otherOf,
  placeOfStream,
  roomStream,
  type StreamName,
} from '../../crdt/stream.ts';

export class Directory {
  readonly #log: LogStore;
  readonly #space: State;
  /** Devices that are not revoked, by account. */
  readonly #devices = new Map<AccountId, Set<PublicKey>>();
  readonly #pairs = new Map<AccountId, Set<StreamName>>();
  /** How many rooms an account has. */
  readonly #rooms = new Map<AccountId, number>();
  /** Who is in open rooms. */
  readonly #members = new Map<RoomId, Set<AccountId>>();
  /** Contacts of the accounts that were asked about. */
  readonly #contacts = new Map<AccountId, Set<AccountId>>();
  #deviceCount = 0;

  private constructor(log: LogStore, space: State) {
    this.#log = log;
    this.#space = space;
  }

  /** Whether an entry has been sealed already: to ask for it again changes nothing. */
  isSealed(id: EntryId): boolean {
    const place = this.#log.find(id);
    return place !== undefined && this.#log.item(place.stream, place.position)?.type === 'entry';
  }

  static async open(log: LogStore): Promise<Directory> {
    const { state } = await log.open('space');
    const directory = new Directory(log, state);
    for (const [key] of state.entries<DeviceRecord>('device')) directory.#note(key as PublicKey);
    directory.#countRooms();
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

  /** Counts anew who has rooms, and who is in them. */
  #countRooms(): void {
    this.#rooms.clear();
    this.#members.clear();
    for (const [, room] of this.#space.entries<RoomRecord>('room')) this.#noteRoom(room);
    for (const [id] of this.#space.entries('member')) {
      const mark = id.indexOf(':');
      this.#noteMember(id.slice(0, mark) as RoomId, id.slice(mark + 1) as AccountId);
    }
  }

  #noteRoom({ owner }: RoomRecord): void {
    if (owner !== null) this.#rooms.set(owner, this.roomsOf(owner) + 1);
  }

  #noteMember(room: RoomId, account: AccountId): void {
    let members = this.#members.get(room);
    if (isOpenMember(this.#space, room, account)) {
      if (members === undefined) this.#members.set(room, (members = new Set()));
      members.add(account);
    } else members?.delete(account);
  }

  /** Brings the indexes up to date. */
  update(batch: Batch): void {
    const { stream, first } = batch.seal;
    if (first === 0) this.#notePair(stream);
    this.#noteContact(stream);
    if (stream !== 'space') return;
    for (const item of batch.items) {
      if (item.type !== 'entry') continue;
      this.#note(item.entry.device);
      const action = actionOf(item.entry, 'space') as SpaceAction | undefined;
      if (action !== undefined) this.#follow(action, item.entry);
    }
  }

  #follow(action: SpaceAction, { id, device }: Entry): void {
    switch (action.kind) {
      case 'revoke':
        this.#note(action.body.device);
        break;
      case 'removeuser':
        for (const key of this.devicesOf(action.body.account)) this.#note(key);
        this.#countRooms();
        break;
      case 'room': {
        const room = roomOf(this.#space, id.slice(0, 32) as RoomId);
        const account = deviceOf(this.#space, device)?.account;
        if (room !== undefined) this.#noteRoom(room);
        if (account !== undefined) this.#noteMember(id.slice(0, 32) as RoomId, account);
        break;
      }
      case 'removeroom':
      case 'owner':
        this.#countRooms();
        break;
      case 'join':
      case 'leave': {
        const account = deviceOf(this.#space, device)?.account;
        if (account !== undefined) this.#noteMember(action.body.room, account);
        break;
      }
      case 'expel':
        this.#noteMember(action.body.room, action.body.account);
        break;
      case 'ban':
        if (action.body.room !== undefined) this.#noteMember(action.body.room, action.body.account);
        break;
      default:
    }
  }

  #noteContact(stream: StreamName): void {
    const place = placeOfStream(stream);
    if (place.type !== 'pair') return;
    const isContact = this.#isContactIn(stream);
    for (const [one, other] of [
      [place.a, place.b],
      [place.b, place.a],
    ] as const) {
      if (isContact) this.#contacts.get(one)?.add(other);
      else this.#contacts.get(one)?.delete(other);
    }
  }

  #isContactIn(pair: StreamName): boolean {
    return this.#log.record(pair, 'contact', 'contact') !== undefined;
  }

  /** Contacts of an account, those too whom a block suspends. */
  contactsOf(account: AccountId): ReadonlySet<AccountId> {
    let contacts = this.#contacts.get(account);
    if (contacts === undefined) {
      contacts = new Set();
      for (const pair of this.#pairs.get(account) ?? []) {
        const other = otherOf(placeOfStream(pair), account);
        if (other !== undefined && this.#isContactIn(pair)) contacts.add(other);
      }
      this.#contacts.set(account, contacts);
    }
    return contacts;
  }

  devicesOf(account: AccountId): ReadonlySet<PublicKey> {
    return this.#devices.get(account) ?? new Set();
  }

  /** How many rooms an account has. */
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

  /** Whether what is said in a stream is for an account: of open rooms it has to be in them. */
  takesPart(account: AccountId, stream: StreamName): boolean {
    if (!this.mayRead(account, stream)) return false;
    const place = placeOfStream(stream);
    return (
      place.type !== 'room' ||
      isEncryptedRoom(this.#space, place.room) ||
      isOpenMember(this.#space, place.room, account)
    );
  }

  /** Whether a device is to get what is said in a stream. */
  isAudience(stream: StreamName, device: PublicKey): boolean {
    const record = deviceOf(this.#space, device);
    return record?.revoked === false && this.takesPart(record.account, stream);
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
        if (!isEncryptedRoom(this.#space, place.room))
          return place.room === LOBBY ? undefined : [...(this.#members.get(place.room) ?? [])];
        const state = this.#log.opened(stream)?.state;
        return state === undefined ? [] : membersOf(stream, state, this.#space);
      }
      case 'space':
        return undefined;
      default:
        return place satisfies never;
    }
  }
}
