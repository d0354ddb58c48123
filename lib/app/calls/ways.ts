/** What a connection needs to find its way, as the WebRTC library wants it. */
import { parseEndpoint } from '../../interfaces.ts';
import type { IceServer, Ways } from '../../media/engine/messages.ts';
import type { Ways as ToldWays } from '../../node/calls/wire.ts';
import type { OpenPort } from '../internet.ts';

/** STUN servers that are asked: each further one costs time and tells nothing new. */
const MAX_STUN = 3;

/** @param told by the server @param mapped ports of the gateway of this host */
export function waysOf(told: ToldWays | undefined, mapped: Ways['mapped']): Ways {
  const servers: IceServer[] = (told?.stun ?? [])
    .slice(0, MAX_STUN)
    .map((address) => ({ urls: `stun:${address}` }));
  if (told?.turn !== undefined) {
    const { url, username, credential } = told.turn;
    servers.push({ urls: url, username, credential });
  }
  return { servers, mapped };
}

/** Ports of the gateway, as connections take them. */
export function mappedPorts(open: readonly OpenPort[]): Ways['mapped'] {
  return open.map(({ port, external }) => {
    const outside = parseEndpoint(external);
    return { port, external: { ip: outside.ip, port: outside.port } };
  });
}
