/**
 * The client role: one account's device, at its server while there is a way to it, and by itself
 * while there is none.
 */
import type { AccountId, EntryId, PublicKey, RandomBytes } from '../../crdt/keys.ts';
import type { Store } from '../../crdt/store.ts';
import { isEncryptedRoom } from '../../crdt/rooms.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError, hasCode, type ErrorCode } from '../../errors.ts';
import { sleep, type Clock } from '../../lifecycle.ts';
import type { BlobStore } from '../blobs/store.ts';
import type { Target, Transport } from '../channel.ts';
import type { Notice } from '../exchange.ts';
import { matchesPassword, type Keystore } from '../keystore.ts';
import type { OpaqueClient } from '../opaque.ts';
import type { SESSION } from '../wire.ts';
import type { AdminNews } from './admin-news.ts';
import { Administration } from './administration.ts';
import { Auth, FIRST_PLACE, type SpacePlace } from './auth.ts';
import { Conferences, type ConferenceNews } from './conferences.ts';
import type { ContactNews } from './contacts.ts';
import { Files, type SendingNews } from './files.ts';
import { Home, type ContentNews } from './home.ts';
import { Link, type Hello } from './link.ts';
import type { Receipt } from './progress.ts';
import type { ReadMessage } from './reading.ts';
import type { RoomNews } from './room-news.ts';
import { Rooms } from './rooms.ts';
import { handBack } from './hand-back.ts';
import { inTurn } from './space-turn.ts';
import { SyncClient, toReceipt } from './sync.ts';

export interface ClientEvents {
  readonly onMessage: (message: ReadMessage) => void;
  readonly onContact: (news: ContactNews) => void;
  readonly onContent: (news: ContentNews) => void;
  /** As it happens only: not what happened while there was no way to the server. */
  readonly onAdmin: (news: AdminNews) => void;
  /** See `HomeOptions.onRoom`. */
  readonly onRoom: (news: RoomNews, isLive: boolean) => void;
  readonly onTyping: (notice: Notice<typeof SESSION, 'typing'>) => void;
  /** Of each conference in sight after a login, and whenever something is otherwise. */
  readonly onConference: (news: ConferenceNews) => void;
  /** How far a file of this device has got on its way to the server. */
  readonly onSending: (news: SendingNews) => void;
  readonly onReceipt: (receipt: Receipt) => void;
  readonly onRefused: (id: EntryId, code: ErrorCode) => void;
  readonly onPresence: (notice: Notice<typeof SESSION, 'presence'>) => void;
  readonly onBroadcast: (notice: Notice<typeof SESSION, 'broadcast'>) => void;
  /** The way to the server has come or gone; login is not touched by it. */
  readonly onConnected: (connected: boolean) => void;
  /** Logged out by the server, or by oneself. */
  readonly onLogout: (reason: string) => void;
  readonly onLocked: (name: string, seconds: number) => void;
  /** Something the person should know of. */
  readonly onNotice: (code: ErrorCode, text: string) => void;
  /** Faults, for the log. */
  readonly onFault: (error: unknown) => void;
}

export interface ClientOptions {
  readonly keystore: Keystore;
  readonly store: Store;
  /** Its key is the device's. */
  readonly transport: Transport;
  readonly opaque: OpaqueClient;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly label: string;
  /** Nobody listens in this run: news stay news for the next. */
  readonly isQuiet?: boolean;
  /** See `ReplicaOptions`. */
  readonly isParallel?: boolean;
  /** Where files of messages are kept; undefined: nowhere. */
  readonly blobs?: BlobStore;
  /** Where the server may be found now. */
  readonly addresses: () => readonly string[];
  readonly events: ClientEvents;
}

/** Waits between attempts to reconnect, in milliseconds; the last one repeats. */
const BACKOFF_MS = [0, 100, 300, 700, 1_500, 3_000, 4_500];
/** How long a logout waits for what is under way, in milliseconds. */
const LOGOUT_MS = 2_000;
/** How often at most it is told that a text is being typed, in milliseconds. */
const TYPING_APART_MS = 3_000;
/** A moment of one's own, so that not all come back at once. */
const JITTER = 0.1;

