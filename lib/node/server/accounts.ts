/**
 * Who may log in: passwords by OPAQUE, their records and locks in the vault. The server never sees
 * a password, and a wrong one shows on the client only; so every start counts as a failure until it
 * is validly finished.
 */
import * as v from 'valibot';
import { actionOf, type SpaceAction } from '../../crdt/bodies.ts';
import { equal } from '../../crdt/bytes.ts';
import { decodeEntry, verifyEntry, type Entry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import {
  accountOf,
  bytesUpTo,
  deviceOf,
  type AccountRecord,
  type KeyringRecord,
  type ResetRecord,
} from '../../crdt/records.ts';
import type { Sealer } from '../../crdt/sealer.ts';
import { accountNamed, codeVerifier } from '../../crdt/space.ts';
import type { Reader } from '../../crdt/state.ts';
import type { StoreOperation } from '../../crdt/store.ts';
import { ClchatError, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { fold } from '../../text.ts';
import type { Reply, Request } from '../exchange.ts';
import { lockSchema, type Lockout } from '../lockout.ts';
import type { OpaqueServer } from '../opaque.ts';
import type { Vault } from '../vault.ts';
import type { SESSION } from '../wire.ts';
import type { Directory } from './directory.ts';

/** How long a reset code can be redeemed, in seconds. */
export const RESET_SECONDS = 24 * 3600;

export interface AccountsOptions {
  readonly directory: Directory;
  readonly sealer: Sealer;
  readonly vault: Vault;
  readonly opaque: OpaqueServer;
  readonly clock: Clock;
  /** Durable once it resolves. */
  readonly write: (operations: readonly StoreOperation[]) => Promise<void>;
  readonly lockout: Lockout;
  readonly inviteOnly: boolean;
}

/** What a session has under way; see `Session`. */
export interface Claimant {
  readonly device: PublicKey;
  /** Logged in to it. */
  readonly account: AccountId | undefined;
  /** A password login begun: the account, what the server keeps of it, and its turn. */
  attempt: { account: AccountId; state: Uint8Array; release: () => void } | undefined;
  /** The account whose password has been proved on this connection. */
  proved: AccountId | undefined;
  /** The name for which a password is being registered. */
  registering: string | undefined;
}

const passwordSchema = v.strictObject({
  /** The identifier the record is bound to: the name at registration, folded. */
  user: v.pipe(v.string(), v.maxLength(256)),
  record: bytesUpTo(2048),
  lock: lockSchema,
});
type PasswordRecord = v.InferOutput<typeof passwordSchema>;

type BodyOf<K extends SpaceAction['kind']> = Extract<SpaceAction, { kind: K }>['body'];
type Methods = typeof SESSION.methods;
type Asked<M extends keyof Methods> = Request<typeof SESSION, M>;
type Answer<M extends keyof Methods> = Promise<Reply<typeof SESSION, M>>;

export class Accounts {
  readonly #options: AccountsOptions;

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  get #space(): Reader {
    return this.#options.directory.space;
  }

  #named(name: string): { id: AccountId; account: AccountRecord } {
    const id = accountNamed(this.#space, name);
    const account = id === undefined ? undefined : accountOf(this.#space, id);
    if (id === undefined || account === undefined) throw new ClchatError('NO_SUCH_USER');
    return { id, account };
  }

  #password(account: AccountId): PasswordRecord | undefined {
    return this.#options.vault.get(`password ${account}`, passwordSchema);
  }

  #keep(account: AccountId, record: PasswordRecord): StoreOperation {
    return this.#options.vault.put(`password ${account}`, record);
  }

  lookup(name: string): { exists: boolean; password: boolean } {
    const id = accountNamed(this.#space, name);
    return {
      exists: id !== undefined,
      password: id !== undefined && this.#password(id) !== undefined,
    };
  }

  async loginStart(
    claimant: Claimant,
    { name, request }: Asked<'loginStart'>,
  ): Answer<'loginStart'> {
    const { lockout, opaque, write } = this.#options;
    this.release(claimant);
    const { id } = this.#named(name);
    if (this.#password(id) === undefined)
      throw new ClchatError(
        'DENIED',
        'That account has no password: it is used from its own devices only.',
      );
    const release = await lockout.turn(id);
    try {
      const record = this.#password(id);
      if (record === undefined) throw new ClchatError('NO_SUCH_USER');
      const lock = lockout.begin(record.lock);
      await write([this.#keep(id, { ...record, lock })]);
      const { response, state } = await opaque.loginResponse({
        user: record.user,
        record: record.record,
        request,
      });
      claimant.attempt = { account: id, state, release };
      return { response, account: id };
    } catch (error) {
      release();
      throw error;
    }
  }

  async loginFinish(claimant: Claimant, { finish }: Asked<'loginFinish'>): Answer<'loginFinish'> {
    const { attempt } = claimant;
    if (attempt === undefined) throw new ClchatError('BAD_PASSWORD');
    claimant.attempt = undefined;
    const { account: id, state, release } = attempt;
    try {
      const valid = await this.#options.opaque.loginVerify({ state, finish });
      const record = this.#password(id);
      const account = accountOf(this.#space, id);
      if (!valid || record === undefined || account === undefined)
        throw new ClchatError('BAD_PASSWORD');
      const lock = this.#options.lockout.succeed();
      await this.#options.write([this.#keep(id, { ...record, lock })]);
      claimant.proved = id;
      const { generation } = account.keyring;
      const keyring = this.#space.get<KeyringRecord>('keyring', `${id}:${generation}`);
      return {
        account: id,
        name: account.name,
        generation,
        wrap: keyring?.password ?? null,
        passwordVersion: account.passwordVersion,
      };
    } finally {
      release();
    }
  }

  /** The client gave up: it could not use the answer. The failure has been counted at the start. */
  loginFailed(claimant: Claimant): { failures: number; lockedSeconds: number } {
    const account = claimant.attempt?.account;
    this.release(claimant);
    const record = account === undefined ? undefined : this.#password(account);
    if (record === undefined) return { failures: 0, lockedSeconds: 0 };
    const { failures } = record.lock;
    return { failures, lockedSeconds: this.#options.lockout.remaining(record.lock) };
  }

  /** Lets the next attempt on the account begin. */
  release(claimant: Claimant): void {
    claimant.attempt?.release();
    claimant.attempt = undefined;
  }

  /** Reads an entry of the claimant that must be of a kind. */
  #entry<K extends SpaceAction['kind']>(
    claimant: Claimant,
    bytes: Uint8Array,
    kind: K,
  ): { entry: Entry; body: BodyOf<K> } {
    const entry = decodeEntry(bytes);
    const mine =
      entry.device === claimant.device &&
      entry.server === this.#options.sealer.server &&
      entry.stream === 'space';
    const action = mine ? (actionOf(entry, 'space') as SpaceAction | undefined) : undefined;
    if (action?.kind !== kind || !verifyEntry(entry)) throw new ClchatError('BAD_ENTRY');
    return { entry, body: action.body as BodyOf<K> };
  }

  /** Has an entry sealed, with what belongs to it in the vault. */
  async #seal(
    entry: Entry,
    bytes: Uint8Array,
    operations: readonly StoreOperation[],
    admit?: () => ErrorCode | undefined,
  ): Promise<void> {
    const outcome = await this.#options.sealer.submit({ entry, bytes, operations, admit });
    if (outcome.type !== 'sealed') throw new ClchatError(outcome.code);
  }

  async enrol(claimant: Claimant, { entry: bytes }: Asked<'enrol'>): Promise<AccountId> {
    const { entry, body } = this.#entry(claimant, bytes, 'device');
    if (claimant.proved === undefined || claimant.proved !== body.account)
      throw new ClchatError('DENIED');
    await this.#seal(entry, bytes, []);
    return body.account;
  }

  async registerStart(
    claimant: Claimant,
    { name, request }: Asked<'registerStart'>,
  ): Answer<'registerStart'> {
    if (accountNamed(this.#space, name) !== undefined) throw new ClchatError('NAME_TAKEN');
    claimant.registering = fold(name);
    return { response: await this.#options.opaque.registerResponse({ user: fold(name), request }) };
  }

  async signup(claimant: Claimant, { entry: bytes, record }: Asked<'signup'>): Promise<AccountId> {
    const { inviteOnly, lockout } = this.#options;
    const { entry, body } = this.#entry(claimant, bytes, 'account');
    const account = entry.id.slice(0, 32) as AccountId;
    if ((record === null) !== (body.password === null)) throw new ClchatError('BAD_ENTRY');
    if (record !== null && claimant.registering !== fold(body.name))
      throw new ClchatError('BAD_ENTRY');
    const operations =
      record === null
        ? []
        : [this.#keep(account, { user: fold(body.name), record, lock: lockout.succeed() })];
    await this.#seal(entry, bytes, operations, () =>
      inviteOnly && this.#hasAccounts() ? 'CODE_REQUIRED' : undefined,
    );
    return account;
  }

  #hasAccounts(): boolean {
    return this.#space.entries('account').next().done !== true;
  }

  async passwordStart(
    claimant: Claimant,
    { request }: Asked<'passwordStart'>,
  ): Answer<'passwordStart'> {
    const account = this.#mayChange(claimant);
    claimant.registering = fold(account.name);
    const user = fold(account.name);
    return { response: await this.#options.opaque.registerResponse({ user, request }) };
  }

  /** Who has a password must have proved it on this connection to change it. */
  #mayChange(claimant: Claimant): AccountRecord {
    const { account: id } = claimant;
    const account = id === undefined ? undefined : accountOf(this.#space, id);
    if (id === undefined || account === undefined) throw new ClchatError('NOT_LOGGED_IN');
    if (this.#password(id) !== undefined && claimant.proved !== id)
      throw new ClchatError('BAD_PASSWORD');
    return account;
  }

  async password(claimant: Claimant, { entry: bytes, record }: Asked<'password'>): Promise<void> {
    const account = this.#mayChange(claimant);
    const { entry } = this.#entry(claimant, bytes, 'password');
    if (claimant.account === undefined || claimant.registering !== fold(account.name))
      throw new ClchatError('BAD_ENTRY');
    const value = { user: fold(account.name), record, lock: this.#options.lockout.succeed() };
    await this.#seal(entry, bytes, [this.#keep(claimant.account, value)]);
    claimant.proved = undefined;
  }

  #reset(account: AccountId, code: string): void {
    const reset = this.#space.get<ResetRecord>('reset', account);
    const { clock } = this.#options;
    if (
      reset === undefined ||
      !equal(codeVerifier(code), reset.verifier) ||
      clock.now() - reset.time > RESET_SECONDS * 1_000
    )
      throw new ClchatError('BAD_CODE');
  }

  async recoverStart(
    claimant: Claimant,
    { name, code, request }: Asked<'recoverStart'>,
  ): Answer<'recoverStart'> {
    const { id, account } = this.#named(name);
    // A code has 128 random bits: guessing needs no lock of its own.
    this.#reset(id, code);
    claimant.registering = fold(account.name);
    const user = fold(account.name);
    const response = await this.#options.opaque.registerResponse({ user, request });
    const devices: [PublicKey, Uint8Array][] = [];
    for (const key of this.#options.directory.devicesOf(id)) {
      const device = deviceOf(this.#space, key);
      if (device !== undefined) devices.push([key, device.sealing]);
    }
    return { response, account: id, generation: account.keyring.generation, devices };
  }

  async recover(
    claimant: Claimant,
    { entry: bytes, record }: Asked<'recover'>,
  ): Promise<AccountId> {
    const { entry, body } = this.#entry(claimant, bytes, 'recover');
    const account = accountOf(this.#space, body.account);
    if (account === undefined || claimant.registering !== fold(account.name))
      throw new ClchatError('BAD_ENTRY');
    this.#reset(body.account, body.code);
    const value = { user: fold(account.name), record, lock: this.#options.lockout.succeed() };
    await this.#seal(entry, bytes, [this.#keep(body.account, value)]);
    return body.account;
  }
}
