/**
 * Who may have a file: the server tells it while it is there, and what it has told is remembered, so
 * that files can be had of others while it is away.
 */
import type { PublicKey } from '../../crdt/keys.ts';
import { actorOf } from '../../crdt/records.ts';
import { mayRead } from '../../crdt/rules.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import { homesOf } from '../blobs/erase-files.ts';
import type { BlobHash, Manifest } from '../blobs/manifest.ts';
import { connectSource, wayTo, type Way } from '../blobs/sources.ts';
import type { Target, Transport } from '../channel.ts';
import { MAX_PEERS } from '../wire.ts';
import type { Home } from './home.ts';
import type { Link } from './link.ts';

export interface HoldersOptions {
  readonly transport: Transport;
  /** What the account has on this device; undefined while there is none. */
  readonly home: () => Home | undefined;
  /** While there is a way to the server. */
  readonly link: () => Link | undefined;
  readonly server: () => Target;
  readonly onFault: (error: unknown) => void;
}

interface Holder {
  readonly device: PublicKey;
  readonly addresses: readonly string[];
}

/** Files of which it is still to be asked who has them: the newest of many. */
const MAX_UNASKED = 16;

/**
 * Whether a device may read a message, held here, that names the file.
 * @param manifest where it is known
 */
export async function mayHave(
  home: Home,
  device: PublicKey,
  hash: BlobHash,
  manifest?: Manifest,
): Promise<boolean> {
  const { log, space } = home.replica;
  const account = actorOf(space, device);
  if (account === undefined || (await home.contacts.blocks(account))) return false;
  for (const stream of await homesOf(log, hash, manifest)) {
    const { state } = await log.open(stream);
    if (mayRead(space, stream, state, account)) return true;
  }
  return false;
}

export class Holders {
  readonly #options: HoldersOptions;
  /** Where devices were said to be, those heard of last at the end. */
  readonly #known = new Map<PublicKey, Holder>();
  readonly #unasked = new Set<BlobHash>();
  #isAsking = false;

  constructor(options: HoldersOptions) {
    this.#options = options;
  }

  /** Devices that are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** A message names a file that is not here: who has it is asked for, while somebody can tell. */
  note(hash: BlobHash): void {
    this.#unasked.delete(hash);
    this.#unasked.add(hash);
    const [oldest] = this.#unasked;
    if (this.#unasked.size > MAX_UNASKED) this.#unasked.delete(oldest!);
    if (!this.#isAsking) void this.#askAll();
  }

  /** Never rejects. */
  async #askAll(): Promise<void> {
    this.#isAsking = true;
    for (const hash of this.#unasked) {
      this.#unasked.delete(hash);
      await this.#ask(hash);
    }
    this.#isAsking = false;
  }

  /** @returns undefined where the server could not be asked */
  async #ask(hash: BlobHash): Promise<readonly Holder[] | undefined> {
    const session = this.#options.link()?.session;
    if (session === undefined) return undefined;
    try {
      const { peers } = await session.call('peers', { hash });
      this.#remember(peers);
      return peers;
    } catch (error) {
      // The message is not sealed yet, or erased.
      if (hasCode(error, 'NO_SUCH_FILE')) return [];
      // The server is just going away.
      if (!hasCode(error, 'CLOSED') && !hasCode(error, 'TIMEOUT')) this.#options.onFault(error);
      return undefined;
    }
  }

  #remember(holders: readonly Holder[]): void {
    for (const holder of holders) {
      this.#known.delete(holder.device);
      this.#known.set(holder.device, holder);
      const [oldest] = this.#known.keys();
      if (this.#known.size > MAX_PEERS) this.#known.delete(oldest!);
    }
  }

  /** Of those remembered, those who may have the file, heard of last first. */
  async #remembered(hash: BlobHash): Promise<readonly Holder[]> {
    const home = this.#options.home();
    const found: Holder[] = [];
    if (home === undefined) return found;
    for (const holder of this.#known.values())
      if (await mayHave(home, holder.device, hash)) found.unshift(holder);
    return found;
  }

  /**
   * Ways to those who may have a file, the best first.
   * @throws NETWORK when the server is away and of nobody else it is known where they are
   */
  async waysTo(hash: BlobHash): Promise<Way[]> {
    const { transport, link, server } = this.#options;
    const isThere = link() !== undefined;
    const holders = (await this.#ask(hash)) ?? (await this.#remembered(hash));
    const ways = holders.map(({ device, addresses }) =>
      wayTo(transport, { key: device, addresses }),
    );
    if (isThere) return [(signal) => connectSource(transport, server(), signal), ...ways];
    if (ways.length > 0) return ways;
    throw new ClchatError('NETWORK', 'The server is away, and the file is not on this device.');
  }
}
