/** Erasing what an entry said, for real, while everything that vouches for the log still holds. */
import { encodeEntry, eraseBody } from './entry.ts';
import { itemKey, type LogStore } from './log-store.ts';
import type { StoreOperation } from './store.ts';
import type { StreamName } from './stream.ts';

/**
 * Erases the body and the salt of entries; header, signature and place stay, so that seals and
 * chains verify. When it resolves, the bytes are gone from the files of the store as well.
 * @returns how many had a body to erase
 */
export async function eraseBodies(
  log: LogStore,
  stream: StreamName,
  positions: readonly number[],
): Promise<number> {
  if (positions.length === 0) return 0;
  const operations: StoreOperation[] = [];
  for (const position of positions) {
    const item = log.item(stream, position);
    if (item?.type !== 'entry' || item.entry.body === undefined) continue;
    const value = encodeEntry(eraseBody(item.entry));
    operations.push({ type: 'put', key: itemKey(stream, position), value });
  }
  if (operations.length > 0) await log.store.write(operations, { sync: true });
  // Also of those that had none any more: whoever erased them may have been killed before this.
  const from = itemKey(
    stream,
    positions.reduce((a, b) => Math.min(a, b)),
  );
  const until = itemKey(stream, positions.reduce((a, b) => Math.max(a, b)) + 1);
  await log.store.purge({ from, until });
  return operations.length;
}
