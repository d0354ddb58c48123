/**
 * News: every message that is new to this device is told once, in the order of its stream. What was
 * sealed before this device was added to its account is old history, and never news.
 *
 *   d!<stream>   position up to which news have been told
 */
import { utf8 } from '../../crdt/bytes.ts';
import { isContactAction } from '../../crdt/contact.ts';
import type { Placed } from '../../crdt/content.ts';
import { isAnnotation, isShown, type Entry } from '../../crdt/entry.ts';
import { deviceOf } from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import type { Batch, Item } from '../../crdt/seal.ts';
import { prefixed, type StoreOperation } from '../../crdt/store.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { translate } from '../../errors.ts';
import { Gather } from '../../lifecycle.ts';

/** How soon after another a further note of what was told is made, in milliseconds. */
const SAVE_APART_MS = 100;

export interface InboxOptions {
  readonly replica: Replica;
  /** Nobody listens in this run: news stay news for the next. */
  readonly isQuiet?: boolean;
  /** Tells of one message, of a call, or of what is done about a contact; own ones of other devices included. */
  readonly onNews: (news: Placed) => void;
  readonly onFault: (error: unknown) => void;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #cursors = new Map<StreamName, number>();
  readonly #unwritten = new Set<StreamName>();
  #writing: Promise<void> | undefined;
  readonly #saving = new Gather(() => this.#save(), 0, SAVE_APART_MS);
  #pumping: Promise<unknown> = Promise.resolve();

  private constructor(options: InboxOptions) {
    this.#options = options;
  }

  static async open(options: InboxOptions): Promise<Inbox> {
    const inbox = new Inbox(options);
    for await (const [key, value] of options.replica.log.store.entries(prefixed('d!')))
      inbox.#cursors.set(key.slice(2) as StreamName, Number(Buffer.from(value).toString()));
    return inbox;
  }

  /** Position in the space stream at which this device came; undefined before it did. */
  get #joined(): number | undefined {
    const { replica } = this.#options;
    return deviceOf(replica.space, replica.device)?.added;
  }

  /** Up to where everything new to this device is held here: what is acknowledged to the server. */
  cursor(stream: StreamName): number {
    return stream === 'space'
      ? this.#options.replica.log.headOf('space').length
      : (this.#cursors.get(stream) ?? 0);
  }

  /** Takes a batch just added at the end of its stream. @returns whether its news have been told */
  take(batch: Batch): boolean {
    const { stream, first, count, space } = batch.seal;
    const joined = this.#joined;
    if (stream === 'space' || this.#options.isQuiet === true) return true;
    if (joined === undefined) return false;
    if ((this.#cursors.get(stream) ?? 0) !== first) return false;
    if (space > joined)
      batch.items.forEach((item, index) => this.#tell(stream, first + index, item));
    this.#advance(stream, first + count);
    return true;
  }

  /**
   * Whether the store holds everything of a stream that is new to this device; if not, older
   * batches have to be fetched.
   */
  isComplete(stream: StreamName): boolean {
    const start = this.#start(stream);
    return start !== undefined;
  }

  /** Where untold news begin; undefined when they begin before what is held. */
  #start(stream: StreamName): number | undefined {
    const { log } = this.#options.replica;
    const head = log.headOf(stream);
    const cursor = this.#cursors.get(stream) ?? 0;
    if (cursor >= head.length) return head.length;
    const last = head.have.at(-1);
    if (last === undefined || last[1] !== head.length) return undefined;
    if (last[0] <= cursor) return cursor;
    const oldest = log.sealAt(stream, last[0]);
    return oldest !== undefined && oldest.space <= (this.#joined ?? Infinity) ? last[0] : undefined;
  }

  /** Tells what is held and not yet told, after a catch-up. */
  pump(stream: StreamName): Promise<void> {
    const run = this.#pumping.then(() => this.#pump(stream));
    this.#pumping = run.catch((error: unknown) => this.#options.onFault(error));
    return run;
  }

  async #pump(stream: StreamName): Promise<void> {
    const { log } = this.#options.replica;
    const joined = this.#joined;
    if (stream === 'space' || joined === undefined || this.#options.isQuiet === true) return;
    for (;;) {
      const from = this.#start(stream);
      const { length } = log.headOf(stream);
      if (from === undefined || from >= length) return;
      // In portions, so that a long absence does not fill the memory.
      const until = Math.min(length, from + 256);
      let space = 0;
      let sealed = 0;
      const told: [number, Item][] = [];
      for await (const { position, item } of log.items(stream, from, until)) {
        if (position >= sealed) {
          const seal = await log.sealOver(stream, position);
          if (seal === undefined) return;
          space = seal.space;
          sealed = seal.first + seal.count;
        }
        if (space > joined) told.push([position, item]);
      }
      // A batch that came meanwhile may have been told in its turn.
      if ((this.#cursors.get(stream) ?? 0) > from) continue;
      for (const [position, item] of told) this.#tell(stream, position, item);
      this.#advance(stream, until);
    }
  }

  #tell(stream: StreamName, position: number, item: Item): void {
    const { replica, onNews } = this.#options;
    if (item.type !== 'entry' || !isNews(item.entry)) return;
    if (item.entry.device === replica.device || replica.isVoid(stream, position)) return;
    onNews({ position, entry: item.entry });
  }

  #advance(stream: StreamName, until: number): void {
    this.#cursors.set(stream, until);
    this.#unwritten.add(stream);
    this.#saving.ask();
  }

  #save(): void {
    const { replica, onFault } = this.#options;
    const operations = [...this.#unwritten].map((stream) =>
      cursorOperation(stream, this.#cursors.get(stream) ?? 0),
    );
    this.#unwritten.clear();
    this.#writing = replica.log.store
      .write(operations, { sync: false })
      .catch((error: unknown) => onFault(translate(error)));
  }

  /** What is stored with the taking back of a stream: see `rewind`. */
  rewindOperations(stream: StreamName, until: number): StoreOperation[] {
    const cursor = this.#cursors.get(stream) ?? 0;
    return cursor > until ? [cursorOperation(stream, until)] : [];
  }

  /** A stream was taken back to a position: what comes after it is news. */
  rewind(stream: StreamName, until: number): void {
    if ((this.#cursors.get(stream) ?? 0) > until) this.#advance(stream, until);
  }

  /** A stream is no more. */
  forget(stream: StreamName): void {
    this.#cursors.delete(stream);
    this.#unwritten.delete(stream);
  }

  /** What is there already of a stream, or what comes before a position, is no news to this device. */
  skip(stream: StreamName, until = this.#options.replica.log.headOf(stream).length): void {
    if ((this.#cursors.get(stream) ?? 0) < until) this.#advance(stream, until);
  }

  async settled(): Promise<void> {
    await this.#pumping;
    this.#saving.stop();
    if (this.#unwritten.size > 0) this.#save();
    await this.#writing;
  }
}

function isNews(entry: Entry): boolean {
  return (
    isShown(entry) ||
    isAnnotation(entry) ||
    (isContactAction(entry) && placeOfStream(entry.stream).type === 'pair')
  );
}

function cursorOperation(stream: StreamName, position: number): StoreOperation {
  return { type: 'put', key: `d!${stream}`, value: utf8(String(position)) };
}
