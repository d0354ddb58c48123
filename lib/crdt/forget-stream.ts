/**
 * Forgets for real the streams of rooms that are no more: their items, seals and records, and all
 * that is kept beside them. What is to be forgotten is written with the batch that removes the room
 * (`z!` in `log-store.ts`), so that a crash only delays it.
 */
import { contentOperations, type Placed } from './content.ts';
import { provenKey } from './draft.ts';
import { itemKey, type LogStore } from './log-store.ts';
import type { EntryId } from './keys.ts';
import { roomOf } from './rooms.ts';
import type { Batch, Item } from './seal.ts';
import type { Reader } from './state.ts';
import { forgetKey } from './state-store.ts';
import { prefixed, type Range, type StoreOperation } from './store.ts';
import { placeOfStream, type StreamName } from './stream.ts';

export interface ForgetterOptions {
  readonly log: LogStore;
  readonly space: () => Reader;
  /** See `LogStore.drop`; to be done alone among all that changes streams. */
  readonly drop: (stream: StreamName) => Promise<void>;
  /** Entries that are about to go: what else is kept of them goes as well. */
  readonly onForgetting: (stream: StreamName, entries: readonly Placed[]) => Promise<void>;
  /** Nothing of a stream is left in the store but the mark that it is to be forgotten. */
  readonly onForgotten: (stream: StreamName) => void | Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/** Items that are forgotten before anything else gets its turn. */
const PORTION = 512;
/** More items than any stream has; the head that would tell may be gone already. */
const MAX_LENGTH = 1e12;

/** Tables with what is kept of a stream, each key beginning with its name… */
const TABLES = ['c', 'e', 'k', 'n', 'r', 's', 'v'];
/** …and those with one key for the stream. */
const SINGLES = ['d', 'l', 't', 'y'];

export class Forgetter {
  readonly #options: ForgetterOptions;
  #work: Promise<unknown> = Promise.resolve();
  #stopped = false;

  private constructor(options: ForgetterOptions) {
    this.#options = options;
  }

  /** Goes on with what was left to be done. */
  static open(options: ForgetterOptions): Forgetter {
    const forgetter = new Forgetter(options);
    forgetter.#later();
    return forgetter;
  }

  /** Looks at what has been stored. */
  note({ seal, items }: Batch): void {
    const isRemoval = (item: Item): boolean =>
      item.type === 'entry' && item.entry.kind === 'removeroom';
    if (seal.stream === 'space' && items.some(isRemoval)) this.#later();
  }

  #later(): void {
    this.#work = this.#work.then(() => this.#forgetAll()).catch(this.#options.onFault);
  }

  async #forgetAll(): Promise<void> {
    const { log } = this.#options;
    const streams: StreamName[] = [];
    for await (const [key] of log.store.entries(prefixed(forgetKey(''))))
      streams.push(key.slice(forgetKey('').length) as StreamName);
    for (const stream of streams) if (!this.#stopped) await this.#forget(stream);
  }

  async #forget(stream: StreamName): Promise<void> {
    const { log, space, onForgotten } = this.#options;
    const place = placeOfStream(stream);
    // A space that was taken back may not have removed it after all.
    const isGone = place.type === 'room' && roomOf(space(), place.room) === undefined;
    if (isGone) {
      if (!(await this.#tell(stream)) || !(await this.#clear(stream))) return;
      await onForgotten(stream);
    }
    await log.store.write([{ type: 'delete', key: forgetKey(stream) }], { sync: true });
  }

  /** @returns whether it was not broken off */
  async #tell(stream: StreamName): Promise<boolean> {
    return this.#inPortions(stream, async (items) => {
      const entries = items.flatMap(({ position, item }) =>
        item.type === 'entry' ? [{ position, entry: item.entry }] : [],
      );
      if (entries.length > 0) await this.#options.onForgetting(stream, entries);
    });
  }

  /** @returns whether it was not broken off */
  async #clear(stream: StreamName): Promise<boolean> {
    const { log, drop } = this.#options;
    const { store } = log;
    await drop(stream);
    const isAll = await this.#inPortions(stream, async (items) => {
      const operations = items.flatMap(({ position, item }) => traces(stream, position, item));
      await store.write(operations, { sync: false });
    });
    if (!isAll) return false;
    for (const table of TABLES) {
      const range = prefixed(`${table}!${stream}!`);
      await this.#deleteRange(range);
      await store.purge(range);
    }
    const singles = SINGLES.map((table): StoreOperation => {
      return { type: 'delete', key: `${table}!${stream}` };
    });
    await store.write(singles, { sync: false });
    // Whoever has looked meanwhile has seen what was left.
    log.close(stream);
    return true;
  }

  /** @returns whether it was not broken off */
  async #inPortions(
    stream: StreamName,
    run: (items: readonly { position: number; item: Item }[]) => Promise<void>,
  ): Promise<boolean> {
    const { log } = this.#options;
    let portion: { position: number; item: Item }[] = [];
    for await (const placed of log.items(stream, 0, MAX_LENGTH)) {
      if (this.#stopped) return false;
      portion.push(placed);
      if (portion.length < PORTION) continue;
      await run(portion);
      portion = [];
      await new Promise((resolve) => setImmediate(resolve));
    }
    await run(portion);
    return !this.#stopped;
  }

  async #deleteRange(range: Range): Promise<void> {
    const { store } = this.#options.log;
    let operations: StoreOperation[] = [];
    for await (const [key] of store.entries(range)) {
      operations.push({ type: 'delete', key });
      if (operations.length < PORTION) continue;
      await store.write(operations, { sync: false });
      operations = [];
    }
    if (operations.length > 0) await store.write(operations, { sync: false });
  }

  /** Resolves when all that was begun has been done. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }
}

/** What is kept of an item outside its stream's own tables, and the item. */
function traces(stream: StreamName, position: number, item: Item): StoreOperation[] {
  const id: EntryId = item.type === 'entry' ? item.entry.id : item.refusal.id;
  const beside = contentOperations(stream, position, item).map(({ key }) => key);
  const keys = [`i!${id}`, `f!${id}`, `q!${id}`, provenKey(id), itemKey(stream, position)];
  return [...beside, ...keys].map((key) => ({ type: 'delete', key }));
}
