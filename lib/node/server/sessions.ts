/** Sessions: one for each connected device, from hello to logout. */
import { ClchatError } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { accountOf, deviceOf, type ServerRecord } from '../../crdt/records.ts';
import { may } from '../../crdt/space.ts';
import type { Reader } from '../../crdt/state.ts';
import type { Channel } from '../channel.ts';
import { Exchange, type Notice, type Reply, type Request } from '../exchange.ts';
import { PROTOCOL_VERSION, SESSION } from '../wire.ts';
import type { Accounts, Claimant } from './accounts.ts';
import { Presence } from './presence.ts';

export interface SessionsOptions {
  readonly space: Reader;
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly term: number;
  readonly inviteOnly: boolean;
  /** Seconds without a person's doing after which a session is logged out; 0: never. */
  readonly timeout: number;
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /** A device is no longer logged in: nothing more is replicated to it. */
  readonly onLeave: (device: PublicKey) => void;
  readonly onFault: (error: unknown) => void;
}

interface Session extends Claimant {
  readonly exchange: Exchange<typeof SESSION>;
  account: AccountId | undefined;
  /** When a person was last at work, and when anything was heard: monotonic, in milliseconds. */
  active: number;
  heard: number;
}

/** A device that says nothing for so long is gone, in milliseconds; clients ping every 3 s. */
const SILENCE_MS = 15_000;
/** A connection that has not logged in for so long is closed, in milliseconds. */
const STRANGER_MS = 120_000;
const SWEEP_MS = 500;

