/** What was removed for good is nowhere, not even in a part of a store that nobody reads any more. */
import assert from 'node:assert/strict';
import type { MemoryDisk } from '../../lib/crdt/store-memory.ts';

/** What texts that may be removed look like; see `Doings` and `Spoken`. */
const TEXTS = /changed <\d+>|\d:<\d+>/g;

export interface Removed {
  /** Of messages that were removed by those who wrote them. */
  readonly texts: ReadonlySet<string>;
  /** Numbers of those who were removed with all that they had said. */
  readonly guests: readonly number[];
}

export function checkErased(
  disks: readonly { readonly name: string; readonly disk: MemoryDisk }[],
  { texts, guests }: Removed,
  seed: string,
): void {
  if (texts.size === 0 && guests.length === 0) return;
  for (const { name, disk } of disks)
    for (const [key, value] of disk.table.range({ from: '!', until: '\u007f' })) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
      for (const [text] of bytes.toString('latin1').matchAll(TEXTS)) {
        const isGuests = guests.some((guest) => text.startsWith(`${guest}:`));
        assert.ok(!texts.has(text) && !isGuests, `${seed}: ${name} still has "${text}" at ${key}`);
      }
    }
}
