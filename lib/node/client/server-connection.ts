/**
 * The way to the server: made, kept, and made anew as long as the person is logged in. The replica
 * is brought up to date over it, and what waits goes out.
 */
import type { RandomBytes } from '../../crdt/keys.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError, hasCode, type ErrorCode } from '../../errors.ts';
import { deadline, sleep, waitBefore, type Clock } from '../../lifecycle.ts';
import type { Relay, Target, Transport } from '../channel.ts';
import { handBack } from './hand-back.ts';
import type { Home } from './home.ts';
import { Link, type Hello, type LinkEvents } from './link.ts';
import { toReceipt } from './progress.ts';
import { SyncClient } from './sync.ts';

export interface ServerConnectionOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Where the server may be found now. */
  readonly target: () => Target;
  /** The server as a relay; undefined where it cannot be one. */
  readonly relay: () => Relay | undefined;
  /** What this device has of its account, once there is any. */
  readonly home: () => Home | undefined;
  /** Whether the connection is to be brought back when it ends. */
  readonly isWanted: () => boolean;
  readonly events: Omit<LinkEvents, 'onLogout'>;
  /** The server may have lost what this device has: it has been given back what it sealed. */
  readonly onHandedBack: () => Promise<void>;
  /** The replica has caught up. */
  readonly onAttached: () => Promise<void>;
  /** Everything that waited has gone out. */
  readonly onSent: () => Promise<void>;
  /** It has come back, or gone. */
  readonly onConnected: (connected: boolean) => void;
  /** The server has logged this device out, or does not let it in again. */
  readonly onLogout: (reason: string) => void;
  /** Something the person should know of. */
  readonly onNotice: (code: ErrorCode, text: string) => void;
}

/** Waits between attempts to reconnect, in milliseconds; the last one repeats. */
const BACKOFF_MS = [0, 100, 300, 700, 1_500, 3_000, 4_500];
/** A moment of one's own, so that not all come back at once. */
const JITTER = 0.1;
/** Receipts asked for at once. */
const RECEIPTS = 500;

/** Own addresses that the server is told. */
const MAX_ADDRESSES = 32;
/** How long it may take to have a place at a relay, in milliseconds. */
const RESERVE_MS = 10_000;
/** How long until again, in milliseconds. */
const RESERVE_AGAIN_MS = 5_000;

export class ServerConnection {
  readonly #options: ServerConnectionOptions;
  #link: Link | undefined;
  #sync: SyncClient | undefined;
  /** How far the server's wall clock was ahead when it last said hello, in milliseconds. */
  #ahead = 0;
  #keeping: Promise<void> | undefined;
  readonly #stop = new AbortController();
  #retryNow = new AbortController();

  constructor(options: ServerConnectionOptions) {
    this.#options = options;
  }

  /** The last link, which may have ended. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Replication, while there is any. */
  get sync(): SyncClient | undefined {
    return this.#sync;
  }

