/** What others need to keep the same bytes: LevelDB bare, and hypercore. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import Hypercore from 'hypercore';
import { Level } from 'level';
import { now } from '../support/stats.ts';
import { serve } from '../support/worker.ts';

interface Amount {
  readonly directory: string;
  /** Blocks written at the same time. */
  readonly writers: number;
  readonly blocks: number;
  /** Bytes of a block. */
  readonly size: number;
}

const methods = {
  /** Batches of as many as there are writers, each on the disk before the next. @returns milliseconds */
  async level({ directory, writers, blocks, size }: Amount): Promise<number> {
    const db = new Level<string, Uint8Array>(directory, { valueEncoding: 'view' });
    await db.open();
    const value = randomBytes(size);
    const begun = now();
    for (let written = 0; written < blocks; written += writers)
      await db.batch(
        Array.from({ length: writers }, (_, index) => ({
          type: 'put' as const,
          key: `e!${written + index}`,
          value,
        })),
        { sync: true },
      );
    const took = now() - begun;
    await db.close();
    return took;
  },

  /** @returns milliseconds of each synchronous put, one after the other */
  async puts({ directory, blocks, size }: Amount): Promise<number[]> {
    const db = new Level<string, Uint8Array>(directory, { valueEncoding: 'view' });
    await db.open();
    const value = randomBytes(size);
    const took: number[] = [];
    for (let written = 0; written < blocks; written++) {
      const begun = now();
      await db.put(`e!${written}`, value, { sync: true });
      took.push(now() - begun);
    }
    await db.close();
    return took;
  },

  /** Opens a store and reads one key, as little as a program can do with it. @returns milliseconds */
  async open({ directory }: { directory: string }): Promise<number> {
    const begun = now();
    const db = new Level<string, Uint8Array>(directory, { valueEncoding: 'view' });
    await db.open();
    await db.get('h!space');
    const took = now() - begun;
    await db.close();
    return took;
  },

  /** A hypercore of `writers` that each wait for one append before the next. @returns milliseconds */
  async hypercore({ directory, writers, blocks, size }: Amount): Promise<number> {
    const core = new Hypercore(directory);
    await core.ready();
    const block = randomBytes(size);
    let left = blocks;
    const begun = now();
    const write = async (): Promise<void> => {
      while (left-- > 0) await core.append(block);
    };
    await Promise.all(Array.from({ length: writers }, write));
    const took = now() - begun;
    await core.close();
    return took;
  },

  /** Serves a hypercore of so many blocks to one who connects. @returns where, and its key */
  async serveHypercore({
    directory,
    blocks,
    size,
  }: Amount): Promise<{ port: number; key: Uint8Array }> {
    const core = new Hypercore(directory);
    await core.ready();
    const portion = 1_000;
    for (let written = 0; written < blocks; written += portion)
      await core.append(
        Array.from({ length: Math.min(portion, blocks - written) }, () => randomBytes(size)),
      );
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.pipe(core.replicate(false)).pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, key: core.key };
  },

  /** A new copy of it, every block verified. @returns milliseconds */
  async copyHypercore(options: {
    directory: string;
    port: number;
    key: Uint8Array;
    blocks: number;
  }): Promise<number> {
    const { directory, port, key, blocks } = options;
    const begun = now();
    const core = new Hypercore(directory, key);
    await core.ready();
    const socket = connect(port, '127.0.0.1');
    socket.pipe(core.replicate(true)).pipe(socket);
    await core.download({ start: 0, end: blocks }).done();
    const took = now() - begun;
    socket.destroy();
    await core.close();
    return took;
  },
};

export type StoresMethods = typeof methods;

serve(methods);
