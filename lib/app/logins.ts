/** The one login of this process: a client peer, and the way of its person into an account. */
import { hostname } from 'node:os';
import type { RandomBytes, RoomId } from '../crdt/keys.ts';
import { ADMIN_GROUP } from '../crdt/permissions.ts';
import { ClchatError, hasCode, textOf } from '../errors.ts';
import { sleep, type Clock } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Client, ClientEvents } from '../node/client/client.ts';
import type { CallEvents } from '../node/client/calling.ts';
import type { Home } from '../node/client/home.ts';
import { isOut } from '../node/client/room-news.ts';
import { isName } from '../text.ts';
import { openClientPeer, type ClientPeer } from './client-peer.ts';
import { enterAccount, hasDeclined, type EnterOptions, type LoginOptions } from './entering.ts';
import type { Found } from './finding.ts';
import type { Places } from './places.ts';
import { lossOf, roomEventOf } from './room-views.ts';
import type { ServerPeer } from './server-peer.ts';
import type { Loss } from './situation.ts';
import type { AppEvent, Ask, ResultData } from './types.ts';
import { adminEventOf, arrivalNotices } from './admin-events.ts';
import { conferenceEventOf, conferenceLossOf, isOutOf } from './conference-events.ts';
import { privateEventsOf } from './private-events.ts';
import { contactEventOf, contentEventOf, placeView, unreadViews, viewOf } from './views.ts';

export interface LoginsOptions {
  readonly places: Places;
  readonly passphrase: string | undefined;
  /** Nobody listens to events: messages that come in stay news for the next run. */
  readonly isQuiet: boolean;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly tell: (event: AppEvent) => void;
  /** A room is gone, or the person is not in it any more. */
  readonly onOut: (room: RoomId, path: string, how: Loss) => void;
  /** What is done with news of calls. */
  readonly calls: () => CallEvents;
}

/** What came of a wish to log in. */
export interface Entered extends ResultData {
  readonly user: string;
  /** The account is new. */
  readonly created: boolean;
  /** The person did not want the account that would have had to be made. */
  readonly declined?: true;
}

/** Where an event of the time of absence stands among the others, the lower the earlier. */
function rankOf({ event }: AppEvent): number {
  if (event === 'request') return 0;
  if (event === 'contact' || event === 'unfriend') return 1;
  return event === 'conference' ? 2 : 3;
}

/** How long a login waits for a count of what is unread, in milliseconds. */
const UNREAD_MS = 300;
/** How long the word that somebody is admin may take within this process, in milliseconds. */
const CROWNED_MS = 2_000;
/** Makes somebody the admin of the server in this process, and has his own client know it. */
async function crown({ server }: ServerPeer, home: Home): Promise<void> {
  await server.crown(home.name);
  const end = performance.now() + CROWNED_MS;
  while (home.record?.group !== ADMIN_GROUP && performance.now() < end) await sleep(5);
}

export class Logins {
  readonly #options: LoginsOptions;
  /** A client peer, and the server that it was opened for. */
  #login: { readonly peer: ClientPeer; readonly found: Found } | undefined;
  /** What came in with a login, told once it is complete. */
  #arrived: ((home: Home) => AppEvent | undefined)[] = [];

  constructor(options: LoginsOptions) {
    this.#options = options;
  }

  /** Of who is logged in. */
  get peer(): ClientPeer | undefined {
    const { peer } = this.#login ?? {};
    return peer?.client.loggedIn === true ? peer : undefined;
  }

  get client(): Client | undefined {
    return this.peer?.client;
  }

  /** The server where the person is logged in. */
  get found(): Found | undefined {
    return this.peer === undefined ? undefined : this.#login?.found;
  }

  /** Where the last login has its data. */
  get directory(): string | undefined {
    return this.#login?.peer.profile.directory;
  }

  async settle(): Promise<void> {
    await this.#login?.peer.client.settle();
  }

  async stop(): Promise<void> {
    this.#login?.found.stop();
    await this.#login?.peer.stop();
  }

  /**
   * Logs in, or registers where the name is new.
   * @throws NO_SUCH_USER, BAD_PASSWORD, LOCKED, BAD_CODE, BAD_NAME, REVOKED, NETWORK
   */
  async enter(
    { found, host }: { readonly found: Found; readonly host: ServerPeer | undefined },
    name: string,
    options: LoginOptions & Pick<EnterOptions, 'credentials' | 'ask'>,
  ): Promise<Entered> {
    const { ask } = options;
    if (!isName(name)) throw new ClchatError('BAD_NAME');
    const before = this.#login;
    this.#login = undefined;
    await before?.peer.stop();
    if (before !== undefined && before.found !== found) before.found.stop();
    this.#arrived = [];
    const peer = await this.#open(found, host, name, ask);
    const login = { peer, found };
    this.#login = login;
    try {
      const created = await enterAccount(peer, name, {
        ...options,
        found,
        isHost: host !== undefined,
        onWrongPassword: (text) =>
          this.#options.tell({ event: 'notice', code: 'BAD_PASSWORD', text }),
      });
      this.#tellArrived();
      await this.#describe(peer, found.name);
      const { home } = peer.client;
      for (const event of arrivalNotices(home)) this.#options.tell(event);
      // Whoever starts a server at its own console is its admin.
      if (host !== undefined) await crown(host, home);
      if (!this.#options.isQuiet) await this.#tellUnread(home);
      return { user: peer.client.home.name, created };
    } catch (error) {
      if (this.#login === login) this.#login = undefined;
      await peer.stop();
      if (hasCode(error, 'REVOKED')) throw new ClchatError('REVOKED', this.#goingOn(peer));
      if (hasDeclined(error)) return { user: name, created: false, declined: true };
      throw error;
    }
  }

  /** Tells what there is to be read or answered; who has very many conversations does not wait for it. */
  async #tellUnread(home: Home): Promise<void> {
    const told = this.#countUnread(home).catch((error: unknown) => this.#options.log.fault(error));
    await Promise.race([told, sleep(UNREAD_MS)]);
  }

  async #countUnread(home: Home): Promise<void> {
    const conversations = await unreadViews(home);
    const relations = [...(await home.contacts.all()).values()];
    const requests = relations.filter((relation) => relation === 'incoming').length;
    if (conversations.length > 0 || requests > 0)
      this.#options.tell({ event: 'unread', conversations, requests });
  }

  /** Has the profile say whose it is, by what they are called now. */
  async #describe({ client, profile }: ClientPeer, name: string): Promise<void> {
    const { home, server } = client;
    if (server === undefined) return;
    const serverName = home.serverName || name;
    await profile.describe({ server, serverName, user: home.name });
  }

