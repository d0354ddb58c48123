/**
 * Erases for real what was removed: the body of a message with all that was said about it, or all
 * that an account ever wrote. What is to be done is written with the entries that call for it
 * (`k!` in `content.ts`), so that a crash only delays it.
 */
import { actionOf, type SpaceAction } from './bodies.ts';
import {
  annotationsFrom,
  authorOf,
  dutyKey,
  isEntitled,
  isErasing,
  isOfErased,
  messageAt,
  targetOf,
  type Placed,
} from './content.ts';
import { isErasable, type Entry } from './entry.ts';
import { eraseBodies } from './erase.ts';
import type { AccountId, EntryId } from './keys.ts';
import type { LogStore } from './log-store.ts';
import type { Batch } from './seal.ts';
import type { Reader } from './state.ts';
import { prefixed, type StoreOperation } from './store.ts';
import type { StreamName } from './stream.ts';

export interface EraserOptions {
  readonly log: LogStore;
  readonly space: () => Reader;
  /** Whether a sealed item is void, so that nothing follows from it. */
  readonly isVoid?: (stream: StreamName, position: number) => boolean;
  /** Where else in the store something of these entries may be. */
  readonly tracesOf?: (entries: readonly Placed[]) => readonly { from: string; until: string }[];
  /** What is about to go: what else is kept of it goes as well. */
  readonly onErasing: (stream: StreamName, entries: readonly Placed[]) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/** Items looked at before anything else gets its turn. */
const PORTION = 512;

interface Duty {
  readonly stream: StreamName;
  readonly position: number;
}

export class Eraser {
  readonly #options: EraserOptions;
  /** Messages that are to be erased and are not here yet, with the duty that says so. */
  readonly #awaited = new Map<EntryId, Duty>();
  #work: Promise<unknown> = Promise.resolve();
  #stopped = false;

  private constructor(options: EraserOptions) {
    this.#options = options;
  }

  /** Goes on with what was left to be done. */
  static async open(options: EraserOptions): Promise<Eraser> {
    const eraser = new Eraser(options);
    const duties: Duty[] = [];
    for await (const [key] of options.log.store.entries(prefixed('k!'))) {
      const mark = key.lastIndexOf('!');
      const stream = key.slice(2, mark) as StreamName;
      duties.push({ stream, position: Number(key.slice(mark + 1)) });
    }
    for (const duty of duties) eraser.#later(() => eraser.#do(duty));
    return eraser;
  }

