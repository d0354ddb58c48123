/** Transports over libp2p for tests, and strangers that connect to them; all end with the test. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Transport } from '../../lib/node/channel.ts';
import {
  createTransport,
  type Libp2pTransport,
  type TransportOptions,
} from '../../lib/node/libp2p.ts';
import { hasCode, type ErrorCode } from '../../lib/errors.ts';
import { within } from '../../lib/lifecycle.ts';
import { collect } from './transport-contract.ts';

export const ECHO = '/clchat/test-echo/1';
export const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(10_000) });
export const coded =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    hasCode(error, code);
export const portOf = (address: string | undefined): number => Number(address?.split(':').at(-1));

/** The request by which a browser turns to WebSockets. */
export const UPGRADE =
  'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

let cleanups: (() => unknown)[] = [];

/** Registers what is undone after the test. */
export function cleanUp(undo: () => unknown): void {
  cleanups.push(undo);
}

/** Undoes what the test has started, last first; for `afterEach`. */
export async function cleanUpAll(): Promise<void> {
  const undo = cleanups.reverse();
  cleanups = [];
  for (const step of undo) await step();
}

export async function start(options: Partial<TransportOptions> = {}): Promise<Libp2pTransport> {
  const peer = await createTransport({ seed: randomBytes(32), listen: [], ...options });
  cleanUp(() => peer.stop());
  return peer;
}

/** A server that echoes frames. */
export async function startServer(
  options: Partial<TransportOptions> = {},
): Promise<Libp2pTransport> {
  const server = await start({ listen: ['127.0.0.1:0'], ...options });
  server.handle(ECHO, (channel) => channel.onFrame((frame) => channel.send(frame)));
  return server;
}

/** That a newcomer gets in and is served. */
export async function assertServes(server: Transport): Promise<void> {
  const client = await start();
  const connection = await client.connect({ addresses: server.addresses() }, soon());
  const channel = await connection.open(ECHO, soon());
  channel.send(Uint8Array.of(42));
  assert.deepEqual([...(await collect(channel, 1))[0]!], [42]);
  await connection.close();
}

/** A stranger's connection to a port here; errors are part of the game. */
export async function stranger(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  cleanUp(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Resolves once the other side has hung up. The socket must be flowing. */
export function gone(socket: Socket): Promise<void> {
  return within(
    8_000,
    new Promise((resolve) => {
      if (socket.destroyed) resolve();
      else socket.on('close', () => resolve());
    }),
    'hanging up',
  );
}

/** Starts a foreign server. @returns its address */
export async function serve(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  cleanUp(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
