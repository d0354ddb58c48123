/**
 * Takes what waits in the replica's outbox to the server, in order, again and again until each entry
 * has its answer. An entry that comes twice gets the same answer, so nothing is lost and nothing is
 * there twice.
 */
import { encodeEntry, type Entry } from '../../crdt/entry.ts';
import type { EntryId } from '../../crdt/keys.ts';
import { isMadeAnew } from '../../crdt/rules.ts';
import type { Replica } from '../../crdt/replica.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError, codeOf, hasCode, type ErrorCode } from '../../errors.ts';
import { sleep } from '../../lifecycle.ts';
import type { Exchange, Reply } from '../exchange.ts';
import type { SYNC } from '../wire.ts';

type Outcome = Reply<typeof SYNC, 'submit'>['outcomes'][number];

export interface OutboxOptions {
  readonly replica: Replica;
  /** The server holds the entry. */
  readonly onHeld: (entry: Entry) => void;
  /** Whether the server does not give the stream of an entry to this account any more. */
  readonly isLost: (entry: Entry) => boolean;
  readonly onFault: (error: unknown) => void;
}

/** Entries in one request, and requests under way. */
const PORTION = 32;
const PIPELINE = 8;
/** Bytes in one request. */
const PORTION_BYTES = 512 * 1024;
/** How long to wait when the server has no room, in milliseconds. */
const RETRY_MS = 500;
/** How long to wait when an entry came before one that precedes it. */
const RESEND_MS = 20;
/** How long an answer may take: the server holds back those who send too fast. */
const ANSWER_MS = 60_000;

/** Whether what was refused need not be done any more: what is to be removed is not there. */
export function isNeedless(entry: Entry, code: ErrorCode): boolean {
  return code === 'NO_SUCH_MESSAGE' && (entry.kind === 'remove' || entry.body === undefined);
}

export class Outbox {
  readonly #options: OutboxOptions;
  #exchange: Exchange<typeof SYNC> | undefined;
  /** Entries sent over the present connection and, if answered, not yet taken out by their seal. */
  readonly #sent = new Set<EntryId>();
  /** Judged, of which no batch will tell. */
  readonly #overdue = new Set<EntryId>();
  #underWay = 0;
  #scheduled = false;
  /** Who waits for an answer. */
  readonly #waiting = new Map<EntryId, (outcome: ErrorCode | 'held' | 'queued') => void>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Begins to submit over a connection; undefined: there is none. */
  attach(exchange: Exchange<typeof SYNC> | undefined): void {
    this.#exchange = exchange;
    this.#sent.clear();
    this.#underWay = 0;
    if (exchange === undefined) {
      for (const answer of this.#waiting.values()) answer('queued');
      this.#waiting.clear();
    } else this.flush();
  }

  get attached(): boolean {
    return this.#exchange !== undefined;
  }

  /**
   * What becomes of an entry just appended: `held`, or the code it is refused with; `queued` when
   * the server is away.
   */
  answer(id: EntryId): Promise<ErrorCode | 'held' | 'queued'> {
    if (this.#exchange === undefined) return Promise.resolve('queued');
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.flush();
    });
  }

