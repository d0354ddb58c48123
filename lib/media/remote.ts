/**
 * The connection to one other device, from its first offer on to the end of the call: agreed on over
 * whatever line there is to it, made in the helper process, and brought back when it is lost.
 */
import { ClchatError, hasCode } from '../errors.ts';
import { isLoopback, listCards, type Card } from '../interfaces.ts';
import { systemClock, waitBefore, type Clock } from '../lifecycle.ts';
import { TokenBucket } from '../token-bucket.ts';
import { FIRST_MID, parseCandidate, type Limits } from './description.ts';
import type { ConnectionState } from './engine/connection.ts';
import type { EngineEvent, PeerName, Ways } from './engine/messages.ts';
import type { MediaProcess } from './media-process.ts';
import { negotiate, newNegotiation, type Input, type Output, type Signal } from './negotiation.ts';

export type RemoteState = ConnectionState;

export interface RemoteOptions {
  readonly peer: PeerName;
  readonly makesOffers: boolean;
  /** Undefined while there is none. */
  readonly media: () => Pick<MediaProcess, 'call' | 'order'> | undefined;
  readonly ways: () => Ways;
  readonly limits: () => Limits;
  /** Over the line to the other side; nothing while there is none. */
  readonly send: (signal: Signal) => void;
  /** Whether there is one. */
  readonly isUp: () => boolean;
  readonly onState: (state: RemoteState) => void;
  readonly onFault: (error: unknown) => void;
  /** Another one for tests. */
  readonly clock?: Clock;
  /** Times, for tests; in milliseconds. */
  readonly lateMs?: number;
  readonly restartMs?: number;
  /** Those of this host; others for tests. */
  readonly cards?: () => readonly Card[];
}

/** How long an offer may be without an answer, in milliseconds. */
const LATE_MS = 5_000;
/** How long a connection may be without a sign of life before other ways are sought, in milliseconds. */
const RESTART_MS = 2_000;
/** How long one may take to come about, in milliseconds: the library itself gives up after 15 s or so. */
const CONNECT_MS = 20_000;
/** Before a connection that has failed is begun anew, in milliseconds. */
const WAITS_MS = [0, 1_000, 3_000, 5_000];
/**
 * Candidates of the other side that are tried for each offer: each makes this host send to an address
 * that it was told.
 */
const MAX_CANDIDATES = 32;
/**
 * And of all offers together so many at once, and then so many a second: a connection that fails again
 * and again has ten or so each time.
 */
const CANDIDATES = { burst: 3 * MAX_CANDIDATES, perSecond: 3 };
/**
 * New connections at once, and then a second: the other side may ask for them without end, and the
 * library keeps something of each.
 */
const OPENED = { burst: 10, perSecond: 1 / 5 };
/** What is to be opened too soon is so after that, in milliseconds. */
const OPEN_LATER_MS = 5_000;
/** An offer, its candidates, and a few that follow. */
const MAX_WAITING = 2 * MAX_CANDIDATES;

export class Remote {
  readonly #options: RemoteOptions;
  #negotiation;
  #state: RemoteState = 'connecting';
  #candidates = 0;
  readonly #tries: TokenBucket;
  readonly #opened: TokenBucket;
  #opensLater: NodeJS.Timeout | undefined;
  /** Its contents have changed while there was no line. */
  #owesChange = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  /** What happened while there was no helper process. */
  readonly #waiting: Input[] = [];
  #isClosed = false;

  constructor(options: RemoteOptions) {
    this.#options = options;
    const { clock = systemClock } = options;
    this.#tries = new TokenBucket(CANDIDATES.burst, CANDIDATES.perSecond, clock);
    this.#opened = new TokenBucket(OPENED.burst, OPENED.perSecond, clock);
    // There are fewer attempts than seconds. Should the clock have been set back, the other side says
    // how far they are.
    this.#negotiation = newNegotiation(options.makesOffers, Math.floor(Date.now() / 1_000));
  }

  get state(): RemoteState {
    return this.#state;
  }

