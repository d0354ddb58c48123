/**
 * Locks of encrypted rooms: made, with a password or without, and opened by it. The server keeps what
 * proves a password and never sees one.
 */
import type { LockKeys } from '../../crdt/bodies.ts';
import { encodeEntry, type Entry } from '../../crdt/entry.ts';
import { Keyring, passwordKey, wrapForPassword } from '../../crdt/keyring.ts';
import type { RandomBytes, RoomId, SealingKey } from '../../crdt/keys.ts';
import { proveChange } from '../../crdt/membership.ts';
import { may } from '../../crdt/rights.ts';
import { lockKeyOf, lockOf, pathOf, roomOf, type Lock } from '../../crdt/rooms.ts';
import type { Reader } from '../../crdt/state.ts';
import { roomStream } from '../../crdt/stream.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import { until } from '../../lifecycle.ts';
import type { OpaqueClient } from '../opaque.ts';
import type { SpacePlace } from './auth.ts';
import type { Home } from './home.ts';
import type { Link } from './link.ts';
import { inTurn } from './space-turn.ts';

export interface RoomLocksOptions {
  readonly home: () => Home;
  /** @throws NETWORK, NOT_LOGGED_IN */
  readonly link: () => Link;
  readonly opaque: OpaqueClient;
  readonly random: RandomBytes;
  /** Signs an entry of the space stream outside the outbox. */
  readonly sign: (link: Link, kind: string, body: unknown, place: SpacePlace) => Entry;
  /** Has an entry of the space sealed by the outbox. @returns the id of what it makes */
  readonly make: (kind: string, body: unknown) => Promise<RoomId>;
}

/** The body of an entry, with what a lock is to be in it. */
type WithLock = (password: LockKeys['password']) => object;

/** How long what the server knows of a lock may take to be known here, in milliseconds. */
const KNOWN_MS = 1_000;
/** The same of a lock that was changed just now, while the network may falter. */
const ARRIVAL_MS = 10_000;

export class RoomLocks {
  readonly #options: RoomLocksOptions;

  constructor(options: RoomLocksOptions) {
    this.#options = options;
  }

