/** Tells, in the order in which it came, what is said, done about messages, and done about contacts. */
import type { Reaction } from '../../crdt/bodies.ts';
import { missedCaller } from '../../crdt/calls.ts';
import { isEntitled, targetOf, type Placed } from '../../crdt/content.ts';
import { isAnnotation, isCall, isMessage, type Entry } from '../../crdt/entry.ts';
import type { AccountId, EntryId } from '../../crdt/keys.ts';
import { deviceOf } from '../../crdt/records.ts';
import { isEncryptedRoom, isOpenMember } from '../../crdt/rooms.ts';
import type { Reader } from '../../crdt/state.ts';
import { placeOfStream, type StreamName } from '../../crdt/stream.ts';
import type { ContactNews, Contacts } from './contacts.ts';
import { UNREADABLE, type Reading, type ReadMessage } from './reading.ts';

/** What has been done about a message that was there already. */
export interface ContentNews {
  readonly kind: 'edit' | 'remove' | 'react';
  readonly by: AccountId | undefined;
  /** As it is now. */
  readonly message: ReadMessage;
  /** Of `react`, where it can be read. */
  readonly reaction?: Reaction | undefined;
}

/** Somebody has called this account in vain. */
export interface MissedCall {
  readonly id: EntryId;
  readonly by: AccountId;
  /** By the server's clock. */
  readonly time: number;
}

export interface TellingEvents {
  readonly onMessage: (message: ReadMessage) => void;
  readonly onMissedCall?: ((call: MissedCall) => void) | undefined;
  readonly onContact: (news: ContactNews) => void;
  readonly onContent: (news: ContentNews) => void;
  readonly onFault: (error: unknown) => void;
}

export interface TellingOptions {
  readonly account: AccountId;
  readonly space: () => Reader;
  readonly reading: Reading;
  readonly contacts: Contacts;
  readonly events: TellingEvents;
}

export class Telling {
  readonly #options: TellingOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TellingOptions) {
    this.#options = options;
  }

  /** Tells of an entry once everything before it has been told. */
  tell(news: Placed): void {
    this.#last = this.#last.then(() => this.#tell(news)).catch(this.#options.events.onFault);
  }

  async #tell({ position, entry }: Placed): Promise<void> {
    const { account, reading, contacts, space, events } = this.#options;
    if (!this.#listens(entry.stream)) return;
    if (isMessage(entry)) {
      const said = await reading.read(entry, { state: 'held', position });
      // What was said while this account was not there is not for it; what is gone is no news.
      if (said.removed !== true && said.text !== UNREADABLE) events.onMessage(said);
    } else if (isCall(entry)) {
      const by = missedCaller(entry, account);
      if (by !== undefined) events.onMissedCall?.({ id: entry.id, by, time: entry.time });
    } else if (isAnnotation(entry)) {
      await this.#tellContent(entry);
    } else {
      const news = await contacts.read(entry, space());
      if (news !== undefined) events.onContact(news);
    }
  }

  async #tellContent(entry: Entry): Promise<void> {
    const { reading, events } = this.#options;
    const space = this.#options.space();
    const target = targetOf(entry);
    const found = target === undefined ? undefined : reading.find(target);
    if (found === undefined) return;
    if (entry.kind !== 'react' && !isEntitled(space, entry, found.entry)) return;
    const kind = entry.kind as ContentNews['kind'];
    const by = deviceOf(space, entry.device)?.account;
    const message = await reading.read(found.entry, found.standing);
    const reaction = kind === 'react' ? await reading.reaction(entry) : undefined;
    events.onContent({ kind, by, message, reaction });
  }

  /** Whether what is said in a stream is for this account: it is not, in open rooms it has not joined. */
  #listens(stream: StreamName): boolean {
    const place = placeOfStream(stream);
    const space = this.#options.space();
    if (place.type !== 'room' || isEncryptedRoom(space, place.room)) return true;
    return isOpenMember(space, place.room, this.#options.account);
  }

  /** Resolves when all that has come has been told. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
