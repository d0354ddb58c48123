/**
 * Batches that were pushed before what precedes them was here: fetching alone might never catch up
 * with a busy stream.
 */
import { loadSeal, sizeOf } from '../../crdt/seal.ts';
import type { StreamName } from '../../crdt/stream.ts';
import type { Notice } from '../exchange.ts';
import type { SYNC } from '../wire.ts';

export type WireBatch = Notice<typeof SYNC, 'batch'>;

/** Bytes of batches that are kept, of all streams together. */
export const EARLY_BYTES = 8 << 20;

export class EarlyBatches {
  /** By stream and first position. */
  readonly #streams = new Map<StreamName, Map<number, WireBatch>>();
  #bytes = 0;

  /** Bytes that are kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a batch, if there is room: else it has to be fetched. */
  keep(stream: StreamName, batch: WireBatch): void {
    const size = sizeOf(batch);
    if (this.#bytes + size > EARLY_BYTES) return;
    const { first } = loadSeal(batch.seal);
    this.#drop(stream, first);
    const early = this.#streams.get(stream);
    if (early === undefined) this.#streams.set(stream, new Map([[first, batch]]));
    else early.set(first, batch);
    this.#bytes += size;
  }

  /** Takes out the batch that begins at a position. */
  take(stream: StreamName, first: number): WireBatch | undefined {
    const batch = this.#streams.get(stream)?.get(first);
    this.#drop(stream, first);
    return batch;
  }

  /** Gives up what begins before a position: it is here already. */
  dropBefore(stream: StreamName, position: number): void {
    for (const first of [...(this.#streams.get(stream)?.keys() ?? [])])
      if (first < position) this.#drop(stream, first);
  }

  #drop(stream: StreamName, first: number): void {
    const early = this.#streams.get(stream);
    const batch = early?.get(first);
    if (early === undefined || batch === undefined) return;
    this.#bytes -= sizeOf(batch);
    early.delete(first);
    if (early.size === 0) this.#streams.delete(stream);
  }
}
