/** One line to another device in the call, whoever has dialled. */
import type { AccountId } from '../../crdt/keys.ts';
import { ClchatError } from '../../errors.ts';
import type { Channel, Connection, Path } from '../channel.ts';
import { Exchange, type Notice } from '../exchange.ts';
import type { TokenBucket } from '../../token-bucket.ts';
import { CALL, type CallId } from './wire.ts';

export type NoticeName = keyof typeof CALL.notices;
/** What is said over a line. */
export type CallNotice = {
  readonly [N in NoticeName]: { readonly name: N; readonly notice: Notice<typeof CALL, N> };
}[NoticeName];

/** All lines with one device, and the wish to have one. */
export interface Dealing {
  readonly account: AccountId;
  readonly stop: AbortController;
  /** The newest last. */
  readonly lines: Line[];
  /** Bounds what comes over them: all of it, and what costs much. */
  readonly notices: TokenBucket;
  readonly costly: TokenBucket;
}

export interface LineEvents {
  /** What it throws ends the line. */
  readonly onNotice: (line: Line, notice: CallNotice) => void;
  /** The other side names the call, for the first time. */
  readonly onBegin: (line: Line, id: CallId) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

export class Line {
  readonly exchange: Exchange<typeof CALL>;
  readonly path: Path;
  /** Undefined until it is known which call it is of. */
  dealing: Dealing | undefined;
  /** The other side has named a call, be it the right one or not. */
  hasBegun = false;
  /** The call that was named is known to be the right one, or not to be. */
  onNamed: (() => void) | undefined;
  readonly #connection: Connection | undefined;

  /** @param connection where this side has dialled: it ends with the line */
  constructor(channel: Channel, connection: Connection | undefined, events: LineEvents) {
    this.#connection = connection;
    this.path = connection?.path ?? channel.path ?? 'direct';
    const on =
      <N extends NoticeName>(name: N) =>
      (notice: Notice<typeof CALL, N>): void =>
        events.onNotice(this, { name, notice } as CallNotice);
    this.exchange = new Exchange(channel, CALL, {
      onFault: events.onFault,
      methods: {
        begin: async ({ id }) => {
          // Once, and by whoever has dialled.
          if (this.hasBegun || connection !== undefined) throw new ClchatError('NO_CALL');
          this.hasBegun = true;
          await events.onBegin(this, id);
          return {};
        },
      },
      notices: {
        offer: on('offer'),
        answer: on('answer'),
        candidate: on('candidate'),
        callme: on('callme'),
        view: on('view'),
        bye: on('bye'),
      },
    });
    this.exchange.onEnd(() => connection?.abort(new ClchatError('CLOSED')));
    connection?.onEnd(() => this.exchange.abort(new ClchatError('CLOSED')));
  }

  async close(): Promise<void> {
    await this.exchange.close();
    await this.#connection?.close();
  }
}
