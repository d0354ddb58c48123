/** One's own wish for a session with somebody, from the first attempt to what has become of it. */
import type { AccountId, PublicKey, RandomBytes } from '../../crdt/keys.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import type { Target, Transport } from '../channel.ts';
import { Line, type LineEvents } from './line.ts';
import type { Reason } from './wire.ts';

export interface AskingOptions {
  readonly transport: Pick<Transport, 'connect' | 'key'>;
  readonly account: AccountId;
  readonly random: RandomBytes;
  readonly events: LineEvents;
  /** How long a person may take to answer, in milliseconds. */
  readonly answerMs: number;
  /** The person is to say whether the way may lead through a relay: `consent` takes the answer. */
  readonly onRelay: () => void;
  /** The session is to begin over a line. */
  readonly onOpen: (line: Line) => void;
  /** Nothing comes of it; not told where the other side has not been asked. */
  readonly onGivenUp: (reason: Reason | 'gone') => void;
  /** A line is not needed any more. */
  readonly end: (line: Line, reason: Reason) => void;
}

/** Devices of an account that are asked. */
const MAX_DEVICES = 8;

export class Asking {
  readonly type = 'asking';
  /** Rejected with what kept the session from coming about. */
  readonly decided: Promise<void>;
  readonly #options: AskingOptions;
  /** To devices that have been asked, or are just being. */
  readonly #lines = new Set<Line>();
  /** By which the other side has asked meanwhile. */
  #held: Line | undefined;
  /** That line is just being accepted. */
  #taking: Promise<void> | undefined;
  /** There is nobody more to be asked. */
  #isDialled = false;
  #isAsked = false;
  #isOver = false;
  /** The way may lead through a relay. */
  #isRelayFine = false;
  #timer: NodeJS.Timeout | undefined;
  #consent: ((isYes: boolean) => void) | undefined;
  readonly #stop = new AbortController();
  #decide: (failure?: Error) => void = () => undefined;

