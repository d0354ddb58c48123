/**
 * What an account has on this device: its replica of the log and all that reads and writes it.
 * Works without the server; a connection, while there is one, is attached from outside.
 */
import type { FileReference } from '../../crdt/bodies.ts';
import type { Placed } from '../../crdt/content.ts';
import { Eraser } from '../../crdt/eraser.ts';
import { isMessage, type Entry } from '../../crdt/entry.ts';
import { Forgetter } from '../../crdt/forget-stream.ts';
import type { Keyring } from '../../crdt/keyring.ts';
import {
  SigningKey,
  type AccountId,
  type EntryId,
  type PublicKey,
  type RandomBytes,
  type RoomId,
  type VerifyAll,
} from '../../crdt/keys.ts';
import { LogStore } from '../../crdt/log-store.ts';
import { Replica } from '../../crdt/replica.ts';
import { isEncryptedRoom, pathOf, roomOf } from '../../crdt/rooms.ts';
import type { Batch } from '../../crdt/seal.ts';
import { Secrets } from '../../crdt/secrets.ts';
import type { Store } from '../../crdt/store.ts';
import { accountStream, placeOfStream, roomStream, type StreamName } from '../../crdt/stream.ts';
import { sha256, utf8 } from '../../crdt/bytes.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Clock } from '../../lifecycle.ts';
import type { Keystore } from '../keystore.ts';
import { AccountView } from './account-view.ts';
import { AdminNewsReader, type AdminNews } from './admin-news.ts';
import { Attendance } from './attendance.ts';
import { Audience } from './audience.ts';
import { Contacts } from './contacts.ts';
import { Conversations } from './conversations.ts';
import { Inbox } from './inbox.ts';
import { Keyrings } from './keyrings.ts';
import { isNeedless, Outbox } from './outbox.ts';
import { LostRooms } from './lost-rooms.ts';
import { ProgressBook, type Receipt } from './progress.ts';
import { ProvedLocks } from './proved-locks.ts';
import { RoomNewsReader, type RoomNews } from './room-news.ts';
import { SearchIndex } from './search.ts';
import { Telling, type TellingEvents } from './telling.ts';
import { ReadMarks, type ReadMark } from './unread.ts';

export interface HomeOptions extends TellingEvents {
  readonly keystore: Keystore;
  readonly store: Store;
  readonly server: PublicKey;
  readonly account: AccountId;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Nobody listens in this run: news stay news for the next. */
  readonly isQuiet?: boolean;
  /** See `ReplicaOptions`. */
  readonly verifyAll?: VerifyAll | undefined;
  readonly onAdmin: (news: AdminNews) => void;
  /** @param isLive it happens now, and not before this device came back */
  readonly onRoom: (news: RoomNews, isLive: boolean) => void;
  /** Whether a file is on this device; where absent none is. */
  readonly hasFile?: (file: FileReference) => boolean;
  /** Messages are about to be erased; also before this is opened. */
  readonly onErasing?: (log: LogStore, entries: readonly Placed[]) => Promise<void>;
  readonly onReceipt: (receipt: Receipt) => void;
  /** One of this device's entries was refused for good. */
  readonly onRefused: (id: EntryId, code: ErrorCode) => void;
  /** Who may do what may be different: the space stream has moved on, or this account blocks others. */
  readonly onRules: () => void;
}

interface Hooks {
  readonly onBatch: (batch: Batch, added: boolean) => void;
  readonly refused: (entry: Entry, code: ErrorCode, again: boolean) => void;
  readonly tell: (news: Placed) => void;
  readonly receipt: (receipt: Receipt) => void;
  readonly forgotten: (stream: StreamName) => void;
}

