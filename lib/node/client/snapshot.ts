/** Snapshots of the states of streams, as a client gets them. */
import type { Change } from '../../crdt/state.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { SYNC } from '../wire.ts';

/** Pages of a snapshot, of at most a frame each. */
const MAX_PAGES = 1_000;

/** @throws STALE when the server let go of it meanwhile; TOO_LARGE; what the exchange throws */
export async function fetchSnapshot(
  exchange: Exchange<typeof SYNC>,
  stream: StreamName,
): Promise<{ seal: Uint8Array; records: Change[] }> {
  const { seal, pages, at, records } = await exchange.call('snapshot', { stream, page: 0 });
  if (pages > MAX_PAGES) throw new ClchatError('TOO_LARGE', 'an endless snapshot');
  const all = records.map(toChange);
  for (let page = 1; page < pages; page++) {
    const more = await exchange.call('snapshot', { stream, page, at });
    all.push(...more.records.map(toChange));
  }
  return { seal, records: all };
}

function toChange([table, id, value]: [string, string, unknown]): Change {
  return { table, id, value };
}
