/** What a restored server has lost and this device still has. */
import { annotationsOf, isEntitled } from '../../crdt/content.ts';
import { encodeEntry, isMessage } from '../../crdt/entry.ts';
import type { Replica } from '../../crdt/replica.ts';
import { decodeItem } from '../../crdt/seal.ts';
import type { StreamName } from '../../crdt/stream.ts';
import type { Channel } from '../channel.ts';
import { Exchange } from '../exchange.ts';
import { MAX_REMOVALS, SYNC } from '../wire.ts';

/** Bytes handed back in one request. */
const HAND_BACK_BYTES = 128 * 1024;
/** Streams asked about at once. */
const PORTION = 1_000;

/**
 * Gives a server that continues from an old backup what it had sealed and has lost, as far as it is
 * here. Before the login: the account itself may be among what was lost.
 * @throws what prevented it: it has to be tried again, as what is not handed back is given up
 */
export async function handBack(channel: Channel, replica: Replica): Promise<void> {
  const exchange = new Exchange(channel, SYNC, { methods: {}, notices: {} });
  const { log } = replica;
  const names = await log.names();
  // The space first: the rest was judged by it.
  const all = ['space' as const, ...names.filter((name) => name !== 'space')];
  for (let at = 0; at < all.length; at += PORTION) {
    const streams = all.slice(at, at + PORTION);
    const { lengths } = await exchange.call('lengths', { streams });
    for (const [index, stream] of streams.entries()) {
      let theirs = lengths[index] ?? 0;
      const mine = log.headOf(stream).length;
      while (theirs < mine) {
        const batches = await log.batches(stream, theirs, mine, HAND_BACK_BYTES);
        if (batches.length === 0) break;
        const removals = await removalsIn(replica, stream, batches);
        const { length } = await exchange.call('handBack', { batches, removals });
        if (length <= theirs) break;
        theirs = length;
      }
    }
  }
  await exchange.close();
}

/** The entries because of which messages of these batches have no bodies any more. */
async function removalsIn(
  { log, space }: Replica,
  stream: StreamName,
  batches: readonly { readonly items: readonly Uint8Array[] }[],
): Promise<Uint8Array[]> {
  const removals: Uint8Array[] = [];
  for (const item of batches.flatMap(({ items }) => items.map(decodeItem))) {
    if (item.type !== 'entry' || item.entry.body !== undefined || !isMessage(item.entry)) continue;
    const about = await annotationsOf(log, stream, item.entry.id);
    const removal = about.find(
      ({ entry }) => entry.kind === 'remove' && isEntitled(space, entry, item.entry),
    );
    if (removal !== undefined && removals.length < MAX_REMOVALS)
      removals.push(encodeEntry(removal.entry));
  }
  return removals;
}
