/** Messages as people read them: what was said, and what has become of it since. */
import type { CallBody, FileReference, Reaction, SayBody } from '../../crdt/bodies.ts';
import { callOf } from '../../crdt/calls.ts';
import {
  annotationsOf,
  authorOf,
  conversationAction,
  isEntitled,
  messageAt,
  targetOf,
} from '../../crdt/content.ts';
import { isAnnotation, isMessage, type Entry } from '../../crdt/entry.ts';
import type { AccountId, EntryId } from '../../crdt/keys.ts';
import { highestGap } from '../../crdt/stream-head.ts';
import type { Replica } from '../../crdt/replica.ts';
import type { Item } from '../../crdt/seal.ts';
import type { Secrets } from '../../crdt/secrets.ts';
import type { Reader } from '../../crdt/state.ts';
import type { StreamName } from '../../crdt/stream.ts';
import type { ErrorCode } from '../../errors.ts';

export interface ReadReaction {
  readonly emoji: string;
  readonly by: readonly AccountId[];
}

/** What a message answers, as it is now. */
export interface Quote {
  readonly id: EntryId;
  /** Both undefined where it is not here; no author where it was removed. */
  readonly author?: AccountId;
  readonly text?: string;
  readonly removed?: true;
}

/** A message as this device reads it. */
export interface ReadMessage {
  readonly id: EntryId;
  readonly stream: StreamName;
  /** Where it is sealed; undefined before. */
  readonly position: number | undefined;
  /** Undefined where its device is not known, and of what was removed. */
  readonly author: AccountId | undefined;
  /** The newest text; empty where it was removed. */
  readonly text: string;
  readonly time: number;
  readonly state: 'sending' | 'held' | 'refused';
  readonly code?: ErrorCode;
  /** The message that it answers. */
  readonly reply?: Quote;
  readonly file?: FileReference;
  /** When it was last edited, by the editor's clock. */
  readonly edited?: number;
  readonly removed?: true;
  readonly reactions?: readonly ReadReaction[];
  /** It says that there was a call; its author is whoever called, and nobody of one in a room. */
  readonly call?: CallBody;
}

/** One text that a message has had. */
export interface Version {
  readonly text: string;
  readonly time: number;
  readonly by: AccountId | undefined;
}

/** Positions read at a time. */
const PORTION = 256;

/** What stands in place of a message that this device cannot open. */
export const UNREADABLE = '(sealed before this device could read it)';

/** Messages that are read at the same time. */
const AT_ONCE = 64;

export interface ReadingOptions {
  readonly replica: Replica;
  readonly secrets: Secrets;
  /** The id under which an own message was first announced. */
  readonly announced: (id: EntryId) => EntryId;
  /** The other way round: what it is now. */
  readonly latest: (id: EntryId) => EntryId;
}

/** How an entry stands: where it is sealed, or why it is not. */
export interface Standing {
  readonly state: ReadMessage['state'];
  readonly position?: number;
  readonly code?: ErrorCode;
}

/** A message that is here, or a call that is over, and how it stands. */
export interface Found {
  readonly entry: Entry;
  readonly standing: Standing;
}

export class Reading {
  readonly #options: ReadingOptions;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  /** Reads a message with all that has been done about it. */
  async read(entry: Entry, standing: Standing): Promise<ReadMessage> {
    const message = await this.#read(entry, standing);
    const { reply } = message;
    return reply === undefined
      ? message
      : { ...message, reply: await this.#quote(reply.id, entry.stream) };
  }

  /** What a message of a stream answers: in the same one, or it might show what was said elsewhere. */
  async #quote(id: EntryId, stream: StreamName): Promise<Quote> {
    const found = this.find(id);
    if (found?.entry.stream !== stream) return { id };
    const { author, text, removed } = await this.#read(found.entry, found.standing);
    if (removed === true) return { id, removed };
    return {
      id,
      ...(author === undefined ? {} : { author }),
      ...(text === UNREADABLE ? {} : { text }),
    };
  }

