/** A line to one device of another account: what is said in private goes over it and nothing else. */
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import { deadline } from '../../lifecycle.ts';
import type { Channel, Connection, Path, Target, Transport } from '../channel.ts';
import { Exchange, type Request } from '../exchange.ts';
import { PRIVATE, type Reason } from './wire.ts';

export type Said = Request<typeof PRIVATE, 'message'>;

/** What the other side does. What the first four throw is the answer that it gets. */
export interface LineEvents {
  readonly onRequest: (line: Line) => Promise<void>;
  readonly onAccept: (line: Line) => void;
  readonly onResume: (line: Line, token: Uint8Array) => Promise<void>;
  /** One after the other. */
  readonly onMessage: (line: Line, said: Said) => Promise<void>;
  /** It has ended the line, and said why. */
  readonly onClose: (line: Line, reason: Reason) => void;
  /** The line has ended, and nothing was said about it. */
  readonly onLost: (line: Line) => void;
  readonly onFault: (error: unknown) => void;
}

/** How long a line may take to come about, in milliseconds. */
const CONNECT_MS = 8_000;
/** How long the other side's program may take to answer, in milliseconds. */
const ANSWER_MS = 9_000;
/** How long whoever has connected may be silent before asking for anything, in milliseconds. */
const SILENT_MS = 10_000;
/** What does not say that the other side does not want a message. */
const KNOWN_FAILURES = ['RATE_LIMITED', 'CLOSED', 'TIMEOUT'] as const;

export class Line {
  readonly account: AccountId;
  readonly #exchange: Exchange<typeof PRIVATE>;
  readonly #connection: Connection | undefined;
  readonly #path: Path;
  /** Ends whoever has connected and asks nothing. */
  #silence: NodeJS.Timeout | undefined;
  #messages: Promise<void> = Promise.resolve();
  /** The other side has asked over it. */
  #hasAsked = false;
  #isOver = false;
  #token: Uint8Array | undefined;
  #wasEnded = false;

  private constructor(
    account: AccountId,
    channel: Channel,
    events: LineEvents,
    connection?: Connection,
  ) {
    this.account = account;
    this.#connection = connection;
    this.#path = connection?.path ?? channel.path ?? 'direct';
    this.#exchange = new Exchange(channel, PRIVATE, {
      onFault: events.onFault,
      methods: {
        request: async ({ token }) => {
          this.#beginsWith();
          this.#token = token;
          await events.onRequest(this);
          return {};
        },
        resume: async ({ token }) => {
          this.#beginsWith();
          await events.onResume(this, token);
          return {};
        },
        accept: () => {
          events.onAccept(this);
          return {};
        },
        message: async (said) => {
          const shown = this.#messages.then(() => events.onMessage(this, said));
          this.#messages = shown.catch(() => undefined);
          await shown;
          return {};
        },
      },
      notices: {
        close: ({ reason }) => {
          if (this.#isOver) return;
          this.#isOver = true;
          events.onClose(this, reason);
          void this.#hangUp();
        },
      },
    });
    if (connection === undefined) {
      this.#silence = setTimeout(() => this.drop(), SILENT_MS);
      this.#silence.unref();
    }
    this.#exchange.onEnd((error) => {
      this.#heard();
      this.#wasEnded = !hasCode(error, 'TIMEOUT');
      connection?.abort(new ClchatError('CLOSED'));
      if (this.#isOver) return;
      this.#isOver = true;
      events.onLost(this);
    });
    connection?.onEnd(() => this.drop());
  }

  /**
   * Connects to a device, by a handshake of its own: its keys are gone with the line.
   * @param account whose device it is
   * @throws as `Transport.connect`; VERSION where it does not speak of such things
   */
  static async dial(
    transport: Pick<Transport, 'connect'>,
    target: Target,
    account: AccountId,
    events: LineEvents,
    signal: AbortSignal,
  ): Promise<Line> {
    const bounded = deadline(CONNECT_MS, signal);
    const connection = await transport.connect(target, { signal: bounded });
    try {
      const channel = await connection.open(PRIVATE.name, { signal: bounded });
      return new Line(account, channel, events, connection);
    } catch (error) {
      connection.abort(new ClchatError('CLOSED'));
      throw error;
    }
  }

  /** Takes a channel on which a device of an account has come. */
  static take(channel: Channel, account: AccountId, events: LineEvents): Line {
    return new Line(account, channel, events);
  }

  /** Of the other side, as its connection has proved. */
  get device(): PublicKey {
    return this.#exchange.remote;
  }

  get path(): Path {
    return this.#path;
  }

  /** Nothing more goes over it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** By which the session on it is known on another line; undefined where it is not. */
  get token(): Uint8Array | undefined {
    return this.#token;
  }

  /** Whether it is over since the other side has ended it, and not by its silence. */
  get wasEnded(): boolean {
    return this.#wasEnded;
  }

  /** Asks the person at the other end. @throws as that side refuses; TIMEOUT, CLOSED */
  async request(token: Uint8Array): Promise<void> {
    this.#token = token;
    await this.#exchange.call('request', { token }, ANSWER_MS);
  }

  /** Goes on with a session over this line. @throws as that side refuses; TIMEOUT, CLOSED */
  async resume(token: Uint8Array): Promise<void> {
    await this.#exchange.call('resume', { token }, ANSWER_MS);
  }

  /** Says yes to who has asked. @throws PEER_GONE */
  async accept(): Promise<void> {
    await this.#exchange.call('accept', {}, ANSWER_MS).catch((error: unknown) => {
      throw new ClchatError('PEER_GONE', undefined, { cause: error });
    });
  }

  /**
   * Says something. Resolves once the other side has shown it.
   * @throws RATE_LIMITED where too much is on its way; PEER_GONE where the other side does not take it;
   *   CLOSED and TIMEOUT, after which it cannot be told whether it was shown
   */
  async say(said: Said): Promise<void> {
    await this.#exchange.call('message', said, ANSWER_MS).catch((error: unknown) => {
      if (KNOWN_FAILURES.some((code) => hasCode(error, code))) throw error;
      throw new ClchatError('PEER_GONE', undefined, { cause: error });
    });
  }

  /** Tells the other side that it is over, and then ends it. */
  async end(reason: Reason): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#exchange.notify('close', { reason });
    await this.#hangUp();
  }

  /** Ends it at once: the other side is gone, or has no business here. */
  drop(): void {
    this.#exchange.abort(new ClchatError('CLOSED'));
  }

  /** Whoever was asked does not ask back on the same line, and nobody asks twice. */
  #beginsWith(): void {
    if (this.#connection !== undefined || this.#hasAsked) throw new ClchatError('NOT_SUPPORTED');
    this.#hasAsked = true;
    this.#heard();
  }

  /** The other side has said what it wants, or nothing any more. */
  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  async #hangUp(): Promise<void> {
    this.#heard();
    await this.#exchange.close();
    await this.#connection?.close();
  }
}
