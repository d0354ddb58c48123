/**
 * Who may log in: passwords by OPAQUE, their records and locks in the vault. The server never sees
 * a password, and a wrong one shows on the client only; so every start counts as a failure until it
 * is validly finished.
 */
import * as v from 'valibot';
import { actionOf, type SpaceAction } from '../../crdt/bodies.ts';
import { equal, toHex } from '../../crdt/bytes.ts';
import { decodeEntry, verifyEntry, type Entry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey, RandomBytes } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
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
import { fold, whyNotFree } from '../../text.ts';
import type { Reply, Request } from '../exchange.ts';
import { lockSchema, type Lockout } from '../lockout.ts';
import type { OpaqueServer } from '../opaque.ts';
import { TokenBuckets } from '../token-bucket.ts';
import type { Vault } from '../vault.ts';
import type { SESSION } from '../wire.ts';
import type { Directory } from './directory.ts';

/** How long a reset code can be redeemed, in seconds. */
export const RESET_SECONDS = 24 * 3600;

/** Registrations that a device may begin at once, and then a second. */
const REGISTRATION_BURST = 10;
const REGISTRATIONS_PER_SECOND = 0.2;

export interface AccountsOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly sealer: Sealer;
  readonly vault: Vault;
  readonly opaque: OpaqueServer;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Durable once it resolves. */
  readonly write: (operations: readonly StoreOperation[]) => Promise<void>;
  readonly lockout: Lockout;
  readonly inviteOnly: boolean;
}

/** A password that is being registered. */
export interface Registration {
  /** The name it is for, folded. */
  readonly name: string;
  /** The identifier the record will be bound to. */
  readonly user: string;
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
  registering: Registration | undefined;
}

const passwordSchema = v.strictObject({
  /** The identifier the record is bound to; in old records the name at registration, folded. */
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
  readonly #registrations: TokenBuckets<PublicKey>;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#registrations = new TokenBuckets(
      REGISTRATION_BURST,
      REGISTRATIONS_PER_SECOND,
      options.clock,
    );
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

  /**
   * Begins a registration. The identifier is a fresh one each time: the answer is what a login
   * attempt would give under the same identifier, and one that could be known beforehand would let
   * passwords be tried here that no lock counts.
   */
  async #register(claimant: Claimant, name: string, request: Uint8Array): Promise<Uint8Array> {
    const { opaque, random } = this.#options;
    // Longer than any name, so that it is no old record's.
    const user = toHex(random(32));
    claimant.registering = { name: fold(name), user };
    return opaque.registerResponse({ user, request });
  }

  /** What is to be kept of a registration that was begun for a name. @throws BAD_ENTRY */
  #registered(claimant: Claimant, name: string, record: Uint8Array): PasswordRecord {
    const { registering } = claimant;
    if (registering?.name !== fold(name)) throw new ClchatError('BAD_ENTRY');
    return { user: registering.user, record, lock: this.#options.lockout.succeed() };
  }

  async registerStart(
    claimant: Claimant,
    { name, request }: Asked<'registerStart'>,
  ): Answer<'registerStart'> {
    if (accountNamed(this.#space, name) !== undefined) throw new ClchatError('NAME_TAKEN');
    if (!this.#registrations.take(claimant.device)) throw new ClchatError('RATE_LIMITED');
    return { response: await this.#register(claimant, name, request) };
  }

  async signup(claimant: Claimant, { entry: bytes, record }: Asked<'signup'>): Promise<AccountId> {
    const { inviteOnly } = this.#options;
    const { entry, body } = this.#entry(claimant, bytes, 'account');
    const why = whyNotFree(body.name);
    if (why !== undefined) throw new ClchatError('BAD_NAME', why);
    const account = entry.id.slice(0, 32) as AccountId;
    if ((record === null) !== (body.password === null)) throw new ClchatError('BAD_ENTRY');
    const operations =
      record === null ? [] : [this.#keep(account, this.#registered(claimant, body.name, record))];
    await this.#seal(entry, bytes, operations, () =>
      inviteOnly && this.#hasAccounts() ? 'CODE_REQUIRED' : undefined,
    );
    claimant.registering = undefined;
    return account;
  }

  #hasAccounts(): boolean {
    return this.#space.entries('account').next().done !== true;
  }

  async passwordStart(
    claimant: Claimant,
    { request }: Asked<'passwordStart'>,
  ): Answer<'passwordStart'> {
    const { name } = this.#mayChange(claimant);
    return { response: await this.#register(claimant, name, request) };
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
    if (claimant.account === undefined) throw new ClchatError('BAD_ENTRY');
    const value = this.#registered(claimant, account.name, record);
    await this.#seal(entry, bytes, [this.#keep(claimant.account, value)]);
    claimant.proved = undefined;
    claimant.registering = undefined;
  }

  /** That the code is the one of the account's last reset, and in time. @throws BAD_CODE */
  async #reset(account: AccountId, code: string): Promise<void> {
    const reset = this.#space.get<ResetRecord>('reset', account);
    if (
      reset === undefined ||
      !equal(codeVerifier(code), reset.verifier) ||
      !(await this.#wasResetLately(account))
    )
      throw new ClchatError('BAD_CODE');
  }

  /**
   * Whether the account was reset not too long ago, by the time of the seal, which is of the
   * server's own clock: the time in the record is the administrator's word.
   */
  async #wasResetLately(account: AccountId): Promise<boolean> {
    const { log, clock } = this.#options;
    const since = clock.now() - RESET_SECONDS * 1_000;
    const { length } = log.headOf('space');
    for (let before = length; before > 0;) {
      const seal = await log.sealOver('space', before - 1);
      if (seal === undefined || seal.time < since) return false;
      for (let position = seal.first; position < before; position++) {
        const item = log.item('space', position);
        const action = item?.type === 'entry' ? actionOf(item.entry, 'space') : undefined;
        if (action?.kind === 'reset' && action.body.account === account) return true;
      }
      before = seal.first;
    }
    return false;
  }

  async recoverStart(
    claimant: Claimant,
    { name, code, request }: Asked<'recoverStart'>,
  ): Answer<'recoverStart'> {
    const { id, account } = this.#named(name);
    // A code has 128 random bits: guessing needs no lock of its own.
    await this.#reset(id, code);
    const response = await this.#register(claimant, account.name, request);
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
    if (account === undefined) throw new ClchatError('BAD_ENTRY');
    const value = this.#registered(claimant, account.name, record);
    await this.#reset(body.account, body.code);
    await this.#seal(entry, bytes, [this.#keep(body.account, value)]);
    claimant.registering = undefined;
    return body.account;
  }
}