  /** @throws NETWORK */
  get live(): Link {
    if (this.#link === undefined || this.#link.ended) throw new ClchatError('NETWORK');
    return this.#link;
  }

  /** The server's wall clock, as far as it is known here, in milliseconds since 1970. */
  serverTime(): number {
    return this.#options.clock.now() + this.#ahead;
  }

  /**
   * Connects, without logging in.
   * @throws NETWORK, TIMEOUT, SERVER_KEY_CHANGED, VERSION, BAD_MESSAGE
   */
  async connect(): Promise<Hello> {
    if (this.#link !== undefined && !this.#link.ended) return this.#link.hello;
    const { transport, target, events, onLogout, clock } = this.#options;
    const link = await Link.open(
      transport,
      target(),
      {
        ...events,
        onLogout: (reason) => {
          if (link === this.#link) onLogout(reason);
        },
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
    this.#ahead = link.hello.time - clock.now();
    return link.hello;
  }

  /** A server in a new term may have been restored from a backup, and lack what is here. */
  async #handBack(link: Link): Promise<void> {
    const { home, onHandedBack, events } = this.#options;
    const replica = home()?.replica;
    if (replica === undefined || link.hello.term <= replica.log.headOf('space').term) return;
    try {
      await handBack(await link.openSync(), replica);
      await onHandedBack();
      await link.refresh();
    } catch (error) {
      // Nothing of ours is wanted: what the streams say differently is settled when they are compared.
      if (!hasCode(error, 'BAD_ENTRY')) throw error;
      events.onFault(error);
    }
  }

  /** Brings a replica up to date over a link that is logged in, and keeps it so. */
  async attach(link: Link, home: Home): Promise<void> {
    const { events, onAttached, onSent } = this.#options;
    const channel = await link.openSync();
    const sync = new SyncClient(channel, {
      replica: home.replica,
      inbox: home.inbox,
      onAdopted: (stream) => home.adopted(stream),
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
    await onAttached();
    this.#tellReachable(link);
    void this.#reserve(link);
    home.outbox.settled().then(onSent).catch(events.onFault);
    askReceipts(sync, home).catch((error: unknown) => this.#failed(link, error));
  }

  /** What has ended with its connection is done again over the next one. */
  #failed(link: Link, error: unknown): void {
    if (!link.ended) this.#options.events.onFault(error);
  }

  /** Has others who cannot reach this device reach it through the server, if that is a relay. */
  async #reserve(link: Link): Promise<void> {
    const { transport } = this.#options;
    while (!link.ended && !this.#stop.signal.aborted) {
      const relay = this.#options.relay();
      if (relay === undefined) return;
      try {
        const place = await transport.reserve?.(relay, { signal: deadline(RESERVE_MS) });
        if (place === undefined) return;
        await new Promise<void>((resolve) => place.onEnd(resolve));
      } catch (error) {
        this.#failed(link, error);
        // Whoever is refused once is refused again.
        if (!hasCode(error, 'NETWORK') && !hasCode(error, 'TIMEOUT')) return;
      }
      // It may go by a connection of its own, which is lost for itself.
      await sleep(RESERVE_AGAIN_MS, this.#stop.signal);
    }
  }

  async #forked(home: Home, stream: StreamName, until: number): Promise<void> {
    this.#options.onNotice(
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

  /** Watches the connection, and brings it back as long as it is wanted. */
  keep(): void {
    this.#keeping ??= this.#reconnecting().finally(() => {
      this.#keeping = undefined;
      // It may have become wanted again just when it was found that it was not.
      if (!this.#isOver) this.keep();
    });
  }

  get #isOver(): boolean {
    return !this.#options.isWanted() || this.#stop.signal.aborted;
  }

  async #reconnecting(): Promise<void> {
    while (!this.#isOver) {
      const link = this.#link;
      if (link !== undefined && !link.ended && this.#sync !== undefined) {
        await new Promise<void>((resolve) => link.onEnd(resolve));
        // Who has logged out and in again meanwhile has another one by now.
        if (this.#link !== undefined && this.#link !== link) continue;
      }
      const was = this.#sync !== undefined;
      this.#detach();
      if (this.#isOver) return;
      if (was) this.#options.onConnected(false);
      await this.#reconnect();
    }
  }

  #detach(): void {
    this.#sync = undefined;
    this.#options.home()?.outbox.attach(undefined);
  }

  async #reconnect(): Promise<void> {
    const { events, random, home, onConnected, onLogout, onNotice } = this.#options;
    for (let attempt = 0; !this.#isOver; attempt++) {
      const base = waitBefore(attempt, BACKOFF_MS);
      const spread = 1 + (random(1)[0]! / 255) * JITTER;
      await sleep(base * spread, AbortSignal.any([this.#stop.signal, this.#retryNow.signal]));
      if (this.#retryNow.signal.aborted) this.#retryNow = new AbortController();
      try {
        await this.connect();
        await this.live.session.call('login', {});
        await this.attach(this.live, home()!);
        onConnected(true);
        return;
      } catch (error) {
        this.#link?.abort(new ClchatError('CLOSED'));
        this.#link = undefined;
        this.#detach();
        if (hasCode(error, 'REVOKED')) return onLogout('revoked');
        if (hasCode(error, 'BANNED')) return onLogout('banned');
        if (hasCode(error, 'NOT_LOGGED_IN')) return onLogout('unknown device');
        if (hasCode(error, 'SERVER_KEY_CHANGED')) onNotice(error.code, error.message);
        else events.onFault(error);
      }
    }
  }

  /** The network has changed: there is no point in waiting any longer, or in trusting what was there. */
  networkChanged(): void {
    const { transport } = this.#options;
    transport.check?.();
    if (this.#link?.ended === false) this.#tellReachable(this.#link);
    else this.#retryNow.abort();
  }

  /** Has others who are to fetch something from here, or to talk in private, learn where this device is. */
  #tellReachable(link: Link): void {
    const addresses = this.#options.transport.addresses().slice(0, MAX_ADDRESSES);
    link.session.notify('reachable', { addresses });
  }

  /** Lets go of the connection, which is not wanted any more. */
  drop(): void {
    this.#detach();
    void this.#link?.close();
    this.#link = undefined;
  }

  /** Nothing is begun any more. */
  abort(): void {
    this.#stop.abort();
  }

  async stop(): Promise<void> {
    await this.#link?.close();
    await this.#keeping;
  }
}

/** How far what was said before has got meanwhile. */
async function askReceipts({ exchange }: SyncClient, { progress }: Home): Promise<void> {
  const open = progress.open();
  for (let at = 0; at < open.length; at += RECEIPTS) {
    const { receipts } = await exchange.call('receipts', { ids: open.slice(at, at + RECEIPTS) });
    for (const receipt of receipts.map(toReceipt)) progress.update(receipt);
  }
}
