/** Sessions: one for each connected device, from hello to logout. */
import { ClchatError } from '../../errors.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { accountOf, deviceOf, type ServerRecord } from '../../crdt/records.ts';
import { isBanned } from '../../crdt/rooms.ts';
import { listCards } from '../../interfaces.ts';
import { reachableAt } from '../blobs/sources.ts';
import type { CallView, RoomCallView } from '../calls/wire.ts';
import type { Channel } from '../channel.ts';
import { Exchange, type Reply } from '../exchange.ts';
import { TokenBuckets } from '../../token-bucket.ts';
import { PROTOCOL_VERSION, SESSION } from '../wire.ts';
import { mustBeIn, type Accounts, type Claimant } from './accounts.ts';
import type { Administration } from './administration.ts';
import type { CallService } from './call-service.ts';
import { Company, type Companion, type CompanyOptions } from './company.ts';
import type { ConferenceEvent } from './conference-news.ts';
import type { ConferenceRooms } from './conference-rooms.ts';
import { Listeners } from './listeners.ts';
import { Presence } from './presence.ts';
import type { RoomLocks } from './room-locks.ts';
import { guarded, standingOf } from './standing.ts';

export interface SessionsOptions extends Omit<CompanyOptions, 'listeners' | 'presence'> {
  readonly accounts: Accounts;
  readonly locks: RoomLocks;
  readonly administration: Administration;
  readonly conferences: ConferenceRooms;
  readonly calls: CallService;
  readonly term: number;
  readonly inviteOnly: boolean;
  readonly isRelay: boolean;
  /** Seconds without a person's doing after which a session is logged out; 0: never. */
  readonly timeout: number;
  /** A device is no longer logged in: nothing more is replicated to it. */
  readonly onLeave: (device: PublicKey) => void;
  readonly onFault: (error: unknown) => void;
}

interface Session extends Claimant, Companion {
  readonly device: PublicKey;
  account: AccountId | undefined;
  addresses: readonly string[];
  /** Since when nobody is logged in here, where nobody is: monotonic, in milliseconds. */
  since: number;
  /** When a person was last at work, and when anything was heard: monotonic, in milliseconds. */
  active: number;
  heard: number;
}

/** A device that says nothing for so long is gone, in milliseconds; clients ping every 3 s. */
const SILENCE_MS = 15_000;
/**
 * A connection on which nobody is logged in for so long is closed, in milliseconds, whatever it says
 * meanwhile: people take their time to type a password, but it costs nothing to stay.
 */
const STRANGER_MS = 300_000;
/** Logins of an account's devices, of each of which everybody may have to be told. */
const LOGIN_BURST = 30;
const LOGINS_PER_SECOND = 1;
const SWEEP_MS = 500;

export class Sessions {
  readonly presence: Presence;
  readonly #options: SessionsOptions;
  readonly #sessions = new Set<Session>();
  /** Logged in. */
  readonly #listeners = new Listeners<Session>();
  readonly #company: Company;
  readonly #logins: TokenBuckets<AccountId>;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: SessionsOptions) {
    this.#options = options;
    const { clock } = options;
    this.#logins = new TokenBuckets(LOGIN_BURST, LOGINS_PER_SECOND, clock);
    this.presence = new Presence({
      clock,
      isBlocked: options.isBlocked,
      tell: (to, about, online) => {
        const user = accountOf(options.space, about)?.name;
        if (user !== undefined) this.#listeners.tellPresence(to, { user, online });
      },
    });
    const { presence } = this;
    this.#company = new Company({ ...options, listeners: this.#listeners, presence });
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  accountOf(device: PublicKey): AccountId | undefined {
    return this.#listeners.ofDevice(device)?.account;
  }

  /** Whether a device has proved an account's password on its session; it counts once. */
  takeProof(device: PublicKey, of: AccountId): boolean {
    const session = this.#listeners.ofDevice(device);
    if (session === undefined || session.proved !== of) return false;
    session.proved = undefined;
    return true;
  }

