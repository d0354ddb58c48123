/** Files go with the last message that names them. */
import { blobOf, blobOperations, streamsNaming, type Placed } from '../../crdt/content.ts';
import { equal, fromHex } from '../../crdt/bytes.ts';
import { decodeEntry } from '../../crdt/entry.ts';
import type { LogStore } from '../../crdt/log-store.ts';
import { prefixed } from '../../crdt/store.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { toBlobHash, type BlobHash, type Manifest } from './manifest.ts';
import type { BlobStore } from './store.ts';

/** How long a file stays that no message names, in milliseconds: it may be about to be named. */
export const UNNAMED_MS = 3_600_000;

/**
 * The conversations in which a message names a file that is of them, as far as the manifest tells,
 * which is here wherever anything of the file is.
 */
export async function homesOf(
  log: LogStore,
  hash: BlobHash,
  manifest?: Manifest,
): Promise<StreamName[]> {
  const naming = [...(await streamsNaming(log, fromHex(hash)))];
  return naming.filter((stream) => manifest?.isOf(stream) !== false);
}

/** Forgets which messages named files, and removes those that no other names. */
export async function eraseFiles(
  { log, store }: { readonly log: LogStore; readonly store: BlobStore },
  entries: readonly Placed[],
): Promise<void> {
  for (const { entry, position } of entries) {
    const blob = blobOf(entry);
    if (blob === undefined) continue;
    await log.store.write(blobOperations(entry, position), { sync: false });
    const hash = toBlobHash(blob.hash);
    const homes = await homesOf(log, hash, await store.manifest(hash));
    if (homes.length === 0 && !(await isOnItsWay(log, blob.hash))) await store.delete(hash);
  }
}

/** Whether a message of this device names a file that is not sealed yet; see `OwnEntries`. */
async function isOnItsWay({ store }: LogStore, hash: Uint8Array): Promise<boolean> {
  for (const prefix of ['o!', 'g!'])
    for await (const [, bytes] of store.entries(prefixed(prefix))) {
      const blob = blobOf(decodeEntry(bytes));
      if (blob !== undefined && equal(blob.hash, hash)) return true;
    }
  return false;
}
