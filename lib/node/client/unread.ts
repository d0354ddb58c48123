/**
 * How far each conversation has been read, on whichever of the account's devices, and what of it is
 * unread. The marks are entries in the account's own stream, so that all its devices agree; what is
 * read is gathered, since it would otherwise make an entry for each message.
 */
import { actionOf, type AccountAction } from '../../crdt/bodies.ts';
import { missedCaller } from '../../crdt/calls.ts';
import { authorOf } from '../../crdt/content.ts';
import { isMessage, type Entry } from '../../crdt/entry.ts';
import type { AccountId } from '../../crdt/keys.ts';
import { highestGap } from '../../crdt/stream-head.ts';
import type { DeviceRecord } from '../../crdt/records.ts';
import type { Replica } from '../../crdt/replica.ts';
import { isEncryptedRoom, isOpenMember, roomOf } from '../../crdt/rooms.ts';
import type { Batch, Item } from '../../crdt/seal.ts';
import {
  accountStream,
  otherOf,
  placeOfStream,
  roomStream,
  type StreamName,
} from '../../crdt/stream.ts';
import { Gather } from '../../lifecycle.ts';

/** Unread messages of a conversation that are counted. */
export const MOST_UNREAD = 999;
/** Items of a conversation that are looked at for them: not all are messages of others. */
const MOST_ITEMS = 4 * MOST_UNREAD;
/** How soon what was read is noted, and how long after that what was read then; milliseconds. */
const SOON_MS = 500;
const APART_MS = 5_000;

export interface Unread {
  /** Messages of others, and calls of theirs that were missed, at most `MOST_UNREAD`. */
  readonly count: number;
  /** Those of them that speak to this account by its name. */
  readonly mentions: number;
  /** There are, or may be, more of them. */
  readonly more: boolean;
  /** Calls among them that this account has missed; absent where there is none. */
  readonly missed?: number;
}

/** How far a conversation has been read. */
export interface ReadMark {
  readonly stream: StreamName;
  readonly until: number;
  /** Whether the authors may know. */
  readonly tell: boolean;
}

export interface ReadMarksOptions {
  readonly replica: Pick<Replica, 'log' | 'space' | 'device' | 'unsealed' | 'isVoid'>;
  readonly account: AccountId;
  /** Encrypted rooms that the server does not give to this account any more. */
  readonly lost: ReadonlySet<StreamName>;
  /** Up to where a person has been told of a conversation. */
  readonly told: (stream: StreamName) => number;
  /** What a message says; undefined where nobody can tell any more, or never could here. */
  readonly textOf: (entry: Entry) => Promise<string | undefined>;
  /** Whether a text speaks to this account. */
  readonly isMention: (text: string) => boolean;
  /** Writes a mark into the account's stream. */
  readonly write: (mark: ReadMark) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/** What has been read here, as far as it may not be in the account's stream. */
interface Seen {
  readonly until: number;
  readonly tell: boolean;
  /** Up to where it has been written, or needs not be. */
  readonly noted: number;
}

/** What is unread before a position. */
interface Counted {
  readonly unread: Unread;
  readonly until: number;
}

const NOTHING: Unread = { count: 0, mentions: 0, more: false };

export class ReadMarks {
  readonly #options: ReadMarksOptions;
  readonly #seen = new Map<StreamName, Seen>();
  /** What is to be written before that: of it the authors may know, or may not, unlike of what followed. */
  #due: ReadMark[] = [];
  /** Encrypted rooms into which this device has come. */
  readonly #entered = new Set<StreamName>();
  readonly #counted = new Map<StreamName, Counted>();
  /** Length of the space when the account's first device came. */
  #since: number | undefined;
  #writing: Promise<void> = Promise.resolve();
  readonly #noting = new Gather(() => void this.flush(), SOON_MS, APART_MS);

  constructor(options: ReadMarksOptions) {
    this.#options = options;
    const { replica, account } = options;
    for (const entry of replica.unsealed(accountStream(account))) {
      const mark = markIn(entry);
      if (mark !== undefined) this.#seen.set(mark.stream, { ...mark, noted: mark.until });
    }
  }

  /** Whether what is said in a stream is for this account. */
  takesPart(stream: StreamName): boolean {
    const { replica, account, lost } = this.#options;
    const { log, space } = replica;
    const place = placeOfStream(stream);
    if (place.type === 'pair') {
      const other = otherOf(place, account);
      return other !== undefined && log.record(accountStream(account), 'block', other) !== true;
    }
    if (place.type !== 'room' || roomOf(space, place.room) === undefined) return false;
    if (!isEncryptedRoom(space, place.room)) return isOpenMember(space, place.room, account);
    return !lost.has(stream) && log.record(stream, 'member', account) === true;
  }

  /** As far as the account's stream has it. */
  #recorded(stream: StreamName): number | undefined {
    const { replica, account } = this.#options;
    return replica.log.record<number>(accountStream(account), 'read', stream);
  }