export class Sessions {
  readonly presence: Presence;
  readonly #options: SessionsOptions;
  readonly #sessions = new Set<Session>();
  /** Logged in. */
  readonly #byDevice = new Map<PublicKey, Session>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.presence = new Presence({
      clock: options.clock,
      isBlocked: options.isBlocked,
      tell: (to, about, online) => {
        const user = accountOf(options.space, about)?.name;
        if (user !== undefined) this.#tellAccount(to, 'presence', { user, online });
      },
    });
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  accountOf(device: PublicKey): AccountId | undefined {
    return this.#byDevice.get(device)?.account;
  }

  active(device: PublicKey): void {
    const session = this.#byDevice.get(device);
    if (session !== undefined) session.active = this.#options.clock.monotonic();
  }

  #tellAccount<N extends 'presence' | 'broadcast'>(
    to: AccountId,
    name: N,
    notice: Notice<typeof SESSION, N>,
  ): boolean {
    let told = false;
    for (const session of this.#byDevice.values()) {
      if (session.account !== to || session.exchange.ended) continue;
      session.exchange.notify(name, notice);
      told = true;
    }
    return told;
  }

  /** Takes a session channel. */
  accept(channel: Channel): void {
    const { accounts, onFault, clock } = this.#options;
    const touch =
      <A extends unknown[], R>(run: (...args: A) => R): ((...args: A) => R) =>
      (...args) => {
        session.active = clock.monotonic();
        return run(...args);
      };
    const exchange: Exchange<typeof SESSION> = new Exchange(channel, SESSION, {
      onFault,
      methods: {
        hello: ({ version }) => this.#hello(session, version),
        lookup: ({ name }) => accounts.lookup(name),
        login: () => this.#login(session),
        loginStart: (request) => accounts.loginStart(session, request),
        loginFinish: (request) => accounts.loginFinish(session, request),
        loginFailed: () => accounts.loginFailed(session),
        enrol: async (request) => {
          this.#enter(session, await accounts.enrol(session, request));
          return {};
        },
        registerStart: (request) => accounts.registerStart(session, request),
        signup: async (request) => {
          const account = await accounts.signup(session, request);
          this.#enter(session, account);
          return { account };
        },
        passwordStart: (request) => accounts.passwordStart(session, request),
        password: async (request) => {
          await accounts.password(session, request);
          return {};
        },
        recoverStart: (request) => accounts.recoverStart(session, request),
        recover: async (request) => {
          this.#enter(session, await accounts.recover(session, request));
          return {};
        },
        logout: () => {
          this.#leave(session);
          return {};
        },
        whoelse: touch(() => {
          return { users: this.#namesOf(this.presence.whoElse(this.#mustBeIn(session))) };
        }),
        whoelsesince: touch(({ seconds }) => {
          const account = this.#mustBeIn(session);
          return { users: this.#namesOf(this.presence.whoElseSince(account, seconds)) };
        }),
        broadcast: touch((request) => this.#broadcast(session, request)),
        online: () => {
          const account = this.#mustBeIn(session);
          const mine = [...this.#byDevice.values()].filter((other) => other.account === account);
          return { devices: mine.map(({ device }) => device) };
        },
        ping: () => {
          session.heard = clock.monotonic();
          return {};
        },
      },
      notices: {
        active: () => {
          session.active = clock.monotonic();
        },
      },
    });
    const now = clock.monotonic();
    const session: Session = {
      exchange,
      device: channel.remote,
      account: undefined,
      attempt: undefined,
      proved: undefined,
      registering: undefined,
      active: now,
      heard: now,
    };
    this.#sessions.add(session);
    exchange.onEnd(() => {
      accounts.release(session);
      this.#leave(session);
      this.#sessions.delete(session);
    });
  }

  #hello(session: Session, version: number): Reply<typeof SESSION, 'hello'> {
    if (version !== PROTOCOL_VERSION) throw new ClchatError('VERSION');
    const { space, term, inviteOnly } = this.#options;
    const server = space.get<ServerRecord>('server', 'server');
    const device = deviceOf(space, session.device);
    const account = device === undefined ? undefined : accountOf(space, device.account);
    return {
      version: PROTOCOL_VERSION,
      name: server?.name ?? 'clchat',
      term,
      inviteOnly,
      revoked: device?.revoked === true,
      account:
        device === undefined || device.revoked || account === undefined
          ? null
          : { id: device.account, name: account.name, passwordVersion: account.passwordVersion },
    };
  }

  #login(session: Session): Reply<typeof SESSION, 'login'> {
    const { space } = this.#options;
    const device = deviceOf(space, session.device);
    if (device?.revoked === true) throw new ClchatError('REVOKED');
    const account = device === undefined ? undefined : accountOf(space, device.account);
    if (device === undefined || account === undefined) throw new ClchatError('NOT_LOGGED_IN');
    this.#enter(session, device.account);
    return { account: device.account, name: account.name };
  }

  #enter(session: Session, account: AccountId): void {
    if (session.account === account) return;
    // The same device may come again before its old connection is known to be dead.
    const before = this.#byDevice.get(session.device);
    session.account = account;
    session.active = this.#options.clock.monotonic();
    this.#byDevice.set(session.device, session);
    this.presence.enter(account);
    if (before !== undefined && before !== session) {
      before.account = undefined;
      this.presence.leave(account);
      before.exchange.abort(new ClchatError('CLOSED', 'replaced by a newer connection'));
    }
  }

  #leave(session: Session): void {
    const { account, device } = session;
    if (account === undefined) return;
    session.account = undefined;
    session.proved = undefined;
    if (this.#byDevice.get(device) === session) this.#byDevice.delete(device);
    this.#options.onLeave(device);
    this.presence.leave(account);
  }

  #mustBeIn(session: Session): AccountId {
    if (session.account === undefined) throw new ClchatError('NOT_LOGGED_IN');
    return session.account;
  }

  #namesOf(accounts: readonly AccountId[]): string[] {
    return accounts
      .map((account) => accountOf(this.#options.space, account)?.name)
      .filter((name) => name !== undefined)
      .sort();
  }

  #broadcast(
    session: Session,
    { text, time }: Request<typeof SESSION, 'broadcast'>,
  ): Reply<typeof SESSION, 'broadcast'> {
    const { space, isBlocked } = this.#options;
    const account = this.#mustBeIn(session);
    if (!may(space, account, 'broadcast'))
      throw new ClchatError('DENIED', 'You need the permission "broadcast".');
    const from = accountOf(space, account)?.name ?? '';
    const reached: AccountId[] = [];
    const missed: AccountId[] = [];
    for (const other of this.presence.online()) {
      if (other === account) continue;
      const told =
        !isBlocked(other, account) && this.#tellAccount(other, 'broadcast', { from, text, time });
      (told ? reached : missed).push(other);
    }
    return { reached: this.#namesOf(reached), missed: this.#namesOf(missed) };
  }

  /** Ends the session of a device that its account has shut out. */
  revoke(device: PublicKey): void {
    const session = this.#byDevice.get(device);
    if (session !== undefined) this.#end(session, 'revoked');
  }

  #end(session: Session, reason: string): void {
    session.exchange.notify('logout', { reason });
    this.#leave(session);
  }

  #sweep(): void {
    const { timeout, clock } = this.#options;
    const now = clock.monotonic();
    for (const session of this.#sessions) {
      if (now - session.heard > SILENCE_MS)
        session.exchange.abort(new ClchatError('TIMEOUT', 'nothing was heard of it'));
      else if (session.account === undefined && now - session.active > STRANGER_MS)
        void session.exchange.close();
      else if (
        timeout > 0 &&
        session.account !== undefined &&
        now - session.active > timeout * 1_000
      )
        this.#end(session, 'timeout');
    }
  }

  stop(): void {
    clearInterval(this.#sweeper);
    for (const { exchange } of this.#sessions) void exchange.close();
  }
}
