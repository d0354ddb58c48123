/**
 * The composition root and the App: puts the peers together and carries out commands. Data flows one
 * way: the front ends call `execute`, and hear of everything else by events.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import {
  listenAddress,
  restoreServer,
  startServerPeer,
  type ServerPeer,
} from './app/server-peer.ts';
import { openClientPeer, type ClientPeer } from './app/client-peer.ts';
import { enterAccount, isAway, type Credentials, type LoginOptions } from './app/entering.ts';
import { HANDLERS, newPassword } from './app/handlers.ts';
import { Places } from './app/places.ts';
import {
  candidates,
  findServer,
  probe,
  remembered,
  type Found,
  type SearchOptions,
} from './app/finding.ts';
import type {
  App,
  AppEvent,
  AppStatus,
  Ask,
  CommandCall,
  ResultData,
  ServerView,
} from './app/types.ts';
import { viewOf } from './app/views.ts';
import type { RandomBytes } from './crdt/keys.ts';
import { ADMIN_GROUP } from './crdt/permissions.ts';
import type { RoomRecord } from './crdt/records.ts';
import { ClchatError, codeOf, textOf } from './errors.ts';
import { sleep, systemClock, type Clock } from './lifecycle.ts';
import type { Log } from './log.ts';
import type { ClientEvents } from './node/client/client.ts';
import type { ReadMessage } from './node/client/conversations.ts';
import type { Home } from './node/client/home.ts';
import { peerIdOf } from './node/peer-id.ts';
import { clean, fold, isName } from './text.ts';

export interface AppOptions {
  /** Everything in this directory; undefined: the user's data directory. */
  readonly data: string | undefined;
  /** Seals keys at rest in place of a key file. */
  readonly passphrase: string | undefined;
  readonly blockDuration: number;
  readonly timeout: number;
  readonly inviteOnly: boolean;
  /** Nobody listens to events: messages that come in stay news for the next run. */
  readonly isQuiet: boolean;
  readonly log: Log;
}

/** How long the word that somebody is admin may take within this process, in milliseconds. */
const CROWNED_MS = 2_000;
const NO_CREDENTIALS: Credentials = { password: undefined, code: undefined };

/** Makes somebody the admin of the server in this process, and has his own client know it. */
async function crown({ server }: ServerPeer, home: Home): Promise<void> {
  await server.crown(home.name);
  const end = performance.now() + CROWNED_MS;
  while (home.record?.group !== ADMIN_GROUP && performance.now() < end) await sleep(5);
}

