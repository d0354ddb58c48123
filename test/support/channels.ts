/** Channels between two peers in this process. */
import { SigningKey } from '../../lib/crdt/keys.ts';
import type { Channel, Connection, Transport } from '../../lib/node/channel.ts';
import { createLoopback } from '../../lib/node/loopback.ts';

let peers = 0;

/** A key for a peer that nobody has to know again. */
export function anyKey(): SigningKey {
  const seed = new Uint8Array(32);
  new DataView(seed.buffer).setUint32(0, ++peers);
  return new SigningKey(seed);
}

export interface Ends {
  readonly near: Channel;
  readonly far: Channel;
}

/** Both ends of a channel. */
export async function openChannel(protocol = '/test/1'): Promise<Ends> {
  const network = createLoopback();
  const server = network.join(anyKey().public);
  const client = network.join(anyKey().public);
  const far = new Promise<Channel>((resolve) => server.handle(protocol, resolve));
  const connection = await reach(client, server);
  const near = await connection.open(protocol, { signal: AbortSignal.timeout(5_000) });
  return { near, far: await far };
}

export function reach(from: Transport, to: Transport): Promise<Connection> {
  return from.connect(
    { addresses: to.addresses(), key: to.key },
    { signal: AbortSignal.timeout(5_000) },
  );
}

/** With what a channel ended. */
export function ended(channel: Channel): Promise<Error | undefined> {
  return new Promise((resolve) => channel.onEnd(resolve));
}

/** Lets everything that is under way in this process come about. */
export async function turns(number = 5): Promise<void> {
  for (let turn = 0; turn < number; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until something is so. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  patience = 8_000,
): Promise<void> {
  for (const end = Date.now() + patience; !(await isSo());) {
    if (Date.now() > end) throw new Error(`never came about: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
