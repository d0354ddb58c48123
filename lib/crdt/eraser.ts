/**
 * Erases for real what was removed: the body of a message with all that was said about it, or all
 * that an account ever wrote. What is to be done is written with the entries that call for it
 * (`k!` in `content.ts`), so that a crash only delays it.
 */
import { actionOf, type SpaceAction } from './bodies.ts';
import {
  annotationsOf,
  authorOf,
  dutyKey,
  isEntitled,
  isErasing,
  messageAt,
  targetOf,
  type Placed,
} from './content.ts';
import { isErasable, type Entry } from './entry.ts';
import { eraseBodies } from './erase.ts';
import type { AccountId, EntryId } from './keys.ts';
import type { LogStore } from './log-store.ts';
import { accountOf } from './records.ts';
import type { Batch } from './seal.ts';
import type { Reader } from './state.ts';
import { prefixed } from './store.ts';
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
      const duty = this.#awaited.get(entry.id);
      if (duty !== undefined) this.#later(() => this.#do(duty));
      else if (this.#isOfErased(entry) || this.#isAboutErased(entry))
        late.push({ position, entry });
    });
    if (late.length > 0) this.#later(() => this.#erase(stream, late));
  }

  #isOfErased(entry: Entry): boolean {
    if (entry.body === undefined || !isErasable(entry)) return false;
    const space = this.#options.space();
    const author = authorOf(space, entry);
    return author !== undefined && accountOf(space, author)?.erased === true;
  }

  /** Whether an edit or a reaction came after the message was removed. */
  #isAboutErased(entry: Entry): boolean {
    const target = isErasable(entry) ? targetOf(entry) : undefined;
    const message = target === undefined ? undefined : messageAt(this.#options.log, target);
    return message !== undefined && message.entry.body === undefined;
  }

  #later(work: () => Promise<void>): void {
    this.#work = this.#work
      .then(() => (this.#stopped ? undefined : work()))
      .catch(this.#options.onFault);
  }

  async #do(duty: Duty): Promise<void> {
    const { log } = this.#options;
    const item = log.item(duty.stream, duty.position);
    const entry = item?.type === 'entry' && isErasing(item.entry) ? item.entry : undefined;
    const isDone =
      entry === undefined ||
      (entry.kind === 'remove' ? await this.#remove(entry, duty) : await this.#eraseAuthor(entry));
    if (!isDone) return;
    const key = dutyKey(duty.stream, duty.position);
    await log.store.write([{ type: 'delete', key }], { sync: false });
  }

  /** @returns whether there is nothing left to be done */
  async #remove(removal: Entry, duty: Duty): Promise<boolean> {
    const { log, space } = this.#options;
    const { stream } = removal;
    const target = targetOf(removal);
    const message = target === undefined ? undefined : messageAt(log, target);
    if (target === undefined || message === undefined) {
      if (target !== undefined) this.#awaited.set(target, duty);
      return target === undefined;
    }
    this.#awaited.delete(target);
    if (message.entry.stream !== stream || !isEntitled(space(), removal, message.entry))
      return true;
    const said = (await annotationsOf(log, stream, target)).filter(({ entry }) =>
      isErasable(entry),
    );
    await this.#erase(stream, [message, ...said]);
    return true;
  }

  async #eraseAuthor(entry: Entry): Promise<boolean> {
    const action = actionOf(entry, 'space') as SpaceAction | undefined;
    if (action?.kind !== 'removeuser') return true;
    for (const stream of await this.#options.log.names())
      if (!(await this.#eraseBy(stream, action.body.account))) return false;
    return true;
  }

  async #eraseBy(stream: StreamName, account: AccountId): Promise<boolean> {
    const { log, space } = this.#options;
    let found: Placed[] = [];
    let looked = 0;
    for await (const { position, item } of log.items(stream, 0, log.headOf(stream).length)) {
      if (this.#stopped) return false;
      if (++looked % PORTION === 0) await new Promise((resolve) => setImmediate(resolve));
      if (item.type !== 'entry' || !isErasable(item.entry)) continue;
      if (authorOf(space(), item.entry) === account) found.push({ position, entry: item.entry });
      if (found.length < PORTION) continue;
      await this.#erase(stream, found);
      found = [];
    }
    await this.#erase(stream, found);
    return true;
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
