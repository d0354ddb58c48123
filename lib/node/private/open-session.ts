/**
 * A private session that is open. What is said in it is shown at the other end once, whatever line it
 * goes over: one that breaks is made anew for as long as there is hope, and nobody is asked again.
 */
import { timingSafeEqual } from 'node:crypto';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import { deadline, sleep, waitBefore, type Clock } from '../../lifecycle.ts';
import { byteLength } from '../../text.ts';
import type { Path } from '../channel.ts';
import { TokenBucket } from '../../token-bucket.ts';
import type { Line, Said } from './line.ts';

export interface OpenSessionOptions {
  /** Of this device. */
  readonly key: PublicKey;
  readonly clock: Clock;
  /** Connects to the device once more. */
  readonly dial: (signal: AbortSignal) => Promise<Line>;
  /** The line has broken, and another one is sought. */
  readonly onAway: () => void;
  /** There is one again. */
  readonly onBack: (path: Path) => void;
  /** The other side is gone. @param unshown messages that were said to wait, and were not shown */
  readonly onGone: (unshown: number) => void;
}

/** `waiting`: there is no line at the moment; should it never be shown the end of the session tells. */
export type Heard = 'shown' | 'waiting';

interface Saying {
  readonly said: Said;
  readonly settle: (outcome: Heard | Error) => void;
  isWaiting: boolean;
}

/** How long another line is sought, in milliseconds. */
const SEEK_MS = 60_000;
/** Waits before each attempt, in milliseconds; the last one repeats. */
const WAITS_MS = [0, 300, 1_000, 2_000];
/** Attempts where the other side itself has ended a direct line, as a program does that ends. */
const FEW_ATTEMPTS = 4;
/** For so long the line that was made last is not given up for another one, in milliseconds. */
const SETTLE_MS = 2_000;
/** Whoever has said something is told that it waits after so long, in milliseconds. */
const WAIT_MS = 5_000;
/** Messages that may wait to be shown, and bytes of them: on another line they are said again at once. */
const MAX_UNHEARD = 400;
const MAX_UNHEARD_BYTES = 2 << 20;
/** Messages that are shown at once, and then a second; the rest waits. */
const MESSAGE_BURST = 200;
const MESSAGES_PER_SECOND = 100;

export class OpenSession {
  readonly type = 'open';
  readonly account: AccountId;
  readonly device: PublicKey;
  readonly #options: OpenSessionOptions;
  /** Both sides know it and nobody else; without one no other line is taken. */
  readonly #token: Uint8Array | undefined;
  /** People have agreed to a relay. */
  readonly #isRelayFine: boolean;
  readonly #flow: TokenBucket;
  #line: Line | undefined;
  /** Monotonic milliseconds. */
  #since: number;
  /** On which the other side is just asked to go on; that it has agreed may show first by what it says. */
  #candidate: Line | undefined;
  #seeking: AbortController | undefined;
  #isOver = false;
  #lastSaid = 0;
  #lastShown = 0;
  /** By their numbers, in order. */
  readonly #unheard = new Map<number, Saying>();
  #unheardBytes = 0;

  constructor(line: Line, options: OpenSessionOptions) {
    this.account = line.account;
    this.device = line.device;
    this.#token = line.token;
    this.#isRelayFine = line.path === 'relayed';
    this.#options = options;
    this.#flow = new TokenBucket(MESSAGE_BURST, MESSAGES_PER_SECOND, options.clock);
    this.#line = line;
    this.#since = options.clock.monotonic();
  }

  /** Whether there is no line at the moment. */
  get isAway(): boolean {
    return this.#line === undefined;
  }

  /** Whether a line is that of the session. */
  isOn(line: Line): boolean {
    return line === this.#line || line === this.#candidate;
  }

  /**
   * Says something. Resolves once the other side has shown it, over this line or another, or it has
   * waited for a line for a while.
   * @throws RATE_LIMITED where too much is on its way, PEER_GONE; after both it was not shown, as far
   *   as can be told
   */
  say(said: Said): Promise<Heard> {
    const bytes = byteLength(said.text);
    if (this.#unheard.size >= MAX_UNHEARD || this.#unheardBytes + bytes > MAX_UNHEARD_BYTES)
      return Promise.reject(new ClchatError('RATE_LIMITED'));
    this.#unheardBytes += bytes;
    const number = ++this.#lastSaid;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        saying.isWaiting = this.isAway;
        if (saying.isWaiting) resolve('waiting');
        else timer.refresh();
      };
      const timer = setTimeout(look, WAIT_MS);
      const settle = (outcome: Heard | Error): void => {
        clearTimeout(timer);
        if (this.#unheard.delete(number)) this.#unheardBytes -= bytes;
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const saying: Saying = { said, settle, isWaiting: false };
      this.#unheard.set(number, saying);
      this.#send(number);
    });
  }

