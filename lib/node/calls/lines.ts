/**
 * Lines to the other devices in a call: over them the two sides agree on how they connect, and say what
 * they want to see of one another. Each is a connection of its own, proved by the keys of both devices;
 * what it tells goes to nobody else, the server included.
 *
 * One that breaks is brought back for as long as both are in the call. Both sides may dial; where they
 * meet, the newer line is spoken on, and what still comes over the older one is heard.
 */
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { ClchatError, codeOf, isAbort } from '../../errors.ts';
import { deadline, sleep, until, waitBefore, type Clock } from '../../lifecycle.ts';
import type { Channel, Connection, Path, Target, Transport } from '../channel.ts';
import type { Notice } from '../exchange.ts';
import { TokenBucket } from '../../token-bucket.ts';
import { Line, type CallNotice, type Dealing, type NoticeName } from './line.ts';
import { CALL, type CallId } from './wire.ts';

export type { CallNotice } from './line.ts';

/** Another device in the call. */
export interface Companion {
  readonly device: PublicKey;
  readonly account: AccountId;
}

/** In milliseconds. */
export interface LineTimes {
  /** How long whoever has connected may be silent before naming the call. */
  readonly silent: number;
  /** How long the server may take to tell of somebody who has come into the call. */
  readonly told: number;
  /** Before a line is dialled again. */
  readonly waits: readonly number[];
  /** How long the side that is to wait for the other to dial does so. */
  readonly patience: number;
}

export interface CallLinesOptions {
  readonly transport: Pick<Transport, 'connect' | 'handle' | 'key'>;
  readonly clock: Clock;
  /** Where the devices of an account are. @throws as `Whereabouts.of` */
  readonly targets: (account: AccountId) => Promise<readonly Target[]>;
  /**
   * Whether a device that is not among those to be kept up with may turn out to be, since the server
   * may just be telling of it. Nobody else is listened to.
   * @param id the call that it names; undefined: it has not named any
   */
  readonly mayCome: (device: PublicKey, id: CallId | undefined) => boolean;
  /** @param isOnly there was none before, so that nothing of what is said on others is under way */
  readonly onUp: (device: PublicKey, path: Path, isOnly: boolean) => void;
  readonly onNotice: (device: PublicKey, notice: CallNotice) => void;
  readonly onFault: (error: unknown) => void;
  /** Others than usual, for tests. */
  readonly times?: Partial<LineTimes>;
}

const TIMES: LineTimes = {
  silent: 5_000,
  told: 3_000,
  waits: [300, 1_000, 2_000, 4_000],
  patience: 1_500,
};
/** How long a line may take to come about, in milliseconds. */
const CONNECT_MS = 8_000;
/** A line that has lasted so long, in milliseconds, had come about: when it ends, it is dialled at once. */
const LASTING_MS = 3_000;
/** Lines that a device may have at a time: one, and those that take its place. */
const MAX_OF_DEVICE = 3;
/** Channels that wait to name their call, of all devices that are not known to be in it. */
const MAX_UNNAMED = 64;
/** Notices of a device at once, and then a second; and of those among them that cost much. */
const NOTICE_BURST = 300;
const NOTICES_PER_SECOND = 50;
const COSTLY_BURST = 30;
const COSTLY_PER_SECOND = 2;
const COSTLY: ReadonlySet<NoticeName> = new Set(['offer', 'answer', 'callme']);

export class CallLines {
  readonly #options: CallLinesOptions;
  readonly #times: LineTimes;
  readonly #dealings = new Map<PublicKey, Dealing>();
  /** Closing. */
  readonly #ending = new Set<Promise<void>>();
  /** Channels that wait to name their call. */
  readonly #unnamed = new Map<PublicKey, number>();
  #id: CallId | undefined;