export class Home extends AccountView {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly conversations: Conversations;
  readonly contacts: Contacts;
  readonly search: SearchIndex;
  readonly progress: ProgressBook;
  readonly unread: ReadMarks;
  readonly keyrings: Keyrings;
  readonly audience: Audience;
  /** Encrypted rooms that the server does not give to this account any more. */
  readonly lost: LostRooms;
  readonly #options: HomeOptions;
  readonly #adminNews: AdminNewsReader;
  readonly #roomNews: RoomNewsReader;
  readonly #attendance: Attendance;
  readonly #secrets: Secrets;
  readonly #eraser: Eraser;
  readonly #forgetter: Forgetter;
  readonly locks = new ProvedLocks();
  readonly #telling: Telling;

  private constructor(
    options: HomeOptions,
    parts: {
      replica: Replica;
      inbox: Inbox;
      progress: ProgressBook;
      lost: LostRooms;
      eraser: Eraser;
      forgetter: Forgetter;
    },
  ) {
    super(parts.replica, options.account, options.keystore);
    this.#options = options;
    this.inbox = parts.inbox;
    this.progress = parts.progress;
    this.lost = parts.lost;
    this.#eraser = parts.eraser;
    this.#forgetter = parts.forgetter;
    const { clock, random, account, server } = options;
    const { replica } = this;
    this.audience = new Audience(replica);
    this.#adminNews = new AdminNewsReader(replica, account);
    this.#roomNews = new RoomNewsReader(replica, account);
    this.#attendance = new Attendance(replica, account);
    this.keyrings = new Keyrings({
      keystore: options.keystore,
      account,
      device: replica.device,
      random,
      space: () => replica.space,
      onFault: options.onFault,
    });
    this.#secrets = new Secrets({
      server,
      device: replica.device,
      account,
      random,
      keyring: (generation) => this.keyrings.get(generation),
      space: () => replica.space,
      provedLock: (holder, generation) => this.locks.get(holder, generation),
      opened: (stream) => replica.log.opened(stream)?.state,
      isProven: (epoch) => replica.isProven(epoch),
      keptEpoch: (epoch) => replica.keptEpoch(epoch),
    });
    this.outbox = new Outbox({
      replica,
      onHeld: (entry) => this.#held(entry),
      isLost: (entry) => this.#isLost(entry),
      onFault: options.onFault,
    });
    const { outbox } = this;
    const secrets = this.#secrets;
    this.conversations = new Conversations({ replica, secrets, outbox, account, clock, random });
    this.contacts = new Contacts({ replica, account });
    const { device } = options.keystore.read();
    const key = Uint8Array.from(sha256(utf8('clchat search v1\0'), device.seed));
    const { conversations, contacts } = this;
    const { reading } = conversations;
    this.#telling = new Telling({
      account,
      space: () => replica.space,
      reading,
      contacts,
      events: options,
    });
    this.unread = new ReadMarks({
      replica,
      account,
      lost: this.lost.all,
      told: (stream) => this.inbox.cursor(stream),
      textOf: async (entry) => (await reading.original(entry))?.text,
      isMention: (text) => this.isMention(text),
      write: (mark) => this.#writeMark(mark),
      onFault: options.onFault,
    });
    this.search = new SearchIndex({
      replica,
      secrets,
      conversations,
      key,
      unsent: () => replica.pending(),
      onFault: options.onFault,
    });
  }

  static async open(options: HomeOptions): Promise<Home> {
    const { keystore, store, server, onFault, isQuiet = false } = options;
    // What comes in before everything is put together waits for it.
    const late: { hooks?: Hooks } = {};
    let assemble: (home: Home) => void = () => undefined;
    const assembled = new Promise<Home>((resolve) => (assemble = resolve));
    const replica = await Replica.open({
      log: new LogStore(store),
      server,
      device: new SigningKey(keystore.read().device.seed),
      verifyAll: options.verifyAll,
      onBatch: (batch, added) => late.hooks?.onBatch(batch, added),
      onRefused: (entry, code, again) => late.hooks?.refused(entry, code, again),
    });
    const inbox = await Inbox.open({
      replica,
      isQuiet,
      onFault,
      onNews: (news) => late.hooks?.tell(news),
    });
    const eraser = await Eraser.open({
      log: replica.log,
      space: () => replica.space,
      isVoid: (stream, position) => replica.isVoid(stream, position),
      tracesOf: (entries) => replica.tracesOf(entries),
      onErasing: async (stream, entries) => (await assembled).#erasing(stream, entries),
      onFault,
    });
    const forgetter = Forgetter.open({
      log: replica.log,
      space: () => replica.space,
      drop: (stream) => replica.drop(stream),
      onForgetting: async (stream, entries) => (await assembled).#erasing(stream, entries),
      onForgotten: (stream) => late.hooks?.forgotten(stream),
      onFault,
    });
    const progress = await ProgressBook.open(store, (receipt) => late.hooks?.receipt(receipt));
    const lost = await LostRooms.open(store, onFault);
    const home = new Home(options, { replica, inbox, progress, lost, eraser, forgetter });
    late.hooks = {
      onBatch: (batch, added) => home.#onBatch(batch, added),
      refused: (entry, code, again) => home.#refused(entry, code, again),
      tell: (news) => home.#telling.tell(news),
      receipt: (receipt) => home.#receipt(receipt),
      forgotten: (stream) => home.#forgotten(stream),
    };
    assemble(home);
    // What a crash left half done.
    for (const stream of replica.unmadeStreams()) await home.conversations.remake(stream);
    return home;
  }

  #onBatch(batch: Batch, added: boolean): void {
    for (const item of batch.items)
      this.outbox.sealed(item.type === 'entry' ? item.entry.id : item.refusal.id);
    this.#eraser.note(batch);
    this.#forgetter.note(batch);
    this.search.note(batch.seal.stream);
    this.unread.note(batch, added);
    if (!added) return;
    if (batch.seal.stream === 'space') {
      // Of a room that is gone no batch comes any more: asked again, the server says what became of it.
      for (const stream of new Set(this.replica.pending().map((entry) => entry.stream)))
        if (this.#isGone(stream)) this.outbox.resend(stream);
      void this.refreshKeyrings();
      for (const news of this.#adminNews.read(batch)) this.#options.onAdmin(news);
    }
    if (this.#changesRules(batch)) this.#options.onRules();
    this.lost.delete(batch.seal.stream);
    const past = this.#attendance.follow(batch);
    if (past > 0) this.inbox.skip(batch.seal.stream, batch.seal.first + past);
    for (const news of this.#roomNews.read(batch, past))
      this.#options.onRoom(news, this.outbox.attached);
    if (!this.inbox.take(batch)) void this.inbox.pump(batch.seal.stream);
  }

  #changesRules({ seal: { stream }, items }: Batch): boolean {
    if (stream === 'space') return true;
    const blocks = items.some((item) => item.type === 'entry' && item.entry.kind === 'block');
    return blocks && stream === accountStream(this.account);
  }

  /** What else is kept of what is about to be erased goes first. */
  async #erasing(stream: StreamName, entries: readonly Placed[]): Promise<void> {
    this.unread.forget(stream);
    await this.search.forget(stream, entries);
    await this.#options.onErasing?.(this.replica.log, entries);
  }

  #held(entry: Entry): void {
    if (entry.kind === 'join' && entry.stream !== 'space') this.unread.entered(entry.stream);
    if (!isMessage(entry)) return;
    this.progress.held(entry.id, this.audienceSize(entry.stream));
  }

  #receipt(receipt: Receipt): void {
    this.#options.onReceipt({ ...receipt, id: this.conversations.announced(receipt.id) });
  }

  #refused(entry: Entry, code: ErrorCode, again: boolean): void {
    if (entry.kind === 'epoch') this.#secrets.forgetOpened(entry.stream);
    if (again) this.conversations.remake(entry.stream).catch(this.#options.onFault);
    // Nobody has asked for these, or they are done with.
    else if (entry.kind !== 'epoch' && entry.kind !== 'read' && !isNeedless(entry, code))
      this.#options.onRefused(this.conversations.announced(entry.id), code);
  }

  async #writeMark(mark: ReadMark): Promise<void> {
    // Before anything else the first password has to be changed.
    if (this.record?.mustChange === true) return;
    await this.conversations.act(accountStream(this.account), 'read', { ...mark });
    this.outbox.flush();
  }

  #forgotten(stream: StreamName): void {
    this.inbox.forget(stream);
    this.unread.forget(stream);
  }

  /** The state of a stream has come as a snapshot. */
  adopted(stream: StreamName): void {
    const place = placeOfStream(stream);
    // Whoever comes into a room is told of what is said from then on.
    if (place.type === 'room' && isEncryptedRoom(this.space, place.room)) this.inbox.skip(stream);
    this.#attendance.adopted(stream);
    this.unread.adopted(stream);
    this.outbox.resend(stream);
  }

  /** Whether no batch will tell of an entry that the server has judged. */
  #isLost({ stream }: Entry): boolean {
    return this.lost.has(stream) || this.#isGone(stream) || this.#isUnknown(stream);
  }

  /** Whether nothing is here of an encrypted room: another device of the account may have left it. */
  #isUnknown(stream: StreamName): boolean {
    const place = placeOfStream(stream);
    const isSealed = place.type === 'room' && isEncryptedRoom(this.space, place.room);
    return isSealed && this.replica.log.headOf(stream).length === 0;
  }

  /** Whether the room of a stream is no more. */
  #isGone(stream: StreamName): boolean {
    const place = placeOfStream(stream);
    return place.type === 'room' && roomOf(this.space, place.room) === undefined;
  }

  /** The server does not give a room to this account: it may have been put out of it meanwhile. */
  lose(stream: StreamName): void {
    const { account, space } = this;
    const place = placeOfStream(stream);
    if (place.type !== 'room' || !isEncryptedRoom(space, place.room)) return;
    if (this.replica.log.record(stream, 'member', account) !== true) return;
    const path = pathOf(space, place.room);
    if (!this.lost.add(stream)) return;
    // What of it was judged comes no more: asked again, the server says what became of it.
    this.outbox.resend(stream);
    if (path === undefined) return;
    // Of conferences the server tells by itself.
    if (roomOf(space, place.room)?.lifetime === 'conference') return;
    const news = { kind: 'member', state: 'removed', account } as const;
    this.#options.onRoom({ room: place.room, path, by: undefined, ...news }, true);
  }

  /** How many devices are to get what is said in a stream, this one not counted. */
  audienceSize(stream: StreamName): number {
    return this.audience.sizeOf(stream);
  }

  readonly hasFile = (file: FileReference): boolean => this.#options.hasFile?.(file) === true;

  /** A generation of a room's lock, from its password or as its members know it. */
  readonly lockKnown = (holder: RoomId, generation: number): Keyring | undefined => {
    const stream = roomStream(holder);
    const state = this.replica.log.opened(stream)?.state;
    return state === undefined
      ? this.locks.get(holder, generation)?.keyring
      : this.#secrets.lock(stream, holder, generation, state);
  };

  /** A key has come that may open more than before. */
  readonly forgetUnreadable = (): void => this.#secrets.forgetUnreadable();

  /** Takes what generations of the keyring can be reached from here into the keystore. */
  refreshKeyrings(): Promise<void> {
    return this.keyrings.refresh();
  }

  /** What shuts a device out and begins a new generation of the keyring. */
  revocation(device: PublicKey): { body: unknown; keyring: Keyring } {
    const rest = this.devices().flatMap(({ key }) => (key === device ? [] : [key]));
    return this.keyrings.revocation(device, rest);
  }

  /** Resolves when all that has come has been told. */
  async told(): Promise<void> {
    await this.#telling.settled();
  }

  async settled(): Promise<void> {
    await this.replica.settled();
    await this.inbox.settled();
    await this.#eraser.settled();
    await this.#forgetter.settled();
    await this.#telling.settled();
    await this.progress.settled();
  }

  async close(): Promise<void> {
    this.search.stop();
    await this.unread.stop();
    await this.#eraser.stop();
    await this.search.settled();
    await this.#forgetter.stop();
    this.outbox.attach(undefined);
    await this.settled();
  }
}
