/** The least that a libp2p program does: makes a node of TCP, Noise and yamux, starts it, and ends. */
import '../../../../lib/node/polyfills.ts';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';

const stay = process.argv.includes('--stay');
const node = await createLibp2p({
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
});
await node.start();
process.stdout.write('ready\n');
if (!stay) process.exit();
