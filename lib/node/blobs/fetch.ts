/**
 * Fetching one blob from several peers at once. Each is asked for chunks that it has and that nobody
 * else was asked for, as many at a time as it answers quickly; what a peer does not deliver is asked
 * of another. A peer that sends what it should not is left for good, and what the others sent stays.
 */
import type { PublicKey } from '../../crdt/keys.ts';
import { ClchatError, hasCode, isAbort, translate } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { abortReason } from '../abort.ts';
import type { Progress } from './add-file.ts';
import { Bitmap } from './bitmap.ts';
import { Manifest, type BlobHash } from './manifest.ts';
import type { NextSource, Source } from './sources.ts';
import type { BlobStore } from './store.ts';
import { Window } from './window.ts';

/** Peers asked at once. */
const MAX_SOURCES = 4;
/** How long an answer may take, in milliseconds: a chunk over a slow network takes its time. */
export const ANSWER_MS = 60_000;
/** Chunks that are worth another peer. */
const MANY_CHUNKS = 16;
/**
 * When nothing has come for so long, another peer is looked for; and a chunk that one has not sent
 * for so long may be asked of one that has nothing else to do.
 */
const PATIENCE_MS = 2_000;
/** Peers asked for one chunk at once. */
const MAX_ASKED = 2;

export interface FetchOptions {
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly hash: BlobHash;
  /** @throws when it is not the blob that is wanted */
  readonly check: (manifest: Manifest) => void;
  readonly next: NextSource;
  /** In bytes of the blob. */
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

interface Worker {
  readonly source: Source;
  readonly window: Window;
  /** What it has, as far as it is known. */
  readonly have: Bitmap;
  underWay: number;
  /** Why nothing more is asked of it. */
  failure: Error | undefined;
}

/** A chunk that peers were asked for and none has sent. */
interface Asked {
  readonly of: Set<Worker>;
  /** When the last of them was: monotonic milliseconds. */
  at: number;
}

export class Fetch {
  readonly #options: FetchOptions;
  #manifest: Manifest | undefined;
  /** Bytes that are here. */
  #done = 0;
  /** Chunks to be asked for. */
  #wanted: number[] = [];
  readonly #asked = new Map<number, Asked>();
  readonly #working = new Set<Promise<void>>();
  /** Those that sent what they should not. */
  readonly #bad = new Set<PublicKey>();
  /** Aborts when all is here, or nothing more is to be tried. */
  readonly #over = new AbortController();
  readonly #whenOver: Promise<undefined>;
  /** There are no more peers for now. */
  #isExhausted = false;
  /** When something came last: monotonic milliseconds. */
  #heard = 0;
  #failure: Error | undefined;
  /** The most telling reason why a peer was left. */
  #left: Error | undefined;
  /** Those who have nothing to do. */
  #waiting: (() => void)[] = [];

  constructor(options: FetchOptions) {
    this.#options = options;
    this.#whenOver = new Promise((resolve) => {
      this.#over.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
  }

