/**
 * One stream of libp2p over TCP, Noise and yamux, with nothing above it: the floor under files. The
 * receiver writes what comes into a file, the sender reads what it sends from one.
 */
import '../../../lib/node/polyfills.ts';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { now } from '../support/stats.ts';
import { serve } from '../support/worker.ts';

const PROTOCOL = '/bench/stream/1';
/** Bytes handed over at a time. */
const BLOCK = 256 * 1024;

const create = (listen: string[]) =>
  createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
type Node = Awaited<ReturnType<typeof create>>;

let node: Node | undefined;

const methods = {
  /** Takes one stream into a file. @returns where it listens */
  async receive({ file }: { file: string }): Promise<string> {
    node = await create(['/ip4/127.0.0.1/tcp/0']);
    await node.handle(PROTOCOL, (stream) => {
      const output = createWriteStream(file);
      stream.addEventListener('message', ({ data }) => {
        // Kept in memory until the disk takes it: nothing slows the sender.
        output.write(data instanceof Uint8Array ? data : data.subarray());
      });
      // The answer says that all of it is written.
      stream.addEventListener('remoteCloseWrite', () => output.end(() => void stream.close()));
    });
    return node.getMultiaddrs()[0]!.toString();
  },

  /** Sends a file. @returns how long it took until the other side had written it, in milliseconds */
  async send({ address, file }: { address: string; file: string }): Promise<number> {
    node = await create([]);
    const connection = await node.dial(multiaddr(address));
    const begun = now();
    const stream = await connection.newStream(PROTOCOL);
    const answered = once(stream, 'remoteCloseWrite');
    for await (const block of createReadStream(file, { highWaterMark: BLOCK }))
      if (!stream.send(block as Uint8Array)) await stream.onDrain();
    await stream.close();
    await answered;
    return now() - begun;
  },
};

export type StreamMethods = typeof methods;

serve(methods, async () => node?.stop());
