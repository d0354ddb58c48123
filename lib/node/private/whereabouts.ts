/**
 * Where the devices of others can be reached: the server tells while it is there, and what it has
 * told is remembered, so that a session can begin while it is away.
 */
import type { AccountId } from '../../crdt/keys.ts';
import { actorOf } from '../../crdt/records.ts';
import type { Reader } from '../../crdt/state.ts';
import { ClchatError, hasCode } from '../../errors.ts';
import { listCards, nearestFirst } from '../../interfaces.ts';
import type { Relay, Target } from '../channel.ts';
import type { Exchange, Reply } from '../exchange.ts';
import type { SESSION } from '../wire.ts';

export type Session = Pick<Exchange<typeof SESSION>, 'call'>;
type Devices = Reply<typeof SESSION, 'whereis'>['devices'];

/** Accounts that are remembered. */
const MAX_KNOWN = 64;
/** How long the server may take to say where somebody is, in milliseconds. */
const ASK_MS = 4_000;

export class Whereabouts {
  readonly #session: () => Session | undefined;
  readonly #relay: () => Relay | undefined;
  /** Those heard of last at the end. */
  readonly #known = new Map<AccountId, Devices>();

  /**
   * @param session with the server, while there is one
   * @param relay through which others may be reached: the server, which may be none
   */
  constructor(session: () => Session | undefined, relay: () => Relay | undefined) {
    this.#session = session;
    this.#relay = relay;
  }

  /** Accounts that are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * The devices of an account that can be reached, each with its key.
   * @param space says whose a device is: the server is not believed in that
   * @throws NO_SUCH_USER, BLOCKED, OFFLINE as the server says; NETWORK where nobody knows
   */
  async of(account: AccountId, space: Reader): Promise<Target[]> {
    const devices = (await this.#ask(account)) ?? this.#known.get(account);
    if (devices === undefined)
      throw new ClchatError(
        'NETWORK',
        'The server is away, and where that user can be reached is not known here.',
      );
    const cards = listCards();
    const relay = this.#relay();
    const targets = devices
      .filter(({ device }) => actorOf(space, device) === account)
      .filter(({ addresses }) => addresses.length > 0 || relay !== undefined)
      .map(({ device, addresses }) => ({
        key: device,
        addresses: nearestFirst(addresses, cards),
        ...(relay === undefined ? {} : { via: [relay] }),
      }));
    if (targets.length > 0) return targets;
    throw new ClchatError('NETWORK', 'That user is online, but cannot be reached directly.');
  }

  /** Has it remembered for later where somebody is. Never rejects. */
  async note(account: AccountId): Promise<void> {
    await this.#ask(account).catch(() => undefined);
  }

  /** @returns undefined where the server could not be asked */
  async #ask(account: AccountId): Promise<Devices | undefined> {
    try {
      const { devices } = (await this.#session()?.call('whereis', { account }, ASK_MS)) ?? {};
      if (devices !== undefined) this.#remember(account, devices);
      return devices;
    } catch (error) {
      // The server is just going away.
      if (hasCode(error, 'CLOSED') || hasCode(error, 'TIMEOUT')) return undefined;
      throw error;
    }
  }

  #remember(account: AccountId, devices: Devices): void {
    this.#known.delete(account);
    this.#known.set(account, devices);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN) this.#known.delete(oldest!);
  }
}
