/** Logs on a disk, each with its eraser, and what is left in their files. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../lib/crdt/bytes.ts';
import type { Placed } from '../../lib/crdt/content.ts';
import { Eraser } from '../../lib/crdt/eraser.ts';
import { LogStore } from '../../lib/crdt/log-store.ts';
import { Replica } from '../../lib/crdt/replica.ts';
import type { Batch } from '../../lib/crdt/seal.ts';
import { Sealer } from '../../lib/crdt/sealer.ts';
import { openLevelStore } from '../../lib/crdt/store-level.ts';
import { prefixed, type Store } from '../../lib/crdt/store.ts';
import type { StreamName } from '../../lib/crdt/stream.ts';
import { wireOf, type SealedCommunity, type Writer } from './community.ts';

/** Whether some file of a directory holds a text or bytes. */
export async function holds(directory: string, what: string | Uint8Array): Promise<boolean> {
  for (const file of await readdir(directory))
    if ((await readFile(join(directory, file))).includes(Buffer.from(what))) return true;
  return false;
}

export interface BenchOptions {
  /** The store as it is seen from above. */
  readonly wrap?: (store: Store) => Store;
  readonly onErasing?: () => void;
  /** Nothing is told of what comes in: the program is killed before it gets to it. */
  readonly isDeaf?: boolean;
}

/** What a server, or a replica, does with what comes in. */
interface Taking {
  readonly log: LogStore;
  take(batch: Batch): Promise<void>;
}

/** A log in a directory. */
export class EraserBench {
  readonly directory: string;
  readonly #make: (log: LogStore, note: (batch: Batch) => void) => Promise<Taking>;
  readonly faults: unknown[] = [];
  /** What was told to be about to go: stream and positions. */
  readonly erased: string[] = [];
  eraser!: Eraser;
  #store!: Store;
  #taking!: Taking;
  replica: Replica | undefined;
  #taken = 0;

  private constructor(
    directory: string,
    make: (log: LogStore, note: (batch: Batch) => void) => Promise<Taking>,
  ) {
    this.directory = directory;
    this.#make = make;
  }

  /** The log of a server that seals what the community's seals. */
  static async server(community: SealedCommunity, directory: string): Promise<EraserBench> {
    const { server, clock } = community;
    const bench = new EraserBench(directory, async (log, note) => {
      const onCommit = (batches: readonly Batch[]): void => batches.forEach(note);
      const sealer = new Sealer({ log, key: server.key, clock, term: 1, onCommit });
      const take = async ({ items }: Batch): Promise<void> => {
        for (const item of items)
          if (item.type === 'entry') await sealer.submit({ entry: item.entry, bytes: item.bytes });
      };
      return { log, take };
    });
    await bench.open();
    return bench;
  }

  /** The replica of a device. */
  static async replica(
    community: SealedCommunity,
    device: Writer,
    directory: string,
  ): Promise<EraserBench> {
    const bench: EraserBench = new EraserBench(directory, async (log, note) => {
      const replica = await Replica.open({
        log,
        server: community.server.id,
        device: device.key,
        onBatch: note,
        onRefused: () => undefined,
      });
      bench.replica = replica;
      const take = async (batch: Batch): Promise<void> => {
        const { seal, items } = wireOf(batch);
        await replica.ingest(seal, items);
      };
      return { log, take };
    });
    await bench.open();
    return bench;
  }

  get log(): LogStore {
    return this.#taking.log;
  }

  async open({ wrap, onErasing, isDeaf = false }: BenchOptions = {}): Promise<void> {
    const store = await openLevelStore(this.directory, { create: true });
    this.#store = wrap?.(store) ?? store;
    const late: { note: (batch: Batch) => void } = { note: () => undefined };
    this.#taking = await this.#make(new LogStore(this.#store), (batch) => late.note(batch));
    const { log } = this;
    const { state } = await log.open('space');
    this.eraser = await Eraser.open({
      log,
      space: () => this.replica?.space ?? state,
      isVoid: (stream, position) => this.replica?.isVoid(stream, position) === true,
      tracesOf: (entries) => this.replica?.tracesOf(entries) ?? [],
      onErasing: async (stream: StreamName, entries: readonly Placed[]) => {
        onErasing?.();
        this.erased.push(`${stream} ${entries.map(({ position }) => position).join(' ')}`);
      },
      onFault: (error) => this.faults.push(error),
    });
    if (!isDeaf) late.note = (batch) => this.eraser.note(batch);
  }

  /** Takes what the community has sealed meanwhile. */
  async catchUp(batches: readonly Batch[]): Promise<void> {
    for (const batch of batches.slice(this.#taken)) await this.#taking.take(batch);
    this.#taken = batches.length;
    await this.eraser.settled();
  }

  /** Nothing of this comes in by `catchUp`. */
  skip(batches: readonly Batch[]): void {
    this.#taken = batches.length;
  }

  async close(): Promise<void> {
    await this.eraser.stop();
    await this.replica?.settled();
    await this.#store.close();
  }

  /** The program is started again, and does what it had not done. */
  async restart(options: BenchOptions = {}): Promise<void> {
    await this.close();
    await this.open(options);
    await this.eraser.settled();
  }

  /** Which of some texts the files hold. */
  async left(...texts: string[]): Promise<string[]> {
    const left: string[] = [];
    for (const text of texts) if (await holds(this.directory, text)) left.push(text);
    return left;
  }

  /** Keys that say what is still to be erased. */
  async duties(): Promise<string[]> {
    const keys: string[] = [];
    for await (const [key] of this.#store.entries(prefixed('k!'))) keys.push(key);
    return keys;
  }

  /** The bytes of a stream's state, to be compared. */
  async state(stream: StreamName): Promise<string> {
    return toHex((await this.log.open(stream)).state.rehash());
  }
}
