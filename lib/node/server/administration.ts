/** What administrators ask of the server beyond the log: accounts for others, mails, who is put out. */
import * as v from 'valibot';
import { equal } from '../../crdt/bytes.ts';
import type { AccountId } from '../../crdt/keys.ts';
import { ADMIN_GROUP } from '../../crdt/permissions.ts';
import {
  accountOf,
  presentAccount,
  type AccountRecord,
  type ResetRecord,
  type ServerRecord,
} from '../../crdt/records.ts';
import { lacking, levelOf, may } from '../../crdt/rights.ts';
import { codeVerifier } from '../../crdt/space.ts';
import type { Reader } from '../../crdt/state.ts';
import type { StoreOperation } from '../../crdt/store.ts';
import { ClchatError, textOf } from '../../errors.ts';
import type { Reply, Request } from '../exchange.ts';
import { firstPasswordMail, resetMail, type Mail, type Mailer } from '../mailer.ts';
import type { Vault } from '../vault.ts';
import type { SESSION } from '../wire.ts';
import { mustBeIn, RESET_SECONDS, type Accounts, type Claimant } from './accounts.ts';
import type { Admission } from './admission.ts';
import type { Directory } from './directory.ts';
import { spend } from './passwords.ts';

export interface AdministrationOptions {
  readonly directory: Directory;
  readonly accounts: Accounts;
  readonly admission: Admission;
  readonly vault: Vault;
  /** Where an SMTP server is configured. */
  readonly mailer: Mailer | undefined;
  readonly write: (operations: readonly StoreOperation[]) => Promise<void>;
  /** Ends all sessions of an account. */
  readonly putOut: (account: AccountId, reason: string) => void;
}

type Methods = typeof SESSION.methods;
type Asked<M extends keyof Methods> = Request<typeof SESSION, M>;
type Answer<M extends keyof Methods> = Promise<Reply<typeof SESSION, M>>;
type Mailing = Reply<typeof SESSION, 'mailReset'>;

/** Longest account of what went wrong with a mail, in characters. */
const MAX_PROBLEM = 300;

const emailSchema = v.string();
const emailName = (account: AccountId): string => `email ${account}`;

