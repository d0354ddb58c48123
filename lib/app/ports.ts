/** Which port a new server may have. */
import { createServer } from 'node:net';
import { DEFAULT_PORT, LAST_PORT } from './server-peer.ts';

/**
 * Where a new server can listen: on every network, at the first default port that is free together
 * with the one after it, which a server takes for WebSockets.
 */
export async function freeListenAddress(): Promise<string> {
  for (let port = DEFAULT_PORT; port <= LAST_PORT; port++)
    if ((await isFree(port)) && (await isFree(port + 1))) return `0.0.0.0:${port}`;
  return `0.0.0.0:${DEFAULT_PORT}`;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