  /** Looks at what has been stored. */
  note({ seal, items }: Batch): void {
    const { stream, first } = seal;
    const late: Placed[] = [];
    items.forEach((item, index) => {
      if (item.type !== 'entry') return;
      const { entry } = item;
      const position = first + index;
      if (isErasing(entry) && this.#options.isVoid?.(stream, position) !== true)
        this.#later(() => this.#do({ stream, position }));
      const about = aboutOf(entry);
      const duty =
        this.#awaited.get(entry.id) ?? (about === undefined ? undefined : this.#awaited.get(about));
      if (duty !== undefined) this.#later(() => this.#do(duty));
      else if (isOfErased(this.#options.space(), entry) || this.#isAboutErased(entry))
        late.push({ position, entry });
    });
    if (late.length > 0) this.#later(() => this.#eraseLate(stream, late));
  }

  /** Whether an edit or a reaction came after the message was removed. */
  #isAboutErased(entry: Entry): boolean {
    const target = aboutOf(entry);
    const message = target === undefined ? undefined : messageAt(this.#options.log, target);
    return message !== undefined && message.entry.body === undefined;
  }

  #later(work: () => Promise<void>): void {
    this.#work = this.#work
      .then(() => (this.#stopped ? undefined : work()))
      .catch(this.#options.onFault);
  }

  async #eraseLate(stream: StreamName, late: readonly Placed[]): Promise<void> {
    await this.#erase(stream, late);
    await this.#discharge(late.map(({ position }) => ({ stream, position })));
  }

  /** Forgets what is done. */
  async #discharge(duties: readonly Duty[]): Promise<void> {
    const operations = duties.map(({ stream, position }): StoreOperation => {
      return { type: 'delete', key: dutyKey(stream, position) };
    });
    await this.#options.log.store.write(operations, { sync: false });
  }

  async #do(duty: Duty): Promise<void> {
    const { log, space } = this.#options;
    const { stream, position } = duty;
    const item = log.item(stream, position);
    const entry = item?.type === 'entry' ? item.entry : undefined;
    if (entry !== undefined && isOfErased(space(), entry))
      await this.#erase(stream, [{ position, entry }]);
    else if (entry !== undefined && isErasing(entry)) {
      const isRemoval = entry.kind === 'remove';
      const isDone = isRemoval ? await this.#remove(entry, duty) : await this.#eraseAuthor(entry);
      if (!isDone) return;
    }
    await this.#discharge([duty]);
  }

  /** @returns whether there is nothing left to be done */
  async #remove(removal: Entry, duty: Duty): Promise<boolean> {
    const { log, space } = this.#options;
    const entitled = async function* (found: AsyncIterable<Placed>) {
      for await (const placed of found)
        if (placed.entry.body !== undefined && isEntitled(space(), removal, placed.entry))
          yield placed;
    };
    const { stream } = removal;
    const target = targetOf(removal);
    const message = target === undefined ? undefined : messageAt(log, target);
    if (target === undefined) return true;
    if (message === undefined) {
      this.#awaited.set(target, duty);
      // Without the message, what there is about it of whoever removes it, or is theirs to remove.
      const theirs = (from: number) => entitled(annotationsFrom(log, stream, target, from));
      await this.#eraseAll(stream, theirs);
      return false;
    }
    this.#awaited.delete(target);
    if (message.entry.stream !== stream || !isEntitled(space(), removal, message.entry))
      return true;
    // All of them, more than anybody is shown as well.
    const said = (from: number) => annotationsFrom(log, stream, target, from);
    return this.#eraseAll(stream, said, [message]);
  }

  /**
   * Erases what is found, portion by portion, and reads nothing meanwhile: the store waits for what is
   * being read before it rewrites its files.
   * @param find what there is from a position on, in order
   * @param first what is erased with the first portion
   * @returns whether it was not broken off
   */
  async #eraseAll(
    stream: StreamName,
    find: (from: number) => AsyncIterable<Placed>,
    first: readonly Placed[] = [],
  ): Promise<boolean> {
    let found = [...first];
    for (let from = 0, isMore = true; isMore;) {
      isMore = false;
      for await (const placed of find(from)) {
        if (this.#stopped) return false;
        from = placed.position + 1;
        if (isErasable(placed.entry)) found.push(placed);
        isMore = found.length === PORTION;
        if (isMore) break;
      }
      await this.#erase(stream, found);
      found = [];
    }
    return !this.#stopped;
  }

  async #eraseAuthor(entry: Entry): Promise<boolean> {
    const action = actionOf(entry, 'space') as SpaceAction | undefined;
    if (action?.kind !== 'removeuser') return true;
    for (const stream of await this.#options.log.names())
      if (!(await this.#eraseAll(stream, (from) => this.#by(action.body.account, stream, from))))
        return false;
    return true;
  }

  /** What an account wrote. */
  async *#by(account: AccountId, stream: StreamName, from: number): AsyncGenerator<Placed> {
    const { log, space } = this.#options;
    let looked = 0;
    for await (const { position, item } of log.items(stream, from, log.headOf(stream).length)) {
      if (++looked % PORTION === 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#stopped) return;
      if (item.type === 'entry' && authorOf(space(), item.entry) === account)
        yield { position, entry: item.entry };
    }
  }

  async #erase(stream: StreamName, entries: readonly Placed[]): Promise<void> {
    const { log, onErasing, tracesOf } = this.#options;
    if (entries.length === 0) return;
    const there = entries.filter(({ entry }) => entry.body !== undefined);
    if (there.length > 0) await onErasing(stream, there);
    await eraseBodies(
      log,
      stream,
      entries.map(({ position }) => position),
    );
    for (const range of tracesOf?.(entries) ?? []) await log.store.purge(range);
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

/** The message that an edit or a reaction is about. */
function aboutOf(entry: Entry): EntryId | undefined {
  return isErasable(entry) ? targetOf(entry) : undefined;
}