  /** There is a line to the other side. */
  lineUp(): void {
    const owesChange = this.#owesChange;
    this.#owesChange = false;
    if (this.#negotiation.phase !== 'settled') return this.#input({ type: 'begin' });
    if (this.#state === 'failed') return this.#input({ type: 'renew' });
    if (this.#state !== 'connected') return this.#input({ type: 'restart' });
    if (owesChange) this.change();
  }

  /** What the other side says. */
  take(signal: Signal): void {
    if (signal.type === 'candidate' && !this.#mayTry(signal.candidate, signal.mid)) return;
    this.#input({ type: 'signal', signal });
  }

  /** Loopback is for hosts that have nothing else: others would be told to try their own services. */
  #mayTry(written: string, mid: string): boolean {
    const candidate = parseCandidate(written);
    if (candidate === undefined || mid !== FIRST_MID) return false;
    const { cards = listCards } = this.#options;
    return !isLoopback(candidate.ip) || cards().every(({ internal }) => internal);
  }

  /** Other sizes, or another number of those in the call. */
  change(): void {
    if (this.#options.isUp()) this.#input({ type: 'change' });
    else this.#owesChange = true;
  }

  /** This host has other addresses. Without a line nothing can be agreed on; the present way may still do. */
  networkChanged(): void {
    if (this.#options.isUp()) this.#input({ type: 'restart' });
  }

  /** There is another helper process, which knows of nothing. */
  renew(): void {
    if (this.#isClosed) return;
    this.#failures = 0;
    this.#waiting.length = 0;
    this.#become('connecting');
    this.#input({ type: 'renew' });
  }

  /** What the helper process tells of it. */
  note(event: Extract<EngineEvent, { readonly event: 'candidate' | 'state' }>): void {
    if (this.#isClosed || event.attempt !== this.#negotiation.attempt) return;
    if (event.event === 'candidate') {
      const { attempt, candidate, mid } = event;
      if (this.#mayTry(candidate, mid)) this.#input({ type: 'found', attempt, candidate, mid });
      return;
    }
    this.#become(event.state);
    this.#watch();
  }

  #become(state: RemoteState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state === 'connected') this.#failures = 0;
    this.#options.onState(state);
  }

  /** The helper process is there: does what had to wait for it. */
  mediaReady(): void {
    for (const input of this.#waiting.splice(0)) this.#input(input);
  }

  #input(input: Input): void {
    if (this.#isClosed) return;
    if (this.#options.media() === undefined) {
      const isCandidate = input.type === 'signal' && input.signal.type === 'candidate';
      const most = isCandidate ? MAX_CANDIDATES : MAX_WAITING;
      if (this.#waiting.length < most) this.#waiting.push(input);
      return;
    }
    const before = this.#negotiation;
    const [next, outputs] = negotiate(before, input);
    if (outputs.some(({ type }) => type === 'open') && !this.#opened.take())
      return this.#openLater();
    this.#negotiation = next;
    for (const output of outputs) this.#do(output);
    const isOffered = outputs.some(({ type }) => type === 'makeOffer');
    if (next.phase !== before.phase || next.attempt !== before.attempt || isOffered) this.#watch();
  }

  /** Where it is not connected by then. */
  #openLater(): void {
    this.#opensLater ??= setTimeout(() => {
      this.#opensLater = undefined;
      if (this.#state !== 'connected') this.#input({ type: 'renew' });
    }, OPEN_LATER_MS);
    this.#opensLater.unref();
  }

  #do(output: Output): void {
    const { peer, media, send, makesOffers, ways, limits } = this.#options;
    const { attempt } = this.#negotiation;
    const engine = media();
    switch (output.type) {
      case 'send':
        return send(output.signal);
      case 'open':
        this.#become('connecting');
        return engine?.order({ order: 'open', peer, attempt, makesOffers, ways: ways() });
      case 'addCandidate': {
        const { candidate, mid } = output;
        if (++this.#candidates > MAX_CANDIDATES || !this.#tries.take()) return;
        return engine?.order({ order: 'candidate', peer, attempt, candidate, mid });
      }
      case 'makeOffer':
        this.#candidates = 0;
        return this.#describe(
          attempt,
          engine?.call('offer', { peer, attempt, restart: output.restart }),
        );
      case 'makeAnswer':
        this.#candidates = 0;
        return this.#describe(
          attempt,
          engine?.call('answer', { peer, attempt, sdp: output.sdp, limits: limits() }),
        );
      case 'takeAnswer': {
        const taken = engine?.call('accept', { peer, attempt, sdp: output.sdp, limits: limits() });
        taken?.catch((error: unknown) => this.#failed(attempt, error));
        return;
      }
      default:
        return output satisfies never;
    }
  }

  #describe(attempt: number, described: Promise<{ readonly sdp: string }> | undefined): void {
    described?.then(
      ({ sdp }) => this.#input({ type: 'described', attempt, sdp }),
      (error: unknown) => this.#failed(attempt, error),
    );
  }

  /** What was to be done cannot be done, unless there is another attempt by now. */
  #failed(attempt: number, error: unknown): void {
    if (attempt !== this.#negotiation.attempt || this.#isClosed) return;
    // The process is gone: `renew` is called when there is another.
    if (hasCode(error, 'CLOSED')) return;
    if (!(error instanceof ClchatError)) this.#options.onFault(error);
    this.#become('failed');
    this.#watch();
  }

  /** What is to be done if nothing changes for a while. */
  #watch(): void {
    clearTimeout(this.#timer);
    const { lateMs = LATE_MS, restartMs = RESTART_MS } = this.#options;
    const after = (milliseconds: number, type: 'late' | 'restart' | 'renew'): void => {
      this.#timer = setTimeout(() => {
        // What is said over no line is lost, and what there still is may be lost by it: the next line
        // brings all of it about.
        if (!this.#options.isUp()) return;
        if (type === 'renew') this.#failures += 1;
        this.#input({ type });
        this.#watch();
      }, milliseconds);
      this.#timer.unref();
    };
    if (this.#state === 'failed') return after(waitBefore(this.#failures, WAITS_MS), 'renew');
    if (this.#negotiation.phase === 'open') return after(lateMs, 'late');
    if (this.#negotiation.phase !== 'settled') return;
    if (this.#state === 'disconnected') return after(restartMs, 'restart');
    if (this.#state === 'connecting') return after(CONNECT_MS, 'renew');
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#opensLater);
    this.#options.media()?.order({ order: 'close', peer: this.#options.peer });
  }
}
