/** Who is online, who was, and who may know it. */
import type { AccountId } from '../../crdt/keys.ts';
import type { Clock } from '../../lifecycle.ts';

export interface PresenceOptions {
  readonly clock: Clock;
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /** Tells everybody logged in to `to`. */
  readonly tell: (to: AccountId, about: AccountId, online: boolean) => void;
}

export class Presence {
  readonly #options: PresenceOptions;
  /** Sessions an account has now. */
  readonly #online = new Map<AccountId, number>();
  /** When an account was last online, on the monotonic clock: a wall clock set back loses nobody. */
  readonly #seen = new Map<AccountId, number>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  isOnline(account: AccountId): boolean {
    return this.#online.has(account);
  }

  online(): AccountId[] {
    return [...this.#online.keys()];
  }

  enter(account: AccountId): void {
    const sessions = this.#online.get(account) ?? 0;
    this.#online.set(account, sessions + 1);
    if (sessions === 0) this.#announce(account, true);
  }

  leave(account: AccountId): void {
    const sessions = this.#online.get(account) ?? 0;
    if (sessions > 1) {
      this.#online.set(account, sessions - 1);
      return;
    }
    this.#online.delete(account);
    this.#seen.set(account, this.#options.clock.monotonic());
    this.#announce(account, false);
  }

  /** Presence is not told to those whom one has blocked. */
  #announce(about: AccountId, online: boolean): void {
    const { isBlocked, tell } = this.#options;
    for (const to of this.#online.keys())
      if (to !== about && !isBlocked(about, to)) tell(to, about, online);
  }

  /** Everybody else online who has not blocked `asking`. */
  whoElse(asking: AccountId): AccountId[] {
    const { isBlocked } = this.#options;
    return this.online().filter((account) => account !== asking && !isBlocked(account, asking));
  }

  /** Everybody else who was online within so many seconds, back to the start of the server. */
  whoElseSince(asking: AccountId, seconds: number): AccountId[] {
    const since = this.#options.clock.monotonic() - seconds * 1_000;
    const before = [...this.#seen].filter(([, at]) => at >= since).map(([account]) => account);
    return [...new Set([...this.online(), ...before])].filter((account) => account !== asking);
  }
}
