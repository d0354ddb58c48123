/**
 * Passwords that the server keeps records of, of accounts and of rooms: proving one, and registering
 * another, by OPAQUE. The server never sees a password, and a wrong one shows on the client only; so
 * every start counts as a failure until it is validly finished.
 */
import * as v from 'valibot';
import { actionOf, type SpaceAction } from '../../crdt/bodies.ts';
import { toHex } from '../../crdt/bytes.ts';
import { authorOf } from '../../crdt/content.ts';
import type { PublicKey, RandomBytes } from '../../crdt/keys.ts';
import { bytesUpTo } from '../../crdt/records.ts';
import type { Batch } from '../../crdt/seal.ts';
import type { Reader } from '../../crdt/state.ts';
import type { StoreOperation } from '../../crdt/store.ts';
import { ClchatError } from '../../errors.ts';
import { lockSchema, type Lockout } from '../lockout.ts';
import type { OpaqueServer } from '../opaque.ts';
import { KeyedTurns } from '../turns.ts';
import type { Vault } from '../vault.ts';

/** What a password opens: the account or the room of an id. */
export type Guarded = `password ${string}` | `room ${string}`;

const recordSchema = v.strictObject({
  /** The identifier the record is bound to; in old records the name at registration, folded. */
  user: v.pipe(v.string(), v.maxLength(256)),
  record: bytesUpTo(2048),
  lock: lockSchema,
});
export type PasswordRecord = v.InferOutput<typeof recordSchema>;

/** A password that is being registered. */
export interface Registration {
  /** What it is for, as its beginner said. */
  readonly purpose: string;
  /** The identifier the record will be bound to. */
  readonly user: string;
}

/** A password that is being proved: what for, what the server keeps of it, and its turn. */
export interface Attempt {
  readonly guarded: Guarded;
  /** The identifier of the record that it is proved by. */
  readonly user: string;
  readonly state: Uint8Array;
  readonly release: () => void;
}

/** Who proves and registers, on one connection. */
export interface Prover {
  readonly device: PublicKey;
  attempt: Attempt | undefined;
  registering: Registration | undefined;
}

export interface PasswordsOptions {
  readonly vault: Vault;
  readonly opaque: OpaqueServer;
  readonly lockout: Lockout;
  readonly random: RandomBytes;
  /** Durable once it resolves. */
  readonly write: (operations: readonly StoreOperation[]) => Promise<void>;
}

export class Passwords {
  readonly #options: PasswordsOptions;
  /** What is read of a record is still so when what follows from it is written. */
  readonly #turns = new KeyedTurns<Guarded>();

  constructor(options: PasswordsOptions) {
    this.#options = options;
  }

  get(guarded: Guarded): PasswordRecord | undefined {
    return this.#options.vault.get(guarded, recordSchema);
  }

  /** What keeps a record, for a batch of the caller's. */
  keep(guarded: Guarded, record: PasswordRecord): StoreOperation {
    return this.#options.vault.put(guarded, record);
  }

  /** Writes another record, or forgets it, while nothing else is written of it. */
  change<T>(guarded: Guarded, write: () => Promise<T>): Promise<T> {
    return this.#turns.run(guarded, write);
  }

  /** What forgets a record, for a batch of the caller's. */
  forget(guarded: Guarded): StoreOperation {
    return this.#options.vault.delete(guarded);
  }

  /**
   * What forgets those in whose place a batch of before the restart of a restored server put others: of
   * these there is no record, and the old ones open nothing any more.
   */
  replacedBy({ items }: Batch, space: Pick<Reader, 'get'>): StoreOperation[] {
    return items.flatMap((item) => {
      if (item.type !== 'entry' || item.entry.stream !== 'space') return [];
      const action = actionOf(item.entry, 'space') as SpaceAction | undefined;
      switch (action?.kind) {
        case 'password': {
          const account = authorOf(space, item.entry);
          return account === undefined ? [] : [this.forget(`password ${account}`)];
        }
        case 'recover':
          return [this.forget(`password ${action.body.account}`)];
        case 'lock':
          return [this.forget(`room ${action.body.room}`)];
        default:
          return [];
      }
    });
  }

  /**
   * Begins to prove a password, which there is.
   * @throws LOCKED, BAD_PASSWORD (there is none)
   */
  async start(prover: Prover, guarded: Guarded, request: Uint8Array): Promise<Uint8Array> {
    const { lockout, opaque, write } = this.#options;
    this.release(prover);
    const release = await lockout.turn(guarded);
    try {
      const { user, record } = await this.#turns.run(guarded, async () => {
        const known = this.get(guarded);
        if (known === undefined) throw new ClchatError('BAD_PASSWORD');
        const lock = lockout.begin(known.lock);
        await write([this.keep(guarded, { ...known, lock })]);
        return known;
      });
      const { response, state } = await opaque.loginResponse({
        user,
        record,
        request,
      });
      // Another may have been begun on the same connection meanwhile.
      this.release(prover);
      prover.attempt = { guarded, user, state, release };
      return response;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** @returns what has been proved @throws BAD_PASSWORD */
  async finish(prover: Prover, finish: Uint8Array): Promise<Guarded> {
    const { attempt } = prover;
    if (attempt === undefined) throw new ClchatError('BAD_PASSWORD');
    prover.attempt = undefined;
    const { guarded, user, state, release } = attempt;
    const { opaque, lockout, write } = this.#options;
    try {
      const isValid = await opaque.loginVerify({ state, finish });
      await this.#turns.run(guarded, async () => {
        const record = this.get(guarded);
        // What was proved is no password any more once there is another.
        if (!isValid || record?.user !== user) throw new ClchatError('BAD_PASSWORD');
        await write([this.keep(guarded, { ...record, lock: lockout.succeed() })]);
      });
      return guarded;
    } finally {
      release();
    }
  }

  /** The client gave up: it could not use the answer. The failure has been counted at the start. */
  failed(prover: Prover): { failures: number; lockedSeconds: number } {
    const guarded = prover.attempt?.guarded;
    this.release(prover);
    const record = guarded === undefined ? undefined : this.get(guarded);
    if (record === undefined) return { failures: 0, lockedSeconds: 0 };
    const { failures } = record.lock;
    return { failures, lockedSeconds: this.#options.lockout.remaining(record.lock) };
  }

  /** Lets the next attempt at the same begin. */
  release(prover: Prover): void {
    prover.attempt?.release();
    prover.attempt = undefined;
  }

  /**
   * Begins a registration. The identifier is a fresh one each time: the answer is what a login
   * attempt would give under the same identifier, and one that could be known beforehand would let
   * passwords be tried here that no lock counts.
   */
  async register(prover: Prover, purpose: string, request: Uint8Array): Promise<Uint8Array> {
    const { opaque, random } = this.#options;
    // Longer than any name, so that it is no old record's.
    const user = toHex(random(32));
    prover.registering = { purpose, user };
    return opaque.registerResponse({ user, request });
  }

  /** What is to be kept of a registration that was begun for a purpose. @throws BAD_ENTRY */
  registered(prover: Prover, purpose: string, record: Uint8Array): PasswordRecord {
    const { registering } = prover;
    if (registering?.purpose !== purpose) throw new ClchatError('BAD_ENTRY');
    return { user: registering.user, record, lock: this.#options.lockout.succeed() };
  }
}

/** A registration has been used up. One that was begun meanwhile is still good. */
export function spend(prover: Prover, registration: Registration | undefined): void {
  if (prover.registering === registration) prover.registering = undefined;
}
