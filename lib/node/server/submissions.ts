/** What devices submit, on its way to the sealer: checked, in order, and at a bounded rate. */
import { decodeEntry, verifyEntry } from '../../crdt/entry.ts';
import type { AccountId, PublicKey } from '../../crdt/keys.ts';
import type { Outcome, Sealer } from '../../crdt/sealer.ts';
import { ClchatError } from '../../errors.ts';
import { sleep, type Clock } from '../../lifecycle.ts';
import { TokenBuckets } from '../../token-bucket.ts';
import type { Admission } from './admission.ts';
import type { Directory } from './directory.ts';
import type { Lane } from './lanes.ts';

/** Messages an account may send a second, and how many at once after a pause. */
const RATE = 200;
const BURST = 400;
/** Kinds that need more than the entry, and so come by the session protocol. */
const BY_SESSION = new Set([
  'account',
  'createuser',
  'device',
  'lock',
  'password',
  'recover',
  'server',
]);

export interface SubmissionOptions {
  readonly sealer: Sealer;
  readonly directory: Directory;
  readonly clock: Clock;
  /** The account a device is logged in to. */
  readonly accountOf: (device: PublicKey) => AccountId | undefined;
  /** A person of the account has done something. */
  readonly onActive: (device: PublicKey) => void;
  readonly admission: Admission;
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
    const { sealer, onActive, accountOf, admission } = this.#options;
    const reject = (code: 'BAD_ENTRY' | 'DENIED' | 'NOT_LOGGED_IN'): void => {
      outcomes.push(Promise.resolve({ type: 'rejected', code }));
    };
    const entry = decodeEntry(bytes);
    if (entry.device !== device || entry.server !== sealer.server) return reject('DENIED');
    if (BY_SESSION.has(entry.kind) && entry.stream === 'space') return reject('DENIED');
    if (!verifyEntry(entry)) return reject('BAD_ENTRY');
    if (accountOf(device) !== account) return reject('NOT_LOGGED_IN');
    // A mark of what was read is made for whoever reads, by the program.
    if (entry.kind !== 'read') onActive(device);
    const early = this.#paces.reserve(account);
    if (early > 0) await sleep(early);
    const outcome = sealer.submit({
      entry,
      bytes,
      admit: (action, ...rest) =>
        // A room with a lock needs its password registered first.
        action.kind === 'room' && action.body.lock?.password != null
          ? 'DENIED'
          : admission.admit(action, ...rest),
    });
    // Awaited with the others, above; a failure until then must not count as unhandled.
    outcome.catch(() => undefined);
    outcomes.push(outcome);
  }
}
