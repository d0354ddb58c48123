/** Those who are logged in: what they ask about one another, and tell one another in passing. */
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import { accountOf, presentAccount } from '../../crdt/records.ts';
import { lacking, may } from '../../crdt/rights.ts';
import type { Reader } from '../../crdt/state.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { BlobHash } from '../blobs/manifest.ts';
import type { Reply, Request } from '../exchange.ts';
import { TokenBuckets } from '../../token-bucket.ts';
import { MAX_PEERS, type SESSION } from '../wire.ts';
import type { FileReaders } from './files.ts';
import type { Listener, Listeners } from './listeners.ts';
import type { Presence } from './presence.ts';

/** A device that others may reach as well. */
export interface Companion extends Listener {
  /** Where others may reach it, `IP:PORT` each. */
  readonly addresses: readonly string[];
}

export interface CompanyOptions {
  readonly space: Reader;
  readonly clock: Clock;
  readonly listeners: Listeners<Companion>;
  readonly presence: Presence;
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /** Whether what is said in a conversation is for an account; see `Directory.takesPart`. */
  readonly takesPart: (account: AccountId, stream: StreamName) => boolean;
  /** Who may have a file; undefined where none are kept. */
  readonly readersOf: (hash: BlobHash) => Promise<FileReaders | undefined>;
}

/** Broadcasts of an account at once, and then a second: each costs a frame for everybody. */
const BROADCAST_BURST = 10;
const BROADCASTS_PER_SECOND = 2;
/** How often an account may tell that it is typing: each costs a frame for everybody there. */
const TYPING_BURST = 4;
const TYPINGS_PER_SECOND = 0.5;

export class Company {
  readonly #options: CompanyOptions;
  readonly #broadcasts: TokenBuckets<AccountId>;
  readonly #typings: TokenBuckets<AccountId>;

  constructor(options: CompanyOptions) {
    this.#options = options;
    const { clock } = options;
    this.#broadcasts = new TokenBuckets(BROADCAST_BURST, BROADCASTS_PER_SECOND, clock);
    this.#typings = new TokenBuckets(TYPING_BURST, TYPINGS_PER_SECOND, clock);
  }

  whoElse(asking: AccountId): Reply<typeof SESSION, 'whoelse'> {
    return { users: this.#namesOf(this.#options.presence.whoElse(asking)) };
  }

  whoElseSince(
    asking: AccountId,
    { seconds }: Request<typeof SESSION, 'whoelsesince'>,
  ): Reply<typeof SESSION, 'whoelsesince'> {
    return { users: this.#namesOf(this.#options.presence.whoElseSince(asking, seconds)) };
  }

  /** Those of one's own devices that are here. */
  devicesOf(account: AccountId): PublicKey[] {
    return [...this.#options.listeners.of(account)].map(({ device }) => device);
  }

  #namesOf(accounts: readonly AccountId[]): string[] {
    return accounts
      .map((account) => accountOf(this.#options.space, account)?.name)
      .filter((name) => name !== undefined)
      .sort();
  }

  /** @throws DENIED, RATE_LIMITED */
  broadcast(
    account: AccountId,
    { text, time }: Request<typeof SESSION, 'broadcast'>,
  ): Reply<typeof SESSION, 'broadcast'> {
    const { space, presence, listeners, isBlocked } = this.#options;
    if (!may(space, account, 'broadcast')) throw lacking('broadcast');
    if (!this.#broadcasts.take(account)) throw new ClchatError('RATE_LIMITED');
    const from = accountOf(space, account)?.name ?? '';
    const others = presence.online().filter((other) => other !== account);
    const willing = others.filter((other) => !isBlocked(other, account));
    const reached = listeners.broadcast(willing, { from, text, time });
    const told = new Set(reached);
    return {
      reached: this.#namesOf(reached),
      missed: this.#namesOf(others.filter((other) => !told.has(other))),
    };
  }

  /**
   * Where a file may be had: at devices that are here, of those who may read of it.
   * @param asking not told of
   * @throws NO_SUCH_FILE
   */
  async peers(
    account: AccountId,
    asking: PublicKey,
    { hash }: Request<typeof SESSION, 'peers'>,
  ): Promise<Reply<typeof SESSION, 'peers'>> {
    const { readersOf, isBlocked, presence, listeners } = this.#options;
    const readers = await readersOf(hash);
    if (readers?.includes(account) !== true) throw new ClchatError('NO_SUCH_FILE');
    const peers: Reply<typeof SESSION, 'peers'>['peers'] = [];
    // Whoever wrote of it is the likeliest to have it.
    for (const other of new Set([...readers.authors, ...presence.online()])) {
      // Presence is not told to whom one has blocked.
      if (isBlocked(other, account) || isBlocked(account, other)) continue;
      const devices = [...listeners.of(other)].filter(
        ({ device, addresses }) => device !== asking && addresses.length > 0,
      );
      if (devices.length === 0 || !readers.includes(other)) continue;
      for (const { device, addresses } of devices)
        if (peers.push({ device, addresses: [...addresses] }) >= MAX_PEERS) return { peers };
    }
    return { peers };
  }

  /**
   * Where somebody can be reached; of who is here, but tells nothing of that, no devices.
   * @throws NO_SUCH_USER, SELF; BLOCKED by either of the two; OFFLINE
   */
  whereIs(
    asking: AccountId,
    { account }: Request<typeof SESSION, 'whereis'>,
  ): Reply<typeof SESSION, 'whereis'> {
    const { space, isBlocked, presence, listeners } = this.#options;
    if (presentAccount(space, account) === undefined) throw new ClchatError('NO_SUCH_USER');
    if (account === asking) throw new ClchatError('SELF');
    // Before anything is said of who is here: presence is not told to whom one has blocked.
    if (isBlocked(account, asking)) throw new ClchatError('BLOCKED');
    if (isBlocked(asking, account)) throw new ClchatError('BLOCKED', 'You have blocked that user.');
    if (!presence.isOnline(account)) throw new ClchatError('OFFLINE');
    // Those without an address may have a place at a relay.
    const devices = [...listeners.of(account)].map(({ device, addresses }) => ({
      device,
      addresses: [...addresses],
    }));
    return { devices: devices.slice(0, MAX_PEERS) };
  }

  /** Tells those who take part in a conversation that another of them is typing there. */
  typing(account: AccountId, stream: StreamName): void {
    const { space, presence, listeners, takesPart, isBlocked } = this.#options;
    if (!takesPart(account, stream) || !this.#typings.take(account)) return;
    const user = accountOf(space, account)?.name;
    if (user === undefined) return;
    for (const to of presence.online()) {
      const isApart = to === account || isBlocked(account, to) || isBlocked(to, account);
      if (!isApart && takesPart(to, stream)) listeners.hint(to, { stream, user });
    }
  }
}
