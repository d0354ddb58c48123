/** Files of messages at the server: kept for those who may read a message that names them. */
import { fromHex } from '../../crdt/bytes.ts';
import { authorOf, blobOf, messagesNaming, type Placed } from '../../crdt/content.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { actorOf } from '../../crdt/records.ts';
import { isBanned } from '../../crdt/rooms.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { eraseFiles, homesOf, UNNAMED_MS } from '../blobs/erase-files.ts';
import type { BlobHash, Manifest } from '../blobs/manifest.ts';
import { BlobService } from '../blobs/service.ts';
import type { BlobStore } from '../blobs/store.ts';
import type { Channel } from '../channel.ts';
import type { Directory } from './directory.ts';

export interface ServerFilesOptions {
  readonly log: LogStore;
  readonly directory: Directory;
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

/** Who may have a file. */
export interface FileReaders {
  /** Those who wrote a message that names it: they have had it at least. */
  readonly authors: readonly AccountId[];
  /** Whether somebody may read such a message. */
  readonly includes: (account: AccountId) => boolean;
}

/** How often is looked for files that no message names, in milliseconds. */
const COLLECT_MS = 600_000;
/** Messages of a conversation that are looked at for what they say of one file. */
const MAX_MESSAGES = 64;

export class ServerFiles {
  readonly #options: ServerFilesOptions;
  readonly #service: BlobService;
  readonly #collector: NodeJS.Timeout;

  constructor(options: ServerFilesOptions) {
    this.#options = options;
    const { store, clock, onFault } = options;
    this.#service = new BlobService({
      store,
      clock,
      mayRead: async (device, hash) => {
        const account = this.#accountOf(device);
        return account !== undefined && (await this.#mayRead(account, hash));
      },
      mayPut: (device, manifest) => this.#mayPut(device, manifest),
      onFault,
    });
    this.#collector = setInterval(() => this.#collect(), COLLECT_MS);
    this.#collector.unref();
  }

  accept(channel: Channel): void {
    this.#service.accept(channel);
  }

  /** Whose a device is; nobody's where its account may not be here. */
  #accountOf(device: PublicKey): AccountId | undefined {
    const { directory, clock } = this.#options;
    const account = actorOf(directory.space, device);
    if (account === undefined) return undefined;
    return isBanned(directory.space, account, undefined, clock.now()) ? undefined : account;
  }

  async #homesOf(hash: BlobHash): Promise<StreamName[]> {
    const { log, store } = this.#options;
    return homesOf(log, hash, await store.manifest(hash));
  }

  async #mayRead(account: AccountId, hash: BlobHash): Promise<boolean> {
    const { directory } = this.#options;
    const homes = await this.#homesOf(hash);
    return homes.some((stream) => directory.mayRead(account, stream));
  }

  /**
   * How large a file may be that somebody brings: as large as the message says that names it, which
   * was judged when it was said. Without such a message nothing is taken.
   * @throws NO_SUCH_MESSAGE
   */
  async #mayPut(device: PublicKey, manifest: Manifest): Promise<number> {
    const { log, directory } = this.#options;
    const account = this.#accountOf(device);
    if (account === undefined) return 0;
    let limit: number | undefined;
    for await (const { entry } of messagesNaming(log, fromHex(manifest.hash), MAX_MESSAGES))
      if (manifest.isOf(entry.stream) && directory.mayRead(account, entry.stream))
        limit = Math.max(limit ?? 0, blobOf(entry)?.size ?? 0);
    if (limit === undefined)
      throw new ClchatError('NO_SUCH_MESSAGE', 'No message names that file.');
    // An empty one is a file as well.
    return Math.max(1, limit);
  }

  /** Who may have a file, as far as the log tells. */
  async readersOf(hash: BlobHash): Promise<FileReaders> {
    const { log, directory } = this.#options;
    const homes = await this.#homesOf(hash);
    const authors = new Set<AccountId>();
    for await (const { entry } of messagesNaming(log, fromHex(hash), MAX_MESSAGES)) {
      const author = authorOf(directory.space, entry);
      if (author !== undefined) authors.add(author);
    }
    return {
      authors: [...authors],
      includes: (account) => homes.some((stream) => directory.mayRead(account, stream)),
    };
  }

  /** Messages are about to be erased, and with the last one that names a file the file. */
  async erase(entries: readonly Placed[]): Promise<void> {
    await eraseFiles(this.#options, entries);
  }

  /** Removes what has lost its message by a crash. */
  #collect(): void {
    const { store, log, onFault } = this.#options;
    // Without looking into each of any number of files.
    const isNamed = async (hash: BlobHash): Promise<boolean> =>
      (await homesOf(log, hash)).length > 0;
    store.collect(isNamed, UNNAMED_MS).catch(onFault);
  }

  stop(): void {
    clearInterval(this.#collector);
    this.#service.stop();
  }
}
