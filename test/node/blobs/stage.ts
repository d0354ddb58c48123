/** Peers that hold blobs, in one process, and peers that do as they please. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { PublicKey } from '../../../lib/crdt/keys.ts';
import { LOBBY_STREAM } from '../../../lib/crdt/stream.ts';
import { systemClock, type Clock } from '../../../lib/lifecycle.ts';
import { BlobClient } from '../../../lib/node/blobs/client.ts';
import { CHUNK_SIZE, Manifest, type BlobHash } from '../../../lib/node/blobs/manifest.ts';
import { BlobService, type BlobServiceOptions } from '../../../lib/node/blobs/service.ts';
import { connectSource, type Source, type Way } from '../../../lib/node/blobs/sources.ts';
import { BlobStore, type BlobStoreOptions } from '../../../lib/node/blobs/store.ts';
import { BLOB } from '../../../lib/node/blobs/wire.ts';
import type { Channel, Transport } from '../../../lib/node/channel.ts';
import { Exchange, type Handlers } from '../../../lib/node/exchange.ts';
import { createLoopback } from '../../../lib/node/loopback.ts';
import { anyKey } from '../../support/channels.ts';
import { temporary, type Temporary } from '../../support/temporary.ts';

export const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

/** Bytes that look random and are the same for the same seed. */
export function content(size: number, seed = 1): Uint8Array {
  const hash = createHash('shake256', { outputLength: size });
  return Uint8Array.from(hash.update(`${seed}`).digest());
}

export interface Blob {
  readonly manifest: Manifest;
  readonly chunks: readonly Uint8Array[];
}

/** A blob of so many whole chunks, and `more` bytes. */
export function blobOf(chunks: number, more = 1_000, seed = 1): Blob {
  return cut(content(chunks * CHUNK_SIZE + more, seed));
}

export function cut(bytes: Uint8Array): Blob {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_SIZE)
    chunks.push(bytes.slice(at, at + CHUNK_SIZE));
  const hashes = chunks.map((chunk) => createHash('sha256').update(chunk).digest());
  return {
    manifest: Manifest.of(
      LOBBY_STREAM,
      bytes.length,
      hashes.map((hash) => Uint8Array.from(hash)),
    ),
    chunks,
  };
}

/** What a message says of a blob that is not sealed. */
export function referenceTo({ manifest }: Blob): { hash: Uint8Array; size: number; name: string } {
  const hash = Uint8Array.from(Buffer.from(manifest.hash, 'hex'));
  return { hash, size: manifest.size, name: 'file.bin' };
}

/** Stores chunks of a blob, all of them by default. */
export async function store(
  into: BlobStore,
  { manifest, chunks }: Blob,
  which: readonly number[] = [...chunks.keys()],
): Promise<void> {
  await into.begin(manifest);
  for (const index of which) await into.put(manifest.hash, index, chunks[index]!);
  await into.release(manifest.hash);
}

export async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** A peer with a store that serves it to everybody, unless it is told otherwise. */
export interface Peer {
  readonly key: PublicKey;
  readonly store: BlobStore;
  readonly transport: Transport;
  readonly client: BlobClient;
  readonly service: BlobService;
  readonly faults: unknown[];
  /** Channels that have come in. */
  readonly channels: Channel[];
  /** Chunks that it was asked for. */
  readonly asked: BlobHash[];
}

export interface PeerOptions {
  readonly store?: Partial<BlobStoreOptions>;
  readonly service?: Partial<BlobServiceOptions>;
  readonly clock?: Clock;
}

export interface Stage extends Temporary {
  readonly peer: (options?: PeerOptions) => Promise<Peer>;
  readonly newStore: (options?: Partial<BlobStoreOptions>) => Promise<BlobStore>;
  /** A peer that speaks the protocol by hand. */
  readonly foreign: (methods: Handlers<typeof BLOB>['methods']) => Transport;
  /** A way from one peer to another. */
  readonly way: (from: { transport: Transport }, to: { key: PublicKey }) => Way;
  readonly connect: (from: { transport: Transport }, to: { key: PublicKey }) => Promise<Source>;
}

/** To be called inside a `describe`: all ends with each of its tests. */
export function stage(): Stage {
  const stops: (() => unknown)[] = [];
  let network = createLoopback();
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    network = createLoopback();
  });
  const places = temporary();

  const newStore = async (options: Partial<BlobStoreOptions> = {}): Promise<BlobStore> => {
    const directory = options.directory ?? join(await places.newDirectory(), 'blobs');
    const opened = await BlobStore.open({ clock: systemClock, random, ...options, directory });
    stops.push(() => opened.close());
    return opened;
  };

  const newTransport = (): Transport => {
    const transport = network.join(anyKey().public);
    stops.push(() => transport.stop());
    return transport;
  };

  const way =
    (from: { transport: Transport }, { key }: { key: PublicKey }): Way =>
    (signal) =>
      connectSource(from.transport, { addresses: [key], key }, signal);

  return {
    ...places,
    newStore,
    async peer({ clock = systemClock, ...options } = {}) {
      const held = await newStore(options.store);
      const transport = newTransport();
      const faults: unknown[] = [];
      const channels: Channel[] = [];
      const asked: BlobHash[] = [];
      const service = new BlobService({
        store: held,
        clock,
        mayRead: (_device, hash) => {
          asked.push(hash);
          return true;
        },
        mayPut: () => Number.MAX_SAFE_INTEGER,
        onFault: (error) => faults.push(error),
        ...options.service,
      });
      stops.push(() => service.stop());
      transport.handle(BLOB.name, (channel) => {
        channels.push(channel);
        service.accept(channel);
      });
      const client = new BlobClient({ store: held, clock });
      return {
        key: transport.key,
        store: held,
        transport,
        client,
        service,
        faults,
        channels,
        asked,
      };
    },
    foreign(methods) {
      const transport = newTransport();
      transport.handle(BLOB.name, (channel) => {
        new Exchange(channel, BLOB, { methods, notices: {} });
      });
      return transport;
    },
    way,
    connect: (from, to) => way(from, to)(new AbortController().signal),
  };
}
