/** Batches that a replica has checked and is about to store together. */
import { contentOperations, dutyOperations } from './content.ts';
import { batchOperations, headOperation, type OpenStream } from './log-store.ts';
import { headAfter, type StreamHead } from './stream-head.ts';
import { newPlan, type Plan } from './own-entries.ts';
import { reduceItem } from './rules.ts';
import type { Batch, SignedSeal } from './seal.ts';
import { Overlay, type Change } from './state.ts';
import { changeOperations } from './state-store.ts';
import type { EntryId } from './keys.ts';
import type { StoreOperation } from './store.ts';
import { voidOperation } from './voids.ts';

/** Batches that go on with one stream, and what they make of its state. */
export class Draft {
  readonly stream: OpenStream;
  /** The stream's head after them. */
  head: StreamHead;
  readonly batches: Batch[] = [];
  /** What is written with them, and what follows from it. */
  readonly plan: Plan = newPlan();
  /** Who is told when they are stored. */
  readonly waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly #overlay: Overlay;
  #changes: Change[] = [];

  constructor(stream: OpenStream) {
    this.stream = stream;
    this.head = stream.head;
    this.#overlay = new Overlay(stream.state);
  }

  sealAt(first: number): SignedSeal | undefined {
    return this.batches.find(({ seal }) => seal.first === first)?.seal;
  }

  /** @returns whether the batch goes on where the draft ends; if not, nothing is changed */
  add(batch: Batch, spaceStream: OpenStream): boolean {
    const { seal, items } = batch;
    const { name } = this.stream;
    const { seal: last, seals, term } = this.head;
    if (seal.previous !== last || seal.seq !== seals + 1 || seal.term < term) return false;
    const stream = this.#overlay;
    const isSpace = name === 'space';
    const space = isSpace ? stream : spaceStream.state;
    // Where the space has gone on since, what was right then may look wrong now.
    const hindsight = !isSpace && spaceStream.head.length !== seal.space;
    const { operations } = this.plan;
    operations.push(...batchOperations(batch));
    items.forEach((item, index) => {
      const position = seal.first + index;
      const standing = { space, stream, position, hindsight, now: seal.time };
      const reduced = reduceItem(item, standing);
      stream.apply(reduced.changes);
      if (reduced.void !== undefined) {
        operations.push(voidOperation(name, position, reduced.void));
        return;
      }
      operations.push(...contentOperations(name, position, item));
      operations.push(...dutyOperations(space, { stream: name, position, item }));
      if (item.type === 'entry' && item.entry.kind === 'epoch')
        operations.push(provenOperation(item.entry.id));
    });
    this.head = headAfter(withoutLanes(this.head), seal);
    this.batches.push(batch);
    return true;
  }

  /** @returns what stores it all */
  finish(): StoreOperation[] {
    const { name } = this.stream;
    this.#changes = this.#overlay.changes();
    return [
      ...this.plan.operations,
      ...changeOperations(name, this.#changes),
      headOperation(name, this.head),
    ];
  }

  /** Makes the same change in memory, once it is stored. */
  adopt(): void {
    this.stream.state.apply(this.#changes);
    this.stream.head = this.head;
  }
}

/** A replica does not bring the state's hash up to date: it would cost, and nobody asks for it. */
export function withoutLanes<T extends { lanes?: Uint8Array | undefined }>(
  head: T,
): Omit<T, 'lanes'> {
  const { lanes: _lanes, ...rest } = head;
  return rest;
}

/** Key of the mark that an epoch was opened by an entry of a member: see `Replica.isProven`. */
export function provenKey(epoch: EntryId): string {
  return `p!${epoch}`;
}

export function provenOperation(epoch: EntryId): StoreOperation {
  return { type: 'put', key: provenKey(epoch), value: new Uint8Array() };
}
