/** Many clients of socket.io in one process: the same as `crowd.ts`, for a peer. */
import { io, type Socket } from 'socket.io-client';
import type { Fault, SpeakOptions } from '../support/crowd.ts';
import { Heard, paced, textOfSize } from '../support/messages.ts';
import { now } from '../support/stats.ts';
import { serve } from '../support/worker.ts';

let names: string[] = [];
let address = '';
let sockets: Socket[] = [];
const heard = new Heard();

function connect(): Promise<Socket> {
  const socket = io(`http://${address}`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  socket.on('say', (text) => heard.take(String(text)));
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', reject);
  });
}

const methods = {
  async prepare(options: { names: string[]; directory: string; address: string }): Promise<void> {
    ({ names, address } = options);
  },

  async join(_atOnce: number): Promise<{ took: number[]; failures: number; faults: Fault[] }> {
    const begun = now();
    const took: number[] = [];
    let failures = 0;
    const joined = names.map(async () => {
      try {
        sockets.push(await connect());
        took.push(now() - begun);
      } catch {
        failures += 1;
      }
    });
    await Promise.all(joined);
    return { took, failures, faults: [] };
  },

  async leave(): Promise<void> {
    for (const socket of sockets) socket.disconnect();
    sockets = [];
  },

  async speak(options: SpeakOptions): Promise<{ said: number; held: number[]; faults: Fault[] }> {
    const { rate, seconds, size } = options;
    const said = await paced(rate, seconds, (number) =>
      sockets[number % sockets.length]?.emit('say', textOfSize(now(), size)),
    );
    return { said, held: [], faults: [] };
  },

  async begin(): Promise<void> {
    heard.begin();
  },

  async heard() {
    return heard.report();
  },
};

export type SocketIoCrowdMethods = typeof methods;

serve(methods, () => methods.leave());
