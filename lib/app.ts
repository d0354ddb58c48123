/**
 * The composition root and the App: puts the peers together and carries out commands. Data flows one
 * way: the front ends call `execute`, and hear of everything else by events.
 */
import { randomBytes } from 'node:crypto';
import { backupPassphrase, backupSource, backupTarget } from './app/backups.ts';
import {
  listenAddress,
  restoreServer,
  startServerPeer,
  type ServerPeer,
} from './app/server-peer.ts';
import type { DeviceKind } from './media/devices/device.ts';
import { mappedPorts } from './app/calls/ways.ts';
import type { AppOptions } from './app/app-options.ts';
import type { ClientPeer } from './app/client-peer.ts';
import type { Credentials, LoginOptions } from './app/entering.ts';
import type { Found } from './app/finding.ts';
import type { DeviceNames } from './app/calls/call-devices.ts';
import { AppCalls } from './app/calls/app-calls.ts';
import { HANDLERS, newPassword } from './app/handlers.ts';
import { isInviteLink } from './app/invite-link.ts';
import { Logins, type Entered } from './app/logins.ts';
import { Places } from './app/places.ts';
import { freeListenAddress } from './app/ports.ts';
import { Seeking, type Where } from './app/seeking.ts';
import { Situation } from './app/situation.ts';
import { namesOf, serverView, standingOf } from './app/status.ts';
import type {
  App,
  AppEvent,
  AppStatus,
  Ask,
  CallScreen,
  CommandCall,
  ResultData,
  ServerView,
} from './app/types.ts';
import type { RandomBytes } from './crdt/keys.ts';
import { accountNamed } from './crdt/people.ts';
import { ADMIN_GROUP } from './crdt/permissions.ts';
import { pairStream } from './crdt/stream.ts';
import { ClchatError, hasCode, textOf } from './errors.ts';
import { tryParseEndpoint } from './interfaces.ts';
import { systemClock, type Clock } from './lifecycle.ts';
import { clean, isName, whyNotFree } from './text.ts';

/** What a port stands for where only an address is looked at. */
const ANY_PORT = 1;

