/**
 * Private sessions: what is said in them goes straight from device to device, is shown there, and is
 * kept nowhere. One is open once both people want it, and as long as both devices hold it; the server
 * only tells where devices are.
 */
import type { AccountId, PublicKey, RandomBytes } from '../../crdt/keys.ts';
import { actorOf, presentAccount } from '../../crdt/records.ts';
import { ClchatError, translate } from '../../errors.ts';
import { sleep, within, type Clock } from '../../lifecycle.ts';
import type { Channel, Relay, Transport } from '../channel.ts';
import type { Home } from '../client/home.ts';
import { TokenBuckets } from '../../token-bucket.ts';
import { Asking } from './asking.ts';
import { Line, type LineEvents, type Said } from './line.ts';
import type { PrivateNews } from './news.ts';
import { OpenSession, type Heard } from './open-session.ts';
import { Whereabouts, type Session } from './whereabouts.ts';
import { PRIVATE, type Reason } from './wire.ts';

export interface PrivateOptions {
  readonly transport: Pick<Transport, 'connect' | 'handle' | 'key'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** What the account has on this device, while somebody is logged in. */
  readonly home: () => Home | undefined;
  /** With the server, while there is a way to it. */
  readonly session: () => Session | undefined;
  /** Through which others may be reached that are not in reach. */
  readonly relay?: () => Relay | undefined;
  /** Absent: nobody is there to be asked. */
  readonly onNews?: ((news: PrivateNews) => void) | undefined;
  readonly onFault: (error: unknown) => void;
  /** How long a person may take to answer, in milliseconds; for tests. */
  readonly answerMs?: number;
}

/** The other side asks, and the person has been told. */
interface Asked {
  readonly type: 'asked';
  readonly line: Line;
  readonly timer: NodeJS.Timeout;
  /** The person has said yes, and the other side is just being told. */
  isTaken: boolean;
}

/** How long a person may take to answer, in milliseconds. */
const ANSWER_MS = 60_000;
/** How much longer a request is kept where it was received, in milliseconds. */
const GRACE_MS = 5_000;
/** How long the end of all sessions may take, in milliseconds. */
const END_MS = 2_000;
/** Requests that may wait for an answer here. */
const MAX_WAITING = 32;
/** Requests of one account at once, and then a second. */
const REQUEST_BURST = 5;
const REQUESTS_PER_SECOND = 5 / 60;

export class PrivateSessions {
  readonly #options: PrivateOptions;
  readonly #answerMs: number;
  readonly #whereabouts: Whereabouts;
  readonly #rates: TokenBuckets<AccountId>;
  readonly #dealings = new Map<AccountId, Asking | Asked | OpenSession>();
  /** Whose session was lost, and who has not been spoken to since. */
  readonly #gone = new Set<AccountId>();
  /** Lines on their way to their end. */
  readonly #ending = new Set<Promise<void>>();
  readonly #events: LineEvents;

  constructor(options: PrivateOptions) {
    this.#options = options;
    this.#answerMs = options.answerMs ?? ANSWER_MS;
    this.#whereabouts = new Whereabouts(options.session, () => options.relay?.());
    this.#rates = new TokenBuckets(REQUEST_BURST, REQUESTS_PER_SECOND, options.clock);
    this.#events = {
      onRequest: (line) => this.#onRequest(line),
      onAccept: (line) => this.#onAccept(line),
      onResume: (line, token) => this.#onResume(line, token),
      onMessage: (line, said) => this.#onMessage(line, said),
      onClose: (line, reason) => this.#onEnd(line, reason),
      onLost: (line) => this.#onEnd(line, 'gone'),
      onFault: options.onFault,
    };
    options.transport.handle(PRIVATE.name, (channel) => this.#accept(channel));
  }

  /** Whether a session with somebody is open. */
  isOpenWith(account: AccountId): boolean {
    return this.#dealings.get(account)?.type === 'open';
  }

