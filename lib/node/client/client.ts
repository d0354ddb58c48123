/**
 * The client role: one account's device, at its server while there is a way to it, and by itself
 * while there is none.
 */
import type { AccountId, PublicKey, RandomBytes, VerifyAll } from '../../crdt/keys.ts';
import type { Store } from '../../crdt/store.ts';
import { isEncryptedRoom } from '../../crdt/rooms.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import { sleep, type Clock } from '../../lifecycle.ts';
import type { BlobStore } from '../blobs/store.ts';
import type { Relay, Target, Transport } from '../channel.ts';
import type { Keystore } from '../keystore.ts';
import type { OpaqueClient } from '../opaque.ts';
import { PrivateSessions } from '../private/sessions.ts';
import { Administration } from './administration.ts';
import { Access, type Entrance } from './access.ts';
import { Auth, type SpacePlace } from './auth.ts';
import { Calling } from './calling.ts';
import { Conferences } from './conferences.ts';
import type { ClientEvents } from './events.ts';
import { Files } from './files.ts';
import { Home } from './home.ts';
import type { Hello, Link } from './link.ts';
import { Rooms } from './rooms.ts';
import { ServerConnection } from './server-connection.ts';

export type { ClientEvents };

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
  readonly verifyAll?: VerifyAll;
  /** Where files of messages are kept; undefined: nowhere. */
  readonly blobs?: BlobStore;
  /** Where the server may be found now. */
  readonly addresses: () => readonly string[];
  /** Its key, where that is known before this device has been there. */
  readonly server?: PublicKey | undefined;
  /** The server as a relay, where others reach it by other addresses than this device does. */
  readonly relay?: (() => Relay) | undefined;
  readonly events: ClientEvents;
}

/** How long a logout waits for what is under way, in milliseconds. */
const LOGOUT_MS = 2_000;
/** How often at most it is told that a text is being typed, in milliseconds. */
const TYPING_APART_MS = 3_000;

export class Client {
  readonly #options: ClientOptions;
  readonly rooms: Rooms;
  readonly administration: Administration;
  readonly conferences: Conferences;
  /** What is said to others without the server. */
  readonly privately: PrivateSessions;
  readonly calling: Calling;
  /** Files of messages; undefined where none are kept. */
  readonly files: Files | undefined;
  readonly #access: Access;
  readonly #server: ServerConnection;
  /** Where a text was last being typed, and when it was told: monotonic, in milliseconds. */
  #typed: { readonly stream: StreamName; readonly at: number } | undefined;
  #home: Home | undefined;
  /** Logged in, as far as the person is concerned: the server may be away. */
  #loggedIn = false;