export class ClchatApp implements App {
  readonly #options: AppOptions;
  readonly #clock: Clock = systemClock;
  readonly #random: RandomBytes = (length) => randomBytes(length);
  readonly #listeners = new Set<(event: AppEvent) => void>();
  readonly #early: AppEvent[] = [];
  /** Messages that came in with a login, told once it is complete. */
  #arrived: ReadMessage[] = [];
  readonly #places: Places;
  #server: ServerPeer | undefined;
  #client: ClientPeer | undefined;
  /** The server that logins go to. */
  #found: Found | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#places = new Places(options.data);
  }

  // Ways in.

  /** Starts the server peer in this process. @throws as `startServerPeer` */
  async serve(name: string, listen: string | undefined): Promise<void> {
    if (this.#server !== undefined) throw new ClchatError('ALREADY', 'A server runs here already.');
    if (!isName(name)) throw new ClchatError('BAD_NAME');
    const { passphrase, blockDuration, timeout, inviteOnly, log } = this.#options;
    // Checked before anything is made on disk for it.
    const address = listen === undefined ? undefined : listenAddress(listen);
    const server = await startServerPeer({
      profile: await this.#places.server(name),
      name,
      listen: address,
      passphrase,
      blockDuration,
      timeout,
      inviteOnly,
      clock: this.#clock,
      random: this.#random,
      log,
    });
    this.#server = server;
    this.#found = {
      key: server.key,
      name: server.server.name,
      addresses: () => [server.key],
      join: (key) => server.loopback.join(key),
      stop: () => undefined,
    };
  }

  /**
   * Finds the server to join: at an address, or on the LAN.
   * @param where.mustAnswer ask it even where its key is known from before
   * @throws NO_SERVER, AMBIGUOUS_SERVER, MULTICAST_BLOCKED, NETWORK, SERVER_KEY_CHANGED
   */
  async find(
    where: { connect?: string; server?: string; user?: string; mustAnswer?: boolean },
    ask: Ask | undefined,
  ): Promise<void> {
    this.#found?.stop();
    this.#found = undefined;
    const { connect, server } = where;
    const known = await this.#places.known(where.user);
    try {
      if (connect !== undefined) await this.#findAt(connect, where.mustAnswer);
      else {
        const mayBeAway = known.length > 0 && server === undefined && ask === undefined;
        await this.#findOnLan({ name: server, known, mayBeAway, ask });
      }
    } catch (error) {
      const profile = await this.#places.meant(known, where);
      if (!isAway(error) || profile === undefined) throw error;
      // Known from before: one reads and writes while the server is away.
      this.#options.log.fault(error);
      this.#found = remembered(profile, connect);
    }
  }

  async #findAt(address: string, mustAnswer = false): Promise<void> {
    const known = mustAnswer ? undefined : await this.#places.serverAt(address);
    this.#found =
      known === undefined
        ? await probe(address, this.#random, this.#options.log)
        : { ...known, addresses: () => candidates(address), stop: () => undefined };
    await this.#places.trust(address, this.#found);
  }

  /** Where nothing is found, a person may know the address. */
  async #findOnLan(search: SearchOptions): Promise<void> {
    try {
      this.#found = await findServer(search);
    } catch (error) {
      if (search.ask === undefined || !isAway(error)) throw error;
      this.#emit({ event: 'notice', code: codeOf(error), text: (error as Error).message });
      const address = await search.ask.line(
        'No server was found by itself. Its address (IP:PORT), or nothing to give up',
      );
      if (address === '') throw error;
      return this.#findAt(address);
    }
    await this.#places.trust(this.#found.name, this.#found);
  }

  /**
   * Logs in, or registers where the name is new.
   * @throws NO_SUCH_USER, BAD_PASSWORD, LOCKED, BAD_CODE, BAD_NAME, REVOKED, NETWORK
   */
  async login(
    name: string,
    credentials: Credentials,
    ask: Ask | undefined,
    options: LoginOptions,
  ): Promise<{ user: string; created: boolean }> {
    const found = this.#found;
    if (found === undefined) throw new ClchatError('NETWORK', 'Connect to a server first.');
    if (!isName(name)) throw new ClchatError('BAD_NAME');
    if (this.#client?.client.loggedIn === true)
      throw new ClchatError('ALREADY', 'Log out first ("logout").');
    await this.#client?.stop();
    this.#client = undefined;
    this.#arrived = [];
    const peer = await this.#open(found, name);
    try {
      const created = await enterAccount(peer, name, {
        ...options,
        credentials,
        ask,
        server: found.key,
        isHost: this.#server !== undefined,
        onWrongPassword: (text) => this.#emit({ event: 'notice', code: 'BAD_PASSWORD', text }),
      });
      this.#tellArrived();
      const { home } = peer.client;
      const serverName = home.serverName || found.name;
      await peer.profile.describe({ server: found.key, serverName, user: home.name });
      // Whoever starts a server at its own console is its admin.
      if (this.#server !== undefined) await crown(this.#server, home);
      return { user: peer.client.home.name, created };
    } catch (error) {
      if (this.#client === peer) this.#client = undefined;
      await peer.stop();
      throw error;
    }
  }

  async #open(found: Found, name: string): Promise<ClientPeer> {
    const { passphrase, log } = this.#options;
    const peer = await openClientPeer({
      profile: await this.#places.client(found, name),
      passphrase,
      inherit: this.#server && { directory: this.#server.directory, user: name },
      label: hostname().slice(0, 64),
      isQuiet: this.#options.isQuiet,
      addresses: found.addresses,
      ...(found.join === undefined ? {} : { join: found.join }),
      events: this.#clientEvents(),
      clock: this.#clock,
      random: this.#random,
      log,
    });
    this.#client = peer;
    return peer;
  }

  // Events.

  #emit(event: AppEvent): void {
    // What was kept for this device comes in with the login, before anybody listens.
    if (this.#listeners.size === 0) this.#early.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  #tellArrived(): void {
    const { client } = this.#client ?? {};
    if (client?.loggedIn !== true) return;
    for (const message of this.#arrived.splice(0))
      this.#emit({ event: 'message', ...viewOf(client.home, message) });
  }

  #clientEvents(): ClientEvents {
    const { log } = this.#options;
    return {
      onMessage: (message) => {
        this.#arrived.push(message);
        this.#tellArrived();
      },
      onReceipt: ({ id, on, of }) => this.#emit({ event: 'receipt', id, held: true, on, of }),
      onRefused: (id, code) => this.#emit({ event: 'refused', id, code, text: textOf(code) }),
      onPresence: ({ user, online }) => this.#emit({ event: 'presence', user, online }),
      onBroadcast: (notice) => this.#emit({ event: 'broadcast', ...notice }),
      onConnected: (connected) =>
        this.#emit({ event: 'server', connected, name: this.#found?.name ?? '' }),
      onLogout: (reason) => this.#emit({ event: 'logout', reason }),
      onLocked: (user, seconds) => this.#emit({ event: 'locked', user, seconds }),
      onNotice: (code, text) => this.#emit({ event: 'notice', code, text }),
      onFault: (error) => log.fault(error),
    };
  }

  /** Keeps an event for the next who listens. */
  keep(event: AppEvent): void {
    this.#early.push(event);
  }

  /** Who has been at the server found before, from this machine. */
  async lastUser(): Promise<string | undefined> {
    const known = await this.#places.known(undefined);
    return known.find(({ about }) => about.server === this.#found?.key)?.about.user;
  }

  subscribe(listener: (event: AppEvent) => void): () => void {
    this.#listeners.add(listener);
    for (const event of this.#early.splice(0)) listener(event);
    return () => this.#listeners.delete(listener);
  }

  // Commands.

  async execute(call: CommandCall, ask?: Ask): Promise<ResultData> {
    const { name, args } = call;
    switch (name) {
      case 'server':
        await this.serve(args['name'] ?? '', args['address']);
        return { server: this.#serverView() };
      case 'connect':
        await this.find({ connect: args['address'] ?? '', mustAnswer: true }, ask);
        return { server: this.#serverView() };
      case 'user':
        return this.#register(args['username'] ?? '', args['password'], ask);
      case 'login': {
        const credentials = { password: args['password'], code: args['code'] };
        const result = await this.login(args['username'] ?? '', credentials, ask, {
          mayRegister: true,
          mayLogin: true,
          mustProve: true,
        });
        this.#emit({ event: 'login', user: result.user });
        return result;
      }
      case 'logout': {
        const user = this.#mustClient().client.home.name;
        await this.#mustClient().client.logout();
        return { user };
      }
      case 'backup':
        return this.#backup(args['file'] ?? '', ask);
      case 'restore':
        return this.#restore(args['file'] ?? '', ask);
      default:
    }
    const handler = HANDLERS[name];
    if (handler === undefined)
      throw new ClchatError('USAGE', `There is no command "${clean(name)}".`);
    const { client } = this.#mustClient();
    const data = await handler(args, { client, now: () => this.#clock.now(), ask });
    return name === 'self' ? { ...data, server: this.#serverView() } : data;
  }

  #mustClient(): ClientPeer {
    if (this.#client === undefined || !this.#client.client.loggedIn)
      throw new ClchatError('NOT_LOGGED_IN');
    return this.#client;
  }

  /** `user NAME [PASSWORD]`: a new account, and nothing but that. */
  async #register(
    name: string,
    given: string | undefined,
    ask: Ask | undefined,
  ): Promise<ResultData> {
    const password = given ?? (ask === undefined ? undefined : await newPassword(ask, true));
    const result = await this.login(name, { ...NO_CREDENTIALS, password }, undefined, {
      mayRegister: true,
      mayLogin: false,
      mustProve: false,
    });
    this.#emit({ event: 'login', user: result.user });
    return result;
  }

  async #passphrase(ask: Ask | undefined, question: string): Promise<string> {
    const given = process.env['CLCHAT_BACKUP_PASSPHRASE'];
    if (given !== undefined && given !== '') return given;
    if (ask === undefined)
      throw new ClchatError(
        'USAGE',
        'Set CLCHAT_BACKUP_PASSPHRASE to the passphrase of the backup.',
      );
    return ask.secret(question);
  }

  async #backup(file: string, ask: Ask | undefined): Promise<ResultData> {
    const { client, keystore } = this.#mustClient();
    if (this.#server === undefined)
      throw new ClchatError('DENIED', 'A backup is made in the process of the server itself.');
    if (client.home.record?.group !== ADMIN_GROUP) throw new ClchatError('DENIED');
    const passphrase = await this.#passphrase(ask, 'Passphrase for the backup');
    return { file, bytes: await this.#server.backup(file, passphrase, keystore.read()) };
  }

  async #restore(file: string, ask: Ask | undefined): Promise<ResultData> {
    if (this.#server !== undefined)
      throw new ClchatError(
        'DENIED',
        'Restore before the server is started: run "clchat", then "restore FILE".',
      );
    const passphrase = await this.#passphrase(ask, 'Passphrase of the backup');
    const { directory, name } = await restoreServer({
      file,
      backupPassphrase: passphrase,
      directory: this.#places.restoreTarget(),
      passphrase: this.#options.passphrase,
      random: this.#random,
    });
    return { directory, server: name };
  }

  // State.

  #serverView(): ServerView | undefined {
    const found = this.#found;
    if (found === undefined) return undefined;
    const { client } = this.#client ?? {};
    return {
      id: peerIdOf(found.key),
      name: (client?.loggedIn === true ? client.home.serverName : '') || found.name,
      addresses: this.#server?.addresses() ?? [...found.addresses()],
      connected: this.#server !== undefined || (client?.connected ?? found.isAway !== true),
    };
  }

  status(): AppStatus {
    const { client } = this.#client ?? {};
    const server = this.#serverView();
    return {
      mode: this.#server !== undefined ? 'server' : server === undefined ? 'shell' : 'client',
      ...(server === undefined ? {} : { server }),
      ...(client?.loggedIn === true ? { user: client.home.name, conversation: '#lobby' } : {}),
    };
  }

  names(kind: 'user' | 'room' | 'device'): readonly string[] {
    const { client } = this.#client ?? {};
    if (client?.loggedIn !== true) return [];
    const { home } = client;
    switch (kind) {
      case 'user':
        return home.names().filter((name) => fold(name) !== fold(home.name));
      case 'room':
        return [...home.space.entries<RoomRecord>('room')].map(([, { name }]) => name);
      case 'device':
        return home.devices().map(({ key }) => peerIdOf(key).slice(-8));
      default:
        return kind satisfies never;
    }
  }

  touch(): void {
    this.#client?.client.touch();
  }

  async settle(): Promise<void> {
    await this.#client?.client.settle();
  }

  /** Where a running process of this profile can be asked to run a command. */
  get directory(): string | undefined {
    return this.#client?.profile.directory;
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= (async () => {
      this.#options.log.info(`stopping: ${reason}`);
      this.#found?.stop();
      await this.#client?.stop();
      await this.#server?.stop();
    })();
    return this.#stopping;
  }
}
