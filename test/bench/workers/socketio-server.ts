/** A relay on socket.io: passes every message on to all others. No log, no accounts, no secrets. */
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Server } from 'socket.io';
import { serve } from '../support/worker.ts';

let server: Server | undefined;

const methods = {
  /** @returns the address it listens at */
  async listen(): Promise<string> {
    server = new Server(0, { transports: ['websocket'], host: '127.0.0.1' });
    if (!server.httpServer.listening) await once(server.httpServer, 'listening');
    server.on('connection', (socket) => {
      socket.join('room');
      socket.on('say', (text) => socket.to('room').emit('say', text));
    });
    return `127.0.0.1:${(server.httpServer.address() as AddressInfo).port}`;
  },

  async collectGarbage(): Promise<void> {
    globalThis.gc?.();
  },
};

export type SocketIoServerMethods = typeof methods;

serve(methods, async () => server?.close());
