/** Who may log in: accounts and their passwords, made, changed and recovered. */
import { actionOf, type SpaceAction } from '../../crdt/bodies.ts';
import { equal } from '../../crdt/bytes.ts';
import { decodeEntry, verifyEntry, type Entry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { accountNamed, namesake } from '../../crdt/people.ts';
import {
  accountOf,
  deviceOf,
  presentAccount,
  type AccountRecord,
  type CodeRecord,
  type KeyringRecord,
  type ResetRecord,
} from '../../crdt/records.ts';
import { isBanned } from '../../crdt/rooms.ts';
import type { Admit, Sealer } from '../../crdt/sealer.ts';
import { codeVerifier } from '../../crdt/space.ts';
import type { Reader } from '../../crdt/state.ts';
import type { StoreOperation } from '../../crdt/store.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { fold, whyNotFree } from '../../text.ts';
import type { Reply, Request } from '../exchange.ts';
import { TokenBuckets } from '../../token-bucket.ts';
import type { SESSION } from '../wire.ts';
import type { Directory } from './directory.ts';
import { spend, type Guarded, type Passwords, type Prover } from './passwords.ts';

/** How long a reset code can be redeemed, in seconds. */
export const RESET_SECONDS = 24 * 3600;

/** Registrations that a device may begin at once, and then a second. */
const REGISTRATION_BURST = 10;
const REGISTRATIONS_PER_SECOND = 0.2;
/** Accounts that somebody trusted with it may begin to make for others at once, and then a second. */
const CREATION_BURST = 100;
const CREATIONS_PER_SECOND = 10;

export interface AccountsOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly sealer: Sealer;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly inviteOnly: boolean;
}

/** What a session has under way; see `Session`. */
export interface Claimant extends Prover {
  /** Logged in to it. */
  readonly account: AccountId | undefined;
  /** The account whose password has been proved on this connection. */
  proved: AccountId | undefined;
}

/** Whose session it is. @throws NOT_LOGGED_IN */
export function mustBeIn({ account }: Pick<Claimant, 'account'>): AccountId {
  if (account === undefined) throw new ClchatError('NOT_LOGGED_IN');
  return account;
}

const guarded = (account: AccountId): Guarded => `password ${account}`;

type BodyOf<K extends SpaceAction['kind']> = Extract<SpaceAction, { kind: K }>['body'];
type Methods = typeof SESSION.methods;
type Asked<M extends keyof Methods> = Request<typeof SESSION, M>;
type Answer<M extends keyof Methods> = Promise<Reply<typeof SESSION, M>>;