export class ClchatApp implements App {
  readonly #options: AppOptions;
  readonly #clock: Clock = systemClock;
  readonly #random: RandomBytes = (length) => randomBytes(length);
  readonly #listeners = new Set<(event: AppEvent) => void>();
  readonly #early: AppEvent[] = [];
  readonly #places: Places;
  readonly #seeking: Seeking;
  readonly #logins: Logins;
  readonly #calls: AppCalls;
  readonly #situation = new Situation();
  #server: ServerPeer | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#places = new Places(options.data);
    this.#seeking = new Seeking({
      places: this.#places,
      random: this.#random,
      log: options.log,
      tell: (event) => this.#emit(event),
    });
    this.#logins = new Logins({
      ...options,
      places: this.#places,
      clock: this.#clock,
      random: this.#random,
      tell: (event) => this.#emit(event),
      onOut: (...lost) => this.#situation.lose(...lost),
      calls: () => this.#calls.events,
    });
    this.#calls = new AppCalls({
      names: options.devices ?? {},
      size: options.pictureSize,
      log: options.log,
      tell: (event) => this.#emit(event),
      client: () => this.#logins.client,
      isPassing: options.isQuiet,
      situation: this.#situation,
      ports: () => mappedPorts(this.#server?.calls.ports ?? []),
    });
  }

  // Ways in.

  /**
   * Starts the server peer in this process.
   * @param internet whether it is to be reached from the internet, by a port of the gateway
   * @throws as `startServerPeer`
   */
  async serve(name: string, listen: string | undefined, internet = false): Promise<void> {
    if (this.#server !== undefined) throw new ClchatError('ALREADY', 'A server runs here already.');
    if (!isName(name)) throw new ClchatError('BAD_NAME');
    // Checked before anything is made on disk for it.
    const address = listen === undefined ? undefined : listenAddress(listen);
    const server = await startServerPeer({
      ...this.#options,
      profile: await this.#places.server(name).catch((error: unknown) => {
        if (!hasCode(error, 'DATA_IN_USE')) throw error;
        throw new ClchatError(
          'DATA_IN_USE',
          `${name} already runs here; join it with "clchat -lc".`,
        );
      }),
      name,
      listen: address,
      onMapping: internet ? (event) => this.#emit(event) : undefined,
      clock: this.#clock,
      random: this.#random,
    }).catch(async (error: unknown) => {
      if (!hasCode(error, 'PORT_IN_USE')) throw error;
      throw new ClchatError(
        'PORT_IN_USE',
        `${address ?? 'Every default port'} is in use, most likely by another clchat server: each takes the port after its own, too. Free is ${await freeListenAddress()}.`,
        { cause: error },
      );
    });
    this.#server = server;
    if (this.#logins.client === undefined) this.#seeking.forget();
    this.#seeking.take({
      key: server.key,
      get name() {
        return server.server.name;
      },
      // What the network inside this process goes by.
      addresses: () => [server.key],
      join: (key) => server.loopback.join(key),
      relay: () => ({ key: server.key, addresses: server.addresses() }),
      stop: () => undefined,
    });
  }

  /** Where a new server can listen. */
  freeAddress(): Promise<string> {
    return freeListenAddress();
  }

  /** Finds the server that logins go to. @throws as `Seeking.find` */
  find(where: Where, ask: Ask | undefined): Promise<void> {
    return this.#seeking.find(where, ask);
  }

  /** The server that a login would go to now. @throws NETWORK, ALREADY */
  #destination(): Found {
    const { found } = this.#seeking;
    if (found === undefined) throw new ClchatError('NETWORK', 'Connect to a server first.');
    this.#mustBeOut();
    return found;
  }

  /** @throws ALREADY */
  #mustBeOut(): void {
    if (this.#logins.client !== undefined)
      throw new ClchatError('ALREADY', 'Log out first ("logout").');
  }

  /** Logs in, or registers where the name is new. @throws as `Logins.enter` */
  login(
    name: string,
    credentials: Credentials,
    ask: Ask | undefined,
    options: LoginOptions,
  ): Promise<Entered> {
    const found = this.#destination();
    const host = found.join === undefined ? undefined : this.#server;
    return this.#logins.enter({ found, host }, name, { ...options, credentials, ask });
  }

  // Events.

  #emit(event: AppEvent): void {
    if (event.event === 'logout') this.#situation.reset();
    // What was kept for this device comes in with the login, before anybody listens.
    if (this.#listeners.size === 0) this.#early.push(event);
    for (const listener of this.#listeners) listener(event);
    this.#calls.heard(event);
  }

  /** Keeps an event for the next who listens. */
  keep(event: AppEvent): void {
    this.#early.push(event);
  }

  /** Who has been at the server found before, from this machine. */
  async lastUser(): Promise<string | undefined> {
    const known = await this.#places.known(undefined);
    return known.find(({ about }) => about.server === this.#seeking.found?.key)?.about.user;
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
        return { server: this.#viewOf(this.#seeking.found) };
      case 'connect':
        return this.#connect(args['address'] ?? '', ask);
      case 'user':
        return this.#register(args['username'] ?? '', args, ask);
      case 'login': {
        const credentials = { password: args['password'], code: args['code'] };
        const result = await this.login(args['username'] ?? '', credentials, ask, {
          mayRegister: true,
          mayLogin: true,
          mustProve: true,
        });
        if (result.declined !== true) this.#emit({ event: 'login', user: result.user });
        return result;
      }
      case 'logout': {
        const { client } = this.#mustClient();
        const user = client.home.name;
        await client.logout();
        return { user };
      }
      case 'equipment': {
        const { devices, problems } = await this.#calls.equipment(
          args['kind'] as DeviceKind,
          args['device'],
        );
        return { devices, problems };
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
    const { client, profile } = this.#mustClient();
    const data = await handler(args, {
      client,
      now: () => this.#clock.now(),
      ask,
      situation: this.#situation,
      calls: this.#calls,
      tell: (event) => this.#emit(event),
      directory: profile.directory,
    });
    // What was done may have changed who sees whom.
    await this.#calls.follow();
    return name === 'self' ? { ...data, server: this.#serverView() } : data;
  }

  #mustClient(): ClientPeer {
    const { peer } = this.#logins;
    if (peer === undefined) throw new ClchatError('NOT_LOGGED_IN');
    return peer;
  }

  /** `connect`: an invite link, an address, or the name of a server on the LAN. */
  async #connect(written: string, ask: Ask | undefined): Promise<ResultData> {
    this.#mustBeOut();
    const isAddress = tryParseEndpoint(written, { port: ANY_PORT }) !== undefined;
    const place = isInviteLink(written)
      ? { invite: written }
      : isAddress || !isName(written)
        ? { connect: written }
        : { server: written };
    await this.find({ ...place, mustAnswer: true }, ask);
    return { server: this.#serverView() };
  }

  /** `user NAME [PASSWORD]`: a new account, and nothing but that. */
  async #register(
    name: string,
    { password: given, code }: CommandCall['args'],
    ask: Ask | undefined,
  ): Promise<ResultData> {
    // Before a password is asked for in vain.
    this.#destination();
    const notFree = isName(name) ? whyNotFree(name) : textOf('BAD_NAME');
    if (notFree !== undefined) throw new ClchatError('BAD_NAME', notFree);
    const password = given ?? (ask === undefined ? undefined : await newPassword(ask, true));
    const result = await this.login(name, { password, code }, undefined, {
      mayRegister: true,
      mayLogin: false,
      mustProve: false,
    });
    this.#emit({ event: 'login', user: result.user });
    return result;
  }

  async #backup(file: string, ask: Ask | undefined): Promise<ResultData> {
    const { client, keystore } = this.#mustClient();
    if (this.#server === undefined)
      throw new ClchatError('DENIED', 'A backup is made in the process of the server itself.');
    if (client.home.record?.group !== ADMIN_GROUP) throw new ClchatError('DENIED');
    const target = await backupTarget(file, ask);
    const passphrase = await backupPassphrase(ask, true);
    return { file: target, bytes: await this.#server.backup(target, passphrase, keystore.read()) };
  }

  async #restore(file: string, ask: Ask | undefined): Promise<ResultData> {
    if (this.#server !== undefined)
      throw new ClchatError(
        'DENIED',
        'Restore before the server is started: run "clchat", then "restore FILE".',
      );
    const target = this.#places.restoreTarget();
    const { directory, name } = await restoreServer({
      file: backupSource(file),
      backupPassphrase: await backupPassphrase(ask, false),
      directory: target,
      passphrase: this.#options.passphrase,
      random: this.#random,
    });
    return { directory, server: name };
  }

  // State.

  /** The server where the person is logged in, else the one that logins go to. */
  #serverView(): ServerView | undefined {
    return this.#viewOf(this.#logins.found ?? this.#seeking.found);
  }

  #viewOf(found: Found | undefined): ServerView | undefined {
    if (found === undefined) return undefined;
    return serverView({
      found,
      own: found.join === undefined ? undefined : this.#server,
      client: this.#logins.found === found ? this.#logins.client : undefined,
    });
  }

  status(): AppStatus {
    const server = this.#serverView();
    const home = this.#logins.client?.home;
    const user = home?.name;
    const online = this.#server?.server.online().filter((name) => name !== user);
    return {
      mode: this.#server !== undefined ? 'server' : server === undefined ? 'shell' : 'client',
      ...(server === undefined ? {} : { server }),
      ...(home === undefined ? {} : { user, ...standingOf(home, this.#situation) }),
      ...(online === undefined ? {} : { served: online.length }),
    };
  }

  names(kind: Parameters<App['names']>[0]): readonly string[] {
    const { client } = this.#logins;
    return client === undefined ? [] : namesOf(client, kind);
  }

  touch(): void {
    this.#logins.client?.touch();
  }

  seen(): void {
    const { current, tellsReading } = this.#situation;
    if (current !== undefined) this.#logins.client?.home.unread.seen(current, tellsReading);
  }

  tellReading(tell: boolean): void {
    this.#situation.tellsReading = tell;
  }

  watchCall(screen: CallScreen | undefined): void {
    this.#calls.showing.watch(screen);
  }

  sizesChanged(): void {
    this.#calls.showing.sizesChanged();
  }

  /** Which devices calls take; what is left out stays as it is. */
  preferDevices(names: DeviceNames): void {
    this.#calls.devices.prefer(names);
  }

  typing(user?: string): void {
    const { client } = this.#logins;
    if (client === undefined) return;
    const { home } = client;
    const other = user === undefined ? undefined : accountNamed(home.space, user);
    if (user !== undefined && other === undefined) return;
    const stream = other === undefined ? this.#situation.current : pairStream(home.account, other);
    if (stream !== undefined) client.typing(stream);
  }

  async settle(): Promise<void> {
    await this.#logins.settle();
  }

  /** Where a running process of this profile can be asked to run a command. */
  get directory(): string | undefined {
    return this.#logins.directory;
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= (async () => {
      this.#options.log.info(`stopping: ${reason}`);
      this.#seeking.forget();
      await this.#logins.stop();
      await this.#calls.stop();
      await this.#server?.stop();
    })();
    return this.#stopping;
  }
}
