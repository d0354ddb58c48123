/** Brings blobs here and sends them out, going on where it was left before. */
import type { FileReference } from '../../crdt/bodies.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { Progress } from './add-file.ts';
import { Fetch } from './fetch.ts';
import { toBlobHash, type BlobHash } from './manifest.ts';
import { push } from './push.ts';
import { checkSize } from './save-file.ts';
import type { NextSource } from './sources.ts';
import type { BlobStore } from './store.ts';
import type { BlobExchange } from './wire.ts';

export interface TransferOptions {
  /** In bytes of the blob, which for a sealed file are some more than those of the file. */
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export class BlobClient {
  readonly #store: BlobStore;
  readonly #clock: Clock;
  /** The last fetch of each blob that is being fetched. */
  readonly #fetching = new Map<BlobHash, Promise<void>>();

  /** @param clock its monotonic time is used */
  constructor({ store, clock }: { readonly store: BlobStore; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Brings the blob of a file into the store, from several peers at once where there are several.
   * What has come until it fails or is aborted stays, and the next call goes on from there.
   * @param next gives peers to ask, the best first
   * @throws BAD_MESSAGE when the blob is not as long as the reference says, or all peers that had
   *   it sent something else; NO_SUCH_FILE when no peer has it, or lets it be read; DISK_FULL,
   *   DATA_READ_ONLY; what `next` throws, and TIMEOUT or CLOSED, when no peer could be asked; an
   *   AbortError
   */
  async fetch(
    reference: FileReference,
    next: NextSource,
    { onProgress = ignore, signal = new AbortController().signal }: TransferOptions = {},
  ): Promise<void> {
    const hash = toBlobHash(reference.hash);
    const fetch = new Fetch({
      store: this.#store,
      clock: this.#clock,
      hash,
      check: (manifest) => checkSize(reference, manifest),
      next,
      onProgress,
      signal,
    });
    // Whoever fetches the same finds what the other has fetched, however that ended.
    const before = this.#fetching.get(hash) ?? Promise.resolve();
    const running = before.catch(ignore).then(() => fetch.run());
    this.#fetching.set(hash, running);
    try {
      await running;
    } finally {
      if (this.#fetching.get(hash) === running) this.#fetching.delete(hash);
    }
  }

  /**
   * Sends the blob of a file, which is in the store, to a peer that keeps it for others. What that
   * peer has already is not sent again.
   * @throws TOO_LARGE, DENIED, DISK_FULL, RATE_LIMITED of that peer; NO_SUCH_FILE when the blob is
   *   not here; DATA_CORRUPT when the disk has spoilt it; TIMEOUT, CLOSED; an AbortError
   */
  async push(
    { hash }: Pick<FileReference, 'hash'>,
    exchange: BlobExchange,
    { onProgress = ignore, signal = new AbortController().signal }: TransferOptions = {},
  ): Promise<void> {
    const manifest = await this.#store.manifest(toBlobHash(hash));
    if (manifest === undefined || !this.#store.has(manifest.hash))
      throw new ClchatError('NO_SUCH_FILE', 'That attachment is not here.');
    const options = { store: this.#store, clock: this.#clock, manifest, exchange };
    for (let attempt = 1; ; attempt++)
      try {
        return await push({ ...options, onProgress, signal });
      } catch (error) {
        // It took so long that the other side has forgotten of it, or lost a part.
        const isStale = hasCode(error, 'STALE') || hasCode(error, 'WAITING');
        if (!isStale || attempt === MAX_ATTEMPTS) throw error;
      }
  }
}

const MAX_ATTEMPTS = 5;

function ignore(): void {
  // Nobody asked.
}