  constructor(options: AskingOptions) {
    this.#options = options;
    this.decided = new Promise<void>((resolve, reject) => {
      this.#decide = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    // Whoever does not wait for it is told by news.
    this.decided.catch(() => undefined);
  }

  /** Whether it has come to something, or to nothing. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes the answer to the question of a relay, while that waits. */
  get consent(): ((isYes: boolean) => void) | undefined {
    return this.#consent;
  }

  /** Whether a device is asked over a line. */
  has(line: Line): boolean {
    return this.#lines.has(line);
  }

  /**
   * Connects to all devices and asks. Resolves when the first of them has been asked, or both sides
   * have.
   * @param mayRelay puts the question of a relay; see `PrivateSessions.start`
   * @throws the refusal; NETWORK; DECLINED (not through a relay)
   */
  async ring(
    targets: readonly Target[],
    mayRelay: (() => Promise<boolean>) | undefined,
  ): Promise<void> {
    const relayed: Target[] = [];
    try {
      await this.#ringAll(targets.slice(0, MAX_DEVICES), relayed);
    } catch (error) {
      if (relayed.length === 0 || this.#isOver) throw error;
      this.#isRelayFine = await (mayRelay ?? (() => this.#askConsent()))();
      if (!this.#isRelayFine)
        throw new ClchatError('DECLINED', 'The only way leads through a relay: nobody was asked.');
      this.#mayTakeHeld();
      if (!this.#isOver) await this.#ringAll(relayed, []);
    }
    if (this.#isOver) return;
    this.#isAsked = true;
    const late = new ClchatError('TIMEOUT', 'That user has not answered.');
    this.#timer = setTimeout(() => this.giveUp(late, 'late'), this.#options.answerMs);
    this.#timer.unref();
    this.#mayGiveUp();
  }

  /** @param relayed gets those that are reached through a relay, where that is not wanted yet */
  async #ringAll(targets: readonly Target[], relayed: Target[]): Promise<void> {
    const rings = targets.map((target) => this.#ring(target, relayed));
    void Promise.allSettled(rings).then(() => {
      this.#isDialled = true;
      this.#mayGiveUp();
    });
    await Promise.any(rings).catch((error: unknown) => {
      throw whyNot((error as AggregateError).errors);
    });
  }

  async #ring(target: Target, relayed: Target[]): Promise<void> {
    const { transport, account, random, events, end } = this.#options;
    const line = await Line.dial(transport, target, account, events, this.#stop.signal);
    const isUnwanted = line.path === 'relayed' && !this.#isRelayFine;
    if (isUnwanted) relayed.push(target);
    if (isUnwanted || this.#isOver) {
      end(line, 'withdrawn');
      throw new ClchatError('CLOSED');
    }
    this.#lines.add(line);
    await line.request(Uint8Array.from(random(32))).catch((error: unknown) => {
      this.#lines.delete(line);
      line.drop();
      throw error;
    });
  }

  #askConsent(): Promise<boolean> {
    return new Promise((resolve) => {
      const answer = (isYes: boolean): void => {
        clearTimeout(timer);
        this.#consent = undefined;
        resolve(isYes);
      };
      const timer = setTimeout(() => answer(false), this.#options.answerMs);
      timer.unref();
      this.#consent = answer;
      this.#options.onRelay();
    });
  }

  /**
   * The other side asks as well, and so both want it. Of the two lines that of the device whose key
   * comes first is taken, which both sides know.
   * @throws ALREADY where it has asked before
   */
  hold(line: Line): void {
    if (this.#held !== undefined) throw new ClchatError('ALREADY');
    this.#held = line;
    this.#mayTakeHeld();
  }

  #mayTakeHeld(): void {
    const held = this.#held;
    if (held === undefined || this.#isOver || this.#taking !== undefined) return;
    if (held.path === 'relayed' && !this.#isRelayFine) return;
    const goesOwn =
      !this.#isDialled || [...this.#lines].some(({ device }) => device === held.device);
    if (goesOwn && this.#keyOfOwn < held.device) return;
    this.#taking = this.#take(held);
  }

  get #keyOfOwn(): PublicKey {
    return this.#options.transport.key;
  }

  /**
   * Nobody can be asked from here: begins over the line by which the other side has asked, if it has.
   * @returns whether the session has begun
   */
  async rescue(): Promise<boolean> {
    this.#isDialled = true;
    this.#mayTakeHeld();
    await this.#taking;
    return this.#isOver;
  }

  /** Never rejects. */
  async #take(held: Line): Promise<void> {
    const isTaken = await held.accept().then(
      () => true,
      () => false,
    );
    this.#taking = undefined;
    if (this.#isOver) return;
    if (isTaken && !held.isOver) return this.open(held);
    held.drop();
    if (this.#held === held) this.#held = undefined;
    this.#mayGiveUp();
  }

  /** The session begins over a line; the others are not needed any more. */
  open(line: Line): void {
    this.#settle(undefined, 'elsewhere', line);
    this.#options.onOpen(line);
  }

  /** A line is over. */
  lost(line: Line, reason: Reason | 'gone'): void {
    if (this.#held === line) this.#held = undefined;
    if (!this.#lines.delete(line)) return;
    if (reason !== 'declined') return this.#mayGiveUp();
    // Said at once, it may be read together with the answer that they are being asked.
    this.#isAsked = true;
    this.giveUp(new ClchatError('DECLINED'), reason);
  }

  /** Gives up where nobody is left who could say yes. */
  #mayGiveUp(): void {
    this.#mayTakeHeld();
    if (this.#lines.size > 0 || this.#held !== undefined) return;
    if (this.#isAsked && this.#isDialled)
      this.giveUp(new ClchatError('PEER_GONE', 'That user is gone.'), 'gone');
  }

  /** Nothing is to come of it any more. */
  giveUp(failure: Error, reason: Reason | 'gone'): void {
    if (this.#isOver) return;
    this.#settle(failure, reason === 'late' ? 'late' : 'withdrawn');
    if (this.#isAsked) this.#options.onGivenUp(reason);
  }

  #settle(failure: Error | undefined, reason: Reason, kept?: Line): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#consent?.(false);
    this.#stop.abort(failure ?? new ClchatError('CLOSED'));
    for (const line of [...this.#lines, ...(this.#held === undefined ? [] : [this.#held])])
      if (line !== kept) this.#options.end(line, reason);
    this.#decide(failure);
  }
}

/** Refusals of those who have been asked. */
const REFUSALS = ['BLOCKED', 'OFFLINE', 'ALREADY', 'RATE_LIMITED'] as const;

/** The error that says most of why nobody could be asked. */
function whyNot(errors: readonly unknown[]): Error {
  for (const code of REFUSALS) {
    const found = errors.find((error) => hasCode(error, code));
    if (found !== undefined) return found;
  }
  return new ClchatError('NETWORK', 'That user cannot be reached directly.', { cause: errors[0] });
}