  /** Those whose question waits for a yes or a no. */
  get waiting(): AccountId[] {
    return [...this.#dealings].flatMap(([account, dealing]) => {
      const isQuestion = dealing.type === 'asking' && dealing.consent !== undefined;
      return isQuestion || (dealing.type === 'asked' && !dealing.isTaken) ? [account] : [];
    });
  }

  /**
   * Asks somebody for a session, on all devices that can be reached; to who has asked it says yes.
   * @param mayRelay puts the question whether the way may lead through a relay; where absent it is
   *   told as news and answered by `answer`
   * @returns once they have been asked; `decided` is rejected with DECLINED, TIMEOUT (no answer),
   *   PEER_GONE, or CLOSED (withdrawn)
   * @throws the same; ALREADY; BLOCKED; OFFLINE; NO_SUCH_USER; RATE_LIMITED; NETWORK (no way there);
   *   NOT_LOGGED_IN
   */
  async start(
    account: AccountId,
    mayRelay?: () => Promise<boolean>,
  ): Promise<{ readonly decided: Promise<void> }> {
    const home = this.#home;
    const before = this.#dealings.get(account);
    if (before?.type === 'asked') {
      await this.answer(account, true);
      return { decided: Promise.resolve() };
    }
    if (before !== undefined) {
      const isOpen = before.type === 'open';
      throw new ClchatError(
        'ALREADY',
        isOpen ? 'It is open already.' : 'That user is being asked.',
      );
    }
    const asking = this.#newAsking(account);
    this.#dealings.set(account, asking);
    this.#gone.delete(account);
    try {
      if (await home.contacts.blocks(account))
        throw new ClchatError('BLOCKED', 'You have blocked that user: "unblock" them first.');
      await asking.ring(await this.#whereabouts.of(account, home.space), mayRelay);
    } catch (error) {
      // They may have reached this side themselves.
      if (!(await asking.rescue())) this.#drop(account, asking);
      asking.giveUp(translate(error), 'withdrawn');
    }
    if (asking.isOver) await asking.decided;
    return asking;
  }

  #newAsking(account: AccountId): Asking {
    const asking: Asking = new Asking({
      transport: this.#options.transport,
      account,
      random: this.#options.random,
      events: this.#events,
      answerMs: this.#answerMs,
      onRelay: () => this.#tell({ kind: 'request', account, path: 'relayed', mine: true }),
      onOpen: (line) => this.#open(line),
      onGivenUp: (reason) => {
        this.#drop(account, asking);
        this.#tell({ kind: 'closed', account, reason });
      },
      end: (line, reason) => void this.#end(line, reason),
    });
    return asking;
  }

  #drop(account: AccountId, asking: Asking): void {
    if (this.#dealings.get(account) === asking) this.#dealings.delete(account);
  }

  /**
   * Answers what waits for a yes or a no.
   * @throws NO_REQUEST; PEER_GONE where nobody is there any more to be told of the yes
   */
  async answer(account: AccountId, isYes: boolean): Promise<void> {
    const dealing = this.#dealings.get(account);
    if (dealing?.type === 'asking' && dealing.consent !== undefined) return dealing.consent(isYes);
    if (dealing?.type !== 'asked' || dealing.isTaken) throw new ClchatError('NO_REQUEST');
    const { line } = dealing;
    clearTimeout(dealing.timer);
    if (!isYes) {
      this.#dealings.delete(account);
      return this.#end(line, 'declined');
    }
    dealing.isTaken = true;
    await line.accept().catch((error: unknown) => {
      this.#lose(line);
      throw error;
    });
    if (this.#dealings.get(account) === dealing) this.#open(line);
    else if (this.#sessionOn(line) === undefined) throw new ClchatError('PEER_GONE');
  }

  /**
   * Says something to who is in a session. See `OpenSession.say`.
   * @throws NO_SESSION; PEER_GONE; RATE_LIMITED
   */
  async say(account: AccountId, said: Said): Promise<Heard> {
    const dealing = this.#dealings.get(account);
    if (dealing?.type !== 'open')
      throw new ClchatError(this.#gone.has(account) ? 'PEER_GONE' : 'NO_SESSION');
    return dealing.say(said);
  }

  /**
   * Ends a session, or withdraws or declines a request. The other side is told first.
   * @throws NO_SESSION
   */
  async stop(account: AccountId, reason: Reason = 'stopped'): Promise<void> {
    const dealing = this.#dealings.get(account);
    this.#gone.delete(account);
    if (dealing === undefined) throw new ClchatError('NO_SESSION');
    this.#dealings.delete(account);
    if (dealing.type === 'asking')
      return dealing.giveUp(new ClchatError('CLOSED', 'It was withdrawn.'), 'withdrawn');
    if (dealing.type === 'asked') clearTimeout(dealing.timer);
    const isDeclined = dealing.type === 'asked' && reason === 'stopped';
    const { line, unshown } =
      dealing.type === 'asked' ? { line: dealing.line, unshown: 0 } : dealing.end();
    const ended = line && this.#end(line, isDeclined ? 'declined' : reason);
    this.#tellClosed(account, reason, unshown);
    await ended;
  }

  /** Ends what there is with somebody. */
  async stopWith(account: AccountId): Promise<void> {
    if (this.#dealings.has(account)) await this.stop(account);
  }

  /** Ends everything. Resolves when all have been told, as far as they can be in time. */
  async stopAll(): Promise<void> {
    for (const account of [...this.#dealings.keys()]) void this.stop(account, 'logout');
    this.#gone.clear();
    const ended = within(END_MS, Promise.all(this.#ending), 'ending private sessions');
    await ended.catch(this.#options.onFault);
  }

  get #home(): Home {
    const home = this.#options.home();
    if (home === undefined) throw new ClchatError('NOT_LOGGED_IN');
    return home;
  }

  #tell(news: PrivateNews): void {
    this.#options.onNews?.(news);
  }

  #end(line: Line, reason: Reason): Promise<void> {
    const ended = line.end(reason).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
    return ended;
  }

  /** The other side does not answer, or knows of the line no more. */
  #lose(line: Line): void {
    this.#onEnd(line, 'gone');
    line.drop();
  }

  /** Whose a device is; nobody's where it is not to be spoken with. */
  #accountOf(device: PublicKey): AccountId | undefined {
    const home = this.#options.home();
    const account = home && actorOf(home.space, device);
    if (account === undefined || account === home?.account) return undefined;
    return presentAccount(this.#home.space, account) === undefined ? undefined : account;
  }

  #accept(channel: Channel): void {
    const account = this.#accountOf(channel.remote);
    if (account === undefined) channel.abort(new ClchatError('DENIED'));
    else Line.take(channel, account, this.#events);
  }

  async #onRequest(line: Line): Promise<void> {
    const { account, device, path } = line;
    if (this.#options.onNews === undefined) throw new ClchatError('OFFLINE');
    if (!this.#rates.take(account)) throw new ClchatError('RATE_LIMITED');
    if (await this.#home.contacts.blocks(account)) throw new ClchatError('BLOCKED');
    if (line.isOver || this.#accountOf(device) !== account) throw new ClchatError('CLOSED');
    const before = this.#dealings.get(account);
    if (before?.type === 'asking') return before.hold(line);
    if (before?.type === 'open') {
      // Also of the same device: its own request, crossed by one from here, comes late.
      if (!before.isAway || before.device !== device) throw new ClchatError('ALREADY');
    } else if (before !== undefined) {
      if (before.line.device !== device) throw new ClchatError('ALREADY');
      // Its program knows of that no more.
      this.#lose(before.line);
    }
    const waiting = [...this.#dealings.values()].filter(({ type }) => type === 'asked');
    if (waiting.length >= MAX_WAITING) throw new ClchatError('RATE_LIMITED');
    // Its program has begun anew.
    if (before?.type === 'open') this.#onGone(before, before.end().unshown);
    const timer = setTimeout(() => {
      this.#onEnd(line, 'late');
      void this.#end(line, 'late');
    }, this.#answerMs + GRACE_MS);
    timer.unref();
    this.#dealings.set(account, { type: 'asked', line, timer, isTaken: false });
    this.#tell({ kind: 'request', account, path, mine: false });
  }

  #onAccept(line: Line): void {
    const dealing = this.#dealings.get(line.account);
    if (dealing?.type !== 'asking' || !dealing.has(line)) throw new ClchatError('NO_REQUEST');
    dealing.open(line);
  }

  /** A session goes on over a line. @throws NO_SESSION, and as `OpenSession.resume` */
  async #onResume(line: Line, token: Uint8Array): Promise<void> {
    const { account, device } = line;
    const isUnwanted = await this.#isUnwanted(line);
    const dealing = this.#dealings.get(account);
    if (isUnwanted || line.isOver || dealing?.type !== 'open' || dealing.device !== device)
      throw new ClchatError('NO_SESSION');
    dealing.resume(line, token);
  }

  /** Whether somebody is not to be spoken with: blocked on another device, revoked or removed meanwhile. */
  async #isUnwanted({ account, device }: Pick<Line, 'account' | 'device'>): Promise<boolean> {
    return this.#accountOf(device) !== account || (await this.#home.contacts.blocks(account));
  }

  #sessionOn(line: Line): OpenSession | undefined {
    const dealing = this.#dealings.get(line.account);
    return dealing?.type === 'open' && dealing.isOn(line) ? dealing : undefined;
  }

  #open(line: Line): void {
    const { account, device, path } = line;
    const { transport, clock } = this.#options;
    const session: OpenSession = new OpenSession(line, {
      key: transport.key,
      clock,
      dial: (signal) => this.#dial(account, device, signal),
      onAway: () => this.#tell({ kind: 'away', account }),
      onBack: (other) => this.#tell({ kind: 'back', account, path: other }),
      onGone: (unshown) => this.#onGone(session, unshown),
    });
    this.#dealings.set(account, session);
    this.#tell({ kind: 'open', account, path });
    void this.#whereabouts.note(account);
  }

  /** Connects to one device, wherever it is by now. */
  async #dial(account: AccountId, device: PublicKey, signal: AbortSignal): Promise<Line> {
    if (await this.#isUnwanted({ account, device })) {
      void this.stopWith(account);
      throw new ClchatError('NO_SESSION');
    }
    const targets = await this.#whereabouts.of(account, this.#home.space);
    const target = targets.find(({ key }) => key === device);
    if (target === undefined) throw new ClchatError('NETWORK');
    return Line.dial(this.#options.transport, target, account, this.#events, signal);
  }

  #onGone({ account }: OpenSession, unshown: number): void {
    this.#gone.add(account);
    this.#dealings.delete(account);
    this.#tellClosed(account, 'gone', unshown);
  }

  #tellClosed(account: AccountId, reason: Reason | 'gone', unshown = 0): void {
    this.#tell({ kind: 'closed', account, reason, ...(unshown > 0 ? { unshown } : {}) });
  }

  async #onMessage(line: Line, said: Said): Promise<void> {
    const { account } = line;
    const before = this.#dealings.get(account);
    // The other side has heard of the yes; that it has is still on its way here.
    if (before?.type === 'asked' && before.line === line && before.isTaken) this.#open(line);
    const isUnwanted = await this.#isUnwanted(line);
    const session = this.#sessionOn(line);
    if (session === undefined) throw new ClchatError('NO_SESSION');
    if (isUnwanted) {
      void this.stop(account);
      throw new ClchatError('NO_SESSION');
    }
    const heard = session.heard(said, line);
    if (heard === undefined) return;
    this.#tell({ kind: 'message', account, text: said.text, time: said.time });
    if (heard.wait > 0) await sleep(heard.wait);
  }

  /** A line is over, or counts as that. */
  #onEnd(line: Line, reason: Reason | 'gone'): void {
    const { account } = line;
    const dealing = this.#dealings.get(account);
    if (dealing?.type === 'asking') return dealing.lost(line, reason);
    if (dealing?.type === 'open') {
      if (reason === 'gone') return dealing.lost(line);
      if (!dealing.isOn(line)) return;
      const { line: other, unshown } = dealing.end();
      if (other !== line) other?.drop();
      this.#dealings.delete(account);
      return this.#tellClosed(account, reason, unshown);
    }
    if (dealing?.line !== line) return;
    clearTimeout(dealing.timer);
    this.#dealings.delete(account);
    this.#tellClosed(account, reason);
  }
}