  constructor(options: CallLinesOptions) {
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    options.transport.handle(CALL.name, (channel) => this.#accept(channel));
  }

  /** Has a line to each of these, and to nobody else. @param id undefined: in no call */
  keep(id: CallId | undefined, companions: readonly Companion[]): void {
    const isOther = id !== this.#id;
    this.#id = id;
    const wanted = new Set(companions.map(({ device }) => device));
    for (const device of this.#dealings.keys())
      if (isOther || !wanted.has(device)) this.#drop(device, !wanted.has(device));
    for (const companion of companions)
      if (!this.#dealings.has(companion.device)) this.#begin(companion);
  }

  /** Says something; nothing where there is no line at the moment. @returns whether there is */
  send<N extends NoticeName>(device: PublicKey, name: N, notice: Notice<typeof CALL, N>): boolean {
    const line = this.#dealings.get(device)?.lines.at(-1);
    line?.exchange.notify(name, notice);
    return line !== undefined;
  }

  isUp(device: PublicKey): boolean {
    return (this.#dealings.get(device)?.lines.length ?? 0) > 0;
  }

  /** How much is remembered of lines that there are, or that come about or end. */
  get size(): number {
    return this.#dealings.size + this.#ending.size + this.#unnamed.size;
  }

  #begin({ device, account }: Companion): void {
    const { clock } = this.#options;
    const dealing: Dealing = {
      account,
      stop: new AbortController(),
      lines: [],
      notices: new TokenBucket(NOTICE_BURST, NOTICES_PER_SECOND, clock),
      costly: new TokenBucket(COSTLY_BURST, COSTLY_PER_SECOND, clock),
    };
    this.#dealings.set(device, dealing);
    void this.#keepUp(device, dealing);
  }

  /** Dials whenever there is no line, and goes on until told to stop. */
  async #keepUp(device: PublicKey, dealing: Dealing): Promise<void> {
    const { signal } = dealing.stop;
    const { clock, transport } = this.#options;
    // One of the two comes first; the other only where it does not get through.
    if (transport.key < device) await sleep(this.#times.patience, signal);
    let failures = 0;
    while (!signal.aborted) {
      const isUp = dealing.lines.length > 0 || (await this.#reaches(device, dealing));
      const since = clock.monotonic();
      while (dealing.lines.length > 0 && !signal.aborted) await oneIsDown(dealing);
      // Whoever takes a line and ends it at once would be dialled on and on.
      if (isUp && clock.monotonic() - since >= LASTING_MS) failures = 0;
      else await sleep(waitBefore(failures++, this.#times.waits), signal);
    }
  }

  async #reaches(device: PublicKey, dealing: Dealing): Promise<boolean> {
    try {
      await this.#dial(device, dealing);
      return true;
    } catch (error) {
      const isOver = isAbort(error) || dealing.stop.signal.aborted;
      if (!isOver && codeOf(error) === 'INTERNAL') this.#options.onFault(error);
      // The other side may have come here meanwhile.
      return dealing.lines.length > 0;
    }
  }

  async #dial(device: PublicKey, dealing: Dealing): Promise<void> {
    const id = this.#id;
    const { transport, targets } = this.#options;
    const { signal } = dealing.stop;
    const target = (await targets(dealing.account)).find(({ key }) => key === device);
    if (target === undefined || id === undefined) throw new ClchatError('OFFLINE');
    const bounded = deadline(CONNECT_MS, signal);
    const connection = await transport.connect(target, { signal: bounded });
    const giveUp = (): void => connection.abort(new ClchatError('CLOSED'));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const channel = await connection.open(CALL.name, { signal: bounded });
      const line = this.#line(channel, connection);
      // What the other side says from now on it says since it has heard of the call.
      line.dealing = dealing;
      await line.exchange.call('begin', { id }, CONNECT_MS);
      if (signal.aborted) throw new ClchatError('CLOSED');
      this.#options.onUp(device, line.path, this.#add(dealing, line));
    } catch (error) {
      giveUp();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #line(channel: Channel, connection: Connection | undefined): Line {
    return new Line(channel, connection, {
      onNotice: (line, notice) => this.#take(line, notice),
      onBegin: (line, id) => this.#named(line, id),
      onFault: this.#options.onFault,
    });
  }

  #accept(channel: Channel): void {
    const { remote } = channel;
    const isStranger = !this.#dealings.has(remote);
    if (isStranger && !this.#options.mayCome(remote, undefined))
      return channel.abort(new ClchatError('DENIED'));
    const ofDevice = this.#unnamed.get(remote) ?? 0;
    if (ofDevice >= MAX_OF_DEVICE || (isStranger && this.#strangers >= MAX_UNNAMED))
      return channel.abort(new ClchatError('RATE_LIMITED'));
    this.#unnamed.set(remote, ofDevice + 1);
    const line = this.#line(channel, undefined);
    const { exchange } = line;
    const silence = setTimeout(() => {
      if (!line.hasBegun) exchange.abort(new ClchatError('TIMEOUT'));
    }, this.#times.silent);
    silence.unref();
    let isCounted = true;
    line.onNamed = (): void => {
      clearTimeout(silence);
      if (!isCounted) return;
      isCounted = false;
      const left = (this.#unnamed.get(remote) ?? 1) - 1;
      if (left > 0) this.#unnamed.set(remote, left);
      else this.#unnamed.delete(remote);
    };
    exchange.onEnd(line.onNamed);
  }

  /** Channels of those who are not known to be in the call, whose places are none of the others'. */
  get #strangers(): number {
    const all = [...this.#unnamed].filter(([device]) => !this.#dealings.has(device));
    return all.reduce((sum, [, count]) => sum + count, 0);
  }

  #with(device: PublicKey, id: CallId): Dealing | undefined {
    return id === this.#id ? this.#dealings.get(device) : undefined;
  }

  /** Whoever has connected names the call. @throws NO_CALL for strangers, and who is in another one */
  async #named(line: Line, id: CallId): Promise<void> {
    const { exchange } = line;
    const device = exchange.remote;
    const { mayCome, onUp } = this.#options;
    await until(
      this.#times.told,
      () => this.#with(device, id) !== undefined || exchange.ended || !mayCome(device, id),
    );
    const dealing = this.#with(device, id);
    line.onNamed?.();
    if (dealing === undefined || exchange.ended) {
      // Once it has been told.
      setImmediate(() => this.#close(line));
      throw new ClchatError('NO_CALL');
    }
    line.dealing = dealing;
    const isOnly = this.#add(dealing, line);
    // The answer goes out before what is said next.
    setImmediate(() => {
      if (!exchange.ended) onUp(device, line.path, isOnly);
    });
  }

  /** @returns whether it is the only one */
  #add(dealing: Dealing, line: Line): boolean {
    const isOnly = dealing.lines.push(line) === 1;
    line.exchange.onEnd(() => {
      const at = dealing.lines.indexOf(line);
      if (at >= 0) dealing.lines.splice(at, 1);
    });
    // At once: whoever is slow to end one could have any number.
    for (const oldest of dealing.lines.splice(0, dealing.lines.length - MAX_OF_DEVICE))
      oldest.exchange.abort(new ClchatError('RATE_LIMITED'));
    return isOnly;
  }

  #take(line: Line, notice: CallNotice): void {
    const { dealing } = line;
    // Before the call was named there is nothing that could be meant.
    if (dealing === undefined) throw new ClchatError('BAD_MESSAGE');
    if (dealing.stop.signal.aborted) return;
    const isWithin = dealing.notices.take() && (!COSTLY.has(notice.name) || dealing.costly.take());
    if (!isWithin) throw new ClchatError('RATE_LIMITED');
    this.#options.onNotice(line.exchange.remote, notice);
  }

  #drop(device: PublicKey, isLeft: boolean): void {
    const dealing = this.#dealings.get(device);
    this.#dealings.delete(device);
    dealing?.stop.abort();
    for (const line of dealing?.lines ?? []) {
      if (isLeft) line.exchange.notify('bye', {});
      this.#close(line);
    }
  }

  #close(line: Line): void {
    const ending = line.close().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Tells the others that this side leaves. */
  async stop(): Promise<void> {
    this.keep(undefined, []);
    await Promise.all(this.#ending);
  }
}

/** Resolves when the first line of some has ended. */
function oneIsDown({ lines: [line] }: Dealing): Promise<void> {
  return new Promise((resolve) => line!.exchange.onEnd(() => resolve()));
}