  #send(number: number): void {
    const [line, saying] = [this.#line, this.#unheard.get(number)];
    if (line === undefined || saying === undefined) return;
    line.say({ ...saying.said, number }).then(
      () => saying.settle('shown'),
      (error: unknown) => {
        // It is said again on another line.
        if (hasCode(error, 'CLOSED') || hasCode(error, 'TIMEOUT')) return this.lost(line);
        saying.settle(error as Error);
        if (hasCode(error, 'PEER_GONE')) this.#giveUp();
      },
    );
  }

  /**
   * Takes something said.
   * @returns whether it is to be shown; undefined where it was before
   */
  heard({ number }: Said, line: Line): { readonly wait: number } | undefined {
    // Whoever says something over it has agreed to it.
    if (line === this.#candidate) this.#adopt(line);
    if (number !== undefined) {
      if (number <= this.#lastShown) return undefined;
      this.#lastShown = number;
    }
    return { wait: this.#flow.reserve() };
  }

  /** A line has broken. */
  lost(line: Line): void {
    if (line !== this.#line) return;
    this.#line = undefined;
    line.drop();
    if (this.#isOver) return;
    if (this.#token === undefined) return this.#giveUp();
    this.#options.onAway();
    // A program that is reached at its own address and has ended refuses: others may just be cut off.
    const hasEnded = line.wasEnded && line.path === 'direct';
    void this.#seek(this.#token, hasEnded ? FEW_ATTEMPTS : Infinity);
  }

  async #seek(token: Uint8Array, attempts: number): Promise<void> {
    const stop = new AbortController();
    this.#seeking = stop;
    const limit = deadline(SEEK_MS, stop.signal);
    for (let attempt = 0; attempt < attempts && !limit.aborted; attempt++) {
      await sleep(waitBefore(attempt, WAITS_MS), limit);
      if (limit.aborted || (await this.#redial(token, limit))) break;
    }
    if (!stop.signal.aborted) this.#giveUp();
  }

  /** @returns whether it is decided: there is another line, or none to be hoped for */
  async #redial(token: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const { dial } = this.#options;
    let line: Line | undefined;
    try {
      line = await dial(signal);
      if (signal.aborted || this.#isUnwanted(line)) throw new ClchatError('CLOSED');
      this.#candidate = line;
      await line.resume(token);
      if (signal.aborted && this.#line !== line) throw new ClchatError('CLOSED');
      this.#adopt(line);
      return true;
    } catch (error) {
      if (line !== this.#line) line?.drop();
      // Its program knows nothing of the session any more.
      return hasCode(error, 'NO_SESSION');
    } finally {
      if (this.#candidate === line) this.#candidate = undefined;
    }
  }

  /** One that went straight does not lead through a relay without a word. */
  #isUnwanted({ path }: Line): boolean {
    return path === 'relayed' && !this.#isRelayFine;
  }

  /**
   * The other side goes on over another line. Of two that are made at the same time the one is taken
   * that the device makes whose key comes first.
   * @throws NO_SESSION where it is not that session; ALREADY where the own line is taken; DENIED
   *   (through a relay)
   */
  resume(line: Line, token: Uint8Array): void {
    const own = this.#token;
    if (own?.length !== token.length || !timingSafeEqual(own, token))
      throw new ClchatError('NO_SESSION');
    if (this.#isUnwanted(line)) throw new ClchatError('DENIED');
    const { key, clock } = this.#options;
    const isSettling = this.#line !== undefined && clock.monotonic() - this.#since < SETTLE_MS;
    if ((this.#candidate !== undefined || isSettling) && key < this.device)
      throw new ClchatError('ALREADY');
    this.#adopt(line);
  }

  #adopt(line: Line): void {
    const before = this.#line;
    if (line === before) return;
    this.#seeking?.abort();
    this.#seeking = undefined;
    this.#line = line;
    this.#since = this.#options.clock.monotonic();
    if (before === undefined) this.#options.onBack(line.path);
    else before.drop();
    for (const number of this.#unheard.keys()) this.#send(number);
  }

  #giveUp(): void {
    if (this.#isOver) return;
    const { line, unshown } = this.end();
    line?.drop();
    this.#options.onGone(unshown);
  }

  /**
   * Nothing more is said.
   * @returns the line to be ended, where there is one, and how many messages waited in vain
   */
  end(): { readonly line: Line | undefined; readonly unshown: number } {
    const line = this.#line;
    const unshown = [...this.#unheard.values()].filter(({ isWaiting }) => isWaiting).length;
    this.#isOver = true;
    this.#line = undefined;
    this.#seeking?.abort();
    this.#candidate?.drop();
    for (const { settle } of [...this.#unheard.values()]) settle(new ClchatError('PEER_GONE'));
    return { line, unshown };
  }
}
