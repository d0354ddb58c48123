/** Erasing what an entry said, for real, while everything that vouches for the log still holds. */
import { encodeEntry, eraseBody } from './entry.ts';
import { itemKey, type LogStore } from './log-store.ts';
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
  const erased: number[] = [];
  for (const position of positions) {
    const item = log.item(stream, position);
    if (item?.type !== 'entry' || item.entry.body === undefined) continue;
    const value = encodeEntry(eraseBody(item.entry));
    const key = itemKey(stream, position);
    await log.store.write([{ type: 'put', key, value }], { sync: true });
    erased.push(position);
  }
  if (erased.length > 0) {
    const from = itemKey(stream, Math.min(...erased));
    await log.store.purge({ from, until: itemKey(stream, Math.max(...erased) + 1) });
  }
  return erased.length;
}
