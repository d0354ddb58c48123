/** A libp2p peer that is not ours: it keeps to the protocols, or breaks them as a test wants. */
import '../../lib/node/polyfills.ts';
import { identify, type Identify } from '@libp2p/identify';
import type { Connection, Stream, StreamMuxerFactory } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping, type Ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { WebSocket } from 'ws';

// Node 20 has none of its own.
(globalThis as { WebSocket?: unknown }).WebSocket ??= WebSocket;

export type ForeignPeer = Libp2p<{ identify: Identify; ping: Ping }>;

export function foreignPeer(muxer: () => StreamMuxerFactory = yamux()): Promise<ForeignPeer> {
  return createLibp2p({
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    services: { identify: identify({ runOnConnectionOpen: false }), ping: ping() },
    connectionMonitor: { enabled: false },
  });
}

/** @param address `IP:PORT` */
export function dial(peer: ForeignPeer, address: string, suffix = ''): Promise<Connection> {
  const [ip, port] = address.split(':');
  return peer.dial(multiaddr(`/ip4/${ip}/tcp/${port}${suffix}`));
}

/** Resolves when a stream has ended, however. */
export function whenStreamEnds(stream: Stream): Promise<string> {
  if (stream.status !== 'open') return Promise.resolve(stream.status);
  return new Promise((resolve) => {
    stream.addEventListener('close', () => resolve(stream.status));
  });
}

/**
 * A muxer that is none: what it sends is up to the test, raw within the encryption.
 * @param attack is called with what sends, once the connection is made
 */
export function attackingMuxer(
  attack: (send: (bytes: Uint8Array) => boolean) => void,
): () => StreamMuxerFactory {
  return () => ({
    protocol: '/yamux/1.0.0',
    createStreamMuxer(stream) {
      const muxer = yamux({ enableKeepAlive: false })().createStreamMuxer(stream);
      setImmediate(() => attack((bytes) => stream.status === 'open' && stream.send(bytes)));
      return muxer;
    },
  });
}

/** A header of a yamux frame. */
export function yamuxHeader(type: number, flags: number, streamId: number, length: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(streamId, 4);
  header.writeUInt32BE(length, 8);
  return header;
}
