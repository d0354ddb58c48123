/** Passwords of rooms: proved and registered like those of accounts, so that the server sees none. */
import type { RoomId } from '../../crdt/keys.ts';
import { lockOf, roomOf } from '../../crdt/rooms.ts';
import type { StoreOperation } from '../../crdt/store.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import type { Reply, Request } from '../exchange.ts';
import type { SESSION } from '../wire.ts';
import { mustBeIn, type Accounts, type Claimant } from './accounts.ts';
import type { Admission } from './admission.ts';
import type { Directory } from './directory.ts';
import { spend, type Guarded, type Passwords } from './passwords.ts';

export interface RoomLocksOptions {
  readonly directory: Directory;
  readonly accounts: Accounts;
  readonly passwords: Passwords;
  readonly admission: Admission;
  readonly write: (operations: readonly StoreOperation[]) => Promise<void>;
}

type Methods = typeof SESSION.methods;
type Asked<M extends keyof Methods> = Request<typeof SESSION, M>;
type Answer<M extends keyof Methods> = Promise<Reply<typeof SESSION, M>>;

/** What the registration of a room's password is for: one at a time on a connection. */
const PURPOSE = 'room';

const guarded = (room: RoomId): Guarded => `room ${room}`;

export class RoomLocks {
  readonly #options: RoomLocksOptions;

  constructor(options: RoomLocksOptions) {
    this.#options = options;
  }

  async lockStart(claimant: Claimant, { request }: Asked<'lockStart'>): Answer<'lockStart'> {
    mustBeIn(claimant);
    return { response: await this.#options.passwords.register(claimant, PURPOSE, request) };
  }

  /** Seals a new room that has a password, or another password of one. */
  async lock(claimant: Claimant, { entry: bytes, record }: Asked<'lock'>): Promise<void> {
    mustBeIn(claimant);
    const { registering } = claimant;
    const { accounts, admission, passwords, directory } = this.#options;
    const { entry, body } = accounts.entry(claimant, bytes, 'room', 'lock');
    if (directory.isSealed(entry.id)) return;
    const room = 'room' in body ? body.room : (entry.id.slice(0, 32) as RoomId);
    const { lock } = body;
    if ((lock?.password != null) !== (record !== null)) throw new ClchatError('BAD_ENTRY');
    const kept = this.#kept(claimant, room, record);
    await passwords.change(guarded(room), () =>
      accounts.seal(entry, bytes, [kept], admission.admit),
    );
    spend(claimant, registering);
  }

  #kept(claimant: Claimant, room: RoomId, record: Uint8Array | null): StoreOperation {
    const { passwords } = this.#options;
    return record === null
      ? passwords.forget(guarded(room))
      : passwords.keep(guarded(room), passwords.registered(claimant, PURPOSE, record));
  }

  /** Forgets the password of a room that is no more. */
  async forget(stream: StreamName): Promise<void> {
    const place = placeOfStream(stream);
    if (place.type !== 'room') return;
    const { passwords, write } = this.#options;
    const password = guarded(place.room);
    await passwords.change(password, () => write([passwords.forget(password)]));
  }

  /**
   * Begins to prove the password that opens a room.
   * @throws NO_SUCH_ROOM, LOCKED, DENIED (it has none that is of any use)
   */
  async roomStart(claimant: Claimant, { room, request }: Asked<'roomStart'>): Answer<'roomStart'> {
    mustBeIn(claimant);
    const { space } = this.#options.directory;
    if (roomOf(space, room) === undefined) throw new ClchatError('NO_SUCH_ROOM');
    const lock = lockOf(space, room);
    if (lock === undefined || !lock.password)
      throw new ClchatError('DENIED', 'That room is entered by invitation only.');
    if (lock.retired)
      throw new ClchatError(
        'DENIED',
        'The password of that room was given up when somebody was removed; a member has to let you in.',
      );
    if (this.#options.passwords.get(guarded(lock.holder)) === undefined)
      throw new ClchatError(
        'DENIED',
        'The password of that room was set after the backup from which this server was restored; its owner has to set it again ("updateroom … --password").',
      );
    return {
      response: await this.#options.passwords.start(claimant, guarded(lock.holder), request),
    };
  }

  async roomFinish(claimant: Claimant, { finish }: Asked<'roomFinish'>): Promise<void> {
    mustBeIn(claimant);
    const proved = await this.#options.passwords.finish(claimant, finish);
    if (!proved.startsWith('room ')) throw new ClchatError('BAD_PASSWORD');
  }
}