  /** How a person whose device was revoked can use the account here again. */
  #goingOn({ profile }: ClientPeer): string {
    return `This device has been revoked by its account, or the account has been removed. To log in here again, start with another --data DIR, or move ${profile.directory} away.`;
  }

  async #open(
    found: Found,
    host: ServerPeer | undefined,
    name: string,
    ask: Ask | undefined,
  ): Promise<ClientPeer> {
    const { passphrase, places, isQuiet, clock, random, log, tell } = this.#options;
    const known = (await places.known(name)).filter(({ about }) => about.server === found.key);
    const profile = await places.client(found, name);
    const peer = await openClientPeer({
      profile,
      passphrase,
      inherit: host && { directory: host.directory, user: name },
      label: hostname().slice(0, 64),
      isQuiet,
      addresses: found.addresses,
      server: found.key,
      ...(found.join === undefined ? {} : { join: found.join }),
      ...(found.relay === undefined ? {} : { relay: found.relay }),
      events: this.#clientEvents(found),
      clock,
      random,
      log,
    });
    const isOther = known.every(({ directory }) => directory !== profile.directory);
    if (ask !== undefined && known.length > 0 && isOther)
      tell({
        event: 'notice',
        text: `${name} is in use in another window here, so this one becomes another device of the account: it needs the password.`,
      });
    return peer;
  }

  #tellArrived(): void {
    const { client } = this;
    if (client === undefined) return;
    const events = this.#arrived
      .splice(0)
      .map((view) => view(client.home))
      .filter((event) => event !== undefined);
    // What came in while nobody was there: requests first, then contacts and their conferences, then
    // messages.
    for (const event of events.sort((a, b) => rankOf(a) - rankOf(b))) this.#options.tell(event);
  }

  #clientEvents({ name }: Found): ClientEvents {
    const { log, tell } = this.#options;
    return {
      onMessage: (message) => {
        this.#arrived.push((home) => ({ event: 'message', ...viewOf(home, message) }));
        this.#tellArrived();
      },
      onMissedCall: ({ by, time }) => {
        this.#arrived.push((home) => ({ event: 'missed-call', user: home.nameOf(by), time }));
        this.#tellArrived();
      },
      onContact: (news) => {
        this.#arrived.push((home) => contactEventOf(home, news));
        this.#tellArrived();
      },
      onContent: (news) => {
        this.#arrived.push((home) => contentEventOf(home, news));
        this.#tellArrived();
      },
      onAdmin: (news) => {
        const { peer } = this;
        if (peer === undefined) return;
        if (news.kind === 'name' || news.kind === 'server')
          this.#describe(peer, name).catch((error: unknown) => log.fault(error));
        const event = adminEventOf(peer.client.home, news);
        if (event !== undefined) tell(event);
      },
      onRoom: (news, isLive) => {
        const home = this.client?.home;
        if (home !== undefined && isOut(news, home.account))
          this.#options.onOut(news.room, news.path, lossOf(news));
        if (!isLive) return;
        this.#arrived.push((who) => roomEventOf(who, news));
        this.#tellArrived();
      },
      onConference: (news) => {
        this.#arrived.push((home) => {
          if (isOutOf(news, home.name))
            this.#options.onOut(news.id, news.name, conferenceLossOf(news, home.name));
          return conferenceEventOf(news);
        });
        this.#tellArrived();
      },
      onTyping: ({ stream, user }) => {
        const home = this.client?.home;
        if (user !== undefined && home?.unread.takesPart(stream) === true)
          tell({ event: 'typing', user, ...placeView(home, stream) });
      },
      onPrivate: (news) => {
        const home = this.client?.home;
        for (const event of home === undefined ? [] : privateEventsOf(home, news)) tell(event);
      },
      onCalls: this.#options.calls(),
      onSending: (news) => tell({ event: 'attachment', ...news }),
      onReceipt: ({ id, on, of, read }) =>
        tell({ event: 'receipt', id, held: true, on, of, ...(read === 0 ? {} : { read }) }),
      onRefused: (id, code) => tell({ event: 'refused', id, code, text: textOf(code) }),
      onPresence: ({ user, online }) => tell({ event: 'presence', user, online }),
      onBroadcast: (notice) => tell({ event: 'broadcast', ...notice }),
      onConnected: (connected) =>
        tell({ event: 'server', connected, name: this.client?.home.serverName || name }),
      onLogout: (reason) => {
        tell({ event: 'logout', reason });
        const { peer } = this.#login ?? {};
        if (reason === 'revoked' && peer !== undefined)
          tell({ event: 'notice', code: 'REVOKED', text: this.#goingOn(peer) });
      },
      onLocked: (user, seconds) => tell({ event: 'locked', user, seconds }),
      onNotice: (code, text) => tell({ event: 'notice', code, text }),
      onFault: (error) => log.fault(error),
    };
  }
}
