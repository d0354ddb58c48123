/** Rooms as this device knows them, and the ways into them and out of them. */
import type { SpaceAction } from '../../crdt/bodies.ts';
import { codeKey, redeem } from '../../crdt/codes.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { AccountId, RoomId } from '../../crdt/keys.ts';
import { proveLock } from '../../crdt/membership.ts';
import { presentAccount, type HeadRecord, type RoomRecord } from '../../crdt/records.ts';
import { isEncryptedRoom, isOpenMember, lineOf, lockOf, pathOf, roomOf } from '../../crdt/rooms.ts';
import type { Reader } from '../../crdt/state.ts';
import { roomStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import { until } from '../../lifecycle.ts';
import { RoomLocks, type RoomLocksOptions } from './room-locks.ts';

export type RoomsOptions = Omit<RoomLocksOptions, 'make'>;

/** What a new room is to be. */
export type NewRoom = Omit<Extract<SpaceAction, { kind: 'room' }>['body'], 'lock'>;

/** How long what was sealed may take to come back here, in milliseconds. */
const ARRIVAL_MS = 10_000;
/** Key epochs that are opened until one wins its race. */
const EPOCHS = 5;

export class Rooms {
  readonly #options: RoomsOptions;

  readonly #locks: RoomLocks;

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.#locks = new RoomLocks({ ...options, make: (kind, body) => this.#make(kind, body) });
  }

  get #space(): Reader {
    return this.#options.home().space;
  }

  /** Whether an account, this one unless told otherwise, is in a room. */
  async isMember(
    room: RoomId,
    account: AccountId = this.#options.home().account,
  ): Promise<boolean> {
    const { replica, lost } = this.#options.home();
    if (!isEncryptedRoom(replica.space, room)) return isOpenMember(replica.space, room, account);
    const stream = roomStream(room);
    // Of a room in which one has never been there is nothing to be opened.
    if (lost.has(stream) || replica.log.headOf(stream).length === 0) return false;
    const { state } = await replica.log.open(stream);
    return state.get('member', account) === true;
  }

  /** Rooms in which this account is, the lobby left out. */
  async joined(): Promise<RoomId[]> {
    const rooms: RoomId[] = [];
    for (const [id, { lifetime }] of this.#space.entries<RoomRecord>('room'))
      if (lifetime !== 'builtin' && (await this.isMember(id as RoomId))) rooms.push(id as RoomId);
    return rooms;
  }

  /**
   * Who is in a room; undefined for the lobby, in which everybody is. Of an encrypted room only those
   * who are in it can tell: nobody, where this account is not.
   */
  async members(room: RoomId): Promise<readonly AccountId[] | undefined> {
    const { replica, audience } = this.#options.home();
    if (isEncryptedRoom(replica.space, room) && !(await this.isMember(room))) return [];
    return audience
      .members(room)
      ?.filter((account) => presentAccount(replica.space, account) !== undefined);
  }

  /**
   * Rooms that have to be come into, each by its own password or invitation, to be in a room: those
   * above it and itself, as far as an account is not in them, the uppermost first.
   */
  async barred(room: RoomId, account?: AccountId): Promise<RoomId[]> {
    const holders: RoomId[] = [];
    for (const { id, record } of lineOf(this.#space, room))
      if (record.private && !(await this.isMember(id, account))) holders.push(id);
    return holders.reverse();
  }

  /**
   * Makes a room and comes into it.
   * @throws as the server refuses, NETWORK
   */
  async create(room: NewRoom, password: string | undefined): Promise<RoomId> {
    const isSealed = room.private || password !== undefined;
    const id = isSealed
      ? await this.#locks.makeRoom({ ...room, private: true }, password)
      : await this.#make('room', room);
    if (roomOf(this.#space, id) === undefined) throw new ClchatError('TIMEOUT');
    if (isEncryptedRoom(this.#space, id)) await this.#comeIn(id, { by: { type: 'owner' } });
    return id;
  }

  /**
   * Gives a room another password, or none: then members alone let others in.
   * @throws as the server refuses, NETWORK
   */
  async setPassword(room: RoomId, password: string | undefined): Promise<void> {
    await this.#locks.change(room, password);
    if (await this.isMember(room)) await this.#renew(room);
  }

  /**
   * Comes into a room.
   * @param password of the room, or of the one whose lock opens it; where this account could come in
   *   without it, it is not looked at
   * @throws ALREADY, NO_SUCH_ROOM, BAD_PASSWORD, LOCKED, BANNED, NOT_MEMBER (of a room above it),
   *   DENIED (by invitation only), NETWORK
   */
  async join(room: RoomId, password: string | undefined): Promise<void> {
    const { replica, account } = this.#options.home();
    const record = roomOf(this.#space, room);
    if (record === undefined) throw new ClchatError('NO_SUCH_ROOM');
    if (!isEncryptedRoom(this.#space, room)) {
      await this.#submit('space', 'join', { room });
      return;
    }
    const [above] = await this.barred(room);
    if (above !== undefined && above !== room)
      throw new ClchatError(
        'NOT_MEMBER',
        `You are not in "${pathOf(this.#space, above) ?? ''}", where that room lies.`,
      );
    if (record.owner === account) return this.#comeIn(room, { by: { type: 'owner' } });
    const lock = lockOf(this.#space, room);
    if (lock === undefined || (lock.holder === room && !lock.password))
      throw new ClchatError('DENIED', 'That room is entered by invitation only.');
    if (lock.retired)
      throw new ClchatError(
        'DENIED',
        'The password of that room was given up when somebody was put out; a member has to let you in ("admit").',
      );
    const keyring = await this.#locks.open(lock, room, password);
    await this.#comeIn(room, proveLock(keyring, replica.server, room, account));
  }

  /** Comes into an encrypted room by a code that one of its members issued. @throws BAD_CODE */
  async joinByCode(room: RoomId, code: string): Promise<void> {
    const { replica } = this.#options.home();
    const stream = roomStream(room);
    const redemption = redeem(code, replica.server, replica.device, stream);
    await this.#comeIn(room, { by: { type: 'code', ...redemption } });
  }

  /**
   * Comes into a conference, of which the server says who may; who is a member already stays one.
   * @param length of its stream: as of there it shows who is
   * @throws DENIED, NETWORK, TIMEOUT
   */
  async joinByWord(room: RoomId, length: number): Promise<void> {
    const { replica } = this.#options.home();
    // The room may be so new that nothing is known of it yet.
    const hasCome = await until(ARRIVAL_MS, async () => {
      if (roomOf(this.#space, room) === undefined) return false;
      return replica.log.headOf(roomStream(room)).length >= length || !(await this.isMember(room));
    });
    if (!hasCome) throw new ClchatError('TIMEOUT');
    if (!(await this.isMember(room))) await this.#comeIn(room, { by: { type: 'word' } });
  }

  /** Submits what lets this account into an encrypted room, and makes it readable here. */
  async #comeIn(room: RoomId, body: unknown): Promise<void> {
    const stream = roomStream(room);
    await this.#submit(stream, 'join', body);
    this.#options.home().lost.delete(stream);
    await this.#renew(room);
  }

  /** Gives up being in a room. @throws NOT_MEMBER, NETWORK */
  async leave(room: RoomId): Promise<void> {
    if (isEncryptedRoom(this.#space, room)) await this.#submit(roomStream(room), 'leave', {});
    else await this.#submit('space', 'leave', { room });
  }

  /**
   * Puts somebody out of a room. What they knew opens nothing of what is said there from now on; where
   * that is its password, it is given up, and members let others in until there is another.
   * @throws NOT_MEMBER, DENIED, NETWORK
   */
  async putOut(room: RoomId, account: AccountId): Promise<void> {
    if (!isEncryptedRoom(this.#space, room)) {
      await this.#submit('space', 'expel', { room, account });
      return;
    }
    if (!(await this.isMember(room, account))) throw new ClchatError('NOT_MEMBER');
    await this.#changeLock(room);
    await this.#submit(roomStream(room), 'members', { add: [], remove: [account] });
    await this.#renew(room);
  }

  /** Somebody who knows the lock of a room is about to be put out. */
  async #changeLock(room: RoomId): Promise<void> {
    const lock = lockOf(this.#space, room);
    if (lock === undefined || lock.retired) return;
    if (lock.holder === room && !lock.password && (await this.#locks.mayChange(room)))
      await this.#locks.change(room, undefined);
    else await this.#submit('space', 'retire', { room });
  }

  /** Lets somebody into an encrypted room. @throws DENIED, NO_SUCH_USER, TOO_LARGE, NETWORK */
  async admit(room: RoomId, account: AccountId): Promise<void> {
    await this.#submit(roomStream(room), 'members', { add: [account], remove: [] });
    await this.#renew(room);
  }

  /**
   * Makes a code by which others come into an encrypted room.
   * @param expires milliseconds since 1970
   * @throws DENIED, NOT_MEMBER, NETWORK
   */
  async issueCode(room: RoomId, code: string, uses: number, expires: number): Promise<void> {
    const body = { verifier: codeKey(code).public, uses, expires };
    await this.#submit(roomStream(room), 'code', body);
  }

  /** Changes what a room is. @throws as the server refuses, NETWORK */
  async update(
    room: RoomId,
    changes: Omit<Extract<SpaceAction, { kind: 'updateroom' }>['body'], 'room'>,
  ): Promise<void> {
    await this.#submit('space', 'updateroom', { room, ...changes });
  }

  /** @throws NOT_OWNER, NO_SUCH_USER, NETWORK */
  async setOwner(room: RoomId, account: AccountId): Promise<void> {
    await this.#submit('space', 'owner', { room, account });
  }

  /** Ends a room and all that lie in it. @throws DENIED, NETWORK */
  async remove(room: RoomId): Promise<void> {
    await this.#submit('space', 'removeroom', { room });
  }

  /** Shuts somebody out of a room. @param until milliseconds since 1970; 0: for good */
  async ban(room: RoomId, account: AccountId, until: number): Promise<void> {
    await this.#submit('space', 'ban', { room, account, until });
  }

  async unban(room: RoomId, account: AccountId): Promise<void> {
    await this.#submit('space', 'unban', { room, account });
  }

  /**
   * Opens a key epoch that reaches exactly the members, and has it sealed: what was said before is
   * readable by it to all devices of this account, and whoever has gone reads no more.
   */
  async #renew(room: RoomId): Promise<void> {
    const { conversations, forgetUnreadable, replica } = this.#options.home();
    const stream = roomStream(room);
    forgetUnreadable();
    for (let attempt = 1; attempt <= EPOCHS; attempt++) {
      const epoch = await conversations.renew(stream);
      const isSealed = (): boolean => !replica.pending(stream).some(({ id }) => id === epoch);
      if (isSealed()) return;
      // One that loses a race is refused, and the next look opens another.
      if (!(await until(ARRIVAL_MS, isSealed))) return;
    }
  }

  /** @returns the id of what an entry of the space makes */
  async #make(kind: string, body: unknown): Promise<RoomId> {
    const { id } = await this.#submit('space', kind, body);
    return this.#options.home().conversations.latest(id).slice(0, 32) as RoomId;
  }

  /**
   * Has an entry sealed. Resolves when what it changes has come back here.
   * @throws as it is refused; NETWORK, TIMEOUT
   */
  async #submit(stream: StreamName, kind: string, body: unknown): Promise<Entry> {
    const { conversations, outbox } = this.#options.home();
    if (!outbox.attached)
      throw new ClchatError('NETWORK', 'The server is away: this is possible when it is back.');
    const entry = await conversations.act(stream, kind, body);
    const outcome = await outbox.answer(entry.id);
    if (outcome === 'queued')
      throw new ClchatError('NETWORK', 'The server has gone: this is done when it is back.');
    if (outcome !== 'held') throw new ClchatError(outcome);
    await this.#arrival(stream, entry.seq);
    return entry;
  }

  /** Waits until what this device has written in a stream is in its state. @throws TIMEOUT */
  async #arrival(stream: StreamName, seq: number): Promise<void> {
    const { replica } = this.#options.home();
    const hasCome = await until(ARRIVAL_MS, async () => {
      const { state } = await replica.log.open(stream);
      return (state.get<HeadRecord>('head', replica.device)?.seq ?? 0) >= seq;
    });
    if (!hasCome) throw new ClchatError('TIMEOUT');
  }
}