  /** An entry was made anew: who waits for the first waits for the second. */
  rename(from: EntryId, to: EntryId): void {
    const answer = this.#waiting.get(from);
    if (answer === undefined) return;
    this.#waiting.delete(from);
    this.#waiting.set(to, answer);
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Lets everything appended in this turn of the event loop travel together.
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.ended) return;
    let waiting: Entry[] | undefined;
    while (this.#underWay < PIPELINE) {
      waiting ??= this.#options.replica.pending().filter(({ id }) => !this.#sent.has(id));
      const portion: Entry[] = [];
      let size = 0;
      while (waiting.length > 0 && portion.length < PORTION && size < PORTION_BYTES) {
        const entry = waiting.shift()!;
        portion.push(entry);
        size += entry.body?.length ?? 0;
      }
      if (portion.length === 0) return;
      for (const { id } of portion) this.#sent.add(id);
      this.#underWay++;
      void this.#submit(exchange, portion);
    }
  }

  async #submit(exchange: Exchange<typeof SYNC>, portion: Entry[]): Promise<void> {
    try {
      const { outcomes } = await exchange.call(
        'submit',
        { entries: portion.map(encodeEntry) },
        ANSWER_MS,
      );
      if (outcomes.length !== portion.length) throw new ClchatError('BAD_MESSAGE');
      for (const [index, outcome] of outcomes.entries())
        await this.#settle(portion[index]!, outcome);
    } catch (error) {
      for (const { id } of portion) this.#sent.delete(id);
      if (exchange === this.#exchange && !exchange.ended) await this.#failed(exchange, error);
    } finally {
      if (exchange === this.#exchange) {
        this.#underWay--;
        this.flush();
      }
    }
  }

  /** The request as a whole failed; the entries stay and are sent again. */
  async #failed(exchange: Exchange<typeof SYNC>, error: unknown): Promise<void> {
    if (hasCode(error, 'TIMEOUT')) {
      exchange.abort(error);
      return;
    }
    this.#options.onFault(error);
    // Who waits is told why; the entry is not given up.
    const code = codeOf(error);
    if (code === 'DISK_FULL' || code === 'DATA_READ_ONLY')
      for (const [id, answer] of this.#waiting) {
        answer('queued');
        this.#waiting.delete(id);
      }
    await sleep(RETRY_MS);
  }

  async #settle(entry: Entry, outcome: Outcome): Promise<void> {
    const { replica, onHeld, isLost } = this.#options;
    // Who asks to be let in goes on from there, whatever the answer: it keeps its place.
    const isShut = isLost(entry);
    const isKept = isShut && entry.kind === 'join';
    if (isKept && outcome.type !== 'rejected') this.#overdue.add(entry.id);
    if (outcome.type === 'sealed') {
      await replica.judged(entry, undefined, isShut && !isKept);
      onHeld(entry);
      this.#answer(entry.id, 'held');
      return;
    }
    const { code } = outcome;
    if (outcome.type === 'refused') await replica.judged(entry, code, isShut && !isKept);
    else if (code === 'WAITING' || code === 'NOT_LOGGED_IN') {
      // Something before it went astray: all of the stream is sent again, in order; or made anew, where
      // it does not go on with what the server has.
      if (code === 'WAITING' && (await replica.realign(entry.stream))) return;
      await sleep(RESEND_MS);
      for (const { id } of replica.pending(entry.stream)) this.#sent.delete(id);
      return;
    } else if (!(await replica.withdraw(entry, code))) return;
    // Who waits for one that is made anew goes on waiting, for the other.
    if (!isMadeAnew(entry, code)) this.#answer(entry.id, isNeedless(entry, code) ? 'held' : code);
  }

  /** Tells who waits that an entry will not be made anew after all. */
  gaveUp(id: EntryId, code: ErrorCode): void {
    this.#answer(id, code);
  }

  /** Tells who waits that nothing needs to be sent any more. */
  done(id: EntryId): void {
    this.#answer(id, 'held');
  }

  #answer(id: EntryId, outcome: ErrorCode | 'held'): void {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    answer?.(outcome);
  }

  /** A stream came as a snapshot: what of it still waits may have been judged already. */
  resend(stream: StreamName): void {
    for (const { id } of this.#options.replica.pending(stream)) this.#sent.delete(id);
    this.flush();
  }

  /** Entries taken out by their seal need not be remembered. */
  sealed(id: EntryId): void {
    this.#sent.delete(id);
    this.#overdue.delete(id);
  }

  /** Entries that wait for the server's word, or for the batch that tells of it. */
  waiting(): Entry[] {
    return this.#options.replica.pending().filter(({ id }) => !this.#overdue.has(id));
  }

  /** Resolves once nothing waits that could be sent now. */
  async settled(): Promise<void> {
    while (this.#exchange !== undefined && !this.#exchange.ended && this.waiting().length > 0)
      await sleep(10);
  }
}
