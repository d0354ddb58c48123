/** One connection to the server, with its session, kept alive and watched. */
import type { PublicKey } from '../../crdt/keys.ts';
import { ClchatError } from '../../errors.ts';
import { deadline } from '../../lifecycle.ts';
import type { Channel, Connection, Target, Transport } from '../channel.ts';
import { Exchange, type Notice, type Reply } from '../exchange.ts';
import { PROTOCOL_VERSION, SESSION, SYNC } from '../wire.ts';

/** Time between signs of life, and how long an answer to one may take, in milliseconds. */
const PING_MS = 3_000;
const PONG_MS = 4_000;
/** How long a connection may take to come about, in milliseconds. */
export const CONNECT_MS = 8_000;

export type Hello = Reply<typeof SESSION, 'hello'>;

export interface LinkEvents {
  readonly onPresence: (notice: Notice<typeof SESSION, 'presence'>) => void;
  readonly onBroadcast: (notice: Notice<typeof SESSION, 'broadcast'>) => void;
  readonly onTyping: (notice: Notice<typeof SESSION, 'typing'>) => void;
  readonly onConference: (notice: Notice<typeof SESSION, 'conference'>) => void;
  /** Something of conferences was not told: they are to be asked for. */
  readonly onConferences: () => void;
  /** Of calls; where absent, nobody is there to be called. */
  readonly onCall?: (notice: Notice<typeof SESSION, 'call'>) => void;
  readonly onRoomCall?: (notice: Notice<typeof SESSION, 'roomCall'>) => void;
  readonly onLogout: (reason: string) => void;
  readonly onFault: (error: unknown) => void;
}

export class Link {
  readonly session: Exchange<typeof SESSION>;
  readonly #connection: Connection;
  #hello: Hello | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  /** Opened before it was needed. */
  #sync: Promise<Channel | undefined> | undefined;

  private constructor(connection: Connection, channel: Channel, events: LinkEvents) {
    this.#connection = connection;
    this.session = new Exchange(channel, SESSION, {
      onFault: events.onFault,
      methods: {},
      notices: {
        presence: events.onPresence,
        broadcast: events.onBroadcast,
        typing: events.onTyping,
        conference: events.onConference,
        conferences: () => events.onConferences(),
        call: (call) => events.onCall?.(call),
        roomCall: (call) => events.onRoomCall?.(call),
        logout: ({ reason }) => events.onLogout(reason),
      },
    });
    this.session.onEnd(() => {
      clearTimeout(this.#heartbeat);
      connection.abort(new ClchatError('CLOSED'));
    });
    connection.onEnd(() => this.session.abort(new ClchatError('CLOSED')));
  }

  /**
   * Connects and says hello.
   * @throws NETWORK, TIMEOUT, SERVER_KEY_CHANGED, BAD_MESSAGE, VERSION
   */
  static async open(
    transport: Transport,
    target: Target,
    events: LinkEvents,
    signal: AbortSignal,
  ): Promise<Link> {
    const bounded = deadline(CONNECT_MS, signal);
    const connection = await transport.connect(target, { signal: bounded });
    try {
      const channel = await connection.open(SESSION.name, { signal: bounded });
      const link = new Link(connection, channel, events);
      link.#hello = await link.session.call('hello', { version: PROTOCOL_VERSION }, CONNECT_MS);
      link.#beat();
      return link;
    } catch (error) {
      connection.abort(new ClchatError('CLOSED'));
      throw error;
    }
  }

  get hello(): Hello {
    return this.#hello!;
  }

  /** Says hello again: the server may know more by now. */
  async refresh(): Promise<void> {
    this.#hello = await this.session.call('hello', { version: PROTOCOL_VERSION }, CONNECT_MS);
  }

  /** The key the server has proved. */
  get server(): PublicKey {
    return this.#connection.remote;
  }

  get address(): string {
    return this.#connection.address;
  }

  get ended(): boolean {
    return this.session.ended;
  }

  onEnd(handler: () => void): void {
    this.session.onEnd(() => handler());
  }

  #beat(): void {
    this.#heartbeat = setTimeout(() => {
      this.session.call('ping', {}, PONG_MS).then(
        () => this.#beat(),
        (error: Error) => this.session.abort(error),
      );
    }, PING_MS);
  }

  /** Has a channel of replication opened while the login is under way: that takes a round trip. */
  prepareSync(): void {
    this.#sync ??= this.#openSync().catch(() => undefined);
  }

  /** @throws as `Connection.open` */
  async openSync(): Promise<Channel> {
    const prepared = await this.#sync;
    this.#sync = undefined;
    // The server ends one on which nothing is said for a while.
    return prepared?.ended === false ? prepared : this.#openSync();
  }

  #openSync(): Promise<Channel> {
    return this.#connection.open(SYNC.name, { signal: deadline(CONNECT_MS) });
  }

  async close(): Promise<void> {
    clearTimeout(this.#heartbeat);
    await this.session.close();
    await this.#connection.close();
  }

  abort(error: Error): void {
    this.session.abort(error);
  }
}
