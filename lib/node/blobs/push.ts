/** Sending one blob to a peer that keeps it for others. */
import { ClchatError, translate } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { abortReason } from '../abort.ts';
import type { Progress } from './add-file.ts';
import { Bitmap } from './bitmap.ts';
import { ANSWER_MS } from './fetch.ts';
import type { Manifest } from './manifest.ts';
import type { BlobStore } from './store.ts';
import { Window } from './window.ts';
import type { BlobExchange } from './wire.ts';

export interface PushOptions {
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly manifest: Manifest;
  readonly exchange: BlobExchange;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** Bytes that may wait to be taken by the network before more is sent. */
const QUEUE_BYTES = 1 << 20;

/** Sends what the other side lacks. @throws as `BlobClient.push`; STALE, WAITING: begin again */
export async function push(options: PushOptions): Promise<void> {
  const { manifest, exchange, onProgress, signal } = options;
  const mustGoOn = (): void => {
    if (signal.aborted) throw abortReason(signal);
  };
  mustGoOn();
  const begun = await exchange.call('begin', { manifest: manifest.bytes }, ANSWER_MS);
  const missing = new Bitmap(manifest.count, Uint8Array.from(begun.have)).missing();
  let left = missing.reduce((sum, index) => sum + manifest.lengthOf(index), 0);
  const tell = (): void => onProgress({ done: manifest.size - left, total: manifest.size });
  tell();
  if (missing.length === 0) return;

  const window = new Window();
  const underWay = new Set<Promise<void>>();
  let failure: Error | undefined;
  for (const index of missing) {
    while (underWay.size >= window.size) await Promise.race(underWay);
    mustGoOn();
    if (failure !== undefined) throw failure;
    const sending = send(options, index, window)
      .then(() => {
        left -= manifest.lengthOf(index);
        tell();
      })
      .catch((error: unknown) => {
        failure ??= translate(error);
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  }
  await Promise.all(underWay);
  mustGoOn();
  if (failure !== undefined) throw failure;
  await exchange.call('done', { hash: manifest.hash }, ANSWER_MS);
}

async function send(
  { store, clock, manifest: { hash }, exchange }: PushOptions,
  index: number,
  window: Window,
): Promise<void> {
  const chunk = await store.chunk(hash, index);
  if (chunk === undefined) throw new ClchatError('NO_SUCH_FILE', 'That attachment is gone.');
  // Others may be sending by the same channel.
  const { channel } = exchange;
  while (channel.queued > QUEUE_BYTES && !channel.ended) await channel.drained();
  const began = clock.monotonic();
  await exchange.call('put', { hash, index, chunk }, ANSWER_MS);
  window.note(clock.monotonic() - began);
}
