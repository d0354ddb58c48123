/** Where a server's history of a stream parts from what is here, as after a restore. */
import type { Replica } from '../../crdt/replica.ts';
import { openSeal } from '../../crdt/seal.ts';
import type { StreamName } from '../../crdt/stream.ts';
import type { Exchange } from '../exchange.ts';
import type { SYNC } from '../wire.ts';

/**
 * How far both have the same: the server is asked for its batches, newest first, until one of them is
 * here too. 0: they have nothing in common.
 * @throws BAD_ENTRY when a seal is not the server's
 */
export async function commonLength(
  exchange: Exchange<typeof SYNC>,
  { log, server }: Replica,
  stream: StreamName,
): Promise<number> {
  for (let before = log.headOf(stream).length + 1; before > 0;) {
    const { batches } = await exchange.call('older', { stream, before, least: 0 });
    if (batches.length === 0) return 0;
    for (const { seal: bytes } of batches) {
      const seal = openSeal(bytes, server);
      before = seal.first;
      if (log.sealAt(stream, seal.first)?.id === seal.id) return seal.first + seal.count;
    }
  }
  return 0;
}
