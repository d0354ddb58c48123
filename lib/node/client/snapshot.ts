/** Snapshots of the states of streams, as a client gets them. */
import type { Change } from '../../crdt/state.ts';
import type { StreamName } from '../../crdt/stream.ts';
import { ClchatError } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { SYNC } from '../wire.ts';

/** Pages of a snapshot, of at most a frame each. */
const MAX_PAGES = 1_000;

interface Snapshot {
  readonly seal: Uint8Array;
  readonly records: Change[];
}

/** Asks the server for snapshots, also ahead of the need. */
export class Snapshots {
  readonly #exchange: Exchange<typeof SYNC>;
  readonly #ahead = new Map<StreamName, Promise<Snapshot>>();

  constructor(exchange: Exchange<typeof SYNC>) {
    this.#exchange = exchange;
  }

  /** Asks for one before it is clear whether it is needed. */
  prepare(stream: StreamName): void {
    const asked = fetchSnapshot(this.#exchange, stream);
    asked.catch(() => undefined);
    this.#ahead.set(stream, asked);
  }

  /** The one that was asked for, once, or a new one. @throws as `fetchSnapshot` */
  fetch(stream: StreamName): Promise<Snapshot> {
    const ask = (): Promise<Snapshot> => fetchSnapshot(this.#exchange, stream);
    const asked = this.#ahead.get(stream);
    this.#ahead.delete(stream);
    // One asked for ahead may have come before there was anything that it could be answered with.
    return asked?.catch(ask) ?? ask();
  }

  /** Lets go of those that were not needed: one of a stream in which nothing was said was refused. */
  clear(): void {
    this.#ahead.clear();
  }
}

/** @throws STALE when the server let go of it meanwhile; TOO_LARGE; what the exchange throws */
async function fetchSnapshot(
  exchange: Exchange<typeof SYNC>,
  stream: StreamName,
): Promise<Snapshot> {
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
