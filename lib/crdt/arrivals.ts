/**
 * Batches that a replica gets from the wire, at the end of their streams: checked, judged, and stored
 * together where several came in.
 */
import { Draft } from './draft.ts';
import { translate } from '../errors.ts';
import type { PublicKey, VerifyAll } from './keys.ts';
import type { LogStore, OpenStream } from './log-store.ts';
import type { OwnEntries, Plan } from './own-entries.ts';
import { roomOf } from './rooms.ts';
import {
  loadSeal,
  openBatch,
  openBatchesApart,
  openSeal,
  type Batch,
  type BatchBytes,
  type Seal,
} from './seal.ts';
import { placeOfStream, type StreamName } from './stream.ts';

/**
 * What became of a batch: `waiting` needs what is before it, or more of the space, by which it was
 * judged; `forked` contradicts what is here.
 */
export type Ingested = 'added' | 'duplicate' | 'waiting' | 'forked';

export interface Arrival {
  readonly stream: StreamName;
  /** The position after the batch. */
  readonly end: number;
  /** Length of the space that it was judged by. */
  readonly space: number;
  readonly result: Ingested;
}

/** A batch that came in and has not been looked at. */
interface Arriving {
  readonly bytes: BatchBytes;
  /** Checked on other threads while it waits; undefined: when its turn has come. */
  readonly checked: Promise<Batch> | undefined;
  readonly resolve: (arrival: Arrival) => void;
  readonly reject: (error: Error) => void;
}

export interface ArrivalsOptions {
  readonly log: LogStore;
  readonly server: PublicKey;
  readonly space: OpenStream;
  readonly own: OwnEntries;
  /** Where absent, signatures are verified when their turn has come. */
  readonly verifyAll: VerifyAll | undefined;
  /** Runs alone among all that changes the replica. */
  readonly inTurn: (run: () => Promise<void>) => Promise<void>;
  /** Writes, then makes the same change in memory. */
  readonly write: (plan: Plan, change: () => void) => Promise<void>;
  /** A batch has been stored. */
  readonly onBatch: (batch: Batch) => void;
}

/** Whether a seal is of a room that is no more: what was here of it is forgotten. */
export function isOfGone(seal: Pick<Seal, 'stream' | 'space'>, space: OpenStream): boolean {
  const place = placeOfStream(seal.stream);
  if (place.type !== 'room' || seal.space > space.head.length) return false;
  return roomOf(space.state, place.room) === undefined;
}

/** Streams whose batches are stored in one write. */
const DRAFTS = 256;

export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #arriving: Arriving[] = [];

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /**
   * Takes batches, those of a stream oldest first: checks seals, items, signatures and place, then the
   * rules. What comes in while others are being stored is stored together, in the order of the calls.
   * @throws BAD_ENTRY when anything of it is not what the server sealed
   */
  take(batches: readonly BatchBytes[]): Promise<Arrival[]> {
    const { verifyAll, server } = this.#options;
    const checked =
      verifyAll === undefined ? undefined : openBatchesApart(batches, server, verifyAll);
    return Promise.all(
      batches.map((bytes, index) =>
        this.#queue(
          bytes,
          checked?.then((all) => all[index]!),
        ),
      ),
    );
  }

  #queue(bytes: BatchBytes, checked: Promise<Batch> | undefined): Promise<Arrival> {
    // Whoever brought it is told once its turn has come.
    checked?.catch(() => undefined);
    return new Promise((resolve, reject) => {
      this.#arriving.push({ bytes, checked, resolve, reject });
      if (this.#arriving.length === 1) void this.#options.inTurn(() => this.#takeAll());
    });
  }

  /** Never rejects: whoever brought a batch is told. */
  async #takeAll(): Promise<void> {
    const { log, server, own, space } = this.#options;
    const arriving = this.#arriving.splice(0);
    const drafts = new Map<StreamName, Draft>();
    for (const one of arriving) {
      try {
        const { bytes } = one;
        const checked = await one.checked;
        const seal = checked?.seal ?? loadSeal(bytes.seal);
        const { stream, first, id } = seal;
        const arrival = { stream, end: first + seal.count, space: seal.space };
        const tell = (result: Ingested): void => one.resolve({ ...arrival, result });
        // What is done to the space decides how the rest is judged, so they do not mix.
        const isMixed = drafts.size > 0 && (stream === 'space') !== drafts.has('space');
        if (isMixed || drafts.size >= DRAFTS) await this.#store(drafts);
        if (isOfGone(seal, space)) {
          tell('duplicate');
          continue;
        }
        let draft = drafts.get(stream);
        if (draft === undefined) {
          const open = await log.open(stream);
          // Whoever opens it meanwhile is to see the same.
          open.users++;
          drafts.set(stream, (draft = new Draft(open)));
        }
        const { head } = draft;
        const isEarly = stream !== 'space' && seal.space > space.head.length;
        if (first > head.length || (isEarly && first === head.length)) {
          // Whoever keeps it meanwhile is to keep only what the server sealed.
          openSeal(bytes.seal, server);
          tell('waiting');
        } else if (first < head.length) {
          const known = draft.sealAt(first) ?? log.sealAt(stream, first);
          const isKnown = known === undefined || known.id === id;
          if (!isKnown) openSeal(bytes.seal, server);
          tell(isKnown ? 'duplicate' : 'forked');
        } else {
          const batch = checked ?? openBatch(bytes.seal, bytes.items, server);
          if (draft.add(batch, space)) {
            for (const item of batch.items) own.sealed(stream, item, draft.plan);
            draft.waiting.push({ ...one, resolve: () => tell('added') });
          } else tell('forked');
        }
      } catch (error) {
        one.reject(translate(error));
      }
    }
    await this.#store(drafts);
  }

  /** Stores drafts together and clears them. Never rejects: whoever brought what is in them is told. */
  async #store(drafts: Map<StreamName, Draft>): Promise<void> {
    const filled = [...drafts.values()].filter(({ batches }) => batches.length > 0);
    const streams = [...drafts.values()].map(({ stream }) => stream);
    drafts.clear();
    await this.#storeAll(filled);
    for (const stream of streams) stream.users--;
  }

  async #storeAll(filled: readonly Draft[]): Promise<void> {
    if (filled.length === 0) return;
    const { write, onBatch } = this.#options;
    const waiting = filled.flatMap((draft) => draft.waiting);
    try {
      const operations = filled.flatMap((draft) => draft.finish());
      const after = filled.flatMap(({ plan }) => plan.after);
      await write({ operations, after }, () => {
        for (const draft of filled) draft.adopt();
      });
    } catch (error) {
      for (const { reject } of waiting) reject(translate(error));
      return;
    }
    for (const { batches } of filled) for (const batch of batches) onBatch(batch);
    for (const { resolve } of waiting) resolve();
  }
}