  /** The position up to which a conversation has been read; undefined where nothing ever was. */
  #mark(stream: StreamName): number | undefined {
    const recorded = this.#recorded(stream);
    const seen = this.#seen.get(stream)?.until;
    if (recorded === undefined || seen === undefined) return recorded ?? seen;
    return Math.max(recorded, seen);
  }

  /** What was said before there was this account was never unread. */
  #accountSince(): number {
    const { replica, account } = this.#options;
    if (this.#since !== undefined) return this.#since;
    for (const [, device] of replica.space.entries<DeviceRecord>('device'))
      if (device.account === account)
        this.#since = Math.min(device.added, this.#since ?? device.added);
    return this.#since ?? 0;
  }

  /** What is unread of a conversation. */
  async of(stream: StreamName): Promise<Unread> {
    const { replica } = this.#options;
    if (!this.takesPart(stream)) return NOTHING;
    for (;;) {
      const known = this.#counted.get(stream);
      const { length } = replica.log.headOf(stream);
      if (known?.until === length) return known.unread;
      const mark = this.#mark(stream);
      const fresh = await this.#count(stream, Math.max(mark ?? 0, known?.until ?? 0), length, {
        isFirst: mark === undefined,
        isWhole: known === undefined,
      });
      // Something may have been read, erased or said meanwhile.
      const isStale = this.#mark(stream) !== mark || this.#counted.get(stream) !== known;
      if (isStale || replica.log.headOf(stream).length !== length) continue;
      const unread = sum(fresh, known?.unread ?? NOTHING);
      this.#counted.set(stream, { unread, until: length });
      return unread;
    }
  }

  /**
   * Counts from the newest on backwards, no further than is needed.
   * @param isFirst nothing of the conversation has ever been read
   * @param isWhole nothing of it has been counted
   */
  async #count(
    stream: StreamName,
    from: number,
    until: number,
    { isFirst, isWhole }: { isFirst: boolean; isWhole: boolean },
  ): Promise<Unread> {
    const { log } = this.#options.replica;
    let { count, mentions } = NOTHING;
    let missed = 0;
    let looked = 0;
    let lowest = until;
    let sealed = until;
    for await (const { position, item } of log.items(stream, from, until, true)) {
      if (isFirst && position < sealed) {
        const seal = await log.sealOver(stream, position);
        if (seal === undefined || seal.space <= this.#accountSince())
          return unreadOf(count, mentions, false, missed);
        sealed = seal.first;
      }
      if (count >= MOST_UNREAD || ++looked > MOST_ITEMS)
        return unreadOf(count, mentions, true, missed);
      lowest = position;
      const isMissed = this.#isMissedCall(stream, position, item);
      const text = isMissed ? undefined : await this.#textOfOther(stream, position, item);
      if (!isMissed && text === undefined) continue;
      count++;
      if (isMissed) missed++;
      else if (text !== undefined && this.#options.isMention(text)) mentions++;
    }
    // What lies further back and is not here may be unread as well.
    return unreadOf(count, mentions, isWhole && !isFirst && lowest > from, missed);
  }

  /** Whether an item says that somebody has called in vain. */
  #isMissedCall(stream: StreamName, position: number, item: Item): boolean {
    const { replica, account } = this.#options;
    if (item.type !== 'entry' || missedCaller(item.entry, account) === undefined) return false;
    return !replica.isVoid(stream, position);
  }

  /** What somebody else says with an item; undefined where it says nothing. */
  async #textOfOther(
    stream: StreamName,
    position: number,
    item: Item,
  ): Promise<string | undefined> {
    const { replica, account, textOf } = this.#options;
    if (item.type !== 'entry' || !isMessage(item.entry) || item.entry.body === undefined)
      return undefined;
    const { entry } = item;
    if (authorOf(replica.space, entry) === account || replica.isVoid(stream, position))
      return undefined;
    return textOf(entry);
  }

  /** Conversations of which something is unread. */
  async all(): Promise<Map<StreamName, Unread>> {
    const unread = new Map<StreamName, Unread>();
    for (const stream of await this.#options.replica.log.names()) {
      if (!this.takesPart(stream)) continue;
      const found = await this.of(stream);
      if (found.count > 0) unread.set(stream, found);
      // However many there are, others have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return unread;
  }

  /** Whether unread messages of a conversation that are to be counted are not here yet. */
  async isIncomplete(stream: StreamName): Promise<boolean> {
    const head = this.#options.replica.log.headOf(stream);
    const gap = highestGap(head)?.[1] ?? 0;
    if (gap <= (this.#mark(stream) ?? head.length) || head.length - gap > MOST_ITEMS) return false;
    return (await this.of(stream)).count < MOST_UNREAD;
  }

  /** A person has seen what was told of a conversation until now. */
  seen(stream: StreamName, tell: boolean): void {
    this.read(stream, this.#options.told(stream), tell);
  }

  /**
   * A person has seen a conversation up to a position.
   * @param tell whether the authors may know
   */
  read(stream: StreamName, until: number, tell: boolean): void {
    const end = Math.min(until, this.#options.replica.log.headOf(stream).length);
    if (end <= (this.#mark(stream) ?? 0) || !this.takesPart(stream)) return;
    this.#seen.set(stream, { until: end, tell, noted: this.#notedBefore(stream, tell) });
    const counted = this.#counted.get(stream);
    if (counted !== undefined && end >= counted.until)
      this.#counted.set(stream, { unread: NOTHING, until: end });
    else this.#counted.delete(stream);
    this.#noting.ask();
  }

  /** Up to where a conversation is noted, or is to be before what is read now. */
  #notedBefore(stream: StreamName, tell: boolean): number {
    const before = this.#seen.get(stream);
    if (before === undefined || before.tell === tell) return before?.noted ?? 0;
    const { until } = before;
    if (until > before.noted) this.#due.push({ stream, until, tell: before.tell });
    return until;
  }

  /** Something of a conversation has been erased. */
  forget(stream: StreamName): void {
    this.#counted.delete(stream);
  }

  /**
   * Follows what comes in.
   * @param added at the end of its stream
   */
  note({ seal, items }: Batch, added: boolean): void {
    const { stream, first } = seal;
    if (!added) this.#counted.delete(stream);
    items.forEach((item, index) => {
      if (item.type !== 'entry') return;
      const { entry } = item;
      const isOwn = entry.device === this.#options.replica.device;
      // Another device has read something.
      if (entry.kind === 'read' && !isOwn) this.forget(markIn(entry)?.stream ?? stream);
      else if (entry.kind === 'join' && isOwn && added) this.#joined(entry, first + index + 1);
    });
  }

  /** What was said in a room before one came is nothing that one has missed. */
  #joined(entry: Entry, position: number): void {
    if (entry.stream !== 'space') return this.read(entry.stream, position, false);
    const action = actionOf(entry, 'space');
    if (action?.kind === 'join' && 'room' in action.body) this.#begin(roomStream(action.body.room));
  }

  #begin(stream: StreamName): void {
    this.read(stream, this.#options.replica.log.headOf(stream).length, false);
  }

  /** The server has let this device into an encrypted room, of which little may be here yet. */
  entered(stream: StreamName): void {
    this.#entered.add(stream);
    this.#begin(stream);
  }

  /** A stream has come as a snapshot. */
  adopted(stream: StreamName): void {
    this.#counted.delete(stream);
    if (this.#entered.delete(stream)) this.#begin(stream);
  }

  /** Notes what has been read, for the last time. Never rejects. */
  async stop(): Promise<void> {
    this.#noting.stop();
    await this.flush();
  }

  /** Notes what has been read. Never rejects. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#note()).catch(this.#options.onFault);
    return this.#writing;
  }

  async #note(): Promise<void> {
    for (const mark of this.#due.splice(0)) await this.#options.write(mark);
    for (const [stream, seen] of this.#seen) {
      const { until, tell, noted } = seen;
      const from = Math.max(noted, this.#recorded(stream) ?? 0);
      if (until <= from) continue;
      // After one's own words there is nothing to be noted.
      if (await this.#hasOthers(stream, from, until))
        await this.#options.write({ stream, until, tell });
      const now = this.#seen.get(stream);
      if (now !== undefined) this.#seen.set(stream, { ...now, noted: until });
    }
  }

  /** Whether somebody else says something between two positions; what is not here may. */
  async #hasOthers(stream: StreamName, from: number, until: number): Promise<boolean> {
    const { replica, account } = this.#options;
    let next = until;
    for await (const { position, item } of replica.log.items(stream, from, until, true)) {
      if (position !== --next) return true;
      if (this.#isMissedCall(stream, position, item)) return true;
      if (item.type !== 'entry' || !isMessage(item.entry)) continue;
      if (authorOf(replica.space, item.entry) !== account) return true;
    }
    return next > from;
  }
}

function sum(one: Unread, other: Unread): Unread {
  const count = one.count + other.count;
  const mentions = Math.min(one.mentions + other.mentions, MOST_UNREAD);
  const more = one.more || other.more || count > MOST_UNREAD;
  const missed = Math.min((one.missed ?? 0) + (other.missed ?? 0), MOST_UNREAD);
  return unreadOf(Math.min(count, MOST_UNREAD), mentions, more, missed);
}

function unreadOf(count: number, mentions: number, more: boolean, missed: number): Unread {
  return { count, mentions, more, ...(missed === 0 ? {} : { missed }) };
}

/** The mark that an entry of an account's stream makes. */
function markIn(entry: Entry): ReadMark | undefined {
  const action = actionOf(entry, 'account') as AccountAction | undefined;
  return action?.kind === 'read' ? action.body : undefined;
}