export class Client {
  readonly #options: ClientOptions;
  readonly rooms: Rooms;
  readonly administration: Administration;
  readonly conferences: Conferences;
  /** Files of messages; undefined where none are kept. */
  readonly files: Files | undefined;
  readonly #auth: Auth;
  /** Where a text was last being typed, and when it was told: monotonic, in milliseconds. */
  #typed: { readonly stream: StreamName; readonly at: number } | undefined;
  #home: Home | undefined;
  #link: Link | undefined;
  #sync: SyncClient | undefined;
  /** Logged in, as far as the person is concerned: the server may be away. */
  #loggedIn = false;
  /** How far the server's wall clock was ahead when it last said hello, in milliseconds. */
  #ahead = 0;
  #keeping: Promise<void> | undefined;
  #stop = new AbortController();
  #retryNow = new AbortController();

  private constructor(options: ClientOptions) {
    this.#options = options;
    const { keystore, opaque, clock, random, label } = options;
    this.#auth = new Auth({ keystore, opaque, clock, random, label });
    const common = {
      home: () => this.home,
      link: () => this.#connectedLink(),
      opaque,
      random,
      sign: (link: Link, kind: string, body: unknown, place: SpacePlace) =>
        this.#auth.spaceEntry(link, kind, body, place),
    };
    this.rooms = new Rooms(common);
    const { blobs, transport, events } = options;
    this.files =
      blobs &&
      new Files({
        store: blobs,
        transport,
        clock,
        random,
        home: () => this.#home,
        mayServe: () => this.#loggedIn,
        link: () => (this.#sync === undefined ? undefined : this.#link),
        server: () => this.#target,
        onSending: events.onSending,
        onFault: events.onFault,
      });
    this.administration = new Administration(common);
    const { onConference, onFault } = options.events;
    this.conferences = new Conferences({
      ...common,
      rooms: this.rooms,
      onNews: onConference,
      onFault,
    });
  }

  static async open(options: ClientOptions): Promise<Client> {
    const client = new Client(options);
    const { account, server } = options.keystore.read();
    if (account !== undefined && server !== undefined)
      await client.#openHome(account.id, server.key);
    return client;
  }

  async #openHome(account: AccountId, server: PublicKey): Promise<Home> {
    const { keystore, store, clock, random, events } = this.#options;
    const { isQuiet = false, isParallel = false } = this.#options;
    if (this.#home !== undefined && this.#home.account !== account) {
      // The server has forgotten the one account, and this is another.
      await this.#home.close();
      this.#home = undefined;
    }
    this.#home ??= await Home.open({
      keystore,
      store,
      server,
      account,
      clock,
      random,
      isQuiet,
      isParallel,
      onMessage: events.onMessage,
      onContact: events.onContact,
      onContent: events.onContent,
      onAdmin: (news) => {
        if (this.connected) events.onAdmin(news);
      },
      onRoom: events.onRoom,
      hasFile: (file) => this.files?.has(file) === true,
      onErasing: async (log, entries) => this.files?.erase(log, entries),
      onReceipt: events.onReceipt,
      onRefused: events.onRefused,
      onSpace: () => undefined,
      onFault: events.onFault,
    });
    return this.#home;
  }

  get connected(): boolean {
    return this.#sync !== undefined;
  }

  get loggedIn(): boolean {
    return this.#loggedIn;
  }

  /** Key of the server, once one is known. */
  get server(): PublicKey | undefined {
    return this.#link?.server ?? this.#options.keystore.read().server?.key;
  }

  get hello(): Hello | undefined {
    return this.#link?.hello;
  }

  /** The server's wall clock, as far as it is known here, in milliseconds since 1970. */
  serverTime(): number {
    return this.#options.clock.now() + this.#ahead;
  }

  /** Where the server was reached. */
  get address(): string | undefined {
    return this.#link?.address;
  }

  /** The replica and what works on it. @throws NOT_LOGGED_IN */
  get home(): Home {
    if (this.#home === undefined || !this.#loggedIn) throw new ClchatError('NOT_LOGGED_IN');
    return this.#home;
  }

  /** The session. @throws NOT_LOGGED_IN, NETWORK (the server is away) */
  get session(): Link['session'] {
    if (!this.#loggedIn) throw new ClchatError('NOT_LOGGED_IN');
    if (this.#link === undefined || this.#link.ended) throw new ClchatError('NETWORK');
    return this.#link.session;
  }

  get #target(): Target {
    const key = this.#options.keystore.read().server?.key;
    return { addresses: this.#options.addresses(), key };
  }

  /**
   * Connects to the server, without logging in.
   * @throws NETWORK, TIMEOUT, SERVER_KEY_CHANGED, VERSION, BAD_MESSAGE
   */
  async connect(): Promise<Hello> {
    if (this.#link !== undefined && !this.#link.ended) return this.#link.hello;
    const { transport, events } = this.#options;
    const link = await Link.open(
      transport,
      this.#target,
      {
        onPresence: events.onPresence,
        onBroadcast: events.onBroadcast,
        onTyping: events.onTyping,
        onConference: (news) => this.conferences.take(news),
        onConferences: () => void this.conferences.refresh(),
        onLogout: (reason) => this.#loggedOut(link, reason),
        onFault: events.onFault,
      },
      this.#stop.signal,
    );
    try {
      await this.#handBack(link);
    } catch (error) {
      // Logged in all the same, this device would take over what the server has made of its loss.
      link.abort(new ClchatError('CLOSED'));
      throw error;
    }
    this.#link = link;
    this.#ahead = link.hello.time - this.#options.clock.now();
    return link.hello;
  }

  /** A server in a new term may have been restored from a backup, and lack what is here. */
  async #handBack(link: Link): Promise<void> {
    const replica = this.#home?.replica;
    if (replica === undefined || link.hello.term <= replica.log.headOf('space').term) return;
    try {
      await handBack(await link.openSync(), replica);
      await this.files?.offer();
      await link.refresh();
    } catch (error) {
      // Nothing of ours is wanted: what the streams say differently is settled when they are compared.
      if (!hasCode(error, 'BAD_ENTRY')) throw error;
      this.#options.events.onFault(error);
    }
  }

  #connectedLink(): Link {
    if (this.#link === undefined || this.#link.ended) throw new ClchatError('NETWORK');
    return this.#link;
  }

  /**
   * Logs in as the account this device belongs to, by the device's key.
   * @param password where the person gave one: it has to be right
   * @throws REVOKED, NOT_LOGGED_IN (the server does not know the device), BAD_PASSWORD, LOCKED
   */
  async loginDevice(password?: string): Promise<void> {
    const link = this.#connectedLink();
    const { hello } = link;
    if (hello.revoked) throw new ClchatError('REVOKED');
    if (hello.account === null) throw new ClchatError('NOT_LOGGED_IN');
    const { name, passwordVersion } = hello.account;
    if (password !== undefined && passwordVersion > 0)
      await this.#checkPassword(link, name, password, passwordVersion);
    await link.session.call('login', {});
    await this.#enter(link, hello.account.id);
  }

  /** Here where this device can tell, else at the server, where a wrong one counts. */
  async #checkPassword(link: Link, name: string, password: string, version: number): Promise<void> {
    const record = this.#options.keystore.read();
    if (record.account?.passwordVersion === version && (await matchesPassword(record, password)))
      return;
    await this.#auth.prove(link, name, password, (seconds) =>
      this.#options.events.onLocked(name, seconds),
    );
    await this.#auth.remember(password, version);
  }

  /** Logs in with a password, adding this device to the account. @throws as `Auth.enrol` */
  async loginPassword(name: string, password: string): Promise<void> {
    const link = this.#connectedLink();
    const { onLocked } = this.#options.events;
    const account = await this.#auth.enrol(link, name, password, (seconds) =>
      onLocked(name, seconds),
    );
    await this.#enter(link, account);
  }

  /** Makes a new account, by the code of an invitation where there is one. @throws as `Auth.register` */
  async register(name: string, password: string | undefined, code?: string): Promise<void> {
    const link = this.#connectedLink();
    await this.#enter(link, await this.#auth.register(link, name, password, code));
  }

  /** Redeems a reset code. @throws as `Auth.recover` */
  async recover(name: string, code: string, password: string): Promise<void> {
    const link = this.#connectedLink();
    const place = this.#home?.spacePlace ?? FIRST_PLACE;
    await this.#enter(link, await this.#auth.recover(link, name, code, password, place));
  }

  /** Whether a name exists, and whether with a password. */
  lookup(name: string): Promise<{ exists: boolean; password: boolean }> {
    return this.#connectedLink().session.call('lookup', { name });
  }

  /**
   * Begins from the replica, the server being away.
   * @throws NOT_LOGGED_IN when there is none; BAD_PASSWORD
   */
  async startAway(password?: string): Promise<void> {
    const record = this.#options.keystore.read();
    // A replica without its own account was cut off before it had anything to begin from.
    if (this.#home?.record === undefined) throw new ClchatError('NOT_LOGGED_IN');
    if (
      password !== undefined &&
      record.account?.verifier !== undefined &&
      !(await matchesPassword(record, password))
    )
      throw new ClchatError('BAD_PASSWORD');
    this.#loggedIn = true;
    this.#keep();
  }

  async #enter(link: Link, account: AccountId): Promise<void> {
    const home = await this.#openHome(account, link.server);
    await this.#attach(link, home);
    this.#loggedIn = true;
    this.#keep();
    void this.conferences.resume();
  }

  /** Brings the replica up to date over a link that is logged in, and keeps it so. */
  async #attach(link: Link, home: Home): Promise<void> {
    const { events } = this.#options;
    const channel = await link.openSync();
    const sync = new SyncClient(channel, {
      replica: home.replica,
      inbox: home.inbox,
      onAdopted: (stream) => {
        // Whoever comes into a room is told of what is said from then on.
        const place = placeOfStream(stream);
        if (place.type === 'room' && isEncryptedRoom(home.space, place.room))
          home.inbox.skip(stream);
        home.unread.adopted(stream);
        home.outbox.resend(stream);
      },
      onLost: (stream) => home.lose(stream),
      onReceipts: (receipts) => {
        for (const receipt of receipts) home.progress.update(receipt);
      },
      onForked: (stream, until) => this.#forked(home, stream, until),
      onFault: events.onFault,
    });
    sync.exchange.onEnd(() => link.abort(new ClchatError('CLOSED')));
    await sync.open();
    // What came meanwhile is told with the login, and in its order.
    await home.told();
    await home.refreshKeyrings();
    this.#sync = sync;
    home.outbox.attach(sync.exchange);
    await this.conferences.refresh();
    link.session.notify('reachable', {
      addresses: this.#options.transport.addresses().slice(0, 32),
    });
    // What names them goes first.
    void home.outbox.settled().then(() => this.files?.send());
    this.#askReceipts(sync, home).catch(events.onFault);
  }

  /** How far what was said before has got meanwhile. */
  async #askReceipts({ exchange }: SyncClient, { progress }: Home): Promise<void> {
    const open = progress.open();
    for (let i = 0; i < open.length; i += 500) {
      const { receipts } = await exchange.call('receipts', { ids: open.slice(i, i + 500) });
      for (const receipt of receipts.map(toReceipt)) progress.update(receipt);
    }
  }

  async #forked(home: Home, stream: StreamName, until: number): Promise<void> {
    this.#options.events.onNotice(
      'STALE',
      'The server continues from an older state; what it lacks of yours is sent again.',
    );
    const also = [
      ...home.inbox.rewindOperations(stream, until),
      ...home.search.rewindOperations(stream),
    ];
    await home.replica.rewind(stream, until, also);
    home.inbox.rewind(stream, until);
    home.unread.forget(stream);
  }

  /** Watches the connection, and brings it back as long as the person is logged in. */
  #keep(): void {
    this.#keeping ??= this.#reconnecting().finally(() => (this.#keeping = undefined));
  }

  async #reconnecting(): Promise<void> {
    const { events } = this.#options;
    while (this.#loggedIn && !this.#stop.signal.aborted) {
      const link = this.#link;
      if (link !== undefined && !link.ended && this.#sync !== undefined)
        await new Promise<void>((resolve) => link.onEnd(resolve));
      const was = this.#sync !== undefined;
      this.#detach();
      if (!this.#loggedIn || this.#stop.signal.aborted) return;
      if (was) events.onConnected(false);
      await this.#reconnect();
    }
  }

  #detach(): void {
    this.#sync = undefined;
    this.#home?.outbox.attach(undefined);
  }

  async #reconnect(): Promise<void> {
    const { events, random } = this.#options;
    for (let attempt = 0; this.#loggedIn && !this.#stop.signal.aborted; attempt++) {
      const base = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)]!;
      const spread = 1 + (random(1)[0]! / 255) * JITTER;
      await sleep(base * spread, AbortSignal.any([this.#stop.signal, this.#retryNow.signal]));
      if (this.#retryNow.signal.aborted) this.#retryNow = new AbortController();
      try {
        await this.connect();
        const link = this.#connectedLink();
        await link.session.call('login', {});
        await this.#attach(link, this.#home!);
        events.onConnected(true);
        void this.conferences.resume();
        return;
      } catch (error) {
        this.#link?.abort(new ClchatError('CLOSED'));
        this.#link = undefined;
        this.#detach();
        if (hasCode(error, 'REVOKED')) return this.#loggedOut(undefined, 'revoked');
        if (hasCode(error, 'BANNED')) return this.#loggedOut(undefined, 'banned');
        if (hasCode(error, 'NOT_LOGGED_IN')) return this.#loggedOut(undefined, 'unknown device');
        if (hasCode(error, 'SERVER_KEY_CHANGED')) events.onNotice(error.code, error.message);
        else events.onFault(error);
      }
    }
  }

  /** The addresses have changed: there is no point in waiting any longer. */
  retryNow(): void {
    this.#retryNow.abort();
  }

  #loggedOut(link: Link | undefined, reason: string): void {
    if (!this.#loggedIn || (link !== undefined && link !== this.#link)) return;
    this.#loggedIn = false;
    this.#leave(reason);
  }

  #leave(reason: string): void {
    this.#detach();
    this.files?.pause();
    this.conferences.reset();
    this.#options.events.onLogout(reason);
    void this.#link?.close();
    this.#link = undefined;
  }

  /** Logs out; the device stays the account's. */
  async logout(): Promise<void> {
    if (!this.#loggedIn) throw new ClchatError('NOT_LOGGED_IN');
    // What was said before goes out before.
    await Promise.race([this.settle(), sleep(LOGOUT_MS)]);
    const link = this.#link;
    // A connection that ends from here on is not to be brought back.
    this.#loggedIn = false;
    if (link !== undefined && !link.ended)
      await link.session.call('logout', {}).catch(this.#options.events.onFault);
    this.#leave('logout');
  }

  /** A person is at work: not to be logged out for inactivity. */
  touch(): void {
    if (this.#loggedIn && this.#link !== undefined && !this.#link.ended)
      this.#link.session.notify('active', {});
  }

  /** A text is being typed in a conversation: those who read it may be told, while they are there. */
  typing(stream: StreamName): void {
    const at = this.#options.clock.monotonic();
    const before = this.#typed;
    const isRepeated = before?.stream === stream && at - before.at < TYPING_APART_MS;
    if (!this.connected || isRepeated) return;
    this.#typed = { stream, at };
    this.#link?.session.notify('typing', { stream });
  }

  /**
   * Proves that this person knows the password of another account, as a login there would, for what
   * is submitted next. @throws as `Auth.prove`
   */
  async proveOther(name: string, password: string): Promise<void> {
    // A lock of the other account is not this person's: the error tells of it.
    await this.#auth.prove(this.#connectedLink(), name, password, () => undefined);
  }

  /** Changes the password; see `Auth.changePassword`. One made by somebody else takes its keyring along. */
  async changePassword(old: string | undefined, fresh: string): Promise<void> {
    const { home } = this;
    const record = home.record;
    if (record === undefined) throw new ClchatError('NETWORK');
    if (record.password !== null && old === undefined)
      throw new ClchatError('USAGE', 'Give the old password as well.');
    const { keyring, renewal } =
      record.mustChange === true
        ? home.keyrings.renew(home.devices().map(({ key }) => key))
        : { keyring: home.keyrings.present, renewal: undefined };
    if (renewal !== undefined) await home.keyrings.keep([keyring]);
    const change = {
      name: record.name,
      old: record.password === null ? undefined : old,
      fresh,
      keyring,
      renewal,
      version: record.passwordVersion,
    };
    const { onLocked } = this.#options.events;
    await inTurn(home, (place) =>
      this.#auth.changePassword(this.#connectedLink(), change, place, (seconds) =>
        onLocked(record.name, seconds),
      ),
    );
  }

  /** Fetches what the replica lacks of a conversation, as far as `enough` asks for. */
  async fetchOlder(stream: StreamName, enough: () => Promise<boolean>): Promise<void> {
    if (this.#sync === undefined || this.#sync.exchange.ended) return;
    const place = placeOfStream(stream);
    const isEncrypted = place.type === 'room' && isEncryptedRoom(this.home.space, place.room);
    // Whoever is not in it any more reads what is here.
    if (isEncrypted && !(await this.rooms.isMember(place.room))) return;
    await this.#sync.fetchOlder(stream, enough);
  }

  /** Resolves when everything under way has been finished, as far as it can be. */
  async settle(): Promise<void> {
    if (this.#home === undefined) return;
    await this.#home.unread.flush();
    await this.#home.outbox.settled();
    await this.#home.settled();
    await this.files?.send();
  }

  async stop(): Promise<void> {
    // To go on purpose is not to lose the connection.
    if (this.#loggedIn && this.#link?.ended === false) this.#link.session.notify('leaving', {});
    this.#loggedIn = false;
    this.#stop.abort();
    await this.files?.stop();
    await this.#link?.close();
    await this.#keeping;
    await this.#home?.close();
  }
}