  private constructor(options: ClientOptions) {
    this.#options = options;
    const { keystore, opaque, clock, random, label } = options;
    const auth = new Auth({ keystore, opaque, clock, random, label });
    this.#access = new Access({
      auth,
      keystore,
      link: () => this.#server.live,
      home: () => this.#home,
      onLocked: options.events.onLocked,
    });
    const common = {
      home: () => this.home,
      link: () => this.#server.live,
      opaque,
      random,
      sign: (link: Link, kind: string, body: unknown, place: SpacePlace) =>
        auth.spaceEntry(link, kind, body, place),
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
        link: () => (this.connected ? this.#server.link : undefined),
        server: () => this.#target,
        onSending: events.onSending,
        onFault: events.onFault,
      });
    const toOthers = {
      transport,
      clock,
      random,
      home: () => (this.#loggedIn ? this.#home : undefined),
      session: () => (this.connected ? this.#server.link?.session : undefined),
      relay: () => this.#relay,
      onFault: events.onFault,
    };
    const isHeard = options.isQuiet !== true;
    this.privately = new PrivateSessions({
      ...toOthers,
      onNews: isHeard ? events.onPrivate : undefined,
    });
    this.calling = new Calling({
      ...toOthers,
      link: common.link,
      rooms: () => this.rooms,
      events: isHeard ? events.onCalls : undefined,
    });
    this.administration = new Administration(common);
    const { onConference, onFault } = options.events;
    this.conferences = new Conferences({
      ...common,
      rooms: this.rooms,
      onNews: onConference,
      onFault,
    });
    this.#server = new ServerConnection({
      transport,
      clock,
      random,
      target: () => this.#target,
      relay: () => this.#relay,
      home: () => this.#home,
      isWanted: () => this.#loggedIn,
      events: {
        onPresence: events.onPresence,
        onBroadcast: events.onBroadcast,
        onTyping: events.onTyping,
        onConference: (news) => this.conferences.take(news),
        onConferences: () => void this.conferences.refresh(),
        onCall: (call) => this.calling.calls.take(call),
        onRoomCall: (call) => this.calling.calls.takeRoom(call),
        onFault,
      },
      onHandedBack: async () => this.files?.offer(),
      onAttached: () => this.conferences.refresh(),
      onSent: async () => this.files?.send(),
      onConnected: (connected) => {
        events.onConnected(connected);
        if (connected) this.#resume();
      },
      onLogout: (reason) => {
        if (this.#loggedIn) this.#leave(reason);
      },
      onNotice: events.onNotice,
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
    const { isQuiet = false, verifyAll } = this.#options;
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
      verifyAll,
      onMessage: (message) => {
        if (message.file !== undefined) this.files?.heardOf(message.file);
        events.onMessage(message);
      },
      onContact: events.onContact,
      onMissedCall: events.onMissedCall,
      onContent: events.onContent,
      onAdmin: (news) => {
        if (this.connected) events.onAdmin(news);
      },
      onRoom: events.onRoom,
      hasFile: (file) => this.files?.has(file) === true,
      onErasing: async (log, entries) => this.files?.erase(log, entries),
      onReceipt: events.onReceipt,
      onRefused: events.onRefused,
      onRules: () => events.onCalls?.onRules(),
      onFault: events.onFault,
    });
    return this.#home;
  }

  get connected(): boolean {
    return this.#server.sync !== undefined;
  }

  get loggedIn(): boolean {
    return this.#loggedIn;
  }

  /** Key of the server, once one is known. */
  get server(): PublicKey | undefined {
    return this.#server.link?.server ?? this.#options.keystore.read().server?.key;
  }

  get hello(): Hello | undefined {
    return this.#server.link?.hello;
  }

  /** The server's wall clock, as far as it is known here, in milliseconds since 1970. */
  serverTime(): number {
    return this.#server.serverTime();
  }

  /** Where the server was reached. */
  get address(): string | undefined {
    return this.#server.link?.address;
  }

  /** The replica and what works on it. @throws NOT_LOGGED_IN */
  get home(): Home {
    if (this.#home === undefined || !this.#loggedIn) throw new ClchatError('NOT_LOGGED_IN');
    return this.#home;
  }

  /** The session. @throws NOT_LOGGED_IN, NETWORK (the server is away) */
  get session(): Link['session'] {
    if (!this.#loggedIn) throw new ClchatError('NOT_LOGGED_IN');
    return this.#server.live.session;
  }

  /** The server, where others may be reached through it. */
  get #relay(): Relay | undefined {
    if (this.hello?.relay !== true) return undefined;
    const { addresses, key } = this.#target;
    return this.#options.relay?.() ?? (key && { addresses, key });
  }

  get #target(): Target {
    const key = this.#options.keystore.read().server?.key ?? this.#options.server;
    return { addresses: this.#options.addresses(), key };
  }

  /**
   * Connects to the server, without logging in.
   * @throws NETWORK, TIMEOUT, SERVER_KEY_CHANGED, VERSION, BAD_MESSAGE
   */
  connect(): Promise<Hello> {
    return this.#server.connect();
  }

  /** See `Access.byDevice`. */
  async loginDevice(password?: string): Promise<void> {
    await this.#enter(await this.#access.byDevice(password));
  }

  /** See `Access.byPassword`. */
  async loginPassword(name: string, password: string): Promise<void> {
    await this.#enter(await this.#access.byPassword(name, password));
  }

  /** See `Access.register`. */
  async register(name: string, password: string | undefined, code?: string): Promise<void> {
    await this.#enter(await this.#access.register(name, password, code));
  }

  /** See `Access.recover`. */
  async recover(name: string, code: string, password: string): Promise<void> {
    await this.#enter(await this.#access.recover(name, code, password));
  }

  /** Whether a name exists, and whether with a password. @throws NETWORK */
  async lookup(name: string): Promise<{ exists: boolean; password: boolean }> {
    return this.#server.live.session.call('lookup', { name });
  }

  /**
   * Begins from the replica, the server being away.
   * @throws NOT_LOGGED_IN when there is none; BAD_PASSWORD
   */
  async startAway(password?: string): Promise<void> {
    // A replica without its own account was cut off before it had anything to begin from.
    if (this.#home?.record === undefined) throw new ClchatError('NOT_LOGGED_IN');
    if (password !== undefined && (await this.#access.isKnown(password)) === false)
      throw new ClchatError('BAD_PASSWORD');
    this.#loggedIn = true;
    this.#server.keep();
  }

  async #enter({ link, account }: Entrance): Promise<void> {
    const home = await this.#openHome(account, link.server);
    await this.#server.attach(link, home);
    this.#loggedIn = true;
    this.#server.keep();
    this.#resume();
  }

  /** Takes up what goes on at the server only. */
  #resume(): void {
    void this.conferences.resume();
    void this.calling.calls.resume();
  }

  /** This host has other addresses, or was asleep: finds out what is still connected, and connects. */
  networkChanged(): void {
    this.#server.networkChanged();
    this.#options.events.onCalls?.onNetworkChanged();
  }

  #leave(reason: string): void {
    void this.privately.stopAll();
    this.calling.stop().catch(this.#options.events.onFault);
    this.#loggedIn = false;
    this.#server.drop();
    this.files?.pause();
    this.conferences.reset();
    this.#options.events.onLogout(reason);
  }

  /** Logs out; the device stays the account's. */
  async logout(): Promise<void> {
    if (!this.#loggedIn) throw new ClchatError('NOT_LOGGED_IN');
    // What was said before goes out before.
    await Promise.race([this.settle(), sleep(LOGOUT_MS)]);
    await Promise.all([this.privately.stopAll(), this.calling.stop()]);
    const { link } = this.#server;
    // A connection that ends from here on is not to be brought back.
    this.#loggedIn = false;
    if (link !== undefined && !link.ended)
      await link.session.call('logout', {}).catch(this.#options.events.onFault);
    this.#leave('logout');
  }

  /** A person is at work: not to be logged out for inactivity. */
  touch(): void {
    const { link } = this.#server;
    if (this.#loggedIn && link?.ended === false) link.session.notify('active', {});
  }

  /** A text is being typed in a conversation: those who read it may be told, while they are there. */
  typing(stream: StreamName): void {
    const at = this.#options.clock.monotonic();
    const before = this.#typed;
    const isRepeated = before?.stream === stream && at - before.at < TYPING_APART_MS;
    if (!this.connected || isRepeated) return;
    this.#typed = { stream, at };
    this.#server.link?.session.notify('typing', { stream });
  }

  /** See `Access.proveOther`. */
  async proveOther(name: string, password: string): Promise<void> {
    await this.#access.proveOther(name, password);
  }

  /** See `Access.changePassword`. @throws NOT_LOGGED_IN */
  async changePassword(old: string | undefined, fresh: string): Promise<void> {
    await this.#access.changePassword(this.home, old, fresh);
  }

  /** Fetches what the replica lacks of a conversation, as far as `enough` asks for. */
  async fetchOlder(stream: StreamName, enough: () => Promise<boolean>): Promise<void> {
    const { sync } = this.#server;
    if (sync === undefined || sync.exchange.ended) return;
    const place = placeOfStream(stream);
    const isEncrypted = place.type === 'room' && isEncryptedRoom(this.home.space, place.room);
    // Whoever is not in it any more reads what is here.
    if (isEncrypted && !(await this.rooms.isMember(place.room))) return;
    await sync.fetchOlder(stream, enough);
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
    const { link } = this.#server;
    // To go on purpose is not to lose the connection.
    if (this.#loggedIn && link?.ended === false) link.session.notify('leaving', {});
    await Promise.all([this.privately.stopAll(), this.calling.stop()]);
    this.#loggedIn = false;
    this.#server.abort();
    await this.files?.stop();
    await this.#server.stop();
    await this.#home?.close();
  }
}