  get #space(): Reader {
    return this.#options.home().space;
  }

  /**
   * Makes a room with its first lock.
   * @param password none: members alone let others in
   * @throws as the server refuses, NETWORK
   */
  async makeRoom(room: object, password: string | undefined): Promise<RoomId> {
    const { home, make, random } = this.#options;
    const keyring = Keyring.create(1, random);
    const body: WithLock = (keys) => ({
      ...room,
      lock: { keyring: keyring.public, password: keys },
    });
    if (password === undefined) {
      const id = await make('room', body(null));
      home().locks.note(id, { keyring, password: undefined });
      return id;
    }
    const { id, key } = await this.#register('room', keyring, password, body);
    home().locks.note(id, { keyring, password: key });
    return id;
  }

  /** Whether this account may give a room another lock; of others' rooms only whoever is in them. */
  async mayChange(room: RoomId): Promise<boolean> {
    const { account } = this.#options.home();
    if (roomOf(this.#space, room)?.owner === account) return true;
    return may(this.#space, account, 'renameRoom') && (await this.#present(room)) !== undefined;
  }

  /** The present lock of a room, as those who are in it know it. */
  async #present(room: RoomId): Promise<Keyring | undefined> {
    const { replica, lockKnown, account } = this.#options.home();
    const lock = roomOf(this.#space, room)?.lock;
    if (lock === undefined || lock.retired) return undefined;
    const { state } = await replica.log.open(roomStream(room));
    if (state.get('member', account) !== true) return undefined;
    return lockKnown(room, lock.generation);
  }

  /**
   * Gives a room another lock.
   * @throws DENIED (another's, in which this account is not), as the server refuses, NETWORK
   */
  async change(room: RoomId, password: string | undefined): Promise<void> {
    const { replica, account } = this.#options.home();
    const isOwn = roomOf(this.#space, room)?.owner === account;
    const present = isOwn ? undefined : await this.#present(room);
    if (!isOwn && roomOf(this.#space, room)?.private === true && present === undefined)
      throw new ClchatError('DENIED', 'The password of that room is set by its owner, or in it.');
    const proof = present && proveChange(present, replica.server, room, account);
    let generation = (roomOf(this.#space, room)?.lock?.generation ?? 0) + 1;
    while (lockKeyOf(this.#space, room, generation) !== undefined) generation++;
    const keyring = Keyring.create(generation, this.#options.random);
    const body: WithLock = (keys) => ({
      room,
      lock: { keyring: keyring.public, password: keys },
      ...(proof === undefined ? {} : { proof }),
    });
    const { key } = await this.#register('lock', keyring, password, body);
    this.#options.home().locks.note(room, { keyring, password: key });
  }

  /** Seals a lock with the room it is for, its password registered where there is one. */
  #register(
    kind: 'room' | 'lock',
    keyring: Keyring,
    password: string | undefined,
    withLock: WithLock,
  ): Promise<{ id: RoomId; key: SealingKey | undefined }> {
    const { random, sign, home } = this.#options;
    const link = this.#options.link();
    return inTurn(home(), async (place) => {
      const registered = password === undefined ? undefined : await this.#record(link, password);
      const { record = null, exportKey } = registered ?? {};
      const keys = exportKey === undefined ? null : wrapForPassword(keyring, exportKey, random);
      const entry = sign(link, kind, withLock(keys), place);
      await link.session.call('lock', { entry: encodeEntry(entry), record });
      const id = entry.id.slice(0, 32) as RoomId;
      return { id, key: exportKey === undefined ? undefined : passwordKey(exportKey) };
    });
  }

  async #record(
    link: Link,
    password: string,
  ): Promise<{ record: Uint8Array; exportKey: Uint8Array }> {
    const { opaque } = this.#options;
    const { request, state } = await opaque.registerStart({ password });
    const { response } = await link.session.call('lockStart', { request });
    return opaque.registerFinish({ password, state, response, server: link.server });
  }

  /**
   * The secret of the lock that opens a room: as those in the room above know it, or by its password.
   * @throws BAD_PASSWORD, LOCKED, DENIED (it has none), NETWORK
   */
  async open(lock: Lock, room: RoomId, password: string | undefined): Promise<Keyring> {
    return (await this.#known(lock, room, password)) ?? this.#prove(lock, room, password);
  }

  async #known(
    { holder, generation, password }: Lock,
    room: RoomId,
    given: string | undefined,
  ): Promise<Keyring | undefined> {
    // Whoever has left a room comes back by its password, though the secret may be known here still.
    if (holder === room) return undefined;
    const { replica, lockKnown } = this.#options.home();
    await replica.log.open(roomStream(holder));
    const look = (): Keyring | undefined => lockKnown(holder, generation);
    // To whoever has just been let in it is about to be told.
    if (!password || given === undefined) await until(KNOWN_MS, () => look() !== undefined);
    return look();
  }

  /** Proves the password to the server, and opens the lock with it. */
  async #prove(
    { holder, password: hasPassword }: Lock,
    room: RoomId,
    password: string | undefined,
  ): Promise<Keyring> {
    if (!hasPassword) throw new ClchatError('DENIED', 'A member has to let you in ("admit").');
    const path = pathOf(this.#space, holder) ?? '';
    if (password === undefined)
      throw new ClchatError('BAD_PASSWORD', `The room "${path}" has a password.`);
    const { opaque, home } = this.#options;
    const { session, server } = this.#options.link();
    const { request, state } = await opaque.loginStart({ password });
    const { response } = await session
      .call('roomStart', { room, request })
      .catch((error: unknown) => {
        if (!hasCode(error, 'LOCKED')) throw error;
        const text = `The room "${path}" is locked after three wrong passwords. Try again later.`;
        throw new ClchatError('LOCKED', text, { cause: error });
      });
    const finished = await opaque.loginFinish({ password, state, response, server });
    if (finished === undefined) {
      const { lockedSeconds } = await session.call('loginFailed', {});
      const locked = lockedSeconds > 0 ? ` It is locked for ${lockedSeconds} seconds.` : '';
      throw new ClchatError('BAD_PASSWORD', `Wrong password for the room "${path}".${locked}`);
    }
    await session.call('roomFinish', { finish: finished.finish });
    const key = passwordKey(finished.exportKey);
    const look = (): Keyring | undefined => this.#openBy(key, room);
    // The server may have another password already than is known of here.
    await until(ARRIVAL_MS, () => look() !== undefined);
    const keyring = look();
    if (keyring === undefined)
      throw new ClchatError('TIMEOUT', 'The lock of that room has not come here yet. Try again.');
    home().locks.note(holder, { keyring, password: key });
    return keyring;
  }

  #openBy(key: SealingKey, room: RoomId): Keyring | undefined {
    const lock = lockOf(this.#space, room);
    const record = lock && lockKeyOf(this.#space, lock.holder, lock.generation);
    const secret = record?.password == null ? undefined : key.open(record.password.wrap);
    return lock === undefined || secret === undefined
      ? undefined
      : new Keyring(lock.generation, secret);
  }
}