  async #read(entry: Entry, { state, position, code }: Standing): Promise<ReadMessage> {
    const { replica, secrets, announced } = this.#options;
    const { space } = replica;
    const call = callOf(entry);
    if (call !== undefined) return readCall(entry, position, call);
    const stream = await replica.log.open(entry.stream);
    const say = secrets.read(entry, stream.state);
    const about = await this.#about(entry, position);
    const base = {
      id: announced(entry.id),
      stream: entry.stream,
      position,
      time: entry.time,
      state,
      ...(code === undefined ? {} : { code }),
    };
    const isRemoved =
      entry.body === undefined ||
      about.some((one) => one.kind === 'remove' && isEntitled(space, one, entry));
    if (isRemoved) return { ...base, author: undefined, text: '', removed: true };
    const edits = this.#editsOf(entry, about, stream.state);
    const last = edits.at(-1);
    const reactions = this.#reactionsOf(about, stream.state);
    return {
      ...base,
      author: authorOf(space, entry),
      text: last?.text ?? say?.text ?? UNREADABLE,
      ...(last === undefined ? {} : { edited: last.time }),
      ...(say?.reply === undefined ? {} : { reply: { id: say.reply } }),
      ...(say?.file === undefined ? {} : { file: say.file }),
      ...(reactions.length === 0 ? {} : { reactions }),
    };
  }

  /** What a message says now; undefined where nobody can tell any more, or it was removed. */
  async textOf(entry: Entry): Promise<string | undefined> {
    const { text, removed } = await this.read(entry, { state: 'held' });
    return removed === true || text === UNREADABLE ? undefined : text;
  }

  /** What was said first, without what has become of it. */
  async original(entry: Entry): Promise<SayBody | undefined> {
    const { replica, secrets } = this.#options;
    return secrets.read(entry, (await replica.log.open(entry.stream)).state);
  }

  /** All texts that a message has had, the first one first. */
  async versions(entry: Entry): Promise<Version[]> {
    const { replica, secrets } = this.#options;
    const { state } = await replica.log.open(entry.stream);
    const by = authorOf(replica.space, entry);
    const first = { text: secrets.read(entry, state)?.text ?? UNREADABLE, time: entry.time, by };
    return [first, ...this.#editsOf(entry, await this.#about(entry), state)];
  }

  /** A message by its id: sealed, or of this device and on its way. */
  find(id: EntryId): Found | undefined {
    const { replica, announced, latest } = this.#options;
    const held = messageAt(replica.log, latest(id));
    if (held !== undefined && !replica.isVoid(held.entry.stream, held.position))
      return { entry: held.entry, standing: { state: 'held', position: held.position } };
    const isIt = (entry: Entry): boolean =>
      isMessage(entry) && (entry.id === id || announced(entry.id) === id);
    const pending = replica.pending().find(isIt);
    return pending === undefined ? undefined : { entry: pending, standing: { state: 'sending' } };
  }

  /**
   * What is read of a stream and is here, the newest first: messages on their way, then sealed ones, those
   * of this device that were refused in their place, and calls.
   * @param from a position: nothing before it
   */
  async *backwards(stream: StreamName, from = 0): AsyncGenerator<Found> {
    const { replica } = this.#options;
    for (const entry of replica.pending(stream).reverse())
      if (isMessage(entry)) yield { entry, standing: { state: 'sending' } };
    const { length } = replica.log.headOf(stream);
    for await (const { position, item } of replica.log.items(stream, from, length, true)) {
      const found = this.#foundAt(stream, position, item);
      if (found !== undefined) yield found;
    }
  }

  /** The same, the oldest first. What comes in meanwhile is among them. */
  async *forwards(stream: StreamName): AsyncGenerator<Found> {
    const { replica } = this.#options;
    let from = 0;
    while (from < replica.log.headOf(stream).length) {
      // Each a reading of its own: one that takes long would be cut off where something is erased.
      const until = Math.min(from + PORTION, replica.log.headOf(stream).length);
      for await (const { position, item } of replica.log.items(stream, from, until)) {
        const found = this.#foundAt(stream, position, item);
        if (found !== undefined) yield found;
      }
      from = until;
    }
    for (const entry of replica.pending(stream))
      if (isMessage(entry)) yield { entry, standing: { state: 'sending' } };
  }

  /** The message, or the call, that a sealed item tells of. */
  #foundAt(stream: StreamName, position: number, item: Item): Found | undefined {
    const { replica } = this.#options;
    if (item.type === 'refusal') {
      // What was refused stays with its author.
      const own = replica.refused(item.refusal.id);
      // One that was removed before it was sent is nothing to anybody.
      if (own?.entry.body === undefined || !isMessage(own.entry)) return undefined;
      return { entry: own.entry, standing: { state: 'refused', code: own.code } };
    }
    const isRead = isMessage(item.entry) || callOf(item.entry) !== undefined;
    if (!isRead || replica.isVoid(stream, position)) return undefined;
    return { entry: item.entry, standing: { state: 'held', position } };
  }

  /**
   * The newest messages of a stream that are here, and calls, oldest first.
   * @param unbroken only those after which nothing is missing
   */
  async newest(stream: StreamName, count: number, unbroken = false): Promise<ReadMessage[]> {
    const found: Found[] = [];
    const from = unbroken ? this.#unbrokenFrom(stream) : 0;
    if (count > 0)
      for await (const one of this.backwards(stream, from)) if (found.push(one) >= count) break;
    found.reverse();
    const messages: ReadMessage[] = [];
    // Each has to be looked up by itself what was done about it: together that takes less long.
    for (let at = 0; at < found.length; at += AT_ONCE) {
      const portion = found.slice(at, at + AT_ONCE);
      messages.push(
        ...(await Promise.all(portion.map(({ entry, standing }) => this.read(entry, standing)))),
      );
    }
    return messages;
  }

  /** Whether so many of the newest messages of a stream are here, with nothing missing among them. */
  async hasNewest(stream: StreamName, count: number): Promise<boolean> {
    const from = this.#unbrokenFrom(stream);
    if (from === 0) return true;
    let number = 0;
    for await (const _found of this.backwards(stream, from)) if (++number >= count) return true;
    return false;
  }

  /** The position after the highest gap. */
  #unbrokenFrom(stream: StreamName): number {
    return highestGap(this.#options.replica.log.headOf(stream))?.[1] ?? 0;
  }

  /** What a reaction says; undefined where it cannot be read. */
  async reaction(entry: Entry): Promise<Reaction | undefined> {
    const { replica, secrets } = this.#options;
    return secrets.readReaction(entry, (await replica.log.open(entry.stream)).state);
  }

  /** Edits, removals and reactions of a message, sealed ones first. */
  async #about(message: Entry, position?: number): Promise<Entry[]> {
    const { replica } = this.#options;
    const { stream, id } = message;
    const sealed = replica.mayBeAnnotated(message, position)
      ? await annotationsOf(replica.log, stream, id)
      : [];
    const unsealed = replica
      .unsealed(stream)
      .filter((entry) => isAnnotation(entry) && targetOf(entry) === id);
    return [
      ...sealed
        .filter(({ position }) => !replica.isVoid(stream, position))
        .map(({ entry }) => entry),
      ...unsealed,
    ];
  }

  #editsOf(message: Entry, about: readonly Entry[], state: Reader): Version[] {
    const { replica, secrets } = this.#options;
    const edits: Version[] = [];
    for (const entry of about) {
      if (entry.kind !== 'edit' || !isEntitled(replica.space, entry, message)) continue;
      const text = secrets.readEdit(entry, state)?.text;
      if (text !== undefined)
        edits.push({ text, time: entry.time, by: authorOf(replica.space, entry) });
    }
    return edits;
  }

  #reactionsOf(about: readonly Entry[], state: Reader): ReadReaction[] {
    const { replica, secrets } = this.#options;
    const reactions = new Map<string, Set<AccountId>>();
    for (const entry of about) {
      if (conversationAction(entry)?.kind !== 'react') continue;
      const said = secrets.readReaction(entry, state);
      const by = authorOf(replica.space, entry);
      if (said === undefined || by === undefined) continue;
      let who = reactions.get(said.emoji);
      if (who === undefined) reactions.set(said.emoji, (who = new Set()));
      if (said.on) who.add(by);
      else who.delete(by);
    }
    return [...reactions]
      .filter(([, by]) => by.size > 0)
      .map(([emoji, by]) => ({ emoji, by: [...by] }));
  }
}

/** Nothing is done about a call that is over. */
function readCall(
  { id, stream, time }: Entry,
  position: number | undefined,
  call: CallBody,
): ReadMessage {
  return { id, stream, position, author: call.caller, text: '', time, state: 'held', call };
}
