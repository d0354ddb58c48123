/** Files go with the last message that names them. */
import { blobOf, blobOperations, streamsNaming, type Placed } from '../../crdt/content.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { toBlobHash } from './manifest.ts';
import type { BlobStore } from './store.ts';

/** How long a file stays that no message names, in milliseconds: it may be about to be named. */
export const UNNAMED_MS = 3_600_000;

/** Forgets which messages named files, and removes those that no other names. */
export async function eraseFiles(
  { log, store }: { readonly log: LogStore; readonly store: BlobStore },
  entries: readonly Placed[],
): Promise<void> {
  for (const { entry, position } of entries) {
    const blob = blobOf(entry);
    if (blob === undefined) continue;
    await log.store.write(blobOperations(entry, position), { sync: false });
    if ((await streamsNaming(log, blob.hash)).size === 0) await store.delete(toBlobHash(blob.hash));
  }
}