  /** @throws as `BlobClient.fetch` */
  async run(): Promise<void> {
    const { store, clock, hash, signal } = this.#options;
    const abort = (): void => this.#fail(abortReason(signal));
    if (signal.aborted) throw abortReason(signal);
    signal.addEventListener('abort', abort, { once: true });
    this.#heard = clock.monotonic();
    // Chunks that take too long may then be asked of others.
    const impatience = setInterval(() => this.#rouse(), PATIENCE_MS / 2);
    try {
      const known = await store.manifest(hash);
      if (known !== undefined) await this.#begin(known);
      await this.#gather();
      if (this.#failure !== undefined) throw this.#failure;
      if (!store.has(hash)) throw this.#left ?? new ClchatError('NO_SUCH_FILE');
    } finally {
      clearInterval(impatience);
      signal.removeEventListener('abort', abort);
      this.#end();
      await store.release(hash);
    }
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  #end(): void {
    this.#over.abort();
    this.#rouse();
  }

  #fail(error: unknown): void {
    this.#failure ??= translate(error);
    this.#end();
  }

  /** Resolves when there may be something to do. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #rouse(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #begin(manifest: Manifest): Promise<void> {
    const { store, check, hash } = this.#options;
    check(manifest);
    await store.begin(manifest);
    const have = await store.have(hash);
    if (have === undefined) throw new ClchatError('NO_SUCH_FILE', 'The attachment was removed.');
    if (this.#manifest !== undefined) return;
    this.#manifest = manifest;
    this.#wanted = have.missing();
    const left = this.#wanted.reduce((sum, index) => sum + manifest.lengthOf(index), 0);
    this.#tell(manifest, manifest.size - left);
    this.#rouse();
  }

  #tell(manifest: Manifest, bytes: number): void {
    const { store, hash, clock, onProgress } = this.#options;
    this.#done += bytes;
    this.#heard = clock.monotonic();
    onProgress({ done: this.#done, total: manifest.size });
    if (store.has(hash)) this.#end();
  }

  /** Sets peers to work until all is here, or no more are to be had. */
  async #gather(): Promise<void> {
    while (!this.#isOver) {
      if (!this.#isShort()) {
        await this.#change();
        continue;
      }
      this.#isExhausted = true;
      const source = await this.#next();
      if (source !== undefined) {
        this.#isExhausted = false;
        this.#employ(source);
        // One that has ended meanwhile may be had again.
      } else if (this.#isExhausted && this.#working.size === 0) return;
    }
  }

  /** Whether one more peer is worth its connection. */
  #isShort(): boolean {
    if (this.#working.size === 0) return true;
    if (this.#isExhausted || this.#working.size >= MAX_SOURCES) return false;
    const isSilent = this.#options.clock.monotonic() - this.#heard >= PATIENCE_MS;
    return isSilent || this.#wanted.length >= MANY_CHUNKS;
  }

  async #next(): Promise<Source | undefined> {
    const coming = this.#options.next(this.#over.signal);
    // One that comes too late is not wanted any more.
    coming.then(
      (source) => {
        if (this.#isOver) source?.release();
      },
      () => undefined,
    );
    try {
      const source = await Promise.race([this.#whenOver, coming]);
      return this.#isOver ? undefined : source;
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  #employ(source: Source): void {
    const working = this.#tryWork(source).finally(() => {
      source.release();
      this.#working.delete(working);
      this.#isExhausted = false;
      this.#rouse();
    });
    this.#working.add(working);
  }

  /** Never rejects. */
  async #tryWork(source: Source): Promise<void> {
    const { remote } = source.exchange;
    try {
      if (!this.#bad.has(remote)) await this.#work(source);
    } catch (error) {
      if (hasCode(error, 'BAD_MESSAGE')) this.#bad.add(remote);
      this.#note(error);
    }
  }

  #note(error: unknown): void {
    if (isAbort(error)) return;
    const isTelling = this.#left === undefined || hasCode(this.#left, 'NO_SUCH_FILE');
    if (isTelling || hasCode(error, 'BAD_MESSAGE')) this.#left = translate(error);
  }

  async #work(source: Source): Promise<void> {
    const have = await this.#look(source);
    if (have === undefined) return;
    const window = new Window();
    const worker: Worker = { source, window, have, underWay: 0, failure: undefined };
    while (!this.#isOver) {
      if (worker.failure !== undefined) throw worker.failure;
      const index = worker.underWay < window.size ? this.#choose(worker) : undefined;
      if (index !== undefined) void this.#ask(worker, index);
      else if (worker.underWay === 0 && !this.#isOfUse(worker)) return;
      else await this.#change();
    }
  }

  /** Asks what a peer has, and for the manifest where that is not known. */
  async #look({ exchange }: Source): Promise<Bitmap | undefined> {
    const { hash } = this.#options;
    const having = exchange.call('have', { hash }, ANSWER_MS);
    // Of no interest where the manifest does not come.
    having.catch(() => undefined);
    if (this.#manifest === undefined) {
      const { manifest: bytes } = await exchange.call('manifest', { hash }, ANSWER_MS);
      const manifest = Manifest.read(Uint8Array.from(bytes));
      if (manifest.hash !== hash) throw new ClchatError('BAD_MESSAGE', 'another manifest');
      try {
        await this.#begin(manifest);
      } catch (error) {
        // No fault of the peer: it is what was asked for.
        this.#fail(error);
        return undefined;
      }
    }
    const { have } = await having;
    return new Bitmap(this.#manifest!.count, Uint8Array.from(have));
  }

  /** A chunk to ask a peer for. */
  #choose(worker: Worker): number | undefined {
    const { have, underWay } = worker;
    const at = this.#wanted.findIndex((index) => have.has(index));
    if (at >= 0) return this.#wanted.splice(at, 1)[0];
    if (underWay > 0) return undefined;
    const late = this.#options.clock.monotonic() - PATIENCE_MS;
    for (const [index, asked] of this.#asked)
      if (asked.at <= late && asked.of.size < MAX_ASKED && have.has(index)) return index;
    return undefined;
  }

  /** Whether a peer has anything that is not here yet. */
  #isOfUse({ have }: Worker): boolean {
    return [...this.#wanted, ...this.#asked.keys()].some((index) => have.has(index));
  }

  /** Never rejects. */
  async #ask(worker: Worker, index: number): Promise<void> {
    const { clock, hash } = this.#options;
    const began = clock.monotonic();
    const asked = this.#asked.get(index) ?? { of: new Set(), at: 0 };
    this.#asked.set(index, asked);
    asked.of.add(worker);
    asked.at = began;
    worker.underWay++;
    try {
      const { chunk } = await worker.source.exchange.call('chunk', { hash, index }, ANSWER_MS);
      worker.window.note(clock.monotonic() - began);
      if (chunk === null) worker.have.set(index, false);
      // Another may have sent it meanwhile.
      else if (this.#asked.get(index) === asked) await this.#keep(index, chunk);
    } catch (error) {
      worker.failure ??= translate(error);
    }
    worker.underWay--;
    asked.of.delete(worker);
    if (this.#asked.get(index) === asked && asked.of.size === 0) {
      this.#asked.delete(index);
      this.#wanted.unshift(index);
    }
    this.#rouse();
  }

  /** @throws BAD_MESSAGE when it is not the chunk */
  async #keep(index: number, chunk: Uint8Array): Promise<void> {
    const { store, hash } = this.#options;
    try {
      await store.put(hash, index, chunk);
    } catch (error) {
      if (hasCode(error, 'BAD_MESSAGE')) throw error;
      return this.#fail(error);
    }
    if (this.#asked.delete(index)) this.#tell(this.#manifest!, this.#manifest!.lengthOf(index));
  }
}