  active(device: PublicKey): void {
    const session = this.#listeners.ofDevice(device);
    if (session !== undefined) session.active = this.#options.clock.monotonic();
  }

  /** Takes a session channel. */
  accept(channel: Channel): void {
    const { accounts, locks, administration, conferences, calls, space, onFault, clock } =
      this.#options;
    const touch =
      <A extends unknown[], R>(run: (...args: A) => R): ((...args: A) => R) =>
      (...args) => {
        session.active = clock.monotonic();
        return run(...args);
      };
    const exchange: Exchange<typeof SESSION> = new Exchange(channel, SESSION, {
      onFault,
      ...guarded(() => standingOf(space, session.account), {
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
            this.#leave(session, 'logged out');
            return {};
          },
          lockStart: (request) => locks.lockStart(session, request),
          lock: async (request) => {
            await locks.lock(session, request);
            return {};
          },
          roomStart: (request) => locks.roomStart(session, request),
          roomFinish: async (request) => {
            await locks.roomFinish(session, request);
            return {};
          },
          createUserStart: (request) => administration.createUserStart(session, request),
          createUser: (request) => administration.createUser(session, request),
          mailReset: (request) => administration.mailReset(session, request),
          setEmail: async (request) => {
            await administration.setEmail(session, request);
            return {};
          },
          kick: (request) => {
            administration.kick(session, request);
            return {};
          },
          whoelse: touch(() => this.#company.whoElse(mustBeIn(session))),
          whoelsesince: touch((request) => this.#company.whoElseSince(mustBeIn(session), request)),
          broadcast: touch((request) => this.#company.broadcast(mustBeIn(session), request)),
          conferences: touch((request) => conferences.list(session, request)),
          conferenceJoin: touch((request) => conferences.join(session, request)),
          conferenceLeave: touch((request) => conferences.leave(session, request)),
          conferenceInvite: touch((request) => {
            conferences.invite(session, request);
            return {};
          }),
          callStart: touch((request) => calls.start(session, request)),
          callAnswer: touch((request) => calls.answer(session, request)),
          callDecline: touch((request) => calls.decline(session, request)),
          callLeave: touch((request) => calls.leave(session, request)),
          callUpdate: touch((request) => calls.update(session, request)),
          calls: () => calls.list(session),
          online: () => ({ devices: this.#company.devicesOf(mustBeIn(session)) }),
          peers: (request) => this.#company.peers(mustBeIn(session), session.device, request),
          whereis: touch((request) => this.#company.whereIs(mustBeIn(session), request)),
          ping: () => {
            session.heard = clock.monotonic();
            return {};
          },
        },
        notices: {
          active: () => {
            session.active = clock.monotonic();
          },
          typing: ({ stream }) => this.#company.typing(mustBeIn(session), stream),
          reachable: ({ addresses }) => {
            session.addresses = reachableAt(addresses, channel.address, listCards());
          },
          leaving: () => {
            conferences.life.deviceGone(mustBeIn(session), session.device);
            calls.life.deviceGone(session.device, false);
          },
        },
      }),
    });
    const now = clock.monotonic();
    const session: Session = {
      exchange,
      device: channel.remote,
      later: new Map(),
      isBehind: false,
      callsLater: new Map(),
      account: undefined,
      addresses: [],
      since: now,
      attempt: undefined,
      proved: undefined,
      registering: undefined,
      active: now,
      heard: now,
    };
    this.#sessions.add(session);
    exchange.onEnd(() => {
      accounts.release(session);
      this.#leave(session, 'lost');
      this.#sessions.delete(session);
    });
  }

  #hello(session: Session, version: number): Reply<typeof SESSION, 'hello'> {
    if (version !== PROTOCOL_VERSION) throw new ClchatError('VERSION');
    const { space, term, inviteOnly, isRelay, clock } = this.#options;
    const server = space.get<ServerRecord>('server', 'server');
    const device = deviceOf(space, session.device);
    const account = device === undefined ? undefined : accountOf(space, device.account);
    return {
      version: PROTOCOL_VERSION,
      name: server?.name ?? 'clchat',
      term,
      time: clock.now(),
      inviteOnly,
      ...(isRelay ? { relay: true } : {}),
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
    if (isBanned(space, device.account, undefined, this.#options.clock.now()))
      throw new ClchatError('BANNED', 'You are banned from this server.');
    if (session.account !== device.account && !this.#logins.take(device.account))
      throw new ClchatError('RATE_LIMITED');
    this.#enter(session, device.account);
    return { account: device.account, name: account.name };
  }

  #enter(session: Session, account: AccountId): void {
    // It may have gone while its entry was being sealed: its end, which would log it out, is over.
    if (session.account === account || session.exchange.ended) return;
    // The same device may come again before its old connection is known to be dead.
    const before = this.#listeners.ofDevice(session.device);
    session.account = account;
    session.active = this.#options.clock.monotonic();
    this.#listeners.add(account, session);
    this.presence.enter(account);
    if (before !== undefined && before !== session) {
      before.account = undefined;
      this.#listeners.remove(account, before);
      this.presence.leave(account);
      before.exchange.abort(new ClchatError('CLOSED', 'replaced by a newer connection'));
    }
    this.#options.conferences.life.deviceBack(account, session.device);
    this.#options.calls.life.deviceBack(account, session.device);
  }

  /** @param how `lost`: it may be back soon; `shut out`: not by the one who is logged in there */
  #leave(session: Session, how: 'lost' | 'logged out' | 'shut out'): void {
    const { account, device } = session;
    if (account === undefined) return;
    session.account = undefined;
    session.proved = undefined;
    session.since = this.#options.clock.monotonic();
    this.#listeners.remove(account, session);
    this.#options.onLeave(device);
    this.presence.leave(account);
    const { conferences, calls } = this.#options;
    if (how === 'lost') {
      conferences.life.deviceLost(account, device);
      calls.life.deviceLost(device);
    } else {
      conferences.life.deviceGone(account, device);
      calls.life.deviceGone(device, how === 'shut out');
    }
  }

  /** Tells all devices of an account that are connected of a conference. */
  tellConference(to: AccountId, event: ConferenceEvent): void {
    this.#listeners.tellConference(to, event);
  }

  /** Devices of an account that are connected. */
  devicesOf(account: AccountId): PublicKey[] {
    return this.#company.devicesOf(account);
  }

  /** Tells a device, if it is connected, of a call that it is in or that rings it. */
  tellCall(device: PublicKey, view: CallView): void {
    this.#listeners.tellCall(device, view);
  }

  /** Tells a device, if it is connected, of the call of a room that it is not in. */
  tellRoomCall(device: PublicKey, view: RoomCallView): void {
    this.#listeners.tellRoomCall(device, view);
  }

  /** Ends all sessions of an account. */
  putOut(account: AccountId, reason: string): void {
    for (const session of [...this.#listeners.of(account)]) this.#end(session, reason);
  }

  /** Ends the session of a device that its account has shut out. */
  revoke(device: PublicKey): void {
    const session = this.#listeners.ofDevice(device);
    if (session !== undefined) this.#end(session, 'revoked');
  }

  #end(session: Session, reason: string): void {
    session.exchange.notify('logout', { reason });
    this.#leave(session, 'shut out');
  }

  #sweep(): void {
    const { timeout, clock, conferences, calls } = this.#options;
    const now = clock.monotonic();
    for (const session of this.#sessions) {
      const { account, device } = session;
      const isBusy = (): boolean =>
        account !== undefined && (conferences.isBusy(account, device) || calls.isBusy(device));
      if (isBusy()) session.active = now;
      if (now - session.heard > SILENCE_MS)
        session.exchange.abort(new ClchatError('TIMEOUT', 'nothing was heard of it'));
      else if (account === undefined && now - session.since > STRANGER_MS)
        void session.exchange.close();
      else if (timeout > 0 && account !== undefined && now - session.active > timeout * 1_000)
        this.#end(session, 'timeout');
    }
  }

  stop(): void {
    clearInterval(this.#sweeper);
    for (const { exchange } of this.#sessions) void exchange.close();
  }
}