export class Administration {
  readonly #options: AdministrationOptions;
  #forgetting: Promise<void> = Promise.resolve();

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  get #space(): Reader {
    return this.#options.directory.space;
  }

  #email(account: AccountId): string | undefined {
    return this.#options.vault.get(emailName(account), emailSchema);
  }

  /**
   * Begins to make an account for somebody else.
   * @throws NAME_TAKEN, DENIED, RATE_LIMITED
   */
  async createUserStart(
    claimant: Claimant,
    { name, request }: Asked<'createUserStart'>,
  ): Answer<'createUserStart'> {
    this.#mustHave(claimant, 'createUser');
    const { accounts, mailer } = this.#options;
    accounts.mustBeFree(name);
    const response = await accounts.registerOther(claimant, name, request);
    return { response, mails: mailer !== undefined };
  }

  async createUser(claimant: Claimant, asked: Asked<'createUser'>): Answer<'createUser'> {
    const { registering } = claimant;
    const { accounts, admission, vault } = this.#options;
    const { entry, body } = accounts.entry(claimant, asked.entry, 'createuser');
    const account = entry.id.slice(0, 32) as AccountId;
    const { email, password } = asked;
    const operations = [
      accounts.registered(claimant, account, body.name, asked.record),
      ...(email === undefined ? [] : [vault.put(emailName(account), email)]),
    ];
    await accounts.seal(entry, asked.entry, operations, admission.admit);
    spend(claimant, registering);
    if (password === undefined) return { account, mailed: false };
    const mail = firstPasswordMail({ ...this.#about(account), password });
    return { account, ...(await this.#mail(account, mail)) };
  }

  /**
   * Mails the code of the account's last reset, where that is possible.
   * @throws NO_SUCH_USER, DENIED, BAD_CODE
   */
  async mailReset(claimant: Claimant, { account, code }: Asked<'mailReset'>): Answer<'mailReset'> {
    const actor = mustBeIn(claimant);
    if (accountOf(this.#space, actor)?.group !== ADMIN_GROUP) throw new ClchatError('DENIED');
    this.#mustReach(actor, account);
    const reset = this.#space.get<ResetRecord>('reset', account);
    if (reset === undefined || !equal(codeVerifier(code), reset.verifier))
      throw new ClchatError('BAD_CODE');
    const mail = resetMail({ ...this.#about(account), code, seconds: RESET_SECONDS });
    return this.#mail(account, mail);
  }

  /** What the mail was for is done already, so that one that fails is told of and not thrown. */
  async #mail(account: AccountId, mail: Omit<Mail, 'to'>): Promise<Mailing> {
    const { mailer } = this.#options;
    const to = this.#email(account);
    if (mailer === undefined || to === undefined) return { mailed: false };
    try {
      await mailer.send({ to, ...mail });
      return { mailed: true };
    } catch (error) {
      const text = error instanceof ClchatError ? error.message : textOf('INTERNAL');
      return { mailed: false, problem: text.slice(0, MAX_PROBLEM) };
    }
  }

  #about(account: AccountId): { server: string; user: string } {
    const server = this.#space.get<ServerRecord>('server', 'server')?.name ?? '';
    return { server, user: accountOf(this.#space, account)?.name ?? '' };
  }

  /**
   * Keeps where an account gets its mails: one's own, or that of another by permission.
   * @throws NO_SUCH_USER, DENIED
   */
  async setEmail(claimant: Claimant, { account, email }: Asked<'setEmail'>): Promise<void> {
    const actor = mustBeIn(claimant);
    if (actor !== account) {
      this.#mustHave(claimant, 'renameUser');
      this.#mustReach(actor, account);
    }
    const { vault, write } = this.#options;
    const name = emailName(account);
    await write([email === null ? vault.delete(name) : vault.put(name, email)]);
  }

  /**
   * Logs an account out everywhere; it may come back.
   * @throws SELF, NO_SUCH_USER, DENIED
   */
  kick(claimant: Claimant, { account }: Asked<'kick'>): void {
    const actor = this.#mustHave(claimant, 'removeUser');
    if (actor === account) throw new ClchatError('SELF');
    this.#mustReach(actor, account);
    this.#options.putOut(account, 'kicked');
  }

  async #forget(account: AccountId): Promise<void> {
    const { accounts, vault, write } = this.#options;
    await accounts.forgetPassword(account, (operation) =>
      write([operation, vault.delete(emailName(account))]),
    );
  }

  /** Forgets the secrets of an account that has been removed. */
  forgetSoon(account: AccountId, onFault: (error: unknown) => void): void {
    this.#forgetting = this.#forgetting.then(() => this.#forget(account)).catch(onFault);
  }

  /** Resolves when what was to be forgotten has been. */
  async settled(): Promise<void> {
    await this.#forgetting;
  }

  /** Forgets the secrets of those whose removal was followed by a crash. */
  async forgetRemoved(): Promise<void> {
    for (const [id, record] of this.#space.entries<AccountRecord>('account')) {
      const account = id as AccountId;
      const isLeft =
        record.removed === true &&
        (this.#options.accounts.hasPassword(account) || this.#email(account) !== undefined);
      if (isLeft) await this.#forget(account);
    }
  }

  #mustHave(claimant: Claimant, permission: 'createUser' | 'removeUser' | 'renameUser'): AccountId {
    const actor = mustBeIn(claimant);
    if (!may(this.#space, actor, permission)) throw lacking(permission);
    return actor;
  }

  /** That somebody is there, and of no higher level. */
  #mustReach(actor: AccountId, target: AccountId): void {
    if (presentAccount(this.#space, target) === undefined) throw new ClchatError('NO_SUCH_USER');
    if (levelOf(this.#space, target) > levelOf(this.#space, actor))
      throw new ClchatError('DENIED', 'That account is in a group of a higher level.');
  }
}
