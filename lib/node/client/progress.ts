/**
 * How far one's own messages have got, as far as this device knows. Those that are not on every
 * device yet are remembered across restarts, so that their receipts can be asked for.
 *
 *   q!<entry id>   [on, of] of a message that the server holds and not all devices have
 */
import * as v from 'valibot';
import { encode } from '../../crdt/codec.ts';
import type { EntryId } from '../../crdt/keys.ts';
import { stored } from '../../crdt/log-store.ts';
import { count } from '../../crdt/records.ts';
import { Gather } from '../../lifecycle.ts';
import { prefixed, type Store, type StoreOperation } from '../../crdt/store.ts';

export interface Receipt {
  readonly id: EntryId;
  readonly on: number;
  readonly of: number;
}

/** Most messages whose receipts are followed; the oldest are let go beyond it. */
const FOLLOWED = 500;
/** How soon after another a further note is made, in milliseconds. */
const SAVE_APART_MS = 250;
const schema = v.tuple([count, count]);

export class ProgressBook {
  readonly #store: Store;
  readonly #tell: (receipt: Receipt) => void;
  readonly #open = new Map<EntryId, Receipt>();
  #operations: StoreOperation[] = [];
  #writing: Promise<void> | undefined;
  readonly #saving = new Gather(() => this.#save(), 0, SAVE_APART_MS);

  private constructor(store: Store, tell: (receipt: Receipt) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  static async open(store: Store, tell: (receipt: Receipt) => void): Promise<ProgressBook> {
    const book = new ProgressBook(store, tell);
    for await (const [key, value] of store.entries(prefixed('q!'))) {
      const [on, of] = stored(schema, value);
      const id = key.slice(2) as EntryId;
      book.#open.set(id, { id, on, of });
    }
    return book;
  }

  /** Messages whose way is not finished. */
  open(): EntryId[] {
    return [...this.#open.keys()];
  }

  /** What is known of a held message that has not reached all devices; undefined: it has. */
  get(id: EntryId): Receipt | undefined {
    return this.#open.get(id);
  }

  /** The server holds a message that is to reach `of` devices. */
  held(id: EntryId, of: number): void {
    if (this.#open.has(id)) return;
    this.#put({ id, on: 0, of });
  }

  /** Takes the server's word; what is no news is not told. */
  update(id: EntryId, on: number, of: number): void {
    const known = this.#open.get(id);
    if (known === undefined || (known.on === on && known.of === of)) return;
    if (on < known.on && of === known.of) return;
    this.#put({ id, on, of });
  }

  #put(receipt: Receipt): void {
    const { id, on, of } = receipt;
    const key = `q!${id}`;
    if (on >= of) {
      this.#open.delete(id);
      this.#write({ type: 'delete', key });
    } else {
      this.#open.set(id, receipt);
      this.#write({ type: 'put', key, value: encode([on, of]) });
      const oldest = this.#open.keys().next();
      if (this.#open.size > FOLLOWED && oldest.done !== true) {
        this.#open.delete(oldest.value);
        this.#write({ type: 'delete', key: `q!${oldest.value}` });
      }
    }
    this.#tell(receipt);
  }

  #write(operation: StoreOperation): void {
    this.#operations.push(operation);
    this.#saving.ask();
  }

  #save(): void {
    const operations = this.#operations;
    this.#operations = [];
    this.#writing = this.#store.write(operations, { sync: false }).catch(() => {
      // A mark less after a restart; the message itself is safe in the log.
    });
  }

  async settled(): Promise<void> {
    this.#saving.stop();
    if (this.#operations.length > 0) this.#save();
    await this.#writing;
  }
}
