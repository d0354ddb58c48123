/** Who can tell as whom this host is seen from outside, which it cannot see itself. */
import { lookup } from 'node:dns/promises';
import { formatEndpoint } from '../interfaces.ts';
import { deadline } from '../lifecycle.ts';
import { askStun } from '../nat/stun.ts';
import type { TurnServer } from '../nat/turn-url.ts';

/** How long a TURN server may take to answer, in milliseconds. */
const ANSWER_MS = 2_000;

export interface Observers {
  /** Peers that are connected. */
  readonly peers: () => Promise<readonly { readonly address: string }[]>;
  /** It answers STUN as well (RFC 8656). */
  readonly turn: TurnServer | undefined;
}

/** @returns what tells `IP:PORT` as seen by each of them, those that do not answer left out; it never rejects */
export function observedBy({ peers, turn }: Observers): () => Promise<readonly string[]> {
  return async () => {
    const [seen, byTurn] = await Promise.all([
      peers().catch(() => []),
      turn === undefined ? undefined : askTurn(turn).catch(() => undefined),
    ]);
    const all = seen.map(({ address }) => address);
    return byTurn === undefined ? all : [byTurn, ...all];
  };
}

/** Over IPv4, since that is where routers rewrite addresses. */
async function askTurn({ host, port }: TurnServer): Promise<string> {
  const { address } = await lookup(host, { family: 4 });
  return formatEndpoint(await askStun({ ip: address, port }, { signal: deadline(ANSWER_MS) }));
}
