/** What devices submit, on its way to the sealer: checked, in order, and at a bounded rate. */
import { decodeEntry, verifyEntry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import type { RoomRecord } from '../../crdt/records.ts';
import type { Outcome, Sealer } from '../../crdt/sealer.ts';
import type { Reader } from '../../crdt/state.ts';
import { otherOf, placeOfStream } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import { sleep, type Clock } from '../../lifecycle.ts';
import { TokenBuckets } from '../token-bucket.ts';
import type { Directory } from './directory.ts';
import type { Lane } from './lanes.ts';

/** Messages an account may send a second, and how many at once after a pause. */
const RATE = 200;
const BURST = 400;
/** Rooms that an account may make: every device has to know of each. */
export const MAX_ROOMS = 200;
/** Kinds that need more than the entry, and so come by the session protocol. */
const BY_SESSION = new Set(['account', 'device', 'recover', 'password', 'server']);

export interface SubmissionOptions {
  readonly sealer: Sealer;
  readonly directory: Directory;
  readonly clock: Clock;
  /** The account a device is logged in to. */
  readonly accountOf: (device: PublicKey) => AccountId | undefined;
  /** A person of the account has done something. */
  readonly onActive: (device: PublicKey) => void;
  /** Whether one account has blocked another. */
  readonly isBlocked: (blocker: AccountId, target: AccountId) => boolean;
  /** Whether a device has just proved another account's password; a proof is good for one use. */
  readonly takeProof: (device: PublicKey, of: AccountId) => boolean;
}

/** Who submits. */
export interface Submitter {
  readonly device: PublicKey;
  readonly account: AccountId;
  readonly lane: Lane;
  /** Nobody waits for the answer any more. */
  readonly hasGone: () => boolean;
}

export class Submissions {
  readonly #options: SubmissionOptions;
  readonly #paces: TokenBuckets<AccountId>;

  constructor(options: SubmissionOptions) {
    this.#options = options;
    this.#paces = new TokenBuckets(BURST, RATE, options.clock);
  }

  async submit(submitter: Submitter, entries: readonly Uint8Array[]): Promise<Outcome[]> {
    const outcomes: Promise<Outcome>[] = [];
    // Only what comes before the sealer has to wait its turn, not the sealing.
    await submitter.lane.submissions.run(async () => {
      for (const bytes of entries) await this.#queue(submitter, bytes, outcomes);
    });
    return Promise.all(outcomes);
  }

  /** Checks one entry and hands it to the sealer, whose answer will come in `outcomes`. */
  async #queue(
    { device, account, hasGone }: Submitter,
    bytes: Uint8Array,
    outcomes: Promise<Outcome>[],
  ): Promise<void> {
    // The device submits again, over its next connection, what had no answer.
    if (hasGone()) throw new ClchatError('CLOSED');
    const { sealer, onActive, accountOf } = this.#options;
    const reject = (code: 'BAD_ENTRY' | 'DENIED' | 'NOT_LOGGED_IN'): void => {
      outcomes.push(Promise.resolve({ type: 'rejected', code }));
    };
    const entry = decodeEntry(bytes);
    if (entry.device !== device || entry.server !== sealer.server) return reject('DENIED');
    if (BY_SESSION.has(entry.kind) && entry.stream === 'space') return reject('DENIED');
    if (!verifyEntry(entry)) return reject('BAD_ENTRY');
    if (accountOf(device) !== account) return reject('NOT_LOGGED_IN');
    onActive(device);
    const early = this.#paces.reserve(account);
    if (early > 0) await sleep(early);
    const other = otherOf(placeOfStream(entry.stream), account);
    const outcome = sealer.submit({
      entry,
      bytes,
      admit: (action, { space }) => {
        if (other !== undefined && this.#options.isBlocked(other, account)) return 'BLOCKED';
        if (action.kind === 'befriend' && other !== undefined)
          return this.#options.takeProof(device, other) ? undefined : 'BAD_PASSWORD';
        const isFull = action.kind === 'room' && this.#hasManyRooms(account, space);
        return isFull ? 'RATE_LIMITED' : undefined;
      },
    });
    // Awaited with the others, above; a failure until then must not count as unhandled.
    outcome.catch(() => undefined);
    outcomes.push(outcome);
  }

  #hasManyRooms(account: AccountId, space: Reader): boolean {
    // Whoever has reached the bound is refused without another count.
    if (this.#options.directory.roomsOf(account) >= MAX_ROOMS) return true;
    let rooms = 0;
    for (const [, { owner }] of space.entries<RoomRecord>('room')) if (owner === account) rooms++;
    return rooms >= MAX_ROOMS;
  }
}
