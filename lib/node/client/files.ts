/**
 * Files of messages on this device: sent to the server, fetched from it or from others who have them,
 * and given to others.
 *
 *   u!<hash>   a file that the server is still to get; not empty: nobody waits to hear of it
 */
import { stat } from 'node:fs/promises';
import type { FileReference } from '../../crdt/bodies.ts';
import { equal, fromHex } from '../../crdt/bytes.ts';
import { blobOf, messagesNaming, type Placed } from '../../crdt/content.ts';
import { isEncrypted } from '../../crdt/conversation.ts';
import type { Entry } from '../../crdt/entry.ts';
import type { EntryId, PublicKey, RandomBytes } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { fileLimitOf } from '../../crdt/rights.ts';
import { prefixed, type Store } from '../../crdt/store.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError, codeOf, hasCode, isAbort, type ErrorCode } from '../../errors.ts';
import { waitBefore, type Clock } from '../../lifecycle.ts';
import { sizeText } from '../../text.ts';
import { abortReason } from '../abort.ts';
import { addFile, type Progress } from '../blobs/add-file.ts';
import { BlobClient } from '../blobs/client.ts';
import { eraseFiles, UNNAMED_MS } from '../blobs/erase-files.ts';
import { toBlobHash, type BlobHash } from '../blobs/manifest.ts';
import { saveFile } from '../blobs/save-file.ts';
import { BlobService } from '../blobs/service.ts';
import { connectSource, inTurn } from '../blobs/sources.ts';
import type { BlobStore } from '../blobs/store.ts';
import { BLOB, type BlobExchange } from '../blobs/wire.ts';
import { Holders, mayHave, type HoldersOptions } from './holders.ts';
import type { Home } from './home.ts';

/** How far the sending of a file has got. */
export interface SendingNews {
  /** The message that names it. */
  readonly id: EntryId;
  /** As its author called it. */
  readonly name: string;
  readonly state: 'sending' | 'done' | 'failed';
  /** From 0 to 1. */
  readonly progress: number;
  /** Why the server will not keep it. */
  readonly code?: ErrorCode;
}

export interface FilesOptions extends HoldersOptions {
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Whether others may fetch from here. */
  readonly mayServe: () => boolean;
  readonly onSending: (news: SendingNews) => void;
}

/** Files sent at once: a large one does not hold up small ones. */
const AT_ONCE = 3;
/** Waits before what could not be sent is tried again, in milliseconds; the last one repeats. */
const BACKOFF_MS = [1_000, 3_000, 10_000, 30_000, 60_000];
/** Least share of a file between two words on how far it has got. */
const STEP = 0.01;
/** Messages of a conversation that are looked at for the one by which a file goes. */
const MAX_MESSAGES = 64;
/** Mark of a file of which nobody waits to hear. */
const SILENT = Uint8Array.of(1);

/** Key of the mark that the server is still to get a file. */
export function unsentKey(hash: BlobHash): string {
  return `u!${hash}`;
}

/** Tells the share that is done, not too often. */
function inSteps(tell: (share: number) => void): (progress: Progress) => void {
  let told = -1;
  return ({ done, total }) => {
    const share = total === 0 ? 1 : Math.floor((done / total) * 1_000) / 1_000;
    if (share < told + STEP && (share < 1 || told === 1)) return;
    told = share;
    tell(share);
  };
}

export class Files {
  readonly #options: FilesOptions;
  readonly #client: BlobClient;
  readonly #service: BlobService;
  readonly #holders: Holders;
  readonly #stop = new AbortController();
  /** Ends what is being sent. */
  #pause = new AbortController();
  #sending: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  /** How often in a row not all could be sent. */
  #failures = 0;