export class Accounts {
  readonly #options: AccountsOptions;
  readonly #registrations: TokenBuckets<PublicKey>;
  readonly #creations: TokenBuckets<PublicKey>;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#registrations = new TokenBuckets(
      REGISTRATION_BURST,
      REGISTRATIONS_PER_SECOND,
      options.clock,
    );
    this.#creations = new TokenBuckets(CREATION_BURST, CREATIONS_PER_SECOND, options.clock);
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

  hasPassword(account: AccountId): boolean {
    return this.#options.passwords.get(guarded(account)) !== undefined;
  }

  lookup(name: string): { exists: boolean; password: boolean } {
    const id = accountNamed(this.#space, name);
    return {
      exists: id !== undefined,
      password: id !== undefined && this.hasPassword(id),
    };
  }

  async loginStart(
    claimant: Claimant,
    { name, request }: Asked<'loginStart'>,
  ): Answer<'loginStart'> {
    const { passwords } = this.#options;
    passwords.release(claimant);
    const { id, account } = this.#named(name);
    this.#mustBeLetIn(id);
    if (!this.hasPassword(id))
      throw new ClchatError(
        'DENIED',
        account.password === null
          ? `"${account.name}" has no password and is used from its own devices only.`
          : `The password of "${account.name}" was set after the backup from which this server was restored. Set it again by "passwd" on a device where you are logged in, or ask an administrator for "resetpasswd".`,
      );
    return { response: await passwords.start(claimant, guarded(id), request), account: id };
  }

  /** @throws NO_SUCH_USER (there is none any more), BANNED */
  #mustBeLetIn(account: AccountId): void {
    if (presentAccount(this.#space, account) === undefined) throw new ClchatError('NO_SUCH_USER');
    if (isBanned(this.#space, account, undefined, this.#options.clock.now()))
      throw new ClchatError('BANNED', 'That account is banned from this server.');
  }

  async loginFinish(claimant: Claimant, { finish }: Asked<'loginFinish'>): Answer<'loginFinish'> {
    const proved = await this.#options.passwords.finish(claimant, finish);
    const id = proved.slice(proved.indexOf(' ') + 1) as AccountId;
    const account = accountOf(this.#space, id);
    if (proved !== guarded(id) || account === undefined) throw new ClchatError('BAD_PASSWORD');
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
  }

  /** The client gave up: it could not use the answer. The failure has been counted at the start. */
  loginFailed(claimant: Claimant): { failures: number; lockedSeconds: number } {
    return this.#options.passwords.failed(claimant);
  }

  /** Lets the next attempt on the account begin. */
  release(claimant: Claimant): void {
    this.#options.passwords.release(claimant);
  }

  /** Reads an entry of the claimant, of one of some kinds of the space stream. @throws BAD_ENTRY */
  entry<K extends SpaceAction['kind']>(
    claimant: Claimant,
    bytes: Uint8Array,
    ...kinds: K[]
  ): { entry: Entry; body: BodyOf<K> } {
    const entry = decodeEntry(bytes);
    const mine =
      entry.device === claimant.device &&
      entry.server === this.#options.sealer.server &&
      entry.stream === 'space';
    const action = mine ? (actionOf(entry, 'space') as SpaceAction | undefined) : undefined;
    if (action === undefined || !(kinds as string[]).includes(action.kind) || !verifyEntry(entry))
      throw new ClchatError('BAD_ENTRY');
    return { entry, body: action.body as BodyOf<K> };
  }

  /** Has an entry sealed, with what belongs to it in the vault. @throws as it was refused */
  async seal(
    entry: Entry,
    bytes: Uint8Array,
    operations: readonly StoreOperation[],
    admit?: Admit,
  ): Promise<void> {
    const outcome = await this.#options.sealer.submit({ entry, bytes, operations, admit });
    if (outcome.type !== 'sealed') throw new ClchatError(outcome.code);
  }

  async enrol(claimant: Claimant, { entry: bytes }: Asked<'enrol'>): Promise<AccountId> {
    const { entry, body } = this.entry(claimant, bytes, 'device');
    if (claimant.proved === undefined || claimant.proved !== body.account)
      throw new ClchatError('DENIED');
    await this.seal(entry, bytes, []);
    // Whoever was shut out meanwhile had no session yet that could be ended.
    this.#mustBeLetIn(body.account);
    return body.account;
  }

  async registerStart(
    claimant: Claimant,
    { name, request }: Asked<'registerStart'>,
  ): Answer<'registerStart'> {
    this.mustBeFree(name);
    if (!this.#registrations.take(claimant.device)) throw new ClchatError('RATE_LIMITED');
    const { passwords } = this.#options;
    return { response: await passwords.register(claimant, purposeOf(name), request) };
  }

  /** @throws NAME_TAKEN, which says by whom */
  mustBeFree(name: string): void {
    const other = namesake(this.#space, name);
    if (other === undefined) return;
    const isSame = fold(other) === fold(name);
    throw new ClchatError('NAME_TAKEN', isSame ? undefined : `That name looks like "${other}".`);
  }

  /**
   * Begins to register a password for an account that somebody makes for another.
   * @throws RATE_LIMITED
   */
  registerOther(claimant: Claimant, name: string, request: Uint8Array): Promise<Uint8Array> {
    if (!this.#creations.take(claimant.device)) throw new ClchatError('RATE_LIMITED');
    return this.#options.passwords.register(claimant, purposeOf(name), request);
  }

  /** What keeps the password that was registered for a name. @throws BAD_ENTRY */
  registered(
    claimant: Claimant,
    account: AccountId,
    name: string,
    record: Uint8Array,
  ): StoreOperation {
    const { passwords } = this.#options;
    const value = passwords.registered(claimant, purposeOf(name), record);
    return passwords.keep(guarded(account), value);
  }

  async signup(claimant: Claimant, { entry: bytes, record }: Asked<'signup'>): Promise<AccountId> {
    const { registering } = claimant;
    const { inviteOnly, clock } = this.#options;
    const { entry, body } = this.entry(claimant, bytes, 'account');
    const why = whyNotFree(body.name);
    if (why !== undefined) throw new ClchatError('BAD_NAME', why);
    const account = entry.id.slice(0, 32) as AccountId;
    if ((record === null) !== (body.password === null)) throw new ClchatError('BAD_ENTRY');
    const operations =
      record === null ? [] : [this.registered(claimant, account, body.name, record)];
    const { code } = body;
    const sealed = this.seal(entry, bytes, operations, (_action, { space }) => {
      if (code === undefined)
        return inviteOnly && this.#hasAccounts() ? 'CODE_REQUIRED' : undefined;
      const issued = space.get<CodeRecord>('code', code.verifier);
      return issued !== undefined && issued.expires < clock.now() ? 'BAD_CODE' : undefined;
    });
    await sealed.catch((error: unknown) => {
      if (hasCode(error, 'NAME_TAKEN')) this.mustBeFree(body.name);
      throw error;
    });
    spend(claimant, registering);
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
    const { passwords } = this.#options;
    return { response: await passwords.register(claimant, purposeOf(name), request) };
  }

  /** Who has a password must have proved it on this connection to change it. */
  #mayChange(claimant: Claimant): AccountRecord {
    const { account: id } = claimant;
    const account = id === undefined ? undefined : accountOf(this.#space, id);
    if (id === undefined || account === undefined) throw new ClchatError('NOT_LOGGED_IN');
    if (this.hasPassword(id) && claimant.proved !== id) throw new ClchatError('BAD_PASSWORD');
    return account;
  }

  async password(claimant: Claimant, { entry: bytes, record }: Asked<'password'>): Promise<void> {
    const { registering } = claimant;
    const account = this.#mayChange(claimant);
    const { entry } = this.entry(claimant, bytes, 'password');
    if (claimant.account === undefined) throw new ClchatError('BAD_ENTRY');
    const kept = this.registered(claimant, claimant.account, account.name, record);
    const { passwords } = this.#options;
    await passwords.change(guarded(claimant.account), () => this.seal(entry, bytes, [kept]));
    claimant.proved = undefined;
    spend(claimant, registering);
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
    this.#mustBeLetIn(id);
    // A code has 128 random bits: guessing needs no lock of its own.
    await this.#reset(id, code);
    const { passwords } = this.#options;
    const response = await passwords.register(claimant, purposeOf(account.name), request);
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
    const { registering } = claimant;
    const { entry, body } = this.entry(claimant, bytes, 'recover');
    const account = accountOf(this.#space, body.account);
    if (account === undefined) throw new ClchatError('BAD_ENTRY');
    const kept = this.registered(claimant, body.account, account.name, record);
    await this.#reset(body.account, body.code);
    const { passwords } = this.#options;
    await passwords.change(guarded(body.account), () => this.seal(entry, bytes, [kept]));
    spend(claimant, registering);
    this.#mustBeLetIn(body.account);
    return body.account;
  }

  /** Forgets the password of an account, in a batch that the caller writes. */
  async forgetPassword(
    account: AccountId,
    write: (operation: StoreOperation) => Promise<void>,
  ): Promise<void> {
    const { passwords } = this.#options;
    await passwords.change(guarded(account), () => write(passwords.forget(guarded(account))));
  }
}

/** What a registration is for: the name, in any case. */
function purposeOf(name: string): string {
  return `account ${fold(name)}`;
}
