/**
 * How far one's own messages have got, as far as this device knows. Those that are not on every
 * device yet, and the newest of those that are, are remembered across restarts, so that their
 * receipts can be asked for.
 *
 *   q!<entry id>   [on, of, read] of a message that the server holds
 */
import * as v from 'valibot';
import { encode, stored } from '../../crdt/codec.ts';
import type { EntryId } from '../../crdt/keys.ts';
import { count } from '../../crdt/records.ts';
import { Gather } from '../../lifecycle.ts';
import { prefixed, type Store, type StoreOperation } from '../../crdt/store.ts';
import type { Reply } from '../exchange.ts';
import type { SYNC } from '../wire.ts';

export interface Receipt {
  readonly id: EntryId;
  readonly on: number;
  readonly of: number;
  /** People who have read it, as far as they let it be known. */
  readonly read: number;
}

/** Most messages whose receipts are followed; the oldest are let go beyond it. */
const FOLLOWED = 500;
/** As many of those that every device has are followed until they have been read. */
const DELIVERED = 100;
/** How soon after another a further note is made, in milliseconds. */
const SAVE_APART_MS = 250;
/** The last was not there at first. */
const schema = v.pipe(v.array(count), v.minLength(2), v.maxLength(3));

/** As it goes over the wire. */
export function toReceipt([id, on, of, read]: Reply<
  typeof SYNC,
  'receipts'
>['receipts'][number]): Receipt {
  return { id, on, of, read };
}

export class ProgressBook {
  readonly #store: Store;
  readonly #tell: (receipt: Receipt) => void;
  readonly #open = new Map<EntryId, Receipt>();
  /** Those of them that every device has, the oldest first. */
  readonly #delivered = new Set<EntryId>();
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
      const [on = 0, of = 0, read = 0] = stored(schema, value);
      const id = key.slice(2) as EntryId;
      book.#follow({ id, on, of, read });
    }
    return book;
  }

  /** Messages of which there may be more to tell. */
  open(): EntryId[] {
    return [...this.#open.keys()];
  }

  /** What is known of a held message; undefined of one that has reached all devices long since. */
  get(id: EntryId): Receipt | undefined {
    return this.#open.get(id);
  }

  /** The server holds a message that is to reach `of` devices. */
  held(id: EntryId, of: number): void {
    if (this.#open.has(id)) return;
    this.#put({ id, on: 0, of, read: 0 });
  }

  /** Takes the server's word; what is no news is not told. */
  update({ id, on, of, read }: Receipt): void {
    const known = this.#open.get(id);
    if (known === undefined) return;
    const isBehind = on < known.on && of === known.of;
    const next = isBehind ? known : { id, on, of, read: known.read };
    // What has been read stays read.
    const receipt = { ...next, read: Math.max(read, known.read) };
    const isNews =
      receipt.on !== known.on || receipt.of !== known.of || receipt.read !== known.read;
    if (isNews) this.#put(receipt);
  }

  #put(receipt: Receipt): void {
    const { id, on, of, read } = receipt;
    this.#write({ type: 'put', key: `q!${id}`, value: encode([on, of, read]) });
    this.#follow(receipt);
    this.#tell(receipt);
  }

  #follow(receipt: Receipt): void {
    const { id, on, of } = receipt;
    this.#open.set(id, receipt);
    if (on >= of) this.#delivered.add(id);
    else this.#delivered.delete(id);
    const [oldest] = this.#delivered;
    if (oldest !== undefined && this.#delivered.size > DELIVERED) this.#letGo(oldest);
    const [first] = this.#open.keys();
    if (first !== undefined && this.#open.size > FOLLOWED) this.#letGo(first);
  }

  #letGo(id: EntryId): void {
    this.#open.delete(id);
    this.#delivered.delete(id);
    this.#write({ type: 'delete', key: `q!${id}` });
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