  constructor(options: FilesOptions) {
    this.#options = options;
    const { store, clock, transport, onFault } = options;
    this.#client = new BlobClient({ store, clock });
    this.#holders = new Holders(options);
    this.#service = new BlobService({
      store,
      clock,
      mayRead: (device, hash) => this.#mayRead(device, hash),
      onFault,
    });
    transport.handle(BLOB.name, (channel) => this.#service.accept(channel));
  }

  /** @throws NOT_LOGGED_IN */
  #mustHome(): Home {
    const home = this.#options.home();
    if (home === undefined) throw new ClchatError('NOT_LOGGED_IN');
    return home;
  }

  /** Whether another's device may read a message here that names the file. */
  async #mayRead(device: PublicKey, hash: BlobHash): Promise<boolean> {
    const home = this.#options.home();
    if (home === undefined || !this.#options.mayServe()) return false;
    return mayHave(home, device, hash, await this.#options.store.manifest(hash));
  }

  /** Whether all of a file is on this device. */
  has({ hash }: Pick<FileReference, 'hash'>): boolean {
    return this.#options.store.has(toBlobHash(hash));
  }

  /** A message with a file has come: it may be wanted when the server is away. */
  heardOf({ hash }: Pick<FileReference, 'hash'>): void {
    if (!this.has({ hash })) this.#holders.note(toBlobHash(hash));
  }

  /**
   * Reads a file of this host, to be sent once a message names it.
   * @param stream of the conversation that it is for
   * @throws as `addFile`; TOO_LARGE, DENIED where the server would not keep it; NOT_LOGGED_IN
   */
  async add(path: string, stream: StreamName): Promise<FileReference> {
    const { store, random } = this.#options;
    const home = this.#mustHome();
    const { signal } = this.#stop;
    // Before anything of it is read. Why it cannot be, reading it tells.
    const facts = await stat(path).catch(() => undefined);
    if (facts?.isFile() === true) mustFit(home, facts.size);
    const encrypt = isEncrypted(home.space, stream);
    const reference = await addFile(store, path, { stream, encrypt, random, signal });
    mustFit(home, reference.size);
    const key = unsentKey(toBlobHash(reference.hash));
    const { store: log } = home.replica.log;
    await log.write([{ type: 'put', key, value: new Uint8Array() }], { sync: true });
    return reference;
  }

  /**
   * A message by which a file goes: one of this device, where there is one. Without one it is not
   * sent: it is not said yet, or not any more.
   */
  async #namedBy(home: Home, hash: BlobHash): Promise<Entry | undefined> {
    const { replica } = home;
    const bytes = fromHex(hash);
    const isIt = (entry: Entry): boolean => {
      const blob = blobOf(entry);
      return blob !== undefined && equal(blob.hash, bytes);
    };
    let found = replica.pending().find(isIt);
    if (found !== undefined) return found;
    for await (const { entry } of messagesNaming(replica.log, bytes, MAX_MESSAGES)) {
      if (entry.device === replica.device) return entry;
      found ??= entry;
    }
    return found;
  }

  /** Hashes of the files that the server is still to get. */
  async *#unsent({ replica }: Home): AsyncGenerator<BlobHash> {
    for await (const [key] of replica.log.store.entries(prefixed('u!')))
      yield key.slice(2) as BlobHash;
  }

  async #isAllSent(home: Home): Promise<boolean> {
    for await (const _hash of this.#unsent(home)) return false;
    return true;
  }

  /** Whether a file is still to be sent. */
  isWaiting({ hash }: Pick<FileReference, 'hash'>): boolean {
    const { store } = this.#mustHome().replica.log;
    return store.get(unsentKey(toBlobHash(hash))) !== undefined;
  }

  /**
   * Sends what the server does not have yet, while there is a way to it. Resolves when nothing more
   * can be sent for now; what could not be is tried again later.
   */
  send(): Promise<void> {
    clearTimeout(this.#retry);
    this.#sending = this.#sending.then(() => this.#sendAll()).catch(this.#options.onFault);
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    const { home: of, link, transport, server } = this.#options;
    const home = of();
    if (home === undefined || link() === undefined || this.#stop.signal.aborted) return;
    if (await this.#isAllSent(home)) return;
    const signal = AbortSignal.any([this.#stop.signal, this.#pause.signal]);
    const taken = new Set<BlobHash>();
    try {
      const { exchange, release } = await connectSource(transport, server(), signal);
      // A server that is slow to answer holds up no end.
      const end = (): void => exchange.abort(abortReason(signal));
      signal.addEventListener('abort', end, { once: true });
      const work = (): Promise<void> => this.#sendSome(home, exchange, taken, signal);
      await Promise.all(Array.from({ length: AT_ONCE }, work)).finally(release);
    } finally {
      if (!signal.aborted && !(await this.#isAllSent(home))) this.#sendLater();
    }
    await this.#tidy(home);
  }

  #sendLater(): void {
    const wait = waitBefore(this.#failures++, BACKOFF_MS);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.send(), wait);
    this.#retry.unref();
  }

  async #sendSome(
    home: Home,
    exchange: BlobExchange,
    taken: Set<BlobHash>,
    signal: AbortSignal,
  ): Promise<void> {
    const { store } = home.replica.log;
    for await (const hash of this.#unsent(home)) {
      if (exchange.ended || signal.aborted) return;
      if (taken.has(hash)) continue;
      taken.add(hash);
      const isSent = await this.#sendOne(home, hash, exchange, signal).catch((error: unknown) => {
        if (!isAbort(error) && !signal.aborted) this.#options.onFault(error);
        return false;
      });
      if (!isSent) continue;
      this.#failures = 0;
      await forget(store, hash);
    }
  }

  /** @returns whether nothing more is to be done about it */
  async #sendOne(
    home: Home,
    hash: BlobHash,
    exchange: BlobExchange,
    signal: AbortSignal,
  ): Promise<boolean> {
    const entry = await this.#namedBy(home, hash);
    if (entry === undefined) return false;
    const { conversations, replica } = home;
    const isSilent = replica.log.store.get(unsentKey(hash))?.length !== 0;
    const said = isSilent ? undefined : await conversations.reading.original(entry);
    const name = said?.file?.name ?? '';
    let progress = 0;
    const tell = (state: SendingNews['state'], code?: ErrorCode): void => {
      if (isSilent) return;
      const id = conversations.announced(conversations.latest(entry.id));
      const why = code === undefined ? {} : { code };
      this.#options.onSending({ id, name, state, progress, ...why });
    };
    const onProgress = inSteps((share) => {
      progress = share;
      tell('sending');
    });
    try {
      await this.#client.push({ hash: fromHex(hash) }, exchange, { onProgress, signal });
      tell('done');
      return true;
    } catch (error) {
      // However often it is tried.
      const isFinal = hasCode(error, 'TOO_LARGE') || hasCode(error, 'DENIED');
      if (!isFinal && this.#options.store.has(hash)) throw error;
      // With its message the file goes as well, and nobody misses it.
      if ((await this.#namedBy(home, hash)) !== undefined) tell('failed', codeOf(error));
      return true;
    }
  }

  /** Has all that is here offered to a server that may have lost it. */
  async offer(): Promise<void> {
    const home = this.#mustHome();
    const { log } = home.replica;
    for (const { hash, isComplete } of this.#options.store.list()) {
      const key = unsentKey(hash);
      if (!isComplete || log.store.get(key) !== undefined) continue;
      await log.store.write([{ type: 'put', key, value: SILENT }], { sync: false });
    }
  }

  /** Removes what no message names, and marks of what is not here. */
  async #tidy(home: Home): Promise<void> {
    const { store } = this.#options;
    const isNamed = async (hash: BlobHash): Promise<boolean> =>
      (await this.#namedBy(home, hash)) !== undefined;
    await store.collect(isNamed, UNNAMED_MS);
    for await (const hash of this.#unsent(home))
      if (!store.has(hash)) await forget(home.replica.log.store, hash);
  }

  /**
   * Brings a file here, from the server or from whoever has it, going on where it was left.
   * @param tell what share of it is here, from 0 to 1
   * @throws as `BlobClient.fetch`; NETWORK when there is no way to the server, nor to anybody else
   */
  async fetch(reference: FileReference, tell: (share: number) => void): Promise<void> {
    if (this.has(reference)) return;
    const onProgress = inSteps(tell);
    const { signal } = this.#stop;
    try {
      const next = inTurn(await this.#holders.waysTo(toBlobHash(reference.hash)));
      await this.#client.fetch(reference, next, { onProgress, signal });
    } catch (error) {
      if (!hasCode(error, 'NO_SUCH_FILE')) throw error;
      throw new ClchatError(
        'NO_SUCH_FILE',
        'Nobody who is there has all of that file. Try again later: what has come of it is kept.',
        { cause: error },
      );
    }
  }

  /** Writes a file that is here. @returns its path @throws as `saveFile` */
  save(reference: FileReference, target: string): Promise<string> {
    const { store, random } = this.#options;
    return saveFile(store, reference, target, { random, signal: this.#stop.signal });
  }

  /** Messages are about to be erased, and with the last one that names a file the file. */
  async erase(log: LogStore, entries: readonly Placed[]): Promise<void> {
    await eraseFiles({ log, store: this.#options.store }, entries);
  }

  /** Ends what is being sent: it goes on with the next `send`. */
  pause(): void {
    clearTimeout(this.#retry);
    this.#pause.abort(new ClchatError('CLOSED'));
    this.#pause = new AbortController();
  }

  /** Resolves when what is being sent has been, as far as it can be. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#retry);
    this.#stop.abort(new ClchatError('CLOSED'));
    this.#service.stop();
    await this.#sending;
  }
}

/** The server has a file, or will not get it. */
function forget(store: Store, hash: BlobHash): Promise<void> {
  return store.write([{ type: 'delete', key: unsentKey(hash) }], { sync: false });
}

/** @throws TOO_LARGE, DENIED where the account's group may not attach a file of so many bytes */
function mustFit({ space, account }: Home, size: number): void {
  const limit = fileLimitOf(space, account);
  if (limit === 0) throw new ClchatError('DENIED', 'Your group may not attach files.');
  if (size > limit)
    throw new ClchatError('TOO_LARGE', `A file may have up to ${sizeText(limit)} here.`);
}
