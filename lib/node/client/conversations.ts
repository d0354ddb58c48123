/** Saying something in a stream, and reading what was said. */
import { encode } from '../../crdt/codec.ts';
import { isMessage, newSalt, type Entry } from '../../crdt/entry.ts';
import type { AccountId, EntryId, RandomBytes } from '../../crdt/keys.ts';
import { accountOf, deviceOf } from '../../crdt/records.ts';
import { highestGap } from '../../crdt/log-store.ts';
import type { Replica } from '../../crdt/replica.ts';
import { messageKind, sayOf, type Secrets } from '../../crdt/secrets.ts';
import { otherOf, placeOfStream, type StreamName } from '../../crdt/stream.ts';
import { ClchatError, codeOf, hasCode, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { Outbox } from './outbox.ts';

/** A message as this device reads it. */
export interface ReadMessage {
  readonly id: EntryId;
  readonly stream: StreamName;
  readonly author: AccountId | undefined;
  readonly text: string;
  readonly time: number;
  readonly state: 'sending' | 'held' | 'refused';
  readonly code?: ErrorCode;
}

/** What stands in place of a message that this device cannot open. */
export const UNREADABLE = '(sealed before this device could read it)';

/** Codes for which trying once more is of no use. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'STALE_KEY',
  'NO_SUCH_USER',
  'DENIED',
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

export class Conversations {
  readonly #options: ConversationsOptions;
  /** Writers of a stream take turns, so that a key epoch is opened once. */
  readonly #turns = new Map<StreamName, Promise<unknown>>();
  /** Messages made anew, by the id they were first announced under. */
  readonly #first = new Map<EntryId, EntryId>();
  readonly #attempts = new Map<EntryId, number>();

  constructor(options: ConversationsOptions) {
    this.#options = options;
    for (const entry of options.replica.pending())
      if (entry.kind === 'epoch') options.secrets.noteOpened(entry);
  }

  #inTurn<T>(stream: StreamName, run: () => Promise<T>): Promise<T> {
    const result = (this.#turns.get(stream) ?? Promise.resolve()).then(run);
    const quiet = result.catch(() => undefined);
    this.#turns.set(stream, quiet);
    void quiet.then(() => {
      if (this.#turns.get(stream) === quiet) this.#turns.delete(stream);
    });
    return result;
  }

  /** Writes, once what was written before and has to be made anew has been. */
  #write(stream: StreamName, run: () => Promise<Entry>): Promise<Entry> {
    return this.#inTurn(stream, async () => {
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
  say(stream: StreamName, text: string): Promise<Entry> {
    const say = sayOf(text);
    return this.#write(stream, () => this.#append(stream, say.text, undefined));
  }

  async #append(stream: StreamName, text: string, instead: Entry | undefined): Promise<Entry> {
    const { replica, secrets, outbox, clock, random } = this.#options;
    const { state } = await replica.log.open(stream);
    const kind = messageKind(replica.space, stream);
    const offline = !outbox.attached;
    let epoch: EntryId | undefined;
    if (kind === 'sealed') {
      epoch = secrets.writable(stream, state, replica.space);
      if (epoch === undefined) {
        const body = secrets.newEpoch(stream, state, replica.space);
        const make = (): { body: Uint8Array; salt: Uint8Array } => ({
          body,
          salt: newSalt(random),
        });
        const opened = await replica.append(stream, 'epoch', clock.now(), make, {
          sync: offline,
          isOpening: instead !== undefined,
        });
        secrets.noteOpened(opened);
        epoch = opened.id;
      }
    }
    return replica.append(
      stream,
      kind,
      clock.now(),
      (place) => secrets.write({ text }, place, epoch, state),
      { sync: offline, instead },
    );
  }

  /** Signs any other entry of this device, such as a block. */
  act(stream: StreamName, kind: string, body: unknown): Promise<Entry> {
    return this.#write(stream, () => this.#sign(stream, kind, encode(body), undefined));
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
    await this.#inTurn(stream, () => this.#remakeAll(stream));
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
        outbox.gaveUp(this.announced(entry.id), code);
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
    const first = this.announced(entry.id);
    const attempts = (this.#attempts.get(first) ?? 0) + 1;
    this.#attempts.set(first, attempts);
    const { state } = await replica.log.open(stream);
    const say = isMessage(entry) ? secrets.read(entry, state) : undefined;
    if (attempts > MAX_ATTEMPTS || body === undefined || (isMessage(entry) && !say))
      throw new ClchatError('STALE_KEY');
    const again =
      say === undefined
        ? await this.#sign(stream, kind, body, entry)
        : await this.#append(stream, say.text, entry);
    this.#first.set(again.id, first);
    outbox.rename(entry.id, again.id);
    outbox.flush();
  }

  /** The id under which an own message was first announced. */
  announced(id: EntryId): EntryId {
    return this.#first.get(id) ?? id;
  }

  /** Reads one entry. */
  async read(entry: Entry, state: ReadMessage['state'], code?: ErrorCode): Promise<ReadMessage> {
    const { replica, secrets } = this.#options;
    const stream = await replica.log.open(entry.stream);
    return {
      id: this.announced(entry.id),
      stream: entry.stream,
      author: deviceOf(replica.space, entry.device)?.account,
      text: secrets.read(entry, stream.state)?.text ?? UNREADABLE,
      time: entry.time,
      state,
      ...(code === undefined ? {} : { code }),
    };
  }

  /**
   * The newest messages of a stream that are here, oldest first.
   * @param unbroken only those after which nothing is missing
   */
  async newest(stream: StreamName, count: number, unbroken = false): Promise<ReadMessage[]> {
    const { replica } = this.#options;
    const head = replica.log.headOf(stream);
    const gap = unbroken ? highestGap(head) : undefined;
    const messages: ReadMessage[] = [];
    for (const entry of replica.pending(stream).reverse())
      if (isMessage(entry) && messages.length < count)
        messages.push(await this.read(entry, 'sending'));
    const items = replica.log.items(stream, gap?.[1] ?? 0, head.length, true);
    for await (const { position, item } of items) {
      if (messages.length >= count) break;
      if (item.type === 'refusal') {
        // What was refused stays with its author.
        const own = replica.refused(item.refusal.id);
        if (own !== undefined && isMessage(own.entry))
          messages.push(await this.read(own.entry, 'refused', own.code));
      } else if (isMessage(item.entry) && !replica.isVoid(stream, position))
        messages.push(await this.read(item.entry, 'held'));
    }
    return messages.reverse();
  }

  /** The other side of a pair, by name. */
  otherName(stream: StreamName): string | undefined {
    const other = otherOf(placeOfStream(stream), this.#options.account);
    return other === undefined ? undefined : accountOf(this.#options.replica.space, other)?.name;
  }
}
