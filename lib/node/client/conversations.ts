/** Saying something in a stream, and reading what was said. */
import type { SayBody } from '../../crdt/bodies.ts';
import { encode } from '../../crdt/codec.ts';
import { conversationAction, targetOf } from '../../crdt/content.ts';
import { isMessage, newSalt, type Entry } from '../../crdt/entry.ts';
import type { AccountId, EntryId, RandomBytes } from '../../crdt/keys.ts';
import { accountOf } from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import { messageKind, sayOf, type Secrets } from '../../crdt/secrets.ts';
import type { Reader } from '../../crdt/state.ts';
import { otherOf, placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError, codeOf, hasCode, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import { KeyedTurns } from '../turns.ts';
import type { Outbox } from './outbox.ts';
import { Reading, type ReadMessage } from './reading.ts';

/** Codes for which trying once more is of no use. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'STALE_KEY',
  'NO_SUCH_USER',
  'DENIED',
  'NOT_MEMBER',
  'TOO_LARGE',
]);

/** How often a message is made anew before it is given up. */
const MAX_ATTEMPTS = 8;

export interface ConversationsOptions {
  readonly replica: Replica;
  readonly secrets: Secrets;
  readonly outbox: Outbox;
  readonly account: AccountId;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** What is said: a message, or something about one. */
interface Saying {
  readonly kind: 'message' | 'edit' | 'react';
  /** For the members only. */
  readonly plain: object;
  /** For everybody who has the entry. */
  readonly open: { readonly target?: EntryId; readonly [name: string]: unknown };
}

export class Conversations {
  readonly reading: Reading;
  readonly #options: ConversationsOptions;
  /** Writers of a stream take turns, so that a key epoch is opened once. */
  readonly #turns = new KeyedTurns<StreamName>();
  /** Messages made anew, by the id they were first announced under. */
  readonly #first = new Map<EntryId, EntryId>();
  /** The other way round: what they are now. */
  readonly #latest = new Map<EntryId, EntryId>();
  readonly #attempts = new Map<EntryId, number>();

  constructor(options: ConversationsOptions) {
    this.#options = options;
    const { replica, secrets } = options;
    this.reading = new Reading({
      replica,
      secrets,
      announced: (id) => this.announced(id),
      latest: (id) => this.latest(id),
    });
    for (const entry of options.replica.pending())
      if (entry.kind === 'epoch') options.secrets.noteOpened(entry);
  }

  /** Writes, once what was written before and has to be made anew has been. */
  #write(stream: StreamName, run: () => Promise<Entry>): Promise<Entry> {
    return this.#turns.run(stream, async () => {
      for (;;) {
        await this.#remakeAll(stream);
        try {
          return await run();
        } catch (error) {
          // Something has been withdrawn between the two.
          if (!hasCode(error, 'STALE')) throw error;
        }
      }
    });
  }

  /**
   * Signs a message and keeps it in the outbox.
   * @throws TOO_LARGE
   */
  say(stream: StreamName, said: string | SayBody): Promise<Entry> {
    const saying = message(sayOf(said));
    return this.#write(stream, () => this.#append(stream, saying, undefined));
  }

  /**
   * Gives a message another text.
   * @param moderator not as its author
   */
  edit(stream: StreamName, target: EntryId, text: string, moderator: boolean): Promise<Entry> {
    const open = { target, ...(moderator ? { moderator } : {}) };
    const saying: Saying = { kind: 'edit', plain: { text }, open };
    return this.#write(stream, () => this.#append(stream, saying, undefined));
  }

  react(stream: StreamName, target: EntryId, emoji: string, on: boolean): Promise<Entry> {
    const saying: Saying = { kind: 'react', plain: { emoji, on }, open: { target } };
    return this.#write(stream, () => this.#append(stream, saying, undefined));
  }

  async #append(stream: StreamName, saying: Saying, instead: Entry | undefined): Promise<Entry> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#appendOnce(stream, saying, instead);
      } catch (error) {
        // The epoch just opened has been refused before anything was written under it.
        if (!hasCode(error, 'STALE_KEY') || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  async #appendOnce(
    stream: StreamName,
    saying: Saying,
    instead: Entry | undefined,
  ): Promise<Entry> {
    const { replica, secrets, outbox, clock } = this.#options;
    const { state } = await replica.log.open(stream);
    const kind = messageKind(replica.space, stream);
    if (kind === 'sealed' && hasOpenFile(saying))
      throw new ClchatError('DENIED', 'The room has been closed meanwhile. Attach the file again.');
    const epoch =
      kind === 'sealed' ? await this.#epoch(stream, state, instead !== undefined) : undefined;
    const { target } = saying.open;
    const open =
      target === undefined
        ? // In the clear, a message names its file but once.
          kind === 'sealed'
          ? saying.open
          : {}
        : { ...saying.open, target: this.latest(target) };
    return replica.append(
      stream,
      saying.kind === 'message' ? kind : saying.kind,
      clock.now(),
      (place) => secrets.write({ plain: saying.plain, open }, place, epoch, state),
      { sync: !outbox.attached, instead },
    );
  }

  /** The key epoch to write under; opens one where there is none that reaches exactly the members. */
  async #epoch(stream: StreamName, state: Reader, isOpening: boolean): Promise<EntryId> {
    const { replica, secrets, outbox, clock, random } = this.#options;
    const above = secrets.above(stream);
    if (above !== undefined) await this.#renewAbove(above);
    const present = secrets.writable(stream, state);
    if (present !== undefined) return present;
    const body = secrets.newEpoch(stream, state);
    const make = (): { body: Uint8Array; salt: Uint8Array } => ({ body, salt: newSalt(random) });
    const opened = await replica.append(stream, 'epoch', clock.now(), make, {
      sync: !outbox.attached,
      isOpening,
    });
    secrets.noteOpened(opened);
    return opened.id;
  }

  /** Who has left the room above must not read on by what that room's members may open. */
  async #renewAbove(above: StreamName): Promise<void> {
    const { replica, account } = this.#options;
    const { state } = await replica.log.open(above);
    if (state.get('member', account) === true) await this.renew(above);
  }

  /**
   * Opens a key epoch now, where the next message would need one.
   * @returns the one that messages are written under
   */
  async renew(stream: StreamName): Promise<EntryId> {
    const { replica, outbox } = this.#options;
    const epoch = await this.#turns.run(stream, async () => {
      await this.#remakeAll(stream);
      const { state } = await replica.log.open(stream);
      return this.#epoch(stream, state, false);
    });
    outbox.flush();
    return epoch;
  }

  /** Signs any other entry of this device, such as a block. */
  act(stream: StreamName, kind: string, body: unknown): Promise<Entry> {
    return this.#write(stream, () => this.#sign(stream, kind, encode(body), undefined));
  }

  /** Removes a message. @param moderator not as its author */
  remove(stream: StreamName, target: EntryId, moderator: boolean): Promise<Entry> {
    return this.#write(stream, () => this.#remove(stream, target, moderator, undefined));
  }

  /** A message that had to be made anew meanwhile is removed as what it is now. */
  #remove(
    stream: StreamName,
    target: EntryId,
    moderator: boolean,
    instead: Entry | undefined,
  ): Promise<Entry> {
    const body = { target: this.latest(target), ...(moderator ? { moderator } : {}) };
    return this.#sign(stream, 'remove', encode(body), instead);
  }

  #sign(
    stream: StreamName,
    kind: string,
    body: Uint8Array,
    instead: Entry | undefined,
  ): Promise<Entry> {
    const { replica, outbox, clock, random } = this.#options;
    const make = (): { body: Uint8Array; salt: Uint8Array } => ({ body, salt: newSalt(random) });
    return replica.append(stream, kind, clock.now(), make, { sync: !outbox.attached, instead });
  }

  /** Makes anew what waits for it in a stream, before anything else is written there. */
  async remake(stream: StreamName): Promise<void> {
    await this.#turns.run(stream, () => this.#remakeAll(stream));
  }

  async #remakeAll(stream: StreamName): Promise<void> {
    const { replica, outbox } = this.#options;
    for (;;) {
      const entry = replica.firstUnmade(stream);
      if (entry === undefined) return;
      try {
        await this.#remakeOne(entry);
      } catch (error) {
        const code = codeOf(error);
        // Withdrawn once more, or nothing can be stored: it waits.
        if (code === 'STALE') continue;
        if (!HOPELESS.has(code)) throw error;
        await replica.giveUp(entry, code);
        outbox.gaveUp(entry.id, code);
      }
    }
  }

  async #remakeOne(entry: Entry): Promise<void> {
    const { replica, secrets, outbox } = this.#options;
    const { stream, kind, body } = entry;
    if (kind === 'epoch') {
      secrets.forgetOpened(stream);
      await replica.giveUp(entry, undefined);
      return;
    }
    if (body === undefined) {
      await this.#forsake(entry);
      return;
    }
    const first = this.announced(entry.id);
    const attempts = (this.#attempts.get(first) ?? 0) + 1;
    this.#attempts.set(first, attempts);
    const { state } = await replica.log.open(stream);
    const saying = isSaid(entry) ? sayingOf(entry, secrets, state) : undefined;
    if (attempts > MAX_ATTEMPTS || (isSaid(entry) && saying === undefined))
      throw new ClchatError('STALE_KEY');
    const again = await this.#again(entry, body, saying);
    this.#latest.set(entry.id, again.id);
    this.#latest.set(first, again.id);
    this.#first.set(again.id, first);
    outbox.rename(entry.id, again.id);
    outbox.flush();
  }

  /** What was removed before it was ever sent need not be made anew, nor what was done about it. */
  async #forsake(erased: Entry): Promise<void> {
    const { replica, outbox } = this.#options;
    const about = replica
      .unmade(erased.stream)
      .filter((entry) => targetOf(entry) === erased.id)
      .reverse();
    // The last one first: a crash in between leaves nothing that is about nothing.
    for (const entry of [...about, erased]) {
      await replica.giveUp(entry, undefined);
      outbox.done(entry.id);
    }
  }

  #again(entry: Entry, body: Uint8Array, saying: Saying | undefined): Promise<Entry> {
    const { stream, kind } = entry;
    if (saying !== undefined) return this.#append(stream, saying, entry);
    const action = conversationAction(entry);
    if (action?.kind !== 'remove') return this.#sign(stream, kind, body, entry);
    const { target, moderator } = action.body;
    return this.#remove(stream, target, moderator === true, entry);
  }

  /** What an own entry is now, if it had to be made anew. */
  latest(id: EntryId): EntryId {
    return this.#latest.get(id) ?? id;
  }

  /** The id under which an own message was first announced. */
  announced(id: EntryId): EntryId {
    return this.#first.get(id) ?? id;
  }

  /** The ids under which those own messages were first announced that have another by now. */
  renamed(): Iterable<EntryId> {
    return this.#first.values();
  }

  /**
   * The newest messages of a stream that are here, oldest first.
   * @param unbroken only those after which nothing is missing
   */
  newest(stream: StreamName, count: number, unbroken = false): Promise<ReadMessage[]> {
    return this.reading.newest(stream, count, unbroken);
  }

  /** The other side of a pair, by name. */
  otherName(stream: StreamName): string | undefined {
    const other = otherOf(placeOfStream(stream), this.#options.account);
    return other === undefined ? undefined : accountOf(this.#options.replica.space, other)?.name;
  }
}

function message(say: SayBody): Saying {
  const { file } = say;
  const open = file === undefined ? {} : { blob: { hash: file.hash, size: file.size } };
  return { kind: 'message', plain: say, open };
}

/** Whether it names a file whose bytes are in the clear. */
function hasOpenFile({ plain }: Saying): boolean {
  const { file } = plain as Partial<SayBody>;
  return file !== undefined && file.key === undefined;
}

function isSaid(entry: Entry): boolean {
  return isMessage(entry) || entry.kind === 'edit' || entry.kind === 'react';
}

/** What an entry of this device said, to be said again. */
function sayingOf(entry: Entry, secrets: Secrets, state: Reader): Saying | undefined {
  if (isMessage(entry)) {
    const say = secrets.read(entry, state);
    return say && message(say);
  }
  const target = targetOf(entry);
  const action = conversationAction(entry);
  if (target === undefined) return undefined;
  if (action?.kind === 'edit') {
    const plain = secrets.readEdit(entry, state);
    const moderator = action.body.moderator === true ? { moderator: true } : {};
    return plain && { kind: 'edit', plain, open: { target, ...moderator } };
  }
  const plain = secrets.readReaction(entry, state);
  return plain && { kind: 'react', plain, open: { target } };
}
