/** Raw TCP: the floor under everything that goes over a network. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { paced } from '../support/messages.ts';
import { now } from '../support/stats.ts';
import { serve } from '../support/worker.ts';

let server: Server | undefined;

const methods = {
  async listen(): Promise<number> {
    server = createServer((socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },

  /** Sends blocks of `size` bytes and waits for each. @returns round trips in milliseconds */
  async measure(options: {
    port: number;
    rate: number;
    seconds: number;
    size: number;
  }): Promise<number[]> {
    const { port, rate, seconds, size } = options;
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const sent: number[] = [];
    const took: number[] = [];
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      while (received >= size) {
        received -= size;
        took.push(now() - (sent.shift() ?? NaN));
      }
    });
    const block = Buffer.alloc(size, 1);
    await paced(rate, seconds, () => {
      sent.push(now());
      socket.write(block);
    });
    while (sent.length > 0) await once(socket, 'data');
    socket.destroy();
    return took;
  },
};

export type EchoMethods = typeof methods;

serve(methods, async () => void server?.close());
